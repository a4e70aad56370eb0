"""Which job comes next: turns, limits, streaks."""

import json
import time
from collections import Counter, deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.ingestion.scheduler import Job, Scheduler
from statetrace.model import site_of

CORPUS = [f"BOYO-A05-AS-{n:02}" for n in range(12)] + [f"WLLS-A01-AS-{n:02}" for n in range(25)]


def jobs(*names):
    """Jobs of the sites that the names start with."""
    return [Job(name.rstrip("0123456789"), name) for name in names]


def launches(scheduler, running):
    found = []
    while (job := scheduler.next_job(running)) is not None:
        found.append(job.payload)
    return found


def take(scheduler, running, count):
    return [scheduler.next_job(running).payload for _ in range(count)]


# reference: ingestion-pipeline 19.5
def test_one_worker_alternates_between_sites_and_ends_with_the_longer_one():
    scheduler = Scheduler([Job(site_of(host), host) for host in CORPUS])
    order, queued_jobs, queued_sites, bypasses = [], [], [], []
    while (job := scheduler.next_job({})) is not None:
        order.append(job.payload)
        queued_jobs.append(scheduler.queued_jobs)
        queued_sites.append(scheduler.queued_sites)
        if scheduler.bypassed:
            bypasses.append(len(order))
    assert "".join(host[0] for host in order) == "BW" * 12 + "W" * 13
    assert [host for host in order if host[0] == "B"] == CORPUS[:12]
    assert [host for host in order if host[0] == "W"] == CORPUS[12:]
    assert queued_jobs == list(range(36, -1, -1))
    assert queued_sites == [2] * 22 + [1] * 14 + [0]
    assert bypasses == [32]


def test_a_single_site_goes_beyond_the_limit_at_every_eighth_launch():
    scheduler = Scheduler(jobs(*["A"] * 20))
    bypasses = [number for number in range(1, 21) if scheduler.next_job({}) and scheduler.bypassed]
    assert bypasses == [9, 17]


# reference: ingestion-pipeline 19.6
def test_sites_take_turns():
    assert take(Scheduler(jobs("A1", "A2", "B1", "B2"), max_workers_per_site=1), {}, 3) == ["A1", "B1", "A2"]


def test_a_site_at_its_limit_loses_its_turn_to_one_that_waits_for_a_place():
    scheduler = Scheduler(jobs("A1", "B1"), max_workers_per_site=1, max_active_sites=1)
    assert scheduler.next_job({"A": 1}) is None
    assert take(scheduler, {}, 1) == ["B1"]


def test_after_a_full_streak_another_site_goes_first():
    scheduler = Scheduler(jobs("A1", "A2", "A3", "A4", "B1"), max_workers_per_site=1, max_consecutive_site_launches=3)
    assert take(scheduler, {"B": 1}, 3) == ["A1", "A2", "A3"]
    assert scheduler.streak == 3
    assert take(scheduler, {}, 1) == ["B1"]
    assert (scheduler.streak, scheduler.bypassed) == (1, False)


def test_a_streak_goes_on_where_no_other_site_can_be_launched():
    scheduler = Scheduler(jobs("A1", "A2", "A3", "B1"), max_workers_per_site=1, max_consecutive_site_launches=2)
    assert take(scheduler, {"B": 1}, 3) == ["A1", "A2", "A3"]
    assert (scheduler.streak, scheduler.bypassed) == (1, True)


def test_a_site_that_waits_for_a_place_does_not_hold_up_the_sites_at_work():
    scheduler = Scheduler(jobs("A1", "A2", "A3", "B1", "B2"), max_workers_per_site=4, max_active_sites=1)
    assert take(scheduler, {}, 1) == ["A1"]
    assert take(scheduler, {"A": 1}, 1) == ["A2"]
    assert take(scheduler, {"A": 2}, 1) == ["A3"]
    assert scheduler.next_job({"A": 3}) is None
    assert take(scheduler, {}, 1) == ["B1"]


def test_a_site_that_waits_for_a_place_gets_it_after_a_full_streak():
    scheduler = Scheduler(jobs(*["A"] * 20, "B"), max_active_sites=1, max_consecutive_site_launches=8)
    assert take(scheduler, {}, 1) == ["A"]
    assert launches(scheduler, {"A": 1}) == ["A"] * 7
    assert take(scheduler, {}, 2) == ["B", "A"]


def test_without_a_limit_on_streaks_a_site_at_work_goes_on():
    scheduler = Scheduler(jobs(*["A"] * 20, "B"), max_active_sites=1, max_consecutive_site_launches=0)
    assert take(scheduler, {}, 1) == ["A"]
    assert launches(scheduler, {"A": 1}) == ["A"] * 19


