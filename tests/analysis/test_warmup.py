"""What a warm-up writes, and when it writes nothing."""

from __future__ import annotations

import pytest

from statetrace.analysis.warm.warmup import warm_up
from statetrace.cache import SharedSiteCache, read_snapshot
from statetrace.database import SiteDatabases
from statetrace.engine import Engine
from statetrace.ingestion.corpus import CorpusPlan, write_corpus
from statetrace.repository import DeviceRepository


@pytest.fixture
def sites(tmp_path):
    write_corpus(tmp_path / "Logs", CorpusPlan.of_size(2, 5, 8))
    with Engine(tmp_path / "Data", cache=SharedSiteCache()) as engine:
        engine.ingest(tmp_path / "Logs", jobs=1)
        return engine.repository.sites()


@pytest.fixture
def repository(tmp_path, sites):
    databases = SiteDatabases(tmp_path / "Data")
    yield DeviceRepository(databases, cache=SharedSiteCache())
    databases.close()


def test_the_sites_are_the_latest_snapshot(repository, sites, tmp_path):
    report = warm_up(repository, sites, tmp_path / "Kept")
    assert [site["Site"] for site in report.sites] == list(sites)
    assert sorted(read_snapshot(report.latest).entries) == sorted(sites)


def test_the_latest_snapshot_stays_if_too_little_was_read(repository, sites, tmp_path):
    latest = warm_up(repository, sites, tmp_path / "Kept").latest
    before = {path: path.read_bytes() for path in (tmp_path / "Kept").iterdir()}
    asked = []
    report = warm_up(repository, sites[:1], tmp_path / "Kept", enough=lambda held: asked.append(held) or False)
    assert [[site["Site"] for site in held] for held in asked] == [[sites[0]]]
    assert (report.snapshot, report.latest) == ("", "")
    assert {path: path.read_bytes() for path in (tmp_path / "Kept").iterdir()} == before
    assert sorted(read_snapshot(latest).entries) == sorted(sites)


def test_a_site_that_is_not_there_is_told(repository, sites, tmp_path):
    report = warm_up(repository, [sites[0], "NOPE"], tmp_path / "Kept")
    assert report.failures == ("no site NOPE: it has no database",)
    assert [site["Site"] for site in report.sites] == [sites[0]]
