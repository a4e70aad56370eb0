"""Hostile names and garbage: each gets an outcome, nothing raises, and nothing is made outside of its folders."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from ingesting import SMALL, corpus, device_log, engine_on, ingest, outcomes, rows_of

from statetrace.ingestion.corpus import CorpusPlan, CorpusSite, host_log
from statetrace.ingestion.report import OUTCOMES
from statetrace.ingestion.session import SessionOptions
from statetrace.ingestion.snapshots import SnapshotFiles
from statetrace.telemetry import DirectorySink

HOSTILE = [
    "../../x", "..", ".", "...", "/etc/passwd", "\\\\server\\share", "C:\\x", "a/b", "a:b", "a*b?", 'a"b',
    "CON", "con-1", "NUL", "COM1-A01", "LPT9.log", "aux.txt-1", "x" * 300, "ж" * 120, "A-" + "b" * 300,
    "nul\x00byte", "bell\x07", "rtl\u202egol.exe", "zero\u200bwidth", "line\u2028end", "\ufeffbom", "é-1", "e\u0301-1",
    "SAME-A01-AS-01", "same-a01-as-01", "Same-A01-AS-01", "\u017fame-1", "\u0130-1", "ß-1", "SS-1",
    "-", "--", "-x", "x-", " y", "z ", "a..b", "trailing.", "_unknown", "Unknown", "IngestionHistory", "Data",
    "BRCK.sqlite", "BRCK.json", "${HOME}", "`id`", "%TEMP%", "'; DROP TABLE Interfaces; --", "\ud800x", "😀-1",
]  # fmt: skip


def tree(folder):
    """All that lies under a folder, with the content of files."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("jobs", [1, 2])
def test_whatever_devices_are_called_nothing_is_made_outside_of_the_folders(jobs, tmp_path):
    home = tmp_path / "a" / "b"
    logs, data = home / "logs", home / "data"
    logs.mkdir(parents=True)
    (home / "x").mkdir()
    for number, name in enumerate(HOSTILE):
        text = device_log(name)
        (logs / f"{number}.log").write_bytes(text.encode("utf-8", "surrogatepass"))
        (logs / f"{number}-named.log").write_bytes(f"hostname {name}\n{text}".encode("utf-8", "surrogatepass"))
    before = tree(tmp_path)
    options = SessionOptions(jobs=jobs, snapshots=SnapshotFiles(logs / "snapshots"))
    with engine_on(data, DirectorySink(logs / "events")) as engine:
        report = engine.ingest(logs, options=options)
        again = engine.ingest(logs, options=options)
    assert {host.outcome for host in report.hosts} <= set(OUTCOMES)
    assert Counter(outcomes(report).values())["ingested"] > 10
    used = {file for host in report.hosts for file in host.files} | {file.path for file in report.unused_files}
    assert used == {str(path) for path in logs.glob("*.log")}
    # Names that cannot be those of files fail, and the message says which it is.
    assert all(host.message for host in report.failed)
    assert not again.of_outcome("ingested")
    after = tree(tmp_path)
    inside = (f"{data.relative_to(tmp_path)}/", f"{logs.relative_to(tmp_path)}/")
    made = {path for path in after.keys() - before.keys() if not path.startswith(inside)}
    assert made == {str(data.relative_to(tmp_path))}
    assert {path: content for path, content in after.items() if path in before} == before
    for path in data.rglob("*"):
        assert path.resolve().is_relative_to(data.resolve())


def test_hosts_that_differ_in_case_only_are_one_host(tmp_path):
    logs, data = tmp_path / "logs", tmp_path / "data"
    logs.mkdir()
    for number, name in enumerate(("WLLS-A01", "wlls-a01", "Wlls-A01")):
        (logs / f"{number}.log").write_text(device_log(name))
    report = ingest(data, logs)
    assert len(report.hosts) == 1
    assert len(report.hosts[0].files) == 3
    (path,) = data.rglob("*.sqlite")
    assert rows_of(path, "SELECT COUNT(*) FROM DeviceSummary") == [(1,)]


