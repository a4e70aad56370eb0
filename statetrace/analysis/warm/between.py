"""What happens to the cache between the passes of a warm run (reference: warm-run-and-gates 2.2 and 2.4)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from statetrace.analysis.warm import between_rows
from statetrace.analysis.warm.pass_start import WarmCache
from statetrace.analysis.warm.warm_rows import COLD_PASS, WarmRunRow
from statetrace.cache import SharedSiteCache
from statetrace.cache.snapshot_check import write_summary
from statetrace.errors import StateTraceError
from statetrace.repository import DeviceRepository
from statetrace.settings import Settings
from statetrace.telemetry import Telemetry

_SNAPSHOT = "SharedCacheSnapshot-{}.clixml"
_REFRESHED = "PostRefresh"


@contextmanager
def sending(cache: SharedSiteCache, telemetry: Telemetry) -> Iterator[None]:
    """Within the block the events of a cache go to ``telemetry``."""
    cache.send_to(telemetry)
    try:
        yield
    finally:
        cache.stop_sending_to(telemetry)


class BetweenPasses:
    """Probes, keeps, refreshes and restores what the cold pass left in the cache.

    Args:
        folder: the run's folder, where snapshots are kept.
        telemetry: where events go.

    Attributes:
        rows: what there was to see, as rows of the export.
        warnings: what went wrong.
        origins_lent: sites of a snapshot that are known to stem from the databases only by the live cache.
    """

    def __init__(self, folder: Path, telemetry: Telemetry) -> None:
        self.rows: list[WarmRunRow] = []
        self.warnings: list[str] = []
        self.origins_lent = 0
        self._folder = folder
        self._telemetry = telemetry

    def look_at(self, repository: DeviceRepository, *, refresh: bool) -> Path | None:
        """Probe, keep and, if that is asked for, read anew what is cached; returns its latest snapshot, if any."""
        cache = repository.cache
        with sending(cache, self._telemetry):
            self.rows.append(between_rows.cache_state("SharedCacheState:PostColdPass", cache))
            self._probe("CacheProbe:PostColdPass", repository)
            snapshot = self._export(cache, COLD_PASS, "PostColdPass")
            if refresh:
                self._probe("CacheRefresh", repository, refresh=True)
                self.rows.append(between_rows.cache_state(f"SharedCacheState:{_REFRESHED}", cache))
                self.rows += between_rows.site_states(f"CacheState:{_REFRESHED}", cache)
                self._probe("CacheProbe", repository)
                snapshot = self._export(cache, _REFRESHED, _REFRESHED) or snapshot
        return snapshot

    def warm_cache(
        self, begin_with: WarmCache, live: SharedSiteCache, snapshot: Path | None, settings: Settings
    ) -> SharedSiteCache:
        """The cache that the warm pass begins with.

        Args:
            begin_with: what it holds.
            live: the cold pass's own cache.
            snapshot: the file that it may be filled from.
            settings: for a new one.
        """
        cache = live
        if begin_with is not WarmCache.LIVE:
            cache = SharedSiteCache(settings=settings)
            with sending(cache, self._telemetry):
                if begin_with is WarmCache.SNAPSHOT and snapshot is not None:
                    self._fill(cache, live, snapshot)
            self.rows.append(between_rows.restore_row("SharedCacheRestore:PreWarmPass", len(cache)))
            self.rows.append(between_rows.cache_state("SharedCacheState:PostRestore", cache))
        self.rows.append(between_rows.cache_state("SharedCacheState:PreWarmPass", cache))
        self.rows += between_rows.site_states("CacheState:PreWarmPass", cache)
        return cache

    def _probe(self, label: str, repository: DeviceRepository, *, refresh: bool = False) -> None:
        reads = [repository.read_site(site, refresh=refresh) for site in repository.cache.sites()]
        self.rows += [between_rows.read_row(label, read) for read in reads]

    def _export(self, cache: SharedSiteCache, stage: str, label: str) -> Path | None:
        path = self._folder / _SNAPSHOT.format(stage)
        sites = cache.export_snapshot(path)
        if sites:
            write_summary(path.with_name(f"{path.stem}-summary.json"), cache.entries())
        self.rows.append(between_rows.snapshot_row(f"SharedCacheSnapshot:{label}", stage, len(sites)))
        return path if sites else None

    def _fill(self, cache: SharedSiteCache, live: SharedSiteCache, snapshot: Path) -> None:
        """Take a snapshot over into a cache.

        A file cannot say which state of the database its rows stem from, so a process that begins with it reads each
        site once more. Within a run the live cache knows: rows that equal its own stem from where these do, and are
        lent that origin. Others are rows of unknown origin.
        """
        try:
            brought = cache.import_snapshot(snapshot)
        except StateTraceError as error:
            self.warnings.append(f"the warm pass begins with an empty cache: {error}")
            return
        self.warnings += [f"{snapshot}: {skipped}" for skipped in brought.skipped]
        known = live.entries()
        for site, entry in cache.entries().items():
            if (same := known.get(site)) is not None and same == entry:
                cache.put(site, entry.evolve(source=same.source))
                self.origins_lent += same.source is not None
