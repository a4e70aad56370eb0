"""The sink that makes an event a line of the day file: through structlog where a user's processors want to see it."""

from __future__ import annotations

import json
import os
import re
import time
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import structlog

from statetrace.telemetry.day_files import DayFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from structlog.typing import EventDict, Processor, WrappedLogger

    from statetrace.telemetry.events import Event


class Sink(Protocol):
    """Where events go."""

    def write(self, event: Event) -> None:
        """Take the event; an exception tells that it was not taken."""

    def close(self) -> None:
        """Release what is open."""


class DirectorySink:
    """Writes events as JSON lines into ``<directory>/yyyy-MM-dd.json``.

    The day is the local date of the event's own timestamp. Lines are plain ASCII, end with CRLF, and begin with
    ``EventName`` and ``Timestamp`` (reference: telemetry-events 2.1 and 2.2). Threads and processes may share the
    directory; see ``DayFiles`` for what can happen to the files meanwhile.

    Args:
        directory: where the day files are; made when missing.
        processors: structlog processors that see every event as a dictionary of wire names before it is stamped.
            They may add, change and remove fields; ``structlog.DropEvent`` drops the event. Without any the event is
            encoded as it is, which gives the same line for a third of the time.
        exclusive: take a lock file for each line; by default on Windows only (see ``DayFiles``).
        clock: nanoseconds since the epoch.

    Raises:
        TelemetryError: the directory cannot be made or not be written to.
    """

    def __init__(
        self,
        directory: Path,
        processors: Iterable[Processor] = (),
        *,
        exclusive: bool = os.name == "nt",
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.directory = directory
        self._files = DayFiles(directory, exclusive=exclusive)
        self._stamp = _Stamp(clock)
        wanted = tuple(processors)
        self._logger = _EventLogger(self._files, (*wanted, self._stamp, _render), {}) if wanted else None

    def write(self, event: Event) -> None:
        """Run the event through the chain and append its line.

        Raises:
            OSError: the line could not be written.
            Exception: whatever a processor of the user raises.
        """
        if self._logger is not None:
            self._logger.emit(msgspec.to_builtins(event))
            return
        # With nobody to change its fields an event need not become a dictionary, which is two thirds of the cost.
        timestamp = self._stamp.now()
        line = _line(event)
        after_name = line.index(b'"', len(b'{"EventName":"')) + 1
        self._files.write(
            timestamp[:10], b'%b,"Timestamp":"%b"%b\r\n' % (line[:after_name], timestamp.encode(), line[after_name:])
        )

    def close(self) -> None:
        """Release the open file; an event that comes later opens it again."""
        self._files.close()


class _EventLogger(structlog.BoundLoggerBase):
    """Like structlog's own loggers, but takes the fields as they are instead of as keyword arguments."""

    def emit(self, fields: dict[str, Any]) -> None:
        try:
            line, _ = self._process_event("write", None, fields)
        except structlog.DropEvent:
            return
        self._logger.write(*line)


class _Stamp:
    """Puts ``EventName`` first and ``Timestamp`` second.

    The date, time and zone of a second are worked out once and kept, which makes a stamp four times cheaper.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._second: tuple[int, str, str] = (-1, "", "")

    def __call__(self, _: WrappedLogger, __: str, fields: EventDict) -> EventDict:
        name = fields.pop("EventName", "")
        fields.pop("Timestamp", None)
        return {"EventName": name, "Timestamp": self.now(), **fields}

    def now(self) -> str:
        """Local time with seven fraction digits and offset."""
        epoch, nanoseconds = divmod(self._clock(), 1_000_000_000)
        second, start, offset = self._second
        if epoch != second:
            start, offset = _local_time(epoch)
            self._second = (epoch, start, offset)
        return f"{start}.{nanoseconds // 100:07d}{offset}"


def _local_time(epoch: int) -> tuple[str, str]:
    local = time.localtime(epoch)
    sign, offset = "-" if local.tm_gmtoff < 0 else "+", abs(local.tm_gmtoff) // 60
    return time.strftime("%Y-%m-%dT%H:%M:%S", local), f"{sign}{offset // 60:02d}:{offset % 60:02d}"


# What a user's processor added may be of any type.
_encode = msgspec.json.Encoder(enc_hook=lambda value: _repaired(str(value))).encode
_NOT_ASCII = re.compile("[^\x00-\x7f]+")


def _render(_: WrappedLogger, __: str, fields: EventDict) -> tuple[tuple[str, bytes], dict[str, Any]]:
    """The arguments of ``DayFiles.write``."""
    return (fields["Timestamp"][:10], _line(fields) + b"\r\n"), {}


def _line(event: Event | EventDict) -> bytes:
    """The event as one JSON object of ASCII characters."""
    try:
        line = _encode(event)
    except UnicodeEncodeError:
        line = _encode(_repaired(event if isinstance(event, dict) else msgspec.to_builtins(event)))
    if not line.isascii():
        # Windows PowerShell reads a file without byte order mark in the code page of the machine, and some readers take
        # U+0085 and U+2028 for line ends; escapes mean the same to all of them.
        text = _NOT_ASCII.sub(lambda match: json.dumps(match[0])[1:-1], line.decode())
        line = text.encode("ascii")
    return line


def _repaired(value: Any) -> Any:
    """The value with surrogates in its texts joined to characters, lone ones replaced by U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_repaired(key): _repaired(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_repaired(item) for item in value]
    return value
