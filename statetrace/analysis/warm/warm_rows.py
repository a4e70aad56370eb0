"""The rows of a warm run, and the export that holds them: ``WarmRunTelemetry-<stamp>.json``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import msgspec

from statetrace.analysis.documents import as_list, read_document, records, write_document
from statetrace.analysis.instants import ticks_of, utc_text
from statetrace.errors import TelemetryError
from statetrace.model import fold

COLD_PASS, WARM_PASS = "ColdPass", "WarmPass"
"""Labels of the rows that the two passes made."""
COMPARISON = "WarmRunComparison"
"""Label of the row that compares them."""

# Limits that no measurement comes near, so that a sum is always something that JSON can hold.
Count = Annotated[int, msgspec.Meta(ge=-(10**12), le=10**12)]
Number = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]


class WarmRunRow(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One row, of whatever kind; ``None`` where a field says nothing of its kind (reference: warm-run-and-gates 2.9).

    Attributes:
        pass_label: the kind of row: ``ColdPass``, ``WarmPass``, ``CacheProbe``, ``WarmRunComparison``, …
        summary_type: not blank for a row that sums up a pass or says something about its telemetry.
        hostname: may be a list of up to five hosts, joined by ``,``: a sample of those whose rows were cached.
        timestamp: ISO 8601, with offset or ``Z``.
        provider: where rows came from.
        hydration_duration_ms: like what follows up to ``previous_snapshot_host_map_type``, of one read of a site.
        host_map_candidate_from_previous: ``HostMapCandidateFromPreviousCount`` of the event.
        entry_count: sites in a snapshot.
        restored_count: sites taken over from it.
        cold_host_count: like what follows up to ``cold_provider_counts_raw``, of a comparison.
        script_cache_count: like what follows up to ``domain_cache_sites``, what is cached.
        interface_call_duration_ms: what writing a host's interfaces took, looking up its existing rows included.
        diff_comparison_duration_ms: like what follows up to ``existing_count``, what the writing of a host was made of.
        metric_name: like what follows, an event that is missing for a good reason.
    """

    pass_label: str | None = None
    summary_type: str | None = None
    site: str | None = None
    hostname: str | None = None
    timestamp: str | None = None
    cache_status: str | None = None
    provider: str | None = None
    site_cache_provider_reason: str | None = None
    hydration_duration_ms: Number | None = None
    snapshot_duration_ms: Number | None = None
    host_map_duration_ms: Number | None = None
    host_count: Count | None = None
    total_rows: Count | None = None
    host_map_signature_match_count: Count | None = None
    host_map_signature_rewrite_count: Count | None = None
    host_map_candidate_missing_count: Count | None = None
    host_map_candidate_from_previous: Count | None = None
    previous_host_count: Count | None = None
    previous_snapshot_status: str | None = None
    previous_snapshot_host_map_type: str | None = None
    entry_count: Count | None = None
    restored_count: Count | None = None
    source_stage: str | None = None
    cold_host_count: Count | None = None
    warm_host_count: Count | None = None
    cold_interface_call_avg_ms: Number | None = None
    cold_interface_call_p95_ms: Number | None = None
    cold_interface_call_max_ms: Number | None = None
    warm_interface_call_avg_ms: Number | None = None
    warm_interface_call_p95_ms: Number | None = None
    warm_interface_call_max_ms: Number | None = None
    improvement_average_ms: Number | None = None
    improvement_percent: Number | None = None
    warm_cache_provider_hit_count: Count | None = None
    warm_cache_provider_hit_count_raw: Count | None = None
    warm_cache_provider_miss_count: Count | None = None
    warm_cache_provider_miss_count_raw: Count | None = None
    warm_cache_hit_ratio_percent: Number | None = None
    warm_cache_hit_ratio_percent_raw: Number | None = None
    warm_signature_match_miss_count: Count | None = None
    warm_signature_rewrite_total: Count | None = None
    warm_provider_counts: dict[str, int] | None = None
    warm_provider_counts_raw: dict[str, int] | None = None
    cold_provider_counts: dict[str, int] | None = None
    cold_provider_counts_raw: dict[str, int] | None = None
    script_cache_count: Count | None = None
    script_cache_sites: tuple[str, ...] | None = None
    domain_cache_count: Count | None = None
    domain_cache_sites: tuple[str, ...] | None = None
    interface_call_duration_ms: Number | None = None
    database_write_latency_ms: Count | None = None
    diff_comparison_duration_ms: Number | None = None
    diff_duration_ms: Number | None = None
    load_existing_duration_ms: Number | None = None
    load_existing_row_set_count: Count | None = None
    load_signature_duration_ms: Number | None = None
    load_cache_hit: bool | None = None
    load_cache_miss: bool | None = None
    load_cache_refreshed: bool | None = None
    cached_row_count: Count | None = None
    cache_primed_row_count: Count | None = None
    rows_staged: Count | None = None
    insert_candidates: Count | None = None
    update_candidates: Count | None = None
    delete_candidates: Count | None = None
    diff_rows_compared: Count | None = None
    diff_rows_changed: Count | None = None
    diff_rows_inserted: Count | None = None
    diff_rows_unchanged: Count | None = None
    diff_seen_ports: Count | None = None
    diff_duplicate_ports: Count | None = None
    ui_clone_duration_ms: Number | None = None
    delete_duration_ms: Number | None = None
    fallback_duration_ms: Number | None = None
    fallback_used: bool | None = None
    facts_considered: Count | None = None
    existing_count: Count | None = None
    metric_name: str | None = None
    metric_status: str | None = None
    metric_status_reason: str | None = None
    metric_status_notes: str | None = None
    parse_duration_count: Count | None = None
    skipped_duplicate_count: Count | None = None
    history_seed_mode: str | None = None


