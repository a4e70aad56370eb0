"""Finding raw logs, and which parts of which files are whose.

A session first learns which hosts there are, what their slices hash to, and where they stand in the files; it reads
a slice when its turn comes. So a folder of any size needs memory for its names only.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import msgspec

from statetrace.model import site_of
from statetrace.parsing.splitting import SplitRule, host_spans, slice_content, slice_name
from statetrace.parsing.text import to_utf8

SUFFIXES = (".log", ".txt")
_NOT_RAW = "warmruntelemetry-"
_LARGEST_FILE = 1 << 30
"""Bytes; a larger file is no log of switches."""


class LogPart(msgspec.Struct, frozen=True, gc=False):
    """Consecutive bytes of a raw file, counted in its UTF-8 form.

    ``plain`` tells that the file is in that form, so that the part can be read alone.
    """

    path: Path
    start: int
    end: int
    plain: bool


class HostLog(msgspec.Struct, frozen=True):
    """All that the raw logs hold of one host: a slice that has not been read.

    Attributes:
        name: the host as a file name: the key of its ingestion history.
        parts: where its lines stand, in order.
        sha256: of the slice's canonical bytes, lower-case hexadecimal.
        length: of those, in bytes.
    """

    name: str
    parts: tuple[LogPart, ...]
    sha256: str
    length: int

    @property
    def site(self) -> str:
        """The site that the name tells."""
        return site_of(self.name)

    @property
    def file_name(self) -> str:
        """The name of the slice as a file."""
        return f"{self.name}.log"

    @property
    def files(self) -> tuple[Path, ...]:
        """The raw files that it comes from."""
        return tuple(dict.fromkeys(part.path for part in self.parts))


class UnusedFile(msgspec.Struct, frozen=True, rename="pascal"):
    """A raw file of which nothing is ingested.

    Attributes:
        path: the file.
        reason: why, in words.
        unreadable: it may hold hosts, but cannot be read; of the others it is known that they name none.
    """

    path: str
    reason: str
    unreadable: bool = False


class LogIndex(msgspec.Struct, frozen=True):
    """What a folder of raw logs holds.

    Attributes:
        logs: one entry a host, by name.
        unusable: files without any host, and files that cannot be read.
        bytes: of all files.
    """

    logs: tuple[HostLog, ...]
    unusable: tuple[UnusedFile, ...]
    bytes: int


def find_logs(place: Path) -> list[Path]:
    """The raw logs directly in a folder, by name: ``.log`` and ``.txt``; or the one file that is named.

    Whatever has such a name and is no folder is one, also a link that leads nowhere: whoever reads it will tell.

    Raises:
        OSError: the folder cannot be listed.
    """
    if place.is_file():
        return [place]
    return sorted(
        (
            file
            for file in place.iterdir()
            if file.suffix.lower() in SUFFIXES and not file.name.lower().startswith(_NOT_RAW) and not file.is_dir()
        ),
        key=lambda file: (file.name.casefold(), file.name),
    )


class _Growing:
    """A host whose parts are being collected."""

    __slots__ = ("hash", "length", "name", "parts")

    def __init__(self, name: str) -> None:
        self.name = name
        self.parts: list[LogPart] = []
        self.hash = hashlib.sha256()
        self.length = 0

    def add(self, part: LogPart, content: bytes) -> None:
        self.parts.append(part)
        self.hash.update(content)
        self.length += len(content)


def index_logs(files: Iterable[Path]) -> LogIndex:
    """Which hosts the files hold, and where. Lines before the first host of a file belong to that host.

    A file that cannot be read is told and left out.
    """
    hosts: dict[str, _Growing] = {}
    unusable: list[UnusedFile] = []
    total = 0
    for path in dict.fromkeys(map(Path, files)):
        try:
            raw = _read(path)
        except OSError as error:
            unusable.append(UnusedFile(str(path), f"cannot be read: {error.strerror or error}", unreadable=True))
            continue
        total += len(raw)
        if not _collect(path, raw, hosts):
            reason = "holds no prompt and no hostname line that names a device" if raw.strip() else "is empty"
            unusable.append(UnusedFile(str(path), reason))
    logs = tuple(
        HostLog(host.name, tuple(host.parts), host.hash.hexdigest(), host.length) for _, host in sorted(hosts.items())
    )
    return LogIndex(logs, tuple(unusable), total)


def read_log(log: HostLog) -> bytes:
    """The canonical bytes of a slice.

    Raises:
        OSError: one of its files cannot be read any more, or does not hold the slice any more.
    """
    content = slice_content(map(_read_part, log.parts))
    if hashlib.sha256(content).hexdigest() != log.sha256:
        # Its lines stand elsewhere now, so half a log would pass for the whole of it.
        raise OSError("it has changed since it was looked through; ingest it again")
    return content


def original_slice(log: HostLog) -> bytes:
    """The slice as the original cuts it, whose histories are taken over such slices.

    Raises:
        OSError: one of its files cannot be read any more.
    """
    parts: list[bytes] = []
    for path in log.files:
        utf8 = to_utf8(_read(path))
        leading: list[bytes] = []
        for span in host_spans(utf8, rule=SplitRule.ORIGINAL):
            part = utf8[span.start : span.end]
            if not span.host:
                leading.append(part)
                continue
            if slice_name(span.host).casefold() == log.name.casefold():
                parts += [*leading, part]
            leading = []
    return slice_content(parts)


def _collect(path: Path, raw: bytes, hosts: dict[str, _Growing]) -> bool:
    """Add the parts of one file to their hosts; whether it holds any host."""
    utf8 = to_utf8(raw)
    plain = utf8 is raw
    leading: list[LogPart] = []
    found = False
    for span in host_spans(utf8):
        part = LogPart(path, span.start, span.end, plain)
        name = slice_name(span.host)
        if not name:
            leading.append(part)
            continue
        host = hosts.setdefault(name.casefold(), _Growing(name))
        for piece in (*leading, part):
            host.add(piece, slice_content((utf8[piece.start : piece.end],)))
        leading = []
        found = True
    return found


def _read(path: Path) -> bytes:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is a folder or device, not a file")
    if status.st_size > _LARGEST_FILE:
        raise OSError(f"it is too large ({status.st_size / 1e9:.1f} GB)")
    return path.read_bytes()


def _read_part(part: LogPart) -> bytes:
    if not part.plain:
        status = part.path.stat()
        return _transcoded(part.path, (status.st_mtime_ns, status.st_size))[part.start : part.end]
    with part.path.open("rb") as file:
        file.seek(part.start)
        return file.read(part.end - part.start)


@lru_cache(maxsize=1)
def _transcoded(path: Path, _state: tuple[int, int]) -> bytes:
    """The UTF-8 form of a file in another one; hosts of one file come one after the other."""
    return to_utf8(_read(path))
