"""The outside of a CLIXML file: its encoding, its first line and its root element."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from itertools import chain
from typing import NamedTuple

from statetrace.errors import SnapshotError

NAMESPACE = "http://schemas.microsoft.com/powershell/2004/04"
VERSION = "1.1.0.1"
_MAJOR_VERSION = "1"
ROOT_OPEN = f'<Objs Version="{VERSION}" xmlns="{NAMESPACE}">'
ROOT_EMPTY = f'<Objs Version="{VERSION}" xmlns="{NAMESPACE}" />'
ROOT_CLOSE = "</Objs>"
NEWLINE = "\r\n"

_STREAM_MARK = re.compile(rb"#< CLIXML\r?\n")
_HEAD_BYTES = 64
_MARK_BYTES = 4


class ClixmlEncoding(Enum):
    """The encodings that PowerShell knows; UTF-16 only with a byte order mark (reference: clixml-snapshots 1.1)."""

    UTF_8 = "UTF-8"
    UTF_16LE = "UTF-16LE"
    UTF_16BE = "UTF-16BE"


BYTE_ORDER_MARKS = {
    ClixmlEncoding.UTF_8: codecs.BOM_UTF8,
    ClixmlEncoding.UTF_16LE: codecs.BOM_UTF16_LE,
    ClixmlEncoding.UTF_16BE: codecs.BOM_UTF16_BE,
}


class Document(NamedTuple):
    """A document, decoded.

    Attributes:
        encoding: what it was encoded in.
        first_line: the line of the file on which ``blocks`` begins: 2 after the line ``#< CLIXML``, else 1.
        blocks: its text as UTF-8, without byte order mark and ``#< CLIXML``.
    """

    encoding: ClixmlEncoding
    first_line: int
    blocks: Iterator[bytes]


def open_document(blocks: Iterable[bytes], max_bytes: int) -> Document:
    """The document whose bytes come in ``blocks``, in pieces of any size.

    Raises:
        SnapshotError: the document is empty or in an unknown encoding; while its blocks are taken also: it is larger
            than ``max_bytes`` or not in the encoding that its byte order mark announces.
    """
    limited = _limited(blocks, max_bytes)
    head = b""
    for block in limited:
        head += block
        if len(head) >= _HEAD_BYTES:
            break
    if not head:
        raise SnapshotError("the file is empty")
    marked = ((encoding, mark) for encoding, mark in BYTE_ORDER_MARKS.items() if head.startswith(mark))
    encoding, mark = next(marked, (ClixmlEncoding.UTF_8, b""))
    head = head[len(mark) :]
    decoded: Iterator[bytes] = chain((head,), limited)
    if encoding is not ClixmlEncoding.UTF_8:
        decoded = _recoded(decoded, encoding)
    elif b"\0" in head[:_MARK_BYTES] or head.startswith(tuple(BYTE_ORDER_MARKS.values())):
        # The parser would guess what it is; PowerShell does not.
        raise SnapshotError("the file is neither UTF-8 nor UTF-16 with one byte order mark")
    head = next(decoded)
    match = _STREAM_MARK.match(head)
    return Document(encoding, 2 if match else 1, chain((head[match.end() :] if match else head,), decoded))


def _limited(blocks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    size = 0
    for block in blocks:
        size += len(block)
        if size > max_bytes:
            raise SnapshotError(
                f"the document is larger than the {max_bytes:,} bytes allowed; a Limits of your own lets more in"
            )
        yield block


def _recoded(blocks: Iterator[bytes], encoding: ClixmlEncoding) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding.value)()
    try:
        for block in blocks:
            yield decoder.decode(block).encode()
        yield decoder.decode(b"", True).encode()  # noqa: FBT003  # takes no keyword
    except UnicodeDecodeError as error:
        raise SnapshotError(f"the file is not {encoding.value}: {error.reason}") from error


def root_refusal(attributes: Mapping[str, str]) -> str | None:
    """Why a root element with these attributes is refused, or ``None``. A missing version is accepted."""
    if "xmlns" not in attributes:
        return f"must be of the namespace {NAMESPACE}"
    version = attributes.get("Version", _MAJOR_VERSION)
    if version.partition(".")[0] != _MAJOR_VERSION:
        return f"has version {version!r}; only version {_MAJOR_VERSION} is known"
    return None
