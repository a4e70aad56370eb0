"""The program of the child process that reads an Access file through the MDBTools ODBC driver.

``python -P mdb_reader.py FILE`` writes frames to standard output: four bytes of length, then a msgpack array whose
first item names the frame. The library may crash on a damaged file and complains on standard error even about good
ones, so it never runs in the user's process. It imports nothing of ours, to start quickly.

    ["table", name, [column, …]]   a table follows
    ["rows", [[value, …], …]]      some of its rows; dates as text, an absent text or date is ""
    ["unknown", [name, …]]         user tables that were not asked for
    ["failed", cause, words]       cause is "pyodbc", "driver" or "file"
    ["end"]                        everything was read
"""

from __future__ import annotations

import os
import re
import struct
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

DRIVER = "MDBTools"
_ROWS_A_FRAME = 2_000
_LOCAL_TABLE = 1
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./ +@-]+")

Send = Callable[..., None]


class ReadFailed(Exception):
    """What kept the file from being read."""

    def __init__(self, cause: str, words: str) -> None:
        self.cause = cause
        super().__init__(words)


def main(arguments: list[str]) -> int:
    path, wanted = arguments[1], arguments[2:]
    # Whatever the driver prints must not get between the frames.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    encode = msgspec.msgpack.Encoder().encode

    def send(*frame: Any) -> None:
        packed = encode(frame)
        output.write(struct.pack(">I", len(packed)))
        output.write(packed)

    try:
        read_file(path, wanted, send)
    except ReadFailed as failure:
        send("failed", failure.cause, str(failure))
    else:
        send("end")
    output.flush()
    return 0


def read_file(path: str, wanted: Iterable[str], send: Send) -> None:
    """Send the tables in ``wanted`` that the file has."""
    try:
        import pyodbc  # noqa: PLC0415  # absence is an answer, not an error
    except ImportError as error:
        raise ReadFailed("pyodbc", str(error)) from error
    if DRIVER not in pyodbc.drivers():
        raise ReadFailed("driver", f"ODBC knows no driver {DRIVER}")
    with ExitStack() as stack:
        if not _PLAIN_PATH.fullmatch(path):
            # The driver's connection string has no way to quote ; or }.
            link = Path(stack.enter_context(tempfile.TemporaryDirectory()), "database")
            link.symlink_to(path)
            path = str(link)
        try:
            _read_tables(pyodbc.connect(f"DRIVER={{{DRIVER}}};DBQ={path}", autocommit=True), wanted, send)
        except pyodbc.Error as error:
            raise ReadFailed("file", str(error.args[-1])) from error


def _read_tables(connection: Any, wanted: Iterable[str], send: Send) -> None:
    by_name = {name.casefold(): name for name in wanted}
    # Selecting from a table that is not there gives, after the first time, no error but no rows either; and selecting
    # all columns of this one crashes the driver.
    objects = connection.cursor().execute("SELECT Name, Type FROM MSysObjects").fetchall()
    names = [name for name, kind in objects if kind == _LOCAL_TABLE and not name.startswith(("MSys", "~"))]
    if not objects:
        raise ReadFailed("file", "its list of tables is empty")
    for name in names:
        if name.casefold() in by_name:
            _read_table(connection, name, by_name[name.casefold()], send)
    send("unknown", [name for name in names if name.casefold() not in by_name])


def _read_table(connection: Any, name: str, our_name: str, send: Send) -> None:
    # Without a condition this is the count kept in the table's definition, so it tells of pages that cannot be read.
    ((expected,),) = connection.cursor().execute(f"SELECT count(*) FROM {name}").fetchall()  # noqa: S608  # a known name
    cursor = connection.cursor().execute(f"SELECT * FROM {name}")  # noqa: S608  # likewise
    send("table", our_name, [column[0] for column in cursor.description])
    absent = ["" if column[1] in (str, datetime) else None for column in cursor.description]
    # A generator ends once and for all; the driver starts over when it is asked again after the last row.
    rows = (list(map(_value, row, absent)) for row in cursor)
    count = 0
    while frame := list(islice(rows, _ROWS_A_FRAME)):
        count += len(frame)
        send("rows", frame)
    if count != int(expected):
        raise ReadFailed("file", f"only {count} of the {expected} rows of {our_name} can be read")


def _value(value: Any, absent: str | None) -> Any:
    if value is None:
        return absent
    return value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else value


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
