"""Operations of the shared cache."""

from __future__ import annotations

import pytest

from statetrace.cache import SharedSiteCache
from statetrace.model import CaseInsensitiveMap, InterfaceRow, SiteEntry, fold
from statetrace.settings import Settings


def entry(hosts=25, ports=48):
    return SiteEntry(
        {
            f"WLLS-A{host:02d}-AS-{host:02d}": CaseInsensitiveMap({f"Gi1/0/{port}": InterfaceRow(name=str(port)) for port in range(ports)})
            for host in range(hosts)
        }
    )  # fmt: skip


def filled(**settings):
    cache = SharedSiteCache(settings=Settings(**settings))
    for number in range(20):
        cache.put(f"SITE{number}", entry(1, 2))
    cache.put("WLLS", entry())
    return cache


def compare(benchmark, ratios, name, ours, floor, number=20_000):
    ours_seconds = ratios.best_seconds(ours, number)
    ratios.record(name, ours_seconds, ratios.best_seconds(floor, number))
    benchmark(ours)
    return ours_seconds


def test_a_hit(benchmark, ratios):
    cache, plain = filled(), {fold("WLLS"): 1}
    took = compare(benchmark, ratios, "cache hit / dict.get", lambda: cache.get("WLLS"), lambda: plain.get("WLLS"))
    ratios.record_value("cache hit", f"{took * 1e6:.2f} µs", "2 µs")
    assert took <= 2e-6 * ratios.tolerance


def test_a_hit_with_a_bound_on_rows(benchmark, ratios):
    cache, plain = filled(shared_cache_max_rows=10_000), {fold("WLLS"): 1}
    compare(benchmark, ratios, "cache hit, bounded / dict.get", lambda: cache.get("WLLS"), lambda: plain.get("WLLS"))


def test_a_hit_through_get_or_hydrate(benchmark, ratios):
    cache, plain = filled(), {fold("WLLS"): 1}

    def never(_previous):
        raise AssertionError

    compare(benchmark, ratios, "get_or_hydrate, cached / dict.get", lambda: cache.get_or_hydrate("WLLS", never), lambda: plain.get("WLLS"))  # fmt: skip


def test_a_miss(benchmark, ratios):
    cache, plain = filled(), {}
    compare(benchmark, ratios, "cache miss / dict.get", lambda: cache.get("NONE"), lambda: plain.get("NONE"))


def test_a_put(benchmark, ratios):
    cache, plain, site = filled(), {}, entry()
    compare(benchmark, ratios, "cache put / dict assignment", lambda: cache.put("WLLS", site), lambda: plain.__setitem__("WLLS", site))  # fmt: skip


HOST, SITE = "WLLS-A07-AS-07", entry()
OPERATIONS = {
    "merge a host of 48 ports / copy of the host dict": (
        lambda cache: cache.merge_host("WLLS", HOST, SITE[HOST]),
        lambda plain: {**plain["WLLS"], HOST: SITE[HOST]},
    ),
    "merge a site of 25 hosts / union of host dicts": (
        lambda cache: cache.merge("WLLS", SITE),
        lambda plain: {**plain["WLLS"], **plain["WLLS"]},
    ),
    "put and discard / dict assignment and pop": (
        lambda cache: (cache.put("WLLS", SITE), cache.discard("WLLS")),
        lambda plain: (plain.__setitem__("WLLS", SITE), plain.pop("WLLS")),
    ),
    "put and clear / dict assignment and clear": (
        lambda cache: (cache.put("WLLS", SITE), cache.clear("benchmark")),
        lambda plain: (plain.__setitem__("WLLS", SITE), plain.clear()),
    ),
    "statistics of 21 sites / sums": (
        lambda cache: cache.statistics(),
        lambda plain: (sum(map(len, plain.values())), sum(len(ports) for site in plain.values() for ports in site.values())),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation(benchmark, ratios, name):
    ours, floor = OPERATIONS[name]
    cache = filled()
    plain = {site: dict(held) for site, held in cache.entries().items()}
    compare(benchmark, ratios, name, lambda: ours(cache), lambda: floor(plain), 500)


def test_finding_a_row(benchmark, ratios):
    site = entry()
    plain = {host: dict(ports) for host, ports in site.items()}
    compare(benchmark, ratios, "entry[host][port] / two dicts", lambda: site["WLLS-A07-AS-07"]["Gi1/0/7"], lambda: plain["WLLS-A07-AS-07"]["Gi1/0/7"])  # fmt: skip


def test_finding_a_row_in_another_case(benchmark, ratios):
    site = entry()
    plain = {host: dict(ports) for host, ports in site.items()}
    compare(benchmark, ratios, "entry[HOST][PORT], other case / two dicts", lambda: site["wlls-a07-as-07"]["GI1/0/7"], lambda: plain["WLLS-A07-AS-07"]["Gi1/0/7"])  # fmt: skip
