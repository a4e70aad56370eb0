"""Where the cache keeps its sites: a map, with or without a bound on rows."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping

import cachetools
import msgspec

from statetrace.model import SiteEntry, fold


class KeptSite(msgspec.Struct, frozen=True):
    """A cached site under the first spelling of its code."""

    name: str
    entry: SiteEntry


class SiteStore:
    """Sites by folded code. Not safe for threads: the cache that owns it holds a lock.

    With a bound on rows the least recently used sites go when a new one does not fit.
    """

    def __init__(self, max_rows: int | None) -> None:
        self.max_rows = max_rows
        self._sites: MutableMapping[str, KeptSite] = {} if max_rows is None else _BoundedSites(max_rows)
        self._by_database: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._sites)

    def get(self, key: str) -> KeptSite | None:
        """The site of that key; counts as a use of it."""
        return self._sites.get(key)

    def set(self, key: str, kept: KeptSite) -> list[KeptSite]:
        """Keep a site, and return those that had to go for it; one larger than the whole store goes itself."""
        self._unlist(self._look(key))
        evicted: list[KeptSite] = []
        if isinstance(self._sites, _BoundedSites):
            try:
                self._sites[key] = kept
            except ValueError:  # cachetools: value too large
                self._sites.pop(key, None)
                self._sites.evicted.append(kept)
            evicted, self._sites.evicted = self._sites.evicted, []
        else:
            self._sites[key] = kept
        for gone in evicted:
            self._unlist(gone)
        if key in self._sites:
            self._list(key, kept)
        return evicted

    def replace(self, key: str, kept: KeptSite) -> None:
        """Put a site of as many rows in the place of the one that is there; counts as no use of it."""
        self._unlist(self._look(key))
        if isinstance(self._sites, _BoundedSites):
            cachetools.Cache.__setitem__(self._sites, key, kept)
        else:
            self._sites[key] = kept
        self._list(key, kept)

    def drain(self) -> list[KeptSite]:
        """Take all sites out; where use is told apart, the least recently used first."""
        kept = [self._sites.popitem()[1] for _ in range(len(self._sites))]
        self._by_database.clear()
        return kept if isinstance(self._sites, _BoundedSites) else kept[::-1]

    def pop(self, key: str) -> KeptSite | None:
        kept = self._sites.pop(key, None)
        self._unlist(kept)
        return kept

    def clear(self) -> None:
        self._sites.clear()
        self._by_database.clear()

    def all(self) -> list[KeptSite]:
        """All sites; looking at all of them is no use of any."""
        return self._look_at(self._sites)

    def of_database(self, identity: str) -> list[KeptSite]:
        """The sites that stem from the database of that identity, in no order; looking at them is no use of any."""
        return self._look_at(self._by_database.get(identity, ()))

    def _look_at(self, keys: Iterable[str]) -> list[KeptSite]:
        return [kept for key in keys if (kept := self._look(key)) is not None]

    def _look(self, key: str) -> KeptSite | None:
        if key not in self._sites:
            return None
        if isinstance(self._sites, _BoundedSites):
            return cachetools.Cache.__getitem__(self._sites, key)
        return self._sites[key]

    def _list(self, key: str, kept: KeptSite) -> None:
        if (source := kept.entry.source) is not None:
            self._by_database.setdefault(source.identity, set()).add(key)

    def _unlist(self, kept: KeptSite | None) -> None:
        if kept is None or (source := kept.entry.source) is None:
            return
        keys = self._by_database.get(source.identity, set())
        keys.discard(fold(kept.name))
        if not keys:
            self._by_database.pop(source.identity, None)


class _BoundedSites(cachetools.LRUCache[str, KeptSite]):
    """Sites up to so many rows in all; remembers which it dropped."""

    def __init__(self, max_rows: int) -> None:
        super().__init__(max_rows, getsizeof=lambda kept: max(1, kept.entry.total_rows))
        self.evicted: list[KeptSite] = []

    def popitem(self) -> tuple[str, KeptSite]:
        key, kept = super().popitem()
        self.evicted.append(kept)
        return key, kept
