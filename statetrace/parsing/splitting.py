"""Splitting: a raw log of any number of devices becomes one slice a host (reference: log-parsing 2.2).

Everything here works on UTF-8 bytes, so that folders of gigabytes can be indexed and hashed without decoding them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum

import msgspec

from statetrace.parsing.text import to_utf8

__all__ = [
    "HostSpan",
    "LogSlice",
    "SplitRule",
    "host_spans",
    "hosts_of",
    "same_host",
    "slice_content",
    "slice_name",
    "split_log",
    "to_utf8",
]


class SplitRule(Enum):
    """What is taken for the prompt of a device.

    ``MENDED``: what looks like one and is confirmed by a command or by repetition. ``ORIGINAL``: any first word before
    ``#`` or ``>``, as the original does, for the hashes of its ingestion history (reference: ingestion-pipeline D3).
    """

    MENDED = "mended"
    ORIGINAL = "original"


class HostSpan(msgspec.Struct, frozen=True, gc=False):
    """Consecutive lines of one host, from byte ``start`` to ``end``; ``host`` is ``""`` where none is known yet."""

    host: str
    start: int
    end: int


class LogSlice(msgspec.Struct, frozen=True):
    """All lines of one host.

    Attributes:
        name: the host as a file name; ``""`` when the log names no host.
        content: the canonical bytes of the slice, see ``slice_content``.
    """

    name: str
    content: bytes


# Lines end in LF here, and patterns are possessive throughout: a line is looked at once, however long it is.
_HOSTNAME_WORDS = tuple(re.compile(word + rb"[ \t\f\v][^\n]*+") for word in (rb"ostname", rb"OSTNAME"))
_HOSTNAME_LINE = rb"(?i:hostname)[ \t\f\v]++(?P<named>\S++)[ \t\f\v]*+(?=\n|\Z)"
_MENDED_HOSTNAME_LINE = rb'(?i:hostname)[ \t\f\v]++"?+(?P<named>[^\s"]++)"?+[ \t\f\v]*+(?=\n|\Z)'
_ORIGINAL = re.compile(
    rb"[ \t\f\v]*+(?:(?:(?i:SSH@)(?=[^\s(#>]))?+(?P<host>[^\s(#>]++)(?:\([^)\n]*+\))?+[ \t\f\v]*+[#>]|"
    + _HOSTNAME_LINE
    + rb")"
)
# A name begins and ends with a letter or a digit, so that arrows, markup and banners are none.
_MENDED = (
    rb"(?:(?:[^\s@(#>]++@)?+(?P<host>[0-9A-Za-z\x80-\xff][^\s\x00-\x20\x7f@(#><|*?\"\\=,;'!$%&]*+)(?<![-.:~+_])"
    rb"(?P<context>\([^)\n]*+\))*+[#>]"
    rb"(?P<show>[ \t]*+(?:do[ \t]++)?+(?i:sho?w?)[ \t][^\n]*+)?+(?P<bare>[ \t]*+(?=\n|\Z))?+|"
    + _MENDED_HOSTNAME_LINE
    + rb")"
)
_CLEAN = re.compile(rb"[ \t]*+" + _MENDED)
# Wiped pagers and escapes stand before the prompt in captures of a terminal.
_DIRTY = re.compile(rb"(?:[ \t\x00\x07\x08]|\x1b\[[0-?]*+[ -/]*+[@-~]|(?i:--More--))*+" + _MENDED)

_SHOWS_CONFIGURATION = re.compile(rb"(?i)[ \t]*+(?:do[ \t]++)?+sho?w?[ \t]++(?:run|conf|start)")
_NOT_IN_FILE_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f]')
_CUT_NAME = 10
"""Devices cut long names in the prompts of their configuration modes, but never to less than this."""


def host_spans(utf8: bytes, *, rule: SplitRule = SplitRule.MENDED) -> tuple[HostSpan, ...]:
    """Which lines belong to which host: consecutive ranges over all of ``utf8``, in its order.

    Args:
        utf8: a raw log as ``to_utf8`` gives it.
        rule: what is taken for a prompt.
    """
    hosts = _original_hosts if rule is SplitRule.ORIGINAL else _mended_hosts
    spans: list[HostSpan] = []
    host, start = "", 0
    # A carriage return is as good a line end as any here, and one byte for one keeps the positions.
    for begin, name in hosts(utf8.replace(b"\r", b"\n")):
        if name.casefold() == host.casefold():
            continue
        if begin > start:
            spans.append(HostSpan(host, start, begin))
        host, start = name, begin
    if start < len(utf8):
        spans.append(HostSpan(host, start, len(utf8)))
    return tuple(spans)


def slice_content(parts: Iterable[bytes]) -> bytes:
    """The canonical bytes of a slice: UTF-8 without a byte order mark, every line ended by CR LF.

    The hash of an ingestion history is taken over these (reference: ingestion-pipeline 2.3).
    """
    return b"".join(map(_with_crlf, parts))


def slice_name(host: str) -> str:
    """The host's name as that of a file, as the original writes it: ``_`` for what a file name must not hold."""
    return _NOT_IN_FILE_NAMES.sub("_", host)


