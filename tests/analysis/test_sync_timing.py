"""Where the time of synchronisations goes, over all hosts, by site and by host."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.analysis.events import WireEvent
from statetrace.analysis.reading import TelemetryReader
from statetrace.analysis.reports.sync_timing import SyncTiming, sync_timing


def sync(host="ALDR-A01", site="ALDR", **durations):
    fields = {f"{stage}DurationMs": value for stage, value in durations.items()}
    return WireEvent("InterfaceSyncTiming", {"Site": site, "Hostname": host, **fields})


@pytest.mark.original
def test_the_original_says_the_same_of_its_own_file(original_data):
    folder = original_data / "analysis" / "pipeline-20251222-210344"
    expected = json.loads((folder / "InterfaceSyncTiming-2025-12-22.json").read_bytes())
    path = folder / "2025-12-22.json"
    report = msgspec.to_builtins(sync_timing(TelemetryReader([path]), files=[str(path)]))
    assert list(report) == list(expected)
    assert report.pop("FilesAnalyzed") == [str(path)]
    for name in report.keys() - {"GeneratedAtUtc"}:
        assert report[name] == expected[name], name
        assert msgspec.json.encode(report[name]) == msgspec.json.encode(expected[name])  # the order of fields, too


def test_no_events_give_the_same_shape_with_nothing_in_it():
    report = sync_timing([], files=["a.json"])
    assert report.event_count == 0
    assert report.files_analyzed == ["a.json"]
    assert report.global_stats.ui_clone.count == 0
    assert report.global_stats.ui_clone.p95 is None
    assert (report.site_breakdown, report.host_breakdown_top) == ([], [])


def test_missing_and_negative_durations_are_left_out_of_all_but_the_hosts():
    events = [sync(UiClone=4), sync(UiClone=None), sync(UiClone=-1), sync(UiClone="8.0"), sync()]
    report = sync_timing(events)
    assert (report.event_count, report.global_stats.ui_clone.count) == (5, 2)
    assert report.global_stats.ui_clone.average == 6.0
    assert report.site_breakdown[0].ui_clone_p95 == 7.8
    # Sorted -1, 0, 0, 4, 8: a missing one is 0 here.
    assert report.host_breakdown_top[0].ui_clone_p95 == 7.2


def test_a_site_without_the_value_has_no_percentile_and_a_host_has_0():
    report = sync_timing([sync(Diff=3)])
    (site,), (host,) = report.site_breakdown, report.host_breakdown_top
    assert (site.ui_clone_p95, site.stream_dispatch_p95, site.diff_duration_p95) == (None, None, 3.0)
    assert (host.ui_clone_p95, host.stream_dispatch_p95) == (0.0, 0.0)


def test_sites_are_listed_by_name_and_the_slowest_hosts_first():
    report = sync_timing(
        [
            sync("WLLS-A02", "wlls", UiClone=1),
            sync("ALDR-A01", "ALDR", UiClone=9),
            sync("WLLS-A01", "WLLS", UiClone=1),
            sync("wlls-a02", "WLLS", UiClone=1),
            sync(" ", None),
        ]
    )
    assert [(site.site, site.event_count) for site in report.site_breakdown] == [
        ("ALDR", 1),
        ("Unknown", 1),
        ("wlls", 3),
    ]
    assert [(host.host, host.event_count) for host in report.host_breakdown_top] == [
        ("ALDR-A01", 1),
        ("WLLS-A01", 1),
        ("WLLS-A02", 2),
        ("Unknown", 1),
    ]


def test_a_host_is_read_from_any_of_its_three_fields():
    events = [WireEvent("InterfaceSyncTiming", {name: "ALDR-A01"}) for name in ("Hostname", "HostName", "Host")]
    assert [(host.host, host.event_count) for host in sync_timing(events).host_breakdown_top] == [("ALDR-A01", 3)]


def test_no_more_hosts_are_listed_than_asked_for():
    events = [sync(f"ALDR-A{number:02}") for number in range(12)]
    assert [len(sync_timing(events, top_hosts=top).host_breakdown_top) for top in (10, 1, 0)] == [10, 1, 12]


odd = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()))
huge = st.sampled_from([10**308, 10**400, 1.7e308, -(10**400)])


@given(st.lists(st.tuples(odd, odd, odd | huge, odd | huge)))
def test_every_event_is_of_one_site_and_one_host_whatever_it_holds(events):
    timing = SyncTiming(0)
    for site, host, clone, diff in events:
        timing.add(sync(host, site, UiClone=clone, Diff=diff))
    report = timing.result()
    assert report.event_count == len(events)
    assert sum(site.event_count for site in report.site_breakdown) == len(events)
    assert sum(host.event_count for host in report.host_breakdown_top) == len(events)
    msgspec.json.encode(report)
