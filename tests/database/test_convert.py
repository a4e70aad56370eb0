"""Copies of databases: complete, proven, never over something else, never half."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statetrace.database import convert, convert_database, open_database, queries, schema, sqlite
from statetrace.demo import SyntheticSite, write_site
from statetrace.errors import ConversionFailed, DatabaseError, DatabaseMissing


def everything(path):
    with open_database(path) as database, database.connect() as connection:
        return {table.name: sorted(map(repr, connection.execute(sa.select(table)))) for table in schema.TABLES}


def counts(report):
    return {table.name: table.rows for table in report.tables}


def test_sqlite_to_sqlite(database, tmp_path):
    target = tmp_path / "new" / "copy.sqlite"
    copied = []
    report = convert_database(database.path, target, progress=lambda table, rows: copied.append((table, rows)))
    assert (report.source, report.target) == (str(database.path), str(target))
    assert {name: rows for name, rows in counts(report).items() if rows} == {"DeviceSummary": 2, "Interfaces": 4}
    assert set(counts(report)) == {table.name for table in schema.TABLES}
    assert everything(target) == everything(database.path)
    assert copied == [("DeviceSummary", 2), ("Interfaces", 4)]
    assert report.remarks() == []
    assert sorted(path.name for path in target.parent.iterdir()) == ["copy.sqlite", "copy.sqlite.lock"]
    msgspec.json.encode(report)


def test_the_source_stays_as_it_is(database, tmp_path):
    database.close()
    before = database.path.read_bytes()
    convert_database(database.path, tmp_path / "copy.sqlite")
    assert database.path.read_bytes() == before


@pytest.mark.original
@pytest.mark.mdbtools
@pytest.mark.parametrize(("name", "site"), [("BOYO.accdb", "BOYO"), ("WLLS-2025-09-15.accdb", "WLLS")])
def test_the_originals_files(original_data, tmp_path, name, site, capfd):
    source, target = original_data / "access" / name, tmp_path / "copy.sqlite"
    report = convert_database(source, target)
    assert everything(target) == everything(source)
    assert report.remarks() == []
    statements = [queries.site_interfaces(site), queries.devices(site), queries.devices()]
    with open_database(source) as old, open_database(target) as new, old.connect() as one, new.connect() as two:
        hosts = [row.Hostname for row in one.execute(queries.devices())]
        for host in hosts:
            statements += [
                queries.interface_history(host),
                queries.device_history(host),
            ]
        for statement in statements:
            assert one.execute(statement).all() == two.execute(statement).all()
    assert capfd.readouterr() == ("", "")


@pytest.mark.sqliteodbc
def test_to_access_and_back(database, access, tmp_path):
    with database.begin() as connection:
        connection.execute(
            schema.schema_version.insert(),
            {"Version": 1, "MigrationName": "x", "AppliedAt": "2026-01-07 10:00:00", "AppliedBy": ""},
        )
    there = access(tables=False)
    assert counts(convert_database(database, there))["Interfaces"] == 4
    report = convert_database(there, tmp_path / "back.sqlite")
    assert report.remarks() == []
    assert everything(tmp_path / "back.sqlite") == everything(database.path)


@pytest.mark.sqliteodbc
def test_an_access_database_with_rows_is_no_target(database, access):
    there = access()
    convert_database(database, there)
    with pytest.raises(DatabaseError, match="holds rows"):
        convert_database(database, there)


@pytest.mark.skipif(sys.platform == "win32", reason="Access files are written here")
@pytest.mark.parametrize("exists", [False, True])
def test_an_access_file_is_no_target_but_on_windows(database, tmp_path, exists):
    target = tmp_path / "x.accdb"
    if exists:
        target.write_bytes(b"precious")
    with pytest.raises(DatabaseError, match=r"written on Windows only; choose SQLite, such as .*x\.sqlite"):
        convert_database(database, target)
    assert list(tmp_path.glob("x*")) == ([target] if exists else [])


def test_an_existing_target_is_left_alone(database, tmp_path):
    target = tmp_path / "copy.sqlite"
    target.write_text("precious")
    with pytest.raises(DatabaseError, match="never overwritten"):
        convert_database(database, target)
    assert target.read_text() == "precious"
    assert list(tmp_path.glob("copy*")) == [target]


@pytest.mark.parametrize("target", ["copy.txt", "copy"])
def test_an_unknown_kind_of_target(database, tmp_path, target):
    with pytest.raises(DatabaseError, match=r"\.sqlite"):
        convert_database(database, tmp_path / target)


def test_a_missing_source(tmp_path):
    with pytest.raises(DatabaseMissing):
        convert_database(tmp_path / "x.sqlite", tmp_path / "y.sqlite")
    assert list(tmp_path.iterdir()) == []


FOREIGN = """
CREATE TABLE DeviceSummary (Hostname TEXT, Make TEXT, Site TEXT, Extra TEXT);
CREATE TABLE interfaces (ID INTEGER PRIMARY KEY, Hostname TEXT, Port TEXT, Name TEXT, Status TEXT, VLAN INTEGER);
CREATE TABLE Notes (text TEXT);
INSERT INTO DeviceSummary VALUES ('A-1', 'Cisco', 'A', 'x'), ('B-1', NULL, 'B', 'x');
INSERT INTO interfaces VALUES (7, 'A-1', 'Gi1', 'new', '', 3), (3, 'a-1', 'gi1', 'old', NULL, NULL),
    (5, 'A-1', 'Gi1', 'older', '', 1), (8, 'A-1', 'Gi2', NULL, '0123456789012345678901234567890123', NULL), (9, 'X-1', 'Gi1', '', '', 0);
