"""Processes die, are interrupted and meet at one folder: nothing is lost, done twice or left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
from ingesting import (
    ORIGINAL_SHAPE,
    SMALL,
    TESTS,
    corpus,
    counts,
    device_log,
    engine_on,
    finish,
    forget,
    ingest,
    outcomes,
    start,
    stored,
    told,
)

from statetrace.cache import read_snapshot
from statetrace.ingestion.corpus import CorpusPlan, CorpusSite
from statetrace.ingestion.history import SiteLease
from statetrace.ingestion.profile import ConcurrencyOverrides
from statetrace.ingestion.session import IngestionSession, SessionOptions
from statetrace.ingestion.snapshots import SnapshotFiles
from statetrace.model import DeviceFacts, PortFacts, SpanFacts

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="processes cannot be listed in /proc on this system"
)

INGEST = """
import json
from ingesting import *
from statetrace.telemetry import DirectorySink
logs, data, jobs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
with engine_on(data, DirectorySink(data / "events")) as engine:
    report = engine.ingest(logs, jobs=jobs, on_outcome=lambda host: print(host.outcome, flush=True))
print(json.dumps([report.totals.outcomes, report.cancelled, report.warnings, counts(report)]))
"""
WITH_FEW_FILES = (
    """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
"""
    + INGEST
)
SLOW = """
import re, time
from statetrace.model import DeviceFacts
from statetrace.model.facts import PortFacts
from statetrace.parsing import Vendor, register_vendor
def slowly(log):
    time.sleep(float(sys.argv[4]))
    return DeviceFacts(log.hostname, "Acme", ports=(PortFacts("1"),), interfaces_found=True)
