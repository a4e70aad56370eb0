"""What is told of a host that was stored (reference: parser-persistence 9.4 and 11)."""

from __future__ import annotations

import shutil
import threading

import msgspec
import pytest
from consistency import check_run
from world import HOST, OTHER, SITE, World, device

from statetrace.analysis.consistency.host_rules import ORDER
from statetrace.cache import SharedSiteCache
from statetrace.model import PortFacts, SpanFacts
from statetrace.persistence import ParserPersistence
from statetrace.repository import DeviceRepository
from statetrace.settings import SETTINGS_FILE, ParserSettings, Settings
from statetrace.telemetry import (
    DatabaseWriteBreakdown,
    DatabaseWriteLatency,
    InterfaceBulkInsertTiming,
    InterfaceSiteCacheHostPersisted,
    InterfaceSyncTiming,
    PortBatchReady,
    RowsWritten,
    SiteExistingRowCacheState,
)

SKIP = {"skip_site_cache_update": True, "skip_sources": ("Module", "Environment")}
CACHE_OFF = {"shared_cache_enabled": False}
FORCED = {"force_site_cache_refresh": True}


def up(*names):
    return [PortFacts(name, status="up") for name in names]


def wire(events):
    return [msgspec.json.decode(msgspec.json.encode(event)) for event in events]


def told(world, kind):
    (event,) = world.events.of(kind)
    return event


def provider(event):
    return event.site_cache_fetch_status, event.site_cache_provider, event.site_cache_provider_reason


# Situations: each brings a world to where a host is to be stored


def new(world):
    """Nothing is there."""


def stored(world):
    other = World(world.folder)
    other.persist(HOST, ["Gi1", "Gi2", "Gi3"])
    other.persist(OTHER, ["Gi1"])
    other.close()


def known(world):
    """Cached, or kept in skip mode."""
    stored(world)
    world.repository.site(SITE)
    world.persist(HOST, ["Gi1", "Gi2", "Gi3"])


def stale(world):
    known(world)
    World(world.folder).persist(HOST, up("Gi1"))


def lost(world):
    known(world)
    world.databases.close()
    shutil.rmtree(world.path().parent)
    World(world.folder).databases.made(SITE).close()


HITS = {
    ("SharedOnly", "SharedCache", "SharedCacheMatch"): "CacheInitial",
    ("Hydrated", "Hydrated", "AccessHydrate"): "CacheInitial",
    ("Refreshed", "Refreshed", "AccessRefresh"): "CacheRefresh",
    ("Hit", "Cache", "SiteExistingCache"): "SiteExistingCache",
}
SHARED, HYDRATED, REFRESHED, KEPT = HITS
SKIPPED = ("Disabled", "Database", "SkipSiteCacheUpdate")
UNAVAILABLE = ("SkippedEmpty", "Database", "SharedCacheUnavailable")
OVERTAKEN = ("Miss", "Database", "DatabaseQueryFallback")
CASES = [
    *[({}, situation, expected) for situation, expected in zip((new, stored, known, stale, lost), (HYDRATED, HYDRATED, SHARED, REFRESHED, REFRESHED), strict=True)],
    *[(FORCED, situation, expected) for situation, expected in zip((new, stored, known), (REFRESHED, REFRESHED, SHARED), strict=True)],
    *[(SKIP, situation, expected) for situation, expected in zip((new, stored, known, stale, lost), (SKIPPED, SKIPPED, KEPT, SKIPPED, SKIPPED), strict=True)],
    *[(CACHE_OFF, situation, UNAVAILABLE) for situation in (new, stored, stale, lost)],
]  # fmt: skip
IDS = [f"{next(iter(settings), 'default')}-{situation.__name__}" for settings, situation, _ in CASES]