"""


def test_what_is_not_ours_or_not_clean_is_reported(tmp_path, raw):
    """Of a port that is there several times the row with the highest ID counts."""
    source = tmp_path / "foreign.sqlite"
    raw(source).executescript(FOREIGN)
    report = convert_database(source, tmp_path / "copy.sqlite")
    assert sorted(report.unknown_tables) == ["DeviceSummary.Extra", "Notes"]
    assert report.duplicates == (convert.Duplicate("Interfaces", ("A-1", "Gi1"), 2),)
    assert report.long_texts == (convert.LongText("Interfaces", "Status", 32, 34, 1),)
    assert report.without_device == 1
    assert counts(report)["Interfaces"] == 3
    assert len(report.remarks()) == 5
    with open_database(tmp_path / "copy.sqlite") as copy, copy.connect() as connection:
        rows = connection.execute(sa.select(schema.interfaces).order_by(schema.interfaces.c.ID)).mappings().all()
    assert [(row["ID"], row["Name"], row["VLAN"]) for row in rows] == [(7, "new", 3), (8, "", None), (9, "", 0)]


def test_a_copy_that_differs_is_not_kept(database, tmp_path, monkeypatch):
    real = convert._Digest.add
    seen = []

    def add(self, rows):
        seen.append(rows)
        real(self, rows if len(seen) != 2 else [("changed", *rows[0][1:]), *rows[1:]])

    monkeypatch.setattr(convert._Digest, "add", add)
    with pytest.raises(ConversionFailed, match="nothing was kept"):
        convert_database(database, tmp_path / "copy.sqlite")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".", "copy"))] == []


def test_a_source_damaged_in_the_middle_leaves_no_target(database, make, tmp_path):
    make.fill(database, interfaces=[make.interface("LAB-SW1", f"Gi2/0/{n}", Config="c" * 3000) for n in range(200)])
    database.close()
    content = bytearray(database.path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40_000] = b"\xff" * 40_000
    database.path.write_bytes(content)
    with pytest.raises(DatabaseError, match=r"BOYO\.sqlite"):
        convert_database(database.path, tmp_path / "copy.sqlite")
    assert not (tmp_path / "copy.sqlite").exists()


def test_a_killed_conversion_leaves_no_target(database, tmp_path):
    code = (
        "import sys, time\n"
        "from statetrace.database import convert_database\n"
        "convert_database(sys.argv[1], sys.argv[2], progress=lambda *_: (print('copied', flush=True), time.sleep(60)))"
    )
    target = tmp_path / "copy.sqlite"
    with subprocess.Popen([sys.executable, "-c", code, database.path, target], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline().strip() == b"copied"
        process.kill()
    assert not target.exists()
    assert convert_database(database, target).tables
    left = {path.name for path in tmp_path.iterdir() if "copy" in path.name}
    assert left == {"copy.sqlite", "copy.sqlite.lock"}


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.tuples(TEXT, TEXT, st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1))), max_size=8))
def test_any_content_survives(tmp_path, make, texts):
    folder = tmp_path / str(time.monotonic_ns())
    with open_database(folder / "a.sqlite", create=True) as database:
        rows = [
            make.interface("A-1", f"Gi{n}", Name=name, Config=config, VLAN=vlan)
            for n, (name, config, vlan) in enumerate(texts)
        ]
        make.fill(database, [make.device("A-1", "A")], rows)
        report = convert_database(database, folder / "b.sqlite")
    assert counts(report)["Interfaces"] == len(texts)
    assert everything(folder / "a.sqlite") == everything(folder / "b.sqlite")


def test_a_full_disk_is_told_of_the_target(database, tmp_path, monkeypatch):
    """The target is not there yet, which must not pass for the reason."""

    def full(_connection):
        raise sa.exc.OperationalError("CREATE TABLE", {}, sqlite3.OperationalError("database or disk is full"))

    monkeypatch.setattr(sqlite, "create_tables", full)
    with pytest.raises(DatabaseError, match=r"copy\.sqlite: database or disk is full; make room") as caught:
        convert_database(database.path, tmp_path / "copy.sqlite")
    assert not isinstance(caught.value, DatabaseMissing)
    assert not list(tmp_path.glob("*copy.sqlite*[!k]"))


def test_a_source_without_a_key_is_refused(tmp_path, raw):
    path = tmp_path / "bare.sqlite"
    with raw(path) as connection:
        connection.executescript("CREATE TABLE DeviceSummary (Hostname, Site); CREATE TABLE Interfaces (ID, Hostname)")
    with pytest.raises(DatabaseError, match="Interfaces has no column Port"):
        convert_database(path, tmp_path / "copy.sqlite")
    assert not (tmp_path / "copy.sqlite").exists()


def test_numbers_in_columns_without_a_type_become_text(tmp_path, raw):
    path, target = tmp_path / "loose.sqlite", tmp_path / "copy.sqlite"
    with raw(path) as connection:
        connection.executescript(
            "CREATE TABLE DeviceSummary (Hostname, Site, Ports); INSERT INTO DeviceSummary VALUES (1, 2.5, 3);"
            "CREATE TABLE Interfaces (ID INTEGER PRIMARY KEY, Hostname, Port, VLAN); INSERT INTO Interfaces VALUES (1, 1, 7, 10)"
        )
    convert_database(path, target)
    copied = raw(target)
    assert copied.execute("SELECT Hostname, Site, Ports FROM DeviceSummary").fetchall() == [("1", "2.5", 3)]
    assert copied.execute("SELECT Hostname, Port, VLAN FROM Interfaces").fetchall() == [("1", "7", 10)]


def test_a_damaged_source_is_copied_as_far_as_it_can_be_read_and_named(tmp_path):
    """SQLite reads past much of its own damage; whoever gets the copy has to know."""
    source = tmp_path / "source.sqlite"
    write_site(source, SyntheticSite("ALDR", "Cisco", 2, 4))
    connection = sqlite3.connect(source)
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.execute("PRAGMA writable_schema=ON")
    rows = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'idx_spanhistory_host'").fetchone()
    connection.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = 'IX_InterfaceHistory_HostnameRunDate'", rows)
    connection.commit()
    connection.close()
    report = convert_database(source, tmp_path / "copy.sqlite")
    assert report.damage
    assert any("damaged" in remark for remark in report.remarks())
    assert convert_database(tmp_path / "copy.sqlite", tmp_path / "again.sqlite").damage == ""
