"""Whether the events of telemetry agree with each other: each by itself, those of a host, those of a run.

A line that is missing, twice or damaged contradicts others. The rules are those of the reference (telemetry-events 6)
and more of our own, which only our events keep; the original's are checked by what holds for both.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from itertools import islice
from typing import ClassVar, Literal

import msgspec

import statetrace.telemetry
from statetrace.analysis.consistency.all_rules import MEANINGS, RULES
from statetrace.analysis.consistency.host_rules import HOST_EVENTS, HostStory
from statetrace.analysis.consistency.rules import EventCheck, Place, amount, shown
from statetrace.analysis.consistency.run_rules import Run
from statetrace.analysis.events import WireEvent
from statetrace.model import fold

RuleSet = Literal["auto", "ours", "original"]

_KNOWN = frozenset(statetrace.telemetry.__all__)
_LEADS = {
    kind.__name__: kind.__struct_encode_fields__[:4]
    for kind in (
        statetrace.telemetry.ConcurrencyProfileResolved,
        statetrace.telemetry.DatabaseWriteBreakdown,
        statetrace.telemetry.InterfaceBulkInsertTiming,
        statetrace.telemetry.InterfaceSiteCacheMetrics,
        statetrace.telemetry.InterfaceSyncTiming,
    )
}
"""The leading fields of our long events: the original writes these events in another order, or in none."""

_READS = ("InterfaceSiteCacheReuseAttempt", "InterfaceSiteCacheMetrics", "InterfaceSiteCacheReuseState")
_ANSWERS = {"J8": "InterfaceSiteCacheMetrics", "J9": "InterfaceSiteCacheReuseState"}
_FAILED_READS = ("Hydrate", "Refresh")
_RUN_ENDS = ("InterfaceSiteCacheRunspaceState", "ParseDuration", "SkippedDuplicate")
_LINE = ("Site", "Hostname", "Operation", "RunspaceId", "BatchId", "QueuedJobs")
_MOST_STORIES = 50_000
_MOST_WAITING = 256
_REMEMBERED = 30_000
_PATIENCE = 3


class Violation(msgspec.Struct, frozen=True, rename="pascal"):
    """A rule that events break.

    Attributes:
        rule: its name in the reference, or our own.
        meaning: what it says.
        event_name: the event; that of the last one for rules about several.
        site: of what site, ``""`` if of none.
        hostname: of what host, ``""`` if of none.
        where: ``file:line`` of that event, for a run of its first one.
        detail: the values that contradict each other.
    """

    rule: str
    meaning: str
    event_name: str
    site: str
    hostname: str
    where: str
    detail: str


class Consistency:
    """Checks events in the order of the files, in bounded memory.

    Lines of one writer come in its order; those of several may interleave. A run begins with
    ``ConcurrencyProfileResolved`` and is forgotten when all was told of it. One that is not whole is judged when three
    others came and went without anything more of it, or at the end.

    >>> check = Consistency("ours")
    >>> check.add(WireEvent("DatabaseWriteLatency", {"Hostname": "WLLS-A01", "LatencyMs": -1}, "2026-01-31.json", 7))
    >>> check.finish()
    >>> [(violation.rule, violation.where) for violation in check.violations]
    [('D1', '2026-01-31.json:7'), ('R3', '2026-01-31.json:7')]

    Args:
        rules: whose events these are. By default an event tells by its leading fields; what another tool wrote anew
            in another order passes for the original's, of which less is asked.
        keep: number of violations that are kept; all are counted.

    Attributes:
        violations: the first ones.
        count: number of all.
        origins: whose events were seen: ``ours``, ``original``.
    """

    EVENTS: ClassVar[frozenset[str] | None] = None

    def __init__(self, rules: RuleSet = "auto", *, keep: int = 1000) -> None:
        self.violations: list[Violation] = []
        self.count = 0
        self.origins: list[str] = [] if rules == "auto" else [rules]
        self._keep = keep
        self._auto = rules == "auto"
        self._ours: bool | None = None if rules == "auto" else rules == "ours"
        self._check = EventCheck(RULES)
        self._lines = _Lines()
        # A plain dict would look for its oldest entry among all that were removed before.
        self._stories: OrderedDict[str, HostStory] = OrderedDict()
        self._waiting: deque[HostStory] = deque()
        self._reads = {"J8": _Pairs(), "J9": _Pairs()}
        self._run: Run | None = None
        self._missing: tuple[int, ...] = ()
        self._still = 0
        self._repeated: dict[str, _Repeated] = {}

    def add(self, event: WireEvent) -> None:
        """Take an event."""
        name, fields = event.name, event.fields
        if self._auto and (lead := _LEADS.get(name)) is not None:
            start = 2 if "Timestamp" in fields else 1
            self._recognise(ours=tuple(islice(fields, start, start + len(lead))) == lead)
        for broken in self._check(name, fields, ours=self._ours is True):
            self._tell(broken.rule, Place.of(event), broken.detail)
        if name not in _KNOWN:
            return
        if (earlier := self._lines.earlier(event)) is not None:
            self._tell_repeated(event, earlier)
        if self._ours is not False and name in Run.EVENTS:
            self._add_to_run(event)
        if fields.get("Synthesized"):
            return  # a tool of the original copied it to where others look for it
        if name in HOST_EVENTS:
            self._add_to_story(event)
        elif name in _READS:
            self._add_to_reads(event)
        if self._run is not None and name in _RUN_ENDS and self._run.complete:
            self._finish_run()

    def finish(self) -> None:
        """Judge what is left. To be called once, after the last event."""
        self._finish_stories()
        self._finish_run()
        for rule, pairs in self._reads.items():
            for place in pairs.left():
                self._tell(rule, place, f"{_ANSWERS[rule]} is missing after it")

    def _recognise(self, *, ours: bool) -> None:
        if ours is self._ours:
            return
        origin = "ours" if ours else "original"
        if origin not in self.origins:
            self.origins.append(origin)
        if self._ours is None:
            # What came before is of the same writer.
            for story in self._stories.values():
                story.ours = ours
            self._run = self._run if ours else None
        else:
            self._finish_stories()
            self._finish_run()
        self._ours = ours

    def _add_to_run(self, event: WireEvent) -> None:
        if event.name == "ConcurrencyProfileResolved" and self._is_over():
            self._finish_stories()
            self._finish_run()
        if self._run is None:
            self._run = Run(event)
        self._run.add(event)

    def _is_over(self) -> bool:
        """Whether nothing more comes of the runs so far. Those of other processes may go on beside a new one."""
        if self._run is None or not self._run.resolved:
            return True
        progress = self._run.progress
        self._still = self._still + 1 if progress == self._missing else 0
        self._missing = progress
        return self._still >= _PATIENCE

    def _add_to_story(self, event: WireEvent) -> None:
        host = fold(str(event.fields.get("Hostname") or ""))
        if not host:
            return
        story = self._stories.get(host)
        if story is None or not story.takes(event.name):
            story = self._begin_story(host, event)
        for rule, detail in story.add(event):
            self._tell(rule, story.place, detail)
        if event.name == "InterfaceSyncTiming":
            self._synchronised(story, event)
        if story.ended:
            self._finish_story(host)

    def _begin_story(self, host: str, event: WireEvent) -> HostStory:
        if host in self._stories:
            self._finish_story(host)
        elif len(self._stories) >= _MOST_STORIES:
            self._finish_story(next(iter(self._stories)))
        story = self._stories[host] = HostStory(event.host, ours=self._ours is not False)
        return story

    def _synchronised(self, story: HostStory, event: WireEvent) -> None:
        self._waiting.append(story)
        if len(self._waiting) > _MOST_WAITING:
            self._waiting.popleft().forget_sync()
        if self._ours:
            self._run = self._run or Run(event)
            for told in self._run.add_host(story, event):
                self._tell(told.rule, story.place, told.detail)

    def _add_to_reads(self, event: WireEvent) -> None:
        attempts, reuses = self._reads["J8"], self._reads["J9"]
        place, fields = Place.of(event), event.fields
        if event.name == "InterfaceSiteCacheReuseAttempt":
            attempts.open((fold(place.site), event.flag("Refresh")), place)
            return
        reuse = fold(place.site), event.count("HostCount")
        if event.name == "InterfaceSiteCacheReuseState":
            if not reuses.close(reuse):
                self._tell("J9", place, f"no reuse of {amount(reuse[1], 'host')} comes before it")
            return
        refreshed, provider = event.flag("Refreshed"), fields.get("Provider")
        # A read may fail before it is known what there is to reuse.
        if not attempts.close((fold(place.site), refreshed)) and provider not in _FAILED_READS:
            self._tell(
                "J8", place, f"no InterfaceSiteCacheReuseAttempt with Refresh {shown(refreshed)} comes before it"
            )
        if provider == "Cache":
            reuses.open(reuse, place)

    def _tell_repeated(self, event: WireEvent, there: str) -> None:
        """Tell once a file how many of its lines were there before: where one is, all of a copy are."""
        known = self._repeated.get(event.file)
        if known is None:
            index = len(self.violations) if len(self.violations) < self._keep else None
            known = self._repeated[event.file] = _Repeated(index, there)
            self._tell("E2", Place.of(event), known.detail)
        else:
            known.lines += 1
            if known.index is not None:
                first = self.violations[known.index]
                self.violations[known.index] = msgspec.structs.replace(first, detail=known.detail)

    def _finish_stories(self) -> None:
        for host in list(self._stories):
            self._finish_story(host)

    def _finish_story(self, host: str) -> None:
        story = self._stories.pop(host)
        for rule, detail in story.finish(in_session=self._run is not None and self._run.launches > 0):
            self._tell(rule, story.place, detail)

    def _finish_run(self) -> None:
        run, self._run = self._run, None
        self._missing, self._still = (), 0
        if run is not None and self._ours:
            for told in run.finish():
                self._tell(told.rule, run.first._replace(site=told.site, host=""), told.detail)

    def _tell(self, rule: str, place: Place, detail: str) -> None:
        self.count += 1
        if len(self.violations) < self._keep:
            self.violations.append(
                Violation(rule, MEANINGS[rule], place.event, place.site, place.host, place.where, detail)
            )


def violations(events: Iterable[WireEvent], rules: RuleSet = "auto") -> list[Violation]:
    """Every way in which these events contradict each other, the first thousand; none is best."""
    check = Consistency(rules)
    for event in events:
        check.add(event)
    check.finish()
    return check.violations


class _Repeated(msgspec.Struct):
    """Lines of a file that were there before: the place of what is told of them, and where the first was."""

    index: int | None
    first: str
    lines: int = 1

    @property
    def detail(self) -> str:
        where = f" at {self.first}" if self.first else ""
        if self.lines == 1:
            return f"it was told before{where}"
        return f"{self.lines:,} lines of the file were told before, the first of them{where}"


class _Lines:
    """Remembers lines for a while, by what tells them apart."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[str, int]] = {}
        self._before: dict[int, tuple[str, int]] = {}

    def earlier(self, event: WireEvent) -> str | None:
        """Where the event was already, some ten thousand lines before at most; ``None`` if it was not."""
        get = event.fields.get
        stamp = get("Timestamp")
        if stamp is None:
            return None
        try:
            line = hash((stamp, event.name, *map(get, _LINE)))
        except TypeError:  # some field is a list
            return None
        place = self._last.get(line) or self._before.get(line)
        if place is not None:
            return f"{place[0]}:{place[1]}" if place[0] else ""
        if len(self._last) >= _REMEMBERED:
            self._last, self._before = {}, self._last
        self._last[line] = event.file, event.line
        return None


class _Pairs:
    """Events that others answer, by what both name."""

    def __init__(self) -> None:
        self._open: dict[tuple[object, ...], list[Place]] = {}

    def open(self, key: tuple[object, ...], place: Place) -> None:
        """An event that is to be answered."""
        places = self._open.setdefault(key, [])
        if len(places) < _MOST_WAITING:
            places.append(place)

    def close(self, key: tuple[object, ...]) -> bool:
        """Whether there was one to answer; the last one is answered."""
        places = self._open.get(key)
        if not places:
            return False
        places.pop()
        if not places:
            del self._open[key]
        return True

    def left(self) -> list[Place]:
        """Those that nobody answered."""
        return [place for places in self._open.values() for place in places]
