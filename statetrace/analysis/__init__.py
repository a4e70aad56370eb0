"""Telemetry in, numbers out: reports, gates, warm runs, and the story of a host."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from statetrace.analysis.consistency.checking import Violation, violations
    from statetrace.analysis.consistency.integrity import IntegrityReport, check_integrity
    from statetrace.analysis.events import Analysis, Selection, WireEvent, analyze
    from statetrace.analysis.explain.explaining import explain_host
    from statetrace.analysis.files import telemetry_files
    from statetrace.analysis.gates.checks import (
        Check,
        CoverageCheck,
        SharedCacheCheck,
        check_coverage,
        check_queue_delay,
        check_shared_cache,
        check_warm_run,
    )
    from statetrace.analysis.gates.thresholds import Thresholds, read_thresholds
    from statetrace.analysis.gates.verification import VerificationReport, verify_telemetry
    from statetrace.analysis.reading import TelemetryReader
    from statetrace.analysis.reports.diff_hotspots import Hotspot, diff_hotspots
    from statetrace.analysis.reports.diversity_comparison import DiversityComparison, compare_diversity
    from statetrace.analysis.reports.port_batches import (
        MetricChange,
        PortBatchReport,
        compare_port_batches,
        port_batches,
    )
    from statetrace.analysis.reports.port_diversity import PortDiversityReport, port_diversity
    from statetrace.analysis.reports.provider_reasons import SiteReasons, provider_reasons
    from statetrace.analysis.reports.queue_delay import (
        QueueDelayReport,
        QueueDelays,
        QueueDelayThresholds,
        queue_delays,
    )
    from statetrace.analysis.reports.rollup import RollupReport, rollup, write_rollup
    from statetrace.analysis.reports.rollup_metrics import RollupRow
    from statetrace.analysis.reports.scheduler_launches import SchedulerReport, scheduler_launches
    from statetrace.analysis.reports.store_state import StoreState, store_states
    from statetrace.analysis.reports.sync_timing import SyncTimingReport, sync_timing
    from statetrace.analysis.warm.comparison import compare
    from statetrace.analysis.warm.pass_start import HistorySeed, WarmCache
    from statetrace.analysis.warm.warm_rows import read_export
    from statetrace.analysis.warm.warm_run import WarmRun, WarmRunOptions
    from statetrace.analysis.warm.warmup import warm_up

__all__ = [
    "Analysis",
    "Check",
    "CoverageCheck",
    "DiversityComparison",
    "HistorySeed",
    "Hotspot",
    "IntegrityReport",
    "MetricChange",
    "PortBatchReport",
    "PortDiversityReport",
    "QueueDelayReport",
    "QueueDelayThresholds",
    "QueueDelays",
    "RollupReport",
    "RollupRow",
    "SchedulerReport",
    "Selection",
    "SharedCacheCheck",
    "SiteReasons",
    "StoreState",
    "SyncTimingReport",
    "TelemetryReader",
    "Thresholds",
    "VerificationReport",
    "Violation",
    "WarmCache",
    "WarmRun",
    "WarmRunOptions",
    "WireEvent",
    "analyze",
    "check_coverage",
    "check_integrity",
    "check_queue_delay",
    "check_shared_cache",
    "check_warm_run",
    "compare",
    "compare_diversity",
    "compare_port_batches",
    "diff_hotspots",
    "explain_host",
    "port_batches",
    "port_diversity",
    "provider_reasons",
    "queue_delays",
    "read_export",
    "read_thresholds",
    "rollup",
    "scheduler_launches",
    "store_states",
    "sync_timing",
    "telemetry_files",
    "verify_telemetry",
    "violations",
    "warm_up",
    "write_rollup",
]

_OFFERED = {
    "consistency.checking": ("Violation", "violations"),
    "consistency.integrity": ("IntegrityReport", "check_integrity"),
    "events": ("Analysis", "Selection", "WireEvent", "analyze"),
    "explain.explaining": ("explain_host",),
    "files": ("telemetry_files",),
    "gates.checks": (
        "Check",
        "CoverageCheck",
        "SharedCacheCheck",
        "check_coverage",
        "check_queue_delay",
        "check_shared_cache",
        "check_warm_run",
    ),
    "gates.thresholds": ("Thresholds", "read_thresholds"),
    "gates.verification": ("VerificationReport", "verify_telemetry"),
    "reading": ("TelemetryReader",),
    "reports.diff_hotspots": ("Hotspot", "diff_hotspots"),
    "reports.diversity_comparison": ("DiversityComparison", "compare_diversity"),
    "reports.port_batches": ("MetricChange", "PortBatchReport", "compare_port_batches", "port_batches"),
    "reports.port_diversity": ("PortDiversityReport", "port_diversity"),
    "reports.provider_reasons": ("SiteReasons", "provider_reasons"),
    "reports.queue_delay": ("QueueDelayReport", "QueueDelayThresholds", "QueueDelays", "queue_delays"),
    "reports.rollup": ("RollupReport", "rollup", "write_rollup"),
    "reports.rollup_metrics": ("RollupRow",),
    "reports.scheduler_launches": ("SchedulerReport", "scheduler_launches"),
    "reports.store_state": ("StoreState", "store_states"),
    "reports.sync_timing": ("SyncTimingReport", "sync_timing"),
    "warm.comparison": ("compare",),
    "warm.pass_start": ("HistorySeed", "WarmCache"),
    "warm.warm_rows": ("read_export",),
    "warm.warm_run": ("WarmRun", "WarmRunOptions"),
    "warm.warmup": ("warm_up",),
}
"""Module → what is offered of it."""
_HOMES = {name: module for module, names in _OFFERED.items() for name in names}


def __getattr__(name: str) -> object:
    # Whoever reads telemetry should not wait for SQLAlchemy, which warm runs need.
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
