"""The command line: ``statetrace``."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from statetrace.cli.app import app
from statetrace.errors import StateTraceError


def main() -> NoReturn:
    """Run the command line and exit: 0 done, 1 the job failed, 2 wrong usage, 3 a gate failed."""
    try:
        app()
    except BrokenPipeError:
        # The reader of our output went away, as `head` does; what remains to be flushed has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (StateTraceError, OSError) as error:
        sys.stderr.write(f"statetrace: {error}\n")
        sys.exit(1)
    sys.exit(0)
