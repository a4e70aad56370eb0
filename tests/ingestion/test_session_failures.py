"""One host's failure is that host's outcome: whatever breaks, the others are stored, and the next session mends it."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter

import msgspec
import pytest
from ingesting import (
    PORTS,
    SMALL,
    corpus,
    counts,
    database,
    device_log,
    engine_on,
    finish,
    forget,
    ingest,
    outcomes,
    rows_of,
    start,
    stored,
    told,
)

from statetrace.ingestion.session import SessionOptions
from statetrace.ingestion.snapshots import SnapshotFiles
from statetrace.parsing import ParseMode
from statetrace.telemetry import DirectorySink

both_ways = pytest.mark.parametrize("jobs", [1, 2])
REFUSE = (
    "CREATE TRIGGER refuse BEFORE {} ON {} WHEN NEW.Hostname = 'BRCK-A01-AS-02'"
    " BEGIN SELECT RAISE(ABORT, 'no room for this one'); END"
)


@both_ways
@pytest.mark.parametrize("table", ["DeviceSummary", "Interfaces", "InterfaceHistory", "SpanInfo", "SpanHistory"])
def test_a_host_whose_write_fails_leaves_no_trace_and_is_done_the_next_time(jobs, table, tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    ingest(tmp_path / "sound", logs)
    with engine_on(data) as engine:
        with engine.persistence.repository.databases.made("BRCK").begin() as connection:
            connection.exec_driver_sql(REFUSE.format("INSERT", table))
        report = engine.ingest(logs, jobs=jobs)
        assert Counter(outcomes(report).values()) == {"ingested": 6, "database_failed": 1}
        (failed,) = report.failed
        assert (failed.hostname, failed.site, report.exit_code) == ("BRCK-A01-AS-02", "BRCK", 1)
        assert "no room for this one" in failed.message
        assert "BRCK-A01-AS-02" not in told(data, "BRCK")
        assert "BRCK-A01-AS-02" not in engine.repository.site("BRCK")
        for name in ("DeviceSummary", "Interfaces", "SpanInfo"):
            assert rows_of(database(data, "BRCK"), f"SELECT * FROM {name} WHERE Hostname = 'BRCK-A01-AS-02'") == []
        with engine.databases.open("BRCK").begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER refuse")
        again = engine.ingest(logs, jobs=jobs)
    assert Counter(outcomes(again).values()) == {"skipped_duplicate": 6, "ingested": 1}
    assert stored(data) == stored(tmp_path / "sound")


@both_ways
def test_a_host_whose_update_fails_keeps_its_rows_everywhere(jobs, tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    with engine_on(data) as engine:
        engine.ingest(logs)
        rows, cached = stored(data), engine.repository.site("BRCK").to_wire()
        with engine.databases.open("BRCK").begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER refuse BEFORE UPDATE ON Interfaces BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        corpus(logs, msgspec.structs.replace(SMALL, generation=2, change_percent=60))
        report = engine.ingest(logs, jobs=jobs)
        assert {host.outcome for host in report.hosts if host.site == "BRCK"} == {"database_failed"}
        assert engine.repository.site("BRCK").to_wire() == cached
        assert engine.repository.read_site("BRCK", refresh=True).entry.to_wire() == cached
    after = stored(data)
    assert {key: value for key, value in after.items() if key[0] == "BRCK"} == {
        key: value for key, value in rows.items() if key[0] == "BRCK"
    }


DAMAGED = [b"", b"no database at all " * 99, b"SQLite format 3\0" + b"\xff" * 8_000]


@both_ways
@pytest.mark.parametrize("content", DAMAGED, ids=["empty", "foreign", "torn"])
def test_a_site_whose_database_is_damaged_fails_and_the_others_do_not(jobs, content, tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    ingest(data, logs)
    database(data, "BRCK").write_bytes(content)
    for known in (True, False):
        report = ingest(data, logs, jobs=jobs)
        expected = "skipped_duplicate" if known else "unchanged"
        assert {(host.site, host.outcome) for host in report.hosts} == {("ALDR", expected), ("BRCK", "database_failed")}
        assert all("BRCK.sqlite" in host.message for host in report.failed)
        assert database(data, "BRCK").read_bytes() == content
        forget(data)
    shutil.rmtree(data / "BRCK")
    assert Counter(outcomes(ingest(data, logs)).values()) == {"unchanged": 3, "ingested": 4}


def test_a_new_site_waits_for_a_damaged_database_that_may_hold_it(tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    data.mkdir()
    (data / "everything.sqlite").write_bytes(DAMAGED[-1])
    report = ingest(data, logs)
    assert set(outcomes(report).values()) == {"database_failed"}
    assert all("everything.sqlite" in host.message for host in report.failed)
    (data / "everything.sqlite").unlink()
    assert set(outcomes(ingest(data, logs)).values()) == {"ingested"}


@pytest.mark.original
def test_a_database_that_cannot_be_written_here_says_so(tmp_path, original_data):
    data, logs = tmp_path / "data", tmp_path / "logs"
    (data / "BOYO").mkdir(parents=True)
    logs.mkdir()
    shutil.copyfile(original_data / "access" / "BOYO.accdb", data / "BOYO" / "BOYO.accdb")
    before = (data / "BOYO" / "BOYO.accdb").read_bytes()
    (logs / "a.log").write_text(device_log("BOYO-A05-AS-02"))
    (logs / "b.log").write_text(device_log("WLLS-A01-AS-01"))
    report = ingest(data, logs)
    assert outcomes(report) == {"BOYO-A05-AS-02": "database_failed", "WLLS-A01-AS-01": "ingested"}
    if sys.platform != "win32":
        assert "statetrace convert" in report.failed[0].message or "pyodbc" in report.failed[0].message
    assert (data / "BOYO" / "BOYO.accdb").read_bytes() == before


FULL_DISK = """
import json, resource
from pathlib import Path
from ingesting import *
from statetrace.telemetry import DirectorySink
logs, data, jobs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
with engine_on(data, DirectorySink(data / "events")) as engine:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]),) * 2)
    report = engine.ingest(logs, jobs=jobs)
