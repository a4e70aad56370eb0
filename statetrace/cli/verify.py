"""``statetrace verify``: hold all gates against telemetry."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from statetrace.analysis.gates.checks import check_coverage
from statetrace.analysis.gates.evidence import Passes
from statetrace.analysis.gates.gate import GateResult, Outcome
from statetrace.analysis.gates.offenders import Offender
from statetrace.analysis.gates.thresholds import Thresholds, read_thresholds, thresholds_file, with_allowed
from statetrace.analysis.gates.verification import VerificationReport, verify_telemetry
from statetrace.cli.options import Json
from statetrace.cli.output import counted, print_table, progress, say
from statetrace.cli.streams import whoever_reads
from statetrace.cli.telemetry import Output, fail_unless, give, write_text
from statetrace.errors import SettingsError

ThresholdsFile = Annotated[
    Path | None,
    typer.Option(
        "--thresholds",
        metavar="FILE",
        help="Limits of the gates, as `statetrace verify --print-thresholds` prints them.",
        show_default=False,
    ),
]
AllowNoData = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-no-data",
        metavar="NAME",
        help="Gates or sections of them that may be without data, joined by commas, * for all; may be repeated.",
    ),
]
_TOLD = (Outcome.FAILED, Outcome.WARNED)
"""Outcomes of gates whose offenders are named."""


def verify(
    telemetry: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Files of events or folders with day files; or the folder Run-… of a warm run; or its export.",
            metavar="TELEMETRY",
            readable=False,
            show_default=False,
        ),
    ] = None,
    thresholds: ThresholdsFile = None,
    print_thresholds: Annotated[
        bool,
        typer.Option(
            "--print-thresholds",
            help="Print the limits as a TOML file with comments, write it to --output too, and exit.",
        ),
    ] = False,
    passes: Annotated[
        Passes,
        typer.Option(
            "--pass",
            help="Which pass the telemetry is of. With auto the first write of a host is cold, later ones are warm and "
            "have to find nothing changed.",
        ),
    ] = Passes.AUTO,
    allow_no_data: AllowNoData = None,
    snapshot_summary: Annotated[
        Path | None,
        typer.Option("--snapshot-summary", metavar="FILE", help="Also judge what a snapshot covers, by its summary."),
    ] = None,
    output: Output = None,
    json: Json = False,
) -> None:
    """Hold every gate against telemetry, and name the host and event behind each failure; exits with 3 if one failed.

    A gate without data fails, unless that is allowed.
    """
    wanted = limits(thresholds, allow_no_data)
    if print_thresholds:
        text = thresholds_file(wanted)
        if output is not None:
            write_text(output, text)
        typer.echo(text, nl=False)
        return
    if not telemetry:
        raise typer.BadParameter("name the telemetry to verify", param_hint="TELEMETRY")
    if snapshot_summary is not None:
        _require_summary(snapshot_summary)
    with progress("reading telemetry") as advance:
        report = verify_telemetry(
            *telemetry, thresholds=wanted, passes=passes, snapshot_summary=snapshot_summary, on_bytes=advance
        )
    give(report, output=output, json=json)
    if not json:
        print_verification(report)
    fail_unless(report.passed)


def _require_summary(path: Path) -> None:
    """See to it that there is a summary: who names one wants it judged, whatever may be without data.

    Raises:
        typer.BadParameter: the file does not exist, or is no summary.
    """
    check = check_coverage(path)
    if {"SummaryMissing", "SummaryInvalid"}.intersection(check.violations):
        raise typer.BadParameter(check.messages[0], param_hint="--snapshot-summary")


def limits(file: Path | None, allowed: Iterable[str] | None) -> Thresholds:
    """What ``--thresholds`` and ``--allow-no-data`` say.

    Raises:
        typer.BadParameter: the file cannot be read, or something in it or in the names is misspelled.
    """
    names = tuple(name.strip() for named in allowed or () for name in named.split(",") if name.strip())
    try:
        return with_allowed(Thresholds() if file is None else read_thresholds(file), names)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error


def print_verification(report: VerificationReport) -> None:
    """All gates in a table, then why some are without data, who is behind failures and warnings, and the verdict."""
    lacking: dict[str, list[str]] = {}
    for gate in report.gates:
        if gate.failed and gate.outcome is Outcome.NO_DATA:
            lacking.setdefault(gate.lacking, []).append(gate.name)
    with whoever_reads():
        print_table(("Gate", "Outcome", "Measured", "Limit"), map(_row, report.gates))
        for reason, names in lacking.items():
            typer.echo()
            print_table((), (), title=f"{counted(len(names), 'gate')} without data: {reason}")
            typer.echo(f"  {', '.join(names)}")
        _print_offenders([gate for gate in report.gates if gate.outcome in _TOLD], report.sources)
    for hint in report.hints:
        say(hint)
    failed = [gate.name for gate in report.gates if gate.outcome is Outcome.FAILED]
    without = sum(map(len, lacking.values()))
    verdicts = [f"{', '.join(failed)} failed"] if failed else []
    verdicts += [f"{without:,} without data"] if without else []
    held = f"{counted(len(report.gates), 'gate')} held against {', '.join(report.sources)}"
    say(f"{held}: {'; '.join(verdicts) or 'all passed'}")


def _print_offenders(gates: Iterable[GateResult], sources: Sequence[str]) -> None:
    """A table a gate, without what another one has told already."""
    told: dict[tuple[Offender, ...], str] = {}
    for gate in gates:
        typer.echo()
        rows = gate.offenders
        same = next((name for others, name in told.items() if rows and set(rows) <= set(others)), None)
        title = f"{gate.name}: {gate.message}"
        if same is not None:
            print_table((), (), title=f"{title}; see {same}")
            continue
        told[rows] = gate.name
        print_table(("Site", "Host", "Event", *_value_heading(gate), "Where", "Detail"),
                    [_offender(offender, gate, sources) for offender in rows], title=title)  # fmt: skip
        if (more := gate.offender_count - len(rows)) > 0:
            typer.echo(f"and {more:,} more")


def _value_heading(gate: GateResult) -> tuple[str, ...]:
    return (gate.offender_unit,) if gate.offender_unit else ()


def _offender(offender: Offender, gate: GateResult, sources: Sequence[str]) -> tuple[object, ...]:
    site, host, event, detail = (
        text or "-" for text in (offender.site, offender.host, offender.event, offender.detail)
    )
    value = (offender.value,) if gate.offender_unit else ()
    return site, host, event, *value, _below(offender.where, sources) or "-", detail


def _below(where: str, sources: Sequence[str]) -> str:
    """A place without what the verdict names as its source, if that is one alone."""
    if len(sources) > 1:
        return where
    source = Path(sources[0])
    folder = source if source.is_dir() else source.parent
    return where.removeprefix(f"{folder}{os.sep}")


def _row(gate: GateResult) -> tuple[str, str, str, str]:
    outcome = gate.outcome.replace("_", " ") + (", allowed" if gate.allowed else "")
    unit = f" {gate.unit}" if gate.unit else ""
    measured = "-" if gate.measured is None else f"{_figure(gate.measured)}{unit}"
    return gate.name, outcome, measured, f"{gate.relation} {gate.limit:,g}{unit}"


def _figure(measured: float) -> str:
    return f"{measured:,}" if isinstance(measured, int) else f"{measured:,.3f}"
