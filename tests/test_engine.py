"""The engine."""

from __future__ import annotations

from statetrace import Engine
from statetrace.cache import SharedSiteCache
from statetrace.settings import Settings
from statetrace.telemetry import Telemetry
from statetrace.testing import EventCapture


def test_engines_on_one_cache_may_be_closed_in_any_order(tmp_path):
    cache, telemetry = SharedSiteCache(settings=Settings()), [Telemetry(EventCapture()) for _ in range(2)]
    own = cache.telemetry
    first, second = (Engine(tmp_path, cache=cache, telemetry=each) for each in telemetry)
    first.close()
    assert cache.telemetry is telemetry[1]
    second.close()
    second.close()
    assert cache.telemetry is own


def test_events_go_to_the_directory_of_the_environment_if_it_exists(tmp_path, monkeypatch):
    monkeypatch.setenv("STATETRACE_TELEMETRY_DIR", str(tmp_path / "absent"))
    with Engine(tmp_path / "Data", cache=SharedSiteCache(settings=Settings())) as engine:
        assert not engine.telemetry.enabled
    (tmp_path / "events").mkdir()
    monkeypatch.setenv("STATETRACE_TELEMETRY_DIR", str(tmp_path / "events"))
    with Engine(tmp_path / "Data", cache=SharedSiteCache(settings=Settings())) as engine:
        engine.repository.site("NONE")
    assert len(list((tmp_path / "events").iterdir())) == 1
    assert not (tmp_path / "absent").exists()
