"""The command line: ``statetrace``."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from statetrace.cli.app import app
from statetrace.cli.output import say
from statetrace.cli.streams import drop_output, make_streams_safe
from statetrace.errors import StateTraceError


def main() -> NoReturn:
    """Run the command line and exit.

    0 done, 1 the job failed, 2 wrong usage, 3 a gate failed, 130 interrupted.
    """
    make_streams_safe()
    try:
        app()
    except BrokenPipeError:
        drop_output()
        sys.exit(1)
    except StateTraceError as error:
        say(f"statetrace: {error}")
        sys.exit(1)
    except OSError as error:
        file = error.filename2 or error.filename
        say(f"statetrace: {error if file is None else f'{os.fsdecode(file)}: {error.strerror}'}")
        sys.exit(1)
    sys.exit(0)
