"""What the events of a run have to say about each other: of its jobs, its workers, and the cached sites it works on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from statetrace.analysis.consistency.host_rules import HostStory
from statetrace.analysis.consistency.rules import Place, amount, shown
from statetrace.analysis.events import WireEvent
from statetrace.model import fold

RUN_RULES = {
    "R1": "one launch for each log",
    "R4": "concurrency is resolved before the first launch",
    "R5": "each device for which concurrency was resolved is launched",
    "R6": "a worker tells its site's cache before and after each log",
    "T1": "a read of a site is told by the one host for which it was made",
    "N1": "each look-up in the shared cache is told",
    "N2": "each change of a cached site is told",
    "N3": "each host whose rows went into the cache is told, or the read that brought them there",
}
"""Rules about the events of a run; all are our own, and the original's files do not keep them (its defects D2, D7)."""

_LOOKED_UP = ("SharedCacheMatch", "AccessHydrate", "AccessRefresh", "DatabaseQueryFallback")
_READ = ("AccessHydrate", "AccessRefresh")
_BEFORE = "Worker:PreParse"
_AFTER = ("Worker:PostParse", "Worker:PostParseError")
_MOST_READS = 4096
_HERE = "in the run that begins here"


class Told(msgspec.Struct, frozen=True):
    """A rule that the events of a run break.

    Attributes:
        rule: its name.
        site: of what site; ``""`` for the run.
        detail: the numbers that contradict each other.
    """

    rule: str
    site: str
    detail: str


class _Site(msgspec.Struct):
    """The numbers of one site."""

    name: str
    launches: int = 0
    before: int = 0
    after: int = 0
    gets: int = 0
    attempts: int = 0
    sets: int = 0
    reads: int = 0
    look_ups: int = 0
    changes: int = 0
    read_for: int = 0


class Run:
    """The events from one ``ConcurrencyProfileResolved`` on, as numbers.

    Only numbers are compared, so that lines of parallel writers may come in any order. Runs of several processes that
    overlap in one file count as one.

    Args:
        first: the event with which it begins.

    Attributes:
        first: its place.
        resolved: how often concurrency was resolved.
        launches: of logs.
    """

    EVENTS = frozenset(
        (
            "ConcurrencyProfileResolved",
            "ParserSchedulerLaunch",
            "ParseDuration",
            "SkippedDuplicate",
            "InterfaceSiteCacheRunspaceState",
            "InterfaceSiteCacheSharedStore",
            "InterfaceSiteCacheReuseAttempt",
            "InterfaceSiteCacheMetrics",
        )
    )
    """What counts, beside the stories of hosts."""

    def __init__(self, first: WireEvent) -> None:
        self.first = Place.of(first)
        self.resolved = 0
        self.launches = 0
        self._devices = 0
        self._ends = 0
        self._before = 0
        self._after = 0
        self._late = False
        self._sites: dict[str, _Site] = {}
        self._reads: Counter[tuple[str, float]] = Counter()

    @property
    def complete(self) -> bool:
        """Whether all was told that has to come."""
        return self.resolved > 0 and self._devices == self.launches == self._ends == self._before == self._after

    @property
    def progress(self) -> tuple[int, ...]:
        """How much is missing; it stays the same for a run that died."""
        return (
            self._devices - self.launches,
            self.launches - self._ends,
            self.launches - self._before,
            self.launches - self._after,
        )

    def add(self, event: WireEvent) -> None:
        """Take an event of :attr:`EVENTS`."""
        name, fields = event.name, event.fields
        if name == "ConcurrencyProfileResolved":
            self.resolved += 1
            self._devices += event.count("DeviceCount")
            return
        if name in ("ParseDuration", "SkippedDuplicate"):
            self._ends += 1
            return
        site = self._site(event.site)
        if name == "ParserSchedulerLaunch":
            self.launches += 1
            self._late = self._late or not self.resolved
            site.launches += 1
        elif name == "InterfaceSiteCacheRunspaceState":
            stage = str(fields.get("Stage"))
            self._before += stage == _BEFORE
            self._after += stage in _AFTER
            site.before += stage == _BEFORE
            site.after += stage in _AFTER
        else:
            self._add_to_cache(event, site)

    def _add_to_cache(self, event: WireEvent, site: _Site) -> None:
        if event.name == "InterfaceSiteCacheSharedStore":
            operation = event.fields.get("Operation")
            site.sets += operation == "Set"
            site.gets += operation in ("GetHit", "GetMiss")
        elif event.name == "InterfaceSiteCacheReuseAttempt":
            site.attempts += 1
        else:
            site.reads += 1
            if len(self._reads) < _MOST_READS:
                self._reads[fold(site.name), event.number("SnapshotDurationMs") or 0] += 1

    def add_host(self, story: HostStory, sync: WireEvent) -> Iterator[Told]:
        """Take the ``InterfaceSyncTiming`` of a host; what it says against what was told of its site."""
        site = self._site(sync.site)
        reason = sync.fields.get("SiteCacheProviderReason")
        site.look_ups += reason in _LOOKED_UP
        site.read_for += reason in _READ
        site.changes += reason in _READ
        if story.persisted:
            site.changes += 1
        elif sync.number("SiteCacheUpdateDurationMs"):
            site.changes += 1
            site.read_for += 1
        took = sync.number("SiteCacheSnapshotDurationMs")
        if took:
            read = fold(site.name), took
            self._reads[read] -= 1
            if self._reads[read] < 0:
                yield Told(
                    "T1", site.name, f"no read is told that took {shown(took)} ms, or another host tells of it, too"
                )

    def finish(self) -> Iterator[Told]:
        """What the whole run says against itself."""
        if self.launches != self._ends and (self.launches or self.resolved):
            yield Told(
                "R1", "", f"{_HERE}, {amount(self.launches, 'launch')} and the end of {amount(self._ends, 'log')}"
            )
        if self._late:
            late = "later than the first launch" if self.resolved else "never"
            yield Told("R4", "", f"{_HERE}, concurrency is resolved {late}")
        if self.resolved and self.launches != self._devices:
            launches, devices = amount(self.launches, "launch"), amount(self._devices, "device")
            yield Told("R5", "", f"{_HERE}, {launches} for {devices}: it was stopped, or lines are missing")
        for site in self._sites.values():
            if not site.launches == site.before == site.after:
                told = f"told {_times(site.before)} before a log and {_times(site.after)} after one"
                yield Told("R6", site.name, f"{_HERE}, {amount(site.launches, 'launch')}, and the cache is {told}")
            if self.launches:
                yield from _cache_of(site)

    def _site(self, name: str) -> _Site:
        key = fold(name)
        site = self._sites.get(key)
        if site is None:
            site = self._sites[key] = _Site(name)
        return site


def _cache_of(site: _Site) -> Iterator[Told]:
    # Whoever else reads the site meanwhile makes the numbers on the left larger, never smaller.
    if site.gets < site.look_ups + site.attempts:
        wanted = f"{amount(site.look_ups, 'host')} and {amount(site.attempts, 'attempt')} at reuse needed one each"
        yield Told("N1", site.name, f"{_HERE}, {amount(site.gets, 'look-up')} told, but {wanted}")
    if site.sets < site.changes:
        told = f"{amount(site.sets, 'change')} told, but hosts and reads made {site.changes:,}"
        yield Told("N2", site.name, f"{_HERE}, {told}")
    if site.reads < site.read_for:
        told = f"{amount(site.reads, 'read')} told, but {amount(site.read_for, 'host')} needed one each"
        yield Told("N3", site.name, f"{_HERE}, {told}")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"
