"""A session: find the logs, split them, skip what is known, schedule the rest, run it, report."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

import msgspec

from statetrace.errors import StateTraceError
from statetrace.ingestion.host_work import HostAtWork, HostWork
from statetrace.ingestion.job import Workplace
from statetrace.ingestion.logs import HostLog, LogIndex, find_logs, index_logs
from statetrace.ingestion.profile import (
    NO_OVERRIDES,
    ConcurrencyOverrides,
    ConcurrencyProfile,
    resolve_profile,
    thread_budget,
)
from statetrace.ingestion.report import (
    CANCELLED,
    INGESTED,
    HostOutcome,
    IngestionReport,
    SnapshotRound,
    totals_of,
)
from statetrace.ingestion.scheduler import Job, Scheduler
from statetrace.ingestion.site_work import SiteWork
from statetrace.ingestion.snapshots import SnapshotFiles, Snapshots
from statetrace.ingestion.workers import ExecutorWorkers, InlineWorkers, Workers, check_main_module
from statetrace.model import fold
from statetrace.parsing import ParseMode
from statetrace.persistence import ParserPersistence
from statetrace.telemetry import NO_TELEMETRY, ConcurrencyOverrideSummary, ParserSchedulerLaunch, Telemetry, round_ms

SERIAL_BELOW = 64
"""Hosts for which processes are not worth their start, unless a number of them is asked for."""
SITES_IN_TURN = 48
"""Sites among which hosts are launched by turns."""
_POLL_S = 0.05


class SessionOptions(msgspec.Struct, frozen=True):
    """What is asked of a session besides the logs.

    Attributes:
        jobs: processes that work at a time; 1 for this one alone; by default as many as the concurrency profile and the
            machine have, and this one alone for few hosts.
        executor: runs the jobs in place of processes of ours; its workers must see the data folder.
        overrides: numbers of the concurrency profile for this session only.
        mode: whether the original's defects are mended.
        again: ingest logs that are known, too.
        allow_empty: an empty table of interfaces removes a host's rows.
        dry_run: tell what would change and write nothing.
        snapshots: where the cache is imported from before and exported to after; by default, in a dry run and when the
            site cache is skipped neither is done.
        history: folder of the records of what was ingested; by default the one in the data folder.
    """

    jobs: int | None = None
    executor: Executor | None = None
    overrides: ConcurrencyOverrides = NO_OVERRIDES
    mode: ParseMode = ParseMode.LOG
    again: bool = False
    allow_empty: bool = False
    dry_run: bool = False
    snapshots: SnapshotFiles | None = None
    history: Path | None = None


class IngestionSession:
    """Ingests raw logs through one persistence, once.

    Hosts fail one by one: whatever goes wrong with one is told in its outcome, and the others go on. A session that is
    interrupted from the keyboard ends after the hosts that are at work; a second interrupt ends it at once.

    Args:
        persistence: stores hosts, and knows data folder, cache and settings.
        options: what is asked for.
        telemetry: where events go; by default where those of the persistence go. A dry run tells nothing.
        on_start: called with the number of hosts, before the first.
        on_outcome: called after each host.
    """

    def __init__(
        self,
        persistence: ParserPersistence,
        options: SessionOptions | None = None,
        *,
        telemetry: Telemetry | None = None,
        on_start: Callable[[int], None] = lambda _: None,
        on_outcome: Callable[[HostOutcome], None] = lambda _: None,
    ) -> None:
        self.persistence = persistence
        self.options = options = SessionOptions() if options is None else options
        self.telemetry = persistence.telemetry if telemetry is None else telemetry
        if options.dry_run:
            self.telemetry = NO_TELEMETRY
        self._databases = persistence.repository.databases
        self._on_start = on_start
        self._on_outcome = on_outcome
        self._cpu_count = os.cpu_count() or 1
        # A cache that is left alone says less than the databases afterwards: it is nothing to be kept.
        idle = options.dry_run or persistence.settings.skip_site_cache_update
        wanted = None if idle else options.snapshots
        self._snapshots = None if wanted is None else Snapshots(wanted, persistence.repository)
        self._hosts = HostWork(
            persistence,
            self.telemetry,
            mode=options.mode,
            again=options.again,
            allow_empty=options.allow_empty,
            dry_run=options.dry_run,
            snapshots=self._snapshots,
        )
        self._sites: dict[str, SiteWork] = {}
        self._outcomes: list[HostOutcome] = []
        self._at_work: dict[str, HostAtWork] = {}
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End the session after the hosts that are at work. Any thread may ask for it."""
        self._stopped.set()

    def run(self, logs: Path | Iterable[Path]) -> IngestionReport:
        """Ingest the raw logs of a folder, or those named.

        Raises:
            OSError: the folder cannot be listed.
        """
        check_main_module()
        begun = time.perf_counter_ns()
        index = index_logs(find_logs(logs) if isinstance(logs, Path) else logs)
        profile = self._profile(index)
        self.telemetry.emit(profile.event())
        self._on_start(len(index.logs))
        workers = self._workers(profile, len(index.logs))
        with self._interruptible():
            try:
                self._run(index, profile, workers)
            finally:
                workers.close()
                for site in self._sites.values():
                    self._finish(site)
        if self._snapshots is not None:
            # Whoever interrupts a session waits for nothing that can be done at any other time.
            if not self._stopped.is_set():
                self._snapshots.check_imported()
            changed = workers.redone or any(host.outcome == INGESTED for host in self._outcomes)
            self._snapshots.after(changed=changed)
        self._tell_overrides()
        duration = round_ms(time.perf_counter_ns() - begun)
        return IngestionReport(
            tuple(self._outcomes),
            totals_of(self._outcomes, raw_bytes=index.bytes, duration_ms=duration, jobs=workers.count),
            index.unusable,
            snapshot=SnapshotRound() if self._snapshots is None else self._snapshots.round,
            cache=self.persistence.repository.cache.statistics(),
            warnings=tuple(
                dict.fromkeys((*self.persistence.settings.warnings, *self._hosts.warnings, *workers.warnings))
            ),
            dry_run=self.options.dry_run,
            cancelled=self._stopped.is_set(),
        )

    def _run(self, index: LogIndex, profile: ConcurrencyProfile, workers: Workers[str]) -> None:
        logs = Counter(fold(log.site) for log in index.logs)
        for log in index.logs:
            if (site := fold(log.site)) not in self._sites:
                self._sites[site] = SiteWork(log.site, self._databases, logs[site], self.options.history)
        # So many sites take turns as have databases that can stay open together.
        turn = {site: number // SITES_IN_TURN for number, site in enumerate(self._sites)}
        waves: list[list[Job[HostLog]]] = [[] for _ in range(max(turn.values(), default=-1) + 1)]
        for log in index.logs:
            waves[turn[fold(log.site)]].append(Job(log.site, log))
        put_off: list[Job[HostLog]] = []
        for jobs in waves:
            put_off += self._run_round(jobs, profile, workers)
        while put_off and not self._stopped.is_set():
            # Another process ingests their sites just now.
            self._wait_for_a_site(put_off)
            put_off = self._run_round(put_off, profile, workers)
        for job in put_off:
            message = "the session was stopped before its turn"
            self._settle(job.payload, self._hosts.unstarted(job.payload, CANCELLED, message))

    def _run_round(
        self, jobs: Iterable[Job[HostLog]], profile: ConcurrencyProfile, workers: Workers[str]
    ) -> list[Job[HostLog]]:
        """Run all jobs that can be run, and return the others."""
        scheduler = Scheduler(
            jobs,
            # One worker writes a site at a time, so that what is known of its database stays exact.
            max_workers_per_site=1,
            max_active_sites=profile.limits.max_active_sites and profile.limits.max_active_sites + workers.ahead,
            max_consecutive_site_launches=profile.max_consecutive_site_launches,
        )
        put_off: list[Job[HostLog]] = []
        self._at_work = {}
        while self._at_work or not self._stopped.is_set():
            # A site has one worker at a time, so the sites at work are the workers.
            working = Counter({fold(host.log.site): 1 for host in self._at_work.values()})
            budget = min(workers.count, self._budget(profile, scheduler, len(working)))
            may_launch = len(working) < budget + workers.ahead and not self._stopped.is_set()
            job = scheduler.next_job(working) if may_launch else None
            if job is not None and not self._take(job.payload):
                put_off.append(job)
            elif job is not None:
                self._launch(job, scheduler, workers, working, budget)
            elif working:
                for name, result in workers.results():
                    host = self._at_work.pop(name)
                    self._settle(host.log, self._hosts.end(host, result))
            else:
                break
        return [*put_off, *scheduler.abandon()]

    def _launch(
        self,
        job: Job[HostLog],
        scheduler: Scheduler[HostLog],
        workers: Workers[str],
        working: Mapping[str, int],
        budget: int,
    ) -> None:
        """Begin a job, and as many more of its site as are worth one message to another process."""
        turn: list[HostAtWork] = []
        while True:
            self._tell_launch(job, scheduler, min(len(working) + 1, budget), budget)
            begun = self._hosts.begin(job.payload, self._sites[fold(job.site)])
            if isinstance(begun, HostOutcome):
                self._settle(job.payload, begun)
            else:
                turn.append(begun)
            # Of a site that is not cached one host goes first: then the others' rows are known.
            cached = bool(turn) and turn[-1].existing.known is not None
            may_go_on = cached and len(turn) < workers.turn and not self._stopped.is_set()
            more = scheduler.more_of(job.site, 1) if may_go_on else []
            if not more:
                break
            (job,) = more
        if turn:
            self._at_work |= {host.log.name: host for host in turn}
            workers.submit([(host.log.name, host.job) for host in turn], turn[0].site.made_database)

    def _budget(self, profile: ConcurrencyProfile, scheduler: Scheduler[HostLog], active: int) -> int:
        return thread_budget(
            profile.limits,
            active=active,
            queued=scheduler.queued_jobs,
            site_queues=scheduler.site_queues,
            cpu_count=self._cpu_count,
            adaptive=profile.adaptive_threads,
        )

    def _take(self, log: HostLog) -> bool:
        """Whether the host's site is ours to ingest now."""
        if self.options.dry_run:
            return True
        try:
            return self._sites[fold(log.site)].take()
        except StateTraceError as error:
            # Without a lease the databases' own locks still keep writers apart; only work may be done twice.
            self._hosts.warnings.append(str(error))
            return True

    def _wait_for_a_site(self, jobs: list[Job[HostLog]]) -> None:
        first_jobs = {fold(job.site): job for job in reversed(jobs)}
        while not self._stopped.is_set():
            if any(self._take(job.payload) for job in first_jobs.values()):
                return
            time.sleep(_POLL_S)

    def _settle(self, log: HostLog, outcome: HostOutcome) -> None:
        self._outcomes.append(outcome)
        site = self._sites[fold(log.site)]
        site.jobs -= 1
        if not site.jobs:
            self._finish(site)
        self._on_outcome(outcome)

    def _finish(self, site: SiteWork) -> None:
        """A site is done, or given up: write what is not in its history yet, and let others have it."""
        try:
            site.flush()
        except StateTraceError as error:
            self._hosts.warnings.append(f"{error}; logs that are stored will be parsed again")
        finally:
            site.release()
        self._hosts.warnings += site.diagnostics

    def _profile(self, index: LogIndex) -> ConcurrencyProfile:
        overrides, parser = self.options.overrides, self.persistence.settings.parser
        if self.options.jobs is not None and overrides.thread_ceiling is None:
            overrides = msgspec.structs.replace(overrides, thread_ceiling=self.options.jobs)
            # The other numbers follow from it; by themselves they would let one site be active.
            parser = msgspec.structs.replace(parser, auto_scale_concurrency=True)
        sites = len({fold(log.site) for log in index.logs})
        return resolve_profile(len(index.logs), sites, self._cpu_count, parser, overrides)

    def _workers(self, profile: ConcurrencyProfile, hosts: int) -> Workers[str]:
        workplace = Workplace(
            self._databases.data_folder,
            self._databases.override,
            self.persistence.settings.template_folder,
            self.options.mode,
            self.options.allow_empty,
        )
        ceiling = profile.limits.thread_ceiling
        inline: InlineWorkers[str] = InlineWorkers(workplace, self.persistence.repository)
        if self.options.executor is not None:
            return ExecutorWorkers(workplace, ceiling, inline, self.options.executor)
        count = self.options.jobs or (min(ceiling, self._cpu_count) if hosts >= SERIAL_BELOW else 1)
        # One database for all sites has one writer; and a dry run only reads.
        if count == 1 or self._databases.override is not None or self.options.dry_run:
            return inline
        return ExecutorWorkers(workplace, count, inline)

    def _tell_launch(self, job: Job[HostLog], scheduler: Scheduler[HostLog], workers: int, budget: int) -> None:
        if self.telemetry.enabled:
            self.telemetry.emit(
                ParserSchedulerLaunch(
                    site=job.site,
                    active_workers=workers,
                    active_sites=workers,
                    thread_budget=budget,
                    queued_jobs=scheduler.queued_jobs,
                    queued_sites=scheduler.queued_sites,
                    no_other_site=scheduler.bypassed,
                )
            )

    def _tell_overrides(self) -> None:
        overrides = self.options.overrides
        if overrides.any_given:
            given = msgspec.structs.asdict(overrides)
            fields = {f"{name}_override": value for name, value in given.items() if value is not None}
            self.telemetry.emit(ConcurrencyOverrideSummary(**fields))

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Within the block the first interrupt from the keyboard stops the session between hosts."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def interrupt(_: int, __: object) -> None:
            self.stop()
            signal.signal(signal.SIGINT, before)

        before = signal.signal(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
