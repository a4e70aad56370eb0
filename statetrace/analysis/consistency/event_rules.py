"""The rules of single events: scheduling, logs, batches of rows, ports and the shared cache.

Those of reads of a site and of synchronised hosts stand in ``read_rules`` and ``sync_rules``. Where a rule of the
reference (telemetry-events 6) describes a defect of the original, or assumes a timer finer than the work, the rule here
says what is true for both.
"""

from __future__ import annotations

import re
from datetime import datetime

from statetrace.analysis.consistency.rules import Fields, Rule

_RUN_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_SHA256 = re.compile("[0-9a-f]{64}")
_FINAL = ("MaxWorkersPerSite", "MaxActiveSites", "JobsPerThread", "MinRunspaces")
_RESOLVED = tuple(f"Resolved{name}" for name in ("ThreadCeiling", *_FINAL))
_AFTER_END_S = 60.0
"""So much later than the end of its work a log may be told of, by a machine that is busy."""


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text[:26] + text[27:]).timestamp()


def _auto_scaled(e: Fields) -> bool:
    return bool(e["DecisionSource"] == "AutoScale")


def _ended_in_time(e: Fields) -> bool:
    if "Timestamp" not in e:
        return True
    after = _seconds(e["Timestamp"]) - _seconds(e["StartTime"]) - e["DurationSeconds"]
    return bool(-0.01 <= after < _AFTER_END_S)  # noqa: PLR2004  # two clocks, and digits that were cut


