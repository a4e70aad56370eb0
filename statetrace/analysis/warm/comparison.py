"""A cold and a warm pass compared: what a warm run proves (reference: warm-run-and-gates 2.7 and 2.8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Self

import msgspec

from statetrace.analysis.instants import now_ticks, utc_text
from statetrace.analysis.statistics import round_even
from statetrace.analysis.warm.host_lists import hosts_in, listed_hosts
from statetrace.analysis.warm.host_pairs import HostPair, pair_hosts
from statetrace.analysis.warm.pass_rows import PassTelemetry
from statetrace.analysis.warm.pass_tally import CallMetrics, tally_of_hosts, tally_of_rows
from statetrace.analysis.warm.warm_rows import COMPARISON, WarmRunRow, rows_of_passes
from statetrace.errors import TelemetryError
from statetrace.model import fold

_SUMMARY_TYPE = "InterfaceCallDuration"


class Comparison(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What a warm run proves. The fields up to ``cold_provider_counts_raw`` are the original's, in its order.

    Fields count hosts. Those named ``…_raw`` count rows, whatever host they tell of, as the original's exports do, and
    so do the others if that is what was asked for.

    Attributes:
        cold_host_count: hosts of the cold pass.
        warm_host_count: of the warm one.
        cold_interface_call_avg_ms: mean of ``InterfaceCallDurationMs``, three decimals; ``None`` for no durations.
        cold_interface_call_p95_ms: 95 of 100 are not longer.
        cold_interface_call_max_ms: the longest.
        warm_interface_call_avg_ms: like the next two, the same of the warm pass.
        improvement_average_ms: the cold mean less the warm one; ``None`` unless both are there.
        improvement_percent: that in percent of the cold mean, two decimals; ``None`` unless that is positive.
        warm_cache_provider_hit_count: served by ``Cache`` or ``SharedCache`` in the warm pass.
        warm_cache_provider_miss_count: all others.
        warm_cache_hit_ratio_percent: hits in percent of both, two decimals; ``None`` if both are 0.
        warm_signature_match_miss_count: hosts that the warm pass did not find as they were, row by row, or of which
            nothing tells that it did. As exported always 0 (reference: warm-run-and-gates 11 D3).
        warm_signature_rewrite_total: rows that reads of sites in the warm pass found new or other than cached. As
            exported the sum over hosts, which repeat the figure of a read that was not made for them.
        warm_provider_counts: provider → how many, ``Unknown`` for none.
        cold_provider_counts: the same of the cold pass.
        as_exported: whether rows were counted in place of hosts.
        cold_metrics: durations of the cold pass.
        warm_metrics: of the warm one.
        warm_rows_compared: rows of logs that the warm pass compared with existing ones.
        warm_rows_changed: rows that it found new, changed or gone, or wrote all the same.
        cold_only_hosts: hosts that the warm pass lacks.
        warm_only_hosts: hosts that the cold pass lacks.
        warm_hosts_by_provider: provider → hosts of the warm pass.
        hosts: both passes host by host, by site and name.
    """

    cold_host_count: int
    warm_host_count: int
    cold_interface_call_avg_ms: float | None
    cold_interface_call_p95_ms: float | None
    cold_interface_call_max_ms: float | None
    warm_interface_call_avg_ms: float | None
    warm_interface_call_p95_ms: float | None
    warm_interface_call_max_ms: float | None
    improvement_average_ms: float | None
    improvement_percent: float | None
    warm_cache_provider_hit_count: int
    warm_cache_provider_hit_count_raw: int
    warm_cache_provider_miss_count: int
    warm_cache_provider_miss_count_raw: int
    warm_cache_hit_ratio_percent: float | None
    warm_cache_hit_ratio_percent_raw: float | None
    warm_signature_match_miss_count: int
    warm_signature_rewrite_total: int
    warm_provider_counts: dict[str, int]
    warm_provider_counts_raw: dict[str, int]
    cold_provider_counts: dict[str, int]
    cold_provider_counts_raw: dict[str, int]
    as_exported: bool
    cold_metrics: CallMetrics
    warm_metrics: CallMetrics
    warm_rows_compared: int
    warm_rows_changed: int
    cold_only_hosts: tuple[str, ...]
    warm_only_hosts: tuple[str, ...]
    warm_hosts_by_provider: dict[str, tuple[str, ...]]
    hosts: tuple[HostPair, ...]

    def row(self) -> WarmRunRow:
        """Its row in an export."""
        return WarmRunRow(
            pass_label=COMPARISON, summary_type=_SUMMARY_TYPE, **{name: getattr(self, name) for name in _EXPORTED}
        )


