"""What the cache tells of itself."""

from __future__ import annotations

from pathlib import Path

import msgspec


class CacheStatistics(msgspec.Struct, frozen=True, rename="pascal"):
    """What the cache holds, and what was done with it since the process began.

    Attributes:
        sites: cached sites; so also ``hosts`` and ``rows`` of them.
        max_rows: the bound on rows, or ``None``.
        hits: reads that found their site; so also ``misses``.
        sets: entries stored or merged; so also ``removes`` of those who asked for it.
        evictions: sites dropped for others.
        hydrations: sites read anew.
        shared_hydrations: callers that waited for somebody else's read.
    """

    sites: int
    hosts: int
    rows: int
    max_rows: int | None
    hits: int
    misses: int
    sets: int
    removes: int
    evictions: int
    hydrations: int
    shared_hydrations: int


class CacheCounts(msgspec.Struct):
    """The counters of the statistics, while they count."""

    hits: int = 0
    misses: int = 0
    sets: int = 0
    removes: int = 0
    evictions: int = 0
    hydrations: int = 0
    shared_hydrations: int = 0


class SnapshotImport(msgspec.Struct, frozen=True, rename="pascal"):
    """What an import brought: the sites taken into the cache, and what of the file was left out and why."""

    path: Path
    sites: tuple[str, ...]
    hosts: int
    rows: int
    skipped: tuple[str, ...] = ()
