"""Throughput of port batches: how many rows were handed over, how fast, and what it cost to prepare them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from statetrace.analysis.events import WireEvent, analyze
from statetrace.analysis.instants import TICKS_PER_MS, TICKS_PER_SECOND, now_ticks, utc_text
from statetrace.analysis.statistics import Stats, round_even, stats_of
from statetrace.errors import TelemetryError
from statetrace.model import fold

_BATCH = fold("PortBatchReady")
_PERCENTS = (50, 95)


class PortBatchSummary(msgspec.Struct, frozen=True, rename="pascal"):
    """The batches together.

    Attributes:
        event_count: batches, also those without a time, of which nothing else is counted.
        unique_hosts: their hosts.
        total_ports: rows committed.
        average_ports_batch: rows of a batch, three decimals; ``None`` without batches.
        average_chunk_size: likewise.
        duration_seconds: from the earliest to the latest, three decimals; ``None`` if that is no time at all.
        ports_per_minute: rows in that time, three decimals.
        batch_interval_ms: milliseconds from a batch to the next one in the file, where it is later.
    """

    event_count: int
    unique_hosts: int
    total_ports: int
    average_ports_batch: float | None
    average_chunk_size: float | None
    duration_seconds: float | None
    ports_per_minute: float | None
    batch_interval_ms: Stats


class InterfaceSyncSummary(msgspec.Struct, frozen=True, rename="pascal"):
    """What it cost to bring hosts up to date, in milliseconds.

    Attributes:
        ui_clone: copying rows for readers.
        stream_dispatch: handing rows to the port stream.
        diff_duration: comparing parsed rows with those known.
        sample_count: hosts that tell what copying cost.
    """

    ui_clone: Stats
    stream_dispatch: Stats
    diff_duration: Stats
    sample_count: int


class HostBatches(msgspec.Struct, frozen=True, rename="pascal"):
    """The batches of a host, and the rows in them."""

    host: str
    batch_count: int
    ports_committed: int


class PortBatchReport(msgspec.Struct, frozen=True, rename="pascal"):
    """Throughput of port batches (reference: warm-run-and-gates 6.4).

    Attributes:
        generated_at_utc: when this was computed.
        files_analyzed: where the events came from.
        port_batch_summary: the batches.
        interface_sync_summary: the work behind them.
        host_breakdown: by rows, most first, then by host; ``None`` if it was not asked for.
    """

    generated_at_utc: str
    files_analyzed: list[str]
    port_batch_summary: PortBatchSummary
    interface_sync_summary: InterfaceSyncSummary
    host_breakdown: list[HostBatches] | None = None


class MetricChange(msgspec.Struct, frozen=True, rename="pascal"):
    """A figure now and in an earlier report; the difference has three decimals, ``None`` where a side is missing."""

    metric: str
    current: float | None
    baseline: float | None
    delta: float | None
    unit: str


class PortBatches:
    """Counts batches and hosts in the order of the file.

    >>> batches = PortBatches(host_breakdown=True)
    >>> batches.add(WireEvent("PortBatchReady", {
    ...     "Timestamp": "2026-01-31T10:00:00Z", "Hostname": "WLLS-A01-AS-01", "PortsCommitted": 48, "ChunkSize": 24}))
    >>> report = batches.result()
    >>> report.port_batch_summary.total_ports, report.host_breakdown
    (48, [HostBatches(host='WLLS-A01-AS-01', batch_count=1, ports_committed=48)])

    Args:
        host_breakdown: whether the report tells of each host as well.
    """

    EVENTS: ClassVar[frozenset[str] | None] = frozenset({"PortBatchReady", "InterfaceSyncTiming"})

    def __init__(self, host_breakdown: bool = False) -> None:  # noqa: FBT001, FBT002  # the only one there is
        self._host_breakdown = host_breakdown
        self._count = 0
        self._ports = 0
        self._chunk_sizes = 0
        self._first: int | None = None
        self._last: int | None = None
        self._previous: int | None = None
        self._intervals = array("d")
        self._hosts: dict[str, _Host] = {}
        self._ui_clone = array("d")
        self._stream_dispatch = array("d")
        self._diff = array("d")

    def add(self, event: WireEvent) -> None:
        """Take a batch or the work on a host."""
        if fold(event.name) == _BATCH:
            self._add_batch(event)
            return
        for values, field in (
            (self._ui_clone, "UiCloneDurationMs"),
            (self._stream_dispatch, "StreamDispatchDurationMs"),
            (self._diff, "DiffDurationMs"),
        ):
            if (value := event.number(field)) is not None:
                values.append(value)

    def _add_batch(self, event: WireEvent) -> None:
        self._count += 1
        ticks = event.ticks
        if ticks is None:
            return
        ports = event.count("PortsCommitted")
        self._ports += ports
        self._chunk_sizes += event.count("ChunkSize")
        # Writers that ran side by side interleave: a batch that is older than the one before it is no interval.
        if self._previous is not None and ticks > self._previous:
            self._intervals.append((ticks - self._previous) / TICKS_PER_MS)
        self._previous = ticks
        self._first = ticks if self._first is None else min(self._first, ticks)
        self._last = ticks if self._last is None else max(self._last, ticks)
        if name := event.host:
            host = self._hosts.setdefault(fold(name), _Host(name))
            host.batches += 1
            host.ports += ports

    def result(self, files: Sequence[str] = ()) -> PortBatchReport:
        """The report on everything so far.

        Args:
            files: where the events came from, for the report.
        """
        return PortBatchReport(
            generated_at_utc=utc_text(now_ticks()),
            files_analyzed=list(files),
            port_batch_summary=self._batch_summary(),
            interface_sync_summary=InterfaceSyncSummary(
                ui_clone=stats_of(self._ui_clone, "UiCloneDurationMs", _PERCENTS),
                stream_dispatch=stats_of(self._stream_dispatch, "StreamDispatchDurationMs", _PERCENTS),
                diff_duration=stats_of(self._diff, "DiffDurationMs", _PERCENTS),
                sample_count=len(self._ui_clone),
            ),
            host_breakdown=self._breakdown() if self._host_breakdown else None,
        )

    def _batch_summary(self) -> PortBatchSummary:
        count, ports = self._count, self._ports
        seconds = 0.0
        if self._first is not None and self._last is not None:
            seconds = (self._last - self._first) / TICKS_PER_SECOND
        return PortBatchSummary(
            event_count=count,
            unique_hosts=len(self._hosts),
            total_ports=ports,
            average_ports_batch=round_even(ports / count, 3) if count else None,
            average_chunk_size=round_even(self._chunk_sizes / count, 3) if count else None,
            duration_seconds=round_even(seconds, 3) if seconds else None,
            ports_per_minute=round_even(ports / seconds * 60, 3) if seconds else None,
            batch_interval_ms=stats_of(self._intervals, "BatchIntervalMs", _PERCENTS),
        )

    def _breakdown(self) -> list[HostBatches]:
        hosts = [HostBatches(host.name, host.batches, host.ports) for host in self._hosts.values()]
        return sorted(hosts, key=lambda host: (-host.ports_committed, fold(host.host)))


def port_batches(
    events: Iterable[WireEvent], *, host_breakdown: bool = False, files: Sequence[str] = ()
) -> PortBatchReport:
    """The report on the batches among the events; see :class:`PortBatches`."""
    batches = PortBatches(host_breakdown)
    analyze(events, batches)
    return batches.result(files)


def compare_port_batches(current: PortBatchReport, baseline: dict[str, Any]) -> list[MetricChange]:
    """What changed since an earlier report (reference: warm-run-and-gates 6.4).

    Args:
        current: the report of now.
        baseline: the document of an earlier one, the original's or ours; figures that it lacks are ``None``.

    Raises:
        TelemetryError: the baseline is no such report.
    """
    if not isinstance(baseline.get("PortBatchSummary"), dict):
        raise TelemetryError("the baseline has no PortBatchSummary: it is no report on port batches")
    now = msgspec.to_builtins(current)
    return [_change(metric, _figure(now, path), _figure(baseline, path), unit) for metric, path, unit in _COMPARED]


def _change(metric: str, current: float | None, baseline: float | None, unit: str) -> MetricChange:
    delta = None if current is None or baseline is None else round_even(current - baseline, 3)
    return MetricChange(metric, current, baseline, delta, unit)


def _figure(document: Mapping[str, Any], path: tuple[str, ...]) -> float | None:
    *parents, name = path
    for parent in parents:
        found = document.get(parent)
        document = found if isinstance(found, dict) else {}
    return WireEvent("", dict(document)).number(name)


class _Host:
    """The batches of a host so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.batches = 0
        self.ports = 0


_COMPARED = (
    ("TotalPorts", ("PortBatchSummary", "TotalPorts"), "ports"),
    ("PortsPerMinute", ("PortBatchSummary", "PortsPerMinute"), "ports/min"),
    ("AveragePortsBatch", ("PortBatchSummary", "AveragePortsBatch"), "ports"),
    ("BatchIntervalP95Ms", ("PortBatchSummary", "BatchIntervalMs", "P95"), "ms"),
    ("UiCloneP95Ms", ("InterfaceSyncSummary", "UiClone", "P95"), "ms"),
    ("StreamDispatchP95Ms", ("InterfaceSyncSummary", "StreamDispatch", "P95"), "ms"),
    ("DiffDurationP95Ms", ("InterfaceSyncSummary", "DiffDuration", "P95"), "ms"),
)
