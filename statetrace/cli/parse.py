"""``statetrace parse``: what raw logs say, without storing it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statetrace.cli.options import Json, Parity
from statetrace.cli.output import counted, print_json, print_table, progress, say

if TYPE_CHECKING:
    from statetrace.parsing import ParseMode

_COLUMNS = (
    "Port", "Name", "Status", "VLAN", "Duplex", "Speed", "Type", "LearnedMACs", "AuthState", "AuthMode",
    "AuthClientMAC", "AuthTemplate",
)  # fmt: skip
_TABLES = {"SpanInfo": "Spanning tree", "VLANs": "VLANs", "Routes": "Routes"}
_NO_FACTS = ("Interfaces", "Report", *_TABLES)


def parse(
    logs: Annotated[list[Path], typer.Argument(help="Raw logs, or folders of them.", metavar="LOG...", readable=False)],
    parity: Parity = False,
    json: Json = False,
) -> None:
    """Show what raw logs say of each device, which of their lines were not understood, and store nothing.

    Coverage is the percent of the lines of the tables read that were understood.

    With --json each device has its facts under the original's names, the rows of Interfaces as they would be stored,
    and a report.
    """
    # Imported here because SQLAlchemy takes longer to import than most other commands take to run.
    from statetrace.parsing import ParseMode  # noqa: PLC0415

    files, unused = _find(logs)
    devices: list[dict[str, Any]] = []
    with progress("parsing", len(files)) as advance:
        for file in files:
            try:
                found = _parse(file, ParseMode.PARITY if parity else ParseMode.LOG)
            except OSError as error:
                unused.append({"Path": str(file), "Reason": f"cannot be read: {error.strerror or error}"})
            else:
                devices += found
                if not found:
                    unused.append({"Path": str(file), "Reason": "is empty"})
            advance()
    if json:
        print_json({"Devices": devices, "UnusedFiles": unused})
    else:
        for device in devices:
            _print_device(device)
        for place in unused:
            say(f"statetrace: {place['Path']}: {place['Reason']}")
        ports = sum(device.get("InterfaceCount", 0) for device in devices)
        failures = len(unused) + sum(bool(device["Report"]["Reason"]) for device in devices)
        say(
            f"{counted(len(files), 'file')}: {counted(len(devices), 'device')}, {counted(ports, 'port')}, "
            f"{counted(failures, 'failure')}"
        )
    if unused or any(device["Report"]["Reason"] for device in devices):
        raise typer.Exit(1)


def _find(logs: Sequence[Path]) -> tuple[list[Path], list[dict[str, str]]]:
    """The files that are meant, and the names that mean none."""
    from statetrace.ingestion.logs import find_logs  # noqa: PLC0415

    files: list[Path] = []
    unused: list[dict[str, str]] = []
    for place in logs:
        try:
            found = find_logs(place) if place.is_dir() else [place]
        except OSError as error:
            unused.append({"Path": str(place), "Reason": f"cannot be listed: {error.strerror or error}"})
            continue
        files += found
        if not found:
            unused.append({"Path": str(place), "Reason": "holds no raw logs (.log, .txt)"})
    return files, unused


def _parse(file: Path, mode: ParseMode) -> list[dict[str, Any]]:
    from statetrace.ingestion.facts_wire import device_to_wire  # noqa: PLC0415
    from statetrace.parsing import parse_devices  # noqa: PLC0415

    results = parse_devices(file.read_bytes(), name=file.stem, mode=mode)
    return [device_to_wire(result, str(file)) for result in results]


def _print_device(device: dict[str, Any]) -> None:
    report = device["Report"]
    print_table(
        ("Fact", "Value"),
        [
            (fact, line)
            for fact, value in device.items()
            if fact not in _NO_FACTS
            for line in (_lines(value) if isinstance(value, list) else [value])
            if line != ""  # a count of 0 is a fact
        ],
        title=device["Hostname"],
    )
    _print_rows("Interfaces", _COLUMNS, device.get("Interfaces", []))
    for field, title in _TABLES.items():
        rows = device.get(field, [])
        _print_rows(title, tuple(rows[0]) if rows else (), rows)
    _print_report(report)


def _lines(texts: list[str]) -> list[str]:
    return [line for text in texts for line in text.splitlines()]


def _print_report(report: dict[str, Any]) -> None:
    commands = [{**command, "Read": "yes" if command["Recognised"] else "no"} for command in report["Commands"]]
    _print_rows("Commands", ("Line", "Command", "Lines", "Read", "Rows"), commands)
    not_told = report["MissedCount"] - len(report["Missed"])
    _print_rows(
        f"{counted(report['MissedCount'], 'line')} not understood" + (f", {not_told:,} not shown" if not_told else ""),
        ("Line", "Command", "Text"),
        report["Missed"],
    )
    _print_rows("Texts cut to their columns", ("Field", "Port", "Length", "Limit"), report["Cut"])
    typer.echo()
    print_table(
        ("Report", ""),
        [
            ("File", report["File"]),
            ("Coverage", f"{report['Coverage']:.1f} %"),
            *(("Not ingested", f"{report[field]}") for field in ("Reason", "Message") if report[field]),
            *(("Note", _note(note)) for note in report["Notes"]),
        ],
    )
    typer.echo()


def _note(note: dict[str, Any]) -> str:
    return note["Message"] if note["Line"] is None else f"line {note['Line']}: {note['Message']}"


def _print_rows(title: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    if rows:
        typer.echo()
        print_table(columns, [[row[column] for column in columns] for row in rows], title=title)
