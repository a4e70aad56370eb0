"""What must hold when the original's own logs, history and databases are ingested."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter

import pytest

from statetrace import Engine
from statetrace.cache import SharedSiteCache
from statetrace.database import convert_database
from statetrace.ingestion.logs import find_logs, index_logs, original_slice, read_log
from statetrace.ingestion.session import SessionOptions
from statetrace.parsing import ParseMode
from statetrace.settings import Settings
from statetrace.telemetry import InterfaceSiteCacheMetrics, InterfaceSyncTiming, Telemetry
from statetrace.testing import EventCapture

pytestmark = pytest.mark.original

TEMPLATES = {
    "WLLS": ("mock_cisco_authentic.log", "WLLS-A01-AS-01"),
    "BOYO": ("mock_brocade_BOYO_73.log", "BOYO-A05-AS-02"),
}
# reference: ingestion-pipeline 13.2
HOSTS = [
    *(f"BOYO-A05-AS-{ten}{one}" for ten in range(6) for one in (2, 5)),
    *(f"WLLS-A{closet:02}-AS-{ten}{closet}" for closet in (1, 2, 3, 5) for ten in range(6)),
    "WLLS-A07-AS-07",
]
# reference: ingestion-pipeline 19.2
SLICES = {
    "mock_cisco_authentic.log": {"WLLS-A01-AS-01": (25_596, "db445489eeda53b6")},
    "mock_brocade_BOYO_73.log": {"BOYO-A05-AS-02": (5_307, "63c21997d8481f29")},
}
# reference: ingestion-pipeline 19.3
HASHES = [
    ("BOYO-A05-AS-42", 1, 5_309, "f9db2630a82db145643c935954d5a4b166d8b0f400844a2d4c08fd62d710792e"),
    ("BOYO-A05-AS-42", 2, 5_311, "639eb3028f988bae2ef8024d373dddffc7d235e3459606e8cc51d8bf01d73894"),
    ("BOYO-A05-AS-05", 2, 5_311, "2f4ad3c42ba37580848a23b0d265288e1661a0409f2b32de2e2981c51b4ed619"),
    ("WLLS-A01-AS-21", 1, 25_598, "df71d73d41bd3bf673af856ed7ad83d4c1cd389ef2883ef7e0d8b4a424d4b213"),
    ("WLLS-A01-AS-21", 2, 25_600, "968f53e03c649424ef0d33f661fd1203b8b7af0e8708845339597b77f2ddebfb"),
    ("SITE1-A01-AS-01", 2, 25_613, "75dd0b5bbe5719cc48e0fad3f0b263724a0505d56019feec1e8d6cc313c5554a"),
    ("SW1", 2, 25_457, "f90e1860caed59276c9d6b509f55e2337f119041f68f2085250530151bf36c69"),
]


def clone(original_data, host, blank_lines=1):
    """The original's corpus: a template with the host's name in place of its own (reference: ingestion-pipeline 13.1)."""
    file, name = TEMPLATES.get(host.partition("-")[0], TEMPLATES["WLLS"])
    text = (original_data / "logs" / file).read_text(encoding="utf-8")
    return text.replace(name, host) + "\n" * blank_lines


@pytest.fixture
def clones(tmp_path, original_data):
    """The folder of the 37 logs."""
    folder = tmp_path / "Logs"
    folder.mkdir()
    for host in HOSTS:
        (folder / f"synthetic_{host}.log").write_text(clone(original_data, host), encoding="utf-8", newline="")
    return folder


def engine_on(data, captured=None):
    return Engine(data, cache=SharedSiteCache(settings=Settings()), settings=Settings(), telemetry=Telemetry(captured))


def changed_columns(report):
    """How many ports of a dry run differ, and in which columns."""
    columns = Counter()
    for host in report.hosts:
        for change in host.changes:
            columns.update(change.columns.keys() if change.kind == "Changed" else [change.kind])
    return columns


@pytest.mark.parametrize(("host", "blank_lines", "length", "sha256"), HASHES)
def test_slices_hash_to_what_the_original_recorded(host, blank_lines, length, sha256, tmp_path, original_data):
    (tmp_path / "clone.log").write_text(clone(original_data, host, blank_lines), encoding="utf-8", newline="")
    (log,) = index_logs(find_logs(tmp_path)).logs
    assert (log.name, log.length, log.sha256) == (host, length, sha256)
    assert hashlib.sha256(read_log(log)).hexdigest() == sha256


def test_a_host_in_two_files_hashes_to_what_the_original_recorded(tmp_path, original_data):
    for number, (host, length, sha256) in enumerate(
        (
            ("BOYO-A05-AS-02", 10_620, "6536ced9fdbca1ca119e92ff5bb8c2e6a91f782f0650f995b43f8c6d41dbe991"),
            ("WLLS-A01-AS-01", 51_198, "d9b8dc9ba949a39fbeb6d22cfbd96dde227aada4a46e8c4838684afd999c6d93"),
        )
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        for blank_lines in (1, 2):
            text = clone(original_data, host, blank_lines)
            (folder / f"{blank_lines}.log").write_text(text, encoding="utf-8", newline="")
        (log,) = index_logs(find_logs(folder)).logs
        assert (log.length, log.sha256) == (length, sha256)


@pytest.mark.parametrize("file", SLICES)
def test_the_sample_logs_are_cut_as_the_reference_says(file, original_data):
    index = index_logs([original_data / "logs" / file])
    assert {log.name: (log.length, log.sha256[:16]) for log in index.logs} == SLICES[file]


def test_where_the_original_cuts_a_host_in_two_it_stays_whole_and_is_known_by_both_hashes(original_data):
    index = index_logs([original_data / "logs" / "NoArista.log"])
    assert [log.name for log in index.logs] == ["WLLS-A03-AS-03", "WLLS-A07-AS-07"]
    theirs = {
        log.name: (len(original_slice(log)), hashlib.sha256(original_slice(log)).hexdigest()[:16]) for log in index.logs
    }
    assert theirs == {
        "WLLS-A03-AS-03": (10_738, "7365223d86dbcda4"),
        "WLLS-A07-AS-07": (13_038, "0b18cfd4a1673c69"),
    }
    # The eleven lines that it took for a device named Serial are where they belong.
    assert sum(log.length for log in index.logs) == 10_738 + 13_038 + 432


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_second_pass_over_the_original_corpus_changes_nothing_and_hits_37_times(jobs, clones, tmp_path):
    data = tmp_path / "Data"
    captured = EventCapture()
    with engine_on(data, captured) as engine:
        cold = engine.ingest(clones, jobs=jobs).totals
        assert (cold.hosts, cold.rows_inserted, cold.outcomes) == (37, 1_320, {"ingested": 37})
        assert sorted(event.site for event in captured.of(InterfaceSiteCacheMetrics)) == ["BOYO", "WLLS"]
        for pass_number in range(2):
            captured.clear()
            shutil.rmtree(data / "IngestionHistory")
            warm = engine.ingest(clones, jobs=jobs).totals
            assert (warm.rows_inserted, warm.rows_changed, warm.rows_deleted, warm.rows_unchanged) == (0, 0, 0, 1_320)
            timings = captured.of(InterfaceSyncTiming)
            assert [timing.site_cache_provider for timing in timings] == ["SharedCache"] * 37
            assert sum(timing.site_cache_comparison_signature_match_count for timing in timings) == 1_320
            assert captured.of(InterfaceSiteCacheMetrics) == []
            if pass_number == 0:
                for site in ("BOYO", "WLLS"):
                    metrics = engine.repository.read_site(site, refresh=True).metrics
                    assert metrics.host_map_signature_match_count == metrics.total_rows
        assert engine.ingest(clones, jobs=jobs).totals.outcomes == {"skipped_duplicate": 37}


@pytest.mark.mdbtools
class TestExistingDatabase:
    @pytest.fixture
    def data(self, tmp_path, original_data):
        """A data folder with the original's BOYO database, converted."""
        folder = tmp_path / "Data"
        (folder / "BOYO").mkdir(parents=True)
        convert_database(original_data / "access" / "BOYO.accdb", folder / "BOYO" / "BOYO.sqlite")
        return folder

    @pytest.fixture
    def boyo(self, clones):
        """The logs of the twelve hosts of that database."""
        for log in clones.glob("*_WLLS-*"):
            log.unlink()
        return clones

    def test_parity_finds_the_rows_that_the_original_stored(self, data, boyo):
        with engine_on(data) as engine:
            before = engine.repository.site("BOYO").to_wire()
            report = engine.ingest(boyo, options=SessionOptions(mode=ParseMode.PARITY))
            assert report.totals.outcomes == {"unchanged": 12}
            assert report.totals.rows_unchanged == 120
            assert engine.repository.read_site("BOYO", refresh=True).entry.to_wire() == before

    def test_the_log_wins_where_the_original_read_it_wrong_and_then_nothing_changes_any_more(self, data, boyo):
        with engine_on(data) as engine:
            dry = engine.ingest(boyo, options=SessionOptions(dry_run=True))
            # The original took neither the VLANs nor the addresses of this system's tables.
            assert changed_columns(dry) == {"VLAN": 96, "LearnedMACs": 96}
            assert all(
                was in ("0", "") for host in dry.hosts for one in host.changes for was, _ in one.columns.values()
            )
            first = engine.ingest(boyo)
            assert first.totals.rows_changed == dry.totals.rows_changed
            shutil.rmtree(data / "IngestionHistory")
            second = engine.ingest(boyo)
            assert second.totals.outcomes == {"unchanged": 12}
            assert second.totals.rows_unchanged == 120

    def test_what_the_originals_history_knows_is_skipped_while_the_database_holds_the_host(
        self, data, boyo, original_data
    ):
        shutil.copytree(original_data / "installation" / "IngestionHistory", data / "IngestionHistory")
        path = data / "IngestionHistory" / "BOYO.json"
        records = json.loads(path.read_text(encoding="utf-8-sig"))
        logs = {log.name: log for log in index_logs(find_logs(boyo)).logs}
        assert {record["Hostname"] for record in records} == set(logs)
        with engine_on(data) as engine:
            # The logs of that day are not there any more; these differ from them.
            assert engine.ingest(boyo, options=SessionOptions(mode=ParseMode.PARITY)).totals.outcomes == {
                "unchanged": 12
            }
        for record in records:
            log = logs[record["Hostname"]]
            record |= {"FileHash": log.sha256, "SourceLength": log.length}
        path.write_text(json.dumps(records), encoding="utf-8-sig")
        with engine_on(data) as engine:
            assert engine.ingest(boyo).totals.outcomes == {"skipped_duplicate": 12}
            with engine.databases.open("BOYO").begin() as connection:
                for table in ("Interfaces", "DeviceSummary"):
                    connection.exec_driver_sql(f"DELETE FROM {table} WHERE Hostname = 'BOYO-A05-AS-12'")
            again = engine.ingest(boyo)
            assert [host.hostname for host in again.of_outcome("ingested")] == ["BOYO-A05-AS-12"]


def test_a_log_that_the_original_cut_in_two_is_known_by_its_history(tmp_path, original_data):
    logs, data = tmp_path / "Logs", tmp_path / "Data"
    logs.mkdir()
    shutil.copyfile(original_data / "logs" / "NoArista.log", logs / "NoArista.log")
    with engine_on(data) as engine:
        engine.ingest(logs)
        path = data / "IngestionHistory" / "WLLS.json"
        records = json.loads(path.read_bytes())
        known = {log.name: log for log in index_logs(find_logs(logs)).logs}
        for record in records:
            content = original_slice(known[record["Hostname"]])
            record |= {"FileHash": hashlib.sha256(content).hexdigest(), "SourceLength": len(content)}
        path.write_text(json.dumps(records), encoding="utf-8-sig")
        assert engine.ingest(logs).totals.outcomes == {"skipped_duplicate": 2}
