"""SQLite databases: opening, reading, writing, and noticing change, across threads and processes."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from statetrace.database import open_database, queries, schema
from statetrace.errors import DatabaseError, DatabaseLocked, DatabaseMissing, DatabaseReadOnly

COUNT = sa.select(sa.func.count()).select_from(schema.interfaces)


def count(database):
    with database.connect() as connection:
        return connection.execute(COUNT).scalar_one()


def rename(connection, name):
    connection.execute(schema.interfaces.update().values(Name=name))


def delete_and_fail(connection):
    connection.execute(schema.interfaces.delete())
    raise ZeroDivisionError


class TestOpening:
    def test_a_new_database_appears_whole_and_in_wal_mode(self, tmp_path, raw):
        path = tmp_path / "BOYO" / "BOYO.sqlite"
        with open_database(path, create=True) as database:
            assert (database.dialect, database.read_only, database.path) == ("sqlite", False, path)
            assert count(database) == 0
        assert raw(path).execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_an_existing_database_is_opened_not_created(self, database):
        with open_database(database.path, create=True) as again:
            assert count(again) == 4

    def test_reading_leaves_a_file_as_it_is(self, tmp_path, database, raw):
        path = tmp_path / "copy.sqlite"
        raw(database.path).execute("VACUUM INTO ?", (str(path),))
        before = path.read_bytes()
        assert before[18:20] == b"\x01\x01"  # rollback journal
        with open_database(path) as copy:
            assert count(copy) == 4
            copy.state()
        assert path.read_bytes() == before
        assert not list(tmp_path.glob("copy.sqlite-*"))

    @pytest.mark.parametrize("suffix", [".sqlite", ".sqlite3", ".db", ".SQLITE"])
    def test_missing(self, tmp_path, suffix):
        with pytest.raises(DatabaseMissing, match="ingest logs"):
            open_database(tmp_path / f"x{suffix}")
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "empty"),
            (b"not a database at all, but long enough for a header" * 20, "not a database"),
            (b"SQLite format 3\0" + b"\xff" * 4096, "not a database|malformed"),
        ],
    )
    @pytest.mark.parametrize("name", ["x.sqlite", "x.accdb"])
    def test_foreign_files(self, tmp_path, content, words, name):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(DatabaseError, match=rf"{name}: .*(?:{words}|neither)"):
            open_database(path)
        assert path.read_bytes() == content

    def test_a_folder(self, tmp_path):
        with pytest.raises(DatabaseError, match="folder"):
            open_database(tmp_path)

    def test_a_sqlite_file_that_is_no_site_database(self, tmp_path, raw):
        raw(tmp_path / "x.db").execute("CREATE TABLE t (a)")
        with pytest.raises(DatabaseError, match="no site database"):
            open_database(tmp_path / "x.db")

    def test_the_content_decides_where_the_suffix_says_nothing(self, tmp_path, database):
        database.close()
        shutil.copy(database.path, tmp_path / "x.accdb")
        with open_database(tmp_path / "x.accdb") as renamed:
            assert renamed.dialect == "sqlite"
            assert count(renamed) == 4

    @pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
    def test_truncated(self, database, kept):
        database.close()
        content = database.path.read_bytes()
        database.path.write_bytes(content[: int(len(content) * kept)])
        with pytest.raises(DatabaseError, match="damaged"), open_database(database.path) as damaged:
            count(damaged)

    def test_names_that_a_uri_would_misread(self, tmp_path):
        path = tmp_path / "a?mode=ro&b#c%41 ü;.sqlite"
        with open_database(path, create=True) as database:
            assert count(database) == 0
        assert path.is_file()

    @pytest.mark.parametrize("log", ["-wal", "-journal"])
    def test_a_new_database_takes_over_no_log_of_an_earlier_one(self, tmp_path, log):
        """SQLite would replay what a killed writer left, and the new database would hold rows of the old one."""
        path, left = tmp_path / "A.sqlite", tmp_path / f"A.sqlite{log}"
        left.write_bytes(b"commits")
        with pytest.raises(DatabaseError, match=rf"A\.sqlite{log} of an earlier database"):
            open_database(path, create=True)
        assert not path.exists()
        assert left.read_bytes() == b"commits"
        left.unlink()
        open_database(path, create=True).close()

    def test_a_file_that_vanished_is_missing_not_made_anew(self, database):
        database.close()
        database.path.unlink()
        with pytest.raises(DatabaseMissing):
            count(database)
        with pytest.raises(DatabaseMissing):
            database.state()
        assert not database.path.exists()


class TestTransactions:
    def test_an_exception_rolls_everything_back(self, database):
        with pytest.raises(ZeroDivisionError), database.begin() as connection:
            delete_and_fail(connection)
        assert count(database) == 4

    def test_errors_inside_name_the_file(self, database):
        with pytest.raises(DatabaseError, match=r"BOYO\.sqlite: no such table"), database.connect() as connection:
            connection.execute(sa.select(sa.column("x")).select_from(sa.table("nowhere")))

    def test_a_reader_cannot_write(self, database):
        with pytest.raises(DatabaseReadOnly), database.connect() as connection:
            rename(connection, "x")

    def test_a_reader_sees_one_state(self, database):
        with database.connect() as connection:
            before = connection.execute(COUNT).scalar_one()
            with database.begin() as writer:
                writer.execute(schema.interfaces.delete())
            assert connection.execute(COUNT).scalar_one() == before
        assert count(database) == 0

    def test_savepoints(self, database):
        with database.begin() as connection:
            rename(connection, "kept")
            with pytest.raises(ZeroDivisionError), connection.begin_nested():
                delete_and_fail(connection)
        assert count(database) == 4

    def test_begin_inside_begin_is_refused_at_once(self, database):
        with database.begin(), pytest.raises(RuntimeError, match="inside"), database.begin():
            pass
        with database.begin():
            pass

    def test_a_foreign_writer_is_waited_for_within_bounds(self, database, raw):
        other = raw(database.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(DatabaseLocked, match="close the program") as caught, database.begin():
            pass
        assert caught.value.attempts == 5
        assert time.monotonic() - began < 5
        other.execute("ROLLBACK")
        with database.begin() as connection:
            rename(connection, "x")

    def test_closing_gives_up_the_files_and_allows_more(self, database):
        database.close()
        assert sorted(path.name for path in database.path.parent.iterdir()) == ["BOYO.sqlite", "BOYO.sqlite.lock"]
        assert count(database) == 4

    def test_closing_while_someone_reads(self, database):
        with database.connect() as connection:
            database.close()
            assert connection.execute(COUNT).scalar_one() == 4


class TestReadOnly:
    @pytest.fixture
    def forbidden(self, monkeypatch):
        """Take away the right to write; as root the file system would not."""
        real = os.access
        monkeypatch.setattr(os, "access", lambda path, mode, **_: mode != os.W_OK and real(path, mode))

    def test_it_is_read_and_says_how_to_write(self, database, forbidden):
        database.close()
        with open_database(database.path) as locked:
            assert locked.read_only
            assert count(locked) == 4
            with pytest.raises(DatabaseReadOnly, match="statetrace convert"), locked.begin():
                pass

    @pytest.fixture
    def foreign(self, database):
        """A file in WAL mode in a folder in which only root may write, and how another user reads it."""
        if not hasattr(os, "geteuid") or os.geteuid() != 0:
            pytest.skip("only root can become another user")
        database.close()
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            path = Path(folder) / "BOYO.sqlite"
            shutil.copy(database.path, path)
            yield path

    @contextlib.contextmanager
    def reader(self, path):
        """Another user's process, which keeps the database open: the number of interfaces, each time it is asked."""
        code = (
            "import os, sys\n"
            "import statetrace.database.mdbtools\n"
            "from statetrace.database import open_database, queries\n"
            "from statetrace.errors import DatabaseError\n"
            "os.setuid(65534)\n"
            "try: database = open_database(sys.argv[1])\n"
            "except DatabaseError as error: print(error); raise SystemExit\n"
            "for _ in sys.stdin:\n"
            "    try:\n"
            "        with database.connect() as c: rows = c.execute(queries.site_interfaces('BOYO')).all()\n"
            "        print(database.read_only, len(rows), database.state() == database.state(), flush=True)\n"
            "    except DatabaseError as error: print(type(error).__name__, flush=True)\n"
        )
        command, pipe = [sys.executable, "-c", code, path], subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:

            def ask():
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write("\n")
                    process.stdin.flush()
                return process.stdout.readline().strip()

            yield ask

    def test_a_folder_nobody_may_write_to(self, foreign):
        """The companions of the file cannot be made."""
        with self.reader(foreign) as ask:
            assert ask() == "True 3 True"

    def test_what_the_owner_writes_meanwhile_is_read(self, foreign, make):
        with self.reader(foreign) as ask:
            assert ask() == "True 3 True"
            with open_database(foreign) as owner:
                make.fill(owner, interfaces=[make.interface("BOYO-A05-AS-02", "Et1/1/3")])
                assert ask() == "True 4 True"
            assert ask() == "True 4 True"

    def test_a_half_written_file_is_locked_and_not_read(self, foreign, raw):
        owner = raw(foreign, isolation_level=None)
        owner.execute("PRAGMA journal_mode=DELETE")
        with self.reader(foreign) as ask:
            assert ask() == "True 3 True"
            owner.execute("PRAGMA locking_mode=EXCLUSIVE")
            owner.execute("BEGIN EXCLUSIVE")
            assert ask() == "DatabaseLocked"
            owner.close()

    def test_commits_in_a_log_that_cannot_be_read_are_not_passed_over(self, foreign, raw, tmp_path):
        owner = raw(foreign)
        owner.execute("DELETE FROM Interfaces")
        owner.commit()
        for file in (foreign, foreign.with_name("BOYO.sqlite-wal")):
            shutil.copy(file, tmp_path)
        owner.close()
        for file in (foreign, foreign.with_name("BOYO.sqlite-wal")):
            shutil.copy(tmp_path / file.name, file)
        with self.reader(foreign) as ask:
            assert "cannot be read without BOYO.sqlite-wal" in ask()


