"""What gates measure of the writes of one pass, and how two passes compare.

Memory is bounded by the hosts and by one number a write; of events only the worst are remembered.
"""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Any, ClassVar

from statetrace.analysis.events import WireEvent
from statetrace.analysis.explain.causes import why
from statetrace.analysis.gates.offenders import Offender, Offenders, Relation, Sample, Total
from statetrace.analysis.statistics import percentile
from statetrace.analysis.warm.comparison import improvement
from statetrace.analysis.warm.host_pairs import rows_changed
from statetrace.analysis.warm.pass_tally import Tally
from statetrace.analysis.warm.provider_counts import is_hit, provider_measure, provider_reason_fallback
from statetrace.model import fold

_LATENCY, _TIMING, _BREAKDOWN, _SKIPPED = map(
    fold, ("DatabaseWriteLatency", "InterfaceSyncTiming", "DatabaseWriteBreakdown", "SkippedDuplicate")
)
_REFRESH = fold("AccessRefresh")
_UNMATCHED = {
    "SiteCacheComparisonSignatureMismatchCount": "differing",
    "SiteCacheComparisonMissingPortCount": "missing",
    "SiteCacheComparisonObsoletePortCount": "gone",
}


class PassMeasures:
    """The writes of hosts in one pass. Each event counts, as in the assertions of the original.

    Attributes:
        latency: milliseconds of ``DatabaseWriteLatency``.
        calls: ``InterfaceCallDurationMs`` of ``DatabaseWriteBreakdown``, one a write.
        slowest: the longest of them.
        breakdowns: number of those events.
        timings: number of ``InterfaceSyncTiming`` events.
        known: number of logs that were known already, so that nothing was written.
        known_hosts: folded names of their hosts.
        hosts: folded name of a host that was written → the first event of it.
        misses: writes that no cache served.
        signature_misses: writes of which a row did not match a cached one, or of which nothing tells that all did.
        rewrites: cached rows that were rewritten.
        changed: rows inserted, changed and deleted.
        refreshed: writes for which the site was read again.
    """

    EVENTS: ClassVar[frozenset[str] | None] = frozenset(
        {"DatabaseWriteLatency", "InterfaceSyncTiming", "DatabaseWriteBreakdown", "SkippedDuplicate"}
    )

    def __init__(self, p95_limit: float | None = None, alert: float | None = None) -> None:
        self.latency = Sample(p95_limit, alert, Relation.BELOW)
        self.calls = array("d")
        self.slowest = Offenders(_origin)
        self.breakdowns = 0
        self.timings = 0
        self.known = 0
        self.known_hosts: set[str] = set()
        self.hosts: dict[str, Offender] = {}
        self.misses = Total(_cause)
        self.signature_misses = Total(_unmatched)
        self.rewrites = Total(_origin)
        self.changed = Total(_changed_ports)
        self.refreshed = Total(_cause)
        self._providers: Counter[str] = Counter()

    def add(self, event: WireEvent) -> None:
        """Take an event of the pass."""
        name = fold(event.name)
        if name == _SKIPPED:
            self.known += 1
            self.known_hosts.add(fold(event.host))
            return
        self.meet(event)
        if name == _LATENCY:
            self.latency.add(event.number("LatencyMs"), event)
        elif name == _TIMING:
            self.add_timing(event)
        elif name == _BREAKDOWN:
            self.add_breakdown(event)

    def meet(self, event: WireEvent) -> None:
        """Remember that the host was written."""
        if (host := fold(event.host)) and host not in self.hosts:
            self.hosts[host] = Offender.of(event, 1)

    def add_timing(self, event: WireEvent) -> None:
        """Take what was changed and why the rows came from where they did."""
        self.timings += 1
        changed = rows_changed(
            (event.count("DiffRowsChanged"), event.count("DiffRowsInserted")),
            (event.count("UpdateCandidates"), event.count("InsertCandidates")),
            (event.count("RowsStaged"),),
            deleted=event.count("DeleteCandidates"),
        )
        self.changed.add(changed or 0, event)
        self.refreshed.add(fold(reason_of(event)) == _REFRESH, event)

    def add_call(self, event: WireEvent) -> None:
        """Take how long the interface call took."""
        if (duration := event.number("InterfaceCallDurationMs")) is not None:
            self.calls.append(duration)
            self.slowest.add(duration, event)

    def add_provider(self, event: WireEvent) -> None:
        """Take whether a cache served the write."""
        provider = event.text("SiteCacheProvider")
        self._providers[provider] += 1
        self.misses.add(not is_hit(provider), event)

    def add_breakdown(self, event: WireEvent) -> None:
        """Take how long the write took, whether a cache served it, and how its rows compared with the cached ones."""
        self.breakdowns += 1
        self.add_call(event)
        self.add_provider(event)
        self.signature_misses.add(not _all_matched(event), event)
        self.rewrites.add(event.count("SiteCacheHostMapSignatureRewriteCount"), event)

    @property
    def median_call(self) -> float | None:
        """The median of the interface calls, in milliseconds."""
        return percentile(self.calls, 50)

    @property
    def tally(self) -> Tally:
        """The pass in the numbers of a comparison, each write counted once."""
        return Tally(self.breakdowns, provider_measure(self._providers.items()), self.calls)

    def slower_than(self, bound: float) -> Offenders:
        """The interface calls that took longer, in milliseconds."""
        return self.slowest.above(bound, sum(duration > bound for duration in self.calls))


