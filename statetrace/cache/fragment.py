"""A part of a site that is laid over its entry, and what the result may claim to stem from."""

from __future__ import annotations

import msgspec

from statetrace.model import DatabaseState, SiteEntry, merge_entries


class Fragment(msgspec.Struct, frozen=True):
    """Hosts to be laid over an entry, and the state of the database that they were laid over there."""

    entry: SiteEntry
    since: DatabaseState | None = None

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
