"""A site database in a SQLite file: readers that do not block, one writer, and a mark that shows every commit."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import NullPool, QueuePool

from statetrace.database.files import FileIdentity, file_status, identity_text
from statetrace.database.schema import create_tables
from statetrace.database.watch import Watch, watches
from statetrace.errors import DatabaseError
from statetrace.model import DatabaseState

_BUSY_SECONDS = 0.1
"""How long SQLite itself waits for a lock: enough for the end of a commit. The rest is retried and counted by us."""
_KEPT_CONNECTIONS = 8
_LOG_PAGES = 4000
"""Pages of 4 KiB that the log grows to before it is folded into the file, for which a writer waits for the disk."""
_NO_COMPANIONS = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)

_Connect = Callable[[Path], sqlite3.Connection]

_from_other_process: list[object] = []
"""Connections inherited through a fork. Closing them here would disturb the parent, so they are kept untouched."""


class SqliteFile:
    """Connections to one SQLite file for any number of threads.

    A file that was replaced by another, and a fork of the process, are noticed: connections are then opened anew.
    """

    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read_only = not _is_writable(path)
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._file: _OpenFile | None = None

    def reader(self) -> sa.Connection:
        """A connection in a read transaction: one state of the database from its first read on."""
        return self._opened().readers.connect()

    def writer(self) -> sa.Connection:
        """A connection in a write transaction, or the error that somebody else holds one."""
        connection = self._opened().writers.connect()
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
        return connection

    def release(self, connection: sa.Connection) -> None:
        """Take a connection back; what was not committed is rolled back."""
        file = self._file
        if not connection.closed and not connection.invalidated and not (file and file.owns(connection)):
            connection.detach()  # its pool was given up meanwhile, so nobody else would close it
        connection.close()

    def commit(self, connection: sa.Connection) -> DatabaseState:
        """Commit, and tell the state after it."""
        seen = _data_version(connection)
        connection.commit()
        state = self.state()
        # A connection sees no change of this number by its own commits.
        return state if _data_version(connection) == seen else DatabaseState(state.identity)

    def state(self) -> DatabaseState:
        """Which file this is, and a mark that differs after every commit by anyone.

        Raises:
            DatabaseMissing: the file is gone.
        """
        file = self._opened()
        return DatabaseState(identity_text(self.path, file.identity), *file.watch.mark())

    def unknown_parts(self) -> list[str]:
        """None: a connection shows all there is."""
        return []

    def rest(self) -> None:
        """Close the connections that are idle, but for the one that watches."""
        self._leave_parent()
        file = self._file
        if file is not None:
            file.rest()

    def close(self) -> None:
        """Close what is idle; a later call opens again."""
        self._leave_parent()
        with self._lock:
            file, self._file = self._file, None
        if file is not None:
            file.close()

    def _opened(self) -> _OpenFile:
        status = file_status(self.path)
        identity = (status.st_dev, status.st_ino)
        self._leave_parent()
        file = self._file
        if file is not None and file.identity == identity:
            return file
        with self._lock:
            replaced, file = self._file, self._file
            if file is None or file.identity != identity:
                file = self._file = _OpenFile(self.path, identity, read_only=self.read_only)
        if replaced is not None and replaced is not file:
            replaced.close()
        return file

    def _leave_parent(self) -> None:
        if self._pid != os.getpid():
            # The lock may have been held by a thread that does not exist here.
            self._lock, self._pid = threading.Lock(), os.getpid()
            _from_other_process.append(self._file)
            self._file = None


class _OpenFile:
    """Connections to one file as it was found, until it is replaced."""

    def __init__(self, path: Path, identity: FileIdentity, *, read_only: bool) -> None:
        self.identity = identity
        connect = _read_only_connection if read_only else _reading_connection
        # A connection that takes the file for unchangeable must not outlive one reading: others may write after all.
        self.readers = _engine(path, "BEGIN", connect, kept=0 if read_only else _KEPT_CONNECTIONS)
        self.writers = _engine(path, "BEGIN IMMEDIATE", _writing_connection)
        self.watch: Watch = watches.take(path, identity, connect)

    def owns(self, connection: sa.Connection) -> bool:
        return connection.engine is self.readers or connection.engine is self.writers

    def rest(self) -> None:
        self.readers.dispose()
        self.writers.dispose()

    def close(self) -> None:
        watches.give_back(self.watch)
        # Writers last: the last connection to close folds the log into the file, which readers must not.
        self.readers.dispose()
        self.writers.dispose()


@contextmanager
def new_file(path: Path) -> Iterator[sa.Connection]:
    """Make a database file in one step: what the block writes, or nothing. All tables are there when it begins.

    References between tables are not enforced inside the block, so that a copy may hold what its source held. The
    caller holds the lock of writers, so nobody else makes the file meanwhile.
    """
    if (log := _log_left_behind(path)) is not None:
        # SQLite would take it for the log of the new file, and write into that what belonged to another.
        raise DatabaseError(
            path, f"cannot be made while {log.name} of an earlier database lies beside it; delete it or move it away"
        )
    unfinished = path.with_name(f".{path.name}.tmp")
    _remove(unfinished)  # what a killed process left
    try:
        engine = _engine(unfinished, "BEGIN IMMEDIATE", _creating_connection)
        try:
            with engine.begin() as connection:
                create_tables(connection)
                yield connection
        finally:
            engine.dispose()
        unfinished.replace(path)
    finally:
        _remove(unfinished)


def sync_log(path: Path) -> None:
    """Bring the log of a database to disk, if it has one; what is no longer in the log was brought there by SQLite.

    SQLite locks neither the log nor through it, so that opening and closing it lets go of no lock.

    Raises:
        OSError: the disk took it not.
    """
    with suppress(FileNotFoundError), path.with_name(f"{path.name}-wal").open("rb+") as log:
        os.fsync(log.fileno())


def _log_left_behind(path: Path) -> Path | None:
    """The log beside a database in which there may be commits, or what undoes half of one."""
    for log in (path.with_name(path.name + suffix) for suffix in ("-wal", "-journal")):
        with suppress(FileNotFoundError):
            if log.stat().st_size:
                return log
    return None


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _engine(path: Path, begin: str, connect: _Connect, kept: int = _KEPT_CONNECTIONS) -> sa.Engine:
    options = {"poolclass": QueuePool, "pool_size": kept, "max_overflow": -1} if kept else {"poolclass": NullPool}
    engine = sa.create_engine("sqlite://", creator=lambda: connect(path), **options)

    # sqlite3 begins transactions by itself and only before writes; ours begin with the connection.
    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.connection.cursor().execute(begin)  # keeps no books, unlike SQLAlchemy's own way

    return engine


def _connection(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{file_uri(path)}?{mode}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def _reading_connection(path: Path) -> sqlite3.Connection:
    # Opened for writing all the same: a reader must be able to join or recover the write-ahead log.
    return _configured(_connection(path, "mode=rw"), "PRAGMA query_only=ON")


def _read_only_connection(path: Path) -> sqlite3.Connection:
    connection = _connection(path, "mode=ro")
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except BaseException as error:
        connection.close()
        if not isinstance(error, sqlite3.OperationalError) or error.sqlite_errorcode & 0xFF not in _NO_COMPANIONS:
            raise
        if (log := _log_left_behind(path)) is not None:
            raise DatabaseError(
                path, f"cannot be read without {log.name}, which cannot be used here; copy both to a folder of your own"
            ) from error
        # A database in WAL mode needs two files beside it. Where they cannot be made, and nobody else has made them,
        # nobody writes now, so the file may be read as if it never changed.
        return _connection(path, "mode=ro&immutable=1")
    return connection


def _writing_connection(path: Path) -> sqlite3.Connection:
    # Only a writer changes the mode of an existing file, so a file that is merely read stays as it is.
    return _configured(
        _connection(path, "mode=rw"),
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=NORMAL",
        "PRAGMA foreign_keys=ON",
        f"PRAGMA wal_autocheckpoint={_LOG_PAGES}",
        # A log that starts anew is cut off: then its size tells every commit, however slow the file system's clock is.
        "PRAGMA journal_size_limit=0",
    )


def _creating_connection(path: Path) -> sqlite3.Connection:
    return _configured(_connection(path, "mode=rwc"), "PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL")


def _configured(connection: sqlite3.Connection, *pragmas: str) -> sqlite3.Connection:
    try:
        for pragma in pragmas:
            connection.execute(pragma).fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _data_version(connection: sa.Connection) -> int:
    cursor = connection.connection.cursor()
    (version,) = cursor.execute("PRAGMA data_version").fetchone()
    cursor.close()
    return int(version)


def file_uri(path: Path) -> str:
    """The path as SQLite takes it in a URI, whatever characters are in it."""
    posix = path.absolute().as_posix()
    return f"file://{'' if posix.startswith('/') else '/'}{quote(os.fsencode(posix))}"


def _is_writable(path: Path) -> bool:
    """Whether the file can be changed and files can be made beside it, which every writer must."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
