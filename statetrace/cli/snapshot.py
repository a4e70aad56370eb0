"""``statetrace snapshot``: export, import, inspect, check and convert CLIXML snapshots."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from statetrace.cache import (
    SnapshotBudgets,
    SnapshotStyle,
    check_snapshot,
    read_snapshot,
    write_snapshot,
    write_summary,
)
from statetrace.cli.hydrate import measured_reads
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
from statetrace.cli.output import counted, print_json, print_table, progress, say
from statetrace.errors import StateTraceError
from statetrace.model import SiteEntry

app = typer.Typer(help="Exchange the cache with PowerShell as CLIXML snapshots.", no_args_is_help=True)

# Whether it can be read is found out by reading it, so that every reason gives the same exit code.
File = Annotated[Path, typer.Argument(help="The snapshot.", metavar="FILE", readable=False)]
Windows = Annotated[
    bool, typer.Option("--windows", help="Write as Windows PowerShell 5.1 does, in UTF-16, not as PowerShell 7.")
]

_DEFAULTS = SnapshotBudgets()


def _style(windows: bool) -> SnapshotStyle:
    return SnapshotStyle.WINDOWS_POWERSHELL if windows else SnapshotStyle.POWERSHELL_7


@app.command("export")
def export_command(
    file: File,
    sites: Annotated[list[str] | None, typer.Argument(help="Site codes; by default all.", show_default=False)] = None,
    data: Data = DEFAULT_DATA,
    database: Database = None,
    windows: Windows = False,
    summary: Annotated[bool, typer.Option("--summary", help="Also write FILE-summary.json.")] = False,
    telemetry: TelemetryDirectory = None,
    json: Json = False,
) -> None:
    """Hydrate sites and write them as a snapshot."""
    with open_engine(data, database, telemetry, own_cache=True) as engine:
        chosen, unreadable = choose_sites(engine, sites)
        reads, failed = read_sites(engine, chosen)
        failures = [*unreadable, *failed]
        with progress(f"writing {file.name}"):
            written = engine.cache.export_snapshot(file, sites=chosen, style=_style(windows))
        entries = {site: entry for site, entry in engine.cache.entries().items() if site in written}
        missing = [site for site, read in reads if read.metrics.provider == "MissingDatabase"]
    for error in failures:
        say(f"statetrace: {error}")
    if not written:
        readable = "readable database" if failures else "database"
        say(f"statetrace: nothing to export: no {readable} in {database or data} holds {', '.join(chosen) or 'a site'}")
        raise typer.Exit(1)
    for site in missing:
        say(f"statetrace: site {site}: no database in {database or data} holds it")
    if summary:
        write_summary(file.with_name(f"{file.stem}-summary.json"), entries)
    _print_sites(file, entries, json=json)
    if failures or missing:
        raise typer.Exit(1)


@app.command("import")
def import_command(
    file: File,
    data: Data = DEFAULT_DATA,
    database: Database = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Then read each site from its database and say how many rows match.")
    ] = False,
    partial: Annotated[bool, typer.Option("--partial", help="Take what can be read of a damaged file.")] = False,
    telemetry: TelemetryDirectory = None,
    json: Json = False,
) -> None:
    """Import a snapshot into a fresh cache and show what it serves."""
    with open_engine(data, database, telemetry) as engine:
        if not engine.cache.enabled:
            raise StateTraceError("nothing imported: STATETRACE_DISABLE_SHARED_CACHE switches the shared cache off")
        started = time.perf_counter()
        with progress(f"reading {file.name}"):
            brought = engine.cache.import_snapshot(file, partial=partial)
        took_ms = round((time.perf_counter() - started) * 1000, 3)
        reads = measured_reads(engine, brought.sites, refresh=refresh)
    for reason in brought.skipped:
        say(f"left out: {reason}")
    if json:
        print_json({"Path": str(file), "ImportDurationMs": took_ms, "Sites": reads, "Skipped": list(brought.skipped)})
    else:
        # Without a second reading there is nothing that rows could match.
        columns = {"Site": "Site", "Status": "CacheStatus", "Provider": "Provider", "Hosts": "HostCount",
                   "Rows": "TotalRows", **({"Matched": "HostMapSignatureMatchCount"} if refresh else {})}  # fmt: skip
        print_table(tuple(columns), ([read[field] for field in columns.values()] for read in reads))
        rows_of_hosts = f"{counted(brought.rows, 'row')} of {counted(brought.hosts, 'host')}"
        say(f"{file}: {rows_of_hosts} imported in {took_ms:,.1f} ms")
    missing = [read["Site"] for read in reads if read["Provider"] == "MissingDatabase"]
    for site in missing:
        say(f"statetrace: site {site}: no database in {database or data} holds it")
    if missing:
        raise typer.Exit(1)


@app.command("inspect")
def inspect_command(
    file: File,
    hosts: Annotated[bool, typer.Option("--hosts", help="List the hosts of each site.")] = False,
    json: Json = False,
) -> None:
    """Show what a snapshot holds and how it is written."""
    with progress(f"reading {file.name}"):
        snapshot = read_snapshot(file)
        digest = snapshot.content_sha256()
    age_hours = round((datetime.now(UTC).timestamp() - file.stat().st_mtime) / 3600, 1)
    if json:
        document: dict[str, Any] = {
            "Path": str(file),
            "Sites": _site_list(snapshot.entries, hosts=hosts),
            "Encoding": snapshot.encoding,
            "Shape": snapshot.shape,
            "ContentSha256": digest,
            "AgeHours": age_hours,
            "SizeBytes": file.stat().st_size,
            "Skipped": [str(reason) for reason in snapshot.skipped],
        }
        print_json(document)
        return
    _print_sites(file, snapshot.entries, json=False)
    if hosts:
        typer.echo()
        print_table(
            ("Site", "Host", "Rows"),
            ((site, host, len(ports)) for site, entry in snapshot.entries.items() for host, ports in entry.items()),
        )
    typer.echo()
    print_table(
        ("Property", "Value"),
        (
            ("Encoding", snapshot.encoding),
            ("Shape", snapshot.shape),
            ("Content SHA-256", digest),
            ("Age", f"{age_hours:,} hours"),
            ("Size", f"{file.stat().st_size:,} bytes"),
        ),
    )
    for reason in snapshot.skipped:
        say(f"left out: {reason}")


@app.command("check")
def check_command(
    file: File,
    require: Annotated[
        list[str] | None, typer.Option("--require", help="Sites that must be there, joined by commas; may be repeated.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="An earlier snapshot that this one must not have shrunk from.")
    ] = None,
    events: Annotated[
        list[Path] | None,
        typer.Option("--events", help="A telemetry file to take the share of removals from; may be repeated."),
    ] = None,
    max_bytes: Annotated[int, typer.Option("--max-bytes", help="Largest size of the file.")] = _DEFAULTS.max_bytes or 0,
    max_hosts: Annotated[int, typer.Option("--max-hosts", help="Most hosts of all sites.")] = _DEFAULTS.max_hosts or 0,
    max_rows: Annotated[int, typer.Option("--max-rows", help="Most rows of all sites.")] = _DEFAULTS.max_rows or 0,
    max_age_hours: Annotated[
        float, typer.Option("--max-age-hours", help="Longest time since the file was written.")
    ] = _DEFAULTS.max_age_hours or 0.0,
    max_shrinkage: Annotated[
        float, typer.Option("--max-shrinkage", help="Most hosts lost since the baseline, in percent.")
    ] = _DEFAULTS.max_shrinkage_percent or 0.0,
    max_removals: Annotated[
        float, typer.Option("--max-removals", help="Most removals among the cache operations of --events, in percent.")
    ] = _DEFAULTS.max_remove_percent or 0.0,
    min_sites: Annotated[int, typer.Option("--min-sites", help="Fewest sites.")] = _DEFAULTS.min_sites,
    min_hosts: Annotated[int, typer.Option("--min-hosts", help="Fewest hosts of all sites.")] = _DEFAULTS.min_hosts,
    min_rows: Annotated[int, typer.Option("--min-rows", help="Fewest rows of all sites.")] = _DEFAULTS.min_rows,
    json: Json = False,
) -> None:
    """Check a snapshot against budgets and required sites; exits with 3 when it does not keep to them."""
    budgets = SnapshotBudgets(
        max_bytes=max_bytes,
        max_hosts=max_hosts,
        max_rows=max_rows,
        max_age_hours=max_age_hours,
        max_shrinkage_percent=max_shrinkage,
        max_remove_percent=max_removals,
        min_sites=min_sites,
        min_hosts=min_hosts,
        min_rows=min_rows,
        required_sites=tuple(site for named in require or () for site in named.split(",")),
    )
    with progress(f"checking {file.name}"):
        check = check_snapshot(file, budgets, baseline=baseline, events=events or ())
    if json:
        print_json(
            {
                "Path": str(file),
                "Status": "Pass" if check.passed else "Fail",
                "Issues": [{"Type": issue.type, "Message": issue.message} for issue in check.issues],
                "MissingSites": list(check.missing_sites),
                "SiteCount": check.site_count,
                "HostCount": check.host_count,
                "TotalRows": check.row_count,
                "SizeBytes": check.size_bytes,
                "AgeHours": None if check.age_hours is None else round(check.age_hours, 1),
            }
        )
    else:
        print_table(("Issue", "What is wrong"), ((issue.type, issue.message) for issue in check.issues))
        verdict = "passed" if check.passed else "failed"
        held = ((check.site_count, "site"), (check.host_count, "host"), (check.row_count, "row"))
        say(f"{file}: check {verdict}: {', '.join(counted(number, noun) for number, noun in held)}")
    if not check.passed:
        raise typer.Exit(3)


@app.command("convert")
def convert_command(
    source: Annotated[Path, typer.Argument(help="The snapshot to read, in any known shape.")],
    target: Annotated[Path, typer.Argument(help="The snapshot to write; an existing one is replaced.")],
    windows: Windows = False,
    json: Json = False,
) -> None:
    """Rewrite a snapshot of any known shape in today's shape."""
    with progress(f"converting {source.name}"):
        snapshot = read_snapshot(source)
        write_snapshot(target, snapshot.entries, style=_style(windows))
    for reason in snapshot.skipped:
        say(f"left out: {reason}")
    _print_sites(target, snapshot.entries, json=json)


def _site_list(entries: Mapping[str, SiteEntry], *, hosts: bool = False) -> list[dict[str, Any]]:
    return [
        {
            "Site": site,
            "HostCount": entry.host_count,
            "TotalRows": entry.total_rows,
            **({"Hosts": {host: len(ports) for host, ports in entry.items()}} if hosts else {}),
        }
        for site, entry in entries.items()
    ]


def _print_sites(file: Path, entries: Mapping[str, SiteEntry], *, json: bool) -> None:
    if json:
        print_json({"Path": str(file), "Sites": _site_list(entries)})
        return
    print_table(
        ("Site", "Hosts", "Rows"), ((site, entry.host_count, entry.total_rows) for site, entry in entries.items()),
        title=str(file),
    )  # fmt: skip
