"""``statetrace ingest``: raw logs into the site databases."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

import statetrace
from statetrace.cli.ingest_progress import IngestProgress
from statetrace.cli.ingest_report import print_report, remarks, summary
from statetrace.cli.options import DEFAULT_DATA, Data, Json, NewDatabase, Parity
from statetrace.cli.output import counted, print_json, print_json_line, say
from statetrace.cli.watch import LogWatch
from statetrace.errors import StateTraceError, TelemetryError
from statetrace.settings import Settings
from statetrace.telemetry import NO_TELEMETRY, Telemetry

if TYPE_CHECKING:
    from statetrace.engine import Engine
    from statetrace.ingestion.report import IngestionReport
    from statetrace.ingestion.session import SessionOptions

TELEMETRY_FOLDER = "IngestionMetrics"
"""In the folder of the logs."""
_LOGS = Path("Logs")
_CONCURRENCY = "Concurrency, in place of the settings file's numbers"
_SNAPSHOTS = "Snapshots of the cache"


def ingest(
    logs: Annotated[
        Path, typer.Argument(help="The folder of raw logs, or one raw log.", metavar="LOGS", readable=False)
    ] = _LOGS,
    data: Data = DEFAULT_DATA,
    database: NewDatabase = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, help="Processes that work at a time; by default as many as are worth it.",
                     show_default=False),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Ingest logs that are known and stored, too.")] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Read stored rows from the databases, whatever the cache holds.")
    ] = False,
    skip_site_cache: Annotated[
        bool, typer.Option("--skip-site-cache", help="Leave the cache as it is, and do without it.")
    ] = False,
    parity: Parity = False,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="An empty table of interfaces removes the host's rows.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, port by port, and write nothing.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Then go on with logs that come or change, one line a round, until Ctrl-C.")
    ] = False,
    interval: Annotated[
        float, typer.Option(min=0.05, max=86_400, metavar="SECONDS", help="How long --watch lets a log alone at least.")
    ] = 2.0,
    no_snapshot: Annotated[
        bool,
        typer.Option("--no-snapshot", help="Do without LOGS/SharedCacheSnapshot.", rich_help_panel=_SNAPSHOTS),
    ] = False,
    import_snapshot: Annotated[
        Path | None,
        typer.Option("--import-snapshot", help="Fill the cache from this file, not from the latest of that folder.",
                     exists=True, dir_okay=False, rich_help_panel=_SNAPSHOTS),
    ] = None,
    export_snapshot: Annotated[
        Path | None,
        typer.Option("--export-snapshot", help="Write the cache to this file, not to that folder.",
                     rich_help_panel=_SNAPSHOTS),
    ] = None,
    telemetry: Annotated[
        Path | None,
        typer.Option("--telemetry", help="Write events to day files in this directory; by default "
                     "STATETRACE_TELEMETRY_DIR, else LOGS/IngestionMetrics, but for a dry run nowhere."),
    ] = None,
    no_telemetry: Annotated[bool, typer.Option("--no-telemetry", help="Write no events.")] = False,
    thread_ceiling: Annotated[
        int | None, typer.Option(min=1, help="Most hosts at a time; --jobs unless given.", rich_help_panel=_CONCURRENCY)
    ] = None,
    max_workers_per_site: Annotated[
        int | None, typer.Option(min=0, help="Most hosts of one site; 0 for no limit.", rich_help_panel=_CONCURRENCY)
    ] = None,
    max_active_sites: Annotated[
        int | None, typer.Option(min=0, help="Most sites at a time; 0 for no limit.", rich_help_panel=_CONCURRENCY)
    ] = None,
    max_consecutive_site_launches: Annotated[
        int | None,
        typer.Option(min=0, help="Most hosts of a site in a row while others wait; 0 for no limit.",
                     rich_help_panel=_CONCURRENCY),
    ] = None,
    jobs_per_thread: Annotated[
        int | None, typer.Option(min=0, help="Waiting hosts that are worth one more.", rich_help_panel=_CONCURRENCY)
    ] = None,
    min_runspaces: Annotated[
        int | None, typer.Option(min=1, help="Fewest hosts at a time.", rich_help_panel=_CONCURRENCY)
    ] = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Parse raw logs and store what they say: one database a site, one transaction a host.

    A folder is searched for .log and .txt files; a file may hold any number of devices, and a device may be spread over
    files. Logs that are known and stored are skipped. What goes wrong with one host stops no other.
    """
    # Imported here because SQLAlchemy takes longer to import than most other commands take to run.
    from statetrace.ingestion.profile import ConcurrencyOverrides  # noqa: PLC0415
    from statetrace.ingestion.session import SessionOptions  # noqa: PLC0415
    from statetrace.ingestion.snapshots import SNAPSHOT_FOLDER, SnapshotFiles  # noqa: PLC0415
    from statetrace.parsing import ParseMode  # noqa: PLC0415

    if telemetry is not None and no_telemetry:
        raise typer.BadParameter("--telemetry and --no-telemetry exclude each other")
    if skip_site_cache and (import_snapshot or export_snapshot):
        raise typer.BadParameter("--skip-site-cache leaves nothing to import into or to export")
    if not logs.exists():
        raise StateTraceError(
            f"{logs}: no such folder or file; name the raw logs, or make some up with `statetrace corpus {logs}`"
        )
    folder = logs if logs.is_dir() else logs.parent
    options = SessionOptions(
        jobs=jobs,
        overrides=ConcurrencyOverrides(
            thread_ceiling=thread_ceiling,
            max_workers_per_site=max_workers_per_site,
            max_active_sites=max_active_sites,
            max_consecutive_site_launches=max_consecutive_site_launches,
            jobs_per_thread=jobs_per_thread,
            min_runspaces=min_runspaces,
        ),
        mode=ParseMode.PARITY if parity else ParseMode.LOG,
        again=again,
        allow_empty=allow_empty,
        dry_run=dry_run,
        snapshots=SnapshotFiles(
            folder / SNAPSHOT_FOLDER,
            automatic=not no_snapshot,
            import_path=import_snapshot,
            export_path=export_snapshot,
        ),
    )
    # What is not asked for is left to the environment and the settings file.
    asked = {"force_site_cache_refresh": refresh, "skip_site_cache_update": skip_site_cache}
    overrides: dict[str, Any] = {name: True for name, wanted in asked.items() if wanted}
    settings = Settings.load(data, **overrides)
    usual = None if dry_run else folder / TELEMETRY_FOLDER
    events = NO_TELEMETRY if no_telemetry else _telemetry(telemetry or settings.telemetry_directory, usual)
    with statetrace.Engine(data, database=database, settings=settings, telemetry=events) as engine:
        if watch:
            raise typer.Exit(_watch(engine, logs, options, interval, json=json))
        report = _ingest(engine, logs, options)
    if json:
        print_json(report)
    else:
        if not report.hosts and not report.unused_files:
            say(f"{logs} holds no raw logs (.log, .txt)")
        print_report(report)
    raise typer.Exit(report.exit_code)


