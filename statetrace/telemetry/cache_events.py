"""Events of the site cache: the shared store, reuse of entries, hosts written, clearing."""

from __future__ import annotations

import os
import threading

from msgspec import UNSET, UnsetType, field

from statetrace.telemetry.events import APP_DOMAIN_ID, APP_DOMAIN_NAME, ENTRY_TYPE, HOST_MAP_TYPE, Event, runspace_id


class InterfaceSiteCacheSharedStore(Event, frozen=True, kw_only=True):
    """One site was read from, written to or removed from the shared cache (reference: telemetry-events 4.12).

    Attributes:
        site: site key, trimmed.
        operation: ``GetHit``, ``GetMiss``, ``Set`` or ``Remove``.
        runspace_id: GUID of the emitting thread.
        entry_count: sites in the cache; after ``Set`` and ``Remove``, before a read.
        host_count: hosts of the entry read, written (as merged) or removed; 0 on a miss.
        total_rows: rows of that entry; 0 on a miss.
        store_hash_code: a positive number that names the cache object: same number, same object.
        app_domain_id: always ``1``.
        app_domain_name: kind of the process.
        process_id: process id of the operating system.
        thread_id: thread id of the operating system.
    """

    site: str
    operation: str
    runspace_id: str = field(default_factory=runspace_id)
    entry_count: int
    host_count: int
    total_rows: int
    store_hash_code: int
    app_domain_id: str = APP_DOMAIN_ID
    app_domain_name: str = APP_DOMAIN_NAME
    process_id: int = field(default_factory=os.getpid)
    thread_id: int = field(default_factory=threading.get_native_id)


class InterfaceSiteCacheSharedStoreState(Event, frozen=True, kw_only=True):
    """The shared cache as a whole changed its state (reference: telemetry-events 4.13).

    Attributes:
        operation: ``InitDelegatedStore`` (a component began to use the cache) or ``SnapshotImported``.
        entry_count: sites in the cache afterwards.
        store_hash_code: a positive number that names the cache object.
        runspace_id: GUID of the emitting thread.
        app_domain_id: always ``1``.
        app_domain_name: kind of the process.
        process_id: process id of the operating system.
        thread_id: thread id of the operating system.
    """

    operation: str
    entry_count: int
    store_hash_code: int
    runspace_id: str = field(default_factory=runspace_id)
    app_domain_id: str = APP_DOMAIN_ID
    app_domain_name: str = APP_DOMAIN_NAME
    process_id: int = field(default_factory=os.getpid)
    thread_id: int = field(default_factory=threading.get_native_id)


class InterfaceSiteCacheReuseAttempt(Event, frozen=True, kw_only=True):
    """A site is asked for; what the caches hold before it is decided (reference: telemetry-events 4.14).

    Counts that are ``UNSET`` are absent on the wire.

    Attributes:
        site: site key.
        refresh: the caller forces the site to be read anew.
        script_cache_entry_found: there is an entry to use (true whenever the shared cache has one).
        shared_store_entry_found: the shared cache has an entry.
        adopted_from_shared_store: the entry comes from the shared cache.
        runspace_id: GUID of the emitting thread.
        script_cache_host_count: hosts of the entry that will be used; absent without one.
        script_cache_total_rows: rows of the entry that will be used; absent without one.
        shared_store_host_count: hosts of the entry in the shared cache; absent without one.
        shared_store_total_rows: rows of the entry in the shared cache; absent without one.
    """

    site: str
    refresh: bool
    script_cache_entry_found: bool
    shared_store_entry_found: bool
    adopted_from_shared_store: bool
    runspace_id: str = field(default_factory=runspace_id)
    script_cache_host_count: int | UnsetType = UNSET
    script_cache_total_rows: int | UnsetType = UNSET
    shared_store_host_count: int | UnsetType = UNSET
    shared_store_total_rows: int | UnsetType = UNSET


