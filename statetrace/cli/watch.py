"""Which raw logs of a folder are new or changed, and left alone by whoever writes them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

Stamp = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds: another stamp, another content."""


class LogWatch:
    """Looks at the raw logs of a folder, or at one raw log, again and again.

    A log that is being written differs from look to look; it is taken when two looks in a row find it the same.

    Args:
        place: the folder, or the file.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._taken: dict[Path, Stamp] = {}
        self._seen: dict[Path, Stamp] = {}

    def all(self) -> list[Path]:
        """The logs that are there now, whether they are being written or not.

        Raises:
            OSError: the folder cannot be listed.
        """
        self._taken = self._seen = self._look()
        return list(self._taken)

    def settled(self) -> list[Path]:
        """The logs that differ from when they were taken, but not from the last look; they are taken now.

        Raises:
            OSError: the folder cannot be listed.
        """
        found = self._look()
        settled = [
            log for log, stamp in found.items() if stamp != self._taken.get(log) and stamp == self._seen.get(log)
        ]
        self._taken = {log: stamp for log, stamp in self._taken.items() if log in found}
        self._taken |= {log: found[log] for log in settled}
        self._seen = found
        return settled

    def _look(self) -> dict[Path, Stamp]:
        # Imported here, because the package around it takes longer to import than most commands take to run.
        from statetrace.ingestion.logs import find_logs  # noqa: PLC0415

        found: dict[Path, Stamp] = {}
        for log in find_logs(self._place):
            with suppress(FileNotFoundError):  # it is gone since the folder was listed
                status = log.stat()
                found[log] = status.st_size, status.st_mtime_ns
        return found
