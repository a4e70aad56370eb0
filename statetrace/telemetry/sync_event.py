"""``InterfaceSyncTiming``: one host brought up to date, every stage and count of it in one flat event."""

from __future__ import annotations

import sys
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Self

import msgspec

from statetrace.telemetry.events import Event
from statetrace.telemetry.metrics_event import InterfaceSiteCacheMetrics, SignatureMismatchSample
from statetrace.telemetry.sync_parts import (
    NO_PREVIOUS_SNAPSHOT,
    LoadedRows,
    ParserMissingSample,
    ResolveContext,
    RowDiff,
    RowWrite,
    SiteLookup,
    TemplateApplySample,
    TemplateUse,
)
from statetrace.telemetry.write_events import InterfaceBulkInsertTiming


class InterfaceSyncTiming(Event, frozen=True, kw_only=True):
    """A host's rows were compared, written and put into the cached site (reference: parser-persistence 11.1).

    Once per host that was written to the database, after its rows were put into the cached site. All 154 fields of
    the original, ``DiffChangedPortsSample`` and ``SiteCacheRefreshForced`` are always there; what did not happen is 0,
    empty or ``False``. :meth:`of` makes it from what the parts of the work reported, so that no number has to be given
    twice, and numbers that stand for the same thing are the same.

    Attributes:
        hostname, site: host name and site key.
        load_*, cached_row_count, existing_count, site_cache_existing_row_*: see ``LoadedRows``.
        cache_primed_row_count, site_cache_fetch_*, site_cache_refresh_*, site_cache_provider*: see ``SiteLookup``.
        site_cache_resolve_initial_*, site_cache_resolve_refresh_*: see ``ResolveContext``.
        site_cache_materialize_template_*: see ``InterfaceSiteCacheMetrics``, and ``TemplateUse`` for the counts.
        site_cache_*: any other is as in ``InterfaceSiteCacheMetrics`` of the read within this call.
        site_cache_host_map_signature_match_count: without such a read the cached rows of the host that it found again.
        site_cache_result_row_count: rows of that read, else of the site entry looked at, else the existing ones.
        site_cache_comparison_*, diff_*, *_candidates: see ``RowDiff``.
        facts_considered: rows of the log that name a port, duplicates included.
        rows_staged: rows inserted and updated.
        bulk_*, stream_*, ui_clone_duration_ms: see ``InterfaceBulkInsertTiming``.
        index_ensure_*, delete_duration_ms, fallback_*, site_cache_update_duration_ms: see ``RowWrite``.
    """

    hostname: str
    site: str
    ui_clone_duration_ms: float = 0.0
    load_existing_duration_ms: float = 0.0
    load_existing_row_set_count: int = 0
    load_signature_duration_ms: float = 0.0
    load_cache_hit: bool = False
    load_cache_miss: bool = False
    load_cache_refreshed: bool = False
    cached_row_count: int = 0
    cache_primed_row_count: int = 0
    site_cache_resolve_initial_status: str = "NotAttempted"
    site_cache_resolve_initial_host_count: int = 0
    site_cache_resolve_initial_matched_key: str = ""
    site_cache_resolve_initial_keys_sample: str = ""
    site_cache_resolve_initial_cache_age_ms: float | None = None
    site_cache_resolve_initial_cached_at: str = ""
    site_cache_resolve_initial_entry_type: str = ""
    site_cache_resolve_initial_port_count: int = 0
    site_cache_resolve_initial_port_keys_sample: str = ""
    site_cache_resolve_initial_port_signature_sample: str = ""
    site_cache_resolve_initial_port_signature_missing_count: int = 0
    site_cache_resolve_initial_port_signature_empty_count: int = 0
    site_cache_resolve_refresh_status: str = "NotAttempted"
    site_cache_resolve_refresh_host_count: int = 0
    site_cache_resolve_refresh_matched_key: str = ""
    site_cache_resolve_refresh_keys_sample: str = ""
    site_cache_resolve_refresh_cache_age_ms: float | None = None
    site_cache_resolve_refresh_cached_at: str = ""
    site_cache_resolve_refresh_entry_type: str = ""
    site_cache_resolve_refresh_port_count: int = 0
    site_cache_resolve_refresh_port_keys_sample: str = ""
    site_cache_resolve_refresh_port_signature_sample: str = ""
    site_cache_resolve_refresh_port_signature_missing_count: int = 0
    site_cache_resolve_refresh_port_signature_empty_count: int = 0
    site_cache_fetch_duration_ms: float = 0.0
    site_cache_refresh_duration_ms: float = 0.0
    site_cache_fetch_status: str = ""
    site_cache_snapshot_duration_ms: float = 0.0
    site_cache_recordset_duration_ms: float = 0.0
    site_cache_recordset_project_duration_ms: float = 0.0
    site_cache_build_duration_ms: float = 0.0
    site_cache_host_map_duration_ms: float = 0.0
    site_cache_host_map_signature_match_count: int = 0
    site_cache_host_map_signature_rewrite_count: int = 0
    site_cache_host_map_entry_allocation_count: int = 0
    site_cache_host_map_entry_pool_reuse_count: int = 0
    site_cache_host_map_lookup_count: int = 0
    site_cache_host_map_lookup_miss_count: int = 0
    site_cache_host_map_candidate_missing_count: int = 0
    site_cache_host_map_candidate_signature_missing_count: int = 0
    site_cache_host_map_candidate_signature_mismatch_count: int = 0
    site_cache_host_map_candidate_from_previous_count: int = 0
    site_cache_host_map_candidate_from_pool_count: int = 0
    site_cache_host_map_candidate_invalid_count: int = 0
    site_cache_host_map_candidate_missing_samples: tuple[ParserMissingSample, ...] = ()
    site_cache_host_map_signature_mismatch_samples: tuple[SignatureMismatchSample, ...] = ()
    site_cache_previous_host_count: int = 0
    site_cache_previous_port_count: int = 0
    site_cache_previous_host_sample: str = ""
    site_cache_previous_snapshot_status: str = NO_PREVIOUS_SNAPSHOT
    site_cache_previous_snapshot_host_map_type: str = ""
    site_cache_previous_snapshot_host_count: int = 0
    site_cache_previous_snapshot_port_count: int = 0
    site_cache_previous_snapshot_exception: str = ""
    site_cache_sort_duration_ms: float = 0.0
    site_cache_host_count: int = 0
    site_cache_query_duration_ms: float = 0.0
    site_cache_execute_duration_ms: float = 0.0
    site_cache_materialize_duration_ms: float = 0.0
    site_cache_materialize_projection_duration_ms: float = 0.0
    site_cache_materialize_port_sort_duration_ms: float = 0.0
    site_cache_materialize_port_sort_cache_hit_count: int = 0
    site_cache_materialize_port_sort_cache_miss_count: int = 0
    site_cache_materialize_port_sort_cache_size: int = 0
    site_cache_materialize_port_sort_cache_hit_ratio: float = 0.0
    site_cache_materialize_port_sort_unique_port_count: int = 0
    site_cache_materialize_port_sort_miss_samples: tuple[str, ...] = ()
    site_cache_materialize_template_duration_ms: float = 0.0
    site_cache_materialize_template_lookup_duration_ms: float = 0.0
    site_cache_materialize_template_apply_duration_ms: float = 0.0
    site_cache_materialize_template_cache_hit_count: int = 0
    site_cache_materialize_template_cache_miss_count: int = 0
    site_cache_materialize_template_reuse_count: int = 0
    site_cache_materialize_template_cache_hit_ratio: float = 0.0
    site_cache_materialize_template_apply_count: int = 0
    site_cache_materialize_template_defaulted_count: int = 0
    site_cache_materialize_template_auth_template_missing_count: int = 0
    site_cache_materialize_template_no_template_match_count: int = 0
    site_cache_materialize_template_hint_applied_count: int = 0
    site_cache_materialize_template_set_port_color_count: int = 0
    site_cache_materialize_template_set_config_status_count: int = 0
    site_cache_materialize_template_apply_samples: tuple[TemplateApplySample, ...] = ()
    site_cache_materialize_object_duration_ms: float = 0.0
    site_cache_template_duration_ms: float = 0.0
    site_cache_query_attempts: int = 0
    site_cache_exclusive_retry_count: int = 0
    site_cache_exclusive_wait_duration_ms: float = 0.0
    site_cache_provider: str = ""
    site_cache_provider_reason: str = ""
    site_cache_result_row_count: int = 0
    site_cache_existing_row_count: int = 0
    site_cache_existing_row_keys_sample: str = ""
    site_cache_existing_row_value_type: str = ""
    site_cache_existing_row_source: str = ""
    site_cache_comparison_candidate_count: int = 0
    site_cache_comparison_signature_match_count: int = 0
    site_cache_comparison_signature_mismatch_count: int = 0
    site_cache_comparison_signature_missing_count: int = 0
    site_cache_comparison_missing_port_count: int = 0
    site_cache_comparison_obsolete_port_count: int = 0
    diff_duration_ms: float = 0.0
    diff_comparison_duration_ms: float = 0.0
    diff_signature_duration_ms: float = 0.0
    index_ensure_duration_ms: float = 0.0
    delete_duration_ms: float = 0.0
    fallback_duration_ms: float = 0.0
    facts_considered: int = 0
    existing_count: int = 0
    insert_candidates: int = 0
    update_candidates: int = 0
    delete_candidates: int = 0
    diff_rows_compared: int = 0
    diff_rows_unchanged: int = 0
    diff_rows_changed: int = 0
    diff_rows_inserted: int = 0
    diff_seen_ports: int = 0
    diff_duplicate_ports: int = 0
    rows_staged: int = 0
    bulk_attempted: bool = False
    bulk_succeeded: bool = False
    fallback_used: bool = False
    bulk_stage_duration_ms: float = 0.0
    bulk_parameter_bind_duration_ms: float = 0.0
    bulk_command_execute_duration_ms: float = 0.0
    bulk_interface_update_duration_ms: float = 0.0
    bulk_interface_insert_duration_ms: float = 0.0
    bulk_history_insert_duration_ms: float = 0.0
    bulk_cleanup_duration_ms: float = 0.0
    bulk_seed_ensure_duration_ms: float = 0.0
    bulk_seed_recordset_open_duration_ms: float = 0.0
    bulk_transaction_commit_duration_ms: float = 0.0
    bulk_recordset_attempted: bool = False
    bulk_recordset_used: bool = False
    bulk_rows_prepared: int = 0
    bulk_rows_committed: int = 0
    bulk_batch_id: str | None = None
    stream_dispatch_duration_ms: float = 0.0
    stream_clone_duration_ms: float = 0.0
    stream_state_update_duration_ms: float = 0.0
    stream_rows_received: int = 0
    stream_rows_reused: int = 0
    stream_rows_cloned: int = 0
    site_cache_update_duration_ms: float = 0.0
    diff_changed_ports_sample: str = ""
    site_cache_refresh_forced: bool = False

    @classmethod
    def of(
        cls, hostname: str, site: str, *, lookup: SiteLookup, existing: LoadedRows, diff: RowDiff, write: RowWrite
    ) -> Self:
        """The event of one host, from what its parts reported.

        A row counts as staged when it is inserted or updated; existing rows came from a cache or by a query, which
        makes a hit or a miss; the site was refreshed when its provider is ``Refreshed``.
        """
        bulk, metrics = write.bulk, lookup.metrics
        refreshed = lookup.provider == "Refreshed"
        compared = diff.unchanged + diff.changed + diff.inserted
        return cls(
            hostname=hostname,
            site=site,
            load_existing_duration_ms=existing.load_duration_ms,
            load_existing_row_set_count=existing.row_count,
            load_signature_duration_ms=existing.signature_duration_ms,
            load_cache_hit=existing.from_cache,
            load_cache_miss=not existing.from_cache,
            load_cache_refreshed=refreshed,
            cached_row_count=existing.row_count,
            cache_primed_row_count=lookup.site_row_count,
            **_initial(lookup.initial),
            **_refresh(lookup.refresh),
            site_cache_fetch_duration_ms=lookup.duration_ms,
            site_cache_refresh_duration_ms=lookup.refresh_duration_ms,
            site_cache_refresh_forced=lookup.refresh_forced,
            site_cache_fetch_status=lookup.status,
            site_cache_provider=lookup.provider,
            site_cache_provider_reason=lookup.reason,
            site_cache_result_row_count=(
                (metrics.result_row_count if metrics else 0) or lookup.site_row_count or existing.row_count
            ),
            **(_site_read(metrics, lookup, existing) if metrics else _cached(existing, diff)),
            site_cache_existing_row_count=existing.row_count,
            site_cache_existing_row_keys_sample=existing.keys_sample,
            site_cache_existing_row_value_type=existing.value_type,
            site_cache_existing_row_source=existing.source,
            site_cache_comparison_candidate_count=diff.unchanged + diff.changed,
            site_cache_comparison_signature_match_count=diff.unchanged,
            site_cache_comparison_signature_mismatch_count=diff.changed,
            site_cache_comparison_signature_missing_count=diff.signature_missing,
            site_cache_comparison_missing_port_count=diff.inserted,
            site_cache_comparison_obsolete_port_count=diff.obsolete,
            diff_duration_ms=diff.duration_ms,
            diff_comparison_duration_ms=diff.comparison_duration_ms,
            diff_signature_duration_ms=diff.signature_duration_ms,
            facts_considered=compared + diff.duplicate_ports,
            existing_count=existing.row_count,
            insert_candidates=diff.inserted,
            update_candidates=diff.changed,
            delete_candidates=diff.obsolete,
            diff_rows_compared=compared,
            diff_rows_unchanged=diff.unchanged,
            diff_rows_changed=diff.changed,
            diff_changed_ports_sample=diff.changed_sample,
            diff_rows_inserted=diff.inserted,
            diff_seen_ports=compared,
            diff_duplicate_ports=diff.duplicate_ports,
            rows_staged=diff.inserted + diff.changed,
            **(_bulk(bulk) if bulk else {}),
            bulk_attempted=bulk is not None,
            bulk_rows_committed=bulk.rows if bulk and bulk.success else 0,
            index_ensure_duration_ms=write.index_ensure_duration_ms,
            delete_duration_ms=write.delete_duration_ms,
            fallback_duration_ms=write.fallback_duration_ms or 0.0,
            fallback_used=write.fallback_duration_ms is not None,
            site_cache_update_duration_ms=write.cache_update_duration_ms,
        )


