"""How many jobs of one site were launched in a row while others waited."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.analysis.documents import read_document
from statetrace.analysis.events import WireEvent
from statetrace.analysis.instants import ticks_of
from statetrace.analysis.reading import TelemetryReader
from statetrace.analysis.reports.scheduler_launches import SchedulerLaunches, scheduler_launches


def launch(site, second=0, queued_sites=2, **fields):
    time = f"2026-01-31T10:{second // 60:02}:{second % 60:02}.0000000+01:00"
    return WireEvent("ParserSchedulerLaunch", {"Timestamp": time, "Site": site, "QueuedSites": queued_sites, **fields})


def launches(sites, **fields):
    return [launch(site, second, **fields) for second, site in enumerate(sites)]


def streaks(report):
    return {site.site: site.max_consecutive for site in report.site_summaries}


@pytest.mark.original
def test_the_originals_report_is_reproduced(original_data):
    folder = original_data / "analysis" / "pipeline-20251222-210344"
    original = read_document(folder / "ParserSchedulerLaunch-2025-12-22.json")

    report = scheduler_launches(TelemetryReader([folder / "2025-12-22.json"]), files=["2025-12-22.json"])

    ours = msgspec.to_builtins(report)
    assert list(ours) == list(original)
    for document in (ours, original):
        del document["GeneratedAtUtc"], document["FilesAnalyzed"]
        document["SiteSummaries"].sort(key=lambda site: (-site["LaunchCount"], site["Site"]))
        for site in document["SiteSummaries"]:
            for name in ("MaxConsecutiveStart", "MaxConsecutiveEnd"):
                site[name] = ticks_of(site[name])
    assert ours == original


# reference: warm-run-and-gates 12.3
@pytest.mark.parametrize(
    ("sites", "queued_sites", "limit", "longest", "passed"),
    [
        ("WWBBBB", 2, 8, {"B": 4, "W": 2}, True),
        ("WWBBBB", 2, 3, {"B": 4, "W": 2}, False),
        ("WWBBWWW", 2, 8, {"W": 3, "B": 2}, True),
        ("WWWWWWWWWW", 1, 8, {"W": 1}, True),
        ("WWWWWWWWWW", None, 8, {"W": 10}, False),
    ],
)
def test_launches_in_a_row_are_counted_while_several_sites_wait(sites, queued_sites, limit, longest, passed):
    report = scheduler_launches(launches(sites, queued_sites=queued_sites), max_streak=limit)

    assert streaks(report) == longest
    assert report.max_observed_streak == max(longest.values())
    assert report.passed is passed


def test_an_unfair_streak_is_named_with_its_site_length_start_and_end():
    sites = ["BRCK", "WLLS", "ALDR"] * 20
    sites[21:30] = ["WLLS"] * 9

    report = scheduler_launches(launches(sites))

    assert not report.passed
    assert report.violation_count == 1
    assert msgspec.to_builtins(report.violations) == [
        {
            "Site": "WLLS",
            "Count": 9,
            "StartTime": "2026-01-31T10:00:21.0000000+01:00",
            "EndTime": "2026-01-31T10:00:29.0000000+01:00",
        }
    ]
    wlls = next(site for site in report.site_summaries if site.site == "WLLS")
    assert (wlls.max_consecutive, wlls.max_consecutive_start, wlls.max_consecutive_end) == (
        9, "2026-01-31T10:00:21.0000000+01:00", "2026-01-31T10:00:29.0000000+01:00",
    )  # fmt: skip


def test_each_streak_beyond_the_limit_is_one_violation():
    report = scheduler_launches(launches("WWWBWWWWBB"), max_streak=1)

    assert [(violation.site, violation.count) for violation in report.violations] == [("W", 3), ("W", 4), ("B", 2)]


def test_of_streaks_of_equal_length_the_first_is_kept():
    report = scheduler_launches(launches("WWBWW"))

    assert report.site_summaries[0].max_consecutive_start == "2026-01-31T10:00:00.0000000+01:00"


def test_a_report_can_be_asked_for_while_launches_come_in():
    asked = SchedulerLaunches()
    for event in launches("WWW"):
        asked.add(event)
        asked.result()

    assert streaks(asked.result()) == {"W": 3}


def test_made_up_launches_count_only_where_there_are_no_real_ones():
    made_up = launches("WWWWWWWWWW", Synthesized=True)

    assert scheduler_launches([*made_up, *launches("WB")]).total_launch_events == 2
    assert scheduler_launches(made_up).violations[0].count == 10


def test_sites_are_one_whatever_their_case_and_blank_ones_are_unknown():
    report = scheduler_launches(launches(["WLLS", "wlls ", "", None]))

    assert streaks(report) == {"Unknown": 2, "WLLS": 2}


def test_without_launches_nothing_is_said_to_be_fair():
    report = scheduler_launches([])

    assert (report.passed, report.total_launch_events, report.violations) == (False, 0, [])
    assert report.metrics["QueuedJobs"].average is None


def test_numbers_of_launches_are_summed_up_with_three_decimals():
    events = [launch("W", queued_sites=sites, ActiveWorkers=sites * 2) for sites in (1, 1, 2)]

    metrics = msgspec.to_builtins(scheduler_launches(events).metrics)

    assert metrics["QueuedSites"] == {
        "Name": "QueuedSites", "Count": 3, "Min": 1, "Average": 1.333, "P50": 1, "P95": 1.9, "Max": 2,
    }  # fmt: skip
    assert metrics["ActiveWorkers"]["Max"] == 4
    assert metrics["QueuedJobs"]["Count"] == 0


values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.lists(st.none()))


@given(st.lists(st.dictionaries(st.sampled_from(["Timestamp", "Site", "QueuedSites", "Synthesized"]), values)))
def test_no_launch_is_too_odd(fields):
    report = scheduler_launches(WireEvent("ParserSchedulerLaunch", one) for one in fields)

    assert sum(site.launch_count for site in report.site_summaries) == report.total_launch_events
    json.loads(msgspec.json.encode(report))


def test_a_launch_for_which_no_other_site_could_be_launched_begins_a_streak():
    launches = SchedulerLaunches(max_streak=2)
    for no_other_site in (False, False, True, False):
        launches.add(WireEvent("ParserSchedulerLaunch", {"Site": "A", "QueuedSites": 2, "NoOtherSite": no_other_site}))
    report = launches.result()
    assert (report.max_observed_streak, report.passed) == (2, True)
