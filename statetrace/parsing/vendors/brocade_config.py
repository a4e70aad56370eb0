"""The configuration of a Brocade switch: its ports' stanzas, and which ports have to authenticate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import takewhile

import msgspec

from statetrace.parsing.blocks import CommandBlock, DeviceLog, ParseMode
from statetrace.parsing.stanzas import cut_stanzas
from statetrace.parsing.tables import first_value

# The original does not see a ``no`` before a command.
_DOT1X_PORT = {
    ParseMode.PARITY: re.compile(r"dot1x\s+port-control\s+auto"),
    ParseMode.LOG: re.compile(r"dot1x(?<!no dot1x)\s+port-control\s+auto"),
}
_MAC_PORT = {
    ParseMode.PARITY: re.compile(r"mac-authentication\s+enable"),
    ParseMode.LOG: re.compile(r"mac-authentication(?<!no mac-authentication)\s+enable"),
}

_LONGEST_RANGE = 1024
"""Ports that one ``to`` may name; no module has more, and a mistyped number must not fill the memory."""

_NUMBER = "[0-9]{1,4}(?![0-9])"
_STACKED = f"{_NUMBER}/{_NUMBER}/{_NUMBER}"
_ANY = f"{_NUMBER}(?:/{_NUMBER}){{0,2}}(?!/)"  # stack units, chassis slots and small switches
_PORT = {
    ParseMode.PARITY: re.compile(rf"{_STACKED}\Z"),
    # Then LAGs, management, virtual interfaces, loopbacks and tunnels.
    ParseMode.LOG: re.compile(rf"(?:{_ANY}|(?:lg|mgmt|ve|lb|tn){_NUMBER})\Z", re.IGNORECASE),
}
_PORT_LIST = {
    ParseMode.PARITY: re.compile(rf"ethe?\s+({_STACKED})(?:\s+to\s+({_STACKED}))?", re.IGNORECASE),
    ParseMode.LOG: re.compile(rf"eth(?:e(?:rnet)?)?\s+({_ANY})(?:\s+to\s+({_ANY}))?", re.IGNORECASE),
}

_LISTING = re.compile(r" eth(?<!interface eth)[^\n]*")

_SECTION = re.compile(r"authentication\s*\Z", re.IGNORECASE)
_SECTION_VLAN = re.compile(r"auth-default-vlan\s+([0-9]+)", re.IGNORECASE)
_SLICE_VLAN = re.compile(r"auth-?default-?vlan\s*([0-9]+)", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]+")
_GLOBAL_LINE = re.compile(
    r"""auth-?default-?vlan\s*[0-9]+ | re-?authentication
    | dot1x\s(?:enable|port-?control\sauto)(?:\sethe\s.*)?
    | mac-?authentication\s(?:enable(?:\sethe\s.*)?|dot1x\soverride)""",
    re.IGNORECASE | re.VERBOSE,
)

_STANZA = {
    ParseMode.PARITY: re.compile(
        r"\n[^\S\n]*+(?=[i!])(?:interface ethernet ([0-9]{1,4}/[0-9]{1,4}/[0-9]{1,4})|!)[^\n]*", re.IGNORECASE
    ),
    ParseMode.LOG: re.compile(r"\n[^\S\n]*+(?=[il!])(?:((?:interface|lag)[^\S\n]+\S[^\n]*)|![^\n]*)", re.IGNORECASE),
}
_STANZA_NAME = re.compile(r"^[^\S\n]*port-name[^\S\n]+(.+)", re.IGNORECASE | re.MULTILINE)
_VIRTUAL = re.compile(r"interface\s+(lag|management|ve|loopback|tunnel)\s+([0-9]{1,4})\s*\Z", re.IGNORECASE)
_VIRTUAL_NAMES = {"lag": "lg", "management": "mgmt", "ve": "ve", "loopback": "lb", "tunnel": "tn"}
_LAG = re.compile(r"lag\s.*\sid\s+([0-9]{1,4})\s*\Z", re.IGNORECASE)


class AuthPorts(msgspec.Struct, frozen=True):
    """The ports that demand 802.1X, and those that ask for an address that is known."""

    dot1x: frozenset[str] = frozenset()
    macauth: frozenset[str] = frozenset()

    def template(self, port: str) -> str:
        """``flexible``, ``dot1x``, ``macauth`` or ``open`` (reference: log-parsing 5.8)."""
        return "flexible" if port in self.dot1x and port in self.macauth else self.mode(port)

    def mode(self, port: str) -> str:
        """How ``port`` would authenticate a client that has no session."""
        return "dot1x" if port in self.dot1x else "macauth" if port in self.macauth else "open"


@lru_cache(maxsize=8192)
def port_name(text: str, mode: ParseMode) -> str:
    """The stored name of a port, ``""`` when ``text`` is none.

    >>> port_name("1/1/10", ParseMode.LOG), port_name("lg1", ParseMode.LOG), port_name("lg1", ParseMode.PARITY)
    ('Et1/1/10', 'lg1', '')
    """
    if not _PORT[mode].match(text):
        return ""
    return "Et" + text if text[0].isdigit() else text.lower()


def listed_ports(text: str, mode: ParseMode) -> list[str]:
    """The ports that ``text`` lists; a range runs over the last number and may be empty.

    >>> listed_ports("enable ethe 1/1/9 to 1/1/10 ethe 2/1/3 ethe 1/1/7 to 1/1/1", ParseMode.LOG)
    ['Et1/1/9', 'Et1/1/10', 'Et2/1/3']
    """
    ports: list[str] = []
    for start, end in _PORT_LIST[mode].findall(text):
        if not end:
            ports.append(f"Et{start}")
            continue
        above, slash, number = start.rpartition("/")
        first, last = int(number), int(end.rpartition("/")[2])
        ports += [f"Et{above}{slash}{n}" for n in range(first, min(last + 1, first + _LONGEST_RANGE))]
    return ports


def auth_section(config: Iterable[str]) -> tuple[str, ...]:
    """The trimmed lines of a configuration's authentication section; empty when it has none."""
    lines = iter(config)
    for line in lines:
        if _SECTION.match(line):
            return tuple(line.strip() for line in takewhile(lambda line: not line.startswith("!"), lines))
    return ()


