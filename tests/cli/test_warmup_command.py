"""``statetrace warmup`` as a person at a terminal or a script runs it."""

from __future__ import annotations

import json

import pytest
from command_line import document

from statetrace.cache import read_snapshot
from statetrace.ingestion.corpus import CorpusPlan, write_corpus


@pytest.fixture
def ingested(call, tmp_path):
    write_corpus(tmp_path / "Logs", CorpusPlan.of_size(2, 5, 8))
    finished = call("ingest", tmp_path / "Logs", "--data", tmp_path / "Data", "--no-snapshot", "--no-telemetry")
    assert finished.returncode == 0, finished.stderr
    return tmp_path


def test_all_sites_are_kept_as_the_latest_snapshot(call, ingested):
    found = document("warmup", "--data", ingested / "Data", "--logs", ingested / "Logs", by=call)
    assert sum(site["TotalRows"] for site in found["Sites"]) == 40
    assert found["Coverage"]["Pass"] is True
    assert found["Coverage"]["Statistics"] == {"SiteCount": 2, "TotalHostCount": 5, "TotalRowCount": 40}
    entries = read_snapshot(found["Latest"]).entries
    assert sorted(entries) == sorted(site["Site"] for site in found["Sites"])
    history = ingested / "Data" / "IngestionHistory"
    assert all(path.read_text().startswith("[") and len(path.read_text()) > 2 for path in history.glob("*.json"))


def test_one_site_covers_too_little_if_another_is_required(call, ingested):
    first, second = sorted(
        path.name for path in (ingested / "Data").iterdir() if (path / f"{path.name}.sqlite").exists()
    )
    finished = call(
        "warmup", first.lower(), "--data", ingested / "Data", "--logs", ingested / "Logs",
        "--require", f"{first},{second}", "--min-sites", 2,
    )  # fmt: skip
    assert finished.returncode == 3
    assert second in finished.stderr
    assert "coverage failed: 1 site" in finished.stderr


def test_logs_can_be_ingested_first(call, tmp_path):
    write_corpus(tmp_path / "Logs", CorpusPlan.of_size(2, 5, 8))
    where = ("--data", tmp_path / "Data", "--logs", tmp_path / "Logs")
    finished = call("warmup", *where)
    assert finished.returncode == 1
    assert "no such data folder" in finished.stderr
    assert call("warmup", *where, "--ingest").returncode == 0


def test_a_data_folder_without_sites_is_told(call, tmp_path):
    (tmp_path / "Data").mkdir()
    finished = call("warmup", "--data", tmp_path / "Data")
    assert finished.returncode == 1
    assert "holds no site to read; --ingest logs first" in finished.stderr


def test_a_site_that_is_not_there_is_told_and_stops_no_other(call, ingested):
    site = min(path.name for path in (ingested / "Data").iterdir() if (path / f"{path.name}.sqlite").exists())
    finished = call("warmup", site, "NOPE", "--data", ingested / "Data", "--json")
    assert finished.returncode == 1
    assert f"no site NOPE; there are {site}, " in finished.stderr
    assert [held["Site"] for held in json.loads(finished.stdout)["Sites"]] == [site]
    assert call("warmup", "NOPE", "--data", ingested / "Data").returncode == 1


def test_the_snapshot_goes_to_the_logs_beside_the_data_folder(call, ingested, monkeypatch):
    elsewhere = ingested / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    found = document("warmup", "--data", ingested / "Data", by=call)
    assert found["Latest"] == str(ingested / "Logs" / "SharedCacheSnapshot" / "SharedCacheSnapshot-latest.clixml")
    assert list(elsewhere.iterdir()) == []


def test_too_little_leaves_the_latest_snapshot_as_it_was(call, ingested):
    latest = document("warmup", "--data", ingested / "Data", by=call)["Latest"]
    before = read_snapshot(latest).entries
    finished = call("warmup", "--data", ingested / "Data", "--min-sites", 5)
    assert finished.returncode == 3
    assert "no snapshot was written" in finished.stderr
    assert read_snapshot(latest).entries == before


def test_a_damaged_database_is_told_and_stops_no_other_site(call, ingested):
    broken = next((ingested / "Data").glob("*/*.sqlite"))
    for part in broken.parent.glob("*.sqlite*"):
        part.unlink()
    broken.write_bytes(b"no database" * 1000)
    finished = call("warmup", "--data", ingested / "Data", "--logs", ingested / "Logs")
    assert finished.returncode == 1
    assert broken.name in finished.stderr
    assert "coverage passed: 1 site" in finished.stderr
