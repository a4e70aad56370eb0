"""``statetrace corpus``: synthetic raw logs of any number of devices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from statetrace.cli.options import Json
from statetrace.cli.output import counted, print_json, print_table, progress, say

if TYPE_CHECKING:
    from statetrace.ingestion.corpus import CorpusPlan

_USUAL_SITES = 3
_USUAL_HOSTS_A_SITE = 10
_USUAL_PORTS = 48


def corpus(
    folder: Annotated[
        Path, typer.Argument(help="Where to write the logs: a folder of their own.", metavar="FOLDER", file_okay=False)
    ],
    sites: Annotated[
        int | None, typer.Option(min=1, help="Number of sites: Cisco, Brocade and Arista in turn.", show_default=False)
    ] = None,
    hosts: Annotated[int | None, typer.Option(min=1, help="Number of hosts of all sites.", show_default=False)] = None,
    ports: Annotated[int | None, typer.Option(min=1, help="Ports of each host.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(help="Another seed makes other devices of the same names.")] = 1,
    generation: Annotated[
        int, typer.Option(min=1, help="Each generation differs from the one before in some ports.")
    ] = 1,
    change: Annotated[
        float, typer.Option(min=0, max=100, metavar="PERCENT", help="Ports that differ, of all hosts.")
    ] = 1.0,
    combined: Annotated[
        bool, typer.Option("--combined", help="One session file a site, its hosts interleaved, not one file a host.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write although other files are there; replace those of the same names.")
    ] = False,
    json: Json = False,
) -> None:
    """Make up raw logs of switches, the same for the same options every time.

    Without a size it is 37 hosts with 1,320 ports at two sites.
    """
    # Imported here because nobody else at the command line needs it, and the whole package comes with it.
    from statetrace.ingestion.corpus import write_corpus  # noqa: PLC0415

    try:
        plan = msgspec.structs.replace(
            _plan(sites, hosts, ports), seed=seed, generation=generation, change_percent=change, combined=combined
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    with progress("writing logs", plan.hosts) as advance:
        summary = write_corpus(folder, plan, force=force, progress=advance)
    if json:
        print_json(summary)
        return
    print_table(
        ("Site", "Make", "Hosts", "Rows", "Files", "Bytes"),
        ((site.site, site.make, site.hosts, site.rows, site.files, site.bytes) for site in summary.sites),
    )
    say(f"{folder}: {counted(summary.hosts, 'host')}, {counted(summary.rows, 'port')}, {summary.bytes:,} bytes")


def _plan(sites: int | None, hosts: int | None, ports: int | None) -> CorpusPlan:
    from statetrace.ingestion.corpus import CorpusPlan  # noqa: PLC0415

    if sites is hosts is ports is None:
        return CorpusPlan.original_shape()
    if sites is None:
        sites = _USUAL_SITES if hosts is None else min(_USUAL_SITES, hosts)
    return CorpusPlan.of_size(sites, hosts or sites * _USUAL_HOSTS_A_SITE, ports or _USUAL_PORTS)