@pytest.mark.parametrize(("settings", "situation", "expected"), CASES, ids=IDS)
@pytest.mark.parametrize("ports", [up("Gi1", "Gi4"), ["Gi1", "Gi2", "Gi3"], []], ids=len)
def test_it_is_told_where_the_rows_came_from_and_what_was_done(make_world, settings, situation, expected, ports):
    world = make_world(**settings)
    situation(world)
    world.events.clear()
    report = world.persist(HOST, ports)
    events = wire(world.events.events)
    assert check_run(events) == []

    sync, breakdown = told(world, InterfaceSyncTiming), told(world, DatabaseWriteBreakdown)
    assert provider(sync) == provider(breakdown) == expected
    assert sync.site_cache_existing_row_source == HITS.get(expected, "DatabaseQuery")
    assert (sync.load_cache_hit, sync.load_cache_miss) == (expected in HITS, expected not in HITS)
    assert sync.site_cache_fetch_duration_ms > 0
    assert (sync.site_cache_refresh_duration_ms > 0) == (expected == REFRESHED) == sync.load_cache_refreshed
    assert len(next(event for event in events if event["EventName"] == "InterfaceSyncTiming")) == 1 + 156

    counts = sync.diff_rows_inserted, sync.diff_rows_changed, sync.diff_rows_unchanged, sync.delete_candidates
    assert counts == (report.inserted, report.changed, report.unchanged, report.deleted)
    rows = told(world, RowsWritten)
    assert (rows.rows, rows.deleted_rows) == (report.inserted + report.changed, report.deleted)
    assert abs(told(world, DatabaseWriteLatency).latency_ms - report.latency_ms) < 0.501

    # Nothing that was put into the cache is told as if it had not been.
    persisted = "InterfaceSiteCacheHostPersisted" in world.events.names
    changed = sum(counts) > sync.diff_rows_unchanged
    assert persisted == (settings not in (SKIP, CACHE_OFF) and (changed or sync.load_cache_miss))
    assert persisted == (sync.site_cache_update_duration_ms > 0)
    kept = world.events.of(SiteExistingRowCacheState)
    assert len(kept) == bool(settings is SKIP)


def test_the_events_of_a_host_come_in_the_originals_order(world):  # 11.12
    world.persist(HOST, ["Gi1"])
    world.events.clear()
    world.persist(HOST, up("Gi1", "Gi2"))
    names = [name for name in world.events.names if name in ORDER]
    assert names == [
        "InterfacePortStreamMetrics", "PortBatchReady", "InterfaceBulkInsertTiming", "InterfaceBulkInsert",
        "RowsWritten", "InterfaceSiteCacheHostPersisted", "InterfaceSyncTiming", "DatabaseWriteLatency",
        "DatabaseWriteBreakdown",
    ]  # fmt: skip


def test_all_ingestions_of_a_run_agree_with_each_other(world):
    for status in ("up", "up", "down"):
        for host in (HOST, OTHER, "BOYO-1"):
            world.events.clear()
            world.persist(
                host,
                [PortFacts("Gi1", status=status), PortFacts("GI1", status=status)],
                spanning_tree=(SpanFacts("1"),),
            )
            assert check_run(wire(world.events.events)) == []


def test_an_unchanged_host_has_no_batch(world):  # X2
    world.persist(HOST, ["Gi1"])
    world.events.clear()
    world.persist(HOST, ["Gi1"])
    sync = told(world, InterfaceSyncTiming)
    assert (sync.bulk_attempted, sync.bulk_batch_id, sync.rows_staged) == (False, None, 0)
    assert (told(world, RowsWritten).rows, told(world, RowsWritten).deleted_rows) == (0, 0)
    assert not {"InterfaceBulkInsert", "InterfaceBulkInsertTiming", "PortBatchReady"} & {*world.events.names}


def test_a_batch_counts_what_was_inserted_and_updated(world):  # X3
    world.persist(HOST, ["1/1", "1/2", "1/3"])
    world.events.clear()
    world.persist(HOST, [*up("1/1"), "1/2", *up("1/4")])
    sync, batch = told(world, InterfaceSyncTiming), told(world, InterfaceBulkInsertTiming)
    assert (sync.diff_rows_compared, sync.diff_rows_changed, sync.diff_rows_unchanged, sync.diff_rows_inserted) == (
        3,
        1,
        1,
        1,
    )
    assert (sync.rows_staged, sync.delete_candidates, sync.existing_count) == (2, 1, 3)
    assert (batch.rows, batch.insert_row_count, batch.update_row_count, batch.success) == (2, 1, 1, True)
    assert (told(world, RowsWritten).rows, told(world, RowsWritten).deleted_rows) == (2, 1)
    assert sync.bulk_batch_id == batch.batch_id


