"""Checks of a snapshot against budgets and required sites, and its summary (reference: site-cache 5.8, corrected)."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypedDict

import msgspec

from statetrace.cache.atomic_file import replace_file
from statetrace.cache.snapshot import Snapshot, read_snapshot
from statetrace.errors import SnapshotError
from statetrace.model.keys import fold
from statetrace.model.site_entry import SiteEntry

_SECONDS_OF_HOUR = 3600


class SnapshotBudgets(msgspec.Struct, frozen=True):
    """What a snapshot has to keep to. ``None`` switches an upper bound off.

    Attributes:
        max_bytes: size of the file.
        max_hosts: hosts of all sites.
        max_rows: rows of all sites.
        max_shrinkage_percent: how many per cent fewer hosts than the baseline it may have.
        max_age_hours: hours since the file was modified.
        max_remove_percent: how many per cent of the store's operations may be removals, where events are given.
        min_sites: distinct sites at least. So also ``min_hosts`` and ``min_rows``.
        required_sites: sites that must be there, in any case.
    """

    max_bytes: int | None = 50 * 1024 * 1024
    max_hosts: int | None = 500
    max_rows: int | None = 50_000
    max_shrinkage_percent: float | None = 5.0
    max_age_hours: float | None = 168.0
    max_remove_percent: float | None = 10.0
    min_sites: int = 1
    min_hosts: int = 1
    min_rows: int = 1
    required_sites: tuple[str, ...] = ()


DEFAULT_BUDGETS = SnapshotBudgets()


class SnapshotIssue(msgspec.Struct, frozen=True):
    """One thing that is wrong with a snapshot.

    Attributes:
        type: the original's word for it, or one in its manner: ``SnapshotNotFound``, ``SchemaInvalid``,
            ``BaselineInvalid``, ``EmptySnapshot``, ``SizeBudgetExceeded``, ``HostCountExceeded``, ``RowCountExceeded``,
            ``UnexpectedShrinkage``, ``HighEvictionRate``, ``EventsNotFound``, ``SnapshotTooOld``, ``MissingSites``,
            ``InsufficientSites``, ``InsufficientHosts``, ``InsufficientRows``.
        message: the same in a sentence, with the numbers.
    """

    type: str
    message: str


class SnapshotCheck(msgspec.Struct, frozen=True):
    """What a check found.

    Attributes:
        path: the file.
        issues: what is wrong; empty when all is well.
        site_count: distinct sites. So also ``host_count`` and ``row_count``; 0 when the file cannot be read.
        size_bytes: size of the file, or ``None`` when there is none.
        age_hours: hours since the file was modified, or ``None``.
        missing_sites: the required sites that are absent, in the order required.
        snapshot: what was read, or ``None``.
    """

    path: Path
    issues: tuple[SnapshotIssue, ...]
    site_count: int = 0
    host_count: int = 0
    row_count: int = 0
    size_bytes: int | None = None
    age_hours: float | None = None
    missing_sites: tuple[str, ...] = ()
    snapshot: Snapshot | None = None

    @property
    def passed(self) -> bool:
        return not self.issues


def check_snapshot(
    path: str | os.PathLike[str],
    budgets: SnapshotBudgets = DEFAULT_BUDGETS,
    *,
    baseline: str | os.PathLike[str] | None = None,
    events: Iterable[str | os.PathLike[str]] = (),
    now: float | None = None,
) -> SnapshotCheck:
    """Checks the snapshot ``path``; whatever is wrong, a missing or damaged file too, is an issue and not an error.

    Args:
        path: the file.
        budgets: what it has to keep to.
        baseline: an earlier snapshot, in comparison with which it must not have shrunk.
        events: files of telemetry, one event a line, of whose store operations too many must not be removals. Lines
            that are no events are passed over.
        now: the time that its age is counted to, in seconds since 1970; by default the present.
    """
    path = Path(path)
    try:
        status = path.stat()
    except OSError as error:
        return SnapshotCheck(path, (SnapshotIssue("SnapshotNotFound", f"{path}: {error.strerror or error}"),))
    age_hours = max(0.0, ((time.time() if now is None else now) - status.st_mtime) / _SECONDS_OF_HOUR)
    issues = list(_file_issues(status.st_size, age_hours, budgets))
    try:
        snapshot = read_snapshot(path)
    except SnapshotError as error:
        issues.append(SnapshotIssue("SchemaInvalid", str(error)))
        return SnapshotCheck(path, tuple(issues), size_bytes=status.st_size, age_hours=age_hours)
    entries = snapshot.entries
    hosts, rows = _hosts(entries), sum(entry.total_rows for entry in entries.values())
    missing = _missing(entries, budgets.required_sites)
    issues += _content_issues(len(entries), hosts, rows, budgets)
    if missing:
        issues.append(SnapshotIssue("MissingSites", f"required sites are missing: {', '.join(missing)}"))
    if baseline is not None:
        issues += _shrinkage_issues(hosts, Path(baseline), budgets)
    issues += _eviction_issues(map(Path, events), budgets)
    return SnapshotCheck(
        path, tuple(issues), len(entries), hosts, rows, status.st_size, age_hours, tuple(missing), snapshot
    )


def _file_issues(size: int, age_hours: float, budgets: SnapshotBudgets) -> Iterator[SnapshotIssue]:
    if budgets.max_bytes is not None and size > budgets.max_bytes:
        yield SnapshotIssue("SizeBudgetExceeded", f"{size:,} bytes are more than {budgets.max_bytes:,}")
    if budgets.max_age_hours is not None and age_hours > budgets.max_age_hours:
        yield SnapshotIssue("SnapshotTooOld", f"{age_hours:.1f} h old, more than {budgets.max_age_hours:g} h")


def _content_issues(sites: int, hosts: int, rows: int, budgets: SnapshotBudgets) -> Iterator[SnapshotIssue]:
    if not sites:
        yield SnapshotIssue("EmptySnapshot", "the snapshot holds no site")
    for issue, number, what, least in (
        ("InsufficientSites", sites, "sites", budgets.min_sites),
        ("InsufficientHosts", hosts, "hosts", budgets.min_hosts),
        ("InsufficientRows", rows, "rows", budgets.min_rows),
    ):
        if number < least:
            yield SnapshotIssue(issue, f"{number} {what} are fewer than {least}")
    for issue, number, what, most in (
        ("HostCountExceeded", hosts, "hosts", budgets.max_hosts),
        ("RowCountExceeded", rows, "rows", budgets.max_rows),
    ):
        if most is not None and number > most:
            yield SnapshotIssue(issue, f"{number:,} {what} are more than {most:,}")


def _shrinkage_issues(hosts: int, baseline: Path, budgets: SnapshotBudgets) -> Iterator[SnapshotIssue]:
    try:
        before = _hosts(read_snapshot(baseline).entries)
    except SnapshotError as error:
        yield SnapshotIssue("BaselineInvalid", str(error))
        return
    allowed = budgets.max_shrinkage_percent
    # Multiplied out: a division would put the edge, exactly the percentage allowed, on either side of it.
    if allowed is not None and (before - hosts) * 100 > allowed * before:
        percent = (before - hosts) * 100 / before
        message = f"{hosts} hosts are {percent:.1f} % fewer than the {before} of {baseline}; {allowed:g} % are allowed"
        yield SnapshotIssue("UnexpectedShrinkage", message)


class _StoreEvent(msgspec.Struct, rename="pascal"):
    event_name: str = ""
    operation: str = ""


def _eviction_issues(events: Iterable[Path], budgets: SnapshotBudgets) -> Iterator[SnapshotIssue]:
    decoder = msgspec.json.Decoder(_StoreEvent)
    operations = removals = 0
    for path in events:
        try:
            lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()
        except OSError as error:
            yield SnapshotIssue("EventsNotFound", f"{path}: {error.strerror or error}")
            continue
        for line in lines:
            with contextlib.suppress(ValueError, RecursionError):
                event = decoder.decode(line)
                if event.event_name == "InterfaceSiteCacheSharedStore":
                    operations += 1
                    removals += event.operation == "Remove"
    allowed = budgets.max_remove_percent
    if allowed is not None and removals * 100 > allowed * operations:
        message = f"{removals:,} of {operations:,} operations of the store are removals; {allowed:g} % are allowed"
        yield SnapshotIssue("HighEvictionRate", message)


def _hosts(entries: Mapping[str, SiteEntry]) -> int:
    return sum(entry.host_count for entry in entries.values())


def _missing(entries: Mapping[str, SiteEntry], required: Iterable[str]) -> list[str]:
    present = {fold(site) for site in entries}
    return [site.strip() for site in required if fold(site) and fold(site) not in present]


class SiteSummary(TypedDict):
    """A site of a summary file, under the names of the original. ``CachedAt`` is ISO 8601 or null."""

    Site: str
    Hosts: int
    TotalRows: int
    CachedAt: str | None


def summarize(entries: Mapping[str, SiteEntry]) -> list[SiteSummary]:
    """The summary of entries, a site an item, in their order (reference: clixml-snapshots 4.5)."""
    return [
        SiteSummary(
            Site=site,
            Hosts=entry.host_count,
            TotalRows=entry.total_rows,
            CachedAt=None if entry.cached_at is None else entry.cached_at.isoformat(),
        )
        for site, entry in entries.items()
    ]


def write_summary(path: str | os.PathLike[str], entries: Mapping[str, SiteEntry]) -> None:
    """Writes the summary of entries as JSON. It is a list always, of one site and of none too.

    Raises:
        OSError: the file cannot be written; ``path`` is as it was.
    """
    # Escaped, so that a site name with a lone surrogate cannot make the file unreadable.
    text = json.dumps(summarize(entries), indent=2, ensure_ascii=True)
    replace_file(Path(path), (f"{text}\n".encode(),))
