"""Looking at an entry without using it, and learning that it is still current."""

from __future__ import annotations

import pytest

from statetrace.cache import SharedSiteCache, write_snapshot
from statetrace.model import CaseInsensitiveMap, DatabaseState, InterfaceRow, SiteEntry
from statetrace.settings import Settings
from statetrace.telemetry import Telemetry
from statetrace.testing import EventCapture

BEFORE, AFTER = DatabaseState("db", "1@1", "p.1"), DatabaseState("db", "1@2", "p.2")


def entry(source=None, **hosts):
    return SiteEntry(
        {host: CaseInsensitiveMap({port: InterfaceRow() for port in ports}) for host, ports in hosts.items()},
        source=source,
    )


@pytest.fixture
def events():
    return EventCapture()


@pytest.fixture
def cache(events):
    return SharedSiteCache(telemetry=Telemetry(events), settings=Settings())


def test_peeking_finds_what_getting_finds_but_tells_and_counts_nothing(cache, events):
    site = entry(A=["p"])
    cache.put("WLLS", site)
    before = cache.statistics()
    events.clear()
    assert cache.peek(" wlls ") is site
    assert cache.peek("BOYO") is None
    assert cache.peek("") is None
    assert cache.statistics() == before
    assert events.events == []


def test_peeking_is_a_first_use(tmp_path, events):
    write_snapshot(tmp_path / "s.clixml", {"WLLS": entry(A=["p"])})
    cache = SharedSiteCache(telemetry=Telemetry(events), settings=Settings(shared_cache_snapshot=tmp_path / "s.clixml"))
    assert list(cache.peek("WLLS")) == ["A"]


def test_peeking_into_a_cache_that_is_switched_off_finds_nothing():
    cache = SharedSiteCache(settings=Settings(shared_cache_enabled=False))
    cache.put("WLLS", entry(A=["p"]))
    assert cache.peek("WLLS") is None


@pytest.mark.parametrize(
    ("had", "has"),
    [
        (BEFORE, AFTER),
        (DatabaseState("db", "1@1", "q.7"), AFTER),  # the same state as another process counts it
        (DatabaseState("db", "1@1", "p.7"), DatabaseState("db", "1@1", "p.7")),
        (DatabaseState("db", "1@7", "p.1"), DatabaseState("db", "1@7", "p.1")),
        (DatabaseState("other", "1@1", "p.1"), DatabaseState("other", "1@1", "p.1")),
        (DatabaseState("db"), DatabaseState("db")),
        (None, None),
    ],
)
def test_only_an_entry_in_the_state_before_is_in_the_state_after(cache, had, has):
    site = entry(had, A=["p"])
    cache.put("WLLS", site)
    cache.confirm(BEFORE, AFTER)
    found = cache.peek("WLLS")
    assert (found.source, found.hosts is site.hosts) == (has, True)


def test_of_no_known_state_nothing_is_confirmed(cache):
    cache.put("WLLS", entry(DatabaseState("db"), A=["p"]))
    cache.confirm(DatabaseState("db"), AFTER)
    assert cache.peek("WLLS").source == DatabaseState("db")


def test_all_sites_of_a_database_are_confirmed_and_nothing_is_told(cache, events):
    for site in ("WLLS", "BOYO"):
        cache.put(site, entry(BEFORE, A=["p"]))
    cache.put("THIRD", entry(DatabaseState("other", "1@1", "p.1"), A=["p"]))
    counted = cache.statistics()
    events.clear()
    cache.confirm(BEFORE, AFTER)
    assert [kept.source == AFTER for kept in cache.entries().values()] == [True, True, False]
    assert cache.sites() == ("WLLS", "BOYO", "THIRD")
    assert cache.statistics() == counted
    assert events.events == []


@pytest.mark.parametrize(("changed", "confirmed"), [(None, True), ("B", True), ("A", False), ("a", False)])
def test_an_entry_that_has_the_changed_host_is_not_confirmed(cache, changed, confirmed):
    cache.put("WLLS", entry(BEFORE, A=["p"]))
    cache.confirm(BEFORE, AFTER, changed=changed)
    assert cache.peek("WLLS").source == (AFTER if confirmed else BEFORE)


def test_an_entry_that_was_handed_out_stays_as_it_was(cache):
    cache.put("WLLS", entry(BEFORE, A=["p"]))
    held = cache.get("WLLS")
    cache.confirm(BEFORE, AFTER)
    assert held.source == BEFORE


def test_a_confirmation_is_no_use_of_a_site():
    cache = SharedSiteCache(settings=Settings(shared_cache_max_rows=2))
    for site in ("WLLS", "BOYO"):
        cache.put(site, entry(BEFORE, A=["p"]))
    cache.get("WLLS")
    cache.confirm(BEFORE, AFTER)
    cache.put("THIRD", entry(A=["p"]))
    assert set(cache.sites()) == {"WLLS", "THIRD"}
