"""Each rule of consistency holds for a sound run and fires for one that breaks it."""

from __future__ import annotations

import msgspec
import pytest
from consistency import check_run

from statetrace import telemetry as t
from statetrace.analysis.consistency.all_rules import MEANINGS, RULES
from statetrace.analysis.consistency.checking import violations
from statetrace.analysis.consistency.rules import EventCheck
from statetrace.analysis.reading import TelemetryReader

HOST, OTHER, SITE = "BOYO-A05-AS-05", "BOYO-A05-AS-12", "BOYO"
BATCH_ID = "001e119d-91cb-4444-89f7-c7e4bb1acea5"
RUN_DATE = "2025-12-05 16:21:56"
STAMP = "2025-12-05T16:21:57.0000000-07:00"


def sound_run():
    """Two logs of a site that is read once: one changed two of four rows and brought two new ones, one was known."""
    metrics = t.InterfaceSiteCacheMetrics(
        site=SITE,
        cache_status="Hydrated",
        refreshed=False,
        provider="ADODB",
        hydration_duration_ms=9.0,
        snapshot_duration_ms=6.0,
        build_duration_ms=2.0,
        host_map_duration_ms=1.0,
        query_duration_ms=2.0,
        execute_duration_ms=0.5,
        recordset_duration_ms=1.5,
        materialize_duration_ms=3.0,
        host_map_lookup_count=4,
        host_map_lookup_miss_count=1,
        host_map_signature_match_count=1,
        host_map_signature_rewrite_count=3,
        host_map_candidate_from_previous_count=2,
        host_map_candidate_missing_count=2,
        host_map_entry_allocation_count=2,
        host_map_candidate_missing_samples=(t.CandidateMissingSample(hostname=HOST, port="3"),) * 2,
        host_map_candidate_signature_mismatch_count=1,
        host_map_signature_mismatch_samples=(
            t.SignatureMismatchSample(hostname=HOST, port="2", previous_signature="a", new_signature="b"),
        ),
        previous_host_count=1,
        previous_port_count=2,
        previous_host_sample=HOST,
        previous_snapshot_status="Converted",
        previous_snapshot_host_count=1,
        previous_snapshot_port_count=2,
        materialize_template_cache_hits=2,
        materialize_template_cache_misses=1,
        materialize_template_cache_hit_ratio=t.ratio(2, 1),
        query_attempts=1,
        result_row_count=4,
        host_count=1,
        total_rows=4,
    )
    reuse = t.InterfaceSiteCacheMetrics(
        site=SITE,
        cache_status="SharedOnly",
        refreshed=False,
        provider="Cache",
        host_map_signature_match_count=4,
        host_map_lookup_count=4,
        host_map_candidate_from_previous_count=4,
        previous_host_count=1,
        previous_port_count=4,
        previous_host_sample=HOST,
        previous_snapshot_status="CacheHit",
        previous_snapshot_host_count=1,
        previous_snapshot_port_count=4,
        result_row_count=4,
        host_count=1,
        total_rows=4,
    )
    batch = t.InterfaceBulkInsertTiming(
        hostname=HOST,
        batch_id=BATCH_ID,
        run_date=RUN_DATE,
        rows=4,
        insert_row_count=2,
        update_row_count=2,
        stage_duration_ms=2.0,
        parameter_bind_duration_ms=1.0,
        command_execute_duration_ms=0.5,
        interface_update_duration_ms=0.5,
        interface_insert_duration_ms=0.5,
        transaction_used=True,
        transaction_level=2,
        transaction_committed=True,
        stream_rows_received=4,
        stream_rows_cloned=4,
        success=True,
    )
    sync = t.InterfaceSyncTiming.of(
        HOST,
        SITE,
        lookup=t.SiteLookup(
            status="Hydrated",
            provider="Hydrated",
            reason="AccessHydrate",
            duration_ms=9.5,
            site_row_count=4,
            refresh=t.ResolveContext(status="ExactMatch", host_count=1, matched_key=HOST, port_count=4),
            metrics=metrics,
            template_use=t.TemplateUse(
                apply_count=4, hint_applied_count=3, defaulted_count=1, auth_template_missing_count=1
            ),
        ),
        existing=t.LoadedRows.of("CacheInitial", ("1", "2", "3", "4")),
        diff=t.RowDiff(unchanged=1, changed=2, inserted=2, obsolete=1, duration_ms=1.0, signature_duration_ms=0.5),
        write=t.RowWrite(bulk=batch, cache_update_duration_ms=0.25),
    )
    latency = t.DatabaseWriteLatency(hostname=HOST, site=SITE, latency_ms=20)
    return [
        t.ConcurrencyProfileResolved(
            auto_scale_enabled=True,
            auto_scale_requested=True,
            auto_scale_profile_requested=True,
            auto_scale_profile_disabled=False,
            auto_scale_profile_resolved=True,
            device_count=2,
            site_count=1,
            thread_ceiling=1,
            max_workers_per_site=1,
            max_active_sites=0,
            max_consecutive_site_launches=8,
            jobs_per_thread=2,
            min_runspaces=1,
            adaptive_threads=True,
            manual_overrides=False,
            hint_thread_ceiling=8,
            hint_max_workers_per_site=0,
            hint_max_active_sites=0,
            hint_jobs_per_thread=2,
            hint_min_runspaces=1,
            interface_bulk_chunk_size=24,
            decision_source="AutoScale",
            resolved_thread_ceiling=2,
            resolved_max_workers_per_site=1,
            resolved_max_active_sites=0,
            resolved_jobs_per_thread=2,
            resolved_min_runspaces=1,
            profile_device_count=2,
            profile_site_count=1,
            resolved_max_consecutive_site_launches=8,
        ),
        launch(queued_jobs=1, queued_sites=1),
        stage("Worker:PreParse", cache_exists=False),
        t.InterfaceSiteCacheSharedStoreState(operation="InitDelegatedStore", entry_count=0, store_hash_code=7),
        store("GetMiss", entry_count=0),
        store("GetMiss", entry_count=0),
        t.InterfaceSiteCacheReuseAttempt(
            site=SITE,
            refresh=False,
            script_cache_entry_found=False,
            shared_store_entry_found=False,
            adopted_from_shared_store=False,
        ),
        store("Set", entry_count=1, host_count=1, total_rows=4),
        metrics,
        t.InterfacePortStreamMetrics(
            hostname=HOST,
            batch_id=BATCH_ID,
            run_date=RUN_DATE,
            rows_received=4,
            rows_reused=0,
            rows_cloned=4,
            stream_clone_duration_ms=0.5,
            stream_state_update_duration_ms=0.5,
        ),
        t.PortBatchReady(
            hostname=HOST,
            batch_id=BATCH_ID,
            run_date=RUN_DATE,
            ports_committed=4,
            chunk_size=24,
            estimated_batch_count=1,
        ),
        batch,
        t.InterfaceBulkInsert.of(batch),
        t.RowsWritten(hostname=HOST, site=SITE, run_date=RUN_DATE, rows=4, deleted_rows=1),
        store("Set", entry_count=1, host_count=1, total_rows=5),
        t.InterfaceSiteCacheHostPersisted(
            site=SITE,
            hostname=HOST,
            previous_host_map_type=t.HOST_MAP_TYPE,
            previous_host_map_was_typed=True,
            previous_host_count=1,
            previous_port_count=4,
            converted_to_typed=False,
            host_map_reused=True,
            persisted_port_count=5,
            entry_host_count=1,
            entry_host_count_delta=0,
            entry_total_rows=5,
            entry_total_rows_delta=1,
        ),
        sync,
        latency,
        t.DatabaseWriteBreakdown.of(
            sync, latency, summary_duration_ms=1.0, interface_call_duration_ms=15.0, commit_duration_ms=3.0
        ),
        t.ParseDuration(
            hostname=HOST,
            site=SITE,
            start_time="2025-12-05T23:21:56.4000000Z",
            duration_seconds=0.6,
            success=True,
            file_name=f"{HOST}.log",
        ),
        stage("Worker:PostParse", cache_exists=True),
        launch(queued_jobs=0, queued_sites=0),
        stage("Worker:PreParse", cache_exists=True),
        t.SkippedDuplicate(hostname=OTHER, site=SITE, file_hash="0a" * 32, source_length=5309),
        stage("Worker:PostParse", cache_exists=True),
        store("GetHit", entry_count=1, host_count=1, total_rows=4),
        t.InterfaceSiteCacheReuseAttempt(
            site=SITE,
            refresh=False,
            script_cache_entry_found=True,
            shared_store_entry_found=True,
            adopted_from_shared_store=True,
            script_cache_host_count=1,
            script_cache_total_rows=4,
            shared_store_host_count=1,
            shared_store_total_rows=4,
        ),
        reuse,
        t.InterfaceSiteCacheReuseState(site=SITE, host_count=1, total_rows=4, keys_sample=HOST),
        t.SiteExistingRowCacheState(
            site=SITE,
            hostname="BOYO-A05-AS-99",
            site_host_entry_count=0,
            host_entry_exists=False,
            host_entry_row_count=0,
            cache_hit=False,
            skip_sources=("Module",),
            existing_row_source="DatabaseQuery",
            load_cache_hit=False,
            load_cache_miss=True,
        ),
        t.InterfacePortQueueMetrics(
            hostname=HOST,
            batch_id="",
            queue_build_duration_ms=0.5,
            queue_build_delay_ms=0.0,
            batch_count=1,
            total_ports=4,
            chunk_size=4,
            chunk_source="Dynamic",
        ),
        t.InterfacePortDispatchMetrics(
            hostname=HOST,
            batch_id=None,
            batch_ordinal=1,
            batch_count=1,
            batch_size=4,
            ports_delivered=4,
            total_ports=4,
            dispatcher_duration_ms=1.0,
            append_duration_ms=0.5,
            indicator_duration_ms=0.25,
        ),
    ]


