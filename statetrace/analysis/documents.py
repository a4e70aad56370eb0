"""JSON documents: reports and exports, the original's and ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from statetrace.analysis.content import TORN, unpacked
from statetrace.cache.atomic_file import replace_file
from statetrace.errors import TelemetryError

_LONGEST = 256 << 20
_FORMATTING = "ClassId"

_decode = msgspec.json.Decoder().decode


def decode_json(content: bytes | str) -> Any:
    """What a JSON text says. Half of a surrogate pair, which .NET writes without complaint, stays half of one.

    Raises:
        ValueError: it is no JSON, or nested too deep.
    """
    try:
        return _decode(content)
    except (ValueError, RecursionError) as error:
        try:
            return json.loads(content, parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise ValueError(str(error)) from None


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def read_document(path: Path) -> Any:
    """A JSON document, such as a report or a warm-run export, with or without a byte order mark, gzipped or not.

    Raises:
        TelemetryError: the file cannot be read, is longer than 256 MB, or is no JSON.
    """
    try:
        with path.open("rb") as raw:
            content = unpacked(raw).read(_LONGEST + 1)
        if len(content) > _LONGEST:
            raise TelemetryError(f"{path} is no document of at most 256 MB")
        encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        return decode_json(content.decode(encoding))
    except (OSError, *TORN) as error:
        raise TelemetryError(f"{path} cannot be read: {error}") from error
    except ValueError as error:
        raise TelemetryError(f"{path} is no JSON document: {error}") from error


def as_list(value: Any) -> list[Any]:
    """A list that was written as a list, as its only element, or as nothing (reference: warm-run-and-gates 1.4).

    >>> as_list([1, 2]), as_list({"Site": "WLLS"}), as_list(None)
    ([1, 2], [{'Site': 'WLLS'}], [])
    """
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def records(value: Any) -> list[dict[str, Any]]:
    """The objects of a report, without what the original's table formatting left among them.

    >>> records([{"ClassId2e4f51ef21dd47e99d3c952918aff9cd": "x"}, {"Site": "WLLS"}])
    [{'Site': 'WLLS'}]
    """
    return [
        item
        for item in as_list(value)
        if isinstance(item, dict) and not any(key.startswith(_FORMATTING) for key in item)
    ]


def write_document(path: Path, document: Any) -> None:
    """Write a JSON document, indented by two, such that it is there whole or as it was before.

    Raises:
        OSError: it cannot be written.
    """
    try:
        content = msgspec.json.format(msgspec.json.encode(document), indent=2)
    except UnicodeEncodeError:  # a name with a lone surrogate, which is written as an escape
        content = json.dumps(msgspec.to_builtins(document), indent=2).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, [content])
