"""What telemetry of any kind tells the gates: a warm run's folder, its export, events of whatever sessions.

Which pass a host's write belongs to is told by the folder of a warm run, by the row of an export, or by whoever asks;
else the first write of a host is cold, and every later one warm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

import msgspec

from statetrace.analysis.consistency.checking import Consistency
from statetrace.analysis.documents import read_document, records
from statetrace.analysis.events import Analysis, WireEvent, analyze
from statetrace.analysis.gates import gate_verdicts, pass_verdicts
from statetrace.analysis.gates.gate_measures import SessionMeasures, TelemetryMeasures
from statetrace.analysis.gates.offenders import Offender
from statetrace.analysis.gates.pass_measures import PassMeasures, compared
from statetrace.analysis.gates.pass_verdicts import Verdicts
from statetrace.analysis.gates.thresholds import Thresholds
from statetrace.analysis.gates.turns import Turns
from statetrace.analysis.reading import TelemetryReader, telemetry_files
from statetrace.analysis.warm.evidence import INCOMPLETE
from statetrace.analysis.warm.host_pairs import HostPair, pair_hosts
from statetrace.analysis.warm.warm_rows import COLD_PASS, COMPARISON, WARM_PASS, row_of, rows_of_passes
from statetrace.errors import TelemetryError
from statetrace.model import fold

_LOOK = 64
"""Bytes of a file that tell what it begins with."""


class Passes(StrEnum):
    """Which passes telemetry is of. What only the other pass could answer is not asked then."""

    AUTO = "auto"
    COLD = "cold"
    WARM = "warm"


class VerificationStatistics(msgspec.Struct, frozen=True, rename="pascal"):
    """What was looked at.

    Attributes:
        files: number of files.
        lines: lines that are not blank.
        events: of them events.
        cold_writes: hosts written on the cold pass, once for each time.
        warm_writes: on the warm one.
        comparison: the two passes in the fields of ``WarmRunComparison``; ``None`` without a warm pass.
    """

    files: int
    lines: int
    events: int
    cold_writes: int
    warm_writes: int
    comparison: dict[str, Any] | None


class Evidence(Protocol):
    """What sources told, of whatever kind they are."""

    @property
    def guessed(self) -> bool:
        """Whether writes were taken for warm by nothing but their turn."""

    def verdicts(self, passes: Passes) -> Verdicts:
        """Results of the gates that concern these passes and that such sources can answer."""

    def statistics(self) -> VerificationStatistics:
        """What was looked at."""


def evidence_of(
    sources: Sequence[Path], thresholds: Thresholds, passes: Passes, on_bytes: Callable[[int], object]
) -> Evidence:
    """Read sources, which may be of any kind.

    Raises:
        TelemetryError: a source does not exist, holds no telemetry or cannot be read; or an export or the folder of a
            warm run is not the only one.
    """
    exports = [source for source in sources if source.is_file() and _is_export(source)]
    runs = [source for source in sources if _is_run(source)]
    if (exports or runs) and len(sources) > 1:
        raise TelemetryError(f"{(exports or runs)[0]} is a warm run: verify it alone")
    if exports:
        return ExportEvidence(exports[0], thresholds)
    evidence = EventEvidence(thresholds, run=runs[0] if runs else None)
    for files, of_pass in _sessions(runs[0]) if runs else [(telemetry_files(*sources), passes)]:
        evidence.read(TelemetryReader(files, on_bytes=on_bytes), of_pass)
    return evidence


def _is_run(source: Path) -> bool:
    """Whether this is the folder of a warm run."""
    return any((source / label).is_dir() for label in (COLD_PASS, WARM_PASS))


def _is_export(source: Path) -> bool:
    """Whether this is an export of a warm run, or its summary."""
    if fold(source.name).startswith(fold("WarmRunTelemetry")):
        return True
    with source.open("rb") as file:
        if not file.read(_LOOK).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
            return False
    try:
        rows = records(read_document(source))
    except TelemetryError:
        return False  # a torn line may begin like that, too
    return any("PassLabel" in row for row in rows)


def _sessions(run: Path) -> Iterator[tuple[list[Path], Passes | None]]:
    """The files of a warm run's folders, each with its pass if it is of one."""
    passes = {fold(COLD_PASS): Passes.COLD, fold(WARM_PASS): Passes.WARM}
    for folder in sorted(path for path in run.iterdir() if path.is_dir()):
        of_pass = passes.get(fold(folder.name))
        try:
            yield telemetry_files(folder), of_pass
        except TelemetryError:
            # A run that was broken off left no more.
            if of_pass is not None and not (run / INCOMPLETE).exists():
                raise


