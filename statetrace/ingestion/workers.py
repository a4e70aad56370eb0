"""Who does the jobs of a session: this process, a pool of processes of ours, or any executor."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures import BrokenExecutor as Broken
from typing import Generic, Protocol, TypeVar

from statetrace.database import Database
from statetrace.errors import StateTraceError
from statetrace.ingestion.job import (
    HostJob,
    JobFailure,
    JobResult,
    Workplace,
    database_failure,
    in_turn,
    leave,
    run_job,
    run_turn,
)
from statetrace.repository import DeviceRepository

K = TypeVar("K", bound=Hashable)

JOBS_PER_MESSAGE = 8
"""Hosts for which a worker is asked once: a message costs a tenth of a host."""


class Workers(Protocol[K]):
    """Runs jobs and brings their results.

    Attributes:
        count: turns that run at a time.
        turn: jobs of a turn at most.
        ahead: turns that wait at hand, so that no worker waits for its next one.
        redone: a job was done again that may have been committed before.
    """

    count: int
    turn: int
    ahead: int
    redone: bool

    @property
    def warnings(self) -> Sequence[str]:
        """What went wrong without failing a job."""

    def submit(self, turn: Sequence[tuple[K, HostJob]], database: Callable[[], Database]) -> None:
        """Begin jobs of one site, one after the other; ``database`` opens the one that they are stored in."""

    def results(self) -> list[tuple[K, JobResult]]:
        """Wait until a turn ends; the jobs of those that have ended."""

    def close(self) -> None:
        """Let go of what was used. Jobs that still run are given up: what they have not committed is not stored."""


class InlineWorkers(Generic[K]):
    """This process and thread, one job at a time."""

    count = 1
    ahead = 0
    redone = False
    warnings: Sequence[str] = ()

    def __init__(self, workplace: Workplace, repository: DeviceRepository) -> None:
        # In a cache that may be too small for all sites, going from site to site with each host drops them in vain.
        self.turn = 1 if repository.cache.statistics().max_rows is None else JOBS_PER_MESSAGE
        self._workplace = workplace
        self._repository = repository
        self._done: list[tuple[K, JobResult]] = []

    def submit(self, turn: Sequence[tuple[K, HostJob]], database: Callable[[], Database]) -> None:
        def run(job: HostJob) -> JobResult:
            try:
                templates = self._repository.templates
            except StateTraceError as error:
                return JobResult(failure=database_failure(error))
            return run_job(job, self._workplace, database, templates)

        results = in_turn([job for _, job in turn], run)
        self._done += [(key, result) for (key, _), result in zip(turn, results, strict=True)]

    def results(self) -> list[tuple[K, JobResult]]:
        done, self._done = self._done, []
        return done

    def close(self) -> None:
        pass


class ExecutorWorkers(Generic[K]):
    """An executor: a pool of processes of ours, or one that was given.

    When a process dies, its jobs are done again one by one in a new pool: what they had committed is found there. A job
    with which a process dies a second time is given up, so that the others go on.

    Args:
        workplace: where the jobs are done.
        count: turns that run at a time.
        spare: does the jobs where no process of ours can be begun.
        executor: by default a pool of so many processes, begun with the first job.
    """

    turn = JOBS_PER_MESSAGE
    ahead = 2

    def __init__(
        self, workplace: Workplace, count: int, spare: InlineWorkers[K], executor: Executor | None = None
    ) -> None:
        self.count = count
        self.redone = False
        self.warnings: list[str] = []
        self._workplace = workplace
        self._spare = spare
        self._given = executor
        self._own: ProcessPoolExecutor | None = None
        self._alone = False
        """No process of ours can be begun."""
        self._running: dict[Future[list[JobResult]], Sequence[tuple[K, HostJob]]] = {}
        self._suspects: list[tuple[K, HostJob]] = []

    def submit(self, turn: Sequence[tuple[K, HostJob]], database: Callable[[], Database]) -> None:
        executor = self._executor()
        if executor is None:
            self._spare.submit(turn, database)
            return
        try:
            future = executor.submit(run_turn, [job for _, job in turn], self._workplace)
        except Broken:
            self._suspects += turn
            return
        self._running[future] = turn

    def results(self) -> list[tuple[K, JobResult]]:
        if not self._running:
            return self._spare.results() or self._again()
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        results: list[tuple[K, JobResult]] = []
        for future in done:
            turn = self._running.pop(future)
            error = future.exception()
            if error is None:
                results += zip((key for key, _ in turn), future.result(), strict=True)
            elif isinstance(error, Broken):
                self._suspects += turn
            else:
                results += ((key, _lost(error)) for key, _ in turn)
        return results or self.results()

    def close(self) -> None:
        for future in self._running:
            future.cancel()
        if self._own is not None:
            if self._running:
                # Public from Python 3.14 on, as terminate_workers().
                for process in list((self._own._processes or {}).values()):  # noqa: SLF001
                    process.terminate()
            self._own.shutdown(wait=True, cancel_futures=True)
            self._own = None
        leave(self._workplace)  # of an executor of threads

    def _executor(self) -> Executor | None:
        """Where jobs go; ``None`` if no process can be begun."""
        if self._given is not None:
            return self._given
        if self._own is None and not self._alone:
            self._own = _pool(self.count)
            try:
                self._own.submit(os.getpid).result()
            except (Broken, OSError) as error:
                self.close()
                self.count, self._alone = 1, True
                self.warnings.append(f"all hosts were done by one process, because no other can be begun: {error}")
        return self._own

    def _again(self) -> list[tuple[K, JobResult]]:
        """The next job whose process died, done once more and alone."""
        if not self._suspects:
            return []
        self.close()
        key, job = self._suspects.pop(0)
        # Nobody knows what was committed before the death, so nothing is known of the host's rows.
        job = HostJob(job.name, job.content, job.site, None, job.run_date, redone=True)
        self.redone = True
        self._own = _pool(1)
        future = self._own.submit(run_turn, [job], self._workplace)
        self._running[future] = [(key, job)]
        wait(self._running)
        self._running.clear()
        self.close()
        try:
            (result,) = future.result()
        except Broken:
            message = "the process that worked on it died twice; the log may be too much for this machine"
            result = JobResult(failure=JobFailure("parse_failed", message))
        except Exception as error:  # noqa: BLE001  # whatever an executor brings back
            result = _lost(error)
        if not self._suspects:
            self._given = None  # broken for good; what remains is done by processes of ours
        return [(key, result)]


def check_main_module() -> None:
    """Refuse to begin a session that a process of another session's would have while it comes to be.

    Where processes are no copies of this one, each begins with the user's main module. A session that stands there
    without a guard would wait for the very session that waits for the process.

    Raises:
        RuntimeError: such a process is coming to be.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise RuntimeError('the main module ingests without `if __name__ == "__main__":`, so no process can be begun')


def _lost(error: BaseException) -> JobResult:
    kind = type(error)
    message = f"the job came back with {kind.__name__}: {error}"
    return JobResult(failure=JobFailure("parse_failed", message, f"{kind.__module__}.{kind.__qualname__}"))


def _pool(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, multiprocessing.get_context(_start_method()), _set_up_worker)


def _start_method() -> str:
    """How processes begin: as copies of this one where that is safe, which asks nothing of a user's main module."""
    if sys.platform == "linux" and threading.active_count() == 1:
        return "fork"
    return "spawn" if sys.platform == "win32" else "forkserver"


def _set_up_worker() -> None:
    # Whoever presses Ctrl-C means the session, which lets running jobs end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        # A pool's processes would wait for ever for jobs of a session that was killed.
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
