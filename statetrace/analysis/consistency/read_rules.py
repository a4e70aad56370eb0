"""The rules of ``InterfaceSiteCacheMetrics``: a site was read, or reused (reference: telemetry-events 6)."""

from __future__ import annotations

from collections.abc import Callable

from statetrace.analysis.consistency.rules import Fields, Rule
from statetrace.telemetry import ratio

_READ = ("ADODB", "AccessRetry")
_NOTHING_DONE = (
    "QueryAttempts",
    "HostMapSignatureRewriteCount",
    "HostMapLookupMissCount",
    "HostMapCandidateMissingCount",
    "HostMapEntryAllocationCount",
)


def _rule(rule: str, meaning: str, holds: Callable[[Fields], object]) -> Rule:
    return Rule(rule, "InterfaceSiteCacheMetrics", meaning, holds)


def _reuse(rule: str, meaning: str, holds: Callable[[Fields], object]) -> Rule:
    return _rule(rule, f"a reuse: {meaning}", lambda e: e["PreviousSnapshotStatus"] != "CacheHit" or holds(e))


def _read(rule: str, meaning: str, holds: Callable[[Fields], object]) -> Rule:
    return _rule(rule, f"a read: {meaning}", lambda e: e["Provider"] not in _READ or holds(e))


READ_RULES = (
    _rule("M2", "Refreshed and its status agree", lambda e: e["Refreshed"] == (e["CacheStatus"] == "Refreshed")),
    _rule(
        "M3",
        "the provider is the cache exactly when an entry was reused",
        lambda e: (e["Provider"] == "Cache") == (e["PreviousSnapshotStatus"] == "CacheHit"),
    ),
    _reuse(
        "M4",
        "nothing was done, and nothing took time",
        lambda e: (
            not any(e[name] for name in e if name.endswith("DurationMs")) and not any(e[name] for name in _NOTHING_DONE)
        ),
    ),
    _reuse(
        "M5",
        "all rows are those of before",
        lambda e: (
            e["HostMapSignatureMatchCount"]
            == e["HostMapLookupCount"]
            == e["HostMapCandidateFromPreviousCount"]
            == e["TotalRows"]
            == e["ResultRowCount"]
            == e["PreviousPortCount"]
            == e["PreviousSnapshotPortCount"]
        ),
    ),
    _reuse(
        "M6",
        "all hosts are those of before",
        lambda e: e["HostCount"] == e["PreviousHostCount"] == e["PreviousSnapshotHostCount"],
    ),
    _read(
        "M7",
        "each row of the result was looked up",
        lambda e: e["HostMapLookupCount"] == e["TotalRows"] == e["ResultRowCount"],
    ),
    _read(
        "M8",
        "each row matched or was made anew",
        lambda e: e["HostMapSignatureMatchCount"] + e["HostMapSignatureRewriteCount"] == e["HostMapLookupCount"],
    ),
    _read(
        "M9",
        "each row had a candidate or none",
        lambda e: (
            e["HostMapCandidateFromPreviousCount"]
            + e["HostMapCandidateFromPoolCount"]
            + e["HostMapCandidateMissingCount"]
            == e["HostMapLookupCount"]
        ),
    ),
    _read(
        "M10",
        "rows without a candidate are new",
        lambda e: e["HostMapEntryAllocationCount"] == e["HostMapCandidateMissingCount"],
    ),
    _read(
        "M11",
        "rows are made anew without a candidate that matches",
        lambda e: (
            e["HostMapSignatureRewriteCount"]
            == e["HostMapCandidateMissingCount"]
            + e["HostMapCandidateSignatureMissingCount"]
            + e["HostMapCandidateSignatureMismatchCount"]
        ),
    ),
    _read("M12", "each host was looked up once", lambda e: e["HostMapLookupMissCount"] == e["HostCount"]),
    _rule(
        "M13",
        "the first five rows without a candidate are quoted",
        lambda e: len(e["HostMapCandidateMissingSamples"]) == min(5, e["HostMapCandidateMissingCount"]),
    ),
    _rule(
        "M14",
        "the first five rows that did not match are quoted",
        lambda e: len(e["HostMapSignatureMismatchSamples"]) == min(5, e["HostMapCandidateSignatureMismatchCount"]),
    ),
    _rule(
        "M15",
        "the ratio is that of hits and misses",
        lambda e: (
            e["MaterializeTemplateCacheHitRatio"]
            == ratio(e["MaterializeTemplateCacheHits"], e["MaterializeTemplateCacheMisses"])
        ),
    ),
    _read(
        "M16",
        "a template is looked up once a row at most",
        lambda e: e["MaterializeTemplateCacheHits"] + e["MaterializeTemplateCacheMisses"] <= e["ResultRowCount"],
    ),
    _read(
        "M17",
        "snapshot and build fit into the hydration",
        lambda e: e["SnapshotDurationMs"] + e["BuildDurationMs"] <= e["HydrationDurationMs"] + 0.01,
    ),
    _read(
        "M18",
        "the host map fits into the build",
        lambda e: e["HostMapDurationMs"] <= e["BuildDurationMs"] + 0.002,
    ),
    _read(
        "M20",
        "query and materialisation fit into the snapshot",
        lambda e: e["QueryDurationMs"] + e["MaterializeDurationMs"] <= e["SnapshotDurationMs"] + 1,
    ),
    _read(
        "M22",
        "the parts of the materialisation fit into it",
        lambda e: (
            e["MaterializeProjectionDurationMs"]
            + e["MaterializePortSortDurationMs"]
            + e["MaterializeTemplateDurationMs"]
            + e["MaterializeObjectDurationMs"]
            <= e["MaterializeDurationMs"] + 1
        ),
    ),
    # Looking a template up is part of applying it.
    _read(
        "M23",
        "the parts of the templates' time fit into it",
        lambda e: (
            max(e["MaterializeTemplateLookupDurationMs"], e["MaterializeTemplateApplyDurationMs"])
            <= e["MaterializeTemplateDurationMs"] + 1
        ),
    ),
    _read("M24", "one attempt at least did not fail", lambda e: 0 <= e["ExclusiveRetryCount"] < e["QueryAttempts"]),
    _rule(
        "M25",
        "the first five hosts of before are named",
        lambda e: len([name for name in e["PreviousHostSample"].split(",") if name]) == min(5, e["PreviousHostCount"]),
    ),
    _rule(
        "M27",
        "no more rows match than there were",
        lambda e: e["HostMapSignatureMatchCount"] <= e["PreviousSnapshotPortCount"],
    ),
    _read(
        "M28",
        "no more candidates than rows of before",
        lambda e: e["HostMapCandidateFromPreviousCount"] <= e["PreviousPortCount"],
    ),
    _read(
        "M29",
        "a query is executed and fetched",
        lambda e: abs(e["QueryDurationMs"] - e["ExecuteDurationMs"] - e["RecordsetDurationMs"]) <= 0.0015,  # noqa: PLR2004  # three roundings
    ),
)
