"""Blocks of database rows become interface rows: column by column, each stage timed as a whole.

A block is a list of the twenty-one columns of the site query. Working on columns keeps the cost of a clock read off the
single row and lets C loops do the work, so stages are measured truthfully without slowing what they measure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import compress, groupby, repeat
from operator import itemgetter
from typing import Any

import msgspec

from statetrace.model.interface import InterfaceRow, derive_tooltip
from statetrace.model.keys import CaseInsensitiveMap, fold
from statetrace.model.names import of_site
from statetrace.model.port_sort import PortSortMemo
from statetrace.model.site_entry import HostPorts
from statetrace.repository.templates import Case, HintCache, RowCounts
from statetrace.telemetry import Stopwatch

Block = Sequence[Sequence[Any]]


class StageTimes(msgspec.Struct):
    """Nanoseconds spent and things counted while rows were materialised."""

    project: int = 0
    projection: int = 0
    port_sort: int = 0
    port_sort_hits: int = 0
    port_sort_misses: int = 0
    template_load: int = 0
    template_lookup: int = 0
    template_apply: int = 0
    template_hits: int = 0
    template_misses: int = 0
    objects: int = 0
    sort: int = 0

    @property
    def materialize(self) -> int:
        """All that turns the values of rows into rows."""
        return self.template_load + self.projection + self.port_sort + self.template_apply + self.objects


class _Texts(dict[object, str]):
    """Values as text, one object for equal values: what repeats from row to row is kept once."""

    def __missing__(self, value: object) -> str:
        text = "" if value is None else str(value)
        self[value] = text
        return text


class _Names(dict[object, str]):
    """Names and states as trimmed text, one object for equal values."""

    def __missing__(self, value: object) -> str:
        text = "" if value is None else str(value).strip()
        self[value] = text
        return text


class _Host:
    __slots__ = ("filed_under", "name", "ports", "rows")

    def __init__(self, name: str, filed_under: str) -> None:
        self.name = name
        self.filed_under = filed_under
        self.ports: list[str] = []
        self.rows: list[InterfaceRow] = []


class _Layout:
    """Which ports a host has, in natural order. Hosts of one model share it, so it is worked out once."""

    def __init__(self, ports: tuple[str, ...], key: Callable[[str], str]) -> None:
        # Stable: of two rows of one port the later one still comes later, and wins.
        positions = sorted(range(len(ports)), key=lambda position: key(ports[position]))
        self._ports = tuple(ports[position] for position in positions)
        # With one position itemgetter would return the bare item.
        self._pick = itemgetter(*positions) if len(positions) > 1 else tuple
        self._distinct = len(set(map(fold, ports))) == len(ports)

    def arrange(self, rows: list[InterfaceRow]) -> HostPorts:
        arranged = zip(self._ports, self._pick(rows), strict=True)
        return CaseInsensitiveMap.of_distinct(dict(arranged)) if self._distinct else CaseInsensitiveMap(arranged)


class Materializer:
    """Collects blocks of one site's rows, in query order, into hosts with their ports in natural order."""

    def __init__(self, site: str, hints: HintCache, port_sort: PortSortMemo) -> None:
        self.times = StageTimes()
        self.template_counts = RowCounts()
        self.row_count = 0
        self._site = site
        self._port_sort = port_sort
        self._watch = Stopwatch().start()
        self._templates = hints.templates()
        self.times.template_load = self._watch.lap()
        self._hosts: dict[str, _Host] = {}
        self._texts, self._vlans = _Texts(), _Texts()
        self._names: _Names = _Names()
        self._layouts: dict[tuple[str, ...], _Layout] = {}

    def add(self, block: Block) -> None:
        """Take the next rows of the query."""
        times, watch = self.times, self._watch.start()
        columns = list(zip(*block, strict=True))
        times.project += watch.lap()

        columns = self._named(columns)
        if not columns:
            return
        texts = self._texts.__getitem__
        ports = list(map(self._names.__getitem__, columns[1]))
        name = _as_text(columns[2])
        name = list(map(self._texts.setdefault, name, name))
        status, duplex, speed, kind = (list(map(texts, columns[index])) for index in (3, 5, 6, 7))
        vlan = list(map(self._vlans.__getitem__, columns[4]))
        learned, client, config = (_as_text(columns[index]) for index in (8, 11, 17))
        auth_state, auth_mode, template = (list(map(texts, columns[index])) for index in (9, 10, 16))
        times.projection += watch.lap()

        looked_up = self._port_sort.lookup(ports)
        times.port_sort_hits += looked_up.hits
        times.port_sort_misses += looked_up.misses
        times.port_sort += watch.lap()

        color, compliance = self._apply_hints(columns[15], template, columns[19], columns[18])
        tooltip = _stated_tooltips(columns[20], template, config)
        times.template_apply += watch.lap()

        rows = list(
            map(
                InterfaceRow, name, status, vlan, duplex, speed, kind, learned, auth_state, auth_mode, client, template,
                config, looked_up.keys, color, compliance, tooltip,
            )
        )  # fmt: skip
        self._group(columns[0], columns[12], ports, rows)
        times.objects += watch.lap()

    @property
    def unique_port_count(self) -> int:
        """Distinct names of ports, once the hosts were made."""
        return len(set().union(*self._layouts))

    def hosts(self) -> dict[str, HostPorts]:
        """Host → ports → rows; ports in natural order, of two rows of one port the later one."""
        self._watch.start()
        hosts = {host.name: self._ports_of(host) for host in self._own_hosts()}
        self.times.sort = self._watch.lap()
        return hosts

    def _named(self, columns: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """The columns without rows that lack a host or port."""
        names = self._names.__getitem__
        if all(map(names, {*columns[0], *columns[1]})):
            return columns
        keep = [bool(names(host) and names(port)) for host, port in zip(columns[0], columns[1], strict=True)]
        return [tuple(compress(column, keep)) for column in columns] if any(keep) else []

    def _apply_hints(
        self, makes: Sequence[Any], templates: Sequence[str], colors: Sequence[Any], statuses: Sequence[Any]
    ) -> tuple[list[str], list[str]]:
        """Colour and status of every row: as stored, or as the row's template says where one is missing."""
        lookup = Stopwatch().start()
        rows: Sequence[Hashable]
        cases: Mapping[Hashable, Case]
        if len(set(makes)) == 1 and not any(colors) and not any(statuses):
            # The usual block, one make and nothing stored: the template alone tells the rows apart, at half the cost.
            rows = templates
            cases = {template: (makes[0], template, "", "") for template in set(templates)}
        else:
            rows = together = list(zip(makes, templates, colors, statuses, strict=True))
            cases = {case: case for case in set(together)}
        resolution = self._templates.resolve(cases, Counter(rows), self.template_counts)
        self.times.template_hits += resolution.hits
        self.times.template_misses += resolution.misses
        self.times.template_lookup += lookup.lap()
        return list(map(resolution.colors.__getitem__, rows)), list(map(resolution.statuses.__getitem__, rows))

    def _group(self, hosts: Sequence[Any], sites: Sequence[Any], ports: list[str], rows: list[InterfaceRow]) -> None:
        start = 0
        for raw, run in groupby(hosts):
            end = start + sum(1 for _ in run)
            name = self._names[raw]
            folded = fold(name)
            host = self._hosts.get(folded)
            if host is None:
                host = self._hosts[folded] = _Host(name, self._names[sites[start]])
            host.ports += ports[start:end]
            host.rows += rows[start:end]
            start = end

    def _own_hosts(self) -> list[_Host]:
        hosts = of_site(self._site, self._hosts.values(), lambda host: (host.filed_under, host.name))
        self.row_count = sum(len(host.rows) for host in hosts)
        return hosts

    def _ports_of(self, host: _Host) -> HostPorts:
        ports = tuple(host.ports)
        layout = self._layouts.get(ports)
        if layout is None:
            layout = self._layouts[ports] = _Layout(ports, self._port_sort.key)
        return layout.arrange(host.rows)


def _as_text(column: Sequence[Any]) -> Sequence[str]:
    """Values that seldom repeat as text, without looking each of them up."""
    if set(map(type, column)) == {str}:
        return column
    return ["" if value is None else str(value) for value in column]


def _stated_tooltips(column: Sequence[Any], templates: list[str], configs: Sequence[str]) -> Iterable[str | None]:
    """The stored tooltips where they say anything else than what is derived (reference: site-cache 3.4)."""
    if not any(column):
        return repeat(None)
    stated = (str(value).rstrip() if value else "" for value in column)
    return [
        text if text and text != derive_tooltip(template, config) else None
        for text, template, config in zip(stated, templates, configs, strict=True)
    ]
