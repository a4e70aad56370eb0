"""What a read of a site tells when nothing had to be read."""

from __future__ import annotations

from typing import Any

from statetrace.model import SiteEntry
from statetrace.repository.hydration import host_sample
from statetrace.telemetry import (
    ENTRY_TYPE,
    HOST_MAP_TYPE,
    InterfaceSiteCacheMetrics,
    InterfaceSiteCacheReuseAttempt,
    InterfaceSiteCacheReuseState,
)


def reuse_attempt(
    site: str, own: SiteEntry | None, shared: SiteEntry | None, *, refresh: bool
) -> InterfaceSiteCacheReuseAttempt:
    """What was found before it was decided whether to reuse or to hydrate.

    ``own`` is the entry that this repository kept for itself, ``shared`` the one of the shared cache, which goes first.
    """
    entry = own if shared is None else shared
    counts: dict[str, Any] = {}
    if entry is not None:
        counts = {"script_cache_host_count": entry.host_count, "script_cache_total_rows": entry.total_rows}
    if shared is not None:
        counts |= {"shared_store_host_count": shared.host_count, "shared_store_total_rows": shared.total_rows}
    return InterfaceSiteCacheReuseAttempt(
        site=site,
        refresh=refresh,
        script_cache_entry_found=entry is not None,
        shared_store_entry_found=shared is not None,
        adopted_from_shared_store=shared is not None,
        **counts,
    )


def reuse_metrics(site: str, entry: SiteEntry, *, shared: bool, refresh: bool) -> InterfaceSiteCacheMetrics:
    """The metrics of a reuse: no durations, every row a match (reference: site-cache 6.1 and 6.2).

    With ``refresh`` the entry is one that another thread was just reading anew, so nothing had to be read here.
    """
    hosts, rows = entry.host_count, entry.total_rows
    stored = (entry.cache_status or "").strip()
    if refresh:
        status = "Refreshed"
    elif stored.casefold() in ("", "refreshed", "hydrated", "hit"):
        status = "SharedOnly" if shared else "Hit"
    else:
        status = stored
    return InterfaceSiteCacheMetrics(
        site=site,
        cache_status=status,
        refreshed=refresh,
        host_map_signature_match_count=rows,
        host_map_lookup_count=rows,
        host_map_candidate_from_previous_count=rows,
        previous_host_count=hosts,
        previous_port_count=rows,
        previous_host_sample=host_sample(entry),
        previous_snapshot_status="CacheHit",
        previous_snapshot_host_map_type=HOST_MAP_TYPE,
        previous_snapshot_host_count=hosts,
        previous_snapshot_port_count=rows,
        provider="Cache",
        result_row_count=rows,
        host_count=hosts,
        total_rows=rows,
    )


def reuse_state(site: str, entry: SiteEntry) -> InterfaceSiteCacheReuseState:
    """The entry that is reused, counted whole."""
    return InterfaceSiteCacheReuseState(
        site=site,
        host_count=entry.host_count,
        total_rows=entry.total_rows,
        host_map_type=HOST_MAP_TYPE,
        keys_sample=host_sample(entry),
        entry_type=ENTRY_TYPE,
    )
