"""The shared site cache."""

from __future__ import annotations

import _thread
import os
import random
import signal
import threading
import time

import pytest

from statetrace.cache import SharedSiteCache, shared_site_cache, write_snapshot
from statetrace.cache.reads import ReadOutcome
from statetrace.errors import CacheEntryInvalid, SnapshotError
from statetrace.model import CaseInsensitiveMap, DatabaseState, InterfaceRow, SiteEntry
from statetrace.settings import Settings
from statetrace.telemetry import (
    InterfaceSiteCacheClearInvocation,
    InterfaceSiteCacheHostPersisted,
    InterfaceSiteCacheSharedStore,
    InterfaceSiteCacheSharedStoreState,
    Telemetry,
)
from statetrace.testing import EventCapture


def ports(*names, status="up"):
    return CaseInsensitiveMap({name: InterfaceRow(status=status) for name in names})


def entry(hosts, **attributes):
    return SiteEntry({host: ports(*names) for host, names in hosts.items()}, **attributes)


@pytest.fixture
def events():
    return EventCapture()


@pytest.fixture
def make_cache(events):
    def make(**settings):
        return SharedSiteCache(telemetry=Telemetry(events), settings=Settings(**settings))

    return make


@pytest.fixture
def cache(make_cache):
    return make_cache()


def operations(events):
    return [
        (event.operation, event.site, event.entry_count, event.host_count, event.total_rows)
        for event in events.of(InterfaceSiteCacheSharedStore)
    ]


def test_a_site_is_found_in_any_case_and_each_access_is_told(cache, events):
    assert cache.get("casetest") is None
    site = entry({"A": ["p1", "p2"]})
    cache.put(" casetest ", site)
    assert cache.get("CASETEST") is site
    assert cache.sites() == ("casetest",)
    assert operations(events) == [
        ("GetMiss", "casetest", 0, 0, 0),
        ("Set", "casetest", 1, 1, 2),
        ("GetHit", "CASETEST", 1, 1, 2),
    ]


def test_a_blank_site_is_nothing_and_tells_nothing(cache, events):
    assert cache.get(" ") is None
    assert operations(events) == []
    with pytest.raises(ValueError, match="site code"):
        cache.put("", entry({}))


def test_a_merged_host_changes_that_host_alone(cache, events):
    cache.put("WLLS", entry({"A": ["p1"], "B": ["p1"]}, cache_status="Refreshed", source=DatabaseState("db", "1")))
    before, state = DatabaseState("db", "1"), DatabaseState("db", "2")
    merged = cache.merge_host("WLLS", "a", {"p1": {"Status": "down"}, "p2": {}}, since=before, source=state)
    assert merged["A"]["p1"].status == "down"
    assert list(merged) == ["A", "B"]
    assert (merged.cache_status, merged.source) == ("Refreshed", state)
    told = events.of(InterfaceSiteCacheHostPersisted)[0]
    assert (told.previous_host_count, told.previous_port_count, told.persisted_port_count) == (2, 2, 2)
    assert (told.entry_host_count, told.entry_total_rows, told.entry_total_rows_delta) == (2, 3, 1)
    assert (told.host_map_reused, told.converted_to_typed, told.shared_store_updated) == (True, False, True)


def test_a_host_without_ports_leaves_the_site(cache):
    cache.put("WLLS", entry({"A": ["p1"], "B": ["p1"]}))
    assert list(cache.merge_host("WLLS", "A", {})) == ["B"]


def test_a_host_of_a_site_that_is_not_cached_is_left_for_the_next_reader(cache, events):
    # One host of twelve must not pass for the site, be it new or evicted (reference: site-cache D11).
    assert cache.merge_host("WLLS", "A", ports("p1"), source=DatabaseState("db", "2")) is None
    assert cache.get("WLLS") is None
    told = events.of(InterfaceSiteCacheHostPersisted)[0]
    assert (told.persisted_port_count, told.entry_host_count, told.shared_store_updated) == (1, 0, False)


def test_a_host_of_another_database_is_not_mixed_in(cache):
    site = entry({"A": ["p1"]}, source=DatabaseState("one", "1"))
    cache.put("WLLS", site)
    assert cache.merge_host("WLLS", "B", ports("p1"), source=DatabaseState("two", "1")) is None
    assert cache.get("WLLS") is site


