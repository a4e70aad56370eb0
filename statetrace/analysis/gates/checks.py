"""The four checks of the original's verification: of a warm run, a snapshot, the shared cache, the queue of batches.

Each takes finished numbers, from telemetry or from a saved report, and returns all that is wrong with them, never only
the first (reference: warm-run-and-gates 3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from statetrace.analysis.documents import read_document, records
from statetrace.analysis.events import WireEvent
from statetrace.analysis.gates.thresholds import (
    DEFAULT_THRESHOLDS,
    CoverageThresholds,
    QueueDelay,
    Section,
    SharedCacheThresholds,
    WarmRunThresholds,
)
from statetrace.analysis.reports.queue_delay import QueueDelayReport, QueueDelays
from statetrace.errors import TelemetryError
from statetrace.model import CaseInsensitiveMap


class Check(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What a check found.

    Attributes:
        passed: written ``Pass``; nothing is wrong.
        messages: what is wrong in words, one for each violation in their order; then remarks.
        violations: codes of what is wrong.
        thresholds: what the numbers were held against.
    """

    passed: bool = msgspec.field(name="Pass")
    messages: list[str]
    violations: list[str]
    thresholds: Section


class CoverageStatistics(msgspec.Struct, frozen=True, rename="pascal"):
    """What a snapshot holds: distinct sites, hosts and rows of all entries."""

    site_count: int = 0
    total_host_count: int = 0
    total_row_count: int = 0


class CoverageCheck(Check, frozen=True, kw_only=True, rename="pascal"):
    """:class:`Check` of a snapshot.

    Attributes:
        statistics: what the snapshot holds.
        required_sites_missing: sites that it has to hold and does not.
    """

    statistics: CoverageStatistics
    required_sites_missing: list[str]


class SharedCacheStatistics(msgspec.Struct, frozen=True, rename="pascal"):
    """Sums over the reports; ``None`` where there is none."""

    snapshot_imported: int | None
    access_refresh: int | None


class SharedCacheCheck(Check, frozen=True, kw_only=True, rename="pascal"):
    """:class:`Check` of the shared cache."""

    statistics: SharedCacheStatistics


def check_warm_run(
    summary: Mapping[str, Any] | None,
    thresholds: WarmRunThresholds = DEFAULT_THRESHOLDS.warm_run,
) -> Check:
    """Whether a warm run was faster than the cold one and served by the cache alone.

    Args:
        summary: the row ``WarmRunComparison`` of an export, or ``WarmRunTelemetry-latest-summary.json``.
        thresholds: those of the original have a minimum improvement of 25 %.

    Returns:
        Violations ``ImprovementPercent``, ``WarmAverageDelta``, ``WarmCacheMissCount``, ``HitRatio``,
        ``SignatureMissCount``, ``SignatureRewriteTotal``; ``SummaryMissing`` without a summary. As in the original a
        field that is null counts as 0, and a count that is absent violates nothing.

    >>> check_warm_run({"ImprovementPercent": 46.2, "WarmCacheHitRatioPercent": 100.0}).messages
    ['the improvement is 46.200 %, at least 60 % required']
    """
    findings: list[tuple[str, str]] = []
    if summary is None:
        findings.append(("SummaryMissing", "there is no comparison of a cold and a warm pass"))
        return Check(**_outcome(findings), thresholds=thresholds)

    def at_least(code: str, what: str, measured: float | None, limit: float) -> None:
        if measured is None or measured < limit:
            shown = "not known" if measured is None else f"{measured:,.3f} %"
            findings.append((code, f"{what} is {shown}, at least {limit:,g} % required"))

    def at_most(code: str, what: str, measured: float | None, limit: float, unit: str = "") -> None:
        if measured is not None and 0 <= limit < measured:
            findings.append((code, f"{what} is {measured:,.3f}{unit}, at most {limit:,g}{unit} allowed"))

    field = _number_of(summary)
    at_least(
        "ImprovementPercent", "the improvement", field("ImprovementPercent"), thresholds.minimum_improvement_percent
    )
    warm, cold = field("WarmInterfaceCallAvgMs"), field("ColdInterfaceCallAvgMs")
    delta = None if warm is None or cold is None else warm - cold
    at_most("WarmAverageDelta", "warm less cold average", delta, thresholds.maximum_warm_average_delta_ms, " ms")
    misses = field("WarmCacheProviderMissCount")
    at_most("WarmCacheMissCount", "the number of warm writes that no cache served", misses,
            thresholds.maximum_warm_cache_miss_count)  # fmt: skip
    at_least("HitRatio", "the warm hit ratio", warm_hit_ratio(summary), thresholds.minimum_cache_hit_ratio_percent)
    at_most("SignatureMissCount", "the number of warm writes without matching rows",
            field("WarmSignatureMatchMissCount"), thresholds.maximum_signature_miss_count)  # fmt: skip
    at_most("SignatureRewriteTotal", "the number of cached rows rewritten", field("WarmSignatureRewriteTotal"),
            thresholds.maximum_signature_rewrite_total)  # fmt: skip
    return Check(**_outcome(findings), thresholds=thresholds)


