"""Why hosts got rows from where they got them is counted by site and by host."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.analysis.events import WireEvent, analyze
from statetrace.analysis.reading import TelemetryReader
from statetrace.analysis.reports.provider_reasons import ProviderReasons, provider_reasons


def sync(site="ALDR", host="ALDR-A01", **fields):
    return WireEvent("InterfaceSyncTiming", {"Site": site, "Hostname": host, **fields})


def refresh(host, fetch=None, site="ALDR"):
    return sync(site, host, SiteCacheProviderReason="AccessRefresh", SiteCacheFetchDurationMs=fetch)


def hosts_of(*events, top=10):
    reasons = ProviderReasons(top)
    analyze(events, reasons)
    return reasons.hosts()


@pytest.mark.original
def test_the_original_says_the_same_of_its_own_file(original_data):
    folder = original_data / "analysis" / "shared-cache-2025-12-23"
    expected = json.loads((folder / "SiteCacheProviderReasons-2025-12-23.records.json").read_bytes())
    found = msgspec.to_builtins(provider_reasons(TelemetryReader.at(folder / "2025-12-23.json.gz")))
    assert found == expected
    assert [list(site) for site in found] == [list(site) for site in expected]


@pytest.mark.parametrize(
    ("fields", "column"),
    [
        ({"SiteCacheProviderReason": "AccessRefresh", "SiteCacheProvider": "Cache"}, "access_refresh"),
        ({"SiteCacheProviderReason": " sharedcachematch "}, "shared_cache_match"),
        ({"SiteCacheProviderReason": "AccessCacheHit"}, "access_cache_hit"),
        ({"SiteCacheProviderReason": "SkipSiteCacheUpdate"}, "skip_site_cache_update"),
        ({"SiteCacheProviderReason": "SharedCacheUnavailable"}, "other"),
        ({"SiteCacheProviderReason": " ", "SiteCacheProvider": "Cache"}, "other"),
        ({"SiteCacheProviderReason": None, "SiteCacheProvider": "unknown"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_the_reason_is_the_events_own_else_its_provider_else_unknown(fields, column):
    (site,) = provider_reasons([sync(**fields)])
    assert site.total == getattr(site, column) == 1


def test_sites_are_listed_by_name_under_their_first_spelling_and_unknown_without_one():
    sites = provider_reasons([sync("wlls"), sync("BOYO"), sync("WLLS"), sync(" ")])
    assert [(site.site, site.total) for site in sites] == [("BOYO", 1), ("Unknown", 1), ("wlls", 2)]


def test_events_of_other_names_and_none_at_all_give_no_sites():
    assert provider_reasons([WireEvent("RowsWritten", {"Site": "ALDR"})]) == []


def test_only_refreshed_hosts_are_listed_those_most_often_refreshed_first():
    hosts = hosts_of(
        refresh("ALDR-A03"),
        refresh("ALDR-A01"),
        refresh("aldr-a03"),
        refresh("ALDR-A02"),
        sync("ALDR", "ALDR-A02", SiteCacheProviderReason="SharedCacheMatch"),
        sync("ALDR", "ALDR-A04", SiteCacheProviderReason="AccessCacheHit"),
    )
    assert [(host.hostname, host.access_refresh, host.total) for host in hosts] == [
        ("ALDR-A03", 2, 2),
        ("ALDR-A01", 1, 1),
        ("ALDR-A02", 1, 2),
    ]
    assert hosts[2].shared_cache_match == 1


def test_no_more_hosts_are_listed_than_asked_for():
    events = [refresh(f"ALDR-A{number:02}") for number in range(12)]
    assert len(hosts_of(*events)) == 10
    assert len(hosts_of(*events, top=1)) == 1
    assert len(hosts_of(*events, top=0)) == 12


@pytest.mark.parametrize(
    ("fetches", "average"),
    [((1.0, 2.0005), 1.5), ((0.0, 4), 4.0), ((0, None, -1.0), None), (("2.5", "long"), 2.5), ((0.0125,), 0.012)],
)
def test_the_average_fetch_is_of_the_runs_that_took_any_time(fetches, average):
    (host,) = hosts_of(*(refresh("ALDR-A01", fetch) for fetch in fetches))
    assert host.avg_fetch_ms == average


odd = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.dictionaries(st.text(), st.text()))


@given(st.lists(st.tuples(odd, odd, odd, odd)))
def test_every_event_is_counted_once_whatever_it_holds(events):
    reasons = ProviderReasons()
    for site, host, reason, fetch in events:
        reasons.add(sync(site, host, SiteCacheProviderReason=reason, SiteCacheFetchDurationMs=fetch))
    assert sum(site.total for site in reasons.result()) == len(events)
    assert all(site.other >= 0 for site in reasons.result())
    msgspec.json.encode(reasons.hosts())
