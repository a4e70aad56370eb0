"""Where databases lie, and which one holds a site."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from statetrace.database import SiteDatabases, locations, open_database, queries
from statetrace.errors import DatabaseError, UnsafeName


@pytest.fixture
def data(tmp_path):
    return tmp_path / "Data"


@pytest.fixture
def databases(data):
    databases = SiteDatabases(data)
    yield databases
    databases.close()


def touch(data, *names):
    for name in names:
        path = data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def write(make, path, *hosts):
    with open_database(path, create=True) as database:
        make.fill(database, [make.device(host, site) for host, site in hosts])


@pytest.mark.parametrize(
    ("present", "site", "expected"),
    [
        ([], "WLLS", "WLLS/WLLS.sqlite"),
        ([], "WLLS-A01-SW01", "WLLS/WLLS-A01-SW01.sqlite"),
        ([], "BOYO-5", "BOYO/BOYO-5.sqlite"),
        ([], "  ", "Unknown/Unknown.sqlite"),
        ([], "-X1", "-X1/-X1.sqlite"),
        (["WLLS.accdb"], "WLLS", "WLLS.accdb"),
        (["BRAVO.accdb"], "BRAVO", "BRAVO.accdb"),
        (["WLLS.accdb", "WLLS/WLLS.accdb"], "WLLS", "WLLS/WLLS.accdb"),
        (["WLLS.sqlite", "WLLS/WLLS.accdb"], "WLLS", "WLLS/WLLS.accdb"),
        (["WLLS/WLLS.accdb", "WLLS/WLLS.sqlite"], "WLLS", "WLLS/WLLS.sqlite"),
        (["WLLS.accdb", "WLLS.sqlite"], "WLLS", "WLLS.sqlite"),
        (["WLLS/WLLS.accdb"], "wlls", "WLLS/WLLS.accdb"),
        (["Wlls.ACCDB"], "wlls", "Wlls.ACCDB"),
        (["WLLS/other.accdb"], "wlls", "WLLS/wlls.sqlite"),
    ],
)
def test_path_of_a_site(data, databases, present, site, expected):
    """Reference: access-database E1, site-cache 15.11.

    Other than there, new databases are SQLite, and a name that no file can have (``ACME:HQ-EDGE1``) is refused, see the
    next test: the original changed it in one part of the path and not in the other (defect D20).
    """
    touch(data, *present)
    assert databases.path_of(site) == data / expected


@pytest.mark.parametrize("site", ["ACME:HQ-EDGE1", "../x", "a/b", "..", "CON", "x\0", "a" * 200, "A.-B"])
def test_no_site_escapes_the_folder(databases, site):
    with pytest.raises(UnsafeName):
        databases.path_of(site)
    with pytest.raises(UnsafeName):
        databases.open(site)


class TestPaths:
    def test_the_folder_and_one_level_below(self, data, databases):
        """Reference: access-database E2."""
        touch(data, "BOYO/BOYO.accdb", "OLD.accdb", "PerfPipeline-1.accdb", "PerfPipeline.accdb", "WLLS/sub/x.accdb")
        assert databases.paths() == [data / "OLD.accdb", data / "BOYO/BOYO.accdb"]

    def test_what_is_no_database_of_a_site(self, data, databases):
        touch(
            data, "A/A.sqlite", "A/A.sqlite.lock", "A/A.sqlite-wal", "A/A.sqlite-shm", "A/.A.sqlite.1.tmp", "A/.x.sqlite",
            "A/A.backup.20260101-000000.accdb", "Backups/A_20260101-000000.accdb", "IngestionHistory/A.json",
            "A/A.accdb.backup-20260101.accdb",
        )  # fmt: skip
        assert databases.paths() == [data / "A/A.sqlite"]

    def test_deeper_only_if_there_is_nothing_else(self, data, databases):
        touch(data, "a/b/x.accdb", "a/b/PerfPipeline-2.accdb", "a/Backups/y.accdb")
        assert databases.paths() == [data / "a/b/x.accdb"]

    def test_a_converted_database_counts_once(self, data, databases):
        touch(data, "A/A.accdb", "A/A.sqlite", "A/B.accdb")
        assert databases.paths() == [data / "A/A.sqlite", data / "A/B.accdb"]

    def test_no_folder_no_databases(self, databases):
        assert databases.paths() == []
        assert databases.sites() == []
        assert list(databases.databases()) == []


class TestSites:
    def test_all_codes_in_first_spelling(self, data, databases, make):
        write(make, data / "BOYO/BOYO.sqlite", ("BOYO-1", "BOYO"), ("LAB-SW1", "LAB-"), ("CORESWITCH", "CORE"))
        write(make, data / "x/x.sqlite", ("boyo-2", "boyo"), ("ACME-1", ""), ("Z-1", " "), ("AB-9", "Other"))
        assert databases.sites() == ["ACME", "BOYO", "CORE", "LAB", "Other", "Z"]

    def test_they_follow_the_database(self, data, databases, make):
        write(make, data / "A.sqlite", ("A-1", "A"))
        assert databases.sites() == ["A"]
        make.fill(databases.open("A"), [make.device("B-1", "B")])
        assert databases.sites() == ["A", "B"]


class TestOpening:
    def test_a_site_without_database(self, data, databases):
        assert databases.open("WLLS") is None
        assert not data.exists()

    def test_each_database_once(self, data, databases, make):
        write(make, data / "BOYO/BOYO.sqlite", ("BOYO-1", "BOYO"))
        found = []
        threads = [threading.Thread(target=lambda: found.append(databases.open("boyo"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(map(id, found))) == 1
        assert next(databases.databases()) is found[0]

    @pytest.mark.parametrize("site", ["wlls", "WLLS7", "LAB", "ACME"])
    def test_a_site_in_the_database_of_another(self, data, databases, make, site):
        write(make, data / "BOYO/BOYO.sqlite", ("BOYO-1", "BOYO"))
        write(make, data / "All.sqlite", ("WLLS-1", "WLLS"), ("LAB-SW1", "LAB-"), ("ACME-1", ""))
        assert databases.open(site).path == data / "All.sqlite"
        assert databases.open("NOWHERE") is None

    def test_a_damaged_database_elsewhere_is_not_taken_for_an_absent_site(self, data, databases, make):
        write(make, data / "BOYO/BOYO.sqlite", ("BOYO-1", "BOYO"), ("WLLS-1", "WLLS"))
        (data / "A.sqlite").write_bytes(b"nonsense" * 100)
        assert databases.open("WLLS").path == data / "BOYO/BOYO.sqlite"
        with pytest.raises(DatabaseError, match=r"A\.sqlite"):
            databases.open("NOWHERE")

    def test_one_database_for_all(self, tmp_path, data, make):
        write(make, data / "BOYO/BOYO.sqlite", ("BOYO-1", "BOYO"))
        write(make, tmp_path / "all.sqlite", ("X-1", "X"))
        databases = SiteDatabases(data, tmp_path / "all.sqlite")
        assert databases.open("BOYO").path == databases.path_of("WLLS") == tmp_path / "all.sqlite"
        assert databases.paths() == [tmp_path / "all.sqlite"]
        assert databases.sites() == ["X"]
        databases.close()

    def test_an_override_that_is_not_there(self, tmp_path, data):
        databases = SiteDatabases(data, tmp_path / "all.sqlite")
        assert databases.open("BOYO") is None
        assert databases.sites() == []

    def test_creating(self, data, databases):
        assert databases.made("BOYO").path == data / "BOYO/BOYO.sqlite"
        assert databases.open("BOYO") is databases.open("boyo")

    def test_closed_databases_open_again(self, data, databases, make):
        write(make, data / "BOYO.sqlite", ("BOYO-1", "BOYO"))
        first = databases.open("BOYO")
        databases.close()
        assert databases.open("BOYO") is not first


class TestSearching:
    def test_a_new_site_asks_no_database_that_was_made_here_or_asked_before(self, data, databases, make, monkeypatch):
        write(make, data / "BOYO/BOYO.sqlite", ("BOYO-1", "BOYO"), ("OLD-1", "OLD"))
        asked = []
        site_hosts = queries.site_hosts
        monkeypatch.setattr(queries, "site_hosts", lambda: asked.append(1) or site_hosts())
        for number in range(5):
            databases.made(f"X{number}")
        assert len(asked) == 1
        assert databases.open("OLD").path == data / "BOYO/BOYO.sqlite"

    def test_a_database_in_a_new_folder_is_found_at_once(self, data, databases, make):
        assert databases.made("BOYO")
        assert databases.open("OLD") is None
        write(make, data / "Z/Z.sqlite", ("Z-1", "Z"), ("OLD-1", "OLD"))
        assert databases.open("OLD").path == data / "Z/Z.sqlite"

    @pytest.mark.parametrize("name", ["BOYO.sqlite", "more.sqlite"])
    def test_a_database_put_beside_or_in_place_of_another_is_found_soon(
        self, tmp_path, data, databases, make, monkeypatch, name
    ):
        databases.made("BOYO").close()
        assert databases.open("OLD") is None
        write(make, tmp_path / "new.sqlite", ("OLD-1", "OLD"))
        (tmp_path / "new.sqlite").replace(data / "BOYO" / name)
        monkeypatch.setattr(locations, "_LOOK_SECONDS", 0)
        assert databases.open("OLD").path == data / "BOYO" / name

    def test_a_site_is_found_in_that_of_its_letters_as_soon_as_it_holds_hosts(self, data, databases, make):
        wlls = databases.made("WLLS")
        assert databases.open("WLLS1") is None
        make.fill(wlls, [make.device("WLLS-1", "WLLS")])
        assert databases.open("WLLS1") is wlls

    def test_a_site_that_went_from_a_database_is_not_found_there(self, data, databases, make):
        write(make, data / "BOYO/BOYO.sqlite", ("BOYO-1", "BOYO"), ("OLD-1", "OLD"))
        with databases.open("OLD").begin() as connection:
            connection.exec_driver_sql("DELETE FROM DeviceSummary WHERE Site = 'OLD'")
        assert databases.open("OLD") is None

    def test_a_database_that_was_deleted_holds_nothing(self, data, databases, make):
        write(make, data / "x/Other.sqlite", ("OLD-1", "OLD"))
        databases.open("OLD").close()
        (data / "x/Other.sqlite").unlink()
        assert databases.open("OLD") is None

    @pytest.mark.skipif(os.name == "nt", reason="links need rights there")
    def test_a_link_that_leads_to_itself_is_no_database(self, data, databases, make):
        write(make, data / "BOYO/BOYO.sqlite", ("BOYO-1", "BOYO"))
        (data / "loop").symlink_to("loop")
        assert databases.sites() == ["BOYO"]


class TestManyDatabases:
    @pytest.fixture
    def databases(self, data, monkeypatch):
        monkeypatch.setattr(locations, "MOST_OPEN", 3)
        databases = SiteDatabases(data)
        yield databases
        databases.close()

    @pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files cannot be listed on this system")
    def test_those_used_longest_ago_keep_no_file_open(self, data, databases, make):
        kept = [databases.made(f"S{number}") for number in range(6)]
        for database in kept:
            databases.use(database)
            make.fill(database, [make.device("S-1", "S")])
        assert open_in(data) == {"S3", "S4", "S5"}
        databases.use(kept[0])
        kept[0].state()
        assert open_in(data) == {"S4", "S5", "S0"}
        assert len(databases.sites()) == 1
        assert len(open_in(data)) == 3
        databases.close()
        assert open_in(data) == set()

    def test_whoever_reads_one_that_is_closed_goes_on_reading(self, databases, make):
        first = databases.made("S0")
        make.fill(first, [make.device("S-1", "S0")])
        with first.connect() as connection:
            for number in range(1, 6):
                databases.made(f"S{number}")
            assert len(connection.execute(queries.site_hosts()).fetchall()) == 1
        assert databases.open("S0") is first


def open_in(data):
    """The folders in which this process has files open."""
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        try:
            path = link.readlink()
        except FileNotFoundError:
            continue
        if path.is_relative_to(data):
            found.add(path.parent.name)
    return found


def test_numbers_for_names(data, databases, raw):
    """SQLite keeps in a column whatever it is given."""
    data.mkdir()
    with raw(data / "X.sqlite") as connection:
        connection.executescript(
            "CREATE TABLE Interfaces (ID); CREATE TABLE DeviceSummary (Hostname, Site);"
            "INSERT INTO DeviceSummary VALUES (12, 3.5), (13, ''), ('ABCD-1', x'41'), (NULL, NULL)"
        )
    assert "3.5" in databases.sites()
    assert databases.open("3.5").path.name == "X.sqlite"


def test_a_folder_that_must_not_be_looked_into_is_not_empty(data, databases, monkeypatch):
    (data / "WLLS").mkdir(parents=True)

    def refuse(path, **_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(data), "exists", refuse)
    with pytest.raises(DatabaseError, match=r"WLLS: cannot be searched .* Permission denied"):
        databases.open("WLLS")
