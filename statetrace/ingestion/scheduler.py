"""Which job of a session is launched next: sites take turns, within limits. Pure; runs nothing itself."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

import msgspec

from statetrace.ingestion.profile import DEFAULT_STREAK_LIMIT
from statetrace.model import fold

P = TypeVar("P")


class Job(msgspec.Struct, Generic[P], frozen=True):
    """One piece of work for a site, whatever it is."""

    site: str
    payload: P


class Scheduler(Generic[P]):
    """A queue of jobs for every site, and the rule which of them comes next (reference: ingestion-pipeline 7).

    Sites take turns in order of their first job, and give one job at a turn. A site at its limit of workers loses its
    turn. Whoever has launched ``max_consecutive_site_launches`` jobs in a row lets another site go first, if one can be
    launched now. While as many sites as may are at work, only these are launched, and the others keep their turns; so
    that these come to theirs, no more than ``max_consecutive_site_launches`` jobs go first, then a place must get free.

    No job is lost: each one is either returned by ``next_job``, or by ``abandon``. A launch costs time in proportion to
    the sites at work, whatever the number of jobs and sites. Not for several threads at once.

    Args:
        jobs: all jobs; those of a site are launched in this order. Sites are compared without regard to case.
        max_workers_per_site: running jobs of one site; 0 = no limit.
        max_active_sites: sites with running jobs; 0 = no limit.
        max_consecutive_site_launches: see above; 0 = no limit.

    Attributes:
        site_queues: sites for which there were jobs.
        queued_jobs: jobs not launched.
        streak: how many launches in a row were of the last site; 1 after one that went beyond the limit.
        bypassed: whether the last launch went beyond the limit, because no other site could be launched.
    """

    def __init__(
        self,
        jobs: Iterable[Job[P]],
        *,
        max_workers_per_site: int = 0,
        max_active_sites: int = 0,
        max_consecutive_site_launches: int = DEFAULT_STREAK_LIMIT,
    ) -> None:
        self._workers_limit = max_workers_per_site
        self._sites_limit = max_active_sites
        self._streak_limit = max_consecutive_site_launches
        # In order of turns; a site without jobs is gone. The number of its turn tells which of two sites comes first
        # without a walk from one to the other.
        self._queues: OrderedDict[str, deque[Job[P]]] = OrderedDict()
        self.queued_jobs = 0
        for job in jobs:
            self._queues.setdefault(fold(job.site), deque()).append(job)
            self.queued_jobs += 1
        self.site_queues = len(self._queues)
        self._turns = {site: number for number, site in enumerate(self._queues)}
        self._next_turn = len(self._queues)
        self._last_site = ""
        self.streak = 0
        self.bypassed = False
        self._since_free_place = 0

    @property
    def queued_sites(self) -> int:
        """Sites with jobs that are not launched."""
        return len(self._queues)

    def next_job(self, running: Mapping[str, int]) -> Job[P] | None:
        """Takes the job to launch now from its queue; ``None`` if there is none until a running one has ended.

        With nothing running there is one as long as any is queued.

        Args:
            running: site -> running jobs; sites without any may be left out.
        """
        busy: Counter[str] = Counter()
        for site, count in running.items():
            if count > 0:
                busy[fold(site)] += count
        full = 0 < self._sites_limit <= len(busy)
        if not full:
            return self._launch(self._choose(self._by_turn(), busy), since_free_place=1)
        at_work = sorted((site for site in busy if site in self._queues), key=self._turns.__getitem__)
        if len(at_work) < len(self._queues) and 0 < self._streak_limit <= self._since_free_place:
            return None
        return self._launch(self._choose(at_work, busy), since_free_place=self._since_free_place + 1)

    def more_of(self, site: str, most: int) -> list[Job[P]]:
        """Takes further jobs of the site that was launched last, for the same worker.

        They count as launches in a row, of which there are never more than the limit.

        Args:
            site: the site.
            most: how many to take at most.
        """
        if fold(site) != self._last_site:
            return []
        if self._streak_limit > 0:
            most = min(most, self._streak_limit - self.streak)
        queue = self._queues.get(self._last_site)
        taken = [queue.popleft() for _ in range(min(most, len(queue)))] if queue else []
        self.streak += len(taken)
        self.bypassed = False
        self.queued_jobs -= len(taken)
        if queue is not None and not queue:
            del self._queues[self._last_site]
        return taken

    def abandon(self) -> list[Job[P]]:
        """Takes all jobs that are left from their queues, for whoever has to tell that they were not run."""
        return list(self._drain())

    def _drain(self) -> Iterator[Job[P]]:
        while (job := self.next_job({})) is not None:
            yield job

    def _by_turn(self) -> Iterator[str]:
        """The site whose turn it is, again and again; whoever does not take it moves it to the end."""
        for _ in range(len(self._queues)):
            yield next(iter(self._queues))

    def _choose(self, sites: Iterable[str], busy: Mapping[str, int]) -> tuple[str, bool] | None:
        """The first of the sites that may be launched, and whether that goes beyond the limit of a streak."""
        exhausted = 0 < self._streak_limit <= self.streak
        skipped = False
        for site in sites:
            if 0 < self._workers_limit <= busy.get(site, 0):
                self._to_end(site)
            elif exhausted and site == self._last_site:
                skipped = True
                self._to_end(site)
            else:
                return site, False
        return (self._last_site, True) if skipped else None

    def _launch(self, choice: tuple[str, bool] | None, *, since_free_place: int) -> Job[P] | None:
        if choice is None:
            return None
        site, self.bypassed = choice
        self.streak = self.streak + 1 if site == self._last_site and not self.bypassed else 1
        self._last_site = site
        self._since_free_place = since_free_place
        self.queued_jobs -= 1
        queue = self._queues[site]
        job = queue.popleft()
        if queue:
            self._to_end(site)
        else:
            del self._queues[site]
        return job

    def _to_end(self, site: str) -> None:
        self._queues.move_to_end(site)
        self._turns[site] = self._next_turn
        self._next_turn += 1
