"""Events as typed records, the sink that writes them, stage stop-watches."""

from statetrace.telemetry.breakdown_event import DatabaseWriteBreakdown
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
from statetrace.telemetry.ingestion_events import (
    ConcurrencyOverrideSummary,
    ConcurrencyProfileResolved,
    InterfacePersistenceFailure,
    ParseDuration,
    ParserSchedulerLaunch,
    SkippedDuplicate,
    utc_text,
)
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
from statetrace.telemetry.sync_event import InterfaceSyncTiming
from statetrace.telemetry.sync_parts import (
    LoadedRows,
    ParserMissingSample,
    ResolveContext,
    RowDiff,
    RowWrite,
    SiteLookup,
    TemplateApplySample,
    TemplateUse,
)
from statetrace.telemetry.telemetry import NO_TELEMETRY, Telemetry
from statetrace.telemetry.write_events import (
    DatabaseWriteLatency,
    InterfaceBulkInsert,
    InterfaceBulkInsertTiming,
    RowsWritten,
    SiteExistingRowCacheState,
)

__all__ = [
    "ENTRY_TYPE",
    "HOST_MAP_TYPE",
    "NO_TELEMETRY",
    "CandidateMissingSample",
    "ConcurrencyOverrideSummary",
    "ConcurrencyProfileResolved",
    "DatabaseWriteBreakdown",
    "DatabaseWriteLatency",
    "DirectorySink",
    "Event",
    "InterfaceBulkInsert",
    "InterfaceBulkInsertTiming",
    "InterfacePersistenceFailure",
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
    "InterfaceSyncTiming",
    "LoadedRows",
    "ParseDuration",
    "ParserMissingSample",
    "ParserSchedulerLaunch",
    "PortBatchReady",
    "ResolveContext",
    "RowDiff",
    "RowWrite",
    "RowsWritten",
    "SignatureMismatchSample",
    "Sink",
    "SiteExistingRowCacheState",
    "SiteLookup",
    "SkippedDuplicate",
    "Stopwatch",
    "Telemetry",
    "TemplateApplySample",
    "TemplateUse",
    "ratio",
    "round_ms",
    "runspace_id",
    "utc_text",
]
