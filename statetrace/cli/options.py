"""Options that several commands share, and what they make."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from statetrace.engine import Engine
from statetrace.errors import DatabaseError, StateTraceError
from statetrace.model import CaseInsensitiveMap
from statetrace.settings import Settings
from statetrace.telemetry import Telemetry

Data = Annotated[
    Path, typer.Option("--data", "-d", help="Data folder with the site databases.", envvar="STATETRACE_DATA")
]
Database = Annotated[
    Path | None, typer.Option("--database", help="One database for all sites, instead of those of the data folder.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
TelemetryDirectory = Annotated[
    Path | None,
    typer.Option(
        "--telemetry",
        help="Write events to day files in this directory; by default STATETRACE_TELEMETRY_DIR, else "
        "Logs/IngestionMetrics beside the data folder if it exists.",
    ),
]


DEFAULT_DATA = Path("Data")


def choose_sites(engine: Engine, names: Sequence[str] | None) -> tuple[list[str], Sequence[StateTraceError]]:
    """The sites that were named, as the databases spell them; else all that are cached or stored.

    The second value tells of databases that might hold more sites but cannot be read.
    """
    unreadable: list[DatabaseError] = []
    stored = engine.repository.sites(failures=unreadable)
    known = CaseInsensitiveMap((site, site) for site in (*engine.cache.sites(), *stored))
    return ([known.get(name, name) for name in names], ()) if names else (list(known), unreadable)


def open_engine(data: Path, database: Path | None = None, telemetry: Path | None = None) -> Engine:
    """The engine for one command."""
    settings = Settings.load(data)
    usual = data.absolute().parent / "Logs" / "IngestionMetrics"
    directory = telemetry or settings.telemetry_directory or (usual if usual.is_dir() else None)
    return Engine(
        data,
        database=database,
        settings=settings,
        telemetry=None if directory is None else Telemetry.to_directory(directory),
    )
