"""The README is true: what it shows runs, and what there is it names."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from statetrace.cli.app import app

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def run(arguments, folder, *, attempts=1):
    own = {name: value for name, value in os.environ.items() if not name.startswith("STATETRACE_")}
    for _ in range(attempts):
        finished = subprocess.run(
            [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, env=own, timeout=120, check=False
        )
        if finished.returncode == 0:
            break
    assert finished.returncode == 0, f"{arguments}: {finished.stderr}"
    return finished.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("readme")


def test_its_commands_run_in_order(folder):
    (commands,) = [block for block in blocks("sh") if block.startswith("statetrace ")]
    for line in commands.splitlines():
        # A busy machine may slow one pass of a warm run, which is no fault of the line.
        run(["-m", *shlex.split(line, comments=True)], folder, attempts=3 if " warm-run " in line else 1)


def test_its_python_runs(folder):
    if not (folder / "my-demo").exists():  # made by the commands
        run(["-m", "statetrace", "demo", "my-demo"], folder)
    proof, engine, parts, collaborators = blocks("python")
    hits, _, providers, lines = run(["-W", "error", "-c", proof], folder).splitlines()
    assert hits.startswith("100.0 ")
    assert providers == "Counter({'SharedCache': 37})"
    assert lines.endswith(" []")
    assert run(["-W", "error", "-c", engine], folder).splitlines()[:2] == ["{'skipped_duplicate': 37} []", "Up"]
    assert run(["-W", "error", "-c", parts], folder).splitlines()[1] == "10 AccessHydrate"
    assert run(["-W", "error", "-c", collaborators], folder).strip() == "1200"


def commands(group, prefix="statetrace"):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


@pytest.mark.parametrize(("path", "command"), list(commands(typer.main.get_command(app))))
def test_every_command_is_in_the_readme_and_explains_its_options(path, command):
    assert path in README
    assert command.help
    assert all(getattr(parameter, "help", True) for parameter in command.params)


def test_every_environment_variable_is_in_the_readme():
    package = Path(__file__).parents[1] / "statetrace"
    used = {
        name
        for file in package.rglob("*.py")
        for name in re.findall(r'"(STATETRACE_[A-Z_]+)"', file.read_text("utf-8"))
    }
    assert used
    assert not {name for name in used if name not in README}
