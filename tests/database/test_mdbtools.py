"""Reading the original's Access files where there is no Access."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import threading

import pytest
import sqlalchemy as sa

from statetrace.database import SiteDatabases, mdbtools, open_database, queries, schema
from statetrace.errors import DatabaseError, DatabaseReadOnly, DriverMissing

pytestmark = [
    pytest.mark.original,
    pytest.mark.mdbtools,
    pytest.mark.skipif(sys.platform == "win32", reason="Access files are read through the ACE driver here"),
]

BOYO, WLLS = "BOYO.accdb", "WLLS-2025-09-15.accdb"


@pytest.fixture
def access_file(original_data, tmp_path):
    """A copy of one of the original's files that may be changed."""

    def copy(name, to=None):
        target = tmp_path / (to or name)
        shutil.copyfile(original_data / "access" / name, target)
        return target

    return copy


def read(path, statement):
    with open_database(path) as database, database.connect() as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]


def as_mdb_json_prints(path, table):
    """Rows as ``mdb-json`` prints them, which leaves out what is empty."""
    command = ["mdb-json", "-T", "%Y-%m-%d %H:%M:%S", path, table]
    printed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    columns = schema.metadata.tables[table].columns
    return [
        {column.name: row.get(column.name, "") for column in columns} for row in map(json.loads, printed.splitlines())
    ]


@pytest.mark.parametrize(("name", "site", "hosts", "ports"), [(BOYO, "BOYO", 12, 120), (WLLS, "WLLS", 5, 224)])
def test_all_interfaces_of_a_site(original_data, name, site, hosts, ports):
    """Reference: access-database E6."""
    rows = read(original_data / "access" / name, queries.site_interfaces(site.lower()))
    assert (len(rows), len({row["Hostname"] for row in rows})) == (ports, hosts)
    assert [(row["Hostname"], row["Port"]) for row in rows] == sorted((row["Hostname"], row["Port"]) for row in rows)


def test_a_known_row(original_data):
    """Reference: access-database E3."""
    (row,) = read(original_data / "access" / BOYO, sa.select(schema.interfaces).where(schema.interfaces.c.ID == 1))
    assert row == {
        "ID": 1, "Hostname": "BOYO-A05-AS-02", "Port": "Et1/1/1", "Name": "Users1", "Status": "Up", "VLAN": 0,
        "Duplex": "Full", "Speed": "1G", "Type": "Access", "LearnedMACs": "", "AuthState": "Open", "AuthMode": "open",
        "AuthClientMAC": "", "AuthTemplate": "open", "Config": " port-name Uplink1\n exit", "PortColor": "",
        "ConfigStatus": "", "ToolTip": "",
    }  # fmt: skip
    history = read(original_data / "access" / BOYO, queries.interface_history("BOYO-A05-AS-02", "Et1/1/1"))
    assert [record["RunDate"] for record in history] == ["2026-01-06 13:28:32"]


@pytest.mark.mdbjson
@pytest.mark.parametrize("name", [BOYO, WLLS])
@pytest.mark.parametrize("table", ["DeviceSummary", "Interfaces", "DeviceHistory", "InterfaceHistory", "SpanInfo"])
def test_every_value_is_what_mdb_json_prints(original_data, name, table):
    path = original_data / "access" / name
    ours = read(path, sa.select(schema.metadata.tables[table]))
    theirs = as_mdb_json_prints(path, table)
    assert len(ours) == len(theirs)
    assert sorted(map(repr, ours)) == sorted(map(repr, theirs))


def test_tables_that_an_old_file_lacks_are_empty(original_data):
    assert read(original_data / "access" / WLLS, queries.spanning_tree("WLLS-A01-AS-01")) == []
    assert read(original_data / "access" / WLLS, sa.select(schema.schema_version)) == []


def test_nothing_is_said_behind_the_users_back(original_data, capfd):
    """MDBTools complains about these good files."""
    read(original_data / "access" / BOYO, queries.site_interfaces("BOYO"))
    assert capfd.readouterr() == ("", "")


def test_it_is_read_only_and_says_how_to_write(original_data):
    with open_database(original_data / "access" / BOYO) as database:
        assert (database.dialect, database.read_only) == ("access", True)
        with pytest.raises(DatabaseReadOnly, match="statetrace convert"), database.begin():
            pass


def test_text_beyond_ascii(access_file):
    path = access_file(BOYO)
    content = path.read_bytes()
    path.write_bytes(content.replace("Users1".encode("utf-16-le"), "Ü√日s1\N{SNOWMAN}".encode("utf-16-le")))
    names = {row["Name"] for row in read(path, queries.site_interfaces("BOYO"))}
    assert "Ü√日s1\N{SNOWMAN}" in names


@pytest.mark.parametrize("name", ["a b.accdb", "semi;colon}{=.accdb", "Wälls ☃.accdb", "'quote\".accdb"])
def test_names_that_a_connection_string_would_misread(access_file, name):
    assert len(read(access_file(BOYO, name), queries.site_interfaces("BOYO"))) == 120


