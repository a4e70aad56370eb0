"""``statetrace warmup``: the cache filled and kept as a snapshot before it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from statetrace.cli.ingest_progress import IngestProgress
from statetrace.cli.options import DEFAULT_DATA, Data, Database, Json, TelemetryDirectory, choose_sites, open_engine
from statetrace.cli.output import counted, print_json, print_table, progress, say
from statetrace.cli.streams import whoever_reads
from statetrace.cli.telemetry import fail_unless
from statetrace.errors import StateTraceError
from statetrace.model import CaseInsensitiveMap

if TYPE_CHECKING:
    from statetrace.analysis.gates.checks import CoverageCheck
    from statetrace.analysis.warm.warmup import WarmupReport
    from statetrace.engine import Engine


def warmup(
    sites: Annotated[list[str] | None, typer.Argument(help="Codes of sites; by default all.", metavar="SITE")] = None,
    data: Data = DEFAULT_DATA,
    database: Database = None,
    logs: Annotated[
        Path | None,
        typer.Option("--logs", help="The folder of raw logs: the snapshot goes to its SharedCacheSnapshot. By default "
                     "Logs beside the data folder.", file_okay=False, show_default=False),
    ] = None,
    ingest: Annotated[
        bool, typer.Option("--ingest", help="Ingest its logs first, those that are known and stored, too.")
    ] = False,
    require: Annotated[
        list[str] | None,
        typer.Option("--require", help="Sites that must be covered, joined by commas; may be repeated."),
    ] = None,
    min_sites: Annotated[int, typer.Option("--min-sites", help="Fewest sites.")] = 1,
    min_hosts: Annotated[int, typer.Option("--min-hosts", help="Fewest hosts of all sites.")] = 1,
    min_rows: Annotated[int, typer.Option("--min-rows", help="Fewest rows of all sites.")] = 1,
    telemetry: TelemetryDirectory = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Read sites into the cache, check what they cover, and write them as the latest snapshot.

    The next ingestion of these logs, of whatever process, begins with it. If too little is covered nothing is written,
    and the exit code is 3.
    """
    from statetrace.analysis.gates.checks import check_coverage  # noqa: PLC0415  # SQLAlchemy takes its time to import
    from statetrace.analysis.gates.thresholds import CoverageThresholds  # noqa: PLC0415
    from statetrace.analysis.warm.warmup import warm_up  # noqa: PLC0415
    from statetrace.ingestion.session import SessionOptions  # noqa: PLC0415
    from statetrace.ingestion.snapshots import SNAPSHOT_FOLDER  # noqa: PLC0415

    if database is None and not ingest and not data.is_dir():
        raise StateTraceError(f"{data}: no such data folder; name it by --data, or --ingest logs into a new one")
    thresholds = CoverageThresholds(
        minimum_site_count=min_sites,
        minimum_host_count=min_hosts,
        minimum_total_row_count=min_rows,
        required_sites=tuple(site for named in require or () for site in named.split(",") if site.strip()),
    )
    logs = data.absolute().parent / "Logs" if logs is None else logs
    failures: list[str] = []
    with open_engine(data, database, telemetry, own_cache=True) as engine:
        if ingest:
            with IngestProgress() as bar:
                ingested = engine.ingest(
                    logs, options=SessionOptions(again=True), on_start=bar.start, on_outcome=bar.outcome
                )
            failures += [f"{host.hostname}: {host.outcome}: {host.message}" for host in ingested.failed]
        chosen, unknown = _chosen(engine, sites)
        failures += unknown
        if not chosen:
            for failure in failures:
                say(f"statetrace: {failure}")
            way_out = "" if failures else "; --ingest logs first"
            raise StateTraceError(f"{database or data} holds no site to read{way_out}")
        with progress("hydrating", len(chosen)) as advance:
            report = warm_up(
                engine.repository,
                chosen,
                logs / SNAPSHOT_FOLDER,
                enough=lambda held: check_coverage(held, thresholds).passed,
                on_site=advance,
            )
    report = msgspec.structs.replace(report, failures=(*failures, *report.failures))
    coverage = check_coverage(report.sites, thresholds)
    with whoever_reads():
        if json:
            print_json({**msgspec.to_builtins(report), "Coverage": coverage})
        else:
            _print_sites(report)
    if not json:
        _tell(report, coverage)
    for message in (*report.failures, *(() if coverage.passed else coverage.messages)):
        say(f"statetrace: {message}")
    fail_unless(coverage.passed)
    if report.failures:
        raise typer.Exit(1)


def _chosen(engine: Engine, names: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """The sites that were named, or all, as far as the databases hold them; and what is to be told of the others."""
    stored, unreadable = choose_sites(engine, None)
    if not names:
        return stored, [*map(str, unreadable)]
    known = CaseInsensitiveMap((site, site) for site in stored)
    unknown = [name for name in names if name not in known]
    told = [f"no site {name}; there are {', '.join(stored) or 'none'}" for name in unknown]
    return [known[name] for name in names if name in known], told + ([*map(str, unreadable)] if unknown else [])


def _print_sites(report: WarmupReport) -> None:
    print_table(
        ("Site", "Hosts", "Rows", "Cached at"),
        ((site["Site"], site["Hosts"], site["TotalRows"], site["CachedAt"] or "") for site in report.sites),
    )


def _tell(report: WarmupReport, coverage: CoverageCheck) -> None:
    held = coverage.statistics
    covered = (
        (held.site_count, "site"), (held.total_host_count, "host"), (held.total_row_count, "row"),
    )  # fmt: skip
    verdict = "passed" if coverage.passed else "failed"
    say(f"coverage {verdict}: {', '.join(counted(number, noun) for number, noun in covered)}")
    if report.latest:
        say(f"snapshot {report.latest}")
    elif not coverage.passed:
        say("no snapshot was written; the latest one is as it was")
