"""``statetrace show``: a site, a host or a port."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from statetrace.cache import read_snapshot
from statetrace.cli.options import DEFAULT_DATA, Data, Database, Json, choose_sites, open_engine
from statetrace.cli.output import counted, print_json, print_table, say
from statetrace.errors import NotFound
from statetrace.model import CaseInsensitiveMap, HostPorts, InterfaceRow, SiteEntry, site_of
from statetrace.model.names import clean_host_name

_COLUMNS = (
    "Host", "Port", "Name", "Status", "VLAN", "Duplex", "Speed", "AuthState", "AuthMode", "Template", "Color",
    "Compliance",
)  # fmt: skip


def show(
    name: Annotated[str, typer.Argument(help="A site code or a host name.")],
    port: Annotated[str | None, typer.Argument(help="A port of that host.", show_default=False)] = None,
    data: Data = DEFAULT_DATA,
    database: Database = None,
    snapshot: Annotated[
        Path | None, typer.Option("--snapshot", "-s", help="Show what this snapshot holds, not the databases.")
    ] = None,
    json: Json = False,
) -> None:
    """Show the interfaces of a site or host, or all that is known of one port.

    With --json the document is site, host, port and the row's seventeen fields, under the original's names.
    """
    if snapshot is None:
        with open_engine(data, database) as engine:
            sites, unreadable = choose_sites(engine, None)
            try:
                site, entry = _choose(name, sites, engine.repository.site)
            except NotFound:
                for error in unreadable:  # there it may be
                    say(f"statetrace: {error}")
                raise
    else:
        entries = read_snapshot(snapshot).entries
        site, entry = _choose(name, tuple(entries), entries.__getitem__)
    if port is not None:
        entry = _one_port(entry, name, port)
    if json:
        print_json({site: entry.to_wire()})
    elif port is not None:
        for host, ports in entry.items():
            for label, row in ports.items():
                print_table(("Field", f"{host} {label}"), _fields(row))
    else:
        _print_site(site, entry)


def _choose(name: str, sites: Sequence[str], read: Callable[[str], SiteEntry]) -> tuple[str, SiteEntry]:
    """The site of that name, or the site of the host of that name with this host alone."""
    known = CaseInsensitiveMap((site, site) for site in sites)
    if name in known:
        return known[name], read(known[name])
    host = clean_host_name(name)
    site = known.get(site_of(host))
    entry = None if site is None else read(site)
    if site is None or entry is None or host not in entry:
        raise NotFound("site or host", name, f"among the sites {', '.join(sites)}" if sites else "(there are no sites)")
    return site, SiteEntry({entry.hosts.spelling(host) or host: entry[host]})


def _one_port(entry: SiteEntry, name: str, port: str) -> SiteEntry:
    found: dict[str, HostPorts] = {
        host: CaseInsensitiveMap({ports.spelling(port) or port: ports[port]})
        for host, ports in entry.items()
        if port in ports
    }
    if not found:
        raise NotFound("port", port, f"on {name}")
    return SiteEntry(found)


def _fields(row: InterfaceRow) -> Iterator[tuple[str, str]]:
    for field, value in row.to_wire().items():
        # Configurations as they were written; the signature counts every character, so its line ends are shown.
        first, *more = (value.splitlines() or [""]) if field in ("Config", "ToolTip") else [value]
        yield field, first
        yield from (("", line) for line in more)


def _print_site(site: str, entry: SiteEntry) -> None:
    print_table(
        _COLUMNS,
        (
            (
                host, port, row.name, row.status, row.vlan, row.duplex, row.speed, row.auth_state, row.auth_mode,
                row.auth_template, row.port_color, row.compliance,
            )
            for host, ports in entry.items()
            for port, row in ports.items()
        ),
        title=f"{site}: {counted(entry.host_count, 'host')}, {counted(entry.total_rows, 'port')}",
    )  # fmt: skip
