"""What the file system tells of a database file."""

from __future__ import annotations

import os
from pathlib import Path

from statetrace.database.retry import missing
from statetrace.model import DatabaseState

FileIdentity = tuple[int, int]
"""Device and inode."""


def file_status(path: Path) -> os.stat_result:
    """The status of the file.

    Raises:
        DatabaseMissing: there is none.
    """
    try:
        return path.stat()
    except FileNotFoundError:
        raise missing(path) from None


def identity_text(path: Path, identity: FileIdentity) -> str:
    """The identity of a database: its path, and which file lies there."""
    return f"{path}#{identity[0]:x}-{identity[1]:x}"


def file_state(path: Path) -> DatabaseState:
    """The state of a file that changes in place, by its size and time.

    Raises:
        DatabaseMissing: there is no such file.
    """
    status = file_status(path)
    identity = identity_text(path, (status.st_dev, status.st_ino))
    return DatabaseState(identity, f"{status.st_size}@{status.st_mtime_ns}")
