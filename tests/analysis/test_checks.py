"""The four checks of the original's verification give all that is wrong, under the original's codes."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.analysis.documents import read_document
from statetrace.analysis.events import WireEvent
from statetrace.analysis.gates.checks import (
    check_coverage,
    check_queue_delay,
    check_shared_cache,
    check_warm_run,
    warm_hit_ratio,
)
from statetrace.analysis.gates.thresholds import (
    CoverageThresholds,
    QueueDelay,
    SharedCacheThresholds,
    WarmRunThresholds,
)
from statetrace.analysis.reports.queue_delay import QueueDelays

GOOD = {
    "ColdInterfaceCallAvgMs": 200.0,
    "WarmInterfaceCallAvgMs": 50.0,
    "ImprovementPercent": 75.0,
    "WarmCacheProviderHitCount": 37,
    "WarmCacheProviderMissCount": 0,
    "WarmCacheHitRatioPercent": 100.0,
    "WarmSignatureMatchMissCount": 0,
    "WarmSignatureRewriteTotal": 0,
}
ORIGINAL = WarmRunThresholds(minimum_improvement_percent=25)


def taken(*values, field="QueueBuildDelayMs"):
    delays = QueueDelays()
    for value in values:
        delays.add(WireEvent("InterfacePortQueueMetrics", {field: value}))
    return delays


# A warm run


def test_a_good_warm_run_passes():
    check = check_warm_run(GOOD)
    assert (check.passed, check.violations, check.messages) == (True, [], [])


@pytest.mark.original
def test_the_real_run_passes_with_the_default_of_the_original_and_not_with_the_documented_gate(original_data):
    folder = original_data / "analysis" / "warmrun-20251226-125927"
    row = read_document(folder / "WarmRunTelemetry-20251226-125927.json")[-1]
    summary = read_document(folder / "WarmRunTelemetry-latest-summary.json")
    for told in (row, summary):
        assert check_warm_run(told, ORIGINAL).passed
        check = check_warm_run(told)
        assert check.violations == ["ImprovementPercent"]
        assert "46.200" in check.messages[0]
        assert "60" in check.messages[0]


def test_all_violations_are_returned_in_the_order_of_the_reference():
    check = check_warm_run(
        {
            "ColdInterfaceCallAvgMs": 1000.0,
            "WarmInterfaceCallAvgMs": 2234.5,
            "ImprovementPercent": -123.45,
            "WarmCacheProviderMissCount": 3,
            "WarmCacheHitRatioPercent": 91.89,
            "WarmSignatureMatchMissCount": 2,
            "WarmSignatureRewriteTotal": 48,
        }
    )
    assert check.violations == [
        "ImprovementPercent", "WarmAverageDelta", "WarmCacheMissCount", "HitRatio", "SignatureMissCount",
        "SignatureRewriteTotal",
    ]  # fmt: skip
    assert len(check.messages) == len(check.violations)
    assert "1,234.500 ms" in check.messages[1]


@pytest.mark.parametrize(
    ("changed", "thresholds", "violations"),
    [
        (
            {"ImprovementPercent": 55, "WarmCacheProviderHitCount": 30, "WarmCacheProviderMissCount": 7,
             "WarmCacheHitRatioPercent": 81},
            WarmRunThresholds(minimum_improvement_percent=40, minimum_cache_hit_ratio_percent=95),
            ["WarmCacheMissCount", "HitRatio"],
        ),
        ({"ImprovementPercent": None}, ORIGINAL, ["ImprovementPercent"]),
        ({"ImprovementPercent": "many"}, ORIGINAL, ["ImprovementPercent"]),
        ({"ImprovementPercent": 60}, WarmRunThresholds(), []),
        ({"WarmInterfaceCallAvgMs": 200.0}, WarmRunThresholds(), []),
        ({"WarmInterfaceCallAvgMs": 200.1}, WarmRunThresholds(), ["WarmAverageDelta"]),
        ({"WarmInterfaceCallAvgMs": 200.1}, WarmRunThresholds(maximum_warm_average_delta_ms=-1), []),
        ({"WarmCacheHitRatioPercent": 98.99}, WarmRunThresholds(), ["HitRatio"]),
    ],
)  # fmt: skip
def test_a_warm_run_is_held_against_its_limits(changed, thresholds, violations):
    assert check_warm_run(GOOD | changed, thresholds).violations == violations


def test_an_absent_improvement_is_told_as_unknown_and_one_that_is_null_as_zero():
    absent = check_warm_run({key: value for key, value in GOOD.items() if key != "ImprovementPercent"})
    assert "not known" in absent.messages[0]
    assert "0.000 %" in check_warm_run(GOOD | {"ImprovementPercent": None}).messages[0]


def test_without_a_summary_nothing_else_is_asked():
    check = check_warm_run(None)
    assert (check.passed, check.violations) == (False, ["SummaryMissing"])


def test_the_hit_ratio_is_counted_where_it_is_not_told():
    assert warm_hit_ratio({"WarmCacheProviderHitCount": 33, "WarmCacheProviderMissCount": 11}) == 75
    assert warm_hit_ratio({}) is None
    assert check_warm_run({"ImprovementPercent": 60, "WarmCacheProviderHitCount": 2}).passed


@given(
    st.dictionaries(
        st.sampled_from(sorted(GOOD)), st.none() | st.integers() | st.floats() | st.text() | st.lists(st.none())
    )
)
def test_no_summary_is_too_odd_to_be_judged(summary):
    check = check_warm_run(summary)
    assert check.passed is not bool(check.violations)


def test_a_check_is_written_as_the_original_names_its_fields():
    document = json.loads(msgspec.json.encode(check_warm_run(GOOD)))
    assert list(document) == ["Pass", "Messages", "Violations", "Thresholds"]
    assert document["Thresholds"]["MinimumImprovementPercent"] == 60


# What a snapshot covers

WLLS = {"Site": "WLLS", "Hosts": 1, "TotalRows": 48}


@pytest.mark.parametrize(
    ("entries", "thresholds", "violations", "missing"),
    [
        ([WLLS], CoverageThresholds(), [], []),
        (
            [WLLS],
            CoverageThresholds(minimum_site_count=2, required_sites=("BOYO", "WLLS")),
            ["SiteCount", "RequiredSites"],
            ["BOYO"],
        ),
        ([WLLS, WLLS | {"Site": "wlls"}], CoverageThresholds(minimum_site_count=2), ["SiteCount"], []),
        ([WLLS], CoverageThresholds(required_sites=("wlls",)), [], []),
        ([WLLS], CoverageThresholds(minimum_host_count=2, minimum_total_row_count=49), ["HostCount", "RowCount"], []),
        ([{"Site": None}], CoverageThresholds(), ["SiteCount", "HostCount", "RowCount"], []),
        ([], CoverageThresholds(required_sites=("BOYO",)), ["SummaryEmpty"], ["BOYO"]),
        (None, CoverageThresholds(), ["SummaryMissing"], []),
    ],
)
def test_a_snapshot_is_held_against_what_it_has_to_hold(entries, thresholds, violations, missing):
    check = check_coverage(entries, thresholds)
    assert (check.violations, check.required_sites_missing) == (violations, missing)
    assert check.passed is not bool(violations)


@pytest.mark.parametrize(
    ("content", "violations"),
    [
        ('[{"Site": "WLLS", "Hosts": 25, "TotalRows": 1200}]', []),
        ('{"Site": "WLLS", "Hosts": 25, "TotalRows": 1200}', []),
        ('\N{BYTE ORDER MARK}[{"Site": "WLLS", "Hosts": "25", "TotalRows": 1200.0}]', []),
        ("[]", ["SummaryEmpty"]),
        ("[1, 2", ["SummaryInvalid"]),
        ('[{"Hostname": "WLLS-A01"}]', ["SummaryInvalid"]),
        (None, ["SummaryMissing"]),
    ],
)
def test_a_summary_is_read_from_its_file(tmp_path, content, violations):
    path = tmp_path / "SharedCacheSnapshot-summary.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    check = check_coverage(path)
    assert check.violations == violations
    if not violations:
        assert msgspec.structs.astuple(check.statistics) == (1, 25, 1200)


@pytest.mark.parametrize("absurd", [1e300, "1e300", 10**400, 1 << 63, float("inf"), "many"])
def test_a_count_that_can_be_none_counts_nothing(absurd):
    check = check_coverage([WLLS | {"Hosts": absurd, "TotalRows": absurd}])
    assert msgspec.structs.astuple(check.statistics) == (1, 0, 0)
    assert check.violations == ["HostCount", "RowCount"]
    assert check_shared_cache([{"SnapshotImported": absurd}], None).violations == ["SnapshotImported"]


# The shared cache


@pytest.mark.parametrize(
    ("stores", "providers", "thresholds", "violations"),
    [
        ([{"SnapshotImported": 0}, {"SnapshotImported": 3}], [{"AccessRefresh": 0}], SharedCacheThresholds(), []),
        ([{"SnapshotImported": 0}], [{"AccessRefresh": 2}], SharedCacheThresholds(), ["SnapshotImported", "AccessRefresh"]),
        ([{}], [{"AccessRefresh": 2}], SharedCacheThresholds(maximum_access_refresh_count=2), ["SnapshotImported"]),
        ([], [], SharedCacheThresholds(), ["SnapshotImported"]),
        (None, None, SharedCacheThresholds(), []),
    ],
)  # fmt: skip
def test_the_cache_has_to_be_filled_from_a_snapshot_and_to_suffice(stores, providers, thresholds, violations):
    check = check_shared_cache(stores, providers, thresholds)
    assert check.violations == violations


def test_what_nothing_tells_is_a_remark_and_no_violation():
    check = check_shared_cache(None, None)
    assert (check.passed, len(check.messages)) == (True, 2)
    assert (check.statistics.snapshot_imported, check.statistics.access_refresh) == (None, None)


@pytest.mark.original
def test_reports_of_the_original_are_judged(original_data):
    folder = original_data / "analysis" / "shared-cache-2025-12-23"
    check = check_shared_cache(
        read_document(folder / "SharedCacheStoreState-2025-12-23.records.json"),
        read_document(folder / "SiteCacheProviderReasons-2025-12-23.records.json"),
    )
    assert (check.statistics.snapshot_imported, check.violations) == (3, ["AccessRefresh"])


# The queue of port batches


def test_delays_pass_below_their_limits():
    report = check_queue_delay(taken(45, 60, 72, 48), QueueDelay(minimum_event_count=3))
    delay = report.statistics.queue_build_delay_ms
    assert (report.result, delay.p95, delay.p99) == ("Pass", pytest.approx(70.2), 71.64)


def test_delays_fail_above_their_limits():
    limits = QueueDelay(minimum_event_count=3, maximum_queue_delay_p95_ms=100, maximum_queue_delay_p99_ms=180)
    report = check_queue_delay(taken(90, 250, 130, field="QueueDelayMs"), limits)
    assert (report.result, report.violations) == ("Fail", ["QueueDelayP95", "QueueDelayP99"])
    assert report.statistics.queue_build_delay_ms.p95 == 238
    assert report.statistics.queue_build_delay_ms.p99 == pytest.approx(247.6)


def test_too_few_delays_are_insufficient_and_no_failure():
    report = check_queue_delay(taken(1, 2, 3, 4), QueueDelay(minimum_event_count=6))
    assert (report.passed, report.result) == (False, "InsufficientData")
    assert report.violations == ["EventCount", "InsufficientData"]
