"""Runs the command line as a person at a terminal or a script does."""

from __future__ import annotations

import json
import os
import subprocess
import sys

ADVERSE = {
    "STATETRACE_DISABLE_SHARED_CACHE": "1",
    "STATETRACE_SHARED_CACHE_MAX_ROWS": "1",
    "STATETRACE_SKIP_SITECACHE_UPDATE": "1",
}
"""An environment in which the shared cache keeps nothing."""


def environment(**environ):
    own = {name: value for name, value in os.environ.items() if not name.startswith("STATETRACE_")}
    return {**own, "COLUMNS": "200", **environ}


def run(*arguments, cwd=None, **environ):
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "statetrace", *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
        env=environment(**environ),
    )  # fmt: skip


def unread(*arguments, **environ):
    """Exit code and standard error of the command, whose standard output nobody reads."""
    process = subprocess.Popen(
        [sys.executable, "-m", "statetrace", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=environment(**environ),
    )  # fmt: skip
    process.stdout.close()
    _, told = process.communicate(timeout=120)
    return process.returncode, told


def document(*arguments, by=run, code=0, **options):
    """The JSON document that the command prints."""
    finished = by(*arguments, "--json", **options)
    assert finished.returncode == code, finished.stderr
    return json.loads(finished.stdout)
