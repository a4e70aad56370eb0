"""The device repository: everything that can be asked about sites, devices and their interfaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from statetrace.cache import SharedSiteCache, shared_site_cache
from statetrace.database import Database, SiteDatabases, queries, run_with_retry
from statetrace.errors import DatabaseError, DatabaseMissing, HydrationFailed, NotFound, StateTraceError
from statetrace.model import (
    AuthTemplates,
    CaseInsensitiveMap,
    Device,
    DeviceHistoryRecord,
    HostPorts,
    InterfaceHistoryRecord,
    InterfaceRecord,
    InterfaceRow,
    SiteEntry,
    SpanningTreeRecord,
    fold,
    site_of,
    zone_of,
)
from statetrace.model.names import clean_host_name, of_site
from statetrace.repository import rows
from statetrace.repository.hydration import Hydration, hydrate_site
from statetrace.repository.ports import PortStream, open_port_stream
from statetrace.repository.reuse import reuse_attempt, reuse_metrics, reuse_state
from statetrace.repository.templates import HintCache
from statetrace.telemetry import NO_TELEMETRY, InterfaceSiteCacheMetrics, Stopwatch, Telemetry, TemplateUse

T = TypeVar("T")


class SiteRead(msgspec.Struct, frozen=True):
    """A site as read, from the cache or from its database, and the metrics of that read.

    Attributes:
        template_use: what the rows read took from the auth templates; nothing when none were read.
        unique_port_count: distinct names of ports among them.
    """

    entry: SiteEntry
    metrics: InterfaceSiteCacheMetrics
    template_use: TemplateUse = TemplateUse()
    unique_port_count: int = 0

    @property
    def from_cache(self) -> bool:
        """Whether nothing had to be read from a database."""
        return self.metrics.provider == "Cache"


class DeviceRepository:
    """Reads sites, devices and interfaces; a site's rows go through the shared cache.

    Results are immutable. Any thread may use it.

    Args:
        databases: where the databases of the sites are; a path stands for the data folder.
        cache: by default the one of the process.
        telemetry: where ``InterfaceSiteCacheMetrics`` and its companions go.
        template_folder: auth templates that replace those of the package.
        force_refresh: read every site anew, whatever is cached (``STATETRACE_FORCE_SITE_CACHE_REFRESH``).
    """

    def __init__(
        self,
        databases: SiteDatabases | Path | str,
        *,
        cache: SharedSiteCache | None = None,
        telemetry: Telemetry = NO_TELEMETRY,
        template_folder: Path | None = None,
        force_refresh: bool = False,
    ) -> None:
        self.databases = databases if isinstance(databases, SiteDatabases) else SiteDatabases(Path(databases))
        self.cache = shared_site_cache() if cache is None else cache
        self.telemetry = telemetry
        self._hints = HintCache(template_folder)
        self._force_refresh = force_refresh
        # Takes the place of the shared cache while that is switched off.
        self._own: dict[str, SiteEntry] = {}

    @property
    def templates(self) -> AuthTemplates:
        """The auth templates as their files have them now.

        Raises:
            TemplateError: a template file that cannot be read.
        """
        return self._hints.templates().templates

    # Sites

    def sites(self, *, failures: list[DatabaseError] | None = None) -> tuple[str, ...]:
        """The codes of all sites that any database holds, sorted.

        Args:
            failures: receives what went wrong with databases that cannot be read, in place of raising it.

        Raises:
            DatabaseError: a database cannot be read.
        """
        return tuple(self.databases.sites(failures=failures))

    def site(self, site: str, *, refresh: bool = False) -> SiteEntry:
        """The rows of a site: cached, else hydrated from its database. See :meth:`read_site`."""
        return self.read_site(site, refresh=refresh).entry

    def read_site(self, site: str, *, refresh: bool = False) -> SiteRead:
        """The rows of a site, and the metrics of this read.

        A cached site is reused without asking whether its database changed meanwhile; ``refresh`` reads it anew.
        However many threads ask for a site that is not cached, its database is read once. A site without a database
        gives an entry without hosts, which is not cached. So does a blank site, of which no event is told.

        Raises:
            HydrationFailed: the database or the auth templates cannot be read; what was cached stays cached.
            UnsafeName: the site code could not be a file name, so nothing of that name can be stored.
        """
        site = site.strip()
        if not site:
            return SiteRead(
                SiteEntry(),
                InterfaceSiteCacheMetrics(site="", cache_status="", refreshed=False, provider="InvalidSite"),
            )
        refresh = refresh or self._force_refresh
        shared = self.cache.get(site)
        own = None if self.cache.enabled else self._own.get(fold(site))
        database = None
        # What was imported serves whatever the state of the database, also where that cannot be read at all.
        if refresh or (own is None if shared is None else shared.source is not None):
            try:
                database = self.databases.open(site)
                if shared is not None and not self._serves(shared, database):
                    shared = None
            except DatabaseError as error:
                if refresh or shared is None or shared.source is None or not self.databases.owns(shared.source):
                    self._tell_failure(site, "", refresh=refresh)
                    raise HydrationFailed(site, str(error)) from error
        if self.telemetry.enabled:
            self.telemetry.emit(reuse_attempt(site, own, shared, refresh=refresh))
        cached = own if shared is None else shared
        if cached is not None and not refresh:
            return self._reused(site, cached, shared=shared is not None, refresh=False)
        if database is None:
            return self._missing(site, refresh=refresh)
        return self._hydrated(site, database, own, refresh=refresh)

    def is_current(self, site: str) -> bool:
        """Whether the cached entry of a site stems from its database in the state that the database has now."""
        entry = self.cache.entries().get(site)
        database = self.databases.open(site)
        return (
            entry is not None and database is not None and entry.source is not None and entry.source == database.state()
        )

    def _serves(self, entry: SiteEntry, database: Database | None) -> bool:
        """Whether an entry may be used here: it came from the site's database, or from no database that is known.

        A process may have several data folders, and sites of one name in them. Where the database is gone, what was
        read of it still serves.
        """
        if entry.source is None:
            return True
        try:
            if database is not None:
                return entry.source.identity == database.identity()
        except DatabaseMissing:
            pass
        return self.databases.owns(entry.source)

    def _reused(self, site: str, entry: SiteEntry, *, shared: bool, refresh: bool) -> SiteRead:
        metrics = reuse_metrics(site, entry, shared=shared, refresh=refresh)
        if self.telemetry.enabled:
            self.telemetry.emit(metrics)
            self.telemetry.emit(reuse_state(site, entry))
        return SiteRead(entry, metrics)

    def _missing(self, site: str, *, refresh: bool) -> SiteRead:
        metrics = InterfaceSiteCacheMetrics(
            site=site,
            cache_status="Refreshed" if refresh else "Hydrated",
            refreshed=refresh,
            provider="MissingDatabase",
            query_attempts=1,
            previous_snapshot_status="CacheEntryMissing",
        )
        self.telemetry.emit(metrics)
        return SiteRead(SiteEntry(cache_status=metrics.cache_status), metrics)

    def _hydrated(self, site: str, database: Database, own: SiteEntry | None, *, refresh: bool) -> SiteRead:
        done: Hydration | None = None

        def hydrate(cached: SiteEntry | None) -> SiteEntry:
            nonlocal done
            if cached is not None and not self._serves(cached, database):
                cached = None
            done = hydrate_site(
                site, database, previous=own if cached is None else cached, templates=self._hints, refresh=refresh
            )
            return done.entry

        try:
            entry, _ = self.cache.hydrate(
                site,
                hydrate,
                refresh=refresh,
                origin=str(database.path),
                serves=lambda cached: self._serves(cached, database),
            )
        except StateTraceError as error:
            self._tell_failure(site, database.dialect, refresh=refresh)
            if isinstance(error, HydrationFailed):
                raise
            raise HydrationFailed(site, str(error)) from error
        if not self.cache.enabled:
            self._own[fold(site)] = entry
        if done is None:  # another thread read the site while this one waited
            return self._reused(site, entry, shared=self.cache.enabled, refresh=refresh)
        if self.telemetry.enabled:
            self.telemetry.emit(done.metrics)
        return SiteRead(entry, done.metrics, done.template_use, done.unique_port_count)

    def _tell_failure(self, site: str, dialect: str, *, refresh: bool) -> None:
        self.telemetry.emit(
            InterfaceSiteCacheMetrics(
                site=site,
                cache_status="Refreshed" if refresh else "Hydrated",
                refreshed=refresh,
                provider="Refresh" if refresh else "Hydrate",
                query_attempts=1,
                database_dialect=dialect,
            )
        )

    # Interfaces

    def host(self, host: str) -> HostPorts:
        """Port → row of one host.

        Raises:
            NotFound: the host's site has no such host.
        """
        host = clean_host_name(host)
        ports = self.site(site_of(host)).hosts.get(host)
        if ports is None:
            raise NotFound("host", host, f"in site {site_of(host)}")
        return ports

    def interface(self, host: str, port: str) -> InterfaceRow:
        """The row of one port.

        Raises:
            NotFound: no such host, or no such port on it.
        """
        row = self.host(host).get(port)
        if row is None:
            raise NotFound("port", port.strip(), f"on {clean_host_name(host)}")
        return row

    def interfaces(
        self, *, site: str | None = None, host: str | None = None, zone: str | None = None
    ) -> tuple[InterfaceRecord, ...]:
        """Interfaces with host, port and place: of everything, of a site, of a host, of a zone, or of what is common.

        Sites and hosts come in order of their names, ports in natural order. An unknown host gives nothing.
        """
        if host is not None:
            site = site_of(host) if site is None else site
        chosen = self.sites() if site is None else (site,)
        return tuple(record for code in chosen for record in self._records(code, host, zone))

    def _records(self, site: str, host: str | None, zone: str | None) -> Iterator[InterfaceRecord]:
        entry = self.site(site)
        devices = {fold(device.hostname): device for device in self.devices(site)}
        wanted = None if host is None else fold(clean_host_name(host))
        for name in sorted(entry.hosts, key=fold):
            in_zone = zone is None or fold(zone_of(name)) == fold(zone)
            if in_zone and wanted in (None, fold(name)):
                device = devices.get(fold(name)) or Device(name)
                for port, row in entry.hosts[name].items():
                    yield InterfaceRecord(
                        name, port, row, site_of(name), zone_of(name), device.building, device.room, device.make
                    )

    def hosts_batch(self, hosts: Iterable[str]) -> CaseInsensitiveMap[HostPorts]:
        """Port → row of several hosts of one or more sites; unknown hosts are absent.

        Each site is asked for once. Hosts are trimmed and named once, the first spelling counts.
        """
        wanted = {fold(name): name for name in reversed([clean_host_name(host) for host in hosts]) if name}
        sites: dict[str, SiteEntry] = {}
        found = []
        for name in reversed(wanted.values()):
            site = site_of(name)
            if fold(site) not in sites:
                sites[fold(site)] = self.site(site)
            ports = sites[fold(site)].hosts.get(name)
            if ports is not None:
                found.append((name, ports))
        return CaseInsensitiveMap(found)

    def port_stream(self, host: str, *, chunk_size: int | None = None) -> PortStream:
        """The ports of a host in batches; tells ``InterfacePortQueueMetrics``. See :mod:`statetrace.repository.ports`.

        Raises:
            NotFound: no such host.
        """
        watch = Stopwatch().start()
        ports = tuple(self.host(host).items())
        return open_port_stream(
            clean_host_name(host), ports, chunk_size=chunk_size, waited_ns=watch.lap(), telemetry=self.telemetry
        )

    # Devices, spanning tree, history: read from the database each time

    def devices(self, site: str | None = None) -> tuple[Device, ...]:
        """The devices of a site, or of all, by host name."""
        if site is None:
            return tuple(device for code in self.sites() for device in self.devices(code))
        found = self._select(self.databases.open(site), queries.devices(site), rows.device)
        return tuple(of_site(site, found, lambda device: (device.site, device.hostname)))

    def device(self, host: str) -> Device:
        """The summary of one host.

        Raises:
            NotFound: no such host.
        """
        host = clean_host_name(host)
        found = self._select(self.databases.open(site_of(host)), queries.device(host), rows.device)
        if not found:
            raise NotFound("host", host)
        return found[0]

    def spanning_tree(self, host: str) -> tuple[SpanningTreeRecord, ...]:
        """The spanning-tree instances of a host, by VLAN, root port, role and upstream; none for an unknown host."""
        host = clean_host_name(host)
        return self._select(self.databases.open(site_of(host)), queries.spanning_tree(host), rows.spanning_tree)

    def device_history(self, host: str) -> tuple[DeviceHistoryRecord, ...]:
        """The summaries of a host over time, oldest first."""
        host = clean_host_name(host)
        return self._select(self.databases.open(site_of(host)), queries.device_history(host), rows.device_history)

    def interface_history(self, host: str, port: str | None = None) -> tuple[InterfaceHistoryRecord, ...]:
        """What each ingestion wrote of a host's ports, or of one of them, oldest first."""
        host = clean_host_name(host)
        statement = queries.interface_history(host, None if port is None else port.strip())
        return self._select(self.databases.open(site_of(host)), statement, rows.interface_history)

    def _select(
        self, database: Database | None, statement: sa.Select[Any], make: Callable[[Sequence[Any]], T]
    ) -> tuple[T, ...]:
        if database is None:
            return ()

        def read() -> tuple[T, ...]:
            with database.connect() as connection:
                return tuple(map(make, connection.execute(statement)))

        try:
            return run_with_retry(database.path, read).value
        except DatabaseMissing:
            return ()
