"""Where the rows come from that a host's log is compared with, and how that is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from statetrace.model import DatabaseState, HostPorts, SiteEntry, fold
from statetrace.persistence.write import Known
from statetrace.repository import SiteRead
from statetrace.telemetry import Stopwatch

if TYPE_CHECKING:
    from statetrace.database import Database
    from statetrace.persistence.row_cache import ExistingRowCache
    from statetrace.repository import DeviceRepository


class Origin(msgspec.Struct, frozen=True):
    """Where rows came from in the words of the wire (reference: parser-persistence 9.4).

    Attributes:
        status: ``SiteCacheFetchStatus``.
        provider: ``SiteCacheProvider``.
        reason: ``SiteCacheProviderReason``.
        source: ``SiteCacheExistingRowSource``.
    """

    status: str
    provider: str
    reason: str
    source: str

    @property
    def hit(self) -> bool:
        """Whether the rows came from a cache, be it filled in this very call."""
        return self.source != "DatabaseQuery"

    @property
    def refreshed(self) -> bool:
        """Whether the whole site was read anew for it."""
        return self.reason == "AccessRefresh"


SHARED = Origin("SharedOnly", "SharedCache", "SharedCacheMatch", "CacheInitial")
"""The shared cache had the site in the state that its database has."""
HYDRATED = Origin("Hydrated", "Hydrated", "AccessHydrate", "CacheInitial")
"""The site was read for the first time."""
REFRESHED = Origin("Refreshed", "Refreshed", "AccessRefresh", "CacheRefresh")
"""The site was cached in another state than its database has, or a refresh was asked for."""
KEPT = Origin("Hit", "Cache", "SiteExistingCache", "SiteExistingCache")
"""The rows were kept since they were read or written in skip mode."""
SKIPPED = Origin("Disabled", "Database", "SkipSiteCacheUpdate", "DatabaseQuery")
"""The site cache must not be filled, so the host's rows alone were read."""
UNAVAILABLE = Origin("SkippedEmpty", "Database", "SharedCacheUnavailable", "DatabaseQuery")
"""The site is new, or the shared cache is switched off or too small for it: the host's rows alone were read."""
OVERTAKEN = Origin("Miss", "Database", "DatabaseQueryFallback", "DatabaseQuery")
"""What was known did not fit the database, to which somebody else wrote; so the host's rows were read again."""


class ExistingRows(msgspec.Struct, frozen=True):
    """What is known of a host's rows before its log is compared with them.

    Attributes:
        origin: where they came from.
        known: the rows and the state of the database; ``None`` when they have to be read with the host.
        entry: the site's entry that was looked into, if any.
        before: the one that was cached when the site was read anew.
        read: the read of the site, if it was read for this host.
        forced: the site was read anew because the settings ask for that, whatever was cached of it.
        fetch_ns: nanoseconds that finding them took.
    """

    origin: Origin
    known: Known | None = None
    entry: SiteEntry | None = None
    before: SiteEntry | None = None
    read: SiteRead | None = None
    forced: bool = False
    fetch_ns: int = 0

    def settled(self, *, loaded: bool, skip: bool) -> ExistingRows:
        """The same after the host was written: what was known counted for nothing if its rows were loaded then."""
        if not loaded or not self.origin.hit:
            return self
        return ExistingRows(SKIPPED if skip else OVERTAKEN, fetch_ns=self.fetch_ns)


class ExistingRowSource:
    """Finds the existing rows of hosts: kept ones in skip mode, then the shared cache, then the database.

    Rows of a cache count only while the cached site is known to stem from the database in the state that it has now.
    A site that is not cached is read once, whole; one that is cached in another state is read anew. What is neither is
    left to be read with the host.

    Args:
        repository: reads sites through the shared cache.
        row_cache: rows kept in skip mode.
        skip: leave the site cache alone, keep rows by host instead.
        force_refresh: read each site anew when the first of its hosts comes.
    """

    def __init__(
        self, repository: DeviceRepository, row_cache: ExistingRowCache, *, skip: bool, force_refresh: bool
    ) -> None:
        self._repository = repository
        self._cache = repository.cache
        self._row_cache = row_cache
        self._skip = skip
        self._force_refresh = force_refresh
        self._refreshed: set[str] = set()
        # Sites that the cache would not keep: reading them whole for each host would be in vain.
        self._too_large: set[str] = set()

    def of_host(self, site: str, host: str, database: Database) -> ExistingRows:
        """The existing rows of a host.

        Raises:
            HydrationFailed: the site had to be read and cannot be.
            DatabaseError: the database cannot be asked for its state.
        """
        watch = Stopwatch().start()
        found = self._find(site, host, database)
        return msgspec.structs.replace(found, fetch_ns=watch.lap())

    def _find(self, site: str, host: str, database: Database) -> ExistingRows:
        if self._skip and (kept := self._row_cache.get(site, host)) is not None:
            return ExistingRows(KEPT, kept)
        wanted = database.state()
        entry = self._cache.get(site)
        forced = self._must_refresh(site)
        if not forced and entry is not None and entry.source == wanted:
            return ExistingRows(SHARED, _known(entry, host, wanted), entry)
        if self._skip:
            return ExistingRows(SKIPPED, entry=entry)
        if not self._cache.enabled or fold(site) in self._too_large:
            return ExistingRows(UNAVAILABLE)
        refresh = entry is not None or self._force_refresh
        read = self._repository.read_site(site, refresh=refresh)
        self._refreshed.add(fold(site))
        if self._cache.peek(site) is None:
            self._too_large.add(fold(site))
        source = read.entry.source
        known = None if source is None or not source.mark else _known(read.entry, host, source)
        if read.from_cache:  # another thread read the site while this one waited
            return ExistingRows(SHARED, known, read.entry)
        return ExistingRows(REFRESHED if refresh else HYDRATED, known, read.entry, entry, read, forced)

    def _must_refresh(self, site: str) -> bool:
        return self._force_refresh and fold(site) not in self._refreshed


def _known(entry: SiteEntry, host: str, state: DatabaseState) -> Known:
    """The rows of a host in an entry that is complete: a host that it does not name has none."""
    return Known(entry.hosts.get(host) or HostPorts(), state)
