"""The log of a made-up campus switch with EOS (reference: log-parsing 5.12)."""

from __future__ import annotations

from statetrace.ingestion.corpus.device import SPANNING_VLANS, VLANS, VOICE_VLAN, Access, Device, Link, Port, Session
from statetrace.ingestion.corpus.mac_rows import mac_rows
from statetrace.ingestion.corpus.truth import CorpusHost
from statetrace.model.facts import PortFacts

_MODELS = ("CCS-720XP-48ZC2-F", "DCS-7010T-48-F")
_NAME_WIDTH = 18  # the status table cuts names to it
_STATUS = {
    Link.UP: "connected",
    Link.DOWN: "notconnect",
    Link.DISABLED: "disabled",
    Link.FAILED: "errdisabled",
}
_AUTH_COMMANDS = {
    Access.FLEXIBLE: (
        "   dot1x pae authenticator",
        "   dot1x port-control auto",
        "   dot1x mac based authentication",
    ),
    Access.DOT1X: ("   dot1x pae authenticator", "   dot1x port-control auto"),
    Access.MACAUTH: ("   dot1x port-control auto", "   dot1x mac based authentication"),
    Access.OPEN: (),
}


def describe(device: Device) -> CorpusHost:
    """What the device's log tells."""
    days, hours, minutes = device.uptime
    return CorpusHost(
        name=device.name,
        site=device.site.site,
        make="Arista",
        model=_MODELS[device.variant % len(_MODELS)],
        uptime=f"{days // 7} weeks, {days % 7} days, {hours} hours and {minutes} minutes",
        location=device.location,
        auth_default_vlan="",
        ports=tuple(map(_facts, device.ports)),
    )


def commands(device: Device, host: CorpusHost) -> list[str]:
    """The log, one text a command, each with the prompt in front."""
    shown = (
        ("terminal length 0", "Pagination disabled.\n"),
        ("show version", _version(device, host)),
        ("show running-config", _running_config(device, host)),
        ("show interfaces status", _status(host)),
        ("show mac address-table", _mac_table(device, host)),
        ("show authentication sessions", _sessions(device, host)),
        ("show spanning-tree", _spanning_tree(device)),
        ("show lldp neighbors", _lldp(device)),
        ("", ""),
    )
    return [f"{device.name}#{command}\n{output}" for command, output in shown]


def _facts(port: Port) -> PortFacts:
    up, trunk = port.link is Link.UP, port.role.trunk
    session = port.sessions[0] if port.sessions else None
    return PortFacts(
        port=f"Et{port.number}",
        name=port.name[:_NAME_WIDTH].rstrip(),
        status=_STATUS[port.link],
        vlan="trunk" if trunk else str(port.vlan),
        duplex="a-full" if up else "auto",
        speed="auto" if not up else "10G" if trunk else "a-1G",
        type="10GBASE-SR" if trunk else "1000BASE-T",
        learned_macs=",".join([mac for _, mac in port.macs]),
        auth_state=_state(session) if session else "",
        auth_mode="" if session is None else "dot1x" if session.dot1x else "mab",
        auth_client_mac=session.mac if session else "",
        # The configuration of an open port says nothing of authentication, and no template is told.
        auth_template="" if port.role.access is Access.OPEN else port.role.access.value,
        config="\r\n".join(_stanza(port)),
    )


def _state(session: Session) -> str:
    return "Authorized" if session.accepted else "Unauthorized"


def _stanza(port: Port) -> list[str]:
    lines = [f"interface Ethernet{port.number}"]
    if port.name:
        lines.append(f"   description {port.name}")
    if port.link is Link.DISABLED:
        lines.append("   shutdown")
    if port.role.trunk:
        lines.append("   switchport mode trunk")
    else:
        lines.append(f"   switchport access vlan {port.vlan}")
        if port.role.voice:
            lines.append(f"   switchport phone vlan {VOICE_VLAN}")
        lines += _AUTH_COMMANDS[port.role.access]
        lines.append("   spanning-tree portfast")
    return lines


def _version(device: Device, host: CorpusHost) -> str:
    mac = device.ports[0].own_mac
    return f"""\
Arista {host.model}
Hardware version:      11.02
Serial number:         SYN{device.serial}
Hardware MAC address:  {mac}
System MAC address:    {mac}

Software image version: 4.28.3M
Architecture:           x86_64
Internal build version: 4.28.3M-28837868.4283M

Uptime:                 {host.uptime}
Total memory:           4002264 kB
Free memory:            2871420 kB

"""


def _running_config(device: Device, host: CorpusHost) -> str:
    vlans = "".join(f"vlan {vlan}\n   name {name}\n!\n" for vlan, name in VLANS.items())
    stanzas = "".join([f"{port.config}\n!\n" for port in host.ports]).replace("\r\n", "\n")
    return f"""\
! Command: show running-config
! device: {device.name} ({host.model}, EOS-4.28.3M)
!
hostname {device.name}
!
snmp-server location {host.location}
!
spanning-tree mode rapid-pvst
!
aaa authentication dot1x default group radius
!
{vlans}{stanzas}dot1x system-auth-control
!
end

"""


def _status(host: CorpusHost) -> str:
    heading = "Port       Name               Status       Vlan     Duplex Speed  Type\n"
    rows = [
        f"{port.port:<10} {port.name:<18} {port.status:<12} {port.vlan:<8} {port.duplex:<6} {port.speed:<6} "
        f"{port.type}\n"
        for port in host.ports
    ]
    return f"{heading}{''.join(rows)}\n"


def _mac_table(device: Device, host: CorpusHost) -> str:
    rows = mac_rows(device, host)
    return (
        "          Mac Address Table\n------------------------------------------------------------------\n\n"
        "Vlan    Mac Address       Type        Ports\n"
        "----    -----------       ----        -----\n"
        + "".join(rows)
        + f"\nTotal Mac Addresses for this criterion: {len(rows)}\n\n"
    )


def _sessions(device: Device, host: CorpusHost) -> str:
    rows = [
        f"{facts.port:<10} {facts.auth_state:<13} {facts.auth_mode:<6} {session.mac}    {session.vlan}\n"
        for port, facts in zip(device.ports, host.ports, strict=True)
        for session in port.sessions[:1]
    ]
    return f"Port       Authorized    Mode   MAC Address       Vlan\n{''.join(rows)}\n"


def _spanning_tree(device: Device) -> str:
    # Only uplinks stand here: they are the same in all generations.
    rows = "".join(
        f"Et{port.number:<14} {'root       forwarding' if index == 0 else 'alternate  discarding'} "
        f"2000    128.{port.number:<4} P2p\n"
        for index, port in enumerate(device.uplinks)
    )
    return "".join(
        f"""\
VL{vlan}
  Spanning tree enabled protocol rapid-pvst
  Root ID    Priority    {24576 + vlan}
             Address     {device.root}

Interface        Role       State      Cost    Prio.Nbr Type
---------------- ---------- ---------- ------- -------- --------------------
{rows}
"""
        for vlan in SPANNING_VLANS
    )


def _lldp(device: Device) -> str:
    # The neighbours are of other makes: no reason to take this device for one of theirs.
    rows = "".join(
        f"Et{port.number:<11} {device.site.site.lower()}-core-cisco-c9500    Gi1/0/{number:<12} 120\n"
        for number, port in enumerate(device.uplinks, 1)
    )
    return f"Port          Neighbor Device ID       Neighbor Port ID    TTL\n{rows}\n"
