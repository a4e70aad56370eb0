"""Who is behind the failure of a gate: the worst few, and how many there are in all."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Callable
from enum import StrEnum

import msgspec

from statetrace.analysis.events import WireEvent
from statetrace.analysis.statistics import percentile

SHOWN = 10
"""Offenders that a result names at most."""


class Relation(StrEnum):
    """How a measure has to stand to its limit."""

    BELOW = "<"
    AT_MOST = "<="
    AT_LEAST = ">="

    def holds(self, measured: float, limit: float) -> bool:
        """Whether it does."""
        if self is Relation.BELOW:
            return measured < limit
        return measured <= limit if self is Relation.AT_MOST else measured >= limit


class Offender(msgspec.Struct, frozen=True, rename="pascal"):
    """One of those behind a failure.

    Attributes:
        site: its site, ``""`` if not told.
        host: the host, ``""`` if it is no single one's.
        event: name of the event, or of the row of an export; ``""`` for a line that is none.
        where: file and line of the event, or number of the row; ``""`` if it was none alone.
        value: what was measured of it.
        detail: more about it, in words.
    """

    site: str
    host: str
    event: str
    where: str
    value: float
    detail: str = ""

    @classmethod
    def of(cls, event: WireEvent, value: float, detail: str = "") -> Offender:
        """The host that an event tells of."""
        return cls(event.site, event.host, event.name, event.where, value, detail)


class Offenders:
    """The worst of any number of offenders, and how many there are.

    >>> offenders = Offenders()
    >>> for host, latency in (("A", 700.0), ("B", 900.0)):
    ...     offenders.add(latency, WireEvent("DatabaseWriteLatency", {"Hostname": host}))
    >>> offenders.count, [offender.host for offender in offenders.worst()]
    (2, ['B', 'A'])

    Args:
        detail: what more to say of an event. It is asked only of those that may be among the worst.
    """

    def __init__(self, detail: Callable[[WireEvent], str] = lambda _: "") -> None:
        self.count = 0
        self._detail = detail
        self._worst: list[tuple[float, int, Offender]] = []

    def add(self, value: float, event: WireEvent) -> None:
        """Take the host that an event tells of."""
        if len(self._worst) < SHOWN or value > self._worst[0][0]:
            self.take(Offender.of(event, value, self._detail(event)))
        else:
            self.count += 1

    def take(self, offender: Offender) -> None:
        """Take an offender."""
        self.count += 1
        # Among equals the first one stays.
        push = heapq.heappush if len(self._worst) < SHOWN else heapq.heappushpop
        push(self._worst, (offender.value, -self.count, offender))

    def join(self, others: Offenders) -> None:
        """Take those of others."""
        total = self.count + others.count
        for offender in others.worst():
            self.take(offender)
        self.count = total

    def above(self, bound: float, count: int) -> Offenders:
        """Those of the worst that are above a bound which is known only now, and how many there are in all."""
        found = Offenders()
        for offender in self.worst():
            if offender.value > bound:
                found.take(offender)
        found.count = count
        return found

    def worst(self) -> tuple[Offender, ...]:
        """The worst of them, those come first."""
        return tuple(offender for *_, offender in sorted(self._worst, reverse=True))


class Sample:
    """Values of one measure, one an event, and the events that went beyond its limits.

    Args:
        limit: what does not stand to it as it has to is in ``over``; ``None`` for no limit.
        higher: the same for ``beyond``.
        relation: how values have to stand to them.
    """

    def __init__(self, limit: float | None, higher: float | None = None, relation: Relation = Relation.AT_MOST) -> None:
        self.values = array("d")
        self.over = Offenders()
        self.beyond = Offenders()
        self._limits = [
            (found, offenders) for found, offenders in ((limit, self.over), (higher, self.beyond)) if found is not None
        ]
        self._relation = relation

    def add(self, value: float | None, event: WireEvent) -> None:
        """Take the value of an event, if it has one."""
        if value is None:
            return
        self.values.append(value)
        for limit, offenders in self._limits:
            if not self._relation.holds(value, limit):
                offenders.add(value, event)

    def percentile(self, percent: float) -> float | None:
        """See :func:`statetrace.analysis.statistics.percentile`."""
        return percentile(self.values, percent)


class Total:
    """A sum, and the events that added to it.

    Args:
        detail: see :class:`Offenders`.
    """

    def __init__(self, detail: Callable[[WireEvent], str] = lambda _: "") -> None:
        self.value = 0
        self.behind = Offenders(detail)

    def add(self, value: int, event: WireEvent) -> None:
        """Add what an event tells; nothing happens for 0."""
        if value > 0:
            self.value += value
            self.behind.add(int(value), event)
