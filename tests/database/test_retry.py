"""The bounded retry of locked databases, and what other failures become."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from statetrace.database import open_database, queries, run_with_retry
from statetrace.errors import DatabaseError, DatabaseLocked, DatabaseMissing, DatabaseReadOnly, HydrationFailed

PATH = Path(__file__)


class Operation:
    def __init__(self, *failures):
        self.failures = list(failures)

    def __call__(self):
        if self.failures:
            raise self.failures.pop(0)
        return "rows"


@pytest.fixture
def waits():
    return []


def locked(times, words="The database has been already opened exclusively by user 'Admin'"):
    return Operation(*[RuntimeError(words)] * times)


def test_four_locks_are_waited_out(waits):
    """Reference: access-database E7."""
    done = run_with_retry(PATH, locked(4), waits.append)
    assert (done.value, done.attempts, done.exclusive_retries, done.exclusive_wait_ms) == ("rows", 5, 4, 1000)
    assert waits == [0.1, 0.2, 0.3, 0.4]
    assert done.duration_ms >= 0


def test_the_fifth_lock_is_the_last(waits):
    with pytest.raises(DatabaseLocked, match="5 attempts and 1000 ms") as caught:
        run_with_retry(PATH, locked(5), waits.append)
    assert (caught.value.attempts, caught.value.waited_ms, caught.value.path) == (5, 1000, PATH)
    assert sum(waits) == pytest.approx(1)


def test_any_other_failure_is_final_and_keeps_its_cause(waits):
    cause = OSError("disk full")
    with pytest.raises(DatabaseError, match=rf"{PATH.name}: disk full; .* try again") as caught:
        run_with_retry(PATH, Operation(cause), waits.append)
    assert caught.value.__cause__ is cause
    assert waits == []


@pytest.mark.parametrize(
    "words",
    [
        "Could not lock file.",
        "Could not update; currently locked by user 'x' on machine 'y'.",
        "database is locked",
        "database table is locked: Interfaces",
        "database schema is locked: main",
    ],
)
def test_what_counts_as_a_lock(words, waits):
    assert run_with_retry(PATH, locked(1, words), waits.append).attempts == 2


def test_a_lock_reported_as_our_own_error_is_retried_too(waits):
    failures = [DatabaseLocked(PATH, 1, 0.0, "database is locked")] * 5
    assert run_with_retry(PATH, Operation(*failures[:2]), waits.append).attempts == 3
    with pytest.raises(DatabaseLocked) as caught:
        run_with_retry(PATH, Operation(*failures), waits.append)
    assert caught.value.attempts == 5


def test_a_wait_that_used_up_its_time_is_not_repeated(waits):
    with pytest.raises(DatabaseLocked) as caught:
        run_with_retry(PATH, Operation(DatabaseLocked(PATH, 1, 60_000.0, "another process")), waits.append)
    assert (caught.value.attempts, caught.value.waited_ms) == (1, 60_000)


def test_our_own_errors_pass_unchanged(waits):
    error = HydrationFailed("BOYO", "x")
    with pytest.raises(HydrationFailed) as caught:
        run_with_retry(PATH, Operation(error), waits.append)
    assert caught.value is error


def test_an_interrupt_is_not_swallowed(waits):
    with pytest.raises(KeyboardInterrupt):
        run_with_retry(PATH, Operation(KeyboardInterrupt()), waits.append)


@pytest.mark.parametrize(
    ("words", "kind", "way_out"),
    [
        ("attempt to write a readonly database", DatabaseReadOnly, "statetrace convert"),
        ("database disk image is malformed", DatabaseError, "backup"),
        ("no such table: SpanInfo", DatabaseError, "statetrace convert"),
        ("database or disk is full", DatabaseError, "make room"),
    ],
)
def test_messages_say_what_to_do(words, kind, way_out):
    with pytest.raises(kind, match=way_out):
        run_with_retry(PATH, Operation(sqlite3.OperationalError(words)))


def test_a_file_that_is_gone_is_called_missing(tmp_path):
    with pytest.raises(DatabaseMissing):
        run_with_retry(tmp_path / "x.sqlite", Operation(sqlite3.OperationalError("unable to open database file")))


def test_text_that_is_no_text_is_a_failure_of_the_database(tmp_path, raw):
    """Python's sqlite3 has no error of its own for what it cannot decode or encode."""
    path = tmp_path / "damaged.sqlite"
    with raw(path) as connection:
        connection.executescript("CREATE TABLE DeviceSummary (Hostname); CREATE TABLE Interfaces (ID)")
        connection.executescript(
            "PRAGMA writable_schema=ON; UPDATE sqlite_master SET name = CAST(x'41FF' AS TEXT), sql = 'CREATE'"
        )
    connection.close()
    with pytest.raises(DatabaseError, match=r"damaged\.sqlite: .*backup"):
        open_database(path)


def test_half_a_character_is_refused(database):
    with pytest.raises(DatabaseError, match="surrogates not allowed"), database.connect() as connection:
        connection.execute(queries.device("BOYO-\ud83d"))
