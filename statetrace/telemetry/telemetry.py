"""``Telemetry``: what every part of the library hands its events to."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from statetrace.telemetry.sink import DirectorySink, Sink

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from structlog.typing import Processor

    from statetrace.telemetry.events import Event

_log = logging.getLogger("statetrace.telemetry")


class Telemetry:
    """Takes events to a sink; without a sink it does nothing at all.

    Where making the event costs something, ask first:

    >>> from statetrace.telemetry import InterfaceSiteCacheReuseState
    >>> telemetry, hosts = Telemetry(), {"WLLS-A01-AS-01": 48, "WLLS-A01-AS-11": 48}
    >>> if telemetry.enabled:
    ...     sample, rows = ",".join(list(hosts)[:5]), sum(hosts.values())
    ...     telemetry.emit(InterfaceSiteCacheReuseState(site="WLLS", host_count=2, total_rows=rows, keys_sample=sample))

    All methods may be called from any thread.

    Attributes:
        failures: events that could not be written so far. The first failure is logged as a warning of the logger
            ``statetrace.telemetry``; none is ever raised.
    """

    __slots__ = ("_sink", "failures")

    failures: int

    def __init__(self, sink: Sink | None = None) -> None:
        self._sink = sink
        self.failures = 0

    @classmethod
    def to_directory(cls, path: str | Path, processors: Iterable[Processor] = ()) -> Self:
        """Telemetry that appends JSON lines to the day files ``<path>/yyyy-MM-dd.json``.

        Args:
            path: the directory, made when missing.
            processors: structlog processors that may add and remove fields or drop an event; see ``DirectorySink``.

        Raises:
            TelemetryError: the directory cannot be made or not be written to.
        """
        return cls(DirectorySink(Path(path), processors))

    @property
    def enabled(self) -> bool:
        """Whether events go anywhere."""
        return self._sink is not None

    def emit(self, event: Event) -> None:
        """Hand the event to the sink. Never raises: telemetry must not fail the work that it tells about."""
        sink = self._sink
        if sink is None:
            return
        try:
            sink.write(event)
        except Exception as error:  # noqa: BLE001  # whatever a sink or a user's processor raises
            self._failed(event, error)

    @contextmanager
    def redirected(self, sink: Sink | None) -> Iterator[None]:
        """Within the block events of all threads go to ``sink`` instead, or nowhere."""
        own, self._sink = self._sink, sink
        try:
            yield
        finally:
            self._sink = own

    def close(self) -> None:
        """Release the sink's open file. Nothing is buffered, so nothing is lost without it."""
        if self._sink is not None:
            self._sink.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _failed(self, event: Event, error: Exception) -> None:
        with _counting:
            self.failures += 1
            first = self.failures == 1
        if first:
            _log.warning(
                "%s could not be written (%s); further failures are only counted",
                type(event).__name__,
                error,
                exc_info=error,
            )


_counting = threading.Lock()

NO_TELEMETRY = Telemetry()
"""Telemetry that goes nowhere, for use as a default."""
