"""For the tests of those who use the library: capture the events that it emits."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from statetrace.telemetry import NO_TELEMETRY, Event, Telemetry

if TYPE_CHECKING:
    from collections.abc import Iterator

E = TypeVar("E", bound=Event)


class EventCapture:
    """A sink that keeps the events instead of writing them.

    >>> from statetrace.telemetry import InterfaceSiteCacheReuseState, Telemetry
    >>> captured = EventCapture()
    >>> telemetry = Telemetry(captured)     # hand this to a cache, a repository, an engine
    >>> telemetry.emit(InterfaceSiteCacheReuseState(site="WLLS", host_count=1, total_rows=48, keys_sample="WLLS-A01"))
    >>> captured.names
    ['InterfaceSiteCacheReuseState']
    >>> [event.total_rows for event in captured.of(InterfaceSiteCacheReuseState)]
    [48]

    Threads may emit into it at the same time.
    """

    def __init__(self) -> None:
        self._events: list[Event] = []

    @property
    def events(self) -> list[Event]:
        """All events so far, in the order in which they were emitted."""
        return self._events.copy()

    @property
    def names(self) -> list[str]:
        """The names of all events so far."""
        return [type(event).__name__ for event in self.events]

    def of(self, kind: type[E]) -> list[E]:
        """The events of one class."""
        return [event for event in self.events if isinstance(event, kind)]

    def clear(self) -> None:
        """Forget all events."""
        self._events.clear()

    def write(self, event: Event) -> None:
        """Keep the event."""
        self._events.append(event)

    def close(self) -> None:
        """Keep what is there; nothing needs to be released."""


@contextmanager
def capture_events(telemetry: Telemetry = NO_TELEMETRY) -> Iterator[EventCapture]:
    """Catch what is emitted through ``telemetry`` within the block; nothing of it reaches its own sink.

    Without an argument these are the events of everything that was given no telemetry.

    >>> from statetrace.telemetry import InterfaceSiteCacheClearInvocation, Telemetry
    >>> telemetry = Telemetry()             # that of an engine, say
    >>> with capture_events(telemetry) as captured:
    ...     telemetry.emit(InterfaceSiteCacheClearInvocation(reason="Test"))
    >>> captured.names, telemetry.enabled
    (['InterfaceSiteCacheClearInvocation'], False)
    """
    captured = EventCapture()
    with telemetry.redirected(captured):
        yield captured
