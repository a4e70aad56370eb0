"""``statetrace warm-run``: the same logs cold and warm, compared and judged."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from statetrace.analysis.warm.evidence import INCOMPLETE
from statetrace.analysis.warm.pass_start import HistorySeed, WarmCache
from statetrace.cli.ingest import TELEMETRY_FOLDER
from statetrace.cli.ingest_progress import IngestProgress
from statetrace.cli.options import DEFAULT_DATA, Json, NewDatabase, Parity
from statetrace.cli.output import counted, print_json, say
from statetrace.cli.streams import whoever_reads
from statetrace.cli.telemetry import GATE_FAILED
from statetrace.cli.verify import AllowNoData, ThresholdsFile, limits
from statetrace.cli.warm_run_report import print_run, remarks
from statetrace.errors import StateTraceError
from statetrace.settings import Settings

if TYPE_CHECKING:
    from statetrace.analysis.warm.warm_run import WarmRun

_INTERRUPTED = 130
_PASSES = "The passes"
_COMPARISON = "The comparison"
_SKIP_SOURCES = {
    "Module": "SkipSiteCacheUpdate of the settings file",
    "Environment": "STATETRACE_SKIP_SITECACHE_UPDATE",
}


def warm_run(
    logs: Annotated[
        Path, typer.Argument(help="The folder of raw logs, or one raw log.", metavar="LOGS", readable=False)
    ],
    in_place: Annotated[
        bool,
        typer.Option("--in-place", help="Work with the databases of --data, which keep what the passes store: rows, "
                     "and histories that grow with each pass. Files that lock them may be made beside them. By default "
                     "with databases made for the run."),
    ] = False,
    data: Annotated[
        Path, typer.Option("--data", "-d", help="Data folder of --in-place. In any case its settings hold, and "
                           "Snapshot and WarmBackup are of its history.",
                           envvar="STATETRACE_DATA", file_okay=False),
    ] = DEFAULT_DATA,
    database: NewDatabase = None,
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="Read every site anew between the passes.", rich_help_panel=_PASSES),
    ] = False,
    cold_history: Annotated[
        HistorySeed,
        typer.Option(help="What the cold pass knows of earlier ingestions; of use with --in-place.",
                     rich_help_panel=_PASSES),
    ] = HistorySeed.EMPTY,
    warm_history: Annotated[
        HistorySeed, typer.Option(help="What the warm pass knows of them.", rich_help_panel=_PASSES)
    ] = HistorySeed.EMPTY,
    warm_cache: Annotated[
        WarmCache,
        typer.Option(help="What the warm pass begins with: the snapshot that the cold pass left, the cold pass's own "
                     "cache, or nothing.", rich_help_panel=_PASSES),
    ] = WarmCache.SNAPSHOT,
    snapshot: Annotated[
        Path | None,
        typer.Option("--snapshot", help="A snapshot for the warm pass in place of the cold one's.", exists=True,
                     dir_okay=False, rich_help_panel=_PASSES),
    ] = None,
    warm_logs: Annotated[
        Path | None,
        typer.Option("--warm-logs", help="Other logs for the warm pass.", exists=True, rich_help_panel=_PASSES),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, help="Processes that work at a time.", rich_help_panel=_PASSES)
    ] = 1,
    keep_skip: Annotated[
        bool,
        typer.Option("--keep-skip-setting", help="Leave the site cache alone if the settings say so.",
                     rich_help_panel=_PASSES),
    ] = False,
    parity: Parity = False,
    host: Annotated[
        list[str] | None,
        typer.Option("--host", help="Compare these hosts only, joined by commas; may be repeated. The gates "
                     "judge all hosts.",
                     rich_help_panel=_COMPARISON),
    ] = None,
    hosts_file: Annotated[
        Path | None,
        typer.Option("--hosts-file", help="A file with such hosts.", exists=True, dir_okay=False,
                     rich_help_panel=_COMPARISON),
    ] = None,
    partial_hosts: Annotated[
        bool, typer.Option("--partial-hosts", help="Let some of them be missing.", rich_help_panel=_COMPARISON)
    ] = False,
    as_exported: Annotated[
        bool,
        typer.Option("--as-exported", help="Count as the original's export does, row by row, not host by host; so does "
                     "the comparison in the export and its summary then.",
                     rich_help_panel=_COMPARISON),
    ] = False,
    thresholds: ThresholdsFile = None,
    allow_no_data: AllowNoData = None,
    telemetry: Annotated[
        Path | None,
        typer.Option("--telemetry", help="Where the folder Run-… with the evidence is made; by default "
                     "STATETRACE_TELEMETRY_DIR, else LOGS/IngestionMetrics."),
    ] = None,
    skip_preflight: Annotated[
        bool, typer.Option("--skip-preflight", help="Do not look whether the telemetry that is there can be read.")
    ] = False,
    keep: Annotated[
        int | None,
        typer.Option("--keep", min=1, help="Keep the evidence of so many runs there, and remove that of older ones; "
                     "by default all.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Ingest logs twice, with an empty cache and with the one that the first pass left, and hold the gates against it.

    The evidence is written first: events by pass, rows and summary in the original's form, the verdict. Exits with 3 if
    a gate failed; `statetrace explain HOST RUN` tells why a host was no hit. History and settings are not touched.

    Interrupted, it exits with 130 and leaves the folder with a file INCOMPLETE.
    """
    # Imported here because SQLAlchemy takes longer to import than most other commands take to run.
    from statetrace.analysis.documents import write_document  # noqa: PLC0415
    from statetrace.analysis.gates.verification import verify_telemetry  # noqa: PLC0415
    from statetrace.analysis.warm.host_lists import listed_hosts  # noqa: PLC0415
    from statetrace.analysis.warm.warm_run import WarmRun, WarmRunOptions  # noqa: PLC0415
    from statetrace.database.locations import HISTORY_FOLDER  # noqa: PLC0415
    from statetrace.parsing import ParseMode  # noqa: PLC0415

    if not logs.exists():
        raise StateTraceError(
            f"{logs}: no such folder or file; name the raw logs, or make some up with `statetrace corpus {logs}`"
        )
    if database is not None and not in_place:
        raise typer.BadParameter("--database needs --in-place")
    if snapshot is not None and warm_cache is not WarmCache.SNAPSHOT:
        raise typer.BadParameter(f"--snapshot is of no use with --warm-cache {warm_cache}")
    wanted = limits(thresholds, allow_no_data)
    settings = Settings.load(data)
    for remark in _in_force(settings, keep_skip=keep_skip):
        say(remark)
    folder = logs if logs.is_dir() else logs.parent
    with IngestProgress() as progress:
        job = WarmRun(
            logs,
            telemetry or settings.telemetry_directory or folder / TELEMETRY_FOLDER,
            WarmRunOptions(
                cold_history=cold_history,
                warm_history=warm_history,
                refresh=refresh,
                warm_cache=warm_cache,
                snapshot=snapshot,
                warm_logs=warm_logs,
                jobs=jobs,
                mode=ParseMode.PARITY if parity else ParseMode.LOG,
                hosts=listed_hosts(host or (), hosts_file),
                partial_hosts=partial_hosts,
                as_exported=as_exported,
                preserve_skip=keep_skip,
                preflight=not skip_preflight,
                keep=keep,
            ),
            data=data if in_place else None,
            database=database,
            history=data / HISTORY_FOLDER,
            settings=settings,
            on_pass=lambda _, hosts: progress.start(hosts),
            on_outcome=progress.outcome,
        )
        with _interruptible(job):
            report = job.run()
    run = Path(report.folder)
    verdict = verify_telemetry(run, thresholds=wanted)
    write_document(run / "Verification.json", verdict)
    if json:
        with whoever_reads():
            print_json({**msgspec.to_builtins(report), "Verification": verdict})
    else:
        print_run(report, verdict, as_exported=as_exported)
    for remark in remarks(report):
        say(remark)
    raise typer.Exit(max(report.cold.exit_code, report.warm.exit_code) if verdict.passed else GATE_FAILED)


