"""``statetrace demo``: the whole way of the data on synthetic sites."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from statetrace.cache import read_snapshot
from statetrace.cli.hydrate import STAGES
from statetrace.cli.options import Json, TelemetryDirectory, open_engine
from statetrace.cli.output import print_json, print_table, progress, say
from statetrace.demo import DEMO_SITES, write_site
from statetrace.errors import StateTraceError

if TYPE_CHECKING:
    from statetrace.repository import SiteRead


def demo(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Where to make it; by default a temporary folder that is removed.", show_default=False),
    ] = None,
    telemetry: TelemetryDirectory = None,
    json: Json = False,
) -> None:
    """Make synthetic sites, hydrate them cold and from the cache, and carry them to a fresh process as a snapshot."""
    with ExitStack() as stack:
        kept = folder is not None
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="statetrace-demo-")))
        report = _run(folder, telemetry)
    if json:
        print_json(report)
        return
    _print(report)
    if kept:
        say(f"kept in {folder}; go on with: statetrace show {DEMO_SITES[0].site} --data {folder / 'Data'}")
    else:
        say("Name a folder to keep what was made: statetrace demo FOLDER")


def _run(folder: Path, telemetry: Path | None) -> dict[str, Any]:
    data, snapshot = folder / "Data", folder / "cache.clixml"
    _make_sites(data)
    with open_engine(data, telemetry=telemetry, own_cache=True) as engine:
        sites = [site.site for site in DEMO_SITES]
        cold = [engine.repository.read_site(site) for site in sites]
        cached = [engine.repository.read_site(site) for site in sites]
        started = time.perf_counter()
        engine.cache.export_snapshot(snapshot, sites=sites)
        export_ms = _milliseconds(started)
    return {
        "Folder": str(folder),
        "Cold": _metrics(cold),
        "Cached": _metrics(cached),
        "Snapshot": {
            "Path": str(snapshot),
            "SizeBytes": snapshot.stat().st_size,
            "ContentSha256": read_snapshot(snapshot).content_sha256(),
            "ExportDurationMs": export_ms,
        },
        "FreshProcess": _import_in_fresh_process(snapshot, data),
    }


def _make_sites(data: Path) -> None:
    missing = [site for site in DEMO_SITES if not (data / site.site / f"{site.site}.sqlite").exists()]
    with progress("writing ports", sum(site.hosts * site.ports for site in missing)) as advance:
        for site in missing:
            write_site(data / site.site / f"{site.site}.sqlite", site, advance)


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


def _metrics(reads: list[SiteRead]) -> list[Any]:
    return [msgspec.to_builtins(read.metrics) for read in reads]


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)


def _print(report: dict[str, Any]) -> None:
    pairs = list(zip(report["Cold"], report["Cached"], strict=True))
    columns = [column for cold, _ in pairs for column in (f"{cold['Site']} cold", f"{cold['Site']} cached")]
    fields = {
        "Provider": "Provider",
        "Hosts": "HostCount",
        "Rows": "TotalRows",
        "Rows matched": "HostMapSignatureMatchCount",
        **{f"{stage} ms": _wire_name(field) for stage, field in STAGES.items()},
    }
    print_table(
        ("Stage", *columns),
        ((label, *(_shown(metrics[name]) for pair in pairs for metrics in pair)) for label, name in fields.items()),
    )
    snapshot, fresh = report["Snapshot"], report["FreshProcess"]
    typer.echo()
    print_table(
        ("Snapshot", ""),
        (
            ("Size", f"{snapshot['SizeBytes']:,} bytes"),
            ("Content SHA-256", snapshot["ContentSha256"]),
            ("Export", f"{snapshot['ExportDurationMs']:,.1f} ms"),
            ("Import in a fresh process", f"{fresh['ImportDurationMs']:,.1f} ms"),
            *((f"{site['Site']} there", _served(site)) for site in fresh["Sites"]),
        ),
    )


def _served(site: dict[str, Any]) -> str:
    return f"{site['CacheStatus']}: {site['HostCount']} hosts, {site['TotalRows']:,} rows"


def _wire_name(field: str) -> str:
    return "".join(part.capitalize() for part in field.split("_"))


def _shown(value: object) -> str:
    return f"{value:,.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
