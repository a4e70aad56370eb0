"""Databases for the tests of this package, real ones all of them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import types

import pytest

from statetrace.database import create_tables, open_database, schema
from statetrace.database.database import Database


def device(hostname, site, **values):
    texts = dict.fromkeys(("Make", "Model", "Uptime", "Building", "Room", "AuthDefaultVLAN", "AuthBlock"), "")
    return {"Hostname": hostname, "Site": site, "Ports": 0, **texts, **values}


def interface(hostname, port, **values):
    names = [column.name for column in schema.interfaces.columns][3:]
    return {"Hostname": hostname, "Port": port, **dict.fromkeys(names, ""), "VLAN": 0, **values}


def fill(database, devices=(), interfaces=()):
    with database.begin() as connection:
        if devices:
            connection.execute(schema.device_summary.insert().inline(), list(devices))
        if interfaces:
            connection.execute(schema.interfaces.insert().inline(), list(interfaces))


@pytest.fixture
def make():
    """Makers of rows, and how to write them: ``device``, ``interface``, ``fill``."""
    return types.SimpleNamespace(device=device, interface=interface, fill=fill)


@pytest.fixture
def sqlite_path(tmp_path):
    return tmp_path / "BOYO.sqlite"


@pytest.fixture
def database(sqlite_path):
    """A new SQLite database with two hosts of two sites."""
    with open_database(sqlite_path, create=True) as database:
        fill(
            database,
            [device("BOYO-A05-AS-02", "BOYO", Make="Brocade", Building="5"), device("LAB-SW1", "LAB-", Make="Cisco")],
            [
                interface("BOYO-A05-AS-02", "Et1/1/2", Name="Users2"),
                interface("BOYO-A05-AS-02", "Et1/1/10", Name="Users10", VLAN=20),
                interface("BOYO-A05-AS-02", "Et1/1/1", Name="Users1"),
                interface("LAB-SW1", "Gi1/0/1"),
            ],
        )
        yield database


@pytest.fixture
def run_python():
    """Run Python in another process; its output."""

    def run(code, *arguments):
        command = [sys.executable, "-X", "utf8", "-c", code, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture
def access(tmp_path, monkeypatch):
    """Open a file through the real Access dialect of SQLAlchemy, over the SQLite ODBC driver.

    Tests that ask for it are marked ``sqliteodbc``.
    """
    import pyodbc  # noqa: PLC0415  # not everywhere

    if sys.platform != "win32":
        package, client = types.ModuleType("win32com"), types.ModuleType("win32com.client")
        package.client = client
        monkeypatch.setitem(sys.modules, "win32com", package)
        monkeypatch.setitem(sys.modules, "win32com.client", client)
    from statetrace.database.access import AccessFile  # noqa: PLC0415

    opened = []

    def open_access(name="SITE.accdb", *, tables=True):
        path = tmp_path / name
        path.touch()
        database = Database(path, AccessFile(path, lambda: pyodbc.connect(f"DRIVER=SQLite3;Database={path}")))
        opened.append(database)
        if tables:
            with database.begin() as connection:
                create_tables(connection)
        return database

    yield open_access
    for database in opened:
        database.close()


@pytest.fixture
def raw():
    """Connections of Python's own sqlite3, closed at the end."""
    connections = []

    def connect(path, **options):
        connections.append(sqlite3.connect(path, **options))
        return connections[-1]

    yield connect
    for connection in connections:
        connection.close()
