"""The rules that hold between the fields and events of a run (reference: telemetry-events 6, parser-persistence 9.4).

Rules keep the names of the reference. Where the original's rule describes one of its defects, or assumes a timer finer
than the work, ours says what is true here; D, E, F, O, R and T are our own.
"""

from __future__ import annotations

# Rules about one event: expressions over its fields.
EVENT_RULES: dict[str, dict[str, str]] = {
    "ParserSchedulerLaunch": {
        "L1": "1 <= ActiveSites <= ActiveWorkers <= ThreadBudget",
        "L2": "0 <= QueuedSites <= QueuedJobs and (QueuedSites == 0) == (QueuedJobs == 0)",
        "L3": "Site != ''",
    },
    "ConcurrencyProfileResolved": {
        "L4": "all((DecisionSource == 'AutoScale') == (name in event) for name in RESOLVED)",
        "L5": "DecisionSource != 'AutoScale' or all(event[n] == event['Resolved' + n] for n in FINAL)"
        " and ThreadCeiling <= ResolvedThreadCeiling",
        "L6": "ManualOverrides == any(name.startswith('Override') for name in event)",
        "L7": "DecisionSource != 'AutoScale' or (ProfileDeviceCount, ProfileSiteCount) == (DeviceCount, SiteCount)",
        "L8": "ThreadCeiling <= max(MinRunspaces, (MaxActiveSites or SiteCount) * MaxWorkersPerSite)",
    },
    "ParseDuration": {
        "X1": "DurationSeconds >= 0 and round(DurationSeconds, 3) == DurationSeconds",
        "X2": "'Timestamp' not in event or -0.01 <= seconds(Timestamp) - seconds(StartTime) - DurationSeconds < 1",
    },
    "SkippedDuplicate": {
        "X4": "Reason == 'HashMatch' and get('SourceLength', 1) > 0"
        " and matches('[0-9a-f]{64}', get('FileHash', '0' * 64))",
    },
    "RowsWritten": {
        "X5": r"Rows >= 0 and DeletedRows >= 0 and matches(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d', RunDate)",
    },
    "InterfaceSiteCacheMetrics": {
        "M2": "Refreshed == (CacheStatus == 'Refreshed')",
        "M3": "(Provider == 'Cache') == (PreviousSnapshotStatus == 'CacheHit')",
        "M4": "not reuse or not any(event[n] for n in event if n.endswith('DurationMs')) and not (QueryAttempts"
        " or HostMapSignatureRewriteCount or HostMapLookupMissCount or HostMapCandidateMissingCount"
        " or HostMapEntryAllocationCount)",
        "M5": "not reuse or HostMapSignatureMatchCount == HostMapLookupCount == HostMapCandidateFromPreviousCount"
        " == TotalRows == ResultRowCount == PreviousPortCount == PreviousSnapshotPortCount",
        "M6": "not reuse or HostCount == PreviousHostCount == PreviousSnapshotHostCount",
        "M7": "not hydrated or HostMapLookupCount == TotalRows == ResultRowCount",
        "M8": "not hydrated or HostMapSignatureMatchCount + HostMapSignatureRewriteCount == HostMapLookupCount",
        "M9": "not hydrated or HostMapCandidateFromPreviousCount + HostMapCandidateFromPoolCount"
        " + HostMapCandidateMissingCount == HostMapLookupCount",
        "M10": "not hydrated or HostMapEntryAllocationCount == HostMapCandidateMissingCount",
        "M11": "not hydrated or HostMapSignatureRewriteCount == HostMapCandidateMissingCount"
        " + HostMapCandidateSignatureMissingCount + HostMapCandidateSignatureMismatchCount",
        "M12": "not hydrated or HostMapLookupMissCount == HostCount",
        "M13": "len(HostMapCandidateMissingSamples) == min(5, HostMapCandidateMissingCount)",
        "M14": "len(HostMapSignatureMismatchSamples) == min(5, HostMapCandidateSignatureMismatchCount)",
        "M15": "MaterializeTemplateCacheHitRatio"
        " == ratio(MaterializeTemplateCacheHits, MaterializeTemplateCacheMisses)",
        # Rows without a template look nothing up.
        "M16": "not hydrated or MaterializeTemplateCacheHits + MaterializeTemplateCacheMisses <= ResultRowCount",
        "M17": "not hydrated or SnapshotDurationMs + BuildDurationMs <= HydrationDurationMs + 0.01",
        "M18": "not hydrated or HostMapDurationMs <= BuildDurationMs + 0.002",
        "M20": "not hydrated or QueryDurationMs + MaterializeDurationMs <= SnapshotDurationMs + 1",
        "M22": "not hydrated or MaterializeProjectionDurationMs + MaterializePortSortDurationMs"
        " + MaterializeTemplateDurationMs + MaterializeObjectDurationMs <= MaterializeDurationMs + 1",
        # Looking a template up is part of applying it.
        "M23": "not hydrated or max(MaterializeTemplateLookupDurationMs, MaterializeTemplateApplyDurationMs)"
        " <= MaterializeTemplateDurationMs + 1",
        "M24": "not hydrated or 0 <= ExclusiveRetryCount < QueryAttempts",
        "M25": "len(list(filter(None, PreviousHostSample.split(',')))) == min(5, PreviousHostCount)",
        "M27": "HostMapSignatureMatchCount <= PreviousSnapshotPortCount",
        "M28": "not hydrated or HostMapCandidateFromPreviousCount <= PreviousPortCount",
        "M29": "not hydrated or abs(QueryDurationMs - ExecuteDurationMs - RecordsetDurationMs) <= 0.0015",
    },
    "InterfaceSyncTiming": {
        "S2": "LoadCacheHit != LoadCacheMiss",
        "S3": "DiffRowsCompared == DiffRowsUnchanged + DiffRowsChanged + DiffRowsInserted",
        "S4": "FactsConsidered == DiffSeenPorts + DiffDuplicatePorts and DiffRowsCompared in (DiffSeenPorts,"
        " FactsConsidered)",
        "S5": "InsertCandidates == DiffRowsInserted == SiteCacheComparisonMissingPortCount",
        "S6": "UpdateCandidates == DiffRowsChanged == SiteCacheComparisonSignatureMismatchCount",
        "S7": "DeleteCandidates == SiteCacheComparisonObsoletePortCount",
        "S8": "RowsStaged == InsertCandidates + UpdateCandidates",
        "S9": "SiteCacheComparisonCandidateCount == SiteCacheComparisonSignatureMatchCount"
        " + SiteCacheComparisonSignatureMismatchCount and SiteCacheComparisonSignatureMatchCount == DiffRowsUnchanged",
        "S10": "SiteCacheComparisonCandidateCount + SiteCacheComparisonMissingPortCount == DiffRowsCompared",
        "S11": "ExistingCount == SiteCacheExistingRowCount == LoadExistingRowSetCount == CachedRowCount",
        "S12": "ExistingCount == SiteCacheComparisonCandidateCount + SiteCacheComparisonObsoletePortCount",
        "S13": "BulkAttempted == (RowsStaged > 0)",
        "S14": "matches(GUID, BulkBatchId) if BulkAttempted else BulkBatchId is None",
        "S15": "not BulkSucceeded or BulkRowsPrepared == BulkRowsCommitted == RowsStaged",
        "S16": "BulkAttempted or not any(event[name] for name in BULK if name in event)",
        "S17": "FallbackUsed == (RowsStaged > 0 and not BulkSucceeded)",
        "S18": "SiteCacheExistingRowSource"
        " in SOURCES.get((SiteCacheFetchStatus, SiteCacheProvider, SiteCacheProviderReason), ())",
        "S20": "LoadCacheRefreshed == (SiteCacheProvider == 'Refreshed')",
        "S22": "LoadCacheMiss == (SiteCacheExistingRowSource == 'DatabaseQuery')",
        "S23": "SiteCacheFetchDurationMs >= SiteCacheRefreshDurationMs > 0 if LoadCacheRefreshed"
        " else SiteCacheRefreshDurationMs == 0",
        "S24": "SiteCacheUpdateDurationMs == 0 or LoadCacheMiss or RowsStaged > 0 or DeleteCandidates > 0",
        "S25": "StreamRowsReceived == StreamRowsReused + StreamRowsCloned",
        "S27": "SiteCacheResolveInitialStatus != 'SharedStoreMatch'"
        " or SiteCacheResolveInitialMatchedKey.upper() == Hostname.upper()",
        "S28": "(SiteCacheResolveInitialCacheAgeMs is None) == (SiteCacheResolveInitialCachedAt == '')"
        " and (SiteCacheResolveRefreshCacheAgeMs is None) == (SiteCacheResolveRefreshCachedAt == '')",
        "S29": "max(DiffSignatureDurationMs, DiffComparisonDurationMs) <= DiffDurationMs + 0.002",
        "S30": "BulkStageDurationMs + 0.01 >= BulkParameterBindDurationMs + BulkCommandExecuteDurationMs",
        "S31": "SiteCacheMaterializeTemplateApplyCount == SiteCacheMaterializeTemplateHintAppliedCount"
        " + SiteCacheMaterializeTemplateDefaultedCount and SiteCacheMaterializeTemplateDefaultedCount"
        " == SiteCacheMaterializeTemplateAuthTemplateMissingCount + SiteCacheMaterializeTemplateNoTemplateMatchCount",
        "S32": "SiteCacheMaterializeTemplateCacheHitCount + SiteCacheMaterializeTemplateCacheMissCount"
        " == SiteCacheMaterializeTemplateApplyCount - SiteCacheMaterializeTemplateAuthTemplateMissingCount",
        # A read that works on columns quotes no rows.
        "S33": "len(SiteCacheMaterializeTemplateApplySamples) <= min(20, SiteCacheMaterializeTemplateApplyCount)",
        "S36": "SiteCacheProvider not in ('Refreshed', 'Hydrated') or SiteCacheHostMapSignatureMatchCount"
        " + SiteCacheHostMapSignatureRewriteCount == SiteCacheHostMapLookupCount",
        "S37": "SiteCacheProvider not in ('Unknown', 'Database') or not any(event[name] for name in event"
        " if matches('SiteCache(?!Update|Fetch).*DurationMs', name))",
        "F1": "SiteCacheFetchDurationMs > 0 or SiteCacheProvider == 'Unknown'",
        "F2": "SiteCacheMaterializeTemplateCacheHitRatio == (ratio(SiteCacheMaterializeTemplateCacheHitCount,"
        " SiteCacheMaterializeTemplateCacheMissCount) or 0)",
    },
    "InterfaceSiteCacheHostPersisted": {
        "H1": "EntryHostCountDelta == EntryHostCount - PreviousHostCount",
        "H2": "EntryTotalRowsDelta == EntryTotalRows - PreviousPortCount",
        "H3": "ConvertedToTyped == (not PreviousHostMapWasTyped) == (not HostMapReused)",
        "H4": "SharedStoreUpdated",
        "H5": "EntryHostCountDelta in (0, 1)",
        "H6": "EntryTotalRows >= PersistedPortCount >= EntryTotalRowsDelta",
        "H7": "EntryHostCountDelta == 0 or EntryTotalRowsDelta == PersistedPortCount",
    },
    "InterfaceSiteCacheSharedStore": {
        "C1": "Operation != 'GetMiss' or HostCount == TotalRows == 0",
        "C2": "Operation != 'GetHit' or EntryCount >= 1",
        "C4": "EntryCount >= 0 and HostCount >= 0 and TotalRows >= 0 and (HostCount > 0 or TotalRows == 0)",
    },
    "InterfaceSiteCacheSharedStoreState": {"C6": "StoreHashCode > 0"},
    "InterfaceSiteCacheReuseAttempt": {
        "C7": "AdoptedFromSharedStore == SharedStoreEntryFound == ('SharedStoreHostCount' in event)",
        "C8": "not SharedStoreEntryFound or ScriptCacheEntryFound and ScriptCacheHostCount == SharedStoreHostCount",
    },
    "InterfaceSiteCacheReuseState": {
        "C9": "len(list(filter(None, KeysSample.split(',')))) == min(5, HostCount)",
    },
    "InterfaceSiteCacheRunspaceState": {
        "C10": "CacheExists or not (HostCount or TotalRows or CacheStatus or HostMapType or EntryType or CachedAt)",
        "C11": "not CacheExists or bool(HostMapType and EntryType and CachedAt)",
    },
    "InterfaceBulkInsertTiming": {
        "K1": "Rows == InsertRowCount + UpdateRowCount",
        "K2": "not TransactionUsed or TransactionCommitted != TransactionRolledBack and Success == TransactionCommitted",
        "K3": "(UpdateRowCount > 0 or InterfaceUpdateDurationMs == 0)"
        " and (InsertRowCount > 0 or InterfaceInsertDurationMs == 0)",
        "K4": "StageDurationMs + 0.01 >= ParameterBindDurationMs + CommandExecuteDurationMs",
        "K6": "RecordsetAttempted or not RecordsetUsed",
    },
    "PortBatchReady": {"P1": "EstimatedBatchCount == ceil(PortsCommitted / ChunkSize)"},
    "InterfacePortQueueMetrics": {
        "P2": "BatchCount == ceil(TotalPorts / ChunkSize)",
        "P3": "(ChunkSize <= TotalPorts or ChunkSource != 'Dynamic') and QueueBuildDelayMs >= 0",
    },
    "InterfacePortDispatchMetrics": {
        "P4": "1 <= BatchOrdinal <= BatchCount and BatchSize <= PortsDelivered <= TotalPorts",
        "P5": "(BatchOrdinal == BatchCount) == (PortsDelivered == TotalPorts)",
        "P6": "DispatcherDurationMs + 0.01 >= AppendDurationMs + IndicatorDurationMs",
    },
    "InterfacePortStreamMetrics": {"P7": "RowsReceived == RowsReused + RowsCloned"},
    "DatabaseWriteBreakdown": {
        "W1": "SummaryDurationMs + InterfaceCallDurationMs + CommitDurationMs <= DatabaseWriteLatencyMs + 1",
        "W3": "RowsStaged == InsertCandidates + UpdateCandidates",
    },
}