def _cached(existing: LoadedRows, diff: RowDiff) -> dict[str, Any]:
    """Without a read of the site the cached rows that match are those of the host; readers ask for more than 0."""
    return {"site_cache_host_map_signature_match_count": diff.unchanged if existing.from_cache else 0}


def _site_read(metrics: InterfaceSiteCacheMetrics, lookup: SiteLookup, existing: LoadedRows) -> dict[str, Any]:
    """The fields that tell of the read of the site within the call."""
    fields = _metrics(metrics) | _templates(lookup.template_use)
    fields["site_cache_materialize_port_sort_unique_port_count"] = lookup.unique_port_count
    # Never null here, unlike in the metrics.
    fields["site_cache_materialize_port_sort_cache_hit_ratio"] = metrics.materialize_port_sort_cache_hit_ratio or 0.0
    fields["site_cache_materialize_template_cache_hit_ratio"] = metrics.materialize_template_cache_hit_ratio or 0.0
    fields["site_cache_host_map_candidate_missing_samples"] = tuple(
        ParserMissingSample(
            **msgspec.structs.asdict(sample),
            parser_resolve_initial_status=lookup.initial.status,
            parser_existing_row_count=existing.row_count,
            parser_existing_row_keys_sample=existing.keys_sample or msgspec.UNSET,
            parser_existing_row_value_type=existing.value_type or msgspec.UNSET,
            parser_existing_row_source=existing.source,
            parser_load_cache_hit=existing.from_cache,
            parser_load_cache_miss=not existing.from_cache,
            parser_load_cache_refreshed=lookup.provider == "Refreshed",
        )
        for sample in metrics.host_map_candidate_missing_samples
    )
    return fields


