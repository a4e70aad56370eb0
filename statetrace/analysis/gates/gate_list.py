"""All gates of ``statetrace verify``, in the order in which they are reported."""

from __future__ import annotations

from statetrace.analysis.gates.gate import Gate
from statetrace.analysis.gates.offenders import Relation

_LEAST, _BELOW = Relation.AT_LEAST, Relation.BELOW

GATES = {
    gate.code: gate
    for gate in (
        Gate("write_latency.maximum_cold_p95_ms", "ColdWriteLatencyP95", "ms", _BELOW, "ms"),
        Gate("write_latency.maximum_warm_p95_ms", "WarmWriteLatencyP95", "ms", _BELOW, "ms"),
        Gate("site_cache_fetch.maximum_p95_ms", "SiteCacheFetchP95", "ms", _BELOW, "ms"),
        Gate("parse_time.maximum_p95_seconds", "ParseDurationP95", "s", offender_unit="s"),
        Gate("parse_time.maximum_seconds", "ParseDurationMax", "s", offender_unit="s"),
        Gate("warm_run.minimum_improvement_percent", "ImprovementPercent", "%", _LEAST, "ms"),
        Gate("warm_run.maximum_warm_average_delta_ms", "WarmAverageDelta", "ms", offender_unit="ms"),
        Gate("warm_run.maximum_warm_cache_miss_count", "WarmCacheMissCount"),
        Gate("warm_run.minimum_cache_hit_ratio_percent", "HitRatio", "%", _LEAST),
        Gate("warm_run.maximum_signature_miss_count", "SignatureMissCount"),
        Gate("warm_run.maximum_signature_rewrite_total", "SignatureRewriteTotal", offender_unit="rows"),
        Gate("warm_rows.maximum_changed_count", "WarmRowsChanged", offender_unit="rows"),
        Gate("shared_cache.minimum_snapshot_imported_count", "SnapshotImported", "", _LEAST),
        Gate("shared_cache.maximum_access_refresh_count", "AccessRefresh"),
        Gate("queue_delay.minimum_event_count", "EventCount", "", _LEAST),
        Gate("queue_delay.maximum_queue_delay_p95_ms", "QueueDelayP95", "ms", offender_unit="ms"),
        Gate("queue_delay.maximum_queue_delay_p99_ms", "QueueDelayP99", "ms", offender_unit="ms"),
        Gate("fairness.maximum_launch_streak", "LaunchStreak", offender_unit="launches"),
        Gate("fairness.maximum_batch_streak", "BatchStreak", offender_unit="batches"),
        Gate("presence.minimum_port_batch_ready_count", "PortBatchReadyMissing", "", _LEAST),
        Gate("presence.minimum_interface_sync_timing_count", "InterfaceSyncTimingMissing", "", _LEAST),
        Gate("presence.minimum_parser_scheduler_launch_count", "ParserSchedulerLaunchMissing", "", _LEAST),
        Gate("completeness.maximum_sync_timing_difference", "SyncTimingCount"),
        Gate("completeness.maximum_hosts_not_persisted", "HostPersisted"),
        Gate("completeness.maximum_hosts_of_one_pass_only", "HostOfOnePassOnly"),
        Gate("completeness.maximum_incomplete_runs", "RunIncomplete"),
        Gate("integrity.maximum_broken_lines", "BrokenLines"),
        Gate("integrity.maximum_contradictions", "Contradictions"),
        Gate("coverage.minimum_site_count", "SiteCount", "", _LEAST),
        Gate("coverage.minimum_host_count", "HostCount", "", _LEAST),
        Gate("coverage.minimum_total_row_count", "RowCount", "", _LEAST),
        Gate("coverage.required_sites", "RequiredSites"),
    )
}
"""Code of a gate → the gate."""

ORDER = {gate.name: number for number, gate in enumerate(GATES.values())}
"""Name of a gate → its place in a report."""
