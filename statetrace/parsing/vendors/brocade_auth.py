"""The sessions of a Brocade switch: whom its ports let in (reference: log-parsing 5.11)."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from statetrace.parsing.blocks import BlockNames, CommandBlock, DeviceLog, ParseMode
from statetrace.parsing.tables import looks_like_row
from statetrace.parsing.vendors.brocade_config import port_name

MAC = re.compile(r"[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4,6}\Z")
"""A whole token that is a MAC address; the last group may be longer than it should (reference: log-parsing 5.9)."""

_UNIFIED = BlockNames(
    ("show authentication sessions",), raw=re.compile(r"#\s*show authentication sessions", re.IGNORECASE)
)
_DOT1X_SESSIONS = BlockNames(
    ("show dot1x sessions all",), raw=re.compile(r"#\s*show dot1x sessions all", re.IGNORECASE)
)
_DOT1X_SESSIONS_7 = BlockNames(
    ("show dot1x mac-sessions",), raw=re.compile(r"#\s*show dot1x mac-?sessions", re.IGNORECASE)
)
_MAC_SESSIONS = BlockNames(
    ("show mac authentication sessions all", "show mac-authentication sessions all"),
    re.compile(r"^show mac[- ]authentication sessions"),
    re.compile(r"#\s*show mac-?authentication sessions all", re.IGNORECASE),
)


def _addresses_7(kind: str) -> BlockNames:
    pattern = rf"show auth[- ]?mac[- ]?addresses {kind}"
    exact = (f"show auth-mac-addresses {kind}", f"show auth mac addresses {kind}")
    return BlockNames(exact, re.compile(f"^{pattern}"), re.compile(rf"#\s*{pattern}", re.IGNORECASE))


_ADMITTED_7 = _addresses_7("authorized-mac")
_REFUSED_7 = _addresses_7("unauthorized-mac")

_PAE = ("AUTHENTICATED", "AUTHENTICATING", "UNAUTHENTICATED", "N/A")
_DOT1X_STATES = {
    "AUTHENTICATED": "Authorized",
    "AUTHENTICATING": "Authenticating",
    "CONNECTING": "Authenticating",
    "UNAUTHENTICATED": "Unauthorized",
    "DISCONNECTED": "Unauthorized",
    "ABORTING": "Unauthorized",
    "HELD": "Unauthorized",
}
_METHOD_COLUMN = 5
_FROM_METHOD = 6  # fields from the method to the PAE state
_METHODS = {"MAUTH": "macauth", "8021.X": "dot1x", "802.1X": "dot1x"}
_FLAGS = {"YES": "Authorized", "NO": "Unauthorized"}


class Session(msgspec.Struct, frozen=True, gc=False):
    """Who a port lets in: the client's address, ``Authorized`` or the like, ``dot1x`` or ``macauth``."""

    mac: str
    state: str
    mode: str


def sessions(log: DeviceLog) -> dict[str, Session]:
    """The session of each port that has one (reference: log-parsing 5.11).

    Of several on a port the first one counts in the unified table of 8.0 and later, else the last one; one by 802.1X
    outweighs one by address.
    """
    unified = log.find(_UNIFIED)
    if unified is not None and (_is_table(unified) if log.mode is ParseMode.LOG else unified.lines):
        found: dict[str, Session] = {}
        for port, session in _rows(log, unified, _unified_row):
            found.setdefault(port, session)
        return found
    by_address = _first_filled(log, _MAC_SESSIONS)
    if by_address is not None:
        found = dict(_rows(log, by_address, _mac_row))
    else:
        found = {}
        for names, row in ((_ADMITTED_7, _admitted_row), (_REFUSED_7, _refused_row)):
            if (block := log.find(names)) is not None:
                found.update(_rows(log, block, row))
    dot1x = _first_filled(log, _DOT1X_SESSIONS, _DOT1X_SESSIONS_7)
    if dot1x is not None:
        found.update(_rows(log, dot1x, _dot1x_row))
    return found


def _is_table(block: CommandBlock) -> bool:
    """Whether the command printed a table and not an error."""
    return any("port" in line.lower() and "mac" in line.lower() for line in block.lines)


