"""The configuration of Aruba switches, of ArubaOS-CX as of ArubaOS-Switch (reference: log-parsing 6)."""

from __future__ import annotations

import re

from statetrace.parsing.blocks import CommandBlock
from statetrace.parsing.port_rows import PortRows, find_first

_INTERFACE = re.compile(
    r"^interface[ \t]+((?:lag|vlan|loopback|tunnel)[ \t]+[0-9]+|\S+)[^\n]*(?:\n[ \t][^\n]*)*",
    re.IGNORECASE | re.MULTILINE,
)
_VLAN = re.compile(r"^vlan ([0-9]+)[ \t]*((?:\n[ \t][^\n]*)*)", re.IGNORECASE | re.MULTILINE)
_NAME = re.compile(r"^[ \t]+(?:description|name)[ \t]+(\S[^\n]*)", re.IGNORECASE | re.MULTILINE)
_NATIVE_VLAN = re.compile(r"^[ \t]+vlan (?:access|trunk native) ([0-9]+)", re.MULTILINE)
_UNTAGGED = re.compile(r"^[ \t]+untagged (\S+)", re.MULTILINE)
_LINE_END = "\r\n"

# ArubaOS-CX turns a method on by "enable", one level below the line that names it.
_CX_AUTHENTICATION = {
    method: re.compile(
        rf"^( +)aaa authentication port-access {words}\b[^\n]*(?:\n\1 [^\n]*)*?\n\1 +enable\s*$", re.MULTILINE
    )
    for method, words in (("dot1x", "dot1x authenticator"), ("macauth", "mac-auth"))
}
# ArubaOS-Switch names the ports of a method on lines of the whole switch.
_SWITCH_AUTHENTICATION = {
    "dot1x": re.compile(r"^aaa port-access authenticator ([A-Za-z]{0,4}[0-9]\S*)", re.MULTILINE),
    "macauth": re.compile(r"^aaa port-access mac-based ([A-Za-z]{0,4}[0-9]\S*)", re.MULTILINE),
}
_RANGE = re.compile(r"([0-9]+/)?([A-Za-z]*)([0-9]{1,6})(?:-(?:[0-9]+/)?[A-Za-z]*([0-9]{1,6}))?\Z")


def add_configuration(block: CommandBlock, rows: PortRows) -> int:
    """Add what a running configuration tells of known ports: its text, names, VLANs, authentication.

    Returns:
        The number of stanzas of interfaces.
    """
    text = block.text
    stanzas = list(_INTERFACE.finditer(text))
    for found in stanzas:
        port = "".join(found[1].split())
        if port in rows:
            rows.add(port, _stanza_fields(found[0]))
    _add_port_lists(text, rows)
    return len(stanzas)


def _stanza_fields(stanza: str) -> dict[str, str]:
    methods = []
    if "port-access" in stanza:
        methods = [method for method, pattern in _CX_AUTHENTICATION.items() if pattern.search(stanza)]
    return {
        "config": stanza.replace("\n", _LINE_END),
        "name": find_first(stanza, _NAME).strip('"'),
        "vlan": find_first(stanza, _NATIVE_VLAN),
        "auth_template": _template(methods),
    }


def _add_port_lists(text: str, rows: PortRows) -> None:
    """Add what ArubaOS-Switch tells by lists of ports: untagged VLANs and methods of authentication."""
    if "untagged" not in text and "aaa port-access" not in text:
        return
    vlans = {found[1]: _listed(find_first(found[2], _UNTAGGED)) for found in _VLAN.finditer(text)}
    authenticated = {method: _listed(",".join(lists.findall(text))) for method, lists in _SWITCH_AUTHENTICATION.items()}
    for port in rows.ports():
        vlan = next((vlan for vlan, ranges in vlans.items() if _holds(ranges, port)), "")
        methods = [method for method, ranges in authenticated.items() if _holds(ranges, port)]
        rows.add(port, {"vlan": vlan, "auth_template": _template(methods)})


def _template(methods: list[str]) -> str:
    return "flexible" if len(methods) > 1 else "".join(methods)


def _listed(text: str) -> list[tuple[str, int, int]]:
    """The ranges of a list like ``1-24,A1,1/A2,Trk1``: what stands before the number, its first and its last one."""
    found = [_RANGE.match(item) for item in text.split(",")]
    return [(f"{item[1] or ''}{item[2]}".casefold(), int(item[3]), int(item[4] or item[3])) for item in found if item]


def _holds(ranges: list[tuple[str, int, int]], port: str) -> bool:
    return any(
        before == wanted and first <= number <= last
        for wanted, number, _ in _listed(port)
        for before, first, last in ranges
    )
