"""Every benchmark runs our way and its floor in the same process; the ratios are printed at the end."""

from __future__ import annotations

import os
import timeit
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


class Ratio(NamedTuple):
    """What our way took beside its floor, the plainest possible code for the same work."""

    name: str
    ours_seconds: float
    floor_seconds: float
    limit: float | None


class Value(NamedTuple):
    """A figure that has no floor, and its limit."""

    name: str
    value: str
    limit: str


class Ratios:
    """Collects the figures of a run and holds them to their limits.

    A machine that is busy with other things measures worse; ``STATETRACE_BENCH_TOLERANCE`` (default 1) is what limits
    are multiplied by there.
    """

    tolerance = float(os.environ.get("STATETRACE_BENCH_TOLERANCE", "1"))

    def __init__(self) -> None:
        self.entries: list[Ratio] = []
        self.values: list[Value] = []

    def record_value(self, name: str, value: str, limit: str) -> None:
        """Note a figure that stands for itself."""
        self.values.append(Value(name, value, limit))

    def record(self, name: str, ours_seconds: float, floor_seconds: float, limit: float | None = None) -> float:
        """Note a measurement for the table and return its ratio, which must not be larger than ``limit``."""
        self.entries.append(Ratio(name, ours_seconds, floor_seconds, limit))
        ratio = ours_seconds / floor_seconds
        assert limit is None or ratio <= limit * self.tolerance, f"{name}: {ratio:.2f} is more than {limit}"
        return ratio

    @staticmethod
    def best_seconds(function: Callable[[], object], number: int = 1, repeat: int = 5) -> float:
        """Seconds that one call takes: the best of ``repeat`` times ``number`` calls."""
        return min(timeit.repeat(function, number=number, repeat=repeat)) / number


_RATIOS = pytest.StashKey[Ratios]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_RATIOS] = Ratios()


@pytest.fixture(scope="session")
def ratios(pytestconfig: pytest.Config) -> Ratios:
    return pytestconfig.stash[_RATIOS]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    entries, values = config.stash[_RATIOS].entries, config.stash[_RATIOS].values
    if not entries and not values:
        return
    width = max(len("name"), *(len(entry.name) for entry in (*entries, *values)))
    terminalreporter.section("ours beside the floor")
    terminalreporter.write_line(f"{'name':{width}} | {'ours':>10} | {'floor':>10} | {'ratio':>8} | limit")
    for name, ours, floor, limit in entries:
        bound = "-" if limit is None else f"{limit:g}"
        terminalreporter.write_line(
            f"{name:{width}} | {_seconds(ours):>10} | {_seconds(floor):>10} | {ours / floor:>8.2f} | {bound}"
        )
    for name, value, value_limit in values:
        terminalreporter.write_line(f"{name:{width}} | {value:>10} | {'':>10} | {'':>8} | {value_limit}")


def _seconds(seconds: float) -> str:
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.2f} {unit}"
    return f"{seconds * 1e9:.1f} ns"
