"""Hydration: the rows of a site from its database become an entry, and every stage of it is measured."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from statetrace.database import Database, Retried, queries, run_with_retry
from statetrace.model import CaseInsensitiveMap, DatabaseState, HostPorts, SiteEntry
from statetrace.model.port_sort import port_sort_memo
from statetrace.repository.materialize import Materializer
from statetrace.repository.templates import HintCache, RowCounts
from statetrace.telemetry import (
    HOST_MAP_TYPE,
    CandidateMissingSample,
    InterfaceSiteCacheMetrics,
    SignatureMismatchSample,
    Stopwatch,
    TemplateUse,
    ratio,
    round_ms,
)

BLOCK_ROWS = 500
"""Rows taken from the database at a time: few enough for the processor's caches, enough to make calls cheap."""
SAMPLES = 5
"""How many hosts, ports or differences an event quotes."""


class Hydration(msgspec.Struct, frozen=True):
    """A hydrated entry and what its making took."""

    entry: SiteEntry
    metrics: InterfaceSiteCacheMetrics
    template_use: TemplateUse
    unique_port_count: int


class _Read(msgspec.Struct):
    """The rows of a site, and nanoseconds spent to get them."""

    state: DatabaseState
    hosts: dict[str, HostPorts]
    materializer: Materializer
    execute: int
    recordset: int


class _Comparison(msgspec.Struct):
    """How the rows read compare with those of the previous entry."""

    matches: int = 0
    from_previous: int = 0
    missing: int = 0
    mismatches: int = 0
    missing_samples: list[CandidateMissingSample] = []
    mismatch_samples: list[SignatureMismatchSample] = []


def hydrate_site(
    site: str, database: Database, *, previous: SiteEntry | None, templates: HintCache, refresh: bool
) -> Hydration:
    """Read a site from its database.

    Rows equal to those of ``previous`` are taken over from it, whole hosts where nothing changed: after a refresh
    without a change the new entry shares all rows with the old one. Nothing is written anywhere.

    Raises:
        DatabaseError: the database cannot be read, or stayed locked.
        TemplateError: the auth templates cannot be read.
    """
    watch = Stopwatch().start()
    retried = run_with_retry(database.path, lambda: _read(site, database, templates))
    read = retried.value
    snapshot = watch.lap()

    compared = _Comparison()
    hosts = {host: _compare(host, ports, previous, compared) for host, ports in read.hosts.items()}
    host_map = watch.lap()
    entry = SiteEntry(
        CaseInsensitiveMap.of_distinct(hosts),
        cached_at=datetime.now().astimezone(),
        cache_status="Refreshed" if refresh else "Hydrated",
        source=read.state,
    )
    build = host_map + watch.lap()
    metrics = _metrics(
        site, entry, previous, read, retried, compared,
        refresh=refresh,
        dialect=database.dialect,
        snapshot=snapshot,
        host_map=host_map if read.hosts else 0,
        build=build,
        total=watch.ns,
    )  # fmt: skip
    return Hydration(
        entry.evolve(fields=_entry_fields(metrics)),
        metrics,
        _template_use(read.materializer.template_counts),
        read.materializer.unique_port_count,
    )


def _template_use(counts: RowCounts) -> TemplateUse:
    defaulted = counts.template_missing + counts.template_unknown
    return TemplateUse(
        apply_count=counts.apply,
        defaulted_count=defaulted,
        auth_template_missing_count=counts.template_missing,
        no_template_match_count=counts.template_unknown,
        hint_applied_count=counts.apply - defaulted,
        set_port_color_count=counts.color,
        set_config_status_count=counts.status,
    )


def _read(site: str, database: Database, templates: HintCache) -> _Read:
    # Taken before the rows: a change in between makes the entry look old, never newer than it is.
    state = database.state()
    materializer = Materializer(site, templates, port_sort_memo)
    execute, recordset = Stopwatch().start(), Stopwatch()
    with database.connect() as connection:
        result = connection.execute(queries.site_interfaces(site))
        # The driver's own tuples: the statement needs no conversions, so a row object around each would be for nothing.
        cursor: Any = result.cursor
        execute.stop()
        while True:
            with recordset:
                block = cursor.fetchmany(BLOCK_ROWS)
            if not block:
                break
            materializer.add(block)
        result.close()
    return _Read(state, materializer.hosts(), materializer, execute.ns, recordset.ns)


def _compare(host: str, ports: HostPorts, previous: SiteEntry | None, compared: _Comparison) -> HostPorts:
    """Count how a host's rows compare with the previous ones; the previous map itself when nothing differs."""
    before = previous.hosts.get(host) if previous is not None else None
    if not before:
        compared.missing += len(ports)
        for port in islice(ports, SAMPLES - len(compared.missing_samples)):
            compared.missing_samples.append(_missing_sample(host, port, before, claimed=0))
        return ports
    if before == ports:
        compared.matches += len(ports)
        compared.from_previous += len(ports)
        return before if list(before) == list(ports) else ports
    rows = {}
    claimed = 0
    for port, row in ports.items():
        old = before.get(port)
        rows[port] = row
        if old is None:
            compared.missing += 1
            if len(compared.missing_samples) < SAMPLES:
                compared.missing_samples.append(_missing_sample(host, port, before, claimed=claimed))
            continue
        claimed += 1
        compared.from_previous += 1
        if old.same_signature(row):
            compared.matches += 1
            if old == row:
                rows[port] = old
            continue
        compared.mismatches += 1
        if len(compared.mismatch_samples) < SAMPLES:
            compared.mismatch_samples.append(
                SignatureMismatchSample(
                    hostname=host, port=port, previous_signature=old.signature, new_signature=row.signature
                )
            )
    return CaseInsensitiveMap.of_distinct(rows)


