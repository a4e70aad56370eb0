"""Where a device stands, from its SNMP location (reference: log-parsing 8)."""

from __future__ import annotations

import re
from itertools import pairwise

from statetrace.model.facts import UNSPECIFIED

_LINE = re.compile(
    r"\n[^\S\n]*(?i:snmp-server[^\S\n]+location[^\S\n]|snmp[^\S\n]+location:|location:)[^\S\n]*(\S[^\n]*)"
)
_PARTS = {"bldg": "building", "building": "building", "floor": "floor", "room": "room", "row": "row", "rack": "rack"}


def location_text(config: str) -> str:
    """The location that a configuration names, quotes included; ``Unspecified`` when it names none.

    Args:
        config: the configuration, a LF before every line.
    """
    # What is before the first mention, and that is nearly all, need not be looked at line by line.
    mention = config.find("ocation")
    if mention < 0:
        return UNSPECIFIED
    found = _LINE.search(config, config.rfind("\n", 0, mention))
    return found[1].strip() if found else UNSPECIFIED


def location_parts(location: str) -> dict[str, str]:
    """Building, floor, room, row and rack as far as ``location`` tells them.

    >>> location_parts("Bldg_5_Floor_2_Room_204")
    {'building': '5', 'floor': '2', 'room': '204'}
    """
    tokens = [token.strip() for token in location.split("_") if token]
    parts: dict[str, str] = {}
    for word, value in pairwise(tokens):
        if part := _PARTS.get(word.lower()):
            parts[part] = value
    return parts


def unquoted(location: str) -> str:
    """The text without a pair of quotes around it, with which some devices print what was typed in quotes."""
    quoted = len(location) > 1 and location[0] == location[-1] and location[0] in "\"'"
    return location[1:-1] if quoted else location