class TestState:
    def test_it_stays_while_nothing_happens(self, database):
        before = database.state()
        count(database)
        assert database.state() == before
        with open_database(database.path) as other:
            assert other.state() == before
        assert database.state() == before

    def test_it_changes_with_every_commit_even_within_a_tick_of_the_clock(self, database, raw):
        other = raw(database.path)
        seen = {database.state()}
        for number in range(50):
            if number % 2:
                with database.begin() as connection:
                    rename(connection, f"{number:03}")
            else:
                other.execute("UPDATE Interfaces SET Name = ?", (f"{number:03}",))
                other.commit()
            seen.add(database.state())
        assert len(seen) == 51

    def test_a_rollback_is_no_change(self, database):
        before = database.state()
        with pytest.raises(ZeroDivisionError), database.begin() as connection:
            delete_and_fail(connection)
        assert database.state() == before

    def test_it_changes_while_the_database_is_closed(self, database, raw):
        before = database.state()
        database.close()
        other = raw(database.path)
        other.execute("UPDATE Interfaces SET Name = 'x'")
        other.commit()
        assert database.state() != before

    def test_it_outlives_closing_once_the_file_is_old(self, database):
        database.close()
        os.utime(database.path, (1, 1))
        before = database.state()
        database.close()
        assert database.state() == before

    def test_a_replaced_file_is_another_database(self, database, tmp_path):
        before = database.state()
        new = tmp_path / "new.sqlite"
        open_database(new, create=True).close()
        new.replace(database.path)
        for companion in ("-wal", "-shm"):
            Path(f"{database.path}{companion}").unlink(missing_ok=True)
        assert database.state().identity != before.identity
        assert count(database) == 0

    def test_asking_for_it_leaves_sqlites_locks_alone(self, database, run_python):
        """Closing a file opened on the side would drop them, and two could write at once."""
        attempt = (
            "import sqlite3, sys\n"
            "c = sqlite3.connect(sys.argv[1], timeout=0)\n"
            "try: c.execute('BEGIN IMMEDIATE'); print('got it')\n"
            "except sqlite3.OperationalError as error: print(error)\n"
            "c.close()"
        )
        with database.begin() as connection:
            rename(connection, "x")
            database.state()
            with open_database(database.path) as other:
                other.state()
                count(other)
            assert run_python(attempt, database.path) == "database is locked"
        assert run_python(attempt, database.path) == "got it"