_FIELDS = msgspec.structs.fields(WarmRunRow)
_TYPES: dict[str, Any] = get_type_hints(WarmRunRow, include_extras=True)
_LISTS = tuple(field.encode_name for field in _FIELDS if field.name.endswith("_cache_sites"))


def fitting(name: str, value: object) -> Any:
    """The value of a field of :class:`WarmRunRow`, or ``None`` if it is not of the field's type.

    >>> fitting("host_count", 3.0), fitting("host_count", "many")
    (3, None)
    """
    try:
        return msgspec.convert(value, _TYPES[name], strict=False)
    except ValueError:
        return None


def read_export(path: Path) -> list[WarmRunRow]:
    """The rows of an export, the original's or ours, in their order.

    Older ones lack keys. Keys that are not known and what is not of its field's type are left out; dates in the form of
    Windows PowerShell become ISO 8601.

    Raises:
        TelemetryError: the file cannot be read, or it is no export.
    """
    rows = [row_of(record) for record in records(read_document(path))]
    if not any(row.pass_label for row in rows):
        raise TelemetryError(f"{path} is no warm-run export: none of its {len(rows)} rows has a PassLabel")
    return rows


def row_of(record: dict[str, Any]) -> WarmRunRow:
    """One row of an export, see :func:`read_export`."""
    record = dict(record)
    if isinstance(moment := record.get("Timestamp"), str) and moment.strip().startswith("/Date("):
        record["Timestamp"] = _iso(moment)
    for name in _LISTS:
        if record.get(name) is not None:
            record[name] = as_list(record[name])
    try:
        return msgspec.convert(record, WarmRunRow)
    except ValueError:
        return WarmRunRow(**{field.name: fitting(field.name, record.get(field.encode_name)) for field in _FIELDS})


def _iso(moment: str) -> str | None:
    ticks = ticks_of(moment)
    try:
        return None if ticks is None else utc_text(ticks)
    except (ValueError, OverflowError, OSError):  # a year that no calendar has
        return None


def rows_of_passes(rows: Iterable[WarmRunRow]) -> tuple[list[WarmRunRow], list[WarmRunRow]]:
    """The rows of the cold pass and of the warm one, without those that sum one up or belong to neither."""
    cold: list[WarmRunRow] = []
    warm: list[WarmRunRow] = []
    passes = {fold(COLD_PASS): cold, fold(WARM_PASS): warm}
    for row in rows:
        found = passes.get(fold(row.pass_label or ""))
        if found is not None and not (row.summary_type or "").strip():
            found.append(row)
    return cold, warm


def write_export(path: Path, rows: Iterable[WarmRunRow]) -> None:
    """Write an export: every row with all 84 keys, such that the file is there whole or as it was before.

    Raises:
        OSError: it cannot be written.
    """
    write_document(path, list(rows))