SOURCES = {
    ("SharedOnly", "SharedCache", "SharedCacheMatch"): {"CacheInitial", "CacheRefresh"},
    ("Hit", "Cache", "AccessCacheHit"): {"CacheInitial"},
    ("Hit", "Cache", "SiteExistingCache"): {"SiteExistingCache"},
    ("Hydrated", "Hydrated", "AccessHydrate"): {"CacheInitial", "CacheRefresh"},
    ("Refreshed", "Refreshed", "AccessRefresh"): {"CacheRefresh", "DatabaseQuery"},
    ("Disabled", "Database", "SkipSiteCacheUpdate"): {"DatabaseQuery"},
    ("SkippedEmpty", "Database", "SharedCacheUnavailable"): {"DatabaseQuery"},
    ("Miss", "Database", "DatabaseQueryFallback"): {"DatabaseQuery"},
}
"""Status, provider and reason → where the rows can have come from."""

ORDER = (
    "SiteExistingRowCacheState",
    "InterfacePortStreamMetrics",
    "PortBatchReady",
    "InterfaceBulkInsertTiming",
    "InterfaceBulkInsert",
    "RowsWritten",
    "InterfaceSiteCacheHostPersisted",
    "InterfaceSyncTiming",
    "DatabaseWriteLatency",
    "DatabaseWriteBreakdown",
    "ParseDuration",
)
"""The events of one host (reference: parser-persistence 11.12)."""

