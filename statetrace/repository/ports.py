"""The ports of a host in batches, for whoever shows or sends them piece by piece (reference: site-cache 10)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from math import ceil

import msgspec

from statetrace.model import InterfaceRow
from statetrace.telemetry import NO_TELEMETRY, InterfacePortQueueMetrics, Stopwatch, Telemetry, round_ms

DEFAULT_CHUNK_SIZE = 64
_SMALLEST_TARGET, _LARGEST_TARGET, _TARGET_BATCHES = 24, 120, 6

Port = tuple[str, InterfaceRow]


class ChunkChoice(msgspec.Struct, frozen=True):
    """Ports per batch, why so many (``Override``, ``Default`` or ``Dynamic``), and how many batches that makes."""

    size: int
    source: str
    batches: int


def choose_chunk(total: int, *, base: int = DEFAULT_CHUNK_SIZE, override: int | None = None) -> ChunkChoice:
    """How to cut ``total`` ports into batches.

    Without an override about six batches are aimed at, of at least the base and 24 and at most 120 ports.

    >>> choose_chunk(48, base=24), choose_chunk(400)
    (ChunkChoice(size=24, source='Default', batches=2), ChunkChoice(size=67, source='Dynamic', batches=6))
    """
    if override is not None and override > 0:
        return ChunkChoice(override, "Override", ceil(total / override))
    if total <= 0:
        return ChunkChoice(base, "Default", 0)
    low = max(base, _SMALLEST_TARGET)
    high = max(_LARGEST_TARGET, low)
    size = max(1, min(high, max(low, ceil(total / _TARGET_BATCHES)), total))
    return ChunkChoice(size, "Default" if size == base else "Dynamic", ceil(total / size))


class PortBatch(msgspec.Struct, frozen=True):
    """One batch of a host's ports.

    Attributes:
        ordinal: number of the batch, from 1.
        batch_count: how many there are.
        ports: port and row, in natural order.
        ports_delivered: ports of this batch and all before it.
        total_ports: ports of the host.
    """

    hostname: str
    batch_id: str
    ordinal: int
    batch_count: int
    ports: tuple[Port, ...]
    ports_delivered: int
    total_ports: int

    @property
    def batches_remaining(self) -> int:
        return self.batch_count - self.ordinal

    @property
    def completed(self) -> bool:
        """Whether this is the last batch."""
        return self.batches_remaining == 0


class PortStream(Sequence[PortBatch]):
    """The batches of a host, to be iterated as often as one likes.

    Attributes:
        hostname: the host.
        batch_id: lower-case GUID that names this cutting of the host's ports.
        chunk: how the ports were cut.
    """

    def __init__(self, hostname: str, batch_id: str, ports: tuple[Port, ...], chunk: ChunkChoice) -> None:
        self.hostname = hostname
        self.batch_id = batch_id
        self.chunk = chunk
        self._ports = ports

    def __len__(self) -> int:
        return self.chunk.batches

    def __getitem__(self, index: int) -> PortBatch:  # type: ignore[override]  # batches are not sliced
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        ordinal = index % len(self) + 1
        start = (ordinal - 1) * self.chunk.size
        ports = self._ports[start : start + self.chunk.size]
        return PortBatch(self.hostname, self.batch_id, ordinal, len(self), ports, start + len(ports), len(self._ports))

    def __iter__(self) -> Iterator[PortBatch]:
        return (self[index] for index in range(len(self)))


def open_port_stream(
    hostname: str,
    ports: tuple[Port, ...],
    *,
    chunk_size: int | None = None,
    batch_id: str | None = None,
    waited_ns: int = 0,
    telemetry: Telemetry = NO_TELEMETRY,
) -> PortStream:
    """Cut the ports of a host into batches; tells ``InterfacePortQueueMetrics``.

    ``waited_ns`` are the nanoseconds from the wish for the batches to the moment when the ports were at hand.
    """
    watch = Stopwatch().start()
    stream = PortStream(hostname, batch_id or str(uuid.uuid4()), ports, choose_chunk(len(ports), override=chunk_size))
    if telemetry.enabled:
        telemetry.emit(
            InterfacePortQueueMetrics(
                hostname=hostname,
                batch_id=stream.batch_id,
                queue_build_duration_ms=round_ms(watch.lap()),
                queue_build_delay_ms=round_ms(waited_ns),
                batch_count=stream.chunk.batches,
                total_ports=len(ports),
                chunk_size=stream.chunk.size,
                chunk_source=stream.chunk.source,
            )
        )
    return stream
