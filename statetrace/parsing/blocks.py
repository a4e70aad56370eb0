"""Command blocks: what a device printed in answer to one ``show`` command (reference: log-parsing 2.3, 2.4)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from enum import Enum
from functools import cache, cached_property, lru_cache
from typing import TypeVar

import msgspec

from statetrace.parsing.prompts import ORIGINAL_COMMAND, ORIGINAL_PROMPT, Prompts, hostname, original_hostname
from statetrace.parsing.report import ReportBuilder

_T = TypeVar("_T")


class ParseMode(Enum):
    """What counts where the original is wrong.

    ``LOG``: the log; the original's defects are mended. ``PARITY``: exactly the rows that the newest original stores
    (reference: log-parsing 12, 15).
    """

    LOG = "log"
    PARITY = "parity"

    __hash__ = object.__hash__  # caches ask by mode for every port; that of Enum is written in Python


class CommandBlock(msgspec.Struct, frozen=True, dict=True):
    r"""What one command printed.

    Attributes:
        command: the command, trimmed and lower-cased: ``show version``.
        first_line: number of the first line of output, 1-based within the slice.
        text: the output, without the line of the command. A LF stands before every line, the first one included, and
            none behind the last: patterns that begin with ``\n`` find lines by their beginnings.
        line_count: how many lines that are.
    """

    command: str
    first_line: int
    text: str
    line_count: int

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the output, split when first asked for."""
        return self.text.split("\n")[1:]


class BlockNames(msgspec.Struct, frozen=True):
    """Under which commands a vendor prints something; the three are tried in this order (reference: log-parsing 2.4).

    Attributes:
        exact: full commands, lower case.
        pattern: searched in the lower-cased commands of the log, so begin it with ``^`` where that is meant.
        raw: searched in single raw lines that hold ``#`` or ``>``, prompt included; compile it with ``IGNORECASE``.
    """

    exact: tuple[str, ...]
    pattern: re.Pattern[str] | None = None
    raw: re.Pattern[str] | None = None


_NO_ANSWER = re.compile(r"\s*(?:[%^]|Invalid input|\Z)")
_PAGE_OFF = re.compile(r"\s*\|\s*no-?\s?more\s*\Z")
_SHORTEST_WORD = 2
_LONGEST_LINE = 4000
"""Characters that are read of a line; no device prints more, and patterns may take their square."""
_LONGEST_COMMAND = 300


