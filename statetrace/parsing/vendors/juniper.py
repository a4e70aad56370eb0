"""Juniper switches and routers: Junos on EX, QFX and their kin (reference: log-parsing 6)."""

from __future__ import annotations

import re

import msgspec

from statetrace.model.facts import UNKNOWN, UNSPECIFIED, DeviceFacts, PortFacts, RouteFacts, VlanFacts
from statetrace.parsing.blocks import BlockNames, DeviceLog, ParseMode
from statetrace.parsing.port_rows import find_first
from statetrace.parsing.tables import first_value
from statetrace.parsing.vendor import Vendor, register_vendor
from statetrace.parsing.vendors.juniper_config import JunosConfig, read_config, unquoted
from statetrace.parsing.vendors.juniper_ports import (
    JunosVlan,
    interfaces,
    interfaces_of_the_original,
    vlan_table,
)

_VERSION = BlockNames(("show version",), re.compile(r"^show version\b"))
_CONFIG = BlockNames(("show configuration", "show config"), re.compile(r"^show config(?:uration)?\b"))
_CHASSIS = BlockNames(("show chassis hardware",), re.compile(r"^show chassis hardware\b"))
_ROUTES = BlockNames(("show route", "show route table"), re.compile(r"^show route\b(?! summary| forwarding)"))

_PROMPT_HOST = re.compile(r"^\s*[^\s@<>#]+@([^\s()<>#@%]+)[>#%]")
_HOSTNAME = re.compile(r"^(?:Hostname:|[ \t]*(?:set system )?host-name)[ \t]+([^\s;]+)", re.IGNORECASE | re.MULTILINE)
_MODEL = re.compile(r"^Model:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_JUNOS = re.compile(r"^Junos:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_SUITE = re.compile(r"^JUNOS[ \t][^\n\[]*\[([^\[\]\n]+)\]", re.IGNORECASE | re.MULTILINE)
_BOOTED = re.compile(r"^System booted:[^(\n]*\(([^()\n]* ago)\)", re.IGNORECASE | re.MULTILINE)
_UPTIME = re.compile(r"^[ \t]*uptime:[ \t]*(\S[^\n]*)", re.IGNORECASE | re.MULTILINE)
_SERIAL = re.compile(r"^Chassis {2,}(\S+)", re.MULTILINE)
_LOCATION = re.compile(r"snmp location (.+)")

_ROUTE = re.compile(r"\s*(?:(\S+/[0-9]+)\s+)?[*+-]?\[([\w-]+)/([0-9]+)(?:/[0-9]+)?\](.*)")
_LONE_PREFIX = re.compile(r"(\S+/[0-9]+)\s*\Z")
_METRIC = re.compile(r"\bmetric ([0-9]+)")
_HOP = re.compile(r"\bto (table \S+|[^\s,]+)(?:,? via ([^\s,]+))?|\bvia ([^\s,]+)")
_NO_HOP = re.compile(r"\s+(Reject|Discard|Receive|MultiRecv)\s*\Z")


def _host_of(log: DeviceLog) -> str:
    prompts = (line for line in log.lines if "@" in line)
    return first_value(prompts, _PROMPT_HOST) or find_first(log.whole().text, _HOSTNAME)


def _parse(log: DeviceLog) -> DeviceFacts:
    whole = log.whole().text
    block = log.find(_VERSION)
    version = whole if block is None else block.text
    facts = DeviceFacts(
        hostname=log.hostname,
        make="Juniper",
        model=find_first(version, _MODEL) or UNKNOWN,
        version=find_first(version, _JUNOS, _SUITE) or UNKNOWN,
        uptime=find_first(version, _BOOTED, _UPTIME) or find_first(whole, _BOOTED) or UNKNOWN,
    )
    if log.mode is ParseMode.PARITY:
        return _as_the_original(log, facts)
    config = log.guarded("configuration", lambda: _configuration(log), JunosConfig())
    location = config.find(_LOCATION)
    vlans: tuple[JunosVlan, ...] = log.guarded("VLANs", lambda: vlan_table(log, config), ())
    ports: tuple[PortFacts, ...] = log.guarded("interfaces", lambda: interfaces(log, config, vlans), ())
    routes: tuple[RouteFacts, ...] = log.guarded("routes", lambda: _routes(log, following_lines=True), ())
    chassis = log.find(_CHASSIS)
    return msgspec.structs.replace(
        facts,
        location=unquoted(location[0][1]) if location else UNSPECIFIED,
        ports=ports,
        interfaces_found=bool(ports),
        vlans=tuple(VlanFacts(vlan.tag, vlan.name) for vlan in vlans),
        routes=routes,
        serial_number=find_first(chassis.text, _SERIAL) if chassis else "",
    )


def _as_the_original(log: DeviceLog, facts: DeviceFacts) -> DeviceFacts:
    ports: tuple[PortFacts, ...] = log.guarded("interfaces", lambda: interfaces_of_the_original(log), ())
    routes: tuple[RouteFacts, ...] = log.guarded("routes", lambda: _routes(log, following_lines=False), ())
    return msgspec.structs.replace(facts, location="", ports=ports, interfaces_found=bool(ports), routes=routes)


def _configuration(log: DeviceLog) -> JunosConfig:
    block = log.find(_CONFIG)
    if block is None:
        return JunosConfig()
    config = read_config(block.lines)
    log.report.took(block, len(config.interfaces))
    return config


def _routes(log: DeviceLog, *, following_lines: bool) -> tuple[RouteFacts, ...]:
    """Every path of every route: its next hop stands behind it or, usually, on the lines below it.

    The original reads it only where it stands behind; a route without one is none there.
    """
    block = log.find(_ROUTES)
    if block is None:
        return ()
    routes: list[RouteFacts] = []
    prefix, path = "", None
    for line in block.lines:
        if found := _ROUTE.match(line):
            prefix = found[1] or prefix
            metric = _METRIC.search(found[4])
            path = RouteFacts(prefix, "", found[2], found[3], metric[1] if metric else "")
            hop = _hop(found[4])
            if hop or following_lines:
                routes.append(_towards(path, hop))
        elif lone := _LONE_PREFIX.match(line):
            prefix, path = lone[1], None
        elif not line[:1].isspace():
            path = None
        elif path is not None and following_lines and (hop := _hop(line)):
            if routes[-1] == path:
                routes.pop()
            routes.append(_towards(path, hop))
    log.report.took(block, len(routes))
    return tuple(routes)


def _hop(text: str) -> tuple[str, str] | None:
    """Next hop and interface that ``text`` names; the former is ``""`` for what is directly connected."""
    if found := _HOP.search(text):
        return found[1] or "", found[2] or found[3] or ""
    if found := _NO_HOP.match(text):
        return found[1], ""
    return None


def _towards(path: RouteFacts, hop: tuple[str, str] | None) -> RouteFacts:
    return msgspec.structs.replace(path, next_hop=hop[0], interface=hop[1]) if hop else path


JUNIPER = Vendor(
    make="Juniper",
    parse=_parse,
    # Only words that Junos itself prints at the start of a line: a neighbour table that names one decides nothing.
    version_words=re.compile(r"^\s*Junos:\s|^JUNOS\s.*\[", re.IGNORECASE),
    log_words=re.compile(
        r"^(?:Junos:[ \t]|JUNOS [^\n\[]*\[|Interface[ \t]+Admin[ \t]+Link[ \t]+Proto[ \t]+Local|System booted:"
        r"|Physical interface: \S+, (?:Enabled|Disabled|Administratively down))",
        re.MULTILINE,
    ),
    priority=40,
    host_of=_host_of,
)
register_vendor(JUNIPER)
