"""An event as it was read, and how analyses are given events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, ClassVar, Protocol

import msgspec

from statetrace.analysis.instants import ticks_of
from statetrace.model import fold, site_of

UNKNOWN = "Unknown"
"""Stands for a site, provider or operation that an event leaves blank."""

_LARGEST = 1e300
"""Numbers up to here have finite sums, however many there are."""
_COUNTS_END = 1 << 63


class WireEvent(msgspec.Struct, gc=False):
    """One event of a telemetry file.

    Fields are those of the wire. Numbers may be integers or not, names of hosts and sites may differ in case from event
    to event, anything may be missing: the methods give what a field means, whatever it is.

    Attributes:
        name: ``EventName``.
        fields: all of the line's, ``EventName`` and ``Timestamp`` included.
        file: the file that it was read from, ``""`` if from none.
        line: its line there, counted from 1.
    """

    name: str
    fields: dict[str, Any]
    file: str = ""
    line: int = 0

    def text(self, *names: str) -> str:
        """The first of these fields that is not blank, trimmed; ``""`` if there is none."""
        for name in names:
            value = self.fields.get(name)
            if value is not None and (text := str(value).strip()):
                return text
        return ""

    def number(self, name: str) -> int | float | None:
        """The field as a number of at most 1e300, so that sums are finite; ``None`` if it is none.

        A text is one if it is written as JSON or PowerShell write numbers, which Python reads in more ways.
        """
        value = self.fields.get(name)
        if isinstance(value, str):
            if not value.isascii() or "_" in value:
                return None
            try:
                value = float(value)
            except ValueError:
                return None
        if type(value) is int or isinstance(value, float):
            return value if -_LARGEST <= value <= _LARGEST else None
        return None

    def count(self, name: str) -> int:
        """The field as a whole number; 0 if it is none, or none that 64 bits hold."""
        number = self.number(name) or 0
        return int(number) if abs(number) < _COUNTS_END else 0

    def flag(self, name: str) -> bool:
        """Whether the field is ``true``."""
        value = self.fields.get(name)
        return value is True or (isinstance(value, str) and value.strip().casefold() == "true")

    @property
    def site(self) -> str:
        """The site it tells of; ``""`` if of none."""
        return self.text("Site")

    @property
    def host(self) -> str:
        """The host it tells of; ``""`` if of none."""
        return self.text("Hostname", "HostName", "Host")

    @property
    def timestamp(self) -> str:
        """The time as written, with offset."""
        return self.text("Timestamp")

    @property
    def ticks(self) -> int | None:
        """The time in units of 100 nanoseconds since 1970 (UTC); ``None`` if there is none that can be read."""
        return ticks_of(self.fields.get("Timestamp"))

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return f"{self.file}:{self.line}" if self.file else ""


class Analysis(Protocol):
    """Takes events one by one, in the order of the files."""

    EVENTS: ClassVar[frozenset[str] | None]
    """The names of the events that it wants; ``None`` for all."""

    def add(self, event: WireEvent) -> None:
        """Take one event that it wants."""


def analyze(events: Iterable[WireEvent], *analyses: Analysis) -> None:
    """Give all events to the analyses that want them, in one go through the events."""
    takers: dict[str, list[Callable[[WireEvent], None]]] = {}
    for event in events:
        wanted = takers.get(event.name)
        if wanted is None:
            name = fold(event.name)
            wanted = takers[event.name] = [
                analysis.add
                for analysis in analyses
                if analysis.EVENTS is None or any(name == fold(other) for other in analysis.EVENTS)
            ]
        for add in wanted:
            add(event)


class Selection(msgspec.Struct, frozen=True):
    """Which events count.

    Attributes:
        start: ticks of the first moment that counts, see :attr:`WireEvent.ticks`; ``None`` for no limit.
        end: ticks of the last one, which counts too.
        sites: codes of sites, in any case; none for all. The site of an event that names none is that of its host.
        hosts: likewise.
    """

    start: int | None = None
    end: int | None = None
    sites: Collection[str] = ()
    hosts: Collection[str] = ()

    def of(self, events: Iterable[WireEvent]) -> Iterator[WireEvent]:
        """The events that count. Those without a time are out as soon as there is a limit."""
        start, end = self.start, self.end
        timed = start is not None or end is not None
        sites, hosts = frozenset(map(fold, self.sites)), frozenset(map(fold, self.hosts))
        for event in events:
            if timed:
                ticks = event.ticks
                if ticks is None or (start is not None and ticks < start) or (end is not None and ticks > end):
                    continue
            if sites and fold(event.site or site_of(event.host)) not in sites:
                continue
            if hosts and fold(event.host) not in hosts:
                continue
            yield event
