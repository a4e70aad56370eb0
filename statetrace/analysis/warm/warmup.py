"""The warm-up: sites are read into the cache, the cache is kept as a snapshot, and what that holds is looked at.

Unlike the original's it leaves the history alone (reference: warm-run-and-gates 6.10 and 11 D16).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from statetrace.cache.snapshot_check import SiteSummary, summarize
from statetrace.errors import StateTraceError
from statetrace.ingestion.snapshots import SnapshotFiles, Snapshots
from statetrace.model import CaseInsensitiveMap
from statetrace.repository import DeviceRepository


class WarmupReport(msgspec.Struct, frozen=True, rename="pascal"):
    """What a warm-up left.

    Attributes:
        snapshot: the file that was written, ``""`` if none was.
        latest: its copy under a fixed name, likewise.
        sites: what the cache holds of the sites, in the form of a snapshot's summary.
        failures: sites that could not be read, and what went wrong with the snapshot; one sentence each.
    """

    snapshot: str
    latest: str
    sites: tuple[SiteSummary, ...]
    failures: tuple[str, ...] = ()


def warm_up(
    repository: DeviceRepository,
    sites: Iterable[str],
    snapshots: Path,
    *,
    enough: Callable[[Sequence[SiteSummary]], bool] = lambda _: True,
    on_site: Callable[[], object] = lambda: None,
) -> WarmupReport:
    """Read sites from their databases into the cache, and write it to a folder of snapshots.

    A site that cannot be read stops no other.

    Args:
        repository: reads the sites; its cache is filled.
        sites: which.
        snapshots: the folder; its latest snapshot keeps what it has of other sites.
        enough: whether what was read may take the place of the latest snapshot; otherwise nothing is written.
        on_site: called after each site.
    """
    failures: list[str] = []
    read: list[str] = []
    for site in sites:
        try:
            found = repository.read_site(site, refresh=True)
            if found.metrics.provider == "MissingDatabase":
                failures.append(f"no site {site}: it has no database")
            else:
                read.append(site)
        except StateTraceError as error:
            failures.append(f"{site}: {error}")
        on_site()
    cached = repository.cache.entries()
    summary = summarize(CaseInsensitiveMap((site, cached[site]) for site in read if site in cached))
    kept = Snapshots(SnapshotFiles(snapshots), repository)
    if enough(summary):
        kept.after(changed=True)
    return WarmupReport(
        snapshot=kept.round.exported,
        latest=kept.round.latest,
        sites=tuple(summary),
        failures=(*failures, *kept.round.messages),
    )
