"""Single flight: of many callers that want the same thing at once, one does the work and all share the outcome."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

T = TypeVar("T")


class Flight(Generic[T]):
    """One piece of work under way: who does it, and what will come of it."""

    def __init__(self, serial: int) -> None:
        self.serial = serial
        self.owner = threading.get_ident()
        self._outcome: Future[T | None] = Future()

    def land(self, value: T) -> None:
        self._outcome.set_result(value)

    def fail(self, error: Exception) -> None:
        self._outcome.set_exception(error)

    def abandon(self) -> None:
        """End without an outcome, as after a keyboard interrupt: whoever waits has to do the work himself."""
        self._outcome.set_result(None)

    def wait(self) -> T | None:
        """The outcome, ``None`` if the flight was abandoned; raises what the work raised."""
        self.wait_ended()
        return self._outcome.result()

    def wait_ended(self) -> None:
        """Wait for the end, whatever comes of it."""
        if self.owner == threading.get_ident():
            raise RuntimeError("the work waits for itself: it asked for what it is about to make")
        wait([self._outcome])


class SingleFlight(Generic[T]):
    """Flights by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[str, Flight[T]] = {}
        self._serial = 0

    def run(self, key: str, work: Callable[[], T], *, anew: bool = False) -> tuple[T, bool]:
        """The outcome of ``work`` for ``key``, and whether this caller did it.

        A caller that finds a flight under way waits for it and shares its outcome, also when it fails. With ``anew``
        only a flight that began after this call counts: what a refresh returns was read after it was asked for.
        """
        with self._lock:
            oldest = self._serial + 1 if anew else 0
        while True:
            with self._lock:
                flight = self._flights.get(key)
                mine = flight is None
                if flight is None:
                    self._serial += 1
                    flight = self._flights[key] = Flight(self._serial)
            if mine:
                return self._fly(key, flight, work), True
            if flight.serial < oldest:
                flight.wait_ended()
                continue
            value = flight.wait()
            if value is not None:
                return value, False

    def _fly(self, key: str, flight: Flight[T], work: Callable[[], T]) -> T:
        try:
            value = work()
        except Exception as error:
            self._end(key)
            flight.fail(error)
            raise
        except BaseException:
            self._end(key)
            flight.abandon()
            raise
        # The flight ends before its outcome is told, so whoever asks anew from then on starts another one.
        self._end(key)
        flight.land(value)
        return value

    def _end(self, key: str) -> None:
        with self._lock:
            del self._flights[key]
