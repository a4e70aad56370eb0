"""Tables and spellings that vendors share (reference: log-parsing 2.5, 5.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from statetrace.parsing.blocks import CommandBlock, DeviceLog, ParseMode

DOTTED_MAC = re.compile(r"[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\Z")
"""A whole token that is a MAC address of the form ``0011.2233.4455``."""

_ROW_LIKE = re.compile(
    r"[ \t]*+(?:[*+~][ \t]++)?+(?:[0-9]++[ \t]|[A-Za-z-]*+[0-9]++/[0-9])"  # a number or a port stands first
    r"|[^\n]*?(?<![0-9A-Fa-f:.-])"  # or the beginning of an address stands anywhere
    r"(?:[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![0-9A-Fa-f])|(?:[0-9A-Fa-f]{2}:){3}|[0-9A-Fa-f]{6}-[0-9A-Fa-f]{2})"
)
_BLANK_LINE = re.compile(r"\n[^\S\n]*+(?![^\n])")
_RULER = re.compile(r"[\s\-=+|*_.]*\Z")
_LETTERS = re.compile(r"[A-Za-z-]+")
_ORIGINAL_SHORT = {
    "gigabitethernet": "Gi",
    "fastethernet": "Fa",
    "tengigabitethernet": "Te",
    "hundredgigabitethernet": "Hu",
    "ethernet": "Et",
}
_SHORT = _ORIGINAL_SHORT | {
    "eth": "Et",
    "twogigabitethernet": "Tw",
    "fivegigabitethernet": "Fi",
    "twentyfivegige": "Twe",
    "twentyfivegigabitethernet": "Twe",
    "fortygigabitethernet": "Fo",
    "fortygige": "Fo",
    "hundredgige": "Hu",
    "appgigabitethernet": "Ap",
    "port-channel": "Po",
    "management": "Ma",
    "loopback": "Lo",
    "tunnel": "Tu",
    "vlan": "Vl",
}


def is_ruler(line: str) -> bool:
    """Whether a line holds nothing but blanks, dashes and the like."""
    return _RULER.match(line) is not None


def looks_like_row(line: str) -> bool:
    """Whether a line of a table of addresses or sessions should be one of its rows, be it cut short.

    >>> looks_like_row("1/1/3   02ff"), looks_like_row("30  02ff.0000"), looks_like_row("Total: 2 addresses")
    (True, True, False)
    """
    return _ROW_LIKE.match(line) is not None


def table_span(block: CommandBlock, header: re.Pattern[str], *, blank_ends: bool = True) -> range:
    """Indexes of the lines after the first line that ``header`` matches at its start.

    Args:
        block: where the table is.
        header: matched at the start of single lines.
        blank_ends: whether the table ends at the first blank line or goes on to the end of the block.

    Returns:
        An empty range when there is no such header.
    """
    lines = block.lines
    start = next((index for index, line in enumerate(lines, 1) if header.match(line)), None)
    if start is None:
        return range(0)
    end = len(lines)
    if blank_ends:
        end = next((index for index in range(start, end) if not lines[index] or lines[index].isspace()), end)
    return range(start, end)


def table_below(block: CommandBlock, heading: re.Match[str], end: int | None = None) -> tuple[int, str]:
    """The lines behind that of ``heading`` up to the first blank one.

    Args:
        block: where the table is.
        heading: found in the text of the block.
        end: where in that text the table ends at the latest.

    Returns:
        The index of the first of the lines, and their text with a LF before each.
    """
    text = block.text
    begin, end = text.find("\n", heading.end()), len(text) if end is None else end
    if begin < 0:
        return 0, ""
    blank = _BLANK_LINE.search(text, begin, end)
    return text.count("\n", 0, begin), text[begin : blank.start() if blank else end]


def usual_rows(table: str, row: re.Pattern[str]) -> list[tuple[str, ...]] | None:
    r"""The groups of every row of a table, None when a line of it is no such row.

    One search over the whole text costs a third of matching line by line, which is left to tables with surprises.

    Args:
        table: lines with a LF before each.
        row: matches a LF and the whole line behind it; it has at least two groups.

    >>> usual_rows("\n1 up\n2 down", re.compile(r"\n(\d) (\w+)"))
    [('1', 'up'), ('2', 'down')]
    >>> usual_rows("\n1 up\n-- more", re.compile(r"\n(\d) (\w+)"))
    """
    rows: list[tuple[str, ...]] = row.findall(table)
    return rows if len(rows) == table.count("\n") else None


def match_rows(log: DeviceLog, block: CommandBlock, rows: Iterable[int], row: re.Pattern[str]) -> list[re.Match[str]]:
    """The lines among ``rows`` (indexes) that ``row`` matches at their start, the others being reported.

    Blank lines and rulers are neither rows nor missed.
    """
    lines, match = block.lines, row.match
    found = []
    for index in rows:
        line = lines[index]
        if hit := match(line):
            found.append(hit)
        elif not is_ruler(line):
            log.report.missed(block, index)
    log.report.took(block, len(found))
    return found


def first_value(lines: Iterable[str], *patterns: re.Pattern[str]) -> str:
    """Group 1, trimmed, of the first line in which one of ``patterns`` is found; they are tried in their order a line.

    Returns:
        ``""`` when there is none.
    """
    for line in lines:
        for pattern in patterns:
            if found := pattern.search(line):
                return found[1].strip()
    return ""


@lru_cache(maxsize=4096)
def port_key(name: str) -> str:
    """Under which a port is found whichever of its spellings a table has: the short name in lower case."""
    return short_port_name(name).lower()


@lru_cache(maxsize=8192)
def short_port_name(name: str, mode: ParseMode = ParseMode.LOG) -> str:
    """The short spelling of a port: ``GigabitEthernet1/0/1`` becomes ``Gi1/0/1`` (reference: log-parsing 5.2).

    Other names are returned as they are; ``LOG`` knows more kinds of ports than the original.
    """
    letters = _LETTERS.match(name)
    if letters is None:
        return name
    short = (_SHORT if mode is ParseMode.LOG else _ORIGINAL_SHORT).get(letters[0].lower())
    return name if short is None else short + "".join(name[letters.end() :].split())
