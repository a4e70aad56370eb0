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
