"""Reading: sites through the cache, devices, interfaces, history and port batches."""

from statetrace.repository.ports import ChunkChoice, PortBatch, PortStream, choose_chunk
from statetrace.repository.repository import DeviceRepository, SiteRead

__all__ = [
    "ChunkChoice",
    "DeviceRepository",
    "PortBatch",
    "PortStream",
    "SiteRead",
    "choose_chunk",
]
