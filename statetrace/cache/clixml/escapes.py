"""The character escapes of CLIXML: ``_xHHHH_`` for a UTF-16 code unit that the document must not hold as it is."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"_[xX]([0-9a-fA-F]{8}|[0-9a-fA-F]{4})_")
_LAST_CODE_POINT = 0x10FFFF


def decode_escapes(text: str) -> str:
    r"""``text`` with its escapes undone, from left to right and without overlap.

    Surrogate escapes that make a pair become one character, a lone one stays. Besides what PowerShell writes, a
    capital ``X`` and eight digits are read (reference: clixml-snapshots 1.5).

    >>> decode_escapes("a_x000D__x000A_b"), decode_escapes("_x005F_x000A_"), decode_escapes("_xD83D__xDE00_")
    ('a\r\nb', '_x000A_', '😀')
    """
    # Line ends are nearly all there is in practice. Plain replacement goes wrong only where an escape shares its
    # underscore with another one before it, and then the head of that one, "_x", is left over.
    plain = text.replace("_x000D__x000A_", "\r\n")
    if "_" not in plain:
        return plain
    plain = plain.replace("_x000A_", "\n").replace("_x000D_", "\r")
    if "_x" not in plain and "_X" not in plain:
        return plain
    decoded = _ESCAPE.sub(_character, text)
    if decoded.isascii():
        return decoded
    return decoded.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return chr(code) if code <= _LAST_CODE_POINT else match[0]


_ESCAPED_EVERYWHERE = re.compile(
    # Control characters, surrogates, what XML forbids, characters of two code units, and a literal "_x".
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U00010000-\U0010ffff&<>]|_(?=[xX])"
)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BEYOND_ONE_UNIT = 0xFFFF


def encode_text(text: str) -> str:
    r"""``text`` as it stands between the tags of a document: escaped first for CLIXML, then for XML.

    What is written is undone by any reader of CLIXML, whatever characters ``text`` has.

    >>> encode_text("R&D <1>\r\n"), encode_text("a_x41"), encode_text("\U0001f600")
    ('R&amp;D &lt;1&gt;_x000D__x000A_', 'a_x005F_x41', '_xD83D__xDE00_')
    """
    # Most values are short and plain, and configurations are plain apart from their line ends.
    if text.isascii() and "&" not in text and "<" not in text and ">" not in text and "_" not in text:
        if text.isprintable():
            return text
        plain = text.replace("\r", "").replace("\n", "")
        if plain.isprintable():
            return text.replace("\r", "_x000D_").replace("\n", "_x000A_")
    return _ESCAPED_EVERYWHERE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    entity = _ENTITIES.get(character)
    if entity is not None:
        return entity
    code = ord(character)
    if code > _BEYOND_ONE_UNIT:
        code -= 0x10000
        return f"_x{0xD800 + (code >> 10):04X}__x{0xDC00 + (code & 0x3FF):04X}_"
    return f"_x{code:04X}_"
