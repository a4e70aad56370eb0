"""The delays of port queues are measured and held against limits."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace import Engine
from statetrace.analysis.events import WireEvent
from statetrace.analysis.reading import TelemetryReader
from statetrace.analysis.reports.queue_delay import QueueDelays, QueueDelayThresholds, delay_of, queue_delays
from statetrace.analysis.statistics import percentile
from statetrace.cache import SharedSiteCache
from statetrace.ingestion.corpus import CorpusPlan, CorpusSite, write_corpus
from statetrace.settings import Settings
from statetrace.telemetry import Telemetry

UNLIMITED = QueueDelayThresholds(1, -1, -1)


def queue(delay=None, duration=None, **fields):
    return WireEvent(
        "InterfacePortQueueMetrics", {"QueueBuildDelayMs": delay, "QueueBuildDurationMs": duration, **fields}
    )


def verdict(delays, minimum=3, p95=120.0, p99=200.0):
    return queue_delays([queue(delay) for delay in delays], QueueDelayThresholds(minimum, p95, p99))


def test_delays_within_the_limits_pass():
    report = verdict([45, 60, 72, 48])
    assert (report.passed, report.result, report.violations, report.messages) == (True, "Pass", [], [])
    delay = report.statistics.queue_build_delay_ms
    assert (delay.p95, delay.p99, delay.sample_count, report.statistics.sample_count) == (70.2, 71.64, 4, 4)
    assert report.statistics.queue_build_duration_ms is None


def test_delays_beyond_the_limits_fail_with_a_code_and_a_sentence_each():
    events = [queue(QueueDelayMs=90), queue(250), queue(130)]
    report = queue_delays(events, QueueDelayThresholds(3, 100, 180))
    assert (report.passed, report.result) == (False, "Fail")
    assert report.violations == ["QueueDelayP95", "QueueDelayP99"]
    assert (report.statistics.queue_build_delay_ms.p95, report.statistics.queue_build_delay_ms.p99) == (238.0, 247.6)
    assert report.messages == [
        "the queue delay's p95 is 238.000 ms, 100 ms are allowed",
        "the queue delay's p99 is 247.600 ms, 180 ms are allowed",
    ]


@pytest.mark.parametrize("delays", [[], [1.0] * 4, [999.0] * 5])
def test_too_few_delays_are_no_verdict(delays):
    report = verdict(delays, minimum=6)
    assert (report.passed, report.result) == (False, "InsufficientData")
    assert report.violations == ["EventCount", "InsufficientData"]
    assert report.messages == [f"{len(delays)} queue delays were measured, 6 are needed"]
    assert report.statistics.sample_count == len(delays)


def test_no_delays_are_no_verdict_even_if_none_are_needed():
    assert verdict([], minimum=0).result == "InsufficientData"


def test_events_without_a_delay_do_not_count():
    assert queue_delays([queue(None, 5.0), queue(1.0)], QueueDelayThresholds(2)).result == "InsufficientData"


def test_a_limit_is_kept_by_what_equals_it_and_switched_off_by_a_negative_one():
    assert verdict([120.0] * 3).result == "Pass"
    assert verdict([120.001] * 3).violations == ["QueueDelayP95"]
    assert verdict([900.0] * 3, p95=-1).violations == ["QueueDelayP99"]
    assert verdict([900.0] * 3, p95=-1, p99=-1).result == "Pass"


def test_the_queue_delay_goes_before_the_build_delay_and_the_build_duration_before_the_queue_duration():
    events = [queue(5, 7, QueueDelayMs=1, QueueDurationMs=9), queue(None, None, QueueDelayMs=3, QueueDurationMs=11)]
    statistics = queue_delays(events, UNLIMITED).statistics
    assert (statistics.queue_build_delay_ms.minimum, statistics.queue_build_delay_ms.maximum) == (1.0, 3.0)
    assert statistics.queue_build_duration_ms is not None
    assert (statistics.queue_build_duration_ms.minimum, statistics.queue_build_duration_ms.maximum) == (7.0, 11.0)


def test_the_report_has_the_shape_of_the_original():
    document = msgspec.to_builtins(verdict([1, 2, 2], minimum=10))
    assert list(document)[:6] == [
        "GeneratedAtUtc", "SourceTelemetryPath", "Pass", "Result", "Thresholds", "Statistics",
    ]  # fmt: skip
    assert document["Thresholds"] == {
        "MinimumEventCount": 10, "MaximumQueueDelayP95Ms": 120, "MaximumQueueDelayP99Ms": 200,
    }  # fmt: skip
    assert document["Statistics"]["QueueBuildDelayMs"] == {
        "Name": "QueueBuildDelayMs", "SampleCount": 3, "Count": 3, "Average": 1.666667, "Min": 1.0, "Max": 2.0,
        "P50": 2.0, "P95": 2.0, "P99": 2.0,
    }  # fmt: skip


def test_the_default_limits_are_those_of_the_original():
    assert QueueDelayThresholds() == QueueDelayThresholds(10, 120, 200)


def test_statistics_are_not_rounded_on_request():
    delays = QueueDelays()
    for delay in (1, 2, 2):
        delays.add(queue(delay))
    assert delays.result(digits=None).statistics.queue_build_delay_ms.average == 5 / 3
    assert delays.result(files=["a.json", "b.json"]).source_telemetry_path == "a.json, b.json"


def test_our_engine_tells_of_queues_when_ports_are_asked_for_and_not_while_it_ingests(tmp_path):
    write_corpus(tmp_path / "logs", CorpusPlan((CorpusSite("ALDR", "Cisco", 2, 12),)))
    telemetry = Telemetry.to_directory(tmp_path / "events")
    with Engine(
        tmp_path / "data", cache=SharedSiteCache(settings=Settings()), settings=Settings(), telemetry=telemetry
    ) as engine:
        engine.ingest(tmp_path / "logs", jobs=1)
        assert queue_delays(TelemetryReader.at(tmp_path / "events"), UNLIMITED).result == "InsufficientData"
        for host in engine.repository.site("ALDR"):
            for _ in range(5):
                engine.repository.port_stream(host)
    report = queue_delays(TelemetryReader.at(tmp_path / "events"))
    assert (report.result, report.statistics.sample_count) == ("Pass", 10)


@given(st.lists(st.floats(0, 1000), min_size=1), st.floats(0, 1000), st.floats(0, 1000))
def test_the_verdict_is_that_of_the_percentiles(delays, p95, p99):
    report = verdict(delays, 1, p95, p99)
    assert ("QueueDelayP95" in report.violations) == (percentile(delays, 95) > p95)
    assert ("QueueDelayP99" in report.violations) == (percentile(delays, 99) > p99)
    assert report.passed == (not report.violations)


odd = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just(10**400))


@given(st.lists(st.tuples(odd, odd, odd)))
def test_nothing_that_an_event_holds_stops_the_report(events):
    report = queue_delays(queue(build, duration, QueueDelayMs=delay) for build, duration, delay in events)
    assert report.statistics.sample_count <= len(events)
    msgspec.json.encode(report)


def test_one_waiting_can_be_judged_by_several_limits():
    delays = QueueDelays()
    delays.add(queue(90.0))
    assert [delays.result(QueueDelayThresholds(1, limit)).result for limit in (100, 80)] == ["Pass", "Fail"]


@pytest.mark.parametrize(
    ("fields", "delay"),
    [({"QueueDelayMs": 3, "QueueBuildDelayMs": 5}, 3), ({"QueueDelayMs": "", "QueueBuildDelayMs": 5}, 5), ({}, None)],
)
def test_the_delay_of_an_event_is_its_own_or_that_of_building(fields, delay):
    assert delay_of(WireEvent("InterfacePortQueueMetrics", fields)) == delay