def _telemetry(asked: Path | None, usual: Path | None) -> Telemetry:
    if asked is not None:
        return Telemetry.to_directory(asked)
    if usual is None:
        return NO_TELEMETRY
    try:
        return Telemetry.to_directory(usual)
    except TelemetryError as error:  # nobody asked for it, and logs may lie where nothing can be written
        say(f"warning: no events are written: {error}")
        return NO_TELEMETRY


def _ingest(engine: Engine, logs: Path | Iterable[Path], options: SessionOptions) -> IngestionReport:
    with IngestProgress() as progress:
        return engine.ingest(logs, options=options, on_start=progress.start, on_outcome=progress.outcome)


def _watch(engine: Engine, place: Path, options: SessionOptions, interval: float, *, json: bool) -> int:
    """Ingest what is there, then what comes; the exit code."""
    watch = LogWatch(place)
    trouble = ""
    try:
        logs = watch.all()
        while True:
            if logs:
                report = _ingest(engine, logs, options)
                _tell_round(report, len(logs), json=json)
                if report.cancelled:
                    return report.exit_code
                options = _later_rounds(options)
            time.sleep(interval)
            try:
                logs = watch.settled()
                trouble = ""
            except OSError as error:  # a folder on another machine comes and goes
                logs = []
                if trouble != (trouble := f"{place}: cannot be listed: {error.strerror or error}"):
                    say(f"warning: {trouble}; trying again every {interval:g} s")
    except KeyboardInterrupt:
        return 0


def _later_rounds(options: SessionOptions) -> SessionOptions:
    """The options of all rounds but the first: they import nothing, and leave one snapshot, not one each."""
    from statetrace.ingestion.snapshots import SnapshotFiles  # noqa: PLC0415

    first = options.snapshots
    if first is None:
        return options
    export = first.export_path or (first.latest if first.automatic else None)
    later = SnapshotFiles(first.directory, automatic=False, export_path=export)
    return msgspec.structs.replace(options, snapshots=later)


def _tell_round(report: IngestionReport, files: int, *, json: bool) -> None:
    if json:
        print_json_line(report)
        return
    typer.echo(f"{time.strftime('%H:%M:%S')}  {counted(files, 'file')}, {summary(report)}")
    for host in report.failed:
        say(f"{host.hostname}: {host.outcome}: {host.message} ({', '.join(host.files)})")
    for file in report.unused_files:
        say(f"{file.path}: {file.reason}")
    for remark in remarks(report):
        say(remark)
