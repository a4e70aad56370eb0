"""Which providers have a cache behind them, and how providers are counted (reference: warm-run-and-gates 2.6, 2.7).

Figures compare only if they were counted alike. The original counted, at one time or another, a row of a site's read as
many times as the site has hosts, each event of a host once, or each row of an export once. :func:`provider_measure`
does all of it: what differs is the weight that it is given.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from statetrace.analysis.events import UNKNOWN
from statetrace.analysis.statistics import round_even
from statetrace.model import fold

HITS = ("Cache", "SharedCache")
"""Providers that a cache is behind. Everything else is a miss."""
HITS_OF_2025_11 = ("Cache",)
"""What counted as a hit until November 2025."""


class ProviderMeasure(msgspec.Struct, frozen=True):
    """Providers, counted.

    Attributes:
        counts: provider → how often, in the order in which they were met; ``Unknown`` for a blank one.
        hits: of them those that a cache is behind.
        misses: the others.
    """

    counts: dict[str, int]
    hits: int
    misses: int

    @property
    def ratio_percent(self) -> float | None:
        """Hits in percent of all, with two decimals; ``None`` if nothing was counted."""
        total = self.hits + self.misses
        return round_even(self.hits / total * 100, 2) if total else None


def provider_measure(
    weighted: Iterable[tuple[str | None, int | None]], *, hits: Iterable[str] = HITS
) -> ProviderMeasure:
    """Count providers, each as many times as its weight if that is positive, else once.

    With ``HostCount`` of rows as their weight these are the figures that were gated in November 2025, given
    ``hits=HITS_OF_2025_11``; with a weight of 1 those of the exports since.

    >>> provider_measure([("Cache", 2), ("Refresh", 1), (None, 0)])
    ProviderMeasure(counts={'Cache': 2, 'Refresh': 1, 'Unknown': 1}, hits=2, misses=2)
    """
    wanted = {fold(name) for name in hits}
    spelled: dict[str, str] = {}
    counts: dict[str, int] = {}
    for provider, weight in weighted:
        name = (provider or "").strip() or UNKNOWN
        name = spelled.setdefault(fold(name), name)
        counts[name] = counts.get(name, 0) + (weight if weight is not None and weight > 0 else 1)
    hit = sum(count for name, count in counts.items() if fold(name) in wanted)
    return ProviderMeasure(counts, hit, sum(counts.values()) - hit)


def is_hit(provider: str | None) -> bool:
    """Whether a cache is behind this provider.

    >>> is_hit("sharedcache"), is_hit("ADODB"), is_hit(None)
    (True, False, False)
    """
    return fold(provider or "") in _HITS


_HITS = frozenset(map(fold, HITS))

_BY_PROVIDER = {
    "SHAREDCACHE": "SharedCacheMatch",
    "SHAREDONLY": "SharedCacheMatch",
    "CACHE": "AccessCacheHit",
    "REFRESHED": "AccessRefresh",
    "REFRESH": "AccessRefresh",
    "MISSINGDATABASE": "SharedCacheUnavailable",
}
_BY_STATUS = {
    "SHAREDONLY": "SharedCacheMatch",
    "HIT": "AccessCacheHit",
    "REFRESHED": "AccessRefresh",
    "DISABLED": "SkipSiteCacheUpdate",
    "SKIPPEDEMPTY": "SharedCacheUnavailable",
}


def provider_reason_fallback(provider: str | None, status: str | None = None, *, skip: bool = False) -> str | None:
    """The reason for a provider where none is told; ``None`` where nothing suggests one.

    >>> provider_reason_fallback("Unknown", "SkippedEmpty"), provider_reason_fallback("Unknown", "Disabled", skip=True)
    ('SharedCacheUnavailable', 'SkipSiteCacheUpdate')

    Args:
        provider: ``Provider`` or ``SiteCacheProvider``.
        status: ``SiteCacheFetchStatus`` or ``CacheStatus``.
        skip: the event says ``SkipSiteCacheUpdate``.
    """
    name, state = fold(provider or ""), fold(status or "")
    if reason := _BY_PROVIDER.get(name):
        return reason
    if skip:
        return "SkipSiteCacheUpdate"
    if reason := _BY_STATUS.get(state):
        return reason
    return "DatabaseQueryFallback" if name == fold(UNKNOWN) else None


_PROVIDERS = {
    "SHAREDCACHEMATCH": "SharedCache",
    "ACCESSCACHEHIT": "Cache",
    "SITEEXISTINGCACHE": "Cache",
    "ACCESSREFRESH": "Refreshed",
    "ACCESSHYDRATE": "Hydrated",
    "SHAREDCACHEUNAVAILABLE": UNKNOWN,
    "SKIPSITECACHEUPDATE": UNKNOWN,
    "DATABASEQUERYFALLBACK": UNKNOWN,
    "UNDETERMINED": UNKNOWN,
}


def provider_of_reason(reason: str | None) -> str | None:
    """The ``SiteCacheProvider`` that goes with a reason; ``None`` for no reason, or one of somebody else's.

    >>> provider_of_reason("SharedCacheMatch"), provider_of_reason("SharedCacheUnavailable"), provider_of_reason(None)
    ('SharedCache', 'Unknown', None)
    """
    return _PROVIDERS.get(fold(reason or ""))
