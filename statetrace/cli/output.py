"""How commands print: JSON and tables to standard output, everything else to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

stderr = Console(stderr=True, highlight=False)


def print_json(document: Any) -> None:
    """One JSON document, indented, non-ASCII kept; lone surrogates are written as escapes."""
    try:
        text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    except UnicodeEncodeError:
        import json  # noqa: PLC0415  # only text that is no Unicode needs the slow encoder

        text = json.dumps(msgspec.to_builtins(document), indent=2)
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """A table; numbers are set right. Text is printed as it is, control characters made visible."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    body = [list(row) for row in rows]
    for index, column in enumerate(columns):
        numbers = bool(body) and all(isinstance(row[index], int | float) for row in body)
        table.add_column(column, justify="right" if numbers else "left", no_wrap=numbers)
    for row in body:
        table.add_row(*map(_cell, row))
    # On a terminal lines are fitted to it; into a file or pipe they are written whole.
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 10_000
    with console.capture() as capture:
        if title is not None:
            console.print(_cell(title), style="bold", soft_wrap=True)
        console.print(table)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


def say(message: str) -> None:
    """A message to the person at the terminal."""
    stderr.print(Text(visible(message)))


def visible(text: str) -> str:
    """``text`` with control characters escaped, so that nothing from a log can steer a terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


@contextmanager
def progress(description: str, total: int) -> Iterator[Any]:
    """A progress bar on standard error, shown on a terminal only; call the result with how much was done."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=stderr, transient=True, disable=not stderr.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task(description, total=total)
        yield lambda done=1, text=None: bar.update(task, advance=done, description=text or description)


def _cell(value: object) -> Text:
    if isinstance(value, float):
        return Text(f"{value:,.3f}")
    if isinstance(value, int) and not isinstance(value, bool):
        return Text(f"{value:,}")
    return Text(visible(str(value)))
