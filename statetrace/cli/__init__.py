"""The command line: ``statetrace``."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import NoReturn

from statetrace.cli.app import app
from statetrace.cli.output import say
from statetrace.errors import StateTraceError


def main() -> NoReturn:
    """Run the command line and exit: 0 done, 1 the job failed, 2 wrong usage, 3 a gate failed."""
    _make_streams_safe()
    try:
        app()
    except BrokenPipeError:
        # The reader of our output went away, as `head` does; what remains to be flushed has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except StateTraceError as error:
        say(f"statetrace: {error}")
        sys.exit(1)
    except OSError as error:
        file = error.filename2 or error.filename
        say(f"statetrace: {error if file is None else f'{os.fsdecode(file)}: {error.strerror}'}")
        sys.exit(1)
    sys.exit(0)


def _make_streams_safe() -> None:
    """Escape what the encoding of a stream does not know, and put the null device in place of a closed stream."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # until the process ends
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
