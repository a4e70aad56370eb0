"""A site database in an Access file, through the ACE ODBC driver and the Access dialect of SQLAlchemy."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from statetrace.database.files import file_state
from statetrace.errors import DriverMissing
from statetrace.model import DatabaseState

DRIVER = "Microsoft Access Driver (*.mdb, *.accdb)"
_IDLE_SECONDS = 300
"""A connection idle for longer is opened anew, as in the original (reference: access-database 2.2)."""


class AccessFile:
    """Connections to one Access file for any number of threads, each connection used by one at a time.

    Arguments:
        path: the file.
        connect: makes a pyodbc connection to it, by default through the ACE driver.
    """

    dialect = "access"

    def __init__(self, path: Path, connect: Callable[[], Any] | None = None) -> None:
        self.path = path
        self.read_only = not os.access(path, os.W_OK)
        try:
            # Both exist on Windows only, and slow down whoever does not need them.
            import pyodbc  # noqa: PLC0415
            import sqlalchemy_access  # noqa: F401, PLC0415  # registers the dialect
        except ImportError as error:
            raise DriverMissing(
                path,
                f"writing Access files needs pyodbc and sqlalchemy-access, `pip install statetrace` again ({error})",
            ) from error
        if connect is None and DRIVER not in pyodbc.drivers():
            raise DriverMissing(
                path,
                f"ODBC knows no {DRIVER!r}; install the Microsoft Access Database Engine of as many bits as Python",
            )
        self._engine = sa.create_engine(
            "access+pyodbc://",
            creator=connect or (lambda: pyodbc.connect(f"DRIVER={{{DRIVER}}};DBQ={path};ExtendedAnsiSQL=1;")),
            poolclass=QueuePool,
            pool_size=8,
            max_overflow=-1,
            pool_recycle=_IDLE_SECONDS,
        )

    def reader(self) -> sa.Connection:
        """A connection to read with; Access gives no snapshot beyond a single statement."""
        return self._engine.connect()

    def writer(self) -> sa.Connection:
        """A connection whose statements are one transaction."""
        return self._engine.connect()

    def release(self, connection: sa.Connection) -> None:
        connection.close()

    def commit(self, connection: sa.Connection) -> DatabaseState:
        """Commit, and tell the state after it."""
        connection.commit()
        return self.state()

    def state(self) -> DatabaseState:
        """The file and its size and time."""
        return file_state(self.path)

    def unknown_parts(self) -> list[str]:
        """None: a connection shows all there is."""
        return []

    def rest(self) -> None:
        """Close the connections that are idle."""
        self.close()

    def close(self) -> None:
        self._engine.dispose()
