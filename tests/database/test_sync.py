"""Commits that have to be on disk before something else claims them."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

from statetrace.database import open_database
from statetrace.errors import DatabaseError


@pytest.fixture
def database(tmp_path):
    with open_database(tmp_path / "WLLS.sqlite", create=True) as database:
        yield database


def test_the_log_is_brought_to_disk_and_the_database_goes_on(database, make, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda file, fsync=os.fsync: (synced.append(os.fstat(file).st_ino), fsync(file)))
    make.fill(database, [make.device("WLLS-A01-AS-01", "WLLS")])
    database.sync()
    assert synced == [(database.path.parent / "WLLS.sqlite-wal").stat().st_ino]
    make.fill(database, [make.device("WLLS-A01-AS-02", "WLLS")])
    with closing(sqlite3.connect(database.path)) as foreign:
        assert foreign.execute("SELECT COUNT(*) FROM DeviceSummary").fetchall() == [(2,)]


def test_the_lock_of_a_writer_is_kept(database, make):
    make.fill(database, [make.device("WLLS-A01-AS-01", "WLLS")])
    with database.begin(), closing(sqlite3.connect(database.path, timeout=0)) as foreign:
        database.sync()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            foreign.execute("BEGIN IMMEDIATE")


def test_a_database_without_a_log_has_nothing_to_bring_to_disk(database):
    database.close()
    assert not (database.path.parent / "WLLS.sqlite-wal").exists()
    database.sync()


def test_a_disk_that_fails_is_told(database, make, monkeypatch):
    def fail(_):
        raise OSError(5, "Input/output error")

    make.fill(database, [make.device("WLLS-A01-AS-01", "WLLS")])
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DatabaseError, match="Input/output error"):
        database.sync()
