"""Diversity of port batches: whether the sites got theirs in turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import attrgetter
from typing import ClassVar, NamedTuple

import msgspec

from statetrace.analysis.events import Selection, WireEvent, analyze
from statetrace.analysis.instants import now_ticks, utc_text
from statetrace.model import fold, site_of

MAX_CONSECUTIVE = 8
"""Batches of one site in a row that are still diverse."""

NO_SITE = "(unknown)"
"""The site of batches that name no host."""

_EVENTS = ("PortBatchReady", "ConcurrencyProfileResolved", "SkippedDuplicate")
_BATCH, _PROFILE, _DUPLICATE = map(fold, _EVENTS)
_PARSE_EVENTS = frozenset(
    {
        "ParseDuration",
        "DatabaseWriteBreakdown",
        "DeviceParsingTiming",
        "InterfaceSyncTiming",
        "InterfaceBulkInsert",
        "InterfaceBulkInsertTiming",
    }
)
_SAMPLE = 5
_SEQUENCE = 12
_EVERYTHING = Selection()


class ConcurrencyProfile(msgspec.Struct, frozen=True, rename="pascal"):
    """The limits of the last session among the events, and whether any was given by hand; ``None`` where not told."""

    manual_overrides: bool
    decision_source: str | None = None
    thread_ceiling: int | None = None
    max_workers_per_site: int | None = None
    max_active_sites: int | None = None
    jobs_per_thread: int | None = None
    min_runspaces: int | None = None
    max_consecutive_site_launches: int | None = None


class SiteStreak(msgspec.Struct, frozen=True, rename="pascal"):
    """The most batches of a site in a row.

    Attributes:
        site: its code.
        max_count: how many.
        start_time: UTC, of the first of them.
        end_time: UTC, of the first batch of the next site; of the last one, where no other site followed.
        host_sample: the first five distinct hosts.
    """

    site: str
    max_count: int
    start_time: str
    end_time: str
    host_sample: str


class StreakSegment(msgspec.Struct, frozen=True, rename="pascal"):
    """The longest streak of all.

    Attributes:
        site: see :class:`SiteStreak`, also for times and ``host_sample``.
        count: batches in it.
        start_index: its first batch, counted from 0 in the order of time.
        end_index: its last one.
        host_sequence_sample: the hosts of its first twelve batches, in order.
    """

    site: str
    count: int
    start_time: str
    end_time: str
    start_index: int
    end_index: int
    host_sample: str
    host_sequence_sample: str


class PortDiversityReport(msgspec.Struct, frozen=True, rename="pascal", kw_only=True):
    """Whether sites got their batches in turn (reference: warm-run-and-gates 6.6).

    Attributes:
        metrics_file: where the events came from.
        generated_at_utc: when this was computed.
        evaluation_window_start_utc: first moment that was looked at; ``None`` for no limit.
        evaluation_window_end_utc: the last one, likewise.
        max_allowed_consecutive: the limit.
        evaluation_end: time of the last batch that counts: after it at most one site had batches left.
        terminal_site: that site; ``None`` if none was left.
        sites_remaining_when_stopped: 1, or 0 if none was left.
        port_batch_ready_count: all batches.
        evaluated_port_batch_ready_count: those of the kind that was evaluated, with a time.
        used_synthesized_events: batches that were made up afterwards were evaluated, not those observed.
        ignored_synthesized_events: there are such, and they were left out as asked for.
        manual_overrides_applied: the session's limits were given by hand; ``None`` if nothing tells.
        concurrency_profile: its limits; ``None`` if nothing tells.
        raw_auto_concurrency_mode: its limits are what auto-scale chose, untouched; ``None`` if nothing tells.
        observed_port_batch_ready_count: batches that the engine told of.
        synthesized_port_batch_ready_count: batches that were made up.
        parse_event_count: events that show that logs were parsed.
        skipped_duplicate_count: logs that were known already.
        site_streaks: longest first, then by site.
        max_streak_segment: the longest streak; ``None`` without batches.
        passed: written ``Pass``: there were batches, and no streak is longer than allowed.
        skipped: there were no batches to evaluate.
        skip_reason: ``NoParseActivity`` if all logs were known already, ``NoObservedPortBatchReadyEvents`` if there are
            only batches that were made up and left out, else ``NoPortBatchReadyEvents``; ``None`` if not skipped.
    """

    metrics_file: str
    generated_at_utc: str
    evaluation_window_start_utc: str | None = None
    evaluation_window_end_utc: str | None = None
    max_allowed_consecutive: int
    evaluation_end: str | None = None
    terminal_site: str | None = None
    sites_remaining_when_stopped: int = 0
    port_batch_ready_count: int
    evaluated_port_batch_ready_count: int
    used_synthesized_events: bool
    ignored_synthesized_events: bool
    manual_overrides_applied: bool | None = None
    concurrency_profile: ConcurrencyProfile | None = None
    raw_auto_concurrency_mode: bool | None = None
    observed_port_batch_ready_count: int
    synthesized_port_batch_ready_count: int
    parse_event_count: int
    skipped_duplicate_count: int
    site_streaks: list[SiteStreak] = []
    max_streak_segment: StreakSegment | None = None
    passed: bool = msgspec.field(name="Pass")
    skipped: bool
    skip_reason: str | None = None


class PortDiversity:
    """Follows the batches in the order of time, until at most one site has any left.

    Batches that were made up afterwards (``Synthesized``) are evaluated in place of those observed, unless ignored.

    The site of a batch is that of its host by the rule that holds everywhere, :func:`~statetrace.model.site_of`. The
    original takes the text before the first dash here, which is another one for a host without a dash, for one that
    begins with it, and for one that has the remains of a prompt before its name.

    >>> diversity = PortDiversity()
    >>> for second, host in enumerate(("BOYO-A1", "WLLS-A1", "BOYO-A2", "WLLS-A2", "WLLS-A3")):
    ...     diversity.add(
    ...         WireEvent("PortBatchReady", {"Timestamp": f"2026-01-31T10:00:0{second}Z", "Hostname": host})
    ...     )
    >>> [(streak.site, streak.max_count) for streak in diversity.result().site_streaks]
    [('BOYO', 1), ('WLLS', 1)]

    Args:
        max_consecutive: batches of one site in a row at most.
        ignore_synthesized: leave out what was made up.
    """

    EVENTS: ClassVar[frozenset[str] | None] = frozenset(_EVENTS) | _PARSE_EVENTS

    def __init__(self, max_consecutive: int = MAX_CONSECUTIVE, ignore_synthesized: bool = False) -> None:  # noqa: FBT001, FBT002  # it has a name
        self._max_consecutive = max_consecutive
        self._ignore_synthesized = ignore_synthesized
        self._observed = _Batches()
        self._synthesized = _Batches()
        self._parse_events = 0
        self._duplicates = 0
        self._profile: ConcurrencyProfile | None = None

    def add(self, event: WireEvent) -> None:
        """Take a batch, or what shows whether there was reason for any."""
        name = fold(event.name)
        if name == _BATCH:
            (self._synthesized if event.flag("Synthesized") else self._observed).add(event)
        elif name == _PROFILE:
            self._profile = _profile(event)
        elif name == _DUPLICATE:
            self._duplicates += 1
        else:
            self._parse_events += 1

    def result(self, file: str = "", window: Selection = _EVERYTHING) -> PortDiversityReport:
        """The report on everything so far.

        Args:
            file: where the events came from, for the report.
            window: what the events were selected by, for the report.
        """
        observed, synthesized = self._observed, self._synthesized
        ignored = self._ignore_synthesized and synthesized.count > 0
        used = synthesized.count > 0 and not ignored
        batches = sorted(synthesized.timed if used else observed.timed, key=attrgetter("ticks"))
        segments, site_left = _segments(batches)
        longest = max(segments, key=attrgetter("count"), default=None)
        profile = self._profile
        manual = automatic = None
        if profile is not None:
            manual = profile.manual_overrides
            automatic = profile.decision_source == "AutoScale" and not manual
        return PortDiversityReport(
            metrics_file=file,
            generated_at_utc=utc_text(now_ticks()),
            evaluation_window_start_utc=_moment(window.start),
            evaluation_window_end_utc=_moment(window.end),
            max_allowed_consecutive=self._max_consecutive,
            evaluation_end=segments[-1].end_time if segments else None,
            terminal_site=site_left,
            sites_remaining_when_stopped=0 if site_left is None else 1,
            port_batch_ready_count=observed.count + synthesized.count,
            evaluated_port_batch_ready_count=len(batches),
            used_synthesized_events=used,
            ignored_synthesized_events=ignored,
            manual_overrides_applied=manual,
            concurrency_profile=profile,
            raw_auto_concurrency_mode=automatic,
            observed_port_batch_ready_count=observed.count,
            synthesized_port_batch_ready_count=synthesized.count,
            parse_event_count=self._parse_events,
            skipped_duplicate_count=self._duplicates,
            site_streaks=_site_streaks(segments),
            max_streak_segment=longest,
            passed=longest is not None and longest.count <= self._max_consecutive,
            skipped=longest is None,
            skip_reason=self._skip_reason(ignored) if longest is None else None,
        )

    def _skip_reason(self, ignored: bool) -> str:  # noqa: FBT001  # it has a name
        if self._duplicates and not self._parse_events:
            return "NoParseActivity"
        return "NoObservedPortBatchReadyEvents" if ignored else "NoPortBatchReadyEvents"


def port_diversity(
    events: Iterable[WireEvent],
    *,
    max_consecutive: int = MAX_CONSECUTIVE,
    ignore_synthesized: bool = False,
    file: str = "",
    window: Selection = _EVERYTHING,
) -> PortDiversityReport:
    """The report on the batches among the events within the window; see :class:`PortDiversity`."""
    diversity = PortDiversity(max_consecutive, ignore_synthesized)
    analyze(window.of(events), diversity)
    return diversity.result(file, window)


class _Batch(NamedTuple):
    ticks: int
    site: str
    host: str


class _Batches:
    """Batches of one kind; names are spelled as they were first."""

    def __init__(self) -> None:
        self.count = 0
        self.timed: list[_Batch] = []
        self._names: dict[str, str] = {}

    def add(self, event: WireEvent) -> None:
        self.count += 1
        if (ticks := event.ticks) is not None:
            host = event.host
            site = site_of(host) if host else NO_SITE
            self.timed.append(_Batch(ticks, self._spelling(site), self._spelling(host)))

    def _spelling(self, name: str) -> str:
        return self._names.setdefault(fold(name), name)


def _segments(batches: Sequence[_Batch]) -> tuple[list[StreakSegment], str | None]:
    """The streaks while several sites have batches left, and the site that has any left after them."""
    left = Counter(batch.site for batch in batches)
    segments: list[StreakSegment] = []
    start = 0
    for index, batch in enumerate(batches):
        if batch.site != batches[start].site:
            segments.append(_segment(batches[start:index], start, batch.ticks))
            start = index
        left[batch.site] -= 1
        if not left[batch.site]:
            del left[batch.site]
        if len(left) <= 1:
            segments.append(_segment(batches[start : index + 1], start, batch.ticks))
            break
    return segments, next(iter(left), None)


def _segment(batches: Sequence[_Batch], start: int, end: int) -> StreakSegment:
    hosts = [batch.host for batch in batches]
    return StreakSegment(
        site=batches[0].site,
        count=len(batches),
        start_time=utc_text(batches[0].ticks),
        end_time=utc_text(end),
        start_index=start,
        end_index=start + len(batches) - 1,
        host_sample=", ".join(islice(dict.fromkeys(filter(None, hosts)), _SAMPLE)),
        host_sequence_sample=", ".join(hosts[:_SEQUENCE]),
    )


def _site_streaks(segments: Iterable[StreakSegment]) -> list[SiteStreak]:
    longest: dict[str, StreakSegment] = {}
    for segment in segments:
        if segment.site not in longest or segment.count > longest[segment.site].count:
            longest[segment.site] = segment
    streaks = [
        SiteStreak(segment.site, segment.count, segment.start_time, segment.end_time, segment.host_sample)
        for segment in longest.values()
    ]
    return sorted(streaks, key=lambda streak: (-streak.max_count, fold(streak.site)))


def _profile(event: WireEvent) -> ConcurrencyProfile:
    limits = {
        field.name: event.count(field.encode_name)
        for field in msgspec.structs.fields(ConcurrencyProfile)
        if field.name not in ("manual_overrides", "decision_source") and event.number(field.encode_name) is not None
    }
    return ConcurrencyProfile(event.flag("ManualOverrides"), event.text("DecisionSource") or None, **limits)


def _moment(ticks: int | None) -> str | None:
    return None if ticks is None else utc_text(ticks)
