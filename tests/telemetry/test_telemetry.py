"""Telemetry hands events on, stays out of the way without a sink, and never fails its caller."""

from __future__ import annotations

import logging

import pytest

from statetrace.errors import TelemetryError
from statetrace.settings import Settings
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
    for telemetry in (Telemetry(), NO_TELEMETRY, Telemetry.from_settings(Settings(), None)):
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


def test_the_directory_of_the_settings_wins_over_the_default(tmp_path):
    (tmp_path / "named").mkdir()
    settings = Settings.load(environ={"STATETRACE_TELEMETRY_DIR": str(tmp_path / "named")})
    with Telemetry.from_settings(settings, tmp_path / "default") as telemetry:
        telemetry.emit(EVENT)
    assert len(list((tmp_path / "named").iterdir())) == 1
    assert not (tmp_path / "default").exists()


def test_the_default_is_used_when_the_named_directory_does_not_exist(tmp_path):
    settings = Settings.load(environ={"STATETRACE_TELEMETRY_DIR": str(tmp_path / "absent")})
    with Telemetry.from_settings(settings, tmp_path / "a" / "default") as telemetry:
        telemetry.emit(EVENT)
    assert len(list((tmp_path / "a" / "default").iterdir())) == 1
    assert not (tmp_path / "absent").exists()


def test_a_directory_that_cannot_be_made_is_an_error_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(TelemetryError, match="cannot be made"):
            Telemetry.to_directory(path)


def test_a_directory_may_be_given_as_text(tmp_path):
    with Telemetry.to_directory(str(tmp_path)) as telemetry:
        telemetry.emit(EVENT)
    assert len(list(tmp_path.iterdir())) == 1
