"""Reading telemetry: day files, run folders, archives. What is broken is counted and named, and stops nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from statetrace.analysis.content import TORN, unpacked
from statetrace.analysis.documents import decode_json, read_document
from statetrace.analysis.events import WireEvent
from statetrace.analysis.files import telemetry_files
from statetrace.errors import TelemetryError

__all__ = ["BrokenLine", "TelemetryReader", "telemetry_files"]

_BOM = b"\xef\xbb\xbf"
_BLOCK = 1 << 20
_LONGEST_LINE = 16 << 20
_KEPT = 100
_NO_OBJECT = "no object"

_decode = msgspec.json.Decoder().decode


class BrokenLine(msgspec.Struct, frozen=True, rename="pascal"):
    """A line that is no event.

    Attributes:
        file: where it stands.
        line: counted from 1.
        non_blank_line: counted over the lines that are not blank.
        reason: what is wrong with it.
    """

    file: str
    line: int
    non_blank_line: int
    reason: str


class TelemetryReader:
    """The events of files, one after the other, in bounded memory.

    Accepts a byte order mark, LF and CRLF, blank lines, gzip, and a whole file that is one JSON array of events. Lines
    are not sorted: writers that ran side by side interleave. A line of more than 16 MB is broken, and so is what
    follows the place where a gzipped file is damaged; all before it counts.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "2026-01-31.json")
    >>> _ = path.write_text('{"EventName":"RowsWritten","Rows":48}' + chr(10) + '{"EventNa')
    >>> reader = TelemetryReader([path])
    >>> [(event.name, event.count("Rows"), event.line) for event in reader]
    [('RowsWritten', 48, 1)]
    >>> reader.events, reader.broken, reader.broken_lines[0].line
    (1, 1, 2)

    Args:
        files: what to read; see :func:`telemetry_files`.
        on_bytes: called with the number of bytes of the file that were read since the last call.

    Attributes:
        lines: that are not blank, so far.
        blank: that are.
        events: so far.
        broken: number of broken lines so far.
        broken_lines: the first hundred of them.
    """

    def __init__(self, files: Iterable[str | Path], *, on_bytes: Callable[[int], object] = lambda _: None) -> None:
        self.files = tuple(map(Path, files))
        self.lines = 0
        self.blank = 0
        self.events = 0
        self.broken = 0
        self.broken_lines: list[BrokenLine] = []
        self._on_bytes = on_bytes

    @classmethod
    def at(cls, *sources: str | Path, nested: bool = False) -> TelemetryReader:
        """A reader of the files at these places; see :func:`telemetry_files`."""
        return cls(telemetry_files(*sources, nested=nested))

    def __iter__(self) -> Iterator[WireEvent]:
        """All events, from the first file on.

        Raises:
            TelemetryError: a file cannot be opened.
        """
        for path in self.files:
            yield from self.of_file(path)

    def of_file(self, path: Path) -> Iterator[WireEvent]:
        """The events of one file.

        Raises:
            TelemetryError: it cannot be opened.
        """
        name, before, number = str(path), self.lines, 0
        try:
            for number, line in enumerate(self._lines(path), 1):
                if not line or line.isspace():
                    self.blank += 1
                    continue
                if self.lines == before and line.lstrip().startswith(b"[") and (items := _array(path)) is not None:
                    yield from self._of_array(name, items)
                    return
                self.lines += 1
                try:
                    fields = _decode(line)
                except (ValueError, RecursionError):
                    fields = None
                if type(fields) is not dict or len(line) > _LONGEST_LINE:
                    fields, reason = _slowly(line)
                    if fields is None:
                        self._break(name, number, self.lines - before, reason)
                        continue
                self.events += 1
                event = fields.get("EventName")
                yield WireEvent(event if type(event) is str else "", fields, name, number)
        except TORN as error:
            self.lines += 1
            self._break(name, number + 1, self.lines - before, f"gzip: {error}")
        except OSError as error:
            raise TelemetryError(f"{path} cannot be read: {error}") from error

    def _lines(self, path: Path) -> Iterator[bytes]:
        """All lines, without their ends; of one that is too long the beginning, which is too long as well."""
        with path.open("rb") as raw:
            file = unpacked(raw)
            rest, told, skipping = b"", -1, False
            try:
                # Not read(): it would lose all that a block holds before the place where the file is damaged.
                while block := file.read1(_BLOCK):
                    self._on_bytes(raw.tell() - max(told, 0))
                    if told < 0:
                        block = block.removeprefix(_BOM)  # the mark is no part of the first line
                    told = raw.tell()
                    lines = (rest + block).split(b"\n")
                    rest = lines.pop()
                    if skipping and lines:
                        del lines[0]
                        skipping = False
                    yield from lines
                    if skipping:
                        rest = b""
                    elif len(rest) > _LONGEST_LINE:
                        yield rest
                        rest, skipping = b"", True
            except TORN:
                if rest:
                    yield rest
                raise
            if rest:
                yield rest

    def _of_array(self, name: str, items: list[Any]) -> Iterator[WireEvent]:
        for number, fields in enumerate(items, 1):
            self.lines += 1
            if isinstance(fields, dict):
                self.events += 1
                yield WireEvent(str(fields.get("EventName") or ""), fields, name, number)
            else:
                self._break(name, number, number, _NO_OBJECT)

    def _break(self, file: str, line: int, non_blank_line: int, reason: str) -> None:
        self.broken += 1
        if len(self.broken_lines) < _KEPT:
            self.broken_lines.append(BrokenLine(file, line, non_blank_line, reason))


def _array(path: Path) -> list[Any] | None:
    """The items, if the whole file is one JSON array; it may as well be lines, the first of which is a list."""
    try:
        document = read_document(path)
    except TelemetryError:
        return None
    return document if isinstance(document, list) else None


def _slowly(line: bytes) -> tuple[dict[str, Any] | None, str]:
    """A line that the fast decoder does not take for an event: the event that it is all the same, or why it is none."""
    if len(line) > _LONGEST_LINE:
        return None, f"longer than {_LONGEST_LINE >> 20} MB"
    try:
        fields = decode_json(line)
    except ValueError as error:
        return None, str(error)
    return (fields, "") if isinstance(fields, dict) else (None, _NO_OBJECT)