print(json.dumps([(host.site, host.outcome, host.message) for host in report.hosts]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the size of files cannot be limited on this system")
@both_ways
@pytest.mark.parametrize("room", [4_096, 100_000])
def test_what_does_not_fit_on_the_disk_fails_host_by_host_and_is_done_when_there_is_room(jobs, room, tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    process = start(FULL_DISK, logs, data, jobs, room)
    output, errors = finish(process)
    assert process.returncode == 0, errors
    hosts = json.loads(output)
    assert len(hosts) == 7
    assert {outcome for _, outcome, _ in hosts} <= {"ingested", "database_failed"}
    assert any(outcome == "database_failed" for _, outcome, _ in hosts)
    assert all("disk" in message for _, outcome, message in hosts if outcome == "database_failed"), hosts
    again = ingest(data, logs, jobs=jobs)
    assert again.failed == ()
    ingest(tmp_path / "sound", logs)
    assert stored(data) == stored(tmp_path / "sound")


@both_ways
def test_a_history_that_cannot_be_written_costs_a_warning_and_another_parse(jobs, tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    data.mkdir()
    (data / "IngestionHistory").write_text("in the way")
    for expected in ("ingested", "unchanged"):
        report = ingest(data, logs, jobs=jobs)
        assert set(outcomes(report).values()) == {expected}
        assert report.exit_code == 0
        assert any("IngestionHistory" in warning for warning in report.warnings)
        assert len(report.warnings) == len(set(report.warnings))
    (data / "IngestionHistory").unlink()
    assert ingest(data, logs, jobs=jobs).warnings == ()
    assert set(outcomes(ingest(data, logs)).values()) == {"skipped_duplicate"}


@pytest.mark.parametrize("name", ["BRCK.json", "BRCK.json.lock", "BRCK.lease"])
def test_a_history_of_one_site_that_cannot_be_used_costs_that_site_another_parse(name, tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    (data / "IngestionHistory" / name).mkdir(parents=True)
    first = ingest(data, logs)
    assert set(outcomes(first).values()) == {"ingested"}
    assert all(name.removesuffix(".lock") in warning for warning in first.warnings)
    assert first.warnings
    again = {(host.site, host.outcome) for host in ingest(data, logs).hosts}
    if name != "BRCK.lease":
        assert again == {("ALDR", "skipped_duplicate"), ("BRCK", "unchanged")}
    (data / "IngestionHistory" / name).rmdir()
    assert ingest(data, logs).warnings == ()
    assert set(outcomes(ingest(data, logs)).values()) == {"skipped_duplicate"}


def test_a_damaged_history_is_kept_told_and_replaced(tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    ingest(data, logs)
    path = data / "IngestionHistory" / "BRCK.json"
    text = path.read_text(encoding="utf-8-sig")
    path.write_text(text[: len(text) * 2 // 3])
    report = ingest(data, logs)
    assert {host.outcome for host in report.hosts} <= {"unchanged", "skipped_duplicate"}
    assert any("damaged" in warning for warning in report.warnings)
    assert list(path.parent.glob("BRCK.json.damaged-*"))
    assert set(outcomes(ingest(data, logs)).values()) == {"skipped_duplicate"}


@both_ways
def test_a_telemetry_folder_that_vanishes_costs_events_only(jobs, tmp_path):
    logs, data, events = corpus(tmp_path / "logs"), tmp_path / "data", tmp_path / "events"

    def vanish(_):
        shutil.rmtree(events, ignore_errors=True)
        events.write_text("in the way")

    with engine_on(data, DirectorySink(events)) as engine:
        # Only at the first host; later it is a file that is in the way.
        report = engine.ingest(logs, jobs=jobs, on_outcome=lambda _: None if events.is_file() else vanish(_))
    assert set(outcomes(report).values()) == {"ingested"}
    assert counts(report) == (SMALL.rows, 0, 0, 0)


def test_a_log_without_interfaces_keeps_the_rows_that_are_stored(tmp_path):
    logs, data = tmp_path / "logs", tmp_path / "data"
    logs.mkdir()
    (logs / "a.log").write_text(device_log("WLLS-A01-AS-01"))
    ingest(data, logs)
    rows = stored(data)
    (logs / "a.log").write_text("WLLS-A01-AS-01# show version\nCisco IOS XE Software\nWLLS-A01-AS-01#\n")
    for options in (SessionOptions(), SessionOptions(allow_empty=True), SessionOptions(mode=ParseMode.PARITY)):
        (host,) = ingest(data, logs, options=options).hosts
        assert (host.outcome, host.rows_deleted) in (("no_interfaces", 0), ("unchanged", 0))
        assert {k: v for k, v in stored(data).items() if k[1] == "Interfaces"} == {
            k: v for k, v in rows.items() if k[1] == "Interfaces"
        }


def test_ports_that_are_gone_from_a_log_are_removed_and_come_back(tmp_path):
    logs, data = tmp_path / "logs", tmp_path / "data"
    logs.mkdir()
    with engine_on(data) as engine:
        for ports, expected in ((PORTS, (2, 0, 0, 0)), (PORTS[:1], (0, 0, 1, 1)), (PORTS, (1, 0, 1, 0))):
            (logs / "a.log").write_text(device_log("WLLS-A01-AS-01", ports))
            assert counts(engine.ingest(logs)) == expected
            assert len(engine.repository.site("WLLS")["WLLS-A01-AS-01"]) == len(ports)


@both_ways
def test_a_vendor_module_that_raises_fails_its_host_alone(jobs, tmp_path, own_vendor):
    def broken(log):
        raise RuntimeError("not today")

    own_vendor("Acme", broken)
    logs = corpus(tmp_path / "logs")
    (logs / "acme.log").write_text("WLLS-A01-AS-01# show version\nAcme OS 1\n")
    report = ingest(tmp_path / "data", logs, jobs=jobs)
    assert Counter(outcomes(report).values()) == {"ingested": 7, "parse_failed": 1}
    assert "not today" in report.failed[0].message


def test_snapshots_that_cannot_be_written_are_told_and_fail_nothing(tmp_path):
    logs = corpus(tmp_path / "logs")
    (tmp_path / "snapshots").write_text("in the way")
    report = ingest(tmp_path / "data", logs, options=SessionOptions(snapshots=SnapshotFiles(tmp_path / "snapshots")))
    assert set(outcomes(report).values()) == {"ingested"}
    assert (report.exit_code, report.snapshot.exported, report.snapshot.latest) == (0, "", "")
    assert any("was not exported" in message for message in report.snapshot.messages)


def test_only_a_log_that_cannot_be_read_is_called_so(tmp_path, monkeypatch):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    with engine_on(data) as engine:
        find = engine.databases.open

        def find_most(site, **options):
            if site == "BRCK":
                raise PermissionError(13, "Permission denied", "BRCK/somewhere")
            # What is gone by now is one log of the other site.
            (logs / "ALDR-A01-AS-02.log").unlink(missing_ok=True)
            return find(site, **options)

        monkeypatch.setattr(engine.databases, "open", find_most)
        report = engine.ingest(logs, jobs=1)
    messages = {host.hostname: (host.outcome, host.message) for host in report.failed}
    gone, refused = messages.pop("ALDR-A01-AS-02"), messages.pop("BRCK-A01-AS-01")
    assert gone[0] == "parse_failed"
    assert gone[1].startswith("the log cannot be read")
    assert refused[0] == "database_failed"
    assert "BRCK/somewhere" in refused[1]
    assert set(messages.values()) == {refused}


def test_lines_of_tables_that_were_not_understood_are_counted(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    text = device_log("WLLS-A01-AS-01")
    (logs / "a.log").write_text(text)
    (logs / "b.log").write_text(
        text.replace("AS-01", "AS-02").replace("Gi1/0/2   Desk2", "Gi1/0/2 ~~ what is this\nGi1/0/3   Desk2")
    )
    missed = {host.hostname: (host.lines_missed, host.coverage) for host in ingest(tmp_path / "data", logs).hosts}
    assert missed["WLLS-A01-AS-01"] == (0, 100.0)
    assert missed["WLLS-A01-AS-02"][0] == 1
    assert missed["WLLS-A01-AS-02"][1] < 100.0


def test_a_data_folder_that_cannot_be_made_fails_every_host(tmp_path):
    logs = corpus(tmp_path / "logs")
    (tmp_path / "file").write_text("in the way")
    report = ingest(tmp_path / "file" / "data", logs)
    assert set(outcomes(report).values()) == {"database_failed"}


def test_an_error_of_the_callers_own_ends_the_session_and_leaves_all_free(tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"

    def refuse(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), engine_on(data) as engine:
        engine.ingest(logs, jobs=2, on_outcome=refuse)
    assert ingest(data, logs).failed == ()
    forget(data)
    assert counts(ingest(data, logs)) == (0, 0, SMALL.rows, 0)
