"""Whether the sites got their port batches in turn."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace import Engine
from statetrace.analysis.documents import read_document
from statetrace.analysis.events import Selection, WireEvent, analyze
from statetrace.analysis.instants import ticks_of
from statetrace.analysis.reading import TelemetryReader
from statetrace.analysis.reports.diversity_comparison import compare_diversity
from statetrace.analysis.reports.port_batches import PortBatches
from statetrace.analysis.reports.port_diversity import PortDiversity, port_diversity
from statetrace.analysis.reports.scheduler_launches import SchedulerLaunches
from statetrace.cache import SharedSiteCache
from statetrace.ingestion.corpus import CorpusPlan, CorpusSite, write_corpus
from statetrace.settings import Settings
from statetrace.telemetry import Telemetry


def batch(host, second, **fields):
    return WireEvent("PortBatchReady", {"Timestamp": time(second), "Hostname": host, **fields})


def time(second):
    return f"2026-01-31T10:{second // 60:02}:{second % 60:02}.0000000Z"


def batches(sites, **fields):
    return [batch(f"{site}-{number:02}", number, **fields) for number, site in enumerate(sites)]


def streaks(report):
    return {streak.site: streak.max_count for streak in report.site_streaks}


@pytest.mark.original
def test_the_originals_report_is_reproduced(original_data):
    folder = original_data / "analysis" / "pipeline-20251222-210344"
    original = read_document(folder / "PortBatchSiteDiversity-2025-12-22.json")

    report = port_diversity(TelemetryReader([folder / "2025-12-22.json"]), file=original["MetricsFile"])

    ours = msgspec.to_builtins(report)
    original["SiteStreaks"] = [original["SiteStreaks"]]
    del original["GeneratedAtUtc"]
    assert {name: ours[name] for name in original} == original
    assert report.passed


# reference: warm-run-and-gates 12.3
@pytest.mark.parametrize(
    ("sites", "longest", "end", "left"),
    [
        ("BWBWWW", {"B": 1, "W": 1}, 2, "W"),
        ("WWWW", {"W": 1}, 0, "W"),
        ("W", {"W": 1}, 0, None),
        ("BBWWWBW", {"W": 3, "B": 2}, 5, "W"),
        ("BBWWWCBW", {"W": 3, "B": 2, "C": 1}, 6, "W"),
    ],
)
def test_batches_in_a_row_are_counted_until_one_site_is_left(sites, longest, end, left):
    report = port_diversity(batches(sites))

    assert streaks(report) == longest
    assert report.evaluation_end == time(end)
    assert report.terminal_site == left
    assert report.sites_remaining_when_stopped == (left is not None)


def test_a_streak_ends_when_another_site_begins_and_the_last_one_with_its_last_batch():
    report = port_diversity(batches("BBBWWBW"))

    assert [(streak.site, streak.start_time, streak.end_time) for streak in report.site_streaks] == [
        ("B", time(0), time(3)), ("W", time(3), time(5)),
    ]  # fmt: skip


def test_batches_are_taken_in_the_order_of_time_not_of_the_file():
    assert streaks(port_diversity(reversed(batches("BWBWBW")))) == {"B": 1, "W": 1}


def test_too_many_batches_in_a_row_fail_and_are_shown():
    report = port_diversity(batches("B" * 3 + "W" * 14 + "B" + "W"))

    assert not report.passed
    assert msgspec.to_builtins(report.max_streak_segment) == {
        "Site": "W", "Count": 14, "StartTime": time(3), "EndTime": time(17), "StartIndex": 3, "EndIndex": 16,
        "HostSample": "W-03, W-04, W-05, W-06, W-07",
        "HostSequenceSample": "W-03, W-04, W-05, W-06, W-07, W-08, W-09, W-10, W-11, W-12, W-13, W-14",
    }  # fmt: skip
    assert port_diversity(batches("B" * 3 + "W" * 14 + "B" + "W"), max_consecutive=14).passed


def test_the_sample_names_each_host_once():
    events = [batch(host, second) for second, host in enumerate(["W-1", "w-1", "", "W-2", "B-1", "W-1"])]

    segments = {streak.site: streak.host_sample for streak in port_diversity(events).site_streaks}

    assert segments == {"W": "W-1", "(unknown)": "", "B": "B-1"}


def test_made_up_batches_are_evaluated_in_place_of_those_observed():
    events = [*batches("BBBBWB"), *batches("BWBW", Synthesized=True)]

    report = port_diversity(events)

    assert streaks(report) == {"B": 1, "W": 1}
    assert report.used_synthesized_events
    assert (report.port_batch_ready_count, report.evaluated_port_batch_ready_count) == (10, 4)
    assert (report.observed_port_batch_ready_count, report.synthesized_port_batch_ready_count) == (6, 4)


def test_made_up_batches_are_left_out_when_asked_for():
    events = [*batches("BBBBWB"), *batches("BWBW", Synthesized=True)]

    report = port_diversity(events, ignore_synthesized=True)

    assert streaks(report) == {"B": 4, "W": 1}
    assert (report.used_synthesized_events, report.ignored_synthesized_events) == (False, True)


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([], "NoPortBatchReadyEvents"),
        ([WireEvent("SkippedDuplicate", {})], "NoParseActivity"),
        ([WireEvent("SkippedDuplicate", {}), WireEvent("ParseDuration", {})], "NoPortBatchReadyEvents"),
        (batches("BW", Synthesized=True), "NoObservedPortBatchReadyEvents"),
    ],
)
def test_without_batches_the_report_says_why_and_does_not_pass(events, reason):
    report = port_diversity(events, ignore_synthesized=True)

    assert (report.skipped, report.skip_reason, report.passed) == (True, reason, False)
    assert (report.site_streaks, report.max_streak_segment) == ([], None)


def test_a_window_leaves_out_what_is_before_and_after_and_stands_in_the_report():
    window = Selection(ticks_of(time(1)), ticks_of(time(4)))

    report = port_diversity(batches("BBBWBWW"), window=window)

    assert streaks(report) == {"B": 2, "W": 1}
    assert (report.evaluation_window_start_utc, report.evaluation_window_end_utc) == (time(1), time(4))


@pytest.mark.parametrize(
    ("fields", "manual", "automatic"),
    [
        ({"DecisionSource": "AutoScale", "ManualOverrides": False, "ThreadCeiling": 8}, False, True),
        ({"DecisionSource": "AutoScale", "ManualOverrides": True}, True, False),
        ({"DecisionSource": "Settings"}, False, False),
    ],
)
def test_the_report_tells_how_the_sessions_limits_came_about(fields, manual, automatic):
    report = port_diversity([WireEvent("ConcurrencyProfileResolved", fields)])

    assert (report.manual_overrides_applied, report.raw_auto_concurrency_mode) == (manual, automatic)
    assert report.concurrency_profile.thread_ceiling == fields.get("ThreadCeiling")
    assert port_diversity([]).concurrency_profile is None


def test_our_own_sessions_launch_fairly_and_tell_of_their_batches(tmp_path):
    sites = (CorpusSite("ALDR", "Brocade", 4, 10), CorpusSite("BRCK", "Cisco", 12, 12))
    write_corpus(tmp_path / "Logs", CorpusPlan(sites))
    telemetry = Telemetry.to_directory(tmp_path / "Telemetry")
    with Engine(
        tmp_path / "Data", telemetry=telemetry, settings=Settings(), cache=SharedSiteCache(settings=Settings())
    ) as engine:
        engine.ingest(tmp_path / "Logs", jobs=1)
    telemetry.close()

    batches, launches, diversity = PortBatches(host_breakdown=True), SchedulerLaunches(), PortDiversity()
    analyze(TelemetryReader.at(tmp_path / "Telemetry"), batches, launches, diversity)
    of_launches, of_batches = launches.result(), diversity.result()

    assert len(batches.result().host_breakdown) == 16
    assert batches.result().port_batch_summary.total_ports == 4 * 10 + 12 * 12
    assert of_launches.passed
    assert [(site.site, site.launch_count) for site in of_launches.site_summaries] == [("BRCK", 12), ("ALDR", 4)]
    assert of_batches.passed
    assert of_batches.observed_port_batch_ready_count == 16
    assert of_batches.terminal_site == "BRCK"
    assert compare_diversity(msgspec.to_builtins(of_launches), msgspec.to_builtins(of_batches)).mismatch_count == 0


values = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=8), st.just("2026-01-31T10:00:00Z"))
fields = st.dictionaries(st.sampled_from(["Timestamp", "Hostname", "Synthesized", "ManualOverrides"]), values)
names = st.sampled_from(["PortBatchReady", "ConcurrencyProfileResolved", "SkippedDuplicate", "ParseDuration"])


@given(st.lists(st.builds(WireEvent, names, fields)))
def test_no_event_is_too_odd(events):
    report = port_diversity(events)

    assert report.skipped == (report.evaluated_port_batch_ready_count == 0)
    json.loads(msgspec.json.encode(report))


@given(st.lists(st.sampled_from("BCW"), min_size=1, max_size=40))
def test_no_streak_is_longer_than_what_was_evaluated(sites):
    report = port_diversity(batches(sites))

    segment = report.max_streak_segment
    assert segment.count == max(streaks(report).values()) == segment.end_index - segment.start_index + 1
    assert set(sites[segment.start_index : segment.end_index + 1]) == {segment.site}
