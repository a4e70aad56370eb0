"""Options of commands that read telemetry, how they read it, and how they give what they made of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeAlias

import typer

from statetrace.analysis.content import copies
from statetrace.analysis.documents import write_document
from statetrace.analysis.events import Analysis, Selection, WireEvent, analyze
from statetrace.analysis.files import named, passed_over, telemetry_files
from statetrace.analysis.instants import ticks_of
from statetrace.analysis.reading import TelemetryReader
from statetrace.cache.atomic_file import replace_file
from statetrace.cli.output import counted, print_json, print_table, progress, say
from statetrace.cli.streams import whoever_reads
from statetrace.model import fold, site_of

_MOST_BROKEN_TOLD = 5
GATE_FAILED = 3
"""Exit code of a command whose gate failed."""


def moment(text: str) -> int:
    """The ticks of a moment given in ISO 8601: UTC if it has no offset; a day alone is its first moment.

    Raises:
        typer.BadParameter: it is none.
    """
    for rest in ("Z", "T00:00Z", ""):
        if (ticks := ticks_of(text.strip() + rest)) is not None:
            return ticks
    raise typer.BadParameter(f"{text!r} is no moment such as 2026-01-31T13:05:00Z")


def milliseconds(text: str | float) -> float:
    """A duration or limit, which is finite.

    Raises:
        typer.BadParameter: it is no such number.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise typer.BadParameter(f"{text!r} is no finite number")
    return number


SOURCES_HELP = "Files of events, gzipped or not, folders with day files, or folders Run-… of warm runs."
Sources = Annotated[list[Path], typer.Argument(help=SOURCES_HELP, metavar="TELEMETRY", readable=False)]
From = Annotated[
    int | None,
    typer.Option("--from", parser=moment, metavar="UTC", help="First moment that counts, as 2026-01-31T13:05:00Z."),
]
To = Annotated[
    int | None, typer.Option("--to", parser=moment, metavar="UTC", help="Last moment that counts, likewise.")
]
Sites = Annotated[list[str] | None, typer.Option("--site", help="Only these sites, joined by commas; may be repeated.")]
Top = Annotated[int, typer.Option("--top", min=0, help="How many to list at most; 0 for all.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Also write the JSON document to this file.", dir_okay=False)
]


def selection(start: int | None, end: int | None, sites: Iterable[str] | None) -> Selection:
    """What ``--from``, ``--to`` and ``--site`` choose.

    Raises:
        typer.BadParameter: the first moment is later than the last.
    """
    if start is not None and end is not None and start > end:
        raise typer.BadParameter("--from is later than --to")
    return Selection(start, end, sites_named(sites))


def sites_named(options: Iterable[str] | None) -> list[str]:
    """The sites that an option names, each time several joined by commas."""
    return [site.strip() for named in options or () for site in named.split(",") if site.strip()]


def files_at(sources: Sequence[Path], *, whole: bool = False) -> list[Path]:
    """The files of events at these places; says what of a folder was passed over.

    Args:
        sources: files and folders.
        whole: take all files; otherwise leave out copies of others of them, and say so.

    Raises:
        TelemetryError: a place does not exist, cannot be read, or holds no file of events.
    """
    files = telemetry_files(*sources)
    if left := passed_over(*sources):
        say(f"not looked at: {named(left)}; name them to have them read, too")
    if whole:
        return files
    same = copies(files) if len(files) > 1 else {}
    for copy, original in same.items():
        say_copy(copy, original)
    return [path for path in files if path not in same]


def say_copy(copy: Path, original: Path) -> None:
    """Say that a file was left out because another holds the same."""
    say(f"left out: {copy} is a copy of {original}")


