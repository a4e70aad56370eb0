"""The records of a snapshot in each of the shapes that were ever written (reference: clixml-snapshots 2.2 and 2.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from statetrace.cache.clixml import ClixmlObject
from statetrace.cache.snapshot_writer import ENTRY_CLASS


class Record(NamedTuple):
    """What a snapshot says of one site.

    Attributes:
        site: the site's key, trimmed; ``""`` if the record has none.
        payload: what is to be normalised, or ``None`` if the record has no data.
        shape: the kind of record: ``live`` and ``imported`` for the original's class, else ``S6`` or ``L1`` to ``L6``.
        line: the line of the document on which it begins.
    """

    site: str
    payload: Any
    shape: str
    line: int


def records(values: Iterable[Any]) -> Iterator[Record | Any]:
    """The records among the top-level values of a document, and each value that is no record as it is.

    An array of records that was exported as one object gives its items.
    """
    return _records(values, listed=False)


def _records(values: Iterable[Any], *, listed: bool) -> Iterator[Record | Any]:
    for value in values:
        held = value.value if isinstance(value, ClixmlObject) else None
        if isinstance(held, list):
            yield from _records(held, listed=True)
        else:
            record = _record(value, listed=listed)
            yield value if record is None else record


def document_shape(shapes: Iterable[str], *, utf16: bool) -> str:
    """The name of a document's shape, from those of its records; several are joined by ``+``."""
    names: dict[str, None] = {}
    distinct = set(shapes)
    for shape in shapes:
        if shape not in ("live", "imported"):
            names[shape] = None
        elif {"live", "imported"} <= distinct:
            names["S3"] = None
        elif shape == "live":
            names["S4" if utf16 else "S1"] = None
        else:
            names["S5" if utf16 else "S2"] = None
    return "+".join(names)


def _record(value: Any, *, listed: bool) -> Record | None:
    members = _members(value)
    by_name = members_by_name(value)
    if not by_name.keys() & {"site", "sitekey"}:
        return None
    # A blank Site does not hide a good SiteKey, as it did in the original.
    site = next((text for name in ("site", "sitekey") if (text := str(by_name.get(name) or "").strip())), "")
    entry, host_map = by_name.get("entry"), by_name.get("hostmap")
    if entry is None:
        payload = None if host_map is None else _without_site(members)
    elif _has_host_map(entry):
        payload = entry
    else:
        payload = None if host_map is None else {"HostMap": host_map}
    return Record(site, payload, _shape(value, by_name, listed=listed), value.line)


def _without_site(members: Mapping[Any, Any]) -> dict[Any, Any]:
    return {name: held for name, held in members.items() if str(name).strip().casefold() not in ("site", "sitekey")}


def _has_host_map(entry: Any) -> bool:
    if not isinstance(entry, ClixmlObject) or isinstance(entry.value, dict):
        # A bare dictionary is the host map itself; what else it may be is for the normalisation to say.
        return True
    return any(name.strip().casefold() == "hostmap" for name in entry.properties)


def _shape(value: Any, by_name: Mapping[str, Any], *, listed: bool) -> str:
    if isinstance(value, ClixmlObject) and value.class_name == ENTRY_CLASS:
        return _class_shape(by_name.get("hostmap"))
    if by_name.get("entry") is not None:
        if "site" in by_name:
            return "L2" if listed else "L1"
        return "S6" if _has_row_lists(by_name["entry"]) else "L5"
    if "site" in by_name:
        return "L4"
    return "L6" if by_name.keys() & {"hostcount", "totalrows"} else "L3"


def _class_shape(host_map: Any) -> str:
    imported = {isinstance(ports, ClixmlObject) and ports.deserialized for ports in _members(host_map).values()}
    if len(imported) > 1:
        return "S3"
    return "imported" if True in imported else "live"


def _has_row_lists(entry: Any) -> bool:
    host_map = next((held for name, held in _members(entry).items() if str(name).casefold() == "hostmap"), entry)
    return any(
        isinstance(ports, ClixmlObject) and isinstance(ports.value, list) for ports in _members(host_map).values()
    )


def members_by_name(value: Any) -> dict[str, Any]:
    """The members of a record by their names, trimmed and in lower case; none of what is no record."""
    return {str(name).strip().casefold(): held for name, held in _members(value).items()}


def _members(value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, ClixmlObject):
        return {}
    return value.value if isinstance(value.value, dict) else value.properties
