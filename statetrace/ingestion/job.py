"""One host's log into its database: the work that any process can do for a session."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from statetrace.database import Database, SiteDatabases
from statetrace.errors import StateTraceError
from statetrace.model import AuthTemplates, DatabaseState, fold
from statetrace.parsing import ParseMode, parse_log
from statetrace.persistence import HostFacts, HostWritten, Known, canonical, write_host
from statetrace.repository import HintCache
from statetrace.telemetry import Stopwatch


class Workplace(msgspec.Struct, frozen=True):
    """Where jobs are done: what a process needs to know once.

    Attributes:
        data: the data folder.
        database: one database for all sites, if that is wanted.
        templates: folder of auth templates that replace those of the package.
        mode: whether the original's defects are mended.
        allow_empty: an empty table of interfaces removes a host's rows.
    """

    data: Path
    database: Path | None = None
    templates: Path | None = None
    mode: ParseMode = ParseMode.LOG
    allow_empty: bool = False


class HostJob(msgspec.Struct, frozen=True):
    """One host's slice, and what is known of the rows that it will be compared with.

    Attributes:
        name: the slice's name.
        content: the slice.
        site: where the host is expected to be stored.
        known: the rows of the host of that name in that site, if they are known.
        run_date: local, ``YYYY-MM-DD HH:MM:SS``.
        redone: the job was begun before, and nobody knows whether it was committed.
    """

    name: str
    content: bytes
    site: str
    known: Known | None
    run_date: str
    redone: bool = False


class JobFailure(msgspec.Struct, frozen=True):
    """Why nothing was stored.

    Attributes:
        outcome: ``unknown_vendor``, ``no_interfaces``, ``parse_failed`` or ``database_failed``.
        message: in words.
        error: full name of the exception's class, ``""`` if there was none.
    """

    outcome: str
    message: str
    error: str = ""


NOTHING_BROUGHT = JobFailure("parse_failed", "the job brought neither facts nor a reason")
"""What should never be; told all the same."""


class JobResult(msgspec.Struct, frozen=True):
    """What came of one host.

    Attributes:
        facts: what its log says, if that is known.
        written: what was done to its database; ``None`` with a failure, and when the log names a host of another site
            than expected, which whoever gave the job has to store.
        failure: why nothing was stored.
        coverage: percent of the lines of tables that were understood.
        lines_missed: those that were not.
        ns: nanoseconds of the job.
    """

    facts: HostFacts | None = None
    written: HostWritten | None = None
    failure: JobFailure | None = None
    coverage: float = 100.0
    lines_missed: int = 0
    ns: int = 0


def parse_slice(name: str, content: bytes, mode: ParseMode, *, allow_empty: bool) -> JobResult:
    """What a slice says, in canonical form, or why nothing is to be stored; never raises."""
    result = parse_log(content, name=name, mode=mode)
    facts = None if result.facts is None else canonical(result.facts)
    failure = JobFailure(result.reason, result.message) if result.reason else None
    if failure is None and facts is not None and not facts.ports and not allow_empty:
        failure = JobFailure(
            "no_interfaces",
            "its table of interfaces is empty; stored rows are removed for that only when it is allowed",
        )
    return JobResult(facts, None, failure, result.report.coverage, result.report.missed_count)


def run_job(
    job: HostJob, workplace: Workplace, database: Callable[[], Database], templates: AuthTemplates
) -> JobResult:
    """Parse a slice and store what it says; what goes wrong is told in the result.

    Args:
        job: what is to be done.
        workplace: how.
        database: opens the database of the job's site.
        templates: the auth templates that ports are held against.
    """
    watch = Stopwatch().start()
    result = parse_slice(job.name, job.content, workplace.mode, allow_empty=workplace.allow_empty)
    facts = result.facts
    if facts is None or result.failure is not None or fold(facts.site) != fold(job.site):
        return msgspec.structs.replace(result, ns=watch.lap())
    try:
        written = write_host(
            database(),
            facts,
            templates,
            known=job.known if fold(facts.hostname) == fold(job.name) else None,
            run_date=job.run_date,
            allow_empty=workplace.allow_empty,
            once=job.redone,
        )
    except Exception as error:  # noqa: BLE001  # the border where one host's failure becomes data
        return msgspec.structs.replace(result, failure=database_failure(error), ns=watch.lap())
    return msgspec.structs.replace(result, written=written, ns=watch.lap())


def database_failure(error: Exception) -> JobFailure:
    """The failure of a host whose rows could not be stored."""
    kind = type(error)
    message = str(error)
    if not isinstance(error, StateTraceError | OSError):
        frame = traceback.extract_tb(error.__traceback__)[-1]
        message = f"{kind.__name__}: {error} (in {frame.name}, line {frame.lineno})"
    return JobFailure("database_failed", message, f"{kind.__module__}.{kind.__qualname__}")


class _Place:
    """A workplace as one process has set it up, for all its threads."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self._hints = HintCache(workplace.templates)
        self._databases = SiteDatabases(workplace.data, workplace.database)
        self._lock = threading.Lock()
        self._by_site: dict[str, Database] = {}

    def run(self, job: HostJob) -> JobResult:
        """Do a job here."""
        try:
            templates = self._hints.templates().templates
        except StateTraceError as error:
            return JobResult(failure=database_failure(error))
        return run_job(job, self._workplace, lambda: self._database(job.site), templates)

    def close(self) -> None:
        """Close the databases; a job that is at work opens its own again."""
        self._databases.close()

    def _database(self, site: str) -> Database:
        """The database of a site, found once."""
        with self._lock:
            database = self._by_site.get(site)
            if database is None:
                database = self._by_site[site] = self._databases.made(site)
            else:
                self._databases.use(database)
            return database


_places: dict[Workplace, _Place] = {}


def leave(workplace: Workplace) -> None:
    """Close what the jobs of a workplace have opened in this process, if any were done here."""
    place = _places.pop(workplace, None)
    if place is not None:
        place.close()


def run_turn(jobs: Sequence[HostJob], workplace: Workplace) -> list[JobResult]:
    """``in_turn`` in whatever process this is: databases stay open there from turn to turn."""
    place = _places.get(workplace)
    if place is None:
        place = _places.setdefault(workplace, _Place(workplace))  # another thread may have been quicker
    return list(in_turn(jobs, place.run))


def in_turn(jobs: Iterable[HostJob], run: Callable[[HostJob], JobResult]) -> Iterator[JobResult]:
    """Run jobs of one site, one after the other.

    What is known of a host's rows stays known while nobody but this turn writes to the database.
    """
    reached: _Reached | None = None
    for job in jobs:
        known = job.known
        if known is not None and reached is not None and known.state == reached.since:
            known = Known(known.ports, reached.now)
        result = run(msgspec.structs.replace(job, known=known))
        if result.written is not None and result.facts is not None:
            # A log that names another host than its prompts do has changed rows that are known for a later job.
            itself = fold(result.facts.hostname) == fold(job.name)
            reached = _advanced(reached, job, result.written) if itself else None
        yield result


class _Reached(msgspec.Struct, frozen=True):
    """A state of a database, and the one that it came to by nothing but the commits of this turn."""

    since: DatabaseState
    now: DatabaseState


def _advanced(reached: _Reached | None, job: HostJob, written: HostWritten) -> _Reached | None:
    if job.known is not None and written.loaded:
        return None  # what was known of one host was wrong, so what is known of the others may be
    if reached is not None and reached.now.agrees(written.before):
        return _Reached(reached.since, written.after)
    known = job.known
    if known is not None and known.state is not None and known.state.agrees(written.before):
        return _Reached(known.state, written.after)
    return None
