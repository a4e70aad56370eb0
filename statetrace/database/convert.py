"""Copying a site database into one of another kind, and proving that the copy holds the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from statetrace.database import schema
from statetrace.database.database import ACCESS_SUFFIXES, SQLITE_SUFFIXES, Database, open_database
from statetrace.database.retry import driver_errors
from statetrace.database.sqlite import new_file
from statetrace.database.turns import WriterTurns
from statetrace.errors import ConversionFailed, DatabaseError, DatabaseReadOnly
from statetrace.model.interface import utf16_length

Progress = Callable[[str, int], object]
Row = tuple[Any, ...]

_ROWS_AT_ONCE = 5_000
_DIGEST_BYTES = 16
_UNIQUE_KEYS: dict[str, tuple[str, ...]] = {"DeviceSummary": ("Hostname",), "Interfaces": ("Hostname", "Port")}


class Duplicate(msgspec.Struct, frozen=True, rename="pascal"):
    """A key that the source has several times; its last row was kept.

    Attributes:
        key: host, or host and port.
        dropped: how many rows were left behind.
    """

    table: str
    key: tuple[str, ...]
    dropped: int


class LongText(msgspec.Struct, frozen=True, rename="pascal"):
    """A column with texts longer than it allows, in UTF-16 code units; SQLite keeps them in full."""

    table: str
    column: str
    limit: int
    longest: int
    rows: int


class CopiedTable(msgspec.Struct, frozen=True, rename="pascal"):
    """A table and the number of its rows in the target."""

    name: str
    rows: int


class ConversionReport(msgspec.Struct, frozen=True, rename="pascal"):
    """What was copied, and what a reader of the copy should know.

    Attributes:
        source: path of the source.
        target: path of the target.
        tables: all tables of the target.
        duplicates: keys that the source had several times.
        long_texts: columns with texts longer than they allow.
        without_device: interfaces whose host has no row in ``DeviceSummary``; copied, but of no site.
        unknown_tables: tables, and columns as ``Table.Column``, of the source that are none of ours; left behind.
        damage: what is wrong with the source according to itself, or ``""``; rows may be missing or changed there.
    """

    source: str
    target: str
    tables: tuple[CopiedTable, ...]
    duplicates: tuple[Duplicate, ...] = ()
    long_texts: tuple[LongText, ...] = ()
    without_device: int = 0
    unknown_tables: tuple[str, ...] = ()
    damage: str = ""

    def remarks(self) -> list[str]:
        """What a reader of the copy should know, a sentence each; nothing when source and copy hold the same."""
        return [
            *([f"the source is damaged, so rows may be missing or changed: {self.damage}"] if self.damage else []),
            *(f"{part} is none of StateTrace's and was left behind" for part in self.unknown_tables),
            *(
                f"{' '.join(found.key)} was {found.dropped + 1} times in {found.table}; the last row was kept"
                for found in self.duplicates
            ),
            *(
                f"{found.table}.{found.column} holds {found.rows} texts longer than {found.limit} characters, "
                f"the longest has {found.longest}"
                for found in self.long_texts
            ),
            *(
                [f"{self.without_device} interfaces belong to hosts that DeviceSummary does not know, so to no site"]
                if self.without_device
                else []
            ),
        ]


def convert_database(
    source: Path | str | Database, target: Path | str | Database, *, progress: Progress | None = None
) -> ConversionReport:
    """Copy all tables with their IDs, in one transaction, and verify count and content of each before it counts.

    Arguments:
        source: a database of any kind.
        target: a SQLite file that does not exist yet; or, on Windows, an Access file without rows.
        progress: told the table and how many more of its rows were copied.

    Raises:
        DatabaseError: a source that cannot be read, a target that exists or cannot be written.
        ConversionFailed: the target does not hold what was written to it; it is left as it was.
    """
    opened = source if isinstance(source, Database) else open_database(source)
    try:
        return _convert(opened, target, progress or (lambda _table, _rows: None))
    finally:
        if opened is not source:
            opened.close()


def _convert(source: Database, target: Path | str | Database, progress: Progress) -> ConversionReport:
    if isinstance(target, Database):
        return _into_existing(source, target, progress)
    path = Path(target).absolute()
    if path.suffix.lower() in ACCESS_SUFFIXES:
        if os.name != "nt":
            raise DatabaseReadOnly(
                path, f"Access files are written on Windows only; choose SQLite, such as {path.with_suffix('.sqlite')}"
            )
        if not path.exists():
            raise DatabaseError(path, "cannot be created; make an empty database in Access first, or choose SQLite")
        with open_database(path) as database:
            return _into_existing(source, database, progress)
    if path.suffix.lower() not in SQLITE_SUFFIXES:
        raise DatabaseError(path, f"has no suffix of a database; choose one of {', '.join(SQLITE_SUFFIXES)}")
    _refuse_existing(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with WriterTurns(path).turn(), driver_errors(path, unfinished=True):
            _refuse_existing(path)  # somebody may have been quicker
            with new_file(path) as connection:
                return _copy(source, path, connection, progress)
    except OSError as error:
        raise DatabaseError(path, f"cannot be created: {error}") from error


def _refuse_existing(path: Path) -> None:
    if os.path.lexists(path):
        raise DatabaseError(path, "exists already and is never overwritten; choose another name or move it away")


def _into_existing(source: Database, target: Database, progress: Progress) -> ConversionReport:
    with target.begin() as connection:
        schema.create_tables(connection)
        for table in schema.TABLES:
            if connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one():
                raise DatabaseError(target.path, f"holds rows in {table.name} already and is never overwritten")
        return _copy(source, target.path, connection, progress)


def _copy(source: Database, target: Path, connection: sa.Connection, progress: Progress) -> ConversionReport:
    findings = _Findings()
    tables: list[CopiedTable] = []
    with source.connect() as reading:
        unknown = [*source.unknown_parts(), *_unknown_tables(reading)]
        damage = _damage(reading) if source.dialect == "sqlite" else ""
        for table in schema.TABLES:
            written = _Digest()
            if reading.dialect.has_table(reading, table.name):
                columns, others = _columns(reading, table)
                if absent := [name for name in _UNIQUE_KEYS.get(table.name, ()) if name not in columns]:
                    raise DatabaseError(source.path, f"its table {table.name} has no column {absent[0]}, the key of it")
                unknown += [f"{table.name}.{name}" for name in others]
                for rows in findings.kept(table, columns, _rows(reading, table, columns)):
                    with driver_errors(target, unfinished=True):
                        connection.execute(
                            table.insert().inline(), [dict(zip(columns, row, strict=True)) for row in rows]
                        )
                    written.add(rows)
                    progress(str(table.name), len(rows))
                with driver_errors(target, unfinished=True):
                    _verify(target, connection, table, columns, written)
            tables.append(CopiedTable(str(table.name), written.count))
    return ConversionReport(
        source=str(source.path),
        target=str(target),
        tables=tuple(tables),
        duplicates=tuple(findings.duplicates),
        long_texts=findings.long_texts(),
        without_device=findings.without_device,
        unknown_tables=tuple(unknown),
        damage=damage,
    )


def _damage(connection: sa.Connection) -> str:
    """What SQLite finds wrong with its own file; it reads much of a damaged one without a word."""
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    return "" if found == "ok" else " ".join(str(found).split())


def _verify(target: Path, connection: sa.Connection, table: sa.Table, columns: Sequence[str], written: _Digest) -> None:
    found = _Digest()
    for rows in _rows(connection, table, columns):
        found.add(rows)
    if found != written:
        raise ConversionFailed(
            target,
            f"{table.name} holds {found.count} rows with digest {found.hex()} after {written.count} rows with digest "
            f"{written.hex()} were written to it; nothing was kept",
        )


def _rows(connection: sa.Connection, table: sa.Table, columns: Sequence[str]) -> Iterator[list[Row]]:
    """All rows in parts, by ID where there is one, with an absent text as ``""`` and a number among texts as text."""
    statement = sa.select(*(table.c[name] for name in columns))
    if "ID" in columns:
        statement = statement.order_by(table.c.ID)
    numbers = [index for index, name in enumerate(columns) if isinstance(table.c[name].type, sa.Integer)]
    for part in connection.execute(statement).partitions(_ROWS_AT_ONCE):
        yield [_cleaned(row, numbers) for row in part]


def _cleaned(row: Sequence[Any], numbers: Sequence[int]) -> Row:
    """The values as every dialect gives them: an absent text is empty, and a number is none of its digits."""
    kept = [row[index] for index in numbers]
    values = ["" if value is None else str(value) if isinstance(value, int | float) else value for value in row]
    for index, value in zip(numbers, kept, strict=True):
        # Some ODBC drivers give the numbers of a counter as text.
        values[index] = int(value) if isinstance(value, str) and value.isdecimal() else value
    return tuple(values)


def _columns(connection: sa.Connection, table: sa.Table) -> tuple[list[str], list[str]]:
    """Our columns that the source has, and those of the source that are not ours."""
    everything = sa.select(sa.literal_column("*", sa.String)).select_from(table).where(sa.false())
    names = {name.casefold(): name for name in connection.execute(everything).keys()}  # noqa: SIM118  # no dictionary
    ours = [str(column.name) for column in table.columns if column.name.casefold() in names]
    return ours, [name for folded, name in names.items() if folded not in {column.casefold() for column in ours}]


def _unknown_tables(connection: sa.Connection) -> list[str]:
    ours = {table.name.casefold() for table in schema.TABLES}
    names = sa.inspect(connection).get_table_names()
    return [
        str(name) for name in names if name.casefold() not in ours and not name.startswith(("MSys", "~", "sqlite_"))
    ]


class _Digest:
    """Number and content of rows whatever their order; an absent value counts as ``""``."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0
        self._encode = msgspec.msgpack.Encoder().encode

    def add(self, rows: Sequence[Row]) -> None:
        self.count += len(rows)
        for row in rows:
            packed = self._encode(["" if value is None else value for value in row])
            self._sum += int.from_bytes(blake2b(packed, digest_size=_DIGEST_BYTES).digest(), "big")

    def hex(self) -> str:
        return f"{self._sum % (1 << 8 * _DIGEST_BYTES):032x}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Digest) and (self.count, self.hex()) == (other.count, other.hex())

    def __hash__(self) -> int:
        raise TypeError("a digest that still grows has no hash")


