"""``DatabaseWriteBreakdown``: what the time of a host's transaction was spent on, beside what its writing reported."""

from __future__ import annotations

from operator import attrgetter
from typing import Self

import msgspec
from msgspec import UNSET, UnsetType

from statetrace.model.keys import fold
from statetrace.telemetry.events import Event
from statetrace.telemetry.metrics_event import SignatureMismatchSample
from statetrace.telemetry.sync_event import InterfaceSyncTiming
from statetrace.telemetry.sync_parts import ParserMissingSample, TemplateApplySample
from statetrace.telemetry.write_events import DatabaseWriteLatency


class DatabaseWriteBreakdown(Event, frozen=True, kw_only=True):
    """A host was written and committed; right after its ``DatabaseWriteLatency`` (reference: telemetry-events 4.3).

    Every field that is not told here is the one of the same name in the host's ``InterfaceSyncTiming``. Texts of the
    look-ups are absent where they are empty there, ages where they are ``None``.

    Attributes:
        hostname: host name.
        site: site key.
        summary_duration_ms: writing the device's summary.
        interface_call_duration_ms: bringing its rows up to date, the whole call.
        commit_duration_ms: committing.
        database_write_latency_ms: ``latency_ms`` of ``DatabaseWriteLatency``.
        refresh_duration_ms: making the database's own buffers current after the commit; nothing about the site cache.
        interface_diff_duration_ms: ``diff_duration_ms`` of ``InterfaceSyncTiming``.
        interface_diff_comparison_duration_ms: ``diff_comparison_duration_ms`` of ``InterfaceSyncTiming``.
    """

    hostname: str
    site: str
    summary_duration_ms: float
    interface_call_duration_ms: float
    commit_duration_ms: float
    database_write_latency_ms: int
    refresh_duration_ms: float
    interface_diff_duration_ms: float
    interface_diff_comparison_duration_ms: float
    bulk_command_execute_duration_ms: float
    stream_dispatch_duration_ms: float
    ui_clone_duration_ms: float
    stream_clone_duration_ms: float
    stream_state_update_duration_ms: float
    stream_rows_received: int
    stream_rows_reused: int
    stream_rows_cloned: int
    site_cache_update_duration_ms: float
    site_cache_fetch_duration_ms: float
    site_cache_refresh_duration_ms: float
    site_cache_fetch_status: str
    site_cache_snapshot_duration_ms: float
    site_cache_recordset_duration_ms: float
    site_cache_recordset_project_duration_ms: float
    site_cache_build_duration_ms: float
    site_cache_host_map_duration_ms: float
    site_cache_host_map_signature_match_count: int
    site_cache_host_map_signature_rewrite_count: int
    site_cache_host_map_entry_allocation_count: int
    site_cache_host_map_entry_pool_reuse_count: int
    site_cache_host_map_lookup_count: int
    site_cache_host_map_lookup_miss_count: int
    site_cache_host_map_candidate_missing_count: int
    site_cache_host_map_candidate_signature_missing_count: int
    site_cache_host_map_candidate_signature_mismatch_count: int
    site_cache_host_map_candidate_from_previous_count: int
    site_cache_host_map_candidate_from_pool_count: int
    site_cache_host_map_candidate_invalid_count: int
    site_cache_host_map_candidate_missing_samples: tuple[ParserMissingSample, ...]
    site_cache_host_map_signature_mismatch_samples: tuple[SignatureMismatchSample, ...]
    site_cache_resolve_initial_status: str
    site_cache_resolve_initial_host_count: int
    site_cache_resolve_initial_matched_key: str | UnsetType = UNSET
    site_cache_resolve_initial_keys_sample: str | UnsetType = UNSET
    site_cache_resolve_initial_cache_age_ms: float | UnsetType = UNSET
    site_cache_resolve_initial_cached_at: str | UnsetType = UNSET
    site_cache_resolve_initial_entry_type: str | UnsetType = UNSET
    site_cache_resolve_initial_port_count: int
    site_cache_resolve_initial_port_keys_sample: str | UnsetType = UNSET
    site_cache_resolve_initial_port_signature_sample: str | UnsetType = UNSET
    site_cache_resolve_initial_port_signature_missing_count: int
    site_cache_resolve_initial_port_signature_empty_count: int
    site_cache_resolve_refresh_status: str
    site_cache_resolve_refresh_host_count: int
    site_cache_resolve_refresh_matched_key: str | UnsetType = UNSET
    site_cache_resolve_refresh_keys_sample: str | UnsetType = UNSET
    site_cache_resolve_refresh_cache_age_ms: float | UnsetType = UNSET
    site_cache_resolve_refresh_cached_at: str | UnsetType = UNSET
    site_cache_resolve_refresh_entry_type: str | UnsetType = UNSET
    site_cache_resolve_refresh_port_count: int
    site_cache_resolve_refresh_port_keys_sample: str | UnsetType = UNSET
    site_cache_resolve_refresh_port_signature_sample: str | UnsetType = UNSET
    site_cache_resolve_refresh_port_signature_missing_count: int
    site_cache_resolve_refresh_port_signature_empty_count: int
    site_cache_sort_duration_ms: float
    site_cache_host_count: int
    site_cache_query_duration_ms: float
    site_cache_execute_duration_ms: float
    load_existing_duration_ms: float
    load_existing_row_set_count: int
    site_cache_materialize_duration_ms: float
    site_cache_materialize_projection_duration_ms: float
    site_cache_materialize_port_sort_duration_ms: float
    site_cache_materialize_port_sort_cache_hit_count: int
    site_cache_materialize_port_sort_cache_miss_count: int
    site_cache_materialize_port_sort_cache_size: int
    site_cache_materialize_port_sort_cache_hit_ratio: float
    site_cache_materialize_port_sort_unique_port_count: int
    site_cache_materialize_port_sort_miss_samples: tuple[str, ...]
    site_cache_materialize_template_duration_ms: float
    site_cache_materialize_template_lookup_duration_ms: float
    site_cache_materialize_template_apply_duration_ms: float
    site_cache_materialize_template_cache_hit_count: int
    site_cache_materialize_template_cache_miss_count: int
    site_cache_materialize_template_cache_hit_ratio: float
    site_cache_materialize_template_apply_count: int
    site_cache_materialize_template_defaulted_count: int
    site_cache_materialize_template_auth_template_missing_count: int
    site_cache_materialize_template_no_template_match_count: int
    site_cache_materialize_template_reuse_count: int
    site_cache_materialize_template_hint_applied_count: int
    site_cache_materialize_template_set_port_color_count: int
    site_cache_materialize_template_set_config_status_count: int
    site_cache_materialize_template_apply_samples: tuple[TemplateApplySample, ...]
    site_cache_materialize_object_duration_ms: float
    site_cache_template_duration_ms: float
    site_cache_query_attempts: int
    site_cache_exclusive_retry_count: int
    site_cache_exclusive_wait_duration_ms: float
    site_cache_provider: str
    site_cache_provider_reason: str
    site_cache_result_row_count: int
    site_cache_existing_row_count: int
    site_cache_existing_row_keys_sample: str
    site_cache_existing_row_value_type: str
    site_cache_existing_row_source: str
    site_cache_comparison_candidate_count: int
    site_cache_comparison_signature_match_count: int
    site_cache_comparison_signature_mismatch_count: int
    site_cache_comparison_signature_missing_count: int
    site_cache_comparison_missing_port_count: int
    site_cache_comparison_obsolete_port_count: int
    rows_staged: int
    insert_candidates: int
    update_candidates: int

    @classmethod
    def of(
        cls,
        timing: InterfaceSyncTiming,
        latency: DatabaseWriteLatency,
        *,
        summary_duration_ms: float,
        interface_call_duration_ms: float,
        commit_duration_ms: float,
        refresh_duration_ms: float = 0.0,
    ) -> Self:
        """The breakdown of the host that ``timing`` and ``latency`` tell of.

        Rows kept for the host (source ``SiteExistingCache``) make it a ``Hit`` of ``Cache``, whatever the timing says
        (reference: parser-persistence 11.2).
        """
        fields = dict(zip(_SHARED, _shared(timing), strict=True))
        for name in _ONLY_WHEN_KNOWN:
            if fields[name] in ("", None):
                fields[name] = UNSET
        if fold(timing.site_cache_existing_row_source) == fold(_SITE_EXISTING_CACHE):
            fields |= _SITE_EXISTING_CACHE_HIT
        return cls(
            summary_duration_ms=summary_duration_ms,
            interface_call_duration_ms=interface_call_duration_ms,
            commit_duration_ms=commit_duration_ms,
            database_write_latency_ms=latency.latency_ms,
            refresh_duration_ms=refresh_duration_ms,
            interface_diff_duration_ms=timing.diff_duration_ms,
            interface_diff_comparison_duration_ms=timing.diff_comparison_duration_ms,
            **fields,
        )


_SITE_EXISTING_CACHE = "SiteExistingCache"
_SITE_EXISTING_CACHE_HIT = {
    "site_cache_fetch_status": "Hit",
    "site_cache_provider": "Cache",
    "site_cache_provider_reason": _SITE_EXISTING_CACHE,
    "site_cache_existing_row_source": _SITE_EXISTING_CACHE,
}

_FIELDS = msgspec.structs.fields(DatabaseWriteBreakdown)
_ONLY_WHEN_KNOWN = tuple(field.name for field in _FIELDS if field.default is UNSET)
_SHARED = tuple(field.name for field in _FIELDS if field.name in InterfaceSyncTiming.__struct_fields__)
_shared = attrgetter(*_SHARED)
