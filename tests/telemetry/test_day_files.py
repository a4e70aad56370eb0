"""No line is torn or lost, whatever happens to threads, processes, files and the disk."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from statetrace.errors import TelemetryError
from statetrace.telemetry import DirectorySink, InterfaceSiteCacheReuseState, Telemetry, day_files
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

FRAGMENT = b'{"EventName":"Torn","Timestamp":"2025-12-0'
has_sigkill = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="a process cannot be killed by a signal on this system"
)
has_flock = pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be locked on this system")
has_descriptor_list = pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="open descriptors cannot be listed on this system"
)
both_ways = pytest.mark.parametrize("exclusive", [False, True], ids=["open file", "lock file"])


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


@has_sigkill
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
    # A line may have been written whose acknowledgement was not; one that was torn by the kill is gone.
    assert len(killed) in (acknowledged, acknowledged + 1)
    assert killed == [("KILLED", number) for number in range(len(killed))]
    assert last == ("NEXT", 0)


@has_sigkill
@both_ways
def test_writers_killed_at_random_moments_leave_whole_lines_only(tmp_path, exclusive):
    program = """
number = 0
print("ready", flush=True)
sys.stdin.readline()
while True:
    telemetry.emit(event(sys.argv[3], number))
    number += 1
"""
    processes = [start(tmp_path, exclusive, program, f"P{n}") for n in range(5)]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        time.sleep(os.urandom(1)[0] / 12_800)
        process.kill()
    for process in processes:
        finish(process)
    with Telemetry(DirectorySink(tmp_path, exclusive=exclusive)) as telemetry:
        telemetry.emit(event("NEXT"))
    *killed, last = read(tmp_path)
    assert last == ("NEXT", 0)
    for n in range(5):
        # None is missing amid those that a process wrote.
        numbers = [number for site, number in killed if site == f"P{n}"]
        assert numbers == list(range(len(numbers)))


@both_ways
def test_a_torn_line_is_removed_by_whoever_writes_next(tmp_path, exclusive):
    program = """
for number in range(3):
    telemetry.emit(event("OTHER", number))
    print(telemetry.failures, flush=True)
    sys.stdin.readline()