def _in_force(settings: Settings, *, keep_skip: bool) -> Iterator[str]:
    """What the environment and the settings file say of the cache, which a run obeys or not."""
    if not settings.shared_cache_enabled:
        yield "in force: STATETRACE_DISABLE_SHARED_CACHE: every look-up is a miss"
    if settings.shared_cache_max_rows is not None:
        bound = counted(settings.shared_cache_max_rows, "row")
        yield f"in force: STATETRACE_SHARED_CACHE_MAX_ROWS: the cache drops sites beyond {bound}"
    if settings.force_site_cache_refresh:
        yield "in force: STATETRACE_FORCE_SITE_CACHE_REFRESH: every site is read anew"
    if settings.shared_cache_snapshot is not None:
        yield "not in force here: STATETRACE_SHARED_CACHE_SNAPSHOT: the cold pass begins with an empty cache"
    if settings.skip_site_cache_update:
        said = " and ".join(_SKIP_SOURCES.get(source, source) for source in settings.skip_sources)
        if keep_skip:
            yield f"in force: {said}: the passes do without the cache"
        else:
            yield f"not in force here: {said}: the passes use the cache; --keep-skip-setting obeys it"


@contextmanager
def _interruptible(job: WarmRun) -> Iterator[None]:
    """Within the block SIGTERM is the same as Ctrl-C, and what is left then is told."""
    ours = os.getpid()

    def terminate(number: int, frame: FrameType | None) -> None:
        if os.getpid() != ours:  # a worker process, which its session ends
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        interrupt = signal.getsignal(signal.SIGINT)  # of a session: to end after the hosts that are at work
        (interrupt if callable(interrupt) else signal.default_int_handler)(signal.SIGINT, frame)

    in_main_thread = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, terminate) if in_main_thread else None
    try:
        yield
    except KeyboardInterrupt:
        incomplete = job.folder is not None and (job.folder / INCOMPLETE).exists()
        say(f"interrupted; {job.folder} is incomplete and can be removed" if incomplete else "interrupted")
        raise typer.Exit(_INTERRUPTED) from None
    finally:
        if in_main_thread:
            signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
