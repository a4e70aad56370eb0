"""Sessions: raw logs in, stored rows, a current cache and a history out."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from statetrace.ingestion.profile import ConcurrencyOverrides
    from statetrace.ingestion.report import HostOutcome, IngestionReport
    from statetrace.ingestion.session import IngestionSession, SessionOptions
    from statetrace.ingestion.snapshots import SnapshotFiles

__all__ = [
    "ConcurrencyOverrides",
    "HostOutcome",
    "IngestionReport",
    "IngestionSession",
    "SessionOptions",
    "SnapshotFiles",
]

_HOMES = {
    "ConcurrencyOverrides": "profile",
    "HostOutcome": "report",
    "IngestionReport": "report",
    "IngestionSession": "session",
    "SessionOptions": "session",
    "SnapshotFiles": "snapshots",
}


def __getattr__(name: str) -> object:
    # Making up logs needs no database, and need not wait for SQLAlchemy.
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
