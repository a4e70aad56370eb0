"""Turns of writing: one writer at a database among all threads and processes."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from statetrace.errors import DatabaseError, DatabaseLocked, DatabaseReadOnly

try:
    import fcntl
except ImportError:  # Windows
    _FLOCK = False
else:
    _FLOCK = True

LONGEST_WAIT_S = 60.0
"""Seconds that a writer waits for its turn; a turn is one host's transaction."""
_POLL_S = 0.01


class _LockFile(Protocol):
    """A lock between processes, for one thread at a time."""

    def acquire(self, timeout: float, poll_interval: float) -> object: ...
    def release(self) -> None: ...


class _Flock:
    """A lock on a file that stays open, by the means that ``filelock`` uses too and respects.

    Only for its books: what they cost a host is a twelfth of an unchanged one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def acquire(self, timeout: float, poll_interval: float) -> None:
        until = time.monotonic() + timeout
        while True:
            if self._file < 0:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            if not self._locked():
                if time.monotonic() > until:
                    raise Timeout(str(self._path))
                time.sleep(poll_interval)
            elif self._is_there():
                return
            else:
                self._close()  # it was deleted: whoever comes next locks another file

    def release(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def _locked(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return False
            raise
        return True

    def _is_there(self) -> bool:
        try:
            there = os.stat(self._path)  # noqa: PTH116  # once a host, and pathlib doubles its cost
        except FileNotFoundError:
            return False
        here = os.fstat(self._file)
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __del__(self) -> None:
        with suppress(OSError):
            self._close()


class WriterTurns:
    """The turns of writers at one database, which take them by a lock file beside it.

    The system ends the turn of a process that died.

    Args:
        path: the database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock_path = path.with_name(path.name + ".lock")
        self._set_up()

    def _set_up(self) -> None:
        self._pid = os.getpid()
        self._threads = threading.Lock()
        self._processes = self._lock_file()

    def _lock_file(self) -> _LockFile:
        return _Flock(self._lock_path) if _FLOCK else FileLock(self._lock_path, thread_local=False)

    def rest(self) -> None:
        """Keep no file open until the next turn."""
        if self._threads.acquire(blocking=False):
            try:
                self._processes = self._lock_file()
            finally:
                self._threads.release()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Our turn, for as long as the block takes.

        Where it was to make the database and failed, no lock file is left behind.

        Raises:
            DatabaseLocked: it did not come within a minute.
            DatabaseReadOnly, DatabaseError: no lock file can be made.
        """
        if self._pid != os.getpid():
            self._set_up()  # a thread that does not exist here may have had its turn when the process was forked
        threads = self._threads
        if not threads.acquire(timeout=LONGEST_WAIT_S):
            raise self._waited_in_vain("another thread is writing")
        try:
            self._acquire()
            try:
                yield
            except BaseException:
                if not os.path.lexists(self._path):
                    with suppress(OSError):  # Windows lets nobody remove an open file, and its lock removes itself
                        self._lock_path.unlink()
                raise
            finally:
                self._processes.release()
        finally:
            threads.release()

    def _acquire(self) -> None:
        try:
            self._processes.acquire(LONGEST_WAIT_S, _POLL_S)
        except Timeout as error:
            raise self._waited_in_vain("another process is writing") from error
        except OSError as error:
            kind = DatabaseReadOnly if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) else DatabaseError
            raise kind(
                self._path,
                f"no lock for writing can be made beside it ({error}); `statetrace convert` makes a copy elsewhere",
            ) from error

    def _waited_in_vain(self, why: str) -> DatabaseLocked:
        return DatabaseLocked(self._path, 1, LONGEST_WAIT_S * 1_000, why)
