"""The rules of ``InterfaceSyncTiming``: one host that was compared with its rows (reference: telemetry-events 6)."""

from __future__ import annotations

import re
from collections.abc import Callable

from statetrace.analysis.consistency.rules import Fields, Rule
from statetrace.telemetry import InterfaceSyncTiming, ratio

_NAMES = InterfaceSyncTiming.__struct_encode_fields__
_BULK = tuple(name for name in _NAMES if re.fullmatch("(Bulk.*|UiClone|StreamDispatch)DurationMs|BulkRows.*", name))
_READ_TIMES = tuple(name for name in _NAMES if re.fullmatch("SiteCache(?!Update|Fetch).*DurationMs", name))
_GUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_SOURCES = {
    ("SharedCache", "SharedCacheMatch"): ("CacheInitial", "CacheRefresh"),
    ("Cache", "AccessCacheHit"): ("CacheInitial", "SiteExistingCache"),
    ("Cache", "SiteExistingCache"): ("SiteExistingCache",),
    ("Hydrated", "AccessHydrate"): ("CacheInitial", "CacheRefresh"),
    ("Refreshed", "AccessRefresh"): ("CacheRefresh", "DatabaseQuery"),
    ("Database", "SkipSiteCacheUpdate"): ("DatabaseQuery",),
    ("Database", "SharedCacheUnavailable"): ("DatabaseQuery",),
    ("Database", "DatabaseQueryFallback"): ("DatabaseQuery",),
    # The original has no word for the database.
    ("Unknown", "SkipSiteCacheUpdate"): ("DatabaseQuery",),
    ("Unknown", "SharedCacheUnavailable"): ("DatabaseQuery",),
}
"""Provider and reason → where the rows can have come from (reference: parser-persistence 9.4)."""

_STATUSES = {
    "SharedCacheMatch": "SharedOnly",
    "AccessCacheHit": "Hit",
    "SiteExistingCache": "Hit",
    "AccessHydrate": "Hydrated",
    "AccessRefresh": "Refreshed",
    "SkipSiteCacheUpdate": "Disabled",
    "SharedCacheUnavailable": "SkippedEmpty",
    "DatabaseQueryFallback": "Miss",
}
"""Reason → status of the look-up, in our events."""


def _rule(rule: str, meaning: str, holds: Callable[[Fields], object], *, ours: bool = False) -> Rule:
    return Rule(rule, "InterfaceSyncTiming", meaning, holds, ours)


