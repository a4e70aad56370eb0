"""What an ingestion did, as tables and in one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import unified_diff
from itertools import islice
from typing import TYPE_CHECKING

import typer

from statetrace.cli.ingest_progress import in_words
from statetrace.cli.output import counted, print_table, say
from statetrace.ingestion.report import CANCELLED

if TYPE_CHECKING:
    from statetrace.ingestion.report import HostOutcome, IngestionReport, PortChange

_SLOWEST = 5
_MOST_NAMED = 8
_ROWS = {
    "Rows inserted": "rows_inserted",
    "Rows changed": "rows_changed",
    "Rows unchanged": "rows_unchanged",
    "Rows deleted": "rows_deleted",
}


def print_report(report: IngestionReport) -> None:
    """The sites, the slowest hosts, what would change if it was a dry run, what failed, and all remarks."""
    outcomes = tuple(report.totals.outcomes)
    sites: dict[str, list[HostOutcome]] = {}
    for host in report.hosts:
        sites.setdefault(host.site, []).append(host)
    print_table(
        ("Site", "Hosts", *(outcome.replace("_", " ").capitalize() for outcome in outcomes), *_ROWS, "ms"),
        (
            (
                site,
                len(hosts),
                *(sum(host.outcome == outcome for host in hosts) for outcome in outcomes),
                *(sum(getattr(host, field) for host in hosts) for field in _ROWS.values()),
                sum(host.duration_ms for host in hosts),
            )
            for site, hosts in sites.items()
        ),
    )
    if report.dry_run:
        _print_table(
            "What would change",
            ("Host", "Port", "Change", "Column: old -> new"),
            [
                (host.hostname, change.port, change.kind, difference)
                for host in report.hosts
                for change in host.changes
                for difference in _differences(change)
            ],
        )
    else:
        _print_table(
            "The slowest hosts",
            ("Host", "Make", "Outcome", "Provider", "Reason", "ms"),
            [
                (host.hostname, host.make, host.outcome, host.provider, host.provider_reason, host.duration_ms)
                for host in sorted(report.hosts, key=lambda host: -host.duration_ms)[:_SLOWEST]
                if host.make  # of the others nothing was read
            ],
        )
    _print_table(
        "Not ingested",
        ("Host", "Outcome", "Why", "File"),
        [
            (host.hostname, host.outcome, host.message, ", ".join(host.files))
            for host in report.failed
            if host.outcome != CANCELLED  # they may be thousands, all for one reason
        ],
    )
    _print_table("Files not used", ("File", "Why"), [(file.path, file.reason) for file in report.unused_files])
    for remark in remarks(report):
        say(remark)
    say(summary(report))


def remarks(report: IngestionReport) -> Iterator[str]:
    """What is worth a line besides the hosts: warnings, and what became of the snapshots."""
    yield from (f"warning: {warning}" for warning in report.warnings)
    snapshot = report.snapshot
    yield from (f"warning: {message}" for message in snapshot.messages)
    if snapshot.imported:
        yield f"imported {_named(snapshot.imported_sites) or 'nothing'} from {snapshot.imported}"
    if snapshot.exported:
        yield f"exported {_named(snapshot.sites)} to {' and '.join(filter(None, (snapshot.exported, snapshot.latest)))}"


def summary(report: IngestionReport) -> str:
    """The whole session in one line."""
    totals = report.totals
    seconds = totals.duration_ms / 1_000
    rate = f" ({totals.hosts / seconds:,.0f} a second)" if totals.hosts and seconds else ""
    rows = ", ".join(f"{getattr(totals, field):,} {name.removeprefix('Rows ')}" for name, field in _ROWS.items())
    said = "cancelled: " if report.cancelled else ""
    said += "dry run, nothing was written: " if report.dry_run else ""
    return (
        f"{said}{counted(totals.hosts, 'host')} of {counted(totals.sites, 'site')} in {seconds:,.2f} s{rate}"
        f"{': ' if totals.outcomes else ''}{in_words(totals.outcomes)}; rows: {rows}"
    )


def _named(sites: Sequence[str]) -> str:
    return ", ".join(sites) if len(sites) <= _MOST_NAMED else counted(len(sites), "site")


def _print_table(title: str, columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    if rows:
        typer.echo()
        print_table(columns, rows, title=title)


def _differences(change: PortChange) -> Iterator[str]:
    """A line a column; of texts of several lines those that go and those that come."""
    if change.kind != "Changed":
        yield ""
        return
    for column, (old, new) in change.columns.items():
        before, after = old.splitlines(), new.splitlines()
        if len(before) <= 1 and len(after) <= 1:
            yield f"{column}: {old or '(empty)'} -> {new or '(empty)'}"
            continue
        heading_and_lines = unified_diff(before, after, n=0, lineterm="")
        lines = [line for line in islice(heading_and_lines, 2, None) if not line.startswith("@@")]
        yield from (f"{column}: {line}" for line in lines or ("other line ends",))
