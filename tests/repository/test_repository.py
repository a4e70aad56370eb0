"""The device repository."""

from __future__ import annotations

import sqlite3
import threading

import pytest
from site_database import write_rows

from statetrace.cache import SharedSiteCache, normalize_site_entry
from statetrace.database import SiteDatabases, open_database, schema
from statetrace.errors import DatabaseLocked, HydrationFailed, NotFound, UnsafeName
from statetrace.model import DatabaseState, SiteEntry
from statetrace.repository import DeviceRepository
from statetrace.repository import repository as repository_module
from statetrace.settings import Settings
from statetrace.telemetry import InterfacePortQueueMetrics, InterfaceSiteCacheMetrics, Telemetry

BOYO = [(f"BOYO-A0{host}-AS-01", f"Et1/1/{port}", {"AuthTemplate": "open"}) for host in (1, 2) for port in range(1, 11)]


def test_a_first_read_hydrates_and_tells_it_in_order(data, repository, events):
    data("BOYO", BOYO)
    read = repository.read_site(" BOYO ")
    assert (read.entry.host_count, read.entry.total_rows, read.from_cache) == (2, 20, False)
    assert [event.operation if hasattr(event, "operation") else type(event).__name__ for event in events.events] == [
        "InitDelegatedStore", "GetMiss", "InterfaceSiteCacheReuseAttempt", "Set", "InterfaceSiteCacheMetrics",
    ]  # fmt: skip
    metrics = events.of(InterfaceSiteCacheMetrics)[0]
    assert metrics == read.metrics
    assert (metrics.site, metrics.cache_status, metrics.provider, metrics.refreshed) == (
        "BOYO",
        "Hydrated",
        "ADODB",
        False,
    )
    assert (metrics.database_dialect, metrics.previous_snapshot_status) == ("sqlite", "CacheEntryMissing")


def test_a_second_read_reuses_and_tells_it_in_order(data, repository, events):
    data("BOYO", BOYO)
    first = repository.site("BOYO")
    events.clear()
    read = repository.read_site("boyo")
    assert read.entry is first
    assert read.from_cache
    hit, attempt, metrics, state = events.events
    assert (hit.operation, hit.host_count, hit.total_rows) == ("GetHit", 2, 20)
    assert (attempt.refresh, attempt.script_cache_entry_found, attempt.shared_store_entry_found) == (False, True, True)
    assert (attempt.adopted_from_shared_store, attempt.script_cache_total_rows, attempt.shared_store_host_count) == (
        True,
        20,
        2,
    )
    assert (metrics.cache_status, metrics.provider, metrics.previous_snapshot_status) == (
        "SharedOnly",
        "Cache",
        "CacheHit",
    )
    assert (metrics.query_attempts, metrics.hydration_duration_ms, metrics.materialize_template_cache_hit_ratio) == (
        0,
        0,
        None,
    )
    for field in ("host_map_lookup_count", "host_map_signature_match_count", "host_map_candidate_from_previous_count", "result_row_count", "previous_port_count", "previous_snapshot_port_count", "total_rows"):  # fmt: skip
        assert getattr(metrics, field) == 20
    assert metrics.host_count == metrics.previous_host_count == metrics.previous_snapshot_host_count == 2
    assert metrics.previous_host_sample == state.keys_sample == "BOYO-A01-AS-01,BOYO-A02-AS-01"
    assert (state.host_count, state.total_rows) == (2, 20)


def test_a_refresh_without_a_change_matches_every_row(data, repository, events):
    data("BOYO", BOYO)
    first = repository.site("BOYO")
    read = repository.read_site("BOYO", refresh=True)
    metrics = read.metrics
    assert (metrics.cache_status, metrics.refreshed, metrics.previous_snapshot_status) == (
        "Refreshed",
        True,
        "Converted",
    )
    assert (metrics.host_map_signature_match_count, metrics.host_map_signature_rewrite_count) == (20, 0)
    assert all(read.entry[host] is first[host] for host in first)