class InterfaceSiteCacheReuseState(Event, frozen=True, kw_only=True):
    """What a reused entry holds, right after its ``InterfaceSiteCacheMetrics`` (reference: telemetry-events 4.15).

    Attributes:
        site: site key.
        host_count: hosts of the entry.
        total_rows: rows of the entry; of all its hosts, unlike the original's (defect D11).
        host_map_type: stable type name.
        keys_sample: the first five host names joined by ``,``.
        entry_type: stable type name.
    """

    site: str
    host_count: int
    total_rows: int
    host_map_type: str = HOST_MAP_TYPE
    keys_sample: str
    entry_type: str = ENTRY_TYPE


class InterfaceSiteCacheHostPersisted(Event, frozen=True, kw_only=True):
    """The final rows of one host were written into the cached site (reference: telemetry-events 4.11).

    Attributes:
        site: site key.
        hostname: host name.
        previous_host_map_type: type name of the site's map before, as in ``typed_host_map_type``; empty without one.
        previous_host_map_was_typed: the site was cached before.
        previous_host_count: hosts of the site before.
        previous_port_count: rows of the site before.
        converted_to_typed: the map was made by this write.
        host_map_reused: the map was there before.
        typed_host_map_type: stable type name.
        persisted_port_count: rows written for the host.
        entry_host_count: hosts of the site afterwards.
        entry_host_count_delta: ``entry_host_count`` - ``previous_host_count``.
        entry_total_rows: rows of the site afterwards.
        entry_total_rows_delta: ``entry_total_rows`` - ``previous_port_count``; may be negative.
        shared_store_updated: whether the site is cached with the host; not where the cache is switched off or has no
            entry of the site, since one host of many would pass for all of them.
    """

    site: str
    hostname: str
    previous_host_map_type: str
    previous_host_map_was_typed: bool
    previous_host_count: int
    previous_port_count: int
    converted_to_typed: bool
    host_map_reused: bool
    typed_host_map_type: str = HOST_MAP_TYPE
    persisted_port_count: int
    entry_host_count: int
    entry_host_count_delta: int
    entry_total_rows: int
    entry_total_rows_delta: int
    shared_store_updated: bool = True


class InterfaceSiteCacheClearInvocation(Event, frozen=True, kw_only=True):
    """The cache is about to be cleared (reference: telemetry-events 4.17).

    Attributes:
        reason: text given by the caller.
        caller_function: calling function, ``Unknown`` when not found out.
        caller_script: file name of the caller, empty without one.
        caller_line: line in that file, counted from 1; 0 without one.
        invocation_name: name by which the function was called.
        call_stack_depth: frames on the call stack.
        runspace_id: GUID of the emitting thread.
        process_id: process id of the operating system.
        thread_id: thread id of the operating system.
    """

    reason: str = "Unspecified"
    caller_function: str = "Unknown"
    caller_script: str = ""
    caller_line: int = 0
    invocation_name: str = ""
    call_stack_depth: int = 0
    runspace_id: str = field(default_factory=runspace_id)
    process_id: int = field(default_factory=os.getpid)
    thread_id: int = field(default_factory=threading.get_native_id)


class InterfaceSiteCacheRunspaceState(Event, frozen=True, kw_only=True):
    """What a worker finds in the cache at a stage of its work (reference: telemetry-events 4.16).

    Attributes:
        stage: ``Worker:PreParse``, ``Worker:PostParse``, ``Worker:PostParseError``, ``Warmup:SkippedNoPool``, …
        runspace_id: GUID of the emitting thread.
        site: site key, empty for the skipped stages.
        cache_exists: there is an entry of the site; without one all fields below are empty or 0.
        cache_status: status kept in the entry, empty when it has none.
        host_count: hosts of the entry.
        total_rows: rows of the entry.
        host_map_type: stable type name, empty without an entry.
        entry_type: stable type name, empty without an entry.
        cached_at: local time with offset at which the entry was made, empty without an entry.
    """

    stage: str
    runspace_id: str = field(default_factory=runspace_id)
    site: str
    cache_exists: bool
    cache_status: str = ""
    host_count: int = 0
    total_rows: int = 0
    host_map_type: str = ""
    entry_type: str = ""
    cached_at: str = ""
