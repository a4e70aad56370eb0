"""The statistics of all reports: percentile, mean and the two ways of rounding.

They are those of the original bit for bit, so that figures can be compared without a tolerance
(reference: warm-run-and-gates 1.2 and 1.3).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

_NO_DECIMALS = 1e16  # from here on .NET rounds nothing, and scaling could overflow


def percentile(values: Iterable[float], percent: float) -> float | None:
    """The value below which ``percent`` of the values lie, interpolated between the closest ranks; ``None`` for none.

    ``percent`` is held between 0 and 100.

    >>> round_even(percentile([987, 1722, 694, 795, 805, 755, 911, 792, 703, 737, 736, 868], 95), 3)
    1317.75
    """
    return percentile_of_sorted(sorted(values), percent)


def percentile_of_sorted(values: Sequence[float], percent: float) -> float | None:
    """``percentile`` of values that are sorted already."""
    if not values:
        return None
    position = min(max(percent, 0.0), 100.0) / 100 * (len(values) - 1)
    low, high = math.floor(position), math.ceil(position)
    if low == high:
        return values[low]
    return values[low] + (values[high] - values[low]) * (position - low)


def mean(values: Iterable[float]) -> float | None:
    """The arithmetic mean, summed from left to right; ``None`` for no values."""
    # Not sum(): from Python 3.12 on it compensates rounding errors, which the original does not.
    total, count = 0.0, 0
    for value in values:
        total += value
        count += 1
    return total / count if count else None


def round_even(value: float, digits: int) -> float:
    """Rounded to so many decimals, halves to the even digit, by scaling as .NET does.

    >>> round_even(0.0125, 3), round_even(46.1967, 2)
    (0.012, 46.2)
    """
    if not abs(value) < _NO_DECIMALS:
        return value
    scale = 10.0**digits
    return round(value * scale) / scale


def round_away(value: float, digits: int) -> float:
    """Rounded to so many decimals, halves away from zero, by scaling as .NET does.

    >>> round_away(0.0125, 3), round_away(-0.5, 0)
    (0.013, -1.0)
    """
    if not abs(value) < _NO_DECIMALS:
        return value
    scale = 10.0**digits
    fraction, whole = math.modf(value * scale)
    return (whole + math.copysign(abs(fraction) >= 0.5, fraction)) / scale  # noqa: PLR2004  # what halves are


class Stats(msgspec.Struct, frozen=True, rename="pascal"):
    """A distribution in a few numbers, each with six decimals; ``None`` where there are no values.

    Attributes:
        name: of what.
        count: number of values.
        average: mean of the sorted values.
        minimum: written ``Min``.
        maximum: written ``Max``.
        p50: the median; like the other percentiles ``None`` when it was not asked for.
    """

    name: str
    count: int = 0
    average: float | None = None
    minimum: float | None = msgspec.field(default=None, name="Min")
    maximum: float | None = msgspec.field(default=None, name="Max")
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


def stats_of(values: Iterable[float], name: str, percents: Sequence[int] = (50, 95, 99)) -> Stats:
    """The statistics of the values (reference: warm-run-and-gates 5).

    >>> stats_of([1.0, 2.0, 4.0], "WaitMs", (50,)).p50
    2.0
    """
    ordered = sorted(values)
    average = mean(ordered)
    if average is None:
        return Stats(name)
    wanted = {f"p{percent}": round_even(percentile_of_sorted(ordered, percent) or 0.0, 6) for percent in percents}
    return Stats(
        name,
        len(ordered),
        round_even(average, 6),
        round_even(ordered[0], 6),
        round_even(ordered[-1], 6),
        **wanted,
    )
