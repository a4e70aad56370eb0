"""The parse report: which commands of a log were read, what was not understood, and how much of it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from statetrace.parsing.blocks import CommandBlock

MAX_MISSED = 200
"""Lines that a report names at most; ``missed_count`` counts all."""
MAX_TEXT = 120


class CommandReport(msgspec.Struct, frozen=True):
    """One command of a log.

    Attributes:
        command: the command as typed, lower-cased.
        line: number of the line with the command, 1-based within the slice.
        lines: lines of output.
        recognised: whether the vendor's module reads it.
        rows: rows (ports, addresses, sessions, stanzas) taken from it.
    """

    command: str
    line: int
    lines: int
    recognised: bool
    rows: int


class MissedLine(msgspec.Struct, frozen=True):
    """A line of a recognised table that was not understood.

    Attributes:
        line: its number, 1-based within the slice.
        text: the line, cut to 120 characters.
    """

    command: str
    line: int
    text: str


class Note(msgspec.Struct, frozen=True):
    """Anything else worth telling; ``line`` is 1-based within the slice, None where it concerns no single line."""

    message: str
    line: int | None = None


class CutText(msgspec.Struct, frozen=True):
    """A text that is longer than its column (reference: log-parsing 4.1).

    Attributes:
        field: the field of ``PortFacts`` or ``DeviceFacts``.
        port: the port it belongs to, ``""`` for the device.
        length: how long it was, in UTF-16 code units.
        limit: how long it is now.
    """

    field: str
    port: str
    length: int
    limit: int


class ParseReport(msgspec.Struct, frozen=True):
    """What parsing one device's log found and did not find.

    Attributes:
        commands: every command of the log in its order.
        missed: the first 200 lines that were not understood.
        missed_count: how many there are.
        cut: texts that were cut to their columns.
        coverage: percent of the lines of the tables read that were understood. Commands that are not recognised, and
            what stands outside of tables, do not count; 100 when there is no such line, 0 for a device without facts.
    """

    commands: tuple[CommandReport, ...] = ()
    missed: tuple[MissedLine, ...] = ()
    missed_count: int = 0
    notes: tuple[Note, ...] = ()
    cut: tuple[CutText, ...] = ()
    coverage: float = 100.0


class ReportBuilder:
    """Collects a report while a slice is read."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.cut: list[CutText] = []
        self._rows: dict[int, int] = {}
        self._taken = 0
        self._missed: list[MissedLine] = []
        self._missed_count = 0

    def recognised(self, block: CommandBlock) -> None:
        """Note that the vendor's module reads ``block``, whatever it finds there."""
        self._rows.setdefault(block.first_line, 0)

    def took(self, block: CommandBlock, rows: int) -> None:
        """Note ``rows`` rows taken from ``block``."""
        self._rows[block.first_line] = self._rows.get(block.first_line, 0) + rows
        self._taken += rows

    def missed(self, block: CommandBlock, index: int) -> None:
        """Note that ``block.lines[index]`` should have been a row but was not understood."""
        self._missed_count += 1
        if len(self._missed) < MAX_MISSED:
            text = block.lines[index][:MAX_TEXT]
            self._missed.append(MissedLine(block.command, block.first_line + index, text))

    def note(self, message: str, line: int | None = None) -> None:
        """Note anything else worth telling."""
        self.notes.append(Note(message, line))

    def unread(self, blocks: Mapping[str, CommandBlock]) -> ParseReport:
        """The report over a slice that gave no facts: its commands, none of which counts as read, and the notes."""
        commands = tuple(_command(block, recognised=False, rows=0) for block in blocks.values())
        return ParseReport(commands=commands, notes=tuple(self.notes), coverage=0.0)

    def build(self, blocks: Mapping[str, CommandBlock]) -> ParseReport:
        """The report over ``blocks``, the commands of the slice."""
        rows = self._rows
        information = self._taken + self._missed_count
        return ParseReport(
            commands=tuple(
                _command(block, recognised=block.first_line in rows, rows=rows.get(block.first_line, 0))
                for block in blocks.values()
            ),
            missed=tuple(self._missed),
            missed_count=self._missed_count,
            notes=tuple(self.notes),
            cut=tuple(self.cut),
            coverage=100.0 * self._taken / information if information else 100.0,
        )


def _command(block: CommandBlock, *, recognised: bool, rows: int) -> CommandReport:
    return CommandReport(block.command, block.first_line - 1, block.line_count, recognised, rows)