def _missing_sample(host: str, port: str, before: HostPorts | None, *, claimed: int) -> CandidateMissingSample:
    return CandidateMissingSample(
        hostname=host,
        port=port,
        reason="HostSnapshotMissing" if before is None else "PortSnapshotMissing",
        previous_host_entry_present=before is not None,
        cached_port_count=len(before or ()),
        cached_port_sample=",".join(islice(before or (), SAMPLES)),
        previous_remaining_port_count=len(before or ()) - claimed,
    )


def _metrics(
    site: str,
    entry: SiteEntry,
    previous: SiteEntry | None,
    read: _Read,
    retried: Retried[_Read],
    compared: _Comparison,
    *,
    refresh: bool,
    dialect: str,
    snapshot: int,
    host_map: int,
    build: int,
    total: int,
) -> InterfaceSiteCacheMetrics:
    times = read.materializer.times
    execute, recordset = round_ms(read.execute), round_ms(read.recordset)
    template_load, template_apply = round_ms(times.template_load), round_ms(times.template_apply)
    hits, misses = times.template_hits, times.template_misses
    return InterfaceSiteCacheMetrics(
        site=site.strip(),
        cache_status=entry.cache_status or "",
        refreshed=refresh,
        hydration_duration_ms=round_ms(total),
        snapshot_duration_ms=round_ms(snapshot),
        recordset_duration_ms=recordset,
        recordset_project_duration_ms=round_ms(times.project),
        build_duration_ms=round_ms(build),
        host_map_duration_ms=round_ms(host_map),
        host_map_signature_match_count=compared.matches,
        host_map_signature_rewrite_count=entry.total_rows - compared.matches,
        host_map_signature_mismatch_samples=tuple(compared.mismatch_samples),
        host_map_entry_allocation_count=compared.missing,
        host_map_lookup_count=read.materializer.row_count,
        host_map_lookup_miss_count=entry.host_count,
        host_map_candidate_missing_count=compared.missing,
        host_map_candidate_signature_mismatch_count=compared.mismatches,
        host_map_candidate_missing_samples=tuple(compared.missing_samples),
        host_map_candidate_from_previous_count=compared.from_previous,
        previous_host_count=0 if previous is None else previous.host_count,
        previous_port_count=0 if previous is None else previous.total_rows,
        previous_host_sample=host_sample(previous),
        previous_snapshot_status=(
            "CacheEntryMissing" if previous is None else "Converted" if previous.host_count else "EnumeratedZero"
        ),
        previous_snapshot_host_map_type="" if previous is None else HOST_MAP_TYPE,
        previous_snapshot_host_count=0 if previous is None else previous.host_count,
        previous_snapshot_port_count=0 if previous is None else previous.total_rows,
        sort_duration_ms=round_ms(times.sort),
        query_duration_ms=round(execute + recordset, 3),
        execute_duration_ms=execute,
        materialize_duration_ms=round_ms(times.materialize),
        materialize_projection_duration_ms=round_ms(times.projection),
        materialize_port_sort_duration_ms=round_ms(times.port_sort),
        materialize_port_sort_cache_hits=times.port_sort_hits,
        materialize_port_sort_cache_misses=times.port_sort_misses,
        materialize_port_sort_cache_size=len(port_sort_memo),
        materialize_port_sort_cache_hit_ratio=ratio(times.port_sort_hits, times.port_sort_misses),
        materialize_template_duration_ms=round(template_load + template_apply, 3),
        materialize_template_lookup_duration_ms=round_ms(times.template_lookup),
        materialize_template_apply_duration_ms=template_apply,
        materialize_template_cache_hits=hits,
        materialize_template_cache_misses=misses,
        materialize_template_cache_hit_ratio=ratio(hits, misses),
        materialize_object_duration_ms=round_ms(times.objects),
        template_duration_ms=template_load,
        query_attempts=retried.attempts,
        exclusive_retry_count=retried.exclusive_retries,
        exclusive_wait_duration_ms=round(retried.exclusive_wait_ms, 3),
        provider="ADODB" if retried.attempts == 1 else "AccessRetry",
        result_row_count=read.materializer.row_count,
        host_count=entry.host_count,
        total_rows=entry.total_rows,
        database_dialect=dialect,
    )


def host_sample(entry: SiteEntry | None) -> str:
    """The first hosts of an entry, joined by commas."""
    return ",".join(islice(entry or (), SAMPLES))


_NOT_HYDRATION = frozenset({"EventName", "Site", "CacheStatus", "Refreshed", "HostCount", "TotalRows"})


def _entry_fields(metrics: InterfaceSiteCacheMetrics) -> dict[str, Any]:
    """The metrics as fields of the entry, each name led by ``Hydration`` (reference: site-cache 4.1)."""
    return {
        name if name.startswith("Hydration") else f"Hydration{name}": value
        for name, value in msgspec.to_builtins(metrics).items()
        if name not in _NOT_HYDRATION
    }