class _ByTurn:
    """Gives the first event of a name and host to the cold pass, later ones to the warm one."""

    EVENTS: ClassVar[frozenset[str] | None] = PassMeasures.EVENTS

    def __init__(self, cold: PassMeasures, warm: PassMeasures) -> None:
        self._cold = cold
        self._warm = warm
        self._met: set[tuple[str, str]] = set()

    def add(self, event: WireEvent) -> None:
        """Take an event, unless a tool made it up afterwards."""
        if event.flag("Synthesized"):
            return
        key = fold(event.name), fold(event.host)
        if key in self._met:
            self._warm.add(event)
        else:
            self._met.add(key)
            self._cold.add(event)


class _Session(NamedTuple):
    """What is followed from event to event, and not from one folder of a warm run to the next."""

    reader: TelemetryReader
    hosts: SessionMeasures
    turns: Turns
    check: Consistency


class EventEvidence:
    """What events told so far.

    Args:
        thresholds: the limits.
        run: folder of the warm run that the events are of, if they are of one.
    """

    def __init__(self, thresholds: Thresholds, run: Path | None = None) -> None:
        self._thresholds = thresholds
        self._run = run
        self._cold, self._warm = _pass_measures(thresholds)
        self._telemetry = TelemetryMeasures(thresholds)
        self._sessions: list[_Session] = []

    def read(self, reader: TelemetryReader, of_pass: Passes | None) -> None:
        """Take all events of a folder of a warm run, or of what is to be seen as one."""
        session = _Session(reader, SessionMeasures(), Turns(self._thresholds.fairness), Consistency())
        writes: dict[Passes | None, Analysis] = {
            Passes.AUTO: _ByTurn(self._cold, self._warm),
            Passes.COLD: self._cold,
            Passes.WARM: self._warm,
        }
        of_writes = [writes[of_pass]] if of_pass in writes else []
        analyze(reader, session.hosts, session.turns, session.check, self._telemetry, *of_writes)
        session.turns.finish()
        self._sessions.append(session)

    @property
    def guessed(self) -> bool:
        """Whether writes were taken for warm by nothing but their turn: there are such, and nothing said so."""
        return self._run is None and bool(self._warm.hosts)

    def verdicts(self, passes: Passes) -> Verdicts:
        """Results of all gates that concern these passes."""
        thresholds, telemetry, sessions = self._thresholds, self._telemetry, self._sessions
        if passes is not Passes.WARM:
            yield from pass_verdicts.cold_verdicts(self._cold, thresholds)
        if passes is not Passes.COLD:
            yield from self._warm_verdicts(passes)
        yield from gate_verdicts.telemetry_verdicts(telemetry, thresholds)
        yield from gate_verdicts.fairness_verdicts([session.turns for session in sessions], telemetry, thresholds)
        yield from gate_verdicts.presence_verdicts(telemetry, thresholds)
        yield from gate_verdicts.completeness_verdicts([session.hosts for session in sessions], thresholds)
        if self._run is not None:
            marker = self._run / INCOMPLETE
            yield from gate_verdicts.run_verdicts(marker if marker.exists() else None, thresholds)
        readers, checks = [session.reader for session in sessions], [session.check for session in sessions]
        yield from gate_verdicts.integrity_verdicts(readers, checks, thresholds)

    def _warm_verdicts(self, passes: Passes) -> Verdicts:
        thresholds, cold, warm, lacking = self._thresholds, self._cold, self._warm, self._no_warm_pass(passes)
        imported = self._telemetry.imported
        yield from pass_verdicts.warm_verdicts(warm, thresholds, lacking)
        yield from pass_verdicts.shared_cache_verdicts(
            imported if imported or warm.timings else None, warm, thresholds, lacking
        )
        yield from pass_verdicts.comparison_verdicts(
            compared(cold, warm), cold, warm, thresholds, both=passes is Passes.AUTO, lacking=lacking
        )
        if self._run is not None:
            yield from pass_verdicts.hosts_verdicts(cold, warm, thresholds, lacking)

    def _no_warm_pass(self, passes: Passes) -> str:
        """Why there is no warm pass; ``""`` if there is one."""
        if self._warm.hosts:
            return ""
        if self._warm.known:
            return f"all {self._warm.known:,} logs were known, so the warm pass wrote nothing"
        if self._run is not None:
            return f"{self._run} has no warm pass in which a host was written"
        if passes is Passes.WARM:
            return "no host was written"
        return "there is no warm pass among these events; `--pass cold` judges the cold one alone"

    def statistics(self) -> VerificationStatistics:
        """What was looked at."""
        readers = [session.reader for session in self._sessions]
        return VerificationStatistics(
            sum(len(reader.files) for reader in readers),
            sum(reader.lines for reader in readers),
            sum(reader.events for reader in readers),
            self._cold.timings,
            self._warm.timings,
            compared(self._cold, self._warm),
        )


