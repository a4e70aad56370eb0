"""Telemetry hands events on, stays out of the way without a sink, and never fails its caller."""

from __future__ import annotations

import logging

import pytest

from statetrace.errors import TelemetryError
from statetrace.telemetry import NO_TELEMETRY, InterfaceSiteCacheClearInvocation, Telemetry
from statetrace.testing import EventCapture

EVENT = InterfaceSiteCacheClearInvocation(reason="Test")


class BrokenSink:
    def write(self, event):
        raise OSError("disk gone")

    def close(self):
        pass


def test_without_a_sink_nothing_is_written_and_nothing_raised(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for telemetry in (Telemetry(), NO_TELEMETRY):
        assert not telemetry.enabled
        telemetry.emit(EVENT)
        telemetry.close()
        assert telemetry.failures == 0
    assert list(tmp_path.iterdir()) == []


def test_with_a_sink_it_is_enabled():
    captured = EventCapture()
    telemetry = Telemetry(captured)
    assert telemetry.enabled
    telemetry.emit(EVENT)
    assert captured.events == [EVENT]


def test_a_failing_sink_is_logged_once_and_counted_always(caplog):
    telemetry = Telemetry(BrokenSink())
    with caplog.at_level(logging.WARNING, "statetrace.telemetry"):
        for _ in range(3):
            telemetry.emit(EVENT)
    assert telemetry.failures == 3
    [record] = caplog.records
    assert "InterfaceSiteCacheClearInvocation could not be written (disk gone)" in record.message
    assert record.exc_info is not None


def test_an_interrupt_is_not_swallowed():
    class Interrupted(BrokenSink):
        def write(self, event):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Telemetry(Interrupted()).emit(EVENT)


def test_a_directory_that_cannot_be_made_is_an_error_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(TelemetryError, match="cannot be made"):
            Telemetry.to_directory(path)


def test_a_directory_may_be_given_as_text(tmp_path):
    with Telemetry.to_directory(str(tmp_path)) as telemetry:
        telemetry.emit(EVENT)
    assert len(list(tmp_path.iterdir())) == 1