"""
    other = start(tmp_path, exclusive, program)
    assert other.stdout.readline() == "0\n"
    [file] = tmp_path.glob("*.json")

    def tear():
        with file.open("ab") as stream:
            stream.write(FRAGMENT)

    def other_writes():
        other.stdin.write("go\n")
        other.stdin.flush()
        assert other.stdout.readline() == "0\n"

    with Telemetry(DirectorySink(tmp_path, exclusive=exclusive)) as telemetry:
        tear()
        telemetry.emit(event("OWN"))
        tear()
        other_writes()
        tear()
        telemetry.emit(event("OWN", 1))
        telemetry.emit(event("OWN", 2))
        tear()
        other_writes()
    assert telemetry.failures == 0
    finish(other)
    assert read(tmp_path) == [("OTHER", 0), ("OWN", 0), ("OTHER", 1), ("OWN", 1), ("OWN", 2), ("OTHER", 2)]


@both_ways
def test_a_line_torn_on_an_earlier_day_is_removed(tmp_path, exclusive):
    earlier, backup, later = (tmp_path / name for name in ("2025-12-03.json", "2025-12-04.json.bak", "2025-12-06.json"))
    for file in (earlier, backup, later):
        file.write_bytes(b"{}\r\n" + FRAGMENT)
    files = DayFiles(tmp_path, exclusive=exclusive)
    files.write("2025-12-05", b"{}\r\n")
    assert earlier.read_bytes() == b"{}\r\n"
    assert (backup.read_bytes(), later.read_bytes()) == (b"{}\r\n" + FRAGMENT,) * 2
    # At midnight too.
    (tmp_path / "2025-12-05.json").write_bytes(FRAGMENT)
    files.write("2025-12-07", b"{}\r\n")
    files.close()
    assert later.read_bytes() == b"{}\r\n"
    assert len(list(tmp_path.glob("*.json"))) == 4


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
@pytest.mark.parametrize("torn", [b"{", FRAGMENT, b'{"Numbers":{"A":1}', b'{"Text":"' + b"x" * 100_000])
@pytest.mark.parametrize("before", [b"", b"{}\r\n", b'{"Text":"' + b"y" * 5_000 + b'"}\r\n'])
def test_the_beginning_of_an_event_is_removed(tmp_path, exclusive, before, torn):
    (tmp_path / "2025-12-05.json").write_bytes(before + torn)
    files = DayFiles(tmp_path, exclusive=exclusive)
    files.write("2025-12-05", b"{}\r\n")
    files.write("2025-12-05", b"{}\r\n")
    files.close()
    assert (tmp_path / "2025-12-05.json").read_bytes() == before + b"{}\r\n{}\r\n"


@both_ways
@pytest.mark.parametrize(
    ("tail", "line_end"), [(b'{"A":{"B":1}}', b"\r\n"), (b"{}\r", b"\n"), (b"a note", b"\r\n"), (b"\xff{", b"\r\n")]
)
def test_a_whole_event_and_what_is_none_get_their_line_end(tmp_path, exclusive, tail, line_end):
    (tmp_path / "2025-12-05.json").write_bytes(b"{}\r\n" + tail)
    files = DayFiles(tmp_path, exclusive=exclusive)
    files.write("2025-12-05", b"{}\r\n")
    files.write("2025-12-05", b"{}\r\n")
    files.close()
    assert (tmp_path / "2025-12-05.json").read_bytes() == b"{}\r\n" + tail + line_end + b"{}\r\n{}\r\n"


@has_flock
def test_without_locks_a_torn_line_is_ended_once(tmp_path, monkeypatch):
    # A file system that knows no locks cannot be had here, so its answer is made up.
    def refuse(descriptor, operation):
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(day_files.fcntl, "flock", refuse)
    file = tmp_path / "2025-12-05.json"
    file.write_bytes(FRAGMENT)
    files = DayFiles(tmp_path)
    files.write("2025-12-05", b"{}\r\n")
    # What is unfinished now may be a line that somebody is writing.
    with file.open("ab") as stream:
        stream.write(b'{"A":')
    files.write("2025-12-05", b"1}\r\n")
    files.close()
    assert file.read_bytes() == FRAGMENT + b'\r\n{}\r\n{"A":1}\r\n'


@has_flock
def test_a_line_waits_for_the_lock_of_the_file_but_not_for_ever(tmp_path, monkeypatch):
    fcntl = day_files.fcntl
    with Telemetry(DirectorySink(tmp_path)) as telemetry:
        telemetry.emit(event("BEFORE"))
        [file] = tmp_path.glob("*.json")
        with file.open("rb") as holder:
            fcntl.flock(holder, fcntl.LOCK_EX)
            thread = threading.Thread(target=telemetry.emit, args=(event("WAITED"),))
            thread.start()
            thread.join(0.05)
            assert read(tmp_path) == [("BEFORE", 0)]
            fcntl.flock(holder, fcntl.LOCK_UN)
            thread.join()
            monkeypatch.setattr(day_files, "_LOCK_TIMEOUT_S", 0.01)
            fcntl.flock(holder, fcntl.LOCK_EX)
            telemetry.emit(event("LOST"))
        telemetry.emit(event("AFTER"))
    assert telemetry.failures == 1
    assert read(tmp_path) == [("BEFORE", 0), ("WAITED", 0), ("AFTER", 0)]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")
def test_a_signal_handler_may_emit_amid_a_line(tmp_path):
    program = """
import signal
handled = 0
def handle(*_):
    global handled
    telemetry.emit(event("HANDLER", handled))
    handled += 1
    signal.setitimer(signal.ITIMER_REAL, 1e-4)
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 1e-4)
number, until = 0, time.monotonic() + 0.2
while time.monotonic() < until:
    telemetry.emit(event("MAIN", number))
    number += 1
signal.signal(signal.SIGALRM, signal.SIG_IGN)
print(number, handled, telemetry.failures)
"""
    processes = [start(tmp_path, False, program) for _ in range(2)]
    outputs = [[int(figure) for figure in finish(process)[0].split()] for process in processes]
    assert [failures for _, _, failures in outputs] == [0, 0]
    counts = Counter(site for site, _ in read(tmp_path))
    assert counts == {
        "MAIN": sum(number for number, _, _ in outputs),
        "HANDLER": sum(handled for _, handled, _ in outputs),
    }


@has_descriptor_list
@both_ways
def test_a_forked_child_does_not_keep_the_lock_of_its_parent(tmp_path, exclusive):
    program = """
telemetry.emit(event("PARENT"))
if os.fork() == 0:
    # The child has the parent's file no longer open, hence no part in its lock.
    held = [Path(path).resolve().suffix for path in Path("/proc/self/fd").iterdir()]
    telemetry.emit(event("CHILD"))
    os._exit(".json" in held or telemetry.failures)
print(os.waitstatus_to_exitcode(os.wait()[1]))
telemetry.emit(event("PARENT", 1))
"""
    output, errors = finish(start(tmp_path, exclusive, program))
    assert (output, errors) == ("0\n", "")
    assert read(tmp_path) == [("PARENT", 0), ("CHILD", 0), ("PARENT", 1)]


@both_ways
def test_a_full_disk_costs_what_does_not_fit_and_tears_nothing(tmp_path, exclusive):
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
    assert read(tmp_path) == [("FULL", 0), ("FULL", 1), ("FREE", 0)]


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


@has_descriptor_list
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
