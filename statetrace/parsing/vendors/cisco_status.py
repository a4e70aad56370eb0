"""The Cisco table of ``show interfaces status`` (reference: log-parsing 5.3, 12 D1)."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from statetrace.parsing.blocks import CommandBlock, DeviceLog, ParseMode
from statetrace.parsing.tables import is_ruler, table_below, table_span, usual_rows

_HEADER = re.compile(r"Port\s+Name\s+Status")
_ANY_CASE_HEADER = re.compile(r"\n[^\S\n]*(?i:Port[^\S\n]+Name[^\S\n]+(Status))\b")

_STATUS_WORDS = frozenset(
    {
        "connected",
        "notconnect",
        "disabled",
        "err-disabled",
        "inactive",
        "suspended",
        "sfp-config-mismatch",
        "sfp-mismatch",
        "sfp-not-present",
        "routed",
        "trunk",
        "monitoring",
    }
)
_VLAN = r"(?:\d+(?:[,-]\d+)*|trunk|routed|unassigned|monitoring|dynamic|rspan|f-path|tap|n/a|--)"
_PLAUSIBLE_VLAN = re.compile(_VLAN + r"\Z", re.IGNORECASE)
_STATUS = "(?:" + "|".join(sorted(_STATUS_WORDS - {"trunk"}, key=len, reverse=True)) + ")"
# The first status word that a plausible VLAN follows.
_STATUS_AND_VLAN = re.compile(rf"\s({_STATUS}\s+{_VLAN}(?:\s.*|\Z))", re.IGNORECASE)
# Where no status is recognised, only what begins like a port is a row: messages of the console come in between.
_PORT = re.compile(r"[A-Za-z][A-Za-z-]*\d+(?:[/.:]\d+)*\Z")
_VALUES = 5
_NO_NAME = "--"
_LONGEST_ROW = 400
_FEWEST_TOKENS = 2
_FULL_ROW_TOKENS = 7
_FIFTH_FROM_END = 5


class StatusRow(msgspec.Struct, frozen=True, gc=False):
    """One row: as printed, ``""`` for what is not there."""

    port: str
    name: str
    status: str
    vlan: str
    duplex: str
    speed: str
    type: str


def status_rows(log: DeviceLog, block: CommandBlock) -> list[StatusRow] | None:
    """The rows of the table in their order, None when the block has no such table."""
    return _original_rows(log, block) if log.mode is ParseMode.PARITY else _rows(log, block)


def _rows(log: DeviceLog, block: CommandBlock) -> list[StatusRow] | None:
    """The rows below every heading up to a blank line or the next heading."""
    headings = list(_ANY_CASE_HEADER.finditer(block.text))
    ends = [*(heading.start() for heading in headings[1:]), None]
    rows: list[StatusRow] = []
    for heading, end in zip(headings, ends, strict=False):
        column = heading.start(1) - heading.start() - 1
        first, table = table_below(block, heading, end)
        usual = usual_rows(table, _usual_row(column))
        if usual is None:
            rows += _unusual_rows(log, block, first, table, column)
        else:
            for head, status, vlan, duplex, speed, kind in usual:
                port, name = _port_and_name(head)
                rows.append(StatusRow(port, name, status, vlan, duplex, speed, kind))
    log.report.took(block, len(rows))
    return rows if headings else None


@lru_cache(maxsize=64)
def _usual_row(column: int) -> re.Pattern[str]:
    """A row whose status and the blank before it stand where the heading has them."""
    port_and_name = rf"(?=\S)([^\n]{{{column - 1}}})[ \t]"
    return re.compile(
        rf"\n{port_and_name}({_STATUS})[ \t]++({_VLAN})[ \t]++(\S++)[ \t]++(\S++)[ \t]*+((?:[^\n]*\S)?)[^\S\n]*+"
    )


def _unusual_rows(log: DeviceLog, block: CommandBlock, first: int, table: str, column: int) -> list[StatusRow]:
    """The rows of a table with other lines in it; ``first`` is the index of its first line in the block."""
    rows = []
    for index, line in enumerate(table.split("\n")[1:], first):
        if row := _row(line, column):
            rows.append(row)
        elif not is_ruler(line):
            log.report.missed(block, index)
    return rows


def _row(line: str, column: int) -> StatusRow | None:
    """One row, cut at ``column`` where a status stands there, else at the first status that a VLAN follows.

    A name may contain anything, also what looks like the other columns; so the column of the heading comes first, but
    rows of edited or re-wrapped logs stand beside their headings.
    """
    if len(line) > _LONGEST_ROW:
        return None
    aligned = line[column - 1 : column].isspace()
    values = line[column:].split(None, 4) if aligned else []
    plausible = len(values) > 1 and _PLAUSIBLE_VLAN.match(values[1]) is not None
    if plausible and values[0].lower() in _STATUS_WORDS:
        return _cut_row(line[:column], values)
    if found := _STATUS_AND_VLAN.search(line):
        return _cut_row(line[: found.start()], found[1].split(None, 4))
    if plausible:
        return _cut_row(line[:column], values)
    tokens = line.split()
    if len(tokens) >= _FULL_ROW_TOKENS and _PORT.match(tokens[0]):
        return _row_of_tokens(tokens, len(tokens) - _FIFTH_FROM_END)
    return None


def _cut_row(head: str, values: list[str]) -> StatusRow | None:
    port, name = _port_and_name(head.strip())
    if not port:
        return None
    status, vlan, duplex, speed, kind = values if len(values) == _VALUES else (*values, "", "", "")[:_VALUES]
    return StatusRow(port, name, status, vlan, duplex, speed, kind.rstrip())


def _port_and_name(head: str) -> tuple[str, str]:
    port, _, name = head.partition(" ")
    name = name.strip()
    if "  " in name:
        name = " ".join(name.split())
    return port, "" if name == _NO_NAME else name


def _original_rows(log: DeviceLog, block: CommandBlock) -> list[StatusRow] | None:
    span = table_span(block, _HEADER)
    if not span and not any(map(_HEADER.match, block.lines)):
        return None
    rows = []
    for index in span:
        tokens = block.lines[index].split()
        at = _original_status(tokens)
        if at is None:
            log.report.missed(block, index)
        else:
            rows.append(_row_of_tokens(tokens, at))
    log.report.took(block, len(rows))
    return rows


def _original_status(tokens: list[str]) -> int | None:
    """Where the last status word stands; what is between ``<`` and ``>`` does not count."""
    if len(tokens) < _FEWEST_TOKENS:
        return None
    at, marked = None, False
    for index, token in enumerate(tokens[1:], 1):
        opens, closes = "<" in token, ">" in token
        if opens and not closes:
            marked = True
        elif closes and not opens:
            marked = False
        elif not marked and token.lower() in _STATUS_WORDS:
            at = index
    if at is None and len(tokens) >= _FULL_ROW_TOKENS:
        at = len(tokens) - _FIFTH_FROM_END
    return at


def _row_of_tokens(tokens: list[str], at: int) -> StatusRow:
    vlan, duplex, speed, *kind = [*tokens[at + 1 :], "", "", ""] if len(tokens) < at + 4 else tokens[at + 1 :]
    return StatusRow(tokens[0], " ".join(tokens[1:at]), tokens[at], vlan, duplex, speed, " ".join(kind).rstrip())
