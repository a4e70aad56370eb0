"""A gate tells what it measured, how that stands to its limit, and who is behind it."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.analysis.events import WireEvent
from statetrace.analysis.gates.gate import Gate, Outcome
from statetrace.analysis.gates.offenders import SHOWN, Offender, Offenders, Relation, Sample, Total
from statetrace.analysis.gates.thresholds import Thresholds, WriteLatency, with_allowed

LATENCY = Gate("write_latency.maximum_warm_p95_ms", "WarmWriteLatencyP95", "ms", Relation.BELOW)
STREAK = Gate("fairness.maximum_launch_streak", "LaunchStreak")
IMPROVEMENT = Gate("warm_run.minimum_improvement_percent", "ImprovementPercent", "%", Relation.AT_LEAST)


def write(host, latency=0, line=0):
    return WireEvent("DatabaseWriteLatency", {"Site": "WLLS", "Hostname": host, "LatencyMs": latency}, "day.json", line)


@pytest.mark.parametrize(
    ("gate", "measured", "outcome"),
    [
        (LATENCY, 499.9, Outcome.PASSED),
        (LATENCY, 500.0, Outcome.FAILED),
        (STREAK, 8, Outcome.PASSED),
        (STREAK, 9, Outcome.FAILED),
        (IMPROVEMENT, 60.0, Outcome.PASSED),
        (IMPROVEMENT, 59.99, Outcome.FAILED),
        (IMPROVEMENT, None, Outcome.NO_DATA),
    ],
)
def test_a_measure_is_held_against_the_limit_as_the_documents_say(gate, measured, outcome):
    result = gate.judge(Thresholds(), measured)
    assert (result.outcome, result.failed) == (outcome, outcome is not Outcome.PASSED)
    assert (result.name, result.measured, result.limit) == (gate.name, measured, Thresholds().limit(gate.name))


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6), st.sampled_from(list(Relation)))
def test_a_looser_limit_never_fails_what_a_stricter_one_passes(measured, one, other, relation):
    stricter, looser = sorted((one, other), reverse=relation is Relation.AT_LEAST)
    assert relation.holds(measured, looser) or not relation.holds(measured, stricter)


def test_a_gate_without_data_fails_unless_that_is_allowed():
    assert STREAK.without_data(Thresholds(), "no launch").failed
    allowed = STREAK.without_data(with_allowed(Thresholds(), ("fairness",)), "no launch")
    assert (allowed.outcome, allowed.allowed, allowed.failed) == (Outcome.NO_DATA, True, False)
    assert (allowed.lacking, "no launch" in allowed.message) == ("no launch", True)


def test_a_gate_that_is_switched_off_has_no_result():
    off = Thresholds(write_latency=WriteLatency(enabled=False))
    assert LATENCY.judge(off, 1000.0) is None
    assert LATENCY.without_data(off) is None


def test_a_message_shows_measure_and_limit_with_their_unit():
    message = LATENCY.judge(Thresholds(), 1719.6).message
    assert "1,719.600 ms" in message
    assert "below 500 ms" in message
    assert "LatencyMs" in message


def test_offenders_are_named_only_where_the_gate_fails_or_warns():
    sample = Sample(500.0, 600.0, Relation.BELOW)
    for line, latency in enumerate((100, 550, 700), 1):
        sample.add(latency, write(f"WLLS-A{line:02}", latency, line))
    failed = LATENCY.judge(Thresholds(), 695.0, sample.over, alerted=sample.beyond)
    assert [(offender.host, offender.where, offender.value) for offender in failed.offenders] == [
        ("WLLS-A03", "day.json:3", 700),
        ("WLLS-A02", "day.json:2", 550),
    ]
    warned = LATENCY.judge(Thresholds(), 400.0, sample.over, alerted=sample.beyond)
    assert (warned.outcome, warned.failed) == (Outcome.WARNED, False)
    assert [offender.host for offender in warned.offenders] == ["WLLS-A03"]
    assert LATENCY.judge(Thresholds(), 400.0, sample.over).offenders == ()


def test_what_is_exactly_at_a_limit_that_it_must_be_below_offends():
    sample = Sample(500.0, relation=Relation.BELOW)
    sample.add(500, write("WLLS-A01"))
    assert sample.over.count == 1


@given(st.lists(st.integers(-5, 5)))
def test_the_worst_offenders_come_first_among_equals_the_earliest_and_all_are_counted(values):
    offenders = Offenders()
    for number, value in enumerate(values):
        offenders.add(value, write(f"H{number}"))
    expected = sorted(enumerate(values), key=lambda item: (-item[1], item[0]))[:SHOWN]
    assert [(offender.host, offender.value) for offender in offenders.worst()] == [
        (f"H{number}", value) for number, value in expected
    ]
    assert offenders.count == len(values)


@given(st.lists(st.integers(0, 9), max_size=30), st.lists(st.integers(0, 9), max_size=30))
def test_joined_offenders_are_those_of_both(first, second):
    joined, whole = Offenders(), Offenders()
    for values in (first, second):
        part = Offenders()
        for value in values:
            part.take(Offender("", "", "", "", value))
            whole.take(Offender("", "", "", "", value))
        joined.join(part)
    assert (joined.worst(), joined.count) == (whole.worst(), whole.count)


def test_what_more_there_is_to_say_is_asked_of_those_alone_that_may_be_named():
    asked = []
    offenders = Offenders(lambda event: asked.append(event.host) or f"about {event.host}")
    for number in range(SHOWN + 5):
        offenders.add(1, write(f"H{number}"))
    assert (offenders.worst()[0].detail, len(asked), offenders.count) == ("about H0", SHOWN, SHOWN + 5)


def test_a_total_adds_up_and_remembers_who_added():
    total = Total()
    for value in (0, 3, 2):
        total.add(value, write(f"H{value}"))
    assert (total.value, total.behind.count, total.behind.worst()[0].host) == (5, 2, "H3")


def test_a_result_is_plain_data():
    document = json.loads(msgspec.json.encode(STREAK.judge(Thresholds(), 9)))
    assert (document["Outcome"], document["Relation"], document["Offenders"]) == ("failed", "<=", [])
