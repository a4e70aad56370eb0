"""``statetrace hydrate``: read sites and show what each stage took."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from statetrace.cli.options import (
    DEFAULT_DATA,
    Data,
    Database,
    Json,
    TelemetryDirectory,
    choose_sites,
    open_engine,
    read_sites,
)
from statetrace.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from statetrace.engine import Engine

STAGES = {
    "Query": "QueryDurationMs",
    "Project": "RecordsetProjectDurationMs",
    "Materialize": "MaterializeDurationMs",
    "Sort": "SortDurationMs",
    "Build": "BuildDurationMs",
    "Total": "HydrationDurationMs",
}
"""Heading of a stage and its field of the metrics, in milliseconds."""
_WHAT = ("Site", "Status", "Provider", "Dialect", "Hosts", "Rows")


def hydrate(
    sites: Annotated[list[str] | None, typer.Argument(help="Site codes; by default all.", show_default=False)] = None,
    data: Data = DEFAULT_DATA,
    database: Database = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Read again what is cached.")] = False,
    telemetry: TelemetryDirectory = None,
    json: Json = False,
) -> None:
    """Read sites into the cache and show what each stage took, in milliseconds."""
    with open_engine(data, database, telemetry) as engine:
        chosen, unreadable = choose_sites(engine, sites)
        if not chosen and not unreadable:
            say(f"no site databases in {data}; `statetrace demo` makes some to look at")
            raise typer.Exit(1)
        reads, failed = read_sites(engine, chosen, refresh=refresh)
    missing = [site for site, read in reads if read.metrics.provider == "MissingDatabase"]
    if json:
        print_json([msgspec.to_builtins(read.metrics) for _, read in reads])
    else:
        _print([msgspec.to_builtins(read.metrics) for site, read in reads if site not in missing])
    for error in (*unreadable, *failed):
        say(f"statetrace: {error}")
    for site in missing:
        say(f"statetrace: site {site}: no database in {database or data} holds it")
    if unreadable or failed or missing:
        raise typer.Exit(1)


def measured_reads(engine: Engine, sites: Sequence[str], *, refresh: bool = False) -> list[dict[str, Any]]:
    """The metrics of reading each site, and what the whole call took as ``ReadDurationMs``: a reuse has no stages."""
    told = []
    for site in sites:
        started = time.perf_counter()
        read = engine.repository.read_site(site, refresh=refresh)
        took_ms = round((time.perf_counter() - started) * 1000, 3)
        told.append({**msgspec.to_builtins(read.metrics), "ReadDurationMs": took_ms})
    return told


def _print(reads: Sequence[Mapping[str, Any]]) -> None:
    print_table(
        [*_WHAT, *(f"{stage} ms" for stage in STAGES), "Matched", "Rewritten"],
        (
            (
                read["Site"],
                read["CacheStatus"],
                read["Provider"],
                read.get("DatabaseDialect") or "-",
                read["HostCount"],
                read["TotalRows"],
                *(float(read[field]) for field in STAGES.values()),
                read["HostMapSignatureMatchCount"],
                read["HostMapSignatureRewriteCount"],
            )
            for read in reads
        ),
    )
