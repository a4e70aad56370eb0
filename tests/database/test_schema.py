"""The tables: names, order and widths of the original, keys and comparison as decided."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from statetrace.database import create_tables, open_database, schema
from statetrace.errors import DatabaseError

OBSERVED = (
    "Name:128 Status:32 VLAN Duplex:32 Speed:32 Type:32 LearnedMACs AuthState:32 AuthMode:32 AuthClientMAC:64 "
    "AuthTemplate:64 Config PortColor:32 ConfigStatus:32 ToolTip"
)
DEVICE = "Make:64 Model:64 Uptime:64 Site:64 Building:64 Room:64 Ports AuthDefaultVLAN:32 AuthBlock"
SPAN = "Vlan:32 RootSwitch:64 RootPort:32 Role:32 Upstream:64"
STAGED = " ".join(f"{part.split(':')[0]}:255" if ":" in part else part for part in OBSERVED.split())
EXPECTED = {
    "DeviceSummary": f"Hostname:64 {DEVICE}",
    "Interfaces": f"ID Hostname:64 Port:64 {OBSERVED}",
    "DeviceHistory": f"ID Hostname:64 RunDate:19 {DEVICE}",
    "InterfaceHistory": f"ID Hostname:64 RunDate:19 Port:64 {OBSERVED}",
    "SpanInfo": f"Hostname:64 {SPAN} LastUpdated:19",
    "SpanHistory": f"ID Hostname:64 RunDate:19 {SPAN}",
    "InterfaceBulkSeed": f"BatchId:36 Hostname:255 RunDateText:32 RunDate:19 Port:255 {STAGED}",
    "SchemaVersion": "ID Version MigrationName:128 AppliedAt:19 AppliedBy:64",
}


def test_columns_are_the_originals_in_name_order_and_width():
    """Reference: access-database 4."""
    described = {
        table.name: " ".join(
            f"{column.name}:{column.type.length}" if getattr(column.type, "length", None) else column.name
            for column in table.columns
        )
        for table in schema.TABLES
    }
    assert described == EXPECTED


def test_creating_twice_changes_nothing(database, raw):
    before = raw(database.path).execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
    with database.begin() as connection:
        create_tables(connection)
    assert raw(database.path).execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall() == before


def test_missing_tables_of_an_old_database_are_added(tmp_path, raw):
    """Databases of 2025-09 have no span tables."""
    path = tmp_path / "old.sqlite"
    open_database(path, create=True).close()
    old = raw(path)
    old.executescript("DROP TABLE SpanInfo; DROP TABLE SpanHistory; DROP TABLE InterfaceBulkSeed;")
    old.close()
    with open_database(path) as database, database.begin() as connection:
        create_tables(connection)
        assert {table.name for table in schema.TABLES} <= set(sa.inspect(connection).get_table_names())


def test_a_port_exists_once_a_host_in_any_case(database, make):
    with pytest.raises(DatabaseError, match="UNIQUE"):
        fill_interfaces(database, make.interface("boyo-a05-as-02", "ET1/1/1"))


def fill_interfaces(database, *rows):
    with database.begin() as connection:
        connection.execute(schema.interfaces.insert(), list(rows))


def test_an_interface_needs_its_device(database, make):
    with pytest.raises(DatabaseError, match="FOREIGN KEY"):
        fill_interfaces(database, make.interface("NOWHERE-1", "Gi1"))


def test_ids_are_never_used_again(database, make):
    with database.begin() as connection:
        connection.execute(schema.interfaces.delete())
    fill_interfaces(database, make.interface("BOYO-A05-AS-02", "Et1/1/1"))
    with database.connect() as connection:
        assert connection.execute(sa.select(schema.interfaces.c.ID)).scalars().all() == [5]


def test_index_set_on_sqlite(database):
    with database.connect() as connection:
        inspector = sa.inspect(connection)
        indexes = {
            (index["name"], tuple(index["column_names"]), bool(index["unique"]))
            for table in schema.TABLES
            for index in inspector.get_indexes(table.name)
        }
    assert indexes == {
        ("idx_interfaces_host_port", ("Hostname", "Port"), True),
        ("IX_InterfaceHistory_HostnameRunDate", ("Hostname", "RunDate"), False),
        ("idx_spaninfo_host_vlan", ("Hostname", "Vlan"), False),
        ("idx_spanhistory_host", ("Hostname",), False),
        ("IX_InterfaceBulkSeed_BatchId", ("BatchId",), False),
    }
