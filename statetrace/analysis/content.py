"""What files hold, gzipped or not; and which of them hold the same."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterable
from io import BufferedReader
from pathlib import Path
from typing import cast

GZIP = b"\x1f\x8b"
"""What a gzipped file begins with."""
TORN = (EOFError, zlib.error, gzip.BadGzipFile)
"""What reading a gzipped file raises that is cut off or damaged."""
_BLOCK = 1 << 20


def unpacked(file: BufferedReader) -> BufferedReader:
    """The content of a file that was just opened, gzipped or not."""
    packed = file.read(len(GZIP)) == GZIP
    file.seek(0)
    return cast(BufferedReader, gzip.GzipFile(fileobj=file)) if packed else file


def copies(files: Iterable[Path]) -> dict[Path, Path]:
    """Which of the files hold what another one holds, gzipped or not, and that other one.

    Of files that are the same the one with the shortest name is the original. A file that is empty, damaged or cannot
    be read is nobody's copy.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name, text in (("a-old.json", "1"), ("a.json", "1"), ("b.json", "2")):
    ...     _ = (folder / name).write_text(text)
    >>> [(copy.name, original.name) for copy, original in copies(sorted(folder.iterdir())).items()]
    [('a-old.json', 'a.json')]
    """
    originals: dict[str, Path] = {}
    found: dict[Path, Path] = {}
    for path in sorted(files, key=lambda path: len(path.name)):
        digest = _digest(path)
        if digest is not None and (original := originals.setdefault(digest, path)) != path:
            found[path] = original
    return found


def _digest(path: Path) -> str | None:
    digest, length = hashlib.sha256(), 0
    try:
        with path.open("rb") as raw:
            file = unpacked(raw)
            while block := file.read(_BLOCK):
                digest.update(block)
                length += len(block)
    except (OSError, *TORN):
        return None
    return digest.hexdigest() if length else None
