"""Columns of the tables that ``statetrace analyze`` prints: heading → attribute of the record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from statetrace.analysis.consistency.integrity import IntegrityReport
from statetrace.analysis.instants import ticks_of, utc_text
from statetrace.analysis.reports.provider_reasons import ProviderReasons, SiteReasons
from statetrace.analysis.reports.sync_timing import HostStages, SiteTiming
from statetrace.cli.telemetry import Column

_MOST_REASONS = 8


def _utc(attribute: str) -> Callable[[Any], str | None]:
    """A moment in UTC, however its event spells it."""
    value = attrgetter(attribute)

    def shown(record: Any) -> str | None:
        text: str | None = value(record)
        return text if (ticks := ticks_of(text)) is None else utc_text(ticks)

    return shown


def _whole(attribute: str) -> Callable[[Any], float | None]:
    """A number without decimals if it has none."""
    value = attrgetter(attribute)

    def shown(record: Any) -> float | None:
        number: float | None = value(record)
        return int(number) if isinstance(number, float) and number.is_integer() else number

    return shown


OPERATIONS = {"GetHit": "get_hit", "GetMiss": "get_miss", "Set": "set", "Remove": "remove"}
FILES: dict[str, Column] = {
    "File": "file", "Imported": "snapshot_imported", **OPERATIONS, "Other": "other_operations",
    "First event": _utc("first_timestamp"), "Last event": _utc("last_timestamp"),
}  # fmt: skip
SITE_OPERATIONS = {"Site": "site", "Operations": "total", **OPERATIONS, "Other": "other"}
REASONS = {
    "AccessRefresh": "access_refresh", "AccessCacheHit": "access_cache_hit", "SharedCacheMatch": "shared_cache_match",
}  # fmt: skip
HOST_REASONS = {"Site": "site", "Host": "hostname", **REASONS, "Total": "total", "Average fetch ms": "avg_fetch_ms"}
STATS = {
    "Measured": "name", "Count": "count", "Average": "average", "Min": "minimum", "P50": "p50", "P95": "p95",
    "P99": "p99", "Max": "maximum",
}  # fmt: skip
MEASURED = {name: field for name, field in STATS.items() if field != "p99"}
SITE_STAGES = {
    "UiClone p95": attrgetter("ui_clone_p95"), "StreamDispatch p95": attrgetter("stream_dispatch_p95"),
    "Diff p95": attrgetter("diff_duration_p95"),
}  # fmt: skip
BATCHES: dict[str, Column] = {
    "Batches": "event_count", "Hosts": "unique_hosts", "Ports": "total_ports",
    "Ports a batch": _whole("average_ports_batch"), "Chunk size": _whole("average_chunk_size"),
    "Seconds": "duration_seconds", "Ports a minute": "ports_per_minute",
}  # fmt: skip
HOST_BATCHES = {"Host": "host", "Batches": "batch_count", "Ports": "ports_committed"}
CHANGES = {"Figure": "metric", "Now": "current", "Baseline": "baseline", "Change": "delta", "Unit": "unit"}
LAUNCHES: dict[str, Column] = {
    "Site": "site", "Launches": "launch_count", "Longest streak": "max_consecutive",
    "From": _utc("max_consecutive_start"), "To": _utc("max_consecutive_end"),
}  # fmt: skip
STREAKS = {
    "Site": "site", "Longest streak": "max_count", "From": "start_time", "To": "end_time", "Hosts": "host_sample",
}  # fmt: skip
COMPARISON = {
    "Site": "site", "Launches in a row": "scheduler_max", "Batches in a row": "port_batch_max",
    "Difference": "port_minus_scheduler",
}  # fmt: skip
HOTSPOTS = {
    "Site": "site", "Host": "hostname", "Comparison ms": "diff_comparison_ms", "Diff ms": "diff_duration_ms",
    "Load existing ms": "load_existing_ms", "Rows": "row_set_count", "Provider": "provider",
    "Reason": "provider_reason",
}  # fmt: skip
HOTSPOT_SITES = {
    "Site": "site", "Hosts": "host_count", "Comparison ms": "total_diff_comparison_ms", "Rows": "total_row_set_count",
    "Average ms": "avg_diff_comparison_ms",
}  # fmt: skip


def rules_in_force(report: IntegrityReport) -> str | None:
    """Whose rules the events were held against."""
    return " and ".join(report.origins) or None


LINES: dict[str, Column] = {
    "Lines": "total_lines", "Events": "parsed_lines", "Broken lines": "error_count",
    "Contradictions": "violation_count", "Rules": rules_in_force,
}  # fmt: skip
RULES = {"Rule": "rule", "Event": "event", "Kept by": "kept_by", "What should hold": "meaning"}
VIOLATIONS = {
    "Rule": "rule", "Where": "where", "Event": "event_name", "Host": "hostname", "What should hold": "meaning",
    "Instead": "detail",
}  # fmt: skip


def site_reasons(reasons: ProviderReasons) -> dict[str, Column]:
    """The reasons of the original, and those that it does not know, of which the most frequent have a column."""
    columns: dict[str, Column] = {"Site": "site", "Total": "total", **REASONS}
    columns |= {"SkipSiteCacheUpdate": "skip_site_cache_update", "Unknown": "unknown"}
    names = reasons.other_reasons()
    own = [name for name in names if name not in columns][:_MOST_REASONS]

    def number(name: str) -> Callable[[SiteReasons], int]:
        return lambda site: reasons.count(site.site, name)

    columns |= {name: number(name) for name in own}

    def rest(site: SiteReasons) -> int:
        return site.other - sum(reasons.count(site.site, name) for name in own)

    return columns | {"Other": rest} if len(names) > len(own) else columns


def site_stages(sites: Sequence[SiteTiming]) -> dict[str, Column]:
    """The stages that took time at any of the sites."""
    took = {heading: stage for heading, stage in SITE_STAGES.items() if any(map(stage, sites))}
    return {"Site": "site", "Events": "event_count", **took}


def host_stages(stages: list[str]) -> dict[str, Column]:
    """Hosts by these stages."""

    def took(stage: str) -> Callable[[HostStages], float]:
        return lambda host: host.stages.get(stage, 0.0)

    return {"Host": "host", "Events": "event_count", "Total ms": "total_ms", **{name: took(name) for name in stages}}
