"""Whether sites got more port batches in a row than launches."""

from __future__ import annotations

import pytest

from statetrace.analysis.reports.diversity_comparison import compare_diversity, comparison_markdown
from statetrace.errors import TelemetryError


def launches(files="day.json", **streaks):
    sites = [{"Site": site, "MaxConsecutive": count} for site, count in streaks.items()]
    return {"FilesAnalyzed": files, "SiteSummaries": sites}


def batches(synthesized=False, file="day.json", **streaks):
    sites = [{"Site": site, "MaxCount": count} for site, count in streaks.items()]
    return {"MetricsFile": file, "UsedSynthesizedEvents": synthesized, "SiteStreaks": sites}


# reference: warm-run-and-gates 12.3
@pytest.mark.parametrize(
    ("launched", "delivered", "mismatches", "classification", "longest", "difference"),
    [
        (launches(SITE1=2), batches(), 0, "None", (2, 0), -2),
        (launches(SITE1=1), batches(synthesized=True, SITE1=3), 1, "Informational", (1, 3), 2),
        (launches(SITE1=1), batches(SITE1=3), 1, "Warning", (1, 3), 2),
        (launches(SITE1=4.0), batches(SITE1=4), 0, "None", (4, 4), 0),
    ],
)
def test_more_batches_in_a_row_than_launches_are_a_mismatch(
    launched, delivered, mismatches, classification, longest, difference
):
    comparison = compare_diversity(launched, delivered)

    assert comparison.mismatch_count == mismatches
    assert comparison.mismatch_classification == classification
    assert (comparison.max_scheduler_streak, comparison.max_port_batch_streak) == longest
    assert [site.port_minus_scheduler for site in comparison.sites] == [difference]


def test_sites_of_both_reports_are_joined_whatever_their_case_largest_difference_first():
    comparison = compare_diversity(launches(WLLS=2, BOYO=4, ALDR=1), batches(wlls=7, BRCK=1))

    assert [(site.site, site.scheduler_max, site.port_batch_max, site.mismatch) for site in comparison.sites] == [
        ("WLLS", 2, 7, True), ("BRCK", 0, 1, True), ("ALDR", 1, 0, False), ("BOYO", 4, 0, False),
    ]  # fmt: skip


def test_lists_may_be_written_as_their_only_element():
    launched = {"FilesAnalyzed": "day.json", "SiteSummaries": {"Site": "WLLS", "MaxConsecutive": 2}}
    delivered = {"MetricsFile": "DAY.json", "SiteStreaks": {"Site": "WLLS", "MaxCount": 1}}

    comparison = compare_diversity(launched, delivered)

    assert (comparison.max_scheduler_streak, comparison.max_port_batch_streak) == (2, 1)
    assert comparison.comparison_mode == "ObservedPortBatchReady"
    assert comparison.inputs_aligned


@pytest.mark.parametrize(
    ("launched", "delivered", "missing"),
    [
        ({}, batches(), "SiteSummaries"),
        (launches(), batches(), "SiteSummaries"),
        (launches(WLLS=1), {"MetricsFile": "day.json"}, "SiteStreaks"),
    ],
)
def test_what_a_report_lacks_is_named(launched, delivered, missing):
    with pytest.raises(TelemetryError, match=missing):
        compare_diversity(launched, delivered)


@pytest.mark.parametrize(
    ("files", "file", "detail"),
    [
        (["a.json", "b.json"], "c.json", "the batches are of c.json, the launches of a.json, b.json"),
        ("a.json", None, "the report on port batches does not tell its MetricsFile"),
        (None, "c.json", "the report on launches does not tell its FilesAnalyzed"),
    ],
)
def test_reports_of_different_files_are_told_apart(files, file, detail):
    comparison = compare_diversity(launches(files, WLLS=1), batches(file=file, WLLS=1))

    assert (comparison.inputs_aligned, comparison.input_mismatch_detail) == (False, detail)


def test_odd_sites_in_a_report_do_not_count():
    launched = {"SiteSummaries": [None, 5, {"Site": None}, {"Site": "WLLS", "MaxConsecutive": "many"}]}

    comparison = compare_diversity(launched, {"SiteStreaks": None})

    assert [(site.site, site.scheduler_max) for site in comparison.sites] == [("WLLS", 0)]


def test_the_table_has_most_batches_first_and_signed_differences():
    comparison = compare_diversity(launches(WLLS=2, BOYO=4), batches(**{"WLLS": 3, "A|B": 9}))

    assert comparison_markdown(comparison) == (
        "| Site | Launches in a row | Batches in a row | Difference |\n"
        "|---|---:|---:|---:|\n"
        "| A\\|B | 0 | 9 | +9 |\n"
        "| WLLS | 2 | 3 | +1 |\n"
        "| BOYO | 4 | 0 | -4 |\n"
    )
