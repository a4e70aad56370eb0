"""The command line's commands, gathered."""

from __future__ import annotations

import typer

from statetrace.cli import convert, demo, hydrate, show, snapshot

app = typer.Typer(
    name="statetrace",
    help="Turns what network switches print into data one can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 done, 1 the job failed, 2 wrong usage, 3 a gate failed.",
)
app.command("demo")(demo.demo)
app.command("hydrate")(hydrate.hydrate)
app.command("show")(show.show)
app.add_typer(snapshot.app, name="snapshot")
app.command("convert")(convert.convert)


@app.callback()
def _options(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        from statetrace import __version__  # noqa: PLC0415  # only this option needs it

        typer.echo(f"statetrace {__version__}")
        raise typer.Exit
