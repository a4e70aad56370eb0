"""``statetrace hydrate``: read sites and show what each stage took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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
    from statetrace.repository import SiteRead

STAGES = {
    "Query": "query_duration_ms",
    "Project": "recordset_project_duration_ms",
    "Materialize": "materialize_duration_ms",
    "Sort": "sort_duration_ms",
    "Build": "build_duration_ms",
    "Total": "hydration_duration_ms",
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
        print_reads([(site, read) for site, read in reads if site not in missing])
    for error in (*unreadable, *failed):
        say(f"statetrace: {error}")
    for site in missing:
        say(f"statetrace: site {site}: no database in {database or data} holds it")
    if unreadable or failed or missing:
        raise typer.Exit(1)


def print_reads(reads: list[tuple[str, SiteRead]]) -> None:
    """A table of reads with their stages."""
    print_table(
        [*_WHAT, *(f"{stage} ms" for stage in STAGES), "Matched", "Rewritten"],
        (
            (
                site,
                read.metrics.cache_status,
                read.metrics.provider,
                read.metrics.database_dialect or "-",
                read.metrics.host_count,
                read.metrics.total_rows,
                *(float(getattr(read.metrics, field)) for field in STAGES.values()),
                read.metrics.host_map_signature_match_count,
                read.metrics.host_map_signature_rewrite_count,
            )
            for site, read in reads
        ),
    )
