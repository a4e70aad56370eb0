"""Prompts on single lines of a slice: whose they are and what was typed (reference: log-parsing 2.3, 4)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from statetrace.parsing.splitting import host_spans, same_host

ORIGINAL_PROMPT = re.compile(r"\s*\S*[>#]")
"""Any first word with ``#`` or ``>`` in it."""
ORIGINAL_COMMAND = re.compile(r"\s*\S*[>#]\s*(?:do\s+)?(show\s+\S.*)", re.IGNORECASE)

_ORIGINAL_HOST = re.compile(r"(?:SSH@)?([^\s(#>]+)(?:\([^)]*\))?[#>]")
_HOSTNAME_LINE = re.compile(r"\s*hostname\s+(\S.*)", re.IGNORECASE)
_ASKED = re.compile(r"[ \t]*(?:[^\s@(#>]+@)?([0-9A-Za-z](?:[\w.-]*[0-9A-Za-z])?)[#>][ \t]*sho?w?[ \t]", re.IGNORECASE)
_NAME = re.compile(r"[0-9A-Za-z](?:[\w.-]*[0-9A-Za-z])?\Z")
_PROMPT = re.compile(
    r"[ \t]*(?:[^\s@(#>]++@)?+(?P<host>[^\s@(#>]*+)(?:\([^)]*+\))*+[#>][ \t]*+(?:do[ \t]++)?+"
    r"(?:sho?w?[ \t]++(?P<shown>\S.*+)|(?P<bare>\Z))?",
    re.IGNORECASE,
)


def original_hostname(lines: Iterable[str]) -> str:
    """The name by the original's rule: the first prompt at the start of a line, else the first ``hostname`` line."""
    named = ""
    for line in lines:
        if found := _ORIGINAL_HOST.match(line):
            return found[1]
        if not named and (found := _HOSTNAME_LINE.match(line)):
            named = found[1].strip()
    return named


def hostname(text: str, marked: Iterable[str]) -> str:
    """The name of the first device in ``text`` that is asked for something.

    The rule is that of splitting; the shorter way taken first gives the same answer for nearly all logs.

    Args:
        text: the slice.
        marked: its lines that hold ``#`` or ``>``.
    """
    for line in marked:
        if found := _ASKED.match(line):
            return found[1]
    return next((span.host for span in host_spans(text.encode("utf-8", "replace")) if span.host), "")


class Prompts:
    """Recognises the prompts of one host."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._ours: dict[str, bool] = {"": not host}

    def read(self, line: str) -> tuple[bool, str]:
        """Whether a prompt of this host begins ``line`` or a command of any host stands there, and our command.

        The command is lower-cased and begins with ``show`` however that was abbreviated; ``""`` for none.
        """
        found = _PROMPT.match(line)
        if found is None:
            return False, ""
        host, shown = found["host"], found["shown"]
        ours = self._ours.get(host)
        if ours is None:
            ours = self._ours[host] = same_host(host, self._host)
        if ours and shown is not None:
            return True, f"show {shown.strip().lower()}"
        if ours:
            return host != "" or found["bare"] is not None, ""
        return shown is not None and _NAME.match(host) is not None, ""
