"""A data folder, what stores hosts there, and what a foreign program sees and does in the meantime."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from statetrace.cache import SharedSiteCache
from statetrace.database import SiteDatabases
from statetrace.model import DeviceFacts, PortFacts
from statetrace.persistence import ExistingRowCache, ParserPersistence
from statetrace.repository import DeviceRepository, HintCache
from statetrace.repository.hydration import hydrate_site
from statetrace.settings import Settings
from statetrace.telemetry import Telemetry
from statetrace.testing import EventCapture

SITE, HOST, OTHER, THIRD = "WLLS", "WLLS-A01-AS-01", "WLLS-A01-AS-02", "WLLS-A01-AS-03"
RUN_DATE = "2026-01-06 13:28:32"


def device(host=HOST, ports=(), *, make="Cisco", **values):
    """The facts of a host: ports by name, or as facts of their own."""
    return DeviceFacts(
        host,
        make,
        ports=tuple(PortFacts(port) if isinstance(port, str) else port for port in ports),
        interfaces_found=True,
        **values,
    )


class World:
    """A data folder with a cache, a repository and a persistence of its own, as a process has them."""

    def __init__(self, folder, *, database=None, templates=None, **settings):
        self.folder = folder
        self.events = EventCapture()
        self.settings = Settings(**settings)
        telemetry = Telemetry(self.events)
        self.cache = SharedSiteCache(telemetry=telemetry, settings=self.settings)
        self.databases = SiteDatabases(folder, database)
        self.repository = DeviceRepository(
            self.databases, cache=self.cache, telemetry=telemetry, template_folder=templates
        )
        self.hints = HintCache(templates)
        self.row_cache = ExistingRowCache()
        self.persistence = ParserPersistence(self.repository, settings=self.settings, row_cache=self.row_cache)

    def close(self):
        self.databases.close()

    def persist(self, host=HOST, ports=(), *, make="Cisco", allow_empty=False, **values):
        return self.persistence.persist(device(host, ports, make=make, **values), allow_empty=allow_empty)

    def path(self, site=SITE):
        return self.databases.path_of(site)

    def sql(self, statement, *values, site=SITE):
        """What a foreign program does, or sees."""
        with closing(sqlite3.connect(self.path(site))) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def rows(self, columns="Hostname, Port, Status", table="Interfaces", site=SITE):
        return self.sql(f"SELECT {columns} FROM {table} ORDER BY rowid", site=site)

    def hydrated(self, site=SITE):
        """What somebody reads who knows nothing yet."""
        return hydrate_site(site, self.databases.open(site), previous=None, templates=self.hints, refresh=False).entry

    def agrees(self, site=SITE):
        """Whether the cached rows are those that the database gives, port by port and in the same order."""
        cached, fresh = self.cache.peek(site), self.hydrated(site)
        return (
            cached is not None
            and cached == fresh
            and [list(cached[host]) for host in fresh] == [list(ports) for ports in fresh.values()]
        )

    def is_current(self, site=SITE):
        return self.repository.is_current(site)