@pytest.mark.parametrize(
    ("had", "since", "source", "has"),
    [
        (DatabaseState("db", "1"), DatabaseState("db", "1"), DatabaseState("db", "2"), DatabaseState("db", "2")),
        (DatabaseState("db", "0"), DatabaseState("db", "1"), DatabaseState("db", "2"), DatabaseState("db")),
        (DatabaseState("db", "1"), None, DatabaseState("db", "2"), DatabaseState("db")),
        (DatabaseState("db", "1"), None, None, DatabaseState("db")),
        (None, DatabaseState("db", "1"), DatabaseState("db", "2"), DatabaseState("db")),
        (None, None, None, None),
    ],
)
def test_a_merged_entry_claims_no_state_that_it_cannot_be_sure_of(cache, had, since, source, has):
    cache.put("WLLS", entry({"A": ["p1"]}, source=had))
    assert cache.merge_host("WLLS", "B", ports("p1"), since=since, source=source).source == has


def test_settings_applied_later_count_for_what_follows(make_cache, tmp_path):
    snapshot = tmp_path / "cache.clixml"
    write_snapshot(snapshot, {"BOYO": entry({"A": ["p1"]})})
    cache = make_cache()
    cache.put("WLLS", entry({"A": ["p1", "p2"]}))
    cache.apply(Settings(shared_cache_enabled=False))
    assert cache.get("WLLS") is None
    cache.apply(Settings(shared_cache_max_rows=1))
    assert len(cache) == 0
    cache.apply(Settings(shared_cache_snapshot=snapshot))
    assert cache.get("BOYO").total_rows == 1


def test_a_smaller_bound_drops_the_least_recently_used_sites_and_tells_it(make_cache, events):
    cache = make_cache(shared_cache_max_rows=10)
    for site in ("BOYO", "WLLS"):
        cache.put(site, entry({"A": ["p1", "p2"]}))
    cache.get("BOYO")
    cache.apply(Settings(shared_cache_max_rows=2))
    assert cache.sites() == ("BOYO",)
    assert operations(events)[-1] == ("Remove", "WLLS", 1, 1, 2)
    assert cache.statistics().evictions == 1


def test_of_several_who_take_the_events_the_last_that_remains_gets_them(cache, events):
    first, second = Telemetry(EventCapture()), Telemetry(EventCapture())
    own = cache.telemetry
    cache.send_to(first)
    cache.send_to(second)
    cache.stop_sending_to(first)
    assert cache.telemetry is second
    cache.stop_sending_to(second)
    cache.stop_sending_to(second)
    assert cache.telemetry is own


def test_nonsense_in_place_of_ports_is_refused(cache):
    with pytest.raises(CacheEntryInvalid):
        cache.merge_host("WLLS", "A", "ports")
    assert cache.get("WLLS") is None


def test_a_discarded_site_is_told_with_its_counts(cache, events):
    site = entry({"A": ["p1"]})
    cache.put("WLLS", site)
    assert cache.discard("wlls") is site
    assert cache.discard("wlls") is None
    assert operations(events)[1:] == [("Remove", "wlls", 0, 1, 1), ("Remove", "wlls", 0, 0, 0)]


def test_clearing_tells_who_and_why_and_sticks(make_cache, events, tmp_path):
    snapshot = tmp_path / "cache.clixml"
    write_snapshot(snapshot, {"WLLS": entry({"A": ["p1"]})})
    cache = make_cache(shared_cache_snapshot=snapshot)
    assert cache.get("WLLS") is not None
    cache.clear("UnitTest")
    assert cache.get("WLLS") is None
    told = events.of(InterfaceSiteCacheClearInvocation)[0]
    assert (told.reason, told.caller_script) == ("UnitTest", "test_shared.py")
    assert told.caller_function.endswith("test_clearing_tells_who_and_why_and_sticks")
    assert told.caller_line > 0
    assert told.call_stack_depth > 1


def test_clearing_works_where_nobody_called(cache, events):
    # as at the end of the interpreter, where no Python function is above
    cache.put("WLLS", entry({"A": ["p1"]}))
    _thread.start_new_thread(cache.clear, ("UnitTest",))
    ends = time.monotonic() + 5
    while "WLLS" in cache and time.monotonic() < ends:
        time.sleep(0.01)
    assert cache.get("WLLS") is None
    told = events.of(InterfaceSiteCacheClearInvocation)[0]
    assert (told.caller_function, told.caller_script, told.caller_line) == ("Unknown", "", 0)


