"""What is known round a host's write: the causes there are, what events say, what happened to the cached site."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from statetrace.analysis.events import WireEvent


class Code(StrEnum):
    """The causes."""

    SHARED_CACHE_HIT = "SharedCacheHit"
    CACHE_HIT = "CacheHit"
    KEPT_ROWS = "KeptRows"
    NEW_SITE = "NewSite"
    FIRST_READ = "FirstRead"
    SNAPSHOT_MISSING = "SnapshotMissing"
    SNAPSHOT_WITHOUT_SITE = "SnapshotWithoutSite"
    SNAPSHOT_UNPROVEN = "SnapshotUnproven"
    SNAPSHOT_STALE = "SnapshotStale"
    CACHE_CLEARED = "CacheCleared"
    CACHE_ENTRY_REMOVED = "CacheEntryRemoved"
    CACHE_ENTRY_LOST = "CacheEntryLost"
    CACHE_TOO_SMALL = "CacheTooSmall"
    SHARED_CACHE_DISABLED = "SharedCacheDisabled"
    SHARED_CACHE_EMPTY = "SharedCacheEmpty"
    SHARED_CACHE_UNAVAILABLE = "SharedCacheUnavailable"
    HOST_NOT_CACHED = "HostNotCached"
    DATABASE_CHANGED = "DatabaseChanged"
    OTHER_DATABASE = "OtherDatabase"
    FORCED_REFRESH = "ForcedRefresh"
    FORCED_OR_DATABASE_CHANGED = "ForcedRefreshOrDatabaseChanged"
    SKIP_MODE = "SkipMode"
    OVERTAKEN = "Overtaken"
    UNCHANGED_LOG = "UnchangedLog"
    DATABASE_FAILED = "DatabaseFailed"
    FAILED = "Failed"
    NOT_UNDERSTOOD = "LogNotUnderstood"
    UNKNOWN = "Unknown"


class Evidence(msgspec.Struct, frozen=True, rename="pascal"):
    """What an event says.

    Attributes:
        event: its name.
        where: file and line, ``""`` if it came from no file.
        fact: the fields that matter, with their values.
    """

    event: str
    where: str
    fact: str

    @classmethod
    def of(cls, event: WireEvent, *fields: str) -> Evidence:
        """These fields of an event, those that it has."""
        told = [f"{field} {event.text(field) or '(empty)'}" for field in fields if field in event.fields]
        return cls(event.name, event.where, ", ".join(told))


class Loss(msgspec.Struct, frozen=True):
    """How a site got out of the cache: the cause, in words, and the event."""

    code: Code
    text: str
    evidence: Evidence


class SessionFacts(msgspec.Struct):
    """What the cache did with a site in one session, up to its end; each as the event that tells it.

    Attributes:
        kept: an entry of the site was put into the cache and stayed there.
        dropped: one was dropped at once, because it did not fit.
        missed: the site was asked for and not there.
        absent: the site was not cached after a host of it had been written.
    """

    kept: Evidence | None = None
    dropped: Evidence | None = None
    missed: Evidence | None = None
    absent: Evidence | None = None


class Around(msgspec.Struct):
    """What happened to the cached site before and while a host was written; ``None`` is what no event tells.

    Attributes:
        ours: the events are this engine's, not the original's.
        prepared: it is known when the work on the host began, so that what is not told did not happen.
        asked: the look-up of the site.
        attempt: the whole site was asked for.
        read: and read.
        imported: what was cached of the site came from a snapshot.
        snapshot: a snapshot was imported into this cache.
        loss: how the site got out of this cache.
        held: this cache had the site.
        elsewhere: another cache had the site before.
        overtaken: another host was written between the look-up and the write.
        skipped: the site cache is left alone.
        session: what the cache did with the site in the whole session.
    """

    ours: bool = False
    prepared: bool = False
    asked: Evidence | None = None
    attempt: Evidence | None = None
    read: Evidence | None = None
    imported: Evidence | None = None
    snapshot: Evidence | None = None
    loss: Loss | None = None
    held: Evidence | None = None
    elsewhere: Evidence | None = None
    overtaken: Evidence | None = None
    skipped: Evidence | None = None
    session: SessionFacts = msgspec.field(default_factory=SessionFacts)