def test_the_file_is_read_once_and_again_when_it_changed(access_file, original_data, monkeypatch):
    path = access_file(BOYO)
    readings = []
    real = mdbtools.read_frames
    monkeypatch.setattr(mdbtools, "read_frames", lambda path: (readings.append(path), real(path))[1])
    with open_database(path) as database:
        assert readings == []
        first = database.state()
        for _ in range(3):
            with database.connect() as connection:
                assert len(connection.execute(queries.site_interfaces("BOYO")).all()) == 120
        assert len(readings) == 1
        shutil.copyfile(original_data / "access" / WLLS, path)
        assert database.state() != first
        with database.connect() as connection:
            assert len(connection.execute(queries.site_interfaces("WLLS")).all()) == 224
        assert len(readings) == 2


def test_many_threads_read_it_once(original_data, monkeypatch):
    readings, counts = [], []
    real = mdbtools.read_frames
    monkeypatch.setattr(mdbtools, "read_frames", lambda path: (readings.append(path), real(path))[1])

    def count():
        for _ in range(5):
            with database.connect() as connection:
                counts.append(len(connection.execute(queries.site_interfaces("BOYO")).all()))

    with open_database(original_data / "access" / BOYO) as database:
        threads = [threading.Thread(target=count) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert counts == [120] * 80
    assert len(readings) == 1


def test_a_reader_keeps_its_copy_while_the_file_changes(access_file, original_data):
    path = access_file(BOYO)
    with open_database(path) as database, database.connect() as connection:
        shutil.copyfile(original_data / "access" / WLLS, path)
        with database.connect() as other:
            assert other.execute(queries.site_interfaces("BOYO")).all() == []
        assert len(connection.execute(queries.site_interfaces("BOYO")).all()) == 120


@pytest.mark.parametrize("size", [40, 4096, 10_000, 100_000, 200_704, 299_008, 401_408, 470_000])
def test_a_truncated_file_is_an_error_not_a_smaller_site(access_file, size, capfd):
    """The driver itself goes on as if unreadable pages held no rows."""
    path = access_file(BOYO)
    os.truncate(path, size)
    with pytest.raises(DatabaseError, match=r"BOYO\.accdb: .*(?:repair|right file)"):
        read(path, queries.site_interfaces("BOYO"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("seed", range(6))
def test_a_garbled_file_never_takes_the_process_with_it(access_file, seed, capfd):
    path = access_file(BOYO)
    dice = random.Random(seed)  # noqa: S311
    content = bytearray(path.read_bytes())
    for _ in range(40):
        page = dice.randrange(1, len(content) // 4096) * 4096
        content[page : page + 64] = dice.randbytes(64)
    path.write_bytes(content)
    with contextlib.suppress(DatabaseError):
        read(path, queries.site_interfaces("BOYO"))
    assert capfd.readouterr() == ("", "")


def test_a_child_that_hangs_is_ended(original_data, monkeypatch, tmp_path):
    program = tmp_path / "hang.py"
    program.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(mdbtools.mdb_reader, "__file__", str(program))
    monkeypatch.setattr(mdbtools, "READING_SECONDS", 0.3)
    with pytest.raises(DatabaseError, match="took longer"):
        read(original_data / "access" / BOYO, queries.site_interfaces("BOYO"))


def test_a_child_that_crashes_is_reported(original_data, monkeypatch, tmp_path):
    program = tmp_path / "crash.py"
    program.write_text("import os, signal\nos.write(2, b'ouch\\n')\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    monkeypatch.setattr(mdbtools.mdb_reader, "__file__", str(program))
    with pytest.raises(DatabaseError, match=r"broke off.*ouch"):
        read(original_data / "access" / BOYO, queries.site_interfaces("BOYO"))


@pytest.mark.parametrize(
    ("cause", "program"),
    [
        ("pyodbc", "sys.modules['pyodbc'] = None"),
        ("driver", "import pyodbc; pyodbc.drivers = lambda: []"),
    ],
)
def test_what_to_install(original_data, monkeypatch, tmp_path, cause, program):
    script = tmp_path / "reader.py"
    script.write_text(
        f"import runpy, sys\n{program}\nsys.exit(runpy.run_path({mdbtools.mdb_reader.__file__!r})['main'](sys.argv))\n"
    )
    monkeypatch.setattr(mdbtools.mdb_reader, "__file__", str(script))
    with pytest.raises(DriverMissing, match=r"pip install statetrace\[access\].*odbc-mdbtools"):
        read(original_data / "access" / BOYO, queries.site_interfaces("BOYO"))


def test_an_original_data_folder(original_data, tmp_path):
    (tmp_path / "WLLS").mkdir()
    shutil.copyfile(original_data / "access" / BOYO, tmp_path / BOYO)
    shutil.copyfile(original_data / "access" / WLLS, tmp_path / "WLLS" / "WLLS.accdb")
    databases = SiteDatabases(tmp_path)
    assert databases.sites() == ["BOYO", "WLLS"]
    assert databases.open("wlls").path == tmp_path / "WLLS" / "WLLS.accdb"
    databases.close()
