"""Aruba switches: ArubaOS-CX, and ArubaOS-Switch, once ProCurve (reference: log-parsing 6)."""

from __future__ import annotations

import re

from statetrace.model.facts import UNKNOWN, UNSPECIFIED, DeviceFacts, PortFacts, VlanFacts
from statetrace.parsing.blocks import BlockNames, DeviceLog, ParseMode
from statetrace.parsing.port_rows import find_first, table_body
from statetrace.parsing.tables import match_rows
from statetrace.parsing.vendor import Vendor, register_vendor
from statetrace.parsing.vendors.aruba_ports import interfaces

_VERSION = BlockNames(("show version",), re.compile(r"^show version\b"))
_SYSTEM = BlockNames(("show system",), re.compile(r"^show system\b"))
_VLANS = BlockNames(("show vlan", "show vlans"))

_FLAGS = re.IGNORECASE | re.MULTILINE
_HOSTNAME = re.compile(r"^[ \t]*(?:Hostname|System Name)[ \t]*:[ \t]*(\S+)", _FLAGS)
# Searched in whole logs, so they begin with plain text, which is found fastest.
_PRODUCT = (
    re.compile(r"Product Name[ \t]*:[ \t]*(\S[^\n]*)"),
    re.compile(r"; ([A-Z]{1,2}[0-9]{3,4}[A-Z]?) Configuration Editor"),
)
_PART_NUMBER = re.compile(r"\b([A-Z][0-9]{4}[A-Z]?[ \t]+\S[^\n]*)")
_RELEASE = (
    re.compile(r"^[ \t]*(?:Software Version|Software revision|Image)[ \t]*:[ \t]*(\S+)", _FLAGS),
    re.compile(r"^[ \t]*(?:(?:ArubaOS-CX|AOS-CX) )?Version[ \t]*:[ \t]*(\S+)", _FLAGS),
    re.compile(r"^[ \t]+([A-Z]{1,2}\.[0-9]{2}\.[0-9]{2}\.[0-9]{4}\S*)[ \t]*$", re.MULTILINE),
    re.compile(r"; \S+ Configuration Editor; Created on release #(\S+)"),
)
# A second column may stand behind the first one.
_UPTIME = (
    re.compile(r"^[ \t]*Up Time[ \t]*:[ \t]*(\S+(?: \S+)*)", _FLAGS),
    re.compile(r"\bbeen up[ \t]+(?:for[ \t]+)?(\S[^\n]*)", _FLAGS),
)
_SERIAL = re.compile(r"\bSerial (?:Number|Nbr)[ \t]*:[ \t]*(\S+)", _FLAGS)
_CONFIGURED_LOCATION = re.compile(r"snmp-server (?:system-)?location[ \t]+(\S[^\n]*)")
_LOCATION = re.compile(r"^[ \t]*System Location[ \t]*:[ \t]*(\S[^\n]*)", _FLAGS)

_VLAN_HEADING = re.compile(r"\s*VLAN(?: ID)?\s+Name\b")
_VLAN_ROW = re.compile(
    r"\s*(?P<id>[0-9]+)\s+(?P<name>\S+(?: \S+)*)\s+"
    r"(?:(?:up|down)\s+\S+\s+(?P<type>[a-z]\S*)|\|\s*(?P<kind>[A-Z]\S*))"
)
_MORE_INTERFACES = re.compile(r"\s{8,}\S")


def _host_of(log: DeviceLog) -> str:
    return log.hostname or find_first(log.whole().text, _HOSTNAME)


def _parse(log: DeviceLog) -> DeviceFacts:
    whole = log.whole().text
    told = "\n".join(block.text for names in (_VERSION, _SYSTEM) if (block := log.find(names)) is not None) or whole
    parity = log.mode is ParseMode.PARITY
    location = find_first(whole, _CONFIGURED_LOCATION) or find_first(told, _LOCATION)
    ports: tuple[PortFacts, ...] = log.guarded("interfaces", lambda: interfaces(log), ())
    return DeviceFacts(
        hostname=log.hostname,
        make="Aruba",
        model=find_first(told if parity else whole, *_PRODUCT) or find_first(told, _PART_NUMBER) or UNKNOWN,
        version=find_first(told, *_RELEASE) or UNKNOWN,
        uptime=find_first(told, *_UPTIME) or UNKNOWN,
        location="" if parity else location.strip('"') or UNSPECIFIED,
        ports=ports,
        interfaces_found=bool(ports),
        vlans=log.guarded("VLANs", lambda: _vlans(log), ()),
        serial_number="" if parity else find_first(told, _SERIAL),
    )


def _vlans(log: DeviceLog) -> tuple[VlanFacts, ...]:
    """The VLANs of ``VLAN Name Status Reason Type [Interfaces]`` or ``VLAN ID Name | Status Voice Jumbo``."""
    block = log.find(_VLANS)
    if block is None:
        return ()
    body = [index for index in table_body(block, _VLAN_HEADING) if not _MORE_INTERFACES.match(block.lines[index])]
    rows = match_rows(log, block, body, _VLAN_ROW)
    return tuple(VlanFacts(row["id"], row["name"], row["type"] or row["kind"]) for row in rows)


ARUBA = Vendor(
    make="Aruba",
    parse=_parse,
    # Only what the switches print of themselves at the start of a line: a neighbour table decides nothing.
    version_words=re.compile(r"^\s*(?:ArubaOS|AOS-CX|ProCurve|Image stamp:)", re.IGNORECASE),
    log_words=re.compile(
        r"^(?:[ \t]*(?:ArubaOS|AOS)-CX(?: Version[ \t]*:|[ \t]*$)|!Version (?:ArubaOS|AOS)-CX"
        r"|; \S+ Configuration Editor; Created on release|[ \t]*Image stamp:|Vendor[ \t]*:[ \t]*Aruba)",
        re.MULTILINE,
    ),
    priority=40,
    host_of=_host_of,
)
register_vendor(ARUBA)