def _prefixed(prefix: str, part: type[msgspec.Struct], *, but: frozenset[str] = frozenset()) -> dict[str, str]:
    """Fields of the event that are a part's fields behind a prefix, with those fields."""
    fields = frozenset(InterfaceSyncTiming.__struct_fields__) - but
    return {prefix + name: name for name in part.__struct_fields__ if prefix + name in fields}


def _copier(fields: dict[str, str]) -> Callable[[msgspec.Struct], dict[str, Any]]:
    """Gives the values of a part's fields under the names that they have in the event."""
    # Structs find keyword arguments by identity first, which makes interned names three times as fast.
    names, values = tuple(map(sys.intern, fields)), attrgetter(*fields.values())
    return lambda part: dict(zip(names, values(part), strict=True))


_initial = _copier(_prefixed("site_cache_resolve_initial_", ResolveContext))
_refresh = _copier(_prefixed("site_cache_resolve_refresh_", ResolveContext))
_templates = _copier(_prefixed("site_cache_materialize_template_", TemplateUse))
# What the event means by the excepted fields is not what the metrics mean, or not in this form.
_metrics = _copier(
    {
        **_prefixed(
            "site_cache_",
            InterfaceSiteCacheMetrics,
            but=frozenset(
                {
                    "site_cache_provider",
                    "site_cache_result_row_count",
                    "site_cache_host_map_candidate_missing_samples",
                    "site_cache_materialize_port_sort_cache_hit_ratio",
                    "site_cache_materialize_template_cache_hit_ratio",
                }
            ),
        ),
        "site_cache_materialize_port_sort_cache_hit_count": "materialize_port_sort_cache_hits",
        "site_cache_materialize_port_sort_cache_miss_count": "materialize_port_sort_cache_misses",
        "site_cache_materialize_template_cache_hit_count": "materialize_template_cache_hits",
        "site_cache_materialize_template_cache_miss_count": "materialize_template_cache_misses",
    }
)
_bulk = _copier(
    {
        **_prefixed("", InterfaceBulkInsertTiming, but=frozenset({"hostname"})),
        **_prefixed("bulk_", InterfaceBulkInsertTiming),
        "bulk_rows_prepared": "rows",
        "bulk_succeeded": "success",
    }
)
