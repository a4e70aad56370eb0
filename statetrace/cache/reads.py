"""Reads of sites into the cache: of callers at once one reads, and what is merged meanwhile is not lost."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from statetrace.cache.flights import SingleFlight
from statetrace.cache.fragment import Fragment
from statetrace.model import SiteEntry, fold


class ReadOutcome(msgspec.Struct, frozen=True):
    """What a flight brought, and whether it was read or found to be cached meanwhile."""

    entry: SiteEntry
    was_read: bool


class SiteReads:
    """The reads of a cache that are under way.

    Args:
        lock: the one that guards the cache.
        peek: the cached entry of a site, if any.
        keep: puts the entry that was read into the cache; called under the lock.
    """

    def __init__(
        self, lock: threading.RLock, peek: Callable[[str], SiteEntry | None], keep: Callable[[str, SiteEntry], object]
    ) -> None:
        self._peek = peek
        self._keep = keep
        self.start_over(lock)

    def start_over(self, lock: threading.RLock) -> None:
        """Forget all reads, which go on in another process, and use another lock."""
        self._lock = lock
        self._flights: SingleFlight[ReadOutcome] = SingleFlight()
        # What is merged while a site is being read, by site and origin: the read may not have seen it.
        self._merged_meanwhile: dict[tuple[str, str], list[Fragment]] = {}

    def note(self, site: str, fragment: Fragment) -> None:
        """Have a fragment laid over what reads of the site bring that are under way; called under the lock."""
        for (key, _), meanwhile in self._merged_meanwhile.items():
            if key == fold(site):
                meanwhile.append(fragment)

    def run(
        self,
        site: str,
        hydrate: Callable[[SiteEntry | None], SiteEntry],
        *,
        refresh: bool,
        origin: str,
        serves: Callable[[SiteEntry], bool],
    ) -> tuple[SiteEntry, bool]:
        """The entry of a site, and whether this caller read it; see ``SharedSiteCache.hydrate``."""
        flight = fold(site), origin
        worked = False

        def work() -> ReadOutcome:
            nonlocal worked
            meanwhile: list[Fragment] = []
            with self._lock:
                previous = self._peek(site)
                self._merged_meanwhile[flight] = meanwhile
            try:
                # Not under the lock: it may ask a database.
                if previous is not None and not refresh and serves(previous):
                    # Somebody else's flight landed between our miss and our start.
                    return ReadOutcome(previous, was_read=False)
                worked = True
                entry = hydrate(previous)
                with self._lock:
                    for fragment in meanwhile:
                        if entry.may_take(fragment.entry):
                            entry = fragment.over(entry)
                    self._keep(site, entry)
                return ReadOutcome(entry, was_read=True)
            finally:
                with self._lock:
                    self._merged_meanwhile.pop(flight, None)  # not there in a child that was forked meanwhile

        while True:
            outcome, _ = self._flights.run(flight, work, anew=refresh)
            # A flight that began after we asked for a refresh is not enough: it may have found the site cached.
            if outcome.was_read or not refresh:
                return outcome.entry, worked
