"""``statetrace ingest``: what it stores, what it tells, and how it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from command_line import document, environment, run
from rich.console import Console

from statetrace.cli import ingest_progress
from statetrace.cli.ingest_progress import IngestProgress
from statetrace.cli.ingest_report import print_report
from statetrace.cli.watch import LogWatch
from statetrace.ingestion.corpus import CorpusPlan, CorpusSite, write_corpus
from statetrace.ingestion.report import CANCELLED, HostOutcome, IngestionReport, SnapshotRound, totals_of

PLAN = CorpusPlan((CorpusSite("ALDR", "Brocade", 2, 6), CorpusSite("BRCK", "Cisco", 2, 8)), change_percent=10)
"""28 ports, of which each generation changes 3."""
QUIET = ("--no-telemetry", "--no-snapshot")


@pytest.fixture
def logs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_corpus(tmp_path / "Logs", PLAN)
    return tmp_path / "Logs"


def next_generation(logs):
    write_corpus(logs, CorpusPlan(PLAN.sites, generation=2, change_percent=PLAN.change_percent))


def outcomes(report):
    return [host["Outcome"] for host in report["Hosts"]]


# what is stored


def test_ingested_logs_can_be_shown(call, logs):
    finished = call("ingest")
    assert finished.returncode == 0, finished.stderr
    assert [line.split()[:4] for line in finished.stdout.splitlines()[1:3]] == [
        ["ALDR", "2", "2", "12"],
        ["BRCK", "2", "2", "16"],
    ]
    assert "4 hosts of 2 sites" in finished.stderr.splitlines()[-1]
    assert len(document("show", "BRCK-A01-AS-02", by=call)["BRCK"]["BRCK-A01-AS-02"]) == 8


def test_the_document_is_the_report(call, logs):
    report = document("ingest", *QUIET, by=call)
    assert {host["Hostname"] for host in report["Hosts"]} == {
        f"{site}-A01-AS-0{n}" for site in ("ALDR", "BRCK") for n in (1, 2)
    }
    totals = report["Totals"]
    assert (totals["Hosts"], totals["Sites"], totals["RowsInserted"]) == (4, 2, 28)
    assert totals["Outcomes"] == {"ingested": 4}
    assert (report["DryRun"], report["Cancelled"], report["UnusedFiles"]) == (False, False, [])


def test_known_logs_are_skipped_unless_asked_for_again(call, logs):
    call("ingest", *QUIET)
    assert set(outcomes(document("ingest", *QUIET, by=call))) == {"skipped_duplicate"}
    again = document("ingest", "--again", *QUIET, by=call)
    assert (set(outcomes(again)), again["Totals"]["RowsUnchanged"]) == ({"unchanged"}, 28)


def test_one_raw_log_can_be_named(call, logs):
    report = document("ingest", logs / "ALDR-A01-AS-02.log", *QUIET, by=call)
    assert [host["Hostname"] for host in report["Hosts"]] == ["ALDR-A01-AS-02"]


def test_a_dry_run_shows_each_difference_and_writes_nothing(call, logs, tmp_path):
    first = call("ingest", "--dry-run")
    assert "BRCK-A01-AS-01  Gi1/0/8  Added" in first.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"Logs"}
    assert not [path for path in logs.iterdir() if path.is_dir()]
    call("ingest", *QUIET)
    next_generation(logs)
    finished = call("ingest", "--dry-run")
    assert finished.returncode == 0
    assert "nothing was written" in finished.stderr
    assert " -> " in finished.stdout
    report = document("ingest", "--dry-run", by=call)
    assert sum(len(host["Changes"]) for host in report["Hosts"]) == report["Totals"]["RowsChanged"] == 3
    assert document("ingest", *QUIET, by=call)["Totals"]["RowsChanged"] == 3


def test_a_dry_run_names_ports_that_would_go_and_lines_that_differ(call, logs):
    call("ingest", *QUIET)
    log = logs / "BRCK-A01-AS-01.log"
    kept = [line for line in log.read_text("utf-8").splitlines() if not line.startswith("Gi1/0/8 ")]
    log.write_text("\n".join(kept).replace("switchport mode access", "switchport mode trunk"), "utf-8")
    shown = call("ingest", log, "--dry-run").stdout
    assert "BRCK-A01-AS-01  Gi1/0/8  Removed" in shown
    assert "Config: - switchport mode access" in shown
    assert "Config: + switchport mode trunk" in shown


def test_parity_reads_as_the_original_does(call, logs):
    def learned(*options):
        call("ingest", *options, *QUIET)
        ports = document("show", "BRCK-A01-AS-01", by=call)["BRCK"]["BRCK-A01-AS-01"]
        return any(row["Learned"] for row in ports.values())

    assert learned()
    assert not learned("--again", "--parity")


def test_only_on_request_an_empty_table_removes_the_ports(call, tmp_path):
    log = tmp_path / "one.log"
    text = "EMPT-A01-AS-01#show version\nCisco IOS Software\nEMPT-A01-AS-01#show interfaces status\n"
    text += "Port      Name               Status       Vlan       Duplex  Speed Type\n"
    port = "Gi1/0/1   a                  connected    1          a-full a-1000 10/100/1000BaseTX\n"
    log.write_text(f"{text}{port}EMPT-A01-AS-01#\n")
    arguments = ("ingest", log, "--data", tmp_path / "Data", "--again", *QUIET)
    assert document(*arguments, by=call)["Totals"]["RowsInserted"] == 1
    log.write_text(f"{text}EMPT-A01-AS-01#\n")
    refused = call(*arguments, "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["Totals"]["Outcomes"] == {"no_interfaces": 1}
    assert document(*arguments, "--allow-empty", by=call)["Totals"]["RowsDeleted"] == 1


@pytest.mark.parametrize("name", ["all.sqlite", "sqlite:///made/all.sqlite", "SQLITE:///{folder}/all.sqlite"])
def test_one_database_for_all_sites_is_named_by_path_or_address(call, logs, tmp_path, name):
    name = name.format(folder=tmp_path)
    assert call("ingest", "--database", name, *QUIET).returncode == 0
    assert len(list(tmp_path.rglob("*.sqlite"))) == 1
    assert [read["TotalRows"] for read in document("hydrate", "--database", name, by=call)] == [12, 16]


@pytest.mark.parametrize(
    "name", ["postgresql://host/name", "sqlite://", "sqlite:///x.sqlite?mode=ro", "access+pyodbc:///x", ".", ""]
)
def test_a_database_that_cannot_be_is_wrong_usage(call, logs, tmp_path, name):
    finished = call("ingest", "--database", name)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "name a file" in finished.stderr
    assert not (tmp_path / "Data").exists()


# what goes wrong


def test_missing_logs_name_the_way_out(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    finished = call("ingest")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "statetrace corpus Logs" in finished.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_logs_says_so(call, tmp_path):
    finished = call("ingest", tmp_path, "--data", tmp_path / "Data", *QUIET)
    assert finished.returncode == 0
    assert "holds no raw logs" in finished.stderr


def test_one_bad_log_stops_no_other_and_is_named(call, logs):
    (logs / "strange.log").write_text("ODDS-A01-AS-01#show version\nA machine nobody knows\n")
    (logs / "letter.txt").write_text("Dear switch,\n")
    finished = call("ingest", *QUIET)
    assert finished.returncode == 1
    assert "unknown_vendor" in finished.stdout
    assert "strange.log" in finished.stdout
    assert "letter.txt" in finished.stdout
    assert "4 ingested, 1 unknown vendor" in finished.stderr
    report = document("ingest", *QUIET, by=call, code=1)
    assert report["Totals"]["Outcomes"] == {"skipped_duplicate": 4, "unknown_vendor": 1}


def test_a_hostile_log_cannot_steer_the_terminal(call, logs):
    (logs / "evil.log").write_text("EVIL-A01\x1b[2J#show version\n\x07[bold]\nEVIL-A01\x1b[2J#\n")
    finished = call("ingest", *QUIET)
    assert "\x1b" not in finished.stdout + finished.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGINT for one process")
def test_ctrl_c_ends_between_hosts_and_tells_what_was_left_out(tmp_path):
    write_corpus(tmp_path / "Logs", CorpusPlan.of_size(sites=2, hosts=600, ports=8))
    with subprocess.Popen(
        [sys.executable, "-m", "statetrace", "ingest", "--jobs", "1", "--json", *QUIET],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    ) as process:  # fmt: skip
        wait_for(lambda: process.poll() is not None or list((tmp_path / "Data").glob("*/*.sqlite")))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    report = json.loads(out)
    assert report["Cancelled"]
    assert set(report["Totals"]["Outcomes"]) == {"ingested", "cancelled"}


def printed(hosts, **told):
    report = IngestionReport(tuple(hosts), totals_of(hosts, raw_bytes=0, duration_ms=1.0, jobs=1), **told)
    print_report(report)


def test_hosts_whose_turn_never_came_are_counted_and_not_listed(capsys):
    left_out = [HostOutcome(f"BRCK-A01-AS-{n}", "BRCK", CANCELLED, message="no turn") for n in range(100)]
    printed([*left_out, HostOutcome("BRCK-A02-AS-1", "BRCK", "parse_failed", message="odd")], cancelled=True)
    out, err = capsys.readouterr()
    assert "odd" in out
    assert "no turn" not in out
    assert "100 cancelled" in err


def test_many_sites_of_a_snapshot_are_counted_and_few_are_named(capsys):
    many = tuple(f"SI{n:02}" for n in range(60))
    printed([], snapshot=SnapshotRound("old.clixml", many[:2], "new.clixml", "latest.clixml", many))
    err = capsys.readouterr().err
    assert "imported SI00, SI01 from old.clixml" in err
    assert "exported 60 sites to new.clixml and latest.clixml" in err


# settings of a run


def events(directory, name):
    (day,) = directory.glob("*.json")
    return [event for line in day.read_bytes().splitlines() if (event := json.loads(line))["EventName"] == name]


def test_events_go_beside_the_logs_unless_told_otherwise(call, logs, tmp_path, monkeypatch):
    call("ingest", "--no-snapshot", "--no-telemetry")
    assert not (logs / "IngestionMetrics").exists()
    call("ingest", "--no-snapshot", "--again")
    assert len(events(logs / "IngestionMetrics", "ParseDuration")) == 4
    (tmp_path / "named").mkdir()
    monkeypatch.setenv("STATETRACE_TELEMETRY_DIR", str(tmp_path / "named"))
    call("ingest", "--no-snapshot", "--again", "--telemetry", tmp_path / "option")
    call("ingest", "--no-snapshot", "--again")
    assert len(events(logs / "IngestionMetrics", "ParseDuration")) == 4
    assert len(events(tmp_path / "option", "ParseDuration")) == 4
    assert len(events(tmp_path / "named", "ParseDuration")) == 4
    assert call("ingest", "--telemetry", tmp_path, "--no-telemetry").returncode == 2


def test_logs_that_nothing_can_be_written_beside_are_ingested_all_the_same(call, logs):
    (logs / "IngestionMetrics").write_text("a file where the directory should be")
    finished = call("ingest", "--no-snapshot")
    assert finished.returncode == 0
    assert "no events are written" in finished.stderr


def test_numbers_of_the_concurrency_profile_can_be_overridden(call, logs, tmp_path):
    given = {
        "--thread-ceiling": 3,
        "--max-workers-per-site": 2,
        "--max-active-sites": 0,
        "--max-consecutive-site-launches": 5,
        "--jobs-per-thread": 4,
        "--min-runspaces": 1,
    }
    options = [part for option in given.items() for part in option]
    assert call("ingest", "--no-snapshot", *options).returncode == 0
    (profile,) = events(logs / "IngestionMetrics", "ConcurrencyProfileResolved")
    assert profile["ManualOverrides"] is True
    assert [value for name, value in profile.items() if name.startswith("Override")] == list(given.values())


def test_jobs_work_in_processes_and_leave_the_document_alone(logs):
    report = document("ingest", "--jobs", "2", *QUIET)
    assert (report["Totals"]["Jobs"], report["Totals"]["RowsInserted"]) == (2, 28)


def test_the_cache_can_be_refreshed_or_done_without(call, logs):
    def reasons(*options):
        return {host["ProviderReason"] for host in document("ingest", "--again", *options, *QUIET, by=call)["Hosts"]}

    assert reasons() == {"SharedCacheUnavailable", "SharedCacheMatch"}
    assert reasons() == {"AccessHydrate", "SharedCacheMatch"}
    assert "AccessRefresh" in reasons("--refresh")
    assert reasons("--skip-site-cache") == {"SkipSiteCacheUpdate"}


def test_the_cache_is_kept_as_a_snapshot_and_taken_up_again(call, logs, tmp_path):
    first = document("ingest", "--no-telemetry", by=call)["Snapshot"]
    assert first["Latest"].endswith("SharedCacheSnapshot-latest.clixml")
    second = call("ingest", "--no-telemetry", "--again")
    assert f"imported ALDR, BRCK from {first['Latest']}" in second.stderr
    call("ingest", "--no-telemetry", "--again", "--no-snapshot", "--export-snapshot", tmp_path / "own.clixml")
    third = document(
        "ingest", "--no-telemetry", "--again", "--no-snapshot", "--import-snapshot", tmp_path / "own.clixml", by=call
    )
    assert (third["Snapshot"]["ImportedSites"], third["Snapshot"]["Exported"]) == (["ALDR", "BRCK"], "")


# watching


def wait_for(found, seconds=60):
    end = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return result


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGINT for one process")
def test_a_watch_ingests_what_comes_and_what_changes_until_ctrl_c(logs, tmp_path):
    options = ("--watch", "--interval", "0.1", "--json", "--no-telemetry")
    with subprocess.Popen(
        [sys.executable, "-m", "statetrace", "ingest", *options],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    ) as process:  # fmt: skip
        first = json.loads(process.stdout.readline())
        next_generation(logs)  # writes all files, as time stamps tell, and changes three ports
        rounds = [json.loads(process.stdout.readline())]
        while sum(report["Totals"]["Hosts"] for report in rounds) < 4:
            rounds.append(json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, b""), err
    assert outcomes(first) == ["ingested"] * 4
    assert sum(report["Totals"]["RowsChanged"] for report in rounds) == 3
    assert b"Traceback" not in err
    assert len(list((logs / "SharedCacheSnapshot").glob("*.clixml"))) == 2  # one of the first round, and the latest


def test_a_log_is_taken_when_it_is_left_alone(tmp_path):
    log, other = tmp_path / "a.log", tmp_path / "b.txt"
    log.write_text("1")
    watch = LogWatch(tmp_path)
    assert watch.all() == [log]
    assert watch.settled() == []
    for text in ("12", "123"):  # still growing
        log.write_text(text)
        assert watch.settled() == []
    other.write_text("1")
    assert watch.settled() == [log]
    assert watch.settled() == [other]
    assert watch.settled() == []
    log.unlink()
    assert watch.settled() == []
    log.write_text("123")
    assert watch.settled() == []
    assert watch.settled() == [log]


def test_a_watched_folder_must_be_there_at_first(call, tmp_path):
    finished = call("ingest", tmp_path / "none", "--watch")
    assert finished.returncode == 1
    assert "no such folder or file" in finished.stderr


# progress


HOSTS = [HostOutcome("A", "S", "ingested"), HostOutcome("B", "S", "ingested"), HostOutcome("C", "S", "parse_failed")]


def told(monkeypatch, console):
    monkeypatch.setattr(ingest_progress, "stderr", console)
    monkeypatch.setattr(ingest_progress, "_REFRESH_S", 0)
    monkeypatch.setattr(ingest_progress, "_LINE_S", 0)
    threads = threading.active_count()
    with IngestProgress() as progress:
        progress.start(3)
        for host in HOSTS:
            progress.outcome(host)
            assert threading.active_count() == threads


def test_a_terminal_gets_a_bar_without_a_thread(monkeypatch):
    screen = io.StringIO()
    told(monkeypatch, Console(file=screen, force_terminal=True, width=120, _environ={"TERM": "xterm"}))
    assert "3/3" in screen.getvalue()
    assert "2 ingested, 1 parse failed" in screen.getvalue()


def test_a_file_gets_a_line_now_and_then(monkeypatch, capsys):
    told(monkeypatch, Console(file=io.StringIO(), force_terminal=False))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("1 of 3 hosts, ")
    assert lines[-1].endswith("2 ingested, 1 parse failed")


def test_a_short_run_tells_no_progress(logs):
    finished = run("ingest", *QUIET, cwd=logs.parent)
    assert len(finished.stderr.splitlines()) == 1