def launch(**counts):
    return t.ParserSchedulerLaunch(site=SITE, active_workers=1, active_sites=1, thread_budget=1, **counts)


def stage(name, *, cache_exists):
    entry = {"host_count": 1, "total_rows": 4, "host_map_type": t.HOST_MAP_TYPE, "entry_type": t.ENTRY_TYPE}
    return t.InterfaceSiteCacheRunspaceState(
        stage=name, site=SITE, cache_exists=cache_exists, **({**entry, "cached_at": STAMP} if cache_exists else {})
    )


def store(operation, *, entry_count, host_count=0, total_rows=0):
    return t.InterfaceSiteCacheSharedStore(
        site=SITE,
        operation=operation,
        entry_count=entry_count,
        host_count=host_count,
        total_rows=total_rows,
        store_hash_code=7,
    )


def wire(event, number=0):
    fields = msgspec.json.decode(msgspec.json.encode(event))
    stamp = f"2025-12-05T16:21:57.{number:07d}-07:00"
    return {"EventName": fields.pop("EventName"), "Timestamp": stamp, **fields}


@pytest.fixture
def run():
    return [wire(event, number) for number, event in enumerate(sound_run())]


def rules(violations):
    return {violation.split()[0] for violation in violations}


def test_a_sound_run_breaks_no_rule(run):
    assert check_run(run) == []


