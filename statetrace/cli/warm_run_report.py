"""What a warm run found, as tables and in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from statetrace.cli.output import counted, print_table, say
from statetrace.cli.streams import whoever_reads
from statetrace.cli.verify import print_verification
from statetrace.ingestion.report import DUPLICATE

if TYPE_CHECKING:
    from statetrace.analysis.gates.verification import VerificationReport
    from statetrace.analysis.warm.comparison import Comparison
    from statetrace.analysis.warm.warm_run import WarmRunReport
    from statetrace.ingestion.report import IngestionReport


def print_run(report: WarmRunReport, verdict: VerificationReport, *, as_exported: bool) -> None:
    """The comparison, the files that were not used, the verdict, and where the evidence is."""
    with whoever_reads():
        _print_comparison(report.as_exported if as_exported else report.comparison, report)
        _print_unused_files(report)
        typer.echo()
    with whoever_reads():
        print_verification(verdict)
    say(f"evidence {report.folder}")


def remarks(report: WarmRunReport) -> Iterator[str]:
    """What is worth a line besides: runs that were removed, warnings, and last what was lost of the logs."""
    if report.removed:
        yield f"removed {counted(len(report.removed), 'older run')}: {', '.join(report.removed)}"
    yield from (f"warning: {warning}" for warning in report.warnings)
    failed = {host.hostname for _, one in _passes(report) for host in one.failed}
    unread = {file.path for _, one in _passes(report) for file in one.unused_files if file.unreadable}
    lost = [f"{counted(len(failed), 'host')} failed"] if failed else []
    lost += [f"{counted(len(unread), 'file')} cannot be read"] if unread else []
    if lost:
        yield f"statetrace: {', '.join(lost)}"


def _passes(report: WarmRunReport) -> tuple[tuple[str, IngestionReport], ...]:
    return ("cold", report.cold), ("warm", report.warm)


def _print_unused_files(report: WarmRunReport) -> None:
    unused: dict[tuple[str, str], list[str]] = {}
    for label, one in _passes(report):
        for file in one.unused_files:
            unused.setdefault((file.path, file.reason), []).append(label)
    if unused:
        typer.echo()
        rows = [(path, reason, " and ".join(labels)) for (path, reason), labels in unused.items()]
        print_table(("File", "Why", "Pass"), rows, title="Files not used")


def _print_comparison(compared: Comparison, report: WarmRunReport) -> None:
    rows: tuple[tuple[str, object, object], ...] = (
        ("Hosts", compared.cold_host_count, compared.warm_host_count),
        ("Interface call, mean ms", compared.cold_interface_call_avg_ms, compared.warm_interface_call_avg_ms),
        ("Interface call, 95 % within ms", compared.cold_interface_call_p95_ms, compared.warm_interface_call_p95_ms),
        ("Interface call, longest ms", compared.cold_interface_call_max_ms, compared.warm_interface_call_max_ms),
        *(
            (f"Compared with {provider}", compared.cold_provider_counts.get(provider, 0), number)
            for provider, number in _providers(compared)
        ),
        ("Rows written", _written(report.cold), _written(report.warm)),
        ("Whole pass, ms", report.cold.totals.duration_ms, report.warm.totals.duration_ms),
    )
    print_table(("Pass", "Cold", "Warm"), ((what, _shown(cold), _shown(warm)) for what, cold, warm in rows))
    for label, one in _passes(report):
        if one.hosts and all(host.outcome == DUPLICATE for host in one.hosts):
            logs = "the only log was" if len(one.hosts) == 1 else f"all {len(one.hosts):,} logs were"
            typer.echo(f"{logs} known, so the {label} pass wrote nothing")
    if not compared.warm_host_count:
        return
    hits, misses = compared.warm_cache_provider_hit_count, compared.warm_cache_provider_miss_count
    typer.echo(
        f"{_shown(compared.warm_cache_hit_ratio_percent)} % hits ({counted(hits, 'hit')}, {misses:,} misses), "
        f"{_shown(compared.improvement_percent)} % faster, {counted(compared.warm_rows_changed, 'row')} changed"
    )


def _providers(compared: Comparison) -> list[tuple[str, int]]:
    names = dict.fromkeys((*compared.cold_provider_counts, *compared.warm_provider_counts))
    return [(name, compared.warm_provider_counts.get(name, 0)) for name in names]


def _written(report: IngestionReport) -> int:
    return report.totals.rows_inserted + report.totals.rows_changed + report.totals.rows_deleted


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,.3f}" if isinstance(value, float) else f"{value:,}"
