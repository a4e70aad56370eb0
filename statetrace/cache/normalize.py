"""Normalisation: a site entry from any shape in which the cache, a snapshot or another program may hold one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from statetrace.cache.clixml import ClixmlObject
from statetrace.cache.clixml.values import parse_date_time
from statetrace.errors import CacheEntryInvalid
from statetrace.model.interface import WIRE_FIELDS, InterfaceRow, row_from_fields, row_from_wire
from statetrace.model.keys import CaseInsensitiveMap
from statetrace.model.site_entry import HostPorts, SiteEntry

_HOST_MAP = "hostmap"
_RECOMPUTED = frozenset({_HOST_MAP, "hostcount", "totalrows"})
_PORT_MEMBERS = ("port", "portid", "portname")
_ONLY_TEXT = {str}


class Skipped(msgspec.Struct, frozen=True):
    """Something that was not taken over, and why.

    Attributes:
        reason: why.
        site: the site it belonged to; ``""`` where that is not known. So also ``host`` and ``port``.
        lost: whether something goes with it; nothing does with a null row, or with a blank name that holds nothing.
        line: the line of the document on which the innermost object around it begins; 0 where that is not known.
    """

    reason: str
    site: str = ""
    host: str = ""
    port: str = ""
    lost: bool = True
    line: int = 0

    def __str__(self) -> str:
        where = ", ".join(
            f"{kind} {name!r}" for kind, name in (("site", self.site), ("host", self.host), ("port", self.port)) if name
        )
        return f"{where}: {self.reason}" if where else self.reason


def normalize_site_entry(value: object, *, skipped: list[Skipped] | None = None) -> SiteEntry | None:
    """The site entry that ``value`` stands for (reference: site-cache 4.2, clixml-snapshots 3.3).

    Known shapes: a mapping with a host map under ``HostMap`` in any case; a mapping without one, which then is the
    host map itself; an object with attributes or the properties of a snapshot's object, in which a missing ``HostMap``
    means no hosts. A host map maps hosts to ports to rows; instead of a mapping it may be a list of ``Key`` and
    ``Value`` pairs, and a host's rows may be a list whose rows name their port as ``Port``, ``PortId`` or
    ``PortName``. Rows have any subset of the wire fields or their aliases. A ``SiteEntry`` is returned as it is.

    Keys are trimmed, of several spellings of a key the last value wins, counts are computed. ``CachedAt`` and
    ``CacheStatus`` become attributes, all other members are carried along in ``fields``, as copies that cannot change.

    Args:
        value: the entry; ``None``, ``False``, ``""`` and ``[]`` stand for none.
        skipped: receives what is left out: blank keys, null rows, and rows that cannot be understood. A value known
            by its text only, such as a row cut off by the depth of an export, is none of those that can.

    Returns:
        The entry, or ``None`` when there is none.

    Raises:
        CacheEntryInvalid: nonsense in the place of an entry, a host map or a host's rows; the message says where.

    >>> entry = normalize_site_entry({"WLLS-A01-AS-01": {" Gi1/0/1 ": {"VLAN": 42, "LearnedMACs": ["aa", "", "bb"]}}})
    >>> row = entry["wlls-a01-as-01"]["GI1/0/1"]
    >>> row.vlan, row.learned_macs, row.port_sort
    ('42', 'aa,bb', '40-GI-00001-00000-00001-00000')
    """
    if isinstance(value, SiteEntry):
        return value
    skipped = [] if skipped is None else skipped
    value = _unwrapped(value)
    if value is None or value is False or (isinstance(value, str | list | tuple) and not value):
        return None
    if isinstance(value, Mapping):
        if not any(isinstance(name, str) and name.strip().casefold() == _HOST_MAP for name in value):
            return SiteEntry(_hosts(value, skipped))
        members: Mapping[Any, Any] = value
    else:
        attributes = _members(value)
        if attributes is None:
            raise CacheEntryInvalid(f"{_described(value)} is no site entry")
        members = attributes
    return _entry(members, skipped)


def _entry(members: Mapping[Any, Any], skipped: list[Skipped]) -> SiteEntry:
    host_map: Any = None
    fields: dict[str, Any] = {}
    for key, value in members.items():
        name = _key(key)
        folded = name.casefold()
        if folded == _HOST_MAP:
            host_map = value
        elif name and folded not in _RECOMPUTED:
            fields[name] = _carried(value)
    cached_at = cache_status = None
    for name in list(fields):
        if name.casefold() == "cachedat":
            cached_at = _date_time(fields[name])
            if cached_at is not None or fields[name] is None:
                del fields[name]
        elif name.casefold() == "cachestatus":
            status = fields.pop(name)
            cache_status = None if status is None else str(status)
    return SiteEntry(_hosts(host_map, skipped), cached_at=cached_at, cache_status=cache_status, fields=fields)


def _hosts(value: Any, skipped: list[Skipped]) -> CaseInsensitiveMap[HostPorts]:
    value = _unwrapped(value)
    if value is None:
        return CaseInsensitiveMap()
    pairs = _pairs(value)
    if pairs is None:
        raise CacheEntryInvalid(f"HostMap holds {_described(value)} where hosts are expected")
    hosts = []
    for key, held in pairs:
        host = _key(key)
        if host:
            hosts.append((host, _ports(host, held, skipped)))
        else:
            skipped.append(Skipped("host without a name", lost=bool(_unwrapped(held)), line=_line(held)))
    return CaseInsensitiveMap(hosts)


def _ports(host: str, held_by_host: Any, skipped: list[Skipped]) -> HostPorts:
    value, line = _unwrapped(held_by_host), _line(held_by_host)
    if value is None:
        return HostPorts()
    pairs = _pairs(value)
    if pairs is None and isinstance(value, list | tuple):
        pairs = _rows_by_port(host, value, line, skipped)
    if pairs is None:
        raise CacheEntryInvalid(f"host {host!r} holds {_described(value)} where ports are expected")
    ports = []
    for key, held in pairs:
        port = _key(key)
        if not port:
            skipped.append(Skipped("port without a name", host=host, lost=held is not None, line=_line(held) or line))
        elif held is None:
            skipped.append(Skipped("the row is null", host=host, port=port, lost=False, line=line))
        else:
            try:
                ports.append((port, _row(port, held)))
            except TypeError as error:
                skipped.append(Skipped(str(error), host=host, port=port, line=_line(held) or line))
    return HostPorts(ports)


def _rows_by_port(
    host: str, rows: Sequence[Any], line: int, skipped: list[Skipped]
) -> Iterator[tuple[str, Any]] | None:
    """The rows of a list with the port that each names itself, or ``None`` when none of them is a row.

    ``line`` is that of the list.
    """
    known = [_members(_unwrapped(row)) for row in rows]
    if all(members is None for members in known):
        return None

    def pairs() -> Iterator[tuple[str, Any]]:
        for position, (row, members) in enumerate(zip(rows, known, strict=True), 1):
            at = _line(row) or line
            if members is None:
                reason = f"item {position} of the list of rows is no row"
                skipped.append(Skipped(reason, host=host, lost=row is not None, line=at))
                continue
            by_name = {_key(name).casefold(): value for name, value in members.items()}
            port = next((key for name in _PORT_MEMBERS if (key := _key(by_name.get(name)))), "")
            if port:
                yield port, members
            else:
                skipped.append(Skipped(f"row {position} of the list names no port", host=host, line=at))

    return pairs()


def _row(port: str, value: Any) -> InterfaceRow:
    if isinstance(value, InterfaceRow):
        return value
    value = _unwrapped(value)
    members = _members(value)
    if members is None:
        raise TypeError(f"{_described(value)} is no row")
    if tuple(members) == WIRE_FIELDS:
        values = tuple(members.values())
        if set(map(type, values)) == _ONLY_TEXT:
            return row_from_wire(port, values)
    return row_from_fields(port, {_key(name): _plain(held) for name, held in members.items()})


def _pairs(value: Any) -> Iterable[tuple[Any, Any]] | None:
    """The keys and values of a mapping, of an object's members, or of a list of pairs; ``None`` for anything else."""
    if isinstance(value, list | tuple):
        items = [_pair(item) for item in value]
        pairs = [item for item in items if item is not None]
        return pairs if len(pairs) == len(items) else None
    members = _members(value)
    return None if members is None else members.items()


