"""A session reads each site once, writes what is new, and nothing a second time."""

from __future__ import annotations

import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from ingesting import (
    ORIGINAL_SHAPE,
    SMALL,
    corpus,
    counts,
    database,
    device_log,
    engine_on,
    forget,
    ingest,
    outcomes,
    rows_of,
    stored,
    told,
)

from statetrace.cache import SharedSiteCache
from statetrace.ingestion.corpus import CorpusPlan, CorpusSite, corpus_hosts, write_corpus
from statetrace.ingestion.profile import ConcurrencyOverrides
from statetrace.ingestion.session import SessionOptions
from statetrace.model.facts import DeviceFacts, PortFacts
from statetrace.parsing.splitting import SplitRule, split_log
from statetrace.settings import Settings
from statetrace.telemetry import (
    InterfaceSiteCacheMetrics,
    InterfaceSyncTiming,
    ParserSchedulerLaunch,
    RowsWritten,
    SkippedDuplicate,
)
from statetrace.testing import EventCapture


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """37 hosts with 1,320 ports."""
    return corpus(tmp_path_factory.mktemp("logs"), ORIGINAL_SHAPE)


def origins(captured):
    return [(event.site_cache_provider, event.site_cache_provider_reason) for event in captured.of(InterfaceSyncTiming)]


