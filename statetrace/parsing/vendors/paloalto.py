"""Palo Alto Networks firewalls: PAN-OS (reference: log-parsing 6)."""

from __future__ import annotations

import re

from statetrace.model.facts import UNKNOWN, UNSPECIFIED, DeviceFacts, PortFacts, RouteFacts
from statetrace.parsing.blocks import BlockNames, CommandBlock, DeviceLog, ParseMode
from statetrace.parsing.port_rows import PortRows, find_first, link_status, read_sections, table_body
from statetrace.parsing.tables import first_value, is_ruler
from statetrace.parsing.vendor import Vendor, register_vendor

_SYSTEM = BlockNames(("show system info",), re.compile(r"^show system info\b"))
_ALL_INTERFACES = BlockNames(("show interface all", "show interface"), re.compile(r"^show interface all\b"))
_HARDWARE_INTERFACES = BlockNames(("show interface hardware",))
_LOGICAL_INTERFACES = BlockNames(("show interface logical",))
_ONE_INTERFACE = re.compile(r"show interface [a-z]+[\d/.]+")
_ROUTES = BlockNames(("show routing route", "show routing"), re.compile(r"^show routing route\b"))
_HA = BlockNames(
    ("show high-availability state", "show high-availability all"),
    re.compile(r"^show high-availability (?:state|all)\b"),
)

