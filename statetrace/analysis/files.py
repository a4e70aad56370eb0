"""Which files hold events: day files, those of a run's passes, archives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from statetrace.errors import TelemetryError
from statetrace.model import fold

PASS_FOLDERS = ("ColdPass", "Between", "WarmPass", "Readback")
"""Folders of a warm run's telemetry, in the order of the run."""

_EVENT_FILE = re.compile(r"\d{4}-\d\d-\d\d(-.+)?\.jsonl?(\.gz)?", re.IGNORECASE)
_LIKE_A_DAY = re.compile(r"\d{4}-\d\d-\d\d(?!\d).*\.(jsonl?|gz)", re.IGNORECASE)
_NESTED = re.compile(r"run-.*|archive", re.IGNORECASE)
_USUAL = ("IngestionMetrics", "Logs/IngestionMetrics")
_NAMES = "yyyy-MM-dd.json or yyyy-MM-dd-label.json, with .gz if gzipped"
_MOST_NAMED = 3


def telemetry_files(*sources: str | Path, nested: bool = False) -> list[Path]:
    """The files of events at these places, those of a folder in the order of their names.

    A file is taken whatever its name. Of a folder the day files are taken (``yyyy-MM-dd.json``) and what was archived
    with a label (``yyyy-MM-dd-….json``), gzipped or not; reports and copies in the same folder are no events
    (reference: telemetry-events 2.1). The folder of a warm run, which has its events by pass, is taken in the order of
    the run.

    Args:
        sources: files and folders.
        nested: take the folders ``Archive`` and ``Run-…`` in those folders, too, and first.

    Raises:
        TelemetryError: a place does not exist, cannot be read, or holds no file of events.
    """
    found: dict[Path, None] = {}
    for source in map(Path, sources):
        if source.is_dir():
            files = list(_of_folder(source, nested=nested))
            if not files:
                raise TelemetryError(f"{source} holds no telemetry: {_advice(source)}")
            found |= dict.fromkeys(files)
        elif source.exists():
            found[source] = None
        else:
            raise TelemetryError(f"{source} does not exist")
    return list(found)


def passed_over(*sources: str | Path) -> list[Path]:
    """What :func:`telemetry_files` leaves out of these folders and may have been meant.

    That is files whose names begin with a day, but are not those of day files, and folders ``Archive`` and ``Run-…``
    with events.
    """
    left: list[Path] = []
    for source in map(Path, sources):
        if source.is_dir():
            left += (path for folder in _places(source) for path in _listed(folder) if _is_misnamed(path))
            left += (folder for folder in _inner(source) if any(_of_folder(folder)))
    return left


def _of_folder(folder: Path, *, nested: bool = False) -> Iterator[Path]:
    for inner in (*(_inner(folder) if nested else ()), folder):
        for place in _places(inner):
            yield from filter(_is_event_file, _listed(place))


def _places(folder: Path) -> Iterator[Path]:
    """Where the events of a folder are: by pass, if it is that of a warm run, and in itself."""
    yield from (place for label in PASS_FOLDERS if (place := folder / label).is_dir())
    yield folder


def _inner(folder: Path) -> list[Path]:
    """Its archives and runs."""
    inner = (path for path in _listed(folder) if _NESTED.fullmatch(path.name) and path.is_dir())
    return sorted(inner, key=lambda path: fold(path.name))


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise TelemetryError(f"{folder} cannot be read: {error}") from error


def _is_event_file(path: Path) -> bool:
    return _EVENT_FILE.fullmatch(path.name) is not None and path.is_file()


def _is_misnamed(path: Path) -> bool:
    return _LIKE_A_DAY.fullmatch(path.name) is not None and not _EVENT_FILE.fullmatch(path.name) and path.is_file()


def _advice(folder: Path) -> str:
    """Where the telemetry may be that a folder does not hold."""
    if inner := [path.name for path in _inner(folder) if any(_of_folder(path))]:
        return f"it holds {named(inner)}; name one of them"
    near = (folder / name for name in _USUAL)
    for place in (*near, *_listed(folder)):
        if place.is_dir() and any(_of_folder(place)):
            return f"did you mean {place}?"
    if misnamed := [path.name for path in _listed(folder) if _is_misnamed(path)]:
        return f"{named(misnamed)} would have to be named {_NAMES}"
    return f"files of events are named {_NAMES}"


def named(names: Iterable[object]) -> str:
    """The first of these for a message, and how many more there are.

    >>> named("abcde")
    'a, b, c and 2 more'
    """
    texts = [str(name) for name in names]
    more = len(texts) - _MOST_NAMED
    return ", ".join(texts[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
