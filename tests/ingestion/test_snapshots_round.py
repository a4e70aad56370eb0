"""The snapshots before and after a session: what is imported serves it, what is exported is true."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from consistency import check_run
from filelock import FileLock
from ingesting import (
    SMALL,
    corpus,
    counts,
    database,
    device_log,
    engine_on,
    events_of,
    finish,
    forget,
    ingest,
    start,
)

from statetrace.cache import SharedSiteCache, read_snapshot
from statetrace.ingestion import snapshots
from statetrace.ingestion.session import IngestionSession, SessionOptions
from statetrace.ingestion.snapshots import SnapshotFiles
from statetrace.settings import Settings
from statetrace.testing import EventCapture

LATEST = "SharedCacheSnapshot-latest.clixml"
CHANGED = msgspec.structs.replace(SMALL, generation=2, change_percent=50)


@pytest.fixture
def folder(tmp_path):
    """With logs; snapshots and data will be made."""
    corpus(tmp_path / "logs")
    return tmp_path


def session(folder, **files):
    files.setdefault("directory", folder / "snapshots")
    return ingest(folder / "data", folder / "logs", options=SessionOptions(snapshots=SnapshotFiles(**files)))


def says_what_the_databases_say(path, data):
    with engine_on(data) as engine:
        entries = read_snapshot(path).entries
        return {site: entry.to_wire() for site, entry in entries.items()} == {
            site: engine.repository.site(site).to_wire() for site in engine.repository.sites()
        }


def test_a_session_exports_what_is_cached_with_its_summary_and_a_latest_copy(folder):
    told = session(folder).snapshot
    assert re.fullmatch(r"SharedCacheSnapshot-\d{8}-\d{6}\.clixml", told.exported.rpartition("/")[2])
    assert (told.imported, sorted(told.sites), told.messages) == ("", ["ALDR", "BRCK"], ())
    latest = folder / "snapshots" / LATEST
    assert told.latest == str(latest)
    assert latest.read_bytes() == (folder / told.exported).read_bytes()
    assert says_what_the_databases_say(latest, folder / "data")
    summary = json.loads((folder / "snapshots" / "SharedCacheSnapshot-latest-summary.json").read_bytes())
    assert [(site["Site"], site["Hosts"], site["TotalRows"]) for site in summary] == [("ALDR", 3, 30), ("BRCK", 4, 48)]


def test_a_session_that_changes_nothing_imports_and_exports_nothing(folder):
    session(folder)
    before = {path: path.stat().st_mtime_ns for path in (folder / "snapshots").iterdir()}
    told = session(folder).snapshot
    assert (told.imported, told.exported, told.latest, told.sites) == ("", "", "", ())
    assert {path: path.stat().st_mtime_ns for path in (folder / "snapshots").iterdir()} == before


def test_the_latest_snapshot_is_made_anew_when_it_is_lost(folder):
    session(folder)
    (folder / "snapshots" / LATEST).unlink()
    forget(folder / "data")
    assert session(folder).snapshot.latest
    assert says_what_the_databases_say(folder / "snapshots" / LATEST, folder / "data")


def test_the_latest_snapshot_is_imported_before_the_first_host(folder):
    session(folder)
    corpus(folder / "logs", CHANGED)
    report = session(folder)
    assert report.snapshot.imported == str(folder / "snapshots" / LATEST)
    assert sorted(report.snapshot.imported_sites) == ["ALDR", "BRCK"]
    assert counts(report)[:2] == (0, SMALL.rows // 2)
    assert says_what_the_databases_say(folder / "snapshots" / LATEST, folder / "data")


def test_rows_of_a_snapshot_are_never_taken_for_those_of_a_database(folder):
    session(folder)
    # The databases are lost, or they are others now; what the snapshot says of them is worth nothing.
    for site in ("ALDR", "BRCK"):
        database(folder / "data", site).unlink()
    forget(folder / "data")
    assert counts(session(folder)) == (SMALL.rows, 0, 0, 0)


def test_sites_that_no_host_needed_are_exported_as_their_databases_are_now(folder):
    session(folder)
    corpus(folder / "logs", CHANGED)
    ingest(folder / "data", folder / "logs")  # without snapshots, so the latest one is old now
    (folder / "logs" / "new.log").write_text(device_log("CEDR-A01-AS-01"))
    captured = EventCapture()
    with engine_on(folder / "data", captured) as engine:
        files = SnapshotFiles(folder / "snapshots")
        told = engine.ingest(folder / "logs", options=SessionOptions(snapshots=files)).snapshot
        assert sorted(told.imported_sites) == ["ALDR", "BRCK"]
        cached = {site: engine.repository.site(site).to_wire() for site in ("ALDR", "BRCK")}
    assert check_run(events_of(captured)) == []
    assert sorted(told.sites) == ["ALDR", "BRCK", "CEDR"]
    assert says_what_the_databases_say(folder / "snapshots" / LATEST, folder / "data")
    with engine_on(folder / "data") as engine:
        assert cached == {site: engine.repository.site(site).to_wire() for site in ("ALDR", "BRCK")}


def test_a_site_without_a_database_stays_in_the_snapshot(folder):
    session(folder)
    database(folder / "data", "ALDR").unlink()
    for log in (folder / "logs").glob("ALDR-*"):
        log.unlink()
    corpus(folder / "more", msgspec.structs.replace(CHANGED, sites=CHANGED.sites[1:]))
    files = SnapshotFiles(folder / "snapshots")
    told = ingest(folder / "data", folder / "more", options=SessionOptions(snapshots=files)).snapshot
    assert sorted(told.sites) == ["ALDR", "BRCK"]
    assert read_snapshot(folder / "snapshots" / LATEST).entries["ALDR"].total_rows == 30


def test_given_paths_take_the_place_of_the_usual_ones(folder):
    session(folder)
    corpus(folder / "logs", CHANGED)
    told = session(
        folder, import_path=folder / "snapshots" / LATEST, export_path=folder / "mine.clixml", automatic=False
    ).snapshot
    assert (told.imported, told.exported, told.latest) == (
        str(folder / "snapshots" / LATEST), str(folder / "mine.clixml"), "",
    )  # fmt: skip
    assert says_what_the_databases_say(folder / "mine.clixml", folder / "data")
    assert (folder / "mine-summary.json").exists()
    assert not says_what_the_databases_say(folder / "snapshots" / LATEST, folder / "data")


def test_nothing_happens_when_snapshots_are_switched_off(folder):
    told = session(folder, automatic=False).snapshot
    assert (told.imported, told.exported, told.messages) == ("", "", ())
    assert not (folder / "snapshots").exists()


def logs_of(folder, site):
    """A folder with the logs of one site only."""
    (folder / site).mkdir()
    for log in (folder / "logs").glob(f"{site}-*"):
        log.rename(folder / site / log.name)
    return folder / site


def test_sites_that_another_process_exported_stay_in_the_latest_snapshot(folder):
    files, captured = SnapshotFiles(folder / "snapshots"), []
    with engine_on(folder / "data") as one, engine_on(folder / "data") as other:
        for engine, site in ((one, "ALDR"), (other, "BRCK")):
            logs = logs_of(folder, site)
            captured.append((engine, logs))
            told = engine.ingest(logs, options=SessionOptions(snapshots=files)).snapshot
            assert told.messages == ()
        assert sorted(told.sites) == ["ALDR", "BRCK"]
        # The first engine knows nothing of the other's site, and has imported its snapshot long ago.
        corpus(folder / "logs", CHANGED)
        for log in (folder / "logs").glob("ALDR-*"):
            log.replace(folder / "ALDR" / log.name)
        assert "BRCK" not in one.cache
        told = one.ingest(
            folder / "ALDR", options=SessionOptions(snapshots=SnapshotFiles(folder / "snapshots"))
        ).snapshot
    assert sorted(told.sites) == ["ALDR", "BRCK"]
    assert says_what_the_databases_say(folder / "snapshots" / LATEST, folder / "data")
    summary = json.loads((folder / "snapshots" / "SharedCacheSnapshot-latest-summary.json").read_bytes())
    assert sorted(site["Site"] for site in summary) == ["ALDR", "BRCK"]


EXPORT = """
from ingesting import *
from statetrace.ingestion.session import SessionOptions
from statetrace.ingestion.snapshots import SnapshotFiles
folder, logs = Path(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
report = ingest(folder / "data", logs, options=SessionOptions(snapshots=SnapshotFiles(folder / "snapshots")))
print(*report.snapshot.messages)
"""


def test_processes_that_export_at_once_lose_no_site_and_no_file(folder):
    sites = ("ALDR", "BRCK")
    processes = [start(EXPORT, folder, logs_of(folder, site)) for site in sites]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [finish(process) for process in processes] == [("\n", "")] * 2
    assert says_what_the_databases_say(folder / "snapshots" / LATEST, folder / "data")
    named = [path.name for path in (folder / "snapshots").glob("*.clixml") if path.name != LATEST]
    assert len(named) == 2
    assert all(re.fullmatch(r"SharedCacheSnapshot-\d{8}-\d{6}\.clixml", name) for name in named)


def test_snapshots_of_one_second_have_names_of_their_own(folder):
    told = [session(folder).snapshot.exported]
    for generation in range(2, 5):
        corpus(folder / "logs", msgspec.structs.replace(CHANGED, generation=generation))
        told.append(session(folder).snapshot.exported)
    assert len(set(told)) == 4


def test_a_folder_that_another_process_writes_to_is_told(folder, monkeypatch):
    monkeypatch.setattr(snapshots, "_LONGEST_WAIT_S", 0.05)
    (folder / "snapshots").mkdir()
    with FileLock(folder / "snapshots" / "SharedCacheSnapshot.lock"):
        report = session(folder)
    assert (report.exit_code, report.snapshot.exported) == (0, "")
    assert any("another process" in message for message in report.snapshot.messages)


def test_an_interrupted_session_reads_no_imported_site_anew(folder):
    session(folder)
    corpus(folder / "logs", CHANGED)
    ingest(folder / "data", folder / "logs")
    (folder / "logs" / "new.log").write_text(device_log("CEDR-A01-AS-01"))
    options = SessionOptions(jobs=1, snapshots=SnapshotFiles(folder / "snapshots"))
    with engine_on(folder / "data") as engine:
        one = IngestionSession(engine.persistence, options, on_outcome=lambda host: host.site == "CEDR" and one.stop())
        assert sorted(one.run(folder / "logs").snapshot.imported_sites) == ["ALDR", "BRCK"]
        assert [engine.cache.peek(site).source for site in ("ALDR", "BRCK")] == [None, None]


@pytest.mark.parametrize("content", [b"", b"<Objs", b"no snapshot at all"])
def test_a_damaged_snapshot_is_told_and_replaced(content, folder):
    (folder / "snapshots").mkdir()
    (folder / "snapshots" / LATEST).write_bytes(content)
    report = session(folder)
    assert counts(report) == (SMALL.rows, 0, 0, 0)
    assert report.exit_code == 0
    assert any("was not imported" in message for message in report.snapshot.messages)
    assert any("is replaced" in message for message in report.snapshot.messages)
    assert says_what_the_databases_say(folder / "snapshots" / LATEST, folder / "data")


def test_without_a_shared_cache_no_snapshot_is_made(folder):
    settings = Settings(shared_cache_enabled=False)
    options = SessionOptions(snapshots=SnapshotFiles(folder / "snapshots"))
    with engine_on(folder / "data", settings=settings, cache=SharedSiteCache(settings=settings)) as engine:
        told = engine.ingest(folder / "logs", options=options).snapshot
    assert (told.exported, told.messages) == ("", ())


def test_a_dry_run_leaves_snapshots_alone(folder):
    options = SessionOptions(snapshots=SnapshotFiles(folder / "snapshots"), dry_run=True)
    ingest(folder / "data", folder / "logs", options=options)
    assert not (folder / "snapshots").exists()