@pytest.mark.parametrize(
    ("chosen", "size", "batches"), [(24, 24, 2), (64, 64, 1), (None, 64, 1), (0, 64, 1), (-1, 64, 1)]
)
def test_a_batch_is_told_with_the_chunks_that_a_reader_gets(world, chosen, size, batches):  # X12
    settings = Settings(parser=ParserSettings(interface_bulk_chunk_size=chosen))
    world.persistence = ParserPersistence(world.repository, settings=settings)
    world.persist(HOST, [f"Gi1/0/{number}" for number in range(48)])
    ready = told(world, PortBatchReady)
    assert (ready.ports_committed, ready.chunk_size, ready.estimated_batch_count) == (48, size, batches)


def test_a_port_that_comes_twice_is_counted_as_that(world):  # D7
    world.persist(HOST, ["Gi1", "gi1", "Gi2"])
    sync = told(world, InterfaceSyncTiming)
    assert (sync.facts_considered, sync.diff_seen_ports, sync.diff_duplicate_ports, sync.rows_staged) == (3, 2, 1, 2)


def test_in_skip_mode_it_is_told_what_is_kept_and_who_wanted_that(make_world):  # X6, X13
    world = make_world(**SKIP)
    world.persist(HOST, ["Gi1", "Gi2"])
    first = told(world, SiteExistingRowCacheState)
    world.events.clear()
    world.persist(HOST, ["Gi1", "Gi2"])
    second = told(world, SiteExistingRowCacheState)
    assert (first.cache_hit, first.existing_row_source, first.load_cache_miss) == (False, "DatabaseQuery", True)
    assert (second.cache_hit, second.existing_row_source, second.load_cache_hit) == (True, "SiteExistingCache", True)
    for event in (first, second):
        assert (event.host_entry_exists, event.host_entry_row_count, event.site_host_entry_count) == (True, 2, 1)
        assert event.skip_sources == ("Module", "Environment")
        assert event.site_host_entries_sample == (HOST,)


@pytest.mark.parametrize("value", ["1", "true", " TRUE "])
@pytest.mark.parametrize(
    "sources", [("Environment",), ("Module",), ("Parameter",), ("Parameter", "Module", "Environment")]
)
def test_skip_mode_is_told_with_all_who_asked_for_it(world, value, sources):  # K8
    world.folder.mkdir()
    file = {"ParserSettings": {"SkipSiteCacheUpdate": "Module" in sources}}
    (world.folder / SETTINGS_FILE).write_bytes(msgspec.json.encode(file))
    environment = {"STATETRACE_SKIP_SITECACHE_UPDATE": value} if "Environment" in sources else {}
    given = {"skip_site_cache_update": True} if "Parameter" in sources else {}
    settings = Settings.load(world.folder, environment, **given)
    world.persistence = ParserPersistence(world.repository, settings=settings, row_cache=world.row_cache)
    world.persist(HOST, ["Gi1"])
    assert told(world, SiteExistingRowCacheState).skip_sources == sources
    assert world.cache.peek(SITE) is None


@pytest.mark.parametrize("value", ["0", "yes", "2", ""])
def test_anything_else_in_the_environment_is_no_skip_mode(world, value):  # K8
    settings = Settings.load(environ={"STATETRACE_SKIP_SITECACHE_UPDATE": value})
    world.persistence = ParserPersistence(world.repository, settings=settings)
    world.persist(HOST, ["Gi1"])
    assert provider(told(world, InterfaceSyncTiming)) == HYDRATED
    assert world.events.of(SiteExistingRowCacheState) == []