class ExportEvidence:
    """What the rows of an export tell.

    Which hosts of the warm pass did not match is told by their own rows, whatever the comparison says: in exports of
    the original it always says none (reference: warm-run-and-gates 11 D3). A summary has nothing but the comparison.
    """

    guessed = False

    def __init__(self, path: Path, thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        self._cold, self._warm = _pass_measures(thresholds)
        self._rows = records(read_document(path))
        self._comparison = next((row for row in self._rows if _is_comparison(row)), None)
        met: set[tuple[str, str]] = set()
        passes = {fold(COLD_PASS): self._cold, fold(WARM_PASS): self._warm}
        for number, row in enumerate(self._rows, 1):
            event = _event_of(row, path, number)
            measures = passes.get(fold(event.name))
            key = fold(event.name), fold(event.host)
            # A host whose site was read on its behalf has two rows with the same figures.
            if measures is not None and key not in met and not event.text("SummaryType"):
                met.add(key)
                _add_row(measures, event)
        self._judge_signatures()

    def _judge_signatures(self) -> None:
        pairs = pair_hosts(*rows_of_passes(map(row_of, self._rows)))
        if not any(pair.warm for pair in pairs):
            return
        misses = self._warm.signature_misses
        for pair in pairs:
            if pair.warm is not None and not pair.warm.matched:
                misses.value += 1
                misses.behind.take(self._unmatched(pair))
        if self._comparison is not None:
            self._comparison = {**self._comparison, "WarmSignatureMatchMissCount": misses.value}

    def _unmatched(self, pair: HostPair) -> Offender:
        met = self._warm.hosts.get(fold(pair.host))
        changed = pair.warm and pair.warm.rows_changed
        detail = f"{changed:,} of its rows changed" if changed else "nothing tells that its rows matched"
        return Offender(pair.site, pair.host, WARM_PASS, met.where if met else "", 1, detail)

    def verdicts(self, passes: Passes) -> Verdicts:
        """Results of the gates that rows can answer; those of a comparison alone, if there is nothing else."""
        thresholds, cold, warm = self._thresholds, self._cold, self._warm
        labelled = any(row.get("PassLabel") for row in self._rows)
        both = passes is Passes.AUTO
        if labelled and passes is not Passes.WARM:
            yield from pass_verdicts.cold_verdicts(cold, thresholds)
        if passes is Passes.COLD:
            return
        if labelled:
            yield from pass_verdicts.warm_verdicts(warm, thresholds)
            cache = pass_verdicts.shared_cache_verdicts(None, warm, thresholds)
            yield from (gate for gate in cache if gate and gate.code != "SnapshotImported")  # no row tells
        if cold.hosts and both:
            yield from pass_verdicts.hosts_verdicts(cold, warm, thresholds)
        yield from pass_verdicts.comparison_verdicts(self._comparison, cold, warm, thresholds, both=both)

    def statistics(self) -> VerificationStatistics:
        """What was looked at."""
        cold, warm = self._cold.timings, self._warm.timings
        return VerificationStatistics(1, len(self._rows), 0, cold, warm, self._comparison)


def _is_comparison(row: Mapping[str, Any]) -> bool:
    label = row.get("PassLabel")
    return fold(str(label)) == fold(COMPARISON) if label else "ImprovementPercent" in row


def _event_of(row: Mapping[str, Any], path: Path, number: int) -> WireEvent:
    """A row as an event, under whose names a host's provider and status go."""
    fields = {**row, "SiteCacheProvider": row.get("Provider"), "SiteCacheFetchStatus": row.get("CacheStatus")}
    return WireEvent(str(row.get("PassLabel") or ""), fields, str(path), number)


def _add_row(measures: PassMeasures, event: WireEvent) -> None:
    measures.latency.add(event.number("DatabaseWriteLatencyMs"), event)
    measures.add_provider(event)
    measures.add_call(event)
    if event.number("InterfaceCallDurationMs") is not None:
        measures.meet(event)
    if event.number("DiffRowsCompared") is not None or event.text("SiteCacheProviderReason"):
        measures.add_timing(event)


def _pass_measures(thresholds: Thresholds) -> tuple[PassMeasures, PassMeasures]:
    """Of the cold pass and of the warm one."""
    return (
        PassMeasures(thresholds.limit("write_latency.maximum_cold_p95_ms")),
        PassMeasures(
            thresholds.limit("write_latency.maximum_warm_p95_ms"), thresholds.limit("write_latency.warm_alert_ms")
        ),
    )
