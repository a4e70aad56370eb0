"""What an ingestion changes of a host: existing rows against parsed ones. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from statetrace.model import CaseInsensitiveMap, HostPorts, InterfaceRow
from statetrace.model.port_sort import port_sort_memo
from statetrace.persistence.canonical import Observed, observed_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statetrace.persistence.canonical import RowMaker


class HostDiff(msgspec.Struct, frozen=True):
    """What has to be done so that a host's stored rows say what its log says.

    Ports are spelled as they are stored, where they are.

    Attributes:
        inserted: port → the row that is new.
        changed: port → the row that takes the place of another one.
        unchanged: how many ports say what they said.
        obsolete: ports that the log does not name any more.
        rows: all rows of the host afterwards, ports in natural order. Unchanged rows are the very same objects.
    """

    inserted: dict[str, InterfaceRow]
    changed: dict[str, InterfaceRow]
    unchanged: int
    obsolete: tuple[str, ...]
    rows: HostPorts

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.inserted or self.changed or self.obsolete)

    @property
    def written(self) -> int:
        """Rows to insert or update."""
        return len(self.inserted) + len(self.changed)


def diff_host(existing: HostPorts, parsed: Mapping[str, Observed], make: RowMaker) -> HostDiff:
    """The difference between a host's existing rows and what its log says.

    A port changed when one of its twelve observed values did; names of ports are compared in any case. What is
    derived (sort key, colour, status, tooltip, signature) never counts.

    >>> from statetrace.model import AuthTemplates
    >>> from statetrace.persistence.canonical import RowMaker
    >>> make = RowMaker(AuthTemplates.load(), "Cisco")
    >>> up, down = ("A", "up", "0", *[""] * 9), ("A", "down", "0", *[""] * 9)
    >>> existing = HostPorts({"1/1": make.row("1/1", down), "1/2": make.row("1/2", up), "1/3": make.row("1/3", up)})
    >>> diff = diff_host(existing, {"1/1": up, "1/2": up, "1/4": up}, make)
    >>> list(diff.changed), diff.unchanged, list(diff.inserted), diff.obsolete, list(diff.rows)
    (['1/1'], 1, ['1/4'], ('1/3',), ['1/1', '1/2', '1/4'])
    """
    inserted: dict[str, InterfaceRow] = {}
    changed: dict[str, InterfaceRow] = {}
    rows: dict[str, InterfaceRow] = {}
    seen = set()
    # Nearly always the spelling is the same; then no name is folded.
    spelled = {port: port for port in existing}
    for name, observed in parsed.items():
        port = spelled.get(name) or existing.spelling(name)
        if port is None:
            inserted[name] = rows[name] = make.row(name, observed)
            continue
        seen.add(port)
        row = existing[port]
        if observed_of(row) == observed:
            rows[port] = row
        else:
            changed[port] = rows[port] = make.row(port, observed)
    obsolete = tuple(port for port in existing if port not in seen)
    if not inserted and not obsolete and not changed:
        return HostDiff(inserted, changed, len(rows), obsolete, existing)
    return HostDiff(inserted, changed, len(rows) - len(inserted) - len(changed), obsolete, arranged(rows))


def arranged(rows: Mapping[str, InterfaceRow]) -> HostPorts:
    """The rows with their ports, distinct in any case, in natural order."""
    return CaseInsensitiveMap.of_distinct(dict(sorted(rows.items(), key=lambda item: port_sort_memo.key(item[0]))))