def test_events_that_never_were_on_a_line_have_no_timestamp_to_check(run):
    for event in run:
        del event["Timestamp"]
    assert check_run(run) == []


# Rule, event and what is changed in its last one that is no reuse, or in the reuse.
METRICS, SYNC, BULK = "InterfaceSiteCacheMetrics", "InterfaceSyncTiming", "InterfaceBulkInsertTiming"
HYDRATED, REUSED = {"Provider": "ADODB"}, {"Provider": "Cache"}
BROKEN = [
    ("L1", "ParserSchedulerLaunch", {}, {"ActiveSites": 2}),
    ("L2", "ParserSchedulerLaunch", {}, {"QueuedSites": 5}),
    ("L3", "ParserSchedulerLaunch", {}, {"Site": ""}),
    ("L4", "ConcurrencyProfileResolved", {}, {"DecisionSource": "Settings"}),
    ("L5", "ConcurrencyProfileResolved", {}, {"JobsPerThread": 3}),
    ("L6", "ConcurrencyProfileResolved", {}, {"OverrideThreadCeiling": 1}),
    ("L7", "ConcurrencyProfileResolved", {}, {"DeviceCount": 3}),
    ("L8", "ConcurrencyProfileResolved", {}, {"ThreadCeiling": 2}),
    ("X1", "ParseDuration", {}, {"DurationSeconds": 0.0005}),
    ("X2", "ParseDuration", {}, {"StartTime": "2025-12-05T22:21:56.4000000Z"}),
    ("X4", "SkippedDuplicate", {}, {"FileHash": "0A" * 32}),
    ("X5", "RowsWritten", {}, {"RunDate": "12/05/2025"}),
    ("M2", METRICS, HYDRATED, {"Refreshed": True}),
    ("M3", METRICS, REUSED, {"Provider": "Access"}),
    ("M4", METRICS, REUSED, {"QueryAttempts": 1}),
    ("M5", METRICS, REUSED, {"TotalRows": 5}),
    ("M6", METRICS, REUSED, {"HostCount": 2}),
    ("M7", METRICS, HYDRATED, {"TotalRows": 5}),
    ("M8", METRICS, HYDRATED, {"HostMapSignatureMatchCount": 2}),
    ("M9", METRICS, HYDRATED, {"HostMapCandidateFromPoolCount": 1}),
    ("M10", METRICS, HYDRATED, {"HostMapEntryAllocationCount": 1}),
    ("M11", METRICS, HYDRATED, {"HostMapCandidateSignatureMissingCount": 1}),
    ("M12", METRICS, HYDRATED, {"HostMapLookupMissCount": 2}),
    ("M13", METRICS, HYDRATED, {"HostMapCandidateMissingSamples": []}),
    ("M14", METRICS, HYDRATED, {"HostMapSignatureMismatchSamples": []}),
    ("M15", METRICS, HYDRATED, {"MaterializeTemplateCacheHitRatio": None}),
    ("M16", METRICS, HYDRATED, {"MaterializeTemplateCacheHits": 4}),
    ("M17", METRICS, HYDRATED, {"HydrationDurationMs": 7.9}),
    ("M18", METRICS, HYDRATED, {"HostMapDurationMs": 2.1}),
    ("M20", METRICS, HYDRATED, {"MaterializeDurationMs": 6.0}),
    ("M22", METRICS, HYDRATED, {"MaterializeObjectDurationMs": 4.1}),
    ("M23", METRICS, HYDRATED, {"MaterializeTemplateLookupDurationMs": 1.1}),
    ("M24", METRICS, HYDRATED, {"ExclusiveRetryCount": 1}),
    ("M25", METRICS, HYDRATED, {"PreviousHostSample": ""}),
    ("M27", METRICS, HYDRATED, {"PreviousSnapshotPortCount": 0}),
    ("M28", METRICS, HYDRATED, {"PreviousPortCount": 1}),
    ("M29", METRICS, HYDRATED, {"ExecuteDurationMs": 0.6}),
    ("S2", SYNC, {}, {"LoadCacheMiss": True}),
    ("S3", SYNC, {}, {"DiffRowsCompared": 4}),
    ("S4", SYNC, {}, {"DiffDuplicatePorts": 1}),
    ("S5", SYNC, {}, {"InsertCandidates": 1}),
    ("S6", SYNC, {}, {"UpdateCandidates": 1}),
    ("S7", SYNC, {}, {"DeleteCandidates": 0}),
    ("S8", SYNC, {}, {"RowsStaged": 5}),
    ("S9", SYNC, {}, {"DiffRowsUnchanged": 2}),
    ("S10", SYNC, {}, {"SiteCacheComparisonMissingPortCount": 3}),
    ("S11", SYNC, {}, {"CachedRowCount": 3}),
    ("S12", SYNC, {}, {"ExistingCount": 5}),
    ("S13", SYNC, {}, {"BulkAttempted": False}),
    ("S14", SYNC, {}, {"BulkBatchId": "7"}),
    ("S15", SYNC, {}, {"BulkRowsCommitted": 3}),
    ("S16", SYNC, {}, {"BulkAttempted": False}),
    ("S17", SYNC, {}, {"FallbackUsed": True}),
    ("S18", SYNC, {}, {"SiteCacheProviderReason": "NotEvaluated"}),
    ("S19", SYNC, {}, {"SiteCacheFetchStatus": "Miss"}),
    ("S20", SYNC, {}, {"LoadCacheRefreshed": True}),
    ("S22", SYNC, {}, {"SiteCacheExistingRowSource": "DatabaseQuery"}),
    ("S23", SYNC, {}, {"SiteCacheRefreshDurationMs": 1.0}),
    ("S25", SYNC, {}, {"StreamRowsReused": 1}),
    ("S27", SYNC, {}, {"SiteCacheResolveInitialStatus": "SharedStoreMatch"}),
    ("S28", SYNC, {}, {"SiteCacheResolveRefreshCacheAgeMs": 1.0}),
    ("S29", SYNC, {}, {"DiffSignatureDurationMs": 1.1}),
    ("S30", SYNC, {}, {"BulkStageDurationMs": 1.0}),
    ("S31", SYNC, {}, {"SiteCacheMaterializeTemplateDefaultedCount": 0}),
    ("S32", SYNC, {}, {"SiteCacheMaterializeTemplateCacheMissCount": 0}),
    ("S33", SYNC, {}, {"SiteCacheMaterializeTemplateApplySamples": [{}] * 5}),
    ("S36", SYNC, {}, {"SiteCacheHostMapLookupCount": 0}),
    ("S37", SYNC, {}, {"SiteCacheProvider": "Database"}),
    ("F1", SYNC, {}, {"SiteCacheFetchDurationMs": 0.0}),
    ("F2", SYNC, {}, {"SiteCacheMaterializeTemplateCacheHitRatio": 0.0}),
    ("H1", "InterfaceSiteCacheHostPersisted", {}, {"EntryHostCount": 2}),
    ("H2", "InterfaceSiteCacheHostPersisted", {}, {"PreviousPortCount": 5}),
    ("H3", "InterfaceSiteCacheHostPersisted", {}, {"ConvertedToTyped": True}),
    ("H4", "InterfaceSiteCacheHostPersisted", {}, {"SharedStoreUpdated": False}),
    ("H5", "InterfaceSiteCacheHostPersisted", {}, {"EntryHostCountDelta": 2}),
    ("H6", "InterfaceSiteCacheHostPersisted", {}, {"PersistedPortCount": 6}),
    ("H7", "InterfaceSiteCacheHostPersisted", {}, {"EntryHostCountDelta": 1}),
    ("C1", "InterfaceSiteCacheSharedStore", {"Operation": "GetMiss"}, {"HostCount": 1}),
    ("C2", "InterfaceSiteCacheSharedStore", {"Operation": "GetHit"}, {"EntryCount": 0}),
    ("C4", "InterfaceSiteCacheSharedStore", {"Operation": "Set"}, {"HostCount": 0}),
    ("C6", "InterfaceSiteCacheSharedStoreState", {}, {"StoreHashCode": 0}),
    ("C7", "InterfaceSiteCacheReuseAttempt", {}, {"AdoptedFromSharedStore": False}),
    ("C8", "InterfaceSiteCacheReuseAttempt", {}, {"ScriptCacheHostCount": 2}),
    ("C9", "InterfaceSiteCacheReuseState", {}, {"KeysSample": ""}),
    ("C10", "InterfaceSiteCacheRunspaceState", {}, {"CacheExists": False}),
    ("C11", "InterfaceSiteCacheRunspaceState", {}, {"CachedAt": ""}),
    ("K1", BULK, {}, {"Rows": 5}),
    ("K2", BULK, {}, {"TransactionRolledBack": True}),
    ("K3", BULK, {}, {"UpdateRowCount": 0}),
    ("K4", BULK, {}, {"StageDurationMs": 1.0}),
    ("K6", BULK, {}, {"RecordsetUsed": True}),
    ("P1", "PortBatchReady", {}, {"EstimatedBatchCount": 2}),
    ("P2", "InterfacePortQueueMetrics", {}, {"BatchCount": 2}),
    ("P3", "InterfacePortQueueMetrics", {}, {"ChunkSize": 5}),
    ("P4", "InterfacePortDispatchMetrics", {}, {"BatchOrdinal": 0}),
    ("P5", "InterfacePortDispatchMetrics", {}, {"TotalPorts": 5}),
    ("P6", "InterfacePortDispatchMetrics", {}, {"AppendDurationMs": 1.0}),
    ("P7", "InterfacePortStreamMetrics", {}, {"RowsReused": 1}),
    ("W1", "DatabaseWriteBreakdown", {}, {"CommitDurationMs": 6.0}),
    ("W3", "DatabaseWriteBreakdown", {}, {"RowsStaged": 5}),
    ("E1", "RowsWritten", {}, {"Timestamp": "2025-12-05T16:21:57Z"}),
    ("D1", "InterfacePortStreamMetrics", {}, {"StreamCloneDurationMs": -0.5}),
    ("D1", "InterfacePortStreamMetrics", {}, {"StreamCloneDurationMs": 0.0001}),
    ("D1", "InterfacePortStreamMetrics", {}, {"StreamCloneDurationMs": None}),
    ("D2", METRICS, HYDRATED, {"MaterializePortSortCacheHitRatio": 1.5}),
    ("D3", "SiteExistingRowCacheState", {}, {"SkipSources": "Module"}),
    ("R3", "ParseDuration", {}, {"Success": False}),
    ("R5", "ConcurrencyProfileResolved", {}, {"DeviceCount": 3}),
    ("R6", "InterfaceSiteCacheRunspaceState", {}, {"Stage": "Worker:PreParse"}),
    ("J1", "DatabaseWriteLatency", {}, {"LatencyMs": 21}),
    ("J2", "DatabaseWriteBreakdown", {}, {"SiteCacheProvider": "Cache"}),
    ("J2", "DatabaseWriteBreakdown", {}, {"InterfaceDiffDurationMs": 2.0}),
    ("J3", "RowsWritten", {}, {"DeletedRows": 0}),
    ("J4", "ParseDuration", {}, {"DurationSeconds": 0.001}),
    ("J5", "InterfaceBulkInsert", {}, {"Rows": 3}),
    ("J5", "PortBatchReady", {}, {"Hostname": OTHER}),
    ("J6", SYNC, {}, {"BulkBatchId": "00000000-0000-0000-0000-000000000000"}),
    ("J7", "InterfacePortStreamMetrics", {}, {"RowsReceived": 3}),
    ("J8", "InterfaceSiteCacheReuseAttempt", {}, {"Refresh": True}),
    ("J9", "InterfaceSiteCacheReuseState", {}, {"HostCount": 2}),
    ("J11", SYNC, {}, {"SiteCacheProviderReason": "SkipSiteCacheUpdate"}),
    ("T1", SYNC, {}, {"SiteCacheSnapshotDurationMs": 299.315}),
    ("N1", "InterfaceSiteCacheSharedStore", {"Operation": "GetMiss"}, {"Operation": "Remove"}),
    ("N2", "InterfaceSiteCacheSharedStore", {"Operation": "Set"}, {"Operation": "Remove"}),
    ("N3", "InterfaceSiteCacheHostPersisted", {}, {"Hostname": OTHER}),
    ("E2", "ParserSchedulerLaunch", {}, {"Timestamp": "2025-12-05T16:21:57.0000001-07:00", "QueuedJobs": 1}),
]


