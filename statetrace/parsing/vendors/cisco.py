"""Cisco IOS, IOS XE and NX-OS (reference: log-parsing 5.1 to 5.6)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import msgspec

from statetrace.model.facts import UNKNOWN, DeviceFacts, PortFacts, SpanFacts
from statetrace.parsing.blocks import BlockNames, CommandBlock, DeviceLog, ParseMode
from statetrace.parsing.spanning_tree import spanning_tree
from statetrace.parsing.tables import DOTTED_MAC, port_key, table_below, usual_rows
from statetrace.parsing.vendor import Vendor, register_vendor
from statetrace.parsing.vendors.cisco_config import CiscoConfig, PortConfig, read_config
from statetrace.parsing.vendors.cisco_status import status_rows


def _typed(command: str) -> re.Pattern[str]:
    return re.compile(r"^\S+[>#]\s*(?:do\s+)?" + command, re.IGNORECASE)


CONFIG = BlockNames(("show running-config",), raw=_typed(r"show\s+running-config"))
VERSION = BlockNames(("show version",), raw=_typed(r"show\s+version"))
STATUS = BlockNames(
    ("show interface status", "show interfaces status"),
    re.compile(r"^show\s+interfaces?\s+status"),
    _typed(r"show\s+interfaces?\s+status"),
)
MACS = BlockNames(
    ("show mac address-table", "show mac-address-table"),
    re.compile(r"show\s+mac[\s-]address[\s-]table"),
    _typed(r"show\s+mac[\s-]address[\s-]table"),
)
SESSIONS = BlockNames(
    ("show authentication sessions", "show authentication session"),
    re.compile(r"^show\s+authentication\s+sessions?|^show\s+auth[a-z]*\s+ses[a-z]*"),
    _typed(r"show\s+authentication\s+sessions?"),
)
SPANNING_TREE = BlockNames(
    ("show spanning-tree", "show spanning tree", "show span"),
    re.compile(r"^show\s+spanning[\s-]tree|^show\s+span\b"),
    _typed(r"show\s+(?:spanning[\s-]tree|span\b)"),
)

_MODEL_NUMBER = re.compile(r"[Mm](?i:odel Number)[^\S\n]*:[^\S\n]*(\S+)")
_PROCESSOR = re.compile(r"\n(?i:Cisco)[^\S\n]+(\S+)[^\S\n]+\(")
_CHASSIS = re.compile(r"\n[^\S\n]*(?i:cisco[^\S\n]+(\S.*?)[^\S\n]+chassis)")
_VERSIONS = (
    re.compile(r"\n[^\S\n]*(?i:NXOS|system):[^\S\n]+(?i:version)[^\S\n]+([\w.()\-]+)"),
    re.compile(r"Software\b.*?\bVersion\s+([\w.()\-]+)", re.IGNORECASE),
    re.compile(r"\bVersion:?\s+(\d[\w.()\-]*)", re.IGNORECASE),
)
_UPTIME = re.compile(r"[Uu](?i:ptime)(?: (?i:is)[^\S\n]|:)[^\S\n]*(\S.*)")

_MAC = r"([0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})"
_RULER = r"(?:\n[ \t]*+-[- \t]*+(?![^\n]))?+"
_MARK = r"\n[ \t]*+(?:[*+~GCNORS][ \t]++)?+"
# VLAN, address, type and more of it, port; a blank may stand within the port's name. What has no VLAN is the device's.
_MAC_ROW = re.compile(
    rf"{_MARK}(\d++|(?i:all)|-)[ \t]++{_MAC}[ \t]++"
    r"(?:\S++[ \t]++)+?((?:[A-Za-z]++[ \t]++(?=\d))?\S++)[ \t]*+(?![^\n])"
)
_MAC_HEADING = re.compile(rf"\n[ \t]*(?i:vlan[ \t]+mac[ \t]+address)\b[^\n]*+{_RULER}")
# What should have been a row: it begins with a number or has an address.
_MAC_LIKE = re.compile(rf"{_MARK}(?:\d++[ \t]|[^\n]*\b[0-9A-Fa-f]{{4}}\.[0-9A-Fa-f]{{4}}\b)")
_TOTAL = re.compile(r"\n[ \t]*+(?i:total)\b")
_SESSION_HEADING = re.compile(rf"\n(?i:Interface[^\S\n]+MAC)[^\n]*+{_RULER}")
# Port, address, method, domain and status; everything else is read line by line.
_USUAL_SESSION = re.compile(rf"\n(\S++)[ \t]++{_MAC}[ \t]++(dot1x|mab)[ \t]++((?:\S++[ \t]++)+)\S++[ \t]*+(?![^\n])")
_METHOD = re.compile(r"dot1x|mab", re.IGNORECASE)
_FEWEST_SESSION_TOKENS = 4


class _Learned(msgspec.Struct, gc=False):
    vlan: str
    macs: list[str]


class _Session(msgspec.Struct, frozen=True, gc=False):
    state: str = "Unknown"
    mode: str = "unknown"
    client_mac: str = ""


_NOTHING_LEARNED = _Learned("", [""])
_NO_SESSION = _Session()
_NO_CONFIG = PortConfig()
_EMPTY = CiscoConfig()


def parse(log: DeviceLog) -> DeviceFacts:
    """The facts of a Cisco device.

    Raises:
        LookupError: in parity mode, when a port has no configuration; the original stores nothing then.
    """
    model, version, uptime = log.guarded("version", lambda: _version(log), (UNKNOWN, UNKNOWN, UNKNOWN))
    config = log.guarded("configuration", lambda: _config(log), _EMPTY)
    ports = _ports(log, config)
    return DeviceFacts(
        hostname=log.hostname,
        make="Cisco",
        model=model,
        version=version,
        uptime=uptime,
        location=config.location,
        auth_default_vlan=config.auth_default_vlan,
        auth_block=config.auth_lines,
        ports=ports or (),
        interfaces_found=ports is not None,
        spanning_tree=log.guarded("spanning tree", lambda: _spanning_tree(log), ()),
    )


def _version(log: DeviceLog) -> tuple[str, str, str]:
    block = log.find(VERSION)
    if block is None:
        return UNKNOWN, UNKNOWN, UNKNOWN
    text = block.text
    model = _last(text, _MODEL_NUMBER) or _last(text, _PROCESSOR) or _last(text, _CHASSIS)
    version = next((found[1] for pattern in _VERSIONS if (found := pattern.search(text))), "")
    uptime = _UPTIME.search(text)
    return model or UNKNOWN, version or UNKNOWN, uptime[1].strip() if uptime else UNKNOWN


def _last(text: str, pattern: re.Pattern[str]) -> str:
    found = pattern.findall(text)
    return found[-1] if found else ""


def _ports(log: DeviceLog, config: CiscoConfig) -> tuple[PortFacts, ...] | None:
    block = log.find(STATUS)
    rows = log.guarded("interface status", lambda: status_rows(log, block), None) if block else None
    if rows is None:
        return None
    learned: dict[str, _Learned] = log.guarded("MAC table", lambda: _learned(log), {})
    sessions: dict[str, _Session] = log.guarded("authentication sessions", lambda: _sessions(log), {})
    key = _key_of(log.mode)
    ports = []
    for row in rows:
        port = key(row.port)
        port_config = config.ports.get(port)
        if port_config is None:
            if log.mode is ParseMode.PARITY:
                raise LookupError(
                    f"port {row.port} has no configuration, for which the original gives up the whole log"
                )
            port_config = _NO_CONFIG
        addresses = learned.get(port, _NOTHING_LEARNED)
        session = sessions.get(port, _NO_SESSION)
        # By position: names cost four times as much, and there are ports by the hundred thousand.
        ports.append(
            PortFacts(
                row.port,
                port_config.description or row.name or row.port,
                row.status,
                row.vlan,
                row.duplex,
                row.speed,
                row.type,
                ",".join(addresses.macs),
                session.state,
                session.mode,
                session.client_mac,
                port_config.template,
                port_config.text,
                addresses.macs[0],
                addresses.vlan,
                port_config.missing,
            )
        )
    return tuple(ports)


def _key_of(mode: ParseMode) -> Callable[[str], str]:
    """Under which a port is found in the other tables."""
    return str.lower if mode is ParseMode.PARITY else port_key


def _config(log: DeviceLog) -> CiscoConfig:
    block = log.find(CONFIG)
    if block is None:
        return _EMPTY
    config = read_config(block, log.mode)
    log.report.took(block, len(config.ports))
    return config


def _learned(log: DeviceLog) -> dict[str, _Learned]:
    """The learned addresses by port; the newest original cannot read them (reference: log-parsing 5.4)."""
    block = log.find(MACS)
    if block is None or log.mode is ParseMode.PARITY:
        return {}
    ports: dict[str, _Learned] = {}
    rows = _MAC_ROW.findall(block.text)
    for vlan, mac, name in rows:
        if not vlan.isdecimal():
            continue
        port = port_key(name)
        if known := ports.get(port):
            known.macs.append(mac)
        else:
            ports[port] = _Learned(vlan, [mac])
    log.report.took(block, sum(len(learned.macs) for learned in ports.values()))
    _report_missed_macs(log, block, len(rows))
    return ports


def _report_missed_macs(log: DeviceLog, block: CommandBlock, rows: int) -> None:
    """Report the lines between heading and total that begin with a number or have an address, but are no rows."""
    text = block.text
    heading = _MAC_HEADING.search(text)
    begin = heading.end() if heading else 0
    total = _TOTAL.search(text, begin)
    end = total.start() if total else len(text)
    if text.count("\n", begin, end) == rows:
        return
    first = text.count("\n", 0, begin)
    for index, line in enumerate(text[begin:end].split("\n")[1:], first):
        if _MAC_LIKE.match(f"\n{line}") and not _MAC_ROW.match(f"\n{line}"):
            log.report.missed(block, index)


def _spanning_tree(log: DeviceLog) -> tuple[SpanFacts, ...]:
    block = log.find(SPANNING_TREE)
    return spanning_tree(block.text) if block else ()


def _sessions(log: DeviceLog) -> dict[str, _Session]:
    """The first session of every port (reference: log-parsing 5.5)."""
    block = log.find(SESSIONS)
    if block is None:
        return {}
    heading = _SESSION_HEADING.search(block.text)
    if heading is None:
        return {}
    first, table = table_below(block, heading)
    usual = usual_rows(table, _USUAL_SESSION)
    if usual is None:
        rows = _unusual_sessions(log, block, first, table)
    else:
        rows = [(port, _Session(_state(status), method, mac)) for port, mac, method, status in usual]
    log.report.took(block, len(rows))
    key = _key_of(log.mode)
    # From the last to the first, so that the first one stays.
    return {key(port): session for port, session in reversed(rows)}


def _unusual_sessions(log: DeviceLog, block: CommandBlock, first: int, table: str) -> list[tuple[str, _Session]]:
    """Port and session of the rows of a table with other lines in it; ``first`` is the index of its first line."""
    rows = []
    for index, line in enumerate(table.split("\n")[1:], first):
        tokens = line.split()
        if len(tokens) >= _FEWEST_SESSION_TOKENS:
            rows.append((tokens[0], _session(tokens)))
        elif not line.lstrip().startswith("--"):
            log.report.missed(block, index)
    return rows


def _session(tokens: list[str]) -> _Session:
    client_mac = next((token for token in tokens if DOTTED_MAC.match(token)), "")
    method = next((at for at, token in enumerate(tokens) if at and _METHOD.search(token)), None)
    if len(tokens) == _FEWEST_SESSION_TOKENS:
        status = tokens[3]
    else:
        status = " ".join(tokens[3 if method is None else method + 1 : -1])
    return _Session(_state(status), "unknown" if method is None else tokens[method], client_mac)


@lru_cache(maxsize=256)
def _state(status: str) -> str:
    status = status.lower()
    if "unauth" in status or "fail" in status:
        return "Unauthorized"
    return "Authorized" if "auth" in status else "Unknown"


register_vendor(
    Vendor(
        make="Cisco",
        version_words=re.compile(r"\bCisco\b", re.IGNORECASE),
        log_words=re.compile("cisco", re.IGNORECASE),
        parse=parse,
        priority=10,
    )
)
