"""Every statement of ours in the words of the real Access dialect, over the SQLite ODBC driver."""

from __future__ import annotations

import sys

import pytest
import sqlalchemy as sa

from statetrace.database import create_tables, open_database, queries, schema
from statetrace.database.schema import TABLES
from statetrace.errors import DriverMissing
from statetrace.repository.hydration import hydrate_site
from statetrace.repository.templates import HintCache

pytestmark = pytest.mark.sqliteodbc


def rows(database, statement):
    with database.connect() as connection:
        return [tuple(row) for row in connection.execute(statement)]


def delete_and_fail(connection):
    connection.execute(schema.interfaces.delete())
    raise ZeroDivisionError


@pytest.fixture
def database(access, make):
    database = access()
    make.fill(
        database,
        [make.device("BOYO-1", "BOYO", Make="Brocade"), make.device("BOYO-2", "BOYO"), make.device("LAB-1", "LAB-")],
        [make.interface(host, port) for host in ("BOYO-2", "BOYO-1") for port in ("Et1/1/2", "Et1/1/10", "Et1/1/1")],
    )
    return database


def test_tables_are_created_once(access, raw):
    database = access()
    before = raw(database.path).execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    with database.begin() as connection:
        create_tables(connection)
    assert raw(database.path).execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall() == before
    assert {table.name for table in TABLES} <= {name for name, _ in before}


def test_the_definitions_are_accesss(access):
    database = access(tables=False)
    with database.connect() as connection:
        ddl = {table.name: str(sa.schema.CreateTable(table).compile(connection)) for table in TABLES}
    assert "[ID] COUNTER" in ddl["Interfaces"]
    assert "[VLAN] INTEGER" in ddl["Interfaces"]
    assert "[Config] LONGCHAR" in ddl["Interfaces"]
    assert "[Port] VARCHAR(64)" in ddl["Interfaces"]
    assert "FOREIGN KEY([Hostname]) REFERENCES [DeviceSummary] ([Hostname])" in ddl["Interfaces"]
    assert "[RunDate] DATETIME" in ddl["DeviceHistory"]
    assert not any("COLLATE" in text or "AUTOINCREMENT" in text for text in ddl.values())


