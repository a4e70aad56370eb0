"""What else is worth knowing of a host that was compared with its rows: why it was slow, what looks odd."""

from __future__ import annotations

from collections.abc import Sequence

from statetrace.analysis.events import WireEvent
from statetrace.analysis.explain.circumstances import Around
from statetrace.analysis.explain.host_stages import COMMIT, REST, SUMMARY, RowCounts, Stage
from statetrace.analysis.explain.siblings import Siblings
from statetrace.analysis.reports.sync_stages import READ_SITE, UPDATE_CACHE
from statetrace.analysis.warm.provider_counts import is_hit
from statetrace.model import fold

_OF_SITE = frozenset(map(fold, ("SharedCache", "Refreshed")))
_SLOW_RATIO = 2
_SLOW_MS = 1.0
_FEWEST_SIBLINGS = 3


def remarks_of(
    sync: WireEvent,
    rows: RowCounts,
    stages: Sequence[Stage],
    siblings: Siblings | None,
    around: Around,
    breakdown: WireEvent | None,
) -> list[str]:
    """Remarks, one sentence each."""
    told = [_slow(stages, siblings, around), _rewritten(sync, rows, around)]
    if rows.unchanged and not rows.written:
        told.append("no row of it changed, so none was written")
    elif rows.existing == 0 and rows.inserted:
        told.append("it had no rows before")
    told.append(_read_for_all(stages, siblings))
    if retries := sync.count("SiteCacheExclusiveRetryCount"):
        waited = sync.number("SiteCacheExclusiveWaitDurationMs") or 0
        told.append(f"the database was locked: tried {retries + 1:,} times, waited {waited:,.0f} ms")
    if sync.flag("FallbackUsed"):
        told.append("its rows were written one by one, because the batch failed")
    if duplicates := sync.count("DiffDuplicatePorts"):
        told.append(f"{duplicates:,} rows of the log named a port that another one names, and were left out")
    if breakdown is None:
        told.append("its DatabaseWriteBreakdown is missing: what the transaction cost is not known")
    if around.session.dropped and is_hit(sync.text("SiteCacheProvider")):
        told.append("the cache is too small for the site: it was dropped in this session")
    return [remark for remark in told if remark]


def _slow(stages: Sequence[Stage], siblings: Siblings | None, around: Around) -> str:
    if siblings is None or siblings.hosts < _FEWEST_SIBLINGS or siblings.call_ms is None or not siblings.median_ms:
        return ""
    if siblings.call_ms < max(_SLOW_RATIO * siblings.median_ms, siblings.median_ms + _SLOW_MS):
        return ""
    # The original updates its cache before it commits, and counts that in.
    outside = (REST, COMMIT, SUMMARY, UPDATE_CACHE) if around.ours else (REST, COMMIT, SUMMARY)
    longest = max((stage for stage in stages if stage.name not in outside), key=lambda stage: stage.ms, default=None)
    spent = f"; most of that to {longest.name} ({longest.ms:,.1f} ms)" if longest is not None else ""
    ratio = siblings.call_ms / siblings.median_ms
    return f"slow: its call took {siblings.call_ms:,.1f} ms, {ratio:,.1f} times the median of its site{spent}"


def _rewritten(sync: WireEvent, rows: RowCounts, around: Around) -> str:
    if not rows.existing or not rows.written:
        return ""
    counts = ((rows.inserted, "inserted"), (rows.changed, "changed"), (rows.deleted, "deleted"))
    done = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    told = f"rewritten: {done} of {rows.existing:,} rows"
    if not around.ours and rows.changed == rows.existing and fold(sync.text("SiteCacheProvider")) in _OF_SITE:
        return f"{told}; in the original's telemetry a site that was read anew brings this about, whatever the log says"
    source = "cached" if is_hit(sync.text("SiteCacheProvider")) else "stored"
    ports = sync.text("DiffChangedPortsSample").replace("|", ", ")
    more = ", …" if ports and rows.changed > ports.count(",") + 1 else ""
    which = f" of {ports}{more}" if ports else "; the events do not name the ports"
    return f"{told}: its log says other than what was {source}{which}"


def _read_for_all(stages: Sequence[Stage], siblings: Siblings | None) -> str:
    if siblings is None or siblings.hits < 1 or not any(stage.name == READ_SITE for stage in stages):
        return ""
    return f"it paid for the read of its whole site, which {siblings.hits:,} other hosts of it had for nothing"
