"""One host of a session: is it known already, what is known of its rows, and what came of its job."""

from __future__ import annotations

import time
from datetime import datetime

import msgspec

from statetrace.database.schema import DATE_FORMAT
from statetrace.errors import HistoryError, StateTraceError
from statetrace.ingestion.job import NOTHING_BROUGHT, HostJob, JobFailure, JobResult, database_failure
from statetrace.ingestion.logs import HostLog, read_log
from statetrace.ingestion.preview import preview_host
from statetrace.ingestion.report import DUPLICATE, INGESTED, UNCHANGED, HostOutcome
from statetrace.ingestion.site_work import SiteWork
from statetrace.ingestion.snapshots import Snapshots
from statetrace.ingestion.telling import parse_duration, persistence_failure, skipped_duplicate, worker_state
from statetrace.model import fold
from statetrace.parsing import ParseMode
from statetrace.persistence import ExistingRows, HostReport, ParserPersistence
from statetrace.telemetry import Telemetry, round_ms

_STORED_BEFORE = "stored by a process that died afterwards"


class HostAtWork(msgspec.Struct, frozen=True):
    """A host whose job can be given to a worker.

    Attributes:
        log: its log.
        job: what the worker gets.
        site: its site's work.
        existing: what is known of its rows.
        begun_ns: when the work on it began, of the monotonic clock; ``epoch_ns`` of the other one.
        ready_ns: when its job was ready, of the monotonic clock.
    """

    log: HostLog
    job: HostJob
    site: SiteWork
    existing: ExistingRows
    begun_ns: int
    epoch_ns: int
    ready_ns: int


