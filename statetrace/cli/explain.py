"""``statetrace explain``: the story of one host, from telemetry alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from statetrace.analysis.explain.appearance import Appearance
from statetrace.analysis.explain.explaining import explain_host
from statetrace.analysis.explain.host_stages import STAGES
from statetrace.analysis.explain.host_story import Story
from statetrace.analysis.files import telemetry_files
from statetrace.cli.options import Json
from statetrace.cli.output import counted, print_json, print_table, progress, say, visible
from statetrace.cli.streams import whoever_reads
from statetrace.settings import Settings

_USUAL = Path("Logs", "IngestionMetrics")
_MOST_COLUMNS = 4
_MOST_BROKEN_TOLD = 5
_SHOWN_TIME = len("2026-01-31T13:05:00.000")


def explain(
    host: Annotated[str, typer.Argument(help="The host, in any case.", metavar="HOST")],
    telemetry: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Files of events or folders with day files, the folders Run-… in them included; or one such folder of "
            "a warm run. By default STATETRACE_TELEMETRY_DIR, else Logs/IngestionMetrics.",
            metavar="TELEMETRY",
            readable=False,
            show_default=False,
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Tell of every run that there is telemetry of, not of the last one alone.")
    ] = False,
    json: Json = False,
) -> None:
    """Tell where a host's rows came from and why, what each stage took, what changed, and how its site fared.

    Of a warm run both passes are told side by side.
    """
    if not host.strip() or any(separator in host.strip() for separator in ",;\n"):
        raise typer.BadParameter("name one host", param_hint="HOST")
    sources = telemetry or [Settings.load().telemetry_directory or _USUAL]
    total = sum(path.stat().st_size for path in telemetry_files(*sources, nested=True))
    with progress("reading telemetry", total) as advance:
        story, reader = explain_host(host, *sources, on_bytes=advance)
    for broken in reader.broken_lines[:_MOST_BROKEN_TOLD]:
        say(f"left out: {broken.file}:{broken.line}: {broken.reason}")
    told = story if everything else story.latest()
    with whoever_reads():
        if json:
            print_json(told)
            return
        _print_story(told)
    if earlier := len(story.appearances) - len(told.appearances):
        say(f"{counted(earlier, 'time')} more in this telemetry; --all tells of them, too")


def _print_story(story: Story) -> None:
    shown = story.appearances
    print_table(
        ("", "Started (UTC)", "Pass", "Outcome", "Rows from", "Cause", "Existing", "Inserted", "Changed", "Unchanged",
         "Deleted", "Call ms", "Median ms", "Rank", "Hits of site"),
        map(_row, range(1, len(shown) + 1), shown),
        title=f"{story.hostname}, site {story.site}",
    )  # fmt: skip
    for number, told in enumerate(shown, 1):
        typer.echo()
        _print_why(number, told)
    _print_stages(shown)


def _row(number: int, told: Appearance) -> tuple[object, ...]:
    rows, siblings = told.rows, told.siblings
    counts = ("-",) * 5 if rows is None else (rows.existing, rows.inserted, rows.changed, rows.unchanged, rows.deleted)
    standing: tuple[object, ...] = ("-",) * 4
    if siblings is not None:
        times = ("-" if ms is None else ms for ms in (siblings.call_ms, siblings.median_ms))
        rank = "-" if siblings.rank is None else f"{siblings.rank:,} of {siblings.hosts:,}"
        standing = (*times, rank, f"{siblings.hits:,} of {siblings.hosts:,}")
    started = told.started[:_SHOWN_TIME].replace("T", " ")
    provider = f"{told.provider or '-'} ({'hit' if told.hit else 'no hit'})" if told.rows is not None else "-"
    return (f"{number}.", started, told.pass_label or "-", told.outcome, provider, told.cause.code, *counts, *standing)


def _print_why(number: int, told: Appearance) -> None:
    """The cause in words, the events that it was drawn from, and remarks."""
    typer.echo(visible(f"{number}. {told.pass_label or told.outcome}: {told.cause.text}"))
    for remark in told.remarks:
        typer.echo(visible(f"   - {remark}"))
    for evidence in told.evidence:
        where = f" {evidence.where}" if evidence.where else ""
        typer.echo(visible(f"   > {evidence.event}{where}: {evidence.fact}"))


def _print_stages(shown: Sequence[Appearance]) -> None:
    """The stages side by side, of the last few times."""
    columns = {number: told for number, told in enumerate(shown, 1) if told.stages}
    columns = dict(list(columns.items())[-_MOST_COLUMNS:])
    if not columns:
        return
    typer.echo()
    headings = [heading for number in columns for heading in (f"{number}. ms", "%")]
    taken = {number: {stage.name: stage for stage in told.stages} for number, told in columns.items()}
    rows: list[list[object]] = []
    for name in STAGES:
        if any(name in stages for stages in taken.values()):
            found = (stages.get(name) for stages in taken.values())
            cells = [("", "") if stage is None else (stage.ms, f"{stage.share:.1f}") for stage in found]
            rows.append([name, *(cell for pair in cells for cell in pair)])
    rows.append(["all of it", *(cell for told in columns.values() for cell in (_whole_ms(told), ""))])
    print_table(("Stage", *headings), rows)


def _whole_ms(told: Appearance) -> object:
    return "-" if told.duration_ms is None else told.duration_ms
