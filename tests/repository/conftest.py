"""Databases made for tests of the repository."""

from __future__ import annotations

import pytest
from site_database import write_rows

from statetrace.cache import SharedSiteCache
from statetrace.repository import DeviceRepository
from statetrace.settings import Settings
from statetrace.telemetry import Telemetry
from statetrace.testing import EventCapture


@pytest.fixture
def data(tmp_path):
    """A data folder, and how to fill it: ``data(site, rows)``."""

    def write(site, rows, **options):
        write_rows(tmp_path / site / f"{site}.sqlite", rows, **options)

    write.folder = tmp_path
    return write


@pytest.fixture
def events():
    return EventCapture()


@pytest.fixture
def repository(data, events):
    """A repository over the folder, with a cache of its own and all events captured."""
    telemetry = Telemetry(events)
    cache = SharedSiteCache(telemetry=telemetry, settings=Settings())
    repository = DeviceRepository(data.folder, cache=cache, telemetry=telemetry)
    yield repository
    repository.databases.close()
