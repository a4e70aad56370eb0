"""How commands print: JSON and tables to standard output, everything else to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.console import Console, ConsoleDimensions
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

stderr = Console(stderr=True, highlight=False)
_UNLIMITED = 10_000
_LONGEST_WORD = 64  # a digest, which must not be broken
_NARROWEST_PROSE = 40
_GAP = 2


def print_json(document: Any) -> None:
    """One JSON document, indented, non-ASCII kept; lone surrogates are written as escapes."""
    _write(_encoded(document, indent=2))


def print_json_line(document: Any) -> None:
    """``print_json`` on one line, for documents that come one after the other."""
    _write(_encoded(document))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """A table; numbers are set right. Text is printed as it is, control characters made visible.

    Without rows nothing but the title is printed.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    body = [list(row) for row in rows]
    needed = 0
    for index, column in enumerate(columns):
        numbers = all(isinstance(row[index], int | float) for row in body)
        width = max(_cell(column).cell_len, *(_cell(row[index]).cell_len for row in body), 0)
        whole = width <= _LONGEST_WORD
        width = width if whole else _NARROWEST_PROSE
        table.add_column(
            _cell(column), justify="right" if numbers else "left", no_wrap=whole, min_width=width, overflow="fold"
        )
        needed += width + _GAP
    for row in body:
        table.add_row(*map(_cell, row))
    # On a terminal prose is fitted to it; names and numbers are whole everywhere, as is all in a file or pipe.
    console = Console(highlight=False)
    width = max(console.width, needed) if console.is_terminal else _UNLIMITED
    console.size = ConsoleDimensions(width, console.height)  # a width alone is ignored where TERM is dumb
    with console.capture() as capture:
        if title is not None:
            console.print(_cell(title), style="bold", soft_wrap=True)
        if body:
            console.print(table)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


def say(message: str) -> None:
    """A message to the person at the terminal: one line, so that it can be searched for."""
    stderr.print(Text(visible(message)), soft_wrap=True)


def counted(number: int, noun: str) -> str:
    """``1 host``, ``1,200 hosts``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def visible(text: str) -> str:
    """``text`` with control characters escaped, so that nothing from a log can steer a terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Any]:
    """A progress bar on standard error, shown on a terminal only; call the result with how much was done.

    Without a total it only tells that something is going on.
    """
    done = _CountColumn() if total is None else MofNCompleteColumn()
    bar = Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), done, TimeElapsedColumn(),
        console=stderr, transient=True, disable=not stderr.is_terminal or stderr.is_dumb_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task(visible(description), total=total)
        yield lambda done=1: bar.advance(task, done)


class _CountColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.completed:,.0f}" if task.completed else "")


def _encoded(document: Any, *, indent: int | None = None) -> bytes:
    try:
        text = msgspec.json.encode(document)
    except UnicodeEncodeError:
        import json  # noqa: PLC0415  # only text that is no Unicode needs the slow encoder

        return json.dumps(msgspec.to_builtins(document), indent=indent).encode()
    return text if indent is None else msgspec.json.format(text, indent=indent)


def _write(document: bytes) -> None:
    sys.stdout.buffer.write(document + b"\n")
    sys.stdout.flush()


def _cell(value: object) -> Text:
    if isinstance(value, float):
        return Text(f"{value:,.3f}")
    if isinstance(value, int) and not isinstance(value, bool):
        return Text(f"{value:,}")
    return Text(visible(str(value)))
