"""One host's story: each situation is made for real, and the cause that is told is the one that was made."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace import Engine
from statetrace.analysis.events import WireEvent
from statetrace.analysis.explain.causes import why
from statetrace.analysis.explain.circumstances import Around
from statetrace.analysis.explain.explaining import explain_host
from statetrace.analysis.explain.host_story import Explanation
from statetrace.analysis.explain.row_changes import signed_fields
from statetrace.analysis.files import telemetry_files
from statetrace.analysis.warm.pass_start import WarmCache
from statetrace.analysis.warm.warm_run import WarmRun, WarmRunOptions
from statetrace.cache import SharedSiteCache
from statetrace.errors import NotFound, TelemetryError
from statetrace.ingestion.corpus import CorpusPlan, CorpusSite, write_corpus
from statetrace.ingestion.session import SessionOptions
from statetrace.ingestion.snapshots import SnapshotFiles
from statetrace.model import InterfaceRow
from statetrace.parsing import parse_log
from statetrace.persistence import canonical, write_host
from statetrace.settings import Settings
from statetrace.telemetry import Telemetry

PLAN = CorpusPlan((CorpusSite("ALDR", "Brocade", 2, 6), CorpusSite("BRCK", "Cisco", 4, 6)))
FIRST, SECOND, LAST = "BRCK-A01-AS-01", "BRCK-A01-AS-02", "BRCK-A01-AS-04"
FORCED = Settings(force_site_cache_refresh=True)
DISABLED = Settings(shared_cache_enabled=False)
SKIP = Settings(skip_site_cache_update=True, skip_sources=("Environment",))


class World:
    """A folder with logs, data and telemetry; each process has an engine and a cache of its own."""

    def __init__(self, folder):
        self.logs, self.data, self.telemetry = folder / "logs", folder / "data", folder / "telemetry"
        self.snapshot = folder / "cache.clixml"
        write_corpus(self.logs, PLAN)

    def process(self, settings=None, *, told=True):
        settings = settings or Settings()
        telemetry = Telemetry.to_directory(self.telemetry) if told else None
        cache = SharedSiteCache(settings=settings)
        return Engine(self.data, cache=cache, settings=settings, telemetry=telemetry)

    def ingest(self, engine, *, again=True, **options):
        if again:
            shutil.rmtree(self.data / "IngestionHistory", ignore_errors=True)
        return engine.ingest(self.logs, jobs=1, options=SessionOptions(**options))

    def prepared(self):
        """All hosts are stored, and a snapshot of the cache is there; no telemetry is."""
        with self.process(told=False) as engine:
            self.ingest(engine)
            engine.cache.export_snapshot(self.snapshot)
        return self

    def change(self, statement="UPDATE Interfaces SET Name = 'other' WHERE Hostname = 'BRCK-A01-AS-02'"):
        """Somebody else writes to the database."""
        with closing(sqlite3.connect(self.data / "BRCK" / "BRCK.sqlite")) as connection, connection:
            connection.execute(statement)

    def told(self, host=FIRST):
        return explain_host(host, self.telemetry)[0].appearances

    def cause(self, host=FIRST):
        return self.told(host)[-1].cause.code.value


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def story_of(events, host=FIRST):
    telling = Explanation(host)
    for number, fields in enumerate(events, 1):
        telling.add(WireEvent(fields["EventName"], fields, "day.json", number))
    return telling.result()


class TestHits:
    def test_a_warm_host_is_a_hit_of_the_shared_cache(self, world):
        with world.process() as engine:
            world.ingest(engine)
            world.ingest(engine)
        cold, warm = world.told()
        assert (warm.cause.code, warm.hit, warm.outcome) == ("SharedCacheHit", True, "unchanged")
        assert (warm.rows.existing, warm.rows.unchanged, warm.rows.written) == (6, 6, 0)
        assert (warm.siblings.hosts, warm.siblings.hits) == (4, 4)
        assert any("GetHit" in evidence.fact for evidence in warm.evidence)
        assert (cold.siblings.hosts, cold.siblings.hits) == (4, 3)

    def test_a_host_without_rows_in_a_cached_site_is_one_too(self, world):
        with world.process() as engine:
            world.ingest(engine)
        (told,) = world.told(SECOND)
        assert (told.cause.code, told.hit) == ("SharedCacheHit", True)
        assert "no rows yet" in told.cause.text

    def test_rows_that_skip_mode_kept(self, world):
        world.prepared()
        with world.process(SKIP) as engine:
            world.ingest(engine)
            world.ingest(engine)
        read, kept = world.told()
        assert (read.cause.code, read.hit) == ("SkipMode", False)
        assert any("Environment" in evidence.fact for evidence in read.evidence)
        assert (kept.cause.code, kept.hit) == ("KeptRows", True)


class TestMisses:
    def test_the_first_host_of_a_new_site(self, world):
        with world.process() as engine:
            world.ingest(engine)
        (told,) = world.told()
        assert (told.cause.code, told.outcome, told.rows.inserted) == ("NewSite", "ingested", 6)

    @pytest.mark.parametrize("settings", [SKIP, DISABLED], ids=["skip", "disabled"])
    def test_a_new_site_is_new_whatever_the_cache_does(self, world, settings):
        with world.process(settings) as engine:
            world.ingest(engine)
        assert world.cause() == "NewSite"

    @pytest.mark.parametrize("jobs", [1, 2])
    def test_hosts_that_are_worked_on_in_turns_are_not_mixed_up(self, world, jobs):
        with world.process() as engine:
            for _ in range(2):
                shutil.rmtree(world.data / "IngestionHistory", ignore_errors=True)
                engine.ingest(world.logs, jobs=jobs)
        assert [told.cause.code.value for told in world.told()] == ["NewSite", "SharedCacheHit"]
        for host in (SECOND, LAST):
            cold, warm = world.told(host)
            assert (cold.rows.inserted, warm.rows.unchanged) == (6, 6)
            assert [told.cause.code.value for told in (cold, warm)] == ["SharedCacheHit"] * 2
            assert (cold.siblings.hosts, warm.siblings.hits) == (4, 4)

    def test_the_first_read_of_a_site(self, world):
        with world.prepared().process() as engine:
            world.ingest(engine)
        (told,) = world.told()
        assert (told.cause.code, told.provider, told.stages[0].name) == ("FirstRead", "Hydrated", "read the site")
        assert any("paid for the read" in remark for remark in told.remarks)
        assert world.cause(SECOND) == "SharedCacheHit"

    def test_a_snapshot_that_got_lost(self, world):
        for _ in range(2):
            with world.process() as engine:
                world.ingest(engine)
        warm = world.told()[-1]
        assert warm.cause.code == "SnapshotMissing"
        assert any(evidence.event == "InterfaceSiteCacheSharedStore" for evidence in warm.evidence)

    def test_a_snapshot_without_the_site(self, world):
        with world.prepared().process(told=False) as engine:
            engine.repository.read_site("ALDR")
            engine.cache.export_snapshot(world.snapshot)
        with world.process() as engine:
            engine.cache.import_snapshot(world.snapshot)
            world.ingest(engine)
        assert world.cause() == "SnapshotWithoutSite"

    @pytest.mark.parametrize("host", [FIRST, LAST])
    def test_a_shared_cache_that_is_switched_off(self, world, host):
        with world.prepared().process(DISABLED) as engine:
            world.ingest(engine)
        (told,) = world.told(host)
        assert (told.cause.code, told.hit, told.siblings.hits) == ("SharedCacheDisabled", False, 0)

    def test_a_later_host_of_a_new_site_with_the_cache_switched_off(self, world):
        with world.process(DISABLED) as engine:
            world.ingest(engine)
        assert world.cause(SECOND) == "SharedCacheDisabled"

    def test_a_cache_that_is_too_small_for_the_site(self, world):
        with world.prepared().process(Settings(shared_cache_max_rows=10)) as engine:
            world.ingest(engine)
        assert world.cause(LAST) == "CacheTooSmall"

    def test_a_site_that_another_one_drove_out(self, world):
        with world.prepared().process(Settings(shared_cache_max_rows=30)) as engine:
            for site in ("BRCK", "ALDR"):
                engine.repository.read_site(site)
            world.ingest(engine)
        assert world.cause() == "CacheTooSmall"

    def test_a_cache_that_was_cleared(self, world):
        with world.process() as engine:
            world.ingest(engine)
            engine.cache.clear("OperatorAsked")
            world.ingest(engine)
        cause = world.told()[-1].cause
        assert cause.code == "CacheCleared"
        assert "OperatorAsked" in cause.text

    def test_a_site_that_a_program_removed(self, world):
        with world.process() as engine:
            world.ingest(engine)
            engine.cache.discard("BRCK")
            world.ingest(engine)
        assert world.cause() == "CacheEntryRemoved"


class TestRefreshes:
    @pytest.mark.parametrize("by_settings", [False, True])
    def test_an_imported_site_whose_state_nothing_tells(self, world, by_settings):
        world.prepared()
        with world.process(Settings(shared_cache_snapshot=world.snapshot) if by_settings else None) as engine:
            files = None if by_settings else SnapshotFiles(world.data, import_path=world.snapshot)
            world.ingest(engine, snapshots=files)
        (told,) = world.told()
        assert (told.cause.code, told.hit) == ("SnapshotUnproven", False)
        assert any("SnapshotImported" in evidence.fact for evidence in told.evidence)

    def test_a_stale_snapshot(self, world):
        world.prepared().change()
        with world.process() as engine:
            engine.cache.import_snapshot(world.snapshot)
            world.ingest(engine)
        (told,) = world.told()
        assert told.cause.code == "SnapshotStale"
        assert "6 of 24 rows differed" in told.cause.text

    def test_rows_of_the_host_that_differed_are_told_field_by_field(self, world):
        world.prepared().change("UPDATE Interfaces SET Name = 'other' WHERE Hostname = 'BRCK-A01-AS-01'")
        with world.process() as engine:
            engine.cache.import_snapshot(world.snapshot)
            world.ingest(engine)
        (told,) = world.told()
        assert sum(" -> other" in evidence.fact for evidence in told.evidence) == 5
        assert told.rows.changed == 6

    def test_a_database_that_somebody_else_wrote_to(self, world):
        with world.process() as engine:
            world.ingest(engine)
            world.change()
            world.ingest(engine)
        (_, told), (_, other) = world.told(), world.told(SECOND)
        assert told.cause.code == "DatabaseChanged"
        assert "6 of 24 rows differed" in told.cause.text
        assert (other.cause.code, other.rows.changed) == ("SharedCacheHit", 6)
        assert any("other than what was cached" in remark for remark in other.remarks)

    def test_a_database_in_which_no_interface_row_changed(self, world):
        with world.process() as engine:
            world.ingest(engine)
            world.change("UPDATE DeviceSummary SET Room = 'other'")
            world.ingest(engine)
        (_, told) = world.told()
        assert told.cause.code == "DatabaseChanged"
        assert "no interface row of it differs" in told.cause.text

    def test_a_database_that_was_replaced(self, world):
        world.prepared()
        with world.process() as engine:
            engine.repository.read_site("BRCK")
            path = world.data / "BRCK" / "BRCK.sqlite"
            engine.databases.close()
            shutil.copyfile(path, path.with_suffix(".copy"))
            path.with_suffix(".copy").replace(path)
            world.ingest(engine)
        assert world.cause() == "OtherDatabase"

    def test_a_forced_refresh(self, world):
        with world.prepared().process(FORCED) as engine:
            world.ingest(engine)
            world.ingest(engine)
        assert [told.cause.code for told in world.told()] == ["ForcedRefresh", "ForcedRefresh"]

    def test_a_host_whose_rows_were_overtaken(self, world):
        facts = canonical(parse_log((world.logs / f"{SECOND}.log").read_bytes(), name=SECOND).facts)
        with world.prepared().process() as engine:
            persistence, database = engine.persistence, engine.databases.made("BRCK")
            existing = persistence.existing_rows("BRCK", SECOND, database)
            world.change()
            written = write_host(
                database, facts, engine.repository.templates, known=existing.known, run_date="2026-01-31 13:05:00"
            )
            persistence.settle(facts, database, existing, written, "2026-01-31 13:05:00")
        (told,) = world.told(SECOND)
        assert (told.cause.code, told.hit, told.rows.changed, told.outcome) == ("Overtaken", False, 6, "ingested")


class TestLogs:
    def test_a_changed_log_is_told_with_its_counts(self, world):
        with world.process() as engine:
            world.ingest(engine)
            write_corpus(world.logs, msgspec.structs.replace(PLAN, generation=2, change_percent=40))
            world.ingest(engine)
        changed = [told for host in (FIRST, SECOND, LAST) for told in world.told(host)[1:] if told.rows.changed]
        assert changed
        for told in changed:
            assert (told.outcome, told.hit) == ("ingested", True)
            remarks = " ".join(told.remarks)
            assert f"rewritten: {told.rows.changed} changed of 6 rows" in remarks
            assert "other than what was cached of Gi1/0/" in remarks or "cached of Et1/1/" in remarks

    def test_a_log_that_is_known_is_skipped_and_the_time_before_is_told_with_it(self, world):
        with world.process() as engine:
            world.ingest(engine)
            for _ in range(3):
                world.ingest(engine, again=False)
        story, _ = explain_host(FIRST, world.telemetry)
        assert [told.outcome for told in story.appearances] == ["ingested", *["skipped_duplicate"] * 3]
        last = story.appearances[-1]
        assert (last.cause.code, last.rows, last.siblings) == ("UnchangedLog", None, None)
        assert "LastIngestedUtc" in last.evidence[0].fact
        assert [told.outcome for told in story.latest().appearances] == ["ingested", "skipped_duplicate"]

    def test_a_host_that_the_database_refuses(self, world):
        world.prepared().change(
            "CREATE TRIGGER refuse BEFORE INSERT ON DeviceHistory WHEN NEW.Hostname = 'BRCK-A01-AS-02'"
            " BEGIN SELECT RAISE(ABORT, 'no room for this one'); END"
        )
        with world.process() as engine:
            world.ingest(engine)
        (told,) = world.told(SECOND)
        assert (told.outcome, told.cause.code, told.rows) == ("failed", "DatabaseFailed", None)
        assert "no room for this one" in told.cause.text
        assert world.cause(LAST) == "SharedCacheHit"

    def test_a_log_that_nobody_understands(self, world):
        (world.logs / "BRCK-A09-AS-01.log").write_text("BRCK-A09-AS-01# show version\nsomething quite unknown\n")
        with world.process() as engine:
            world.ingest(engine)
        assert world.cause("BRCK-A09-AS-01") == "LogNotUnderstood"


class TestWarmRuns:
    @pytest.mark.parametrize(
        ("cache", "cause"), [(WarmCache.SNAPSHOT, "SharedCacheHit"), (WarmCache.EMPTY, "SnapshotMissing")]
    )
    def test_both_passes_are_told_in_their_order(self, world, cache, cause):
        report = WarmRun(world.logs, world.telemetry, WarmRunOptions(warm_cache=cache), settings=Settings()).run()
        for source in (world.telemetry, report.folder):
            story, reader = explain_host(FIRST.lower(), type(world.telemetry)(source))
            assert [(told.pass_label, told.cause.code) for told in story.latest().appearances] == [
                ("ColdPass", "NewSite"),
                ("WarmPass", cause),
            ]
            assert (story.hostname, story.site, reader.broken) == (FIRST, "BRCK", 0)

    def test_a_stale_snapshot_of_the_warm_pass(self, world):
        with world.process(told=False) as engine:
            write_corpus(world.logs, msgspec.structs.replace(PLAN, generation=2, change_percent=40))
            world.ingest(engine)
            engine.cache.export_snapshot(world.snapshot)
        write_corpus(world.logs, PLAN)
        WarmRun(world.logs, world.telemetry, WarmRunOptions(snapshot=world.snapshot), settings=Settings()).run()
        assert world.cause() == "SnapshotStale"

    def test_the_last_of_several_runs_is_told_by_default(self, world):
        for _ in range(2):
            WarmRun(world.logs, world.telemetry, WarmRunOptions(), settings=Settings()).run()
        story, _ = explain_host(FIRST, world.telemetry)
        assert [told.pass_label for told in story.appearances] == ["ColdPass", "WarmPass"] * 2
        assert story.latest().appearances == story.appearances[2:]


class TestFigures:
    def test_stages_do_not_overlap_and_make_up_the_whole(self, world):
        with world.process() as engine:
            world.ingest(engine)
            world.ingest(engine)
        for told in world.told():
            assert sum(stage.ms for stage in told.stages) == pytest.approx(told.duration_ms, abs=1.5)
            assert sum(stage.share for stage in told.stages) == pytest.approx(100, abs=1)
            assert told.stages[-1].name == "parse the log, and the rest"

    def test_rank_and_median_are_those_of_the_hosts_of_the_site_in_the_session(self):
        calls = {"H-1": 10.0, "H-2": 500.0, "H-3": 20.0, "X-1": 9000.0}
        events = [event for host, ms in calls.items() for event in written(host, call=ms, load=ms / 2)]
        (told,) = story_of(events, "h-2").appearances
        assert (told.siblings.hosts, told.siblings.rank, told.siblings.median_ms) == (3, 1, 20.0)
        assert any("25.0 times" in remark and "load its rows" in remark for remark in told.remarks)

    def test_a_parse_that_began_after_the_last_write_is_another_time(self):
        sync, breakdown = written("H-1", Timestamp="2026-01-31T13:05:00.0000000Z")
        parsed = {"EventName": "ParseDuration", "Site": "H", "Hostname": "H-1", "Success": False}
        events = [sync, breakdown, parsed | {"StartTime": "2026-01-31T13:06:00.0000000Z"}]
        assert [told.outcome for told in story_of(events, "H-1").appearances] == ["unchanged", "failed"]
        events = [sync, breakdown, parsed | {"StartTime": "2026-01-31T13:04:59.0000000Z"}]
        assert [told.outcome for told in story_of(events, "H-1").appearances] == ["failed"]

    def test_a_host_that_comes_again_begins_another_session(self):
        events = [*written("H-1"), *written("H-2"), *written("H-1")]
        first, second = story_of(events, "H-1").appearances
        assert (first.siblings.hosts, second.siblings.hosts) == (2, 1)


class TestSessions:
    """Events without names are of the host that is being worked on, whatever other processes do meanwhile."""

    def test_a_session_elsewhere_does_not_cut_one_in_two_while_a_host_is_at_work(self):
        events = [PROFILE, PRE, *written("H-1"), parsed("H-1"), PRE, PROFILE, *written("H-2"), parsed("H-2")]
        (told,) = story_of(events, "H-2").appearances
        assert told.siblings.hosts == 2
        events += [PROFILE, PRE, *written("H-3"), parsed("H-3")]
        (told,) = story_of(events, "H-3").appearances
        assert told.siblings.hosts == 1

    def test_work_that_a_dead_process_left_is_nobody_else_s(self):
        asked = [store("GetMiss"), store("GetMiss")]
        events = [PROFILE, PRE, *asked, PROFILE, PRE | {"RunspaceId": "b"}, store("Set", "b"), store("GetHit", "b")]
        (told,) = story_of([*events, *written("H-1")], "H-1").appearances
        assert "GetHit" in told.evidence[1].fact

    def test_a_site_that_was_asked_for_by_a_reader_is_not_taken_for_the_look_up_of_a_host(self):
        events = [store("GetMiss"), store("Set"), store("GetHit"), *written("H-1")]
        (told,) = story_of(events, "H-1").appearances
        assert "GetMiss" in told.evidence[1].fact  # without the read of a site it may have been one
        read = {"EventName": "InterfaceSiteCacheMetrics", "Site": "H", "CacheStatus": "Hydrated"}
        (told,) = story_of([store("GetMiss"), read, store("GetHit"), *written("H-1")], "H-1").appearances
        assert "GetHit" in told.evidence[1].fact


PROFILE = {"EventName": "ConcurrencyProfileResolved"}
PRE = {"EventName": "InterfaceSiteCacheRunspaceState", "Site": "H", "Stage": "Worker:PreParse", "RunspaceId": "a"}


def store(operation, thread="a"):
    return {
        "EventName": "InterfaceSiteCacheSharedStore", "Site": "H", "Operation": operation, "RunspaceId": thread,
        "AppDomainName": "python", "ProcessId": thread, "StoreHashCode": 1, "EntryCount": 1,
    }  # fmt: skip


def parsed(host):
    return {"EventName": "ParseDuration", "Site": host.partition("-")[0], "Hostname": host, "Success": True}


def written(host, *, call=1.0, load=0.0, **fields):
    site = host.partition("-")[0]
    common = {"Hostname": host, "Site": site}
    provider = {"SiteCacheProvider": "SharedCache", "SiteCacheProviderReason": "SharedCacheMatch"}
    return [
        {"EventName": "InterfaceSyncTiming", **common, **provider, "LoadExistingDurationMs": load, **fields},
        {"EventName": "DatabaseWriteBreakdown", **common, "InterfaceCallDurationMs": call},
    ]


class TestWhy:
    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"SiteCacheProviderReason": "AccessCacheHit"}, "CacheHit"),
            ({"SiteCacheProviderReason": "AccessCacheHit", "SiteCacheExistingRowSource": "SiteExistingCache"},
             "KeptRows"),
            ({"SiteCacheProviderReason": "SkipSiteCacheUpdate", "SiteCacheProvider": "Unknown"}, "SkipMode"),
            ({"SiteCacheProviderReason": "SharedCacheUnavailable", "SiteCacheProvider": "Unknown"},
             "SharedCacheEmpty"),
            ({"SiteCacheProviderReason": "SharedCacheUnavailable", "SiteCacheProvider": "Database"},
             "SharedCacheUnavailable"),
            ({"SiteCacheProviderReason": "AccessRefresh", "SiteCacheResolveInitialStatus": "NotFound"},
             "HostNotCached"),
            ({"SiteCacheProvider": "Refreshed"}, "ForcedRefreshOrDatabaseChanged"),
            ({"SiteCacheProvider": "sharedcache"}, "SharedCacheHit"),
            ({"SiteCacheProviderReason": "Undetermined"}, "Unknown"),
            ({}, "Unknown"),
        ],
    )  # fmt: skip
    def test_one_event_alone_gives_a_cause_or_names_all_that_it_may_be(self, fields, code):
        cause = why(WireEvent("InterfaceSyncTiming", fields))
        assert cause.code == code
        assert cause.text

    @given(
        st.dictionaries(
            st.sampled_from([
                "SiteCacheProvider", "SiteCacheProviderReason", "SiteCacheFetchStatus", "SiteCacheResultRowCount",
                "SiteCacheResolveInitialStatus", "SiteCacheResolveInitialHostCount", "SiteCachePreviousPortCount",
                "SiteCacheResolveInitialCachedAt", "SiteCacheHostMapSignatureMismatchSamples",
            ]),
            st.sampled_from([
                None, "", "AccessRefresh", "AccessHydrate", "SharedCacheUnavailable", "Database", "NotFound", -1, 0,
                1e308, [], [None, {"Hostname": "BRCK-A01-AS-01"}], {}, True,
            ]),
        ),
        st.booleans(),
    )  # fmt: skip
    def test_no_event_is_too_odd(self, fields, ours):
        event = WireEvent("InterfaceSyncTiming", fields)
        assert why(event, Around(ours=ours)).code
        story_of([{"EventName": "InterfaceSyncTiming", "Hostname": FIRST, "Site": "BRCK", **fields}])


NAMES = (
    "InterfaceSiteCacheSharedStore", "InterfaceSiteCacheSharedStoreState", "InterfaceSiteCacheReuseAttempt",
    "InterfaceSiteCacheMetrics", "InterfaceSiteCacheRunspaceState", "InterfaceSiteCacheClearInvocation",
    "ConcurrencyProfileResolved", "DatabaseWriteBreakdown", "InterfacePersistenceFailure", "InterfaceSyncTiming",
    "ParseDuration", "RowsWritten", "SiteExistingRowCacheState", "SkippedDuplicate",
)  # fmt: skip


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "EventName": st.sampled_from(NAMES),
                "Site": st.sampled_from(["BRCK", "ALDR", ""]),
                "Hostname": st.sampled_from([FIRST, SECOND, ""]),
                "Operation": st.sampled_from(["GetHit", "GetMiss", "Set", "Remove", "SnapshotImported"]),
                "Stage": st.sampled_from(["Worker:PreParse", "Worker:PostParse"]),
                "RunspaceId": st.sampled_from(["a", "b", None]),
                "SiteCacheProviderReason": st.sampled_from(
                    ["AccessRefresh", "AccessHydrate", "SharedCacheUnavailable"]
                ),
                "Refresh": st.booleans(),
                "AppDomainName": st.sampled_from(["python", "pwsh"]),
            }
        ),
        max_size=40,
    )
)
def test_events_in_any_order_make_a_story(events):
    story = story_of(events)
    assert len(story.appearances) <= len(events)
    msgspec.json.encode(story)


class TestSources:
    def test_names_are_found_in_any_case_and_with_what_prompts_carry(self, world):
        with world.process() as engine:
            world.ingest(engine)
        story, _ = explain_host("ssh@brck-a01-as-01", world.telemetry)
        assert story.hostname == FIRST

    @pytest.mark.parametrize("host", ["BRCK-A01-AS-1", "brck-a01", "BRCK-A01-AS-99"])
    def test_an_unknown_host_is_told_with_those_that_are_spelled_alike(self, world, host):
        with world.process() as engine:
            world.ingest(engine)
        with pytest.raises(NotFound, match=r"6 hosts; near: .*BRCK-A01-AS-01"):
            explain_host(host, world.telemetry)

    def test_nothing_at_all_is_told_as_such(self, tmp_path):
        with pytest.raises(TelemetryError, match="holds no telemetry"):
            explain_host(FIRST, tmp_path)
        with pytest.raises(TelemetryError, match="does not exist"):
            explain_host(FIRST, tmp_path / "none")
        (tmp_path / "2026-01-31.json").write_text("torn {\n")
        with pytest.raises(NotFound, match="no event of it tells of any host"):
            explain_host(FIRST, tmp_path)

    def test_folders_of_runs_and_archives_are_read_in_the_order_of_the_run(self, tmp_path):
        for place in ("Run-1/WarmPass", "Run-1/ColdPass", "Run-1/Between", "Archive", "."):
            (tmp_path / place).mkdir(parents=True, exist_ok=True)
            (tmp_path / place / "2026-01-31.json").write_text("")
        found = [path.relative_to(tmp_path).parent.as_posix() for path in telemetry_files(tmp_path, nested=True)]
        assert found == ["Archive", "Run-1/ColdPass", "Run-1/Between", "Run-1/WarmPass", "."]

    def test_a_host_that_is_filed_under_another_site_is_told_of_all_the_same(self):
        fields = {"Hostname": "CORE-1", "Site": "BRCK", "SiteCacheProviderReason": "SharedCacheMatch"}
        story = story_of([{"EventName": "InterfaceSyncTiming", **fields}], "core-1")
        (told,) = story.appearances
        assert (story.site, told.cause.code, told.siblings) == ("BRCK", "SharedCacheHit", None)

    def test_what_a_tool_made_up_is_left_out(self):
        event = {"EventName": "InterfaceSyncTiming", "Site": "BRCK", "Hostname": FIRST, "Synthesized": True}
        assert story_of([event]).appearances == []


def test_signatures_are_taken_apart_whatever_their_fields_hold():
    row = InterfaceRow(name="5:|\U0001f600", vlan="10", config="interface Gi1\n!|", auth_template="dot1x")
    fields = signed_fields(row.signature)
    assert (fields["Name"], fields["VLAN"], fields["Config"]) == (row.name, "10", row.config)


@given(st.text())
def test_what_is_no_signature_is_recognised(text):
    assert signed_fields(text) is None


class TestTheOriginal:
    @pytest.mark.parametrize(
        ("file", "host", "causes"),
        [
            ("sample-run-refresh-then-shared.jsonl", "BOYO-A05-AS-05", ["HostNotCached"]),
            ("sample-run-refresh-then-shared.jsonl", "WLLS-A01-AS-21", ["SharedCacheHit"]),
            ("sample-run-two-hosts-empty-cache.jsonl", "BOYO-A05-AS-42", ["SharedCacheEmpty"]),
            ("sample-run-two-hosts-skipped-duplicate.jsonl", None, ["UnchangedLog"]),
            ("sample-run-no-changes.jsonl", None, ["SharedCacheHit"]),
        ],
    )
    def test_its_runs_are_told_in_their_own_words(self, original_data, file, host, causes):
        path = original_data / "telemetry" / file
        host = host or next(
            name for line in path.read_text().splitlines() if (name := json.loads(line).get("Hostname"))
        )
        story, reader = explain_host(host, path)
        assert [told.cause.code for told in story.appearances] == causes
        assert reader.broken == 0

    def test_every_host_of_its_days_has_a_story_with_a_cause(self, original_data):
        analysis = original_data / "analysis"
        for path in (
            analysis / "pipeline-20251222-210344" / "2025-12-22.json",
            analysis / "shared-cache-2025-12-23" / "2025-12-23.json.gz",
        ):
            with pytest.raises(NotFound):
                explain_host("NOSUCH-HOST", path)
            for host in ("BOYO-A05-AS-02", "WLLS-A01-AS-01", "WLLS-A07-AS-07"):
                story, _ = explain_host(host, path)
                assert {told.cause.code.value for told in story.appearances} <= {
                    "SharedCacheHit", "HostNotCached", "SharedCacheEmpty", "SkipMode", "KeptRows", "UnchangedLog",
                    "SharedCacheDisabled", "Failed",
                }  # fmt: skip
