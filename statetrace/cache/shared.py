"""The shared site cache: one per process, used by all its threads, told by its events."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, MutableMapping
from datetime import datetime
from pathlib import Path

import cachetools
import msgspec

from statetrace.cache.events import clear_invocation, host_persisted, tell_state, tell_store
from statetrace.cache.flights import SingleFlight
from statetrace.cache.normalize import normalize_site_entry
from statetrace.cache.snapshot import Snapshot, SnapshotStyle, content_sha256, read_snapshot, write_snapshot
from statetrace.errors import SnapshotError
from statetrace.model import CaseInsensitiveMap, DatabaseState, SiteEntry, fold, merge_entries
from statetrace.settings import Settings
from statetrace.telemetry import NO_TELEMETRY, Telemetry

_log = logging.getLogger("statetrace.cache")


class CacheStatistics(msgspec.Struct, frozen=True, rename="pascal"):
    """What the cache holds, and what was done with it since the process began."""

    sites: int
    hosts: int
    rows: int
    max_rows: int | None
    hits: int
    misses: int
    sets: int
    removes: int
    evictions: int
    hydrations: int
    shared_hydrations: int


class SnapshotImport(msgspec.Struct, frozen=True, rename="pascal"):
    """What an import brought: the sites now cached from it, and what of the file was left out and why."""

    path: Path
    sites: tuple[str, ...]
    hosts: int
    rows: int
    skipped: tuple[str, ...] = ()


class _Site(msgspec.Struct, frozen=True):
    name: str
    entry: SiteEntry


class _Counts(msgspec.Struct):
    hits: int = 0
    misses: int = 0
    sets: int = 0
    removes: int = 0
    evictions: int = 0
    hydrations: int = 0
    shared_hydrations: int = 0


class SharedSiteCache:
    """Site → :class:`SiteEntry`, by site code in any case.

    Every method may be called from any thread. Entries are immutable and handed out as they are: a reader that holds
    one is never disturbed by a writer. Use :func:`shared_site_cache` for the one of the process; an own one is good
    for tests.

    With a bound on rows the least recently used sites are dropped when a new one does not fit.

    Args:
        telemetry: where the events of the cache go.
        settings: whether the cache is enabled, its bound and the snapshot to import on first use; by default from the
            environment.
    """

    def __init__(self, *, telemetry: Telemetry = NO_TELEMETRY, settings: Settings | None = None) -> None:
        self.telemetry = telemetry
        self._settings = Settings.load() if settings is None else settings
        self._counts = _Counts()
        self._enabled = self._settings.shared_cache_enabled
        self._max_rows = self._settings.shared_cache_max_rows
        self._sites: MutableMapping[str, _Site] = {} if self._max_rows is None else _BoundedSites(self._max_rows)
        self._first_use = threading.Event()
        self._reset_locks()

    def _reset_locks(self) -> None:
        self._lock = threading.RLock()
        self._flights: SingleFlight[SiteEntry] = SingleFlight()
        # Fragments merged while a site is being read: the read may not have seen them.
        self._merged_meanwhile: dict[str, list[SiteEntry]] = {}

    @property
    def enabled(self) -> bool:
        """``False`` when the cache was switched off: then every get is a miss and every set is ignored."""
        return self._enabled

    def __len__(self) -> int:
        return len(self._sites)

    def __contains__(self, site: object) -> bool:
        self._import_on_first_use()
        return isinstance(site, str) and fold(site) in self._sites

    def sites(self) -> tuple[str, ...]:
        """The cached site codes, oldest first."""
        self._import_on_first_use()
        with self._lock:
            return tuple(kept.name for kept in self._sites.values())

    def entries(self) -> CaseInsensitiveMap[SiteEntry]:
        """All entries by site, as of now. Tells no event and counts as no use."""
        self._import_on_first_use()
        with self._lock:
            return CaseInsensitiveMap((kept.name, kept.entry) for kept in list(self._sites.values()))

    def get(self, site: str) -> SiteEntry | None:
        """The entry of a site, or ``None``. Tells ``GetHit`` or ``GetMiss``; a blank site tells nothing."""
        key = fold(site)
        if not key:
            return None
        if not self._first_use.is_set():
            self._import_on_first_use()
        with self._lock:
            kept = self._sites.get(key)
            if kept is None:
                self._counts.misses += 1
            else:
                self._counts.hits += 1
        if kept is None:
            self._tell(site, "GetMiss", None)
            return None
        self._tell(site, "GetHit", kept.entry)
        return kept.entry

    def put(self, site: str, entry: SiteEntry) -> None:
        """Set the entry of a site in place of the one that was there. Tells ``Set``."""
        self._import_on_first_use()
        self._store(site, lambda _: entry)

    def merge(self, site: str, entry: SiteEntry) -> SiteEntry:
        """Overlay the cached entry of a site with ``entry`` host by host, and return the result. Tells ``Set``.

        The rules are those of :func:`statetrace.model.merge_entries`.
        """
        self._import_on_first_use()
        with self._lock:
            meanwhile = self._merged_meanwhile.get(fold(site))
            if meanwhile is not None:
                meanwhile.append(entry)
            return self._store(site, lambda existing: merge_entries(existing, entry))

    def merge_host(
        self, site: str, host: str, ports: object, *, source: DatabaseState | None = None
    ) -> SiteEntry | None:
        """Set the rows of one host, and return the site's new entry. Tells ``Set`` and ``HostPersisted``.

        Args:
            site: the site; unknown ones get an entry with this host alone.
            host: the host whose whole port map is replaced; no ports removes it.
            ports: port → :class:`InterfaceRow` or mapping of wire fields.
            source: the state of the database that holds the site with these rows.

        Raises:
            CacheEntryInvalid: ``ports`` is nothing of the kind.
        """
        site, host = site.strip(), host.strip()
        if not site or not host:
            return None
        normalized = normalize_site_entry({"HostMap": {host: ports}}) or SiteEntry()
        rows = normalized[host]
        fragment = normalized.evolve(cached_at=datetime.now().astimezone(), source=source)
        with self._lock:
            before = self._peek(site)
            entry = self.merge(site, fragment)
        if self.telemetry.enabled:
            self.telemetry.emit(host_persisted(site, host, rows, before, entry, updated=self._enabled))
        return entry

    def discard(self, site: str) -> SiteEntry | None:
        """Drop a site and return what was cached of it. Tells ``Remove`` with the counts of the dropped entry."""
        key = fold(site)
        if not key or not self._enabled:
            return None
        self._import_on_first_use()
        with self._lock:
            kept = self._sites.pop(key, None)
            self._counts.removes += 1
        entry = None if kept is None else kept.entry
        self._tell(site, "Remove", entry)
        return entry

    def clear(self, reason: str = "Unspecified") -> None:
        """Drop all sites. Tells who cleared and why.

        The cache stays empty: the snapshot of the environment is not imported a second time. A hydration under way
        still answers those who wait for it, and its result is kept.
        """
        if self.telemetry.enabled:
            self.telemetry.emit(clear_invocation(reason))
        self._first_use.set()
        with self._lock:
            self._sites.clear()

    def get_or_hydrate(
        self, site: str, hydrate: Callable[[SiteEntry | None], SiteEntry], *, refresh: bool = False
    ) -> SiteEntry:
        """The cached entry of a site, else what ``hydrate`` makes of it.

        However many threads ask at once, ``hydrate`` runs once and all get its result, or its error; a failure leaves
        the cached entry as it is. With ``refresh`` the site is read anew even if it is cached.

        Args:
            site: the site to read.
            hydrate: called with the entry cached so far, or ``None``; returns the new one.
            refresh: read it even if it is cached.
        """
        entry = None if refresh else self.get(site)
        return self.hydrate(site, hydrate, refresh=refresh)[0] if entry is None else entry

    def hydrate(
        self,
        site: str,
        hydrate: Callable[[SiteEntry | None], SiteEntry],
        *,
        refresh: bool = False,
        serves: Callable[[SiteEntry], bool] = lambda _: True,
    ) -> tuple[SiteEntry, bool]:
        """Like :meth:`get_or_hydrate` after a miss; also tells whether this caller did the work.

        Args:
            site: the site to read.
            hydrate: as for :meth:`get_or_hydrate`.
            refresh: as for :meth:`get_or_hydrate`.
            serves: whether an entry that was cached meanwhile is one the caller can use.

        Raises:
            ValueError: a blank site.
        """
        key = fold(site)
        if not key:
            raise ValueError("a site code is needed")
        if not self._first_use.is_set():
            self._import_on_first_use()
        worked = False

        def work() -> SiteEntry:
            nonlocal worked
            with self._lock:
                previous = self._peek(site)
                if previous is not None and not refresh and serves(previous):
                    return previous  # somebody else's flight landed between our miss and our start
                self._merged_meanwhile[key] = []
            try:
                worked = True
                entry = hydrate(previous)
                with self._lock:
                    for fragment in self._merged_meanwhile[key]:
                        entry = merge_entries(entry, fragment)
                    self._store(site, lambda _: entry)
                    self._counts.hydrations += 1
            finally:
                with self._lock:
                    del self._merged_meanwhile[key]
            return entry

        entry, _ = self._flights.run(key, work, anew=refresh)
        if not worked:
            with self._lock:
                self._counts.shared_hydrations += 1
        return entry, worked

    def statistics(self) -> CacheStatistics:
        """Sizes and counters as of now."""
        with self._lock:
            entries = [kept.entry for kept in list(self._sites.values())]
            return CacheStatistics(
                sites=len(entries),
                hosts=sum(entry.host_count for entry in entries),
                rows=sum(entry.total_rows for entry in entries),
                max_rows=self._max_rows,
                **msgspec.structs.asdict(self._counts),
            )

    def export_snapshot(
        self,
        path: str | os.PathLike[str],
        *,
        sites: Iterable[str] | None = None,
        style: SnapshotStyle = SnapshotStyle.POWERSHELL_7,
    ) -> tuple[str, ...]:
        """Write the cached sites (or those named) as a CLIXML snapshot and return their codes.

        The file appears whole or not at all, and is read back and compared. With nothing to write no file is made.

        Raises:
            SnapshotError: the file cannot be written, or does not read back equal.
        """
        wanted = None if sites is None else {fold(site) for site in sites}
        entries = self.entries()
        chosen = CaseInsensitiveMap(
            (site, entry) for site, entry in entries.items() if wanted is None or fold(site) in wanted
        )
        if chosen:
            write_snapshot(path, chosen, style=style)
            _compare(read_snapshot(path), chosen)
        return tuple(chosen)

    def import_snapshot(self, path: str | os.PathLike[str], *, partial: bool = False) -> SnapshotImport:
        """Merge the sites of a snapshot into the cache; all of the file, or with ``partial`` what can be read of it.

        Raises:
            SnapshotError: the file is missing, cannot be read or is not a snapshot; then nothing is imported.
        """
        self._first_use.set()
        return self._import(Path(path), partial=partial)

    def _import(self, path: Path, *, partial: bool = False) -> SnapshotImport:
        snapshot = read_snapshot(path, partial=partial)
        if self._enabled:
            for site, entry in snapshot.entries.items():
                self._store(site, lambda existing, entry=entry: merge_entries(existing, entry))  # type: ignore[misc]
            self._tell_state("SnapshotImported")
        return SnapshotImport(
            path=path,
            sites=tuple(snapshot.entries) if self._enabled else (),
            hosts=sum(entry.host_count for entry in snapshot.entries.values()),
            rows=sum(entry.total_rows for entry in snapshot.entries.values()),
            skipped=tuple(map(str, snapshot.skipped)),
        )

    def _import_on_first_use(self) -> None:
        """Import the snapshot that the settings name, once, and only while the cache is empty.

        A snapshot that cannot be read does not stop anybody: it is logged, and the sites are hydrated instead.
        """
        if self._first_use.is_set():
            return
        with self._lock:
            if self._first_use.is_set():
                return
            self._tell_state("InitDelegatedStore")
            path = self._settings.shared_cache_snapshot
            try:
                if path is not None and self._enabled and not self._sites:
                    self._import(path)
            except SnapshotError as error:
                _log.warning("shared cache snapshot not imported: %s", error)
            finally:
                self._first_use.set()

    def _peek(self, site: str) -> SiteEntry | None:
        kept = self._sites.get(fold(site))
        return None if kept is None else kept.entry

    def _store(self, site: str, change: Callable[[SiteEntry | None], SiteEntry]) -> SiteEntry:
        key = fold(site)
        if not key:
            raise ValueError("a site code is needed")
        with self._lock:
            kept = self._sites.get(key)
            entry = change(None if kept is None else kept.entry)
            if not self._enabled:
                return entry
            evicted = self._place(key, _Site(site.strip() if kept is None else kept.name, entry))
            self._counts.sets += 1
            self._counts.evictions += len(evicted)
        self._tell(site, "Set", entry)
        for dropped in evicted:
            self._tell(dropped.name, "Remove", dropped.entry)
        return entry

    def _place(self, key: str, kept: _Site) -> list[_Site]:
        """Keep a site, and return those that had to go for it; a site larger than the whole cache goes itself."""
        if not isinstance(self._sites, _BoundedSites):
            self._sites[key] = kept
            return []
        try:
            self._sites[key] = kept
        except ValueError:  # cachetools: value too large
            self._sites.pop(key, None)
            self._sites.evicted.append(kept)
        evicted, self._sites.evicted = self._sites.evicted, []
        return evicted

    def _tell(self, site: str, operation: str, entry: SiteEntry | None) -> None:
        tell_store(self.telemetry, self, operation, site, entry, len(self._sites))

    def _tell_state(self, operation: str) -> None:
        tell_state(self.telemetry, self, operation, len(self._sites))


def _compare(snapshot: Snapshot, entries: CaseInsensitiveMap[SiteEntry]) -> None:
    # A row made by hand may state what is derived anyway; it reads back without, and says the same on the wire.
    if snapshot.entries != entries and snapshot.content_sha256() != content_sha256(entries):
        raise SnapshotError("a snapshot does not read back as it was written")


class _BoundedSites(cachetools.LRUCache[str, _Site]):
    """Sites up to so many rows in all; remembers which it dropped."""

    def __init__(self, max_rows: int) -> None:
        super().__init__(max_rows, getsizeof=lambda kept: max(1, kept.entry.total_rows))
        self.evicted: list[_Site] = []

    def popitem(self) -> tuple[str, _Site]:
        key, kept = super().popitem()
        self.evicted.append(kept)
        return key, kept


_process_lock = threading.Lock()
_process_cache: SharedSiteCache | None = None


def shared_site_cache() -> SharedSiteCache:
    """The cache of this process, set up from the environment when it is first asked for."""
    global _process_cache  # noqa: PLW0603  # one per process is what this module is for
    with _process_lock:
        if _process_cache is None:
            _process_cache = SharedSiteCache()
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=_after_fork)
        return _process_cache


def _after_fork() -> None:
    # A child has the entries but not the threads: locks and flights that it inherits may never be released.
    global _process_lock  # noqa: PLW0603
    _process_lock = threading.Lock()
    if _process_cache is not None:
        _process_cache._reset_locks()  # noqa: SLF001  # nobody else may
