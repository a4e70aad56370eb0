"""``statetrace analyze integrity``: whether telemetry can be believed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from statetrace.analysis.consistency.all_rules import rule_descriptions
from statetrace.analysis.consistency.checking import RuleSet
from statetrace.analysis.consistency.integrity import Integrity, IntegrityReport
from statetrace.analysis.events import Selection
from statetrace.cli import analyze_columns as columns
from statetrace.cli.options import Json
from statetrace.cli.output import counted, say
from statetrace.cli.telemetry import SOURCES_HELP, Output, Table, Top, fail_unless, files_at, give, read


def integrity(
    telemetry: Annotated[
        list[Path] | None,
        typer.Argument(help=SOURCES_HELP, metavar="TELEMETRY", readable=False, show_default=False),
    ] = None,
    require_queue: Annotated[
        bool, typer.Option("--require-queue", help="Fail without events of the port queue.")
    ] = False,
    require_sync: Annotated[bool, typer.Option("--require-sync", help="Fail without InterfaceSyncTiming.")] = False,
    lines_only: Annotated[
        bool, typer.Option("--lines-only", help="Only see that every line is an event, not that the events agree.")
    ] = False,
    rules: Annotated[
        RuleSet, typer.Option("--rules", help="Whose events these are, which decides what they have to keep to.")
    ] = "auto",
    list_rules: Annotated[
        bool, typer.Option("--list-rules", help="List the rules that events have to keep to, and exit.")
    ] = False,
    top: Top = 10,
    output: Output = None,
    json: Json = False,
) -> None:
    """See that every line is an event and that the events agree with each other; exits with 3 if not.

    Whole files are looked at: with events left out the others would not agree. The document lists up to a thousand
    contradictions.
    """
    if list_rules:
        described = rule_descriptions()
        give(described, Table(columns.RULES, described), output=output, json=json)
        return
    if not telemetry:
        raise typer.BadParameter("name the telemetry to look at", param_hint="TELEMETRY")
    check = Integrity(require_queue=require_queue, require_sync=require_sync, consistency=not lines_only, rules=rules)
    report = check.report(read(files_at(telemetry, whole=True), Selection(), check))
    shown = min(top or len(report.violations), len(report.violations))
    broken = Table(columns.VIOLATIONS, report.violations[:shown], more=report.violation_count - shown)
    give(report, Table(columns.LINES, [report]), broken, output=output, json=json)
    if report.origins:
        say(f"rules: {' and '.join(report.origins)}; --list-rules tells what they say")
    fail_unless(report.passed, _faults(report))


def _faults(report: IntegrityReport) -> Iterator[str]:
    if not report.total_lines:
        yield "there are no events"
    yield from (f"there is no {name}" for name in report.missing)
    if report.error_count:
        line = report.broken_lines[0]
        yield f"{counted(report.error_count, 'line')} that cannot be read, the first at {line.file}:{line.line}"
    if report.violation_count:
        follow = ", which may follow from what cannot be read" if report.error_count else ""
        yield f"{counted(report.violation_count, 'contradiction')}{follow}"
