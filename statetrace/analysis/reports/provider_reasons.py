"""Why hosts got their site's rows from where they got them, by site and by host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import ClassVar

import msgspec

from statetrace.analysis.events import UNKNOWN, WireEvent, analyze
from statetrace.analysis.statistics import round_even
from statetrace.model import fold


class SiteReasons(msgspec.Struct, frozen=True, rename="pascal"):
    """The reasons at one site, each with its number of host runs (reference: warm-run-and-gates 6.2).

    Attributes:
        site: the site.
        total: host runs.
        access_refresh: rows were read again from the database.
        access_cache_hit: rows were in the worker's own cache.
        shared_cache_match: rows were in the shared cache.
        skip_site_cache_update: the run was told to leave the cache alone.
        unknown: events that say ``Unknown``, or neither reason nor provider.
    """

    site: str
    total: int
    access_refresh: int
    access_cache_hit: int
    shared_cache_match: int
    skip_site_cache_update: int
    unknown: int

    @property
    def other(self) -> int:
        """Host runs with a reason that has no column, such as ``SharedCacheUnavailable``."""
        return self.total - (
            self.access_refresh
            + self.access_cache_hit
            + self.shared_cache_match
            + self.skip_site_cache_update
            + self.unknown
        )


_OF_COLUMNS = tuple(map(fold, ("AccessRefresh", "AccessCacheHit", "SharedCacheMatch", "SkipSiteCacheUpdate", UNKNOWN)))


class HostReasons(msgspec.Struct, frozen=True, rename="pascal"):
    """The reasons of a host whose site was read again from the database.

    Attributes:
        site: its site.
        hostname: the host.
        access_refresh: how often it was; like the next three a number of runs.
        access_cache_hit: rows were in the worker's own cache.
        shared_cache_match: rows were in the shared cache.
        total: all runs of the host.
        avg_fetch_ms: mean time for getting the rows over those runs in which it took any, ``None`` if in none.
    """

    site: str
    hostname: str
    access_refresh: int
    access_cache_hit: int
    shared_cache_match: int
    total: int
    avg_fetch_ms: float | None


class ProviderReasons:
    """Counts the reasons of ``InterfaceSyncTiming``: the event's own, else its provider, else ``Unknown``.

    Args:
        top_hosts: how many hosts ``hosts`` names at most, 0 for all.
    """

    EVENTS: ClassVar[frozenset[str] | None] = frozenset({"InterfaceSyncTiming"})

    def __init__(self, top_hosts: int = 10) -> None:
        self._top_hosts = top_hosts
        self._sites: dict[str, tuple[str, Counter[str]]] = {}
        self._hosts: dict[tuple[str, str], _Host] = {}
        self._spelled: dict[str, str] = {}

    def add(self, event: WireEvent) -> None:
        """Take the reason of one host's run."""
        site, host = event.site or UNKNOWN, event.host or UNKNOWN
        told = event.text("SiteCacheProviderReason", "SiteCacheProvider") or UNKNOWN
        reason = fold(told)
        self._spelled.setdefault(reason, told)
        self._sites.setdefault(fold(site), (site, Counter()))[1][reason] += 1
        key = fold(site), fold(host)
        known = self._hosts.get(key)
        if known is None:
            known = self._hosts[key] = _Host(site, host)
        known.reasons[reason] += 1
        fetch = event.number("SiteCacheFetchDurationMs")
        if fetch is not None and fetch > 0:
            known.fetches += 1
            known.fetch_ms += fetch

    def result(self) -> list[SiteReasons]:
        """The sites by name; none if there was no event."""
        return [
            SiteReasons(
                site,
                reasons.total(),
                reasons[fold("AccessRefresh")],
                reasons[fold("AccessCacheHit")],
                reasons[fold("SharedCacheMatch")],
                reasons[fold("SkipSiteCacheUpdate")],
                reasons[fold(UNKNOWN)],
            )
            for _, (site, reasons) in sorted(self._sites.items())
        ]

    def hosts(self) -> list[HostReasons]:
        """The hosts that were refreshed most often, those come first; ties by site and host."""
        refreshed = [(key, host) for key, host in self._hosts.items() if host.reasons[fold("AccessRefresh")]]
        refreshed.sort(key=lambda item: (-item[1].reasons[fold("AccessRefresh")], item[0]))
        return [host.result() for _, host in refreshed[: self._top_hosts or None]]

    def other_reasons(self) -> list[str]:
        """The reasons for which :class:`SiteReasons` has no field, most frequent first, then by name."""
        total: Counter[str] = Counter()
        for _, reasons in self._sites.values():
            total.update(reasons)
        others = sorted((-count, reason) for reason, count in total.items() if reason not in _OF_COLUMNS)
        return [self._spelled[reason] for _, reason in others]

    def count(self, site: str, reason: str) -> int:
        """The host runs of a site with a reason, both in any case."""
        known = self._sites.get(fold(site))
        return known[1][fold(reason)] if known else 0


def provider_reasons(events: Iterable[WireEvent]) -> list[SiteReasons]:
    """The reasons by site; see :class:`ProviderReasons`."""
    reasons = ProviderReasons()
    analyze(events, reasons)
    return reasons.result()


class _Host:
    def __init__(self, site: str, name: str) -> None:
        self.site = site
        self.name = name
        self.reasons: Counter[str] = Counter()
        self.fetches = 0
        self.fetch_ms = 0.0

    def result(self) -> HostReasons:
        return HostReasons(
            self.site,
            self.name,
            self.reasons[fold("AccessRefresh")],
            self.reasons[fold("AccessCacheHit")],
            self.reasons[fold("SharedCacheMatch")],
            self.reasons.total(),
            round_even(self.fetch_ms / self.fetches, 3) if self.fetches else None,
        )
