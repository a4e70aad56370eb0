"""Options that several commands share, and what they make."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import statetrace
from statetrace.cache import SharedSiteCache
from statetrace.cli.output import progress
from statetrace.errors import DatabaseError, StateTraceError
from statetrace.model import CaseInsensitiveMap
from statetrace.settings import Settings
from statetrace.telemetry import Telemetry

if TYPE_CHECKING:
    from statetrace.engine import Engine
    from statetrace.repository import SiteRead

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")  # two letters at least: one is a drive
_SQLITE_FILE = re.compile(r"(?i:sqlite:///)([^?#]+)")


def database_file(text: str) -> Path:
    """The file that ``--database`` names, as a path or as ``sqlite:///PATH``; it need not exist.

    Raises:
        typer.BadParameter: an address of another kind, or something that cannot be a file.
    """
    if scheme := _SCHEME.match(text):
        if not (url := _SQLITE_FILE.fullmatch(text)):
            raise typer.BadParameter(
                f"{scheme[0]} cannot be used here: name a file (.sqlite, .accdb), or sqlite:///PATH without parameters"
            )
        text = url[1]
    if not text.strip() or "\0" in text:
        raise typer.BadParameter("it is empty: name a file")
    if (path := Path(text)).is_dir():
        raise typer.BadParameter(f"{path} is a folder: name a file, or use --data")
    return path


def existing_database(text: str) -> Path:
    """``database_file`` for commands that only read.

    Raises:
        typer.BadParameter: likewise, and for a file that does not exist.
    """
    if not (path := database_file(text)).exists():
        raise typer.BadParameter(f"{path} does not exist")
    return path


Data = Annotated[
    Path,
    typer.Option(
        "--data", "-d", help="Data folder with the site databases.", envvar="STATETRACE_DATA", file_okay=False
    ),
]
Database = Annotated[
    Path | None,
    typer.Option(
        "--database",
        help="One database for all sites, instead of those of the data folder: a path or sqlite:///PATH.",
        metavar="FILE",
        parser=existing_database,
    ),
]
NewDatabase = Annotated[
    Path | None,
    typer.Option(
        "--database",
        help="One database for all sites, made when missing, instead of one a site: a path or sqlite:///PATH.",
        metavar="FILE",
        parser=database_file,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
Parity = Annotated[
    bool, typer.Option("--parity", help="Read logs as the original does, defects included, to compare with its rows.")
]
TelemetryDirectory = Annotated[
    Path | None,
    typer.Option(
        "--telemetry",
        help="Write events to day files in this directory; by default STATETRACE_TELEMETRY_DIR, else "
        "Logs/IngestionMetrics beside the data folder if it exists.",
    ),
]


DEFAULT_DATA = Path("Data")
_OWN_CACHE: dict[str, Any] = {
    "shared_cache_enabled": True,
    "shared_cache_max_rows": None,
    "shared_cache_snapshot": None,
    "force_site_cache_refresh": False,
    "skip_site_cache_update": False,
    "existing_row_snapshot": None,
}


def choose_sites(engine: Engine, names: Sequence[str] | None) -> tuple[list[str], Sequence[StateTraceError]]:
    """The sites that were named, as the databases spell them; else all that are cached or stored.

    The second value tells of databases that might hold more sites but cannot be read.
    """
    unreadable: list[DatabaseError] = []
    stored = engine.repository.sites(failures=unreadable)
    known = CaseInsensitiveMap((site, site) for site in (*engine.cache.sites(), *stored))
    return ([known.get(name, name) for name in names], ()) if names else (list(known), unreadable)


def read_sites(
    engine: Engine, sites: Sequence[str], *, refresh: bool = False
) -> tuple[list[tuple[str, SiteRead]], list[StateTraceError]]:
    """The sites as read, and what went wrong with those that could not be."""
    reads: list[tuple[str, SiteRead]] = []
    failures: list[StateTraceError] = []
    with progress("hydrating", len(sites)) as advance:
        for site in sites:
            try:
                reads.append((site, engine.repository.read_site(site, refresh=refresh)))
            except StateTraceError as failure:
                failures.append(failure)
            advance()
    return reads, failures


def open_engine(
    data: Path, database: Path | None = None, telemetry: Path | None = None, *, own_cache: bool = False
) -> Engine:
    """The engine for one command.

    With ``own_cache`` its cache starts empty and takes every row, whatever the environment says of the shared one: for
    commands whose result must be all that the databases hold.
    """
    settings = Settings.load(data, **(_OWN_CACHE if own_cache else {}))
    usual = data.absolute().parent / "Logs" / "IngestionMetrics"
    directory = telemetry or settings.telemetry_directory or (usual if usual.is_dir() else None)
    return statetrace.Engine(  # imported when it is asked for
        data,
        database=database,
        cache=SharedSiteCache(settings=settings) if own_cache else None,
        settings=settings,
        telemetry=None if directory is None else Telemetry.to_directory(directory),
    )
