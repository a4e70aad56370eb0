"""What happened to the cached rows of one site, so that it can be told why a host of it was no hit.

The events of the cache name no host. Which host's they are follows from their order: ``Worker:PreParse`` begins the
work on a host, the look-ups follow; ``RowsWritten`` names the host whose rows are being put into the cache now, up to
its ``InterfaceSyncTiming``. Hosts of one turn are looked up one after the other and written in the same order.
"""

from __future__ import annotations

from collections import deque

import msgspec

from statetrace.analysis.events import WireEvent
from statetrace.analysis.explain.circumstances import Around, Code, Evidence, Loss, SessionFacts
from statetrace.model import fold
from statetrace.telemetry.events import APP_DOMAIN_NAME

_COUNTS = ("Operation", "EntryCount", "HostCount", "TotalRows")

Store = tuple[str, str]
"""Process and object of a cache."""


class _Visit(msgspec.Struct):
    """The work on one host, as far as the site's cache is concerned."""

    thread: str
    around: Around
    missed: bool = False


class _Content(msgspec.Struct):
    """What one cache is known to hold of the site, and the ticks of when it was known first."""

    held: Evidence | None = None
    since: int = 0
    imported: Evidence | None = None
    snapshot: Evidence | None = None
    loss: Loss | None = None
    untouched: bool = False
    """Nothing was asked of the site since it was put there, so that a snapshot may have brought it."""

    def held_before(self, event: WireEvent) -> Evidence | None:
        """That it held the site, if it did when the event was told: files are not sorted by time."""
        return self.held if self.since <= (event.ticks or self.since) else None


