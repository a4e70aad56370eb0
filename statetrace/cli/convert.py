"""``statetrace convert``: copy a database into one of another kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from statetrace.cli.options import Json
from statetrace.cli.output import print_json, print_table, progress, say


def convert(
    source: Annotated[Path, typer.Argument(help="Database to read: .accdb, .mdb, .sqlite.")],
    target: Annotated[Path, typer.Argument(help="Database to make; it must not exist.")],
    json: Json = False,
) -> None:
    """Copy all tables of a database into a new one and verify counts and content."""
    # Imported here because SQLAlchemy takes longer to import than most other commands take to run.
    from statetrace.database import convert_database  # noqa: PLC0415

    with progress(f"converting {source.name}") as advance:
        report = convert_database(source, target, progress=lambda _table, rows: advance(rows))
    if json:
        print_json(report)
        return
    print_table(["Table", "Rows"], ((table.name, table.rows) for table in report.tables))
    for line in report.remarks():
        say(line)
    say(f"{report.target}: counts and content verified")
