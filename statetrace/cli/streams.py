"""The standard streams, such that they fail no command."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def make_streams_safe() -> None:
    """Escape what the encoding of a stream does not know, and put the null device in place of a closed stream."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # until the process ends
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """Let all further output go nowhere: its reader went away, as `head` does."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def whoever_reads() -> Iterator[None]:
    """Within the block output is printed that nobody has to read: the exit code will be that of the verdict."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        drop_output()
