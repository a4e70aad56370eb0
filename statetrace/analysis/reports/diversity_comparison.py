"""Launches against batches: whether a site got more batches in a row than the scheduler's launches explain."""

from __future__ import annotations

from typing import Any

import msgspec

from statetrace.analysis.documents import as_list, records
from statetrace.analysis.events import WireEvent
from statetrace.analysis.instants import now_ticks, utc_text
from statetrace.errors import TelemetryError
from statetrace.model import fold


class SiteComparison(msgspec.Struct, frozen=True, rename="pascal"):
    """A site's longest streaks.

    Attributes:
        site: its code.
        scheduler_max: launches in a row; 0 if there were none.
        port_batch_max: batches in a row, likewise.
        port_minus_scheduler: the difference.
        mismatch: there were more batches in a row than launches.
    """

    site: str
    scheduler_max: int
    port_batch_max: int
    port_minus_scheduler: int
    mismatch: bool


class DiversityComparison(msgspec.Struct, frozen=True, rename="pascal"):
    """A report on launches beside one on batches (reference: warm-run-and-gates 6.7).

    Attributes:
        generated_at_utc: when this was computed.
        sites: by difference, largest first, then by site.
        mismatch_count: sites with more batches in a row than launches.
        mismatch_classification: ``None`` (the text) without such sites, ``Informational`` if the batches were made up
            afterwards, else ``Warning``.
        max_scheduler_streak: the longest of all sites.
        max_port_batch_streak: likewise.
        port_batch_used_synthesized_events: the batches were made up.
        comparison_mode: ``SynthesizedPortBatchReady`` or ``ObservedPortBatchReady``.
        inputs_aligned: both reports are known to be of the same file.
        input_mismatch_detail: why not; ``None`` if they are.
    """

    generated_at_utc: str
    sites: list[SiteComparison]
    mismatch_count: int
    mismatch_classification: str
    max_scheduler_streak: int
    max_port_batch_streak: int
    port_batch_used_synthesized_events: bool
    comparison_mode: str
    inputs_aligned: bool
    input_mismatch_detail: str | None


def compare_diversity(scheduler: dict[str, Any], ports: dict[str, Any]) -> DiversityComparison:
    """How the streaks of batches compare with those of launches.

    Args:
        scheduler: document of a report on launches (6.5), the original's or ours.
        ports: document of a report on the diversity of batches (6.6), likewise.

    Raises:
        TelemetryError: one of them is no such report.
    """
    launched = _longest(scheduler, "SiteSummaries", "MaxConsecutive")
    if not launched:
        raise TelemetryError("the report on launches has no SiteSummaries, so there is nothing to compare with")
    if "SiteStreaks" not in ports:
        raise TelemetryError("the report on port batches has no SiteStreaks; was it written by port-diversity?")
    delivered = _longest(ports, "SiteStreaks", "MaxCount")
    sites = sorted(
        (
            _site(name, launched.get(key, (name, 0))[1], delivered.get(key, (name, 0))[1])
            for key, (name, _) in (delivered | launched).items()
        ),
        key=lambda site: (-site.port_minus_scheduler, fold(site.site)),
    )
    mismatches = sum(site.mismatch for site in sites)
    synthesized = WireEvent("", ports).flag("UsedSynthesizedEvents")
    classification = "Informational" if synthesized else "Warning"
    detail = _misalignment(scheduler, ports)
    return DiversityComparison(
        generated_at_utc=utc_text(now_ticks()),
        sites=sites,
        mismatch_count=mismatches,
        mismatch_classification=classification if mismatches else "None",
        max_scheduler_streak=max(site.scheduler_max for site in sites),
        max_port_batch_streak=max(site.port_batch_max for site in sites),
        port_batch_used_synthesized_events=synthesized,
        comparison_mode="SynthesizedPortBatchReady" if synthesized else "ObservedPortBatchReady",
        inputs_aligned=detail is None,
        input_mismatch_detail=detail,
    )


def _longest(report: dict[str, Any], sites: str, count: str) -> dict[str, tuple[str, int]]:
    """Folded site -> its spelling and longest streak."""
    longest: dict[str, tuple[str, int]] = {}
    for record in records(report.get(sites)):
        site = WireEvent("", record)
        if name := site.site:
            spelling, known = longest.get(fold(name), (name, 0))
            longest[fold(name)] = spelling, max(known, site.count(count))
    return longest


def _site(name: str, launched: int, delivered: int) -> SiteComparison:
    return SiteComparison(name, launched, delivered, delivered - launched, delivered > launched)


def _misalignment(scheduler: dict[str, Any], ports: dict[str, Any]) -> str | None:
    file = WireEvent("", ports).text("MetricsFile")
    files = [str(path) for path in as_list(scheduler.get("FilesAnalyzed"))]
    if not file:
        return "the report on port batches does not tell its MetricsFile"
    if not files:
        return "the report on launches does not tell its FilesAnalyzed"
    if fold(file) in map(fold, files):
        return None
    return f"the batches are of {file}, the launches of {', '.join(files)}"


def comparison_markdown(comparison: DiversityComparison) -> str:
    """The sites as a Markdown table, most batches in a row first."""
    lines = ["| Site | Launches in a row | Batches in a row | Difference |", "|---|---:|---:|---:|"]
    for site in sorted(comparison.sites, key=lambda site: (-site.port_batch_max, fold(site.site))):
        name = " ".join(site.site.split()).replace("\\", "\\\\").replace("|", "\\|")
        lines.append(f"| {name} | {site.scheduler_max} | {site.port_batch_max} | {site.port_minus_scheduler:+d} |")
    return "\n".join(lines) + "\n"