class CacheTale:
    """Follows the cache of one site through telemetry and tells, host by host, what was round its write.

    Args:
        site: the site code.

    Attributes:
        facts: what the cache did in the current session.
        ours: whether the events are this engine's, not the original's.
    """

    def __init__(self, site: str) -> None:
        self.site = fold(site)
        self.start_over()

    def start_over(self) -> None:
        """Other telemetry begins, which has nothing to do with what came before."""
        self.facts = SessionFacts()
        self.ours = False
        self._stores: dict[Store, _Content] = {}
        self._last_set: dict[str, tuple[Store, str, int]] = {}
        self._open: deque[_Visit] = deque()
        self._publishing: _Visit | None = None
        self._written: set[str] = set()

    def begin_session(self) -> None:
        """A new session begins; what is cached stays so."""
        self.facts = SessionFacts()

    def may_begin_session(self, event: WireEvent) -> bool:
        """Whether an event of the site begins the work on a host while nobody works on another one."""
        name = fold(event.name)
        prepares = name == _WORKER and fold(event.text("Stage")) == _PREPARE
        if not prepares and name not in _WITHOUT_PREPARATION:
            return False
        working = {visit.thread for visit in self._open if visit.around.prepared}
        if not working and self._publishing is None:
            return True
        # One process has a site at a time: whoever comes now takes the place of one that died.
        return self.ours and prepares and event.text("RunspaceId") not in working

    def add(self, event: WireEvent) -> None:
        """Take an event of the cache, of any site."""
        name = fold(event.name)
        ours = fold(event.site) == self.site
        if name == _STATE:
            self._add_state(event)
        elif name == _CLEAR:
            self._add_clear(event)
        elif name == _STORE:
            self._add_store(event, ours=ours)
        elif name == _ATTEMPT:
            self._add_attempt(event, ours=ours)
        elif ours and name == _WORKER:
            self._add_worker(event)
        elif ours and name == _READ:
            self._add_read(event)

    # The caches themselves

    def _add_state(self, event: WireEvent) -> None:
        self.ours = self.ours or _is_ours(event)
        if fold(event.text("Operation")) == fold("SnapshotImported"):
            content = self._stores.setdefault(_store(event), _Content())
            content.snapshot = Evidence.of(event, "Operation", "EntryCount")
            if content.held is not None and content.untouched:
                content.imported = content.snapshot

    def _add_clear(self, event: WireEvent) -> None:
        process = event.text("ProcessId")
        evidence = Evidence.of(event, "Reason", "CallerFunction", "CallerScript", "CallerLine")
        reason, caller = event.text("Reason") or "no reason given", event.text("CallerFunction", "CallerScript")
        text = f"the cache was cleared ({reason}{', by ' + caller if caller else ''})"
        for (owner, _), content in self._stores.items():
            if owner == process:
                if content.held is not None:
                    content.loss = Loss(Code.CACHE_CLEARED, text, evidence)
                content.held = content.imported = content.snapshot = None

    def _add_store(self, event: WireEvent, *, ours: bool) -> None:
        self.ours = self.ours or _is_ours(event)
        operation, store, thread = fold(event.text("Operation")), _store(event), event.text("RunspaceId")
        if ours and operation.startswith("GET"):
            self._add_look_up(event, store, thread, hit=operation == "GETHIT")
        elif ours and operation == "SET":
            told = Evidence.of(event, *_COUNTS)
            content = self._stores.get(store)
            content = self._stores[store] = _Content(snapshot=None if content is None else content.snapshot)
            content.held, content.untouched = told, True
            content.since = event.ticks or 0
            self.facts.kept = told
        elif ours and operation == "REMOVE":
            self._add_remove(event, store, self._last_set.get(thread))
        if operation == "SET":
            self._last_set[thread] = store, fold(event.site), event.count("EntryCount")
        elif operation != "REMOVE":  # what one entry drives out may be several
            self._last_set.pop(thread, None)

    def _add_look_up(self, event: WireEvent, store: Store, thread: str, *, hit: bool) -> None:
        content = self._stores.setdefault(store, _Content())
        content.untouched = False
        if hit and content.held is None:
            content.held, content.since = Evidence.of(event, *_COUNTS), event.ticks or 0
            content.loss = None
        told = Evidence.of(event, *_COUNTS)
        if not hit:
            self.facts.missed = self.facts.missed or told
        visit = self._current(thread)
        if visit is None or visit is self._publishing:
            return
        around = visit.around
        if around.asked is not None:
            if around.prepared or (visit.missed and around.read is None):
                return
            around = visit.around = Around()  # what was before was no look-up for this host
        around.asked, visit.missed = told, not hit
        around.imported, around.snapshot = content.imported, content.snapshot
        if not hit:
            around.loss, around.held = content.loss, content.held_before(event)
            others = (other.held_before(event) for key, other in self._stores.items() if key != store)
            around.elsewhere = next((held for held in others if held is not None), None)

    def _add_remove(self, event: WireEvent, store: Store, last_set: tuple[Store, str, int] | None) -> None:
        content = self._stores.setdefault(store, _Content())
        told = Evidence.of(event, *_COUNTS)
        # What an entry drives out is gone when its Set is told, and so counted alike; later removals count down.
        if last_set is not None and (last_set[0], last_set[2]) == (store, event.count("EntryCount")):
            text = "the cache is too small for all that is to be kept, and had dropped the site"
            content.loss = Loss(Code.CACHE_TOO_SMALL, text, told)
            if last_set[1] == self.site:  # the entry that was to be kept is the one that was dropped
                self.facts.dropped, self.facts.kept = told, None
        elif content.held is not None:
            content.loss = Loss(Code.CACHE_ENTRY_REMOVED, "a program removed the site from the cache", told)
        content.held = content.imported = None

    # Which host they are of

    def _current(self, thread: str) -> _Visit | None:
        """The host that a thread works on; ``None`` where several threads are at it, whose hosts nothing tells."""
        if self._publishing is not None:
            return self._publishing
        if not self._open:
            self._open.append(_Visit(thread, Around()))
        visit = self._open[-1]
        return visit if visit.thread == thread and not self._mixed else None

    @property
    def _mixed(self) -> bool:
        return len({visit.thread for visit in self._open}) > 1

    def _add_worker(self, event: WireEvent) -> None:
        stage = fold(event.text("Stage"))
        if stage == _PREPARE:
            thread = event.text("RunspaceId")
            # Whoever asked for the site before did not do so for a host, or has died.
            self._open = deque(
                visit for visit in self._open if visit.around.prepared and (visit.thread == thread or not self.ours)
            )
            self._open.append(_Visit(thread, Around(prepared=True)))
        elif stage.startswith(fold("Worker:PostParse")) and self.ours and not event.flag("CacheExists"):
            self.facts.absent = self.facts.absent or Evidence.of(event, "Stage", "CacheExists")

    def _add_attempt(self, event: WireEvent, *, ours: bool) -> None:
        visit = self._current(event.text("RunspaceId")) if ours else None
        if visit is not None and visit is not self._publishing and visit.around.attempt is None:
            visit.around.attempt = Evidence.of(event, "Site", "Refresh", "SharedStoreEntryFound")

    def _add_read(self, event: WireEvent) -> None:
        if "DatabaseDialect" in event.fields:
            self.ours = True
        reused = fold(event.text("PreviousSnapshotStatus")) == fold("CacheHit")
        visit = self._publishing or (self._open[-1] if self._open else None)
        if not reused and visit is not None and visit.around.read is None:
            visit.around.read = Evidence.of(
                event, "CacheStatus", "Provider", "HostCount", "TotalRows", "HostMapSignatureMatchCount"
            )

    # How a host ends

    def rows_written(self, event: WireEvent) -> None:
        """A host of the site was written; what comes next is putting it into the cache."""
        if self._publishing is None:
            self._publishing = self._next()
        told = Evidence.of(event, "Hostname", "Rows", "DeletedRows")
        if event.count("Rows") + event.count("DeletedRows"):
            for visit in self._open:
                visit.around.overtaken = visit.around.overtaken or told

    def kept_rows(self, event: WireEvent) -> None:
        """What skip mode keeps of a host, told right before ``RowsWritten``."""
        sources = event.fields.get("SkipSources")
        named = sources if isinstance(sources, list) else [sources]
        fact = f"SkipSources {' and '.join(map(str, named))}, CacheHit {event.text('CacheHit')}"
        self._publishing = self._next()
        self._publishing.around.skipped = Evidence(event.name, event.where, fact)

    def written(self, event: WireEvent) -> Around:
        """What was round the write of the host whose ``InterfaceSyncTiming`` this is."""
        around = (self._publishing or self._next()).around
        self._publishing = None
        self._written.add(fold(event.host))
        around.ours = self.ours
        around.session = self.facts
        return around

    def ended(self, event: WireEvent, *, duplicate: bool) -> None:
        """The work on the host that the event names has ended."""
        host = fold(event.host)
        if host in self._written:
            self._written.discard(host)
        elif self._open:
            # A log that is known is told at once; one that fails when it would have been written.
            self._open.pop() if duplicate else self._open.popleft()

    def _next(self) -> _Visit:
        """The host that is written next."""
        mixed = self._mixed
        visit = self._open.popleft() if self._open else None
        return _Visit("", Around()) if visit is None or mixed else visit


def _store(event: WireEvent) -> Store:
    return event.text("ProcessId"), event.text("StoreHashCode")


def _is_ours(event: WireEvent) -> bool:
    return event.text("AppDomainName") == APP_DOMAIN_NAME


_STORE = fold("InterfaceSiteCacheSharedStore")
_STATE = fold("InterfaceSiteCacheSharedStoreState")
_ATTEMPT = fold("InterfaceSiteCacheReuseAttempt")
_READ = fold("InterfaceSiteCacheMetrics")
_WORKER = fold("InterfaceSiteCacheRunspaceState")
_CLEAR = fold("InterfaceSiteCacheClearInvocation")
_PREPARE = fold("Worker:PreParse")
_WITHOUT_PREPARATION = frozenset(map(fold, ("SiteExistingRowCacheState", "RowsWritten", "SkippedDuplicate")))
EVENTS = frozenset({
    "InterfaceSiteCacheSharedStore",
    "InterfaceSiteCacheSharedStoreState",
    "InterfaceSiteCacheReuseAttempt",
    "InterfaceSiteCacheMetrics",
    "InterfaceSiteCacheRunspaceState",
    "InterfaceSiteCacheClearInvocation",
})  # fmt: skip
"""What :meth:`CacheTale.add` takes."""