def test_a_refresh_after_one_pushed_host_counts_as_the_original_did(data, repository):
    # reference: site-cache 15.4, with this smaller site
    data("BOYO", BOYO)
    host = "BOYO-A01-AS-01"
    pushed = {host: {f"Et1/1/{port}": {"VLAN": ""} for port in range(1, 11)}}
    repository.cache.put("BOYO", normalize_site_entry(pushed))
    metrics = repository.read_site("BOYO", refresh=True).metrics
    assert (metrics.host_count, metrics.total_rows, metrics.host_map_lookup_miss_count) == (2, 20, 2)
    assert (metrics.host_map_candidate_from_previous_count, metrics.host_map_candidate_missing_count) == (10, 10)
    assert (metrics.host_map_candidate_signature_mismatch_count, metrics.host_map_signature_rewrite_count) == (10, 20)
    assert len(metrics.host_map_signature_mismatch_samples) == len(metrics.host_map_candidate_missing_samples) == 5


def test_a_growing_site_is_refreshed_with_one_host_new_each_time(data, repository):
    # reference: site-cache 15.5; rows have one form here, so those already known match
    for hosts in range(1, 6):
        data("BOYO", [(f"BOYO-A{host:02d}", f"Et1/1/{port}", {}) for host in range(hosts) for port in range(10)])
        metrics = repository.read_site("BOYO", refresh=True).metrics
        assert metrics.host_count == hosts
        assert (
            metrics.host_map_signature_match_count == metrics.host_map_candidate_from_previous_count == 10 * (hosts - 1)
        )
        assert metrics.host_map_candidate_missing_count == 10


def test_a_site_without_a_database_is_empty_and_not_remembered(data, repository, events):
    read = repository.read_site("NONE")
    assert read.entry.host_count == 0
    assert (read.metrics.provider, read.metrics.query_attempts) == ("MissingDatabase", 1)
    data("NONE", [("NONE-A", "p1", {})])
    assert repository.site("NONE").total_rows == 1


def test_an_empty_database_is_a_result_that_is_cached(data, repository):
    data("BOYO", [])
    assert repository.site("BOYO").host_count == 0
    assert repository.read_site("BOYO").from_cache


def test_a_failed_read_raises_publishes_nothing_and_keeps_what_was_cached(data, repository, events):
    data("BOYO", BOYO)
    first = repository.site("BOYO")
    repository.databases.close()
    path = data.folder / "BOYO" / "BOYO.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE Interfaces")
    connection.close()
    events.clear()
    with pytest.raises(HydrationFailed, match=r"BOYO.*BOYO\.sqlite"):
        repository.site("BOYO", refresh=True)
    assert repository.cache.get("BOYO") is first
    metrics = events.of(InterfaceSiteCacheMetrics)[0]
    assert (metrics.provider, metrics.refreshed) == ("Refresh", True)
    assert "Set" not in [getattr(event, "operation", "") for event in events.events]


def test_a_hostile_site_code_never_becomes_a_path(repository):
    with pytest.raises(UnsafeName):
        repository.site("../../etc/passwd")


