"""``statetrace rollup``: the daily figures of telemetry as CSV."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from statetrace.analysis.reports.rollup import RollupReport, day_of, rollup_csv, write_rollup
from statetrace.analysis.reports.rollup import rollup as roll_up
from statetrace.cli.options import Json
from statetrace.cli.output import counted, print_json, progress, say
from statetrace.cli.streams import whoever_reads
from statetrace.cli.telemetry import SOURCES_HELP, files_at, say_copy, say_if_unknown, sites_named
from statetrace.errors import TelemetryError

_STDOUT = Path("-")
_WARNINGS_SHOWN = 5


def rollup(
    telemetry: Annotated[
        list[Path],
        typer.Argument(help=SOURCES_HELP, metavar="TELEMETRY", readable=False),
    ],
    days: Annotated[
        int | None,
        typer.Option(
            "--days", min=1, max=30, help="Only today and the days before, so many together.", show_default=False
        ),
    ] = None,
    sites: Annotated[
        list[str] | None,
        typer.Option(
            "--sites",
            help="The only sites to make rows of, joined by commas; may be repeated. The rows of "
            "All tell of every site all the same.",
        ),
    ] = None,
    per_site: Annotated[bool, typer.Option("--per-site/--no-per-site", help="Make rows of each site, too.")] = True,
    site_cache: Annotated[
        bool, typer.Option("--site-cache/--no-site-cache", help="Make rows of the waits for the site cache, too.")
    ] = True,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The CSV to write, - for standard output; by default "
            "IngestionMetricsSummary-<yyyyMMdd-HHmmss>.csv in the current folder.",
            show_default=False,
        ),
    ] = None,
    fail_on_warnings: Annotated[
        bool, typer.Option("--fail-on-warnings", help="Exit with 1 when lines are no events; the CSV is written first.")
    ] = False,
    manifest: Annotated[
        bool, typer.Option("--manifest", help="Also write FILE.hashes.json with the SHA-256 of the files read.")
    ] = False,
    json: Json = False,
) -> None:
    """Sum up telemetry by day, site and metric as CSV, as the original does.

    All files of a day, as their names tell it, make up that day.
    """
    if output == _STDOUT and (json or manifest):
        raise typer.BadParameter("standard output takes the CSV only, without --json and --manifest")
    now = datetime.now(UTC).astimezone()
    chosen = sites_named(sites)
    files = _files(telemetry, None if days is None else {f"{now - timedelta(day):%Y-%m-%d}" for day in range(days)})
    with progress("reading telemetry", sum(file.stat().st_size for file in files)) as advance:
        report = roll_up(
            files,
            per_site=per_site,
            site_cache=site_cache,
            sites=chosen,
            on_bytes=advance,
        )
    if report.rows and output is None:
        output = Path(f"IngestionMetricsSummary-{now:%Y%m%d-%H%M%S}.csv")
    if report.rows and output == _STDOUT:
        with whoever_reads():
            typer.echo(rollup_csv(report.rows), nl=False)
    elif report.rows and output is not None:
        write_rollup(output, report, manifest=manifest)
    _tell(report, output)
    say_if_unknown(chosen, report.sites)
    if json:
        with whoever_reads():
            print_json({"OutputFile": str(output) if report.rows else None, **msgspec.to_builtins(report)})
    if not report.rows or (fail_on_warnings and report.warning_count):
        raise typer.Exit(1)


def _files(telemetry: list[Path], days: set[str] | None) -> list[Path]:
    files = files_at(telemetry, whole=True)
    if days is None:
        return files
    if not (chosen := [file for file in files if day_of(file) in days]):
        raise TelemetryError(f"no telemetry from {min(days)} to {max(days)}; the last is of {max(map(day_of, files))}")
    return chosen


def _tell(report: RollupReport, output: Path | None) -> None:
    for copy, original in report.copies.items():
        say_copy(Path(copy), Path(original))
    days = Counter(day_of(Path(file)) for file in report.files)
    for day, count in days.items():
        if count > 1:
            say(f"{day}: {counted(count, 'file')} summed up")
    for warning in report.warnings[:_WARNINGS_SHOWN]:
        say(f"left out: {warning}")
    if report.warning_count > _WARNINGS_SHOWN:
        say(f"left out: {counted(report.warning_count, 'line')} in all")
    if report.rows:
        where = "" if output == _STDOUT else f"{output}: "
        say(f"{where}{counted(len(report.rows), 'row')} of {counted(len(days), 'day')}")
    else:
        say("statetrace: nothing to roll up: no event of ingestion is among the telemetry")