class HostWork:
    """What a session does with every host before and after its job, and how that is told.

    Whatever goes wrong with a host is an outcome; nothing raises.

    Args:
        persistence: stores hosts.
        telemetry: where the events of the session go.
        mode: whether the original's defects are mended.
        again: known logs are ingested, too.
        allow_empty: an empty table of interfaces removes a host's rows.
        dry_run: nothing is written.
        snapshots: imported before the first host that is not known already.

    Attributes:
        warnings: what went wrong without failing a host.
    """

    def __init__(
        self,
        persistence: ParserPersistence,
        telemetry: Telemetry,
        *,
        mode: ParseMode,
        again: bool,
        allow_empty: bool,
        dry_run: bool,
        snapshots: Snapshots | None,
    ) -> None:
        self.warnings: list[str] = []
        self._persistence = persistence
        self._telemetry = telemetry
        self._mode = mode
        self._again = again
        self._allow_empty = allow_empty
        self._dry_run = dry_run
        self._snapshots = snapshots

    def begin(self, log: HostLog, site: SiteWork) -> HostAtWork | HostOutcome:
        """Ready a host for its job; an outcome if it needs none, or cannot have one."""
        begun, epoch = time.perf_counter_ns(), time.time_ns()
        self._tell_worker("Worker:PreParse", site)
        if self._dry_run:
            return self._timed(
                preview_host(self._persistence, log, self._mode, allow_empty=self._allow_empty), log, begun
            )
        try:
            if not self._again and (outcome := self._known(log, site, begun)) is not None:
                return outcome
            if self._snapshots is not None and self._snapshots.before():
                begun, epoch = time.perf_counter_ns(), time.time_ns()  # an import is no work on this host
            try:
                content = read_log(log)
            except OSError as error:
                failure = JobFailure("parse_failed", f"the log cannot be read: {error}", database_failure(error).error)
                return self._failed(log, site, JobResult(failure=failure), failure, begun, epoch)
            existing = self._persistence.existing_rows(log.site, log.name, site.database())
        except (StateTraceError, OSError) as error:
            failure = database_failure(error)
            return self._failed(log, site, JobResult(failure=failure), failure, begun, epoch)
        run_date = datetime.now().strftime(DATE_FORMAT)  # noqa: DTZ005  # local by definition
        job = HostJob(log.name, content, log.site, existing.known, run_date)
        return HostAtWork(log, job, site, existing, begun, epoch, time.perf_counter_ns())

    def end(self, host: HostAtWork, result: JobResult) -> HostOutcome:
        """Publish, remember and tell what a job brought."""
        # Waiting for a worker, and for the hosts before it, is no work on this one.
        waited = max(0, time.perf_counter_ns() - host.ready_ns - result.ns)
        begun, epoch = host.begun_ns + waited, host.epoch_ns + waited
        log, facts, failure = host.log, result.facts, result.failure
        report: HostReport | None = None
        told = False
        if facts is not None and failure is None:
            try:
                if result.written is None:
                    # The log names a host of another site than its prompts do.
                    report = self._persistence.persist_host(
                        facts, run_date=host.job.run_date, allow_empty=self._allow_empty
                    )
                else:
                    report = self._persistence.settle(
                        facts, host.site.made_database(), host.existing, result.written, host.job.run_date
                    )
            except (StateTraceError, OSError) as error:
                failure = database_failure(error)
                # The persistence tells of what it stores itself, and knows in which database.
                told = result.written is None and isinstance(error, StateTraceError)
        if report is None:
            failure = failure or NOTHING_BROUGHT
            return self._failed(log, host.site, result, failure, begun, epoch, told=told)
        try:
            host.site.ingested(log, report.hostname)
        except StateTraceError as error:
            self.warnings.append(f"{error}; logs that are stored will be parsed again")
        self._tell_end(log, host.site, report.hostname, report.site, begun, epoch)
        stored_before = result.written is not None and result.written.stored_before
        changed = stored_before or report.inserted or report.changed or report.deleted
        outcome = HostOutcome(
            report.hostname,
            report.site,
            INGESTED if changed else UNCHANGED,
            report.inserted,
            report.changed,
            report.unchanged,
            report.deleted,
            message=_STORED_BEFORE if stored_before else "",
            make=report.make,
            provider=report.origin.provider,
            provider_reason=report.origin.reason,
            coverage=result.coverage,
            lines_missed=result.lines_missed,
        )
        return self._timed(outcome, log, begun)

    def unstarted(self, log: HostLog, outcome: str, message: str) -> HostOutcome:
        """The outcome of a host whose turn never came."""
        return self._timed(HostOutcome(log.name, log.site, outcome, message=message), log, time.perf_counter_ns())

    def _known(self, log: HostLog, site: SiteWork, begun: int) -> HostOutcome | None:
        """The outcome of a log that was ingested before, and whose host is stored."""
        try:
            record = site.duplicate_of(log)
        except HistoryError as error:
            self.warnings.append(f"{error}; its logs are parsed whether they are known or not")
            return None
        except OSError:
            return None  # whoever needs the same file next tells which it is
        if record is None:
            return None
        self._telemetry.emit(skipped_duplicate(log, record))
        self._tell_worker("Worker:PostParse", site)
        message = f"the same log was ingested {record.last_ingested_utc or 'before'}"
        return self._timed(HostOutcome(log.name, log.site, DUPLICATE, message=message), log, begun)

    def _failed(
        self,
        log: HostLog,
        site: SiteWork,
        result: JobResult,
        failure: JobFailure,
        begun: int,
        epoch: int,
        *,
        told: bool = False,
    ) -> HostOutcome:
        host, code, make = log.name, log.site, ""
        if result.facts is not None:
            host, code, make = result.facts.hostname, result.facts.site, result.facts.device.make
        if failure.outcome == "database_failed" and not told:
            database = site.opened if fold(code) == fold(site.site) else None
            self._telemetry.emit(persistence_failure(host, failure, database))
        self._tell_end(log, site, host, code, begun, epoch, failure)
        outcome = HostOutcome(
            host,
            code,
            failure.outcome,
            message=failure.message,
            make=make,
            coverage=result.coverage,
            lines_missed=result.lines_missed,
        )
        return self._timed(outcome, log, begun)

    def _timed(self, outcome: HostOutcome, log: HostLog, begun: int) -> HostOutcome:
        return msgspec.structs.replace(
            outcome,
            duration_ms=round_ms(time.perf_counter_ns() - begun),
            files=tuple(map(str, log.files)),
        )

    def _tell_end(
        self,
        log: HostLog,
        site: SiteWork,
        host: str,
        code: str,
        begun: int,
        epoch: int,
        failure: JobFailure | None = None,
    ) -> None:
        took = time.perf_counter_ns() - begun
        self._telemetry.emit(parse_duration(log, host, code, epoch_ns=epoch, took_ns=took, success=failure is None))
        raised = failure is not None and failure.error
        self._tell_worker("Worker:PostParseError" if raised else "Worker:PostParse", site)

    def _tell_worker(self, stage: str, site: SiteWork) -> None:
        if self._telemetry.enabled:
            self._telemetry.emit(worker_state(stage, site.site, self._persistence.repository.cache.peek(site.site)))
