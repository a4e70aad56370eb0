"""What was asked of the shared site cache: misses, hits, writes and removals, by file and by site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import ClassVar

import msgspec

from statetrace.analysis.events import UNKNOWN, Selection, WireEvent, analyze
from statetrace.analysis.instants import utc_text
from statetrace.analysis.reading import TelemetryReader
from statetrace.model import fold

_STORE_EVENT = fold("InterfaceSiteCacheSharedStore")
_STATE_EVENT = fold("InterfaceSiteCacheSharedStoreState")


class OperationCounts(msgspec.Struct, frozen=True, rename="pascal"):
    """Operations on the entry of one site; ``other`` are those of any other name or none."""

    total: int
    set: int
    get_hit: int
    get_miss: int
    remove: int
    other: int


class SiteOperations(msgspec.Struct, frozen=True, rename="pascal"):
    """:class:`OperationCounts` with the site they are of."""

    site: str
    total: int
    set: int
    get_hit: int
    get_miss: int
    remove: int
    other: int


class StoreState(msgspec.Struct, frozen=True, rename="pascal"):
    """The shared cache as one telemetry file tells of it (reference: warm-run-and-gates 6.1).

    Attributes:
        file: the file.
        snapshot_imported: how often a snapshot was imported; this and the next six are of the cache as a whole.
        init_delegated_store: how often a worker took the cache of another.
        init_new_store: how often one was made.
        init_adopted_store: how often one that was found was taken over.
        init_reuse_store: how often a worker used its own again.
        clear_requested: how often somebody asked for it to be emptied.
        cleared: how often it was.
        get_miss: reads of a site that found nothing.
        get_hit: reads that found an entry.
        set: entries written.
        remove: entries removed.
        other_operations: operations of any other name or none.
        first_timestamp: time of the earliest event of any name, as written; ``None`` if none has one.
        last_timestamp: time of the latest.
        start_time_utc: first moment that counts, ``None`` for no limit.
        end_time_utc: last one.
        top_sites: the sites with most operations, those come first; ties by site.
        site_operations: site → operations, all sites, in the order in which they were met.
    """

    file: str
    snapshot_imported: int
    init_delegated_store: int
    init_new_store: int
    init_adopted_store: int
    init_reuse_store: int
    clear_requested: int
    cleared: int
    get_miss: int
    get_hit: int
    set: int
    remove: int
    other_operations: int
    first_timestamp: str | None
    last_timestamp: str | None
    start_time_utc: str | None
    end_time_utc: str | None
    top_sites: list[SiteOperations]
    site_operations: dict[str, OperationCounts]


class StoreStates:
    """Counts the operations on the shared cache, file by file.

    Args:
        top_sites: how many sites ``top_sites`` of a record names at most, 0 for all.
        selection: its window is told in the records; its sites, if any, are those whose operations count. Events of the
            cache as a whole name no site and always count.
        files: files that get a record even if no event of theirs counts.
    """

    EVENTS: ClassVar[frozenset[str] | None] = None  # the first and last timestamp are of any event

    def __init__(
        self, top_sites: int = 10, selection: Selection | None = None, files: Iterable[str | Path] = ()
    ) -> None:
        self._top_sites = top_sites
        self._selection = selection or Selection()
        self._sites = frozenset(map(fold, self._selection.sites))
        self._files = {str(file): _FileCounts() for file in files}

    def add(self, event: WireEvent) -> None:
        """Take any event."""
        counts = self._files.get(event.file)
        if counts is None:
            counts = self._files[event.file] = _FileCounts()
        counts.note_time(event)
        name = fold(event.name)
        if name == _STORE_EVENT:
            site = event.site or UNKNOWN
            if not self._sites or fold(site) in self._sites:
                counts.by_site.setdefault(fold(site), (site, Counter()))[1][_operation(event)] += 1
        elif name == _STATE_EVENT:
            counts.whole[_operation(event)] += 1

    def result(self) -> list[StoreState]:
        """One record a file."""
        return [self._record(file, counts) for file, counts in self._files.items()]

    def _record(self, file: str, counts: _FileCounts) -> StoreState:
        by_site = {site: _operations(found) for site, found in counts.by_site.values()}
        ranked = sorted(by_site.items(), key=lambda item: (-item[1].total, fold(item[0])))
        start, end, whole = self._selection.start, self._selection.end, counts.whole
        return StoreState(
            file=file,
            snapshot_imported=whole[fold("SnapshotImported")],
            init_delegated_store=whole[fold("InitDelegatedStore")],
            init_new_store=whole[fold("InitNewStore")],
            init_adopted_store=whole[fold("InitAdoptedStore")],
            init_reuse_store=whole[fold("InitReuseStore")],
            clear_requested=whole[fold("ClearRequested")],
            cleared=whole[fold("Cleared")],
            get_miss=sum(operations.get_miss for operations in by_site.values()),
            get_hit=sum(operations.get_hit for operations in by_site.values()),
            set=sum(operations.set for operations in by_site.values()),
            remove=sum(operations.remove for operations in by_site.values()),
            other_operations=sum(operations.other for operations in by_site.values()),
            first_timestamp=counts.first,
            last_timestamp=counts.last,
            start_time_utc=None if start is None else utc_text(start),
            end_time_utc=None if end is None else utc_text(end),
            top_sites=[
                SiteOperations(site, *msgspec.structs.astuple(operations))
                for site, operations in ranked[: self._top_sites or None]
            ],
            site_operations=by_site,
        )


def store_states(
    reader: TelemetryReader | Collection[Path], selection: Selection | None = None, *, top_sites: int = 10
) -> list[StoreState]:
    """The shared cache as each of these files tells of it; one record a file, in the order of the files.

    Args:
        reader: or the files.
        selection: which events count; see :class:`StoreStates` about its sites.
        top_sites: how many sites ``top_sites`` of a record names at most, 0 for all.

    Raises:
        TelemetryError: a file cannot be opened.
    """
    reader = reader if isinstance(reader, TelemetryReader) else TelemetryReader(reader)
    selection = selection or Selection()
    states = StoreStates(top_sites, selection, reader.files)
    # Not its sites: most events that are needed here name none.
    analyze(Selection(selection.start, selection.end).of(reader), states)
    return states.result()


class _FileCounts:
    """What is kept of one file: folded operation → events, for the whole cache and by folded site."""

    def __init__(self) -> None:
        self.whole: Counter[str] = Counter()
        self.by_site: dict[str, tuple[str, Counter[str]]] = {}
        self.first: str | None = None
        self.last: str | None = None
        self._first_ticks = self._last_ticks = 0

    def note_time(self, event: WireEvent) -> None:
        ticks = event.ticks
        if ticks is None:
            return
        if self.first is None or ticks < self._first_ticks:
            self.first, self._first_ticks = event.timestamp, ticks
        if self.last is None or ticks > self._last_ticks:
            self.last, self._last_ticks = event.timestamp, ticks


def _operation(event: WireEvent) -> str:
    return fold(event.text("Operation") or UNKNOWN)


def _operations(counts: Counter[str]) -> OperationCounts:
    total = counts.total()
    writes, hits, misses, removals = (counts[fold(name)] for name in ("Set", "GetHit", "GetMiss", "Remove"))
    return OperationCounts(total, writes, hits, misses, removals, total - (writes + hits + misses + removals))
