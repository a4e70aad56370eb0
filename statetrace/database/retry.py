"""What went wrong with a database, in one kind of error, and the bounded retry of a locked one."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
import tenacity
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from statetrace.errors import DatabaseError, DatabaseLocked, DatabaseMissing, DatabaseReadOnly, StateTraceError

T = TypeVar("T")

MOST_ATTEMPTS = 5
MOST_WAIT_MS = 2_000.0
"""Milliseconds that all waits of one operation may take together."""
_STEP_MS, _LONGEST_STEP_MS = 100.0, 500.0

_LOCKED = re.compile(
    r"already opened exclusively|could not lock file|currently locked"
    r"|database (?:table |schema )?is locked|database is busy|locking protocol",
    re.IGNORECASE,
)
_ADVICE = (
    (
        re.compile(
            r"malformed|not a database|unrecognized database format|could not decode|can't decode", re.IGNORECASE
        ),
        "the file is damaged or no site database; restore it from a backup or ingest the logs again",
    ),
    (
        re.compile(r"no such (?:table|column)|cannot find the (?:input )?table", re.IGNORECASE),
        "the file is not a complete site database; `statetrace convert` copies it into one",
    ),
    (re.compile(r"disk is full|disk I/O error", re.IGNORECASE), "make room on the disk and try again"),
    (re.compile(r"unable to open", re.IGNORECASE), "check the permissions of the file and its folder"),
)
_USUAL_ADVICE = (
    "make sure that it is a site database and that no other program changes it, and try again; "
    "`statetrace convert` makes a copy to go on with"
)
_READ_ONLY = re.compile(r"readonly database|read-only|must use an updateable query", re.IGNORECASE)


class Retried(msgspec.Struct, Generic[T], frozen=True):
    """The value of an operation and what it took to get it.

    Attributes:
        attempts: how often the operation was run.
        exclusive_retries: how many of these were retries after a lock.
        exclusive_wait_ms: milliseconds waited between them.
        duration_ms: milliseconds of it all.
    """

    value: T
    attempts: int
    exclusive_retries: int
    exclusive_wait_ms: float
    duration_ms: float


def run_with_retry(
    path: Path, operation: Callable[[], T], sleep: Callable[[int | float], None] = time.sleep
) -> Retried[T]:
    """The value of ``operation``, run up to five times while the database is locked.

    Waits 100, 200, 300 and 400 milliseconds, together at most 2 000 (reference: site-cache 7.3).

    Arguments:
        path: the database, for the errors.
        operation: reads or writes and may be run again; a transaction of its own, if it writes.
        sleep: waits for a number of seconds.

    Raises:
        DatabaseLocked: locked on every attempt.
        DatabaseError: any other failure, at once, with its cause.
    """
    began = time.perf_counter()
    failure: Exception | None = None
    try:
        # Nearly always all there is to it; the machinery of retries costs more than a short read.
        value = operation()
    except Exception as error:  # noqa: BLE001  # judged below
        failure = error
    else:
        return Retried(value, 1, 0, 0.0, (time.perf_counter() - began) * 1_000)

    def attempt() -> T:
        nonlocal failure
        if failure is None:
            return operation()
        first, failure = failure, None
        raise first

    retrying = tenacity.Retrying(
        stop=_is_enough,
        wait=_wait_seconds,
        retry=tenacity.retry_if_exception(_is_worth_waiting),
        sleep=sleep,
        reraise=True,
    )
    try:
        value = retrying(attempt)
    except Exception as error:
        if isinstance(error, StateTraceError) and not isinstance(error, DatabaseLocked):
            raise
        attempts, waited_ms = _spent(retrying)
        raise database_error(path, error, attempts, waited_ms) from error
    attempts, waited_ms = _spent(retrying)
    return Retried(value, attempts, attempts - 1, waited_ms, (time.perf_counter() - began) * 1_000)


def database_error(
    path: Path, error: Exception, attempts: int = 1, waited_ms: float = 0.0, *, unfinished: bool = False
) -> DatabaseError:
    """The error to raise for what a driver said about ``path``: it names the file and the way out."""
    if isinstance(error, DatabaseLocked):
        return DatabaseLocked(path, attempts, waited_ms + error.waited_ms, _words(error.__cause__ or error))
    words = _words(error)
    if _LOCKED.search(words):
        return DatabaseLocked(path, attempts, waited_ms, words)
    if _READ_ONLY.search(words):
        return DatabaseReadOnly(path, f"cannot be written ({words}); `statetrace convert` makes a copy that can")
    if not unfinished and not os.path.lexists(path):
        return missing(path)
    advice = next((advice for pattern, advice in _ADVICE if pattern.search(words)), _USUAL_ADVICE)
    return DatabaseError(path, f"{words}; {advice}")


def missing(path: Path) -> DatabaseMissing:
    return DatabaseMissing(path, "there is no such file; ingest logs to create it, or check the data folder")


@contextmanager
def driver_errors(path: Path, *, unfinished: bool = False) -> Iterator[None]:
    """Whatever a driver raises inside becomes a ``DatabaseError`` that names ``path``.

    Arguments:
        path: the database.
        unfinished: it is being made, so that its absence explains nothing.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, UnicodeError) as error:
        # Python's sqlite3 cannot pass on what is no text: a name in a damaged file, half a character in a value.
        raise database_error(path, error, unfinished=unfinished) from error
    except Exception as error:
        # pyodbc is optional, so its errors are known by their home.
        if type(error).__module__ == "pyodbc":
            raise database_error(path, error) from error
        raise


def _words(error: BaseException) -> str:
    """What the driver itself said, without the statement and its values."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    if type(error).__module__ == "pyodbc" and len(error.args) > 1:
        return str(error.args[1])
    return str(error) or type(error).__name__


def _is_worth_waiting(error: BaseException) -> bool:
    if isinstance(error, DatabaseLocked):
        return error.waited_ms < MOST_WAIT_MS
    return (
        isinstance(error, Exception) and not isinstance(error, StateTraceError) and bool(_LOCKED.search(_words(error)))
    )


def _wait_seconds(state: tenacity.RetryCallState) -> float:
    planned = min(_LONGEST_STEP_MS, _STEP_MS * state.attempt_number)
    return min(planned, MOST_WAIT_MS - state.idle_for * 1_000) / 1_000


def _is_enough(state: tenacity.RetryCallState) -> bool:
    return state.attempt_number >= MOST_ATTEMPTS or state.idle_for * 1_000 >= MOST_WAIT_MS


def _spent(retrying: tenacity.Retrying) -> tuple[int, float]:
    """Attempts made and milliseconds waited."""
    statistics = retrying.statistics
    return statistics["attempt_number"], round(statistics["idle_for"] * 1_000, 3)
