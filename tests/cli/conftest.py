"""Runs the command line in this process, which saves the imports."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from statetrace.cache import process
from statetrace.cli import main


@pytest.fixture
def call(monkeypatch, capsys):
    """The same as ``command_line.run``, in this process and with a cache of its own."""
    for name in [name for name in os.environ if name.startswith("STATETRACE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments):
        monkeypatch.setattr(process, "_cache", None)
        monkeypatch.setattr(sys, "argv", ["statetrace", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        printed = capsys.readouterr()
        return subprocess.CompletedProcess(sys.argv, left.value.code or 0, printed.out, printed.err)

    return call
