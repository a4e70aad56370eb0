"""One host brought up to date: every number of it is told, told once by the caller, and the same wherever it stands."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import msgspec
import pytest
from consistency import check_event
from hypothesis import given
from hypothesis import strategies as st

from statetrace.model import HostPorts, InterfaceRow, SiteEntry
from statetrace.telemetry import (
    CandidateMissingSample,
    DatabaseWriteBreakdown,
    DatabaseWriteLatency,
    InterfaceBulkInsertTiming,
    InterfaceSiteCacheMetrics,
    InterfaceSyncTiming,
    LoadedRows,
    ResolveContext,
    RowDiff,
    RowWrite,
    SiteLookup,
    Telemetry,
    TemplateUse,
)

HOST, SITE = "BOYO-A05-AS-05", "BOYO"
PORTS = tuple(f"Et1/1/{number}" for number in range(1, 11))
SHARED = SiteLookup(
    status="SharedOnly",
    provider="SharedCache",
    reason="SharedCacheMatch",
    duration_ms=0.021,
    site_row_count=120,
    initial=ResolveContext(status="SharedStoreMatch", host_count=12, matched_key=HOST, port_count=10),
)
QUERIED = SiteLookup(status="SkippedEmpty", provider="Database", reason="SharedCacheUnavailable", duration_ms=1.5)
METRICS = InterfaceSiteCacheMetrics(
    site=SITE,
    cache_status="Refreshed",
    refreshed=True,
    provider="ADODB",
    hydration_duration_ms=264.251,
    snapshot_duration_ms=211.037,
    host_map_lookup_count=120,
    host_map_signature_rewrite_count=120,
    host_map_candidate_missing_count=1,
    host_map_candidate_missing_samples=(CandidateMissingSample(hostname=HOST, port=PORTS[0]),),
    materialize_template_cache_hits=116,
    materialize_template_cache_misses=4,
    materialize_template_cache_hit_ratio=0.966667,
    previous_snapshot_status="Converted",
    result_row_count=120,
    host_count=12,
    total_rows=120,
)
REFRESHED = SiteLookup(
    status="Refreshed",
    provider="Refreshed",
    reason="AccessRefresh",
    duration_ms=781.967,
    refresh_duration_ms=781.967,
    site_row_count=120,
    initial=ResolveContext(status="NotFound", host_count=1),
    refresh=ResolveContext(status="ExactMatch", host_count=12, matched_key=HOST, port_count=10, cache_age_ms=0.5,
                           cached_at="2025-12-05T16:21:56.1241096-07:00"),
    metrics=METRICS,
    template_use=TemplateUse(apply_count=120, hint_applied_count=120),
    unique_port_count=10,
)  # fmt: skip
BATCH = InterfaceBulkInsertTiming(
    hostname=HOST,
    batch_id="001e119d-91cb-4444-89f7-c7e4bb1acea5",
    run_date="2025-12-05 16:21:56",
    rows=10,
    insert_row_count=0,
    update_row_count=10,
    ui_clone_duration_ms=0.5,
    stage_duration_ms=5.835,
    parameter_bind_duration_ms=0.426,
    command_execute_duration_ms=5.387,
    stream_rows_received=10,
    stream_rows_reused=10,
    recordset_attempted=True,
    recordset_used=True,
    success=True,
)


def existing(source="CacheInitial", ports=PORTS):
    return LoadedRows.of(source, ports, load_duration_ms=0.012)


def sync(lookup=SHARED, rows=None, diff=None, write=None):
    return InterfaceSyncTiming.of(
        HOST,
        SITE,
        lookup=lookup,
        existing=rows or existing(),
        diff=diff or RowDiff(unchanged=10, duration_ms=0.2),
        write=write or RowWrite(),
    )


def breakdown(timing):
    latency = DatabaseWriteLatency(hostname=timing.hostname, site=timing.site, latency_ms=7)
    return DatabaseWriteBreakdown.of(
        timing, latency, summary_duration_ms=1.5, interface_call_duration_ms=4.25, commit_duration_ms=0.75
    )


def wire(event):
    return msgspec.json.decode(msgspec.json.encode(event))


# reference: telemetry-events 14, E8
def test_a_host_without_a_change_tells_that_nothing_was_written():
    fields = wire(sync())
    assert len(fields) == 1 + 156
    assert fields["RowsStaged"] == 0
    assert fields["DiffRowsUnchanged"] == fields["FactsConsidered"] == fields["ExistingCount"] == 10
    assert (fields["BulkAttempted"], fields["BulkBatchId"], fields["FallbackUsed"]) == (False, None, False)
    assert fields["SiteCacheUpdateDurationMs"] == 0
    assert (fields["LoadCacheHit"], fields["LoadCacheMiss"], fields["LoadCacheRefreshed"]) == (True, False, False)


# reference: telemetry-events 14, E6 and D7
def test_a_call_that_read_no_site_has_no_figures_of_a_read():
    fields = wire(sync())
    told = {name for name in fields if name.startswith(("SiteCacheHostMap", "SiteCacheMaterialize")) and fields[name]}
    assert told == {"SiteCacheHostMapSignatureMatchCount"}
    assert fields["SiteCacheSnapshotDurationMs"] == fields["SiteCacheQueryAttempts"] == 0
    assert fields["SiteCachePreviousSnapshotStatus"] == "CacheEntryMissing"
    assert fields["SiteCacheHostMapCandidateMissingSamples"] == []
    assert fields["SiteCacheMaterializeTemplateApplySamples"] == []
    assert fields["SiteCacheResultRowCount"] == 120


@pytest.mark.parametrize(("unchanged", "changed"), [(10, 0), (9, 1), (0, 10)])
def test_a_cached_host_tells_how_many_of_its_rows_matched(unchanged, changed):
    fields = wire(sync(diff=RowDiff(unchanged=unchanged, changed=changed)))
    assert fields["SiteCacheHostMapSignatureMatchCount"] == unchanged


def test_a_host_whose_rows_were_read_for_it_matched_none_of_a_cache():
    fields = wire(sync(QUERIED, existing("DatabaseQuery"), RowDiff(unchanged=10)))
    assert fields["SiteCacheHostMapSignatureMatchCount"] == 0


# reference: telemetry-events 14, E4
def test_a_refreshed_host_tells_of_the_read_and_of_its_batch():
    fields = wire(
        sync(REFRESHED, existing("CacheRefresh"), RowDiff(changed=10), RowWrite(bulk=BATCH, cache_update_duration_ms=3))
    )
    assert {
        "SiteCacheProvider": "Refreshed",
        "SiteCacheProviderReason": "AccessRefresh",
        "SiteCacheFetchStatus": "Refreshed",
        "LoadCacheHit": True,
        "LoadCacheRefreshed": True,
        "SiteCacheExistingRowSource": "CacheRefresh",
        "SiteCacheResolveInitialStatus": "NotFound",
        "SiteCacheResolveRefreshStatus": "ExactMatch",
        "CachePrimedRowCount": 120,
        "CachedRowCount": 10,
        "ExistingCount": 10,
        "FactsConsidered": 10,
        "UpdateCandidates": 10,
        "RowsStaged": 10,
        "InsertCandidates": 0,
        "SiteCacheFetchDurationMs": 781.967,
        "SiteCacheRefreshDurationMs": 781.967,
        "SiteCacheSnapshotDurationMs": 211.037,
        "SiteCacheMaterializeTemplateCacheHitCount": 116,
        "SiteCacheMaterializeTemplateCacheMissCount": 4,
        "SiteCacheMaterializeTemplateCacheHitRatio": 0.966667,
        "SiteCacheMaterializePortSortCacheHitRatio": 0.0,
        "SiteCacheMaterializePortSortUniquePortCount": 10,
        "SiteCacheHostCount": 12,
        "SiteCacheResultRowCount": 120,
        "BulkBatchId": BATCH.batch_id,
        "BulkStageDurationMs": 5.835,
        "BulkRowsPrepared": 10,
        "BulkRowsCommitted": 10,
        "BulkSucceeded": True,
        "StreamRowsReused": 10,
        "UiCloneDurationMs": 0.5,
    }.items() <= fields.items()


def test_a_missing_sample_tells_how_the_host_stood():
    [sample] = wire(sync(REFRESHED, existing("CacheRefresh")))["SiteCacheHostMapCandidateMissingSamples"]
    assert list(sample.items())[10:] == [
        ("ParserResolveInitialStatus", "NotFound"),
        ("ParserExistingRowCount", 10),
        ("ParserExistingRowKeysSample", "Et1/1/1|Et1/1/2|Et1/1/3|Et1/1/4|Et1/1/5"),
        ("ParserExistingRowValueType", "InterfaceRow"),
        ("ParserExistingRowSource", "CacheRefresh"),
        ("ParserLoadCacheHit", True),
        ("ParserLoadCacheMiss", False),
        ("ParserLoadCacheRefreshed", True),
    ]
    [sample] = wire(sync(REFRESHED, existing("DatabaseQuery", ())))["SiteCacheHostMapCandidateMissingSamples"]
    assert not {"ParserExistingRowKeysSample", "ParserExistingRowValueType"} & set(sample)


# reference: parser-persistence 18, X3
def test_changed_new_and_obsolete_ports_are_counted_in_every_place():
    diff = RowDiff(unchanged=1, changed=1, inserted=1, obsolete=1)
    fields = wire(sync(QUERIED, existing("DatabaseQuery", ("1/1", "1/2", "1/3")), diff, RowWrite(bulk=BATCH)))
    assert {
        "DiffRowsCompared": 3,
        "DiffRowsChanged": 1,
        "DiffRowsUnchanged": 1,
        "DiffRowsInserted": 1,
        "DeleteCandidates": 1,
        "SiteCacheComparisonObsoletePortCount": 1,
        "SiteCacheComparisonCandidateCount": 2,
        "RowsStaged": 2,
        "ExistingCount": 3,
        "LoadCacheMiss": True,
    }.items() <= fields.items()


def test_a_port_that_comes_twice_is_considered_twice_and_compared_once():
    fields = wire(sync(diff=RowDiff(unchanged=10, duplicate_ports=2)))
    assert (fields["FactsConsidered"], fields["DiffRowsCompared"], fields["DiffSeenPorts"]) == (12, 10, 10)
    assert fields["DiffDuplicatePorts"] == 2


def test_a_batch_that_failed_and_was_written_row_by_row_committed_nothing_itself():
    failed = msgspec.structs.replace(BATCH, success=False, transaction_rolled_back=True)
    fields = wire(sync(diff=RowDiff(changed=10), write=RowWrite(bulk=failed, fallback_duration_ms=0.0)))
    assert (fields["BulkAttempted"], fields["BulkSucceeded"], fields["FallbackUsed"]) == (True, False, True)
    assert (fields["BulkRowsPrepared"], fields["BulkRowsCommitted"]) == (10, 0)


COUNTS = st.integers(0, 1000)


@given(
    unchanged=COUNTS, changed=COUNTS, inserted=COUNTS, obsolete=COUNTS, duplicates=COUNTS,
    lookup=st.sampled_from([(SHARED, "CacheInitial"), (REFRESHED, "CacheRefresh"), (QUERIED, "DatabaseQuery")]),
)  # fmt: skip
def test_whatever_is_written_the_event_agrees_with_itself(unchanged, changed, inserted, obsolete, duplicates, lookup):
    rows = changed + inserted
    batch = msgspec.structs.replace(BATCH, rows=rows, insert_row_count=inserted, update_row_count=changed)
    timing = sync(
        lookup[0],
        existing(lookup[1], range_of_ports(unchanged + changed + obsolete)),
        RowDiff(unchanged=unchanged, changed=changed, inserted=inserted, obsolete=obsolete, duplicate_ports=duplicates),
        RowWrite(bulk=batch if rows else None),
    )
    assert list(check_event(wire(timing))) == []
    assert list(check_event(wire(breakdown(timing)))) == []


def range_of_ports(count):
    return tuple(map(str, range(count)))


def test_the_breakdown_repeats_the_event_under_its_names():
    timing = sync(REFRESHED, existing("CacheRefresh"), RowDiff(changed=10, duration_ms=2.5), RowWrite(bulk=BATCH))
    fields, repeated = wire(breakdown(timing)), wire(timing)
    own = {
        "EventName": "DatabaseWriteBreakdown",
        "SummaryDurationMs": 1.5,
        "InterfaceCallDurationMs": 4.25,
        "CommitDurationMs": 0.75,
        "DatabaseWriteLatencyMs": 7,
        "RefreshDurationMs": 0.0,
        "InterfaceDiffDurationMs": 2.5,
        "InterfaceDiffComparisonDurationMs": 0.0,
    }
    assert own.items() <= fields.items()
    assert {name: fields[name] for name in fields.keys() - own.keys()}.items() <= repeated.items()


def test_the_breakdown_leaves_out_what_is_empty_about_the_look_ups():
    fields = wire(breakdown(sync(REFRESHED, existing("CacheRefresh"))))
    assert "SiteCacheResolveRefreshMatchedKey" in fields
    assert fields["SiteCacheResolveRefreshCacheAgeMs"] == 0.5
    absent = {
        "MatchedKey",
        "KeysSample",
        "CacheAgeMs",
        "CachedAt",
        "EntryType",
        "PortKeysSample",
        "PortSignatureSample",
    }
    assert not {f"SiteCacheResolveInitial{name}" for name in absent} & set(fields)
    assert len(wire(breakdown(sync()))) == 1 + 115 - 14 + 1  # one matched key


# reference: parser-persistence 18, X13
@pytest.mark.parametrize("source", ["SiteExistingCache", " siteexistingcache "])
def test_rows_kept_for_the_host_make_the_breakdown_a_hit(source):
    timing = sync(SiteLookup(status="SkippedEmpty", provider="Cache", reason="AccessCacheHit"), existing(source))
    fields = wire(breakdown(timing))
    assert fields["SiteCacheFetchStatus"] == "Hit"
    assert fields["SiteCacheProvider"] == "Cache"
    assert fields["SiteCacheProviderReason"] == fields["SiteCacheExistingRowSource"] == "SiteExistingCache"


def test_a_look_up_is_described_by_entry_and_host():
    ports = {port: InterfaceRow(name=f"User{number}") for number, port in enumerate(PORTS)}
    entry = SiteEntry(
        {"BOYO-A05-AS-02": HostPorts(), HOST: HostPorts(ports)},
        cached_at=datetime.now().astimezone() - timedelta(seconds=2),
    )
    found = ResolveContext.of("SharedStoreMatch", entry, HOST.lower())
    assert (found.status, found.matched_key, found.entry_type) == ("SharedStoreMatch", HOST, "HostPorts")
    assert (found.host_count, found.port_count) == (2, 10)
    assert found.keys_sample == f"BOYO-A05-AS-02|{HOST}"
    assert found.port_keys_sample == "|".join(PORTS[:5])
    assert found.port_signature_sample == "|".join(row.signature for row in list(ports.values())[:5])
    assert 2000 <= found.cache_age_ms < 60_000
    assert datetime.fromisoformat(found.cached_at[:26] + found.cached_at[27:]) == entry.cached_at


def test_a_host_that_is_not_in_the_entry_is_not_found():
    missed = ResolveContext.of("SharedStoreMatch", SiteEntry({HOST: HostPorts()}), "BOYO-A05-AS-99")
    assert missed == ResolveContext(status="NotFound", host_count=1, keys_sample=HOST)


def test_both_events_are_lines_like_any_other(tmp_path):
    timing = sync(REFRESHED, existing("CacheRefresh"))
    with Telemetry.to_directory(tmp_path) as telemetry:
        telemetry.emit(timing)
        telemetry.emit(breakdown(timing))
    assert telemetry.failures == 0
    [file] = tmp_path.glob("*.json")
    lines = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert [len(line) for line in lines] == [2 + 156, 2 + len(wire(breakdown(timing))) - 1]
    assert msgspec.json.decode(file.read_bytes().splitlines()[0], type=InterfaceSyncTiming) == timing


@pytest.fixture(scope="module")
def real_run(original_data):
    text = (original_data / "telemetry" / "sample-run-refresh-then-shared.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


COPIED = (
    "SiteCacheHostMap",
    "SiteCacheMaterialize",
    "SiteCachePrevious",
    "SiteCacheQuery",
    "SiteCacheHostCount",
    "Bulk",
)
# Never filled there (defect D6).
NOT_COMPARED = ("SiteCacheMaterializePortSortCacheHitRatio", "SiteCacheMaterializeTemplateCacheHitRatio")


@pytest.mark.original
@pytest.mark.parametrize("host", ["BOYO-A05-AS-05", "WLLS-A01-AS-11"])
def test_real_metrics_and_a_real_batch_give_the_copies_of_the_real_event(real_run, host):
    def event(kind, **fields):
        [found] = [line for line in real_run if line["EventName"] == kind.__name__ and fields.items() <= line.items()]
        return found, msgspec.convert(found, kind)

    original, decoded = event(InterfaceSyncTiming, Hostname=host)
    _, metrics = event(InterfaceSiteCacheMetrics, Site=original["Site"], CacheStatus="Refreshed")
    _, batch = event(InterfaceBulkInsertTiming, Hostname=host)
    use = {
        field: getattr(decoded, f"site_cache_materialize_template_{field}") for field in TemplateUse.__struct_fields__
    }
    ours = InterfaceSyncTiming.of(
        host,
        original["Site"],
        lookup=SiteLookup(
            status="Refreshed",
            provider="Refreshed",
            reason="AccessRefresh",
            metrics=metrics,
            template_use=TemplateUse(**use),
        ),
        existing=LoadedRows(source="CacheRefresh", row_count=original["ExistingCount"]),
        diff=RowDiff(changed=original["DiffRowsChanged"]),
        write=RowWrite(bulk=batch),
    )
    copied = [
        name
        for name in original
        if name.startswith(COPIED)
        and not name.startswith(NOT_COMPARED)
        and not name.endswith(("MissingSamples", "UniquePortCount"))
    ]
    assert len(copied) > 60
    assert {name: wire(ours)[name] for name in copied} == {name: original[name] for name in copied}
