"""Noticing every commit to a SQLite file without reading the file.

Opening the file or its ``-shm`` by ordinary means is out of the question: closing any descriptor of a file drops all
POSIX locks that this process holds on it, SQLite's own included, and the next writer could then damage the database.
Times and sizes alone do not do either: two commits within one tick of the file system's clock look the same. So a
connection that never writes asks SQLite itself whether somebody else committed.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from statetrace.database.files import FileIdentity
from statetrace.model import DatabaseState

_SETTLED_SECONDS = 3.0
"""A change to a file last changed longer ago than this shows in its time on every file system."""


class Watch:
    """Counts the commits to one file that others make while it is watched."""

    def __init__(self, path: Path, identity: FileIdentity, connection: sqlite3.Connection, commits: int) -> None:
        self.identity = identity
        self.users = 1
        self.commits = commits
        self._path = path
        self._lock = threading.Lock()
        self._connection = connection
        self._version = self._data_version()

    def mark(self) -> tuple[str, str]:
        """Mark and commits of a :class:`DatabaseState`: they differ whenever the database may have changed between."""
        with self._lock:
            version = self._data_version()
            if version != self._version:
                self._version = version
                self.commits += 1
            return f"{_look(self._path)}/{_look(_log_of(self._path))}", f"{_process}.{self.commits}"

    def settled(self) -> bool:
        """Whether any further change will show in size or time of the files."""
        times = [_time(self._path), _time(_log_of(self._path))]
        return time.time() - max(times) > _SETTLED_SECONDS

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _data_version(self) -> int | None:
        try:
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.OperationalError as error:
            # A writer holds the file: what it writes is not committed yet.
            return getattr(self, "_version", None) if "locked" in str(error) else None
        except sqlite3.DatabaseError:
            return None
        return int(version)


class Watches:
    """One watch a file for all who use it, so that their marks can be compared."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_file: dict[FileIdentity, Watch] = {}
        self._commits: dict[FileIdentity, int] = {}

    def take(self, path: Path, identity: FileIdentity, connect: Callable[[Path], sqlite3.Connection]) -> Watch:
        with self._lock:
            watch = self._by_file.get(identity)
            if watch is not None:
                watch.users += 1
                return watch
            watch = Watch(path, identity, connect(path), self._commits.pop(identity, 0))
            self._by_file[identity] = watch
            return watch

    def give_back(self, watch: Watch) -> None:
        with self._lock:
            watch.users -= 1
            if watch.users:
                return
            self._by_file.pop(watch.identity, None)
            # Unwatched, a commit within a tick of the last one would go unnoticed: then no old mark stays valid.
            self._commits[watch.identity] = watch.commits + (0 if watch.settled() else 1)
            watch.close()

    def forget(self) -> None:
        """Start anew in a forked process, whose inherited connections must be neither used nor closed."""
        global _process  # noqa: PLW0603  # one per process is what it is for
        _process = os.urandom(4).hex()
        _inherited.append(self._by_file)
        self._lock = threading.Lock()
        self._commits = {identity: watch.commits + 1 for identity, watch in self._by_file.items()} | self._commits
        self._by_file = {}


_process = os.urandom(4).hex()
"""Counts of different processes cannot be compared."""
_inherited: list[object] = []


def counted_here(state: DatabaseState) -> bool:
    """Whether it was this process that counted the commits of a state."""
    return state.commits.partition(".")[0] == _process


watches = Watches()
"""The watches of this process."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=watches.forget)


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _look(path: Path) -> str:
    status = _status(path)
    return f"{status.st_size}@{status.st_mtime_ns}" if status else "0"


def _time(path: Path) -> float:
    status = _status(path)
    return status.st_mtime if status else 0.0


def _status(path: Path) -> os.stat_result | None:
    """The status of a file; an empty log says as little as none, readers make one too."""
    try:
        status = os.stat(path)  # noqa: PTH116  # three times a host, and pathlib doubles its cost
    except OSError:
        return None
    return status if status.st_size else None
