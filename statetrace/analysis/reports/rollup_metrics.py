"""The metrics of the daily rollup: how the events of one scope become rows (reference: warm-run-and-gates 7)."""

from __future__ import annotations

import math
import operator
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce
from typing import Any, Protocol

import msgspec

from statetrace.analysis.events import WireEvent
from statetrace.analysis.statistics import percentile, round_away, round_even
from statetrace.model import fold

REQUIRED_ACTIONS = ("ScanLogs", "LoadFromDb", "HelpQuickstart", "InterfacesView", "CompareView", "SpanSnapshot")
"""What users of the original's window should have done; ``UserActionCoverage`` counts them."""

_DIGITS = 3
_EXECUTED = ("", fold("Executed"))


class RollupRow(msgspec.Struct, frozen=True, rename="pascal"):
    """One metric of one scope on one day.

    Attributes:
        date: ``yyyy-MM-dd``; for a file that is not named after a day the name of the file.
        scope: ``All`` for all events, or a site. Nothing but their place tells the rows of a site that is itself called
            ``All``: they come after those of all events.
        metric: what was measured, with the unit of a duration.
        count: number of values, or of events.
        average: with three decimals, like ``p95`` and ``maximum``; ``None`` where the metric has no such figure.
        maximum: written ``Max``.
        total: sum of the values; of ``SkippedDuplicate`` the number of hosts, of ``UserActionCoverage`` of actions.
        secondary_total: deleted rows, or the sum of denominators, or the actions that are missing.
        notes: what there is to say beyond numbers.
    """

    date: str
    scope: str
    metric: str
    count: int
    average: float | None = None
    p95: float | None = None
    maximum: float | None = msgspec.field(default=None, name="Max")
    total: float | None = None
    secondary_total: float | str | None = None
    notes: str | None = None


class Metric(Protocol):
    """Takes the events of one name in one scope."""

    def add(self, event: WireEvent) -> None:
        """Take one event."""

    def rows(self, row: Callable[..., RollupRow]) -> Iterator[RollupRow]:
        """The rows, made by ``row(metric, count, ...)``; none if there is nothing to tell."""


