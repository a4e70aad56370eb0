"""``statetrace verify`` prints a verdict on telemetry, and its exit code is that verdict."""

from __future__ import annotations

import json
import tomllib

import pytest
from command_line import document, unread

HOST = "WLLS-A01-AS-01"


def event(name, second, **fields):
    return {
        "EventName": name, "Timestamp": f"2026-01-31T10:00:{second:02}.0000000+00:00", "Hostname": HOST,
        "Site": "WLLS", **fields,
    }  # fmt: skip


def write(folder, *events):
    folder.mkdir(exist_ok=True)
    path = folder / "2026-01-31.json"
    path.write_text("".join(json.dumps(told) + "\n" for told in events))
    return path


LAUNCH = event("ParserSchedulerLaunch", 0) | {
    "ActiveWorkers": 1, "ActiveSites": 1, "ThreadBudget": 1, "QueuedJobs": 0, "QueuedSites": 0,
}  # fmt: skip


@pytest.fixture
def telemetry(tmp_path):
    known = event("SkippedDuplicate", 1, Reason="HashMatch", FileHash="0" * 64, SourceLength=5309)
    return write(tmp_path / "telemetry", LAUNCH, known).parent


@pytest.fixture
def slow(tmp_path):
    return write(tmp_path / "slow", LAUNCH, event("ParseDuration", 9, DurationSeconds=12.5))


def test_gates_without_data_fail_and_exit_with_3(call, telemetry):
    finished = call("verify", telemetry)
    assert finished.returncode == 3
    assert "without data" in finished.stderr
    assert "no data" in finished.stdout


def test_gates_without_data_are_told_together_with_the_way_out(call, tmp_path):
    parsed = event("ParseDuration", 9, DurationSeconds=0.5)
    finished = call("verify", write(tmp_path / "telemetry", LAUNCH, parsed))
    (reason,) = (number for number, line in enumerate(finished.stdout.splitlines()) if "no warm pass" in line)
    first, second = finished.stdout.splitlines()[reason : reason + 2]
    assert first.startswith("10 gates without data: ")
    assert "`--pass cold`" in first
    assert "warm_run.maximum_signature_miss_count" in second
    assert finished.stdout.count("queue delays were measured") == 1


def test_gates_without_data_may_be_allowed_all_or_by_name(call, telemetry):
    assert call("verify", telemetry, "--allow-no-data", "*").returncode == 0
    names = "write_latency,site_cache_fetch,parse_time,queue_delay,fairness.maximum_batch_streak,completeness"
    finished = call("verify", telemetry, "--pass", "cold", "--allow-no-data", names)
    assert (finished.returncode, finished.stderr.splitlines()[-1].endswith("all passed")) == (0, True)
    assert "no data, allowed" in finished.stdout


def test_a_failure_names_host_file_and_line(call, slow):
    finished = call("verify", slow, "--pass", "cold", "--allow-no-data", "*")
    assert finished.returncode == 3
    (row,) = (line for line in finished.stdout.splitlines() if line.startswith("parse_time.maximum_seconds  "))
    assert row.split()[1:] == ["failed", "12.500", "s", "<=", "10", "s"]
    assert any(HOST in line and " 2026-01-31.json:2 " in line for line in finished.stdout.splitlines())
    assert "parse_time.maximum_seconds" in finished.stderr
    assert "ParseDurationMax" not in finished.stdout + finished.stderr


def test_a_table_has_the_unit_as_heading_and_is_printed_once(call, slow):
    finished = call("verify", slow, "--pass", "cold", "--allow-no-data", "*")
    printed = finished.stdout.splitlines()
    (heading,) = (line for line in printed if line.startswith("Site") and line.split()[3] == "s")
    assert heading.split() == ["Site", "Host", "Event", "s", "Where", "Detail"]
    (maximum,) = (line for line in printed if line.startswith("parse_time.maximum_seconds:"))
    assert maximum.endswith("; see parse_time.maximum_p95_seconds")


def test_a_place_is_told_without_the_folder_that_is_the_only_source(call, slow, telemetry):
    assert f"{slow.parent}" not in call("verify", slow.parent, "--pass", "cold").stdout
    assert f" {slow}:2 " in call("verify", slow.parent, telemetry, "--pass", "cold").stdout


