"""What was asked of the shared cache is counted by file and by site."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.analysis.events import Selection, WireEvent, analyze
from statetrace.analysis.instants import ticks_of
from statetrace.analysis.reading import TelemetryReader
from statetrace.analysis.reports.store_state import StoreStates, store_states

STORE, STATE = "InterfaceSiteCacheSharedStore", "InterfaceSiteCacheSharedStoreState"


def line(name, second=0, **fields):
    return json.dumps({"EventName": name, "Timestamp": f"2026-01-31T10:00:{second:02}.0000000+01:00", **fields})


def write(path, *lines):
    path.write_text("\n".join(lines))
    return path


def only_record(*events):
    states = StoreStates()
    analyze(events, states)
    (record,) = states.result()
    return record


@pytest.mark.original
def test_the_original_says_the_same_of_its_own_file(original_data):
    folder = original_data / "analysis" / "shared-cache-2025-12-23"
    (expected,) = json.loads((folder / "SharedCacheStoreState-2025-12-23.records.json").read_bytes())
    (record,) = msgspec.to_builtins(store_states([folder / "2025-12-23.json.gz"]))
    assert (record.pop("StartTimeUtc"), record.pop("EndTimeUtc")) == (None, None)  # it had no window yet
    assert record.pop("File").endswith("2025-12-23.json.gz")
    del expected["File"]
    assert record == expected
    assert list(record) == list(expected)
    assert [list(site) for site in record["TopSites"]] == [list(site) for site in expected["TopSites"]]


def test_every_file_gets_a_record_in_the_order_of_the_files(tmp_path):
    second = write(tmp_path / "2026-01-30.json", line(STORE, Site="ALDR", Operation="GetHit"))
    first = write(tmp_path / "2026-01-31.json", line(STORE, Site="ALDR", Operation="Set"))
    empty = write(tmp_path / "2026-02-01.json", "")
    records = store_states([first, second, empty])
    assert [record.file for record in records] == [str(first), str(second), str(empty)]
    assert [(record.set, record.get_hit) for record in records] == [(1, 0), (0, 1), (0, 0)]
    assert records[2].first_timestamp is None


def test_operations_without_a_name_or_of_another_one_are_other_and_those_without_a_site_of_site_unknown():
    record = only_record(
        WireEvent(STORE, {"Site": "ALDR", "Operation": "Probe"}),
        WireEvent(STORE, {"Site": "ALDR"}),
        WireEvent(STORE, {"Site": " ", "Operation": " getmiss "}),
    )
    assert record.other_operations == 2
    assert record.get_miss == 1
    assert record.site_operations["ALDR"].other == 2
    assert record.site_operations["Unknown"].get_miss == 1


def test_sites_are_the_same_in_any_case_and_keep_their_first_spelling():
    record = only_record(*(WireEvent(STORE, {"Site": site, "Operation": "Set"}) for site in ("Aldr", "ALDR", "aldr")))
    assert list(record.site_operations) == ["Aldr"]
    assert record.site_operations["Aldr"].total == record.set == 3


def test_events_of_the_whole_cache_are_counted_apart():
    operations = ("SnapshotImported", "InitDelegatedStore", "InitNewStore", "InitAdoptedStore", "InitReuseStore")
    record = only_record(
        *(WireEvent(STATE, {"Operation": operation}) for operation in (*operations, "ClearRequested", "Cleared", "Set"))
    )
    counted = (record.snapshot_imported, record.init_delegated_store, record.init_new_store)
    assert counted == (1, 1, 1)
    assert (record.init_adopted_store, record.init_reuse_store, record.clear_requested, record.cleared) == (1, 1, 1, 1)
    assert (record.set, record.other_operations, record.site_operations) == (0, 0, {})


def test_first_and_last_are_of_any_event_wherever_it_stands(tmp_path):
    path = write(tmp_path / "2026-01-31.json", line("RowsWritten", 5), line(STORE, 1), line("SkippedDuplicate", 9))
    (record,) = store_states([path])
    assert record.first_timestamp == "2026-01-31T10:00:01.0000000+01:00"
    assert record.last_timestamp == "2026-01-31T10:00:09.0000000+01:00"


def test_a_window_includes_its_ends_and_leaves_out_what_has_no_time(tmp_path):
    timed = (line(STORE, second, Site="ALDR", Operation="Set") for second in range(5))
    path = write(tmp_path / "2026-01-31.json", *timed, json.dumps({"EventName": STORE, "Operation": "Set"}))
    start, end = ticks_of("2026-01-31T09:00:01Z"), ticks_of("2026-01-31T09:00:03Z")
    (record,) = store_states(TelemetryReader([path]), Selection(start, end))
    assert record.set == 3
    assert record.start_time_utc == "2026-01-31T09:00:01.0000000Z"
    assert record.end_time_utc == "2026-01-31T09:00:03.0000000Z"


def test_a_choice_of_sites_leaves_the_events_of_the_whole_cache(tmp_path):
    path = write(
        tmp_path / "2026-01-31.json",
        line(STATE, Operation="SnapshotImported"),
        line(STORE, Site="ALDR", Operation="Set"),
        line(STORE, Site="BRCK", Operation="Set"),
    )
    (record,) = store_states([path], Selection(sites=["aldr"]))
    assert record.snapshot_imported == 1
    assert list(record.site_operations) == ["ALDR"]
    assert record.set == 1


def test_the_busiest_sites_come_first_and_ties_by_name(tmp_path):
    sites = ("C", "B", "A", "C", "B", "A", "D", "D", "D", "E")
    path = write(tmp_path / "2026-01-31.json", *(line(STORE, Site=site, Operation="GetHit") for site in sites))
    (record,) = store_states([path], top_sites=3)
    assert [site.site for site in record.top_sites] == ["D", "A", "B"]
    assert list(record.site_operations) == ["C", "B", "A", "D", "E"]
    (everything,) = store_states([path], top_sites=0)
    assert len(everything.top_sites) == 5


odd = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text()))


@given(st.lists(st.tuples(st.sampled_from([STORE, STATE, "Other", ""]), odd, odd, odd)))
def test_the_counts_of_sites_add_up_whatever_the_events_hold(events):
    states = StoreStates(files=["a"])
    for name, site, operation, time in events:
        states.add(WireEvent(name, {"Site": site, "Operation": operation, "Timestamp": time}, "a"))
    (record,) = states.result()
    asked = record.get_hit + record.get_miss + record.set + record.remove + record.other_operations
    assert asked == sum(site.total for site in record.site_operations.values())
    assert asked == sum(name == STORE for name, *_ in events)
    msgspec.json.encode(record)