def warm_hit_ratio(summary: Mapping[str, Any]) -> float | None:
    """Percent of warm hosts that a cache served, as told or else from hits and misses; ``None`` if neither is told.

    >>> warm_hit_ratio({"WarmCacheProviderHitCount": 3, "WarmCacheProviderMissCount": 1})
    75.0
    """
    field = _number_of(summary)
    told = field("WarmCacheHitRatioPercent")
    hits, misses = field("WarmCacheProviderHitCount") or 0, field("WarmCacheProviderMissCount") or 0
    return told if told is not None or not hits + misses else hits / (hits + misses) * 100


def check_coverage(
    summary: Path | Iterable[Mapping[str, Any]] | None,
    thresholds: CoverageThresholds = DEFAULT_THRESHOLDS.coverage,
) -> CoverageCheck:
    """Whether a snapshot holds enough sites, hosts and rows, and the sites that it has to hold.

    Args:
        summary: the snapshot's summary, a JSON file or its entries with ``Site``, ``Hosts`` and ``TotalRows``.
        thresholds: what it has to hold.

    Returns:
        Violations ``SiteCount``, ``HostCount``, ``RowCount``, ``RequiredSites``; instead of them ``SummaryMissing`` if
        there is no such file, ``SummaryInvalid`` if it is none, ``SummaryEmpty`` if it has no entries.
    """
    entries, finding = _entries_of(summary)
    if finding:
        return CoverageCheck(
            **_outcome([finding]),
            thresholds=thresholds,
            statistics=CoverageStatistics(),
            required_sites_missing=list(thresholds.required_sites),
        )
    sites = CaseInsensitiveMap({site: None for entry in entries if (site := str(entry.get("Site") or "").strip())})
    held = CoverageStatistics(
        len(sites),
        _sum(entries, "Hosts"),
        _sum(entries, "TotalRows"),
    )
    missing = [site for site in thresholds.required_sites if site.strip() not in sites]
    findings = [
        (code, f"{held_count:,} {noun} held, at least {least:,} required")
        for code, noun, held_count, least in (
            ("SiteCount", "sites are", held.site_count, thresholds.minimum_site_count),
            ("HostCount", "hosts are", held.total_host_count, thresholds.minimum_host_count),
            ("RowCount", "rows are", held.total_row_count, thresholds.minimum_total_row_count),
        )
        if held_count < least
    ]
    if missing:
        findings.append(("RequiredSites", f"sites that must be there are not: {', '.join(missing)}"))
    return CoverageCheck(
        **_outcome(findings), thresholds=thresholds, statistics=held, required_sites_missing=missing
    )  # fmt: skip