def _first_filled(log: DeviceLog, *names: BlockNames) -> CommandBlock | None:
    for block in map(log.find, names):
        if block is not None and any(block.lines) and (log.mode is ParseMode.PARITY or _is_table(block)):
            return block
    return None


def _rows(
    log: DeviceLog, block: CommandBlock, row: Callable[[list[str], ParseMode], tuple[str, Session] | None]
) -> list[tuple[str, Session]]:
    """The sessions of a table; a line that looks like one but is none is reported."""
    found = []
    anywhere = log.mode is ParseMode.LOG or row is _unified_row
    for index, line in enumerate(block.lines):
        fields = line.split()
        if not fields or not (anywhere or line.startswith(fields[0])):
            continue
        session = row(fields, log.mode) if fields[1:] else None
        if session is not None:
            found.append(session)
        elif looks_like_row(line):
            log.report.missed(block, index)
    log.report.took(block, len(found))
    return found


def _session(port: str, mac: str, state: str, mode: str) -> tuple[str, Session] | None:
    return (port, Session(mac, state, mode)) if port and state and MAC.match(mac) else None


def _unified_row(fields: list[str], mode: ParseMode) -> tuple[str, Session] | None:
    """Port, MAC, address, user, VLAN, method, state, flag, seconds, age, PAE state.

    A user's name may be missing or have blanks in ``LOG``, so the method leads there.
    """
    if mode is ParseMode.PARITY:
        at = _METHOD_COLUMN
    else:
        at = next((at for at, word in enumerate(fields[2:], 2) if word.upper() in _METHODS), 0)
    port = port_name(fields[0], mode)
    vlan, *rest = fields[max(at - 1, 0) :] or [""]
    if not port or not at or not vlan.isdecimal() or len(rest) < _FROM_METHOD:
        return None
    method, state, flag, seconds, _, pae = (word.upper() for word in rest[:_FROM_METHOD])
    if mode is ParseMode.PARITY:
        if method not in _METHODS or flag not in _FLAGS or not seconds.isdecimal() or not pae.startswith(_PAE):
            return None
        admitted = "AUTHENTICATED" in pae or flag == "YES"
    elif pae.lstrip("*") in {"AUTHENTICATED", "UNAUTHENTICATED"}:
        admitted = pae.lstrip("*") == "AUTHENTICATED"
    else:
        admitted = flag == "YES" or (flag != "NO" and pae == "N/A" and state == "PERMIT")
    return _session(port, fields[1], "Authorized" if admitted else "Unauthorized", _METHODS[method])


def _dot1x_row(fields: list[str], mode: ParseMode) -> tuple[str, Session] | None:
    """Port, MAC, anything, PAE state, which a ``*`` may precede."""
    port, last = port_name(fields[0], mode), fields[-1].upper().lstrip("*")
    if mode is ParseMode.PARITY:
        # Ends of words count there: whoever is UNAUTHENTICATED passes for authorized.
        last = next((word for word in _PAE[:2] if last.endswith(word)), "")
    return _session(port, fields[1], _DOT1X_STATES.get(last, ""), "dot1x")


def _mac_row(fields: list[str], mode: ParseMode) -> tuple[str, Session] | None:
    """Port, MAC, address, VLAN, ``Yes`` or ``No``."""
    port = port_name(fields[0], mode)
    vlan, flag = (*fields[3:5], "", "")[:2]
    state = _FLAGS.get(flag.upper(), "") if vlan.isdecimal() else ""
    return _session(port, fields[1], state, "macauth")


def _admitted_row(fields: list[str], mode: ParseMode) -> tuple[str, Session] | None:
    """MAC, port, VLAN, ``Yes`` or ``No``, as release 7.3 prints them."""
    return _mac_row([*reversed(fields[:2]), "", *fields[2:]], mode)


def _refused_row(fields: list[str], mode: ParseMode) -> tuple[str, Session] | None:
    """The same in the table of those refused, where only ``No`` can be meant."""
    return _admitted_row([*fields[:3], "No"], mode) if fields[3:] else None
