"""Events of a parse session and its jobs: concurrency resolved, job launched, log skipped, parsed or failed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self

from msgspec import UNSET, UnsetType

from statetrace.telemetry.events import Event


class ConcurrencyProfileResolved(Event, frozen=True, kw_only=True):
    """How much a session may do at once, and why; once per session (reference: ingestion-pipeline 5.6).

    ``hint_*`` are the settings the decision started from, ``override_*`` the parameters given explicitly and absent
    where none was, ``resolved_*`` and ``profile_*`` what the auto-scale profile said before the bounds of processors
    and sites, absent without a profile.

    Attributes:
        auto_scale_enabled: the setting, unless it was disabled for this session.
        auto_scale_requested: the setting.
        auto_scale_profile_requested: a profile was asked for.
        auto_scale_profile_disabled: profiles were disabled for this session.
        auto_scale_profile_resolved: a profile was found.
        device_count: device logs to parse.
        site_count: distinct sites among them.
        thread_ceiling: workers at most.
        max_workers_per_site: workers on one site at most.
        max_active_sites: sites at a time at most, 0 for any number.
        max_consecutive_site_launches: jobs of one site in a row at most, 0 for any number.
        jobs_per_thread: jobs that justify one more worker.
        min_runspaces: workers at least.
        adaptive_threads: the number of workers follows the queue.
        manual_overrides: any ``override_*`` is present.
        hint_interface_bulk_chunk_size: the setting as text, ``None`` without one.
        interface_bulk_chunk_size: rows of a port batch.
        decision_source: ``AutoScale`` with a profile, else ``Settings``.
        resolved_max_consecutive_site_launches: always there; equal to ``max_consecutive_site_launches``.
    """

    auto_scale_enabled: bool
    auto_scale_requested: bool
    auto_scale_profile_requested: bool
    auto_scale_profile_disabled: bool
    auto_scale_profile_resolved: bool
    device_count: int
    site_count: int
    thread_ceiling: int
    max_workers_per_site: int
    max_active_sites: int
    max_consecutive_site_launches: int
    jobs_per_thread: int
    min_runspaces: int
    adaptive_threads: bool
    manual_overrides: bool
    hint_thread_ceiling: int
    hint_max_workers_per_site: int
    hint_max_active_sites: int
    hint_jobs_per_thread: int
    hint_min_runspaces: int
    hint_interface_bulk_chunk_size: str | None = None
    interface_bulk_chunk_size: int
    override_thread_ceiling: int | UnsetType = UNSET
    override_max_workers_per_site: int | UnsetType = UNSET
    override_max_active_sites: int | UnsetType = UNSET
    override_max_consecutive_site_launches: int | UnsetType = UNSET
    override_jobs_per_thread: int | UnsetType = UNSET
    override_min_runspaces: int | UnsetType = UNSET
    decision_source: str
    resolved_thread_ceiling: int | UnsetType = UNSET
    resolved_max_workers_per_site: int | UnsetType = UNSET
    resolved_max_active_sites: int | UnsetType = UNSET
    resolved_jobs_per_thread: int | UnsetType = UNSET
    resolved_min_runspaces: int | UnsetType = UNSET
    profile_device_count: int | UnsetType = UNSET
    profile_site_count: int | UnsetType = UNSET
    resolved_max_consecutive_site_launches: int


class ConcurrencyOverrideSummary(Event, frozen=True, kw_only=True):
    """Which concurrency limits a run was given, and which settings were put back after it.

    Every field but the source is absent where nothing was given or put back (reference: ingestion-pipeline 4.5).

    Attributes:
        thread_ceiling_override: parameter of the run; so are the other ``*_override``.
        settings_max_runspace_ceiling: the value found in the settings before it was put back; so are the other
            ``settings_*``.
        settings_reset_applied: the settings file was changed; absent when no setting was involved.
        source: who tells it.
    """

    thread_ceiling_override: int | UnsetType = UNSET
    max_workers_per_site_override: int | UnsetType = UNSET
    max_active_sites_override: int | UnsetType = UNSET
    max_consecutive_site_launches_override: int | UnsetType = UNSET
    jobs_per_thread_override: int | UnsetType = UNSET
    min_runspaces_override: int | UnsetType = UNSET
    settings_max_runspace_ceiling: int | UnsetType = UNSET
    settings_max_workers_per_site: int | UnsetType = UNSET
    settings_max_active_sites: int | UnsetType = UNSET
    settings_jobs_per_thread: int | UnsetType = UNSET
    settings_min_runspace_count: int | UnsetType = UNSET
    settings_reset_applied: bool | UnsetType = UNSET
    source: str = "StateTracePipeline"


class ParserSchedulerLaunch(Event, frozen=True, kw_only=True):
    """A job left its queue and was handed to a worker; once per job (reference: telemetry-events 4.20).

    Attributes:
        site: site of the job.
        active_workers: workers that run now, this one included; 1 without a pool.
        active_sites: distinct sites they work on; 1 without a pool.
        thread_budget: workers allowed at this moment.
        queued_jobs: jobs of all sites still waiting.
        queued_sites: sites that still have waiting jobs.
        no_other_site: the site has had as many launches in a row as it may, and none of the others that wait can be
            launched: they are at work. The original does not tell this.
    """

    site: str
    active_workers: int
    active_sites: int
    thread_budget: int
    queued_jobs: int
    queued_sites: int
    no_other_site: bool = False


class SkippedDuplicate(Event, frozen=True, kw_only=True):
    """A log that was ingested before was left alone (reference: telemetry-events 4.7).

    Attributes:
        hostname: stem of the log's file name.
        site: site in the record of the earlier ingestion.
        reason: always ``HashMatch``.
        file_hash: SHA-256 of the log, 64 lower-case hexadecimal digits.
        source_length: bytes of the log; absent when not known.
        last_ingested_utc: when it was ingested, UTC as :func:`utc_text` writes it; absent when not known.
    """

    hostname: str
    site: str
    reason: str = "HashMatch"
    file_hash: str | UnsetType = UNSET
    source_length: int | UnsetType = UNSET
    last_ingested_utc: str | UnsetType = UNSET


class ParseDuration(Event, frozen=True, kw_only=True):
    """One log was worked on from beginning to end, with or without success (reference: telemetry-events 4.5).

    Attributes:
        hostname: host name in the log, else the stem of its file name.
        site: site key.
        start_time: when the work began, UTC as :func:`utc_text` writes it.
        duration_seconds: seconds of the whole work on the log, three decimals.
        success: the host's transaction was committed.
        file_name: name of the log file without its folder.
    """

    hostname: str
    site: str
    start_time: str
    duration_seconds: float
    success: bool
    file_name: str


class InterfacePersistenceFailure(Event, frozen=True, kw_only=True):
    """What a host's log said could not be stored; nothing of it was (reference: parser-persistence 11.8).

    Attributes:
        stage: where it failed.
        hostname: host name.
        exception_message: text of the error.
        exception_type: full name of its class, module included.
        database_path: the database, absent when none was chosen.
        provider: kind of the database, absent likewise.
    """

    stage: str = "DeviceLogParserUnhandled"
    hostname: str
    exception_message: str
    exception_type: str
    database_path: str | UnsetType = UNSET
    provider: str | UnsetType = UNSET

    @classmethod
    def of(cls, hostname: str, error: BaseException, *, database_path: str = "", provider: str = "") -> Self:
        """The failure that ``error`` tells of.

        >>> InterfacePersistenceFailure.of("WLLS-A01-AS-01", TimeoutError("locked")).exception_type
        'builtins.TimeoutError'
        """
        kind = type(error)
        return cls(
            hostname=hostname,
            exception_message=str(error),
            exception_type=f"{kind.__module__}.{kind.__qualname__}",
            database_path=database_path or UNSET,
            provider=provider or UNSET,
        )


def utc_text(epoch_ns: int) -> str:
    """A moment as UTC text with seven fraction digits, which rounds down; ``""`` for one beyond the calendar.

    Reference: telemetry-events 2.2.

    >>> utc_text(1_764_976_915_445_081_099)
    '2025-12-05T23:21:55.4450810Z'
    """
    seconds, nanoseconds = divmod(epoch_ns, 1_000_000_000)
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return ""
    return f"{moment.replace(tzinfo=None).isoformat()}.{nanoseconds // 100:07}Z"
