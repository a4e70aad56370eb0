"""The log of a made-up Catalyst 9300 with IOS XE (reference: log-parsing 5.1 to 5.6)."""

from __future__ import annotations

from statetrace.ingestion.corpus.device import (
    SPANNING_VLANS,
    VLANS,
    VOICE_VLAN,
    Access,
    Device,
    Link,
    Outcome,
    Port,
    Session,
)
from statetrace.ingestion.corpus.mac_rows import mac_rows
from statetrace.ingestion.corpus.truth import CorpusHost
from statetrace.model.facts import PortFacts

_MEMBER_PORTS = 48
_MODELS = ("C9300-48P", "C9300-48U", "C9300-48T")
_NAME_WIDTH = 18  # the status table cuts names to it
_STATUS = {
    Link.UP: "connected",
    Link.DOWN: "notconnect",
    Link.DISABLED: "disabled",
    Link.FAILED: "err-disabled",
}
_OUTCOME = {Outcome.ACCEPTED: "Auth", Outcome.REFUSED: "Unauth", Outcome.PENDING: "Running"}
_STATE = {Outcome.ACCEPTED: "Authorized", Outcome.REFUSED: "Unauthorized", Outcome.PENDING: "Unknown"}
_AUTH_COMMANDS = {
    Access.FLEXIBLE: (
        " authentication event fail action next-method",
        " authentication order mab dot1x",
        " authentication priority dot1x mab",
        " authentication port-control auto",
        " authentication periodic",
        " mab",
        " dot1x pae authenticator",
        " dot1x timeout quiet-period 90",
        " dot1x timeout tx-period 5",
    ),
    Access.DOT1X: (" authentication port-control auto", " authentication periodic", " dot1x pae authenticator"),
    Access.MACAUTH: (" authentication order mab", " authentication port-control auto", " mab"),
    Access.OPEN: (),
}


