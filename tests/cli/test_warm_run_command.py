"""``statetrace warm-run`` as a person at a terminal or a script runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import msgspec
import pytest
from command_line import document, environment

from statetrace.ingestion.corpus import CorpusPlan, write_corpus

PLAN = CorpusPlan.of_size(2, 12, 24)
ANY_TIME = "[warm_run]\nminimum_improvement_percent = -1000\nmaximum_warm_average_delta_ms = 1000\n"


@pytest.fixture
def logs(tmp_path):
    write_corpus(tmp_path / "Logs", PLAN)
    (tmp_path / "any-time.toml").write_text(ANY_TIME)
    return tmp_path / "Logs"


def test_it_compares_judges_and_leaves_the_evidence(call, logs):
    found = document("warm-run", logs, "--thresholds", logs.parent / "any-time.toml", by=call)
    assert found["Comparison"]["WarmCacheHitRatioPercent"] == 100.0
    assert found["Comparison"]["WarmRowsChanged"] == 0
    assert found["Verification"]["Pass"] is True
    evidence = logs / "IngestionMetrics"
    assert {path.name for path in evidence.iterdir()} == {
        found["Folder"].rpartition("Run-")[1] + found["Folder"].rpartition("Run-")[2],
        "WarmRunTelemetry-latest.json",
        "WarmRunTelemetry-latest-summary.json",
    }
    rows = json.loads((evidence / "WarmRunTelemetry-latest.json").read_bytes())
    assert {len(row) for row in rows} == {84}
    assert (
        json.loads((evidence / "WarmRunTelemetry-latest-summary.json").read_bytes())["WarmCacheProviderHitCount"] == 12
    )
    run = next(evidence.glob("Run-*"))
    assert json.loads((run / "Verification.json").read_bytes())["Pass"] is True
    assert not (logs.parent / "Data").exists()


def test_a_table_for_people(call, logs):
    finished = call("warm-run", logs, "--thresholds", logs.parent / "any-time.toml")
    assert finished.returncode == 0, finished.stderr
    assert "100.000 % hits (12 hits, 0 misses)" in finished.stdout
    assert "0 rows changed" in finished.stdout
    assert "evidence" in finished.stderr


def test_a_gate_that_fails_ends_it_with_3_and_explain_names_the_cause(call, logs):
    changed = logs.parent / "Changed"
    write_corpus(changed, msgspec.structs.replace(PLAN, generation=2, change_percent=40))
    finished = call("warm-run", logs, "--warm-logs", changed)
    assert finished.returncode == 3
    assert "warm_rows.maximum_changed_count" in finished.stderr
    run = next((logs / "IngestionMetrics").glob("Run-*"))
    host = sorted(changed.glob("*.log"))[3].stem
    story = call("explain", host, run)
    assert story.returncode == 0, story.stderr
    assert "WarmPass" in story.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("nowhere",), "no such folder"),
        (("{logs}", "--database", "x.sqlite"), "--in-place"),
        (("{logs}", "--warm-history", "Whatever"), "Whatever"),
        (("{logs}", "--thresholds", "{logs}/../none.toml"), "none.toml"),
        (("{logs}", "--host", "NONE-A01"), "NONE-A01"),
        (("{logs}", "--in-place", "--data", "{logs}/../nix"), "no such data folder"),
    ],
)
def test_what_cannot_be_done_is_told(call, logs, arguments, reason):
    finished = call("warm-run", *(argument.format(logs=logs) for argument in arguments))
    assert finished.returncode in (1, 2)
    assert reason in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_snapshot_that_is_not_there_is_wrong_usage(call, logs):
    assert call("warm-run", logs, "--snapshot", "nix").returncode == 2
    assert call("warm-run", logs, "--snapshot", logs.parent / "any-time.toml", "--warm-cache", "live").returncode == 2
    assert not (logs / "IngestionMetrics").exists()


def test_a_host_that_failed_is_the_last_word(call, logs):
    (logs / "ALDR-A09-AS-09.log").write_text("ALDR-A09-AS-09#show nonsense\n% Invalid input\n")
    finished = call("warm-run", logs, "--thresholds", logs.parent / "any-time.toml")
    assert finished.returncode == 1, finished.stderr
    assert finished.stderr.splitlines()[-1] == "statetrace: 1 host failed"
    assert finished.stderr.count("ALDR-A09-AS-09") == 1


def test_files_that_are_not_used_are_told(call, logs):
    (logs / "empty.log").touch()
    (logs / "lost.log").symlink_to("nowhere")
    finished = call("warm-run", logs, "--thresholds", logs.parent / "any-time.toml")
    assert finished.returncode == 1, finished.stderr
    _, _, told = finished.stdout.partition("Files not used")
    assert "empty.log" in told
    assert "cold and warm" in told
    assert finished.stderr.splitlines()[-1] == "statetrace: 1 file cannot be read"


def test_logs_that_are_all_known_are_told_in_a_sentence(call, logs):
    finished = call("warm-run", logs, "--warm-history", "ColdOutput")
    assert "all 12 logs were known, so the warm pass wrote nothing" in finished.stdout
    assert "% hits" not in finished.stdout


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("STATETRACE_DISABLE_SHARED_CACHE", "1", "in force: STATETRACE_DISABLE_SHARED_CACHE: every look-up is a miss"),
        ("STATETRACE_SHARED_CACHE_MAX_ROWS", "100", "in force: STATETRACE_SHARED_CACHE_MAX_ROWS: "),
        ("STATETRACE_FORCE_SITE_CACHE_REFRESH", "1", "in force: STATETRACE_FORCE_SITE_CACHE_REFRESH: "),
        ("STATETRACE_SKIP_SITECACHE_UPDATE", "1", "not in force here: STATETRACE_SKIP_SITECACHE_UPDATE: "),
        ("STATETRACE_SHARED_CACHE_SNAPSHOT", "x", "not in force here: STATETRACE_SHARED_CACHE_SNAPSHOT: "),
    ],
)
def test_what_the_environment_says_of_the_cache_is_told_first(call, logs, monkeypatch, name, value, told):
    monkeypatch.setenv(name, value)
    finished = call("warm-run", logs)
    assert finished.stderr.splitlines()[0].startswith(told)


def test_a_setting_to_leave_the_cache_alone_can_be_kept(call, logs, monkeypatch):
    monkeypatch.setenv("STATETRACE_SKIP_SITECACHE_UPDATE", "1")
    finished = call("warm-run", logs, "--keep-skip-setting")
    assert finished.stderr.startswith("in force: STATETRACE_SKIP_SITECACHE_UPDATE: ")


def test_few_runs_can_be_kept(call, logs):
    for _ in range(2):
        finished = call("warm-run", logs, "--keep", 1)
    assert "removed 1 older run: " in finished.stderr
    assert len(list((logs / "IngestionMetrics").glob("Run-*"))) == 1


def begun(*arguments, **environ):
    return subprocess.Popen(
        [sys.executable, "-m", "statetrace", "warm-run", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**environ),
    )  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize(("number", "jobs"), [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGTERM, 2)])
def test_an_interrupted_run_says_so_and_leaves_nothing_but_its_marked_folder(tmp_path, number, jobs):
    write_corpus(tmp_path / "Logs", CorpusPlan.of_size(4, 120, 24))
    scratch, evidence = tmp_path / "scratch", tmp_path / "Evidence"
    scratch.mkdir()
    process = begun(tmp_path / "Logs", "--telemetry", evidence, "--jobs", jobs, TMPDIR=str(scratch))
    while process.poll() is None and not list(evidence.glob("Run-*/ColdPass/*.json")):
        time.sleep(0.005)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    (run,) = evidence.glob("Run-*")
    assert f"interrupted; {run} is incomplete" in told
    assert "Traceback" not in told
    assert (run / "INCOMPLETE").exists()
    assert list(scratch.iterdir()) == []


def test_the_verdict_stands_whoever_reads(logs):
    process = begun(logs, "--thresholds", logs.parent / "any-time.toml")
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 0, told
    assert "all passed" in told


def test_the_warm_pass_knows_the_history_of_the_data_folder_without_working_in_it(call, logs):
    data = logs.parent / "Mine"
    assert call("ingest", logs, "--data", data).returncode == 0
    finished = call("warm-run", logs, "--data", data, "--warm-history", "Snapshot")
    assert "all 12 logs were known, so the warm pass wrote nothing" in finished.stdout


def test_the_summary_counts_host_by_host_unless_the_original_s_count_is_asked_for(call, logs):
    changed = logs.parent / "Changed"
    write_corpus(changed, msgspec.structs.replace(PLAN, generation=2, change_percent=40))
    misses = []
    for option in ((), ("--as-exported",)):
        assert call("warm-run", logs, "--warm-logs", changed, *option).returncode == 3
        summary = logs / "IngestionMetrics" / "WarmRunTelemetry-latest-summary.json"
        misses.append(json.loads(summary.read_bytes())["WarmSignatureMatchMissCount"])
    assert misses[0] > misses[1] == 0
