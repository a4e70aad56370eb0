"""The shared site cache: one per process, used by all its threads, told by its events."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from statetrace.cache.events import clear_invocation, host_persisted, tell_state, tell_store
from statetrace.cache.forks import tell_after_fork
from statetrace.cache.fragment import Fragment
from statetrace.cache.reads import SiteReads
from statetrace.cache.report import CacheCounts, CacheStatistics, SnapshotImport
from statetrace.cache.snapshot import SnapshotStyle, read_snapshot, write_verified
from statetrace.cache.store import KeptSite, SiteStore
from statetrace.errors import SnapshotError
from statetrace.model import CaseInsensitiveMap, DatabaseState, SiteEntry, fold, site_of
from statetrace.model.names import site_aliases
from statetrace.settings import Settings
from statetrace.telemetry import NO_TELEMETRY, Telemetry

_log = logging.getLogger("statetrace.cache")


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
        self._telemetries = [telemetry]
        self._settings = Settings.load() if settings is None else settings
        self._counts = CacheCounts()
        self._sites = SiteStore(self._settings.shared_cache_max_rows)
        self._first_use = threading.Event()
        self._lock = threading.RLock()
        self._reads = SiteReads(self._lock, self._peek, self._keep_read)
        tell_after_fork(self)

    def after_fork(self) -> None:
        """Called in a forked child; what is cached stays cached there."""
        used = self._first_use.is_set()
        self._first_use = threading.Event()
        self._lock = threading.RLock()
        self._reads.start_over(self._lock)
        if used:
            self._first_use.set()
        else:
            self._sites.clear()  # a part of a snapshot, perhaps, whose import the fork cut short

    @property
    def enabled(self) -> bool:
        """``False`` when the cache was switched off: then every get is a miss and every set is ignored."""
        return self._settings.shared_cache_enabled

    def apply(self, settings: Settings) -> None:
        """Put other settings into force for all who use the cache.

        What is cached stays, as far as a new bound on rows lets it. A snapshot that is newly named is imported on the
        next use, if the cache is empty now.
        """
        evicted: list[KeptSite] = []
        with self._lock:
            if settings.shared_cache_max_rows != self._sites.max_rows:
                kept, self._sites = self._sites.drain(), SiteStore(settings.shared_cache_max_rows)
                for site in kept:
                    evicted += self._sites.set(fold(site.name), site)
                self._counts.evictions += len(evicted)
            if settings.shared_cache_snapshot != self._settings.shared_cache_snapshot and not self._sites:
                self._first_use.clear()
            self._settings = settings
        self._tell_evicted(evicted)

    def send_to(self, telemetry: Telemetry) -> None:
        """Send the events to ``telemetry``, until ``stop_sending_to``."""
        with self._lock:
            self._telemetries.append(telemetry)
            self.telemetry = telemetry

    def stop_sending_to(self, telemetry: Telemetry) -> None:
        """Send no more events to ``telemetry``; they go to whatever was named last of those that remain."""
        with self._lock:
            if telemetry in self._telemetries[1:]:
                self._telemetries = [self._telemetries[0], *(t for t in self._telemetries[1:] if t is not telemetry)]
                self.telemetry = self._telemetries[-1]

    def __len__(self) -> int:
        return len(self._sites)

    def __contains__(self, site: object) -> bool:
        self._import_on_first_use()
        return isinstance(site, str) and self._peek(site) is not None

    def sites(self) -> tuple[str, ...]:
        """The cached site codes, oldest first."""
        self._import_on_first_use()
        with self._lock:
            return tuple(kept.name for kept in self._sites.all())

    def entries(self) -> CaseInsensitiveMap[SiteEntry]:
        """All entries by site, as of now. Tells no event and counts as no use."""
        self._import_on_first_use()
        with self._lock:
            return CaseInsensitiveMap((kept.name, kept.entry) for kept in self._sites.all())

    def get(self, site: str) -> SiteEntry | None:
        """The entry of a site, or ``None``. Tells ``GetHit`` or ``GetMiss``; a blank site tells nothing."""
        key = fold(site)
        if not key:
            return None
        if not self._first_use.is_set():
            self._import_on_first_use()
        with self._lock:
            kept = self._sites.get(key) if self.enabled else None
            if kept is None:
                self._counts.misses += 1
            else:
                self._counts.hits += 1
        if kept is None:
            self._tell(site, "GetMiss", None)
            return None
        self._tell(site, "GetHit", kept.entry)
        return kept.entry

    def peek(self, site: str) -> SiteEntry | None:
        """The entry of a site, or ``None``. Tells nothing and counts as neither hit nor miss."""
        self._import_on_first_use()
        return self._peek(site)

    def put(self, site: str, entry: SiteEntry) -> None:
        """Set the entry of a site in place of the one that was there. Tells ``Set``.

        A read of the site that is under way replaces it in turn; what is merged meanwhile is kept.
        """
        self._import_on_first_use()
        self._store(site, lambda _: entry)

    def merge(self, site: str, entry: SiteEntry) -> SiteEntry:
        """Overlay the cached entry of a site with ``entry`` host by host, and return the result. Tells ``Set``.

        The rules are those of :func:`statetrace.model.merge_entries`.
        """
        self._import_on_first_use()
        return self._merge(site, Fragment(entry))

    def _merge(self, site: str, fragment: Fragment) -> SiteEntry:
        with self._lock:
            self._reads.note(site, fragment)
            return self._store(site, fragment.over)

    def merge_host(
        self,
        site: str,
        host: str,
        ports: object,
        *,
        since: DatabaseState | None = None,
        source: DatabaseState | None = None,
    ) -> SiteEntry | None:
        """Set the rows of one host in the cached entry of its site. Tells ``Set`` and ``HostPersisted``.

        A site that is not cached, or whose entry stems from another database than ``source``, is left alone: one host
        of many would pass for the whole site. Whoever reads the site next hydrates it.

        Args:
            site: the site.
            host: the host whose whole port map is replaced; no ports removes it.
            ports: port → :class:`InterfaceRow` or mapping of wire fields.
            since: the state of the database before the host was written there.
            source: its state with the host. The entry is known to stem from it if it stemmed from ``since``; otherwise
                only the database stays known, not its state.

        Returns:
            The new entry of the site, or ``None`` if there was none to set the host in.

        Raises:
            CacheEntryInvalid: ``ports`` is nothing of the kind.
        """
        site, host = site.strip(), host.strip()
        if not site or not host:
            return None
        self._import_on_first_use()
        fragment = Fragment.of_host(host, ports, since=since, source=source)
        with self._lock:
            before = self._peek(site)
            after = None
            if before is not None and before.may_take(fragment.entry):
                after = self._merge(site, fragment)
            else:
                before = None
                self._reads.note(site, fragment)
        if self.telemetry.enabled:
            self.telemetry.emit(host_persisted(site, host, fragment.entry[host], before, after))
        return after

    def confirm(self, since: DatabaseState, source: DatabaseState, *, changed: str | None = None) -> None:
        """A database went from one state to another without a change to any interface row, but for those of one host.

        Entries that stem from ``since`` and cannot have the ``changed`` host stem from ``source`` from now on. Tells
        nothing, and counts as no use: the rows are what they were.
        """
        site = "" if changed is None else fold(site_of(changed))
        with self._lock:
            for kept in self._sites.of_database(since.identity):
                entry = kept.entry
                if entry.source is None or not entry.source.agrees(since):
                    continue
                if changed is not None and (changed in entry or site in map(fold, site_aliases(kept.name))):
                    continue
                self._sites.replace(fold(kept.name), KeptSite(kept.name, entry.evolve(source=source)))

    def discard(self, site: str) -> SiteEntry | None:
        """Drop a site and return what was cached of it. Tells ``Remove`` with the counts of the dropped entry."""
        key = fold(site)
        if not key or not self.enabled:
            return None
        self._import_on_first_use()
        with self._lock:
            kept = self._sites.pop(key)
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
        origin: str = "",
        serves: Callable[[SiteEntry], bool] = lambda _: True,
    ) -> tuple[SiteEntry, bool]:
        """Like :meth:`get_or_hydrate` after a miss; also tells whether this caller did the work.

        Args:
            site: the site to read.
            hydrate: as for :meth:`get_or_hydrate`.
            refresh: as for :meth:`get_or_hydrate`.
            origin: where ``hydrate`` reads. Callers share a read only with those who name the same origin, so that the
                sites of two data folders in one process are not mixed.
            serves: whether an entry that was cached meanwhile is one the caller can use.

        Raises:
            ValueError: a blank site.
        """
        if not fold(site):
            raise ValueError("a site code is needed")
        if not self._first_use.is_set():
            self._import_on_first_use()
        entry, worked = self._reads.run(site, hydrate, refresh=refresh, origin=origin, serves=serves)
        if not worked:
            with self._lock:
                self._counts.shared_hydrations += 1
        return entry, worked

    def statistics(self) -> CacheStatistics:
        """Sizes and counters as of now."""
        with self._lock:
            entries = [kept.entry for kept in self._sites.all()]
            return CacheStatistics(
                sites=len(entries),
                hosts=sum(entry.host_count for entry in entries),
                rows=sum(entry.total_rows for entry in entries),
                max_rows=self._sites.max_rows,
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

        What is written is read back and compared before it takes the place of the file, which then changes as a whole.
        With nothing to write no file is made.

        Raises:
            SnapshotError: it does not read back equal, or is too large to be read back.
            OSError: the file cannot be written.
        """
        wanted = None if sites is None else {fold(site) for site in sites}
        chosen = CaseInsensitiveMap(
            (site, entry) for site, entry in self.entries().items() if wanted is None or fold(site) in wanted
        )
        if chosen:
            write_verified(path, chosen, style)
        return tuple(chosen)

    def import_snapshot(
        self, path: str | os.PathLike[str], *, partial: bool = False, only_missing: bool = False
    ) -> SnapshotImport:
        """Merge the sites of a snapshot into the cache.

        Args:
            path: the file.
            partial: take what can be read of a damaged file.
            only_missing: leave sites that are cached as they are.

        Raises:
            SnapshotError: the file is missing, cannot be read or is not a snapshot; then nothing is imported.
        """
        brought = self._import(Path(path), partial=partial, only_missing=only_missing)
        self._first_use.set()
        return brought

    def _import(self, path: Path, *, partial: bool = False, only_missing: bool = False) -> SnapshotImport:
        snapshot = read_snapshot(path, partial=partial)
        brought = snapshot.entries if self.enabled else CaseInsensitiveMap[SiteEntry]()
        if only_missing:
            brought = brought.without([site for site in brought if self._peek(site) is not None])
        for site, entry in brought.items():
            self._merge(site, Fragment(entry))
        if brought:
            self._tell_state("SnapshotImported")
        return SnapshotImport(
            path=path,
            sites=tuple(brought),
            hosts=sum(entry.host_count for entry in brought.values()),
            rows=sum(entry.total_rows for entry in brought.values()),
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
                if path is not None and self.enabled and not self._sites:
                    for left_out in self._import(path).skipped:
                        _log.warning("shared cache snapshot %s: left out: %s", path, left_out)
            except SnapshotError as error:
                _log.warning("shared cache snapshot not imported: %s", error)
            finally:
                self._first_use.set()

    def _peek(self, site: str) -> SiteEntry | None:
        with self._lock:
            kept = self._sites.get(fold(site)) if self.enabled else None
        return None if kept is None else kept.entry

    def _store(self, site: str, change: Callable[[SiteEntry | None], SiteEntry]) -> SiteEntry:
        key = fold(site)
        if not key:
            raise ValueError("a site code is needed")
        with self._lock:
            kept = self._sites.get(key)
            entry = change(None if kept is None else kept.entry)
            if not self.enabled:
                return entry
            evicted = self._sites.set(key, KeptSite(site.strip() if kept is None else kept.name, entry))
            self._counts.sets += 1
            self._counts.evictions += len(evicted)
        self._tell(site, "Set", entry)
        self._tell_evicted(evicted)
        return entry

    def _keep_read(self, site: str, entry: SiteEntry) -> None:
        self._store(site, lambda _: entry)
        self._counts.hydrations += 1

    def _tell_evicted(self, evicted: list[KeptSite]) -> None:
        for dropped in evicted:
            self._tell(dropped.name, "Remove", dropped.entry)

    def _tell(self, site: str, operation: str, entry: SiteEntry | None) -> None:
        tell_store(self.telemetry, self, operation, site, entry, len(self._sites))

    def _tell_state(self, operation: str) -> None:
        tell_state(self.telemetry, self, operation, len(self._sites))
