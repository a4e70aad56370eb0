"""Ports whose values are spread over several tables of a log, put together to one row each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from statetrace.model.facts import PortFacts
from statetrace.parsing.blocks import CommandBlock
from statetrace.parsing.tables import is_ruler, table_span

LINK_STATUS = {"up": "connected", "down": "notconnect"}
"""How the link state of vendors without status words is told (reference: log-parsing 6)."""

_HEADING_LINES = 3
_UNKNOWN_STATUS = "Unknown"


def link_status(state: str) -> str:
    """``connected`` or ``notconnect`` for ``up`` and ``down`` in any case, ``Unknown`` for anything else."""
    return LINK_STATUS.get(state.lower(), _UNKNOWN_STATUS)


class PortRows:
    """The rows of a device's ports in the order in which tables name them, spelled as the first one spells them.

    Of several tables that tell the same of a port the one added first wins; empty values tell nothing.
    """

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, str]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, port: str) -> bool:
        return port.casefold() in self._rows

    def ports(self) -> list[str]:
        """The names of all ports."""
        return [row["port"] for row in self._rows.values()]

    def value(self, port: str, field: str) -> str:
        """One value of a port; ``""`` where it is absent."""
        return self._rows.get(port.casefold(), {}).get(field, "")

    def add(self, port: str, fields: Mapping[str, str]) -> None:
        """Add what a table of interfaces tells of ``port``, by names of ``PortFacts``."""
        row = self._rows.get(port.casefold())
        if row is None:
            self._rows[port.casefold()] = {"port": port, **fields}
        else:
            for field, value in fields.items():
                if value and not row.get(field):
                    row[field] = value

    def complete(self, port: str, fields: Mapping[str, str]) -> None:
        """Add what another table tells of ``port``, unless no table of interfaces named it."""
        if port in self:
            self.add(port, fields)

    def append(self, port: str, field: str, value: str) -> None:
        """Add one more value of a field that may have several; they are joined by commas."""
        known = self.value(port, field)
        if value and value not in known.split(","):
            self._rows[port.casefold()][field] = f"{known},{value}" if known else value

    def learn(self, entries: Iterable[tuple[str, str, str]]) -> None:
        """Add learned addresses: port, address, VLAN. A port's first one tells the VLAN where no other table does."""
        macs: dict[str, list[str]] = {}
        for port, mac, vlan in entries:
            if (known := macs.get(port)) is not None:
                known.append(mac)
            else:
                macs[port] = [mac]
                self.complete(port, {"auth_vlan": vlan, "vlan": vlan})
        for port, addresses in macs.items():
            self.complete(port, {"learned_macs": ",".join(addresses)})

    def facts(self) -> tuple[PortFacts, ...]:
        """The ports with all that was added."""
        return msgspec.convert(list(self._rows.values()), tuple[PortFacts, ...])


def find_first(text: str, *patterns: re.Pattern[str]) -> str:
    """Group 1, trimmed, of the first of ``patterns`` that is found anywhere in ``text``; ``""`` when none is."""
    for pattern in patterns:
        if found := pattern.search(text):
            return found[1].strip()
    return ""


def table_body(block: CommandBlock, heading: re.Pattern[str]) -> range:
    """Indexes of the lines below a heading, which may take some lines and end in a ruler; blank lines end nothing."""
    rows = table_span(block, heading, blank_ends=False)
    for index in rows[:_HEADING_LINES]:
        line = block.lines[index]
        if line.strip() and is_ruler(line):
            return range(index + 1, rows.stop)
    return rows


def read_sections(text: str, fields: re.Pattern[str]) -> Iterable[dict[str, str]]:
    """What is told in paragraphs, one a port.

    Args:
        text: the output of a command.
        fields: alternatives with one named group each. The group ``port`` begins a paragraph, the others are its
            values; of a repeated one the first counts.
    """
    section: dict[str, str] = {}
    for found in fields.finditer(text):
        if not (field := found.lastgroup):
            continue
        if field == "port":
            if section:
                yield section
            section = {}
        elif not section:
            continue
        section.setdefault(field, found[field].strip())
    if section:
        yield section
