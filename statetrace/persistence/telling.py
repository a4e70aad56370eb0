"""How persistence tells what it did to a host: the events of one write, in the original's order."""

from __future__ import annotations

import uuid
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from statetrace.telemetry import (
    DatabaseWriteBreakdown,
    DatabaseWriteLatency,
    InterfaceBulkInsert,
    InterfaceBulkInsertTiming,
    InterfacePortStreamMetrics,
    InterfaceSyncTiming,
    LoadedRows,
    PortBatchReady,
    ResolveContext,
    RowDiff,
    RowsWritten,
    RowWrite,
    SiteExistingRowCacheState,
    SiteLookup,
    round_ms,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statetrace.persistence.canonical import HostFacts
    from statetrace.persistence.existing import ExistingRows
    from statetrace.persistence.row_cache import KeptRows
    from statetrace.persistence.write import HostWritten
    from statetrace.telemetry import Event


_LONGEST_SAMPLE = 5


class HostStory(msgspec.Struct, frozen=True):
    """One host that was written, as its events tell it.

    Attributes:
        facts: what its log says.
        existing: where the rows came from that it was compared with.
        written: what the transaction did.
        run_date: the date of its histories.
    """

    facts: HostFacts
    existing: ExistingRows
    written: HostWritten
    run_date: str


def kept_rows_event(story: HostStory, kept: KeptRows, skip_sources: Sequence[str]) -> Event:
    """What skip mode keeps of the host's site."""
    origin = story.existing.origin
    return SiteExistingRowCacheState(
        site=story.facts.site,
        hostname=story.facts.hostname,
        site_host_entry_count=kept.hosts,
        host_entry_exists=kept.host_exists,
        host_entry_row_count=kept.host_rows,
        cache_hit=origin.source == "SiteExistingCache",
        skip_sources=tuple(skip_sources),
        existing_row_source=origin.source,
        load_cache_hit=origin.hit,
        load_cache_miss=not origin.hit,
        load_cache_refreshed=origin.refreshed,
        site_host_entries_sample=kept.sample or msgspec.UNSET,
    )


def batch_event(story: HostStory) -> InterfaceBulkInsertTiming | None:
    """The rows that were inserted and updated as one batch, or ``None`` if there were none.

    There is no staging table between: preparing the values is the staging, and the transaction is the host's own.
    """
    diff, times = story.written.diff, story.written.times
    if not diff.written:
        return None
    project = round_ms(times.project)
    return InterfaceBulkInsertTiming(
        hostname=story.facts.hostname,
        batch_id=str(uuid.uuid4()),
        run_date=story.run_date,
        rows=diff.written,
        insert_row_count=len(diff.inserted),
        update_row_count=len(diff.changed),
        stage_duration_ms=project,
        parameter_bind_duration_ms=project,
        interface_update_duration_ms=round_ms(times.update) if diff.changed else 0.0,
        interface_insert_duration_ms=round_ms(times.insert) if diff.inserted else 0.0,
        history_insert_duration_ms=round_ms(times.history),
        transaction_commit_duration_ms=round_ms(times.commit),
        transaction_used=True,
        transaction_level=1,
        transaction_committed=True,
        stream_rows_received=diff.written,
        stream_rows_reused=diff.written,
        success=True,
    )


def row_events(story: HostStory, batch: InterfaceBulkInsertTiming | None, chunk_size: int) -> list[Event]:
    """What was written: the batch, in chunks of so many rows, and the counts."""
    diff = story.written.diff
    counts = RowsWritten(
        hostname=story.facts.hostname,
        site=story.facts.site,
        run_date=story.run_date,
        rows=diff.written,
        deleted_rows=len(diff.obsolete),
    )
    if batch is None:
        return [counts]
    return [
        InterfacePortStreamMetrics(
            hostname=batch.hostname,
            batch_id=batch.batch_id,
            run_date=batch.run_date,
            rows_received=batch.stream_rows_received,
            rows_reused=batch.stream_rows_reused,
            rows_cloned=batch.stream_rows_cloned,
            stream_clone_duration_ms=batch.stream_clone_duration_ms,
            stream_state_update_duration_ms=batch.stream_state_update_duration_ms,
        ),
        PortBatchReady(
            hostname=batch.hostname,
            batch_id=batch.batch_id,
            run_date=batch.run_date,
            ports_committed=batch.rows,
            chunk_size=chunk_size,
            estimated_batch_count=-(-batch.rows // chunk_size),
        ),
        batch,
        InterfaceBulkInsert.of(batch),
        counts,
    ]


def write_events(story: HostStory, batch: InterfaceBulkInsertTiming | None, publish_ns: int) -> list[Event]:
    """How long it took and what it was made of, once all is done."""
    written, times = story.written, story.written.times
    fetch = story.existing.fetch_ns
    sync = _sync_event(story, batch, publish_ns)
    # The look-up of existing rows comes before the transaction, and belongs to the call all the same.
    latency = DatabaseWriteLatency(
        hostname=sync.hostname, site=sync.site, latency_ms=round((fetch + written.times.total) / 1e6)
    )
    breakdown = DatabaseWriteBreakdown.of(
        sync,
        latency,
        summary_duration_ms=round_ms(times.summary),
        interface_call_duration_ms=round_ms(fetch + times.interfaces),
        commit_duration_ms=round_ms(times.commit),
    )
    return [sync, latency, breakdown]


def _sync_event(story: HostStory, batch: InterfaceBulkInsertTiming | None, publish_ns: int) -> InterfaceSyncTiming:
    facts, existing, written = story.facts, story.existing, story.written
    origin, diff, times = existing.origin, written.diff, written.times
    fetch = round_ms(existing.fetch_ns)
    initial, again = _contexts(existing, facts.hostname)
    return InterfaceSyncTiming.of(
        facts.hostname,
        facts.site,
        lookup=SiteLookup(
            status=origin.status,
            provider=origin.provider,
            reason=origin.reason,
            # Rows read with the host are part of how they were found.
            duration_ms=fetch if origin.hit else round_ms(existing.fetch_ns + times.load),
            refresh_duration_ms=fetch if origin.refreshed else 0.0,
            refresh_forced=existing.forced and origin.refreshed,
            site_row_count=0 if existing.entry is None else existing.entry.total_rows,
            initial=initial,
            refresh=again,
            **_read_of(existing),
        ),
        existing=LoadedRows(
            source=origin.source,
            row_count=written.existing,
            keys_sample="|".join(written.existing_sample),
            load_duration_ms=round_ms(times.load),
        ),
        diff=RowDiff(
            unchanged=diff.unchanged,
            changed=len(diff.changed),
            changed_sample="|".join(islice(diff.changed, _LONGEST_SAMPLE)),
            inserted=len(diff.inserted),
            obsolete=len(diff.obsolete),
            duplicate_ports=facts.duplicates,
            duration_ms=round_ms(times.diff),
            comparison_duration_ms=round_ms(times.diff),
        ),
        write=RowWrite(
            bulk=batch,
            delete_duration_ms=round_ms(times.delete) if diff.obsolete else 0.0,
            cache_update_duration_ms=round_ms(publish_ns),
        ),
    )


def _read_of(existing: ExistingRows) -> dict[str, Any]:
    """What is told of the read of the site, if it was read for this host."""
    read = existing.read
    if read is None:
        return {}
    return {
        "metrics": read.metrics,
        "template_use": read.template_use,
        "unique_port_count": read.unique_port_count,
    }


def _contexts(existing: ExistingRows, host: str) -> tuple[ResolveContext, ResolveContext]:
    """The look-up before anything was read, and the one after the site was."""
    if existing.entry is None:
        return ResolveContext(
            status="Disabled" if existing.origin.status == "Disabled" else "EntryNull"
        ), ResolveContext()
    if existing.read is None:
        status = "SharedStoreMatch" if existing.origin.hit else "Disabled"
        return ResolveContext.of(status, existing.entry, host), ResolveContext()
    stale = existing.before
    initial = (
        ResolveContext(status="EntryNull") if stale is None else ResolveContext.of("SharedStoreMatch", stale, host)
    )
    return initial, ResolveContext.of("ExactMatch", existing.entry, host)