def test_without_a_sink_nothing_is_told_and_everything_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cache = SharedSiteCache(settings=Settings())
    cache.put("WLLS", entry({"A": ["p1"]}))
    cache.merge_host("WLLS", "B", ports("p1"))
    cache.clear()
    assert list(tmp_path.iterdir()) == []


# Import on first use (reference: site-cache 5.3)


def test_the_snapshot_is_imported_once_on_first_use(make_cache, events, tmp_path):
    snapshot = tmp_path / "cache.clixml"
    write_snapshot(snapshot, {"BOYO": entry({"A": ["p1"]}), "WLLS": entry({"B": ["p1", "p2"]})})
    cache = make_cache(shared_cache_snapshot=snapshot)
    assert cache.get("wlls").total_rows == 2
    cache.merge_host("BOYO", "A", ports("p1", "p2", "p3"))
    write_snapshot(snapshot, {"BOYO": entry({"A": ["p9"]})})
    for _ in range(3):
        assert cache.get("BOYO").total_rows == 3
    assert [(event.operation, event.entry_count) for event in events.of(InterfaceSiteCacheSharedStoreState)] == [
        ("InitDelegatedStore", 0),
        ("SnapshotImported", 2),
    ]


def test_a_cache_that_was_filled_first_is_never_imported_over(make_cache, tmp_path):
    snapshot = tmp_path / "cache.clixml"
    write_snapshot(snapshot, {"BOYO": entry({"OLD": ["p1"]})})
    cache = make_cache(shared_cache_snapshot=snapshot)
    cache.put("BOYO", entry({"NEW": ["p1"]}))
    assert list(cache.get("BOYO")) == ["NEW"]


@pytest.mark.parametrize("content", [None, b"", b"<Objs", b"hello"])
def test_an_unreadable_snapshot_stops_nobody(make_cache, tmp_path, caplog, content):
    snapshot = tmp_path / "cache.clixml"
    if content is not None:
        snapshot.write_bytes(content)
    cache = make_cache(shared_cache_snapshot=snapshot)
    assert cache.get("BOYO") is None
    assert cache.get("BOYO") is None
    assert len([record for record in caplog.records if "not imported" in record.message]) == 1


def test_a_snapshot_that_would_lose_rows_is_not_imported_on_first_use_and_what_holds_nothing_is_told(
    make_cache, tmp_path, caplog
):
    snapshot = tmp_path / "cache.clixml"
    write_snapshot(snapshot, {"BOYO": entry({"A": ["p1", "p2"]})})
    text = snapshot.read_bytes()
    start = text.index(b'<Obj N="Value"', text.index(b">p2<"))
    row = text[start : text.index(b"</En>", start)]
    snapshot.write_bytes(text.replace(row, b'<S N="Value">StateTrace.Models.InterfaceCacheEntry</S>'))
    assert make_cache(shared_cache_snapshot=snapshot).get("BOYO") is None
    assert "not imported" in caplog.text
    assert "site 'BOYO', host 'A', port 'p2'" in caplog.text
    caplog.clear()
    snapshot.write_bytes(text.replace(row, b'<Nil N="Value" />'))
    assert make_cache(shared_cache_snapshot=snapshot).get("BOYO").total_rows == 1
    assert "left out: site 'BOYO', host 'A', port 'p2': the row is null" in caplog.text


def test_an_explicit_import_merges_host_by_host_and_says_what_it_brought(cache, tmp_path):
    snapshot = tmp_path / "cache.clixml"
    write_snapshot(snapshot, {"WLLS": entry({"A": ["p1", "p2"]})})
    cache.put("WLLS", entry({"A": ["p9"], "B": ["p1"]}))
    brought = cache.import_snapshot(snapshot)
    assert (brought.sites, brought.hosts, brought.rows, brought.skipped) == (("WLLS",), 1, 2, ())
    assert {host: list(found) for host, found in cache.get("WLLS").items()} == {"A": ["p1", "p2"], "B": ["p1"]}


def test_an_import_that_brings_nothing_is_not_told(cache, events, tmp_path):
    write_snapshot(tmp_path / "cache.clixml", {})
    assert cache.import_snapshot(tmp_path / "cache.clixml").sites == ()
    assert "SnapshotImported" not in [event.operation for event in events.of(InterfaceSiteCacheSharedStoreState)]


