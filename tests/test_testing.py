"""Users can see the events that the library emits in their tests."""

from __future__ import annotations

import threading

import pytest

from statetrace.telemetry import (
    NO_TELEMETRY,
    Event,
    InterfaceSiteCacheClearInvocation,
    InterfaceSiteCacheReuseState,
    Telemetry,
)
from statetrace.testing import EventCapture, capture_events

CLEAR = InterfaceSiteCacheClearInvocation(reason="Test")
REUSE = InterfaceSiteCacheReuseState(site="WLLS", host_count=1, total_rows=48, keys_sample="WLLS-A01-AS-01")


def test_a_capture_keeps_events_in_order_and_by_class():
    captured = EventCapture()
    telemetry = Telemetry(captured)
    for event in (CLEAR, REUSE, CLEAR):
        telemetry.emit(event)
    telemetry.close()
    assert captured.events == [CLEAR, REUSE, CLEAR]
    assert captured.of(InterfaceSiteCacheReuseState) == [REUSE]
    assert captured.of(Event) == captured.events
    assert captured.names == [type(event).__name__ for event in (CLEAR, REUSE, CLEAR)]
    captured.clear()
    assert captured.events == []


def test_a_list_of_events_does_not_grow_afterwards():
    captured = EventCapture()
    before = captured.events
    captured.write(CLEAR)
    assert before == []


def test_events_of_an_existing_telemetry_are_caught_and_not_written(tmp_path):
    with Telemetry.to_directory(tmp_path) as telemetry:
        with capture_events(telemetry) as captured:
            telemetry.emit(CLEAR)
        assert list(tmp_path.iterdir()) == []
        telemetry.emit(REUSE)
        assert len(list(tmp_path.iterdir())) == 1
    assert captured.events == [CLEAR]


def test_the_own_sink_is_back_after_an_exception():
    own = EventCapture()
    telemetry = Telemetry(own)
    with pytest.raises(ValueError, match="no"), capture_events(telemetry):
        raise ValueError("no")
    telemetry.emit(CLEAR)
    assert own.events == [CLEAR]


def test_captures_can_be_nested():
    telemetry = Telemetry()
    with capture_events(telemetry) as outer, capture_events(telemetry) as inner:
        telemetry.emit(CLEAR)
    assert (outer.events, inner.events) == ([], [CLEAR])
    assert not telemetry.enabled


def test_without_an_argument_events_without_telemetry_are_caught():
    with capture_events() as captured:
        assert NO_TELEMETRY.enabled
        NO_TELEMETRY.emit(CLEAR)
    NO_TELEMETRY.emit(REUSE)
    assert captured.events == [CLEAR]


def test_threads_lose_no_event():
    captured = EventCapture()
    telemetry = Telemetry(captured)
    threads = [threading.Thread(target=lambda: [telemetry.emit(CLEAR) for _ in range(1000)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(captured.events) == 8000
