"""Where the time of a host's synchronisation goes, over all hosts, by site and by host."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import ClassVar

import msgspec

from statetrace.analysis.events import UNKNOWN, WireEvent, analyze
from statetrace.analysis.instants import now_ticks, utc_text
from statetrace.analysis.reports.sync_stages import SYNC_STAGES, sync_stages
from statetrace.analysis.statistics import Stats, stats_of
from statetrace.model import fold

_CLONE, _DISPATCH, _DIFF, _CACHE = _FIELDS = (
    "UiCloneDurationMs",
    "StreamDispatchDurationMs",
    "DiffDurationMs",
    "SiteCacheUpdateDurationMs",
)
_OF_A_SITE = (_CLONE, _DISPATCH, _DIFF)
_OF_A_HOST = (_CLONE, _DISPATCH)


class SyncStages(msgspec.Struct, frozen=True, rename="pascal"):
    """Stages of a synchronisation, in milliseconds.

    Attributes:
        ui_clone: copying the rows for whoever shows them.
        stream_dispatch: handing them to the port stream.
        diff_duration: comparing parsed with existing rows.
        site_cache_update: putting the rows into the cache.
    """

    ui_clone: Stats
    stream_dispatch: Stats
    diff_duration: Stats
    site_cache_update: Stats


class SiteTiming(msgspec.Struct, frozen=True):
    """95th percentiles at one site in milliseconds, ``None`` without a value."""

    site: str = msgspec.field(name="Site")
    event_count: int = msgspec.field(name="EventCount")
    ui_clone_p95: float | None = msgspec.field(name="UiCloneP95")
    stream_dispatch_p95: float | None = msgspec.field(name="StreamDispatchP95")
    diff_duration_p95: float | None = msgspec.field(name="DiffDurationP95")


class HostTiming(msgspec.Struct, frozen=True):
    """95th percentiles of one host in milliseconds; a run without the value counts as one of 0."""

    host: str = msgspec.field(name="Host")
    event_count: int = msgspec.field(name="EventCount")
    ui_clone_p95: float = msgspec.field(name="UiCloneP95")
    stream_dispatch_p95: float = msgspec.field(name="StreamDispatchP95")


class SyncTimingReport(msgspec.Struct, frozen=True, rename="pascal"):
    """The timing of all synchronisations (reference: warm-run-and-gates 6.5).

    Attributes:
        generated_at_utc: when this was computed.
        files_analyzed: the files that were read.
        event_count: number of synchronisations.
        global_stats: over all of them.
        site_breakdown: by site, in the order of their names.
        host_breakdown_top: the hosts whose copying took longest, those come first; ties by host.
    """

    generated_at_utc: str
    files_analyzed: list[str]
    event_count: int
    global_stats: SyncStages
    site_breakdown: list[SiteTiming]
    host_breakdown_top: list[HostTiming]


class HostStages(msgspec.Struct, frozen=True):
    """What all runs of a host took by stage, in milliseconds; stages that took none are not there."""

    host: str
    event_count: int
    stages: dict[str, float]

    @property
    def total_ms(self) -> float:
        """All stages together."""
        return sum(self.stages.values())


class SyncTiming:
    """Gathers the stages of ``InterfaceSyncTiming``. Missing and negative durations are left out, but see HostTiming.

    Args:
        top_hosts: how many hosts the report names at most, 0 for all.
    """

    EVENTS: ClassVar[frozenset[str] | None] = frozenset({"InterfaceSyncTiming"})

    def __init__(self, top_hosts: int = 10) -> None:
        self._top_hosts = top_hosts
        self._all = _Durations("", _FIELDS)
        self._sites: dict[str, _Durations] = {}
        self._hosts: dict[str, _Durations] = {}
        self._stages: dict[str, array[float]] = {stage: array("d") for stage in SYNC_STAGES}

    def add(self, event: WireEvent) -> None:
        """Take the stages of one synchronisation."""
        found = {field: event.number(field) for field in _FIELDS}
        valid = {field: value for field, value in found.items() if value is not None and value >= 0}
        self._all.add(valid)
        _of(self._sites, event.site, _OF_A_SITE).add(valid)
        host = _of(self._hosts, event.host, _OF_A_HOST)
        host.add({field: found[field] or 0 for field in _OF_A_HOST})
        for stage, ms in sync_stages(event).items():
            if ms:
                self._stages[stage].append(ms)
                host.stages[stage] = host.stages.get(stage, 0.0) + ms

    def result(self, files: Sequence[str] = ()) -> SyncTimingReport:
        """The report on everything so far.

        Args:
            files: where the events came from, for the report.
        """
        hosts = [
            HostTiming(host.name, host.events, host.p95(_CLONE) or 0.0, host.p95(_DISPATCH) or 0.0)
            for host in self._hosts.values()
        ]
        hosts.sort(key=lambda host: (-host.ui_clone_p95, fold(host.host)))
        return SyncTimingReport(
            generated_at_utc=utc_text(now_ticks()),
            files_analyzed=list(files),
            event_count=self._all.events,
            global_stats=SyncStages(*(stats_of(values, field) for field, values in self._all.values.items())),
            site_breakdown=[
                SiteTiming(site.name, site.events, site.p95(_CLONE), site.p95(_DISPATCH), site.p95(_DIFF))
                for _, site in sorted(self._sites.items())
            ],
            host_breakdown_top=hosts[: self._top_hosts or None],
        )

    def stages(self) -> list[Stats]:
        """The stages that took time, in their order, each over those synchronisations in which it took any.

        The original's report tells of four durations, two of which only it has; these are all there are.
        """
        return [stats_of(values, stage) for stage, values in self._stages.items() if values]

    def host_stages(self) -> list[HostStages]:
        """All hosts by stage, that which took longest first; ties by host."""
        hosts = [HostStages(host.name, host.events, host.stages) for host in self._hosts.values()]
        return sorted(hosts, key=lambda host: (-host.total_ms, fold(host.host)))


def sync_timing(events: Iterable[WireEvent], *, top_hosts: int = 10, files: Sequence[str] = ()) -> SyncTimingReport:
    """The timing of the synchronisations among the events; see :class:`SyncTiming`."""
    timing = SyncTiming(top_hosts)
    analyze(events, timing)
    return timing.result(files)


class _Durations:
    """Durations by field, of everything, a site or a host."""

    def __init__(self, name: str, fields: Iterable[str]) -> None:
        self.name = name
        self.events = 0
        self.values = {field: array("d") for field in fields}
        self.stages: dict[str, float] = {}

    def add(self, durations: dict[str, int | float]) -> None:
        self.events += 1
        for field, values in self.values.items():
            if field in durations:
                values.append(durations[field])

    def p95(self, field: str) -> float | None:
        return stats_of(self.values[field], field, (95,)).p95


def _of(known: dict[str, _Durations], name: str, fields: Iterable[str]) -> _Durations:
    name = name or UNKNOWN
    found = known.get(fold(name))
    if found is None:
        found = known[fold(name)] = _Durations(name, fields)
    return found
