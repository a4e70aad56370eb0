"""How long port batches wait until their queue is built, held against limits."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import ClassVar

import msgspec

from statetrace.analysis.events import WireEvent, analyze
from statetrace.analysis.instants import now_ticks, utc_text
from statetrace.analysis.statistics import mean, percentile_of_sorted, round_even

PASS, FAIL, INSUFFICIENT_DATA = "Pass", "Fail", "InsufficientData"
"""Results of a report: the delays keep to the limits, they do not, there are too few to tell."""


class QueueDelayThresholds(msgspec.Struct, frozen=True, rename="pascal"):
    """What the delays have to keep to.

    Attributes:
        minimum_event_count: fewest delays that allow a verdict.
        maximum_queue_delay_p95_ms: largest 95th percentile, in milliseconds; below 0 for no limit.
        maximum_queue_delay_p99_ms: largest 99th percentile, likewise.
    """

    minimum_event_count: int = 10
    maximum_queue_delay_p95_ms: float = 120
    maximum_queue_delay_p99_ms: float = 200


class SampleStats(msgspec.Struct, frozen=True, rename="pascal"):
    """A distribution of milliseconds; ``None`` where there are no values.

    Attributes:
        name: of what.
        sample_count: number of values.
        count: the same.
        average: mean of the sorted values.
        minimum: written ``Min``.
        maximum: written ``Max``.
        p50: the median.
    """

    name: str
    sample_count: int
    count: int
    average: float | None
    minimum: float | None = msgspec.field(name="Min")
    maximum: float | None = msgspec.field(name="Max")
    p50: float | None
    p95: float | None
    p99: float | None


class QueueDelayStatistics(msgspec.Struct, frozen=True, rename="pascal"):
    """What was measured.

    Attributes:
        sample_count: number of delays.
        queue_build_delay_ms: the delays.
        queue_build_duration_ms: how long building took, ``None`` if no event tells.
    """

    sample_count: int
    queue_build_delay_ms: SampleStats
    queue_build_duration_ms: SampleStats | None


class QueueDelayReport(msgspec.Struct, frozen=True, rename="pascal"):
    """The verdict on the delays (reference: warm-run-and-gates 3.4 and 6.8).

    Attributes:
        generated_at_utc: when this was computed.
        source_telemetry_path: where the events came from, joined by commas.
        passed: written ``Pass``; whether ``result`` is ``Pass``.
        result: ``Pass``, ``Fail`` or ``InsufficientData``.
        thresholds: what the delays were held against.
        statistics: what was measured.
        violations: ``QueueDelayP95``, ``QueueDelayP99``; ``EventCount`` and ``InsufficientData`` if there are too few.
        messages: what is wrong, in words.
    """

    generated_at_utc: str
    source_telemetry_path: str
    passed: bool = msgspec.field(name="Pass")
    result: str
    thresholds: QueueDelayThresholds
    statistics: QueueDelayStatistics
    violations: list[str]
    messages: list[str]


_DEFAULTS = QueueDelayThresholds()


def delay_of(event: WireEvent) -> float | None:
    """How long the batches of an ``InterfacePortQueueMetrics`` waited: ``QueueDelayMs``, else ``QueueBuildDelayMs``."""
    return _first_number(event, "QueueDelayMs", "QueueBuildDelayMs")


class QueueDelays:
    """Gathers the delays of ``InterfacePortQueueMetrics`` and judges them.

    The delay of an event is that of :func:`delay_of`, its duration ``QueueBuildDurationMs``, else ``QueueDurationMs``.

    >>> delays = QueueDelays()
    >>> for delay in (45, 60, 72, 48):
    ...     delays.add(WireEvent("InterfacePortQueueMetrics", {"QueueBuildDelayMs": delay}))
    >>> report = delays.result(QueueDelayThresholds(minimum_event_count=3))
    >>> report.result, report.statistics.queue_build_delay_ms.p99
    ('Pass', 71.64)
    """

    EVENTS: ClassVar[frozenset[str] | None] = frozenset({"InterfacePortQueueMetrics"})

    def __init__(self) -> None:
        self._delays = array("d")
        self._durations = array("d")

    def add(self, event: WireEvent) -> None:
        """Take the delay and duration of one queue."""
        if (delay := delay_of(event)) is not None:
            self._delays.append(delay)
        if (duration := _first_number(event, "QueueBuildDurationMs", "QueueDurationMs")) is not None:
            self._durations.append(duration)

    def result(
        self, thresholds: QueueDelayThresholds = _DEFAULTS, files: Sequence[str] = (), *, digits: int | None = 6
    ) -> QueueDelayReport:
        """The verdict on everything so far. It is on what was measured, not on what was rounded.

        Args:
            thresholds: what the delays are held against.
            files: where the events came from, for the report.
            digits: decimals of the statistics; ``None`` does not round them, as the original's verification.
        """
        delays = sorted(self._delays)
        violations, messages = _judge(delays, thresholds)
        result = PASS if not violations else INSUFFICIENT_DATA if INSUFFICIENT_DATA in violations else FAIL
        durations = sorted(self._durations)
        return QueueDelayReport(
            generated_at_utc=utc_text(now_ticks()),
            source_telemetry_path=", ".join(files),
            passed=result == PASS,
            result=result,
            thresholds=thresholds,
            statistics=QueueDelayStatistics(
                len(delays),
                _sample_stats(delays, "QueueBuildDelayMs", digits),
                _sample_stats(durations, "QueueBuildDurationMs", digits) if durations else None,
            ),
            violations=violations,
            messages=messages,
        )


def queue_delays(
    events: Iterable[WireEvent], thresholds: QueueDelayThresholds = _DEFAULTS, *, files: Sequence[str] = ()
) -> QueueDelayReport:
    """The verdict on the delays among the events; see :class:`QueueDelays`."""
    delays = QueueDelays()
    analyze(events, delays)
    return delays.result(thresholds, files)


def _first_number(event: WireEvent, *fields: str) -> float | None:
    return next((value for field in fields if (value := event.number(field)) is not None), None)


def _judge(delays: list[float], thresholds: QueueDelayThresholds) -> tuple[list[str], list[str]]:
    """Codes and messages of what is wrong with the sorted delays."""
    wanted = max(thresholds.minimum_event_count, 1)
    if len(delays) < wanted:
        return ["EventCount", INSUFFICIENT_DATA], [f"{len(delays)} queue delays were measured, {wanted} are needed"]
    violations, messages = [], []
    limits = ((95, thresholds.maximum_queue_delay_p95_ms), (99, thresholds.maximum_queue_delay_p99_ms))
    for percent, limit in limits:
        measured = percentile_of_sorted(delays, percent) or 0.0
        if 0 <= limit < measured:
            violations.append(f"QueueDelayP{percent}")
            messages.append(f"the queue delay's p{percent} is {measured:,.3f} ms, {limit:,g} ms are allowed")
    return violations, messages


def _sample_stats(values: list[float], name: str, digits: int | None) -> SampleStats:
    measured = (
        mean(values),
        *(values[index] if values else None for index in (0, -1)),
        *(percentile_of_sorted(values, percent) for percent in (50, 95, 99)),
    )
    rounded = [value if value is None or digits is None else round_even(value, digits) for value in measured]
    return SampleStats(name, len(values), len(values), *rounded)
