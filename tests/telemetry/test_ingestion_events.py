"""Events of sessions, jobs and writes say what is known, and leave out what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.errors import DatabaseMissing
from statetrace.telemetry import (
    ConcurrencyOverrideSummary,
    ConcurrencyProfileResolved,
    DatabaseWriteLatency,
    InterfaceBulkInsert,
    InterfaceBulkInsertTiming,
    InterfacePersistenceFailure,
    ParseDuration,
    ParserSchedulerLaunch,
    RowsWritten,
    SiteExistingRowCacheState,
    SkippedDuplicate,
    utc_text,
)

SETTINGS_ONLY = ConcurrencyProfileResolved(
    auto_scale_enabled=False,
    auto_scale_requested=False,
    auto_scale_profile_requested=False,
    auto_scale_profile_disabled=False,
    auto_scale_profile_resolved=False,
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
    hint_thread_ceiling=0,
    hint_max_workers_per_site=0,
    hint_max_active_sites=0,
    hint_jobs_per_thread=0,
    hint_min_runspaces=1,
    interface_bulk_chunk_size=24,
    decision_source="Settings",
    resolved_max_consecutive_site_launches=8,
)
BATCH = InterfaceBulkInsertTiming(
    hostname="WLLS-A01-AS-01",
    batch_id="001e119d-91cb-4444-89f7-c7e4bb1acea5",
    run_date="2025-12-05 16:21:56",
    rows=10,
    insert_row_count=4,
    update_row_count=6,
    success=True,
)


def wire(event):
    return msgspec.json.decode(msgspec.json.encode(event))


def test_a_profile_from_settings_has_no_resolved_and_no_override_fields():
    fields = wire(SETTINGS_ONLY)
    assert len(fields) == 1 + 24
    assert [name for name in fields if name.startswith(("Override", "Profile", "Resolved"))] == [
        "ResolvedMaxConsecutiveSiteLaunches"
    ]
    assert fields["HintInterfaceBulkChunkSize"] is None


def test_a_profile_with_everything_has_all_37_fields():
    optional = {
        field.name: 1 for field in msgspec.structs.fields(ConcurrencyProfileResolved) if field.default is msgspec.UNSET
    }
    fields = wire(msgspec.structs.replace(SETTINGS_ONLY, decision_source="AutoScale", **optional))
    assert len(fields) == 1 + 37
    assert fields["OverrideMaxConsecutiveSiteLaunches"] == fields["ResolvedThreadCeiling"] == 1


# reference: ingestion-pipeline 4.5
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, {}),
        ({"thread_ceiling_override": 0}, {"ThreadCeilingOverride": 0}),
        (
            {"settings_min_runspace_count": 4, "settings_reset_applied": True},
            {"SettingsMinRunspaceCount": 4, "SettingsResetApplied": True},
        ),
    ],
)
def test_only_overrides_that_were_given_are_told(given, told):
    fields = wire(ConcurrencyOverrideSummary(**given))
    assert fields == {"EventName": "ConcurrencyOverrideSummary", **told, "Source": "StateTracePipeline"}


def test_a_skipped_log_tells_what_is_known_of_it():
    known = {"file_hash": "0a" * 32, "source_length": 5309, "last_ingested_utc": utc_text(0)}
    fields = wire(SkippedDuplicate(hostname="BOYO-A05-AS-42", site="BOYO", **known))
    assert list(fields) == [
        "EventName", "Hostname", "Site", "Reason", "FileHash", "SourceLength", "LastIngestedUtc",
    ]  # fmt: skip
    assert list(wire(SkippedDuplicate(hostname="BOYO-A05-AS-42", site="BOYO"))) == list(fields)[:4]


def test_a_launch_counts_workers_sites_and_what_still_waits():
    launch = ParserSchedulerLaunch(
        site="BOYO", active_workers=1, active_sites=1, thread_budget=1, queued_jobs=38, queued_sites=4
    )
    assert wire(launch) == {
        "EventName": "ParserSchedulerLaunch",
        "Site": "BOYO",
        "ActiveWorkers": 1,
        "ActiveSites": 1,
        "ThreadBudget": 1,
        "QueuedJobs": 38,
        "QueuedSites": 4,
        "NoOtherSite": False,
    }


def test_the_end_of_a_log_tells_seconds_and_its_file():
    parse = ParseDuration(
        hostname="WLLS-A01-AS-01",
        site="WLLS",
        start_time=utc_text(1_764_976_915_445_081_000),
        duration_seconds=1.836,
        success=True,
        file_name="WLLS-A01-AS-01.log",
    )
    fields = wire(parse)
    assert fields["StartTime"] == "2025-12-05T23:21:55.4450810Z"
    assert fields["DurationSeconds"] == 1.836


def test_a_failure_names_the_error_and_where_it_was_stored_if_that_is_known(tmp_path):
    error = DatabaseMissing(tmp_path / "WLLS.sqlite", "it is gone")
    known = wire(InterfacePersistenceFailure.of("WLLS-A01-AS-01", error, database_path="x.sqlite", provider="sqlite"))
    assert known == {
        "EventName": "InterfacePersistenceFailure",
        "Stage": "DeviceLogParserUnhandled",
        "Hostname": "WLLS-A01-AS-01",
        "ExceptionMessage": str(error),
        "ExceptionType": "statetrace.errors.DatabaseMissing",
        "DatabasePath": "x.sqlite",
        "Provider": "sqlite",
    }
    unknown = wire(InterfacePersistenceFailure.of("WLLS-A01-AS-01", error))
    assert known.keys() - unknown.keys() == {"DatabasePath", "Provider"}


@pytest.mark.parametrize("sources", [("Parameter",), ("Module", "Environment")])
def test_skip_sources_are_a_list_of_one_or_more(sources):
    state = SiteExistingRowCacheState(
        site="WLLS",
        hostname="WLLS-A01-AS-01",
        site_host_entry_count=0,
        host_entry_exists=False,
        host_entry_row_count=0,
        cache_hit=False,
        skip_sources=sources,
        existing_row_source="DatabaseQuery",
        load_cache_hit=False,
        load_cache_miss=True,
    )
    fields = wire(state)
    assert fields["SkipSources"] == list(sources)
    assert "SiteHostEntriesSample" not in fields
    sampled = msgspec.structs.replace(state, site_host_entries_sample=("WLLS-A01-AS-01",))
    assert wire(sampled)["SiteHostEntriesSample"] == ["WLLS-A01-AS-01"]


def test_a_batch_has_30_fields_and_its_outcome_five_of_them():
    fields, outcome = wire(BATCH), wire(InterfaceBulkInsert.of(BATCH))
    assert len(fields) == 1 + 30
    assert fields["TransactionLevel"] is None
    del outcome["EventName"]
    assert list(outcome) == ["Hostname", "BatchId", "Rows", "RunDate", "Success"]
    assert outcome.items() <= fields.items()


def test_what_was_written_is_whole_rows_and_whole_milliseconds():
    rows = RowsWritten(hostname="WLLS-A01-AS-01", site="WLLS", run_date=BATCH.run_date, rows=10)
    latency = DatabaseWriteLatency(hostname="WLLS-A01-AS-01", site="WLLS", latency_ms=1722)
    assert list(wire(rows)) == ["EventName", "Hostname", "Site", "RunDate", "Rows", "DeletedRows"]
    assert wire(latency) == {
        "EventName": "DatabaseWriteLatency",
        "Hostname": "WLLS-A01-AS-01",
        "Site": "WLLS",
        "LatencyMs": 1722,
    }


@pytest.mark.parametrize(
    ("epoch_ns", "text"),
    [
        (0, "1970-01-01T00:00:00.0000000Z"),
        (-1, "1969-12-31T23:59:59.9999999Z"),
        (1_764_976_915_445_081_099, "2025-12-05T23:21:55.4450810Z"),
        (1_764_979_199_999_999_999, "2025-12-05T23:59:59.9999999Z"),
        (10**30, ""),
    ],
)
def test_utc_text_has_seven_digits_and_rounds_down_and_is_empty_beyond_the_calendar(epoch_ns, text):
    assert utc_text(epoch_ns) == text


@given(st.integers(0, 4_000_000_000_000_000))
def test_utc_text_is_read_back_by_the_standard_library(microseconds):
    text = utc_text(microseconds * 1000)
    assert datetime.fromisoformat(text) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
