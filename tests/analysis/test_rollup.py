"""The daily rollup: the original's rows from the original's telemetry, and rows from whatever else there is."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.analysis.csv_text import csv_text
from statetrace.analysis.events import WireEvent
from statetrace.analysis.reports.rollup import Rollup, RollupReport, day_of, rollup, rollup_csv, write_rollup
from statetrace.analysis.reports.rollup_metrics import METRICS, REQUIRED_ACTIONS

DAY = "2026-01-31"


def event(name, **fields):
    return WireEvent(name, {"EventName": name, **fields})


def rows_of(events, **options):
    day = Rollup(DAY, **options)
    for one in events:
        day.add(one)
    return day.result()


def only_row(*events, **options):
    (row,) = rows_of(events, **options)
    return row


def numbers(row):
    return row.count, row.average, row.p95, row.maximum, row.total


def write_lines(path, *events):
    content = "".join(json.dumps(one.fields) + "\r\n" for one in events).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


# the original's telemetry and its worked examples


@pytest.mark.original
def test_a_day_of_the_original_gives_the_originals_file(original_data, tmp_path):
    folder = original_data / "analysis" / "rollup-2025-12-05"
    report = rollup([folder / "2025-12-05.json.gz"])
    write_rollup(tmp_path / "rollup.csv", report)
    expected = (folder / "IngestionMetricsSummary.2025-12-05-rows.csv").read_bytes()
    # Byte for byte, although nobody asks for the order of the user actions.
    assert (tmp_path / "rollup.csv").read_bytes() == expected
    assert (report.warnings, report.warning_count) == ([], 0)


@pytest.mark.parametrize(
    ("name", "field", "values", "expected"),
    [
        ("DatabaseWriteLatency", "LatencyMs",
         (987, 1722, 694, 795, 805, 755, 911, 792, 703, 737, 736, 868), (12, 875.417, 1317.75, 1722, 10505)),
        ("ParseDuration", "DurationSeconds",
         (1.753, 1.836, 0.826, 0.951, 0.931, 0.871, 1.063, 0.91, 0.834, 0.848, 0.852, 1.012),
         (12, 1.057, 1.79, 1.836, 12.687)),
        ("DriftDetectionTime", "DurationMinutes", (12.5, 7.5), (2, 10, 12.25, 12.5, 20)),
    ],
)  # fmt: skip
def test_the_distribution_of_a_field(name, field, values, expected):
    row = only_row(*(event(name, **{field: value}) for value in values))
    assert numbers(row) == expected
    assert row.notes is None


def test_failures_count_and_are_noted():
    row = only_row(
        event("ParseDuration", DurationSeconds=1.5, Success=True), event("ParseDuration", DurationSeconds=2.5, Success=False)
    )  # fmt: skip
    assert (*numbers(row)[:3], row.notes) == (2, 2, 2.45, "Failures=1")


def test_an_event_that_does_not_tell_of_success_is_none_of_a_failure():
    assert only_row(event("ParseDuration", DurationSeconds=1.5)).notes is None


def test_rows_written_and_deleted():
    row = only_row(event("RowsWritten", Rows=96, DeletedRows=0, Hostname="a"), event("RowsWritten", Rows=48, DeletedRows=2, Hostname="b"))  # fmt: skip
    assert (row.count, row.total, row.secondary_total, row.notes) == (2, 144, 2, "UniqueHosts=2")


def test_duplicates_are_totalled_by_host():
    row = only_row(*(event("SkippedDuplicate", Hostname=host) for host in ("A-1", "a-1", "B-1")))
    assert (row.count, row.total, row.notes) == (3, 2, "UniqueHosts=2")


def test_the_usage_rate_is_one_of_sums():
    row = only_row(
        event("DiffUsageRate", UsageNumerator=1, UsageDenominator=1, Status="Executed"),
        event("DiffUsageRate", UsageNumerator=1, UsageDenominator=2, Status="executed"),
    )
    assert numbers(row) == (2, 0.667, None, None, 2)
    assert (row.secondary_total, row.notes) == (3, "Statuses=Executed=2")
    assert only_row(event("DiffUsageRate", UsageNumerator=1, UsageDenominator=0)).average is None
    assert only_row(event("DiffUsageRate", UsageNumerator=1e300, UsageDenominator=1e-300)).average is None


LARGEST = st.sampled_from([1e300, -1e300, 1.7e308, -1.7e308, 1e-320, 0.5])
NUMBERS = ("DurationMs", "TotalCount", "AddedCount", "Rows", "UsageNumerator", "UsageDenominator", "LatencyMs")


@given(st.lists(st.tuples(st.sampled_from(sorted(METRICS)), st.dictionaries(st.sampled_from(NUMBERS), LARGEST))))
def test_no_figure_is_infinite_however_large_the_values(told):
    rows = rows_of([event(name, **fields) for name, fields in told])
    figures = [figure for row in rows for figure in msgspec.structs.astuple(row) if isinstance(figure, float)]
    assert all(map(math.isfinite, figures))
    assert b"inf" not in rollup_csv(rows).lower()


def test_values_are_rounded_half_away_from_zero():
    row = only_row(event("ParseDuration", DurationSeconds=0.0125))
    assert numbers(row) == (1, 0.013, 0.013, 0.013, 0.013)
    assert only_row(event("ParseDuration", DurationSeconds=-0.0125)).average == -0.013


# the waits for the site cache


def fetch(duration, status=None, provider=None, **fields):
    return event(
        "InterfaceSyncTiming",
        **{
            "SiteCacheFetchDurationMs": duration,
            "SiteCacheFetchStatus": status,
            "SiteCacheProvider": provider,
            **fields,
        },
    )


def test_waits_of_zero_are_counted_apart():
    row = only_row(fetch(200, "Hydrated", "Refresh"), fetch(0, "Hit", "Cache"))
    assert numbers(row) == (1, 200, 200, 200, 200)
    assert row.notes == "Statuses=Hit=1,Hydrated=1; Providers=Cache=1,Refresh=1; ZeroCount=1"


def test_waits_of_zero_alone_give_figures_of_zero():
    row = only_row(fetch(0.0, "SkippedEmpty", "Unknown"))
    assert numbers(row) == (0, 0, 0, 0, 0)
    assert row.notes == "Statuses=SkippedEmpty=1; Providers=Unknown=1; ZeroCount=1"
    cells = rollup_csv([row]).decode().splitlines()[1].split(",")
    assert cells[3:9] == ['"0"'] * 5 + [""]


def test_a_status_alone_makes_the_row_and_a_provider_alone_does_not():
    assert only_row(fetch(None, "Hit")).notes == "Statuses=Hit=1; ZeroCount=0"
    assert rows_of([fetch(None, provider="Cache")]) == []


def test_names_are_counted_in_any_case_under_the_first_spelling():
    row = only_row(fetch(1, "sharedOnly", " "), fetch(1, " SharedOnly "), fetch(1, "Hit"))
    assert row.notes == "Statuses=Hit=1,sharedOnly=2; ZeroCount=0"


def test_without_the_site_cache_there_are_no_such_rows():
    assert rows_of([fetch(1, "Hit")], site_cache=False) == []


# what users did


def test_a_comparison_that_was_not_executed_is_in_the_statuses_only():
    rows = rows_of(
        [
            event("DiffCompareDurationMs", DurationMs=10, Status="Executed"),
            event("DiffCompareDurationMs", DurationMs=20.5),
            event("DiffCompareDurationMs", DurationMs=99, Status="Skipped"),
            event("DiffCompareResultCounts", Status="Executed", TotalCount=7, AddedCount=1, RemovedCount=2),
            event("DiffCompareResultCounts", TotalCount=0, ChangedCount=3, UnchangedCount=4, AddedCount=1),
            event("DiffCompareResultCounts", Status="Skipped", TotalCount=50, AddedCount=50),
        ]
    )
    assert [row.metric for row in rows] == ["DiffCompareDurationMs", "DiffCompareResultCounts"]
    assert (numbers(rows[0]), rows[0].notes) == ((2, 15.25, 19.975, 20.5, 30.5), "Statuses=Executed=1,Skipped=1")
    assert numbers(rows[1]) == (2, 7.5, 7.95, 8, 15)
    assert rows[1].notes == "Added=2; Removed=2; Changed=3; Unchanged=4; Statuses=Executed=1,Skipped=1"


def test_user_actions_are_counted_each_and_against_what_is_required():
    actions = ("SpanInfo", "CompareView", "ScanLogs", "compareview", "")
    rows = rows_of(event("UserAction", Action=action) for action in actions)
    missing = "LoadFromDb,HelpQuickstart,InterfacesView,SpanSnapshot"
    assert [(row.metric, row.count, row.total, row.secondary_total, row.notes) for row in rows] == [
        ("UserAction", 1, None, None, "Action=ScanLogs"),
        ("UserAction", 2, None, None, "Action=CompareView"),
        ("UserAction", 1, None, None, "Action=SpanInfo"),
        ("UserActionCoverage", 2, 6, missing, f"Missing={missing}"),
        ("UserActionTotal", 4, None, None, None),
    ]


def test_nothing_is_missing_when_all_required_actions_were_taken():
    rows = rows_of(event("UserAction", Action=action) for action in REQUIRED_ACTIONS)
    assert (rows[-2].count, rows[-2].secondary_total, rows[-2].notes) == (6, None, "All required actions present")


# scopes, days and files


def test_a_site_that_is_called_all_comes_after_the_scope_of_all_events():
    events = [event(name, LatencyMs=1, Rows=1, Site=site) for name in ("RowsWritten", "DatabaseWriteLatency")
              for site in ("ALL", "BOYO")]  # fmt: skip
    assert [(row.scope, row.metric, row.count) for row in rows_of(events)][:4] == [
        ("All", "DatabaseWriteLatencyMs", 2), ("All", "RowsWritten", 2),
        ("ALL", "DatabaseWriteLatencyMs", 1), ("ALL", "RowsWritten", 1),
    ]  # fmt: skip


def test_rows_are_made_of_each_site_in_the_order_of_scopes():
    events = [
        event("ParseDuration", DurationSeconds=1.0, Site=site) for site in ("wlls", "ABBY", " WLLS ", "", "Zion", None)
    ]
    assert [(row.scope, row.count) for row in rows_of(events)] == [("ABBY", 1), ("All", 6), ("wlls", 2), ("Zion", 1)]
    assert [row.scope for row in rows_of(events, per_site=False)] == ["All"]
    chosen = [(row.scope, row.count) for row in rows_of(events, sites=["Wlls"])]
    assert chosen == [("All", 6), ("wlls", 2)]


def test_event_names_are_compared_in_any_case():
    assert only_row(event("PARSEDURATION", DurationSeconds=1)).metric == "ParseDurationSeconds"
    assert rows_of([event("ParserSchedulerLaunch", DurationSeconds=1)]) == []


def test_all_files_of_a_day_make_up_that_day(tmp_path):
    (tmp_path / "Run-1").mkdir()
    files = [
        write_lines(tmp_path / "2026-02-01.json", event("RowsWritten", Rows=1, Hostname="a")),
        write_lines(tmp_path / "2026-01-31.json", event("RowsWritten", Rows=2, Hostname="a")),
        write_lines(tmp_path / "2026-01-31-before.json.gz", event("RowsWritten", Rows=4, Hostname="b")),
        write_lines(tmp_path / "Run-1" / "2026-01-31.json", event("RowsWritten", Rows=8, Hostname="A")),
        write_lines(tmp_path / "copy.json", event("RowsWritten", Rows=16, Hostname="a")),
    ]
    report = rollup(files)
    assert [(row.date, row.total, row.notes) for row in report.rows] == [
        ("2026-01-31", 14, "UniqueHosts=2"),
        ("2026-02-01", 1, "UniqueHosts=1"),
        ("copy", 16, "UniqueHosts=1"),
    ]
    assert report.files == [str(files[number]) for number in (1, 2, 3, 0, 4)]


@pytest.mark.parametrize("name", ["2026-01-310.json", "20260131.json", "x-2026-01-31.json", ".json"])
def test_a_file_that_is_not_named_after_a_day_keeps_its_name(name):
    assert day_of(Path(name)) == Path(name).stem


def test_broken_lines_are_warned_of_by_file_and_line(tmp_path):
    path = write_lines(tmp_path / "2026-01-31.json", event("RowsWritten", Rows=1))
    with path.open("ab") as file:
        file.write(b'\r\n[1]\n{"EventName":"RowsWritten","Rows":2}\n{"EventName":"Rows')
    told = []
    report = rollup([path], on_bytes=told.append)
    assert [(row.count, row.total) for row in report.rows] == [(2, 3)]
    assert report.warning_count == 2
    assert [warning.partition(": ")[0] for warning in report.warnings] == [f"{path}:3", f"{path}:5"]
    assert sum(told) == path.stat().st_size


# what is written


def test_the_file_is_csv_with_quotes_and_crlf_and_without_a_mark(tmp_path):
    rows = rows_of([event("ParseDuration", DurationSeconds=2.0, Site='Ä"B')])
    path = tmp_path / "new" / "rollup.csv"
    write_rollup(path, RollupReport(rows, [], 0, []))
    assert path.read_bytes().decode() == (
        '"Date","Scope","Metric","Count","Average","P95","Max","Total","SecondaryTotal","Notes"\r\n'
        '"2026-01-31","All","ParseDurationSeconds","1","2","2","2","2",,\r\n'
        '"2026-01-31","Ä""B","ParseDurationSeconds","1","2","2","2","2",,\r\n'
    )
    assert not path.with_name("rollup.csv.hashes.json").exists()


def test_the_manifest_names_what_was_read(tmp_path):
    day = write_lines(tmp_path / "2026-01-31.json.gz", event("RowsWritten", Rows=1))
    path = tmp_path / "rollup.csv"
    write_rollup(path, rollup([day]), manifest=True)
    manifest = json.loads((tmp_path / "rollup.csv.hashes.json").read_bytes())
    assert manifest.pop("GeneratedAtUtc").endswith("Z")
    digest = hashlib.sha256(day.read_bytes()).hexdigest().upper()
    assert manifest == {
        "OutputFile": str(path),
        "InputFiles": [{"Path": str(day), "SHA256": digest}],
        "WarningCount": 0,
    }


@pytest.mark.parametrize(
    ("value", "cell"),
    [(None, ""), ("", '""'), (0.0, '"0"'), (-0.0, '"0"'), (100.0, '"100"'), (12.5, '"12.5"'), (1e22, '"1' + "0" * 22 + '"'),
     (0.00001, '"0.00001"'), (True, '"True"'), (7, '"7"'), ('a "b"\nc', '"a ""b""\nc"')],
)  # fmt: skip
def test_a_cell_of_csv(value, cell):
    assert csv_text(["A"], [[value]]) == f'"A"\r\n{cell}\r\n'


# whatever comes

SITES = st.sampled_from([None, "", "WLLS", "wlls", "BOYO"])
INGESTION = st.one_of(
    st.builds(lambda s, v, ok: event("ParseDuration", Site=s, DurationSeconds=v, Success=ok), SITES, st.floats(0, 99), st.booleans()),
    st.builds(lambda s, n, h: event("RowsWritten", Site=s, Rows=n, Hostname=h), SITES, st.integers(0, 48), st.sampled_from("abC")),
    st.builds(lambda s, v, t: fetch(v, t, Site=s), SITES, st.sampled_from([0, 1.5, None]), st.sampled_from(["Hit", "", None])),
    st.builds(lambda s, a: event("UserAction", Site=s, Action=a), SITES, st.sampled_from(["ScanLogs", "SpanInfo", "Zoom"])),
)  # fmt: skip


@given(st.lists(INGESTION, max_size=20).flatmap(lambda events: st.tuples(st.just(events), st.permutations(events))))
def test_the_order_of_lines_changes_no_count(orders):
    def counts(events):
        return [
            (row.scope.casefold(), row.metric, row.count, row.p95, row.maximum, row.secondary_total, row.notes)
            for row in rows_of(events)
        ]

    events, others = orders
    assert counts(events) == counts(others)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([10**400, -(10**308), 1.7e308, "\ud800"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip
FIELDS = (
    "Site", "Hostname", "Success", "DurationSeconds", "LatencyMs", "Rows", "DeletedRows", "SiteCacheFetchDurationMs",
    "SiteCacheFetchStatus", "SiteCacheProvider", "UsageNumerator", "UsageDenominator", "DurationMinutes", "DurationMs",
    "Status", "TotalCount", "AddedCount", "RemovedCount", "Action",
)  # fmt: skip


@given(
    st.lists(
        st.builds(WireEvent, st.sampled_from([*METRICS, ""]), st.dictionaries(st.sampled_from(FIELDS), JSON)),
        max_size=8,
    )
)
def test_no_event_whatever_it_holds_stops_the_rollup(events):
    rollup_csv(rows_of(events))