class TestThreads:
    def test_many_readers_and_writers(self, database):
        """Every reader sees all ports of a host under one name, whatever writers do meanwhile."""
        stop, failures, seen = threading.Event(), [], set()

        def read():
            try:
                while not stop.is_set():
                    with database.connect() as connection:
                        found = connection.execute(queries.site_interfaces("BOYO")).all()
                    names = {row.Name for row in found if row.Hostname == "BOYO-A05-AS-02"}
                    assert len(names) == 1
                    seen.update(names)
                    database.state()
            except BaseException as error:  # noqa: BLE001
                failures.append(error)

        def write(name):
            try:
                for number in range(10):
                    with database.begin() as connection:
                        rename(connection, f"{name}{number}")
            except BaseException as error:  # noqa: BLE001
                failures.append(error)

        with database.begin() as connection:
            rename(connection, "start")
        readers = [threading.Thread(target=read) for _ in range(8)]
        writers = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
        for thread in readers + writers:
            thread.start()
        for thread in writers:
            thread.join()
        stop.set()
        for thread in readers:
            thread.join()
        assert failures == []
        assert len(seen) > 1


COUNT_UP = """
import sys
from statetrace.database import open_database, schema
database = open_database(sys.argv[1])
for _ in range(int(sys.argv[2])):
    with database.begin() as connection:
        values = connection.execute(schema.interfaces.select()).all()
        connection.execute(schema.interfaces.update().values(VLAN=values[0].VLAN + 1))
database.close()
"""


