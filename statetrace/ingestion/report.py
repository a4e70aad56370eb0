"""What a session did: one outcome a host, totals, and the exit code that follows."""

from __future__ import annotations

from collections import Counter

import msgspec

from statetrace.cache import CacheStatistics
from statetrace.ingestion.logs import UnusedFile

INGESTED, UNCHANGED, DUPLICATE = "ingested", "unchanged", "skipped_duplicate"
CANCELLED = "cancelled"
OUTCOMES = (
    INGESTED, UNCHANGED, DUPLICATE, "unknown_vendor", "no_interfaces", "parse_failed", "database_failed", CANCELLED,
)  # fmt: skip
"""What can become of a host."""
DONE = (INGESTED, UNCHANGED, DUPLICATE)
"""Outcomes after which the database says what the log says."""


class PortChange(msgspec.Struct, frozen=True, rename="pascal"):
    """What would become of one port: ``Added``, ``Changed`` with the columns that differ, or ``Removed``."""

    port: str
    kind: str
    columns: dict[str, tuple[str, str]] = {}
    """Column → value now, value then."""


class HostOutcome(msgspec.Struct, frozen=True, rename="pascal"):
    """What became of one host.

    Attributes:
        hostname: as its log says; while that is not known, the name of its slice.
        site: its site.
        outcome: one of ``OUTCOMES``.
        rows_inserted: rows that are new.
        rows_changed: rows that took the place of others.
        rows_unchanged: rows that stayed.
        rows_deleted: rows of ports that the log does not name any more.
        duration_ms: milliseconds of work on the host, waiting for its turn left out.
        message: why, where the outcome needs a reason; else ``""``.
        make: what the device is.
        provider: where the rows came from that the log was compared with, as events tell it.
        provider_reason: likewise.
        coverage: percent of the lines of tables in the log that were understood.
        lines_missed: those that were not.
        files: the raw files with its log.
        changes: what a dry run found, port by port.
    """

    hostname: str
    site: str
    outcome: str
    rows_inserted: int = 0
    rows_changed: int = 0
    rows_unchanged: int = 0
    rows_deleted: int = 0
    duration_ms: float = 0.0
    message: str = ""
    make: str = ""
    provider: str = ""
    provider_reason: str = ""
    coverage: float = 100.0
    lines_missed: int = 0
    files: tuple[str, ...] = ()
    changes: tuple[PortChange, ...] = ()

    @property
    def done(self) -> bool:
        """Whether the database says what the log says."""
        return self.outcome in DONE


class SnapshotRound(msgspec.Struct, frozen=True, rename="pascal"):
    """The snapshots before and after the session.

    Attributes:
        imported: the file that was imported, ``""`` if none was.
        imported_sites: the sites that it brought.
        exported: the file that was written, ``""`` if none was.
        latest: its copy under a fixed name, ``""`` if none was made.
        sites: the sites that were written.
        messages: why something was not done.
    """

    imported: str = ""
    imported_sites: tuple[str, ...] = ()
    exported: str = ""
    latest: str = ""
    sites: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()


class Totals(msgspec.Struct, frozen=True, rename="pascal"):
    """Sums over all hosts of a session.

    Attributes:
        hosts: all of them.
        outcomes: how many had each outcome.
        sites: how many sites they are of.
        raw_bytes: of all raw files.
        duration_ms: of the whole session, from finding the logs to the last snapshot.
        jobs: processes that worked at a time, 1 for this one alone.
    """

    hosts: int
    sites: int
    rows_inserted: int
    rows_changed: int
    rows_unchanged: int
    rows_deleted: int
    outcomes: dict[str, int]
    raw_bytes: int
    duration_ms: float
    jobs: int


class IngestionReport(msgspec.Struct, frozen=True, rename="pascal"):
    """What a session did.

    Attributes:
        hosts: one outcome a host, in the order in which they ended.
        totals: the sums.
        unused_files: raw files without a host, and those that cannot be read.
        snapshot: what was imported before and exported after.
        cache: what the shared cache holds, and what was done with it since the process began.
        warnings: what went wrong without failing a host.
        dry_run: nothing was written.
        cancelled: it was stopped before its end.
    """

    hosts: tuple[HostOutcome, ...]
    totals: Totals
    unused_files: tuple[UnusedFile, ...] = ()
    snapshot: SnapshotRound = SnapshotRound()
    cache: CacheStatistics | None = None
    warnings: tuple[str, ...] = ()
    dry_run: bool = False
    cancelled: bool = False

    @property
    def failed(self) -> tuple[HostOutcome, ...]:
        """The hosts whose logs are not in the database."""
        return tuple(host for host in self.hosts if not host.done)

    @property
    def exit_code(self) -> int:
        """0 if every host's log is in the database and every file was used or named no host, else 1."""
        unreadable = any(file.unreadable for file in self.unused_files)
        return 1 if self.cancelled or self.failed or unreadable else 0

    def of_outcome(self, outcome: str) -> tuple[HostOutcome, ...]:
        """The hosts with that outcome."""
        return tuple(host for host in self.hosts if host.outcome == outcome)


def totals_of(hosts: list[HostOutcome], *, raw_bytes: int, duration_ms: float, jobs: int) -> Totals:
    """The sums over these hosts."""
    counted = Counter(host.outcome for host in hosts)
    return Totals(
        hosts=len(hosts),
        sites=len({host.site for host in hosts}),
        rows_inserted=sum(host.rows_inserted for host in hosts),
        rows_changed=sum(host.rows_changed for host in hosts),
        rows_unchanged=sum(host.rows_unchanged for host in hosts),
        rows_deleted=sum(host.rows_deleted for host in hosts),
        outcomes={outcome: counted[outcome] for outcome in OUTCOMES if counted[outcome]},
        raw_bytes=raw_bytes,
        duration_ms=duration_ms,
        jobs=jobs,
    )
