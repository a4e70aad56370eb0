"""The events of a session agree with each other and with what it did."""

from __future__ import annotations

import json
from collections import Counter

import msgspec
import pytest
from consistency import check_run
from ingesting import SMALL, corpus, device_log, engine_on, events_of, forget, outcomes

from statetrace.cache import SharedSiteCache
from statetrace.ingestion.profile import ConcurrencyOverrides
from statetrace.ingestion.session import IngestionSession, SessionOptions
from statetrace.model import DeviceFacts, PortFacts
from statetrace.settings import Settings
from statetrace.telemetry import (
    ConcurrencyOverrideSummary,
    ConcurrencyProfileResolved,
    DirectorySink,
    InterfacePersistenceFailure,
    InterfaceSiteCacheRunspaceState,
    ParseDuration,
    SkippedDuplicate,
)
from statetrace.testing import EventCapture

HOST_PERSISTED = "InterfaceSiteCacheHostPersisted"
both_ways = pytest.mark.parametrize("jobs", [1, 2])


@pytest.fixture
def session(tmp_path):
    """Runs a session over the same folders; the report, and the events if they agree."""
    captured = EventCapture()
    logs = corpus(tmp_path / "logs")

    def run(engine, jobs, **options):
        captured.clear()
        report = engine.ingest(logs, jobs=jobs, options=SessionOptions(**options))
        events = events_of(captured)
        wrong = check_run(events)
        if not engine.cache.enabled:
            # The rules of this event are those of a cache that took the host; this one says that it did not.
            assert not any(event["SharedStoreUpdated"] for event in events if event["EventName"] == HOST_PERSISTED)
            wrong = [violation for violation in wrong if HOST_PERSISTED not in violation]
        assert wrong == []
        return report, Counter(event["EventName"] for event in events)

    run.captured, run.logs, run.data = captured, logs, tmp_path / "data"
    return run


@both_ways
def test_cold_warm_changed_and_duplicate_sessions_tell_a_consistent_story(session, jobs):
    with engine_on(session.data, session.captured) as engine:
        report, cold = session(engine, jobs)
        assert cold["ParserSchedulerLaunch"] == cold["ParseDuration"] == cold["PortBatchReady"] == 7
        assert cold["ConcurrencyProfileResolved"] == 1
        assert [event.success for event in session.captured.of(ParseDuration)] == [True] * 7

        forget(session.data)
        report, warm = session(engine, jobs)
        assert warm["ParserSchedulerLaunch"] == warm["ParseDuration"] == warm["InterfaceSyncTiming"] == 7
        assert warm["PortBatchReady"] == warm["InterfaceSiteCacheMetrics"] == 0

        corpus(session.logs, msgspec.structs.replace(SMALL, generation=2, change_percent=5))
        report, changed = session(engine, jobs)
        assert changed["ParserSchedulerLaunch"] == 7
        assert changed["PortBatchReady"] == len(report.of_outcome("ingested"))
        assert changed["SkippedDuplicate"] == len(report.of_outcome("skipped_duplicate"))

        report, known = session(engine, jobs)
        assert known == {
            "ConcurrencyProfileResolved": 1,
            "ParserSchedulerLaunch": 7,
            "InterfaceSiteCacheRunspaceState": 14,
            "SkippedDuplicate": 7,
        }
        assert {event.reason for event in session.captured.of(SkippedDuplicate)} == {"HashMatch"}


@both_ways
def test_hosts_that_fail_are_told_once_and_as_failures(session, jobs):
    (session.logs / "alien.log").write_text("ALDR-A09-AS-01# show version\nsomething quite unknown\n")
    with engine_on(session.data, session.captured) as engine:
        with engine.persistence.repository.databases.made("BRCK").begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER refuse BEFORE INSERT ON Interfaces WHEN NEW.Hostname = 'BRCK-A01-AS-02'"
                " BEGIN SELECT RAISE(ABORT, 'no room for this one'); END"
            )
        report, counted = session(engine, jobs)
    assert Counter(outcomes(report).values()) == {"ingested": 6, "database_failed": 1, "unknown_vendor": 1}
    (failure,) = session.captured.of(InterfacePersistenceFailure)
    assert failure.hostname == "BRCK-A01-AS-02"
    assert "no room for this one" in failure.exception_message
    assert failure.exception_type == "statetrace.errors.DatabaseError"
    assert failure.database_path.endswith("BRCK.sqlite")
    assert Counter(event.success for event in session.captured.of(ParseDuration)) == {True: 6, False: 2}
    # What was understood and not wanted is no error; what raised is one.
    stages = Counter(event.stage for event in session.captured.of(InterfaceSiteCacheRunspaceState))
    assert stages == {"Worker:PreParse": 8, "Worker:PostParse": 7, "Worker:PostParseError": 1}
    assert counted["ParserSchedulerLaunch"] == 8


