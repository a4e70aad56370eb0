"""The concurrency of a session: the original's formulas, its worked table and its real events."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.ingestion.profile import (
    ConcurrencyLimits,
    ConcurrencyOverrides,
    autoscale_limits,
    resolve_profile,
    thread_budget,
)
from statetrace.settings import ParserSettings

NONE = ParserSettings()
BASE = ParserSettings(
    auto_scale_concurrency=True,
    max_runspace_ceiling=0,
    max_workers_per_site=0,
    max_active_sites=0,
    min_runspace_count=1,
    jobs_per_thread=0,
)
JOBS_2 = ParserSettings(
    auto_scale_concurrency=True,
    max_runspace_ceiling=0,
    max_workers_per_site=0,
    max_active_sites=0,
    min_runspace_count=1,
    jobs_per_thread=2,
)
ALL_ONE = ConcurrencyOverrides(1, 1, 1, None, 1, 1)
ONE_WORKER_ONE_SITE = ConcurrencyOverrides(max_workers_per_site=1, max_active_sites=1)
NOTHING = ConcurrencyOverrides()

# reference: ingestion-pipeline 5.7. Rows 4 and 5 stem from a version that bounded the threads by the workers of one
# site (1 and 2 threads); today's bound counts all sites.
AUTOSCALED = [
    ("1", 37, 2, 8, BASE, NOTHING, (8, 4, 0, 4, 1), 8),
    ("1, 64 processors", 37, 2, 64, BASE, NOTHING, (8, 4, 0, 4, 1), 8),
    ("2", 37, 2, 8, BASE, ALL_ONE, (1, 1, 1, 1, 1), 1),
    ("3", 2, 2, 8, BASE, NOTHING, (2, 1, 0, 1, 1), 2),
    ("4", 2, 2, 8, JOBS_2, NOTHING, (2, 1, 0, 2, 1), 2),
    ("5", 39, 4, 8, JOBS_2, NOTHING, (8, 2, 0, 2, 1), 8),
    ("6", 39, 4, 8, BASE, NOTHING, (8, 2, 0, 4, 1), 8),
    ("7", 6, 1, 8, ParserSettings(auto_scale_concurrency=True, min_runspace_count=1), NOTHING, (6, 4, 1, 1, 1), 4),
    ("8", 20, 2, 16, ParserSettings(True, 12, 2, 0, None, 3, 2), NOTHING, (12, 2, 0, 3, 2), 4),
    ("9 base", 37, 2, 2, BASE, NOTHING, (2, 1, 0, 4, 1), 2),
    ("9 none", 37, 2, 2, NONE, NOTHING, (2, 1, 2, 4, 1), 2),
    ("10", 37, 2, 4, BASE, NOTHING, (4, 2, 0, 4, 1), 4),
    ("11", 37, 2, 4, NONE, NOTHING, (3, 2, 2, 4, 1), 3),
    ("12", 37, 2, 8, NONE, NOTHING, (6, 3, 2, 4, 1), 6),
    ("13", 37, 2, 16, BASE, NOTHING, (8, 4, 0, 4, 1), 8),
    ("14", 37, 2, 16, NONE, NOTHING, (12, 6, 2, 4, 1), 12),
    ("15", 12, 1, 8, BASE, NOTHING, (8, 4, 0, 2, 1), 4),
    ("16", 12, 1, 8, NONE, NOTHING, (6, 4, 1, 2, 1), 4),
    ("17", 400, 40, 16, BASE, NOTHING, (8, 1, 0, 4, 1), 8),
    ("18", 400, 40, 16, NONE, NOTHING, (12, 1, 12, 4, 12), 12),
    ("19", 400, 2, 64, NONE, NOTHING, (48, 12, 2, 4, 1), 24),
    ("20 base", 1, 1, 8, BASE, NOTHING, (1, 1, 0, 1, 1), 1),
    ("20 none", 1, 1, 8, NONE, NOTHING, (1, 1, 1, 1, 1), 1),
    ("21", 37, 2, 8, BASE, ONE_WORKER_ONE_SITE, (8, 1, 1, 4, 1), 1),
]


@pytest.mark.parametrize(
    ("row", "devices", "sites", "cpus", "settings", "overrides", "profile", "ceiling"),
    AUTOSCALED,
    ids=[row[0] for row in AUTOSCALED],
)
def test_the_autoscale_answers_as_in_the_worked_table(row, devices, sites, cpus, settings, overrides, profile, ceiling):
    resolved = resolve_profile(devices, sites, cpus, settings, overrides)
    assert resolved.decision_source == "AutoScale"
    assert resolved.autoscale == ConcurrencyLimits(*profile)
    assert resolved.limits == ConcurrencyLimits(ceiling, *profile[1:])


@pytest.mark.parametrize(
    ("row", "devices", "settings", "overrides", "disabled", "limits"),
    [
        ("22", 6, NONE, ConcurrencyOverrides(4, 2, 2, None, 1, 2), False, (4, 2, 2, 1, 2)),
        ("23", 37, BASE, NOTHING, True, (8, 0, 0, 1, 1)),
        ("24", 37, NONE, NOTHING, True, (1, 1, 1, 2, 1)),
    ],
)
def test_without_the_autoscale_settings_and_overrides_decide(row, devices, settings, overrides, disabled, limits):
    resolved = resolve_profile(devices, 2, 8, settings, overrides, autoscale_disabled=disabled)
    assert resolved.decision_source == "Settings"
    assert resolved.autoscale is None
    assert resolved.limits == ConcurrencyLimits(*limits)
    assert resolved.autoscale_disabled is disabled
    assert resolved.autoscale_enabled is False


def test_a_number_out_of_range_keeps_the_default_and_is_a_hint_all_the_same():
    settings = ParserSettings(True, -5, -5, -5, -5, -5, -5)
    resolved = resolve_profile(37, 2, 16, settings)
    assert resolved.hints == ConcurrencyLimits(8, 1, 1, 2, 1)
    assert resolved.max_consecutive_site_launches == 8


def test_nothing_given_gives_no_hint():
    assert resolve_profile(37, 2, 16, NONE).hints == ConcurrencyLimits(0, 0, -1, 0, 0)


def test_one_number_in_the_settings_keeps_the_autoscale_away_unless_it_is_asked_for():
    assert resolve_profile(37, 2, 8, ParserSettings(min_runspace_count=1)).decision_source == "Settings"
    asked = ParserSettings(auto_scale_concurrency=True, min_runspace_count=1)
    assert resolve_profile(37, 2, 8, asked).decision_source == "AutoScale"
    # The limit on streaks is none of the five that the autoscale answers.
    streak = ParserSettings(max_consecutive_site_launches=3)
    assert resolve_profile(37, 2, 8, streak).decision_source == "AutoScale"


def test_an_override_of_zero_is_a_value():
    settings = ParserSettings(max_consecutive_site_launches=5, jobs_per_thread=5)
    overrides = ConcurrencyOverrides(max_consecutive_site_launches=0, jobs_per_thread=0)
    resolved = resolve_profile(37, 2, 8, settings, overrides)
    assert resolved.max_consecutive_site_launches == 0
    assert resolved.hints.jobs_per_thread == 0
    assert resolved.limits.jobs_per_thread == 1
    assert overrides.any_given
    assert not NOTHING.any_given


def test_the_event_leaves_out_what_was_not_given():
    resolved = resolve_profile(37, 2, 8, NONE, ConcurrencyOverrides(jobs_per_thread=0), autoscale_disabled=True)
    told = json.loads(msgspec.json.encode(resolved.event()))
    assert {name for name in told if name.startswith("Override")} == {"OverrideJobsPerThread"}
    assert not {name for name in told if name.startswith("Profile")}
    assert "ResolvedThreadCeiling" not in told
    assert told["HintInterfaceBulkChunkSize"] is None
    assert told["HintMaxActiveSites"] == -1
    assert told["ManualOverrides"] is True


@pytest.mark.parametrize(("given", "size", "hint"), [(None, 64, None), (24, 24, "24"), (0, 64, "0"), (-1, 64, "-1")])
def test_a_chunk_size_below_one_is_the_default(given, size, hint):
    resolved = resolve_profile(1, 1, 1, ParserSettings(interface_bulk_chunk_size=given))
    assert (resolved.chunk_size, resolved.chunk_size_hint) == (size, hint)


def test_a_session_without_work_has_a_profile():
    assert resolve_profile(0, 0, 8, BASE).limits == ConcurrencyLimits(1, 1, 0, 1, 1)
    assert resolve_profile(0, 0, 8, NONE).limits == ConcurrencyLimits(1, 1, 1, 1, 1)


numbers = st.none() | st.integers(-3, 40)
settings = st.builds(ParserSettings, st.booleans(), numbers, numbers, numbers, numbers, numbers, numbers)
overrides = st.builds(ConcurrencyOverrides, numbers, numbers, numbers, numbers, numbers, numbers)


@given(st.integers(0, 500), st.integers(0, 50), st.integers(0, 64), settings, overrides, st.booleans())
def test_whatever_is_given_there_is_at_least_one_thread(devices, sites, cpus, settings, overrides, disabled):
    limits = resolve_profile(devices, sites, cpus, settings, overrides, autoscale_disabled=disabled).limits
    assert limits.thread_ceiling >= limits.min_runspaces >= 1
    assert limits.jobs_per_thread >= 1
    assert limits.max_workers_per_site >= 0
    assert limits.max_active_sites >= 0


# active, queued, processors, fewest, most, jobs per thread, site queues, workers per site, active sites -> budget
BUDGETS = [
    (0, 10, 4, 1, 8, 2, 0, 0, 0, 5),
    (3, 0, 4, 2, 6, 2, 0, 0, 0, 3),
    (0, 8, 8, 1, 6, 2, 0, 1, 1, 1),
    (0, 2, 8, 1, 2, 1, 2, 1, 0, 2),
    (1, 50, 2, 1, 4, 1, 0, 0, 0, 4),
    (0, 37, 8, 1, 8, 4, 2, 4, 0, 8),
    (4, 16, 8, 1, 8, 4, 2, 4, 0, 8),
    (4, 12, 8, 1, 8, 4, 2, 4, 0, 7),
    (4, 3, 8, 1, 8, 4, 2, 4, 0, 5),
    (7, 1, 8, 1, 8, 4, 2, 4, 0, 8),
]


@pytest.mark.parametrize(
    ("active", "queued", "cpus", "fewest", "most", "jobs", "queues", "workers", "sites", "budget"), BUDGETS
)
def test_the_budget_follows_the_queue(active, queued, cpus, fewest, most, jobs, queues, workers, sites, budget):
    limits = ConcurrencyLimits(most, workers, sites, jobs, fewest)
    assert thread_budget(limits, active=active, queued=queued, site_queues=queues, cpu_count=cpus) == budget


def test_a_budget_that_does_not_adapt_is_the_ceiling():
    limits = ConcurrencyLimits(6, 1, 1, 1, 1)
    assert thread_budget(limits, active=0, queued=1, site_queues=1, cpu_count=1, adaptive=False) == 6


counts = st.integers(0, 40)


@given(st.builds(ConcurrencyLimits, counts, counts, counts, counts, counts), counts, counts, counts, counts)
def test_the_budget_is_never_below_the_workers_and_never_above_the_ceiling(limits, active, queued, queues, cpus):
    budget = thread_budget(limits, active=active, queued=queued, site_queues=queues, cpu_count=cpus)
    ceiling = max(1, limits.min_runspaces, limits.thread_ceiling)
    assert max(1, limits.min_runspaces, active) <= budget <= max(ceiling, active)


def real_profiles(original_data):
    for path in sorted((original_data / "telemetry").glob("*.jsonl")):
        for line in path.read_text("utf-8-sig").splitlines():
            if line.startswith("{") and (event := json.loads(line))["EventName"] == "ConcurrencyProfileResolved":
                yield event


def limits_of(event, prefix=""):
    names = ("ThreadCeiling", "MaxWorkersPerSite", "MaxActiveSites", "JobsPerThread", "MinRunspaces")
    return ConcurrencyLimits(*(event[prefix + name] for name in names))


@pytest.mark.original
def test_the_original_s_own_profiles_are_reproduced(original_data):
    events = list(real_profiles(original_data))
    assert events
    for event in events:
        devices, sites = event["DeviceCount"], event["SiteCount"]
        # The machine had eight processors or more, and its settings file is the one that the data set contains, with
        # another JobsPerThread at times.
        base = ParserSettings(
            auto_scale_concurrency=True,
            max_runspace_ceiling=0,
            max_workers_per_site=0,
            max_active_sites=0,
            min_runspace_count=1,
            jobs_per_thread=event["HintJobsPerThread"],
        )
        given = [
            event.get(f"Override{name}")
            for name in (
                "ThreadCeiling",
                "MaxWorkersPerSite",
                "MaxActiveSites",
                "MaxConsecutiveSiteLaunches",
                "JobsPerThread",
                "MinRunspaces",
            )
        ]
        resolved = resolve_profile(devices, sites, 8, base, ConcurrencyOverrides(*given))
        assert resolved.hints == limits_of(event, "Hint")
        assert autoscale_limits(devices, sites, 8, resolved.hints) == resolved.autoscale
        told = json.loads(msgspec.json.encode(resolved.event()))
        # What changed since: the bound on the threads (below), and the chunk size, which was 24 then.
        changed = {"Timestamp", "ThreadCeiling", "InterfaceBulkChunkSize"}
        assert {name: told[name] for name in event.keys() - changed} == {
            name: event[name] for name in event.keys() - changed
        }
        final = limits_of(event)
        if event["Timestamp"] < "2025-12-18":  # until then the workers of one site bounded all threads
            bound = max(final.min_runspaces, final.max_workers_per_site)
            assert final.thread_ceiling == min(resolved.limits.thread_ceiling, bound)
        else:
            assert resolved.limits == final