def read(
    files: Sequence[Path], chosen: Selection, *analyses: Analysis, sites: Sequence[str] | None = None
) -> TelemetryReader:
    """Give the analyses the events that count; tell which lines are no events, and which sites no event names.

    An event that names no site but a host, as those of ports do, is of the host's site.

    Args:
        files: of events.
        chosen: which of them count.
        analyses: take them.
        sites: those that were asked for, if not those of ``chosen``.

    Returns:
        The reader, which has counted the lines.

    Raises:
        TelemetryError: a file cannot be opened.
    """
    total = sum(path.stat().st_size for path in files if path.exists())
    with progress("reading telemetry", total) as advance:
        reader = TelemetryReader(files, on_bytes=advance)
        asked = chosen.sites if sites is None else sites
        seen: dict[str, str] = {}
        analyze(chosen.of(_noting_sites(reader, seen) if asked else reader), *analyses)
    for broken in reader.broken_lines[:_MOST_BROKEN_TOLD]:
        say(f"left out: {broken.file}:{broken.line}: {broken.reason}")
    if (more := reader.broken - _MOST_BROKEN_TOLD) > 0:
        say(f"left out: {counted(more, 'more line')} that cannot be read")
    say_if_unknown(asked, seen.values())
    return reader


def _noting_sites(events: Iterable[WireEvent], seen: dict[str, str]) -> Iterator[WireEvent]:
    for event in events:
        if site := event.site or (site_of(host) if (host := event.host) else ""):
            seen.setdefault(fold(site), site)
        yield event


def say_if_unknown(asked: Iterable[str], seen: Iterable[str]) -> None:
    """Say which of the sites that were asked for are none of those that were seen, and what these are."""
    known = {fold(site): site for site in seen}
    unknown = dict.fromkeys(site for site in asked if fold(site) not in known)
    there = f"there are {', '.join(map(known.__getitem__, sorted(known)))}" if known else "no event names any"
    for site in unknown:
        say(f"statetrace: no site {site} among these events; {there}")


Column: TypeAlias = str | Callable[[Any], object]
"""What a column shows of a record: an attribute, or what is made of it."""


class Table(NamedTuple):
    """A table to print.

    Attributes:
        columns: heading → what it shows of a record.
        records: one a row; without any there is no table.
        title: stands above it.
        more: how many records there are that are not in it.
    """

    columns: Mapping[str, Column]
    records: Sequence[Any]
    title: str | None = None
    more: int = 0


def first(top: int, columns: Mapping[str, Column], records: Sequence[Any], title: str | None = None) -> Table:
    """A table of the first records, of all if ``top`` is 0."""
    shown = records[: top or None]
    return Table(columns, shown, title, len(records) - len(shown))


def give(document: Any, *tables: Table, output: Path | None, json: bool) -> None:
    """Write the document to the file, if one is wanted, and print it or the tables to whoever reads."""
    if output is not None:
        write_document(output, document)
    with whoever_reads():
        if json:
            print_json(document)
        else:
            _print_tables(tables)


def _print_tables(tables: Iterable[Table]) -> None:
    for number, table in enumerate(table for table in tables if table.records):
        if number:
            typer.echo()
        rows = ([_shown(record, column) for column in table.columns.values()] for record in table.records)
        print_table(tuple(table.columns), rows, title=table.title)
        if table.more:
            typer.echo(f"and {table.more:,} more")


def write_text(path: Path, text: str) -> None:
    """Write a table to a file, such that it is there whole or as it was before.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, [text.encode(errors="backslashreplace")])


def _shown(record: Any, column: Column) -> object:
    value = getattr(record, column) if isinstance(column, str) else column(record)
    return "-" if value is None or value == "" else value


def say_if_none(number: int, analysis: Analysis) -> None:
    """Say that no event was there for the analysis to count, if so."""
    if not number:
        say(f"statetrace: none of the events that count is of the kind {', '.join(sorted(analysis.EVENTS or ()))}")


def fail_unless(passed: bool, messages: Iterable[str] = ()) -> None:
    """End the command as one whose gate failed, unless it passed.

    Raises:
        typer.Exit: with 3.
    """
    if not passed:
        for message in messages:
            say(f"statetrace: {message}")
        raise typer.Exit(GATE_FAILED)