def split_log(raw: bytes, *, rule: SplitRule = SplitRule.MENDED) -> tuple[LogSlice, ...]:
    """The slices of a raw log, hosts in the order of their first line; never raises.

    All lines of a host are joined, whatever stands between them. Lines before the first host go to the first host. A
    log that names no host is one slice without a name; an empty one has no slices.
    """
    return tuple(LogSlice(name, slice_content(parts)) for name, parts in hosts_of(to_utf8(raw), rule=rule))


def hosts_of(utf8: bytes, *, rule: SplitRule = SplitRule.MENDED) -> list[tuple[str, list[bytes]]]:
    """Slice name and lines, as they are, of every host; see ``split_log``."""
    hosts: dict[str, tuple[str, list[bytes]]] = {}
    leading: list[bytes] = []
    for span in host_spans(utf8, rule=rule):
        part = utf8[span.start : span.end]
        if not span.host:
            leading.append(part)
            continue
        name = slice_name(span.host)
        hosts.setdefault(name.casefold(), (name, [] if hosts else leading))[1].append(part)
    return list(hosts.values()) or ([("", leading)] if leading else [])


def same_host(name: str, other: str) -> bool:
    """Whether two spellings mean one host: equal but for case, or one of them cut short as prompts are."""
    name, other = sorted((name.casefold(), other.casefold()), key=len)
    return name == other or (len(name) >= _CUT_NAME and other.startswith(name))


def _starts(text: bytes) -> list[int]:
    """Where the lines begin that hold ``#``, ``>`` or the word ``hostname``: few of all."""
    starts = {start for mark in b"#>" for start in _starts_with(text, mark)}
    for word in _HOSTNAME_WORDS:
        starts.update(text.rfind(b"\n", 0, found.start()) + 1 for found in word.finditer(text))
    return sorted(starts)


def _starts_with(text: bytes, mark: int) -> Iterator[int]:
    """Where the lines begin that hold the byte ``mark``; no pattern finds one as fast."""
    found = text.find(mark)
    while found >= 0:
        yield text.rfind(b"\n", 0, found) + 1
        end = text.find(b"\n", found)
        found = text.find(mark, end) if end >= 0 else end


def _original_hosts(text: bytes) -> Iterator[tuple[int, str]]:
    for start in _starts(text):
        if found := _ORIGINAL.match(text, start):
            yield start, (found["host"] or found["named"]).decode("utf-8", "replace")


def _mended_hosts(text: bytes) -> Iterator[tuple[int, str]]:
    line = (_DIRTY if b"\x1b" in text or b"\b" in text else _CLEAN).match
    found = [(start, match) for start in _starts(text) if (match := line(text, start))]
    hosts, in_context = _confirmed([match for _, match in found])
    host, in_configuration = "", False
    for start, match in found:
        if (name := match["named"]) is not None:
            named = name.decode("utf-8", "replace")
            if in_configuration and _either_begins(named, host):
                continue
            host, in_configuration = named, False
            yield start, host
            continue
        name = match["host"].lower()
        if name not in hosts and name not in in_context:
            continue
        prompted = match["host"].decode("utf-8", "replace")
        in_configuration = _SHOWS_CONFIGURATION.match(match["show"] or b"") is not None
        if name in hosts or not same_host(prompted, host):
            host = prompted
            yield start, host


def _confirmed(found: list[re.Match[bytes]]) -> tuple[set[bytes], set[bytes]]:
    """The names, in lower case, that are hosts, and those that only prompt within a mode and so may be cut short.

    A host is named by ``hostname``, asked to ``show`` something, or prompts twice without being asked anything; where
    none is, once is enough.
    """
    hosts: set[bytes] = set()
    in_context: set[bytes] = set()
    waiting: set[bytes] = set()
    for match in found:
        if (name := match["named"]) is not None:
            hosts.add(name.lower())
            continue
        name = match["host"].lower()
        if match["context"] is not None:
            if match["show"]:
                in_context.add(name)
        elif match["show"] or (name in waiting and match["bare"] is not None):
            hosts.add(name)
        elif match["bare"] is not None:
            waiting.add(name)
    return hosts or (set() if in_context else waiting), in_context


def _either_begins(name: str, other: str) -> bool:
    name, other = name.casefold(), other.casefold()
    return name.startswith(other) or other.startswith(name)


def _with_crlf(part: bytes) -> bytes:
    if b"\r" in part:
        part = part.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if part and not part.endswith(b"\n"):
        part += b"\n"
    return part.replace(b"\n", b"\r\n")
