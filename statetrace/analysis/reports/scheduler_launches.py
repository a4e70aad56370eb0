"""Fairness of the scheduler: how many jobs of one site it launched in a row while others waited."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import ClassVar

import msgspec

from statetrace.analysis.events import UNKNOWN, WireEvent, analyze
from statetrace.analysis.instants import TICKS_PER_SECOND, now_ticks, utc_text
from statetrace.analysis.statistics import mean, percentile_of_sorted, round_even
from statetrace.model import fold

MAX_STREAK = 8
"""Launches of one site in a row that are still fair."""

_MEASURED = ("ActiveWorkers", "ActiveSites", "ThreadBudget", "QueuedJobs", "QueuedSites")
_OTHERS_WAIT = 2


class LaunchMetric(msgspec.Struct, frozen=True, rename="pascal"):
    """A number that launches carry, in a few numbers; average and percentiles have three decimals."""

    name: str
    count: int = 0
    minimum: float | None = msgspec.field(default=None, name="Min")
    average: float | None = None
    p50: float | None = None
    p95: float | None = None
    maximum: float | None = msgspec.field(default=None, name="Max")


class SiteLaunches(msgspec.Struct, frozen=True, rename="pascal"):
    """The launches of a site.

    Attributes:
        site: its code.
        launch_count: all of them.
        max_consecutive: the most in a row.
        max_consecutive_start: time of the first launch of that streak, as its event has it; ``None`` if it has none.
        max_consecutive_end: time of the last one.
    """

    site: str
    launch_count: int
    max_consecutive: int
    max_consecutive_start: str | None
    max_consecutive_end: str | None


class StreakViolation(msgspec.Struct, frozen=True, rename="pascal"):
    """More launches of a site in a row than allowed, with the times of the first and the last of them."""

    site: str
    count: int
    start_time: str | None
    end_time: str | None


class SchedulerReport(msgspec.Struct, frozen=True, rename="pascal"):
    """How fairly a scheduler launched (reference: warm-run-and-gates 6.5).

    Attributes:
        generated_at_utc: when this was computed.
        files_analyzed: where the events came from.
        total_launch_events: launches that were looked at.
        unique_sites: their sites.
        duration_seconds: from the earliest to the latest.
        max_observed_streak: the longest streak of any site.
        max_allowed_streak: the limit.
        site_summaries: by number of launches, most first, then by site.
        violations: streaks beyond the limit, in the order of the events.
        violation_count: their number.
        passed: written ``Pass``: there were launches, and no violations.
        metrics: name of a field of the event -> its distribution.
    """

    generated_at_utc: str
    files_analyzed: list[str]
    total_launch_events: int
    unique_sites: int
    duration_seconds: float
    max_observed_streak: int
    max_allowed_streak: int
    site_summaries: list[SiteLaunches]
    violations: list[StreakViolation]
    violation_count: int
    passed: bool = msgspec.field(name="Pass")
    metrics: dict[str, LaunchMetric]


class SchedulerLaunches:
    """Follows the launches in the order of the file.

    What was made up afterwards (``Synthesized``) counts only where no real launch is found. As soon as at most one
    site waits there is nobody left to be fair to: each launch is a streak of its own then. Our launches tell as well
    when all that wait are at work already (``NoOtherSite``), which begins a new streak.

    >>> launches = SchedulerLaunches(max_streak=1)
    >>> for site in ("WLLS", "WLLS", "BOYO"):
    ...     launches.add(WireEvent("ParserSchedulerLaunch", {"Site": site, "QueuedSites": 2}))
    >>> [(violation.site, violation.count) for violation in launches.result().violations]
    [('WLLS', 2)]
    """

    EVENTS: ClassVar[frozenset[str] | None] = frozenset({"ParserSchedulerLaunch"})

    def __init__(self, max_streak: int = MAX_STREAK) -> None:
        self._max_streak = max_streak
        self._observed = _Launches(max_streak)
        self._synthesized = _Launches(max_streak)

    def add(self, event: WireEvent) -> None:
        """Take a launch."""
        (self._synthesized if event.flag("Synthesized") else self._observed).add(event)

    def result(self, files: Sequence[str] = ()) -> SchedulerReport:
        """The report on all launches so far.

        Args:
            files: where they came from, for the report.
        """
        launches = self._observed if self._observed.count else self._synthesized
        sites = [site.summary() for site in launches.sites.values()]
        return SchedulerReport(
            generated_at_utc=utc_text(now_ticks()),
            files_analyzed=list(files),
            total_launch_events=launches.count,
            unique_sites=len(sites),
            duration_seconds=launches.duration_seconds,
            max_observed_streak=max((site.max_consecutive for site in sites), default=0),
            max_allowed_streak=self._max_streak,
            site_summaries=sorted(sites, key=lambda site: (-site.launch_count, fold(site.site))),
            violations=list(launches.violations),
            violation_count=len(launches.violations),
            passed=bool(launches.count) and not launches.violations,
            metrics={name: _metric(name, values) for name, values in launches.measured.items()},
        )


def scheduler_launches(
    events: Iterable[WireEvent], *, max_streak: int = MAX_STREAK, files: Sequence[str] = ()
) -> SchedulerReport:
    """The report on the launches among the events; see :class:`SchedulerLaunches`."""
    launches = SchedulerLaunches(max_streak)
    analyze(events, launches)
    return launches.result(files)


class _Site:
    """The launches of a site so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.launches = 0
        self.longest = 0
        self.start: str | None = None
        self.end: str | None = None

    def summary(self) -> SiteLaunches:
        return SiteLaunches(self.name, self.launches, self.longest, self.start, self.end)