def _batches(rows: int, size: int) -> int:
    return -(-rows // size)


def _named(sample: str) -> int:
    return len([name for name in sample.split(",") if name])


EVENT_RULES = (
    Rule(
        "L1",
        "ParserSchedulerLaunch",
        "sites at work ≤ workers at work ≤ threads allowed",
        lambda e: 1 <= e["ActiveSites"] <= e["ActiveWorkers"] <= e["ThreadBudget"],
    ),
    Rule(
        "L2",
        "ParserSchedulerLaunch",
        "no more sites than jobs are queued, and none of both or some of both",
        lambda e: 0 <= e["QueuedSites"] <= e["QueuedJobs"] and (e["QueuedSites"] == 0) == (e["QueuedJobs"] == 0),
    ),
    Rule("L3", "ParserSchedulerLaunch", "a launch names its site", lambda e: e["Site"] != ""),
    Rule(
        "L4",
        "ConcurrencyProfileResolved",
        "the five Resolved fields are there exactly when the numbers were scaled",
        lambda e: all(_auto_scaled(e) == (name in e) for name in _RESOLVED),
    ),
    Rule(
        "L5",
        "ConcurrencyProfileResolved",
        "scaled numbers are in force, and the ceiling is not exceeded",
        lambda e: (
            not _auto_scaled(e)
            or (
                all(e[name] == e[f"Resolved{name}"] for name in _FINAL)
                and e["ThreadCeiling"] <= e["ResolvedThreadCeiling"]
            )
        ),
    ),
    Rule(
        "L6",
        "ConcurrencyProfileResolved",
        "ManualOverrides tells whether there are Override fields",
        lambda e: e["ManualOverrides"] == any(name.startswith("Override") for name in e),
    ),
    Rule(
        "L7",
        "ConcurrencyProfileResolved",
        "the numbers were scaled for these devices and sites",
        lambda e: (
            not _auto_scaled(e)
            or (e["ProfileDeviceCount"], e["ProfileSiteCount"]) == (e["DeviceCount"], e["SiteCount"])
        ),
    ),
    Rule(
        "L8",
        "ConcurrencyProfileResolved",
        "no more threads than the sites give work for",
        lambda e: (
            e["ThreadCeiling"]
            <= max(e["MinRunspaces"], (e["MaxActiveSites"] or e["SiteCount"]) * e["MaxWorkersPerSite"])
        ),
    ),
    Rule(
        "X1",
        "ParseDuration",
        "seconds are not negative and have three decimals",
        lambda e: e["DurationSeconds"] >= 0 and round(e["DurationSeconds"], 3) == e["DurationSeconds"],
    ),
    Rule("X2", "ParseDuration", "it is told when start and duration are over, within a minute", _ended_in_time),
    Rule(
        "X4",
        "SkippedDuplicate",
        "the reason is the hash of the file, which is not empty",
        lambda e: (
            e["Reason"] == "HashMatch"
            and e.get("SourceLength", 1) > 0
            and _SHA256.fullmatch(e.get("FileHash", "0" * 64))
        ),
    ),
    Rule(
        "X5",
        "RowsWritten",
        "counts are not negative, and RunDate is a date with time",
        lambda e: e["Rows"] >= 0 and e["DeletedRows"] >= 0 and _RUN_DATE.fullmatch(e["RunDate"]),
    ),
    Rule(
        "H1",
        "InterfaceSiteCacheHostPersisted",
        "EntryHostCountDelta is the difference of the counts",
        lambda e: e["EntryHostCountDelta"] == e["EntryHostCount"] - e["PreviousHostCount"],
    ),
    Rule(
        "H2",
        "InterfaceSiteCacheHostPersisted",
        "EntryTotalRowsDelta is the difference of the counts",
        lambda e: e["EntryTotalRowsDelta"] == e["EntryTotalRows"] - e["PreviousPortCount"],
    ),
    Rule(
        "H3",
        "InterfaceSiteCacheHostPersisted",
        "a map is either kept, being typed, or converted",
        lambda e: (
            not e["SharedStoreUpdated"]
            or e["ConvertedToTyped"] == (not e["PreviousHostMapWasTyped"]) == (not e["HostMapReused"])
        ),
    ),
    Rule(
        "H4",
        "InterfaceSiteCacheHostPersisted",
        "the shared cache was updated, or there was no entry to update",
        lambda e: e["SharedStoreUpdated"] or not (e["EntryHostCount"] or e["EntryTotalRows"] or e["HostMapReused"]),
    ),
    Rule(
        "H5",
        "InterfaceSiteCacheHostPersisted",
        "one host is added, replaced, or removed with its last row",
        lambda e: (
            e["EntryHostCountDelta"] in (0, 1) or (e["EntryHostCountDelta"] == -1 and not e["PersistedPortCount"])
        ),
    ),
    Rule(
        "H6",
        "InterfaceSiteCacheHostPersisted",
        "the site has the host's rows, and did not grow by more",
        lambda e: (
            not e["SharedStoreUpdated"] or e["EntryTotalRows"] >= e["PersistedPortCount"] >= e["EntryTotalRowsDelta"]
        ),
    ),
    Rule(
        "H7",
        "InterfaceSiteCacheHostPersisted",
        "a host that is added adds its rows",
        lambda e: e["EntryHostCountDelta"] != 1 or e["EntryTotalRowsDelta"] == e["PersistedPortCount"],
    ),
    Rule(
        "C1",
        "InterfaceSiteCacheSharedStore",
        "a miss finds nothing",
        lambda e: e["Operation"] != "GetMiss" or e["HostCount"] == e["TotalRows"] == 0,
    ),
    Rule(
        "C2",
        "InterfaceSiteCacheSharedStore",
        "a hit needs a site in the cache",
        lambda e: e["Operation"] != "GetHit" or e["EntryCount"] >= 1,
    ),
    Rule(
        "C4",
        "InterfaceSiteCacheSharedStore",
        "counts are not negative, and rows have hosts",
        lambda e: (
            e["EntryCount"] >= 0
            and e["HostCount"] >= 0
            and e["TotalRows"] >= 0
            and (e["HostCount"] > 0 or e["TotalRows"] == 0)
        ),
    ),
    Rule("C6", "InterfaceSiteCacheSharedStoreState", "the store has a name", lambda e: e["StoreHashCode"] > 0),
    Rule(
        "C7",
        "InterfaceSiteCacheReuseAttempt",
        "what the shared cache has is adopted, and counted",
        lambda e: e["AdoptedFromSharedStore"] == e["SharedStoreEntryFound"] == ("SharedStoreHostCount" in e),
    ),
    Rule(
        "C8",
        "InterfaceSiteCacheReuseAttempt",
        "what the shared cache has is the entry that is used",
        lambda e: (
            not e["SharedStoreEntryFound"]
            or (e["ScriptCacheEntryFound"] and e["ScriptCacheHostCount"] == e["SharedStoreHostCount"])
        ),
    ),
    Rule(
        "C9",
        "InterfaceSiteCacheReuseState",
        "the first five hosts are named",
        lambda e: _named(e["KeysSample"]) == min(5, e["HostCount"]),
    ),
    Rule(
        "C10",
        "InterfaceSiteCacheRunspaceState",
        "a site that is not cached has nothing",
        lambda e: (
            e["CacheExists"]
            or not (
                e["HostCount"]
                or e["TotalRows"]
                or e["CacheStatus"]
                or e["HostMapType"]
                or e["EntryType"]
                or e["CachedAt"]
            )
        ),
    ),
    Rule(
        "C11",
        "InterfaceSiteCacheRunspaceState",
        "a site that is cached has types and a time",
        lambda e: not e["CacheExists"] or (e["HostMapType"] and e["EntryType"] and e["CachedAt"]),
    ),
    Rule(
        "K1",
        "InterfaceBulkInsertTiming",
        "rows are inserted or updated",
        lambda e: e["Rows"] == e["InsertRowCount"] + e["UpdateRowCount"],
    ),
    Rule(
        "K2",
        "InterfaceBulkInsertTiming",
        "a transaction is either committed, which is success, or rolled back",
        lambda e: (
            not e["TransactionUsed"]
            or (e["TransactionCommitted"] != e["TransactionRolledBack"] and e["Success"] == e["TransactionCommitted"])
        ),
    ),
    Rule(
        "K3",
        "InterfaceBulkInsertTiming",
        "what was not done took no time",
        lambda e: (
            (e["UpdateRowCount"] > 0 or e["InterfaceUpdateDurationMs"] == 0)
            and (e["InsertRowCount"] > 0 or e["InterfaceInsertDurationMs"] == 0)
        ),
    ),
    Rule(
        "K4",
        "InterfaceBulkInsertTiming",
        "staging takes as long as its parts",
        lambda e: e["StageDurationMs"] + 0.01 >= e["ParameterBindDurationMs"] + e["CommandExecuteDurationMs"],
    ),
    Rule(
        "K6",
        "InterfaceBulkInsertTiming",
        "a recordset that was used was tried",
        lambda e: e["RecordsetAttempted"] or not e["RecordsetUsed"],
    ),
    Rule(
        "P1",
        "PortBatchReady",
        "the batches hold the ports",
        lambda e: e["EstimatedBatchCount"] == _batches(e["PortsCommitted"], e["ChunkSize"]),
    ),
    Rule(
        "P2",
        "InterfacePortQueueMetrics",
        "the batches hold the ports",
        lambda e: e["BatchCount"] == _batches(e["TotalPorts"], e["ChunkSize"]),
    ),
    Rule(
        "P3",
        "InterfacePortQueueMetrics",
        "a size that follows the ports does not exceed them",
        lambda e: e["ChunkSize"] <= e["TotalPorts"] or e["ChunkSource"] != "Dynamic",
    ),
    Rule(
        "P4",
        "InterfacePortDispatchMetrics",
        "a batch is one of all, and its ports are among all",
        lambda e: (
            1 <= e["BatchOrdinal"] <= e["BatchCount"] and e["BatchSize"] <= e["PortsDelivered"] <= e["TotalPorts"]
        ),
    ),
    Rule(
        "P5",
        "InterfacePortDispatchMetrics",
        "the last batch brings the last port",
        lambda e: (e["BatchOrdinal"] == e["BatchCount"]) == (e["PortsDelivered"] == e["TotalPorts"]),
    ),
    Rule(
        "P6",
        "InterfacePortDispatchMetrics",
        "dispatching takes as long as its parts",
        lambda e: e["DispatcherDurationMs"] + 0.01 >= e["AppendDurationMs"] + e["IndicatorDurationMs"],
    ),
    Rule(
        "P7",
        "InterfacePortStreamMetrics",
        "rows are reused or cloned",
        lambda e: e["RowsReceived"] == e["RowsReused"] + e["RowsCloned"],
    ),
    Rule(
        "W1",
        "DatabaseWriteBreakdown",
        "the parts of a write fit into it",
        lambda e: (
            e["SummaryDurationMs"] + e["InterfaceCallDurationMs"] + e["CommitDurationMs"]
            <= e["DatabaseWriteLatencyMs"] + 1
        ),
    ),
    Rule(
        "W3",
        "DatabaseWriteBreakdown",
        "rows are inserted or updated",
        lambda e: e["RowsStaged"] == e["InsertCandidates"] + e["UpdateCandidates"],
    ),
)
"""Rules about one event each; of the names that have their own modules there are none."""
