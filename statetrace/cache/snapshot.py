"""Snapshots of the cache: reading them, and what they hold."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from statetrace.cache.atomic_file import replace_file
from statetrace.cache.clixml import DEFAULT_LIMITS, ClixmlEncoding, ClixmlReader, Limits
from statetrace.cache.normalize import Skipped, normalize_site_entry
from statetrace.cache.snapshot_records import Record, document_shape, records
from statetrace.cache.snapshot_rows import RowsAsWritten
from statetrace.cache.snapshot_writer import SnapshotStyle, format_snapshot, write_snapshot
from statetrace.errors import CacheEntryInvalid, SnapshotError
from statetrace.model.keys import CaseInsensitiveMap, fold
from statetrace.model.site_entry import SiteEntry

__all__ = [
    "Snapshot",
    "SnapshotStyle",
    "content_sha256",
    "format_snapshot",
    "opened_blocks",
    "parse_snapshot",
    "read_snapshot",
    "write_snapshot",
    "write_verified",
]

_BLOCK_BYTES = 1 << 20


class Snapshot(msgspec.Struct, frozen=True):
    """What a snapshot holds, and how it was written.

    Attributes:
        entries: the entry of each site, in the order of the file.
        style: the PowerShell whose style it has.
        shape: its structure, ``S0`` to ``S6`` or ``L1`` to ``L6`` (reference: clixml-snapshots 2.2 and 2.3); a
            document of several has them joined by ``+``.
        encoding: ``UTF-8``, ``UTF-16LE`` or ``UTF-16BE``.
        skipped: what was not taken over, with the reasons.
    """

    entries: CaseInsensitiveMap[SiteEntry]
    style: SnapshotStyle
    shape: str
    encoding: str
    skipped: tuple[Skipped, ...] = ()

    def to_wire(self) -> dict[str, dict[str, dict[str, dict[str, str]]]]:
        """Site → host → port → the seventeen wire fields."""
        return _to_wire(self.entries)

    def content_sha256(self) -> str:
        """The digest of the content, see ``content_sha256``."""
        return content_sha256(self.entries)


def content_sha256(entries: Mapping[str, SiteEntry]) -> str:
    """SHA-256, in hexadecimal, of the content of entries: equal for equal rows, however and in what order written.

    It is taken over the JSON text of site → host → port → wire fields, keys sorted, non-ASCII escaped, no blanks. Rows
    that a file lists without keys, as seeds do, count under their ports like all others: a digest of the list itself,
    as one may find it noted for such a file, is another.
    """
    text = json.dumps(_to_wire(entries), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_snapshot(path: str | os.PathLike[str], *, partial: bool = False, limits: Limits = DEFAULT_LIMITS) -> Snapshot:
    """Reads a snapshot in any of its shapes and encodings.

    Args:
        path: the file.
        partial: of a file that is damaged, keep the sites that are complete before the fault, which is then the last
            of ``skipped``; of one with nonsense in place of a site or a row, keep the other sites and rows.
        limits: bounds on size, depth and repetition, beyond which a document is refused.

    Raises:
        SnapshotError: the file cannot be opened, or is no snapshot, or is damaged (with ``partial``: before its first
            complete site), or (without ``partial``) something in it would be lost, such as a row of which the depth of
            the export left its type name; carries path, line and tag.
    """
    path = Path(path)
    with opened_blocks(path) as blocks:
        return _read(blocks, path, limits, partial=partial)


@contextlib.contextmanager
def opened_blocks(path: Path) -> Iterator[Iterator[bytes]]:
    """The bytes of the file ``path`` in blocks, for a reader; the file is open as long as the context.

    Raises:
        SnapshotError: the file cannot be opened or read.
    """
    try:
        with path.open("rb") as file:
            yield iter(lambda: file.read(_BLOCK_BYTES), b"")
    except FileNotFoundError as error:
        raise SnapshotError("no such file", path=path) from error
    except OSError as error:
        raise SnapshotError(f"the file cannot be read: {error.strerror or error}", path=path) from error


def write_verified(path: str | os.PathLike[str], entries: Mapping[str, SiteEntry], style: SnapshotStyle) -> None:
    """Writes a snapshot like ``write_snapshot``, once it has been read back and compared.

    Raises:
        SnapshotError: it does not read back equal, or is too large to be read back; ``path`` is as it was.
        OSError: the file cannot be written; ``path`` is as it was.
    """
    written = format_snapshot(entries, style)
    back = parse_snapshot(written)
    # A row made by hand may state what is derived anyway; it reads back without, and says the same on the wire.
    if back.entries != entries and back.content_sha256() != content_sha256(entries):
        raise SnapshotError("the snapshot does not read back as it was written", path=Path(path))
    replace_file(Path(path), (written,))


def parse_snapshot(data: bytes, *, partial: bool = False, limits: Limits = DEFAULT_LIMITS) -> Snapshot:
    """The snapshot whose file has the bytes ``data``; otherwise as ``read_snapshot``."""
    return _read((data,), None, limits, partial=partial)


def _read(blocks: Iterable[bytes], path: Path | None, limits: Limits, *, partial: bool) -> Snapshot:
    reader = ClixmlReader(limits, path, RowsAsWritten().row)
    try:
        values = reader.read(blocks)
    except SnapshotError as fault:
        snapshot = _assemble(reader.complete_values(), reader.encoding) if partial else None
        if snapshot is None or not snapshot.entries:
            raise
        skipped = (*snapshot.skipped, Skipped(f"reading stopped: {fault}"))
        return msgspec.structs.replace(snapshot, skipped=skipped)
    snapshot = _assemble(values, reader.encoding)
    if values and not snapshot.shape:
        raise SnapshotError(f"none of its {len(values)} objects is an entry of the cache", path=path)
    lost = [one for one in snapshot.skipped if one.lost]
    if lost and not partial:
        more = f", and {len(lost) - 1} more would be lost" if len(lost) > 1 else ""
        raise SnapshotError(
            f"{lost[0]}{more}; an import in part takes what is left", path=path, line=lost[0].line or None
        )
    return snapshot


def _assemble(values: list[object], encoding: ClixmlEncoding) -> Snapshot:
    skipped: list[Skipped] = []
    entries: list[tuple[str, SiteEntry]] = []
    shapes: list[str] = []
    for number, record in enumerate(records(values), 1):
        if not isinstance(record, Record):
            reason = f"object {number} is no entry of the cache"
            skipped.append(Skipped(reason, lost=record is not None, line=getattr(record, "line", 0)))
            continue
        shapes.append(record.shape)
        if not record.site:
            reason = f"entry {number} has no site"
            skipped.append(Skipped(reason, lost=record.payload is not None, line=record.line))
            continue
        entry = _entry(record, skipped)
        if entry is not None:
            entries.append((record.site, entry))
    return Snapshot(
        entries=CaseInsensitiveMap(entries),
        style=SnapshotStyle.POWERSHELL_7 if encoding is ClixmlEncoding.UTF_8 else SnapshotStyle.WINDOWS_POWERSHELL,
        shape=document_shape(shapes, utf16=encoding is not ClixmlEncoding.UTF_8) if values else "S0",
        encoding=encoding.value,
        skipped=(*skipped, *_replaced(site for site, _entry in entries)),
    )


def _entry(record: Record, skipped: list[Skipped]) -> SiteEntry | None:
    site, line = record.site, record.line
    inner: list[Skipped] = []
    try:
        entry = normalize_site_entry(record.payload, skipped=inner)
    except CacheEntryInvalid as error:
        skipped.append(Skipped(str(error), site=site, line=line))
        return None
    if entry is None:
        skipped.append(Skipped("the entry has no cache data", site=site, lost=False, line=line))
    skipped.extend(msgspec.structs.replace(one, site=site, line=one.line or line) for one in inner)
    return entry


def _replaced(sites: Iterable[str]) -> Iterator[Skipped]:
    """A remark for every entry that a later one of the same site replaces."""
    seen: set[str] = set()
    for site in sites:
        if fold(site) in seen:
            yield Skipped("an earlier entry of the site was replaced by a later one", site=site, lost=False)
        seen.add(fold(site))


def _to_wire(entries: Mapping[str, SiteEntry]) -> dict[str, dict[str, dict[str, dict[str, str]]]]:
    return {site: entry.to_wire() for site, entry in entries.items()}