def test_a_host_that_joins_the_cached_site_is_told_with_the_difference(world):
    world.persist(HOST, ["Gi1"])
    world.events.clear()
    world.persist(OTHER, ["Gi1", "Gi2"])
    event = told(world, InterfaceSiteCacheHostPersisted)
    assert (event.site, event.hostname, event.persisted_port_count) == (SITE, OTHER, 2)
    assert (event.entry_host_count_delta, event.entry_total_rows_delta) == (1, 2)


def in_order(world):
    """What was told of the cache and of how the host was compared, in order, with the sizes told."""
    told = []
    for event in wire(world.events.events):
        name = event["EventName"].removeprefix("InterfaceSiteCache")
        sizes = tuple(event[field] for field in ("EntryCount", "HostCount", "TotalRows") if field in event)
        if name == "SharedStore":
            told.append((event["Operation"], *sizes))
        elif name == "Metrics":
            told.append((name, event["CacheStatus"], event["Provider"], *sizes))
        elif name == "InterfaceSyncTiming":
            told.append((name, event["SiteCacheProvider"], event["SiteCacheProviderReason"]))
        elif name in ("ReuseAttempt", "RowsWritten", "HostPersisted"):
            told.append(name)
    world.events.clear()
    return told


def test_the_events_of_a_small_run_come_in_order(make_world):
    """Reference: site-cache 15.7.

    The third of the site's hosts is told as there. The original put the first host alone into the cache, asked for it
    four times, found with the second one that it did not have the others, and read the site then. Here the first host
    brings the whole site, so that the second one is found already.
    """
    hosts = [f"BOYO-A05-AS-{ten}{one}" for ten in range(6) for one in (2, 5)]
    ports = [f"Et1/1/{number}" for number in range(1, 11)]
    before = make_world()
    for host in hosts:
        before.persist(host, ports, make="Brocade")
    world = make_world()
    world.persist(hosts[0], up(*ports), make="Brocade")
    assert in_order(world) == [
        ("GetMiss", 0, 0, 0), ("GetMiss", 0, 0, 0), "ReuseAttempt",
        ("Set", 1, 12, 120), ("Metrics", "Hydrated", "ADODB", 12, 120),
        "RowsWritten", ("Set", 1, 12, 120), "HostPersisted",
        ("InterfaceSyncTiming", "Hydrated", "AccessHydrate"),
    ]  # fmt: skip
    for host in (HOST, "ALDR-A01-AS-01", "BRCK-A01-AS-01"):
        world.persist(host, ["Gi1"])
    in_order(world)
    for host in hosts[1:3]:
        world.persist(host, up(*ports), make="Brocade")
        assert in_order(world) == [
            ("GetHit", 4, 12, 120), "RowsWritten", ("Set", 4, 12, 120), "HostPersisted",
            ("InterfaceSyncTiming", "SharedCache", "SharedCacheMatch"),
        ]  # fmt: skip


def test_hosts_that_are_ingested_at_once_are_told_each_by_itself(world):
    hosts = [f"{SITE}-A01-AS-{number}" for number in range(6)]
    stored(world)
    threads = [threading.Thread(target=world.persist, args=(host, up("Gi1", "Gi2"))) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    events = wire(world.events.events)
    # Of threads that add to one site the differences of its size cannot be told one by one.
    assert [violation for violation in check_run(events) if not violation.startswith("H")] == []
    assert sorted(event.hostname for event in world.events.of(InterfaceSyncTiming)) == hosts
    reads = [
        event
        for event in world.events.of(InterfaceSyncTiming)
        if event.site_cache_provider in ("Hydrated", "Refreshed")
    ]
    assert len(reads) >= 1


def test_without_anybody_who_listens_nothing_is_told_and_everything_is_done(tmp_path):
    world = World(tmp_path / "Data")
    quiet = DeviceRepository(world.databases, cache=SharedSiteCache(settings=Settings()))
    persistence = ParserPersistence(quiet, settings=Settings(), row_cache=world.row_cache)
    assert not persistence.telemetry.enabled
    assert persistence.persist(device(HOST, ["Gi1"])).inserted == 1
    assert quiet.is_current(SITE)
    world.close()
