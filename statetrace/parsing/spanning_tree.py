"""Spanning tree: one record for every instance that a device lists (reference: log-parsing 7)."""

from __future__ import annotations

import re

from statetrace.model.facts import SpanFacts
from statetrace.parsing.tables import is_ruler

_INSTANCE = re.compile(r"\n[^\S\n]*+([VMvm](?i:lan|st)\d+)")
_ADDRESS = re.compile(r"[Aa](?i:ddress)[^\S\n]+(\S+)")
_ROOT_PORT = re.compile(r"[Rr](?i:oot[^\S\n]+port)[^\S\n]+([^\s,]+),")
# The heading of the table of ports, or a port of the detailed output.
_PORTS = re.compile(
    r"\n[^\S\n]*+(?=[IiPp])(?:(?i:interface[^\S\n]+role[^\S\n]+sts)\b|"
    r"(?i:port)[^\S\n]+\d+[^\S\n]+\(([^)\n]+)\).*?\b(?i:is)[^\S\n]+(\w+(?:[^\S\n]+\w+)?))"
)
_ROLES = {
    "designated forwarding": "Desg FWD",
    "root forwarding": "Root FWD",
    "backup blocking": "Back BLK",
    "alternate blocking": "Altn BLK",
}


def spanning_tree(text: str) -> tuple[SpanFacts, ...]:
    """The instances in the order of the output.

    The root is the first address of an instance; role and upstream port are those of the first port that is listed,
    as the original has it. What stands before the first instance belongs to none.

    Args:
        text: the output, a LF before every line.
    """
    _, *parts = _INSTANCE.split(text)
    return tuple(map(_instance, parts[::2], parts[1::2]))


def _instance(vlan: str, text: str) -> SpanFacts:
    address, root_port = _ADDRESS.search(text), _ROOT_PORT.search(text)
    role, upstream = _first_port(text)
    return SpanFacts(vlan, address[1] if address else "", root_port[1] if root_port else "", role, upstream)


def _first_port(text: str) -> tuple[str, str]:
    found = _PORTS.search(text)
    if found is None:
        return "", ""
    if found[1]:
        words = " ".join(found[2].lower().split())
        return _ROLES.get(words, words), found[1]
    for line in text[found.end() :].split("\n")[1:]:
        if not is_ruler(line) and len(tokens := line.split(None, 2)) > 1:
            return tokens[1], tokens[0]
    return "", ""
