"""Cisco configurations: interface stanzas, their auth templates, authentication (reference: log-parsing 5.1 to 5.6)."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from statetrace.model.facts import UNSPECIFIED
from statetrace.parsing.blocks import CommandBlock, ParseMode
from statetrace.parsing.location import location_text
from statetrace.parsing.tables import port_key, short_port_name

# Each begins with a line end, which lets a search jump from line to line.
# What begins an interface's stanza, with the description if that comes first, or ends one without beginning another.
_BOUNDARY = re.compile(
    r"\n(?=[Ii!])(?:((?i:interface)[ \t]+(\S+)[^\n]*(?:\n description ([^\n]*))?)|(?=(?i:interface)|!))"
)
_DESCRIPTION = re.compile(r"\n[ \t]*(?i:description)[ \t]+([^\n]*)")
_AUTH_LINE = re.compile(r"\n[ \t]*((?i:authentication|dot1x|mab|reauthentication)\b[^\n]*)")
_AUTH_VLAN = re.compile(r"-vlan(?:(?<=auth-default-vlan)|(?<=guest-vlan))[ \t]+(\d+)")

_LONGEST_KNOWN = 2000
_FLEXIBLE_NEEDS = (
    "authentication event fail action next-method",
    "authentication order mab dot1x",
    "authentication priority dot1x mab",
    "authentication port-control auto",
    "dot1x timeout quiet-period 90",
    "dot1x timeout tx-period 5",
)


class PortConfig(msgspec.Struct, frozen=True, gc=False):
    """What the configuration says about one interface.

    Attributes:
        text: the stanza with its ``interface`` line, lines joined by CR LF.
        template: ``flexible``, ``dot1x``, ``macauth`` or ``open``.
        missing: for ``flexible``, which of its usual commands are not there.
    """

    text: str = ""
    description: str = ""
    template: str = ""
    missing: tuple[str, ...] = ()


class CiscoConfig(msgspec.Struct, frozen=True):
    """What a configuration says that is of interest here.

    Attributes:
        location: the text of the SNMP location, ``Unspecified`` without one.
        ports: the interfaces by ``port_key`` or, as the original has it, by full and short name in lower case.
        auth_lines: every line that configures authentication, those of interfaces included, as the original keeps them.
        auth_default_vlan: the VLAN for ports without authentication; ``""`` when there is none.
    """

    location: str = UNSPECIFIED
    ports: dict[str, PortConfig] = {}
    auth_lines: tuple[str, ...] = ()
    auth_default_vlan: str = ""


class _Commands(msgspec.Struct, frozen=True, gc=False):
    """What the commands of a stanza mean; ports that are configured alike share it, on all devices of a site."""

    text: str
    description: str
    template: str
    missing: tuple[str, ...]
    auth_lines: list[str]


def read_config(block: CommandBlock, mode: ParseMode) -> CiscoConfig:
    """The interfaces and the authentication of a configuration.

    A stanza runs up to the next line that begins with ``interface`` or ``!``; blank lines within belong to it. Of
    several stanzas of an interface the last counts; in parity mode that is so under its full name only, and under the
    short one the first counts.
    """
    ports: dict[str, PortConfig] = {}
    auth: list[str] = []
    first, *parts = _BOUNDARY.split(block.text)
    auth += _auth_lines(first)
    for head, name, description, body in zip(parts[::4], parts[1::4], parts[2::4], parts[3::4], strict=True):
        if name is None:
            if body != "!":
                auth += _auth_lines(body)
            continue
        commands = _known_commands(body) if len(body) < _LONGEST_KNOWN else _commands(body)
        auth += commands.auth_lines
        text = head.replace("\n", "\r\n") + commands.text
        last_description = commands.description or (description or "").strip()
        config = PortConfig(text, last_description, commands.template, commands.missing)
        if mode is ParseMode.PARITY:
            ports[name.lower()] = config
            ports.setdefault(short_port_name(name, mode).lower(), config)
        else:
            ports[port_key(name)] = config
    vlan = _AUTH_VLAN.search(block.text)
    return CiscoConfig(location_text(block.text), ports, tuple(auth), vlan[1] if vlan else "")


def _commands(body: str) -> _Commands:
    descriptions = _DESCRIPTION.findall(body) if "escription" in body else ()
    template, missing = _template(set(map(str.strip, body.lower().split("\n"))))
    description = descriptions[-1].strip() if descriptions else ""
    return _Commands(body.replace("\n", "\r\n"), description, template, missing, _auth_lines(body))


_known_commands = lru_cache(maxsize=2048)(_commands)


def _auth_lines(part: str) -> list[str]:
    return [line.strip() for line in _AUTH_LINE.findall(part)]


def _template(commands: set[str]) -> tuple[str, tuple[str, ...]]:
    dot1x, mab = "dot1x pae authenticator" in commands, "mab" in commands
    if dot1x and mab:
        return "flexible", tuple(need for need in _FLEXIBLE_NEEDS if need not in commands)
    if dot1x or mab:
        return ("dot1x" if dot1x else "macauth"), ()
    return "open", ()