def test_a_failed_import_imports_nothing(cache, tmp_path):
    snapshot = tmp_path / "cache.clixml"
    write_snapshot(snapshot, {"BOYO": entry({"A": ["p1"]}), "WLLS": entry({"A": ["p1"]})})
    snapshot.write_bytes(snapshot.read_bytes()[:-200])
    with pytest.raises(SnapshotError):
        cache.import_snapshot(snapshot)
    assert len(cache) == 0


def test_an_export_can_be_limited_to_sites_and_reads_back(cache, tmp_path):
    cache.put("BOYO", entry({"A": ["p1"]}))
    cache.put("WLLS", entry({"B": ["p1"]}))
    assert cache.export_snapshot(tmp_path / "some.clixml", sites=["wlls", "nobody"]) == ("WLLS",)
    other = SharedSiteCache(settings=Settings())
    assert other.import_snapshot(tmp_path / "some.clixml").sites == ("WLLS",)
    assert other.get("WLLS") == cache.get("WLLS")


def test_nothing_to_export_makes_no_file(cache, tmp_path):
    assert cache.export_snapshot(tmp_path / "none.clixml") == ()
    assert list(tmp_path.iterdir()) == []


# Switched off (reference: site-cache 5.7)


def test_switched_off_every_get_is_a_miss_and_every_set_is_ignored(make_cache, events, tmp_path):
    snapshot = tmp_path / "cache.clixml"
    write_snapshot(snapshot, {"WLLS": entry({"A": ["p1"]})})
    cache = make_cache(shared_cache_enabled=False, shared_cache_snapshot=snapshot)
    cache.put("WLLS", entry({"A": ["p1"]}))
    cache.merge_host("WLLS", "B", ports("p1"))
    assert cache.get("WLLS") is None
    brought = cache.import_snapshot(snapshot)
    assert (brought.sites, brought.hosts, brought.rows) == ((), 0, 0)
    assert [operation for operation, *_ in operations(events)] == ["GetMiss"]
    assert events.of(InterfaceSiteCacheHostPersisted)[0].shared_store_updated is False


# The bound on rows


def test_the_least_recently_used_sites_go_when_a_new_one_does_not_fit(make_cache, events):
    cache = make_cache(shared_cache_max_rows=5)
    cache.put("A", entry({"h": ["p1", "p2"]}))
    cache.put("B", entry({"h": ["p1", "p2"]}))
    cache.get("A")
    cache.put("C", entry({"h": ["p1", "p2", "p3"]}))
    assert set(cache.sites()) == {"A", "C"}
    assert operations(events)[-1] == ("Remove", "B", 2, 1, 2)
    statistics = cache.statistics()
    assert (statistics.rows, statistics.max_rows, statistics.evictions) == (5, 5, 1)


@pytest.mark.parametrize("look", [SharedSiteCache.entries, SharedSiteCache.sites, SharedSiteCache.statistics])
def test_looking_at_all_sites_is_no_use_of_any(make_cache, look):
    cache = make_cache(shared_cache_max_rows=4)
    cache.put("A", entry({"h": ["p1", "p2"]}))
    cache.put("B", entry({"h": ["p1", "p2"]}))
    cache.get("A")
    look(cache)
    cache.put("C", entry({"h": ["p1"]}))
    assert set(cache.sites()) == {"A", "C"}


def test_a_site_larger_than_the_whole_cache_is_served_but_not_kept(make_cache):
    cache = make_cache(shared_cache_max_rows=2)
    cache.put("A", entry({"h": ["p1"]}))
    large = entry({"h": ["p1", "p2", "p3"]})
    assert cache.get_or_hydrate("B", lambda _: large) is large
    assert "B" not in cache


def test_statistics_count_what_happened(cache):
    cache.get("A")
    cache.put("A", entry({"h": ["p1", "p2"]}))
    cache.get("A")
    cache.get_or_hydrate("B", lambda _: entry({"h": []}))
    statistics = cache.statistics()
    assert (statistics.sites, statistics.hosts, statistics.rows) == (2, 2, 2)
    assert (statistics.hits, statistics.misses, statistics.sets, statistics.hydrations) == (1, 2, 2, 1)


