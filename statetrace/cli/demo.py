"""``statetrace demo``: the whole way of the data on synthetic logs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from statetrace.cache import read_snapshot
from statetrace.cli.hydrate import STAGES, measured_reads
from statetrace.cli.options import Json, TelemetryDirectory, open_engine
from statetrace.cli.output import print_json, print_table, progress, say
from statetrace.errors import StateTraceError

if TYPE_CHECKING:
    from statetrace.engine import Engine
    from statetrace.ingestion.corpus import CorpusPlan
    from statetrace.ingestion.report import IngestionReport

_FROM_CACHE = ("Cache", "SharedCache")


def demo(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Where to make it; by default a temporary folder that is removed.",
            metavar="FOLDER",
            show_default=False,
            file_okay=False,
        ),
    ] = None,
    telemetry: TelemetryDirectory = None,
    json: Json = False,
) -> None:
    """Make up raw logs of 37 switches, ingest them in four passes, read the sites back and carry them elsewhere.

    Cold, then all logs again with a warm cache, then as they are, then with one percent of the ports changed. What
    lies in the databases then is hydrated, read again from the cache, exported as a snapshot, and imported by a fresh
    process; the stages of the three are shown side by side.
    """
    with ExitStack() as stack:
        kept = folder is not None
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="statetrace-demo-")))
        report = _run(folder, telemetry)
    if json:
        print_json(report)
        return
    _print(report)
    if not kept:
        say("Name a folder to keep what was made: statetrace demo FOLDER")
        return
    logs, data = folder / "Logs", folder / "Data"
    say(f"raw logs {logs}, databases {data}, snapshot {report['Snapshot']['Path']}, events {logs / 'IngestionMetrics'}")
    say(f"go on with: statetrace show {report['Hydration']['Cold'][0]['Site']} --data {data}")
    say(f"or with logs of your own: statetrace ingest LOGS --data {data}")


def _run(folder: Path, telemetry: Path | None) -> dict[str, Any]:
    from statetrace.ingestion.corpus import CorpusPlan  # noqa: PLC0415

    logs, data, snapshot = folder / "Logs", folder / "Data", folder / "cache.clixml"
    plan = CorpusPlan.original_shape()
    sites = [site.site for site in plan.sites]
    _begin_anew(logs, data, plan)
    (logs / "IngestionMetrics").mkdir(exist_ok=True)
    with open_engine(data, telemetry=telemetry, own_cache=True) as engine:
        passes = _ingest(engine, logs, plan)
        engine.cache.clear("the demo hydrates with an empty cache")
        cold, cached = (measured_reads(engine, sites) for _ in range(2))
        started = time.perf_counter()
        engine.cache.export_snapshot(snapshot, sites=sites)
        export_ms = _milliseconds(started)
    fresh = _import_in_fresh_process(snapshot, data)
    return {
        "Folder": str(folder),
        "Passes": passes,
        "Hydration": {"Cold": cold, "Cached": cached, "Imported": fresh.pop("Sites")},
        "Snapshot": {
            "Path": str(snapshot),
            "SizeBytes": snapshot.stat().st_size,
            "ContentSha256": read_snapshot(snapshot).content_sha256(),
            "ExportDurationMs": export_ms,
        },
        "FreshProcess": fresh,
    }


def _begin_anew(logs: Path, data: Path, plan: CorpusPlan) -> None:
    """Write the logs, and remove what an earlier demo made of them; never what somebody else made.

    Raises:
        StateTraceError: the folder holds logs or databases that are no demo's.
    """
    from statetrace.database.locations import HISTORY_FOLDER  # noqa: PLC0415
    from statetrace.ingestion.corpus.writing import PLAN_FILE  # noqa: PLC0415

    made = [
        path
        for site in plan.sites
        for path in (
            *(data / site.site / f"{site.site}.sqlite{part}" for part in ("", "-wal", "-shm")),
            data / HISTORY_FOLDER / f"{site.site}.json",
        )
        if path.exists()
    ]
    if made and not (logs / PLAN_FILE).exists():
        raise StateTraceError(f"{made[0]} was not made by a demo; choose another folder")
    _write_logs(logs, plan)
    for path in made:
        path.unlink()


def _write_logs(logs: Path, plan: CorpusPlan) -> None:
    from statetrace.ingestion.corpus import write_corpus  # noqa: PLC0415

    with progress("writing logs", plan.hosts) as advance:
        write_corpus(logs, plan, progress=advance)


def _ingest(engine: Engine, logs: Path, plan: CorpusPlan) -> list[dict[str, Any]]:
    from statetrace.ingestion.session import SessionOptions  # noqa: PLC0415

    passes = [
        _told("Cold", "nothing is there", engine.ingest(logs)),
        _told("Warm", "the same again", engine.ingest(logs, options=SessionOptions(again=True))),
        _told("Unchanged", "known logs", engine.ingest(logs)),
    ]
    _write_logs(logs, msgspec.structs.replace(plan, generation=2))
    changed = f"{plan.change_percent:g} % of ports"
    return [*passes, _told("Changed", changed, engine.ingest(logs))]


def _told(name: str, what: str, report: IngestionReport) -> dict[str, Any]:
    if report.failed:
        host = report.failed[0]
        raise StateTraceError(f"{host.hostname}: {host.outcome}: {host.message}")
    totals = report.totals
    providers = Counter(host.provider for host in report.hosts if host.provider)
    hits = sum(providers[provider] for provider in _FROM_CACHE)
    return {
        "Pass": name,
        "What": what,
        "Hosts": totals.hosts,
        "Outcomes": totals.outcomes,
        "RowsInserted": totals.rows_inserted,
        "RowsChanged": totals.rows_changed,
        "RowsUnchanged": totals.rows_unchanged,
        "RowsDeleted": totals.rows_deleted,
        "ProviderCounts": dict(providers),
        "HitRatioPercent": round(100 * hits / providers.total(), 2) if providers else None,
        "DurationMs": totals.duration_ms,
        "MsPerHost": round(totals.duration_ms / totals.hosts, 3),
    }


def _import_in_fresh_process(snapshot: Path, data: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "statetrace", "snapshot", "import", str(snapshot), "--data", str(data), "--json"]
    started = time.perf_counter()
    environment = {name: value for name, value in os.environ.items() if not _steers_the_cache(name)}
    finished = subprocess.run(command, capture_output=True, check=False, env=environment)  # noqa: S603  # ourselves
    if finished.returncode != 0:
        reason = finished.stderr.decode(errors="replace").strip()
        raise StateTraceError(f"a fresh process could not import {snapshot}: {reason}")
    return {"ProcessDurationMs": _milliseconds(started), **msgspec.json.decode(finished.stdout)}


def _steers_the_cache(variable: str) -> bool:
    return variable.startswith("STATETRACE_") and "CACHE" in variable


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)


def _print(report: dict[str, Any]) -> None:
    passes = report["Passes"]
    outcomes = dict.fromkeys(outcome for told in passes for outcome in told["Outcomes"])
    providers = dict.fromkeys(provider for told in passes for provider in told["ProviderCounts"])
    print_table(
        ("Ingestion", *(told["Pass"] for told in passes)),
        (
            _line("What", (told["What"] for told in passes)),
            _line("Hosts", (told["Hosts"] for told in passes)),
            *(
                _line(f"  {outcome.replace('_', ' ')}", (told["Outcomes"].get(outcome, 0) for told in passes))
                for outcome in outcomes
            ),
            *(
                _line(f"Rows {happened.lower()}", (told[f"Rows{happened}"] for told in passes))
                for happened in ("Inserted", "Changed", "Unchanged", "Deleted")
            ),
            *(
                _line(f"Compared with {provider}", (told["ProviderCounts"].get(provider, 0) for told in passes))
                for provider in providers
            ),
            _line("Cache hits %", (told["HitRatioPercent"] for told in passes)),
            _line("ms", (told["DurationMs"] for told in passes)),
            _line("ms a host", (told["MsPerHost"] for told in passes)),
        ),
    )
    typer.echo()
    _print_hydration(report["Hydration"])
    snapshot, fresh = report["Snapshot"], report["FreshProcess"]
    typer.echo()
    print_table(
        ("Snapshot", ""),
        (
            ("Size", f"{snapshot['SizeBytes']:,} bytes"),
            ("Content SHA-256", snapshot["ContentSha256"]),
            ("Export", f"{snapshot['ExportDurationMs']:,.1f} ms"),
            ("Import in a fresh process", f"{fresh['ImportDurationMs']:,.1f} ms"),
        ),
    )


def _print_hydration(ways: dict[str, list[dict[str, Any]]]) -> None:
    """The stages of reading all sites cold, cached and imported, each the sum of the sites."""

    def words(label: str, field: str) -> tuple[str, ...]:
        return _line(label, (", ".join(dict.fromkeys(read[field] for read in reads)) for reads in ways.values()))

    def sums(label: str, field: str) -> tuple[str, ...]:
        # What was not done took no time: only a read of a database has stages.
        totals = (sum(read[field] for read in reads) for reads in ways.values())
        return _line(label, (None if total == 0 else total for total in totals))

    print_table(
        ("Hydration", *ways),
        (
            words("Sites", "Site"),
            words("Status", "CacheStatus"),
            words("Provider", "Provider"),
            sums("Hosts", "HostCount"),
            sums("Rows", "TotalRows"),
            *(sums(f"{stage} ms", field) for stage, field in STAGES.items()),
            sums("Whole read ms", "ReadDurationMs"),
        ),
    )


def _line(label: str, values: Iterable[object]) -> tuple[str, ...]:
    return label, *map(_shown, values)


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
