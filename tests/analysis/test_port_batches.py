"""How many rows were handed over in port batches, and how fast."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.analysis.documents import read_document
from statetrace.analysis.events import WireEvent
from statetrace.analysis.reading import TelemetryReader
from statetrace.analysis.reports.port_batches import compare_port_batches, port_batches
from statetrace.errors import TelemetryError


def batch(second, host="WLLS-A01-AS-01", ports=48, chunk=24):
    time = f"2026-01-31T10:00:{second:010.7f}Z"
    return WireEvent(
        "PortBatchReady", {"Timestamp": time, "Hostname": host, "PortsCommitted": ports, "ChunkSize": chunk}
    )


def sync(**durations):
    return WireEvent("InterfaceSyncTiming", durations)


@pytest.fixture
def originals(original_data):
    folder = original_data / "analysis" / "pipeline-20251222-210344"
    events = TelemetryReader([folder / "2025-12-22.json"])
    return port_batches(events, host_breakdown=True), read_document(folder / "PortBatchReady-20251222-210344.json")


@pytest.mark.original
def test_the_originals_report_is_reproduced(originals):
    report, original = originals

    ours = msgspec.to_builtins(report)
    assert list(ours) == list(original)
    for document in (ours, original):
        del document["GeneratedAtUtc"], document["FilesAnalyzed"]
        document["HostBreakdown"].sort(key=lambda host: (-host["PortsCommitted"], host["Host"]))
    assert ours == original


@pytest.mark.original
def test_nothing_changed_since_the_originals_report(originals):
    changes = compare_port_batches(*originals)

    assert [change.metric for change in changes] == [
        "TotalPorts", "PortsPerMinute", "AveragePortsBatch", "BatchIntervalP95Ms", "UiCloneP95Ms",
        "StreamDispatchP95Ms", "DiffDurationP95Ms",
    ]  # fmt: skip
    assert {change.delta for change in changes} == {0}


def test_throughput_is_rows_over_the_time_from_the_earliest_to_the_latest_batch():
    summary = port_batches([batch(0), batch(2, "BOYO-A01", 10, 12), batch(3)]).port_batch_summary

    assert (summary.event_count, summary.unique_hosts, summary.total_ports) == (3, 2, 106)
    assert (summary.average_ports_batch, summary.average_chunk_size) == (35.333, 20)
    assert (summary.duration_seconds, summary.ports_per_minute) == (3, 2120)


def test_a_batch_older_than_the_one_before_it_in_the_file_makes_no_interval():
    summary = port_batches([batch(0), batch(5), batch(1), batch(1), batch(1.5)]).port_batch_summary

    intervals = summary.batch_interval_ms
    assert (intervals.count, intervals.minimum, intervals.maximum) == (2, 500, 5000)
    assert summary.duration_seconds == 5


def test_one_moment_is_no_duration():
    summary = port_batches([batch(1), batch(1)]).port_batch_summary

    assert (summary.duration_seconds, summary.ports_per_minute, summary.batch_interval_ms.count) == (None, None, 0)


def test_a_batch_without_a_time_is_counted_and_nothing_else_of_it():
    undated = WireEvent("PortBatchReady", {"Hostname": "BOYO-A01", "PortsCommitted": 10, "ChunkSize": 24})

    summary = port_batches([batch(0), undated]).port_batch_summary

    assert (summary.event_count, summary.unique_hosts, summary.total_ports) == (2, 1, 48)


def test_no_events_make_an_empty_report():
    report = port_batches([])

    assert report.port_batch_summary.event_count == 0
    assert report.port_batch_summary.average_ports_batch is None
    assert report.interface_sync_summary.sample_count == 0


def test_hosts_are_listed_by_rows_then_name_and_only_if_asked_for():
    events = [batch(0, "BOYO-B", 10), batch(1, "WLLS-A"), batch(2, "boyo-a", 10), batch(3, "WLLS-a")]

    hosts = port_batches(events, host_breakdown=True).host_breakdown

    assert [(host.host, host.batch_count, host.ports_committed) for host in hosts] == [
        ("WLLS-A", 2, 96), ("boyo-a", 1, 10), ("BOYO-B", 1, 10),
    ]  # fmt: skip
    assert port_batches(events).host_breakdown is None


def test_the_work_on_hosts_is_summed_up_field_by_field():
    events = [sync(UiCloneDurationMs=1.5, DiffDurationMs=3), sync(UiCloneDurationMs=None, DiffDurationMs=-5.0)]

    summary = port_batches(events).interface_sync_summary

    assert (summary.ui_clone.count, summary.sample_count, summary.stream_dispatch.count) == (1, 1, 0)
    assert (summary.diff_duration.minimum, summary.diff_duration.p50, summary.diff_duration.p99) == (-5, -1, None)


def test_a_comparison_tells_what_changed_and_what_the_baseline_lacks():
    report = port_batches([batch(0), batch(2)])
    baseline = {"PortBatchSummary": {"TotalPorts": 90.0, "BatchIntervalMs": {"P95": "unknown"}}}

    changes = {change.metric: change for change in compare_port_batches(report, baseline)}

    assert msgspec.to_builtins(changes["TotalPorts"]) == {
        "Metric": "TotalPorts", "Current": 96, "Baseline": 90, "Delta": 6, "Unit": "ports",
    }  # fmt: skip
    interval = changes["BatchIntervalP95Ms"]
    assert (interval.current, interval.baseline, interval.delta) == (2000, None, None)
    assert changes["UiCloneP95Ms"].current is None


def test_a_baseline_that_is_no_report_is_refused():
    with pytest.raises(TelemetryError, match="PortBatchSummary"):
        compare_port_batches(port_batches([]), {"Site": "WLLS"})


values = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=8), st.just("2026-01-31T10:00:00Z"))
fields = st.sampled_from(["Timestamp", "Hostname", "PortsCommitted", "ChunkSize", "UiCloneDurationMs"])
names = st.sampled_from(["PortBatchReady", "InterfaceSyncTiming", "portbatchready"])


@given(st.lists(st.builds(WireEvent, names, st.dictionaries(fields, values))))
def test_no_event_is_too_odd(events):
    report = port_batches(events, host_breakdown=True)

    batches = [event for event in events if event.name.casefold() == "portbatchready"]
    assert report.port_batch_summary.event_count == len(batches)
    json.loads(msgspec.json.encode(report))
