"""Events as typed records, the sink that writes them, stage stop-watches."""

from statetrace.telemetry.cache_events import (
    InterfaceSiteCacheClearInvocation,
    InterfaceSiteCacheHostPersisted,
    InterfaceSiteCacheReuseAttempt,
    InterfaceSiteCacheReuseState,
    InterfaceSiteCacheRunspaceState,
    InterfaceSiteCacheSharedStore,
    InterfaceSiteCacheSharedStoreState,
)
from statetrace.telemetry.events import ENTRY_TYPE, HOST_MAP_TYPE, Event, runspace_id
from statetrace.telemetry.metrics_event import (
    CandidateMissingSample,
    InterfaceSiteCacheMetrics,
    SignatureMismatchSample,
)
from statetrace.telemetry.port_events import (
    InterfacePortDispatchMetrics,
    InterfacePortQueueMetrics,
    InterfacePortStreamMetrics,
    PortBatchReady,
)
from statetrace.telemetry.sink import DirectorySink, Sink
from statetrace.telemetry.stopwatch import Stopwatch, ratio, round_ms
from statetrace.telemetry.telemetry import NO_TELEMETRY, Telemetry

__all__ = [
    "ENTRY_TYPE",
    "HOST_MAP_TYPE",
    "NO_TELEMETRY",
    "CandidateMissingSample",
    "DirectorySink",
    "Event",
    "InterfacePortDispatchMetrics",
    "InterfacePortQueueMetrics",
    "InterfacePortStreamMetrics",
    "InterfaceSiteCacheClearInvocation",
    "InterfaceSiteCacheHostPersisted",
    "InterfaceSiteCacheMetrics",
    "InterfaceSiteCacheReuseAttempt",
    "InterfaceSiteCacheReuseState",
    "InterfaceSiteCacheRunspaceState",
    "InterfaceSiteCacheSharedStore",
    "InterfaceSiteCacheSharedStoreState",
    "PortBatchReady",
    "SignatureMismatchSample",
    "Sink",
    "Stopwatch",
    "Telemetry",
    "ratio",
    "round_ms",
    "runspace_id",
]
