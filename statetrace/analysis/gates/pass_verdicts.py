"""The verdicts on the two passes: how long writes took, and what the warm one proves against the cold one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from statetrace.analysis.events import WireEvent
from statetrace.analysis.gates.checks import check_shared_cache, check_warm_run, warm_hit_ratio
from statetrace.analysis.gates.gate import GateResult
from statetrace.analysis.gates.gate_list import GATES
from statetrace.analysis.gates.offenders import Offenders
from statetrace.analysis.gates.pass_measures import PassMeasures, one_sided
from statetrace.analysis.gates.thresholds import Thresholds, WarmRunThresholds
from statetrace.analysis.warm.comparison import improvement

Verdicts: TypeAlias = Iterator[GateResult | None]
"""Results of gates, ``None`` for those that are switched off."""

_CALLS = ("ImprovementPercent", "WarmAverageDelta")
"""Codes of the gates of a comparison that need the cold pass as well."""
_COUNTS = ("WarmCacheMissCount", "HitRatio", "SignatureMissCount", "SignatureRewriteTotal")
"""Codes of the others."""


def cold_verdicts(cold: PassMeasures, thresholds: Thresholds) -> Verdicts:
    """How long writes of the cold pass took."""
    yield GATES["ColdWriteLatencyP95"].judge(thresholds, cold.latency.percentile(95), cold.latency.over)


def warm_verdicts(warm: PassMeasures, thresholds: Thresholds, lacking: str = "") -> Verdicts:
    """How long writes of the warm pass took, and whether there was anything to write.

    Args:
        warm: the warm pass.
        thresholds: the limits.
        lacking: why there is no warm pass, if so; the same below.
    """
    latency, changed = warm.latency, warm.changed
    yield GATES["WarmWriteLatencyP95"].judge(
        thresholds, latency.percentile(95), latency.over, alerted=latency.beyond, lacking=lacking
    )
    yield GATES["WarmRowsChanged"].judge(
        thresholds, changed.value if warm.timings else None, changed.behind, lacking=lacking
    )


def shared_cache_verdicts(
    imported: int | None, warm: PassMeasures, thresholds: Thresholds, lacking: str = ""
) -> Verdicts:
    """Whether the warm pass began with a snapshot and could do with it.

    Args:
        imported: times that a snapshot was imported; ``None`` if nothing can tell.
        warm: the warm pass.
        thresholds: the limits.
        lacking: see above.
    """
    check = check_shared_cache(
        None if imported is None else [{"SnapshotImported": imported}],
        [{"AccessRefresh": warm.refreshed.value}] if warm.timings else None,
        thresholds.shared_cache,
    )
    for code, measured, behind in (
        ("SnapshotImported", check.statistics.snapshot_imported, None),
        ("AccessRefresh", check.statistics.access_refresh, warm.refreshed.behind),
    ):
        yield GATES[code].judge(thresholds, measured, behind, violated=code in check.violations, lacking=lacking)


def hosts_verdicts(cold: PassMeasures, warm: PassMeasures, thresholds: Thresholds, lacking: str = "") -> Verdicts:
    """Whether both passes of a warm run wrote the same hosts."""
    alone = one_sided(cold, warm)
    told = cold.hosts and warm.hosts
    yield GATES["HostOfOnePassOnly"].judge(thresholds, alone.count if told else None, alone, lacking=lacking)


def comparison_verdicts(
    summary: Mapping[str, Any] | None,
    cold: PassMeasures,
    warm: PassMeasures,
    thresholds: Thresholds,
    *,
    both: bool = True,
    lacking: str = "",
) -> Verdicts:
    """Whether the warm pass was faster and served by the cache.

    Args:
        summary: the comparison.
        cold: the cold pass.
        warm: the warm one, with who is behind what the comparison counts.
        thresholds: the limits.
        both: there is to be a cold pass to compare with.
        lacking: see above.
    """
    check = check_warm_run(summary, thresholds.warm_run)
    if summary is None:
        for code in (*_CALLS, *_COUNTS) if both else _COUNTS:
            yield GATES[code].without_data(thresholds, lacking or check.messages[0], code=check.violations[0])
        return
    if both:
        yield from _call_verdicts(summary, cold, warm, thresholds)
    counted: dict[str, tuple[float | None, Offenders]] = {
        "WarmCacheMissCount": (_number(summary, "WarmCacheProviderMissCount"), warm.misses.behind),
        "HitRatio": (warm_hit_ratio(summary), warm.misses.behind),
        "SignatureMissCount": (_number(summary, "WarmSignatureMatchMissCount"), warm.signature_misses.behind),
        "SignatureRewriteTotal": (_number(summary, "WarmSignatureRewriteTotal"), warm.rewrites.behind),
    }
    for code in _COUNTS:
        measured, behind = counted[code]
        yield GATES[code].judge(thresholds, measured, behind, violated=code in check.violations, lacking=lacking)


def _call_verdicts(
    summary: Mapping[str, Any], cold: PassMeasures, warm: PassMeasures, thresholds: Thresholds
) -> Verdicts:
    """Whether the warm interface call was shorter. No host is to blame for a call that is short all the same."""
    limits = thresholds.warm_run
    before, after = (_number(summary, f"{label}InterfaceCallAvgMs") for label in ("Cold", "Warm"))
    percent, note = _number(summary, "ImprovementPercent"), ""
    medians = cold.median_call, warm.median_call
    if before is not None and before < limits.median_below_ms and None not in medians:
        before, after = medians
        _, percent = improvement(before, after)
        note = (
            f"calls of under {limits.median_below_ms:,g} ms: medians, because one pause of the machine is longer than "
            "a call"
        )
    delta = None if before is None or after is None else after - before
    for code, measured, bound in zip(_CALLS, (percent, delta), _bounds(before or 0, limits), strict=True):
        behind = warm.slower_than(max(bound, limits.median_below_ms))
        yield GATES[code].judge(thresholds, measured, behind, note=note)


def _bounds(before: float, limits: WarmRunThresholds) -> tuple[float, float]:
    """What a warm call must not be longer than for each of the two gates, in milliseconds."""
    return (
        before * (1 - limits.minimum_improvement_percent / 100),
        before + limits.maximum_warm_average_delta_ms,
    )


def _number(summary: Mapping[str, Any], field: str) -> float | None:
    return WireEvent("", {field: summary.get(field)}).number(field)
