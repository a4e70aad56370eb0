"""No line is torn or lost, whatever happens to threads, processes, files and the disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from statetrace.errors import TelemetryError
from statetrace.telemetry import DirectorySink, InterfaceSiteCacheReuseState, Telemetry
from statetrace.telemetry.day_files import LOCK_FILE, DayFiles

# Enough text that a line is far longer than what a pipe or a page takes at once.
LONG = 6_000
PROGRAM = f"""
import sys, os, time, threading
from pathlib import Path
from statetrace.telemetry import *
def event(site, number=0, text="x" * {LONG}):
    return InterfaceSiteCacheReuseState(site=site, host_count=number, total_rows=0, keys_sample=text)
telemetry = Telemetry(DirectorySink(Path(sys.argv[1]), exclusive=sys.argv[2] == "True"))
"""

both_ways = pytest.mark.parametrize("exclusive", [False, True], ids=["atomic append", "file lock"])


def event(site="WLLS", number=0):
    return InterfaceSiteCacheReuseState(site=site, host_count=number, total_rows=0, keys_sample="x" * LONG)


def start(directory: Path, exclusive: bool, program: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM + program, str(directory), str(exclusive), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    try:
        return process.communicate(timeout=60)
    finally:
        process.kill()


def read(directory: Path) -> list[tuple[str, int]]:
    """Site and number of every line of the directory; each must be whole."""
    found = []
    for file in directory.glob("*.json"):
        content = file.read_bytes()
        assert content.endswith(b"\r\n")
        for line in content.split(b"\r\n"):
            if line:
                fields = json.loads(line)
                assert len(fields["KeysSample"]) == LONG
                found.append((fields["Site"], fields["HostCount"]))
    return found


@both_ways
def test_ten_processes_lose_no_line(tmp_path, exclusive):
    program = """
print("ready", flush=True)
sys.stdin.readline()
for number in range(200):
    telemetry.emit(event(sys.argv[3], number))
print(telemetry.failures)
"""
    processes = [start(tmp_path, exclusive, program, f"P{n}") for n in range(10)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 10
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [finish(process)[0].strip() for process in processes]
    assert outputs == ["0"] * 10
    found = read(tmp_path)
    assert Counter(found) == Counter((f"P{n}", number) for n in range(10) for number in range(200))
    # What one process wrote is in the order in which it wrote.
    assert [number for site, number in found if site == "P3"] == list(range(200))


@both_ways
def test_threads_lose_no_line(tmp_path, exclusive):
    sink = DirectorySink(tmp_path, exclusive=exclusive)
    with Telemetry(sink) as telemetry:

        def work(name):
            for number in range(100):
                telemetry.emit(event(name, number))

        threads = [threading.Thread(target=work, args=(f"T{n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert telemetry.failures == 0
    assert Counter(read(tmp_path)) == Counter((f"T{n}", number) for n in range(8) for number in range(100))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="a process cannot be killed by a signal on this system")
@both_ways
def test_a_killed_process_loses_nothing_it_emitted_and_blocks_nobody(tmp_path, exclusive):
    program = """
number = 0
while True:
    telemetry.emit(event("KILLED", number))
    print(number, flush=True)
    number += 1
"""
    process = start(tmp_path, exclusive, program)
    for _ in range(300):
        process.stdout.readline()
    process.kill()
    acknowledged = 300 + process.stdout.read().count("\n")
    finish(process)
    assert process.returncode == -signal.SIGKILL
    with Telemetry(DirectorySink(tmp_path, exclusive=exclusive)) as telemetry:
        telemetry.emit(event("NEXT"))
    *killed, last = read(tmp_path)
    # A line may have been written whose acknowledgement was not.
    assert len(killed) in (acknowledged, acknowledged + 1)
    assert killed == [("KILLED", number) for number in range(len(killed))]
    assert last == ("NEXT", 0)


@both_ways
def test_nothing_is_lost_when_a_process_ends_with_an_exception(tmp_path, exclusive):
    program = """
import atexit
atexit.register(lambda: telemetry.emit(event("EXIT")))
for number in range(5):
    telemetry.emit(event("WLLS", number))
raise RuntimeError("the work failed")
"""
    process = start(tmp_path, exclusive, program)
    _, errors = finish(process)
    assert process.returncode == 1
    assert "the work failed" in errors
    assert "ResourceWarning" not in errors
    assert read(tmp_path) == [*(("WLLS", number) for number in range(5)), ("EXIT", 0)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@both_ways
def test_children_forked_amid_writing_threads_write_too(tmp_path, exclusive):
    program = """
import warnings
warnings.simplefilter("ignore")
ended = threading.Event()
def work():
    number = 0
    while not ended.is_set():
        telemetry.emit(event("PARENT", number))
        number += 1
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
mine = runspace_id()
for child in range(20):
    if os.fork() == 0:
        telemetry.emit(event("CHILD", child))
        os._exit(3 if runspace_id() == mine or telemetry.failures else 0)
    assert os.wait()[1] == 0
ended.set()
for thread in threads:
    thread.join()
