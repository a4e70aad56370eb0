"""Arista switches with EOS (reference: log-parsing 5.12)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from statetrace.model.facts import UNKNOWN, DeviceFacts, PortFacts, VlanFacts
from statetrace.parsing.blocks import BlockNames, CommandBlock, DeviceLog, ParseMode
from statetrace.parsing.location import location_text
from statetrace.parsing.stanzas import cut_stanzas
from statetrace.parsing.tables import (
    DOTTED_MAC,
    first_value,
    is_ruler,
    looks_like_row,
    short_port_name,
    table_span,
    usual_rows,
)
from statetrace.parsing.vendor import Vendor, register_vendor


def _after_prompt(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^\S+[>#]\s*(?:do\s+)?{pattern}", re.IGNORECASE)


_VERSION = BlockNames(("show version",), raw=_after_prompt("show version"))
_CONFIG = BlockNames(("show running-config",), raw=_after_prompt("show running-config"))
_STATUS = BlockNames(
    ("show interfaces status", "show interface status", "show interfaces brief", "show interfaces"),
    re.compile(r"^show interfaces? status"),
    _after_prompt("show interfaces? status"),
)
_MAC_TABLE = BlockNames(
    ("show mac address-table", "show mac-address-table"),
    re.compile(r"^show mac[ -]address[ -]table"),
    _after_prompt("show mac[ -]address[ -]table"),
)
_SESSIONS = BlockNames(
    ("show authentication sessions", "show authentication session"),
    re.compile(r"^show (?:authentication sessions?|auth[a-z]* ses[a-z]*)"),
    _after_prompt("show authentication sessions?"),
)
_VLANS = BlockNames(("show vlan", "show vlan brief"))

_MODEL = re.compile(r"^Arista\s+(\S+)", re.IGNORECASE)
_OTHER_MODEL = re.compile(r"\bModel(?:\s+number)?:\s*(\S.*)", re.IGNORECASE)
_RELEASE = re.compile(r"Software image version:\s*(\S+)", re.IGNORECASE)
_UPTIME = (re.compile(r"uptime:\s*(.+)", re.IGNORECASE), re.compile(r"uptime is\s+(.+)", re.IGNORECASE))

_STATUS_HEADING = r"\s*Port\s+Name\s+Status\s+Vlan\s+Duplex\s+Speed\s+Type"
_MAC_HEADING = r"\s*Vlan\s+Mac Address\s+Type\s+Ports"
_SESSION_HEADING = r"\s*Port\s+Authorized\s+Mode\s+MAC Address\s+Vlan"
_MULTICAST = re.compile(r"\s*Multicast Mac Address Table", re.IGNORECASE)

_PARITY_PORT = re.compile(r"(?:Et[0-9]+(?:/[0-9]+)*|Po[0-9]+|Ma[0-9]*)\Z")
_PARITY_STATES = frozenset(("connected", "notconnect", "errdisabled", "disabled"))
_PORT = re.compile(r"[A-Za-z]+[0-9]*(?:/[0-9]+)*(?:\.[0-9]+)?\Z")
_STATE = re.compile(r"(?<=\s)(?:connected|notconnect|errdisabled|err-disabled|disabled|inactive)(?=\s)", re.IGNORECASE)

_WORD = re.compile(r"\S+")

_USUAL_PORT = r"([A-Za-z]++[0-9]*+(?:/[0-9]++)*+(?:\.[0-9]++)?+)[ \t]"
_USUAL_STATE = r"(connected|notconnect|errdisabled|disabled|inactive)"

_INTERFACE = {
    ParseMode.PARITY: r"(Et(?:hernet)?[0-9]+(?:/[0-9]+)*)[^\S\n]*(?=\n|\Z)",
    ParseMode.LOG: r"([A-Za-z-]+[^\S\n]*[0-9]\S*)[^\S\n]*(?=\n|\Z)",
}
_STANZA = {
    mode: re.compile(
        # The interfaces of that name; other ones, marks and blank lines, which only end a stanza.
        rf"\n[^\S\n]*+(?![^i!\n])(?:interface[^\S\n]+(?:{name}|[^\n]*)|(?<=\n)![^\n]*|(?=\n|\Z))",
        re.IGNORECASE,
    )
    for mode, name in _INTERFACE.items()
}
_DOT1X = re.compile(r"\n[^\S\n]*dot1x\s", re.IGNORECASE)
_AUTHENTICATOR = re.compile(r"\n[^\S\n]*dot1x\s+pae\s+authenticator\s*(?=\n|\Z)", re.IGNORECASE)
_BY_ADDRESS = re.compile(r"\n[^\S\n]*dot1x\s+mac\s+based\s+authentication\s*(?=\n|\Z)", re.IGNORECASE)
_VLAN_ROW = re.compile(r"\s*([0-9]{1,4})(\*?)\s+(\S+)\s+(?:active|suspended|inactive)\b", re.IGNORECASE)


class _Session(msgspec.Struct, frozen=True, gc=False):
    """One row of the authentication table, as printed."""

    state: str
    mode: str
    mac: str
    vlan: str


class _Heading(msgspec.Struct, frozen=True):
    """Where columns of the status table begin; ``flags`` is 0 when there is no such column."""

    status: int
    type: int
    flags: int


def _parse(log: DeviceLog) -> DeviceFacts:
    about = (log.find(_VERSION) or log.whole()).lines
    config = log.find(_CONFIG) or log.whole()
    rows = log.guarded("the status table", lambda: _status_rows(log), None)
    return DeviceFacts(
        hostname=log.hostname,
        make="Arista",
        model=_last(about, _MODEL) or first_value(about, _OTHER_MODEL) or UNKNOWN,
        version=_last(about, _RELEASE) or UNKNOWN,
        uptime=first_value(about, *_UPTIME) or UNKNOWN,
        location=location_text(config.text),
        ports=_with_the_rest(log, config, rows or []),
        interfaces_found=rows is not None,
        vlans=log.guarded("the VLANs", lambda: _vlans(log), ()),
    )


def _last(lines: list[str], pattern: re.Pattern[str]) -> str:
    """Group 1 of the last line in which ``pattern`` is found; ``""`` when there is none."""
    return next((found[1] for line in reversed(lines) if (found := pattern.search(line))), "")


def _with_the_rest(log: DeviceLog, config: CommandBlock, rows: list[PortFacts]) -> tuple[PortFacts, ...]:
    """The rows of the status table with addresses, sessions and configuration."""
    stanzas: dict[str, str] = log.guarded("the interface stanzas", lambda: _stanzas(log, config), {})
    macs: dict[str, list[str]] = log.guarded("the MAC table", lambda: _learned(log), {})
    sessions: dict[str, _Session] = log.guarded("the sessions", lambda: _sessions(log), {})
    nobody = _Session("", "", "", "")
    ports = []
    for row in rows:
        stanza = stanzas.get(row.port, "")
        session = sessions.get(row.port, nobody)
        # By position: names cost four times as much, and there are ports by the hundred thousand.
        ports.append(
            PortFacts(
                row.port,
                row.name,
                row.status,
                row.vlan,
                row.duplex,
                row.speed,
                row.type,
                ",".join(macs.get(row.port, ())),
                session.state,
                session.mode,
                session.mac,
                _template(stanza) if log.mode is ParseMode.LOG else "",
                stanza.replace("\n", "\r\n"),
                auth_vlan=session.vlan,
            )
        )
    return tuple(ports)


def _template(stanza: str) -> str:
    """``flexible``, ``dot1x``, ``macauth`` or ``open``; ``""`` when the stanza says nothing of 802.1X."""
    if "dot1x" not in stanza.lower() or not _DOT1X.search(stanza):
        return ""
    by_address = _BY_ADDRESS.search(stanza)
    if _AUTHENTICATOR.search(stanza):
        return "flexible" if by_address else "dot1x"
    return "macauth" if by_address else "open"


def _stanzas(log: DeviceLog, config: CommandBlock) -> dict[str, str]:
    """Port to its part of the configuration, the line that begins it included; LF between the lines."""
    found = {}
    for stanza in cut_stanzas(config, _STANZA[log.mode]):
        found[short_port_name(stanza.key, log.mode)] = f"{stanza.head}\n{stanza.body}" if stanza.body else stanza.head
    log.report.took(config, len(found))
    return found


def _heading(text: str, mode: ParseMode) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE if mode is ParseMode.LOG else 0)


def _status_rows(log: DeviceLog) -> list[PortFacts] | None:
    """The rows of the status table, None when the log has no such table."""
    block = log.find(_STATUS) or log.whole()
    span = table_span(block, _heading(_STATUS_HEADING, log.mode))
    if not span.start:
        return None
    heading = block.lines[span.start - 1].lower()
    columns = _Heading(heading.index("status"), heading.index("type"), max(heading.find("flags"), 0))
    rows = _usual_rows(block.lines, span, columns) if log.mode is ParseMode.LOG else None
    if rows is None:
        rows = []
        for index in span:
            line = block.lines[index]
            row = _log_row(line, columns) if log.mode is ParseMode.LOG else _parity_row(line)
            if row is not None:
                rows.append(row)
            elif not is_ruler(line):
                log.report.missed(block, index)
    log.report.took(block, len(rows))
    return rows


def _usual_rows(lines: list[str], span: range, columns: _Heading) -> list[PortFacts] | None:
    """The rows of a table in which every line stands below its heading, None when one does not."""
    table = "\n".join(["", *lines[span.start : span.stop]])
    usual = None if columns.flags else usual_rows(table, _usual_row(columns.status))
    if usual is None:
        return None
    return [
        PortFacts(port, head[len(port) :].strip(), status, vlan, duplex, speed, kind)
        for port, head, status, vlan, duplex, speed, kind in usual
    ]


@lru_cache(maxsize=64)
def _usual_row(column: int) -> re.Pattern[str]:
    """A row whose status stands at ``column``, and that is no member of a port channel."""
    return re.compile(
        rf"\n(?={_USUAL_PORT})([^\n]{{{column - 1}}})[ \t]{_USUAL_STATE}[ \t]++(?!in[ \t])(\S++)"
        r"[ \t]++(\S++)[ \t]++(\S++)[ \t]*+((?:[^\n]*\S)?)[^\S\n]*+"
    )


def _parity_row(line: str) -> PortFacts | None:
    """A row by its first status word; a name ends where that stands."""
    words = list(_WORD.finditer(line))
    at = next((at for at, word in enumerate(words) if word[0] in _PARITY_STATES), 0)
    if not at or len(words) < at + 4 or not _PARITY_PORT.match(words[0][0]):
        return None
    name = line[words[0].end() : words[at].start()].strip()
    status, vlan, duplex, speed = (word[0] for word in words[at : at + 4])
    kind = line[words[at + 3].end() :].strip()
    return PortFacts(words[0][0], name, status, vlan, duplex, speed, kind)


def _log_row(line: str, columns: _Heading) -> PortFacts | None:
    """A row by the columns of the heading; where a long text has shifted them, by its last status word."""
    port = line.split(None, 1)[0]
    at = columns.status
    if not _STATE.match(line, at):
        words = [found.start() for found in _STATE.finditer(line)]
        if words:
            at = words[-1]
        elif not line[at - 1 : at].isspace():
            return None
    wide = 5 if " in " in line[at:] else 4  # a member of a port channel: "in Po10" is its VLAN
    fields = line[at:].split(None, wide)
    if not _PORT.match(port) or len(fields) < wide:
        return None
    kind = fields[wide] if len(fields) > wide else ""
    if columns.flags and at == columns.status and line[columns.flags - 1 : columns.flags].isspace():
        kind = line[columns.type : columns.flags]
    name = line[line.index(port) + len(port) : at].strip()
    vlan = " ".join(fields[1 : wide - 2])
    return PortFacts(port, name, fields[0], vlan, fields[wide - 2], fields[wide - 1], kind.strip())


def _learned(log: DeviceLog) -> dict[str, list[str]]:
    """Port to the addresses learned on it, in the order of the table."""
    block = log.find(_MAC_TABLE)
    found: dict[str, list[str]] = {}
    if block is None:
        return found
    rows = 0
    for index, fields in _table(log, block, _MAC_HEADING):
        if fields[3:] and fields[0].isdecimal() and DOTTED_MAC.match(fields[1]):
            found.setdefault(short_port_name(fields[3], log.mode), []).append(fields[1])
            rows += 1
        elif looks_like_row(block.lines[index]):
            log.report.missed(block, index)
    log.report.took(block, rows)
    return found


def _sessions(log: DeviceLog) -> dict[str, _Session]:
    """Port to its first session."""
    block = log.find(_SESSIONS)
    found: dict[str, _Session] = {}
    if block is None:
        return found
    for index, fields in _table(log, block, _SESSION_HEADING):
        port, state, mode, *client = (*fields, "", "")
        if mode and _PORT.match(port):
            mac = client.pop(0) if DOTTED_MAC.match(client[0]) else ""
            short = short_port_name(port) if log.mode is ParseMode.LOG else port
            found.setdefault(short, _Session(state, mode, mac, client[0]))
        elif not is_ruler(block.lines[index]):
            log.report.missed(block, index)
    log.report.took(block, len(found))
    return found


def _table(log: DeviceLog, block: CommandBlock, heading: str) -> Iterator[tuple[int, list[str]]]:
    """Index and fields of the lines under a heading: up to the first blank line, in ``LOG`` to the end of the block."""
    log_wins = log.mode is ParseMode.LOG
    for index in table_span(block, _heading(heading, log.mode), blank_ends=not log_wins):
        line = block.lines[index]
        if _MULTICAST.match(line):
            return
        if fields := line.split():
            yield index, fields


def _vlans(log: DeviceLog) -> tuple[VlanFacts, ...]:
    """The VLANs that the device lists; those it learned by protocol bear a star and have the type ``dynamic``."""
    block = log.find(_VLANS) if log.mode is ParseMode.LOG else None
    if block is None:
        return ()
    rows = [found for line in block.lines if (found := _VLAN_ROW.match(line))]
    log.report.took(block, len(rows))
    return tuple(VlanFacts(found[1], found[3], "dynamic" if found[2] else "") for found in rows)


register_vendor(
    Vendor(
        make="Arista",
        parse=_parse,
        version_words=re.compile(r"\bArista\b", re.IGNORECASE),
        log_words=re.compile(r"arista", re.IGNORECASE),
        priority=30,
    )
)
