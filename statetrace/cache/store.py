"""Where the cache keeps its sites: a map, with or without a bound on rows."""

from __future__ import annotations

from collections.abc import MutableMapping

import cachetools
import msgspec

from statetrace.model import SiteEntry


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

    def __len__(self) -> int:
        return len(self._sites)

    def get(self, key: str) -> KeptSite | None:
        """The site of that key; counts as a use of it."""
        return self._sites.get(key)

    def set(self, key: str, kept: KeptSite) -> list[KeptSite]:
        """Keep a site, and return those that had to go for it; one larger than the whole store goes itself."""
        if not isinstance(self._sites, _BoundedSites):
            self._sites[key] = kept
            return []
        try:
            self._sites[key] = kept
        except ValueError:  # cachetools: value too large
            self._sites.pop(key, None)
            self._sites.evicted.append(kept)
        evicted, self._sites.evicted = self._sites.evicted, []
        return evicted

    def replace(self, key: str, kept: KeptSite) -> None:
        """Put a site of as many rows in the place of the one that is there; counts as no use of it."""
        if isinstance(self._sites, _BoundedSites):
            cachetools.Cache.__setitem__(self._sites, key, kept)
        else:
            self._sites[key] = kept

    def drain(self) -> list[KeptSite]:
        """Take all sites out; where use is told apart, the least recently used first."""
        kept = [self._sites.popitem()[1] for _ in range(len(self._sites))]
        return kept if isinstance(self._sites, _BoundedSites) else kept[::-1]

    def pop(self, key: str) -> KeptSite | None:
        return self._sites.pop(key, None)

    def clear(self) -> None:
        self._sites.clear()

    def all(self) -> list[KeptSite]:
        """All sites; looking at all of them is no use of any."""
        if isinstance(self._sites, _BoundedSites):
            return [cachetools.Cache.__getitem__(self._sites, key) for key in self._sites]
        return list(self._sites.values())


class _BoundedSites(cachetools.LRUCache[str, KeptSite]):
    """Sites up to so many rows in all; remembers which it dropped."""

    def __init__(self, max_rows: int) -> None:
        super().__init__(max_rows, getsizeof=lambda kept: max(1, kept.entry.total_rows))
        self.evicted: list[KeptSite] = []

    def popitem(self) -> tuple[str, KeptSite]:
        key, kept = super().popitem()
        self.evicted.append(kept)
        return key, kept
