"""Which words of a log tell of its own device, and which of neighbours or names that somebody gave."""

from __future__ import annotations

import re

from statetrace.parsing.blocks import DeviceLog

_OF_NEIGHBOURS = re.compile(r"show\s+(?:(?:cdp|lldp?|fdp|isdp)\b|.*\bnei)")
_OF_INTERFACES = re.compile(r"show\s+(?:int|name\b|vlan|port|lag\b)")
_PORT_ROW = re.compile(r"\s*(?:\S*\d|(?:mgmt|management|vlan|loopback|tunnel)\s)", re.IGNORECASE)
_PROMPT = re.compile(r"\s*\S*[>#]")
# "name" only as a command: NAME: is what an inventory calls a part of the device.
_NAMED = re.compile(
    r"\s*(?:set\s.*\s)?(?:name\s|(?:description|port-name|host-?name|system[ -]name)(?:\s|:))", re.IGNORECASE
)


def says_of_itself(log: DeviceLog, words: re.Pattern[str]) -> bool:
    """Whether ``words`` are found where the device speaks of itself.

    Tables of neighbours, names and descriptions of ports, names of hosts and prompts do not count: they hold whatever
    name somebody gave, such as ``core-arista`` for the neighbour of a Cisco switch.
    """
    text = log.text
    found = words.search(text)
    while found:
        start = text.rfind("\n", 0, found.end()) + 1
        end = text.find("\n", found.end())
        if not _tells_of_others(log.command_at(start), text[start : end if end >= 0 else len(text)]):
            return True
        # The whole line is somebody's name then.
        found = words.search(text, end + 1) if end >= 0 else None
    return False


def _tells_of_others(command: str, line: str) -> bool:
    return bool(
        _OF_NEIGHBOURS.match(command)
        or (_OF_INTERFACES.match(command) and _PORT_ROW.match(line))
        or _PROMPT.match(line)
        or _NAMED.match(line)
    )
