"""The MAC table of a Brocade switch: which addresses its ports have learned (reference: log-parsing 5.10)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from statetrace.parsing.blocks import BlockNames, CommandBlock, DeviceLog, ParseMode
from statetrace.parsing.tables import looks_like_row
from statetrace.parsing.vendors.brocade_auth import MAC
from statetrace.parsing.vendors.brocade_config import port_name

_MAC_TABLE = BlockNames(
    ("show mac address-table", "show mac-address-table", "show mac address", "show mac-address"),
    re.compile(r"^show mac[ -]address"),
    re.compile(r"#\s*show mac\s*-?address", re.IGNORECASE),
)

_LAG_PORTS = re.compile("[-*,]")
_PARITY_MAC_HEADING = re.compile(r"\s*MAC\s+Address")
_ADDRESS_WORDS = re.compile(r"mac[\s-]+address(?:es)?", re.IGNORECASE)
_NO_COLUMN = -1
_WORD = re.compile(r"\S+")


class Learned(msgspec.Struct, gc=False):
    """What the MAC table says of one port: the VLAN of its first row, and all addresses."""

    vlan: str
    macs: list[str]


class _MacColumns(msgspec.Struct, frozen=True, gc=False):
    """Where a MAC table has its columns: numbers of fields, and the place of the heading ``VLAN`` in its line.

    Attributes:
        count: how many columns there are.
        last: the greater one of ``mac`` and ``port``.
        vlan: -1 when there is no such column.
    """

    count: int
    mac: int
    port: int
    last: int
    vlan: int
    vlan_span: tuple[int, int]


def learned(log: DeviceLog) -> dict[str, Learned]:
    """Port to what the MAC table says of it (reference: log-parsing 5.10)."""
    block = log.find(_MAC_TABLE)
    if block is None:
        return {}
    found: dict[str, Learned] = {}
    rows = 0
    for port, mac, vlan in _parity_macs(block) if log.mode is ParseMode.PARITY else _log_macs(log, block):
        rows += 1
        if (known := found.get(port)) is None:
            found[port] = Learned(vlan, [mac])
        else:
            known.macs.append(mac)
    log.report.took(block, rows)
    return found


def _parity_macs(block: CommandBlock) -> Iterator[tuple[str, str, str]]:
    """Port, address and VLAN of the rows up to the first blank line, the address standing first."""
    lines = iter(block.lines)
    if not any(_PARITY_MAC_HEADING.match(line) for line in lines):
        return
    for line in lines:
        fields = line.split()
        if not fields:
            return
        if MAC.match(fields[0]) and line.startswith(fields[0]):
            port = port_name("".join(fields[1:2]), ParseMode.PARITY)
            # The first number that leaves at most one word behind it, be it the index before the VLAN.
            vlan = next((word for word in fields[2:][-2:] if word.isdecimal()), "")
            if port and vlan:
                yield port, fields[0], vlan


def _log_macs(log: DeviceLog, block: CommandBlock) -> Iterator[tuple[str, str, str]]:
    """Port, address and VLAN of all rows by the columns of the heading above them."""
    columns: _MacColumns | None = None
    for index, line in enumerate(block.lines):
        fields = line.split()
        if columns is not None and len(fields) > columns.last and MAC.match(fields[columns.mac]):
            where = fields[columns.port]
            # A LAG may be printed as its ports, the primary one first.
            if port := port_name(where, log.mode) or port_name(_LAG_PORTS.split(where, 1)[0], log.mode):
                yield port, fields[columns.mac], _vlan(line, fields, columns)
                continue
        columns = _mac_columns(line) or columns
        if columns is not None and looks_like_row(line):
            log.report.missed(block, index)


def _mac_columns(line: str) -> _MacColumns | None:
    """The columns of a heading such as ``MAC-Address  Port  Type  Index  VLAN``; None when ``line`` is none."""
    heading = _ADDRESS_WORDS.sub(lambda found: "mac".ljust(len(found[0])), line.lower())
    words = list(_WORD.finditer(heading))
    names = [word[0] for word in words]
    if "mac" not in names or "port" not in names:
        return None
    mac, port = names.index("mac"), names.index("port")
    vlan = names.index("vlan") if "vlan" in names else _NO_COLUMN
    span = words[vlan].span() if vlan != _NO_COLUMN else (0, 0)
    return _MacColumns(len(names), mac, port, max(mac, port), vlan, span)


def _vlan(line: str, fields: list[str], columns: _MacColumns) -> str:
    """The number under the heading ``VLAN``; in a row with an empty column, by its place in the line."""
    if columns.vlan == _NO_COLUMN:
        return ""
    if len(fields) >= columns.count:
        word = fields[columns.vlan]
    else:
        start, end = columns.vlan_span
        word = next((word[0] for word in _WORD.finditer(line) if word.start() < end and word.end() > start), "")
    return word if word.isdecimal() else ""
