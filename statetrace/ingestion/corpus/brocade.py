"""The log of a made-up FastIron switch, in the forms of 8.0 and of 7.3 (reference: log-parsing 5.7 to 5.11)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from statetrace.ingestion.corpus.brocade_sessions import (
    UNIT_PORTS,
    legacy_session_commands,
    place_of,
    session_commands,
)
from statetrace.ingestion.corpus.device import VLANS, Access, Device, Link, Port, Session
from statetrace.ingestion.corpus.truth import CorpusHost
from statetrace.model.facts import PortFacts

_MODELS = ("Stackable ICX7450-48P", "Stackable ICX7250-48P")
_LEGACY_MODELS = ("Stackable ICX6430-24P", "Stackable ICX6610-48P")
_NAME_WIDTH = 15  # the brief table of 8.0 cuts names to it
_AUTH_DEFAULT_VLAN = "20"
_LINK = {Link.UP: "Up", Link.DOWN: "Down", Link.DISABLED: "Disable", Link.FAILED: "Down"}
_PORT_STATE = {Link.UP: "Forward", Link.DOWN: "None", Link.DISABLED: "None", Link.FAILED: "ERR-DIS"}
_TRUNK_WORDS = ("uplink", "trunk")
_ACCESS_WORDS = ("access", "user", "staff", "voice", "endpoint", "printer")


def describe(device: Device) -> CorpusHost:
    """What the device's log tells."""
    days, hours, minutes = device.uptime
    models = _LEGACY_MODELS if device.site.legacy else _MODELS
    return CorpusHost(
        name=device.name,
        site=device.site.site,
        make="Brocade",
        model=models[device.variant % len(models)],
        uptime=f"{days} day(s) {hours} hour(s) {minutes} minute(s) {device.variant % 60} second(s)",
        location=device.location,
        auth_default_vlan=_AUTH_DEFAULT_VLAN,
        ports=tuple(_facts(port, legacy=device.site.legacy) for port in device.ports),
    )


def commands(device: Device, host: CorpusHost) -> list[str]:
    """The log, one text a command, each with the prompt in front."""
    legacy = device.site.legacy
    shown = (
        ("skip-page", ""),
        ("show version", _legacy_version(host) if legacy else _version(device, host)),
        ("show config", _config(device, host)),
        ("show interfaces brief", _brief(device, host)),
        ("show mac-address", _mac_table(device)),
        ("show span", _span(device)),
        *(legacy_session_commands(device) if legacy else session_commands(device)),
        ("show lldp neighbors", _lldp(device)),
        ("", ""),
    )
    return [f"SSH@{device.name}#{command}\n{output}" for command, output in shown]


def _facts(port: Port, *, legacy: bool) -> PortFacts:
    up = port.link is Link.UP
    place = place_of(port.number)
    name = (port.name if legacy else port.name[:_NAME_WIDTH].rstrip()) or f"Et{place}"
    session = _deciding(port.sessions)
    state, mode = _signed_on(session) if session else _without_session(port.role.access)
    return PortFacts(
        port=f"Et{place}",
        name=name,
        status=_LINK[port.link],
        vlan=str(port.macs[0][0]) if port.macs else "",
        duplex="Full" if up else "None",
        speed="1G" if up else "None",
        type=_type_of(name),
        learned_macs=",".join([mac for _, mac in port.macs]),
        auth_state=state,
        auth_mode=mode,
        auth_client_mac=session.mac if session else "",
        auth_template=port.role.access.value,
        config="\n".join(_stanza(port, legacy=legacy)),
    )


def _deciding(sessions: tuple[Session, ...]) -> Session | None:
    """The session that tells of the port: the one by 802.1X, where there is one."""
    return next((session for session in sessions if session.dot1x), sessions[0] if sessions else None)


def _signed_on(session: Session) -> tuple[str, str]:
    if session.dot1x:
        return "Authorized" if session.accepted else "Authenticating", "dot1x"
    return "Authorized" if session.accepted else "Unauthorized", "macauth"


def _without_session(access: Access) -> tuple[str, str]:
    if access is Access.OPEN:
        return "Open", "open"
    return "Unknown", "macauth" if access is Access.MACAUTH else "dot1x"


def _type_of(name: str) -> str:
    name = name.lower()
    if any(word in name for word in _TRUNK_WORDS):
        return "Trunk"
    return "Access" if any(word in name for word in _ACCESS_WORDS) else ""


def _stanza(port: Port, *, legacy: bool) -> list[str]:
    lines = [f" port-name {port.name}"] if port.name else []
    if port.link is Link.DISABLED:
        lines.append(" disable")
    if not port.role.trunk:
        lines.append(f" authentication auth-default-vlan {port.vlan}")
    # By 7.3 802.1X is switched on in one place for all ports, MAC authentication port by port; by 8.0 the other way.
    if legacy and port.role.access.by_mac:
        lines.append(" mac-authentication enable")
    if not legacy and port.role.access.by_dot1x:
        lines.append(" dot1x port-control auto")
    lines.append(" exit" if legacy else " stp-bpdu-guard")
    return lines


def _port_list(numbers: Iterable[int]) -> str:
    """Ports as FastIron lists them: ``ethe 1/1/1 to 1/1/4 ethe 1/1/9``."""
    numbers = sorted(numbers)
    gaps = [
        index
        for index, (before, after) in enumerate(pairwise(numbers), 1)
        if after > before + 1 or before % UNIT_PORTS == 0
    ]
    runs = [numbers[first:last] for first, last in pairwise((0, *gaps, len(numbers)))]
    return " ".join(
        f"ethe {place_of(run[0])}" + (f" to {place_of(run[-1])}" if len(run) > 1 else "") for run in runs if run
    )


