"""The command line's commands, gathered."""

from __future__ import annotations

from typing import Annotated

import typer

from statetrace import __version__
from statetrace.cli import (
    analyze,
    convert,
    corpus,
    demo,
    explain,
    hydrate,
    ingest,
    parse,
    rollup,
    show,
    snapshot,
    verify,
    warm_run,
    warmup,
)

app = typer.Typer(
    name="statetrace",
    help="Turns what network switches print into data one can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 done, 1 the job failed, 2 wrong usage, 3 a gate failed, 130 interrupted.",
)
app.command("demo")(demo.demo)
app.command("ingest")(ingest.ingest)
app.command("parse")(parse.parse)
app.command("hydrate")(hydrate.hydrate)
app.command("show")(show.show)
app.add_typer(snapshot.app, name="snapshot")
app.command("convert")(convert.convert)
app.command("corpus")(corpus.corpus)
app.command("warm-run")(warm_run.warm_run)
app.command("verify")(verify.verify)
app.command("explain")(explain.explain)
app.add_typer(analyze.app, name="analyze")
app.command("rollup")(rollup.rollup)
app.command("warmup")(warmup.warmup)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"statetrace {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    pass