# Hydrating once


def in_threads(count, target):
    threads = [threading.Thread(target=target) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)


def test_sixteen_threads_that_want_one_cold_site_read_it_once(cache):
    reads, results, gate = [], [], threading.Barrier(16)

    def hydrate(_previous):
        reads.append(1)
        time.sleep(0.1)
        return entry({"A": ["p1"]})

    def ask():
        gate.wait()
        results.append(cache.get_or_hydrate("WLLS", hydrate))

    in_threads(16, ask)
    assert len(reads) == 1
    assert len(set(map(id, results))) == 1
    assert cache.statistics().shared_hydrations == 15


def test_sites_of_different_origin_do_not_share_a_read(cache):
    both_read, found = threading.Barrier(2, timeout=10), {}

    def ask(origin):
        def hydrate(_previous):
            both_read.wait()
            return entry({origin: ["p1"]})

        found[origin] = list(cache.hydrate("WLLS", hydrate, origin=origin)[0])

    threads = [threading.Thread(target=ask, args=(origin,)) for origin in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == {"one": ["one"], "two": ["two"]}


def test_a_refresh_does_not_settle_for_a_flight_that_found_the_site_cached(cache, monkeypatch):
    old, new = entry({"A": ["p1"]}), entry({"A": ["p1"]})
    cache.put("WLLS", old)
    run, joined = cache._reads._flights.run, []

    def join_a_flight_that_read_nothing(key, work, *, anew):
        if joined:
            return run(key, work, anew=anew)
        joined.append(key)
        return run(("another", key), lambda: ReadOutcome(old, was_read=False))

    monkeypatch.setattr(cache._reads._flights, "run", join_a_flight_that_read_nothing)
    assert cache.hydrate("WLLS", lambda _: new, refresh=True)[0] is new
    assert joined


def test_the_cache_can_be_read_while_somebody_finds_out_whether_an_entry_serves(cache):
    cache.put("WLLS", entry({"A": ["p1"]}))
    asking, answered = threading.Event(), threading.Event()

    def serves(_entry):
        asking.set()
        return answered.wait(10)

    asker = threading.Thread(target=lambda: cache.hydrate("WLLS", lambda _: entry({}), serves=serves))
    asker.start()
    asking.wait(10)
    reader = threading.Thread(target=cache.get, args=("WLLS",))
    reader.start()
    reader.join(5)
    assert not reader.is_alive()
    answered.set()
    asker.join(10)


def test_a_failed_refresh_leaves_the_old_entry_and_tells_everybody(cache):
    old = entry({"A": ["p1"]})
    cache.put("WLLS", old)

    def fail(previous):
        assert previous is old
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        cache.get_or_hydrate("WLLS", fail, refresh=True)
    assert cache.get("WLLS") is old


def test_readers_during_a_refresh_see_the_old_or_the_new_entry(cache):
    cache.put("WLLS", SiteEntry({f"H{number}": ports("p1", "p2", status="0") for number in range(20)}))
    stop, mixed = threading.Event(), []

    def read():
        while not stop.is_set():
            seen = {row.status for found in cache.get("WLLS").values() for row in found.values()}
            if len(seen) != 1:
                mixed.append(seen)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for turn in range(50):
        cache.get_or_hydrate(
            "WLLS",
            lambda _, turn=turn: SiteEntry({f"H{n}": ports("p1", "p2", status=str(turn)) for n in range(20)}),
            refresh=True,
        )
    stop.set()
    for reader in readers:
        reader.join(10)
    assert mixed == []


def test_a_host_merged_while_its_site_is_read_is_not_lost(cache):
    def hydrate(_previous):
        cache.merge_host("WLLS", "B", ports("p1", status="new"))
        return SiteEntry({"A": ports("p1"), "B": ports("p1", status="old")})

    result = cache.get_or_hydrate("WLLS", hydrate)
    assert result["B"]["p1"].status == "new"
    assert cache.get("WLLS") == result


def test_a_snapshot_imported_while_its_site_is_read_is_not_lost(cache, tmp_path):
    snapshot = tmp_path / "cache.clixml"
    write_snapshot(snapshot, {"WLLS": entry({"B": ["p1"]})})

    def hydrate(_previous):
        cache.import_snapshot(snapshot)
        return entry({"A": ["p1"]})

    assert list(cache.get_or_hydrate("WLLS", hydrate)) == ["A", "B"]


def test_a_refresh_drops_hosts_that_are_gone(cache):
    cache.put("WLLS", entry({"A": ["p1"], "GONE": ["p1"]}))
    cache.get_or_hydrate("WLLS", lambda _: entry({"A": ["p1"]}), refresh=True)
    assert list(cache.get("WLLS")) == ["A"]


def test_merging_hosts_from_many_threads_loses_none(cache):
    cache.put("WLLS", SiteEntry())
    numbers = iter(range(200))
    lock = threading.Lock()

    def merge():
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            cache.merge_host("WLLS", f"H{number}", ports("p1"))

    in_threads(8, merge)
    assert cache.get("WLLS").host_count == 200


def test_the_process_has_one_cache():
    found = []
    in_threads(8, lambda: found.append(shared_site_cache()))
    assert len(set(map(id, found))) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_can_use_a_cache_that_another_thread_had_locked(cache):
    cache.put("WLLS", entry({"A": ["p1"]}))
    locked, forked = threading.Event(), threading.Event()

    def hold():
        with cache._lock:
            locked.set()
            forked.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(10)
    child = os.fork()
    if not child:
        signal.alarm(10)
        os._exit(cache.get("WLLS") is None)
    forked.set()
    holder.join(10)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_keeps_what_was_cached_when_another_snapshot_was_named(cache, tmp_path):
    cache.put("WLLS", entry({"A": ["p1"]}))
    cache.apply(Settings(shared_cache_snapshot=tmp_path / "cache.clixml"))
    child = os.fork()
    if not child:
        signal.alarm(10)
        os._exit(cache.get("WLLS") is None)
    assert os.waitpid(child, 0)[1] == 0


class VersionedDatabase:
    """Hosts with a value each, and a state that changes with every write."""

    def __init__(self, identity):
        self.identity, self.version, self.hosts, self.lock = identity, 0, {}, threading.Lock()

    def state(self):
        return DatabaseState(self.identity, str(self.version))

    def read(self, _previous):
        source = self.state()
        time.sleep(0.0005)
        with self.lock:
            hosts = dict(self.hosts)
        time.sleep(0.0005)
        return SiteEntry({host: ports("p1", status=value) for host, value in hosts.items()}, source=source)

    def write(self, host, value):
        with self.lock:
            since = self.state()
            self.version += 1
            self.hosts[host] = value
            return since, self.state()


@pytest.mark.parametrize("bound", [None, 6])
def test_whatever_happens_at_once_no_entry_claims_a_state_that_it_does_not_hold(make_cache, bound):  # noqa: C901  # many small actions
    cache = make_cache(shared_cache_max_rows=bound)
    databases = [VersionedDatabase("one"), VersionedDatabase("two")]
    wrong, verified = [], []

    def check(database, _host, _value):
        found = cache.get("WLLS")
        with database.lock:
            if found is not None and found.source == database.state():
                verified.append(found)
                if {host: row["p1"].status for host, row in found.items()} != database.hosts:
                    wrong.append((found.source, found.to_wire(), dict(database.hosts)))

    def write(database, host, value):
        since, source = database.write(host, value)
        time.sleep(0.0005)
        cache.merge_host("WLLS", host, ports("p1", status=value), since=since, source=source)

    def write_elsewhere(database, host, value):
        database.write(host, value)

    def read(database, *_, refresh=False):
        cache.hydrate(
            "WLLS", database.read, refresh=refresh, origin=database.identity,
            serves=lambda cached: cached.source.identity == database.identity,
        )  # fmt: skip

    def refresh(database, *_):
        read(database, refresh=True)

    def crowd_out(*_):
        cache.put("BOYO", entry({"A": ["p1", "p2", "p3"]}))

    def clear(*_):
        cache.clear("UnitTest")

    def discard(*_):
        cache.discard("WLLS")

    often = {write: 40, write_elsewhere: 2, read: 15, refresh: 15, crowd_out: 4, clear: 2, discard: 2, check: 20}

    def work(number):
        chance = random.Random(number)  # noqa: S311  # repeatable
        for turn, act in enumerate(chance.choices(list(often), list(often.values()), k=150)):
            act(databases[chance.random() < 0.2], f"WLLS-{chance.randrange(4)}", f"{number}.{turn}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []
    assert verified
