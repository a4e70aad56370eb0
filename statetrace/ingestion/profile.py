"""How many hosts are ingested at the same time: the limits of a session, from its work, the machine and the settings.

Pure functions with the original's formulas (reference: ingestion-pipeline 5), so that the event
``ConcurrencyProfileResolved`` says the same for the same input.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import msgspec

from statetrace.repository.ports import DEFAULT_CHUNK_SIZE
from statetrace.settings import ParserSettings
from statetrace.telemetry import ConcurrencyProfileResolved

DEFAULT_STREAK_LIMIT = 8

_DEFAULT_CEILING = 8
_DEFAULT_JOBS_PER_THREAD = 2
_MOST_WORKERS_OF_ONLY_SITE, _MOST_WORKERS_PER_SITE = 4, 12
_MOST_JOBS_PER_THREAD = 4


class ConcurrencyLimits(msgspec.Struct, frozen=True):
    """Five numbers that bound what runs at the same time.

    Attributes:
        thread_ceiling: most threads.
        max_workers_per_site: most hosts of one site; 0 = no limit.
        max_active_sites: most sites; 0 = no limit.
        jobs_per_thread: queued jobs for which one more thread is worth while.
        min_runspaces: fewest threads.
    """

    thread_ceiling: int
    max_workers_per_site: int
    max_active_sites: int
    jobs_per_thread: int
    min_runspaces: int


class ConcurrencyOverrides(msgspec.Struct, frozen=True):
    """Numbers given for one session in place of those of the settings file; ``None`` = not given, 0 is a value."""

    thread_ceiling: int | None = None
    max_workers_per_site: int | None = None
    max_active_sites: int | None = None
    max_consecutive_site_launches: int | None = None
    jobs_per_thread: int | None = None
    min_runspaces: int | None = None

    @property
    def any_given(self) -> bool:
        """Whether at least one number is given."""
        return self != ConcurrencyOverrides()


NO_OVERRIDES = ConcurrencyOverrides()


class ConcurrencyProfile(msgspec.Struct, frozen=True):
    """The concurrency of a session, and how it came about.

    Attributes:
        limits: the numbers in force.
        hints: what settings and overrides asked of the autoscale: 0 where they say nothing, -1 for active sites.
        autoscale: what the autoscale answered, before the bounds of the machine and the sites; ``None`` without it.
        device_count: host slices of the session.
        site_count: distinct sites among them.
        max_consecutive_site_launches: launches of one site in a row while another could be launched; 0 = no limit.
        adaptive_threads: whether ``thread_budget`` is computed anew at every launch.
        autoscale_requested: the setting asks for the autoscale.
        autoscale_disabled: the caller forbids it.
        overrides: the numbers given for this session.
        chunk_size: rows per batch of ports for a reader.
        chunk_size_hint: the setting for it as text, if there is one.
    """

    limits: ConcurrencyLimits
    hints: ConcurrencyLimits
    autoscale: ConcurrencyLimits | None
    device_count: int
    site_count: int
    max_consecutive_site_launches: int
    adaptive_threads: bool
    autoscale_requested: bool
    autoscale_disabled: bool
    overrides: ConcurrencyOverrides
    chunk_size: int
    chunk_size_hint: str | None

    @property
    def autoscale_enabled(self) -> bool:
        """The setting asks for the autoscale, and the caller does not forbid it."""
        return self.autoscale_requested and not self.autoscale_disabled

    @property
    def decision_source(self) -> str:
        """``AutoScale`` if the autoscale answered, else ``Settings``."""
        return "Settings" if self.autoscale is None else "AutoScale"

    def event(self) -> ConcurrencyProfileResolved:
        """The profile as a session tells it, once."""
        profile: dict[str, Any] = {}
        if self.autoscale is not None:
            profile = {"profile_device_count": self.device_count, "profile_site_count": self.site_count}
            profile |= _prefixed("resolved", self.autoscale)
        return ConcurrencyProfileResolved(
            auto_scale_enabled=self.autoscale_enabled,
            auto_scale_requested=self.autoscale_requested,
            auto_scale_profile_requested=self.autoscale is not None,
            auto_scale_profile_disabled=self.autoscale_disabled,
            auto_scale_profile_resolved=self.autoscale is not None,
            device_count=self.device_count,
            site_count=self.site_count,
            **msgspec.structs.asdict(self.limits),
            max_consecutive_site_launches=self.max_consecutive_site_launches,
            resolved_max_consecutive_site_launches=self.max_consecutive_site_launches,
            adaptive_threads=self.adaptive_threads,
            manual_overrides=self.overrides.any_given,
            **_prefixed("hint", self.hints),
            **_prefixed("override", self.overrides),
            interface_bulk_chunk_size=self.chunk_size,
            hint_interface_bulk_chunk_size=self.chunk_size_hint,
            decision_source=self.decision_source,
            **profile,
        )


def resolve_profile(
    devices: int,
    sites: int,
    cpu_count: int,
    settings: ParserSettings,
    overrides: ConcurrencyOverrides = NO_OVERRIDES,
    *,
    autoscale_disabled: bool = False,
) -> ConcurrencyProfile:
    """The concurrency of a session; raises nothing, whatever the numbers are.

    Overrides go before settings, settings before defaults. The autoscale runs if the settings ask for it or if nothing
    at all is given; it takes what is given as a hint (reference: ingestion-pipeline 5.1 to 5.4).

    Args:
        devices: host slices to ingest.
        sites: distinct sites among them.
        cpu_count: processors of the machine, as the system counts them.
        settings: the settings file's part about ingestion.
        overrides: numbers given for this session.
        autoscale_disabled: never ask the autoscale.
    """
    devices, sites, cpu_count = max(0, devices), max(0, sites), max(1, cpu_count)
    # A number out of its range leaves the default in place, and yet counts as given.
    threads = _first_given(overrides.thread_ceiling, settings.max_runspace_ceiling)
    workers = _first_given(overrides.max_workers_per_site, settings.max_workers_per_site)
    active = _first_given(overrides.max_active_sites, settings.max_active_sites)
    jobs = _first_given(overrides.jobs_per_thread, settings.jobs_per_thread)
    fewest = _first_given(overrides.min_runspaces, settings.min_runspace_count)
    asked = ConcurrencyLimits(
        thread_ceiling=_at_least(1, threads, min(_DEFAULT_CEILING, cpu_count)),
        max_workers_per_site=_at_least(0, workers, 1),
        max_active_sites=_at_least(0, active, 1),
        jobs_per_thread=_at_least(0, jobs, _DEFAULT_JOBS_PER_THREAD),
        min_runspaces=_at_least(1, fewest, 1),
    )
    hints = ConcurrencyLimits(
        thread_ceiling=0 if threads is None else asked.thread_ceiling,
        max_workers_per_site=0 if workers is None else asked.max_workers_per_site,
        max_active_sites=-1 if active is None else asked.max_active_sites,
        jobs_per_thread=0 if jobs is None else asked.jobs_per_thread,
        min_runspaces=0 if fewest is None else asked.min_runspaces,
    )
    nothing_given = all(number is None for number in (threads, workers, active, jobs, fewest))
    autoscale = None
    if not autoscale_disabled and (settings.auto_scale_concurrency or nothing_given):
        autoscale = autoscale_limits(devices, sites, cpu_count, hints)
    chunk = settings.interface_bulk_chunk_size
    streak = _first_given(overrides.max_consecutive_site_launches, settings.max_consecutive_site_launches)
    return ConcurrencyProfile(
        limits=_clamped(autoscale or asked, sites, cpu_count),
        hints=hints,
        autoscale=autoscale,
        device_count=devices,
        site_count=sites,
        max_consecutive_site_launches=_at_least(0, streak, DEFAULT_STREAK_LIMIT),
        adaptive_threads=settings.enable_adaptive_threads,
        autoscale_requested=settings.auto_scale_concurrency,
        autoscale_disabled=autoscale_disabled,
        overrides=overrides,
        chunk_size=chunk if chunk is not None and chunk > 0 else DEFAULT_CHUNK_SIZE,
        chunk_size_hint=None if chunk is None else str(chunk),
    )


def autoscale_limits(devices: int, sites: int, cpu_count: int, hints: ConcurrencyLimits) -> ConcurrencyLimits:
    """The limits that fit the work and the machine (reference: ingestion-pipeline 5.2).

    A hint above 0 is taken as it is, but for the threads, which the work and the machine always bound; a hint of 0
    for the active sites is taken too and means no limit.

    >>> autoscale_limits(37, 2, 8, ConcurrencyLimits(0, 0, -1, 0, 0))
    ConcurrencyLimits(thread_ceiling=6, max_workers_per_site=3, max_active_sites=2, jobs_per_thread=4, min_runspaces=1)
    """
    sites = max(1, sites)
    threads = hints.thread_ceiling
    if threads <= 0:
        threads = ceil(0.75 * cpu_count)
        threads = min(threads, devices) if devices > 0 else threads
    threads = max(1, min(threads, 2 * cpu_count, max(1, devices)))
    workers = hints.max_workers_per_site
    if workers <= 0:
        workers = min(ceil(threads / sites), _MOST_WORKERS_PER_SITE if sites > 1 else _MOST_WORKERS_OF_ONLY_SITE)
    active = hints.max_active_sites
    if active != 0:
        active = min(sites, active if active > 0 else ceil(threads / workers))
    jobs = hints.jobs_per_thread
    if jobs <= 0:
        jobs = min(ceil(max(1, devices) / threads), _MOST_JOBS_PER_THREAD)
    fewest = hints.min_runspaces
    if not 0 < fewest <= threads:
        fewest = min(threads, ceil(sites / 2))
    return ConcurrencyLimits(threads, workers, active, jobs, fewest)


def thread_budget(
    limits: ConcurrencyLimits, *, active: int, queued: int, site_queues: int, cpu_count: int, adaptive: bool = True
) -> int:
    """How many threads may be at work now: a job is launched while fewer are (reference: ingestion-pipeline 5.5).

    Never fewer than are at work, and never more than the ceiling unless they are at work already.

    Args:
        limits: the limits in force.
        active: threads at work.
        queued: jobs not launched.
        site_queues: sites of the session, those without queued jobs too.
        cpu_count: processors of the machine.
        adaptive: ``False`` for always the ceiling.
    """
    fewest = max(1, limits.min_runspaces)
    most = max(fewest, limits.thread_ceiling)
    if not adaptive:
        return most
    active, queued = max(0, active), max(0, queued)
    workers, sites = max(0, limits.max_workers_per_site), max(0, limits.max_active_sites)
    desired = max(fewest, active + ceil(queued / max(1, limits.jobs_per_thread)))
    bound = min(most, max(fewest, 2 * max(1, cpu_count)))
    if sites > 0:
        bound = min(bound, max(fewest, sites * max(1, workers)))
    elif workers > 0 and site_queues > 0:
        bound = min(bound, max(fewest, site_queues * workers))
    return max(fewest, active, min(desired, bound))


def _first_given(override: int | None, setting: int | None) -> int | None:
    return setting if override is None else override


def _at_least(least: int, number: int | None, default: int) -> int:
    return default if number is None or number < least else number


def _clamped(limits: ConcurrencyLimits, sites: int, cpu_count: int) -> ConcurrencyLimits:
    """The limits within what the processors, and the sites with their workers, can use."""
    fewest, workers, active = limits.min_runspaces, limits.max_workers_per_site, limits.max_active_sites
    threads = min(max(fewest, limits.thread_ceiling), max(fewest, 2 * cpu_count))
    if active > 0:
        threads = min(threads, max(fewest, active * max(1, workers)))
    elif workers > 0:
        threads = min(threads, max(fewest, max(1, sites) * workers))
    return msgspec.structs.replace(limits, thread_ceiling=threads, jobs_per_thread=max(1, limits.jobs_per_thread))


def _prefixed(prefix: str, numbers: msgspec.Struct) -> dict[str, Any]:
    """The numbers that are given, as fields of the event."""
    fields = msgspec.structs.asdict(numbers)
    return {f"{prefix}_{name}": number for name, number in fields.items() if number is not None}
