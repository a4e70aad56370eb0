"""``statetrace verify``: all gates, held against telemetry of any kind in one go through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from statetrace.analysis.gates.evidence import Evidence, Passes, VerificationStatistics, evidence_of
from statetrace.analysis.gates.gate import GateResult
from statetrace.analysis.gates.gate_list import ORDER
from statetrace.analysis.gates.gate_verdicts import coverage_verdicts
from statetrace.analysis.gates.thresholds import DEFAULT_THRESHOLDS, Thresholds
from statetrace.analysis.instants import now_ticks, utc_text


class VerificationReport(msgspec.Struct, frozen=True, rename="pascal"):
    """The verdict.

    Attributes:
        generated_at_utc: when it was given.
        sources: what was looked at.
        passed: written ``Pass``: no gate failed, and none that is without data needs them.
        violations: codes of the gates that failed.
        gates: all gates that were asked.
        thresholds: the limits.
        statistics: see there.
        hints: how to ask otherwise, where that may be what was meant.
    """

    generated_at_utc: str
    sources: list[str]
    passed: bool = msgspec.field(name="Pass")
    violations: list[str]
    gates: list[GateResult]
    thresholds: Thresholds
    statistics: VerificationStatistics
    hints: list[str]


def verify_telemetry(
    *sources: Path | str,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    passes: Passes = Passes.AUTO,
    snapshot_summary: Path | None = None,
    on_bytes: Callable[[int], object] = lambda _: None,
) -> VerificationReport:
    """Hold all gates against telemetry.

    Args:
        sources: files and folders of telemetry; or the folder of one warm run; or one export of a warm run, to which
            fewer gates apply.
        thresholds: the limits.
        passes: which passes it is of.
        snapshot_summary: summary of a snapshot whose coverage is to be judged as well.
        on_bytes: called with the number of bytes that were read since the last call.

    Raises:
        TelemetryError: a source does not exist, holds no telemetry or cannot be read; or an export or the folder of a
            warm run is not the only one; or the summary is none.
    """
    found = [] if snapshot_summary is None else [*coverage_verdicts(snapshot_summary, thresholds)]
    evidence = evidence_of([Path(source) for source in sources], thresholds, passes, on_bytes)
    found += evidence.verdicts(passes)
    gates = sorted((gate for gate in found if gate is not None), key=lambda gate: ORDER[gate.name])
    violations = dict.fromkeys(gate.code for gate in gates if gate.failed)
    return VerificationReport(
        utc_text(now_ticks()),
        [str(source) for source in sources],
        not violations,
        list(violations),
        gates,
        thresholds,
        evidence.statistics(),
        [*_hints(gates, evidence, passes)],
    )


def _hints(gates: Iterable[GateResult], evidence: Evidence, passes: Passes) -> Iterator[str]:
    of_warm_pass = any(gate.failed and gate.name.startswith(("warm_", "shared_cache.")) for gate in gates)
    if passes is Passes.AUTO and evidence.guessed and of_warm_pass:
        yield (
            "the second write of a host and every later one were taken for those of a warm pass, which have to find "
            "nothing changed; `--pass cold` judges days of ordinary ingestion"
        )
