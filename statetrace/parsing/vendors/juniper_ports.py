"""The ports of Junos devices: link, units, VLANs, learned addresses (reference: log-parsing 6)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from statetrace.model.facts import PortFacts
from statetrace.parsing.blocks import BlockNames, DeviceLog
from statetrace.parsing.port_rows import PortRows, link_status, read_sections
from statetrace.parsing.vendors.juniper_config import JunosConfig, unquoted

_TERSE = BlockNames(("show interfaces terse",), re.compile(r"^show interfaces\b.*\bterse\b"))
_DESCRIPTIONS = BlockNames(("show interfaces descriptions",), re.compile(r"^show interfaces\b.*\bdescriptions\b"))
_DETAIL = BlockNames(
    ("show interfaces",), re.compile(r"^show interfaces\b(?!.*\b(?:terse|descriptions|diagnostics)\b)")
)
_VLANS = BlockNames(("show vlans",), re.compile(r"^show vlans\b(?!.*\b(?:detail|extensive|summary)\b)"))
_MACS = BlockNames(("show ethernet-switching table",), re.compile(r"^show ethernet-switching table\b(?! summary)"))

_NO_ROW = re.compile(r"Interface\s+Admin\s+Link|\{[^{}]*\}\s*\Z", re.IGNORECASE)
"""The heading, and the ``{master:0}`` above the next prompt."""
_ROUTED_FAMILIES = ("inet", "inet6")
_UNITS_ARE_PORTS = ("irb", "vlan", "st0")
_SECTION = re.compile(
    r"^Physical interface: (?P<port>[^,\s]+)"
    r"|, (?P<admin_status>Enabled|Disabled|Administratively down)"
    r"|, Physical link is (?P<status>\w+)"
    r"|^[ \t]*Description: (?P<name>[^\n]*)"
    r"|Link-level type: (?P<type>[^,\n]+)"
    r"|Link-mode: (?P<duplex>[^,\n]+)"
    r"|, Speed: (?P<speed>[^,\n]+)"
    r"|Hardware address: (?P<interface_mac>[^,\s]+)"
    r"|Local: (?P<ip_address>[^,\s]+)",
    re.MULTILINE,
)

_VLAN_ROW = re.compile(r"(?:\S+[ \t]+)?(\S+)[ \t]+([0-9]{1,4})(?:\s|\Z)")
_UNIT = re.compile(r"\b[a-z][\w/:-]*\.[0-9]+")
_LEARNED = re.compile(
    r"^[ \t]*(?P<vlan>\S+)[ \t]+(?P<mac>(?:[0-9a-f]{2}:){5}[0-9a-f]{2})[ \t][^\n]*?"
    r"[ \t](?P<unit>[a-z][\w/:-]*\.[0-9]+)(?=\s|\Z)",
    re.MULTILINE,
)
_ADDRESS = re.compile(r"\b[0-9a-f]{2}:[0-9a-f]{2}:")
_OWN_ADDRESS = re.compile(r"\bRouter\s*\Z")

_DESCRIPTION = re.compile(r"interfaces (\S+) (?:unit (\S+) )?description (.+)")
_TRUNK = re.compile(r"interfaces (\S+) unit \S+ family ethernet-switching (?:interface|port)-mode trunk\b")
_MEMBER = re.compile(r"interfaces (\S+) unit \S+ family ethernet-switching vlan members (.+)")
_VLAN_ID = re.compile(r"vlans (\S+) vlan-id ([0-9]+)")
_L3_INTERFACE = re.compile(r"vlans (\S+) l3-interface (\S+)")
_DOT1X = re.compile(r"protocols dot1x authenticator interface (\S+)(.*)")


class JunosVlan(msgspec.Struct, frozen=True):
    """One VLAN with its tag, ``""`` if it has none, and the units that are its members."""

    name: str
    tag: str
    members: tuple[str, ...] = ()


def physical_port(name: str) -> str:
    """The port of a unit; units of a port without a link of its own are ports themselves.

    >>> physical_port("ge-0/0/1.0"), physical_port("irb.100")
    ('ge-0/0/1', 'irb.100')
    """
    port, _, unit = name.partition(".")
    return name if unit and port in _UNITS_ARE_PORTS else port


def interfaces(log: DeviceLog, config: JunosConfig, vlans: Sequence[JunosVlan]) -> tuple[PortFacts, ...]:
    """The physical ports with what their units and the other tables tell of them."""
    rows = PortRows()
    log.guarded("show interfaces terse", lambda: _terse(log, rows), None)
    log.guarded("show interfaces", lambda: _detail(log, rows), None)
    log.guarded("show interfaces descriptions", lambda: _descriptions(log, rows), None)
    _configured(config, rows)
    _vlan_members(config, vlans, rows)
    log.guarded("show ethernet-switching table", lambda: _learned(log, vlans, rows), None)
    return rows.facts()


def interfaces_of_the_original(log: DeviceLog) -> tuple[PortFacts, ...]:
    """Every line of the table is a row there, units too (reference: log-parsing 6)."""
    block = log.find(_TERSE)
    if block is None:
        rows = PortRows()
        _detail(log, rows)
        return rows.facts()
    ports = []
    for line in block.lines:
        match line.split():
            case [port, ("up" | "down") as admin, ("up" | "down") as link, *_]:
                ports.append(PortFacts(port=port, status=link_status(link), admin_status=admin))
    log.report.took(block, len(ports))
    return tuple(ports)


def vlan_table(log: DeviceLog, config: JunosConfig) -> tuple[JunosVlan, ...]:
    """The VLANs with their members, of the table or else of the configuration."""
    block = log.find(_VLANS)
    if block is None:
        return _configured_vlans(config)
    names: dict[str, str] = {}
    members: dict[str, list[str]] = defaultdict(list)
    name = ""
    for line in block.lines:
        text = line
        if line[:1].strip():
            found = _VLAN_ROW.match(line)
            name = found[1] if found else ""
            if not found:
                continue
            names[name] = found[2]
            text = line[found.end() :]
        if name:
            members[name].extend(_UNIT.findall(text))
    log.report.took(block, len(names))
    return tuple(JunosVlan(name, tag, tuple(members[name])) for name, tag in names.items())


def _terse(log: DeviceLog, rows: PortRows) -> None:
    """Read ``Interface Admin Link Proto Local Remote``; further families and addresses stand on indented lines."""
    block = log.find(_TERSE)
    if block is None:
        return
    taken, port, family = 0, "", ""
    for index, line in enumerate(block.lines):
        match line.split():
            case []:
                continue
            case told if line[0].isspace() and port:
                pass
            case [unit, ("up" | "down") as admin, ("up" | "down") as link, *told]:
                port, family = physical_port(unit), ""
                rows.add(port, {"status": link_status(link), "admin_status": admin})
                taken += 1
            case _:
                port = ""
                if not _NO_ROW.match(line):
                    log.report.missed(block, index)
                continue
        if told and told[0][0].isalpha() and ":" not in told[0]:
            family, *told = told
            # A member of an aggregate tells here which one: "aenet --> ae0.0".
            rows.append(port, "type", " ".join((family, *told)) if family == "aenet" else family)
        if told and family in _ROUTED_FAMILIES:
            rows.append(port, "ip_address", told[0])
    log.report.took(block, taken)


def _detail(log: DeviceLog, rows: PortRows) -> None:
    """Read the paragraphs of ``show interfaces``."""
    block = log.find(_DETAIL)
    if block is None:
        return
    sections = list(read_sections(block.text, _SECTION))
    for section in sections:
        admin = "up" if section.get("admin_status") == "Enabled" else "down"
        told = {"status": link_status(section.get("status", "")), "admin_status": admin}
        rows.add(section["port"], section | told)
    log.report.took(block, len(sections))


def _descriptions(log: DeviceLog, rows: PortRows) -> None:
    block = log.find(_DESCRIPTIONS)
    if block is None:
        return
    taken = 0
    for index, line in enumerate(block.lines):
        match line.split(None, 3):
            case [unit, ("up" | "down") as admin, ("up" | "down") as link, *name]:
                told = {"status": link_status(link), "admin_status": admin, "name": "".join(name).rstrip()}
                rows.add(physical_port(unit), told)
                taken += 1
            case [_, *_] if not _NO_ROW.match(line):
                log.report.missed(block, index)
    log.report.took(block, taken)


def _configured(config: JunosConfig, rows: PortRows) -> None:
    """Add what the configuration tells of known ports."""
    for found in config.find(_DESCRIPTION):
        rows.complete(physical_port(f"{found[1]}.{found[2]}" if found[2] else found[1]), {"name": unquoted(found[3])})
    for port, text in config.interfaces.items():
        rows.complete(port, {"config": text})
    authenticators: dict[str, str] = defaultdict(str)
    for found in config.find(_DOT1X):
        authenticators[physical_port(found[1])] += f"{found[2]} "
    for port, options in authenticators.items():
        template = "dot1x"
        if " mac-radius" in options:
            # Restricted, the port asks for the address alone; else it tries 802.1X first.
            template = "macauth" if " mac-radius restrict " in options else "flexible"
        rows.complete(port, {"auth_template": template})


def _configured_vlans(config: JunosConfig) -> tuple[JunosVlan, ...]:
    members: dict[str, list[str]] = defaultdict(list)
    for found in config.find(_MEMBER):
        for name in found[2].strip("[] ").split():
            members[name].append(found[1])
    return tuple(JunosVlan(found[1], found[2], tuple(members[found[1]])) for found in config.find(_VLAN_ID))


def _vlan_members(config: JunosConfig, vlans: Sequence[JunosVlan], rows: PortRows) -> None:
    """Add the VLAN of the ports that are in one, ``trunk`` for those that carry several."""
    for found in config.find(_TRUNK):
        rows.complete(found[1], {"vlan": "trunk"})
    tags = {vlan.name: vlan.tag for vlan in vlans}
    for found in config.find(_L3_INTERFACE):
        rows.complete(found[2], {"vlan": tags.get(found[1], "")})
    carried: dict[str, list[str]] = defaultdict(list)
    for vlan in vlans:
        for unit in vlan.members:
            carried[physical_port(unit)].append(vlan.tag)
    for port, numbers in carried.items():
        rows.complete(port, {"vlan": numbers[0] if len(numbers) == 1 else "trunk"})


def _learned(log: DeviceLog, vlans: Sequence[JunosVlan], rows: PortRows) -> None:
    """Read the table of addresses: VLAN name, address, flags, then the unit among other columns."""
    block = log.find(_MACS)
    if block is None:
        return
    tags = {vlan.name: vlan.tag for vlan in vlans}
    found: list[tuple[str, str, str]] = _LEARNED.findall(block.text)
    rows.learn((physical_port(unit), mac, tags.get(vlan, vlan)) for vlan, mac, unit in found)
    log.report.took(block, len(found))
    if len(_ADDRESS.findall(block.text)) == len(found):
        return
    for index, line in enumerate(block.lines):
        if _ADDRESS.search(line) and not _LEARNED.match(line) and not _OWN_ADDRESS.search(line):
            log.report.missed(block, index)