class DeviceLog:
    """The log of one device, cut into command blocks.

    Attributes:
        text: the slice, a LF before every line as in a block.
        blocks: command to block, in the order of the log.
        name: the name of the slice, which is its host's as far as that is known.
        hostname: the device's name as its prompt says it, else that of the slice; ``""`` when neither tells.
        mode: whether the original's defects are mended.
        report: collects what is worth telling.
    """

    def __init__(self, text: str, *, name: str = "", mode: ParseMode = ParseMode.LOG) -> None:
        self.text = f"\n{text}".removesuffix("\n")
        self.name = name
        self.mode = mode
        self.report = ReportBuilder()
        if _has_long_line(self.text):
            self.text = self._shortened()
        self._whole = CommandBlock("", 1, self.text, self.text.count("\n"))
        self._marked = _marked_lines(self.text)
        self._ends: list[int]
        self._commands: list[str]
        if mode is ParseMode.PARITY:
            self.hostname = original_hostname(self.lines)
            self.blocks = self._cut(_original_prompt)
        else:
            self.hostname = hostname(self.text, self._marked.values())
            self.blocks = self._cut(Prompts(self.hostname).read)

    @property
    def lines(self) -> list[str]:
        """All lines of the slice, without their ends."""
        return self._whole.lines

    def find(self, names: BlockNames) -> CommandBlock | None:
        """The block that ``names`` stands for, marked as recognised; None when the log has none.

        Beside the three steps of ``names`` commands may be abbreviated word by word: ``sh int status``. A command that
        was answered by nothing or by an error counts only where no other was answered.
        """
        block = self._find(names)
        if block is not None:
            self.report.recognised(block)
        return block

    def whole(self) -> CommandBlock:
        """The whole slice as one block, for vendors that look there when a command is missing."""
        return self._whole

    def command_at(self, position: int) -> str:
        """The command that printed what stands at ``position`` of ``text``; ``""`` when none did."""
        following = bisect_right(self._ends, position)
        return self._commands[following - 1] if following else ""

    def guarded(self, what: str, function: Callable[[], _T], default: _T) -> _T:
        """The result of ``function``; when it fails, ``default`` and a note, so that one bad block costs that block."""
        try:
            return function()
        except Exception as error:  # noqa: BLE001  # the border where one block's failure becomes data
            self.report.note(f"{what} could not be read: {type(error).__name__}: {error}")
            return default

    def _shortened(self) -> str:
        lines = self.text.split("\n")
        for number, line in enumerate(lines):
            if len(line) > _LONGEST_LINE:
                lines[number] = line[:_LONGEST_LINE]
                self.report.note(f"only {_LONGEST_LINE} of {len(line)} characters of the line were read", number)
        return "\n".join(lines)

    def _cut(self, read: Callable[[str], tuple[bool, str]]) -> dict[str, CommandBlock]:
        prompts = []
        for start, line in self._marked.items():
            ends_block, command = read(line)
            if ends_block:
                prompts.append((start, len(line), command))
        self._ends = [start for start, _, _ in prompts]
        self._commands = [command for _, _, command in prompts]
        blocks: dict[str, CommandBlock] = {}
        number = self.text.count("\n", 0, self._ends[0]) + 1 if prompts else 0
        for (start, length, command), end in zip(prompts, [*self._ends, len(self.text)][1:], strict=True):
            text = self.text[start + 1 + length : end]
            block = CommandBlock(command, number + 1, text, text.count("\n"))
            number += block.line_count + 1
            if command and (self.mode is ParseMode.PARITY or command not in blocks or _says_something(block)):
                blocks[command] = block
        return blocks

    def _find(self, names: BlockNames) -> CommandBlock | None:
        first = None
        for block in self._candidates(names):
            if self.mode is ParseMode.PARITY or _says_something(block):
                return block
            first = first or block
        return first

    def _candidates(self, names: BlockNames) -> Iterator[CommandBlock]:
        blocks = self.blocks
        for name in names.exact:
            if name in blocks:
                yield blocks[name]
        if names.pattern is not None:
            for name, block in blocks.items():
                if names.pattern.search(name):
                    yield block
        if self.mode is ParseMode.LOG:
            yield from (block for typed, block in reversed(blocks.items()) if _abbreviates(typed, names.exact))
        if raw := self._find_raw(names):
            yield raw

    def _find_raw(self, names: BlockNames) -> CommandBlock | None:
        if names.raw is None:
            return None
        for start, line in self._marked.items():
            if names.raw.search(line[:_LONGEST_COMMAND]):
                begin = start + 1 + len(line)
                following = bisect_right(self._ends, start)
                end = self._ends[following] if following < len(self._ends) else len(self.text)
                text = self.text[begin:end]
                return CommandBlock(names.exact[0], self.text.count("\n", 0, begin) + 1, text, text.count("\n"))
        return None


def _marked_lines(text: str) -> dict[int, str]:
    """The lines that hold ``#`` or ``>``, which hardly any line does, by the places of the line ends before them."""
    ends: dict[int, int] = {}
    for mark in "#>":
        found = text.find(mark)
        while found >= 0:
            end = text.find("\n", found)
            if end < 0:
                end = len(text)
            ends[text.rfind("\n", 0, found)] = end
            found = text.find(mark, end)
    return {start: text[start + 1 : ends[start]] for start in sorted(ends)}


def _has_long_line(text: str) -> bool:
    """Whether a line is perhaps too long: such a line leaves half of its allowed length without a line end."""
    half = _LONGEST_LINE // 2
    return any(text.find("\n", start, start + half) < 0 for start in range(0, len(text) - half, half))


def _original_prompt(line: str) -> tuple[bool, str]:
    if not ORIGINAL_PROMPT.match(line):
        return False, ""
    shown = ORIGINAL_COMMAND.match(line)
    return True, shown[1].strip().lower() if shown else ""


def _says_something(block: CommandBlock) -> bool:
    """Whether a command was answered, and not by an error: a repetition in vain does not replace an answer."""
    return _NO_ANSWER.match(block.text) is None


@cache
def _words(names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The words of commands; ``mac-address`` may be typed as one word or as two."""
    return tuple({tuple(form.split()): None for name in names for form in (name, name.replace("-", " "))})


@lru_cache(maxsize=4096)
def _abbreviates(typed: str, names: tuple[str, ...]) -> bool:
    """Whether a command abbreviates one of ``names`` word by word."""
    words = _PAGE_OFF.sub("", typed).split()
    if min(map(len, words), default=0) < _SHORTEST_WORD:
        return False
    return any(len(words) == len(name) and all(map(str.startswith, name, words)) for name in _words(names))