@pytest.mark.parametrize(("rule", "name", "where", "change"), BROKEN, ids=[f"{rule[0]}-{rule[1]}" for rule in BROKEN])
def test_a_broken_rule_is_found(run, rule, name, where, change):
    event = [event for event in run if event["EventName"] == name and where.items() <= event.items()][-1]
    event.update(change)
    assert rule in rules(check_run(run))


def without(run, name):
    return [event for event in run if event["EventName"] != name]


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("R1", "ParserSchedulerLaunch"),
        ("R1", "SkippedDuplicate"),
        ("R2", "ParseDuration"),
        ("R3", "DatabaseWriteBreakdown"),
        ("R4", "ConcurrencyProfileResolved"),
        ("R6", "InterfaceSiteCacheRunspaceState"),
        ("J5", "PortBatchReady"),
        ("J6", "InterfaceBulkInsertTiming"),
        ("J8", "InterfaceSiteCacheMetrics"),
        ("J9", "InterfaceSiteCacheReuseState"),
        ("T1", "InterfaceSiteCacheMetrics"),
    ],
)
def test_what_is_missing_is_found(run, rule, name):
    assert rule in rules(check_run(without(run, name)))


HOSTS_OWN = ("InterfacePortStreamMetrics", "PortBatchReady", BULK, "InterfaceBulkInsert", "RowsWritten")


