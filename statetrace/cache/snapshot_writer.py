"""Writing snapshots of the cache, byte for byte as PowerShell would (reference: clixml-snapshots 1 and 6)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from pathlib import Path

import msgspec

from statetrace.cache.atomic_file import replace_file
from statetrace.cache.clixml.document import (
    BYTE_ORDER_MARKS,
    NEWLINE,
    ROOT_CLOSE,
    ROOT_EMPTY,
    ROOT_OPEN,
    ClixmlEncoding,
)
from statetrace.cache.clixml.escapes import encode_text
from statetrace.cache.snapshot_rows import written_signature, written_tooltip
from statetrace.model.interface import WIRE_FIELDS, InterfaceRow, utf16_length
from statetrace.model.keys import CaseInsensitiveMap
from statetrace.model.site_entry import HostPorts, SiteEntry

ENTRY_CLASS = "StateTrace.Repository.SharedSiteInterfaceCacheEntry"
ROW_CLASS = "StateTrace.Models.InterfaceCacheEntry"
# The original compiles its row class at run time, so that its assembly has another random name in every process.
# Nobody resolves the name; one fixed word keeps equal content equal in bytes.
_ROW_ASSEMBLY = "StateTrace.Models"


class SnapshotStyle(Enum):
    """Whose snapshots a written one looks like; any PowerShell reads both."""

    POWERSHELL_7 = "powershell-7"
    """UTF-8 without byte order mark."""
    WINDOWS_POWERSHELL = "windows-powershell"
    """UTF-16LE with byte order mark, twice the size."""

    @property
    def encoding(self) -> ClixmlEncoding:
        return ClixmlEncoding.UTF_8 if self is SnapshotStyle.POWERSHELL_7 else ClixmlEncoding.UTF_16LE


_CORE_LIBRARIES = {
    SnapshotStyle.POWERSHELL_7: (
        "System.Private.CoreLib, Version=9.0.0.0, Culture=neutral, PublicKeyToken=7cec85d7bea7798e"
    ),
    SnapshotStyle.WINDOWS_POWERSHELL: "mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089",
}


def write_snapshot(
    path: str | os.PathLike[str],
    entries: Mapping[str, SiteEntry],
    *,
    style: SnapshotStyle = SnapshotStyle.POWERSHELL_7,
) -> None:
    """Writes the entries of sites to the file ``path``, whose directory is made if need be.

    Readers see the old file or the whole new one: it is written beside ``path`` and put in its place when it is on
    disk. Sites, hosts and ports keep their order. No entries give a document without objects.

    Raises:
        OSError: the file cannot be written; ``path`` is as it was.
    """
    replace_file(Path(path), _blocks(entries, style))


def format_snapshot(entries: Mapping[str, SiteEntry], style: SnapshotStyle = SnapshotStyle.POWERSHELL_7) -> bytes:
    """The bytes that ``write_snapshot`` writes."""
    return b"".join(_blocks(entries, style))


def _blocks(entries: Mapping[str, SiteEntry], style: SnapshotStyle) -> Iterator[bytes]:
    encoding = style.encoding
    codec = encoding.value
    yield BYTE_ORDER_MARKS[encoding] if encoding is not ClixmlEncoding.UTF_8 else b""
    for text in _Document(style).texts(CaseInsensitiveMap(entries)):
        yield text.encode(codec)


def _lines(indentation: int, *lines: str) -> str:
    return "".join(f"{' ' * indentation}{line}{NEWLINE}" for line in lines)


_ENTRY_OPEN = '  <Obj RefId="{}">' + NEWLINE
_ENTRY_HEAD = _lines(4, f"<ToString>{ENTRY_CLASS}</ToString>", "<Props>") + '      <S N="SiteKey">{}</S>' + NEWLINE
_HOST_MAP_OPEN = '      <Obj N="HostMap" RefId="{}">' + NEWLINE
_ENTRY_CLOSE = _lines(6, "</Obj>") + _lines(4, "</Props>") + _lines(2, "</Obj>")
_HOST_OPEN = _lines(10, "<En>") + _lines(12, '<S N="Key">{}</S>', '<Obj N="Value" RefId="{}">')
_HOST_CLOSE = _lines(12, "</Obj>") + _lines(10, "</En>")


@cache
def _row_template(indentation: int) -> str:
    """The entry of a row in a map whose entries are indented by so many blanks."""
    return (
        _lines(indentation, "<En>")
        + _lines(indentation + 2, '<S N="Key">%s</S>', '<Obj N="Value" RefId="%d">')
        + "%s"
        + _lines(indentation + 4, f"<ToString>{ROW_CLASS}</ToString>", "<Props>")
        + _lines(indentation + 6, *(f'<S N="{field}">%s</S>' for field in WIRE_FIELDS))
        + _lines(indentation + 4, "</Props>")
        + _lines(indentation + 2, "</Obj>")
        + _lines(indentation, "</En>")
    )


class _Parts(dict[str, tuple[str, str]]):
    """A value as written, and as part of a signature: values of a column repeat from row to row."""

    def __missing__(self, text: str) -> tuple[str, str]:
        written = encode_text(text)
        parts = self[text] = written, f"{utf16_length(text)}:{written}"
        return parts


class ObjectWriter:
    """Writes the maps of rows of one document.

    Numbers objects and type names in the order of the document, and writes a chain of type names only once.
    """

    def __init__(self, style: SnapshotStyle) -> None:
        core_library = _CORE_LIBRARIES[style]
        text = f"System.String, {core_library}"
        row = f"{ROW_CLASS}, {_ROW_ASSEMBLY}, Version=0.0.0.0, Culture=neutral, PublicKeyToken=null"
        dictionary = "System.Collections.Generic.Dictionary`2"
        self._host_map_class = f"{dictionary}[[{text}],[System.Object, {core_library}]]"
        self._port_map_class = f"{dictionary}[[{text}],[{row}]]"
        self._type_names: dict[str, int] = {}
        self._objects = 0
        self._parts = _Parts()

    def number(self) -> int:
        """The number of the next object."""
        self._objects += 1
        return self._objects - 1

    def types(self, indentation: int, class_name: str, *bases: str) -> str:
        """The type names of an object, from its class to ``System.Object``, or the number that they have by now."""
        known = self._type_names.get(class_name)
        if known is not None:
            return f'{" " * indentation}<TNRef RefId="{known}" />{NEWLINE}'
        number = self._type_names[class_name] = len(self._type_names)
        names = (f"<T>{name}</T>" for name in (class_name, *bases, "System.Object"))
        return (
            _lines(indentation, f'<TN RefId="{number}">')
            + _lines(indentation + 2, *names)
            + _lines(indentation, "</TN>")
        )

    def port_map(self, indentation: int, ports: HostPorts) -> str:
        """What stands in the object that is the map of a host's rows."""
        written = [self.types(indentation, self._port_map_class)]
        if ports:
            written.append(_lines(indentation, "<DCT>"))
            written.extend(self._row(indentation + 2, port, row) for port, row in ports.items())
            written.append(_lines(indentation, "</DCT>"))
        else:
            written.append(_lines(indentation, "<DCT />"))
        return "".join(written)

    def _row(self, indentation: int, port: str, row: InterfaceRow) -> str:
        # Escapes never reach across the ends of a value, so tooltip and signature are put together from the written
        # forms of the values that they repeat, instead of being escaped once more.
        values = msgspec.structs.astuple(row)
        written, signed = zip(*map(self._parts.__getitem__, (*values[:11], *values[12:15])), strict=True)
        config = encode_text(row.config)
        if row.stated_tooltip is None:
            tooltip = written_tooltip(row.config, written[10], config)
        else:
            tooltip = encode_text(row.stated_tooltip)
        if row.stated_signature is None:
            signature = written_signature(signed, row, config, tooltip)
        else:
            signature = encode_text(row.stated_signature)
        return _row_template(indentation) % (
            encode_text(port), self.number(), self.types(indentation + 4, ROW_CLASS),
            *written[:11], config, *written[11:], tooltip, signature,
        )  # fmt: skip


class _Document(ObjectWriter):
    """A snapshot of the cache."""

    def texts(self, entries: Mapping[str, SiteEntry]) -> Iterator[str]:
        """The document in pieces, one a host."""
        if not entries:
            yield ROOT_EMPTY
            return
        yield ROOT_OPEN + NEWLINE
        for site, entry in entries.items():
            yield from self._entry(site, entry)
        yield ROOT_CLOSE

    def _entry(self, site: str, entry: SiteEntry) -> Iterator[str]:
        yield _ENTRY_OPEN.format(self.number()) + self.types(4, ENTRY_CLASS)
        yield _ENTRY_HEAD.format(encode_text(site))
        yield _HOST_MAP_OPEN.format(self.number()) + self.types(8, self._host_map_class)
        if entry.hosts:
            yield _lines(8, "<DCT>")
            for host, ports in entry.hosts.items():
                yield _HOST_OPEN.format(encode_text(host), self.number()) + self.port_map(14, ports) + _HOST_CLOSE
            yield _lines(8, "</DCT>")
        else:
            yield _lines(8, "<DCT />")
        yield _ENTRY_CLOSE