def _version(device: Device, host: CorpusHost) -> str:
    return f"""\
  Copyright (c) 1996-2020 Brocade Communications Systems, Inc. All rights reserved.
    UNIT 1: compiled on Feb 11 2020 at 09:14:51 labeled as SPR08090
      (31337420 bytes) from Primary SPR08090.bin
        SW: Version 08.0.90T211
      Compressed Boot-Monitor Image size = 786944, Version:10.1.06T215 (spz10106)
  HW: {host.model}
    Internal USB: Serial #: 99{device.serial}
==========================================================================
UNIT 1: SL 1: {host.model.split()[-1]} Management Module
      Serial  #: SYN{device.serial}
      License: BASE_SOFT_PACKAGE   (LID: syn{device.serial})
==========================================================================
 1000 MHz ARM processor ARMv7 88 MHz bus
 2048 MB DRAM
STACKID 1  system uptime is {host.uptime}
The system : started=warm start   reloaded=by "reload"
"""


def _legacy_version(host: CorpusHost) -> str:
    return f"""\

Brocade Communications Systems, Inc.
{host.model} Management Module
SW: Version 07.3.00h1T311
Boot-Monitor: Version 07.3.03
HW: {host.model}
Uptime is {host.uptime}

"""


def _config(device: Device, host: CorpusHost) -> str:
    legacy = device.site.legacy
    dot1x = _port_list(port.number for port in device.ports if port.role.access.by_dot1x)
    mac = _port_list(port.number for port in device.ports if port.role.access.by_mac)
    vlans = "".join(f"vlan {vlan} name {name} by port\n!\n" for vlan, name in VLANS.items())
    authentication = [f"auth-default-vlan {_AUTH_DEFAULT_VLAN}", "re-authentication"]
    if dot1x:
        authentication += ["dot1x enable", f"dot1x enable {dot1x}"]
        if legacy:
            authentication.append(f"dot1x port-control auto {dot1x}")
    if mac:
        authentication += ["mac-authentication enable"]
        if not legacy:
            authentication.append(f"mac-authentication enable {mac}")
        authentication.append("mac-authentication dot1x override")
    section = "".join(f" {line}\n" for line in authentication)
    stanzas = "".join(
        [
            f"interface ethernet {place_of(port.number)}\n{facts.config}\n{'' if legacy else '!' + chr(10)}"
            for port, facts in zip(device.ports, host.ports, strict=True)
        ]
    )
    return f"""\
!
ver {"07.3.00h1T311" if legacy else "08.0.90T211"}
!
{vlans}hostname {device.name}
!
Authentication
{section}!
{stanzas}!
snmp-server location {host.location}
!
end

"""


def _brief(device: Device, host: CorpusHost) -> str:
    width = None if device.site.legacy else _NAME_WIDTH
    rows = [
        f"{place_of(port.number):<10} {facts.status:<7} {_PORT_STATE[port.link]:<7} {facts.duplex:<4} {facts.speed:<5} "
        f"{'None':<5} {'Yes' if port.role.trunk else 'No':<3} {port.vlan:<4} 0   {port.own_mac}  {port.name[:width]}\n"
        for port, facts in zip(device.ports, host.ports, strict=True)
    ]
    heading = "Port       Link    State   Dupl Speed Trunk Tag Pvid Pri MAC             Name\n"
    return f"{'' if device.site.legacy else chr(10)}{heading}{''.join(rows)}\n"


def _mac_table(device: Device) -> str:
    rows = [(vlan, mac, place_of(port.number)) for port in device.ports for vlan, mac in port.macs]
    if device.site.legacy:
        heading = "Mac Address Table\nVLAN    MAC Address      Port       Type\n"
        return heading + "".join([f"{vlan:<7} {mac}   {port:<10} dynamic\n" for vlan, mac, port in rows]) + "\n"
    heading = (
        f"Total active entries from all ports = {len(rows)}\nMAC Address       Port       Type       VLAN  Action\n"
    )
    return heading + "".join([f"{mac}    {port:<10} Dynamic    {vlan:<5} Forward\n" for vlan, mac, port in rows]) + "\n"


def _span(device: Device) -> str:
    # Only uplinks stand here: they are the same in all generations.
    root = f"6000{device.root.replace('.', '')}"
    bridge = f"8000{device.ports[0].own_mac.replace('.', '')}"
    first, *_ = uplinks = [place_of(port.number) for port in device.uplinks]
    rows = "".join(
        f"{port:<9} 80   4          {'FORWARDING' if port == first else 'BLOCKING':<10} "
        f"1      4       {root} {bridge}\n"
        for port in uplinks
    )
    return f"""\
STP instance owned by VLAN {min(VLANS)}

VLAN Root             Root  Root     Prio Max He- Ho- Fwd Last    Chg Bridge
 ID   ID               Cost Port     rity Age llo ld  dly Chang   cnt Address
{min(VLANS):>4} {root} 4     {first:<8} 8000 20  2   1   15  86400   2   {bridge}

Port STP Parameters:

Port      Prio Path       State      Fwd    Design  Designated       Designated
Num       rity Cost                  Trans  Cost    Root             Bridge
{rows}
"""


def _lldp(device: Device) -> str:
    # The neighbours are of other makes: no reason to take this device for one of theirs.
    rows = "".join(
        f"{place_of(port.number):<10} {device.root}    Ethernet{number:<9} {device.site.site.lower()}-core-arista\n"
        for number, port in enumerate(device.uplinks, 1)
    )
    return f"Lcl Port   Chassis ID        Port ID           System Name\n{rows}\n"
