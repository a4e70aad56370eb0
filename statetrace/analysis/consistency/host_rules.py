"""What the events of one host have to say about each other, from its first one to the end of its log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeGuard

from statetrace.analysis.consistency.rules import Fields, Place, shown
from statetrace.analysis.events import WireEvent
from statetrace.telemetry import InterfaceSyncTiming

ORDER = (
    "SiteExistingRowCacheState",
    "InterfacePortStreamMetrics",
    "PortBatchReady",
    "InterfaceBulkInsertTiming",
    "InterfaceBulkInsert",
    "RowsWritten",
    "InterfaceSiteCacheHostPersisted",
    "InterfaceSyncTiming",
    "DatabaseWriteLatency",
    "DatabaseWriteBreakdown",
    "ParseDuration",
)
"""The events of one host (reference: parser-persistence 11.12)."""

HOST_RULES = {
    "R2": "what is told of a host ends with the end of its log",
    "R3": "a host that succeeded was written once and told whole, one that did not was not written",
    "O1": "the events of a host come in their order",
    "J1": "DatabaseWriteBreakdown and DatabaseWriteLatency tell the same latency",
    "J2": "DatabaseWriteBreakdown repeats InterfaceSyncTiming",
    "J3": "RowsWritten has the counts of InterfaceSyncTiming",
    "J4": "a log takes at least as long as its transaction",
    "J5": "the events of a batch are there and agree",
    "J6": "InterfaceSyncTiming names its batch",
    "J7": "the port stream is told, and received what was committed",
    "J10": "rows are put into the cache when they changed or did not come from there",
    "J11": "in skip mode the rows that are kept are told",
}
"""Rules about the events of one host; J10, J11, O1 and R are our own."""

HOST_EVENTS = frozenset((*ORDER, "SkippedDuplicate", "InterfacePersistenceFailure"))
"""What is told of a host that is ingested."""

_WRITTEN = ("RowsWritten", "InterfaceSyncTiming", "DatabaseWriteLatency", "DatabaseWriteBreakdown")
_ENDS = ("ParseDuration", "SkippedDuplicate")
_NEXT = {
    "InterfaceSyncTiming": "DatabaseWriteLatency",
    "DatabaseWriteLatency": "DatabaseWriteBreakdown",
    "DatabaseWriteBreakdown": "ParseDuration",
}
_RENAMED = {
    "InterfaceDiffDurationMs": "DiffDurationMs",
    "InterfaceDiffComparisonDurationMs": "DiffComparisonDurationMs",
}
_KEPT_ROWS = {
    "SiteCacheProvider": "Cache",
    "SiteCacheProviderReason": "SiteExistingCache",
    "SiteCacheFetchStatus": "Hit",
    "SiteCacheExistingRowSource": "SiteExistingCache",
}
_SKIP_MODE = ("SkipSiteCacheUpdate", "SiteExistingCache")
_FACTS = {
    "InterfaceSyncTiming": (
        "RowsStaged",
        "DeleteCandidates",
        "BulkBatchId",
        "BulkRowsPrepared",
        "SiteCacheProviderReason",
        "LoadCacheHit",
    ),
    "DatabaseWriteBreakdown": ("DatabaseWriteLatencyMs",),
    "DatabaseWriteLatency": ("LatencyMs",),
    "RowsWritten": ("Rows", "DeletedRows"),
    "ParseDuration": ("DurationSeconds", "Success"),
    "InterfaceBulkInsertTiming": ("BatchId", "RunDate", "Rows", "Success", "StreamRowsReceived"),
    "InterfaceBulkInsert": ("BatchId", "RunDate", "Rows", "Success"),
    "PortBatchReady": ("BatchId", "RunDate", "PortsCommitted"),
    "InterfacePortStreamMetrics": ("BatchId", "RunDate", "RowsReceived"),
}
"""What is kept of an event: the fields that others repeat."""
_OF_A_BATCH = ("InterfaceBulkInsertTiming", "InterfaceBulkInsert", "PortBatchReady")
_NOTHING = [None]
_LARGEST = 1e15
_MOST_NAMES = 64


class HostStory:
    """The events of one host, reduced to what others of them repeat.

    Args:
        host: its name.
        ours: events of our engine, of which nothing may be missing.

    Attributes:
        ours: likewise.
    """

    __slots__ = ("_file", "_host", "_line", "_names", "_site", "_sync", "_told", "ours")

    def __init__(self, host: str, *, ours: bool) -> None:
        self.ours = ours
        self._host, self._site = host, ""
        self._file, self._line = "", 0
        self._names: list[str] = []
        self._told: dict[str, list[Any]] = {}
        self._sync: Fields | None = None

    def takes(self, name: str) -> bool:
        """Whether an event of this name goes on with the story; otherwise another one begins."""
        names = self._names
        if self.ours:
            return "DatabaseWriteBreakdown" not in names or name in ("ParseDuration", "InterfacePersistenceFailure")
        # The original loses ends, its unit tests tell beginnings only, and of a host in the cache it may tell twice.
        after = _NEXT.get(names[-1])
        if after is not None:
            return name == after
        return name not in _ENDS and (name not in names or name == "InterfaceSiteCacheHostPersisted")

    def add(self, event: WireEvent) -> list[tuple[str, str]]:
        """Take an event; what it says against those before, as rule and detail."""
        name, fields = event.name, event.fields
        self._file, self._line = event.file, event.line
        if not self._site:
            self._site = event.site
        if len(self._names) < _MOST_NAMES:
            self._names.append(name)
        if name in _FACTS:
            self._told[name] = [fields.get(fact) for fact in _FACTS[name]]
        if name == "InterfaceSyncTiming":
            self._sync = fields
        elif name == "DatabaseWriteBreakdown" and self._sync is not None:
            sync, self._sync = self._sync, None
            return _differences(sync, fields)
        return []

    def forget_sync(self) -> None:
        """Give up to compare ``InterfaceSyncTiming`` with a breakdown that does not come."""
        self._sync = None

    @property
    def place(self) -> Place:
        """Where the last of its events stands."""
        return Place(self._names[-1], self._site, self._host, self._file, self._line)

    @property
    def ended(self) -> bool:
        """Whether the end of the log was told."""
        return self._names[-1] in _ENDS

    @property
    def persisted(self) -> bool:
        """Whether the cache told of the host."""
        return "InterfaceSiteCacheHostPersisted" in self._names

    def finish(self, *, in_session: bool) -> Iterator[tuple[str, str]]:
        """What the whole story says against itself.

        Args:
            in_session: a session told of the logs, so that each story has an end.
        """
        yield from self._whole(in_session=in_session)
        yield from self._times()
        yield from self._batches()
        if self.ours:
            yield from self._cache()
            places = [ORDER.index(name) for name in self._names if name in ORDER]
            if places != sorted(places):
                after, before = next(pair for pair in pairwise(places) if pair[0] > pair[1])
                yield "O1", f"{ORDER[before]} comes after {ORDER[after]}"

    def _whole(self, *, in_session: bool) -> Iterator[tuple[str, str]]:
        counts = Counter(self._names)
        written = any(counts[name] for name in _WRITTEN)
        success = bool(self._told.get("ParseDuration", _NOTHING)[-1])
        if self.ended:
            wanted = int(success)
        elif not self.ours:
            return
        else:
            wanted = int(written)
            if in_session:
                yield "R2", f"the end of the log is missing; {self._names[-1]} is the last that is told"
                return
        wrong = [f"{name} is {_there(counts[name])}" for name in _WRITTEN if counts[name] != wanted]
        if self.ours:
            others = ((name, count) for name, count in counts.items() if count > 1 and name not in _WRITTEN)
            wrong += [f"{name} is {_there(count)}" for name, count in others]
        if wrong:
            yield "R3", ", ".join(wrong)
        if success and counts["InterfacePersistenceFailure"]:
            yield "R3", "InterfacePersistenceFailure is there, and yet the log succeeded"

    def _times(self) -> Iterator[tuple[str, str]]:
        told = self._told
        (latency,) = told.get("DatabaseWriteLatency", _NOTHING)
        (repeated,) = told.get("DatabaseWriteBreakdown", [latency])
        if "DatabaseWriteLatency" in told and repeated != latency:
            yield "J1", f"DatabaseWriteBreakdown tells {shown(repeated)} ms, DatabaseWriteLatency {shown(latency)} ms"
        rows = told.get("RowsWritten")
        staged = told.get("InterfaceSyncTiming", [])[:2]
        if rows and staged and rows != staged:
            written, deleted, staged_rows, candidates = map(shown, (*rows, *staged))
            yield (
                "J3",
                (
                    f"RowsWritten tells {written} written and {deleted} deleted, "
                    f"InterfaceSyncTiming {staged_rows} and {candidates}"
                ),
            )
        seconds = told.get("ParseDuration", _NOTHING)[0]
        if _is_number(seconds) and _is_number(latency) and latency / 1000 > seconds + 0.01:
            yield "J4", f"the log took {seconds} s, and its transaction {latency} ms"

    def _batches(self) -> Iterator[tuple[str, str]]:
        told = self._told
        timing, ready = told.get("InterfaceBulkInsertTiming"), told.get("PortBatchReady")
        batch = {name: told[name] for name in _OF_A_BATCH if name in told}
        wanted = _OF_A_BATCH if ready or (timing and timing[3]) else _OF_A_BATCH[:2]
        if batch:
            wrong = [f"{name} is missing" for name in wanted if name not in batch]
            wrong += _differing(batch)
            if ready and any(facts[3] is not True for facts in batch.values() if facts is not ready):
                wrong.append("PortBatchReady is there, although the batch did not succeed")
            if wrong:
                yield "J5", ", ".join(wrong)
        if "InterfaceSyncTiming" in told:
            named, prepared = told["InterfaceSyncTiming"][2:4]
            if timing is None and named is not None:
                yield "J6", f"InterfaceSyncTiming names the batch {shown(named)}, and nothing else tells of it"
            elif timing is not None and [named, prepared] != [timing[0], timing[2]]:
                sync, bulk = (f"{shown(rows)} rows, {shown(name)}" for name, rows in ((named, prepared), timing[0:3:2]))
                yield "J6", f"InterfaceSyncTiming names a batch of {sync}, InterfaceBulkInsertTiming one of {bulk}"
        stream = told.get("InterfacePortStreamMetrics")
        # The original's window reads ports, too, and tells of its own streams.
        if stream and ready and (self.ours or stream[0] == ready[0]):
            pair = {"InterfacePortStreamMetrics": stream, "PortBatchReady": ready}
            if wrong := list(_differing(pair)):
                yield "J7", ", ".join(wrong)
        elif self.ours and timing and timing[4] and not stream:
            yield "J7", f"InterfacePortStreamMetrics is missing, with {shown(timing[4])} rows received"

    def _cache(self) -> Iterator[tuple[str, str]]:
        if "InterfaceSyncTiming" not in self._told:
            return
        staged, deleted, _, _, reason, from_cache = self._told["InterfaceSyncTiming"]
        if self.persisted and from_cache and not staged and not deleted:
            yield "J10", "no row changed, and yet InterfaceSiteCacheHostPersisted is there"
        if reason in _SKIP_MODE and "SiteExistingRowCacheState" not in self._names:
            yield "J11", f"SiteExistingRowCacheState is missing, with the reason {reason}"


def _differing(batch: Mapping[str, list[Any]]) -> Iterator[str]:
    """Where events that tell of the same batch differ from the first of them."""
    (first, facts), *others = batch.items()
    for name, told in others:
        for index, (fact, other) in enumerate(zip(facts, told, strict=False)):
            if fact != other:
                field, of_other = _FACTS[first][index], _FACTS[name][index]
                yield f"{field} of {first} is {shown(fact)}, {of_other} of {name} is {shown(other)}"


def _there(count: int) -> str:
    return {0: "missing", 1: "there, although nothing was written"}.get(count, f"there {count} times")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and abs(value) < _LARGEST


@lru_cache(maxsize=256)
def _repeated(keys: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which of these fields of a breakdown repeat others, and those."""
    pairs = [(key, _RENAMED.get(key, key)) for key in keys if key not in ("EventName", "Timestamp")]
    pairs = [(key, other) for key, other in pairs if other in InterfaceSyncTiming.__struct_encode_fields__]
    return tuple(key for key, _ in pairs), tuple(other for _, other in pairs)


def _differences(sync: Fields, breakdown: Fields) -> list[tuple[str, str]]:
    fields, others = _repeated(tuple(breakdown))
    kept = str(sync.get("SiteCacheExistingRowSource")).casefold() == "siteexistingcache"
    expected = {**sync, **_KEPT_ROWS} if kept else sync
    if [*map(breakdown.get, fields)] == [*map(expected.get, others)]:
        return []
    return [
        ("J2", f"{field} is {shown(breakdown[field])}, in InterfaceSyncTiming {shown(expected[other])}")
        for field, other in zip(fields, others, strict=True)
        if other in expected and breakdown[field] != expected[other]
    ]
