"""Appending lines to day files, such that no writer, crash or housekeeping tears or loses one."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakSet

from filelock import FileLock, Timeout

from statetrace.errors import TelemetryError

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from pathlib import Path

LOCK_FILE = "telemetry.lock"
_LOCK_TIMEOUT_S = 30.0
_LOCK_POLL_S = 0.001

_FLAGS = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)

# One lock for all writers of the process, so that a fork can wait until no thread is in the middle of a line: the child
# would inherit a lock that nobody releases. Reentrant, because a signal handler or finaliser may emit an event too.
_writing = threading.RLock()
_all_day_files: WeakSet[DayFiles] = WeakSet()


def _after_fork_in_child() -> None:
    # An inherited descriptor shares the parent's lock on the file: it would neither exclude the parent nor let go of
    # the lock when the parent is killed.
    for files in _all_day_files:
        files.close()
    _writing.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_writing.acquire, after_in_parent=_writing.release, after_in_child=_after_fork_in_child)


class DayFiles:
    """The files ``<directory>/<day>.json``, open for appending by many threads and processes.

    A line is on its way to the operating system when ``write`` returns: nothing is buffered, so neither an exception
    nor a killed process loses what was written before. A file that was moved aside or deleted is made anew.

    A process that is killed in the middle of ``write``, or a full disk, may leave the beginning of a line that
    ``write`` never reported as written. The next writer of the file removes it, and so does a writer that comes to a
    later day, from the latest file before; no line is appended to a torn one. Until then, as while a line is being
    written, the last line may lack its line end; readers should leave it alone. An unfinished line that is a whole JSON
    object, or none at all (foreign tool), is ended instead of removed.

    Writers exclude one another with a lock on the file (``flock``), which the system releases when they are killed. On
    a file system without such locks they write all the same, but a torn line is only ended, not removed, and only by
    who opens the file after; who has it open already appends to it. Windows knows no such locks either, and an open
    file could not be moved aside there; so each line takes a lock file and opens the day file for itself.

    Args:
        directory: where the files are; made when missing.
        exclusive: take the lock file too; by default on Windows only. Wanted by all who share a directory with writers
            on Windows.

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
        with _writing:
            _all_day_files.add(self)

    def write(self, day: str, line: bytes) -> None:
        """Append ``line``, which brings its line end, to the file of ``day`` (``yyyy-MM-dd``).

        Raises:
            OSError: the line could not be written.
            filelock.Timeout: another process, perhaps a suspended one, held a lock for half a minute.
        """
        with _writing:
            if self.exclusive:
                lock = FileLock(self.directory / LOCK_FILE)
                with lock.acquire(_LOCK_TIMEOUT_S, _LOCK_POLL_S):
                    try:
                        self._append(day, line)
                    finally:
                        self.close()
            else:
                self._append(day, line)

    def close(self) -> None:
        """Release the open file. A later ``write`` opens it again."""
        with _writing:
            file, self._file = self._file, None
            if file is not None:
                file.close()

    def _append(self, day: str, line: bytes) -> None:
        if day != self._day:
            self.close()
            self._mend_latest_before(day)
            self._day, self._path = day, os.path.join(self.directory, f"{day}.json")  # noqa: PTH118  # a hot path
        while not self._current_file().append(line):
            self.close()

    def _current_file(self) -> _OpenFile:
        if self._file is None:
            try:
                self._file = _OpenFile(self._path, os.O_CREAT)
            except FileNotFoundError:
                self.directory.mkdir(parents=True, exist_ok=True)
                self._file = _OpenFile(self._path, os.O_CREAT)
        return self._file

    def _mend_latest_before(self, day: str) -> None:
        # Who is killed as the last writer of a day has no next one on that day. Failing is no reason to lose an event.
        with suppress(OSError):
            earlier = [file for file in self.directory.glob("????-??-??.json") if file.stem < day]
            if earlier:
                file = _OpenFile(str(max(earlier)))
                try:
                    file.append(b"")
                finally:
                    file.close()


class _OpenFile:
    """A descriptor that appends; a file object would warn when a user's telemetry is never closed."""

    __slots__ = ("_depth", "_descriptor", "_identity", "_path", "_size")

    def __init__(self, path: str, flags: int = 0) -> None:
        self._descriptor = -1
        self._descriptor = os.open(path, _FLAGS | flags, 0o666)
        self._path = path
        self._depth = 0
        status = os.fstat(self._descriptor)
        self._identity = (status.st_ino, status.st_dev)
        # As the own last line left it: while it is the same, nobody else wrote, and nothing is torn.
        self._size = -1

    def append(self, line: bytes) -> bool:
        """Append the line, after a torn one was removed or ended.

        Returns: whether the file is still the one of its name; otherwise nothing was done.
        """
        # A signal handler or finaliser may get here amid a line, and must not give away the lock of that one.
        self._depth += 1
        try:
            locked = _lock(self._descriptor, self._path)
            first = self._size < 0
            try:
                status = os.fstat(self._descriptor) if first else os.stat(self._path)  # noqa: PTH116  # a hot path
            except FileNotFoundError:
                return False
            if (status.st_ino, status.st_dev) != self._identity:
                return False
            size = status.st_size
            # Without the lock, what looks torn later on may be a line that another process is writing just now.
            if size != self._size and (locked or first):
                size = self._mend(size, remove=locked)
            self._write(line)
            self._size = size + len(line)
            return True
        finally:
            self._depth -= 1
            if not self._depth:
                _unlock(self._descriptor)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()

    def _write(self, line: bytes) -> None:
        written = os.write(self._descriptor, line)
        while written < len(line):
            written += os.write(self._descriptor, line[written:])

    def _mend(self, end: int, *, remove: bool) -> int:
        """Remove or end an unfinished last line of a file that is ``end`` long; the new end."""
        tail = self._unfinished_line(end)
        if remove and _is_torn_event(tail):
            # A file may be such that it can only be appended to (chattr +a).
            with suppress(OSError):
                os.ftruncate(self._descriptor, end - len(tail))
                return end - len(tail)
        if tail:
            line_end = b"\n" if tail.endswith(b"\r") else b"\r\n"
            self._write(line_end)
            end += len(line_end)
        return end

    def _unfinished_line(self, end: int) -> bytes:
        """What follows the last line end."""
        length = 1
        while True:
            os.lseek(self._descriptor, max(0, end - length), os.SEEK_SET)
            _, line_end, tail = os.read(self._descriptor, length).rpartition(b"\n")
            if line_end or length >= end:
                return tail
            length *= 64


def _is_torn_event(line: bytes) -> bool:
    if not line.startswith(b"{"):
        return False
    try:
        json.loads(line)
    except ValueError:
        return True
    return False


if sys.platform == "win32":

    def _lock(_: int, __: str) -> bool:
        """Nothing to do: on Windows the lock file is held."""
        return True

    def _unlock(_: int) -> None:
        pass

else:

    def _lock(descriptor: int, path: str) -> bool:
        """Lock the open file against other processes; false when its file system knows no locks.

        Raises:
            filelock.Timeout: another process holds the lock.
        """
        # Waiting without limit would let a suspended process suspend all others.
        deadline = time.monotonic() + _LOCK_TIMEOUT_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Timeout(path) from None
                time.sleep(_LOCK_POLL_S)
            except OSError:
                return False
            else:
                return True

    def _unlock(descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        except OSError:
            return  # as it was not locked
