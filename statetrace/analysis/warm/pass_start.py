"""What a pass of a warm run begins with: its cache, and what it knows of earlier ingestions.

A pass works on a history of its own, a folder that is filled with the seed. The history of the data folder is read and
never written, so that nothing has to be put back, however a run ends (reference: warm-run-and-gates 2.3).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from enum import StrEnum
from glob import escape
from pathlib import Path

BACKUP_FOLDER = "History"
"""In the folder of a run: what its cold pass left."""


class WarmCache(StrEnum):
    """What the warm pass begins with: the snapshot that the cold pass left, the cold pass's own cache, or nothing."""

    SNAPSHOT = "snapshot"
    LIVE = "live"
    EMPTY = "empty"


class HistorySeed(StrEnum):
    """The history before a pass.

    ``EMPTY``: every log is parsed. ``SNAPSHOT``: what the data folder has. ``COLD_OUTPUT``: what the cold pass left, so
    that the warm pass sees duplicates only. ``WARM_BACKUP``: by file the newest that an earlier run left after its cold
    pass, ``<file>.warmrun.<stamp>.bak`` of the original included; where there is none, what this one's left. Before the
    cold pass, what the data folder has stands for what that leaves.

    A log is known by its record and its host's rows: in databases that lack these it is parsed whatever history says.
    """

    EMPTY = "Empty"
    SNAPSHOT = "Snapshot"
    COLD_OUTPUT = "ColdOutput"
    WARM_BACKUP = "WarmBackup"


def seed_history(
    folder: Path, seed: HistorySeed, *, stored: Path, cold_output: Path | None = None, runs: Path | None = None
) -> list[str]:
    """Fill an empty folder with the history that a pass begins with.

    Args:
        folder: the folder, which is made.
        seed: which history.
        stored: the history folder of the data folder.
        cold_output: folder with what the cold pass left; ``None`` before it.
        runs: folder of earlier runs, ``Run-…``.

    Returns:
        What to tell the user about files that were not found.

    Raises:
        OSError: a file cannot be copied.
    """
    folder.mkdir(parents=True)
    if seed is HistorySeed.EMPTY:
        return []
    source = stored if cold_output is None or seed is HistorySeed.SNAPSHOT else cold_output
    files = _history_files(source)
    _copy(files, folder)
    if not files and source == stored:
        return [f"{stored} holds no history: every log is parsed"]
    used = "what the data folder has" if cold_output is None else "what the cold pass left"
    if seed is HistorySeed.COLD_OUTPUT and cold_output is None:
        return [f"there is no output of a cold pass before it; {used} is used"]
    if seed is not HistorySeed.WARM_BACKUP:
        return []
    backups = {file.name: backup for file in files if (backup := _newest_backup(file.name, stored, runs))}
    for name, backup in backups.items():
        shutil.copyfile(backup, folder / name)
    missing = [file.name for file in files if file.name not in backups]
    return [f"{name} has no backup of an earlier warm run; {used} is used" for name in missing]


def _history_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.json") if path.is_file())


def _newest_backup(name: str, stored: Path, runs: Path | None) -> Path | None:
    name = escape(name)  # a site's name may hold any character
    found = [*stored.glob(f"{name}.warmrun.*.bak"), *(runs.glob(f"Run-*/{BACKUP_FOLDER}/{name}") if runs else ())]
    return max(found, key=lambda path: (path.stat().st_mtime_ns, path.name), default=None)


def _copy(files: Iterable[Path], folder: Path) -> None:
    for file in files:
        shutil.copyfile(file, folder / file.name)
