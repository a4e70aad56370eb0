"""The rows of a warm run that tell what is cached between its passes (reference: warm-run-and-gates 2.9)."""

from __future__ import annotations

from datetime import datetime

from statetrace.analysis.warm.provider_counts import provider_reason_fallback
from statetrace.analysis.warm.warm_rows import WarmRunRow
from statetrace.cache import SharedSiteCache
from statetrace.repository import SiteRead
from statetrace.telemetry import InterfaceSiteCacheMetrics

_SAME_NAME = tuple(name for name in InterfaceSiteCacheMetrics.__struct_fields__ if name in WarmRunRow.__struct_fields__)


def read_row(label: str, read: SiteRead) -> WarmRunRow:
    """A read of a site, from the cache or from its database."""
    metrics = read.metrics
    return WarmRunRow(
        pass_label=label,
        timestamp=_now(),
        hostname=metrics.previous_host_sample or None,
        site_cache_provider_reason=provider_reason_fallback(metrics.provider, metrics.cache_status),
        host_map_candidate_from_previous=metrics.host_map_candidate_from_previous_count,
        **{name: getattr(metrics, name) for name in _SAME_NAME},
    )


def cache_state(label: str, cache: SharedSiteCache) -> WarmRunRow:
    """Which sites are cached. The original had two caches, one of the script and one of the process; here is one."""
    sites = cache.sites()
    return WarmRunRow(
        pass_label=label,
        timestamp=_now(),
        script_cache_count=len(sites),
        script_cache_sites=sites,
        domain_cache_count=len(sites),
        domain_cache_sites=sites,
    )


def site_states(label: str, cache: SharedSiteCache) -> list[WarmRunRow]:
    """What is cached of each site."""
    return [
        WarmRunRow(
            pass_label=label,
            timestamp=_now(),
            site=site,
            cache_status=entry.cache_status,
            provider="CacheState",
            host_count=entry.host_count,
            total_rows=entry.total_rows,
            previous_snapshot_status="Present",
        )
        for site, entry in cache.entries().items()
    ]


def snapshot_row(label: str, stage: str, sites: int) -> WarmRunRow:
    """A snapshot that was written, after which stage, with how many sites."""
    return WarmRunRow(pass_label=label, timestamp=_now(), entry_count=sites, source_stage=stage)


def restore_row(label: str, sites: int) -> WarmRunRow:
    """How many sites were taken over from a snapshot."""
    return WarmRunRow(pass_label=label, timestamp=_now(), restored_count=sites)


def _now() -> str:
    return datetime.now().astimezone().isoformat()
