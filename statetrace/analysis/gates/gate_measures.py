"""What gates measure of one session, and of telemetry as a whole.

Memory is bounded by the hosts and by one number an event; of events only the worst are remembered.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from msgspec.structs import replace

from statetrace.analysis.events import WireEvent
from statetrace.analysis.gates.offenders import Offender, Offenders, Relation, Sample
from statetrace.analysis.gates.pass_measures import reason_of
from statetrace.analysis.gates.thresholds import Thresholds
from statetrace.analysis.reports.queue_delay import QueueDelays, delay_of
from statetrace.analysis.warm.provider_counts import is_hit
from statetrace.model import fold

_TIMING, _PARSED, _SKIPPED, _QUEUE, _STORE, _PERSISTED, _READ = map(
    fold,
    (
        "InterfaceSyncTiming",
        "ParseDuration",
        "SkippedDuplicate",
        "InterfacePortQueueMetrics",
        "InterfaceSiteCacheSharedStoreState",
        "InterfaceSiteCacheHostPersisted",
        "InterfaceSiteCacheMetrics",
    ),
)
_IMPORTED, _SKIP = fold("SnapshotImported"), fold("SkipSiteCacheUpdate")


class SessionMeasures:
    """Whether each host of one session told its story whole.

    A session's parsed hosts are those of its successful ``ParseDuration`` events.
    """

    EVENTS: ClassVar[frozenset[str] | None] = frozenset(
        {"ParseDuration", "InterfaceSyncTiming", "InterfaceSiteCacheHostPersisted", "InterfaceSiteCacheMetrics"}
    )

    def __init__(self) -> None:
        self.parsed = 0
        self.timings = 0
        self._hosts: dict[str, _HostTale] = {}
        self._reads: Counter[str] = Counter()

    def add(self, event: WireEvent) -> None:
        """Take an event of the session."""
        name = fold(event.name)
        if event.flag("Synthesized"):
            return  # a tool of the original copied it to where others look for it
        if name == _READ:
            self._reads[fold(event.site)] += not is_hit(event.text("Provider"))
            return
        host = event.host
        tale = self._hosts.get(fold(host))
        if tale is None:
            tale = self._hosts[fold(host)] = _HostTale(event.site, host)
        if name == _TIMING:
            self.timings += 1
            tale.timings += 1
            tale.where = event.where
            if fold(reason_of(event)) != _SKIP and event.count("RowsStaged") + event.count("DeleteCandidates"):
                tale.written = event.where or event.timestamp or "?"
        elif name == _PERSISTED:
            tale.persisted = True
        elif event.flag("Success"):
            self.parsed += 1
            tale.parsed += 1
            tale.where = event.where

    def differing(self) -> Offenders:
        """Hosts with more or fewer ``InterfaceSyncTiming`` events than times they were parsed, each with how many."""
        found = Offenders()
        for tale in self._hosts.values():
            if difference := abs(tale.parsed - tale.timings):
                detail = f"{tale.parsed:,} times parsed, {tale.timings:,} events"
                found.take(Offender(tale.site, tale.host, "InterfaceSyncTiming", tale.where, difference, detail))
        return found

    def not_persisted(self) -> Offenders:
        """Hosts whose rows were written and did not get into the site cache.

        A read of a site takes in one host without telling its name: the one for which it was read.
        """
        found, taken_in = Offenders(), self._reads.copy()
        for tale in self._hosts.values():
            if tale.written and not tale.persisted:
                if taken_in[fold(tale.site)] > 0:
                    taken_in[fold(tale.site)] -= 1
                    continue
                found.take(Offender(tale.site, tale.host, "InterfaceSyncTiming", tale.written, 1))
        return found


class TelemetryMeasures:
    """What is measured of all telemetry, whatever pass it is of.

    Attributes:
        fetch: ``SiteCacheFetchDurationMs`` of ``InterfaceSyncTiming``.
        parse: ``DurationSeconds`` of ``ParseDuration``.
        queue: how long port batches waited.
        waits: the same, with those that waited longer than the limits of p95 and p99.
        imported: times that a snapshot was imported.
        staged: rows that were written, of ``InterfaceSyncTiming``.
        counts: folded name of an event → how many there are.
    """

    EVENTS: ClassVar[frozenset[str] | None] = frozenset(
        {
            "InterfaceSyncTiming", "ParseDuration", "SkippedDuplicate", "InterfacePortQueueMetrics", "PortBatchReady",
            "ParserSchedulerLaunch", "InterfaceSiteCacheSharedStoreState",
        }
    )  # fmt: skip

    def __init__(self, thresholds: Thresholds) -> None:
        limit = thresholds.limit
        self.fetch = Sample(
            limit("site_cache_fetch.maximum_p95_ms"), limit("site_cache_fetch.alert_ms"), Relation.BELOW
        )
        self.parse = Sample(limit("parse_time.maximum_p95_seconds"), limit("parse_time.maximum_seconds"))
        self.queue = QueueDelays()
        self.waits = Sample(
            limit("queue_delay.maximum_queue_delay_p95_ms"), limit("queue_delay.maximum_queue_delay_p99_ms")
        )
        self.imported = 0
        self.staged = 0
        self.counts: Counter[str] = Counter()
        self._hosts: set[str] = set()

    def add(self, event: WireEvent) -> None:
        """Take an event of any pass."""
        name = fold(event.name)
        self.counts[name] += 1
        if name == _TIMING:
            self._hosts.add(fold(event.host))
            self.staged += event.count("RowsStaged")
            self.fetch.add(event.number("SiteCacheFetchDurationMs"), event)
        elif name == _PARSED:
            self.parse.add(event.number("DurationSeconds"), event)
        elif name == _QUEUE:
            self.queue.add(event)
            self.waits.add(delay_of(event), event)
        elif name == _STORE:
            self.imported += fold(event.text("Operation")) == _IMPORTED

    def count(self, name: str) -> int:
        """Number of events of this name."""
        return self.counts[fold(name)]

    def with_fewer_delays(self, thresholds: Thresholds) -> Thresholds:
        """The same thresholds, with no more delays needed than there are hosts: each is read once."""
        queue = thresholds.queue_delay
        needed = min(queue.minimum_event_count, len(self._hosts) or queue.minimum_event_count)
        return replace(thresholds, queue_delay=replace(queue, minimum_event_count=needed))

    @property
    def nothing_to_parse(self) -> str:
        """Why there need not be any event of a parsed host, if so: only duplicates came."""
        known = self.counts[_SKIPPED] and not self.counts[_PARSED]
        return "waived, all logs were known already" if known else ""

    @property
    def nothing_to_batch(self) -> str:
        """Why there need not be any batch of ports, if so."""
        unchanged = self.counts[_TIMING] and not self.staged
        return self.nothing_to_parse or ("waived, nothing was written" if unchanged else "")


class _HostTale:
    """What one host's events told so far."""

    def __init__(self, site: str, host: str) -> None:
        self.site = site
        self.host = host
        self.parsed = 0
        self.timings = 0
        self.where = ""
        self.written = ""
        self.persisted = False
