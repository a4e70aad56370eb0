"""Where existing rows come from, and how that is told (reference: parser-persistence 9.4)."""

from __future__ import annotations

import threading

import pytest
from world import HOST, OTHER, SITE

from statetrace.errors import HydrationFailed
from statetrace.persistence.existing import (
    HYDRATED,
    KEPT,
    OVERTAKEN,
    REFRESHED,
    SHARED,
    SKIPPED,
    UNAVAILABLE,
    ExistingRows,
)


def existing(world, host=HOST):
    persistence = world.persistence
    return persistence.existing_rows(SITE, host, persistence.repository.databases.made(SITE))


@pytest.fixture
def filled(make_world):
    """A folder with two hosts in it, of which nobody knows."""
    with_hosts = make_world()
    with_hosts.persist(HOST, ["Gi1", "Gi2"])
    with_hosts.persist(OTHER, ["Gi1"])
    with_hosts.close()
    return make_world


def test_a_site_that_is_not_cached_is_read_whole_and_the_next_host_finds_it(filled):  # D5, X9
    world = filled()
    first, second = existing(world), existing(world, OTHER)
    assert (first.origin, second.origin) == (HYDRATED, SHARED)
    assert (list(first.known.ports), list(second.known.ports)) == (["Gi1", "Gi2"], ["Gi1"])
    assert first.known.state == second.known.state == world.databases.open(SITE).state()
    assert first.read.metrics.result_row_count == 3
    assert second.read is None
    assert first.fetch_ns > 0 < second.fetch_ns


def test_a_host_that_a_current_site_does_not_name_has_no_rows(filled):  # D6, K5
    world = filled()
    existing(world)
    new = existing(world, "WLLS-NEW")
    assert (new.origin, dict(new.known.ports)) == (SHARED, {})


def test_a_site_that_somebody_wrote_to_is_read_anew(filled):
    world = filled()
    existing(world)
    world.sql("UPDATE Interfaces SET Status = 'up'")
    found = existing(world)
    assert found.origin == REFRESHED
    assert found.known.ports["Gi1"].status == "up"
    assert existing(world).origin == SHARED


def test_a_site_that_was_imported_is_read_anew_for_its_state_is_not_known(filled, tmp_path):
    one, other = filled(), filled()
    one.repository.site(SITE)
    one.cache.export_snapshot(tmp_path / "s.clixml")
    other.cache.import_snapshot(tmp_path / "s.clixml")
    assert existing(other).origin == REFRESHED
    assert existing(other).origin == SHARED


def test_a_forced_refresh_reads_each_site_once(filled):  # D11
    world = filled(force_site_cache_refresh=True)
    assert [existing(world, host).origin for host in (HOST, OTHER, HOST)] == [REFRESHED, SHARED, SHARED]


def test_a_forced_refresh_that_failed_is_still_to_be_done(filled, tmp_path):
    folder = tmp_path / "templates"
    folder.mkdir()
    world = filled(force_site_cache_refresh=True, templates=folder)
    with pytest.raises(HydrationFailed):
        existing(world)
    (folder / "Cisco.json").write_text('{"templates": []}')
    assert existing(world).origin == REFRESHED


def test_without_the_shared_cache_rows_are_left_to_be_read_with_the_host(filled):
    world = filled(shared_cache_enabled=False)
    found = [existing(world), existing(world)]
    assert [(one.origin, one.known, one.entry) for one in found] == [(UNAVAILABLE, None, None)] * 2


def test_skip_mode_reads_no_site_but_uses_one_that_is_current(filled):  # X8
    world = filled(skip_site_cache_update=True)
    assert existing(world).origin == SKIPPED
    assert world.cache.peek(SITE) is None
    world.repository.site(SITE)
    assert existing(world).origin == SHARED
    world.sql("UPDATE Interfaces SET Status = 'up'")
    stale = existing(world)
    assert (stale.origin, stale.known) == (SKIPPED, None)
    assert world.cache.peek(SITE)[HOST]["Gi1"].status == ""


def test_rows_kept_in_skip_mode_come_before_everything_else(filled):  # K4
    world = filled(skip_site_cache_update=True, force_site_cache_refresh=True)
    world.repository.site(SITE)
    world.row_cache.put(SITE, HOST, world.cache.peek(SITE)[OTHER], since=None, state=None)
    assert existing(world).origin == KEPT
    assert list(existing(world).known.ports) == ["Gi1"]


def test_outside_skip_mode_kept_rows_count_for_nothing(filled):
    world = filled()
    world.row_cache.put(SITE, HOST, filled().hydrated()[HOST], since=None, state=None)
    assert existing(world).origin == HYDRATED


@pytest.mark.parametrize("origin", [SHARED, HYDRATED, REFRESHED, KEPT])
def test_what_was_known_and_did_not_fit_is_told_as_read_from_the_database(origin):
    found = ExistingRows(origin, fetch_ns=7)
    assert found.settled(loaded=False, skip=False) is found
    assert found.settled(loaded=True, skip=False) == ExistingRows(OVERTAKEN, fetch_ns=7)
    assert found.settled(loaded=True, skip=True) == ExistingRows(SKIPPED, fetch_ns=7)


@pytest.mark.parametrize("origin", [SKIPPED, UNAVAILABLE])
def test_what_was_to_be_read_from_the_database_is_told_as_that(origin):
    found = ExistingRows(origin)
    assert found.settled(loaded=True, skip=False) is found


def test_of_threads_that_want_a_site_at_once_one_tells_that_it_read_it(filled):
    world = filled()
    world.persistence.repository.databases.made(SITE)
    ready, found = threading.Barrier(8), []

    def look():
        ready.wait(10)
        found.append(existing(world))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(one.origin.provider for one in found) == ["Hydrated", *["SharedCache"] * 7]
    assert sum(one.read is not None for one in found) == 1
    assert all(list(one.known.ports) == ["Gi1", "Gi2"] for one in found)