class _Findings:
    """What is worth telling about the rows on their way."""

    def __init__(self) -> None:
        self.duplicates: list[Duplicate] = []
        self.without_device = 0
        self._hosts: set[str] = set()
        self._long: dict[tuple[str, str], LongText] = {}

    def kept(self, table: sa.Table, columns: Sequence[str], parts: Iterator[list[Row]]) -> Iterator[list[Row]]:
        """The rows that go into the target: all, or the last of each key."""
        key = _UNIQUE_KEYS.get(table.name)
        for rows in (
            parts if key is None else self._last_of_each(table.name, [columns.index(name) for name in key], parts)
        ):
            self._measure(table, columns, rows)
            yield rows

    def long_texts(self) -> tuple[LongText, ...]:
        return tuple(self._long.values())

    def _last_of_each(self, table: str, positions: list[int], parts: Iterator[list[Row]]) -> Iterator[list[Row]]:
        last: dict[tuple[str, ...], Row] = {}
        dropped: dict[tuple[str, ...], int] = {}
        for rows in parts:
            for row in rows:
                key = tuple(_nocase(str(row[position])) for position in positions)
                if key in last:
                    dropped[key] = dropped.get(key, 0) + 1
                last[key] = row
        for key, count in dropped.items():
            self.duplicates.append(
                Duplicate(str(table), tuple(str(last[key][position]) for position in positions), count)
            )
        if table == schema.device_summary.name:
            self._hosts = {host for (host,) in last}
        else:
            self.without_device = sum(host not in self._hosts for host, _ in last)
        kept = list(last.values())
        return (kept[start : start + _ROWS_AT_ONCE] for start in range(0, len(kept), _ROWS_AT_ONCE))

    def _measure(self, table: sa.Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
        for position, name in enumerate(columns):
            limit = getattr(table.c[name].type, "length", None)
            if limit is None:
                continue
            # A character takes at most two units, so most texts need no counting.
            suspects = [
                row[position] for row in rows if isinstance(row[position], str) and 2 * len(row[position]) > limit
            ]
            lengths = [length for length in map(utf16_length, suspects) if length > limit]
            if lengths:
                known = self._long.get((table.name, name))
                longest, count = (known.longest, known.rows) if known else (0, 0)
                self._long[table.name, name] = LongText(
                    str(table.name), name, limit, max(longest, *lengths), count + len(lengths)
                )


_TO_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def _nocase(text: str) -> str:
    """The text as SQLite's NOCASE compares it: only the letters A to Z have two cases."""
    return text.lower() if text.isascii() else text.translate(_TO_LOWER)
