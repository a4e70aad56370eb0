"""What persistence knows when a host is synchronised, part by part; ``InterfaceSyncTiming`` is made of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import islice
from typing import Self

import msgspec

from statetrace.model import HostPorts, SiteEntry
from statetrace.telemetry.metrics_event import CandidateMissingSample, InterfaceSiteCacheMetrics
from statetrace.telemetry.write_events import InterfaceBulkInsertTiming

PORT_MAP_TYPE = "HostPorts"
"""Stands in fields that named the .NET type of a host's port map."""
ROW_TYPE = "InterfaceRow"
"""Stands in fields that named the .NET type of a row."""
NO_PREVIOUS_SNAPSHOT = "CacheEntryMissing"
"""Status of the previous snapshot when the call read no site."""

_SAMPLES = 5


def _sample(names: Iterable[str]) -> str:
    return "|".join(islice(names, _SAMPLES))


class ResolveContext(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One look-up of a host in a site entry (reference: parser-persistence 10).

    Attributes:
        status: how it ended: ``NotAttempted``, ``SkippedEmpty``, ``SharedStoreMatch``, ``ExactMatch``, ``NotFound``, …
        host_count: hosts of the entry looked at.
        matched_key: the host as the entry spells it, empty when it is absent.
        keys_sample: the first five hosts of the entry, joined by ``|``.
        cache_age_ms: milliseconds since the entry was made, ``None`` when that is not known.
        cached_at: local time with offset at which it was made, empty when that is not known.
        entry_type: stable type name, empty when the host is absent.
        port_count: rows of the host.
        port_keys_sample: its first five ports, joined by ``|``.
        port_signature_sample: the signatures of its first five rows, joined by ``|``.
        port_signature_missing_count: rows without a signature; none of ours lacks it.
        port_signature_empty_count: rows with an empty signature; none of ours has that.
    """

    status: str = "NotAttempted"
    host_count: int = 0
    matched_key: str = ""
    keys_sample: str = ""
    cache_age_ms: float | None = None
    cached_at: str = ""
    entry_type: str = ""
    port_count: int = 0
    port_keys_sample: str = ""
    port_signature_sample: str = ""
    port_signature_missing_count: int = 0
    port_signature_empty_count: int = 0

    @classmethod
    def of(cls, status: str, entry: SiteEntry, host: str) -> Self:
        """A look-up of ``host`` in ``entry`` just now. ``NotFound`` replaces the status when it is not there."""
        age: float | None = None
        cached_at = ""
        if entry.cached_at is not None:
            cached_at = _round_trip(entry.cached_at)
            age = round((datetime.now().astimezone() - entry.cached_at.astimezone()).total_seconds() * 1000, 3)
        spelling = entry.hosts.spelling(host)
        ports = HostPorts() if spelling is None else entry.hosts[spelling]
        return cls(
            status="NotFound" if spelling is None else status,
            host_count=entry.host_count,
            matched_key=spelling or "",
            keys_sample=_sample(entry),
            cache_age_ms=age,
            cached_at=cached_at,
            entry_type="" if spelling is None else PORT_MAP_TYPE,
            port_count=len(ports),
            port_keys_sample=_sample(ports),
            port_signature_sample=_sample(row.signature for row in ports.values()),
        )


def _round_trip(moment: datetime) -> str:
    """Local time with offset and seven fraction digits."""
    text = moment.astimezone().isoformat(timespec="microseconds")
    return f"{text[:26]}0{text[26:]}"


class TemplateApplySample(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", gc=False):
    """One row that got colour or status from its auth template.

    Attributes:
        port: port of the row.
        auth_template: its template.
        reason: ``TemplateMatched``, ``NoAuthTemplate``, ``TemplateNotFound`` or ``Unknown``.
        hint_source: ``Lookup``, ``Cache`` or ``None``.
        port_color_set: the colour came from the template.
        config_status_set: the status came from the template.
    """

    port: str
    auth_template: str
    reason: str = "TemplateMatched"
    hint_source: str = "Lookup"
    port_color_set: bool = True
    config_status_set: bool = True


class TemplateUse(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the rows of a site took from the auth templates while they were read (reference: telemetry-events S31, S32).

    Attributes:
        reuse_count: rows that kept colour and status of the cached row.
        apply_count: rows that needed colour or status: ``hint_applied_count`` + ``defaulted_count``.
        defaulted_count: of them those that got defaults: the sum of the next two.
        auth_template_missing_count: because they follow no template.
        no_template_match_count: because the vendor has no such template.
        hint_applied_count: of them those whose template is known.
        set_port_color_count: rows whose colour was set.
        set_config_status_count: rows whose status was set.
        apply_samples: the first twenty of ``apply_count``.
    """

    reuse_count: int = 0
    apply_count: int = 0
    defaulted_count: int = 0
    auth_template_missing_count: int = 0
    no_template_match_count: int = 0
    hint_applied_count: int = 0
    set_port_color_count: int = 0
    set_config_status_count: int = 0
    apply_samples: tuple[TemplateApplySample, ...] = ()


class SiteLookup(msgspec.Struct, frozen=True, kw_only=True):
    """How the site cache was asked for a host and what that took (reference: parser-persistence 9.4).

    Attributes:
        status: ``SharedOnly``, ``Hit``, ``Hydrated``, ``Refreshed``, ``SkippedEmpty``, ``Disabled`` or ``Miss``.
        provider: who supplied the existing rows: ``SharedCache``, ``Cache``, ``Hydrated``, ``Refreshed``, ``Database``.
        reason: ``SharedCacheMatch``, ``AccessCacheHit``, ``SiteExistingCache``, ``AccessHydrate``, ``AccessRefresh``,
            ``SkipSiteCacheUpdate``, ``SharedCacheUnavailable`` or ``DatabaseQueryFallback``.
        duration_ms: all look-ups and reads that led to the existing rows.
        refresh_duration_ms: part of it: reading the site anew; 0 unless it was.
        refresh_forced: it was, because the settings ask for that.
        site_row_count: rows of the site entry that was looked at.
        initial: the first look-up.
        refresh: the look-up after the site was read, or the second one.
        metrics: the read of the site within this call, ``None`` without one; never one of another call.
        template_use: what that read took from the templates.
        unique_port_count: distinct port names that it saw.
    """

    status: str
    provider: str
    reason: str
    duration_ms: float = 0.0
    refresh_duration_ms: float = 0.0
    refresh_forced: bool = False
    site_row_count: int = 0
    initial: ResolveContext = ResolveContext()
    refresh: ResolveContext = ResolveContext()
    metrics: InterfaceSiteCacheMetrics | None = None
    template_use: TemplateUse = TemplateUse()
    unique_port_count: int = 0


class LoadedRows(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The rows that a host had before, and where they came from.

    Attributes:
        source: ``DatabaseQuery`` (read for this host), ``CacheInitial`` or ``CacheRefresh`` (of the site entry), or
            ``SiteExistingCache`` (kept for the host).
        row_count: how many.
        keys_sample: the first five ports, joined by ``|``.
        load_duration_ms: getting them, from the site entry or by the query.
        signature_duration_ms: computing their signatures, where that was needed.
    """

    source: str
    row_count: int = 0
    keys_sample: str = ""
    load_duration_ms: float = 0.0
    signature_duration_ms: float = 0.0

    @classmethod
    def of(
        cls, source: str, ports: Collection[str], *, load_duration_ms: float = 0.0, signature_duration_ms: float = 0.0
    ) -> Self:
        """The existing rows of these ports."""
        return cls(
            source=source,
            row_count=len(ports),
            keys_sample=_sample(ports),
            load_duration_ms=load_duration_ms,
            signature_duration_ms=signature_duration_ms,
        )

    @property
    def from_cache(self) -> bool:
        """They came from a cache, and not by a query for the host."""
        return self.source != "DatabaseQuery"

    @property
    def value_type(self) -> str:
        """Stable type name of a row, empty without rows."""
        return ROW_TYPE if self.row_count else ""


class RowDiff(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How the rows of a log compare with the existing ones.

    Attributes:
        unchanged: ports whose row stays.
        changed: ports whose row is updated.
        changed_sample: the first five of them, joined by ``|``.
        inserted: ports that are new.
        obsolete: existing ports that the log does not have any more.
        duplicate_ports: rows of the log that were left out because another one names the same port.
        signature_missing: compared existing rows that had no signature yet.
        duration_ms: the whole comparison.
        comparison_duration_ms: part of it: comparing rows.
        signature_duration_ms: part of it: computing signatures.
    """

    unchanged: int = 0
    changed: int = 0
    changed_sample: str = ""
    inserted: int = 0
    obsolete: int = 0
    duplicate_ports: int = 0
    signature_missing: int = 0
    duration_ms: float = 0.0
    comparison_duration_ms: float = 0.0
    signature_duration_ms: float = 0.0


class RowWrite(msgspec.Struct, frozen=True, kw_only=True):
    """How the difference was written, and the cached site after it.

    Attributes:
        bulk: the batch, ``None`` when there was nothing to insert or update.
        index_ensure_duration_ms: making sure that the tables have their indexes.
        delete_duration_ms: deleting obsolete rows.
        fallback_duration_ms: writing row by row because the batch failed; ``None`` unless that was done.
        cache_update_duration_ms: putting the final rows into the cached site; 0 when they were not.
    """

    bulk: InterfaceBulkInsertTiming | None = None
    index_ensure_duration_ms: float = 0.0
    delete_duration_ms: float = 0.0
    fallback_duration_ms: float | None = None
    cache_update_duration_ms: float = 0.0


class ParserMissingSample(CandidateMissingSample, frozen=True, kw_only=True, rename="pascal", gc=False):
    """A row for which the previous entry had nothing, and how the host stood that was being written.

    Attributes:
        parser_resolve_initial_status: status of the first look-up of the host.
        parser_existing_row_count: its existing rows.
        parser_existing_row_keys_sample: their first ports; absent without rows.
        parser_existing_row_value_type: stable type name; absent without rows.
        parser_existing_row_source: where they came from.
        parser_load_cache_hit: they came from a cache.
        parser_load_cache_miss: they came from the database.
        parser_load_cache_refreshed: the site was read anew.
    """

    parser_resolve_initial_status: str
    parser_existing_row_count: int
    parser_existing_row_keys_sample: str | msgspec.UnsetType = msgspec.UNSET
    parser_existing_row_value_type: str | msgspec.UnsetType = msgspec.UNSET
    parser_existing_row_source: str
    parser_load_cache_hit: bool
    parser_load_cache_miss: bool
    parser_load_cache_refreshed: bool
