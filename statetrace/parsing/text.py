"""Text of a log: bytes to text, text to lines, and what a terminal leaves in a capture (reference: log-parsing 2.1)."""

from __future__ import annotations

import codecs
import re

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_ESCAPE = re.compile(
    r"\x1b(?:"
    r"\[[0-?]*[ -/]*[@-~]"  # cursor movements, colours, erasing
    r"|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?"  # window titles
    r"|[()*+#%][ -~]"  # character sets
    r"|[ -~])?"  # everything else has one letter
)
_ERASED = r"(?:[ ]*[\b\r]+)*"
# What pagers print; the blanks, backspaces and carriage returns that wipe it away again belong to it.
_PAGER = re.compile(
    r"^[ \t]*(?:"
    r"<?-{2,}[ ]?more[ ]?-{2,}>?(?:,? ?next page:[^\n\r\b]*)?"
    r"|-{2,}\(more[^)\n\r]{0,12}\)-{2,}"
    r")" + _ERASED + r"(?:[ \t]*\n)?",
    re.IGNORECASE | re.MULTILINE,
)
# One of these is in every one of them; plain words as patterns, because those are found twice as fast as by ``in``.
_PAGER_SIGNS = (re.compile("M(?:ore|ORE)"), re.compile(r"\(more"))


def to_utf8(raw: bytes) -> bytes:
    """The same text as UTF-8 without a byte order mark; what is not valid becomes U+FFFD.

    A mark of UTF-8, UTF-16 or UTF-32 tells the encoding, without one it is UTF-8. Bytes that are clean UTF-8 already
    are returned as they are.
    """
    if raw.isascii():
        return raw
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(encoding, "replace").encode()
    try:
        raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace").encode()
    return raw


def to_text(log: str | bytes) -> str:
    """The text of a log, without a byte order mark and without anything that UTF-8 cannot hold."""
    if isinstance(log, bytes):
        return to_utf8(log).decode()
    if log.isascii():
        return log
    return log.removeprefix("\ufeff").encode("utf-8", "replace").decode()


def unify_line_ends(text: str) -> str:
    r"""The text with every line end as ``\n``: CR LF, LF and CR alone end a line, nothing else does."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def without_artefacts(text: str) -> str:
    """The text as it stood on the screen: without escapes, pager prompts and what backspaces took back.

    A clean text is returned as it is, at the cost of looking for three characters and a few words.
    """
    if "\0" in text:
        text = text.replace("\0", "")
    if "\r" in text and "\r\r\n" in text:
        text = re.sub(r"\r\r+\n", "\n", text)
    if "\x1b" in text:
        text = _ESCAPE.sub("", text.replace("\x1bE", "\n"))
    if any(sign.search(text) for sign in _PAGER_SIGNS):
        text = _PAGER.sub("", text.replace("\r\n", "\n"))
    if "\b" in text:
        text = "\n".join([_overprinted(line) if "\b" in line else line for line in text.split("\n")])
    return text


def _overprinted(line: str) -> str:
    shown: list[str] = []
    column = 0
    for character in line:
        if character == "\b":
            column = max(column - 1, 0)
        elif column < len(shown):
            shown[column] = character
            column += 1
        else:
            shown.append(character)
            column += 1
    return "".join(shown)