print(telemetry.failures)
"""
    process = start(tmp_path, exclusive, program)
    output, errors = finish(process)
    assert (process.returncode, output.strip(), errors) == (0, "0", "")
    assert [number for site, number in read(tmp_path) if site == "CHILD"] == list(range(20))


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be moved on this system")
@both_ways
def test_a_file_that_was_moved_aside_is_made_anew(tmp_path, exclusive):
    sink = DirectorySink(tmp_path / "day", exclusive=exclusive)
    sink.write(event("BEFORE"))
    [file] = (tmp_path / "day").glob("*.json")
    (tmp_path / "archive").mkdir()
    file.rename(tmp_path / "archive" / file.name)
    sink.write(event("AFTER"))
    sink.write(event("AFTER", 1))
    sink.close()
    assert read(tmp_path / "archive") == [("BEFORE", 0)]
    assert read(tmp_path / "day") == [("AFTER", 0), ("AFTER", 1)]


@both_ways
def test_a_file_that_was_replaced_is_followed(tmp_path, exclusive):
    sink = DirectorySink(tmp_path, exclusive=exclusive)
    sink.write(event("GONE"))
    [file] = tmp_path.glob("*.json")
    (tmp_path / "new").write_bytes(b"")
    (tmp_path / "new").replace(file)
    sink.write(event("KEPT"))
    sink.close()
    assert read(tmp_path) == [("KEPT", 0)]


@both_ways
def test_a_directory_that_was_deleted_is_made_anew(tmp_path, exclusive):
    directory = tmp_path / "day"
    with Telemetry(DirectorySink(directory, exclusive=exclusive)) as telemetry:
        telemetry.emit(event("BEFORE"))
        for file in directory.iterdir():
            file.unlink()
        directory.rmdir()
        telemetry.emit(event("AFTER"))
    assert telemetry.failures == 0
    assert read(directory) == [("AFTER", 0)]


def test_an_event_after_closing_is_written(tmp_path):
    with Telemetry.to_directory(tmp_path) as telemetry:
        telemetry.emit(event("FIRST"))
    telemetry.emit(event("SECOND"))
    telemetry.close()
    telemetry.close()
    assert read(tmp_path) == [("FIRST", 0), ("SECOND", 0)]


@both_ways
def test_an_incomplete_last_line_is_ended_first(tmp_path, exclusive):
    (tmp_path / "2025-12-05.json").write_bytes(b'{"EventName":"Torn')
    files = DayFiles(tmp_path, exclusive=exclusive)
    files.write("2025-12-05", b"{}\r\n")
    files.write("2025-12-05", b"{}\r\n")
    files.close()
    assert (tmp_path / "2025-12-05.json").read_bytes() == b'{"EventName":"Torn\r\n{}\r\n{}\r\n'


@both_ways
def test_a_full_disk_tears_one_line_and_no_other(tmp_path, exclusive):
    pytest.importorskip("resource", reason="file sizes cannot be limited on this system")
    # The limit lies in the middle of the third line, as a full disk would.
    program = f"""
import resource, logging
logging.disable()
resource.setrlimit(resource.RLIMIT_FSIZE, ({2.5 * LONG:.0f}, resource.RLIM_INFINITY))
for number in range(5):
    telemetry.emit(event("FULL", number))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
telemetry.emit(event("FREE"))
print(telemetry.failures)
"""
    output, errors = finish(start(tmp_path, exclusive, program))
    assert (output.strip(), errors) == ("3", "")
    [file] = tmp_path.glob("*.json")
    first, second, torn, free, end = file.read_bytes().split(b"\r\n")
    assert [json.loads(line)["HostCount"] for line in (first, second)] == [0, 1]
    assert 0 < len(torn) < LONG
    assert json.loads(free)["Site"] == "FREE"
    assert end == b""


def test_the_lock_file_is_no_day_file(tmp_path):
    with Telemetry(DirectorySink(tmp_path, exclusive=True)) as telemetry:
        telemetry.emit(event())
    assert {file.name for file in tmp_path.iterdir()} - {LOCK_FILE} == {file.name for file in tmp_path.glob("*-*.json")}


def test_a_day_that_cannot_be_opened_is_a_counted_failure(tmp_path, caplog):
    with Telemetry(DirectorySink(tmp_path, clock=lambda: 1_764_979_200_000_000_000)) as telemetry:
        (tmp_path / "2025-12-06.json").mkdir()
        (tmp_path / "2025-12-05.json").mkdir()
        telemetry.emit(event())
        telemetry.emit(event())
    assert telemetry.failures == 2
    assert len(caplog.records) == 1


def test_a_directory_without_write_permission_is_refused_at_once(tmp_path, monkeypatch):
    # Root may write everywhere, so the answer of the system is what this test has to make up.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(TelemetryError, match="cannot be written to"):
        DayFiles(tmp_path)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open descriptors cannot be listed on this system")
@both_ways
def test_descriptors_are_released(tmp_path, exclusive):
    def count():
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for _ in range(5):
        sink = DirectorySink(tmp_path, exclusive=exclusive)
        sink.write(event())
        del sink  # never closed
    with Telemetry.to_directory(tmp_path) as telemetry:
        telemetry.emit(event())
    assert count() == before
