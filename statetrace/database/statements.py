"""Statements of which every host needs some, compiled once a dialect and run with plain tuples of values.

SQLAlchemy's own way looks at every value of every row, and keeps books of every statement; for the rows of a host that
costs more than SQLite needs to store them. Here the driver gets them within the connection's transaction, and only
columns that need a conversion on their dialect get one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from statetrace.database import schema

Row = tuple[Any, ...]
_Convert = Callable[[Any], Any]


class Statement:
    """A statement that takes positional values.

    Args:
        statement: an INSERT, UPDATE or DELETE, or a SELECT; its parameters are named by ``names``.
        names: the parameters in the order in which rows give them.
    """

    def __init__(
        self, statement: sa.Insert | sa.Update | sa.Delete | sa.Select[*tuple[Any, ...]], names: Sequence[str]
    ) -> None:
        self._statement = statement
        self._names = tuple(names)
        self._compiled: dict[str, tuple[str, Callable[[Row], Row] | None]] = {}

    def run(self, connection: sa.Connection, rows: Sequence[Row]) -> int:
        """Run it once for every row of values; the number of rows of the table that were affected.

        Nothing is sent for no rows.
        """
        if not rows:
            return 0
        sql, prepare = self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)
        if prepare is not None:
            rows = [prepare(row) for row in rows]
        cursor = _cursor(connection)
        try:
            if len(rows) == 1:
                return int(cursor.execute(sql, rows[0]).rowcount)
            if connection.dialect.name == "sqlite":
                return int(cursor.executemany(sql, rows).rowcount)
            # ODBC drivers tell the count of the last row only.
            return sum(int(cursor.execute(sql, row).rowcount) for row in rows)
        finally:
            cursor.close()

    def rows(self, connection: sa.Connection, values: Row) -> list[Row]:
        """The rows that a SELECT gives for these values."""
        sql, prepare = self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)
        cursor = _cursor(connection)
        try:
            return list(cursor.execute(sql, values if prepare is None else prepare(values)))
        finally:
            cursor.close()

    def _compile(self, dialect: sa.Dialect) -> tuple[str, Callable[[Row], Row] | None]:
        compiled = self._statement.compile(dialect=dialect, column_keys=list(self._names))
        order = [self._names.index(name) for name in compiled.positiontup or ()]
        converters: list[_Convert | None] = [
            compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
            for name in compiled.positiontup or ()
        ]
        prepare: Callable[[Row], Row] | None = None
        if any(converters) or order != list(range(len(self._names))):

            def prepare(row: Row) -> Row:
                return tuple(
                    row[position] if convert is None else convert(row[position])
                    for position, convert in zip(order, converters, strict=True)
                )

        self._compiled[dialect.name] = found = compiled.string, prepare
        return found


def _cursor(connection: sa.Connection) -> Any:
    """The driver's own cursor, in a transaction of which SQLAlchemy knows: it would not commit another."""
    if not connection.in_transaction():
        connection.begin()
    return connection.connection.cursor()


def _insert(table: sa.Table) -> Statement:
    """An insert of all columns but the row ID, in order."""
    names = [column.name for column in table.c if column.name != "ID"]
    return Statement(sa.insert(table), names)


def _update(table: sa.Table, *keys: str) -> Statement:
    """An update of all other columns where the key columns have the values that come last."""
    values = [column.name for column in table.c if column.name not in ("ID", *keys)]
    statement = sa.update(table).values(
        {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in values}
    )
    for key in keys:
        statement = statement.where(table.c[key] == sa.bindparam(f"key_{key}", type_=table.c[key].type))
    return Statement(statement, [*(f"new_{name}" for name in values), *(f"key_{key}" for key in keys)])


def _delete(table: sa.Table, *keys: str) -> Statement:
    statement = sa.delete(table)
    for key in keys:
        statement = statement.where(table.c[key] == sa.bindparam(f"key_{key}", type_=table.c[key].type))
    return Statement(statement, [f"key_{key}" for key in keys])


_DATA_COLUMNS = [column.name for column in schema.interfaces.c if column.name not in ("ID", "Hostname", "Port")]

insert_device = _insert(schema.device_summary)
"""Hostname, Make, Model, Uptime, Site, Building, Room, Ports, AuthDefaultVLAN, AuthBlock."""
update_device = _update(schema.device_summary, "Hostname")
"""The same without Hostname, then Hostname."""
device = Statement(
    sa.select(*(column for column in schema.device_summary.c if column.name != "Hostname")).where(
        schema.device_summary.c.Hostname == sa.bindparam("hostname", type_=sa.String())
    ),
    ["hostname"],
)
"""Hostname; one row or none: Make, Model, Uptime, Site, Building, Room, Ports, AuthDefaultVLAN, AuthBlock."""
insert_device_history = _insert(schema.device_history)
"""Hostname, RunDate, Make and so on as for ``insert_device``."""
insert_interface = _insert(schema.interfaces)
"""Hostname, Port and the fifteen data columns from Name to ToolTip."""
update_interface = _update(schema.interfaces, "Hostname", "Port")
"""The fifteen data columns, then Hostname and Port. The row keeps its ID."""
delete_interface = _delete(schema.interfaces, "Hostname", "Port")
"""Hostname, Port."""
delete_interfaces = _delete(schema.interfaces, "Hostname")
"""Hostname: all rows of the host."""
insert_interface_history = _insert(schema.interface_history)
"""Hostname, RunDate, Port and the fifteen data columns."""
delete_spanning_tree = _delete(schema.span_info, "Hostname")
"""Hostname."""
insert_spanning_tree = _insert(schema.span_info)
"""Hostname, Vlan, RootSwitch, RootPort, Role, Upstream, LastUpdated."""
insert_spanning_tree_history = _insert(schema.span_history)
"""Hostname, RunDate, Vlan, RootSwitch, RootPort, Role, Upstream."""
host_interfaces = Statement(
    sa.select(*(schema.interfaces.c[name] for name in ("Port", *_DATA_COLUMNS)))
    .where(schema.interfaces.c.Hostname == sa.bindparam("hostname", type_=sa.String()))
    .order_by(schema.interfaces.c.ID),
    ["hostname"],
)
"""Hostname; the rows as they were made: Port and the fifteen data columns."""
host_row_count = Statement(
    # Of a column of the index, so that no row is read.
    sa.select(sa.func.count(schema.interfaces.c.Port)).where(
        schema.interfaces.c.Hostname == sa.bindparam("hostname", type_=sa.String())
    ),
    ["hostname"],
)
"""Hostname; one row of one number."""
device_history_count = Statement(
    sa.select(sa.func.count()).where(
        schema.device_history.c.Hostname == sa.bindparam("hostname", type_=sa.String()),
        schema.device_history.c.RunDate == sa.bindparam("run_date", type_=schema.device_history.c.RunDate.type),
    ),
    ["hostname", "run_date"],
)
"""Hostname, RunDate; one row of one number."""
