"""The tables of a site database, declared once for all dialects."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Dialect

DATE_FORMAT = "%Y-%m-%d %H:%M:%S"
"""Dates are local time with second precision, never aware of a zone."""


class _AccessDate(sa.types.TypeDecorator[str]):
    """``YYYY-MM-DD HH:MM:SS`` in Python, a DATETIME in Access; an empty text is stored as no date."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # the interface
        return datetime.strptime(value, DATE_FORMAT) if value else None  # noqa: DTZ007  # local by definition

    def process_result_value(self, value: Any, dialect: Dialect) -> str:  # noqa: ARG002  # likewise
        return value.strftime(DATE_FORMAT) if isinstance(value, datetime) else value or ""


def _text(length: int) -> sa.String:
    """Text of at most ``length`` UTF-16 code units; Access enforces it, elsewhere the writer does."""
    return sa.String(length)


def _name(length: int) -> Any:
    """Text that is compared and ordered without regard to case, as Access does with all text."""
    return sa.String(length).with_variant(sa.String(length, collation="NOCASE"), "sqlite")


_LONG_INTEGER = sa.Integer()
_MEMO = sa.Text()
# Plain text on SQLite, so that no row of a history pays for a conversion.
_DATE = sa.String(19).with_variant(_AccessDate(), "access")

metadata = sa.MetaData()


def _id() -> sa.Column[int]:
    return sa.Column("ID", _LONG_INTEGER, primary_key=True, autoincrement=True)


def _device_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("Make", _text(64)),
        sa.Column("Model", _text(64)),
        sa.Column("Uptime", _text(64)),
        sa.Column("Site", _name(64)),
        sa.Column("Building", _text(64)),
        sa.Column("Room", _text(64)),
        sa.Column("Ports", _LONG_INTEGER),
        sa.Column("AuthDefaultVLAN", _text(32)),
        sa.Column("AuthBlock", _MEMO),
    )


def _observed_columns(width: int | None = None) -> tuple[sa.Column[Any], ...]:
    """The fifteen data columns of an interface; the staging table has one ``width`` for all."""

    def text(name: str, length: int) -> sa.Column[str]:
        return sa.Column(name, _text(width or length))

    return (
        text("Name", 128),
        text("Status", 32),
        sa.Column("VLAN", _LONG_INTEGER),
        text("Duplex", 32),
        text("Speed", 32),
        text("Type", 32),
        sa.Column("LearnedMACs", _MEMO),
        text("AuthState", 32),
        text("AuthMode", 32),
        text("AuthClientMAC", 64),
        text("AuthTemplate", 64),
        sa.Column("Config", _MEMO),
        text("PortColor", 32),
        text("ConfigStatus", 32),
        sa.Column("ToolTip", _MEMO),
    )


def _span_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("Vlan", _name(32)),
        sa.Column("RootSwitch", _text(64)),
        sa.Column("RootPort", _text(32)),
        sa.Column("Role", _text(32)),
        sa.Column("Upstream", _text(64)),
    )


device_summary = sa.Table(
    "DeviceSummary", metadata, sa.Column("Hostname", _name(64), primary_key=True), *_device_columns()
)
"""One row per host."""

interfaces = sa.Table(
    "Interfaces",
    metadata,
    _id(),
    sa.Column("Hostname", _name(64), sa.ForeignKey("DeviceSummary.Hostname")),
    sa.Column("Port", _name(64)),
    *_observed_columns(),
    sqlite_autoincrement=True,
)
"""The current row of every port."""

device_history = sa.Table(
    "DeviceHistory",
    metadata,
    _id(),
    sa.Column("Hostname", _name(64)),
    sa.Column("RunDate", _DATE),
    *_device_columns(),
    sqlite_autoincrement=True,
)
"""One row per host and ingestion."""

