"""The story of one host: each time that telemetry tells of it, where its rows came from and why, and what that cost."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import msgspec

from statetrace.analysis.events import WireEvent
from statetrace.analysis.explain import cache_tale
from statetrace.analysis.explain.appearance import DUPLICATE, Appearance, Draft
from statetrace.analysis.explain.cache_tale import CacheTale
from statetrace.analysis.explain.circumstances import Around
from statetrace.analysis.explain.siblings import SiteSession
from statetrace.analysis.files import PASS_FOLDERS
from statetrace.analysis.instants import ticks_of
from statetrace.analysis.warm.provider_counts import is_hit
from statetrace.analysis.warm.warm_rows import COLD_PASS, WARM_PASS
from statetrace.model import fold, site_of
from statetrace.model.names import clean_host_name

_PASSES = frozenset((COLD_PASS, WARM_PASS))


class Story(msgspec.Struct, frozen=True, rename="pascal"):
    """A host and what telemetry tells of it.

    Attributes:
        hostname: as its events spell it.
        site: its site.
        appearances: newest last.
    """

    hostname: str
    site: str
    appearances: list[Appearance]

    def latest(self) -> Story:
        """The same with the last run alone: both passes of a warm run, else the last time that the host was worked on.

        A log that was known already tells nothing of rows; then the time before, at which they were, is in it as well.
        """
        if not self.appearances:
            return self
        last = self.appearances[-1]
        if last.pass_label:
            chosen = [told for told in self.appearances if told.run == last.run and told.pass_label]
        else:
            worked = [number for number, told in enumerate(self.appearances) if told.outcome != DUPLICATE]
            chosen = self.appearances[worked[-1] :] if worked else [last]
            chosen = [chosen[0], last] if len(chosen) > 1 else chosen
        return msgspec.structs.replace(self, appearances=chosen)


class Explanation:
    """Takes the events of all hosts, keeps what concerns one of them, and tells its story.

    Memory is bounded by the number of hosts, and by that of the appearances of this one. The folders of a warm run have
    to come in the order of the run.

    >>> story = Explanation("wlls-a01-as-01")
    >>> fields = {"Site": "WLLS", "Hostname": "WLLS-A01-AS-01", "SiteCacheProviderReason": "SharedCacheMatch"}
    >>> story.add(WireEvent("InterfaceSyncTiming", fields | {"SiteCacheProvider": "SharedCache"}))
    >>> [(told.hit, told.cause.code.value) for told in story.result().appearances]
    [(True, 'SharedCacheHit')]

    Args:
        host: its name, in any case.

    Attributes:
        hosts: every host that was told of, as it was spelled first.
    """

    EVENTS: ClassVar[frozenset[str] | None] = cache_tale.EVENTS | {
        "ConcurrencyProfileResolved", "DatabaseWriteBreakdown", "InterfacePersistenceFailure", "InterfaceSyncTiming",
        "ParseDuration", "RowsWritten", "SiteExistingRowCacheState", "SkippedDuplicate",
    }  # fmt: skip

    def __init__(self, host: str) -> None:
        self.hosts: dict[str, str] = {}
        self._hostname = clean_host_name(host)
        self._key = fold(self._hostname)
        self._site = site_of(host)
        self._site_key = fold(self._site)
        self._tale = CacheTale(self._site)
        self._session = SiteSession()
        self._session_due = False
        self._drafts: list[Draft] = []
        self._current: Draft | None = None
        self._appearances: list[Appearance] = []
        self._file: str | None = None
        self._run = self._pass = ""

    def add(self, event: WireEvent) -> None:
        """Take an event of any host."""
        if event.flag("Synthesized"):
            return  # a tool of the original copied it to where others look for it
        if event.file != self._file:
            self._enter(event.file)
        name = fold(event.name)
        if name == _PROFILE:
            self._session_due = True
            return
        host = event.host
        if host and name != _WRITTEN:
            self.hosts.setdefault(fold(host), host)
        ours = fold(event.site) == self._site_key
        if ours and self._session_due and self._tale.may_begin_session(event):
            self._begin_session()
        if name not in _OF_HOSTS:
            self._tale.add(event)
            return
        around = self._add_of_site(event, name) if ours else None
        if fold(host) == self._key:
            self._add_own(event, name, around or Around(ours=self._tale.ours))

    def result(self) -> Story:
        """The story, of everything that was taken so far. Nothing can be taken afterwards."""
        self._begin_session()
        # Told by the time: files of several writers are read one after the other.
        self._appearances.sort(key=lambda told: ticks_of(told.started) or 0)
        return Story(self._hostname, self._site, self._appearances)

    def _enter(self, file: str) -> None:
        """Another file begins, perhaps of another run or pass."""
        self._file = file
        folder = Path(file).parent
        label = folder.name if folder.name in PASS_FOLDERS else ""
        run, label = str(folder.parent if label else folder), label if label in _PASSES else ""
        if (run, label) != (self._run, self._pass):
            self._begin_session()
            if run != self._run:
                self._tale.start_over()
            self._run, self._pass = run, label

    def _begin_session(self) -> None:
        """Finish what was told of the last session, whose other hosts are known now."""
        self._close()
        self._appearances += [
            draft.finished(self._hostname, self._session, ours=self._tale.ours) for draft in self._drafts
        ]
        self._drafts = []
        self._session = SiteSession()
        self._session_due = False
        self._tale.begin_session()

    def _add_of_site(self, event: WireEvent, name: str) -> Around | None:
        """Take an event of a host of the site; what was round its write, if it tells of that."""
        if name in (_KEPT, _WRITTEN, _SYNC) and self._session.has(event.host):
            self._begin_session()
        if name == _WRITTEN:
            self._tale.rows_written(event)
        elif name == _KEPT:
            self._tale.kept_rows(event)
        elif name == _SYNC:
            self._session.add_host(event.host, hit=is_hit(event.text("SiteCacheProvider")))
            return self._tale.written(event)
        elif name == _BREAKDOWN:
            self._session.add_call(event.host, event.number("InterfaceCallDurationMs"))
        elif name in (_PARSED, _SKIPPED):
            self._tale.ended(event, duplicate=name == _SKIPPED)
        return None

    def _add_own(self, event: WireEvent, name: str, around: Around) -> None:
        draft = self._current
        if draft is not None and draft.sync is not None and _begins_anew(draft.sync, event, name):
            self._close()  # nobody told how the last time ended
            draft = None
        if draft is None:
            draft = self._current = Draft(self._run, self._pass, event)
            self._hostname, self._site = event.host, event.site or self._site
        if name == _SYNC:
            draft.sync, draft.around = event, around
        elif name == _BREAKDOWN:
            draft.breakdown = event
        elif name == _FAILURE:
            draft.failure = event
        elif name == _PARSED:
            draft.parsed = event
            self._close()
        elif name == _SKIPPED:
            draft.skipped = event
            self._close()

    def _close(self) -> None:
        if self._current is not None:
            self._drafts.append(self._current)
            self._current = None


def _begins_anew(sync: WireEvent, event: WireEvent, name: str) -> bool:
    """Whether an event of the host is of a later time than its last ``InterfaceSyncTiming``."""
    if name == _PARSED:
        started, synced = ticks_of(event.text("StartTime")), sync.ticks
        return started is not None and synced is not None and started > synced
    return name in (_WRITTEN, _KEPT, _SYNC, _SKIPPED)


_PROFILE, _SYNC, _BREAKDOWN, _PARSED, _SKIPPED, _FAILURE, _WRITTEN, _KEPT = map(
    fold,
    (
        "ConcurrencyProfileResolved", "InterfaceSyncTiming", "DatabaseWriteBreakdown", "ParseDuration",
        "SkippedDuplicate", "InterfacePersistenceFailure", "RowsWritten", "SiteExistingRowCacheState",
    ),
)  # fmt: skip
_OF_HOSTS = frozenset((_SYNC, _BREAKDOWN, _PARSED, _SKIPPED, _FAILURE, _WRITTEN, _KEPT))