def test_a_later_write_that_is_taken_for_a_warm_one_hints_at_the_cold_pass(call, tmp_path):
    written = event("InterfaceSyncTiming", 1, RowsStaged=4)
    days = write(tmp_path / "days", LAUNCH, written, {**written, "Timestamp": "2026-01-31T11:00:00.0000000+00:00"})
    finished = call("verify", days)
    assert "`--pass cold` judges days of ordinary ingestion" in finished.stderr
    assert "`--pass cold`" not in call("verify", days, "--pass", "cold").stderr


def test_json_is_the_whole_report_and_nothing_else(call, slow):
    report = document("verify", slow, "--pass", "cold", "--allow-no-data", "*", by=call, code=3)
    assert list(report) == [
        "GeneratedAtUtc", "Sources", "Pass", "Violations", "Gates", "Thresholds", "Statistics", "Hints",
    ]  # fmt: skip
    assert (report["Pass"], report["Statistics"]["Events"]) == (False, 2)
    assert report["Thresholds"]["WarmRun"]["MinimumImprovementPercent"] == 60
    (gate,) = (gate for gate in report["Gates"] if gate["Code"] == "ParseDurationMax")
    assert gate["Offenders"][0]["Host"] == HOST


def test_the_report_is_written_before_the_verdict_is_given(call, slow, tmp_path):
    output = tmp_path / "reports" / "verification.json"
    finished = call("verify", slow, "--output", output)
    assert finished.returncode == 3
    assert json.loads(output.read_text())["Pass"] is False


def test_limits_come_from_a_file(call, slow, tmp_path):
    limits = tmp_path / "gates.toml"
    limits.write_text('allow_without_data = ["*"]\n[parse_time]\nmaximum_p95_seconds = 15\nmaximum_seconds = 15\n'
                      "[completeness]\nenabled = false\n[integrity]\nmaximum_contradictions = -1\n"
                      "[presence]\nenabled = false\n")  # fmt: skip
    finished = call("verify", slow, "--thresholds", limits)
    assert finished.returncode == 0, finished.stderr
    assert "completeness" not in finished.stdout


def test_the_printed_limits_are_a_file_of_limits(call, tmp_path, slow):
    printed = call("verify", "--print-thresholds")
    assert printed.returncode == 0
    assert tomllib.loads(printed.stdout)["warm_run"]["minimum_improvement_percent"] == 60
    limits = tmp_path / "gates.toml"
    limits.write_text(printed.stdout)
    assert call("verify", slow, "--thresholds", limits).returncode == 3


def test_the_printed_limits_are_written_to_a_file_if_one_is_named(call, tmp_path):
    printed = call("verify", "--print-thresholds", "--output", tmp_path / "gates.toml")
    assert (printed.returncode, (tmp_path / "gates.toml").read_text()) == (0, printed.stdout)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name the telemetry"),
        (["--thresholds", "missing.toml"], "missing.toml"),
        (["--allow-no-data", "queue_dely"], "queue_delay"),
        (["--pass", "lukewarm"], "lukewarm"),
        (["--allow-no-data", "*", "--snapshot-summary", "missing-summary.json"], "missing-summary.json"),
        (["--allow-no-data", "*", "--snapshot-summary", __file__], "test_verify_command.py"),
    ],
)
def test_wrong_usage_exits_with_2(call, telemetry, arguments, told):
    finished = call("verify", *([telemetry] if arguments else []), *arguments)
    assert finished.returncode == 2
    assert told in finished.stderr


def test_telemetry_that_is_not_there_is_a_failed_job(call, tmp_path):
    finished = call("verify", tmp_path / "nowhere")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "nowhere does not exist" in finished.stderr


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_the_verdict_is_the_exit_code_whoever_reads(slow, options):
    output = slow.parent / "verification.json"
    code, told = unread("verify", slow, "--output", output, *options)
    assert code == 3, told
    assert options or "held against" in told
    assert json.loads(output.read_text())["Pass"] is False
