"""How a session tells what it does with a host's log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from statetrace.telemetry import (
    ENTRY_TYPE,
    HOST_MAP_TYPE,
    Event,
    InterfacePersistenceFailure,
    InterfaceSiteCacheRunspaceState,
    ParseDuration,
    SkippedDuplicate,
    utc_text,
)

if TYPE_CHECKING:
    from statetrace.database import Database
    from statetrace.ingestion.history_text import HistoryRecord
    from statetrace.ingestion.job import JobFailure
    from statetrace.ingestion.logs import HostLog
    from statetrace.model import SiteEntry


def worker_state(stage: str, site: str, entry: SiteEntry | None) -> Event:
    """What the cache holds of a site at a stage: ``Worker:PreParse``, ``Worker:PostParse`` or ``…PostParseError``.

    The event is about what a worker has made its own: a site that was imported and not yet compared with its database
    is none of that, and has no time either (reference: telemetry-events, consistency C11).
    """
    if entry is None or entry.cached_at is None:
        return InterfaceSiteCacheRunspaceState(stage=stage, site=site, cache_exists=False)
    return InterfaceSiteCacheRunspaceState(
        stage=stage,
        site=site,
        cache_exists=True,
        cache_status=entry.cache_status or "",
        host_count=entry.host_count,
        total_rows=entry.total_rows,
        host_map_type=HOST_MAP_TYPE,
        entry_type=ENTRY_TYPE,
        cached_at="" if entry.cached_at is None else entry.cached_at.isoformat(),
    )


def skipped_duplicate(log: HostLog, record: HistoryRecord) -> Event:
    """The log was ingested before."""
    return SkippedDuplicate(
        hostname=log.name,
        site=record.site or log.site,
        file_hash=record.file_hash.lower(),
        source_length=record.source_length or UNSET,
        last_ingested_utc=record.last_ingested_utc or UNSET,
    )


def parse_duration(log: HostLog, hostname: str, site: str, *, epoch_ns: int, took_ns: int, success: bool) -> Event:
    """The work on a log has ended, begun at ``epoch_ns``."""
    return ParseDuration(
        hostname=hostname,
        site=site,
        start_time=utc_text(epoch_ns),
        duration_seconds=round(took_ns / 1e9, 3),
        success=success,
        file_name=log.file_name,
    )


def persistence_failure(hostname: str, failure: JobFailure, database: Database | None) -> Event:
    """Nothing of the host was stored, wherever its job was done."""
    return InterfacePersistenceFailure(
        hostname=hostname,
        exception_message=failure.message,
        exception_type=failure.error,
        database_path=UNSET if database is None else str(database.path),
        provider=UNSET if database is None else database.dialect,
    )