def describe(device: Device) -> CorpusHost:
    """What the device's log tells."""
    days, hours, minutes = device.uptime
    units = ((days // 7, "week"), (days % 7, "day"), (hours, "hour"), (minutes, "minute"))
    return CorpusHost(
        name=device.name,
        site=device.site.site,
        make="Cisco",
        model=_MODELS[device.variant % len(_MODELS)],
        uptime=", ".join(f"{count} {unit}{'s' * (count > 1)}" for count, unit in units if count) or "0 minutes",
        location=device.location,
        auth_default_vlan="",
        ports=tuple(map(_facts, device.ports)),
    )


def commands(device: Device, host: CorpusHost) -> list[str]:
    """The log, one text a command, each with the prompt in front."""
    shown = (
        ("terminal length 0", ""),
        ("show version", _version(device, host)),
        ("show running-config", _running_config(device, host)),
        ("show interfaces status", _status(host)),
        ("show mac address-table", _mac_table(device, host)),
        ("show authentication sessions", _sessions(device, host)),
        ("show spanning-tree", _spanning_tree(device)),
        ("show lldp neighbors", _lldp(device)),
        ("show cdp neighbors", _cdp(device)),
        ("", ""),
    )
    return [f"{device.name}#{command}\n{output}" for command, output in shown]


def _place(number: int) -> str:
    return f"{(number - 1) // _MEMBER_PORTS + 1}/0/{(number - 1) % _MEMBER_PORTS + 1}"


def _facts(port: Port) -> PortFacts:
    up, trunk = port.link is Link.UP, port.role.trunk
    session = port.sessions[0] if port.sessions else None
    place = _place(port.number)
    return PortFacts(
        port=f"Gi{place}",
        name=port.name or f"Gi{place}",
        status=_STATUS[port.link],
        vlan="trunk" if trunk else str(port.vlan),
        duplex="a-full" if up else "auto",
        speed="auto" if not up else "a-100" if port.role.voice else "a-1000",
        type="1000BaseSX SFP" if trunk else "10/100/1000BaseTX",
        learned_macs=",".join([mac for _, mac in port.macs]),
        auth_state=_STATE[session.outcome] if session else "Unknown",
        auth_mode="unknown" if session is None else "dot1x" if session.dot1x else "mab",
        auth_client_mac=session.mac if session else "",
        auth_template=port.role.access.value,
        config="\r\n".join(_stanza(port, place)),
    )


def _stanza(port: Port, place: str) -> list[str]:
    lines = [f"interface GigabitEthernet{place}"]
    if port.name:
        lines.append(f" description {port.name}")
    if port.role.trunk:
        lines += [" switchport trunk allowed vlan 10-52,100", " switchport mode trunk"]
    else:
        lines += [f" switchport access vlan {port.vlan}", " switchport mode access"]
        if port.role.voice:
            lines.append(f" switchport voice vlan {VOICE_VLAN}")
    lines += _AUTH_COMMANDS[port.role.access]
    if not port.role.trunk:
        lines.append(" spanning-tree portfast")
    if port.link is Link.DISABLED:
        lines.append(" shutdown")
    return lines


def _version(device: Device, host: CorpusHost) -> str:
    members = range((len(device.ports) - 1) // _MEMBER_PORTS + 1)
    ports = min(len(device.ports), _MEMBER_PORTS)
    table = "".join(
        f"{'*' if member == 0 else ' '}{member + 1:>5} {ports:<5}    {host.model:<18} 17.09.04a         "
        "CAT9K_IOSXE           INSTALL\n"
        for member in members
    )
    numbers = "".join(
        f"\nSwitch {member + 1:02d}\n---------\n"
        f"Model Number                       : {host.model}\n"
        f"System Serial Number               : SYN{device.serial}{member + 1}\n"
        for member in members
    )
    return f"""\
Cisco IOS XE Software, Version 17.09.04a
Cisco IOS Software [Cupertino], Catalyst L3 Switch Software (CAT9K_IOSXE), Version 17.9.4a, RELEASE SOFTWARE (fc3)

ROM: IOS-XE ROMMON

{device.name} uptime is {host.uptime}
System returned to ROM by Reload Command
System image file is "flash:packages.conf"

cisco {host.model} (X86) processor with 1331521K/6147K bytes of memory.
Processor board ID SYN{device.serial}1

Switch Ports    Model              SW Version        SW Image              Mode
------ -----    -----              ----------        ----------            ----
{table}
{numbers}
Configuration register is 0x102

"""


def _running_config(device: Device, host: CorpusHost) -> str:
    vlans = "".join(f"!\nvlan {vlan}\n name {name}\n" for vlan, name in VLANS.items())
    stanzas = "".join([f"{port.config}\n!\n" for port in host.ports]).replace("\r\n", "\n")
    config = f"""\
!
version 17.9
service timestamps log datetime msec
!
hostname {device.name}
!
aaa new-model
aaa authentication dot1x default group radius
!
dot1x system-auth-control
spanning-tree mode rapid-pvst
{vlans}!
{stanzas}interface Vlan1
 no ip address
 shutdown
!
snmp-server location {host.location}
!
line vty 0 4
 transport input ssh
!
end
"""
    return f"Building configuration...\n\nCurrent configuration : {len(config)} bytes\n{config}\n"


def _status(host: CorpusHost) -> str:
    heading = "\nPort         Name               Status       Vlan       Duplex  Speed Type\n"
    rows = [
        f"{port.port:<12} {'' if port.name == port.port else port.name[:_NAME_WIDTH]:<18} {port.status:<12} "
        f"{port.vlan:<10} {port.duplex:>6} {port.speed:>6} {port.type}\n"
        for port in host.ports
    ]
    return f"{heading}{''.join(rows)}\n"


def _mac_table(device: Device, host: CorpusHost) -> str:
    rows = mac_rows(device, host)
    return (
        "          Mac Address Table\n-------------------------------------------\n\n"
        "Vlan    Mac Address       Type        Ports\n"
        "----    -----------       --------    -----\n"
        " All    0100.0ccc.cccc    STATIC      CPU\n"
        " All    0180.c200.0000    STATIC      CPU\n"
        + "".join(rows)
        + f"Total Mac Addresses for this criterion: {len(rows) + 2}\n\n"
    )


def _sessions(device: Device, host: CorpusHost) -> str:
    rows = [
        _session(facts.port, session, f"0A{device.serial}{port.number:04X}{number:010X}")
        for port, facts in zip(device.ports, host.ports, strict=True)
        for number, session in enumerate(port.sessions)
    ]
    return (
        "Interface                MAC Address    Method  Domain  Status  Fg  Session ID\n"
        "----------------------------------------------------------------------------------------\n"
        f"{''.join(rows)}\nSession count = {len(rows)}\n\n"
    )


def _session(port: str, session: Session, identity: str) -> str:
    return (
        f"{port:<24} {session.mac} {'dot1x' if session.dot1x else 'mab':<7} "
        f"{'VOICE' if session.voice else 'DATA':<7} {_OUTCOME[session.outcome]:<11} {identity}\n"
    )


def _spanning_tree(device: Device) -> str:
    # Only uplinks stand here: they are the same in all generations.
    uplinks = [_place(port.number) for port in device.uplinks]
    rows = "".join(
        f"Gi{place:<17} {'Root FWD' if index == 0 else 'Altn BLK'} 4         128.{index + 1:<6} P2p\n"
        for index, place in enumerate(uplinks)
    )
    return "\n" + "\n".join(
        f"""\
VLAN{vlan:04d}
  Spanning tree enabled protocol rstp
  Root ID    Priority    {24576 + vlan}
             Address     {device.root}
             Cost        4
             Port        1 (GigabitEthernet{uplinks[0]})
             Hello Time   2 sec  Max Age 20 sec  Forward Delay 15 sec

  Bridge ID  Priority    {32768 + vlan}  (priority 32768 sys-id-ext {vlan})
             Address     {device.ports[0].own_mac}
             Hello Time   2 sec  Max Age 20 sec  Forward Delay 15 sec
             Aging Time  300 sec

Interface           Role Sts Cost      Prio.Nbr Type
------------------- ---- --- --------- -------- --------------------------------
{rows}"""
        for vlan in SPANNING_VLANS
    )


def _lldp(device: Device) -> str:
    # The neighbours are of other makes: no reason to take this device for one of theirs.
    neighbour = f"{device.site.site.lower()}-core-arista"
    rows = "".join(
        f"{neighbour:<19} Gi{_place(port.number):<12} 120        B,R             Ethernet{number}\n"
        for number, port in enumerate(device.uplinks, 1)
    )
    return f"""
Device ID           Local Intf     Hold-time  Capability      Port ID
{rows}
Total entries displayed: {len(device.uplinks)}

"""


def _cdp(device: Device) -> str:
    neighbour = f"{device.site.site.lower()}-brocade-mdf"
    rows = "".join(
        f"{neighbour:<16} Gig {_place(port.number):<13} 153             R S I  ICX7750   Eth 1/1/{number}\n"
        for number, port in enumerate(device.uplinks, 1)
    )
    return f"\nDevice ID        Local Intrfce     Holdtme    Capability  Platform  Port ID\n{rows}\n"
