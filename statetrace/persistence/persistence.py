"""``ParserPersistence``: what logs say becomes stored rows, a current cache and events."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from statetrace.database import Database
from statetrace.database.schema import DATE_FORMAT
from statetrace.errors import SnapshotError, StateTraceError
from statetrace.model import fold
from statetrace.persistence.canonical import HostFacts, canonical
from statetrace.persistence.existing import UNAVAILABLE, ExistingRows, ExistingRowSource, Origin
from statetrace.persistence.row_cache import ExistingRowCache, existing_row_cache
from statetrace.persistence.telling import HostStory, batch_event, kept_rows_event, row_events, write_events
from statetrace.persistence.write import HostWritten, compare_host, write_host
from statetrace.repository import DEFAULT_CHUNK_SIZE, DeviceRepository
from statetrace.settings import Settings
from statetrace.telemetry import NO_TELEMETRY, InterfacePersistenceFailure, Stopwatch, Telemetry, round_ms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from statetrace.model import DeviceFacts, HostPorts
    from statetrace.persistence.diff import HostDiff
    from statetrace.telemetry import Event


_log = logging.getLogger("statetrace.persistence")


class HostReport(msgspec.Struct, frozen=True):
    """What became of one host.

    Attributes:
        hostname: its name.
        site: its site.
        inserted: rows that are new.
        changed: rows that took the place of others.
        unchanged: rows that stayed.
        deleted: rows of ports that the log does not name any more.
        origin: where the rows came from that the log was compared with.
        latency_ms: milliseconds of finding those rows and of the transaction.
        make: what the device is.
    """

    hostname: str
    site: str
    inserted: int
    changed: int
    unchanged: int
    deleted: int
    origin: Origin
    latency_ms: float
    make: str = ""


class ParserPersistence:
    """Stores what logs say of hosts, host by host, and keeps the shared cache current.

    Each host is one transaction; only after its commit are its rows put into the cache and told. Any thread may use
    it; a database has one writer at a time among all threads and processes.

    Args:
        repository: where the databases and the shared cache are; a path stands for the data folder.
        telemetry: where events go; by default where those of the repository go.
        settings: whether to skip the site cache and where its stand-in comes from; by default from the environment.
        row_cache: rows kept in skip mode; by default those of the process.
    """

    def __init__(
        self,
        repository: DeviceRepository | Path | str,
        *,
        telemetry: Telemetry | None = None,
        settings: Settings | None = None,
        row_cache: ExistingRowCache | None = None,
    ) -> None:
        if not isinstance(repository, DeviceRepository):
            repository = DeviceRepository(repository, telemetry=NO_TELEMETRY if telemetry is None else telemetry)
        self.repository = repository
        self.telemetry = repository.telemetry if telemetry is None else telemetry
        self.settings = Settings.load() if settings is None else settings
        self.row_cache = existing_row_cache() if row_cache is None else row_cache
        chunk_size = self.settings.parser.interface_bulk_chunk_size or 0
        self._chunk_size = chunk_size if chunk_size > 0 else DEFAULT_CHUNK_SIZE
        self._hydrated: set[str] = set()
        self._existing = ExistingRowSource(
            repository,
            self.row_cache,
            skip=self.settings.skip_site_cache_update,
            force_refresh=self.settings.force_site_cache_refresh,
        )

    def persist(self, facts: DeviceFacts, *, run_date: datetime | None = None, allow_empty: bool = False) -> HostReport:
        """Store what a log says of a host.

        Args:
            facts: as the parser gave them.
            run_date: local time for the histories; by default now.
            allow_empty: a table of interfaces that was found and is empty removes the host's rows.

        Raises:
            UnsafeName: the host's site must not become part of a path.
            StateTraceError: its rows cannot be read or not be written; nothing of the host was stored. Told as
                ``InterfacePersistenceFailure``.
        """
        date = (datetime.now().astimezone() if run_date is None else run_date).strftime(DATE_FORMAT)
        return self.persist_host(canonical(facts), run_date=date, allow_empty=allow_empty)

    def persist_host(self, host: HostFacts, *, run_date: str, allow_empty: bool = False) -> HostReport:
        """:meth:`persist` for facts in canonical form, and a date as it is stored."""
        database: Database | None = None
        try:
            database = self.repository.databases.made(host.site)
            existing = self.existing_rows(host.site, host.hostname, database)
            written = write_host(
                database,
                host,
                self.repository.templates,
                known=existing.known,
                run_date=run_date,
                allow_empty=allow_empty,
            )
        except StateTraceError as error:
            self.tell_failure(host.hostname, error, database)
            raise
        return self.settle(host, database, existing, written, run_date)

    def preview(self, facts: DeviceFacts, *, allow_empty: bool = False) -> tuple[HostPorts, HostDiff]:
        """The rows that a host has, and what :meth:`persist` would change now. Writes nothing and makes no database.

        Raises:
            UnsafeName, DatabaseError: as for :meth:`persist`.
        """
        return self.preview_host(canonical(facts), allow_empty=allow_empty)

    def preview_host(self, host: HostFacts, *, allow_empty: bool = False) -> tuple[HostPorts, HostDiff]:
        """:meth:`preview` for facts in canonical form."""
        database = self.repository.databases.open(host.site)
        return compare_host(database, host, self.repository.templates, allow_empty=allow_empty)

    # The steps of ``persist``, for those who let another process do the writing

    def existing_rows(self, site: str, host: str, database: Database | None) -> ExistingRows:
        """What is known of the rows of a host, and where from; see :class:`ExistingRowSource`.

        Of a site without a database nothing is known yet.

        Raises:
            HydrationFailed, DatabaseError: the site had to be read and cannot be.
        """
        snapshot = self.settings.existing_row_snapshot
        if self.settings.skip_site_cache_update and snapshot is not None:
            try:
                self.row_cache.import_once(snapshot)
            except SnapshotError as error:  # tried once; without it rows are read from the database
                _log.warning("%s", error)
        return ExistingRows(UNAVAILABLE) if database is None else self._existing.of_host(site, host, database)

    def settle(
        self, facts: HostFacts, database: Database, existing: ExistingRows, written: HostWritten, run_date: str
    ) -> HostReport:
        """Put what was committed into the cache, and tell it."""
        existing = existing.settled(loaded=written.loaded, skip=self.settings.skip_site_cache_update)
        story = HostStory(facts, existing, written, run_date)
        tell = self.telemetry.enabled
        batch = batch_event(story) if tell else None
        self._keep(story)
        if tell:
            self._emit(row_events(story, batch, self._chunk_size))
        try:
            publish_ns = self._publish(story, database)
        except StateTraceError as error:  # what is committed stays so
            publish_ns = 0
            _log.warning("site %s is not cached: %s", facts.site, error)
        if tell:
            self._emit(write_events(story, batch, publish_ns))
        diff = written.diff
        return HostReport(
            facts.hostname,
            facts.site,
            len(diff.inserted),
            len(diff.changed),
            diff.unchanged,
            len(diff.obsolete),
            existing.origin,
            round_ms(existing.fetch_ns + written.times.total),
            facts.device.make,
        )

    def tell_failure(self, host: str, error: BaseException, database: Database | None) -> None:
        """Tell that nothing of a host was stored, and why."""
        self.telemetry.emit(
            InterfacePersistenceFailure.of(
                host,
                error,
                database_path="" if database is None else str(database.path),
                provider="" if database is None else database.dialect,
            )
        )

    def _keep(self, story: HostStory) -> None:
        """In skip mode keep the rows for the next ingestion of the host, and tell what is kept."""
        if not self.settings.skip_site_cache_update:
            return
        facts = story.facts
        self.row_cache.put(
            facts.site,
            facts.hostname,
            story.written.diff.rows,
            since=story.written.before,
            state=story.written.after,
        )
        if self.telemetry.enabled:
            kept = self.row_cache.summary(facts.site, facts.hostname)
            self.telemetry.emit(kept_rows_event(story, kept, self.settings.skip_sources))

    def _publish(self, story: HostStory, database: Database) -> int:
        """Make the cached sites current again; the nanoseconds it took to put the host's rows there, if they were.

        Rows that came from the cache and did not change need not go there again.
        """
        cache, facts, diff = self.repository.cache, story.facts, story.written.diff
        since, source = story.written.before, story.written.after
        watch = Stopwatch().start()
        published = False
        wanted = cache.enabled and not self.settings.skip_site_cache_update
        if wanted and cache.peek(facts.site) is None:
            published = self._hydrate(facts.site)
        elif wanted and not (diff.empty and story.existing.origin.hit):
            merged = cache.merge_host(facts.site, facts.hostname, diff.rows, since=since, source=source)
            published = merged is not None
        took = watch.lap()
        if not story.written.loaded and (published or diff.empty):
            # Of a database with several sites only this one changed, if any; unless the host was found where it was not
            # known to be, perhaps filed under another of them.
            cache.confirm(since, source, changed=None if diff.empty else facts.hostname)
        # What another process took of the state, as this one would have; of hosts written in one turn, of the last one.
        here = database.as_seen_here(source)
        if here.mark and here != source:
            cache.confirm(source, here)
        return took if published else 0

    def _hydrate(self, site: str) -> bool:
        """Cache a site that is not, whole; once, or the cache is too small for it."""
        if fold(site) in self._hydrated:
            return False
        self._hydrated.add(fold(site))
        self.repository.read_site(site)
        return True

    def _emit(self, events: Iterable[Event]) -> None:
        for event in events:
            self.telemetry.emit(event)
