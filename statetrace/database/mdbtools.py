"""Reading Access files where there is no Access: a child process reads them, a SQLite copy in memory answers."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from statetrace.database import mdb_reader, schema
from statetrace.database.files import file_state
from statetrace.errors import DatabaseError, DatabaseReadOnly, DriverMissing
from statetrace.model import DatabaseState

READING_SECONDS = 300.0
"""How long the child process may take."""
_PAGE = 2_048
"""Pages of Access files have 4 096 bytes, until 1999 half of that."""
_MOST_READINGS = 3
_HARMLESS = re.compile(r"can't find index #|can't find column with internal id \d+ in index")
"""What MDBTools says of good files whose indexes share a tree with a relationship (reference: access-database 10)."""


class AccessCopy:
    """A copy in memory of one Access file, made when it is first read and again when the file changed."""

    dialect = "access"
    read_only = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._copy: _Copy | None = None

    def reader(self) -> sa.Connection:
        """A connection to the copy of the file as it is now."""
        if self._pid != os.getpid():
            self._lock, self._pid, self._copy = threading.Lock(), os.getpid(), None
        with self._lock:
            if self._copy is None or self._copy.state != self.state():
                replaced, self._copy = self._copy, _load(self)
                if replaced is not None:
                    replaced.close()
            return self._copy.engine.connect()

    def writer(self) -> sa.Connection:
        raise DatabaseReadOnly(self.path, "Access files are only read here; `statetrace convert` makes a SQLite copy")

    def release(self, connection: sa.Connection) -> None:
        copy = self._copy
        if not connection.closed and not connection.invalidated and not (copy and connection.engine is copy.engine):
            connection.detach()
        connection.close()

    def unknown_parts(self) -> list[str]:
        """Tables and ``Table.Column`` of the file that are none of ours; reads the file if need be."""
        self.release(self.reader())
        return list(self._copy.unknown) if self._copy is not None else []

    def commit(self, connection: sa.Connection) -> DatabaseState:
        """Commit, and tell the state after it."""
        connection.commit()
        return self.state()

    def state(self) -> DatabaseState:
        """The file and its size and time."""
        return file_state(self.path)

    def rest(self) -> None:
        """Nothing: the copy is what was read."""

    def close(self) -> None:
        with self._lock:
            copy, self._copy = self._copy, None
        if copy is not None:
            copy.close()


class _Copy:
    """One state of the file as a SQLite database in memory that all threads share."""

    def __init__(self, state: DatabaseState) -> None:
        self.state = state
        self.unknown: list[str] = []
        # Shared cache rather than the newer memdb: it is there in every SQLite, and nobody writes after loading.
        self._uri = f"file:statetrace-{uuid.uuid4().hex}?mode=memory&cache=shared"
        self._anchor = self._connect()
        self.engine = sa.create_engine("sqlite://", creator=self._connect, poolclass=QueuePool, max_overflow=-1)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._uri, uri=True, isolation_level=None, check_same_thread=False)

    def close(self) -> None:
        self.engine.dispose()
        self._anchor.close()


def _load(source: AccessCopy) -> _Copy:
    for _ in range(_MOST_READINGS):
        copy = _Copy(source.state())
        try:
            _fill(copy, source.path)
        except BaseException:
            copy.close()
            if source.state() != copy.state:
                continue  # half written while it was read
            raise
        if source.state() == copy.state:
            return copy
        copy.close()
    raise DatabaseError(source.path, "changes while it is being read; try again when nobody writes to it")


def _fill(copy: _Copy, path: Path) -> None:
    with copy.engine.connect() as connection:
        schema.create_tables(connection, indexes="access")
        insert, chosen = "", [0]
        # Closed at once when a row cannot be kept: the child must not wait for as long as the error is held.
        with closing(read_frames(path)) as frames:
            for kind, *content in frames:
                if kind == "table":
                    name, columns = content
                    insert, chosen, unknown = _columns(connection, name, columns)
                    copy.unknown.extend(f"{name}.{column}" for column in unknown)
                elif kind == "rows":
                    connection.exec_driver_sql(insert, [tuple(row[index] for index in chosen) for row in content[0]])
                elif kind == "unknown":
                    copy.unknown.extend(content[0])
        connection.commit()


def _columns(connection: sa.Connection, name: str, columns: list[str]) -> tuple[str, list[int], list[str]]:
    """The statement that inserts rows into our table, which of the given columns it takes, and which are not ours."""
    table = schema.metadata.tables[name]
    position = {column.casefold(): index for index, column in enumerate(columns)}
    ours = [column.name for column in table.columns if column.name.casefold() in position]
    statement = sa.insert(table).prefix_with("OR REPLACE").compile(connection, column_keys=ours)
    known = {column.casefold() for column in ours}
    unknown = [column for column in columns if column.casefold() not in known]
    return str(statement), [position[column.casefold()] for column in ours], unknown


def read_frames(path: Path) -> Generator[list[Any], None, None]:
    """The frames that the child process sends (see ``mdb_reader``), but for those that tell of its end.

    Raises:
        DriverMissing: pyodbc or the MDBTools driver is not there.
        DatabaseError: the file cannot be read in full; also when the child crashed or took too long.
    """
    if path.stat().st_size % _PAGE:
        raise _damaged(path, "its end is cut off")
    decode = msgspec.msgpack.Decoder(list[Any]).decode
    with _child(path) as (process, noise):
        assert process.stdout is not None  # noqa: S101  # asked for above
        frame: list[Any] = []
        while len(size := process.stdout.read(4)) == 4:  # noqa: PLR2004  # bytes of a length
            body = process.stdout.read(int.from_bytes(size, "big"))
            if len(body) < int.from_bytes(size, "big"):
                break
            frame = decode(body)
            if frame[0] in ("failed", "end"):
                break
            yield frame
        code = process.wait()
        noise.seek(0)
        complaints = [line for line in noise.read().decode("utf-8", "replace").splitlines() if line.strip()]
    if frame and frame[0] == "failed":
        raise _failure(path, frame[1], frame[2], complaints)
    if not frame or frame[0] != "end":
        raise _damaged(path, _end_of(code, complaints))
    # Of pages that cannot be read it only complains, and goes on as if they held no rows.
    if serious := [line for line in complaints if not _HARMLESS.search(line)]:
        raise _damaged(path, serious[0])


def _failure(path: Path, cause: str, words: str, complaints: list[str]) -> DatabaseError:
    if cause == "file":
        return _damaged(path, complaints[-1] if complaints else words)
    return DriverMissing(
        path,
        f"reading Access files here needs pyodbc (`pip install statetrace[access]`) and the MDBTools ODBC driver "
        f"(Debian: odbc-mdbtools); {words}",
    )


def _damaged(path: Path, reason: str) -> DatabaseError:
    return DatabaseError(
        path, f"the Access file cannot be read ({reason}); repair it in Access or restore it from a backup"
    )


def _end_of(code: int, complaints: list[str]) -> str:
    if code == -signal.SIGKILL:
        return f"reading it took longer than {READING_SECONDS:.0f} s"
    return f"reading it broke off with {code}: {complaints[-1] if complaints else 'no word why'}"


@contextmanager
def _child(path: Path) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    environment = {name: value for name, value in os.environ.items() if name != "MDBOPTS"}
    command = [sys.executable, "-P", mdb_reader.__file__, str(path), *schema.metadata.tables]
    with (
        tempfile.TemporaryFile() as noise,
        subprocess.Popen(  # noqa: S603  # our own program, no shell
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=noise, env=environment
        ) as process,
    ):
        overdue = threading.Timer(READING_SECONDS, process.kill)
        overdue.daemon = True
        overdue.start()
        try:
            yield process, noise
        except BaseException:
            process.kill()
            raise
        finally:
            overdue.cancel()
