"""The ports of Aruba switches: tables of ArubaOS-CX and of ArubaOS-Switch (reference: log-parsing 6)."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import partial

import msgspec

from statetrace.model.facts import PortFacts
from statetrace.parsing.blocks import BlockNames, CommandBlock, DeviceLog, ParseMode
from statetrace.parsing.port_rows import PortRows, link_status, read_sections, table_body
from statetrace.parsing.tables import is_ruler, match_rows
from statetrace.parsing.vendors.aruba_config import add_configuration

_BRIEF = BlockNames(("show interface brief", "show interfaces brief"), re.compile(r"^show interfaces? brief\b"))
_STATUS = BlockNames(("show interfaces status", "show interface status"), re.compile(r"^show interfaces? status\b"))
_DETAIL = BlockNames(("show interface", "show interfaces"), re.compile(r"^show interface (?:lag|vlan|[0-9/]+)"))
_ORIGINAL = BlockNames((*_BRIEF.exact, "show interface"))
_NAMES = BlockNames(("show name",))
_MACS = BlockNames(
    ("show mac-address-table", "show mac address-table", "show mac-address"), re.compile(r"^show mac[ -]address")
)
_CONFIG = BlockNames(("show running-config", "show run"), re.compile(r"^show run(?:ning-config)?\b"))

_CX_HEADING = re.compile(r"\s*Port\s+Native\s+Mode\s+Type\b")
_SWITCH_HEADING = re.compile(r"\s*Port\s+Type\s+\|")
_STATUS_HEADING = re.compile(r"\s*Port\s+Name\s+Status\s+Config-mode\b")
_NAMES_HEADING = re.compile(r"\s*Port\s+Type\s+Name\b")
_MACS_HEADING = re.compile(r"\s*MAC[ -]Address\s+(?:VLAN|Port|Located)", re.IGNORECASE)
_CX_MACS_HEADING = re.compile(r"\s*MAC[ -]Address\s+VLAN\s", re.IGNORECASE)
# Atomic: the first word of the two is enough, and trying all of them takes the square of a line.
_PLAIN_HEADING = re.compile(r"(?>.*?\bPort\b).*\bStatus\b|(?>.*?\bInterface\b).*\bAdmin\b", re.IGNORECASE)
_INTERFACE_LINE = re.compile(r"\s*interface\s+(\S+)", re.IGNORECASE)

_ENABLED = {"yes": "up", "no": "down"}
_LINKS = {"up", "down"}
_CX_ROW = re.compile(r"(\S+)[ \t]+(\S+)[ \t]+(\S+)[ \t]+(?:(\S+)[ \t]+)??(yes|no)[ \t]+(up|down)(?:\s|\Z)")
_MODE = re.compile(r"([0-9.]+[A-Za-z]*?)([FH])Dx?\Z")
_DUPLEX = {"F": "full", "H": "half"}
_MEMBER = re.compile(r"(\S+)-(Trk[0-9]+)\Z", re.IGNORECASE)
_MEMBER_PORT = re.compile(r"[0-9]+/[0-9]+/[0-9]+\Z")
_MAC = r"\s*(?P<mac>(?:[0-9a-f]{2}:){5}[0-9a-f]{2}|[0-9a-f]{6}-[0-9a-f]{6})\s+"
_CX_LEARNED = re.compile(_MAC + r"(?P<vlan>[0-9]+)\s+\S+\s+(?P<port>\S+)", re.IGNORECASE)
_SWITCH_LEARNED = re.compile(_MAC + r"(?P<port>\S+)\s*(?P<vlan>[0-9]*)", re.IGNORECASE)
_SECTION = re.compile(
    r"^(?:Interface|Aggregate(?:-name)?) (?P<port>\S+)(?= is )"
    r"|^[ \t]*Admin state is (?P<admin_status>up|down)"
    r"| is (?P<status>up|down)\b"
    r"|^[ \t]*Description[ \t]*:(?P<name>[^\n]*)"
    r"|MAC Address[ \t]*: *(?P<interface_mac>[0-9a-fA-F:]{17})"
    r"|^[ \t]*Type (?P<type>[^\n]+)"
    r"|^[ \t]*(?P<duplex>Full|Half)-duplex"
    r"|^[ \t]*Speed[ \t]*:?[ \t]*(?P<speed>[0-9]+)"
    r"|(?:Native|Access) VLAN[ \t]*: *(?P<vlan>[0-9]+)"
    r"|IPv4 address (?P<ip_address>[0-9]\S*)",
    re.MULTILINE,
)


def interfaces(log: DeviceLog) -> tuple[PortFacts, ...]:
    """The ports with what all tables tell of them."""
    if log.mode is ParseMode.PARITY:
        return _interfaces_of_the_original(log)
    rows = PortRows()
    for names, read in ((_BRIEF, _brief), (_STATUS, _status), (_DETAIL, _detail), (_NAMES, _names), (_MACS, _learned)):
        if (block := log.find(names)) is not None:
            log.guarded(block.command, partial(read, log, block, rows), None)
    if (config := log.find(_CONFIG)) is not None:
        log.report.took(config, log.guarded(config.command, partial(add_configuration, config, rows), 0))
    return rows.facts()


def _interfaces_of_the_original(log: DeviceLog) -> tuple[PortFacts, ...]:
    """The rows of forms that neither ArubaOS prints today, else a row for each ``interface X`` line."""
    block = log.find(_ORIGINAL) or log.whole()
    rows = [row for index in table_body(block, _PLAIN_HEADING) if (row := _plain_row(block.lines[index].split()))]
    if not rows:
        lines = (_INTERFACE_LINE.match(line) for line in block.lines)
        rows = [{"port": found[1], "status": link_status("")} for found in lines if found]
    log.report.took(block, len(rows))
    return msgspec.convert(rows, tuple[PortFacts, ...])


def _brief(log: DeviceLog, block: CommandBlock, rows: PortRows) -> None:
    for heading, read in ((_CX_HEADING, _cx_brief), (_SWITCH_HEADING, _switch_brief)):
        if body := table_body(block, heading):
            read(log, block, body, rows)
            return
    taken = 0
    for index in table_body(block, _PLAIN_HEADING):
        if row := _plain_row(block.lines[index].split()):
            rows.add(row["port"], row)
            taken += 1
        elif not is_ruler(block.lines[index]):
            log.report.missed(block, index)
    log.report.took(block, taken)


def _plain_row(words: list[str]) -> dict[str, str] | None:
    """A row ``1 full 1000 … Up`` or ``1/1/1 up up … 1000 1GbT … 10`` (reference: log-parsing 6)."""
    match words:
        case [port, duplex, speed, _, _, state, *_] if port.isdecimal():
            return {"port": port, "duplex": duplex, "speed": speed, "status": link_status(state)}
        case [port, admin, link, *more] if _MEMBER_PORT.match(port) and {admin.lower(), link.lower()} <= _LINKS:
            _, speed, kind, _, vlan, *_ = (*more, "", "", "", "", "")
            told = {"status": link_status(link), "admin_status": admin.lower()}
            return {"port": port, **told, "speed": speed, "type": kind, "vlan": vlan}
    return None


def _cx_brief(log: DeviceLog, block: CommandBlock, body: range, rows: PortRows) -> None:
    """Read ``Port Native Mode Type Enabled Status [Reason Speed Description]``.

    The type may be absent and the reason may hold blanks or be absent: the columns behind the status are cut where the
    heading says.
    """
    heading = next(line for line in block.lines if _CX_HEADING.match(line))
    speed_at, name_at = (heading.find(word) for word in ("Speed", "Description"))
    taken = 0
    for index in body:
        line = block.lines[index]
        found = _CX_ROW.match(line)
        if found is None:
            if not is_ruler(line):
                log.report.missed(block, index)
            continue
        port, vlan, mode, kind, enabled, link = found.groups("")
        rows.add(
            port,
            {
                "name": _told(line[name_at:]) if name_at > 0 else "",
                "status": link_status(link),
                "admin_status": _ENABLED[enabled],
                "vlan": _told(vlan) or ("routed" if mode == "routed" else ""),
                "speed": _told(line[speed_at : name_at if name_at > 0 else None]) if speed_at > 0 else "",
                "type": _told(kind),
            },
        )
        taken += 1
    log.report.took(block, taken)


def _told(text: str) -> str:
    text = text.strip()
    return "" if text == "--" else text


def _switch_brief(log: DeviceLog, block: CommandBlock, body: range, rows: PortRows) -> None:
    """Read ``Port Type | Alert Enabled Status Mode …``; ``23-Trk1`` is port 23 of the trunk group Trk1."""
    groups: dict[str, list[str]] = defaultdict(list)
    taken = 0
    for index in body:
        left, bar, right = block.lines[index].partition("|")
        words, states = left.split(), right.split()
        if not words or is_ruler(block.lines[index]):
            continue
        if not bar or len(states) < len(("alert", "enabled", "status", "mode")) or states[1].lower() not in _ENABLED:
            log.report.missed(block, index)
            continue
        port = words[0]
        if member := _MEMBER.match(port):
            port = member[1]
            groups[member[2]].append(states[2])
        fields = {"admin_status": _ENABLED[states[1].lower()], "status": link_status(states[2])}
        rows.add(port, fields | {"type": " ".join(words[1:])} | _mode(states[3]))
        taken += 1
    for group, links in groups.items():
        # The table has no row for the group, but addresses and VLANs belong to it.
        rows.add(group, {"status": link_status("up" if "Up" in links else "down"), "type": "Trunk"})
    log.report.took(block, taken)


def _mode(text: str) -> dict[str, str]:
    """Speed and duplex of ``1000FDx``, ``10GigFD`` or ``Auto``."""
    if found := _MODE.match(text):
        return {"speed": found[1], "duplex": _DUPLEX[found[2]]}
    return {"speed": text.strip(".")}


def _status(log: DeviceLog, block: CommandBlock, rows: PortRows) -> None:
    """Read ``Port Name Status Config-mode Speed [Type] Tagged Untagged``; names may be absent and hold blanks."""
    taken = 0
    for index in table_body(block, _STATUS_HEADING):
        line = block.lines[index]
        match line.split():
            case [port, *name, state, _, mode, kind, tagged, untagged] if state.lower() in _LINKS:
                pass
            case [port, *name, state, _, mode, tagged, untagged] if state.lower() in _LINKS:
                kind = ""
            case _:
                if not is_ruler(line):
                    log.report.missed(block, index)
                continue
        vlan = untagged if untagged.isdecimal() else "trunk" if tagged != "No" else ""
        fields = {"name": " ".join(name), "status": link_status(state), "type": kind, "vlan": vlan}
        member = _MEMBER.match(port)
        rows.add(member[1] if member else port, fields | _mode(mode))
        taken += 1
    log.report.took(block, taken)


def _detail(log: DeviceLog, block: CommandBlock, rows: PortRows) -> None:
    sections = list(read_sections(block.text, _SECTION))
    for section in sections:
        told = {"status": link_status(section.get("status", "")), "duplex": section.get("duplex", "").lower()}
        rows.add(section["port"], section | told)
    log.report.took(block, len(sections))


def _names(log: DeviceLog, block: CommandBlock, rows: PortRows) -> None:
    """Read ``show name``, whose type may be absent: the name begins under its heading."""
    heading = next((line for line in block.lines if _NAMES_HEADING.match(line)), "")
    taken = 0
    for index in table_body(block, _NAMES_HEADING):
        line = block.lines[index]
        words = line.split()
        if words and not is_ruler(line):
            rows.complete(words[0], {"name": line[heading.index("Name") :].strip()})
            taken += 1
    log.report.took(block, taken)


def _learned(log: DeviceLog, block: CommandBlock, rows: PortRows) -> None:
    """Read ``MAC VLAN Type Port`` (ArubaOS-CX) or ``MAC Port [VLAN]``."""
    row = _CX_LEARNED if any(map(_CX_MACS_HEADING.match, block.lines)) else _SWITCH_LEARNED
    found = match_rows(log, block, table_body(block, _MACS_HEADING), row)
    rows.learn((entry["port"], entry["mac"], entry["vlan"]) for entry in found)
