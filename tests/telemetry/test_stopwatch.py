"""Stage times are truthful and rounded the way the wire wants them."""

from __future__ import annotations

import time

import pytest

from statetrace.telemetry import Stopwatch, ratio, round_ms


@pytest.mark.parametrize(
    ("duration", "ms"), [(0, 0.0), (1_234_567, 1.235), (999, 0.001), (499, 0.0), (1.5, 1500.0), (0.264251, 264.251)]
)
def test_whole_numbers_are_nanoseconds_and_floats_seconds(duration, ms):
    assert round_ms(duration) == ms
    assert isinstance(round_ms(duration), float)


# reference: telemetry-events 14, E2 and E3
@pytest.mark.parametrize(
    ("hits", "misses", "expected"), [(116, 4, 0.966667), (1197, 3, 0.9975), (1, 0, 1.0), (0, 0, None)]
)
def test_a_ratio_has_six_decimals_or_is_undefined(hits, misses, expected):
    assert ratio(hits, misses) == expected


def test_only_the_time_between_start_and_stop_counts():
    watch = Stopwatch()
    began = time.perf_counter_ns()
    watch.start()
    time.sleep(0.002)
    first = watch.stop()
    between = time.perf_counter_ns() - began
    time.sleep(0.02)
    with watch:
        time.sleep(0.002)
    assert 2_000_000 <= first <= between
    assert watch.ns >= first + 2_000_000
    assert watch.ns < time.perf_counter_ns() - began - 20_000_000
    assert watch.ms == round_ms(watch.ns)


def test_laps_leave_no_gap_between_stages():
    watch = Stopwatch().start()
    laps = [watch.lap() for _ in range(10)]
    assert sum(laps) == watch.ns
    assert all(lap >= 0 for lap in laps)


def test_a_stage_that_failed_is_measured_too():
    watch = Stopwatch()
    with pytest.raises(ValueError, match="no"), watch:
        raise ValueError("no")
    assert watch.ns > 0
