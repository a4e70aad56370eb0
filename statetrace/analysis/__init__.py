"""Telemetry in, numbers out: reports, gates, warm runs, and the story of a host."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from statetrace.analysis.consistency.integrity import check_integrity
    from statetrace.analysis.events import Analysis, Selection, WireEvent, analyze
    from statetrace.analysis.explain.explaining import explain_host
    from statetrace.analysis.files import telemetry_files
    from statetrace.analysis.gates.thresholds import Thresholds, read_thresholds
    from statetrace.analysis.gates.verification import verify_telemetry
    from statetrace.analysis.reading import TelemetryReader
    from statetrace.analysis.reports.rollup import rollup, write_rollup
    from statetrace.analysis.warm.comparison import compare
    from statetrace.analysis.warm.pass_start import HistorySeed, WarmCache
    from statetrace.analysis.warm.warm_rows import read_export
    from statetrace.analysis.warm.warm_run import WarmRun, WarmRunOptions
    from statetrace.analysis.warm.warmup import warm_up

__all__ = [
    "Analysis",
    "HistorySeed",
    "Selection",
    "TelemetryReader",
    "Thresholds",
    "WarmCache",
    "WarmRun",
    "WarmRunOptions",
    "WireEvent",
    "analyze",
    "check_integrity",
    "compare",
    "explain_host",
    "read_export",
    "read_thresholds",
    "rollup",
    "telemetry_files",
    "verify_telemetry",
    "warm_up",
    "write_rollup",
]

_HOMES = {
    "Analysis": "events",
    "HistorySeed": "warm.pass_start",
    "Selection": "events",
    "TelemetryReader": "reading",
    "Thresholds": "gates.thresholds",
    "WarmCache": "warm.pass_start",
    "WarmRun": "warm.warm_run",
    "WarmRunOptions": "warm.warm_run",
    "WireEvent": "events",
    "analyze": "events",
    "check_integrity": "consistency.integrity",
    "compare": "warm.comparison",
    "explain_host": "explain.explaining",
    "read_export": "warm.warm_rows",
    "read_thresholds": "gates.thresholds",
    "rollup": "reports.rollup",
    "telemetry_files": "files",
    "verify_telemetry": "gates.verification",
    "warm_up": "warm.warmup",
    "write_rollup": "reports.rollup",
}


def __getattr__(name: str) -> object:
    # Whoever reads telemetry should not wait for SQLAlchemy, which warm runs need.
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
