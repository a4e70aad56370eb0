"""What was ingested: one file a site, shared with other processes and with the original.

The file is never changed in place: readers see the old records or the new. Whoever adds records does so to what the
file holds at that moment, under a lock that the system ends with its process (reference: ingestion-pipeline 3).
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from statetrace.cache.atomic_file import replace_file
from statetrace.errors import HistoryError, UnsafeName
from statetrace.ingestion.history_text import Content, HistoryRecord, Row, read_rows, row_of, rows_as_blocks, storable
from statetrace.model import fold, safe_file_name
from statetrace.model.names import UNKNOWN_SITE

_LONGEST_WAIT_S = 60.0
"""Seconds that a writer waits for its turn; a turn is one batch of records."""
_POLL_S = 0.01
_LONGEST_STEM = 80

_Key = tuple[str, str, int]


class SiteHistory:
    """The records of one site. Any thread may use it.

    Args:
        folder: the history folder; made when the first record is added.
        site: the site code, in any case, however hostile.

    Attributes:
        path: the file.
    """

    def __init__(self, folder: Path, site: str) -> None:
        stem = site_file_stem(site)
        self.path = _existing_spelling(folder / f"{stem}.json")
        self._lock_path = folder / f"{stem.upper()}.json.lock"
        self._using = threading.Lock()
        self._stamp: tuple[int, ...] | None = None
        self._rows: list[Row] = []
        self._index: dict[_Key, HistoryRecord] = {}
        self._by_name: dict[str, HistoryRecord] = {}
        self._diagnostics: list[str] = []

    def __repr__(self) -> str:
        return f"<SiteHistory {self.path}>"

    @property
    def diagnostics(self) -> tuple[str, ...]:
        """What was found damaged so far, and where the damaged file was kept; one sentence each."""
        return tuple(self._diagnostics)

    def records(self) -> tuple[HistoryRecord, ...]:
        """All records, in the order in which they were added.

        Raises:
            HistoryError: there is a file, and it cannot be read.
        """
        with self._using:
            self._refresh()
            return tuple(row.record for row in self._rows)

    def find(self, name: str, sha256: str, length: int) -> HistoryRecord | None:
        """The record of a slice that was ingested already: same name and hash, both in any case, and same length.

        Times, site and actual host name do not count (reference: ingestion-pipeline 3.3). The file is read again only
        if it has changed.

        Args:
            name: name of the slice without its suffix.
            sha256: its hash, as hexadecimal digits.
            length: its bytes.

        Raises:
            HistoryError: there is a file, and it cannot be read.
        """
        with self._using:
            self._refresh()
            return self._index.get(_key(name, sha256, length))

    def of_name(self, name: str) -> HistoryRecord | None:
        """The record of the slice of that name, in any case, whatever its content was.

        Raises:
            HistoryError: there is a file, and it cannot be read.
        """
        with self._using:
            self._refresh()
            return self._by_name.get(fold(storable(name)))

    def add(self, records: Iterable[HistoryRecord]) -> None:
        """Appends records, each in place of those of its host name, and writes the file once.

        Records that other processes have added meanwhile stay. A file that is damaged is kept beside the new one, as
        ``<file>.damaged-<time>``.

        Raises:
            HistoryError: the file cannot be read or written, and is as it was; or another process held the lock for
                a minute.
        """
        added: dict[str, Row] = {}
        for row in map(row_of, records):
            host = fold(row.record.hostname)
            added.pop(host, None)  # so that the last one of a host stands where it came
            added[host] = row
        if not added:
            return
        with self._using, self._write_lock():
            self.path = _existing_spelling(self.path)
            raw, content = self._read()
            rows = [row for row in content.rows if fold(row.record.hostname) not in added]
            rows += added.values()
            if content.damaged:
                self._keep(raw)
            # What it claims is on disk already, see Database.sync. A record lost with the power costs one more parse.
            replace_file(self.path, rows_as_blocks(rows), durable=False)
            self._take(rows, _stamp(os.stat(self.path)))  # noqa: PTH116  # beside fstat

    @contextmanager
    def _write_lock(self) -> Iterator[None]:
        try:
            self._lock_path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._lock_path).acquire(_LONGEST_WAIT_S, _POLL_S):
                yield
        except Timeout as error:
            raise HistoryError(self.path, "another process is writing it; try again when that has ended") from error
        except OSError as error:
            raise HistoryError(self.path, f"cannot be written: {error}") from error

    def _refresh(self) -> None:
        try:
            stamp = _stamp(os.stat(self.path))  # noqa: PTH116  # beside fstat
        except FileNotFoundError:
            stamp = ()
        except OSError as error:
            raise HistoryError(self.path, f"cannot be read: {error}") from error
        if stamp != self._stamp:
            self._read()

    def _read(self) -> tuple[bytes, Content]:
        try:
            with self.path.open("rb") as file:
                stamp = _stamp(os.fstat(file.fileno()))
                raw = file.read()
        except FileNotFoundError:
            stamp, raw = (), b""
        except OSError as error:
            raise HistoryError(self.path, f"cannot be read: {error}") from error
        content = read_rows(raw)
        if content.damaged:
            self._tell(f"{self.path} is damaged in {content.damaged} places; {len(content.rows)} records can be read")
        self._take(content.rows, stamp)
        return raw, content

    def _take(self, rows: list[Row], stamp: tuple[int, ...]) -> None:
        self._rows, self._index, self._stamp = rows, {}, stamp
        self._by_name = {fold(storable(row.record.hostname)): row.record for row in rows}
        for row in rows:
            record = row.record
            self._index.setdefault(_key(record.hostname, record.file_hash, record.source_length), record)

    def _keep(self, raw: bytes) -> None:
        kept = self.path.with_name(f"{self.path.name}.damaged-{datetime.now().astimezone():%Y%m%d-%H%M%S-%f}")
        replace_file(kept, [raw])
        self._tell(f"{self.path} was damaged; what it held is kept in {kept.name}")

    def _tell(self, sentence: str) -> None:
        if sentence not in self._diagnostics:
            self._diagnostics.append(sentence)


class SiteLease:
    """The right to ingest a site, which one holder has at a time among all processes of machines that share a folder.

    The system takes it from a process that died.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lease, other = SiteLease(Path(folder), "WLLS"), SiteLease(Path(folder), "wlls")
    ...     lease.acquire(), other.acquire()
    ...     lease.release()
    (True, False)

    Args:
        folder: the history folder.
        site: the site code, in any case, however hostile.
    """

    def __init__(self, folder: Path, site: str) -> None:
        self._path = folder / f"{site_file_stem(site).upper()}.lease"
        # Whichever thread takes it, another may give it back.
        self._lock = FileLock(self._path, thread_local=False)

    def __repr__(self) -> str:
        return f"<SiteLease {self._path} ({'held' if self.held else 'not held'})>"

    @property
    def held(self) -> bool:
        """Whether this object holds the lease."""
        return self._lock.is_locked

    def acquire(self, timeout: float = 0.0) -> bool:
        """Whether the lease is held now; taking it twice is the same as taking it once.

        Args:
            timeout: seconds to wait for it at most.

        Raises:
            HistoryError: no lock can be made in the folder.
        """
        if self.held:
            return True
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout, _POLL_S)
        except Timeout:
            return False
        except OSError as error:
            raise HistoryError(self._path, f"cannot be locked: {error}") from error
        return True

    def release(self) -> None:
        """Gives the lease back, if it is held."""
        self._lock.release(force=True)


def site_file_stem(site: str) -> str:
    """The name of a site's history file without ``.json``: the original's, made safe on every platform.

    Every character but ``A-Z a-z 0-9 _ -`` becomes ``_``, a blank site is ``Unknown``. Where that is no safe name, a
    long one ends in a part of its hash, and the name of a device in ``_``. Sites of one name share a file, which does
    no harm: its records are found by host.

    >>> [site_file_stem(site) for site in ("BOYO", "../A.B", "", "con")]
    ['BOYO', '___A_B', 'Unknown', 'con_']
    """
    stem = re.sub(r"[^A-Za-z0-9_-]", "_", site.strip()) or UNKNOWN_SITE
    if len(stem) > _LONGEST_STEM:
        digest = hashlib.sha256(fold(storable(site)).encode()).hexdigest()
        return f"{stem[:_LONGEST_STEM]}-{digest[:16]}"
    try:
        return safe_file_name(stem)
    except UnsafeName:
        return f"{stem}_"


def _existing_spelling(path: Path) -> Path:
    """The file that is there under this name in any case, as on the original's file system; else ``path``."""
    if not path.exists():
        with suppress(OSError):  # whoever reads the file will tell
            for name in sorted(os.listdir(path.parent)):  # noqa: PTH208  # names are all that is wanted
                if name.upper() == path.name.upper():
                    return path.with_name(name)
    return path


def _key(name: str, sha256: str, length: int) -> _Key:
    return fold(storable(name)), sha256.strip().lower(), length


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    """What changes when another file takes the place of this one, or when it is written."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