@pytest.mark.parametrize("name", HOSTS_OWN)
def test_events_of_a_host_that_come_too_early_are_found(run, name):
    position = [event["EventName"] for event in run].index(name)
    later = next(n for n in range(position + 1, len(run)) if run[n].get("Hostname") == HOST)
    run[position], run[later] = run[later], run[position]
    assert rules(check_run(run)) == {"O1"}


def test_what_comes_after_the_end_of_a_host_is_missing_in_it(run):
    names = [event["EventName"] for event in run]
    end = names.index("ParseDuration")
    run[end - 1], run[end] = run[end], run[end - 1]
    assert rules(check_run(run)) == {"R3"}


def test_unchanged_rows_of_the_cache_that_went_there_again_are_found(run):
    (sync,) = [event for event in run if event["EventName"] == SYNC]
    sync.update(RowsStaged=0, DeleteCandidates=0)
    assert "J10" in rules(check_run(run))


def test_a_failure_of_a_host_that_succeeded_is_found(run):
    end = [event["EventName"] for event in run].index("ParseDuration")
    run.insert(end, wire(t.InterfacePersistenceFailure.of(HOST, TimeoutError())))
    assert rules(check_run(run)) == {"R3"}


def test_a_host_that_failed_may_tell_of_it(run):
    failed = [
        event
        for event in run
        if event.get("Hostname") != HOST or event["EventName"] in ("ParseDuration", "InterfacePortQueueMetrics")
    ]
    [parse] = [event for event in failed if event["EventName"] == "ParseDuration"]
    parse["Success"] = False
    failed.append(wire(t.InterfacePersistenceFailure.of(HOST, TimeoutError())))
    assert check_run(failed) == []