_EXPORTED = tuple(name for name in Comparison.__struct_fields__ if name in WarmRunRow.__struct_fields__)


def compare(
    rows: Iterable[WarmRunRow],
    *,
    as_exported: bool = False,
    hosts: Collection[str] = (),
    allow_partial_hosts: bool = False,
    cold: PassTelemetry | None = None,
    warm: PassTelemetry | None = None,
    keep_refreshes: bool = False,
) -> Comparison:
    """Compare the rows labelled ``ColdPass`` with those labelled ``WarmPass``.

    By default every host counts once, with its own duration and the provider that its own events name; a list of hosts
    in one row counts as so many. The original counts rows, so that a host whose site was read on its behalf counts
    twice, and a list of hosts once (reference: warm-run-and-gates 11 D2, D3 and D5).

    Args:
        rows: of a whole warm run; what is in neither pass, or sums one up, does not matter.
        as_exported: count as the original does, to the last digit.
        hosts: limits the comparison to these; by default all. Rows without a host count all the same as exported.
        allow_partial_hosts: let some of them be missing from the cold pass.
        cold: telemetry of the cold pass, for what its rows do not tell.
        warm: of the warm one.
        keep_refreshes: count refreshes between the passes as part of the warm one, as the original did until
            December 22nd, 2025. Of use as exported, and for the fields named ``…_raw``.

    Raises:
        TelemetryError: the cold pass lacks a host that the comparison is limited to.
    """
    wanted = listed_hosts(hosts)
    cold_rows, warm_rows = rows_of_passes(rows)
    if wanted and not allow_partial_hosts:
        _require(wanted, cold_rows, cold)
    pairs = pair_hosts(cold_rows, warm_rows, wanted)
    warm_hosts = [pair.warm for pair in pairs if pair.warm is not None]
    cold_rows, warm_rows = _limited(cold_rows, wanted), _limited(warm_rows, wanted)
    if not keep_refreshes:
        warm_rows = [row for row in warm_rows if not _is_refresh(row)] or warm_rows
    cold_raw = cold_tally = tally_of_rows(cold_rows, cold, len(wanted))
    warm_raw = warm_tally = tally_of_rows(warm_rows, warm, len(wanted))
    if not as_exported:
        cold_tally = tally_of_hosts([pair.cold for pair in pairs if pair.cold is not None])
        warm_tally = tally_of_hosts(warm_hosts)
    cold_metrics, warm_metrics = cold_tally.metrics, warm_tally.metrics
    exact = cold_tally.of_rows and warm_tally.of_rows
    means = ((metrics.average if exact else metrics.average_raw) for metrics in (cold_metrics, warm_metrics))
    improvement_ms, improvement_percent = improvement(*means)
    return Comparison(
        cold_host_count=cold_tally.hosts,
        warm_host_count=warm_tally.hosts,
        cold_interface_call_avg_ms=cold_metrics.average,
        cold_interface_call_p95_ms=cold_metrics.p95,
        cold_interface_call_max_ms=cold_metrics.maximum,
        warm_interface_call_avg_ms=warm_metrics.average,
        warm_interface_call_p95_ms=warm_metrics.p95,
        warm_interface_call_max_ms=warm_metrics.maximum,
        improvement_average_ms=improvement_ms,
        improvement_percent=improvement_percent,
        warm_cache_provider_hit_count=warm_tally.providers.hits,
        warm_cache_provider_hit_count_raw=warm_raw.providers.hits,
        warm_cache_provider_miss_count=warm_tally.providers.misses,
        warm_cache_provider_miss_count_raw=warm_raw.providers.misses,
        warm_cache_hit_ratio_percent=warm_tally.providers.ratio_percent,
        warm_cache_hit_ratio_percent_raw=warm_raw.providers.ratio_percent,
        warm_signature_match_miss_count=0 if as_exported else sum(not host.matched for host in warm_hosts),
        warm_signature_rewrite_total=_rewritten(warm_rows, warm, as_exported=as_exported),
        warm_provider_counts=warm_tally.providers.counts,
        warm_provider_counts_raw=warm_raw.providers.counts,
        cold_provider_counts=cold_tally.providers.counts,
        cold_provider_counts_raw=cold_raw.providers.counts,
        as_exported=as_exported,
        cold_metrics=cold_metrics,
        warm_metrics=warm_metrics,
        warm_rows_compared=sum(host.rows_compared or 0 for host in warm_hosts),
        warm_rows_changed=sum(host.rows_changed or 0 for host in warm_hosts),
        cold_only_hosts=tuple(pair.host for pair in pairs if pair.warm is None),
        warm_only_hosts=tuple(pair.host for pair in pairs if pair.cold is None),
        warm_hosts_by_provider=_by_provider(pairs),
        hosts=pairs,
    )