_PROMPT_HOST = re.compile(r"^\s*[^\s@<>#]+@([^\s()<>#@]+)(?:\([^)\s]*\))?[>#]")
_HOSTNAME = re.compile(r"^hostname:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_MODEL = re.compile(r"^model:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_VERSION = re.compile(r"^sw-version:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_PRODUCT_VERSION = re.compile(r"PAN-OS[ \t]+(?:Version[ \t]+)?([0-9]\S*)", re.IGNORECASE)
_UPTIME = re.compile(r"^uptime:[ \t]*(\S[^\n]*)", re.IGNORECASE | re.MULTILINE)
_SERIAL = re.compile(r"^serial:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)

_HARDWARE_HEADING = re.compile(r"\s*name\s+id\s+speed/duplex/state", re.IGNORECASE)
_LOGICAL_HEADING = re.compile(r"\s*name\s+id\s+(?:vsys|zone)\s", re.IGNORECASE)
_TABLE_TITLE = re.compile(r"\s*(?:total configured|aggregation groups)\b", re.IGNORECASE)
_SECTION = re.compile(
    r"^Name: (?P<port>[^,\s]+)"
    r"|Runtime link speed/duplex/state: (?P<link>\S+)"
    r"|Port MAC address (?P<interface_mac>\S+)"
    r"|Operation mode: (?P<type>[^\n]+)"
    r"|Interface IP address: (?P<ip_address>\S+)"
    r"|^Zone: (?P<zone>[^,\n]+)",
    re.MULTILINE,
)
_STATE = re.compile(r"[a-z]+", re.IGNORECASE)
_NOT_TOLD = ("", "ukn", "unknown", "n/a")
_LINK_PARTS = 3

_ORIGINAL_ROW = re.compile(r"\s*(?:ethernet\d+/\d+|ae\d+|(?:loopback|tunnel|vlan)\.\d+)")
_IPV4 = re.compile(r"\d+\.\d+\.\d+\.\d+(?:/\d+)?\Z")
_NUMBER = re.compile(r"[0-9]{1,10}\Z")
_ORIGINAL_LEAST_SPEED = 100

_PREFIX = re.compile(r"[0-9A-Fa-f.:]+/\d+\Z")
_INTERFACE = re.compile(r"(?:ethernet|ae|vlan|loopback|tunnel|sdwan)[0-9/.]*\Z")
_FLAG = re.compile(r"[A-Z?~]")

_GROUP_STATE = re.compile(
    r"\s*(Local|Peer) Information\b|\s*State:\s*(\S+)|\s*Management IP(?:v4)? Address:\s*([^\s/]+)", re.IGNORECASE
)
_HA_OFF = re.compile(r"\s*(?:HA|High-availability)\b.*\bnot enabled\b|\s*Enabled:\s*no\b", re.IGNORECASE)


def _host_of(log: DeviceLog) -> str:
    return find_first(log.whole().text, _HOSTNAME) or first_value(
        (line for line in log.lines if "@" in line), _PROMPT_HOST
    )


def _parse(log: DeviceLog) -> DeviceFacts:
    system = (log.find(_SYSTEM) or log.whole()).text
    ports: tuple[PortFacts, ...] = log.guarded("interfaces", lambda: _interfaces(log), ())
    return DeviceFacts(
        hostname=log.hostname,
        make="PaloAlto",
        model=find_first(system, _MODEL) or UNKNOWN,
        version=find_first(system, _VERSION, _PRODUCT_VERSION) or UNKNOWN,
        uptime=find_first(system, _UPTIME) or UNKNOWN,
        location="" if log.mode is ParseMode.PARITY else UNSPECIFIED,
        ports=ports,
        interfaces_found=bool(ports),
        routes=log.guarded("routes", lambda: _routes(log), ()),
        serial_number=find_first(system, _SERIAL),
        ha_status=log.guarded("high availability", lambda: _ha_status(log), ""),
    )


def _interfaces(log: DeviceLog) -> tuple[PortFacts, ...]:
    if log.mode is ParseMode.PARITY:
        return _interfaces_of_the_original(log)
    rows = PortRows()
    seen: list[CommandBlock] = []
    for names in (_ALL_INTERFACES, _HARDWARE_INTERFACES, _LOGICAL_INTERFACES):
        if (block := log.find(names)) is not None and block not in seen:
            seen.append(block)
    for block in seen:
        _hardware(log, block, rows)
        _logical(log, block, rows)
    for command, block in log.blocks.items():
        if _ONE_INTERFACE.match(command):
            log.report.recognised(block)
            seen.append(block)
    for block in seen:
        _sections(log, block, rows)
    for port in rows.ports():
        if not rows.value(port, "status"):
            # A logical interface has the link of its hardware, where the log tells that.
            rows.add(port, {"status": rows.value(port.partition(".")[0], "status") or link_status("")})
    return rows.facts()


def _hardware(log: DeviceLog, block: CommandBlock, rows: PortRows) -> None:
    """Read the table of physical interfaces: name, id, ``speed/duplex/state``, address."""
    body = table_body(block, _HARDWARE_HEADING)
    taken = 0
    for index in body:
        match block.lines[index].split():
            case [port, number, link, *mac] if number.isdigit() and (fields := _link(link)) is not None:
                rows.add(port, fields | {"interface_mac": "".join(mac[:1])})
                taken += 1
            case []:
                break
            case _:
                log.report.missed(block, index)
    log.report.took(block, taken)


def _link(text: str) -> dict[str, str] | None:
    """Speed, duplex and status of ``1000/full/up``, ``ukn/ukn/down(autoneg)`` or ``[n/a]/[n/a]/up``."""
    parts = text.replace("[n/a]", "").split("/")
    if len(parts) != _LINK_PARTS or not (state := _STATE.match(parts[2])):
        return None
    speed, duplex = ("" if part.lower() in _NOT_TOLD else part for part in parts[:2])
    return {"status": link_status(state[0]), "duplex": duplex, "speed": speed}


def _logical(log: DeviceLog, block: CommandBlock, rows: PortRows) -> None:
    """Read the table of logical interfaces, whose columns differ from release to release."""
    body = table_body(block, _LOGICAL_HEADING)
    zone_first = bool(body) and any(
        _LOGICAL_HEADING.match(line) and line.split()[2].lower() == "zone" for line in block.lines[: body.start]
    )
    taken, port = 0, ""
    for index in body:
        line = block.lines[index]
        words = line.split()
        if not words or is_ruler(line):
            continue
        if len(words) == 1 and line[0].isspace() and port:
            rows.append(port, "ip_address", words[0])
            continue
        fields = _logical_fields(words, zone_first=zone_first)
        if fields is None:
            log.report.missed(block, index)
            continue
        port = words[0]
        rows.add(port, fields)
        taken += 1
    log.report.took(block, taken)


def _logical_fields(words: list[str], *, zone_first: bool) -> dict[str, str] | None:
    """Zone, VLAN tag and address of a row ``name id vsys [zone] forwarding tag address`` or ``name id zone vsys addr``.

    The zone may be absent and may hold blanks; so may the name of a virtual router, which follows a colon.
    """
    match words:
        case [_, number, *named, vsys, address] if zone_first and number.isdigit() and vsys.isdigit():
            tag = "0"
        case [_, number, vsys, *named, tag, address] if number.isdigit() and vsys.isdigit() and tag.isdigit():
            forwarding = next((place for place, word in enumerate(named) if ":" in word), len(named) - 1)
            named = named[: max(forwarding, 0)]
        case _:
            return None
    zone = " ".join(named)
    return {
        "vlan": "" if tag == "0" else tag,
        "zone": "" if zone == "N/A" else zone,
        "ip_address": "" if address == "N/A" else address,
    }


def _sections(log: DeviceLog, block: CommandBlock, rows: PortRows) -> None:
    """Read what ``show interface ethernet1/1`` tells in paragraphs."""
    taken = 0
    for section in read_sections(block.text, _SECTION):
        port = section.pop("port")
        rows.add(port, section | (_link(section.pop("link", "")) or {}))
        taken += 1
    log.report.took(block, taken)


def _interfaces_of_the_original(log: DeviceLog) -> tuple[PortFacts, ...]:
    """One row for each line of either table; speeds may be identifiers (reference: log-parsing 6)."""
    block = log.find(_ALL_INTERFACES) or log.whole()
    ports = []
    for line in block.lines:
        if not _ORIGINAL_ROW.match(line):
            continue
        name, *words = line.split()
        state = next((word for word in words if word.lower() in {"up", "down"}), "")
        numbers = [word for word in words if _NUMBER.match(word) and int(word) > _ORIGINAL_LEAST_SPEED]
        ports.append(
            PortFacts(
                port=name,
                status=link_status(state),
                speed=numbers[-1] if numbers else "",
                ip_address=next(filter(_IPV4.match, words), ""),
            )
        )
    log.report.took(block, len(ports))
    return tuple(ports)


def _routes(log: DeviceLog) -> tuple[RouteFacts, ...]:
    """Read ``destination nexthop metric flags… [age] interface [age]``; a next hop may be two words, ``vr other``."""
    block = log.find(_ROUTES)
    if block is None:
        return ()
    routes = []
    for index, line in enumerate(block.lines):
        words = line.split()
        if not words or not _PREFIX.match(words[0]):
            continue
        metric = next((place for place in range(2, len(words)) if words[place].isdigit()), 0)
        if not metric:
            log.report.missed(block, index)
            continue
        rest = words[metric + 1 :]
        flags = next((place for place, word in enumerate(rest) if not _FLAG.match(word)), len(rest))
        routes.append(
            RouteFacts(
                prefix=words[0],
                next_hop=" ".join(words[1:metric]),
                protocol=" ".join(rest[:flags]),
                metric=words[metric],
                interface=next(filter(_INTERFACE.match, rest[flags:]), ""),
            )
        )
    log.report.took(block, len(routes))
    return tuple(routes)


def _ha_status(log: DeviceLog) -> str:
    """``active``, ``active, peer passive 10.0.0.2`` or ``disabled``; ``""`` where the log does not tell."""
    block = log.find(_HA)
    if block is None:
        return ""
    side = ""
    told: dict[tuple[str, str], str] = {}
    for line in block.lines:
        if _HA_OFF.match(line):
            return "disabled"
        if not (found := _GROUP_STATE.match(line)):
            continue
        if found[1]:
            side = found[1].lower()
        elif side and found[2]:
            told.setdefault((side, "state"), found[2])
        elif side:
            told.setdefault((side, "address"), found[3])
    peer = " ".join(told[key] for key in (("peer", "state"), ("peer", "address")) if key in told)
    return ", ".join(filter(None, (told.get(("local", "state"), ""), f"peer {peer}" if peer else "")))


PALO_ALTO = Vendor(
    make="PaloAlto",
    parse=_parse,
    # PAN-OS has no "show version". Words that only its own output holds at the start of a line, so that a neighbour
    # table naming a firewall decides nothing.
    log_words=re.compile(
        r"^(?:sw-version:[ \t]*\S|model:[ \t]*PA-|total configured hardware interfaces:)", re.MULTILINE
    ),
    priority=40,
    host_of=_host_of,
)
register_vendor(PALO_ALTO)
