"""``InterfaceSiteCacheMetrics``: how one read of a site was answered, with every stage of it measured."""

from __future__ import annotations

import msgspec

from statetrace.telemetry.events import Event


class CandidateMissingSample(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", gc=False):
    """A row for which the previous entry had nothing.

    Attributes:
        hostname: host of the row.
        port: port of the row.
        reason: ``HostSnapshotMissing`` (the host was not there) or ``PortSnapshotMissing`` (the port was not).
        previous_host_entry_present: the previous entry had the host.
        previous_port_entry_present: the previous entry had the port.
        cached_port_count: ports of the host in the previous entry.
        cached_port_sample: first five of them joined by ``,``.
        cached_signature: signature of the row in the previous entry, or ``None``.
        previous_remaining_port_count: ports of the host in the previous entry that no row has claimed yet.
        candidate_source: where a candidate came from, empty without one.
    """

    hostname: str
    port: str
    reason: str = "HostSnapshotMissing"
    previous_host_entry_present: bool = False
    previous_port_entry_present: bool = False
    cached_port_count: int = 0
    cached_port_sample: str = ""
    cached_signature: str | None = None
    previous_remaining_port_count: int = 0
    candidate_source: str = ""


class SignatureMismatchSample(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", gc=False):
    """A row whose signature differs from the one in the previous entry."""

    hostname: str
    port: str
    previous_signature: str
    new_signature: str


class InterfaceSiteCacheMetrics(Event, frozen=True, kw_only=True):
    """One read of a site: where its rows came from, what each stage took (reference: site-cache 6.2 and 6.4).

    Emitted once per read. A reuse has ``previous_snapshot_status`` ``CacheHit``, provider ``Cache`` and no durations.

    Attributes:
        site: site key as the caller spelled it, trimmed.
        cache_status: ``Hit``, ``SharedOnly`` (reused), ``Hydrated`` (first read) or ``Refreshed`` (forced read).
        refreshed: the caller forced the read.
        hydration_duration_ms: from the start of the query to the end of the host map.
        snapshot_duration_ms: part of it: reading the rows and making records of them.
        recordset_duration_ms: fetching the rows of the result.
        recordset_project_duration_ms: turning fetched rows into named values.
        build_duration_ms: part of the hydration: making the entry, the previous one taken over.
        host_map_duration_ms: part of the build: the loop over the rows.
        host_map_signature_match_count: rows equal to those of the previous entry; all of them on a reuse.
        host_map_signature_rewrite_count: rows that are new or differ.
        host_map_signature_mismatch_samples: at most five rows that differ.
        host_map_entry_allocation_count: rows that had to be made because the previous entry had none.
        host_map_entry_pool_reuse_count: rows taken over from another port; 0.
        host_map_lookup_count: rows looked up, which is all of them.
        host_map_lookup_miss_count: look-ups that opened a new host.
        host_map_candidate_missing_count: rows that the previous entry did not have.
        host_map_candidate_signature_missing_count: previous rows without a signature.
        host_map_candidate_signature_mismatch_count: previous rows with another signature.
        host_map_candidate_missing_samples: at most five rows that the previous entry did not have.
        host_map_candidate_from_previous_count: rows that the previous entry had; all of them on a reuse.
        host_map_candidate_from_pool_count: rows served from elsewhere; 0.
        host_map_candidate_invalid_count: previous values that were no rows; 0.
        previous_host_count: hosts taken over from the previous entry.
        previous_port_count: rows taken over from it.
        previous_host_sample: the first five of those hosts joined by ``,``.
        previous_snapshot_status: ``CacheHit``, ``Converted``, ``CacheEntryMissing``, ``HostMapMissing``, …
        previous_snapshot_host_map_type: stable type name, empty without a previous entry.
        previous_snapshot_host_count: hosts counted in the previous entry.
        previous_snapshot_port_count: rows counted in it.
        previous_snapshot_exception: error text, at most 512 characters, empty without one.
        sort_duration_ms: sorting rows in memory.
        query_duration_ms: execute and recordset together.
        execute_duration_ms: running the statement.
        materialize_duration_ms: part of the snapshot: turning rows into records.
        materialize_projection_duration_ms: part of it: reading the columns.
        materialize_port_sort_duration_ms: part of it: port sort keys.
        materialize_port_sort_cache_hits: sort keys known before.
        materialize_port_sort_cache_misses: sort keys computed.
        materialize_port_sort_cache_size: sort keys remembered afterwards.
        materialize_port_sort_cache_hit_ratio: hits / (hits + misses), ``None`` for 0 / 0.
        materialize_template_duration_ms: part of it: colour and status from the auth templates.
        materialize_template_lookup_duration_ms: part of the apply: finding the template.
        materialize_template_apply_duration_ms: part of the template work: applying it, the look-up included.
        materialize_template_cache_hits: rows whose template was found before.
        materialize_template_cache_misses: rows whose template had to be looked up.
        materialize_template_cache_hit_ratio: hits / (hits + misses), ``None`` for 0 / 0.
        materialize_object_duration_ms: part of it: making the records.
        template_duration_ms: loading template files.
        query_attempts: attempts to run the query; 0 on a reuse, else at least 1.
        exclusive_retry_count: retries because the database was locked.
        exclusive_wait_duration_ms: time slept between them.
        provider: ``Cache``, ``ADODB`` (read through an open connection), ``AccessRetry``, ``MissingDatabase``, …
        result_row_count: rows of the result.
        host_count: hosts of the entry.
        total_rows: rows of the entry.
        database_dialect: addition of ours: ``access``, ``sqlite`` or ``postgresql``; empty when no database was read.
    """

    site: str
    cache_status: str
    refreshed: bool
    hydration_duration_ms: float = 0.0
    snapshot_duration_ms: float = 0.0
    recordset_duration_ms: float = 0.0
    recordset_project_duration_ms: float = 0.0
    build_duration_ms: float = 0.0
    host_map_duration_ms: float = 0.0
    host_map_signature_match_count: int = 0
    host_map_signature_rewrite_count: int = 0
    host_map_signature_mismatch_samples: tuple[SignatureMismatchSample, ...] = ()
    host_map_entry_allocation_count: int = 0
    host_map_entry_pool_reuse_count: int = 0
    host_map_lookup_count: int = 0
    host_map_lookup_miss_count: int = 0
    host_map_candidate_missing_count: int = 0
    host_map_candidate_signature_missing_count: int = 0
    host_map_candidate_signature_mismatch_count: int = 0
    host_map_candidate_missing_samples: tuple[CandidateMissingSample, ...] = ()
    host_map_candidate_from_previous_count: int = 0
    host_map_candidate_from_pool_count: int = 0
    host_map_candidate_invalid_count: int = 0
    previous_host_count: int = 0
    previous_port_count: int = 0
    previous_host_sample: str = ""
    previous_snapshot_status: str = ""
    previous_snapshot_host_map_type: str = ""
    previous_snapshot_host_count: int = 0
    previous_snapshot_port_count: int = 0
    previous_snapshot_exception: str = ""
    sort_duration_ms: float = 0.0
    query_duration_ms: float = 0.0
    execute_duration_ms: float = 0.0
    materialize_duration_ms: float = 0.0
    materialize_projection_duration_ms: float = 0.0
    materialize_port_sort_duration_ms: float = 0.0
    materialize_port_sort_cache_hits: int = 0
    materialize_port_sort_cache_misses: int = 0
    materialize_port_sort_cache_size: int = 0
    materialize_port_sort_cache_hit_ratio: float | None = None
    materialize_template_duration_ms: float = 0.0
    materialize_template_lookup_duration_ms: float = 0.0
    materialize_template_apply_duration_ms: float = 0.0
    materialize_template_cache_hits: int = 0
    materialize_template_cache_misses: int = 0
    materialize_template_cache_hit_ratio: float | None = None
    materialize_object_duration_ms: float = 0.0
    template_duration_ms: float = 0.0
    query_attempts: int = 0
    exclusive_retry_count: int = 0
    exclusive_wait_duration_ms: float = 0.0
    provider: str
    result_row_count: int = 0
    host_count: int = 0
    total_rows: int = 0
    database_dialect: str = ""
