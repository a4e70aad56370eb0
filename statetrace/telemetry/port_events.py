"""Events of port batches: rows committed, handed to a stream, cut into batches, delivered."""

from __future__ import annotations

from statetrace.telemetry.events import Event


class PortBatchReady(Event, frozen=True, kw_only=True):
    """The rows of a host were committed and are ready in batches (reference: telemetry-events 4.8).

    Attributes:
        hostname: host name.
        batch_id: lower-case GUID of the bulk batch.
        run_date: local time of the host's run, ``yyyy-MM-dd HH:mm:ss``.
        ports_committed: rows in the batch.
        chunk_size: rows of a chunk as configured.
        estimated_batch_count: ``ports_committed`` / ``chunk_size``, rounded up.
    """

    hostname: str
    batch_id: str
    run_date: str
    ports_committed: int
    chunk_size: int
    estimated_batch_count: int


class InterfacePortStreamMetrics(Event, frozen=True, kw_only=True):
    """Rows of a host were handed to its port stream (reference: telemetry-events 4.10).

    Attributes:
        hostname: host name.
        batch_id: lower-case GUID of the bulk batch.
        run_date: local time of the host's run, ``yyyy-MM-dd HH:mm:ss``.
        rows_received: rows handed over.
        rows_reused: rows kept as they are.
        rows_cloned: rows copied.
        stream_clone_duration_ms: time for copying.
        stream_state_update_duration_ms: time for updating the stream.
    """

    hostname: str
    batch_id: str
    run_date: str
    rows_received: int
    rows_reused: int
    rows_cloned: int
    stream_clone_duration_ms: float
    stream_state_update_duration_ms: float


class InterfacePortQueueMetrics(Event, frozen=True, kw_only=True):
    """A port stream was cut into batches (reference: telemetry-events 4.10, site-cache 10.3).

    Attributes:
        hostname: host name.
        batch_id: lower-case GUID of the bulk batch.
        queue_build_duration_ms: time for building the queue.
        queue_build_delay_ms: time between the making of the stream and the start of the build, at least 0.
        batch_count: batches in the queue: ``total_ports`` / ``chunk_size``, rounded up.
        total_ports: rows in the stream.
        chunk_size: rows of a batch.
        chunk_source: ``Override`` (by the caller), ``Default`` (as configured) or ``Dynamic`` (computed).
    """

    hostname: str
    batch_id: str
    queue_build_duration_ms: float
    queue_build_delay_ms: float
    batch_count: int
    total_ports: int
    chunk_size: int
    chunk_source: str


class InterfacePortDispatchMetrics(Event, frozen=True, kw_only=True):
    """One batch was delivered (reference: telemetry-events 4.10).

    Attributes:
        hostname: host name.
        batch_id: lower-case GUID of the bulk batch, or ``None``.
        batch_ordinal: number of the batch, counted from 1.
        batch_count: batches in the queue.
        batch_size: rows of this batch.
        ports_delivered: rows delivered so far.
        total_ports: rows in the stream.
        dispatcher_duration_ms: time of the whole delivery.
        append_duration_ms: part of it: adding the rows.
        indicator_duration_ms: part of it: showing progress.
    """

    hostname: str
    batch_id: str | None
    batch_ordinal: int
    batch_count: int
    batch_size: int
    ports_delivered: int
    total_ports: int
    dispatcher_duration_ms: float
    append_duration_ms: float
    indicator_duration_ms: float
