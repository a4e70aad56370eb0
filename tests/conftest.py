"""What tests of several packages share."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"


def _shared(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"the original's files are not there: {folder}")
    return folder


@pytest.fixture(scope="session")
def original_data() -> Path:
    """The original's own files."""
    return _shared("data")


@pytest.fixture(scope="session")
def reference() -> Path:
    """What was written down about the original, with its machine-readable parts."""
    return _shared("reference")
