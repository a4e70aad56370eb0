"""What one host cost, stage by stage, and what was done to its rows."""

from __future__ import annotations

import msgspec

from statetrace.analysis.events import WireEvent
from statetrace.analysis.reports.sync_stages import SYNC_STAGES, UPDATE_CACHE, milliseconds, sync_stages
from statetrace.analysis.statistics import round_even


class Stage(msgspec.Struct, frozen=True, rename="pascal"):
    """A stage of the work on a host.

    Attributes:
        name: of the stage, in words.
        ms: milliseconds, three decimals.
        share: percent of the whole, one decimal.
    """

    name: str
    ms: float
    share: float


class RowCounts(msgspec.Struct, frozen=True, rename="pascal"):
    """What became of a host's rows.

    Attributes:
        existing: rows that it had before.
        inserted: rows that are new.
        changed: rows that took the place of others.
        unchanged: rows that stayed.
        deleted: rows of ports that the log does not name any more.
    """

    existing: int = 0
    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0

    @classmethod
    def of(cls, sync: WireEvent) -> RowCounts:
        """What ``InterfaceSyncTiming`` says of them."""
        return cls(
            sync.count("ExistingCount"),
            sync.count("DiffRowsInserted"),
            sync.count("DiffRowsChanged"),
            sync.count("DiffRowsUnchanged"),
            sync.count("DeleteCandidates"),
        )

    @property
    def written(self) -> int:
        """Rows that were touched."""
        return self.inserted + self.changed + self.deleted


SUMMARY, COMMIT, REST = "write the summary", "commit", "parse the log, and the rest"
STAGES = (*SYNC_STAGES[:-1], SUMMARY, COMMIT, SYNC_STAGES[-1], REST)
"""The stages, in their order."""
_LEAST_MS = 0.0005


def stages_of(sync: WireEvent, breakdown: WireEvent | None, whole_ms: float | None) -> list[Stage]:
    """The stages of a host that was written, in their order; those that took no time are left out.

    They do not overlap. What the events of the stages do not account for is the last one: parsing the log, and waiting.

    Args:
        sync: its ``InterfaceSyncTiming``.
        breakdown: its ``DatabaseWriteBreakdown``, if there is one.
        whole_ms: milliseconds from the begin of the work to its end, if they are known.
    """
    parts = sync_stages(sync)
    if breakdown is not None:
        parts[SUMMARY] = milliseconds(breakdown, "SummaryDurationMs")
        parts[COMMIT] = milliseconds(breakdown, "CommitDurationMs")
        parts[UPDATE_CACHE] = parts.pop(UPDATE_CACHE)  # comes after them
    told = sum(parts.values())
    whole = max(whole_ms or 0.0, told)
    parts[REST] = whole - told
    return [
        Stage(name, round_even(ms, 3), round_even(ms / whole * 100, 1)) for name, ms in parts.items() if ms >= _LEAST_MS
    ]
