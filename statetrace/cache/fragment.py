"""A part of a site that is laid over its entry, and what the result may claim to stem from."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statetrace.cache.normalize import normalize_site_entry
from statetrace.model import CaseInsensitiveMap, DatabaseState, InterfaceRow, SiteEntry, merge_entries


class Fragment(msgspec.Struct, frozen=True):
    """Hosts to be laid over an entry, and the state of the database that they were laid over there."""

    entry: SiteEntry
    since: DatabaseState | None = None

    @classmethod
    def of_host(
        cls, host: str, ports: object, *, since: DatabaseState | None, source: DatabaseState | None
    ) -> Fragment:
        """The rows of one host; those in canonical form are taken as they are.

        Raises:
            CacheEntryInvalid: ``ports`` are nothing of the kind.
        """
        if isinstance(ports, CaseInsensitiveMap) and all(isinstance(row, InterfaceRow) for row in ports.values()):
            entry = SiteEntry({host: ports})
        else:
            entry = normalize_site_entry({"HostMap": {host: ports}}) or SiteEntry()
        return cls(entry.evolve(cached_at=datetime.now().astimezone(), source=source), since)

    def over(self, entry: SiteEntry | None) -> SiteEntry:
        """``entry`` with these hosts."""
        merged = merge_entries(entry, self.entry)
        if (
            entry is not None
            and entry.source is not None
            and self.since is not None
            and entry.source.agrees(self.since)
        ):
            # Nothing else happened to the database in between, so the result is what it holds now.
            return merged.evolve(source=self.entry.source)
        return merged