interface_history = sa.Table(
    "InterfaceHistory",
    metadata,
    _id(),
    sa.Column("Hostname", _name(64)),
    sa.Column("RunDate", _DATE),
    sa.Column("Port", _name(64)),
    *_observed_columns(),
    sqlite_autoincrement=True,
)
"""One row per changed or new port and ingestion."""

span_info = sa.Table(
    "SpanInfo", metadata, sa.Column("Hostname", _name(64)), *_span_columns(), sa.Column("LastUpdated", _DATE)
)
"""The current spanning-tree instances; no key, as in the original."""

span_history = sa.Table(
    "SpanHistory",
    metadata,
    _id(),
    sa.Column("Hostname", _name(64)),
    sa.Column("RunDate", _DATE),
    *_span_columns(),
    sqlite_autoincrement=True,
)
"""Spanning-tree instances by ingestion."""

interface_bulk_seed = sa.Table(
    "InterfaceBulkSeed",
    metadata,
    sa.Column("BatchId", _text(36), nullable=False),
    sa.Column("Hostname", _name(255)),
    sa.Column("RunDateText", _text(32)),
    sa.Column("RunDate", _DATE),
    sa.Column("Port", _name(255)),
    *_observed_columns(255),
)
"""The original's staging table: empty outside a running batch, wider than its target."""

schema_version = sa.Table(
    "SchemaVersion",
    metadata,
    _id(),
    sa.Column("Version", _LONG_INTEGER, nullable=False),
    sa.Column("MigrationName", _text(128)),
    sa.Column("AppliedAt", _DATE),
    sa.Column("AppliedBy", _text(64)),
    sqlite_autoincrement=True,
)
"""Which migrations were applied; no known file has it."""


def _indexes() -> Iterator[tuple[str, sa.Index]]:
    # On Access the original's own set. Several of its names share one physical tree there and cost nothing; on SQLite
    # each would be built, so those that repeat a key are left out (reference: access-database 4.9, 11).
    host, port = interfaces.c.Hostname, interfaces.c.Port
    yield "access", sa.Index("idx_devicesummary_host", device_summary.c.Hostname)
    yield "access", sa.Index("IX_Interfaces_Hostname", host)
    yield "access", sa.Index("IX_Interfaces_HostnamePort", host, port)
    yield "access", sa.Index("idx_interfaces_host_port", host, port)
    yield "sqlite", sa.Index("idx_interfaces_host_port", host, port, unique=True)
    for index in (
        sa.Index("IX_InterfaceHistory_HostnameRunDate", interface_history.c.Hostname, interface_history.c.RunDate),
        sa.Index("idx_spaninfo_host_vlan", span_info.c.Hostname, span_info.c.Vlan),
        sa.Index("idx_spanhistory_host", span_history.c.Hostname),
        sa.Index("IX_InterfaceBulkSeed_BatchId", interface_bulk_seed.c.BatchId),
    ):
        yield "access", index
        yield "sqlite", index


_INDEXES = tuple(_indexes())

TABLES: tuple[sa.Table, ...] = tuple(metadata.sorted_tables)
"""All tables, those that others refer to first."""


def create_tables(connection: Connection, *, indexes: Literal["access", "sqlite"] | None = None) -> None:
    """Create the tables that are missing, with their indexes; running it again changes nothing.

    Arguments:
        connection: a connection inside a write transaction.
        indexes: whose set of indexes to create, by default that of the connection's dialect. A copy of an Access
            database takes ``"access"``: only that set lets a host have a port twice.
    """
    chosen = indexes or connection.dialect.name
    on_sqlite = connection.dialect.name == "sqlite"
    for table in TABLES:
        # Access knows no IF NOT EXISTS, and asking it for the indexes of a table fails on some drivers.
        if not on_sqlite and connection.dialect.has_table(connection, table.name):
            continue
        connection.execute(CreateTable(table, if_not_exists=on_sqlite))
        for dialect, index in _INDEXES:
            if dialect == chosen and index.table is table:
                connection.execute(CreateIndex(index, if_not_exists=on_sqlite))
