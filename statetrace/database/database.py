"""One site database: where it is, what it speaks, and how it is read and written."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, Self

import sqlalchemy as sa

from statetrace.database import schema
from statetrace.database.files import file_status, identity_text
from statetrace.database.retry import driver_errors, missing, run_with_retry
from statetrace.database.sqlite import SqliteFile, new_file, sync_log
from statetrace.database.turns import WriterTurns
from statetrace.database.watch import counted_here
from statetrace.errors import DatabaseError, DatabaseLocked, DatabaseReadOnly
from statetrace.model import DatabaseState

SQLITE_SUFFIXES = (".sqlite", ".sqlite3", ".db")
ACCESS_SUFFIXES = (".accdb", ".mdb")
_SQLITE_MAGIC = b"SQLite format 3\0"
_ACCESS_MAGIC = (b"\x00\x01\x00\x00Standard ACE DB\x00", b"\x00\x01\x00\x00Standard Jet DB\x00")


class Backend(Protocol):
    """What a dialect does for ``Database``; drivers' errors pass through it untouched."""

    @property
    def dialect(self) -> str: ...
    @property
    def read_only(self) -> bool: ...
    def reader(self) -> sa.Connection: ...
    def writer(self) -> sa.Connection: ...
    def release(self, connection: sa.Connection) -> None: ...
    def commit(self, connection: sa.Connection) -> DatabaseState: ...
    def rest(self) -> None: ...
    def state(self) -> DatabaseState: ...
    def unknown_parts(self) -> list[str]: ...
    def close(self) -> None: ...


class Database:
    """A site database that any thread may read and one writer at a time may change. Made by ``open_database``.

    Attributes:
        path: the file.
        dialect: ``sqlite`` or ``access``: what the file is, not the driver it is read through.
        read_only: whether it can only be read here.
    """

    def __init__(self, path: Path, backend: Backend) -> None:
        self.path = path
        self.dialect = backend.dialect
        self.read_only = backend.read_only
        self._backend = backend
        self._turn = threading.local()
        self._turns = WriterTurns(path)

    def __repr__(self) -> str:
        return f"<Database {self.path} ({self.dialect}{', read-only' if self.read_only else ''})>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """A connection to read with; what it reads is one consistent state of the database.

        Access gives that promise for a single statement only.

        Raises:
            DatabaseMissing, DriverMissing, DatabaseLocked, DatabaseError: also for statements inside the block.
        """
        with driver_errors(self.path):
            connection = self._backend.reader()
            try:
                yield connection
            finally:
                self._backend.release(connection)

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One write transaction, committed at the end of the block and rolled back by an exception.

        One writer at a time among all threads and processes: the others wait for their turn.

        Raises:
            DatabaseReadOnly: the database cannot be written here.
            DatabaseLocked: it was not our turn for a minute, or a foreign program holds the database.
            DatabaseError: whatever else a statement inside the block ran into.
        """
        if self.read_only:
            raise DatabaseReadOnly(
                self.path,
                f"can be read but not written here; `statetrace convert {self.path} TARGET` makes a copy that can",
            )
        if getattr(self._turn, "taken", False):
            raise RuntimeError(f"{self.path}: begin() inside begin()")
        self._turn.taken = True
        try:
            with self._turns.turn(), driver_errors(self.path):
                connection = run_with_retry(self.path, self._backend.writer).value
                try:
                    yield connection
                    connection.commit()
                finally:
                    self._backend.release(connection)
        finally:
            self._turn.taken = False

    def state(self) -> DatabaseState:
        """Which database this is and in which state: equal states have equal content. Costs microseconds.

        Raises:
            DatabaseMissing: the file is gone.
        """
        with driver_errors(self.path):
            return self._backend.state()

    def commit(self, connection: sa.Connection) -> DatabaseState:
        """Commit the transaction of a block of ``begin``, and tell the state that this brought about.

        Without a mark if a foreign program was so quick to commit after us that its state cannot be told from ours.
        """
        with driver_errors(self.path):
            return self._backend.commit(connection)

    def as_seen_here(self, state: DatabaseState) -> DatabaseState:
        """A state that some process took of this database, as this process would have taken it.

        Without a mark if the database is in another state now, and this process did not take it itself.
        """
        if counted_here(state):
            return state
        now = self.state()
        return now if now.agrees(state) else DatabaseState(state.identity)

    def identity(self) -> str:
        """Which database this is: the path, and which file lies there. That of its states; asks no driver.

        Raises:
            DatabaseMissing: the file is gone.
        """
        status = file_status(self.path)
        return identity_text(self.path, (status.st_dev, status.st_ino))

    def unknown_parts(self) -> list[str]:
        """Tables, and columns as ``Table.Column``, that a connection does not show because they are none of ours."""
        with driver_errors(self.path):
            return self._backend.unknown_parts()

    def sync(self) -> None:
        """Wait until everything committed so far would survive a power cut; commits themselves do not wait.

        Raises:
            DatabaseError: the disk took it not.
        """
        if self.dialect == "sqlite":  # Access writes through
            try:
                sync_log(self.path)
            except OSError as error:
                raise DatabaseError(self.path, f"its log cannot be brought to disk: {error.strerror}") from error

    def rest(self) -> None:
        """Close idle connections, which keep pages of the file in memory, but go on noticing every change to it.

        What was read of the database stays known to be current.
        """
        self._turns.rest()
        self._backend.rest()

    def close(self) -> None:
        """Close all idle connections. The database may be used again afterwards."""
        self._turns.rest()
        self._backend.close()