def test_sites_are_compared_without_regard_to_case():
    scheduler = Scheduler([Job("wlls", 1), Job("BOYO", 2), Job("WLLS", 3)], max_workers_per_site=1)
    assert scheduler.site_queues == 2
    assert scheduler.next_job({"WLLS": 1}) == Job("BOYO", 2)
    assert scheduler.next_job({"Wlls": 1}) is None
    assert scheduler.next_job({"Wlls": 0}) == Job("wlls", 1)


def test_jobs_that_are_left_are_handed_back():
    scheduler = Scheduler(jobs("A1", "A2", "B1"), max_workers_per_site=1)
    assert take(scheduler, {}, 1) == ["A1"]
    assert [job.payload for job in scheduler.abandon()] == ["B1", "A2"]
    assert (scheduler.queued_jobs, scheduler.queued_sites) == (0, 0)
    assert scheduler.next_job({}) is None


def test_no_jobs_are_no_launch():
    assert Scheduler([]).next_job({}) is None


limits = st.integers(0, 4)


@given(st.lists(st.sampled_from("ABCDE"), max_size=60), limits, limits, limits, st.integers(1, 8), st.randoms())
def test_every_job_comes_once_within_the_limits_and_no_site_starves(sites, workers, active, streak, threads, rng):
    scheduler = Scheduler(
        [Job(site, number) for number, site in enumerate(sites)],
        max_workers_per_site=workers,
        max_active_sites=active,
        max_consecutive_site_launches=streak,
    )
    left = Counter(sites)
    running, order = [], []
    in_a_row, passed_over = 0, Counter()
    while left.total() or running:
        counts = Counter(running)
        job = scheduler.next_job(counts) if len(running) < threads else None
        if job is None:
            assert running, "nothing runs, jobs are left, and none is launched"
            running.pop(rng.randrange(len(running)))
            continue
        order.append(job)
        in_a_row = in_a_row + 1 if len(order) > 1 and order[-2].site == job.site else 1
        left -= Counter([job.site])
        others = [site for site in left if site != job.site]
        if streak and any(not workers or counts[site] < workers for site in others):
            assert in_a_row <= streak
        for site in others:
            passed_over[site] += not (workers and counts[site] >= workers)
        passed_over[job.site] = 0
        running.append(job.site)
        counts = Counter(running)
        assert not workers or max(counts.values()) <= workers
        assert not active or len(counts) <= active
        if streak or not active:
            # Each site before it takes a place at most once, and until it is free the sites at work go first.
            assert max(passed_over.values(), default=0) <= 5 * max(1, streak)
        assert scheduler.queued_jobs == left.total()
        assert scheduler.queued_sites == len(left)
    assert sorted(job.payload for job in order) == list(range(len(sites)))
    for site in set(sites):
        assert [job.payload for job in order if job.site == site] == [n for n, name in enumerate(sites) if name == site]


@given(st.lists(st.sampled_from("ABCDE"), max_size=60))
def test_one_worker_runs_one_job_of_each_site_in_turn(sites):
    queues = {}
    for number, site in enumerate(sites):
        queues.setdefault(site, deque()).append(number)
    expected = []
    while any(queues.values()):
        expected += [queue.popleft() for queue in queues.values() if queue]
    assert [job.payload for job in Scheduler(Job(site, n) for n, site in enumerate(sites)).abandon()] == expected


@pytest.mark.parametrize("active", [0, 4])
def test_a_launch_costs_the_same_with_many_sites(active):
    def seconds_per_launch(sites, hosts):
        scheduler = Scheduler(
            [Job(f"S{n % sites:03}", n) for n in range(hosts)], max_workers_per_site=2, max_active_sites=active
        )
        running, started = deque(), time.perf_counter()
        while scheduler.queued_jobs:
            job = scheduler.next_job(Counter(running)) if len(running) < 8 else None
            if job is not None:
                running.append(job.site)
            else:
                running.rotate(scheduler.queued_jobs)
                running.pop()
        return (time.perf_counter() - started) / hosts

    few = min(seconds_per_launch(10, 2_000) for _ in range(3))
    many = min(seconds_per_launch(1_000, 2_000) for _ in range(3))
    assert many < 5 * few


@pytest.mark.original
def test_the_original_s_launches_are_reproduced(original_data):
    hosts = [*CORPUS[:12], "SITE1-A01-AS-01", "SW1", *CORPUS[12:]]
    scheduler = Scheduler([Job(site_of(host), host) for host in hosts])
    ours = {}
    while (job := scheduler.next_job({})) is not None:
        ours[scheduler.queued_jobs] = (job.site, scheduler.queued_sites)
    lines = (original_data / "telemetry/sample-events.jsonl").read_text("utf-8-sig").splitlines()
    events = [json.loads(line) for line in lines]
    told = [
        (event["QueuedJobs"], (event["Site"], event["QueuedSites"]))
        for event in events
        if event["EventName"] == "ParserSchedulerLaunch" and event["Timestamp"].startswith("2025-12-05")
    ]
    assert len(told) > 30
    assert all(ours[queued] == launch for queued, launch in told)
