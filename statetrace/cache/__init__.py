"""The process-wide site cache, normalisation of foreign shapes, and snapshots."""

from statetrace.cache.normalize import normalize_site_entry
from statetrace.cache.process import shared_site_cache
from statetrace.cache.report import CacheStatistics, SnapshotImport
from statetrace.cache.shared import SharedSiteCache
from statetrace.cache.snapshot import Snapshot, SnapshotStyle, read_snapshot, write_snapshot
from statetrace.cache.snapshot_check import SnapshotBudgets, SnapshotCheck, check_snapshot, summarize, write_summary

__all__ = [
    "CacheStatistics",
    "SharedSiteCache",
    "Snapshot",
    "SnapshotBudgets",
    "SnapshotCheck",
    "SnapshotImport",
    "SnapshotStyle",
    "check_snapshot",
    "normalize_site_entry",
    "read_snapshot",
    "shared_site_cache",
    "summarize",
    "write_snapshot",
    "write_summary",
]
