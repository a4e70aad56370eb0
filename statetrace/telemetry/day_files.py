"""Appending lines to day files, such that no writer, crash or housekeeping tears or loses one."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Self

from filelock import FileLock

from statetrace.errors import TelemetryError

if TYPE_CHECKING:
    from pathlib import Path

LOCK_FILE = "telemetry.lock"
_LOCK_TIMEOUT_S = 30.0
_LOCK_POLL_S = 0.001

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)

# One lock for all writers of the process, so that a fork can wait until no thread is in the middle of a line: the child
# would inherit a lock that nobody releases. Reentrant, because a signal handler or finaliser may emit an event too.
_writing = threading.RLock()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_writing.acquire, after_in_parent=_writing.release, after_in_child=_writing.release)


class DayFiles:
    """The files ``<directory>/<day>.json``, open for appending by many threads and processes.

    A line is on its way to the operating system when ``write`` returns: nothing is buffered, so neither an exception
    nor a killed process loses what was written before. A file that was moved aside or deleted is made anew. A file
    whose last line is incomplete (full disk, foreign tool) gets a line end first.

    POSIX appends one ``write`` as a whole; so the file stays open. Windows does not, and an open file could not be
    moved aside there; so each line takes a file lock and opens the file for itself.

    Args:
        directory: where the files are; made when missing.
        exclusive: write under the file lock; by default on Windows only. Wanted too on network file systems whose
            appending is not atomic.

    Raises:
        TelemetryError: the directory cannot be made or not be written to.
    """

    def __init__(self, directory: Path, *, exclusive: bool = os.name == "nt") -> None:
        self.directory = directory
        self.exclusive = exclusive
        self._day = ""
        self._path = ""
        self._file: _OpenFile | None = None
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TelemetryError(f"telemetry directory {directory} cannot be made: {error}") from error
        if not os.access(directory, os.W_OK | os.X_OK):
            raise TelemetryError(f"telemetry directory {directory} cannot be written to; choose another one")

    def write(self, day: str, line: bytes) -> None:
        """Append ``line``, which brings its line end, to the file of ``day`` (``yyyy-MM-dd``).

        Raises:
            OSError: the line could not be written.
            filelock.Timeout: another process held the file lock for half a minute.
        """
        with _writing:
            if day != self._day:
                self.close()
                self._day, self._path = day, os.path.join(self.directory, f"{day}.json")  # noqa: PTH118  # a hot path
            if self.exclusive:
                lock = FileLock(self.directory / LOCK_FILE)
                with lock.acquire(_LOCK_TIMEOUT_S, _LOCK_POLL_S), _OpenFile(self._path) as file:
                    file.append(line)
                return
            file = self._current_file()
            try:
                file.append(line)
            except OSError:
                # The line may be there in part; opening the file again finds out.
                self.close()
                raise

    def close(self) -> None:
        """Release the open file. A later ``write`` opens it again."""
        with _writing:
            file, self._file = self._file, None
            if file is not None:
                file.close()

    def _current_file(self) -> _OpenFile:
        if self._file is not None and not self._file.is_at(self._path):
            self.close()
        if self._file is None:
            try:
                self._file = _OpenFile(self._path)
            except FileNotFoundError:
                self.directory.mkdir(parents=True, exist_ok=True)
                self._file = _OpenFile(self._path)
        return self._file


class _OpenFile:
    """A descriptor that appends; a file object would warn when a user's telemetry is never closed."""

    __slots__ = ("_descriptor", "_identity", "_line_end_missing")

    def __init__(self, path: str) -> None:
        self._descriptor = -1
        self._descriptor = os.open(path, _FLAGS, 0o666)
        status = os.fstat(self._descriptor)
        self._identity = (status.st_ino, status.st_dev)
        self._line_end_missing = False
        if status.st_size:
            os.lseek(self._descriptor, -1, os.SEEK_END)
            self._line_end_missing = os.read(self._descriptor, 1) != b"\n"

    def is_at(self, path: str) -> bool:
        """Whether the file is still the one of that name."""
        try:
            status = os.stat(path)  # noqa: PTH116  # a hot path
        except OSError:
            return False
        return (status.st_ino, status.st_dev) == self._identity

    def append(self, line: bytes) -> None:
        if self._line_end_missing:
            line = b"\r\n" + line
            self._line_end_missing = False
        written = os.write(self._descriptor, line)
        while written < len(line):
            written += os.write(self._descriptor, line[written:])

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
