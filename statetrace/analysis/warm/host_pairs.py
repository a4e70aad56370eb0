"""The hosts of a warm run, one by one: what the rows of each pass tell of a host.

Rows that tell of a read of a site are ascribed to a host that was cached before, which need not be the one that the
site was read for. So a host's provider is that of its own events, or the one that the reason in them stands for
(reference: warm-run-and-gates 2.6).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec

from statetrace.analysis.events import UNKNOWN
from statetrace.analysis.warm.host_lists import hosts_in
from statetrace.analysis.warm.provider_counts import is_hit, provider_of_reason
from statetrace.analysis.warm.warm_rows import WarmRunRow
from statetrace.model import fold


class PassHost(msgspec.Struct, frozen=True, rename="pascal"):
    """One host in one pass; ``None`` for what nothing tells.

    Attributes:
        interface_call_duration_ms: what writing its interfaces took, looking up its existing rows included.
        provider: where its existing rows came from; ``Unknown`` if that is not told.
        reason: why they came from there.
        rows_compared: rows of its log that were compared with existing ones.
        rows_changed: rows that were found new, changed or gone, or were written all the same.
        matched: whether every row was found as it was. What nothing tells of is not.
    """

    interface_call_duration_ms: float | None
    provider: str
    reason: str | None
    rows_compared: int | None
    rows_changed: int | None
    matched: bool

    @property
    def hit(self) -> bool:
        """Whether its rows came from a cache that was filled before."""
        return is_hit(self.provider)


class HostPair(msgspec.Struct, frozen=True, rename="pascal"):
    """One host in both passes; ``None`` for a pass that it was not in.

    Attributes:
        site: ``""`` if no row names it.
        host: as it is spelled first.
    """

    site: str
    host: str
    cold: PassHost | None
    warm: PassHost | None


def pair_hosts(
    cold: Sequence[WarmRunRow], warm: Sequence[WarmRunRow], hosts: Collection[str] = ()
) -> tuple[HostPair, ...]:
    """The hosts of both passes, by site and name.

    Args:
        cold: rows of the cold pass.
        warm: of the warm one.
        hosts: limits it to these; by default all.
    """
    wanted = {fold(host) for host in hosts}
    passes = [_rows_by_host(rows) for rows in (cold, warm)]
    names: dict[str, str] = {}
    sites: dict[str, str] = {}
    for found in passes:
        for key, (name, rows) in found.items():
            names.setdefault(key, name)
            sites[key] = sites.get(key) or next((row.site for row in rows if row.site), "")
    pairs = (
        HostPair(sites[key], name, *(_pass_host(found[key][1]) if key in found else None for found in passes))
        for key, name in names.items()
        if not wanted or key in wanted
    )
    return tuple(sorted(pairs, key=lambda pair: (fold(pair.site), fold(pair.host))))


def _rows_by_host(rows: Sequence[WarmRunRow]) -> dict[str, tuple[str, list[WarmRunRow]]]:
    """Host → its spelling and the rows that tell of it.

    Where hosts of a site have events of their own, hosts that only a read of the site names were not in the pass.
    """
    told = {fold(row.site or "") for row in rows if _of_host(row)}
    found: dict[str, tuple[str, list[WarmRunRow]]] = {}
    for row in rows:
        if not _of_host(row) and fold(row.site or "") in told:
            continue
        for host in hosts_in(row.hostname):
            found.setdefault(fold(host), (host, []))[1].append(row)
    return found


def _own(row: WarmRunRow) -> bool:
    """Whether the row is a host's and of no read of a site."""
    return row.hydration_duration_ms is None


def _of_host(row: WarmRunRow) -> bool:
    """Whether the row has something from a host's own events."""
    return bool(row.hostname) and (
        _own(row) or row.interface_call_duration_ms is not None or row.load_cache_hit is not None
    )


def _pass_host(rows: Sequence[WarmRunRow]) -> PassHost:
    compared = _first(row.diff_rows_compared for row in rows)
    changed = _first(
        rows_changed(
            (row.diff_rows_changed, row.diff_rows_inserted),
            (row.update_candidates, row.insert_candidates),
            (row.rows_staged,),
            deleted=row.delete_candidates,
        )
        for row in rows
    )
    if compared is None:
        # Exports of old tell no more than how the site's rows compared with what was cached.
        matched = changed in (None, 0) and any((row.host_map_signature_match_count or 0) > 0 for row in rows)
    else:
        matched = changed == 0
    reason = _first(row.site_cache_provider_reason for row in rows)
    return PassHost(
        interface_call_duration_ms=_first(row.interface_call_duration_ms for row in rows),
        provider=_provider(rows, reason),
        reason=reason,
        rows_compared=compared,
        rows_changed=changed,
        matched=matched,
    )


def _provider(rows: Sequence[WarmRunRow], reason: str | None) -> str:
    own = [row.provider for row in rows if _own(row)]
    if own:
        return own[0] or UNKNOWN
    if any(map(_of_host, rows)) and (provider := provider_of_reason(reason)):
        return provider
    providers = [row.provider or UNKNOWN for row in rows]
    return next((provider for provider in providers if not is_hit(provider)), providers[0])


def rows_changed(*counts: tuple[int | None, ...], deleted: int | None) -> int | None:
    """How many rows of a host changed; ``None`` if nothing tells.

    >>> rows_changed((2, 1), (None, None), (3,), deleted=1)
    4

    Args:
        counts: the parts of the same number, counted in several ways: what the diff found, what was to be written. The
            largest holds.
        deleted: rows that are gone.
    """
    told = [sum(part or 0 for part in parts) for parts in counts if any(part is not None for part in parts)]
    return max(told) + (deleted or 0) if told else deleted


def _first(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)
