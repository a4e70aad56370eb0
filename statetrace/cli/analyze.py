"""``statetrace analyze``: what telemetry tells, one question a command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from statetrace.analysis.documents import read_document
from statetrace.analysis.events import Selection, WireEvent
from statetrace.analysis.reports.diff_hotspots import (
    diff_hotspots,
    export_at,
    hotspot_sites,
    hotspots_csv,
    warm_run_rows,
)
from statetrace.analysis.reports.diversity_comparison import compare_diversity, comparison_markdown
from statetrace.analysis.reports.port_batches import PortBatches, compare_port_batches
from statetrace.analysis.reports.port_diversity import MAX_CONSECUTIVE, PortDiversity
from statetrace.analysis.reports.provider_reasons import ProviderReasons
from statetrace.analysis.reports.queue_delay import QueueDelays, QueueDelayThresholds
from statetrace.analysis.reports.scheduler_launches import MAX_STREAK, SchedulerLaunches
from statetrace.analysis.reports.store_state import StoreStates
from statetrace.analysis.reports.sync_timing import SyncTiming
from statetrace.cli import analyze_columns as columns
from statetrace.cli.integrity import integrity
from statetrace.cli.options import Json
from statetrace.cli.output import counted, say
from statetrace.cli.telemetry import (
    From,
    Output,
    Sites,
    Sources,
    Table,
    To,
    Top,
    fail_unless,
    files_at,
    first,
    give,
    milliseconds,
    read,
    say_if_none,
    say_if_unknown,
    selection,
    write_text,
)
from statetrace.errors import TelemetryError

app = typer.Typer(help="Ask telemetry, the original's as well as ours.", no_args_is_help=True)

_LIMITS = QueueDelayThresholds()


@app.command("store-state")
def store_state(
    telemetry: Sources,
    start: From = None,
    end: To = None,
    sites: Sites = None,
    top: Top = 10,
    output: Output = None,
    json: Json = False,
) -> None:
    """Count what was asked of the shared cache: by file, and by site."""
    files, chosen = files_at(telemetry), selection(start, end, sites)
    states = StoreStates(top, chosen, files)
    # It chooses the sites by itself: much of what it needs names none.
    read(files, Selection(chosen.start, chosen.end), states, sites=sorted(chosen.sites))
    records = states.result()
    by_site = (
        Table(
            columns.SITE_OPERATIONS,
            record.top_sites,
            record.file,
            more=len(record.site_operations) - len(record.top_sites),
        )
        for record in records
    )
    give(records, Table(columns.FILES, records), *by_site, output=output, json=json)


@app.command("provider-reasons")
def provider_reasons(
    telemetry: Sources,
    start: From = None,
    end: To = None,
    sites: Sites = None,
    top: Top = 10,
    output: Output = None,
    json: Json = False,
) -> None:
    """Count why hosts got rows from where they got them; list the hosts whose site was refreshed."""
    reasons = ProviderReasons(top_hosts=0)
    read(files_at(telemetry), selection(start, end, sites), reasons)
    found = reasons.result()
    refreshed = first(top, columns.HOST_REASONS, reasons.hosts(), "Refreshed hosts")
    give(found, Table(columns.site_reasons(reasons), found), refreshed, output=output, json=json)
    say_if_none(len(found), reasons)


@app.command("sync-timing")
def sync_timing(
    telemetry: Sources,
    start: From = None,
    end: To = None,
    sites: Sites = None,
    top: Top = 10,
    output: Output = None,
    json: Json = False,
) -> None:
    """Show where the time of a host's synchronisation goes, in milliseconds.

    The document has the original's stages, the tables have all that took time, and hosts with the sums of their runs.
    """
    files = files_at(telemetry)
    timing = SyncTiming(top)
    read(files, selection(start, end, sites), timing)
    report = timing.result([str(file) for file in files])
    stages, of_all = timing.stages(), report.global_stats
    durations = (of_all.ui_clone, of_all.stream_dispatch, of_all.diff_duration, of_all.site_cache_update)
    give(
        report,
        Table(columns.STATS, [stats for stats in durations if stats.maximum]),
        Table(columns.STATS, stages, "Stages, where they took time"),
        Table(columns.site_stages(report.site_breakdown), report.site_breakdown),
        first(top, columns.host_stages([stage.name for stage in stages]), timing.host_stages()),
        output=output,
        json=json,
    )
    say_if_none(report.event_count, timing)


@app.command("port-batches")
def port_batches(
    telemetry: Sources,
    start: From = None,
    end: To = None,
    sites: Sites = None,
    hosts: Annotated[bool, typer.Option("--hosts", help="Tell of each host as well.")] = False,
    top: Top = 10,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="An earlier report, as --output wrote it, to compare with.")
    ] = None,
    output: Output = None,
    json: Json = False,
) -> None:
    """Show how many rows were handed over in batches, how fast, and what that cost.

    The document lists all hosts, the table those with most rows.
    """
    files = files_at(telemetry)
    batches = PortBatches(hosts)
    read(files, selection(start, end, sites), batches)
    report = batches.result([str(file) for file in files])
    summary, work = report.port_batch_summary, report.interface_sync_summary
    changes = [] if baseline is None else compare_port_batches(report, _report(baseline))
    document = report if baseline is None else {**msgspec.to_builtins(report), "ComparisonMetrics": changes}
    give(
        document,
        Table(columns.BATCHES, [summary]),
        Table(columns.MEASURED, (summary.batch_interval_ms, work.ui_clone, work.stream_dispatch, work.diff_duration)),
        first(top, columns.HOST_BATCHES, report.host_breakdown or []),
        Table(columns.CHANGES, changes),
        output=output,
        json=json,
    )
    say_if_none(summary.event_count + work.sample_count, batches)


@app.command("scheduler")
def scheduler(
    telemetry: Sources,
    start: From = None,
    end: To = None,
    sites: Sites = None,
    max_streak: Annotated[
        int, typer.Option("--max-streak", min=1, help="Launches of one site in a row that are still fair.")
    ] = MAX_STREAK,
    top: Top = 10,
    output: Output = None,
    json: Json = False,
) -> None:
    """Show how fairly sites got their turn when jobs were launched; exits with 3 if one got too many in a row.

    So it does if there were no launches. The document lists all sites, the table those with most launches.
    """
    files = files_at(telemetry)
    launches = SchedulerLaunches(max_streak)
    read(files, selection(start, end, sites), launches)
    report = launches.result([str(file) for file in files])
    give(
        report,
        first(top, columns.LAUNCHES, report.site_summaries),
        Table(columns.MEASURED, list(report.metrics.values()) if report.total_launch_events else []),
        output=output,
        json=json,
    )
    say_if_none(report.total_launch_events, launches)
    fail_unless(
        report.passed,
        (
            f"site {streak.site}: {streak.count} launches in a row, {max_streak} are fair"
            for streak in report.violations
        ),
    )


@app.command("port-diversity")
def port_diversity(
    telemetry: Sources,
    start: From = None,
    end: To = None,
    sites: Sites = None,
    max_streak: Annotated[
        int, typer.Option("--max-streak", min=1, help="Batches of one site in a row that are still diverse.")
    ] = MAX_CONSECUTIVE,
    ignore_synthesized: Annotated[
        bool, typer.Option("--ignore-synthesized", help="Leave out batches that were made up afterwards.")
    ] = False,
    top: Top = 10,
    output: Output = None,
    json: Json = False,
) -> None:
    """Show whether sites got their port batches in turn; exits with 3 if one got too many in a row.

    So it does if there were no batches. The document lists all sites, the table those with the longest streaks.
    """
    files, chosen = files_at(telemetry), selection(start, end, sites)
    diversity = PortDiversity(max_streak, ignore_synthesized)
    read(files, chosen, diversity)
    report = diversity.result(", ".join(map(str, files)), chosen)
    give(report, first(top, columns.STREAKS, report.site_streaks), output=output, json=json)
    wrong = [
        f"site {streak.site}: {streak.max_count} batches in a row, {max_streak} are allowed"
        for streak in report.site_streaks
        if streak.max_count > max_streak
    ]
    fail_unless(report.passed, [f"no port batches to look at: {report.skip_reason}"] if report.skipped else wrong)


@app.command("compare-diversity")
def compare_diversity_command(
    launches: Annotated[Path, typer.Argument(help="What scheduler wrote with --output.", metavar="SCHEDULER")],
    batches: Annotated[Path, typer.Argument(help="What port-diversity wrote likewise.", metavar="PORT_DIVERSITY")],
    top: Top = 10,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", help="Also write the sites as a Markdown table.", dir_okay=False)
    ] = None,
    output: Output = None,
    json: Json = False,
) -> None:
    """Compare a report on launches with one on port batches: who got more batches in a row than launches.

    The reports may be the original's.
    """
    comparison = compare_diversity(_report(launches), _report(batches))
    if markdown is not None:
        write_text(markdown, comparison_markdown(comparison))
    give(comparison, first(top, columns.COMPARISON, comparison.sites), output=output, json=json)
    if comparison.mismatch_count:
        severity = "warning" if comparison.mismatch_classification == "Warning" else "statetrace"
        say(f"{severity}: {counted(comparison.mismatch_count, 'site')} with more batches in a row than launches")
    if comparison.input_mismatch_detail:
        say(f"warning: {comparison.input_mismatch_detail}")


@app.command("diff-hotspots")
def diff_hotspots_command(
    exports: Annotated[
        list[Path],
        typer.Argument(
            help="Warm-run exports: JSON arrays, or a row a line; or folders that hold one.", metavar="EXPORT"
        ),
    ],
    start: From = None,
    end: To = None,
    sites: Sites = None,
    min_ms: Annotated[
        float,
        typer.Option("--min-ms", parser=milliseconds, metavar="MS", help="Leave out hosts whose comparison took less."),
    ] = 0.0,
    top: Top = 20,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the hosts to this file, as CSV.", dir_okay=False)
    ] = None,
    json: Json = False,
) -> None:
    """List the hosts of a warm pass whose comparison of rows took longest."""
    files = [export_at(export) for export in exports]
    rows = [WireEvent("", row) for file in files for row in warm_run_rows(file)]
    chosen = selection(start, end, sites)
    found = diff_hotspots((row.fields for row in chosen.of(rows)), top=0, minimum_ms=min_ms)
    hotspots = found[: top or None]
    if output is not None and hotspots:
        write_text(output, hotspots_csv(hotspots))
    by_site = Table(columns.HOTSPOT_SITES, hotspot_sites(hotspots))
    give(hotspots, first(top, columns.HOTSPOTS, found), by_site, output=None, json=json)
    say_if_unknown(chosen.sites, (row.site for row in rows if row.site))
    if not hotspots:
        unwritten = "" if output is None else f", so {output} is not written"
        say(f"statetrace: no row of a warm pass that counts tells how long the comparison took{unwritten}")


@app.command("queue-delay")
def queue_delay(
    telemetry: Sources,
    start: From = None,
    end: To = None,
    sites: Sites = None,
    min_events: Annotated[
        int, typer.Option("--min-events", min=1, help="Fewest delays that allow a verdict.")
    ] = _LIMITS.minimum_event_count,
    max_p95: Annotated[
        float,
        typer.Option(
            "--max-p95",
            parser=milliseconds,
            metavar="MS",
            help="Largest 95th percentile, in milliseconds; below 0 for no limit.",
        ),
    ] = _LIMITS.maximum_queue_delay_p95_ms,
    max_p99: Annotated[
        float,
        typer.Option("--max-p99", parser=milliseconds, metavar="MS", help="Largest 99th percentile, likewise."),
    ] = _LIMITS.maximum_queue_delay_p99_ms,
    output: Output = None,
    json: Json = False,
) -> None:
    """Hold the delays of port queues against limits; exits with 3 if they break them or are too few to tell."""
    files = files_at(telemetry)
    delays = QueueDelays()
    read(files, selection(start, end, sites), delays)
    report = delays.result(QueueDelayThresholds(min_events, max_p95, max_p99), [str(file) for file in files])
    measured = (report.statistics.queue_build_delay_ms, report.statistics.queue_build_duration_ms)
    give(report, Table(columns.STATS, [stats for stats in measured if stats]), output=output, json=json)
    say(f"queue delay: {report.result}")
    fail_unless(report.passed, report.messages)


app.command("integrity")(integrity)


def _report(path: Path) -> dict[str, Any]:
    document = read_document(path)
    if not isinstance(document, dict):
        raise TelemetryError(f"{path} is no report: it is no JSON object")
    return document