register_vendor(Vendor("Acme", slowly, version_words=re.compile("Acme"), priority=9))
"""


def session(*arguments, program=INGEST):
    """A process that is about to ingest; it begins when it is told to."""
    process = start(program, *arguments)
    assert process.stdout.readline() == "ready\n"
    return process


def go(process):
    process.stdin.write("go\n")
    process.stdin.flush()


def result(process):
    output, errors = finish(process)
    assert process.returncode == 0, errors
    return json.loads(output.splitlines()[-1])


def descendants(pid):
    """The processes that a process has begun, and those that these have."""
    parents = {}
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if entry.name.isdigit() and fields[0] != "Z":
            parents[int(entry.name)] = int(fields[1])
    found, young = [], [pid]
    while young:
        young = [child for child, parent in parents.items() if parent in young]
        found += young
    return found


def all_end(pids, within=10.0):
    """Whether the processes end within seconds."""
    return wait_for(lambda: not any(map(_runs, pids)), within)


def wait_for(condition, within=20.0):
    """Whether the condition comes true within seconds."""
    until = time.monotonic() + within
    while not (met := condition()) and time.monotonic() < until:
        time.sleep(0.01)
    return bool(met)


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def acme_logs(folder, hosts, site="WLLS"):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, hosts + 1):
        (folder / f"{site}{number}.log").write_text(device_log(f"{site}-A09-AS-{number:02}").replace("Cisco", "Acme"))
    return folder


def test_a_worker_that_is_killed_costs_no_host(tmp_path):
    logs, data = corpus(tmp_path / "logs", ORIGINAL_SHAPE), tmp_path / "data"
    before = set(descendants(os.getpid()))
    killed = []

    def kill_one(_):
        if len(killed) < 3:
            pid = next(iter(sorted(set(descendants(os.getpid())) - before - set(killed))), None)
            if pid is not None:
                killed.append(pid)
                os.kill(pid, signal.SIGKILL)

    with engine_on(data) as engine:
        report = engine.ingest(logs, jobs=2, on_outcome=kill_one)
        assert len(killed) == 3
        assert report.failed == ()
        assert report.totals.hosts == 37
        # What a worker had committed before it died is found and left alone.
        assert set(outcomes(report).values()) <= {"ingested", "unchanged"}
        assert set(outcomes(engine.ingest(logs)).values()) == {"skipped_duplicate"}
        assert engine.repository.read_site("BRCK", refresh=True).entry.total_rows == 1_200
    assert all_end(set(descendants(os.getpid())) - before)
    ingest(tmp_path / "sound", logs)
    assert stored(data) == stored(tmp_path / "sound")


def test_what_a_process_committed_before_it_died_is_not_stored_twice(tmp_path, own_vendor):
    died = tmp_path / "died"

    def die_once(log):
        if log.hostname.endswith("06") and not died.exists():
            died.touch()
            os._exit(9)
        tree = (SpanFacts("10"),)
        return DeviceFacts(log.hostname, "Acme", ports=(PortFacts("1"),), spanning_tree=tree, interfaces_found=True)

    own_vendor("Acme", die_once)
    logs, data = acme_logs(tmp_path / "logs", 8), tmp_path / "data"
    latest = SnapshotFiles(tmp_path / "snapshots")
    report = ingest(data, logs, options=SessionOptions(jobs=2, snapshots=latest))
    assert died.exists()
    assert set(outcomes(report).values()) == {"ingested"}
    again = sorted(host.hostname for host in report.hosts if "died afterwards" in host.message)
    # The first host went alone, and those of the turn that came before the one at fault were committed.
    assert again == [f"WLLS-A09-AS-0{number}" for number in range(2, 6)]
    assert told(data, "WLLS") == {f"WLLS-A09-AS-0{number}": [1, 1, 1] for number in range(1, 9)}
    assert read_snapshot(latest.latest).entries["WLLS"].host_count == 8


def test_threads_of_one_executor_share_more_databases_than_are_kept_open(tmp_path):
    logs, data = corpus(tmp_path / "logs", CorpusPlan.of_size(sites=24, hosts=72)), tmp_path / "data"
    with ThreadPoolExecutor(4) as executor:
        overrides = ConcurrencyOverrides(thread_ceiling=4)
        report = ingest(data, logs, options=SessionOptions(executor=executor, overrides=overrides))
    assert set(outcomes(report).values()) == {"ingested"}
    ingest(tmp_path / "sound", logs)
    assert stored(data) == stored(tmp_path / "sound")


def test_a_log_that_kills_each_process_is_given_up_and_the_others_are_done(tmp_path, own_vendor):
    own_vendor("Acme", lambda _: os._exit(9))
    logs = corpus(tmp_path / "logs")
    acme_logs(logs, 1, "ALDR")
    acme_logs(logs, 1, "WLLS")
    report = ingest(tmp_path / "data", logs, jobs=2)
    assert len(report.hosts) == 9
    assert {host.outcome for host in report.failed} == {"parse_failed"}
    assert sorted(host.hostname for host in report.failed) == ["ALDR-A09-AS-01", "WLLS-A09-AS-01"]
    assert all("died twice" in host.message for host in report.failed)
    again = ingest(tmp_path / "data", logs, jobs=2)
    assert Counter(outcomes(again).values()) == {"skipped_duplicate": 7, "parse_failed": 2}


def test_an_executor_that_breaks_is_replaced(tmp_path, own_vendor):
    own_vendor("Acme", lambda _: os._exit(9))
    logs = corpus(tmp_path / "logs")
    acme_logs(logs, 1, "ALDR")
    with ProcessPoolExecutor(2) as executor:
        report = ingest(tmp_path / "data", logs, options=SessionOptions(executor=executor))
    assert len(report.hosts) == 8
    assert [host.hostname for host in report.failed] == ["ALDR-A09-AS-01"]


def test_an_executor_that_takes_no_jobs_is_the_callers_error_and_leaves_all_free(tmp_path):
    executor = ProcessPoolExecutor(1)
    executor.shutdown()
    logs = corpus(tmp_path / "logs")
    with pytest.raises(RuntimeError, match="shutdown"):
        ingest(tmp_path / "data", logs, options=SessionOptions(executor=executor))
    assert set(outcomes(ingest(tmp_path / "data", logs)).values()) == {"ingested"}


UNGUARDED = """
import sys, threading
sys.path[:0] = {paths!r}
from ingesting import *
threading.Thread(target=threading.Event().wait, daemon=True).start()
report = ingest(Path(sys.argv[1]) / "data", Path(sys.argv[1]) / "logs", jobs=2)
print(report.totals.outcomes, report.totals.jobs, report.warnings)
"""


def test_a_main_module_without_a_guard_is_served_by_one_process(tmp_path):
    # With a second thread processes are no copies of this one, as always on Windows and macOS.
    corpus(tmp_path / "logs", CorpusPlan((CorpusSite("BRCK", "Cisco", 4, 12),)))
    main = tmp_path / "main.py"
    main.write_text(UNGUARDED.format(paths=[str(TESTS / "ingestion"), str(TESTS)]))
    run = subprocess.run([sys.executable, main, tmp_path], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.startswith("{'ingested': 4} 1 ('all hosts were done by one process")
    assert 'without `if __name__ == "__main__":`' in run.stderr


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_ends_the_session_between_hosts_and_the_next_one_completes_it(jobs, tmp_path):
    logs, data = corpus(tmp_path / "logs", ORIGINAL_SHAPE), tmp_path / "data"
    process = session(logs, data, jobs)
    go(process)
    process.stdout.readline()
    children = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    outcome, cancelled, warnings, _ = result(process)
    assert (cancelled, warnings) == (True, [])
    assert outcome["cancelled"] + outcome["ingested"] == 37
    assert outcome["cancelled"] > 0
    assert all_end(children)
    again = ingest(data, logs, jobs=jobs)
    # What was committed was remembered, too.
    assert again.totals.outcomes == {"ingested": outcome["cancelled"], "skipped_duplicate": outcome["ingested"]}
    ingest(tmp_path / "sound", logs)
    assert stored(data) == stored(tmp_path / "sound")


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_second_interrupt_ends_the_session_at_once(jobs, tmp_path):
    logs, data = acme_logs(tmp_path / "logs", 3), tmp_path / "data"
    process = session(logs, data, jobs, 60, program=SLOW + INGEST)
    go(process)
    assert wait_for((data / "IngestionHistory" / "WLLS.lease").exists)
    assert jobs == 1 or wait_for(lambda: descendants(process.pid))
    children = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
    assert all_end(children)
    assert bool(children) == (jobs > 1)


def test_a_session_in_another_thread_is_stopped_by_its_method(tmp_path):
    logs = corpus(tmp_path / "logs")
    with engine_on(tmp_path / "data") as engine:
        one = IngestionSession(engine.persistence, SessionOptions(jobs=1), on_outcome=lambda _: one.stop())
        report = one.run(logs)
    assert report.cancelled
    assert report.exit_code == 1
    assert Counter(outcomes(report).values()) == {"ingested": 1, "cancelled": 6}


@pytest.mark.parametrize("threaded", [False, True], ids=["fork", "forkserver"])
def test_no_process_outlives_a_killed_session(threaded, tmp_path):
    program = SLOW + INGEST
    if threaded:
        program = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()\n" + program
    logs = acme_logs(acme_logs(tmp_path / "logs", 2, "WLLS"), 2, "BOYO")
    process = session(logs, tmp_path / "data", 2, 60, program=program)
    go(process)
    assert wait_for(lambda: len(descendants(process.pid)) >= 2)
    children = descendants(process.pid)
    process.kill()
    finish(process)
    assert children
    assert all_end(children)


def test_eight_processes_at_one_folder_do_each_host_once(tmp_path):
    logs, data = corpus(tmp_path / "logs", ORIGINAL_SHAPE), tmp_path / "data"
    data.mkdir()
    processes = [session(logs, data, 1 + number % 2) for number in range(8)]
    for process in processes:
        go(process)
    results = [result(process) for process in processes]
    total = Counter()
    for outcome, cancelled, warnings, _ in results:
        assert set(outcome) <= {"ingested", "skipped_duplicate"}
        assert (cancelled, warnings) == (False, [])
        total.update(outcome)
    assert total == {"ingested": 37, "skipped_duplicate": 7 * 37}
    ingest(tmp_path / "sound", logs)
    assert stored(data) == stored(tmp_path / "sound")
    for site in ("ALDR", "BRCK"):
        assert told(data, site) == told(tmp_path / "sound", site)
    for file in (data / "events").glob("*.json"):
        for line in file.read_bytes().splitlines():
            json.loads(line)


def test_threads_that_ingest_the_same_folder_do_each_host_once(tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    with engine_on(data) as engine, ThreadPoolExecutor(4) as executor:
        reports = list(executor.map(lambda _: engine.ingest(logs, jobs=1), range(4)))
    assert sum((Counter(report.totals.outcomes) for report in reports), Counter()) == {
        "ingested": 7,
        "skipped_duplicate": 3 * 7,
    }
    assert all(count[0] == 1 for site in ("ALDR", "BRCK") for count in told(data, site).values())


@pytest.mark.parametrize("way", ["one process", "two processes", "threads", "interrupted"])
def test_a_closed_engine_holds_no_file_and_no_process(way, tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    children = set(descendants(os.getpid()))
    with engine_on(data) as engine, ThreadPoolExecutor(2) as executor:
        options = SessionOptions(jobs=1 if way == "one process" else 2, executor=executor if way == "threads" else None)
        one = IngestionSession(
            engine.persistence, options, on_outcome=lambda _: one.stop() if way == "interrupted" else None
        )
        one.run(logs)
    held = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert [path for path in held if path.startswith(str(tmp_path))] == []
    assert all_end(set(descendants(os.getpid())) - children)


def test_two_processes_with_different_folders_share_one_data_folder(tmp_path):
    data, plans = tmp_path / "data", []
    for number, sites in enumerate((("ALDR", "BRCK"), ("BRCK", "CEDR"))):
        # Both folders have hosts of one site, and not the same ones.
        plan = CorpusPlan(tuple(CorpusSite(site, "Cisco", 6, 12) for site in sites))
        folder = corpus(tmp_path / f"logs{number}", plan)
        for file in folder.glob("BRCK-*.log"):
            text = file.read_text()
            name = f"BRCK-B0{number}-{file.stem[-5:]}"
            file.unlink()
            (folder / f"{name}.log").write_text(text.replace(file.stem, name))
        plans.append(folder)
    data.mkdir()
    processes = [session(folder, data, 2) for folder in plans]
    for process in processes:
        go(process)
    assert [result(process)[0] for process in processes] == [{"ingested": 12}] * 2
    for folder in plans:
        ingest(tmp_path / "sound", folder)
    assert stored(data) == stored(tmp_path / "sound")
    assert {site: len(told(data, site)) for site in ("ALDR", "BRCK", "CEDR")} == {"ALDR": 6, "BRCK": 12, "CEDR": 6}
    forget(data)
    assert counts(ingest(data, plans[0])) == (0, 0, 2 * 6 * 12, 0)


def test_a_session_that_waits_for_a_site_can_be_stopped(tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    lease = SiteLease(data / "IngestionHistory", "BRCK")
    assert lease.acquire()
    with engine_on(data) as engine:
        one = IngestionSession(engine.persistence, SessionOptions(jobs=1))
        threading.Timer(0.5, one.stop).start()
        report = one.run(logs)
    lease.release()
    assert {(host.site, host.outcome) for host in report.hosts} == {("ALDR", "ingested"), ("BRCK", "cancelled")}


def test_a_session_waits_for_the_site_that_another_one_holds(tmp_path):
    logs, data = acme_logs(tmp_path / "logs", 2), tmp_path / "data"
    slow = session(logs, data, 1, 0.5, program=SLOW + INGEST)
    go(slow)
    assert wait_for((data / "IngestionHistory" / "WLLS.lease").exists)
    corpus(tmp_path / "more")
    report = ingest(data, [*(tmp_path / "more").glob("*.log"), *logs.glob("*.log")])
    assert (
        outcomes(report).items()
        >= {"WLLS-A09-AS-01": "skipped_duplicate", "WLLS-A09-AS-02": "skipped_duplicate"}.items()
    )
    # Hosts of sites that are free come first.
    assert [host.site for host in report.hosts][-2:] == ["WLLS", "WLLS"]
    assert counts(report)[0] == SMALL.rows
    assert result(slow)[0] == {"ingested": 2}


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupted_command_says_so_and_the_next_one_completes_the_work(jobs, tmp_path):
    logs, data = corpus(tmp_path / "logs", CorpusPlan.of_size(sites=4, hosts=120)), tmp_path / "data"
    arguments = [logs, "--data", data, "--jobs", str(jobs), "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "statetrace", "ingest", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert wait_for(lambda: list(data.glob("*/*.sqlite")))
    children = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    output, errors = finish(process)
    assert process.returncode == 1, errors
    report = json.loads(output)
    assert report["Cancelled"]
    assert report["Totals"]["Outcomes"]["cancelled"] > 0
    assert "Traceback" not in errors
    assert all_end(children)
    again = subprocess.run(
        [sys.executable, "-m", "statetrace", "ingest", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(again.stdout)["Totals"]["Outcomes"]["ingested"] == report["Totals"]["Outcomes"]["cancelled"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_there_may_be_more_sites_than_files_can_be_open(tmp_path, jobs):
    sites = corpus(tmp_path / "logs", CorpusPlan(tuple(CorpusSite(f"S{n:03}", "Cisco", 1, 4) for n in range(100))))
    process = session(sites, tmp_path / "data", jobs, program=WITH_FEW_FILES)
    go(process)
    assert result(process)[:3] == [{"ingested": 100}, False, []]
