"""Replacing a file so that readers see the old content or the new, and never a part."""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterable
from pathlib import Path

_LEFT_BEHIND_S = 3600.0


def replace_file(path: Path, blocks: Iterable[bytes], *, durable: bool = True) -> None:
    """Writes ``blocks`` to the file ``path``, whose directory is made if need be.

    They are written beside ``path`` first, and put in its place when they are on disk. A file that is replaced keeps
    its permissions, and a link stays one: the file that it leads to is replaced. What need not be ``durable`` may be
    lost with the power, and costs no wait for the disk.

    What is no regular file, as ``/dev/null``, ``/dev/stdout`` or a pipe, is never replaced but written to.

    Raises:
        OSError: the file cannot be written; ``path`` is as it was.
    """
    if _is_device(path):
        _write_to(path, blocks)
        return
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("xb") as file:
            for block in blocks:
                file.write(block)
            with contextlib.suppress(FileNotFoundError):
                shutil.copymode(path, temporary)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from error  # not the name of the hidden file
        raise


def _is_device(path: Path) -> bool:
    """Whether something is there that is no regular file; links are followed, also those that only the system can."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _write_to(path: Path, blocks: Iterable[bytes]) -> None:
    try:
        with path.open("wb") as file:
            file.writelines(blocks)
    except OSError as error:  # of a full device no name is told
        raise OSError(error.errno, error.strerror, str(path)) from error


def _remove_leftovers(path: Path) -> None:
    """Remove what killed writers of the same file left behind, once no writer can still be at it."""
    with contextlib.suppress(OSError):
        for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
            if time.time() - leftover.stat().st_mtime > _LEFT_BEHIND_S:
                leftover.unlink()