def test_the_originals_indexes_do_not_forbid_a_port_twice(database, make, raw):
    make.fill(database, interfaces=[make.interface("BOYO-1", "Et1/1/1")] * 2)
    names = {name for (name,) in raw(database.path).execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert {
        "idx_devicesummary_host", "IX_Interfaces_Hostname", "IX_Interfaces_HostnamePort", "idx_interfaces_host_port",
        "IX_InterfaceHistory_HostnameRunDate", "idx_spaninfo_host_vlan", "idx_spanhistory_host",
        "IX_InterfaceBulkSeed_BatchId",
    } <= names  # fmt: skip
    assert "idx_devicesummary_site" not in names


def test_every_query_runs(database, make):
    date = "2026-01-06 13:28:32"
    with database.begin() as connection:
        connection.execute(
            schema.device_history.insert().inline(),
            [{**make.device("BOYO-1", "BOYO"), "RunDate": date}, {**make.device("BOYO-1", "BOYO"), "RunDate": ""}],
        )
        connection.execute(
            schema.interface_history.insert().inline(), [{**make.interface("BOYO-1", "Et1/1/1"), "RunDate": date}]
        )
        span = {
            "Hostname": "BOYO-1",
            "RootSwitch": "r",
            "RootPort": "",
            "Role": "Desg",
            "Upstream": "",
            "LastUpdated": date,
        }
        connection.execute(schema.span_info.insert().inline(), [{**span, "Vlan": "2"}, {**span, "Vlan": "1"}])
    found = rows(database, queries.site_interfaces("BOYO"))
    assert [row[:2] for row in found] == [
        (host, port) for host in ("BOYO-1", "BOYO-2") for port in ("Et1/1/1", "Et1/1/10", "Et1/1/2")
    ]
    assert found[0][12:16] == ("BOYO", "", "", "Brocade")
    assert [len(row) for row in found] == [21] * 6
    assert [row[0] for row in rows(database, queries.devices())] == ["BOYO-1", "BOYO-2", "LAB-1"]
    assert [row[0] for row in rows(database, queries.devices("LAB"))] == ["LAB-1"]
    assert [row[0] for row in rows(database, queries.device("LAB-1"))] == ["LAB-1"]
    assert len(rows(database, queries.site_hosts())) == 3
    assert [(row[0], row[5]) for row in rows(database, queries.spanning_tree("BOYO-1"))] == [("1", date), ("2", date)]
    assert sorted(row[2] for row in rows(database, queries.device_history("BOYO-1"))) == ["", date]
    assert [row[2] for row in rows(database, queries.interface_history("BOYO-1"))] == [date]
    assert len(rows(database, queries.interface_history("BOYO-1", "Et1/1/1"))) == 1


def test_a_site_hydrates_from_the_tuples_of_the_odbc_driver_as_from_sqlite(database, make, sqlite_path):
    """Hydration takes rows from the driver's own cursor, past SQLAlchemy."""
    with open_database(sqlite_path, create=True) as copy:
        make.fill(
            copy,
            [make.device("BOYO-1", "BOYO", Make="Brocade"), make.device("BOYO-2", "BOYO")],
            [
                make.interface(host, port)
                for host in ("BOYO-1", "BOYO-2")
                for port in ("Et1/1/1", "Et1/1/2", "Et1/1/10")
            ],
        )
        ours, theirs = (
            hydrate_site("BOYO", one, previous=None, templates=HintCache(), refresh=False) for one in (database, copy)
        )
    assert ours.entry == theirs.entry
    assert list(ours.entry["BOYO-2"]) == ["Et1/1/1", "Et1/1/2", "Et1/1/10"]
    assert (ours.metrics.database_dialect, theirs.metrics.database_dialect) == ("access", "sqlite")
    with database.connect() as connection:
        found = connection.execute(queries.site_hosts()).cursor.fetchmany(1)
    assert type(found[0]).__module__ == "pyodbc"


def test_statements_stay_within_what_access_understands(database):
    statements = [
        queries.site_interfaces("B1"),
        queries.devices(), queries.devices("B"), queries.device("a"), queries.site_hosts(),
        queries.spanning_tree("a"), queries.device_history("a"), queries.interface_history("a", "b"),
    ]  # fmt: skip
    with database.connect() as connection:
        for statement in statements:
            text = str(statement.compile(connection, compile_kwargs={"render_postcompile": True}))
            assert not any(word in text for word in (" LIMIT ", " TOP ", " COLLATE ", " ESCAPE ", " CAST"))
            assert text.count(" JOIN ") == text.count("FROM (")


def test_update_and_delete(database):
    with database.begin() as connection:
        connection.execute(schema.interfaces.update().where(schema.interfaces.c.Hostname == "BOYO-1").values(Name="x"))
        connection.execute(schema.interfaces.delete().where(schema.interfaces.c.Hostname.in_(["BOYO-2"])))
    assert {(row[0], row[2]) for row in rows(database, queries.site_interfaces("BOYO"))} == {("BOYO-1", "x")}


def test_an_exception_rolls_back(database):
    with pytest.raises(ZeroDivisionError), database.begin() as connection:
        delete_and_fail(connection)
    assert len(rows(database, queries.site_interfaces("BOYO"))) == 6


def test_a_commit_changes_the_state(database):
    before = database.state()
    with database.begin() as connection:
        connection.execute(schema.interfaces.update().values(Config="x" * 10_000))
    assert database.state() != before


@pytest.mark.skipif(sys.platform == "win32", reason="there the driver may be installed")
def test_without_the_driver_it_says_what_to_install(access, tmp_path):
    access("x.accdb", tables=False)
    from statetrace.database.access import AccessFile  # noqa: PLC0415

    with pytest.raises(DriverMissing, match="Access Database Engine"):
        AccessFile(tmp_path / "x.accdb")


def test_without_the_packages_it_says_what_to_install(tmp_path, monkeypatch):
    from statetrace.database.access import AccessFile  # noqa: PLC0415

    monkeypatch.setitem(sys.modules, "sqlalchemy_access", None)
    with pytest.raises(DriverMissing, match="pip install"):
        AccessFile(tmp_path / "x.accdb")


def test_opening_elsewhere_than_on_windows_never_imports_it(database, run_python, sqlite_path):
    open_database(sqlite_path, create=True).close()
    code = (
        "import sys\n"
        "from statetrace.database import open_database\n"
        "open_database(sys.argv[1]).close()\n"
        "print([name for name in ('pyodbc', 'sqlalchemy_access') if name in sys.modules])"
    )
    assert run_python(code, sqlite_path) == "[]"