def test_sixteen_threads_read_a_cold_site_once(data, repository, events):
    data("BOYO", BOYO)
    gate, entries = threading.Barrier(16), []

    def read():
        gate.wait()
        entries.append(repository.site("BOYO"))

    threads = [threading.Thread(target=read) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(set(map(id, entries))) == 1
    assert [metrics.provider for metrics in events.of(InterfaceSiteCacheMetrics)].count("ADODB") == 1
    assert len(events.of(InterfaceSiteCacheMetrics)) == 16


def test_two_folders_in_one_process_do_not_mix_their_sites(tmp_path, data, events):

    cache = SharedSiteCache(settings=Settings())
    repositories = []
    for name in ("one", "two"):
        write_rows(tmp_path / name / "BOYO" / "BOYO.sqlite", [(f"BOYO-{name}", "p1", {})])
        repositories.append(DeviceRepository(tmp_path / name, cache=cache))
    one, two = repositories
    assert list(one.site("BOYO")) == ["BOYO-one"]
    assert list(two.site("BOYO")) == ["BOYO-two"]
    assert list(one.site("BOYO")) == ["BOYO-one"]
    for repository in repositories:
        repository.databases.close()


def test_two_folders_that_are_read_at_once_do_not_mix_their_sites(tmp_path, monkeypatch):
    cache, found = SharedSiteCache(settings=Settings()), {}
    both_read = threading.Barrier(2, timeout=10)
    hydrate_site = repository_module.hydrate_site

    def together(*arguments, **options):
        both_read.wait()
        return hydrate_site(*arguments, **options)

    monkeypatch.setattr(repository_module, "hydrate_site", together)

    def read(name):
        repository = DeviceRepository(tmp_path / name, cache=cache)
        found[name] = list(repository.site("BOYO"))
        repository.databases.close()

    for name in ("one", "two"):
        write_rows(tmp_path / name / "BOYO" / "BOYO.sqlite", [(f"BOYO-{name}", "p1", {})])
    threads = [threading.Thread(target=read, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == {"one": ["BOYO-one"], "two": ["BOYO-two"]}


def test_who_waits_for_the_refresh_of_another_thread_tells_a_refresh(data, repository, events, monkeypatch):
    data("BOYO", BOYO)
    begun, go_on = threading.Event(), threading.Event()
    hydrate_site = repository_module.hydrate_site

    def slowly(*arguments, **options):
        begun.set()
        go_on.wait(10)
        return hydrate_site(*arguments, **options)

    monkeypatch.setattr(repository_module, "hydrate_site", slowly)
    first = threading.Thread(target=repository.site, args=("BOYO",))
    first.start()
    begun.wait(10)
    others = [threading.Thread(target=repository.read_site, args=("BOYO",), kwargs={"refresh": True}) for _ in "ab"]
    for other in others:
        other.start()
    threading.Timer(0.2, go_on.set).start()
    for thread in (first, *others):
        thread.join(20)
    told = [(event.refreshed, event.cache_status) for event in events.of(InterfaceSiteCacheMetrics)]
    assert sorted(told) == [(False, "Hydrated"), (True, "Refreshed"), (True, "Refreshed")]


def test_an_imported_site_is_served_even_if_its_database_cannot_be_read(data, repository):
    path = data.folder / "BOYO" / "BOYO.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"no database" * 100)
    imported = SiteEntry()
    repository.cache.put("BOYO", imported)
    assert repository.site("BOYO") is imported
    with pytest.raises(HydrationFailed):
        repository.site("BOYO", refresh=True)


@pytest.mark.parametrize("override", [None, "all.sqlite"])
def test_a_blank_site_is_empty_and_tells_nothing(tmp_path, events, override):
    # reference: site-cache 6.1, step 1
    write_rows(tmp_path / "all.sqlite", BOYO)
    databases = SiteDatabases(tmp_path, override and tmp_path / override)
    repository = DeviceRepository(databases, cache=SharedSiteCache(settings=Settings()), telemetry=Telemetry(events))
    assert repository.site(" ").host_count == 0
    assert repository.interfaces(site="") == ()
    assert events.events == []
    databases.close()


def test_an_imported_site_is_reused_as_it_is(data, repository):
    data("BOYO", BOYO)
    imported = SiteEntry(cache_status="Odd")
    repository.cache.put("BOYO", imported)
    read = repository.read_site("BOYO")
    assert read.entry is imported
    assert read.metrics.cache_status == "Odd"


def test_with_the_cache_switched_off_the_repository_keeps_its_own_entry(data, events):
    # reference: site-cache 15.9, last line
    data("BOYO", BOYO)
    telemetry = Telemetry(events)
    cache = SharedSiteCache(telemetry=telemetry, settings=Settings(shared_cache_enabled=False))
    repository = DeviceRepository(data.folder, cache=cache, telemetry=telemetry)
    first = repository.site("BOYO")
    events.clear()
    read = repository.read_site("BOYO")
    assert read.entry is first
    assert next(getattr(event, "operation", type(event).__name__) for event in events.events) == "GetMiss"
    assert read.metrics.cache_status == "Hit"
    repository.databases.close()


def test_forced_refresh_reads_every_time(data):
    data("BOYO", BOYO)
    repository = DeviceRepository(data.folder, cache=SharedSiteCache(settings=Settings()), force_refresh=True)
    repository.site("BOYO")
    assert repository.read_site("BOYO").metrics.refreshed
    repository.databases.close()


def test_whether_a_cached_site_is_current_can_be_asked(data, repository):
    assert not repository.is_current("BOYO")
    data("BOYO", BOYO)
    repository.site("BOYO")
    assert repository.is_current("BOYO")
    data("BOYO", BOYO[:1])
    assert not repository.is_current("BOYO")
    repository.site("BOYO", refresh=True)
    assert repository.is_current("BOYO")
    repository.cache.put("BOYO", SiteEntry(source=DatabaseState("other", "1")))
    assert not repository.is_current("BOYO")


# Queries


def test_interfaces_of_everything_a_site_a_zone_a_host(data, repository):
    data("BOYO", BOYO)
    data("WLLS", [("WLLS-A02-X", "p1", {}), ("WLLS-B01-X", "p1", {})])
    assert repository.sites() == ("BOYO", "WLLS")
    assert len(repository.interfaces()) == 22
    assert len(repository.interfaces(site="boyo")) == 20
    assert {record.hostname for record in repository.interfaces(zone="a02")} == {"BOYO-A02-AS-01", "WLLS-A02-X"}
    records = repository.interfaces(host="SSH@boyo-a01-as-01")
    assert [record.port for record in records] == [f"Et1/1/{port}" for port in range(1, 11)]
    record = records[0]
    assert (record.site, record.zone, record.building, record.room, record.make) == ("BOYO", "A01", "B1", "R1", "Cisco")
    assert repository.interfaces(host="BOYO-NOBODY") == ()


def test_one_interface_is_found_in_any_case_and_a_missing_one_is_named(data, repository):
    data("BOYO", BOYO)
    assert repository.interface("boyo-a01-as-01", "ET1/1/1").port_color == "Red"
    with pytest.raises(NotFound, match="port 'Et9'"):
        repository.interface("BOYO-A01-AS-01", "Et9")
    with pytest.raises(NotFound, match="host 'BOYO-X'"):
        repository.interface("BOYO-X", "Et1/1/1")


def test_a_batch_of_hosts_asks_each_site_once(data, repository, events):
    data("BOYO", BOYO)
    data("WLLS", [("WLLS-A", "p1", {})])
    found = repository.hosts_batch([" boyo-a01-as-01", "BOYO-A01-AS-01", "WLLS-A", "WLLS-NOBODY", "", "BOYO-A02-AS-01"])
    assert list(found) == ["boyo-a01-as-01", "WLLS-A", "BOYO-A02-AS-01"]
    assert len(events.of(InterfaceSiteCacheMetrics)) == 2


def test_devices_spanning_tree_and_history(data, repository):
    data("BOYO", BOYO)
    host = "BOYO-A01-AS-01"
    with open_database(data.folder / "BOYO" / "BOYO.sqlite") as database, database.begin() as connection:
        for vlan in ("VLAN0030", "VLAN0010"):
            connection.execute(
                schema.span_info.insert(),
                {"Hostname": host, "Vlan": vlan, "Role": "Desg", "LastUpdated": "2025-12-17 22:42:07"},
            )
        for date in ("2026-01-06 13:28:32", "2026-01-05 13:28:32"):
            connection.execute(schema.device_history.insert(), {"Hostname": host, "RunDate": date, "Make": "Cisco"})
            connection.execute(
                schema.interface_history.insert(),
                {"Hostname": host, "RunDate": date, "Port": "Et1/1/1", "Config": " exit", "VLAN": 7},
            )
    assert [device.hostname for device in repository.devices("BOYO")] == ["BOYO-A01-AS-01", "BOYO-A02-AS-01"]
    assert repository.devices() == repository.devices("BOYO")
    assert repository.device("boyo-a01-as-01").building == "B1"
    with pytest.raises(NotFound):
        repository.device("BOYO-X")
    spans = repository.spanning_tree(host)
    assert [span.vlan for span in spans] == ["VLAN0010", "VLAN0030"]
    assert (spans[0].role, spans[0].root_port, spans[0].last_updated) == ("Desg", "", "2025-12-17 22:42:07")
    assert [record.run_date for record in repository.device_history(host)] == [
        "2026-01-05 13:28:32",
        "2026-01-06 13:28:32",
    ]
    history = repository.interface_history(host, "et1/1/1")
    assert len(history) == 2
    assert (history[0].row.vlan, history[0].row.tooltip) == ("7", "AuthTemplate: \r\n\r\n exit")
    assert history[0].row.port_sort == "30-ET-00001-00001-00001-00000"
    assert repository.spanning_tree("NONE-X") == repository.device_history("NONE-X") == ()


def test_ports_of_a_host_come_in_batches(data, repository, events):
    data("BOYO", BOYO)
    batches = list(repository.port_stream("BOYO-A01-AS-01", chunk_size=4))
    assert [len(batch.ports) for batch in batches] == [4, 4, 2]
    assert events.of(InterfacePortQueueMetrics)[0].total_ports == 10
    with pytest.raises(NotFound):
        repository.port_stream("BOYO-X")


def test_a_cached_site_whose_database_is_gone_is_still_served(data, repository):
    data("BOYO", BOYO)
    first = repository.site("BOYO")
    repository.databases.close()
    for file in (data.folder / "BOYO").iterdir():
        file.unlink()
    assert repository.site("BOYO") is first
    assert repository.read_site("BOYO", refresh=True).metrics.provider == "MissingDatabase"
    assert repository.cache.get("BOYO") is first


def test_a_cached_site_is_served_whatever_became_of_its_folder(data, repository):
    data("BOYO", BOYO)
    first = repository.site("BOYO")
    repository.databases.close()
    for file in (data.folder / "BOYO").iterdir():
        file.unlink()
    (data.folder / "OTHER.sqlite").write_bytes(b"no database" * 100)
    assert repository.site("BOYO") is first
    (data.folder / "BOYO" / "BOYO.sqlite").write_bytes(b"no database" * 100)
    assert repository.site("BOYO") is first
    with pytest.raises(HydrationFailed):
        repository.site("BOYO", refresh=True)


def test_with_the_cache_switched_off_an_own_entry_outlives_its_database(data):
    data("BOYO", BOYO)
    repository = DeviceRepository(data.folder, cache=SharedSiteCache(settings=Settings(shared_cache_enabled=False)))
    first = repository.site("BOYO")
    repository.databases.close()
    for file in (data.folder / "BOYO").iterdir():
        file.unlink()
    (data.folder / "BOYO" / "BOYO.sqlite").write_bytes(b"no database" * 100)
    assert repository.site("BOYO") is first


@pytest.mark.parametrize("filed", [None, "WLLS"])
def test_sites_whose_names_overlap_in_one_database_have_each_device_once(tmp_path, repository, filed):
    hosts = ["WLLS-A", "WLLS1-B", "WLLS2-C"]
    write_rows(tmp_path / "all.sqlite", [(host, "p1", {}) for host in hosts], site=filed)
    assert repository.sites() == ("WLLS", "WLLS1", "WLLS2")
    assert [[*repository.site(site)] for site in repository.sites()] == [[host] for host in hosts]
    assert [[device.hostname for device in repository.devices(site)] for site in repository.sites()] == [
        [host] for host in hosts
    ]
    assert [record.hostname for record in repository.interfaces()] == hosts


def test_a_locked_database_is_waited_for_and_the_waiting_is_told(data, repository, tmp_path):
    data("BOYO", BOYO)
    path = data.folder / "BOYO" / "BOYO.sqlite"
    holder = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    holder.execute("PRAGMA journal_mode=DELETE")  # as a foreign program may leave it; then a writer locks readers out
    holder.execute("BEGIN EXCLUSIVE")
    release = threading.Timer(0.7, holder.execute, ("COMMIT",))
    release.start()
    metrics = repository.read_site("BOYO").metrics
    release.join()
    holder.close()
    assert metrics.provider == "AccessRetry"
    assert metrics.query_attempts == metrics.exclusive_retry_count + 1 >= 2
    assert metrics.exclusive_wait_duration_ms >= 100
    assert metrics.total_rows == 20


def test_a_database_that_stays_locked_is_given_up_with_the_way_out(data, repository):
    data("BOYO", BOYO)
    holder = sqlite3.connect(data.folder / "BOYO" / "BOYO.sqlite", isolation_level=None)
    holder.execute("PRAGMA journal_mode=DELETE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(HydrationFailed, match=r"BOYO\.sqlite.*after 5 attempts.*close the program") as caught:
        repository.site("BOYO")
    holder.close()
    assert isinstance(caught.value.__cause__, DatabaseLocked)
