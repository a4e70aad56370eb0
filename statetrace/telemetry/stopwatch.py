"""Stage times and ratios, in the form in which events carry them."""

from __future__ import annotations

from time import perf_counter_ns
from typing import Self


def round_ms(duration: float) -> float:
    """Milliseconds with three decimals, half to even: of nanoseconds when given an ``int``, of seconds for a ``float``.

    >>> round_ms(1_234_567), round_ms(0.0015)
    (1.235, 1.5)
    """
    return round(duration / 1e6 if isinstance(duration, int) else duration * 1e3, 3)


def ratio(hits: int, misses: int) -> float | None:
    """``hits`` / (``hits`` + ``misses``) with six decimals, ``None`` when there were neither.

    >>> ratio(116, 4), ratio(0, 0)
    (0.966667, None)
    """
    total = hits + misses
    return round(hits / total, 6) if total else None


class Stopwatch:
    """Adds up the time of one stage; one clock read a boundary.

    Start and stop it as often as the stage is entered, or let it tell consecutive stages apart:

    >>> watch = Stopwatch().start()
    >>> query_ns = watch.lap()       # what came first
    >>> build_ns = watch.lap()       # what followed
    >>> watch.ns == query_ns + build_ns, watch.ms == round_ms(watch.ns)
    (True, True)

    A watch belongs to one thread.

    Attributes:
        ns: nanoseconds of all finished laps.
    """

    __slots__ = ("_since", "ns")

    ns: int

    def __init__(self) -> None:
        self.ns = 0
        self._since = 0

    @property
    def ms(self) -> float:
        """Milliseconds of all finished laps, three decimals."""
        return round_ms(self.ns)

    def start(self) -> Self:
        """Begin a lap now; what passed since the last one does not count."""
        self._since = perf_counter_ns()
        return self

    def lap(self) -> int:
        """End the lap and begin the next one with the same clock read; returns the nanoseconds of the ended one."""
        now = perf_counter_ns()
        lap = now - self._since
        self._since = now
        self.ns += lap
        return lap

    stop = lap
    """End the lap. The next one begins with ``start``."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.lap()