def compared(cold: PassMeasures, warm: PassMeasures) -> dict[str, Any] | None:
    """Two passes in the fields of ``WarmRunComparison``, so far as gates ask for them; ``None`` without a warm write.

    It is that of :func:`statetrace.analysis.warm.comparison.compare`, but for what is counted: every write, so that one
    that follows another of the same host is not passed over (reference: warm-run-and-gates 2.7).
    """
    if not warm.breakdowns:
        return None
    summary: dict[str, Any] = {}
    passes = {"Cold": cold.tally.metrics, "Warm": warm.tally.metrics}
    for label, metrics in passes.items():
        summary |= {
            f"{label}InterfaceCallAvgMs": metrics.average,
            f"{label}InterfaceCallP95Ms": metrics.p95,
            f"{label}InterfaceCallMaxMs": metrics.maximum,
        }
    saved, percent = improvement(*(metrics.average for metrics in passes.values()))
    if saved is not None:
        summary |= {"ImprovementAverageMs": saved, "ImprovementPercent": percent}
    providers = warm.tally.providers
    return summary | {
        "WarmCacheProviderHitCount": providers.hits,
        "WarmCacheProviderMissCount": providers.misses,
        "WarmCacheHitRatioPercent": providers.ratio_percent,
        "WarmSignatureMatchMissCount": warm.signature_misses.value,
        "WarmSignatureRewriteTotal": warm.rewrites.value,
    }


def one_sided(cold: PassMeasures, warm: PassMeasures) -> Offenders:
    """Hosts that only one of two passes wrote, and whose logs the other one did not pass over as known already."""
    found = Offenders()
    for label, these, others in (("cold", cold, warm), ("warm", warm, cold)):
        for key, met in these.hosts.items():
            if key not in others.hosts and key not in others.known_hosts:
                detail = f"written on the {label} pass only"
                found.take(Offender(met.site, met.host, met.event, met.where, 1, detail))
    return found


def reason_of(event: WireEvent) -> str:
    """Why a host's rows came from where they did: what the event says, or what suggests itself; else ``""``."""
    provider, status = event.text("SiteCacheProvider"), event.text("SiteCacheFetchStatus")
    told = event.text("SiteCacheProviderReason")
    return told or provider_reason_fallback(provider, status, skip=event.flag("SkipSiteCacheUpdate")) or ""


def _all_matched(event: WireEvent) -> bool:
    matches = event.number("SiteCacheComparisonSignatureMatchCount")
    if matches is None:
        return event.count("SiteCacheHostMapSignatureMatchCount") > 0
    return not any(event.count(name) > 0 for name in _UNMATCHED)


def _origin(event: WireEvent) -> str:
    """Provider and reason."""
    provider, reason = event.text("SiteCacheProvider"), reason_of(event)
    return f"{provider} ({reason})" if provider and reason else provider or reason


def _cause(event: WireEvent) -> str:
    return ": ".join(filter(None, (_origin(event), why(event).text)))


def _unmatched(event: WireEvent) -> str:
    told = [f"{count:,} {words}" for name, words in _UNMATCHED.items() if (count := event.count(name)) > 0]
    return f"rows: {', '.join(told)}" if told else "nothing tells that its rows matched"


def _changed_ports(event: WireEvent) -> str:
    """What was done, and to which ports so far as the event names them."""
    counts = {
        "changed": max(event.count("DiffRowsChanged"), event.count("UpdateCandidates")),
        "inserted": max(event.count("DiffRowsInserted"), event.count("InsertCandidates")),
        "deleted": event.count("DeleteCandidates"),
    }
    done = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count > 0)
    ports = event.text("DiffChangedPortsSample").replace("|", ", ")
    more = ", …" if ports and counts["changed"] > ports.count(",") + 1 else ""
    return f"{done or 'written'}{f': {ports}{more}' if ports else ''}"