def _pair(item: Any) -> tuple[Any, Any] | None:
    members = _members(_unwrapped(item))
    if members is None or isinstance(item, InterfaceRow):
        return None
    by_name = {_key(name).casefold(): value for name, value in members.items()}
    return (by_name["key"], by_name["value"]) if by_name.keys() == {"key", "value"} else None


def _unwrapped(value: Any) -> Any:
    """The dictionary or list that an object of a snapshot is made of, else the object itself."""
    return value.value if isinstance(value, ClixmlObject) and value.value is not None else value


def _line(value: Any) -> int:
    return value.line if isinstance(value, ClixmlObject) else 0


def _members(value: Any) -> Mapping[Any, Any] | None:
    """The named values that a mapping or an object has, or ``None`` for a plain value."""
    if isinstance(value, ClixmlObject):
        # An object of which only its text is left was cut off by the depth of the export.
        return value.properties if value.properties or value.text is None else None
    if isinstance(value, Mapping):
        return value
    if value is None or isinstance(value, str | bytes | int | float | list | tuple | set | type) or callable(value):
        return None
    if isinstance(value, InterfaceRow):
        return value.to_wire()
    names = [*getattr(type(value), "__slots__", ()), *getattr(value, "__dict__", ())]
    if not names and not hasattr(value, "__dict__"):
        return None
    return {name: getattr(value, name) for name in names if not name.startswith("_") and hasattr(value, name)}


def _plain(value: Any) -> Any:
    """What a field of a row holds, without the wrapping of a snapshot's objects; an object with nothing is null."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if not isinstance(value, ClixmlObject):
        return value
    if value.value is not None:
        return _plain(value.value)
    return value.properties or None if value.text is None else value.text


def _carried(value: Any) -> Any:
    """A field that is carried along, as plain mappings, lists and values; the entry makes copies of its own of them."""
    value = _unwrapped(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_carried(item) for item in value]
    members = _members(value) if isinstance(value, ClixmlObject | Mapping) else None
    return value if members is None else {_key(name): _carried(held) for name, held in members.items()}


def _date_time(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    try:
        return parse_date_time(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _key(value: Any) -> str:
    return value.strip() if type(value) is str else "" if value is None else str(value).strip()


def _described(value: Any) -> str:
    if isinstance(value, ClixmlObject):
        return f"the text {value.text!r} of an object"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, list | tuple | set | frozenset):
        return f"a list of {len(value)} things"
    return f"a value of type {type(value).__name__}"