def _require(hosts: Iterable[str], rows: Iterable[WarmRunRow], telemetry: PassTelemetry | None) -> None:
    """See to it that the cold pass wrote all these hosts.

    Raises:
        TelemetryError: it did not.
    """
    if telemetry is None:
        written = [
            host for row in rows if row.interface_call_duration_ms is not None for host in hosts_in(row.hostname)
        ]
    else:
        written = [host for text in telemetry.hosts for host in hosts_in(text)]
    there = set(map(fold, written))
    missing = [host for host in hosts if fold(host) not in there]
    if missing:
        raise TelemetryError(f"the cold pass did not write {', '.join(missing)}, to which the comparison is limited")


def _limited(rows: list[WarmRunRow], hosts: Iterable[str]) -> list[WarmRunRow]:
    wanted = set(map(fold, hosts))
    if not wanted:
        return rows
    return [row for row in rows if not (host := fold(row.hostname or "")) or host in wanted]


def _is_refresh(row: WarmRunRow) -> bool:
    """Whether the row is of a refresh that was asked for between the passes."""
    told = row.provider, row.cache_status, row.site_cache_provider_reason
    return [fold(text or "") for text in told] == ["ACCESSRETRY", "REFRESHED", "ACCESSREFRESH"]


def improvement(before: float | None, after: float | None) -> tuple[float | None, float | None]:
    """What is saved of a duration in milliseconds, in these and in percent; ``None`` where that cannot be told.

    >>> improvement(200.0, 50.0), improvement(0.0, 1.0)
    ((150.0, 75.0), (-1.0, None))
    """
    if before is None or after is None:
        return None, None
    saved = round_even(before - after, 3)
    return saved, round_even(saved / before * 100, 2) if before > 0 else None


def _rewritten(rows: Iterable[WarmRunRow], telemetry: PassTelemetry | None, *, as_exported: bool) -> int:
    if telemetry is not None and telemetry.hosts:
        return telemetry.signature_rewrites if as_exported else telemetry.rows_rewritten
    return sum(row.host_map_signature_rewrite_count or 0 for row in rows)


def _by_provider(pairs: Iterable[HostPair]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    spelled: dict[str, str] = {}
    for pair in pairs:
        if pair.warm is not None:
            provider = spelled.setdefault(fold(pair.warm.provider), pair.warm.provider)
            found.setdefault(provider, []).append(pair.host)
    return {provider: tuple(hosts) for provider, hosts in found.items()}


class ComparisonSummary(msgspec.Struct, frozen=True, rename="pascal"):
    """The figures of a comparison as ``WarmRunTelemetry-latest-summary.json`` has them.

    Attributes:
        generated_at_utc: when the summary was made.
        telemetry_path: the export that the figures are of.
    """

    generated_at_utc: str
    cold_interface_call_avg_ms: float | None
    cold_interface_call_p95_ms: float | None
    cold_interface_call_max_ms: float | None
    warm_interface_call_avg_ms: float | None
    warm_interface_call_p95_ms: float | None
    warm_interface_call_max_ms: float | None
    improvement_average_ms: float | None
    improvement_percent: float | None
    warm_cache_provider_hit_count: int
    warm_cache_provider_miss_count: int
    warm_cache_hit_ratio_percent: float | None
    warm_signature_match_miss_count: int
    warm_signature_rewrite_total: int
    warm_provider_counts: dict[str, int]
    cold_provider_counts: dict[str, int]
    telemetry_path: str

    @classmethod
    def of(cls, comparison: Comparison, export: Path) -> Self:
        """The summary of a comparison that was written to ``export``."""
        figures = {name: getattr(comparison, name) for name in cls.__struct_fields__[1:-1]}
        return cls(generated_at_utc=utc_text(now_ticks()), telemetry_path=str(export), **figures)