class _Tally:
    """Counts texts in any case under their first spelling; blank ones do not count."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[str, int]] = {}

    def add(self, text: str) -> None:
        if text:
            key = fold(text)
            spelling, count = self._counts.get(key, (text, 0))
            self._counts[key] = spelling, count + 1

    def __getitem__(self, text: str) -> int:
        return self._counts.get(fold(text), ("", 0))[1]

    def items(self) -> list[tuple[str, int]]:
        """Sorted by name."""
        return [self._counts[key] for key in sorted(self._counts)]

    def note(self, label: str) -> str:
        counts = ",".join(f"{spelling}={count}" for spelling, count in self.items())
        return counts and f"{label}={counts}"


class _Distribution:
    """The values of one field."""

    def __init__(self, metric: str, field: str) -> None:
        self._metric = metric
        self._field = field
        self._values = array("d")  # eight bytes an event, in the order of the file

    def add(self, event: WireEvent) -> None:
        if (value := event.number(self._field)) is not None:
            self._values.append(value)

    def rows(self, row: Callable[..., RollupRow]) -> Iterator[RollupRow]:
        if self._values:
            yield row(self._metric, len(self._values), **_figures(self._values), notes=self._notes())

    def _notes(self) -> str | None:
        return None


class _ParseDuration(_Distribution):
    def __init__(self) -> None:
        super().__init__("ParseDurationSeconds", "DurationSeconds")
        self._failures = 0

    def add(self, event: WireEvent) -> None:
        super().add(event)
        self._failures += event.text("Success").casefold() == "false"  # without the field it succeeded

    def _notes(self) -> str | None:
        return f"Failures={self._failures}" if self._failures else None


class _CompareDuration(_Distribution):
    def __init__(self) -> None:
        super().__init__("DiffCompareDurationMs", "DurationMs")
        self._statuses = _Tally()

    def add(self, event: WireEvent) -> None:
        self._statuses.add(status := event.text("Status"))
        if fold(status) in _EXECUTED:
            super().add(event)

    def _notes(self) -> str | None:
        return _joined(self._statuses.note("Statuses"))


class _CompareResults:
    """What comparisons found: the total, and the parts that it stands for."""

    PARTS = ("Added", "Removed", "Changed", "Unchanged")

    def __init__(self) -> None:
        self._totals = array("d")
        self._parts = dict.fromkeys(self.PARTS, 0.0)
        self._statuses = _Tally()

    def add(self, event: WireEvent) -> None:
        self._statuses.add(status := event.text("Status"))
        if fold(status) not in _EXECUTED:
            return
        parts = {part: float(event.number(f"{part}Count") or 0) for part in self.PARTS}
        total = event.number("TotalCount") or 0
        self._totals.append(total if total > 0 else sum(parts.values()))
        for part, count in parts.items():
            self._parts[part] += count

    def rows(self, row: Callable[..., RollupRow]) -> Iterator[RollupRow]:
        if self._totals:
            figures = _figures(self._totals) | {"total": _whole(_sum(self._totals))}
            parts = (f"{part}={_whole(count)}" for part, count in self._parts.items())
            notes = _joined(*parts, self._statuses.note("Statuses"))
            yield row("DiffCompareResultCounts", len(self._totals), **figures, notes=notes)


class _CacheFetch:
    """How long hosts waited for the rows of their site. Those that did not wait at all are counted apart."""

    def __init__(self) -> None:
        self._waits = array("d")
        self._zeros = 0
        self._statuses, self._providers = _Tally(), _Tally()

    def add(self, event: WireEvent) -> None:
        value = event.number("SiteCacheFetchDurationMs")
        if value is not None and value > 0:
            self._waits.append(value)
        elif value is not None:
            self._zeros += 1
        self._statuses.add(event.text("SiteCacheFetchStatus"))
        self._providers.add(event.text("SiteCacheProvider"))

    def rows(self, row: Callable[..., RollupRow]) -> Iterator[RollupRow]:
        statuses = self._statuses.note("Statuses")
        if self._waits or self._zeros or statuses:
            notes = _joined(statuses, self._providers.note("Providers"), f"ZeroCount={self._zeros}")
            # Without any wait the original's figures are 0, not empty as everywhere else.
            yield row("SiteCacheFetchDurationMs", len(self._waits), **_figures(self._waits or (0.0,)), notes=notes)


class _Hosts:
    """Events, and how many hosts they tell of."""

    def __init__(self) -> None:
        self._events = 0
        self._hosts: set[str] = set()

    def add(self, event: WireEvent) -> None:
        self._events += 1
        if host := event.host:
            self._hosts.add(fold(host))

    def _notes(self) -> str:
        return f"UniqueHosts={len(self._hosts)}"


class _RowsWritten(_Hosts):
    def __init__(self) -> None:
        super().__init__()
        self._rows = self._deleted = 0.0

    def add(self, event: WireEvent) -> None:
        super().add(event)
        self._rows += event.number("Rows") or 0
        self._deleted += event.number("DeletedRows") or 0

    def rows(self, row: Callable[..., RollupRow]) -> Iterator[RollupRow]:
        deleted = _whole(self._deleted) if self._deleted > 0 else None
        yield row("RowsWritten", self._events, total=_whole(self._rows), secondary_total=deleted, notes=self._notes())


class _SkippedDuplicate(_Hosts):
    def rows(self, row: Callable[..., RollupRow]) -> Iterator[RollupRow]:
        yield row("SkippedDuplicate", self._events, total=len(self._hosts), notes=self._notes())


class _UsageRate:
    """A rate over all events, not the mean of their rates."""

    def __init__(self) -> None:
        self._events = 0
        self._numerator = self._denominator = 0.0
        self._statuses = _Tally()

    def add(self, event: WireEvent) -> None:
        self._events += 1
        self._numerator += event.number("UsageNumerator") or 0
        self._denominator += event.number("UsageDenominator") or 0
        self._statuses.add(event.text("Status"))

    def rows(self, row: Callable[..., RollupRow]) -> Iterator[RollupRow]:
        yield row(
            "DiffUsageRate",
            self._events,
            average=self._rate(),
            total=_whole(self._numerator),
            secondary_total=_whole(self._denominator),
            notes=_joined(self._statuses.note("Statuses")),
        )

    def _rate(self) -> float | None:
        rate = self._numerator / self._denominator if self._denominator else math.nan
        return round_away(rate, _DIGITS) if math.isfinite(rate) else None


class _UserActions:
    """A row an action, and two on all of them."""

    def __init__(self) -> None:
        self._actions = _Tally()

    def add(self, event: WireEvent) -> None:
        self._actions.add(event.text("Action"))

    def rows(self, row: Callable[..., RollupRow]) -> Iterator[RollupRow]:
        if not (actions := self._actions.items()):
            return
        order = {fold(action): rank for rank, action in enumerate(REQUIRED_ACTIONS)}
        for action, count in sorted(actions, key=lambda item: order.get(fold(item[0]), len(order))):
            yield row("UserAction", count, notes=f"Action={action}")
        missing = ",".join(action for action in REQUIRED_ACTIONS if not self._actions[action])
        yield row(
            "UserActionCoverage",
            sum(self._actions[action] > 0 for action in REQUIRED_ACTIONS),
            total=len(REQUIRED_ACTIONS),
            secondary_total=missing or None,
            notes=f"Missing={missing}" if missing else "All required actions present",
        )
        yield row("UserActionTotal", sum(count for _, count in actions))


def _figures(values: Sequence[float]) -> dict[str, Any]:
    total = _sum(values)
    figures = {"average": total / len(values), "p95": percentile(values, 95), "maximum": max(values), "total": total}
    return {name: round_away(figure or 0.0, _DIGITS) for name, figure in figures.items()}


def _sum(values: Sequence[float]) -> float:
    # Not sum(): from Python 3.12 on it compensates rounding errors, which the original does not.
    return reduce(operator.add, values, 0.0)


def _whole(total: float) -> float:
    rounded = round_even(total, 0)
    return int(rounded) if rounded.is_integer() else rounded


def _joined(*notes: str) -> str | None:
    return "; ".join(filter(None, notes)) or None


CACHE_FETCH_EVENT = "InterfaceSyncTiming"
METRICS: dict[str, Callable[[], Metric]] = {
    CACHE_FETCH_EVENT: _CacheFetch,
    "DatabaseWriteLatency": partial(_Distribution, "DatabaseWriteLatencyMs", "LatencyMs"),
    "DiffCompareDurationMs": _CompareDuration,
    "DiffCompareResultCounts": _CompareResults,
    "DiffUsageRate": _UsageRate,
    "DriftDetectionTime": partial(_Distribution, "DriftDetectionTimeMinutes", "DurationMinutes"),
    "ParseDuration": _ParseDuration,
    "RowsWritten": _RowsWritten,
    "SkippedDuplicate": _SkippedDuplicate,
    "UserAction": _UserActions,
}
"""Name of an event and what it is gathered by."""
