"""Brocade and Ruckus switches with FastIron 7.x and 8.0 (reference: log-parsing 5.7 to 5.11)."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from statetrace.model.facts import UNKNOWN, UNSPECIFIED, DeviceFacts, PortFacts, SpanFacts
from statetrace.parsing.blocks import BlockNames, CommandBlock, DeviceLog, ParseMode
from statetrace.parsing.location import location_text
from statetrace.parsing.spanning_tree import spanning_tree
from statetrace.parsing.tables import first_value, is_ruler
from statetrace.parsing.vendor import Vendor, register_vendor
from statetrace.parsing.vendors.brocade_auth import MAC, Session, sessions
from statetrace.parsing.vendors.brocade_config import (
    AuthPorts,
    auth_default_vlan,
    auth_ports,
    auth_section,
    loose_auth_lines,
    port_name,
    stanza_name,
    stanzas,
)
from statetrace.parsing.vendors.brocade_macs import Learned, learned

_VERSION = BlockNames(("show version",), raw=re.compile(r"#\s*show version", re.IGNORECASE))
_CONFIG = BlockNames(("show config",), raw=re.compile(r"#\s*show config", re.IGNORECASE))
_RUNNING_CONFIG = BlockNames(
    ("show running-config", "show run"),
    re.compile(r"^show run(?:ning-config)?\b"),
    re.compile(r"#\s*show run", re.IGNORECASE),
)
_BRIEF = {
    mode: BlockNames(
        (*names, "show interfaces brief", "show interface brief"),
        re.compile(r"^show interfaces? brief"),
        re.compile(r"#\s*show interfaces? brief", re.IGNORECASE),
    )
    # Only the wide form prints long names in full.
    for mode, names in (
        (ParseMode.PARITY, ()),
        (ParseMode.LOG, ("show interfaces brief wide", "show interface brief wide")),
    )
}
_SPAN = BlockNames(
    ("show spanning-tree",),
    re.compile(r"^show span\b"),
    re.compile(r"#\s*show span(?:ning-tree)?\b", re.IGNORECASE),
)

_MODEL = re.compile(r"HW:\s+(Stackable\s.*)", re.IGNORECASE)
_OTHER_MODEL = re.compile(r"\bHW:\s+(\S.*)", re.IGNORECASE)
_RELEASE = re.compile(r"SW:\s+Version\s+(\S+)", re.IGNORECASE)
_UPTIME = (re.compile(r"uptime is\s+(.+)", re.IGNORECASE), re.compile(r"uptime:\s*(.+)", re.IGNORECASE))

_LINKS = frozenset(("Up", "Down", "Disable", "Disabled", "AdminDown", "Admin-Down", "None"))
_DUPLEXES = frozenset(("Full", "Half", "Auto", "Auto/Full", "N/A", "None"))
_PARITY_MAC_COLUMNS = range(8, 12)  # after port, link, state, duplex, speed and three to six more
_USUAL_MAC_COLUMN = 9
_FIRST_MAC_COLUMN = 5
_LAST_MAC_COLUMN = 13
_NO_MAC = "N/A"
_TRUNK = ("uplink", "trunk")
_ACCESS = ("access", "user", "staff", "voice", "endpoint", "printer")


class _Row(msgspec.Struct, frozen=True, gc=False):
    """A row of the interface table; ``name`` is what stands behind the MAC address."""

    port: str
    link: str
    duplex: str
    speed: str
    mac: str
    name: str


def _parse(log: DeviceLog) -> DeviceFacts:
    version = log.find(_VERSION)
    about = version.lines if version is not None else []
    config = log.find(_CONFIG)
    if config is None and log.mode is ParseMode.LOG:
        config = log.find(_RUNNING_CONFIG)
    configured = config.lines if config is not None else []
    section: tuple[str, ...] = log.guarded("the authentication section", lambda: auth_section(configured), ())
    rows = log.guarded("the interface table", lambda: _interface_rows(log), None)
    return DeviceFacts(
        hostname=log.hostname,
        make="Brocade",
        model=_model(about, log.mode),
        version=_last(about, _RELEASE) or UNKNOWN,
        uptime=first_value(about, *_UPTIME) or UNKNOWN,
        location=location_text(config.text) if config is not None else UNSPECIFIED,
        auth_default_vlan=log.guarded("the default VLAN", lambda: auth_default_vlan(section, log), ""),
        auth_block=section or log.guarded("the authentication lines", lambda: loose_auth_lines(log.lines), ()),
        ports=_ports(log, config, rows or []),
        interfaces_found=rows is not None,
        spanning_tree=log.guarded("the spanning tree", lambda: _spanning_tree(log), ()),
    )


def _spanning_tree(log: DeviceLog) -> tuple[SpanFacts, ...]:
    block = log.find(_SPAN)
    return spanning_tree(block.text) if block is not None else ()


def _last(lines: list[str], pattern: re.Pattern[str]) -> str:
    """Group 1 of the last line in which ``pattern`` is found, untrimmed; ``""`` when there is none."""
    return next((found[1] for line in reversed(lines) if (found := pattern.search(line))), "")


def _model(about: list[str], mode: ParseMode) -> str:
    model = _last(about, _MODEL)
    if mode is ParseMode.LOG:
        # A chassis or an older switch does not call itself stackable.
        model = (model or _last(about, _OTHER_MODEL)).strip()
    return model or UNKNOWN


def _ports(log: DeviceLog, config: CommandBlock | None, rows: list[_Row]) -> tuple[PortFacts, ...]:
    parts: dict[str, str] = {}
    auth = AuthPorts()
    if config is not None:
        parts = log.guarded("the interface stanzas", lambda: stanzas(log, config), parts)
        auth = log.guarded("the authentication of ports", lambda: auth_ports(config.text, parts, log.mode), auth)
    clients: dict[str, Session] = log.guarded("the sessions", lambda: sessions(log), {})
    addresses_of: dict[str, Learned] = log.guarded("the MAC table", lambda: learned(log), {})
    ports = []
    for row in rows:
        stanza = parts.get(row.port, "")
        name = row.name or stanza_name(stanza) or row.port
        client = clients.get(row.port)
        addresses = addresses_of.get(row.port)
        mode = client.mode if client is not None else auth.mode(row.port)
        # By position: names cost four times as much, and there are ports by the hundred thousand.
        ports.append(
            PortFacts(
                row.port,
                name,
                row.link,
                addresses.vlan if addresses is not None else "",
                row.duplex,
                row.speed,
                _type(name),
                ",".join(addresses.macs) if addresses is not None else "",
                client.state if client is not None else "Open" if mode == "open" else "Unknown",
                mode,
                client.mac if client is not None else "",
                auth.template(row.port),
                stanza,
                row.mac,
            )
        )
    return tuple(ports)


@lru_cache(maxsize=8192)
def _type(name: str) -> str:
    """What a port is for, as far as its name tells."""
    lowered = name.lower()
    if any(map(lowered.__contains__, _TRUNK)):
        return "Trunk"
    return "Access" if any(map(lowered.__contains__, _ACCESS)) else ""


def _interface_rows(log: DeviceLog) -> list[_Row] | None:
    """The rows of the interface table, None when the log has no such table."""
    block = log.find(_BRIEF[log.mode])
    if block is None:
        return None
    return _parity_rows(log, block) if log.mode is ParseMode.PARITY else _log_rows(log, block)


def _parity_rows(log: DeviceLog, block: CommandBlock) -> list[_Row] | None:
    rows = []
    for index, line in enumerate(block.lines[1:], 1):
        fields = line.split()
        if not fields:
            continue
        at = next((at for at in _PARITY_MAC_COLUMNS if at < len(fields) and MAC.match(fields[at])), 0)
        port = port_name(fields[0], log.mode)
        if at and port and fields[1] in _LINKS and fields[3] in _DUPLEXES and line.startswith(fields[0]):
            behind = line.split(None, at + 1)[at + 1 :]
            if behind or line[-1].isspace():
                name = behind[0].strip() if behind else ""
                rows.append(_Row(port, fields[1], fields[3], fields[4], fields[at], name))
                continue
        log.report.missed(block, index)
    log.report.took(block, len(rows))
    return rows if rows or any("Port" in line and "Link" in line for line in block.lines) else None


def _log_rows(log: DeviceLog, block: CommandBlock) -> list[_Row] | None:
    """The rows by the heading's number of columns, in any letter case and with any kind of port."""
    rows = []
    headed = False
    column = _USUAL_MAC_COLUMN
    for index, line in enumerate(block.lines):
        at = column
        fields = line.split(None, at + 1)
        if len(fields) <= at or not MAC.match(fields[at]):
            words = line.lower().split()
            if words[:2] == ["port", "link"] and "mac" in words:
                headed, column = True, max(words.index("mac"), _FIRST_MAC_COLUMN)
                continue
            at = _mac_column(words, column)
            fields = line.split(None, at + 1) if at else []
        port = port_name(fields[0], log.mode) if fields else ""
        if port:
            name = "".join(fields[at + 1 :]).strip()
            mac = fields[at] if fields[at].upper() != _NO_MAC else ""
            rows.append(_Row(port, fields[1], fields[3], fields[4], mac, name))
        elif not is_ruler(line):
            log.report.missed(block, index)
    log.report.took(block, len(rows))
    return rows if rows or headed else None


def _mac_column(words: list[str], usual: int) -> int:
    """Where the address stands in a row that has more or fewer columns than its heading; 0 when there is none."""
    for at in range(_FIRST_MAC_COLUMN, min(len(words), _LAST_MAC_COLUMN + 1)):
        if MAC.match(words[at]):
            return at
    # Loopbacks and tunnels have no address.
    return usual if words[usual : usual + 1] == [_NO_MAC.lower()] else 0


register_vendor(
    Vendor(
        make="Brocade",
        parse=_parse,
        version_words=re.compile(r"\b(?:Brocade|Stackable|IronWare)\b", re.IGNORECASE),
        log_words=re.compile(r"brocade|ironware|stackable", re.IGNORECASE),
        priority=20,
    )
)
