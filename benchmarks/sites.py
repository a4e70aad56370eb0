"""Synthetic sites to measure on."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from statetrace.demo import SyntheticSite, write_site

SITE = "BNCH"
PORTS_PER_HOST = 48


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="statetrace-bench-")


@functools.cache
def database_of(rows: int) -> Path:
    """A database with one site of about so many rows, whole hosts; made once a run."""
    path = Path(_folder().name) / f"{rows}" / f"{SITE}.sqlite"
    write_site(path, SyntheticSite(SITE, "Cisco", -(-rows // PORTS_PER_HOST), PORTS_PER_HOST))
    return path
