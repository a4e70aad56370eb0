"""Events of writing a host's rows: those kept for it, the bulk insert, what was written, how long it took."""

from __future__ import annotations

from typing import Self

from msgspec import UNSET, UnsetType

from statetrace.telemetry.events import Event


class SiteExistingRowCacheState(Event, frozen=True, kw_only=True):
    """What was kept of a host's existing rows when the site cache is not used (reference: telemetry-events 4.18).

    Told after the rows were loaded: a host read from the database has an entry by then, though it was no hit.

    Attributes:
        site: site key.
        hostname: host name.
        cache_enabled: existing rows are kept; always true.
        site_host_entry_count: hosts of the site of which rows are kept.
        host_entry_exists: this host is among them.
        host_entry_row_count: its rows.
        cache_hit: the rows used came from there.
        skip_site_cache_update: the site cache is left alone; always true.
        skip_sources: who wanted that: ``Parameter``, ``Module``, ``Environment``. A list, of one or more.
        existing_row_source: as in ``InterfaceSyncTiming``.
        load_cache_hit: as in ``InterfaceSyncTiming``.
        load_cache_miss: as in ``InterfaceSyncTiming``.
        load_cache_refreshed: as in ``InterfaceSyncTiming``.
        site_host_entries_sample: the first five of those hosts; absent without any.
    """

    site: str
    hostname: str
    cache_enabled: bool = True
    site_host_entry_count: int
    host_entry_exists: bool
    host_entry_row_count: int
    cache_hit: bool
    skip_site_cache_update: bool = True
    skip_sources: tuple[str, ...]
    existing_row_source: str
    load_cache_hit: bool
    load_cache_miss: bool
    load_cache_refreshed: bool = False
    site_host_entries_sample: tuple[str, ...] | UnsetType = UNSET


class InterfaceBulkInsertTiming(Event, frozen=True, kw_only=True):
    """A batch of rows went through the staging table, or failed to (reference: telemetry-events 4.9).

    Told once per host that has rows to write. What was staged is in ``rows``; ``InterfaceSyncTiming`` repeats most of
    this as ``Bulk*`` and ``Stream*``.

    Attributes:
        hostname: host name.
        batch_id: lower-case GUID of the batch.
        run_date: local time of the host's run, ``yyyy-MM-dd HH:mm:ss``.
        rows: rows of the batch: ``insert_row_count`` + ``update_row_count``.
        insert_row_count: rows that are new.
        update_row_count: rows that take the place of existing ones.
        ui_clone_duration_ms: making the values to be staged.
        seed_ensure_duration_ms: making sure that the staging table is there.
        seed_recordset_open_duration_ms: preparing the statement that fills it.
        stage_duration_ms: filling it.
        parameter_bind_duration_ms: part of it: handing the values to the driver.
        command_execute_duration_ms: part of it: running the statement.
        interface_update_duration_ms: updating existing rows from it; 0 when none is.
        interface_insert_duration_ms: inserting new rows from it; 0 when none is.
        history_insert_duration_ms: adding the batch to the history.
        cleanup_duration_ms: removing the batch from the staging table.
        transaction_commit_duration_ms: committing the nested transaction.
        transaction_used: the batch had a nested transaction.
        transaction_level: its level, 2 within the host's own; ``None`` without one.
        transaction_committed: it was committed.
        transaction_rolled_back: it was rolled back.
        recordset_attempted: many rows at a time were tried.
        recordset_used: and that worked; else the rows went one by one.
        stream_dispatch_duration_ms: handing the rows to the port stream.
        stream_clone_duration_ms: as in ``InterfacePortStreamMetrics``; so are the next four.
        success: the batch is in the database.
    """

    hostname: str
    batch_id: str
    run_date: str
    rows: int
    insert_row_count: int
    update_row_count: int
    ui_clone_duration_ms: float = 0.0
    seed_ensure_duration_ms: float = 0.0
    seed_recordset_open_duration_ms: float = 0.0
    stage_duration_ms: float = 0.0
    parameter_bind_duration_ms: float = 0.0
    command_execute_duration_ms: float = 0.0
    interface_update_duration_ms: float = 0.0
    interface_insert_duration_ms: float = 0.0
    history_insert_duration_ms: float = 0.0
    cleanup_duration_ms: float = 0.0
    transaction_commit_duration_ms: float = 0.0
    transaction_used: bool = False
    transaction_level: int | None = None
    transaction_committed: bool = False
    transaction_rolled_back: bool = False
    recordset_attempted: bool = False
    recordset_used: bool = False
    stream_dispatch_duration_ms: float = 0.0
    stream_clone_duration_ms: float = 0.0
    stream_state_update_duration_ms: float = 0.0
    stream_rows_received: int = 0
    stream_rows_reused: int = 0
    stream_rows_cloned: int = 0
    success: bool


class InterfaceBulkInsert(Event, frozen=True, kw_only=True):
    """The outcome of a batch, right after its ``InterfaceBulkInsertTiming`` (reference: telemetry-events 4.9).

    Attributes:
        hostname: host name.
        batch_id: lower-case GUID of the batch.
        rows: rows of the batch.
        run_date: local time of the host's run, ``yyyy-MM-dd HH:mm:ss``.
        success: the batch is in the database.
    """

    hostname: str
    batch_id: str
    rows: int
    run_date: str
    success: bool

    @classmethod
    def of(cls, timing: InterfaceBulkInsertTiming) -> Self:
        """The outcome of the batch that ``timing`` measures."""
        return cls(
            hostname=timing.hostname,
            batch_id=timing.batch_id,
            rows=timing.rows,
            run_date=timing.run_date,
            success=timing.success,
        )


class RowsWritten(Event, frozen=True, kw_only=True):
    """A host's rows were written, be it none (reference: telemetry-events 4.6).

    Attributes:
        hostname: host name.
        site: site key.
        run_date: time of the host's run as it was given, ``yyyy-MM-dd HH:mm:ss``.
        rows: rows inserted and updated.
        deleted_rows: rows deleted.
    """

    hostname: str
    site: str
    run_date: str
    rows: int
    deleted_rows: int = 0


class DatabaseWriteLatency(Event, frozen=True, kw_only=True):
    """A host's transaction was committed (reference: telemetry-events 4.4).

    Attributes:
        hostname: host name.
        site: site key.
        latency_ms: whole milliseconds of finding its existing rows, which may mean to read the site, and from the begin
            of the transaction to the end of its commit; waiting for locks and opening the connection do not count.
    """

    hostname: str
    site: str
    latency_ms: int