def check_shared_cache(
    stores: Iterable[Mapping[str, Any]] | None,
    providers: Iterable[Mapping[str, Any]] | None,
    thresholds: SharedCacheThresholds = DEFAULT_THRESHOLDS.shared_cache,
) -> SharedCacheCheck:
    """Whether the cache was filled from a snapshot, and no warm host read its site again.

    Args:
        stores: records of ``SharedCacheStoreState`` reports; ``None`` leaves the snapshot unjudged, with a remark.
        providers: records of ``SiteCacheProviderReasons`` reports of the warm pass; ``None`` likewise.
        thresholds: how many of which there may be.

    Returns:
        Violations ``SnapshotImported`` and ``AccessRefresh``.
    """
    findings, remarks = [], []
    imported = refreshed = None
    if stores is None:
        remarks.append("nothing tells whether a snapshot was imported")
    else:
        imported, least = _sum(stores, "SnapshotImported"), thresholds.minimum_snapshot_imported_count
        if imported < least:
            findings.append(("SnapshotImported", f"{imported:,} snapshots were imported, at least {least:,} required"))
    if providers is None:
        remarks.append("nothing tells where the rows of warm hosts came from")
    else:
        refreshed, most = _sum(providers, "AccessRefresh"), thresholds.maximum_access_refresh_count
        if 0 <= most < refreshed:
            findings.append(("AccessRefresh", f"{refreshed:,} sites were read again, at most {most:,} allowed"))
    return SharedCacheCheck(
        **_outcome(findings, remarks), thresholds=thresholds, statistics=SharedCacheStatistics(imported, refreshed)
    )  # fmt: skip


def check_queue_delay(
    delays: QueueDelays,
    thresholds: QueueDelay = DEFAULT_THRESHOLDS.queue_delay,
) -> QueueDelayReport:
    """Whether port batches waited too long for their queue.

    Args:
        delays: have taken the events that count; see :func:`~statetrace.analysis.events.analyze`.
        thresholds: what they are held against.

    Returns:
        The report of :class:`QueueDelays` with statistics that are not rounded. Too few events are no failure but a
        result of their own, ``InsufficientData``, with that violation and ``EventCount``; otherwise violations are
        ``QueueDelayP95`` and ``QueueDelayP99``.
    """
    return delays.result(thresholds, digits=None)


def _outcome(findings: list[tuple[str, str]], remarks: Iterable[str] = ()) -> dict[str, Any]:
    """The fields that all checks have, of codes and messages of what is wrong."""
    return {
        "passed": not findings,
        "messages": [*(message for _, message in findings), *remarks],
        "violations": [code for code, _ in findings],
    }


def _entries_of(
    summary: Path | Iterable[Mapping[str, Any]] | None,
) -> tuple[list[Mapping[str, Any]], tuple[str, str] | None]:
    """The entries of a summary, or code and message of why there are none."""
    entries: list[Mapping[str, Any]]
    if summary is None or (isinstance(summary, Path) and not summary.exists()):
        return [], ("SummaryMissing", f"there is no summary{f' {summary}' if summary else ''}")
    if isinstance(summary, Path):
        try:
            entries = [*records(read_document(summary))]
        except TelemetryError as error:
            return [], ("SummaryInvalid", str(error))
        if entries and not any("Site" in entry for entry in entries):
            return [], ("SummaryInvalid", f"{summary} is no summary of a snapshot: no entry of it names a Site")
    else:
        entries = list(summary)
    return entries, None if entries else ("SummaryEmpty", "the summary has no entries")


def _number_of(record: Mapping[str, Any]) -> Callable[[str], float | None]:
    """Reads numbers of a record: null counts as 0, as in the original; absent or no number is ``None``."""
    event = WireEvent("", dict(record))
    return lambda name: 0 if name in record and record[name] is None else event.number(name)


def _sum(records: Iterable[Mapping[str, Any]], field: str) -> int:
    return sum(WireEvent("", dict(record)).count(field) for record in records)