def open_database(path: Path | str, *, create: bool = False) -> Database:
    """The database in a file, whatever its kind.

    The suffixes ``.sqlite``, ``.sqlite3`` and ``.db`` stand for SQLite; of other files the first bytes decide.

    Arguments:
        path: the file.
        create: make a new SQLite database, with all tables, where there is no file.

    Raises:
        DatabaseMissing: no such file.
        DriverMissing: an Access file, and nothing here to read it with.
        DatabaseError: a folder, an empty, truncated or foreign file.
    """
    path = Path(path).absolute()
    if create and not os.path.lexists(path):
        _create(path)
    kind = _kind_of(path)
    if kind == "access":
        return Database(path, _access_backend(path))
    database = Database(path, SqliteFile(path))
    try:
        # Whoever reads a locked database waits for it and counts that; until then it passes for one of ours.
        with suppress(DatabaseLocked):
            _check_tables(database)
    except BaseException:
        database.close()
        raise
    return database


def _create(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with WriterTurns(path).turn(), driver_errors(path, unfinished=True):
            if not os.path.lexists(path):
                with new_file(path):
                    pass
    except OSError as error:
        raise DatabaseError(path, f"cannot be created: {error}") from error


def _kind_of(path: Path) -> str:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise DatabaseError(path, "is a folder or device, not a database file")
        if not status.st_size:
            raise DatabaseError(path, "is empty (0 bytes), not a database; delete it or restore it from a backup")
        # A SQLite file must not be opened besides SQLite, see watch.py.
        if path.suffix.lower() in SQLITE_SUFFIXES:
            return "sqlite"
        with path.open("rb") as file:
            head = file.read(32)
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        raise DatabaseError(path, f"cannot be read: {error.strerror}") from error
    if head.startswith(_SQLITE_MAGIC):
        return "sqlite"
    if head.startswith(_ACCESS_MAGIC):
        return "access"
    raise DatabaseError(path, "is neither an Access nor a SQLite database; check that it is the right file")


def _access_backend(path: Path) -> Backend:
    # Imported here: the one needs Windows, the other MDBTools, and most users need neither.
    if sys.platform == "win32":
        from statetrace.database.access import AccessFile  # noqa: PLC0415

        return AccessFile(path)
    from statetrace.database.mdbtools import AccessCopy  # noqa: PLC0415

    return AccessCopy(path)


def _check_tables(database: Database) -> None:
    with database.connect() as connection:
        names = {name.casefold() for name in sa.inspect(connection).get_table_names()}
    if not {table.name.casefold() for table in (schema.device_summary, schema.interfaces)} <= names:
        raise DatabaseError(
            database.path, "holds no tables DeviceSummary and Interfaces, so it is no site database; check the file"
        )