RUN_RULES = {
    "E1": "an event begins with EventName and Timestamp, which is local time with offset and seven digits",
    "D1": "durations are finite, not negative, of three decimals",
    "D2": "ratios lie between 0 and 1 and have six decimals, or are null",
    "D3": "lists are lists",
    "R1": "one launch for each log, site by site",
    "R2": "exactly one of ParseDuration and SkippedDuplicate for each host",
    "R3": "a host that succeeded was written once and told whole, one that did not was not written",
    "R4": "concurrency is resolved once, before the first launch",
    "R5": "each launch leaves one job less in the queues",
    "R6": "a worker tells its site's cache before and after each log",
    "O1": "the events of a host come in their order",
    "J1": "DatabaseWriteBreakdown and DatabaseWriteLatency tell the same latency",
    "J2": "DatabaseWriteBreakdown repeats InterfaceSyncTiming",
    "J3": "RowsWritten has the counts of InterfaceSyncTiming",
    "J4": "a log takes at least as long as its transaction",
    "J5": "the events of a batch agree",
    "J6": "InterfaceSyncTiming names its batch",
    "J7": "the port stream received what was committed",
    "J8": "each attempt at reuse is answered by metrics",
    "J9": "each reuse tells its state",
    "T1": "a read of a site is told by the one host for which it was made",
}
"""Rules about all events together."""