def reads(captured):
    """Sites that were read from their database, one entry a read."""
    return [event.site for event in captured.of(InterfaceSiteCacheMetrics) if event.provider == "ADODB"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_second_pass_over_the_same_logs_writes_nothing_and_every_row_matches(jobs, logs, tmp_path):
    captured = EventCapture()
    with engine_on(tmp_path, captured) as engine:
        cold = engine.ingest(logs, jobs=jobs)
        assert (cold.totals.hosts, cold.totals.sites, cold.totals.jobs) == (37, 2, jobs)
        assert counts(cold) == (1_320, 0, 0, 0)
        assert sorted(reads(captured)) == ["ALDR", "BRCK"]
        assert sorted(set(origins(captured))) == [
            ("Database", "SharedCacheUnavailable"),
            ("SharedCache", "SharedCacheMatch"),
        ]
        assert origins(captured).count(("Database", "SharedCacheUnavailable")) == 2  # the first host of each site
        rows = stored(tmp_path)
        histories = {site: told(tmp_path, site) for site in ("ALDR", "BRCK")}

        captured.clear()
        forget(tmp_path)
        warm = engine.ingest(logs, jobs=jobs)
        assert counts(warm) == (0, 0, 1_320, 0)
        assert set(outcomes(warm).values()) == {"unchanged"}
        assert origins(captured) == [("SharedCache", "SharedCacheMatch")] * 37
        assert reads(captured) == []
        timings = captured.of(InterfaceSyncTiming)
        assert sum(timing.site_cache_comparison_signature_match_count for timing in timings) == 1_320
        assert not any(timing.site_cache_comparison_signature_mismatch_count for timing in timings)
        assert [(event.rows, event.deleted_rows) for event in captured.of(RowsWritten)] == [(0, 0)] * 37
        assert stored(tmp_path) == rows
        for site, before in histories.items():
            # One more row of the device, none of its interfaces.
            after = told(tmp_path, site)
            assert {host: (n[0], n[1]) for host, n in after.items()} == {h: (n[0] + 1, n[1]) for h, n in before.items()}

        captured.clear()
        skipped = engine.ingest(logs, jobs=jobs)
        assert set(outcomes(skipped).values()) == {"skipped_duplicate"}
        assert len(captured.of(SkippedDuplicate)) == 37
        assert origins(captured) == reads(captured) == []

        for site in ("ALDR", "BRCK"):
            metrics = engine.repository.read_site(site, refresh=True).metrics
            assert metrics.host_map_signature_match_count == metrics.total_rows
            assert metrics.host_map_signature_rewrite_count == 0
        captured.clear()
        forget(tmp_path)
        assert counts(engine.ingest(logs, jobs=jobs)) == (0, 0, 1_320, 0)
        assert origins(captured) == [("SharedCache", "SharedCacheMatch")] * 37


def test_what_is_stored_cached_and_read_back_is_what_the_corpus_tells(logs, tmp_path):
    with engine_on(tmp_path) as engine:
        engine.ingest(logs)
        truth = {host.name: host for host in corpus_hosts(ORIGINAL_SHAPE)}
        for site in ("ALDR", "BRCK"):
            cached = engine.repository.site(site)
            assert set(cached) == {name for name in truth if name.startswith(site)}
            for host, ports in cached.items():
                assert list(ports) == [port.port for port in truth[host].ports]
                assert [row.status for row in ports.values()] == [port.status for port in truth[host].ports]
            assert engine.repository.read_site(site, refresh=True).entry.to_wire() == cached.to_wire()


def test_processes_and_any_executor_store_what_one_process_stores(logs, tmp_path):
    ingest(tmp_path / "one", logs, jobs=1)
    ingest(tmp_path / "two", logs, jobs=2)
    with ThreadPoolExecutor(4) as executor:
        options = SessionOptions(executor=executor, overrides=ConcurrencyOverrides(thread_ceiling=4))
        report = ingest(tmp_path / "threads", logs, options=options)
        assert counts(report) == (1_320, 0, 0, 0)
        forget(tmp_path / "threads")
        assert counts(ingest(tmp_path / "threads", logs, options=options)) == (0, 0, 1_320, 0)
    assert stored(tmp_path / "one") == stored(tmp_path / "two") == stored(tmp_path / "threads")


def test_a_new_process_reads_each_site_once_and_changes_nothing(logs, tmp_path):
    ingest(tmp_path, logs)
    forget(tmp_path)
    captured = EventCapture()
    with engine_on(tmp_path, captured) as engine:
        assert counts(engine.ingest(logs)) == (0, 0, 1_320, 0)
    assert sorted(reads(captured)) == ["ALDR", "BRCK"]
    assert {reason for _, reason in origins(captured)} == {"AccessHydrate", "SharedCacheMatch"}


def test_only_the_ports_that_changed_are_written(tmp_path):
    logs = corpus(tmp_path / "logs")
    with engine_on(tmp_path / "data") as engine:
        engine.ingest(logs)
        corpus(logs, msgspec.structs.replace(SMALL, generation=2, change_percent=10))
        changed = engine.ingest(logs)
        assert counts(changed)[:2] == (0, round(SMALL.rows / 10))
        forget(tmp_path / "data")
        assert counts(engine.ingest(logs)) == (0, 0, SMALL.rows, 0)
    ingest(tmp_path / "other", logs)
    assert stored(tmp_path / "data") == stored(tmp_path / "other")


def test_sites_take_turns_as_in_the_originals_serial_run(logs, tmp_path):
    captured = EventCapture()
    with engine_on(tmp_path, captured) as engine:
        report = engine.ingest(logs, jobs=1)
    launches = captured.of(ParserSchedulerLaunch)
    order = "".join(launch.site[0] for launch in launches)
    assert order == "AB" * 12 + "B" * 13
    assert [launch.queued_jobs for launch in launches] == list(range(36, -1, -1))
    assert [launch.queued_sites for launch in launches] == [2] * 22 + [1] * 14 + [0]
    assert {(one.active_workers, one.active_sites, one.thread_budget) for one in launches} == {(1, 1, 1)}
    for site in ("ALDR", "BRCK"):
        hosts = [host.hostname for host in report.hosts if host.site == site]
        assert hosts == sorted(hosts)


def test_all_hosts_of_a_lost_database_are_ingested_again(tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    ingest(data, logs)
    shutil.rmtree(data / "BRCK")
    again = ingest(data, logs)
    assert {(host.site, host.outcome) for host in again.hosts} == {("ALDR", "skipped_duplicate"), ("BRCK", "ingested")}
    assert len(told(data, "BRCK")) == 4


def test_a_database_that_is_lost_while_the_engine_lives_is_made_anew(tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    with engine_on(data) as engine:
        engine.ingest(logs)
        shutil.rmtree(data / "BRCK")
        assert engine.ingest(logs).totals.outcomes == {"skipped_duplicate": 3, "ingested": 4}


def test_a_host_that_the_database_has_lost_is_ingested_again(tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    with engine_on(data) as engine:
        engine.ingest(logs)
        with engine.databases.open("BRCK").begin() as connection:
            connection.exec_driver_sql("DELETE FROM Interfaces WHERE Hostname = 'BRCK-A01-AS-02'")
            connection.exec_driver_sql("DELETE FROM DeviceSummary WHERE Hostname = 'BRCK-A01-AS-02'")
        again = engine.ingest(logs)
    assert [host.hostname for host in again.of_outcome("ingested")] == ["BRCK-A01-AS-02"]


def test_one_changed_byte_makes_that_host_new(tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    ingest(data, logs)
    file = logs / "BRCK-A01-AS-02.log"
    file.write_bytes(file.read_bytes() + b"\n")
    again = outcomes(ingest(data, logs))
    assert again.pop("BRCK-A01-AS-02") == "unchanged"
    assert set(again.values()) == {"skipped_duplicate"}


def test_the_same_bytes_under_another_host_are_another_log(tmp_path):
    logs, data = tmp_path / "logs", tmp_path / "data"
    logs.mkdir()
    for host in ("WLLS-A01-AS-01", "WLLS-A01-AS-02"):
        (logs / f"{host}.log").write_text(device_log(host))
        assert ingest(data, logs).totals.outcomes["ingested"] == 1
    # The same file under another name is the same log: it is the host that counts.
    (logs / "WLLS-A01-AS-02.log").rename(logs / "other.log")
    assert set(outcomes(ingest(data, logs)).values()) == {"skipped_duplicate"}


def test_a_log_is_known_by_the_hash_that_the_original_took_of_it(tmp_path):
    # A line of this system begins as a prompt does for the original, which cuts the log there.
    logs, data = corpus(tmp_path / "logs", CorpusPlan((CorpusSite("ALDR", "Brocade", 2, 10),))), tmp_path / "data"
    ingest(data, logs)
    records = []
    for file in logs.glob("*.log"):
        theirs = {one.name: one.content for one in split_log(file.read_bytes(), rule=SplitRule.ORIGINAL)}
        assert len(theirs) > 1
        content = theirs[file.stem]
        sha256 = hashlib.sha256(content).hexdigest()
        records.append({"Hostname": file.stem, "Site": "ALDR", "FileHash": sha256, "SourceLength": len(content)})
    path = data / "IngestionHistory" / "ALDR.json"
    path.write_text(json.dumps(records), encoding="utf-8-sig")
    assert set(outcomes(ingest(data, logs)).values()) == {"skipped_duplicate"}
    path.write_text(json.dumps([{**record, "FileHash": "0" * 64} for record in records]), encoding="utf-8-sig")
    assert set(outcomes(ingest(data, logs)).values()) == {"unchanged"}


def test_known_logs_are_ingested_when_that_is_asked_for(tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    ingest(data, logs)
    assert set(outcomes(ingest(data, logs, options=SessionOptions(again=True))).values()) == {"unchanged"}


def test_a_folder_without_logs_is_a_result(tmp_path):
    (tmp_path / "logs").mkdir()
    captured = EventCapture()
    with engine_on(tmp_path / "data", captured) as engine:
        report = engine.ingest(tmp_path / "logs")
    assert (report.hosts, report.totals.hosts, report.exit_code, report.cancelled) == ((), 0, 0, False)
    assert captured.names == ["ConcurrencyProfileResolved"]
    assert not (tmp_path / "data").exists()


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), engine_on(tmp_path / "data") as engine:
        engine.ingest(tmp_path / "nowhere")


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_log_of_a_device_of_another_site_is_stored_there_and_known_next_time(jobs, tmp_path, own_vendor):
    own_vendor("Acme", host_of=lambda log: log.hostname.replace("OLDS", "NEWS"))
    logs, data = tmp_path / "logs", tmp_path / "data"
    logs.mkdir()
    for number in (1, 2):
        text = device_log(f"OLDS-A01-AS-0{number}").replace("Cisco", "Acme")
        (logs / f"{number}.log").write_text(text)
    with engine_on(data) as engine:
        first = engine.ingest(logs, jobs=jobs)
        assert {(host.site, host.hostname, host.outcome) for host in first.hosts} == {
            ("NEWS", "NEWS-A01-AS-01", "ingested"),
            ("NEWS", "NEWS-A01-AS-02", "ingested"),
        }
        assert engine.repository.site("NEWS").total_rows == 4
        assert engine.ingest(logs, jobs=jobs).totals.outcomes == {"skipped_duplicate": 2}
    shutil.rmtree(data / "NEWS")
    assert counts(ingest(data, logs, jobs=jobs)) == (4, 0, 0, 0)


@pytest.mark.parametrize("jobs", [1, 2])
def test_of_two_logs_that_name_one_device_the_later_one_counts(jobs, tmp_path, own_vendor):
    def parse(log):
        status = "connected" if log.name.endswith("02") else "disabled"
        return DeviceFacts(log.hostname, "Acme", ports=(PortFacts("1", status=status),), interfaces_found=True)

    own_vendor("Acme", parse, host_of=lambda log: "WLLS-A01-AS-02")
    logs, data = tmp_path / "logs", tmp_path / "data"
    logs.mkdir()
    for number in (2, 1):
        # The first time there is the second log only, so its rows are known when both come.
        (logs / f"{number}.log").write_text(device_log(f"WLLS-A01-AS-0{number}").replace("Cisco", "Acme"))
        with engine_on(data) as engine:
            engine.ingest(logs, jobs=jobs, options=SessionOptions(again=True))
            assert engine.repository.interface("WLLS-A01-AS-02", "1").status == "connected"
        assert rows_of(database(data, "WLLS"), "SELECT Port, Status FROM Interfaces") == [("1", "connected")]


def test_a_dry_run_tells_the_changes_and_makes_nothing(tmp_path):
    logs, data = corpus(tmp_path / "logs"), tmp_path / "data"
    captured = EventCapture()
    with engine_on(data, captured) as engine:
        report = engine.ingest(logs, options=SessionOptions(dry_run=True))
        assert (report.dry_run, counts(report)) == (True, (SMALL.rows, 0, 0, 0))
        assert {change.kind for host in report.hosts for change in host.changes} == {"Added"}
        assert captured.events == []
        assert not data.exists()
        engine.ingest(logs)
        rows = stored(data)
        corpus(logs, msgspec.structs.replace(SMALL, generation=2, change_percent=10))
        report = engine.ingest(logs, options=SessionOptions(dry_run=True))
        changed = [change for host in report.hosts for change in host.changes]
        assert len(changed) == round(SMALL.rows / 10)
        assert all(was != now for change in changed for was, now in change.columns.values())
        assert stored(data) == rows
        assert counts(engine.ingest(logs)) == counts(report)


def test_one_database_can_hold_all_sites(tmp_path):
    logs = corpus(tmp_path / "logs")
    with engine_on(tmp_path / "data", database=tmp_path / "all.sqlite") as engine:
        assert counts(engine.ingest(logs, jobs=2)) == (SMALL.rows, 0, 0, 0)
        assert engine.repository.sites() == ("ALDR", "BRCK")
        assert set(outcomes(engine.ingest(logs)).values()) == {"skipped_duplicate"}
        forget(tmp_path / "data")
        assert counts(engine.ingest(logs)) == (0, 0, SMALL.rows, 0)
    assert not database(tmp_path / "data", "ALDR").exists()


def test_a_bounded_cache_that_holds_all_sites_serves_every_host(tmp_path):
    logs = corpus(tmp_path / "Logs")
    settings = Settings(shared_cache_max_rows=1000)
    with engine_on(tmp_path / "Data", settings=settings, cache=SharedSiteCache(settings=settings)) as engine:
        engine.ingest(logs, jobs=1)
        write_corpus(logs, msgspec.structs.replace(SMALL, generation=2, change_percent=30), force=True)
        report = engine.ingest(logs, jobs=1)
    assert report.totals.rows_changed > 0
    assert {host.provider for host in report.hosts} == {"SharedCache"}
