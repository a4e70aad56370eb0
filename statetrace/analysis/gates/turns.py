"""Whether sites took turns, session by session: the longest streaks of launches and of port batches.

The two reports that the original has of this see all events as one session (reference: warm-run-and-gates 6.5, 6.6).
Here each is asked about one session at a time: that a site was last in one and first in the next is no unfairness.
"""

from __future__ import annotations

from typing import ClassVar

from statetrace.analysis.events import UNKNOWN, WireEvent
from statetrace.analysis.gates.offenders import Offender, Offenders
from statetrace.analysis.gates.thresholds import Fairness
from statetrace.analysis.instants import ticks_of
from statetrace.analysis.reports.port_diversity import NO_SITE, PortDiversity
from statetrace.analysis.reports.scheduler_launches import SchedulerLaunches
from statetrace.model import fold, site_of

_SESSION, _LAUNCH, _BATCH = "ConcurrencyProfileResolved", "ParserSchedulerLaunch", "PortBatchReady"


class Turns:
    """Follows launches and port batches. A session begins with ``ConcurrencyProfileResolved``, which tells its workers.

    >>> turns = Turns(Fairness(maximum_launch_streak=1))
    >>> for site in ("WLLS", "WLLS", "BOYO"):
    ...     turns.add(WireEvent("ParserSchedulerLaunch", {"Site": site, "QueuedSites": 2}))
    >>> turns.finish()
    >>> turns.launch_streak, [offender.site for offender in turns.long_launches.worst()]
    (2, ['WLLS'])

    Attributes:
        launch_streak: most launches of one site in a row; ``None`` without any.
        batch_streak: most port batches of one site in a row, divided by the workers of their session; ``None`` without
            any.
        long_launches: streaks of launches beyond the limit.
        long_batches: streaks of port batches beyond the limit.
    """

    EVENTS: ClassVar[frozenset[str] | None] = frozenset({_SESSION, _LAUNCH, _BATCH})

    def __init__(self, limits: Fairness) -> None:
        self.launch_streak: int | None = None
        self.batch_streak: float | None = None
        self.long_launches = Offenders()
        self.long_batches = Offenders()
        self._limits = limits
        self._begin(workers=1)

    def _begin(self, workers: int) -> None:
        self._workers = workers
        self._launches = SchedulerLaunches(self._limits.maximum_launch_streak)
        self._batches = PortDiversity()
        self._places: dict[tuple[str, str, int | None], tuple[str, int]] = {}

    def add(self, event: WireEvent) -> None:
        """Take the beginning of a session, a launch or a batch."""
        name = fold(event.name)
        if name == fold(_SESSION):
            self.finish()
            self._begin(max(event.count("ThreadCeiling"), 1))
        elif name == fold(_LAUNCH):
            self._launches.add(event)
            self._remember(_LAUNCH, event.site or UNKNOWN, event)
        else:
            self._batches.add(event)
            self._remember(_BATCH, site_of(event.host) if event.host else NO_SITE, event)

    def finish(self) -> None:
        """End the session. To be called after the last event, too."""
        self._judge_launches()
        self._judge_batches()
        self._begin(self._workers)

    def _remember(self, kind: str, site: str, event: WireEvent) -> None:
        self._places.setdefault((kind, fold(site), event.ticks), (event.file, event.line))

    def _where(self, kind: str, site: str, moment: str | None) -> str:
        file, line = self._places.get((kind, fold(site), ticks_of(moment)), ("", 0))
        return f"{file}:{line}" if file else ""

    def _judge_launches(self) -> None:
        report = self._launches.result()
        if not report.total_launch_events:
            return
        self.launch_streak = max(self.launch_streak or 0, report.max_observed_streak)
        for streak in report.violations:
            where = self._where(_LAUNCH, streak.site, streak.start_time)
            when = _span(streak.start_time, streak.end_time)
            self.long_launches.take(Offender(streak.site, "", _LAUNCH, where, streak.count, when))

    def _judge_batches(self) -> None:
        report = self._batches.result()
        for streak in report.site_streaks:
            count, workers = streak.max_count, self._workers
            # A whole number stays one.
            for_each = count / workers if count % workers else count // workers
            self.batch_streak = max(self.batch_streak or 0, for_each)
            if for_each > self._limits.maximum_batch_streak:
                where = self._where(_BATCH, streak.site, streak.start_time)
                when = _span(streak.start_time, streak.end_time)
                named = streak.host_sample.split(", ")
                hosts = streak.host_sample + (", …" if len(named) < count else "")
                of_workers = f", by {workers:,} workers" if workers > 1 else ""
                self.long_batches.take(Offender(streak.site, hosts, _BATCH, where, count, when + of_workers))


def _span(start: str | None, end: str | None) -> str:
    return f"from {start or '?'} to {end or '?'}"
