"""The snapshots round a session: one that fills the cache before it, one that keeps the cache after it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from filelock import FileLock, Timeout

from statetrace.cache import SnapshotStyle, read_snapshot, write_summary
from statetrace.cache.atomic_file import replace_file
from statetrace.cache.snapshot import write_verified
from statetrace.errors import SnapshotError, StateTraceError
from statetrace.ingestion.report import SnapshotRound
from statetrace.model import CaseInsensitiveMap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statetrace.model import SiteEntry
    from statetrace.repository import DeviceRepository

SNAPSHOT_FOLDER = "SharedCacheSnapshot"
"""In the folder of the logs."""
_LATEST = "SharedCacheSnapshot-latest.clixml"
_LOCK = "SharedCacheSnapshot.lock"
_LONGEST_WAIT_S = 60.0
"""Seconds that an export waits for its turn; a turn is one export."""
_BLOCK = 1 << 20


class SnapshotFiles(msgspec.Struct, frozen=True):
    """Where the snapshots of a session lie (reference: ingestion-pipeline 4.4).

    Attributes:
        directory: where they are unless a path is given: the latest one is imported, one named by the time exported and
            then copied over the latest. Sites that only the latest has, from another process, stay in it.
        automatic: whether anything happens to files whose path is not given.
        import_path: imported in place of the latest.
        export_path: written in place of one named by the time; the latest is left alone then.
    """

    directory: Path
    automatic: bool = True
    import_path: Path | None = None
    export_path: Path | None = None

    @property
    def latest(self) -> Path:
        """The file that always holds the latest snapshot."""
        return self.directory / _LATEST


class Snapshots:
    """The snapshots of one session. Nothing that goes wrong with them fails it: it is told in ``round``.

    Attributes:
        round: what was done so far.
    """

    def __init__(self, files: SnapshotFiles, repository: DeviceRepository) -> None:
        self.round = SnapshotRound()
        self._files = files
        self._repository = repository
        self._cache = repository.cache
        self._imported = False

    def before(self) -> bool:
        """Import the sites that are not cached, once; called when the first host is to be ingested.

        What is cached stems from a database, or from a later snapshot. Tells whether this was the time.
        """
        if self._imported:
            return False
        self._imported = True
        self._import()
        return True

    def _import(self) -> None:
        files = self._files
        path = files.import_path or (files.latest if files.automatic and files.latest.exists() else None)
        if path is None:
            return
        try:
            brought = self._cache.import_snapshot(path, only_missing=True)
        except (StateTraceError, OSError) as error:
            self._tell(f"the snapshot was not imported: {error}")
            return
        self.round = msgspec.structs.replace(self.round, imported=str(path), imported_sites=brought.sites)
        for skipped in brought.skipped:
            self._tell(f"{path}: {skipped}")

    def check_imported(self) -> None:
        """Read those sites anew that were imported and that no host needed: their databases may be later.

        A site without a database here stays as it was imported.
        """
        for site in self.round.imported_sites:
            entry = self._cache.peek(site)
            if entry is None or entry.source is not None:
                continue
            try:
                if self._repository.databases.open(site) is not None:
                    self._repository.read_site(site, refresh=True)
            except StateTraceError as error:
                self._tell(f"site {site} is cached as it was imported: {error}")

    def after(self, *, changed: bool) -> None:
        """Export the cache with its summary, unless nothing changed since the latest snapshot."""
        files = self._files
        if files.export_path is None and (
            not files.automatic or not (changed or not files.latest.exists()) or not self._cache.enabled
        ):
            return
        if not self._cache.sites():
            return
        try:
            if files.export_path is not None:
                self._write(files.export_path, self._cache.entries())
            else:
                self._replace_latest()
        except Timeout:
            self._tell(f"the cache was not exported: another process is writing to {files.directory}")
        except (StateTraceError, OSError) as error:
            self._tell(f"the cache was not exported: {error}")

    def _replace_latest(self) -> None:
        """Export under the time, and copy that over the latest; sites that only the latest has stay in it."""
        files = self._files
        files.directory.mkdir(parents=True, exist_ok=True)
        with FileLock(files.directory / _LOCK).acquire(_LONGEST_WAIT_S):
            entries = self._cache.entries()
            entries = CaseInsensitiveMap([*self._of_others(entries), *entries.items()])
            path = _free_path(files.directory)
            self._write(path, entries)
            replace_file(files.latest, _blocks(path))
            write_summary(_summary_of(files.latest), entries)
        self.round = msgspec.structs.replace(self.round, latest=str(files.latest))

    def _write(self, path: Path, entries: CaseInsensitiveMap[SiteEntry]) -> None:
        write_verified(path, entries, SnapshotStyle.POWERSHELL_7)
        write_summary(_summary_of(path), entries)
        self.round = msgspec.structs.replace(self.round, exported=str(path), sites=tuple(entries))

    def _of_others(self, ours: CaseInsensitiveMap[SiteEntry]) -> list[tuple[str, SiteEntry]]:
        """The sites of the latest snapshot that are not cached here: another process exported them."""
        latest = self._files.latest
        if not latest.exists():
            return []
        try:
            present = read_snapshot(latest, partial=True)
        except SnapshotError as error:
            self._tell(f"the latest snapshot is replaced, whatever it held: {error}")
            return []
        for skipped in present.skipped:
            self._tell(f"{latest}: {skipped}")
        return [(site, entry) for site, entry in present.entries.items() if site not in ours]

    def _tell(self, message: str) -> None:
        if message not in self.round.messages:
            self.round = msgspec.structs.replace(self.round, messages=(*self.round.messages, message))


def _free_path(directory: Path) -> Path:
    """A snapshot named by the time; where another process took the name within this second, by the next free one."""
    moment = datetime.now().astimezone()
    while (path := directory / f"SharedCacheSnapshot-{moment:%Y%m%d-%H%M%S}.clixml").exists():
        moment += timedelta(seconds=1)
    return path


def _summary_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}-summary.json")


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