def loose_auth_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """The global authentication commands among ``lines``, wherever they stand, each once.

    They serve when there is no authentication section, as when the configuration was not captured as such.
    """
    found: dict[str, None] = {}
    for line in lines:
        lowered = line.lower()
        if "auth" in lowered or "dot1x" in lowered:
            text = " ".join(line.split())
            if _GLOBAL_LINE.fullmatch(text):
                found[text] = None
    return tuple(found)


def auth_default_vlan(section: Iterable[str], log: DeviceLog) -> str:
    """The VLAN of clients that failed, from the section or else from any line of the log; ``""`` when none is named."""
    if number := first_value(section, _SECTION_VLAN).lstrip("0"):
        return number
    for line in log.lines:
        if found := _SLICE_VLAN.search(line):
            # The original takes the first number of the line, be it a port's (reference: log-parsing 5.7).
            first = _DIGITS.search(line) if log.mode is ParseMode.PARITY else None
            return first[0] if first else found[1]
    return ""


def auth_ports(config: str, parts: Mapping[str, str], mode: ParseMode) -> AuthPorts:
    """The ports that authentication commands name or stand in (reference: log-parsing 5.8).

    Args:
        config: the configuration.
        parts: port to its part of the configuration.
        mode: decides which port names are understood.
    """
    has_dot1x, has_macauth = _DOT1X_PORT[mode].search, _MAC_PORT[mode].search
    dot1x: set[str] = set()
    macauth: set[str] = set()
    for port, stanza in parts.items():
        lowered = stanza.lower()
        if has_dot1x(lowered):
            dot1x.add(port)
        if has_macauth(lowered):
            macauth.add(port)
    config = config.lower()
    for listing in _LISTING.finditer(config):
        line = config[config.rfind("\n", 0, listing.start()) + 1 : listing.end()]
        if "interface" not in line:
            if has_dot1x(line):
                dot1x.update(listed_ports(line, mode))
            if has_macauth(line):
                macauth.update(listed_ports(line, mode))
    return AuthPorts(frozenset(dot1x), frozenset(macauth))


def stanzas(log: DeviceLog, config: CommandBlock) -> dict[str, str]:
    """Port to its part of the configuration, without the line that begins it."""
    found: dict[str, str] = {}
    for stanza in cut_stanzas(config, _STANZA[log.mode]):
        for port in _stanza_ports(stanza.key, log.mode):
            found[port] = stanza.body
    log.report.took(config, len(found))
    return found


@lru_cache(maxsize=8192)
def _stanza_ports(key: str, mode: ParseMode) -> tuple[str, ...]:
    if mode is ParseMode.PARITY:
        return (f"Et{key}",)
    if virtual := _VIRTUAL.match(key):
        return (_VIRTUAL_NAMES[virtual[1].lower()] + virtual[2],)
    if lag := _LAG.match(key):
        return (f"lg{lag[1]}",)
    return tuple(listed_ports(key, mode))


def stanza_name(stanza: str) -> str:
    found = _STANZA_NAME.search(stanza)
    return found[1].strip() if found else ""
