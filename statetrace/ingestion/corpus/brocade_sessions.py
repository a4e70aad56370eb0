"""Who is signed on at a made-up FastIron switch, as 8.0 and 7.3 show it (reference: log-parsing 5.11)."""

from __future__ import annotations

from typing import NamedTuple

from statetrace.ingestion.corpus.device import Device, Session

UNIT_PORTS = 48
"""Ports of one unit of a stack."""
_RULE = "-" * 90


def place_of(number: int) -> str:
    """Stack, slot and number of a port: ``1/1/7``."""
    return f"{(number - 1) // UNIT_PORTS + 1}/1/{(number - 1) % UNIT_PORTS + 1}"


class _Attempts(NamedTuple):
    """Who tried to sign on, and how: place of the port, its number, the session."""

    dot1x: list[tuple[str, int, Session]]
    mac: list[tuple[str, int, Session]]


def _attempts(device: Device) -> _Attempts:
    attempts = _Attempts([], [])
    for port in device.ports:
        for session in port.sessions:
            attempt = (place_of(port.number), port.number, session)
            if session.dot1x:
                attempts.dot1x.append(attempt)
            # A port that asks for both tries the address as well while 802.1X has not worked out.
            if not session.dot1x or (port.role.access.by_mac and not session.accepted):
                attempts.mac.append(attempt)
    return attempts


def session_commands(device: Device) -> list[tuple[str, str]]:
    """The commands that show who is signed on, as 8.0 has them, each with its output."""
    attempts = _attempts(device)
    dot1x = "".join(
        f"{place:<9} {session.mac}  N/A        host/PC{number:<6} {session.vlan:<5} "
        + ("Permit  none   Ena  AUTHENTICATED\n" if session.accepted else "Block   none   S12  *AUTHENTICATING\n")
        for place, number, session in attempts.dot1x
    )
    mac = "".join(
        f"{place:<9} {session.mac}  N/A        {session.vlan:<5} {_flag(session):<7} none   Ena\n"
        for place, _, session in attempts.mac
    )
    dot1x_heading = f"""\
{_RULE}
Port      MAC             IP         User          Vlan  Auth    ACL    Age  PAE
          Addr            Addr       Name                State               State
{_RULE}
"""
    mac_heading = f"""\
{_RULE}
Port      MAC             IP         Vlan  Auth    ACL    Age
          Addr            Addr             State
{_RULE}
"""
    return [
        ("show dot1x sessions all", f"{dot1x_heading}{dot1x}\n"),
        ("show mac-authentication sessions all", f"{mac_heading}{mac}\n"),
    ]


def legacy_session_commands(device: Device) -> list[tuple[str, str]]:
    """The commands that show who is signed on, as 7.3 has them, each with its output."""
    attempts = _attempts(device)
    dot1x = "".join(
        f"{place:<9} {session.mac}  :host/PC{number:<6} {session.vlan:<4} "
        + ("permit   none   Ena   AUTHENTICATED\n" if session.accepted else "block    none   Ena   AUTHENTICATING\n")
        for place, number, session in attempts.dot1x
    )
    authorized, unauthorized = (
        "".join(
            f"{session.mac}      {place:<9} {session.vlan:<5} {_flag(session):<4} Jan 12 08:15:00 Ena  Dis\n"
            for place, _, session in attempts.mac
            if session.accepted is accepted
        )
        for accepted in (True, False)
    )
    dot1x_heading = """\
Port      MAC/IP(username)                VLAN Auth     ACL    Age   PAE
                                               State                 State
"""
    mac_heading = f"{_RULE}\nMac Addresses       Port      Vlan  Authenticated Time   Age  dot1x\n{_RULE}\n"
    return [
        ("show dot1x mac-sessions", f"{dot1x_heading}{dot1x}\n"),
        ("show auth-mac-addresses authorized-mac", f"{mac_heading}{authorized}\n"),
        ("show auth-mac-addresses unauthorized-mac", f"{mac_heading}{unauthorized}\n"),
    ]


def _flag(session: Session) -> str:
    return "Yes" if session.accepted else "No"
