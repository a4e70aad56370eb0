"""Single flight: of many callers that want the same thing at once, one does the work and all share the outcome."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class _Flight(Generic[T]):
    """One piece of work under way: who does it, and what came of it once it is done."""

    def __init__(self) -> None:
        self.serial = 0
        self.owner = threading.get_ident()
        self.done = threading.Event()
        # Neither is there when the work was interrupted, as from the keyboard: then whoever waits does it himself.
        self.result: tuple[T] | None = None
        self.error: Exception | None = None


class SingleFlight(Generic[T]):
    """Flights by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight[T]] = {}
        self._serial = 0

    def run(self, key: Hashable, work: Callable[[], T], *, anew: bool = False) -> tuple[T, bool]:
        """The outcome of ``work`` for ``key``, and whether this caller did it.

        A caller that finds a flight under way waits for it and shares its outcome, also when it fails. With ``anew``
        only a flight that began after this call counts: what a refresh returns was read after it was asked for.

        Raises:
            RuntimeError: ``work`` asks for what it is about to make.
        """
        with self._lock:
            oldest = self._serial + 1 if anew else 0
        while True:
            mine = _Flight[T]()
            try:
                with self._lock:
                    flight = self._flights.get(key)
                    if flight is None or flight.done.is_set():  # done, and perhaps interrupted before it was taken out
                        flight = self._flights[key] = mine
                        self._serial += 1
                        mine.serial = self._serial
                if flight is mine:
                    value = work()
                    mine.result = (value,)
                    return value, True
            except Exception as error:
                mine.error = error
                raise
            finally:
                # Whatever interrupted the work or interrupts this, nobody must wait forever.
                try:
                    mine.done.set()
                finally:
                    with self._lock:
                        if self._flights.get(key) is mine:
                            del self._flights[key]
            if flight.owner == threading.get_ident():
                raise RuntimeError("the work waits for itself: it asked for what it is about to make")
            flight.done.wait()
            if flight.serial >= oldest:
                if flight.error is not None:
                    raise flight.error
                if flight.result is not None:
                    return flight.result[0], False
