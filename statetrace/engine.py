"""``Engine``: a data folder, its databases, the shared cache and telemetry tied together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

import msgspec

from statetrace.cache import SharedSiteCache, shared_site_cache
from statetrace.database import SiteDatabases
from statetrace.ingestion.report import HostOutcome, IngestionReport
from statetrace.ingestion.session import IngestionSession, SessionOptions
from statetrace.persistence import ParserPersistence
from statetrace.repository import DeviceRepository
from statetrace.settings import Settings
from statetrace.telemetry import NO_TELEMETRY, Telemetry


class Engine:
    """StateTrace over one data folder.

    >>> from statetrace import Engine
    >>> with Engine("Data") as engine:
    ...     engine.repository.sites()
    ()

    Args:
        data: folder of an existing StateTrace, or of a new one; it need not exist yet.
        database: one database for all sites, in place of the one a site.
        cache: by default the one of the process, to which the settings are applied.
        telemetry: where events go; by default the directory of ``STATETRACE_TELEMETRY_DIR``, without it nowhere. Those
            of the cache go there, too, until the engine is closed.
        settings: by default resolved from the folder's settings file and the environment.

    Attributes:
        data: the folder.
        settings: what is in force.
        databases: where the databases of the sites are.
        cache: the shared site cache.
        repository: what can be asked.
        persistence: stores what logs say, for those who parse them by other means.
        telemetry: where events go.
    """

    def __init__(
        self,
        data: str | os.PathLike[str] = "Data",
        *,
        database: str | os.PathLike[str] | None = None,
        cache: SharedSiteCache | None = None,
        telemetry: Telemetry | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.data = Path(data)
        self.settings = Settings.load(self.data) if settings is None else settings
        if telemetry is None and self.settings.telemetry_directory is not None:
            telemetry = Telemetry.to_directory(self.settings.telemetry_directory)
        self.telemetry = NO_TELEMETRY if telemetry is None else telemetry
        if cache is None:
            cache = shared_site_cache()
            cache.apply(self.settings)
        self.cache = cache
        if self.telemetry.enabled:
            cache.send_to(self.telemetry)
        self.databases = SiteDatabases(self.data, None if database is None else Path(database))
        self.repository = DeviceRepository(
            self.databases,
            cache=self.cache,
            telemetry=self.telemetry,
            template_folder=self.settings.template_folder,
            force_refresh=self.settings.force_site_cache_refresh,
        )
        self.persistence = ParserPersistence(self.repository, settings=self.settings)

    def ingest(
        self,
        logs: str | os.PathLike[str] | Iterable[Path] = "Logs",
        *,
        jobs: int | None = None,
        options: SessionOptions | None = None,
        on_start: Callable[[int], None] = lambda _: None,
        on_outcome: Callable[[HostOutcome], None] = lambda _: None,
    ) -> IngestionReport:
        """Ingest the raw logs of a folder, or those named: what they say is in the databases and in the cache then.

        Logs that are known and stored already are skipped. What goes wrong with a host is told in its outcome.

        Args:
            logs: the folder, or the files.
            jobs: processes that work at a time, 1 for this one alone; by default as many as are worth while.
            options: all else that can be asked for; see :class:`SessionOptions`.
            on_start: called with the number of hosts.
            on_outcome: called after each host.

        Raises:
            OSError: the folder cannot be listed.
        """
        options = SessionOptions() if options is None else options
        if jobs is not None:
            options = msgspec.structs.replace(options, jobs=jobs)
        persistence = ParserPersistence(self.repository, settings=self.settings)
        session = IngestionSession(persistence, options, on_start=on_start, on_outcome=on_outcome)
        return session.run(Path(logs) if isinstance(logs, str | os.PathLike) else logs)

    def close(self) -> None:
        """Close databases and telemetry. What is cached stays cached: the cache is the process's."""
        self.cache.stop_sending_to(self.telemetry)
        self.databases.close()
        self.telemetry.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
