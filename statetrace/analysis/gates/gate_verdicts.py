"""The verdicts on telemetry as a whole: its times, turns, completeness, and whether it can be believed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from statetrace.analysis.consistency.checking import Consistency
from statetrace.analysis.gates.checks import check_coverage, check_queue_delay
from statetrace.analysis.gates.gate_list import GATES
from statetrace.analysis.gates.gate_measures import SessionMeasures, TelemetryMeasures
from statetrace.analysis.gates.offenders import Offender, Offenders
from statetrace.analysis.gates.pass_verdicts import Verdicts
from statetrace.analysis.gates.thresholds import Thresholds
from statetrace.analysis.gates.turns import Turns
from statetrace.analysis.reading import TelemetryReader
from statetrace.analysis.reports.queue_delay import INSUFFICIENT_DATA
from statetrace.errors import TelemetryError

_COVERAGE = {"SiteCount": "site_count", "HostCount": "total_host_count", "RowCount": "total_row_count"}
"""Code of a gate of a snapshot → what it measures."""


def telemetry_verdicts(measures: TelemetryMeasures, thresholds: Thresholds) -> Verdicts:
    """How long reads of sites and the work on logs took, and how long port batches waited."""
    fetch, parse = measures.fetch, measures.parse
    yield GATES["SiteCacheFetchP95"].judge(thresholds, fetch.percentile(95), fetch.over, alerted=fetch.beyond)
    yield GATES["ParseDurationP95"].judge(thresholds, parse.percentile(95), parse.over)
    yield GATES["ParseDurationMax"].judge(thresholds, max(parse.values, default=None), parse.beyond)
    thresholds = measures.with_fewer_delays(thresholds)
    report = check_queue_delay(measures.queue, thresholds.queue_delay)
    delays = report.statistics.queue_build_delay_ms
    if INSUFFICIENT_DATA in report.violations:
        lacking = f"{report.messages[0]}; `--allow-no-data queue_delay` does without"
        yield GATES["EventCount"].without_data(thresholds, lacking, measured=delays.sample_count)
        for code in ("QueueDelayP95", "QueueDelayP99"):
            yield GATES[code].without_data(thresholds, lacking, code=INSUFFICIENT_DATA)
        return
    yield GATES["EventCount"].judge(thresholds, delays.sample_count)
    for code, measured, waits in (
        ("QueueDelayP95", delays.p95, measures.waits.over),
        ("QueueDelayP99", delays.p99, measures.waits.beyond),
    ):
        yield GATES[code].judge(thresholds, measured, waits, violated=code in report.violations)


def fairness_verdicts(sessions: Sequence[Turns], measures: TelemetryMeasures, thresholds: Thresholds) -> Verdicts:
    """Whether sites took turns in each of these, which are finished."""
    launches, batches = Offenders(), Offenders()
    for turns in sessions:
        launches.join(turns.long_launches)
        batches.join(turns.long_batches)
    longest = _largest(turns.launch_streak for turns in sessions)
    yield GATES["LaunchStreak"].judge(thresholds, longest, launches)
    longest = _largest(turns.batch_streak for turns in sessions)
    waived = measures.nothing_to_batch if longest is None else ""
    yield GATES["BatchStreak"].judge(thresholds, 0 if waived else longest, batches, note=waived)


def presence_verdicts(measures: TelemetryMeasures, thresholds: Thresholds) -> Verdicts:
    """Whether the events that every run leaves are there."""
    waivers = {
        "PortBatchReady": measures.nothing_to_batch,
        "InterfaceSyncTiming": measures.nothing_to_parse,
        "ParserSchedulerLaunch": "",
    }
    for name, waived in waivers.items():
        violated = False if waived else None
        yield GATES[f"{name}Missing"].judge(thresholds, measures.count(name), violated=violated, note=waived)


def completeness_verdicts(sessions: Sequence[SessionMeasures], thresholds: Thresholds) -> Verdicts:
    """Whether each host told its story whole."""
    differing, absent = Offenders(), Offenders()
    for session in sessions:
        differing.join(session.differing())
        absent.join(session.not_persisted())
    timings = sum(session.timings for session in sessions)
    told = timings or sum(session.parsed for session in sessions)
    yield GATES["SyncTimingCount"].judge(thresholds, differing.count if told else None, differing)
    yield GATES["HostPersisted"].judge(thresholds, absent.count if timings else None, absent)


def run_verdicts(marker: Path | None, thresholds: Thresholds) -> Verdicts:
    """Whether a warm run came to its end.

    Args:
        marker: the file that says it did not; ``None`` if there is none.
        thresholds: the limits.
    """
    broken_off = Offenders()
    if marker is not None:
        broken_off.take(Offender("", "", "", str(marker), 1, "what follows may be for lack of the rest"))
    yield GATES["RunIncomplete"].judge(thresholds, broken_off.count, broken_off)


def integrity_verdicts(
    readers: Sequence[TelemetryReader], checks: Sequence[Consistency], thresholds: Thresholds
) -> Verdicts:
    """Whether the telemetry can be believed.

    Args:
        readers: have read all of it.
        checks: have taken all events of theirs.
        thresholds: the limits.
    """
    broken, contradictory = Offenders(), Offenders()
    for reader in readers:
        for line in reader.broken_lines:
            broken.take(Offender("", "", "", f"{line.file}:{line.line}", 1, line.reason))
    for check in checks:
        check.finish()
        for told in check.violations:
            detail = f"{told.detail} ({told.rule}: {told.meaning})"
            contradictory.take(Offender(told.site, told.hostname, told.event_name, told.where, 1, detail))
    broken.count = sum(reader.broken for reader in readers)
    contradictory.count = sum(check.count for check in checks)
    lines, events = (sum(getattr(reader, name) for reader in readers) for name in ("lines", "events"))
    yield GATES["BrokenLines"].judge(thresholds, broken.count if lines else None, broken)
    note = "they may follow from the lines that are no event" if broken.count and contradictory.count else ""
    yield GATES["Contradictions"].judge(thresholds, contradictory.count if events else None, contradictory, note=note)


def coverage_verdicts(summary: Path, thresholds: Thresholds) -> Verdicts:
    """Whether a snapshot holds what it has to.

    Raises:
        TelemetryError: there is no such summary. Who names one wants it judged, whatever may be without data.
    """
    check = check_coverage(summary, thresholds.coverage)
    if {"SummaryMissing", "SummaryInvalid"}.intersection(check.violations):
        raise TelemetryError(check.messages[0])
    held = msgspec.structs.asdict(check.statistics)
    for code, measure in _COVERAGE.items():
        yield GATES[code].judge(thresholds, held[measure])
    missing = check.required_sites_missing
    yield GATES["RequiredSites"].judge(thresholds, len(missing), note=", ".join(missing))


def _largest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
