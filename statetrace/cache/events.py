"""How the shared cache tells what happened to it."""

from __future__ import annotations

import sys
from pathlib import Path

from statetrace.model import HostPorts, SiteEntry
from statetrace.telemetry import (
    HOST_MAP_TYPE,
    Event,
    InterfaceSiteCacheClearInvocation,
    InterfaceSiteCacheHostPersisted,
    InterfaceSiteCacheSharedStore,
    InterfaceSiteCacheSharedStoreState,
    Telemetry,
)


def tell_store(
    telemetry: Telemetry, store: object, operation: str, site: str, entry: SiteEntry | None, sites: int
) -> None:
    """One site was read, written or removed; ``entry`` is what was found, what is kept now, or what was dropped."""
    if telemetry.enabled:
        telemetry.emit(
            InterfaceSiteCacheSharedStore(
                site=site.strip(),
                operation=operation,
                entry_count=sites,
                host_count=0 if entry is None else entry.host_count,
                total_rows=0 if entry is None else entry.total_rows,
                store_hash_code=_identity(store),
            )
        )


def tell_state(telemetry: Telemetry, store: object, operation: str, sites: int) -> None:
    """Something happened to the store as a whole."""
    if telemetry.enabled:
        telemetry.emit(
            InterfaceSiteCacheSharedStoreState(operation=operation, entry_count=sites, store_hash_code=_identity(store))
        )


def host_persisted(site: str, host: str, ports: HostPorts, before: SiteEntry | None, after: SiteEntry | None) -> Event:
    """The rows of one host were set in the entry of its site, or were not, because there was none: ``after`` tells."""
    hosts_before, rows_before = (0, 0) if before is None else (before.host_count, before.total_rows)
    hosts_after, rows_after = (0, 0) if after is None else (after.host_count, after.total_rows)
    return InterfaceSiteCacheHostPersisted(
        site=site,
        hostname=host,
        previous_host_map_type="" if before is None else HOST_MAP_TYPE,
        previous_host_map_was_typed=before is not None,
        previous_host_count=hosts_before,
        previous_port_count=rows_before,
        converted_to_typed=False,
        host_map_reused=before is not None,
        typed_host_map_type=HOST_MAP_TYPE,
        persisted_port_count=len(ports),
        entry_host_count=hosts_after,
        entry_host_count_delta=hosts_after - hosts_before,
        entry_total_rows=rows_after,
        entry_total_rows_delta=rows_after - rows_before,
        shared_store_updated=after is not None,
    )


def clear_invocation(reason: str) -> Event:
    """The cache was cleared by whoever called the method that calls this one."""
    method = sys._getframe(1)  # noqa: SLF001  # the only cheap way to the caller; inspect reads source files
    caller = walk = method.f_back  # None where the interpreter itself called, as at its end
    depth = 0
    while walk is not None:
        depth += 1
        walk = walk.f_back
    return InterfaceSiteCacheClearInvocation(
        reason=reason,
        caller_function="Unknown" if caller is None else caller.f_code.co_qualname,
        caller_script="" if caller is None else Path(caller.f_code.co_filename).name,
        caller_line=0 if caller is None else caller.f_lineno,
        invocation_name="SharedSiteCache.clear",
        call_stack_depth=depth,
    )


def _identity(store: object) -> int:
    """A number that is the same for the same store, as the original's hash code is."""
    return id(store) >> 4 & 0x7FFFFFFF