def test_hosts_that_were_written_without_a_session_need_no_jobs(run):
    for name in (
        "ConcurrencyProfileResolved",
        "ParserSchedulerLaunch",
        "InterfaceSiteCacheRunspaceState",
        "ParseDuration",
        "SkippedDuplicate",
    ):
        run = without(run, name)
    assert check_run(run) == []


def test_a_field_that_is_missing_is_found(run):
    del run[1]["ThreadBudget"]
    assert rules(check_run(run)) == {"L1"}


def test_what_contradicts_itself_is_quoted(run):
    run[1]["ActiveSites"] = 2
    (told,) = check_run(run)
    assert told.endswith("but ActiveSites is 2, ActiveWorkers is 1")


def test_every_rule_is_broken_by_some_test():
    tested = {rule for rule, *_ in BROKEN} | {"R1", "R2", "R4", "O1", "J10"}
    assert tested == set(MEANINGS)


def test_no_two_rules_have_a_name():
    assert len({rule.id for rule in RULES}) == len(RULES)


FILES_OF_THE_ORIGINAL = (
    "telemetry/sample-run-no-changes.jsonl",
    "telemetry/sample-run-refresh-then-shared.jsonl",
    "telemetry/sample-run-two-hosts-empty-cache.jsonl",
    "telemetry/sample-run-two-hosts-skipped-duplicate.jsonl",
    "analysis/pipeline-20251222-210344/2025-12-22.json",
    "analysis/rollup-2025-12-05/2025-12-05.json.gz",
    "analysis/shared-cache-2025-12-23/2025-12-23.json.gz",
)


@pytest.mark.original
@pytest.mark.parametrize("name", FILES_OF_THE_ORIGINAL)
def test_the_originals_files_are_consistent_by_the_rules_that_are_meant_for_them(original_data, name):
    assert violations(TelemetryReader([original_data / name])) == []


@pytest.mark.original
def test_the_originals_events_break_only_rules_that_are_meant_for_ours(original_data):
    check, broken = EventCheck(RULES), set()
    for event in TelemetryReader([original_data / "telemetry" / "sample-events.jsonl"]):
        assert check(event.name, event.fields, ours=False) == []
        broken |= {told.rule for told in check(event.name, event.fields, ours=True)}
    assert broken == {"D3", "F1", "F2"}
