"""Percentiles and rounding are those of their definitions, to the last digit."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.analysis.statistics import mean, percentile, percentile_of_sorted, round_away, round_even, stats_of

FINITE = st.floats(-1e12, 1e12)
SAMPLES = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=40)


def scaled(value, digits, rounding):
    """What is scaled in binary, as .NET does, and then rounded exactly."""
    with localcontext() as context:
        context.prec = 400
        whole = Decimal(value * 10.0**digits).quantize(Decimal(1), rounding=rounding)
    return float(whole) / 10.0**digits


def linear(values, percent):
    """numpy.percentile's definition of ``linear``, in its own words."""
    ordered = sorted(values)
    virtual = (len(ordered) - 1) * percent / 100
    below = math.floor(virtual)
    above = min(below + 1, len(ordered) - 1)
    weight = virtual - below
    return (1 - weight) * ordered[below] + weight * ordered[above]


@given(FINITE, st.integers(0, 6))
def test_halves_go_to_the_even_digit_of_the_scaled_value(value, digits):
    assert round_even(value, digits) == scaled(value, digits, ROUND_HALF_EVEN)


@given(FINITE, st.integers(0, 6))
def test_halves_go_away_from_zero_of_the_scaled_value(value, digits):
    assert round_away(value, digits) == scaled(value, digits, ROUND_HALF_UP)


@given(st.integers(-(10**6), 10**6))
def test_the_two_ways_of_rounding_differ_at_halves_alone(halves):
    value = halves / 2
    difference = abs(round_away(value, 0) - round_even(value, 0))
    assert difference == (1 if abs(halves) % 4 == 1 else 0)


@pytest.mark.parametrize("rounded", [round_even, round_away])
@pytest.mark.parametrize("value", [1e16, -1e300, 1.7976931348623157e308, math.inf, -math.inf])
def test_what_has_no_decimals_stays_as_it_is(rounded, value):
    assert rounded(value, 6) == value


@pytest.mark.parametrize("rounded", [round_even, round_away])
def test_what_is_no_number_stays_none(rounded):
    assert math.isnan(rounded(math.nan, 3))


@given(SAMPLES, st.floats(0, 100))
def test_a_percentile_lies_between_the_closest_ranks(values, percent):
    found, wanted = percentile(values, percent), linear(values, percent)
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-9 * max(1.0, *map(abs, values)))
    assert min(values) <= found + 1e-6
    assert found <= max(values) + 1e-6


@given(SAMPLES)
def test_the_ends_of_a_percentile_are_the_least_and_the_largest_value(values):
    assert [percentile(values, percent) for percent in (-5, 0, 100, 250)] == [
        min(values), min(values), max(values), max(values),
    ]  # fmt: skip


@given(SAMPLES, st.floats(0, 100))
def test_the_order_of_the_values_does_not_matter(values, percent):
    assert percentile(values, percent) == percentile(values[::-1], percent)
    assert percentile(values, percent) == percentile_of_sorted(sorted(values), percent)


def test_without_values_there_are_no_statistics():
    assert (percentile([], 50), mean([])) == (None, None)
    stats = stats_of([], "WaitMs")
    assert (stats.name, stats.count, stats.average, stats.p50, stats.maximum) == ("WaitMs", 0, None, None, None)


def test_a_mean_is_summed_from_left_to_right():
    assert mean([1e16, 1.0, -1e16]) == 0.0
    assert mean(iter([1, 2])) == 1.5


@given(SAMPLES)
def test_statistics_have_six_decimals_and_are_in_order(values):
    stats = stats_of(values, "WaitMs")
    found = [stats.minimum, stats.p50, stats.p95, stats.p99, stats.maximum]
    assert found == sorted(found)
    assert all(number == round_even(number, 6) for number in found)
    assert stats.count == len(values)


def test_percentiles_that_were_not_asked_for_are_none():
    stats = stats_of([3.0, 1.0], "WaitMs", (95,))
    assert (stats.p50, stats.p95, stats.p99) == (None, 2.9, None)
