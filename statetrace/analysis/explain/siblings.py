"""How a host stands among the hosts of its site in one session."""

from __future__ import annotations

from array import array

import msgspec

from statetrace.analysis.statistics import percentile, round_even
from statetrace.model import fold


class Siblings(msgspec.Struct, frozen=True, rename="pascal"):
    """The hosts of a site in one session, the one in question among them.

    Attributes:
        hosts: how many were compared with their rows.
        hits: of them those whose rows a cache supplied.
        median_ms: median of ``InterfaceCallDurationMs``, which is what a warm run compares; ``None`` if none is told.
        call_ms: that of the host itself.
        rank: its place among those, the slowest first, from 1.
    """

    hosts: int
    hits: int
    median_ms: float | None = None
    call_ms: float | None = None
    rank: int | None = None


class SiteSession:
    """Takes the hosts of a site that one session writes; one number is kept of each."""

    def __init__(self) -> None:
        self._hosts: set[str] = set()
        self._hits = 0
        self._calls: dict[str, float] = {}

    def has(self, host: str) -> bool:
        """Whether the host was written in this session."""
        return fold(host) in self._hosts

    def add_host(self, host: str, *, hit: bool) -> None:
        """Take a host, once."""
        self._hosts.add(fold(host))
        self._hits += hit

    def add_call(self, host: str, duration_ms: float | None) -> None:
        """Take how long its interface call took."""
        if duration_ms is not None:
            self._calls[fold(host)] = duration_ms

    def siblings(self, host: str) -> Siblings | None:
        """Where a host stands among all that were taken; ``None`` if it is not one of them."""
        if not self.has(host):
            return None
        calls = array("d", self._calls.values())
        median, own = percentile(calls, 50), self._calls.get(fold(host))
        return Siblings(
            len(self._hosts),
            self._hits,
            None if median is None else round_even(median, 3),
            own,
            None if own is None else 1 + sum(call > own for call in calls),
        )
