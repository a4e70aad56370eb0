"""What tests of several packages share."""

from __future__ import annotations

import os
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if os.environ.get("STATETRACE_NO_SKIPS") and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("STATETRACE_NO_SKIPS is set, and tests were skipped", red=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where everything is installed, as in CI, a skipped test is a failed run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("STATETRACE_NO_SKIPS") and exitstatus == 0 and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
