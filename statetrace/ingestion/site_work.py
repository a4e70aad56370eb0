"""What a session keeps of a site while it ingests its hosts: the right to do so, what is known already, what is new."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from statetrace.database import Database, SiteDatabases, queries
from statetrace.database.locations import HISTORY_FOLDER
from statetrace.ingestion.history import SiteHistory, SiteLease
from statetrace.ingestion.history_text import HistoryRecord
from statetrace.ingestion.logs import HostLog, original_slice
from statetrace.model import fold, site_of
from statetrace.telemetry import utc_text

_SMALLEST_BATCH = 128
_LONGEST_DELAY_S = 2.0
_DELAY_PER_FLUSH = 20
"""Of a large history even a flush now and then is dear: it takes a twentieth of the time at most."""


class SiteWork:
    """One site of a session.

    What was ingested is added to the history in batches that grow with it, so that rewriting its file costs a host the
    same however many there are. A record that is lost with a killed process costs one more parse of an unchanged log.

    Args:
        site: the site code.
        databases: where the sites' databases are; the history lies in their folder.
        jobs: how many logs of the site the session has.
        history: the folder of the history instead. The right to ingest the site is that of the databases all the same.

    Attributes:
        jobs: logs that are still to be done.
    """

    def __init__(self, site: str, databases: SiteDatabases, jobs: int, history: Path | None = None) -> None:
        folder = databases.data_folder / HISTORY_FOLDER
        self.site = site
        self.jobs = jobs
        self._lease = SiteLease(folder, site)
        self._history = SiteHistory(history or folder, site)
        self._databases = databases
        self._stored: dict[str, set[str]] = {}
        self._database: Database | None = None
        self._pending: list[HistoryRecord] = []
        self._known = 0
        self._next_flush = time.monotonic() + _LONGEST_DELAY_S

    @property
    def diagnostics(self) -> tuple[str, ...]:
        """What is wrong with the history, one sentence each."""
        return self._history.diagnostics

    def take(self) -> bool:
        """Whether nobody else ingests the site now, so that we may.

        Raises:
            HistoryError: no lease can be made.
        """
        return self._lease.acquire()

    @property
    def opened(self) -> Database | None:
        """The database of the site, if it was found."""
        return self._database

    def database(self) -> Database | None:
        """The database of the site, found once; ``None`` while there is none.

        It is made with the first host that is stored, so that logs of which nothing is understood leave none.

        Raises:
            UnsafeName, DatabaseError: it cannot be opened.
        """
        if self._database is None:
            self._database = self._databases.open(self.site)
        else:
            self._databases.use(self._database)
        return self._database

    def made_database(self) -> Database:
        """The database of the site, made when there is none.

        Raises:
            UnsafeName, DatabaseError: it cannot be opened or made.
        """
        if self._database is None:
            self._database = self._databases.made(self.site)
        else:
            self._databases.use(self._database)
        return self._database

    def duplicate_of(self, log: HostLog) -> HistoryRecord | None:
        """The record of an earlier ingestion of this very slice, if its host is in the database.

        Slices that the original cut differently are known by what it hashed.

        Raises:
            HistoryError: the history cannot be read.
            DatabaseError: the database cannot be asked for its hosts.
            OSError: the log cannot be read.
        """
        record = self._history.find(log.name, log.sha256, log.length)
        if record is None and self._history.of_name(log.name) is not None:
            content = original_slice(log)
            record = self._history.find(log.name, hashlib.sha256(content).hexdigest(), len(content))
        if record is None:
            return None
        host = record.actual_hostname or record.hostname
        return record if fold(host) in self._stored_hosts(site_of(host)) else None

    def ingested(self, log: HostLog, hostname: str) -> None:
        """Remember that a slice was committed."""
        now = utc_text(time.time_ns())
        self._pending.append(
            HistoryRecord(
                hostname=log.name,
                actual_hostname=hostname,
                site=self.site,
                file_hash=log.sha256,
                source_length=log.length,
                source_timestamp_utc=_modified(log),
                last_ingested_utc=now,
            )
        )
        if (stored := self._stored.get(fold(site_of(hostname)))) is not None:
            stored.add(fold(hostname))
        due = len(self._pending) >= max(_SMALLEST_BATCH, self._known // 8)
        if due or time.monotonic() > self._next_flush:
            self.flush()

    def flush(self) -> None:
        """Write what is not in the history yet.

        Raises:
            HistoryError, DatabaseError: it cannot be written, or the database not be synchronised; what was to be
                written is dropped, and parsed again next time.
        """
        pending, self._pending = self._pending, []
        self._known += len(pending)
        begun = time.monotonic()
        try:
            if pending:
                if self._database is not None:
                    self._database.sync()  # the history must not claim what a power failure takes from the database
                self._history.add(pending)
        finally:
            now = time.monotonic()
            self._next_flush = now + max(_LONGEST_DELAY_S, _DELAY_PER_FLUSH * (now - begun))

    def release(self) -> None:
        """Let others ingest the site, and keep no more of its database open than what notices changes to it."""
        self._lease.release()
        if self._database is not None:
            self._database.rest()

    def _stored_hosts(self, site: str) -> set[str]:
        """The hosts in a site's database: nearly always ours, but a log may name a host of another site."""
        stored = self._stored.get(fold(site))
        if stored is None:
            database = self._databases.open(site)
            stored = self._stored[fold(site)] = set()
            if database is not None:
                with database.connect() as connection:
                    stored.update(fold(str(host)) for _, host in connection.execute(queries.site_hosts()))
        return stored


def _modified(log: HostLog) -> str:
    """When the newest of a host's files was written."""
    try:
        return utc_text(max(path.stat().st_mtime_ns for path in log.files))
    except OSError:
        return ""
