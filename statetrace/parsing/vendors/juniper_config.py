"""The configuration of Junos devices, in either of its forms (reference: log-parsing 6)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

_COMMENT = re.compile(r";\s*##.*\Z")
_INACTIVE = "inactive: "
_SET = "set "
_INTERFACES = "interfaces "
_SET_INTERFACE = re.compile(r"set interfaces (\S+)")
_DEEPEST = 32
_LINE_END = "\r\n"


class JunosConfig(msgspec.Struct, frozen=True):
    """A configuration as ``show configuration`` prints it, with braces or as ``set`` commands.

    Attributes:
        statements: every statement in the words of a ``set`` command without ``set``.
        interfaces: physical interface to the lines of the log that configure it, joined by CR LF.
    """

    statements: tuple[str, ...] = ()
    interfaces: dict[str, str] = {}

    def find(self, pattern: re.Pattern[str]) -> list[re.Match[str]]:
        """The statements that ``pattern`` matches at their start."""
        return [found for statement in self.statements if (found := pattern.match(statement))]


def read_config(lines: Sequence[str]) -> JunosConfig:
    """The configuration in ``lines``; anything that is none is passed over, and so are inactive parts."""
    commands = any(line.startswith(_SET) for line in lines)
    statements, interfaces = _from_commands(lines) if commands else _from_braces(lines)
    return JunosConfig(
        statements=tuple(statement for statement in statements if _INACTIVE not in statement),
        interfaces={name: _LINE_END.join(stanza) for name, stanza in interfaces.items()},
    )


def _from_commands(lines: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    statements: list[str] = []
    interfaces: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith(_SET):
            statements.append(line[len(_SET) :].rstrip())
            if found := _SET_INTERFACE.match(line):
                interfaces.setdefault(found[1], []).append(line)
    return statements, interfaces


def _from_braces(lines: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    statements: list[str] = []
    interfaces: dict[str, list[str]] = {}
    stanza: list[str] | None = None
    # The words in front of a statement, one text a level; deeper levels than any device has stay within the last.
    levels = [""]
    for line in lines:
        text = line.strip()
        if "##" in text:
            text = _COMMENT.sub(";", text)
        end = text[-1:]
        if end == ";":
            statements.append(levels[-1] + text[:-1])
        elif end == "{":
            before, name = levels[-1], text[:-1].rstrip()
            if before == _INTERFACES:
                stanza = interfaces.setdefault(name.removeprefix(_INACTIVE), [])
            levels.append(f"{before}{name} " if len(levels) < _DEEPEST else before)
        if stanza is not None:
            stanza.append(line)
        if end == "}" and len(levels) > 1:
            levels.pop()
            if levels[-1] == _INTERFACES:
                stanza = None
    return statements, interfaces


def unquoted(text: str) -> str:
    """A value without the quotes that Junos puts round blanks."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
