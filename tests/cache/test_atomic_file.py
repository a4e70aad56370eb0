"""Replacing files: all or nothing, and devices are no files."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from statetrace.cache.atomic_file import replace_file

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs devices and named pipes")


def failing():
    yield b"half"
    raise ValueError("no more")


def test_a_file_is_replaced_and_its_folder_made(tmp_path):
    path = tmp_path / "made" / "file"
    replace_file(path, [b"old"])
    replace_file(path, [b"n", b"ew"])
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_cannot_be_finished_is_as_it_was(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="no more"):
        replace_file(path, failing())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@POSIX
def test_a_link_stays_a_link_and_permissions_stay(tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    path.touch(mode=0o600)
    link.symlink_to(path)
    replace_file(link, [b"new"])
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@POSIX
@pytest.mark.parametrize("linked", [False, True])
def test_a_named_pipe_is_written_to_and_stays_one(tmp_path, linked):
    pipe = target = tmp_path / "pipe"
    os.mkfifo(pipe)
    if linked:
        target = tmp_path / "link"
        target.symlink_to(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    replace_file(target, [b"through ", b"the pipe"])
    reader.join(10)
    assert read == [b"through the pipe"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@POSIX
def test_a_device_that_is_full_is_told_by_its_name_and_stays(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    link = tmp_path / "link"  # were it replaced after all, the machine would not suffer
    link.symlink_to("/dev/full")
    with pytest.raises(OSError, match="link"):
        replace_file(link, [b"x"])
    assert stat.S_ISCHR(link.stat().st_mode)


@POSIX
def test_standard_output_can_be_written_to():
    code = "from pathlib import Path; from statetrace.cache.atomic_file import replace_file as r; r(Path({!r}), [b'x'])"
    finished = subprocess.run(
        [sys.executable, "-c", code.format("/dev/stdout")], capture_output=True, check=False, timeout=60
    )
    assert (finished.returncode, finished.stdout) == (0, b"x"), finished.stderr


def test_a_folder_is_told_and_stays(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(OSError, match="folder"):
        replace_file(folder, [b"x"])
    assert folder.is_dir()