class TestProcesses:
    def test_writers_of_two_processes_lose_nothing_and_readers_see_whole_transactions(self, database):
        with database.begin() as connection:
            connection.execute(schema.interfaces.update().values(VLAN=0))
        writers = [subprocess.Popen([sys.executable, "-c", COUNT_UP, database.path, "40"]) for _ in range(2)]
        vlans = set()
        while any(writer.poll() is None for writer in writers):
            with database.connect() as connection:
                found = set(connection.execute(sa.select(schema.interfaces.c.VLAN)).scalars())
            assert len(found) == 1
            vlans |= found
        assert [writer.returncode for writer in writers] == [0, 0]
        with database.connect() as connection:
            assert set(connection.execute(sa.select(schema.interfaces.c.VLAN)).scalars()) == {80}
        assert len(vlans) > 1

    @pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
    def test_a_killed_writer_leaves_neither_lock_nor_half_a_host(self, database):
        code = (
            "import sys, time\n"
            "from statetrace.database import open_database, schema\n"
            "with open_database(sys.argv[1]).begin() as connection:\n"
            "    connection.execute(schema.interfaces.delete())\n"
            "    print('deleted', flush=True)\n"
            "    time.sleep(60)\n"
        )
        with subprocess.Popen([sys.executable, "-c", code, database.path], stdout=subprocess.PIPE) as writer:
            assert writer.stdout.readline() == b"deleted\n"
            assert count(database) == 4
            writer.send_signal(signal.SIGKILL)
        with database.begin() as connection:
            rename(connection, "after")
        assert count(database) == 4

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_a_forked_child_uses_connections_of_its_own(self, database):
        before = database.state()
        with database.connect() as connection:
            connection.execute(COUNT).scalar_one()
            child = multiprocessing.get_context("fork").Process(target=_in_child, args=(database,))
            child.start()
            child.join(30)
        assert child.exitcode == 0
        assert count(database) == 4
        assert database.state() != before


def _in_child(database):
    assert count(database) == 4
    with database.begin() as connection:
        rename(connection, "child")
    database.state()
    database.close()