SYNC_RULES = (
    _rule("S2", "the rows came from a cache or did not", lambda e: e["LoadCacheHit"] != e["LoadCacheMiss"]),
    _rule(
        "S3",
        "each row compared is unchanged, changed or new",
        lambda e: e["DiffRowsCompared"] == e["DiffRowsUnchanged"] + e["DiffRowsChanged"] + e["DiffRowsInserted"],
    ),
    _rule(
        "S4",
        "each port of the log counts, some for the second time",
        lambda e: (
            e["FactsConsidered"] == e["DiffSeenPorts"] + e["DiffDuplicatePorts"]
            and e["DiffRowsCompared"] in (e["DiffSeenPorts"], e["FactsConsidered"])
        ),
    ),
    _rule(
        "S5",
        "new rows are inserted",
        lambda e: e["InsertCandidates"] == e["DiffRowsInserted"] == e["SiteCacheComparisonMissingPortCount"],
    ),
    _rule(
        "S6",
        "changed rows are updated",
        lambda e: e["UpdateCandidates"] == e["DiffRowsChanged"] == e["SiteCacheComparisonSignatureMismatchCount"],
    ),
    _rule(
        "S7",
        "rows without a port are deleted",
        lambda e: e["DeleteCandidates"] == e["SiteCacheComparisonObsoletePortCount"],
    ),
    _rule(
        "S8",
        "new and changed rows are staged",
        lambda e: e["RowsStaged"] == e["InsertCandidates"] + e["UpdateCandidates"],
    ),
    _rule(
        "S9",
        "existing rows of the log's ports match or do not",
        lambda e: (
            e["SiteCacheComparisonCandidateCount"]
            == e["SiteCacheComparisonSignatureMatchCount"] + e["SiteCacheComparisonSignatureMismatchCount"]
            and e["SiteCacheComparisonSignatureMatchCount"] == e["DiffRowsUnchanged"]
        ),
    ),
    _rule(
        "S10",
        "ports of the log have a row or have none",
        lambda e: (
            e["SiteCacheComparisonCandidateCount"] + e["SiteCacheComparisonMissingPortCount"] == e["DiffRowsCompared"]
        ),
    ),
    _rule(
        "S11",
        "existing rows are counted the same everywhere",
        lambda e: (
            e["ExistingCount"] == e["SiteCacheExistingRowCount"] == e["LoadExistingRowSetCount"] == e["CachedRowCount"]
        ),
    ),
    _rule(
        "S12",
        "existing rows have a port in the log or have none",
        lambda e: (
            e["ExistingCount"] == e["SiteCacheComparisonCandidateCount"] + e["SiteCacheComparisonObsoletePortCount"]
        ),
    ),
    # The original's unit tests write row by row.
    _rule(
        "S13", "staged rows are written as a batch", lambda e: e["BulkAttempted"] == (e["RowsStaged"] > 0), ours=True
    ),
    _rule(
        "S14",
        "a batch has a name",
        lambda e: _GUID.fullmatch(e["BulkBatchId"]) if e["BulkAttempted"] else e["BulkBatchId"] is None,
    ),
    _rule(
        "S15",
        "a batch that succeeded has all rows",
        lambda e: not e["BulkSucceeded"] or e["BulkRowsPrepared"] == e["BulkRowsCommitted"] == e["RowsStaged"],
    ),
    _rule(
        "S16",
        "without a batch nothing is told of one",
        lambda e: e["BulkAttempted"] or not any(map(e.get, _BULK)),
    ),
    _rule(
        "S17",
        "rows that no batch wrote are written one by one",
        lambda e: e["FallbackUsed"] == (e["RowsStaged"] > 0 and not e["BulkSucceeded"]),
    ),
    _rule(
        "S18",
        "provider, reason and source of the rows go together",
        lambda e: (
            e["SiteCacheExistingRowSource"] in _SOURCES.get((e["SiteCacheProvider"], e["SiteCacheProviderReason"]), ())
        ),
    ),
    _rule(
        "S19",
        "reason and status of the look-up go together",
        lambda e: e["SiteCacheFetchStatus"] == _STATUSES.get(e["SiteCacheProviderReason"]),
        ours=True,
    ),
    _rule(
        "S20",
        "a refresh is told as the provider",
        lambda e: e["LoadCacheRefreshed"] == (e["SiteCacheProvider"] == "Refreshed"),
    ),
    _rule(
        "S22",
        "without a hit the rows came from the database",
        lambda e: e["LoadCacheMiss"] == (e["SiteCacheExistingRowSource"] == "DatabaseQuery"),
    ),
    _rule(
        "S23",
        "a refresh takes time, which is part of the look-up's",
        lambda e: (
            e["SiteCacheFetchDurationMs"] >= e["SiteCacheRefreshDurationMs"] > 0
            if e["LoadCacheRefreshed"]
            else e["SiteCacheRefreshDurationMs"] == 0
        ),
    ),
    _rule(
        "S25",
        "rows of the port stream are reused or cloned",
        lambda e: e["StreamRowsReceived"] == e["StreamRowsReused"] + e["StreamRowsCloned"],
    ),
    _rule(
        "S27",
        "a match in the shared cache is the host's own",
        lambda e: (
            e["SiteCacheResolveInitialStatus"] != "SharedStoreMatch"
            or e["SiteCacheResolveInitialMatchedKey"].casefold() == e["Hostname"].casefold()
        ),
    ),
    _rule(
        "S28",
        "an entry with a time has an age",
        lambda e: (
            (e["SiteCacheResolveInitialCacheAgeMs"] is None) == (e["SiteCacheResolveInitialCachedAt"] == "")
            and (e["SiteCacheResolveRefreshCacheAgeMs"] is None) == (e["SiteCacheResolveRefreshCachedAt"] == "")
        ),
    ),
    _rule(
        "S29",
        "the parts of the comparison fit into it",
        lambda e: max(e["DiffSignatureDurationMs"], e["DiffComparisonDurationMs"]) <= e["DiffDurationMs"] + 0.002,
    ),
    _rule(
        "S30",
        "staging takes as long as its parts",
        lambda e: (
            e["BulkStageDurationMs"] + 0.01 >= e["BulkParameterBindDurationMs"] + e["BulkCommandExecuteDurationMs"]
        ),
    ),
    _rule(
        "S31",
        "a template gives a hint or a default, the latter for one of two reasons",
        lambda e: (
            e["SiteCacheMaterializeTemplateApplyCount"]
            == e["SiteCacheMaterializeTemplateHintAppliedCount"] + e["SiteCacheMaterializeTemplateDefaultedCount"]
            and e["SiteCacheMaterializeTemplateDefaultedCount"]
            == e["SiteCacheMaterializeTemplateAuthTemplateMissingCount"]
            + e["SiteCacheMaterializeTemplateNoTemplateMatchCount"]
        ),
    ),
    _rule(
        "S32",
        "each row that names a template looks it up",
        lambda e: (
            e["SiteCacheMaterializeTemplateCacheHitCount"] + e["SiteCacheMaterializeTemplateCacheMissCount"]
            == e["SiteCacheMaterializeTemplateApplyCount"] - e["SiteCacheMaterializeTemplateAuthTemplateMissingCount"]
        ),
    ),
    # A read that works on columns quotes no rows.
    _rule(
        "S33",
        "twenty rows at most are quoted",
        lambda e: (
            len(e["SiteCacheMaterializeTemplateApplySamples"]) <= min(20, e["SiteCacheMaterializeTemplateApplyCount"])
        ),
    ),
    _rule(
        "S36",
        "of a site that was read each row matched or was made anew",
        lambda e: (
            e["SiteCacheProvider"] not in ("Refreshed", "Hydrated")
            or e["SiteCacheHostMapSignatureMatchCount"] + e["SiteCacheHostMapSignatureRewriteCount"]
            == e["SiteCacheHostMapLookupCount"]
        ),
    ),
    _rule(
        "S37",
        "a site that was not read took no time to read",
        lambda e: e["SiteCacheProvider"] not in ("Unknown", "Database") or not any(map(e.get, _READ_TIMES)),
    ),
    # The original does not time a look-up in its shared cache, and fills no ratio (its defect D6).
    _rule(
        "F1",
        "a look-up takes time",
        lambda e: e["SiteCacheFetchDurationMs"] > 0 or e["SiteCacheProvider"] == "Unknown",
        ours=True,
    ),
    _rule(
        "F2",
        "the ratio is that of hits and misses",
        lambda e: (
            e["SiteCacheMaterializeTemplateCacheHitRatio"]
            == (
                ratio(e["SiteCacheMaterializeTemplateCacheHitCount"], e["SiteCacheMaterializeTemplateCacheMissCount"])
                or 0
            )
        ),
        ours=True,
    ),
)
