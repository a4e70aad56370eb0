"""Reading: sites through the cache, devices, interfaces, history and port batches."""

from statetrace.repository.ports import DEFAULT_CHUNK_SIZE, ChunkChoice, PortBatch, PortStream, choose_chunk
from statetrace.repository.repository import DeviceRepository, SiteRead
from statetrace.repository.templates import HintCache

__all__ = [
    "DEFAULT_CHUNK_SIZE",
    "ChunkChoice",
    "DeviceRepository",
    "HintCache",
    "PortBatch",
    "PortStream",
    "SiteRead",
    "choose_chunk",
]
