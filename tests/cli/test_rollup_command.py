"""``statetrace rollup``: the daily CSV, where it goes, and what it warns of."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from command_line import document

from statetrace.ingestion.corpus import CorpusPlan, CorpusSite, write_corpus


def day_name(days_ago=0):
    return f"{datetime.now(UTC).astimezone() - timedelta(days_ago):%Y-%m-%d}"


def line(site, rows=1):
    return json.dumps({"EventName": "RowsWritten", "Site": site, "Hostname": f"{site}-A01-AS-01", "Rows": rows}) + "\n"


@pytest.fixture
def telemetry(tmp_path):
    """Two days: the first of two sites, the second of one."""
    folder = tmp_path / "Telemetry"
    folder.mkdir()
    (folder / "2026-01-30.json").write_text(line("WLLS", 1) + line("BOYO", 2))
    (folder / "2026-01-31.json").write_text(line("WLLS", 4))
    return folder


def printed(finished):
    assert finished.returncode == 0, finished.stderr
    return [(row["Date"], row["Scope"], row["Total"]) for row in csv.DictReader(io.StringIO(finished.stdout))]


def test_the_file_is_written_to_the_current_folder_and_not_beside_the_telemetry_of_others(
    call, telemetry, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for source in (telemetry, telemetry / "2026-01-30.json"):
        finished = call("rollup", source)
        assert (finished.returncode, finished.stdout) == (0, "")
        (path,) = tmp_path.glob("IngestionMetricsSummary-????????-??????.csv")
        assert path.name in finished.stderr
        assert path.read_bytes().startswith(b'"Date","Scope","Metric",')
        path.unlink()
    assert not list(telemetry.glob("*.csv"))


def test_standard_output_takes_the_csv(call, telemetry):
    finished = call("rollup", telemetry, "--output", "-")
    assert printed(finished) == [
        ("2026-01-30", "All", "3"),
        ("2026-01-30", "BOYO", "2"),
        ("2026-01-30", "WLLS", "1"),
        ("2026-01-31", "All", "4"),
        ("2026-01-31", "WLLS", "4"),
    ]
    assert not list(telemetry.glob("*.csv"))


def test_sites_limit_the_rows_of_sites_only(call, telemetry):
    for options in (["--sites", "boyo,NONE"], ["--sites", "NONE", "--sites", "boyo"]):
        finished = call("rollup", telemetry / "2026-01-30.json", "-o", "-", *options)
        assert [row[1:] for row in printed(finished)] == [("All", "3"), ("BOYO", "2")]
    finished = call("rollup", telemetry / "2026-01-30.json", "-o", "-", "--no-per-site")
    assert [row[1:] for row in printed(finished)] == [("All", "3")]


def test_days_count_back_from_today(call, telemetry):
    for days_ago in range(3):
        (telemetry / f"{day_name(days_ago)}.json").write_text(line("WLLS", days_ago))
    finished = call("rollup", telemetry, "-o", "-", "--days", "2", "--no-per-site")
    assert printed(finished) == [(day_name(1), "All", "1"), (day_name(), "All", "0")]


def test_days_without_telemetry_are_an_error_that_names_the_last_day(call, telemetry):
    finished = call("rollup", telemetry, "--days", "1")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "2026-01-31" in finished.stderr


def test_the_document_is_the_report(call, telemetry, tmp_path):
    path = tmp_path / "rollup.csv"
    report = document("rollup", telemetry, "--output", path, by=call)
    assert report["OutputFile"] == str(path)
    assert report["Files"] == [str(telemetry / f"2026-01-{day}.json") for day in (30, 31)]
    assert report["Rows"][0] == {
        "Date": "2026-01-30", "Scope": "All", "Metric": "RowsWritten", "Count": 2, "Average": None, "P95": None,
        "Max": None, "Total": 3, "SecondaryTotal": None, "Notes": "UniqueHosts=2",
    }  # fmt: skip
    assert len(path.read_text().splitlines()) - 1 == len(report["Rows"]) == 5
    assert (report["Warnings"], report["WarningCount"]) == ([], 0)


def test_broken_lines_fail_the_command_on_request_and_the_file_is_there(call, telemetry, tmp_path):
    with (telemetry / "2026-01-31.json").open("a") as file:
        file.write("broken\n" * 7)
    path = tmp_path / "rollup.csv"
    finished = call("rollup", telemetry, "--output", path, "--manifest")
    assert finished.returncode == 0
    assert finished.stderr.count("2026-01-31.json:") == 5
    assert "7 lines" in finished.stderr
    assert json.loads(path.with_name("rollup.csv.hashes.json").read_bytes())["WarningCount"] == 7
    path.unlink()
    assert call("rollup", telemetry, "--output", path, "--fail-on-warnings").returncode == 1
    assert path.exists()


def test_several_files_of_a_day_are_told_of(call, telemetry):
    (telemetry / "2026-01-31-before.json").write_text(line("WLLS", 8))
    finished = call("rollup", telemetry, "-o", "-", "--no-per-site")
    assert printed(finished)[-1] == ("2026-01-31", "All", "12")
    assert "2026-01-31: 2 files" in finished.stderr


def test_a_copy_of_a_day_counts_once_and_is_named(call, telemetry, tmp_path):
    day = telemetry / "2026-01-31.json"
    copy = telemetry / "2026-01-31-copy.json.gz"
    copy.write_bytes(gzip.compress(day.read_bytes()))
    finished = call("rollup", telemetry, "-o", "-", "--no-per-site")
    assert printed(finished)[-1] == ("2026-01-31", "All", "4")
    assert f"left out: {copy} is a copy of {day}" in finished.stderr
    assert "summed up" not in finished.stderr
    report = document("rollup", telemetry, "-o", tmp_path / "new.csv", by=call)
    assert report["Copies"] == {str(copy): str(day)}
    assert str(copy) not in report["Files"]


def test_a_site_that_no_event_names_is_told_with_those_there_are(call, telemetry):
    finished = call("rollup", telemetry, "-o", "-", "--sites", "nope, boyo")
    assert "statetrace: no site nope among these events; there are BOYO, WLLS" in finished.stderr
    assert "no site boyo" not in finished.stderr


def test_the_folder_of_a_warm_run_is_rolled_up_and_a_file_that_looks_like_a_day_is_named(call, telemetry, tmp_path):
    run = tmp_path / "Run-20260131-100000"
    shutil.copytree(telemetry, run / "ColdPass")
    (run / "WarmPass").mkdir()
    (run / "WarmPass" / "2026-01-31.json").write_text(line("WLLS", 16))
    (run / "WarmPass" / "2026-01-31.2.json").write_text(line("WLLS", 32))
    finished = call("rollup", run, "-o", "-", "--no-per-site")
    assert printed(finished) == [("2026-01-30", "All", "3"), ("2026-01-31", "All", "20")]
    assert f"not looked at: {run / 'WarmPass' / '2026-01-31.2.json'};" in finished.stderr


def test_telemetry_without_events_of_ingestion_gives_no_file(call, tmp_path):
    (tmp_path / "2026-01-31.json").write_text('{"EventName":"SiteCacheDebug"}\n')
    finished = call("rollup", tmp_path)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "nothing to roll up" in finished.stderr
    assert not list(tmp_path.glob("*.csv"))
    assert document("rollup", tmp_path, by=call, code=1)["OutputFile"] is None


@pytest.mark.parametrize(
    "options",
    [(), ("t", "--days", "31"), ("t", "--days", "0"), ("t", "-o", "-", "--json"), ("t", "-o", "-", "--manifest")],
)
def test_wrong_usage(call, options):
    assert call("rollup", *options).returncode == 2


def test_telemetry_that_is_not_there(call, tmp_path):
    finished = call("rollup", tmp_path / "none")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "does not exist" in finished.stderr


def test_our_own_sessions_are_rolled_up(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_corpus(
        tmp_path / "Logs", CorpusPlan((CorpusSite("ALDR", "Brocade", 2, 6), CorpusSite("BRCK", "Cisco", 3, 8)))
    )
    for _ in range(2):
        assert call("ingest", "--telemetry", "Telemetry", "--jobs", "1").returncode == 0
    rows = document("rollup", "Telemetry", by=call)["Rows"]
    figures = {(row["Scope"], row["Metric"]): (row["Count"], row["Total"]) for row in rows}
    assert {figures[scope, "RowsWritten"] for scope in ("ALDR", "BRCK", "All")} == {(2, 12), (3, 24), (5, 36)}
    assert figures["All", "SkippedDuplicate"] == (5, 5)
    assert figures["All", "ParseDurationSeconds"][0] == figures["All", "DatabaseWriteLatencyMs"][0] == 5
    assert figures["BRCK", "SiteCacheFetchDurationMs"][0] <= 3