HOST = "FUZZ-A01-AS-01"
LOGS = [
    device_log(HOST).encode(),
    *(
        host_log(CorpusPlan((CorpusSite("FUZZ", make, 1, ports),)), 0).encode()
        for make in ("Cisco", "Brocade", "Arista")
        for ports in (2, 9)
    ),
]
WORDS = [
    b"#",
    b">",
    b"show version",
    b"hostname",
    b"Cisco",
    b"A-1",
    b"\t",
    b"(config)",
    b"--More--",
    b"\x1b[2J",
    b"\x08",
]
FOREIGN = [
    b"", b"\n", b"\0" * 100, b"\xff\xfe", b"\xef\xbb\xbf", b"\xff\xfe\x00", b"#\n", b">", b"hostname ", b"{}",
    b"<html>#</html>\n", b"PK\x03\x04", b"%PDF-1.7\n# show\n", b"root@box:~# ls\nroot@box:~# show me\n",
]  # fmt: skip


def flipped(source, log):
    changed = bytearray(log)
    for _ in range(source.randrange(1, 60)):
        changed[source.randrange(len(changed))] = source.randrange(256)
    return bytes(changed)


def shuffled(source, log):
    lines = log.splitlines(keepends=True)
    source.shuffle(lines)
    return b"".join(lines)


def replaced(source, log):
    old, new = source.choice([b" ", b"\n", b"#", b"Gi1"]), source.choice([b"", b"\0", b"\r", b"\xc3", b"\x85"])
    return log.replace(old, new, source.randrange(1, 50))


def encoded(source, log):
    encoding = source.choice(["utf-16", "utf-32", "utf-16-le", "cp037"])
    return log.decode().encode(encoding)[: source.randrange(1, len(log))]


GARBAGE = [
    lambda source, log: log[: source.randrange(len(log))],
    lambda source, log: log[source.randrange(len(log)) :] + log,
    lambda source, _: source.randbytes(source.randrange(1, 3_000)),
    lambda source, _: b"".join(source.choices([*WORDS, b" ", b"\n"], k=source.randrange(200))),
    lambda source, _: source.choice(FOREIGN),
    flipped,
    shuffled,
    replaced,
    encoded,
]


def test_two_thousand_files_of_garbage_never_raise_and_none_is_forgotten(tmp_path):
    source = random.Random(19)  # noqa: S311  # no secret
    logs = tmp_path / "logs"
    logs.mkdir()
    sound = {f"SOUND-A01-AS-{number:02}" for number in range(5)}
    for number in range(2_000):
        log = source.choice(LOGS)
        if number % 2:
            # A host of its own, so that what is left of this log is parsed alone.
            log = log.replace(HOST.encode(), f"FUZZ-A01-AS-{number:04}".encode())
        (logs / f"{number:04}.log").write_bytes(GARBAGE[number % len(GARBAGE)](source, log))
    # Devices that are sound stand among them.
    for host in sound:
        (logs / f"{host}.txt").write_text(device_log(host))
    with engine_on(tmp_path / "data") as engine:
        report = engine.ingest(logs, jobs=1)
    told = {file for host in report.hosts for file in host.files} | {file.path for file in report.unused_files}
    assert told == {str(path) for path in logs.iterdir()}
    assert {host.outcome for host in report.hosts} <= set(OUTCOMES)
    assert all(host.message for host in report.failed)
    assert {name for name, outcome in outcomes(report).items() if outcome == "ingested"} >= sound
    # Only names that no folder can have keep a host out of a database.
    unstorable = [host.message for host in report.of_outcome("database_failed")]
    assert all("name" in message for message in unstorable), unstorable
    for path in (tmp_path / "data").rglob("*.sqlite"):
        assert rows_of(path, "PRAGMA quick_check") == [("ok",)]


@pytest.mark.parametrize(
    "line",
    [
        b"x" * 20_000_000,
        b"#" * 20_000_000,
        b" " * 20_000_000,
        b"A-1# show version" * 1_000_000,
        b"(" * 20_000_000 + b"#",
    ],
)
def test_a_line_of_twenty_megabytes_takes_seconds_at_most(line, tmp_path):
    logs = corpus(tmp_path / "logs")
    (logs / "huge.log").write_bytes(device_log("WLLS-A01-AS-01").encode() + line + b"\nWLLS-A01-AS-01# show clock\n")
    report = ingest(tmp_path / "data", logs)
    assert outcomes(report)["WLLS-A01-AS-01"] in ("ingested", "parse_failed", "no_interfaces")
    assert report.totals.outcomes["ingested"] >= SMALL.hosts
    assert report.totals.duration_ms < 20_000
    assert Path(report.hosts[0].files[0]).exists()