@both_ways
def test_a_host_of_another_site_that_is_not_stored_is_told_once_with_that_site_s_database(tmp_path, own_vendor, jobs):
    own_vendor("Acme", lambda _: DeviceFacts("BRCK-A09-AS-09", "Acme", ports=(PortFacts("1"),), interfaces_found=True))
    captured, logs = EventCapture(), tmp_path / "logs"
    logs.mkdir()
    (logs / "a.log").write_text("ALDR-A09-AS-01# show version\nAcme OS 1\n")
    with engine_on(tmp_path / "data", captured) as engine:
        with engine.persistence.repository.databases.made("BRCK").begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER refuse BEFORE INSERT ON Interfaces BEGIN SELECT RAISE(ABORT, 'no room here'); END"
            )
        report = engine.ingest(logs, jobs=jobs)
    assert outcomes(report) == {"BRCK-A09-AS-09": "database_failed"}
    (failure,) = captured.of(InterfacePersistenceFailure)
    assert (failure.hostname, failure.database_path.endswith("BRCK.sqlite")) == ("BRCK-A09-AS-09", True)


@pytest.mark.parametrize(
    "settings",
    [{"skip_site_cache_update": True}, {"force_site_cache_refresh": True}, {"shared_cache_enabled": False}],
    ids=["skip", "refresh", "disabled"],
)
@both_ways
def test_other_ways_of_using_the_cache_tell_a_consistent_story(session, jobs, settings):
    settings = Settings(**settings)
    with engine_on(
        session.data, session.captured, settings=settings, cache=SharedSiteCache(settings=settings)
    ) as engine:
        report, _ = session(engine, jobs)
        assert report.totals.rows_inserted == SMALL.rows
        forget(session.data)
        report, _ = session(engine, jobs)
        assert (report.totals.rows_unchanged, report.totals.rows_changed) == (SMALL.rows, 0)


def test_a_cancelled_session_tells_what_it_did_and_nothing_of_the_rest(session):
    with engine_on(session.data, session.captured) as engine:
        ended = []

        def end_soon(outcome):
            ended.append(outcome)
            if len(ended) == 3:
                current.stop()

        current = IngestionSession(engine.persistence, SessionOptions(jobs=1), on_outcome=end_soon)
        report = current.run(session.logs)
    assert report.cancelled
    assert Counter(outcomes(report).values()) == {"ingested": 3, "cancelled": 4}
    events = [event for event in events_of(session.captured) if event["EventName"] != "ParserSchedulerLaunch"]
    # Every job that was launched has ended; the queue was not emptied.
    assert [rule for rule in check_run(events_of(session.captured)) if not rule.startswith("R5")] == []
    assert sum(event["EventName"] == "ParseDuration" for event in events) == 3


def test_overrides_are_told_at_the_end(session):
    with engine_on(session.data, session.captured) as engine:
        session(engine, None, overrides=ConcurrencyOverrides(thread_ceiling=1, max_active_sites=1))
    (profile,) = session.captured.of(ConcurrencyProfileResolved)
    (summary,) = session.captured.of(ConcurrencyOverrideSummary)
    assert (profile.override_thread_ceiling, profile.manual_overrides) == (1, True)
    assert (summary.thread_ceiling_override, summary.max_active_sites_override) == (1, 1)
    assert session.captured.names[-1] == "ConcurrencyOverrideSummary"


@both_ways
def test_the_lines_of_the_day_file_tell_the_same_story(tmp_path, jobs):
    logs = corpus(tmp_path / "logs")
    (logs / "more.log").write_text(device_log("WLLS-A01-AS-01"))
    with engine_on(tmp_path / "data", DirectorySink(tmp_path / "events")) as engine:
        engine.ingest(logs, jobs=jobs)
        assert engine.telemetry.failures == 0
    (day,) = (tmp_path / "events").glob("*.json")
    events = [json.loads(line) for line in day.read_bytes().splitlines()]
    assert check_run(events) == []
    times = [event["Timestamp"] for event in events]
    assert times == sorted(times)
