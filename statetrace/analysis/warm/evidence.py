"""The evidence of a warm run: its folder, what is written there, and what earlier runs left."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from statetrace.analysis.documents import write_document
from statetrace.analysis.events import analyze
from statetrace.analysis.reading import TelemetryReader, telemetry_files
from statetrace.analysis.warm.comparison import Comparison, ComparisonSummary
from statetrace.analysis.warm.pass_rows import PassTelemetry
from statetrace.analysis.warm.warm_rows import WarmRunRow, write_export
from statetrace.cache.atomic_file import replace_file
from statetrace.errors import TelemetryError

INCOMPLETE = "INCOMPLETE"
"""A file in the folder of a run, from its making until the evidence is whole."""
_PREFIX = "Run-"
_RUN = re.compile(rf"{_PREFIX}\d{{8}}-\d{{6}}")


def new_run_folder(evidence: Path) -> Path:
    """Make ``Run-<yyyyMMdd-HHmmss>``; where another run took the name within this second, the next free one.

    It is marked as incomplete.
    """
    moment = datetime.now().astimezone()
    while True:
        folder = evidence / f"{_PREFIX}{moment:%Y%m%d-%H%M%S}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            moment += timedelta(seconds=1)
        else:
            (folder / INCOMPLETE).touch()
            return folder


def complete(folder: Path) -> None:
    """Take the mark away that says that a run's evidence is not whole."""
    (folder / INCOMPLETE).unlink()


def export_of(folder: Path) -> Path:
    """The file with the rows of the run of that folder."""
    return folder / f"WarmRunTelemetry-{folder.name.removeprefix(_PREFIX)}.json"


def write_evidence(folder: Path, rows: Sequence[WarmRunRow], comparison: Comparison) -> tuple[Path, Path]:
    """Write the rows of a run and its summary in the original's form, beside the folder as the latest ones, too.

    Args:
        folder: the run's.
        rows: of the passes and of what was between them.
        comparison: the last row and the summary.

    Returns:
        Both files.
    """
    export = export_of(folder)
    summary = export.with_name(f"{export.stem}-summary.json")
    write_export(export, [*rows, comparison.row()])
    write_document(summary, ComparisonSummary.of(comparison, export))
    replace_file(folder.parent / "WarmRunTelemetry-latest.json", [export.read_bytes()])
    replace_file(folder.parent / "WarmRunTelemetry-latest-summary.json", [summary.read_bytes()])
    return export, summary


def pass_telemetry(folder: Path, hosts: Collection[str] = ()) -> PassTelemetry:
    """What the events of a pass tell, of all hosts or of these."""
    telemetry = PassTelemetry(hosts=hosts)
    analyze(TelemetryReader.at(folder), telemetry)
    return telemetry


def remove_older_runs(folder: Path, keep: int) -> tuple[list[str], list[str]]:
    """Remove the oldest folders of whole warm runs beside that of the latest one.

    Folders that no warm run made, or that one has not completed, are left alone: it may still be at it.

    Args:
        folder: that of the latest run.
        keep: how many runs stay, the latest one included.

    Returns:
        The folders that were removed, and what went wrong.
    """
    others = sorted(
        (path for path in folder.parent.glob(f"{_PREFIX}*") if path != folder and _is_whole(path)), reverse=True
    )
    removed, failures = [], []
    for path in others[max(keep, 1) - 1 :]:
        try:
            shutil.rmtree(path)
        except OSError as error:
            failures.append(f"{path} cannot be removed: {error.strerror or error}")
        else:
            removed.append(str(path))
    return removed, failures


def _is_whole(folder: Path) -> bool:
    made_by_a_run = _RUN.fullmatch(folder.name) is not None and export_of(folder).is_file() and not folder.is_symlink()
    return made_by_a_run and not (folder / INCOMPLETE).exists()


def preflight(evidence: Path) -> list[str]:
    """Look whether the newest day file can be read: evidence beside damaged evidence convinces nobody.

    Returns:
        A warning if nothing but its last line is torn, as whoever is killed while writing leaves it.

    Raises:
        TelemetryError: another line of it is no event.
    """
    try:
        files = telemetry_files(evidence)
    except TelemetryError:
        return []
    reader = TelemetryReader(files[-1:])
    for _ in reader:
        pass
    if not reader.broken:
        return []
    first = reader.broken_lines[0]
    where = f"{first.file}:{first.line}"
    if first.non_blank_line == reader.lines:
        return [f"{where}, the last line, is torn ({first.reason})"]
    raise TelemetryError(
        f"{where} is no event ({first.reason}); mend or move the file, or do without this look (--skip-preflight)"
    )
