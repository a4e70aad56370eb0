"""What the events of one pass come to: rows for the reads of its sites and for its hosts.

A host is told of by two events, ``InterfaceSyncTiming`` and ``DatabaseWriteBreakdown``; a read of a site by
``InterfaceSiteCacheMetrics``, which at best names hosts that were cached before
(reference: warm-run-and-gates 2.5 and 2.6).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from sys import intern
from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace

from statetrace.analysis.events import WireEvent
from statetrace.analysis.warm.host_lists import hosts_in
from statetrace.analysis.warm.provider_counts import provider_reason_fallback
from statetrace.analysis.warm.warm_rows import WARM_PASS, WarmRunRow, fitting
from statetrace.model import fold

_METRICS, _BREAKDOWN, _TIMING = "InterfaceSiteCacheMetrics", "DatabaseWriteBreakdown", "InterfaceSyncTiming"
REQUIRED = (_METRICS, _BREAKDOWN, _TIMING)
"""The events that rows are made of."""
_PARSED, _SKIPPED = "ParseDuration", "SkippedDuplicate"


def _wire_names(first: str, last: str) -> dict[str, str]:
    """Fields of a row, from ``first`` to ``last``, and what they are called in an event."""
    fields = {field.name: field.encode_name for field in msgspec.structs.fields(WarmRunRow)}
    names = list(fields)
    return {name: fields[name] for name in names[names.index(first) : names.index(last) + 1]}


_OF_READ = _wire_names("hydration_duration_ms", "previous_snapshot_host_map_type") | {
    "host_map_candidate_from_previous": "HostMapCandidateFromPreviousCount"
}
_OF_TIMING = _wire_names("diff_comparison_duration_ms", "existing_count")
_OF_BREAKDOWN = _wire_names("interface_call_duration_ms", "database_write_latency_ms")


class _Read(msgspec.Struct, frozen=True, gc=False):
    """What a row needs of a read: there is one for each event, and a row has room for far more."""

    ticks: int | None
    timestamp: str
    site: str
    host: str
    status: str
    provider: str
    reason: str
    fallback: str | None
    measures: tuple[Any, ...]

    def row(self) -> WarmRunRow:
        return WarmRunRow(
            site=self.site or None,
            hostname=self.host or None,
            timestamp=self.timestamp or None,
            cache_status=self.status or None,
            provider=self.provider or None,
            site_cache_provider_reason=self.reason or None,
            **dict(zip(_OF_READ, self.measures, strict=True)),
        )


class _Host(msgspec.Struct):
    """The first event of each kind of one host."""

    site: str
    host: str
    seen: set[str]
    origin: dict[str, Any] = {}
    measures: dict[str, Any] = {}
    timing_reason: str | None = None
    breakdown_reason: str | None = None

    @property
    def reason(self) -> str | None:
        return self.timing_reason or self.breakdown_reason


class PassTelemetry:
    """Takes the events of one pass, keeps what its rows and figures need, and makes the rows.

    >>> telemetry = PassTelemetry()
    >>> fields = {"Site": "WLLS", "Hostname": "WLLS-A01-AS-01", "SiteCacheProvider": "SharedCache"}
    >>> telemetry.add(WireEvent("DatabaseWriteBreakdown", fields | {"InterfaceCallDurationMs": 7.5}))
    >>> [(row.hostname, row.provider, row.interface_call_duration_ms) for row in telemetry.rows("WarmPass")]
    [('WLLS-A01-AS-01', 'SharedCache', 7.5)]

    Args:
        hosts: limits it to these. Events of others do not count, and one that names several hosts counts once for each
            that does.

    Attributes:
        parsed: number of ``ParseDuration`` events.
        skipped_duplicates: number of ``SkippedDuplicate`` events.
        durations: ``InterfaceCallDurationMs`` of every ``DatabaseWriteBreakdown``.
        signature_rewrites: sum of their ``SiteCacheHostMapSignatureRewriteCount``.
    """

    EVENTS: ClassVar[frozenset[str] | None] = frozenset({*REQUIRED, _PARSED, _SKIPPED})

    def __init__(self, *, hosts: Collection[str] = ()) -> None:
        self.durations = array("d")
        self.signature_rewrites = 0
        self._wanted = frozenset(map(fold, hosts))
        self._seen: Counter[str] = Counter()
        self._reads: list[_Read] = []
        self._rewritten: Counter[str] = Counter()
        self._hosts: dict[tuple[str, str], _Host] = {}

    def add(self, event: WireEvent) -> None:
        """Take one event."""
        name = _NAMES.get(fold(event.name))
        if name is None:
            return
        hosts = event.host
        if name == _METRICS:
            hosts = hosts or event.text("PreviousHostSample", "HostSample")
            self._rewritten[fold(event.site)] += _rewritten(event, "HostMapSignatureRewriteCount")
        for host in self._limited(hosts):
            self._seen[name] += 1
            if name == _METRICS:
                self._add_read(event, host)
            elif name in REQUIRED:
                self._add_host_event(event, name, host)
                if name == _BREAKDOWN:
                    self._count_breakdown(event)

    def _limited(self, hosts: str) -> Iterable[str]:
        if not self._wanted or not hosts:
            return (hosts,)
        return (host for host in hosts_in(hosts) if fold(host) in self._wanted)

    def _add_read(self, event: WireEvent, host: str) -> None:
        provider, status = event.text("Provider"), event.text("CacheStatus")
        fallback = provider_reason_fallback(provider, status, skip=event.flag("SkipSiteCacheUpdate"))
        self._reads.append(
            _Read(
                ticks=event.ticks,
                timestamp=event.timestamp,
                site=intern(event.site),
                host=intern(host),
                status=intern(status),
                provider=intern(provider),
                reason=intern(event.text("SiteCacheProviderReason")),
                fallback=fallback,
                measures=tuple(map(_interned, _measures(event, _OF_READ).values())),
            )
        )

    def _add_host_event(self, event: WireEvent, name: str, hostname: str) -> None:
        if not hostname:
            return
        key = fold(event.site), fold(hostname)
        host = self._hosts.get(key)
        if host is None:
            host = self._hosts[key] = _Host(event.site, hostname, set())
        if name in host.seen:
            return
        host.seen.add(name)
        provider, status = event.text("SiteCacheProvider"), event.text("SiteCacheFetchStatus", "CacheStatus")
        reason = event.text("SiteCacheProviderReason")
        told = reason or provider_reason_fallback(provider, status, skip=event.flag("SkipSiteCacheUpdate"))
        if name == _BREAKDOWN:
            host.breakdown_reason = told
            host.measures |= _measures(event, _OF_BREAKDOWN)
        else:
            host.timing_reason = told
            host.measures |= _measures(event, _OF_TIMING)
        # The breakdown knows better: it names rows that were kept for the host a hit.
        if name == _BREAKDOWN or _BREAKDOWN not in host.seen:
            host.origin = {
                "timestamp": event.timestamp or None,
                "cache_status": status or None,
                "provider": provider or None,
                "site_cache_provider_reason": reason or None,
            }

    def _count_breakdown(self, event: WireEvent) -> None:
        duration = fitting("interface_call_duration_ms", event.number("InterfaceCallDurationMs"))
        if duration is not None:
            self.durations.append(duration)
        self.signature_rewrites += _rewritten(event, "SiteCacheHostMapSignatureRewriteCount")

    @property
    def parsed(self) -> int:
        return self._seen[_PARSED]

    @property
    def skipped_duplicates(self) -> int:
        return self._seen[_SKIPPED]

    @property
    def only_duplicates(self) -> bool:
        """Whether every log was known already, so that hosts have no events."""
        return not self.parsed and self.skipped_duplicates > 0

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts that were written, which is those with a ``DatabaseWriteBreakdown``."""
        return tuple(host.host for host in self._hosts.values() if _BREAKDOWN in host.seen)

    @property
    def rows_rewritten(self) -> int:
        """Sum of ``HostMapSignatureRewriteCount``, one for each read of a site.

        Limited to hosts those of their sites count: a read names other hosts than the one that it is made for.
        """
        sites = {site for site, _ in self._hosts} if self._wanted else set(self._rewritten)
        return sum(self._rewritten[site] for site in sites)

    def rows(self, label: str, *, history_seed: str = "Empty") -> list[WarmRunRow]:
        """The rows of the pass: reads of sites by time, hosts that no read names, events missing for a good reason.

        Reads that name several hosts are left out where hosts of the site have events of their own.

        Args:
            label: ``ColdPass``, ``WarmPass``, …
            history_seed: what the pass knew of earlier ingestions (reference: warm-run-and-gates 2.3).
        """
        sites = {site for site, _ in self._hosts}
        rows = []
        named = set()
        for read in sorted(self._reads, key=lambda read: (read.ticks is None, read.ticks or 0)):
            key = fold(read.site), fold(read.host)
            if key[0] in sites and len(hosts_in(read.host)) > 1:
                continue
            named.add(key)
            host = self._hosts.get(key)
            known = host.measures if host else {}
            reason = read.reason or (host and host.reason) or read.fallback
            rows.append(replace(read.row(), pass_label=label, **known | {"site_cache_provider_reason": reason}))
        for key, host in self._hosts.items():
            if key not in named:
                row = WarmRunRow(pass_label=label, site=host.site or None, hostname=host.host, host_count=1)
                row = replace(row, **host.origin, **host.measures)
                rows.append(replace(row, site_cache_provider_reason=row.site_cache_provider_reason or host.reason))
        return rows + self._excuses(label, history_seed)

    def _excuses(self, label: str, history_seed: str) -> list[WarmRunRow]:
        """A row for each event that cannot be there, because every log of a warm pass was known already."""
        if label != WARM_PASS or history_seed == "Empty" or not self.only_duplicates:
            return []
        notes = (
            f"HistorySeed={history_seed}; ParseDurationCount={self.parsed}; "
            f"SkippedDuplicateCount={self.skipped_duplicates}"
        )
        return [
            WarmRunRow(
                pass_label=label,
                summary_type="TelemetryMetricStatus",
                metric_name=name,
                metric_status="NotApplicable",
                metric_status_reason="SkippedDuplicateOnly",
                metric_status_notes=notes,
                parse_duration_count=self.parsed,
                skipped_duplicate_count=self.skipped_duplicates,
                history_seed_mode=history_seed,
            )
            for name in (_BREAKDOWN, _TIMING)
            if not self._seen[name]
        ]


_NAMES: Mapping[str, str] = {fold(name): name for name in (*REQUIRED, _PARSED, _SKIPPED)}


def _measures(event: WireEvent, names: Mapping[str, str]) -> dict[str, Any]:
    """What the event says of these fields of a row."""
    return {name: fitting(name, event.fields.get(wire)) for name, wire in names.items()}


def _interned(value: Any) -> Any:
    return intern(value) if isinstance(value, str) else value


def _rewritten(event: WireEvent, wire: str) -> int:
    return fitting("host_map_signature_rewrite_count", event.fields.get(wire)) or 0
