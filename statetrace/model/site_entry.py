"""A site in the cache: hosts, their ports, the rows; how entries are merged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec

from statetrace.model.interface import InterfaceRow
from statetrace.model.keys import CaseInsensitiveMap, frozen

HostPorts = CaseInsensitiveMap[InterfaceRow]
"""The rows of one host by port."""

_NO_HOSTS: CaseInsensitiveMap[HostPorts] = CaseInsensitiveMap()
_NO_PORTS: HostPorts = CaseInsensitiveMap()


class DatabaseState(msgspec.Struct, frozen=True):
    """Which database an entry stems from, and a mark that changes whenever that database does.

    Without a mark the database is known but not its state: no database is ever in such a state.

    Attributes:
        identity: the path, and which file lies there.
        mark: what the file system shows of the state, the same for all processes.
        commits: which process looked, and how many commits it has seen: what two commits within one tick of the file
            system's clock differ in.
    """

    identity: str
    mark: str = ""
    commits: str = ""

    def agrees(self, other: DatabaseState) -> bool:
        """Whether both are one state, as far as can be told: other processes count other commits.

        >>> here, there = DatabaseState("a", "1@5", "p.1"), DatabaseState("a", "1@5", "q.7")
        >>> here.agrees(there), here.agrees(DatabaseState("a", "1@5", "p.2"))
        (True, False)
        """
        if self == other:
            return bool(self.mark)
        same_look = self.identity == other.identity and self.mark == other.mark != ""
        return same_look and self.commits.partition(".")[0] != other.commits.partition(".")[0]


class SiteEntry(Mapping[str, HostPorts]):
    """The interface rows of one site: host → port → row. Immutable.

    Host and port names are found in any case. Two entries are equal when their hosts, ports and rows are; when and
    how they were made does not count.

    >>> row = InterfaceRow(status="up")
    >>> entry = SiteEntry({"WLLS-A01-AS-01": HostPorts({"Gi1/0/1": row})})
    >>> entry["wlls-a01-as-01"]["GI1/0/1"].status, entry.host_count, entry.total_rows
    ('up', 1, 1)

    Attributes:
        hosts: the map itself.
        host_count: number of hosts, those without ports included.
        total_rows: number of rows of all hosts.
        cached_at: when the entry was built or last changed; local time with offset, or ``None``.
        cache_status: ``Hydrated``, ``Refreshed``, … as the original words it, or ``None``.
        source: the state of the database that the rows were read from, or ``None`` when they came another way.
        fields: whatever else an entry carries under its wire name (``HydrationDurationMs`` …), read-only at any depth:
            lists are kept as tuples, mappings as ``CaseInsensitiveMap``.
    """

    __slots__ = ("cache_status", "cached_at", "fields", "host_count", "hosts", "source", "total_rows")

    hosts: CaseInsensitiveMap[HostPorts]
    host_count: int
    total_rows: int
    cached_at: datetime | None
    cache_status: str | None
    source: DatabaseState | None
    fields: Mapping[str, Any]

    def __init__(
        self,
        hosts: Mapping[str, HostPorts] = _NO_HOSTS,
        *,
        cached_at: datetime | None = None,
        cache_status: str | None = None,
        source: DatabaseState | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        hosts = hosts if isinstance(hosts, CaseInsensitiveMap) else CaseInsensitiveMap(hosts)
        for name, value in (
            ("hosts", hosts),
            ("host_count", len(hosts)),
            ("total_rows", sum(map(len, hosts.values()))),
            ("cached_at", cached_at),
            ("cache_status", cache_status),
            ("source", source),
            ("fields", MappingProxyType({field: frozen(value) for field, value in (fields or {}).items()})),
        ):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"SiteEntry is immutable; cannot set {name!r}")

    def __getitem__(self, host: str) -> HostPorts:
        return self.hosts[host]

    def __iter__(self) -> Iterator[str]:
        return iter(self.hosts)

    def __len__(self) -> int:
        return self.host_count

    def __contains__(self, host: object) -> bool:
        return host in self.hosts

    def __eq__(self, other: object) -> bool:
        return self.hosts == other.hosts if isinstance(other, SiteEntry) else NotImplemented

    def __hash__(self) -> int:
        raise TypeError("SiteEntry is not hashable")

    def __repr__(self) -> str:
        return f"<SiteEntry {self.host_count} hosts, {self.total_rows} rows, {self.cache_status or 'no status'}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.hosts, self.cached_at, self.cache_status, self.source, dict(self.fields))

    def evolve(self, **changes: Any) -> SiteEntry:
        """A copy with some attributes changed: ``hosts``, ``cached_at``, ``cache_status``, ``source`` or ``fields``."""
        if "hosts" in changes or "fields" in changes:
            kept = {name: getattr(self, name) for name in ("hosts", "cached_at", "cache_status", "source", "fields")}
            return SiteEntry(**{**kept, **changes})
        return _counted({name: getattr(self, name) for name in SiteEntry.__slots__} | changes)

    def may_take(self, other: SiteEntry) -> bool:
        """Whether rows of ``other`` may stand beside these: not if they are known to stem from another database."""
        return self.source is None or other.source is None or self.source.identity == other.source.identity

    def to_wire(self) -> dict[str, dict[str, dict[str, str]]]:
        """Host → port → the seventeen wire fields."""
        return {host: {port: row.to_wire() for port, row in ports.items()} for host, ports in self.hosts.items()}


def _restored(
    hosts: CaseInsensitiveMap[HostPorts],
    cached_at: datetime | None,
    cache_status: str | None,
    source: DatabaseState | None,
    fields: dict[str, Any],
) -> SiteEntry:
    return SiteEntry(hosts, cached_at=cached_at, cache_status=cache_status, source=source, fields=fields)


def _counted(attributes: Mapping[str, Any]) -> SiteEntry:
    """An entry whose rows need not be counted anew: this happens several times a host while a site is ingested."""
    entry = SiteEntry.__new__(SiteEntry)
    for name, value in attributes.items():
        object.__setattr__(entry, name, value)
    return entry


def merge_entries(existing: SiteEntry | None, incoming: SiteEntry) -> SiteEntry:
    """``existing`` overlaid by ``incoming`` (reference: site-cache 4.5).

    A host of ``incoming`` replaces the host's whole port map, one without ports removes it, hosts that ``incoming``
    does not name stay; of the other attributes those that ``incoming`` has win. Without ``existing``, ``incoming`` is
    taken as it is, empty hosts included; so it is when both are known to stem from different databases, which are
    never mixed. A mixture stems from a database state only if both parts stem from that state; else of its source
    only the database stays known.
    """
    if existing is None or not existing.may_take(incoming):
        return incoming
    hosts = existing.hosts.with_items((host, ports) for host, ports in incoming.hosts.items() if ports)
    emptied = [host for host, ports in incoming.hosts.items() if not ports]
    hosts = hosts.without(emptied) if emptied else hosts
    replaced = sum(len(existing.hosts.get(host, _NO_PORTS)) for host in incoming.hosts)
    return _counted(
        {
            "hosts": hosts,
            "host_count": len(hosts),
            "total_rows": existing.total_rows - replaced + incoming.total_rows,
            "cached_at": incoming.cached_at or existing.cached_at,
            "cache_status": incoming.cache_status or existing.cache_status,
            "source": _source_of_both(existing.source, incoming.source),
            "fields": MappingProxyType({**existing.fields, **incoming.fields}),
        }
    )


def _source_of_both(one: DatabaseState | None, other: DatabaseState | None) -> DatabaseState | None:
    known = one or other
    return known if known is None or one == other else DatabaseState(known.identity)