class _Launches:
    """Launches of one kind: their streaks and numbers so far."""

    def __init__(self, max_streak: int) -> None:
        self.count = 0
        self.sites: dict[str, _Site] = {}
        self.violations: list[StreakViolation] = []
        self.measured = {name: array("d") for name in _MEASURED}
        self._max_streak = max_streak
        self._first: int | None = None
        self._last: int | None = None
        self._running: _Site | None = None
        self._streak = 0
        self._start: str | None = None

    @property
    def duration_seconds(self) -> float:
        return 0.0 if self._first is None or self._last is None else (self._last - self._first) / TICKS_PER_SECOND

    def add(self, event: WireEvent) -> None:
        self.count += 1
        for name, values in self.measured.items():
            if (value := event.number(name)) is not None:
                values.append(value)
        time = None
        if (ticks := event.ticks) is not None:
            time = event.timestamp
            self._first = ticks if self._first is None else min(self._first, ticks)
            self._last = ticks if self._last is None else max(self._last, ticks)
        name = event.site or UNKNOWN
        site = self.sites.setdefault(fold(name), _Site(name))
        site.launches += 1
        waiting = event.number("QueuedSites")
        alone = (waiting is not None and waiting < _OTHERS_WAIT) or event.flag("NoOtherSite")
        if site is not self._running or alone:
            self._running, self._streak, self._start = site, 0, time
        self._streak += 1
        if self._streak > site.longest:
            site.longest, site.start, site.end = self._streak, self._start, time
        if self._streak > self._max_streak:
            if self._streak - 1 > self._max_streak:
                self.violations.pop()  # the same streak, one launch ago
            self.violations.append(StreakViolation(site.name, self._streak, self._start, time))


def _metric(name: str, values: Iterable[float]) -> LaunchMetric:
    ordered = sorted(values)
    average = mean(ordered)
    if average is None:
        return LaunchMetric(name)
    p50, p95 = (round_even(percentile_of_sorted(ordered, percent) or 0.0, 3) for percent in (50, 95))
    return LaunchMetric(name, len(ordered), ordered[0], round_even(average, 3), p50, p95, ordered[-1])
