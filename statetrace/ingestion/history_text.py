"""Records of what was ingested, and their text: the original's JSON, read tolerantly and written strictly."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Sequence

import msgspec

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_BETWEEN_RECORDS = " \t\r\n,[]"
_NULL = b"null"
_MOST_DAMAGE = 1_000
"""Places after which the rest of a file is given up; each one costs time in proportion to the file."""


class HistoryRecord(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One host slice that was ingested and committed (reference: ingestion-pipeline 3.1).

    Attributes:
        hostname: the key: name of the slice without its suffix.
        actual_hostname: the host name that the slice itself gives.
        site: site code of ``hostname``.
        file_hash: SHA-256 of the slice, 64 hexadecimal digits.
        source_length: bytes of the slice.
        source_timestamp_utc: when the slice was written, as ``telemetry.utc_text`` writes it; ``""`` if unknown.
        last_ingested_utc: when this record was made, likewise.
    """

    hostname: str
    actual_hostname: str = ""
    site: str = ""
    file_hash: str
    source_length: int
    source_timestamp_utc: str = ""
    last_ingested_utc: str = ""


class Row(msgspec.Struct, frozen=True):
    """A record, and its text field by field: what is not changed is written as it was read, unknown fields too."""

    record: HistoryRecord
    fields: dict[str, msgspec.Raw]


class Content(msgspec.Struct, frozen=True):
    """What a file holds: its records in order, and at how many places it is damaged."""

    rows: list[Row]
    damaged: int


def read_rows(raw: bytes) -> Content:
    """The records of a file: an array, one object alone, or objects one after the other; UTF-8, or UTF-16 with a mark.

    Raises nothing: whatever cannot be understood is left out and counted.
    """
    text = _as_utf8(raw)
    if not text.strip():
        return Content([], 0)
    try:
        document = msgspec.json.decode(text, type=list[dict[str, msgspec.Raw]] | dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _salvaged(text)
    objects = document if isinstance(document, list) else [document]
    rows = [row for fields in objects if (row := _row_of_fields(fields)) is not None]
    return Content(rows, len(objects) - len(rows))


def row_of(record: HistoryRecord) -> Row:
    """A new record with its text."""
    values = msgspec.to_builtins(record)
    values = {name: storable(value) if isinstance(value, str) else value for name, value in values.items()}
    fields = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in values.items()}
    return Row(msgspec.convert(values, HistoryRecord), fields)


def storable(text: str) -> str:
    """The text without what JSON cannot carry: halves of surrogate pairs, as in file names that are not UTF-8."""
    return text.encode("utf-8", "replace").decode()


def rows_as_blocks(rows: Sequence[Row]) -> Iterator[bytes]:
    """The text of a file: always an array, indented as PowerShell 7 does; UTF-8 without mark, lines end in CRLF.

    New text is plain ASCII, because Windows PowerShell takes UTF-8 without mark for the code page of the machine.
    """
    yield b"["
    for number, row in enumerate(rows):
        fields = (b"    %b: %b" % (json.dumps(name).encode(), bytes(text)) for name, text in row.fields.items())
        yield b"%b\r\n  {\r\n%b\r\n  }" % (b"," if number else b"", b",\r\n".join(fields))
    yield b"\r\n]\r\n" if rows else b"]\r\n"


def _as_utf8(raw: bytes) -> bytes:
    if (encoding := _UTF16.get(raw[:2])) is None:
        return raw.removeprefix(codecs.BOM_UTF8)
    # Half a character at a torn end is damage, and so is half a pair, which UTF-8 readers refuse.
    whole = len(raw) & ~1
    text = raw[2:whole].decode(encoding, "surrogatepass") + "\ufffd" * (len(raw) - whole)
    return text.encode("utf-8", "surrogatepass")


def _row_of_fields(fields: dict[str, msgspec.Raw]) -> Row | None:
    """The record of an object; ``None`` if it is none."""
    given = {name: text for name, text in fields.items() if bytes(text) != _NULL}
    try:
        record = msgspec.json.decode(msgspec.json.encode(given), type=HistoryRecord, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return Row(record, fields) if record.hostname.strip() and record.file_hash.strip() else None


def _salvaged(raw: bytes) -> Content:
    """The records of a file that is no JSON document, or none of ours: each object for itself."""
    # Bytes that are no UTF-8 are kept as such, so that the object that they stand in is found to be damaged.
    text = raw.decode("utf-8", "surrogateescape")
    decode = json.JSONDecoder().raw_decode
    rows: list[Row] = []
    damaged = 0
    end, in_damage = 0, False
    while damaged < _MOST_DAMAGE and (start := text.find("{", end)) >= 0:
        damaged += not in_damage and bool(text[end:start].strip(_BETWEEN_RECORDS))
        row = None
        try:
            _, end = decode(text, start)
            row = _row_of_fields(msgspec.json.decode(text[start:end].encode(), type=dict[str, msgspec.Raw]))
            in_damage = False
        except RecursionError:
            return Content(rows, damaged + 1)
        except (ValueError, msgspec.DecodeError):
            # The rest may hold whole objects again. What begins inside of a damaged one counts for another damage.
            end, in_damage = start + 1, True
        if row is None:
            damaged += 1
        else:
            rows.append(row)
    damaged += not in_damage and bool(text[end:].strip(_BETWEEN_RECORDS))
    return Content(rows, damaged)
