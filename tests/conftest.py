"""What tests of several packages share."""

from __future__ import annotations

import importlib.util
import os
import shutil
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


def _without_driver(name: str, package: str) -> str | None:
    """Why tests that need an ODBC driver cannot run, or ``None``."""
    try:
        import pyodbc  # noqa: PLC0415  # optional, and where the system lacks libodbc it cannot be loaded
    except ImportError as error:
        return f"pyodbc is not installed (pip install pyodbc): {error}"
    return None if name in pyodbc.drivers() else f"the ODBC driver {name} is not installed (Debian: {package})"


def _without_access_dialect() -> str | None:
    if importlib.util.find_spec("sqlalchemy_access") is None:
        return "sqlalchemy-access is not installed (pip install --no-deps sqlalchemy-access)"
    return _without_driver("SQLite3", "libsqliteodbc")


_NEEDS = {
    "mdbtools": lambda: _without_driver("MDBTools", "odbc-mdbtools"),
    "mdbjson": lambda: None if shutil.which("mdb-json") else "mdb-json is not installed (Debian: mdbtools)",
    "sqliteodbc": _without_access_dialect,
}
"""By mark: why what its tests need is not there, or ``None``."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """The mark itself skips, so that a test that has it needs no fixture to be skipped, nor can it forget one."""
    for mark, missing in _NEEDS.items():
        if item.get_closest_marker(mark) and (reason := missing()):
            pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if os.environ.get("STATETRACE_NO_SKIPS") and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("STATETRACE_NO_SKIPS is set, and tests were skipped", red=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where everything is installed, as in CI, a skipped test is a failed run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("STATETRACE_NO_SKIPS") and exitstatus == 0 and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
