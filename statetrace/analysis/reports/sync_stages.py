"""The stages of which a host's synchronisation is made, in milliseconds, none of which is part of another."""

from __future__ import annotations

from statetrace.analysis.events import WireEvent
from statetrace.model import fold

READ_SITE, LOOK_UP, LOAD, COMPARE, WRITE, UPDATE_CACHE = SYNC_STAGES = (
    "read the site", "look its rows up", "load its rows", "compare them", "write rows", "update the cache",
)  # fmt: skip
"""The stages, in their order."""

_SITE_READ = frozenset(map(fold, ("Refreshed", "Hydrated")))
_DATABASE = fold("Database")
_WRITE_FIELDS = (
    "UiCloneDurationMs", "BulkSeedEnsureDurationMs", "BulkSeedRecordsetOpenDurationMs", "BulkStageDurationMs",
    "BulkInterfaceUpdateDurationMs", "BulkInterfaceInsertDurationMs", "BulkHistoryInsertDurationMs",
    "BulkCleanupDurationMs", "StreamDispatchDurationMs", "IndexEnsureDurationMs", "DeleteDurationMs",
    "FallbackDurationMs",
)  # fmt: skip


def sync_stages(sync: WireEvent) -> dict[str, float]:
    """The stages that an ``InterfaceSyncTiming`` tells of, in their order.

    A site is either read, which its first host waits for, or looked up; the other one of the two is not there.

    >>> told = {"SiteCacheProvider": "SharedCache", "SiteCacheFetchDurationMs": 0.25, "DiffDurationMs": 4}
    >>> [(stage, ms) for stage, ms in sync_stages(WireEvent("InterfaceSyncTiming", told)).items() if ms]
    [('look its rows up', 0.25), ('compare them', 4.0)]
    """
    provider = fold(sync.text("SiteCacheProvider"))
    fetch, load = milliseconds(sync, "SiteCacheFetchDurationMs"), milliseconds(sync, "LoadExistingDurationMs")
    if provider == _DATABASE:
        fetch = max(fetch - load, 0.0)  # rows read with the host are part of how they were found
    return {
        READ_SITE if provider in _SITE_READ else LOOK_UP: fetch,
        LOAD: load + milliseconds(sync, "LoadSignatureDurationMs"),
        COMPARE: milliseconds(sync, "DiffDurationMs"),
        WRITE: sum(milliseconds(sync, name) for name in _WRITE_FIELDS),
        UPDATE_CACHE: milliseconds(sync, "SiteCacheUpdateDurationMs"),
    }


def milliseconds(event: WireEvent, name: str) -> float:
    """A duration, 0 if the event tells none."""
    return max(float(event.number(name) or 0), 0.0)
