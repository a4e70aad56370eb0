"""Where the cache keeps its sites, and which of them stem from a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.cache.store import KeptSite, SiteStore
from statetrace.model import CaseInsensitiveMap, DatabaseState, InterfaceRow, SiteEntry, fold

ROW = InterfaceRow()
SITES, DATABASES = ("a", "B", "c"), ("one", "two", None)


def kept(site, database, rows=1):
    ports = CaseInsensitiveMap({f"p{number}": ROW for number in range(rows)})
    return KeptSite(site, SiteEntry({"H": ports}, source=None if database is None else DatabaseState(database, "1")))


STEPS = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(SITES), st.sampled_from(DATABASES), st.integers(0, 6)),
    st.tuples(st.just("replace"), st.sampled_from(SITES), st.sampled_from(DATABASES)),
    st.tuples(st.just("pop"), st.sampled_from(SITES)),
    st.tuples(st.sampled_from(["drain", "clear"])),
)


def do(store, step, site="", database=None, rows=None):
    key = fold(site)
    before = store.get(key) if step == "replace" else None
    if step == "set":
        store.set(key, kept(site, database, rows))
    elif before is not None:
        store.replace(key, kept(site, database, before.entry.total_rows))
    elif step == "pop":
        store.pop(key)
    elif step != "replace":
        getattr(store, step)()


@pytest.mark.parametrize("max_rows", [None, 5])
@given(steps=st.lists(STEPS, max_size=12))
def test_of_each_database_it_knows_the_sites(max_rows, steps):
    store = SiteStore(max_rows)
    for step in steps:
        do(store, *step)
        for database in ("one", "two"):
            stemming = {
                site.name for site in store.all() if site.entry.source and site.entry.source.identity == database
            }
            assert {site.name for site in store.of_database(database)} == stemming


def test_looking_at_the_sites_of_a_database_is_no_use_of_them():
    store = SiteStore(2)
    store.set("A", kept("A", "one"))
    store.set("B", kept("B", "two"))
    assert [site.name for site in store.of_database("one")] == ["A"]
    assert [site.name for site in store.set("C", kept("C", None))] == ["A"]
