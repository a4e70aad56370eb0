"""Snapshots of the rows that are kept host by host: a CLIXML array of ``{Site, Hostname, Rows}``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from statetrace.cache.atomic_file import replace_file
from statetrace.cache.clixml import ClixmlObject, ClixmlReader, encode_text
from statetrace.cache.clixml.document import NEWLINE, ROOT_CLOSE, ROOT_OPEN
from statetrace.cache.normalize import Skipped, normalize_site_entry
from statetrace.cache.snapshot import SnapshotStyle, opened_blocks
from statetrace.cache.snapshot_records import members_by_name
from statetrace.cache.snapshot_rows import RowsAsWritten
from statetrace.cache.snapshot_writer import ObjectWriter
from statetrace.errors import CacheEntryInvalid, SnapshotError
from statetrace.model import HostPorts, SiteEntry


class HostRecord(msgspec.Struct, frozen=True):
    """The rows of one host; names are trimmed and not blank."""

    site: str
    host: str
    ports: HostPorts

    def to_wire(self) -> tuple[str, str, dict[str, dict[str, str]]]:
        """Site, host and port → the seventeen wire fields."""
        return self.site, self.host, {port: row.to_wire() for port, row in self.ports.items()}


class RowSnapshot(msgspec.Struct, frozen=True):
    """What a snapshot of kept rows holds.

    Attributes:
        records: one a host, in the order of the file.
        skipped: what was not taken over, with the reasons.
    """

    records: tuple[HostRecord, ...]
    skipped: tuple[Skipped, ...] = ()


def read_row_snapshot(path: str | os.PathLike[str]) -> RowSnapshot:
    """The records of a snapshot, in one array or each an object of its own (reference: parser-persistence 8.4).

    Rows may be those of the original or ours, and anything else that ``normalize_site_entry`` takes for the rows of a
    host. ``Rows`` that are nothing of the kind, such as the text that is left when an export was not deep enough, are
    no rows.

    Raises:
        SnapshotError: the file is missing, damaged or no such snapshot; carries path, line and tag.
    """
    path = Path(path)
    with opened_blocks(path) as blocks:
        return _snapshot(ClixmlReader(path=path, make=RowsAsWritten().row), blocks, path)


def write_row_snapshot(path: str | os.PathLike[str], records: Sequence[HostRecord]) -> None:
    """Write records as an array, rows at full depth, once they have been read back and compared.

    Raises:
        SnapshotError: they do not read back equal, or are too many to be read back; ``path`` is as it was.
        OSError: the file cannot be written; ``path`` is as it was.
    """
    path = Path(path)
    written = "".join(_document(records)).encode()
    back = _snapshot(ClixmlReader(path=path, make=RowsAsWritten().row), (written,), path).records
    # A row made by hand may state what is derived anyway; it reads back without, and says the same on the wire.
    if back != tuple(records) and [one.to_wire() for one in back] != [one.to_wire() for one in records]:
        raise SnapshotError("the snapshot does not read back as it was written", path=path)
    replace_file(path, (written,))


def _snapshot(reader: ClixmlReader, blocks: Iterable[bytes], path: Path) -> RowSnapshot:
    objects = [members_by_name(value) for value in _items(reader.read(blocks)) if value is not None]
    if objects and not any("hostname" in members for members in objects):
        raise SnapshotError(f"none of its {len(objects)} objects has the rows of a host", path=path)
    records: list[HostRecord] = []
    skipped: list[Skipped] = []
    for number, members in enumerate(objects, 1):
        site, host = _name(members.get("site")), _name(members.get("hostname"))
        if site and host:
            records.append(HostRecord(site, host, _ports(site, host, members.get("rows"), skipped)))
        else:
            skipped.append(Skipped(f"record {number} has no {'host name' if site else 'site'}", site, host))
    return RowSnapshot(tuple(records), tuple(skipped))


def _items(values: Iterable[Any]) -> Iterator[Any]:
    """The values themselves, and of arrays that were exported as one object their items."""
    for value in values:
        held = value.value if isinstance(value, ClixmlObject) else None
        if isinstance(held, list):
            yield from _items(held)
        else:
            yield value


def _name(value: Any) -> str:
    text = value.text if isinstance(value, ClixmlObject) else value
    return "" if text is None else str(text).strip()


def _ports(site: str, host: str, rows: Any, skipped: list[Skipped]) -> HostPorts:
    left_out: list[Skipped] = []
    try:
        entry = normalize_site_entry({"HostMap": {host: rows}}, skipped=left_out) or SiteEntry()
    except CacheEntryInvalid as error:
        skipped.append(Skipped(str(error), site))
        return HostPorts()
    skipped.extend(msgspec.structs.replace(one, site=site) for one in left_out)
    ports = entry.hosts.get(host) or HostPorts()
    if not ports and not left_out:
        skipped.append(Skipped("the record has no rows", site, host))
    return ports


def _document(records: Iterable[HostRecord]) -> Iterator[str]:
    """The text of a snapshot, in pieces of one host."""
    writer = ObjectWriter(SnapshotStyle.POWERSHELL_7)
    yield f"{ROOT_OPEN}{NEWLINE}"
    yield f'  <Obj RefId="{writer.number()}">{NEWLINE}{writer.types(4, "System.Object[]", "System.Array")}'
    yield f"    <LST>{NEWLINE}"
    for record in records:
        yield f'      <Obj RefId="{writer.number()}">{NEWLINE}'
        yield writer.types(8, "System.Management.Automation.PSCustomObject")
        yield f"        <MS>{NEWLINE}"
        yield f'          <S N="Site">{encode_text(record.site)}</S>{NEWLINE}'
        yield f'          <S N="Hostname">{encode_text(record.host)}</S>{NEWLINE}'
        yield f'          <Obj N="Rows" RefId="{writer.number()}">{NEWLINE}'
        yield writer.port_map(12, record.ports)
        yield f"          </Obj>{NEWLINE}        </MS>{NEWLINE}      </Obj>{NEWLINE}"
    yield f"    </LST>{NEWLINE}  </Obj>{NEWLINE}{ROOT_CLOSE}"
