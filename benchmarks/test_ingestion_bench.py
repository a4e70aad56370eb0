"""Ingesting logs beside parsing them and writing their rows with plain sqlite3; and how the cost grows."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time

import pytest

from statetrace import Engine
from statetrace.cache import SharedSiteCache
from statetrace.database import open_database
from statetrace.ingestion.corpus import CorpusPlan, CorpusSite, write_corpus
from statetrace.parsing import parse_log
from statetrace.persistence import ParserPersistence, canonical
from statetrace.repository import DeviceRepository
from statetrace.telemetry import Telemetry

MOST_HOSTS = int(os.environ.get("STATETRACE_BENCH_MOST_HOSTS", "1000"))
"""10,000 for the figure of the README."""
HOSTS, HOSTS_PER_SITE, ROUNDS = 100, 25, 4


def plan_of(hosts, a_site=HOSTS_PER_SITE):
    """Cisco devices of 48 ports, so many a site."""
    codes = [a + b + c + "X" for a in "ABCDEFGHIJ" for b in "ABCDEFGHIJ" for c in "ABCD"]
    sites = range(-(-hosts // a_site))
    return CorpusPlan(tuple(CorpusSite(codes[site], "Cisco", min(a_site, hosts - site * a_site), 48) for site in sites))


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus") / "Logs"
    # One site, so that making databases does not count.
    write_corpus(folder, plan_of(HOSTS, HOSTS))
    return folder


def seconds_a_host(hosts, work):
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) / hosts


def forget(data):
    for history in (data / "IngestionHistory").glob("*.json"):
        history.write_text("[]")


class Passes:
    """Seconds a host of a cold, an unchanged and a duplicate pass over the same logs; the best of some rounds."""

    def __init__(self, logs, hosts, folder, rounds=ROUNDS, jobs=1):
        self.cold = self.warm = self.duplicate = float("inf")
        for number in range(rounds):
            data = folder / f"Data{number}"
            telemetry = Telemetry.to_directory(folder / f"Telemetry{number}")
            with Engine(data, telemetry=telemetry, cache=SharedSiteCache()) as engine:

                def ingest(engine=engine):
                    self.report = engine.ingest(logs, jobs=jobs)

                self.cold = min(self.cold, seconds_a_host(hosts, ingest))
                assert self.report.totals.outcomes == {"ingested": hosts}
                forget(data)
                self.warm = min(self.warm, seconds_a_host(hosts, ingest))
                assert self.report.totals.outcomes == {"unchanged": hosts}
                self.duplicate = min(self.duplicate, seconds_a_host(hosts, ingest))
                assert self.report.totals.outcomes == {"skipped_duplicate": hosts}


def canonical_hosts(logs):
    return [canonical(parse_log(file.read_bytes(), name=file.stem).facts) for file in sorted(logs.glob("*.log"))]


def plain_write(path, hosts):
    """What the simplest program would do: the same rows, histories too, one transaction a host."""
    open_database(path, create=True).close()
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    begun = time.perf_counter()
    for host in hosts:
        device = host.device
        values = (
            device.make, device.model, device.uptime, device.site, device.building, device.room, device.ports,
            device.auth_default_vlan, device.auth_block,
        )  # fmt: skip
        date = "2026-01-01 00:00:00"
        rows = [
            (host.hostname, port, *seen[:2], int(seen[2]), *seen[3:], "", "", "") for port, seen in host.ports.items()
        ]
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"INSERT INTO DeviceSummary VALUES ({places(10)})", (host.hostname, *values))
        connection.execute(f"INSERT INTO DeviceHistory VALUES (NULL, {places(11)})", (host.hostname, date, *values))
        connection.executemany(f"INSERT INTO Interfaces VALUES (NULL, {places(17)})", rows)
        history = ((row[0], date, *row[1:]) for row in rows)
        connection.executemany(f"INSERT INTO InterfaceHistory VALUES (NULL, {places(18)})", history)
        spans = [(span.vlan, span.root_switch, span.root_port, span.role, span.upstream) for span in host.spanning_tree]
        connection.executemany(
            f"INSERT INTO SpanInfo VALUES ({places(7)})", ((host.hostname, *span, date) for span in spans)
        )
        connection.executemany(
            f"INSERT INTO SpanHistory VALUES (NULL, {places(7)})", ((host.hostname, date, *span) for span in spans)
        )
        connection.execute("COMMIT")
    took = time.perf_counter() - begun
    connection.close()
    return took / len(hosts)


def places(count):
    return ", ".join("?" * count)


@pytest.fixture(scope="module")
def floors(logs, tmp_path_factory):
    """Seconds a host: parsing its log, and writing its rows by plain sqlite3."""
    files = sorted(logs.glob("*.log"))

    def parse():
        for file in files:
            parse_log(file.read_bytes(), name=file.stem)

    hosts = canonical_hosts(logs)
    folder = tmp_path_factory.mktemp("plain")
    parsing = min(seconds_a_host(len(files), parse) for _ in range(ROUNDS))
    writing = min(plain_write(folder / f"{number}.sqlite", hosts) for number in range(ROUNDS))
    return parsing, writing


@pytest.fixture(scope="module")
def passes(logs, tmp_path_factory):
    return Passes(logs, HOSTS, tmp_path_factory.mktemp("passes"))


def test_persisting_a_host(ratios, logs, floors, tmp_path):
    facts = [parse_log(file.read_bytes(), name=file.stem).facts for file in sorted(logs.glob("*.log"))]
    best = float("inf")
    for number in range(ROUNDS):
        persistence = ParserPersistence(DeviceRepository(tmp_path / f"Data{number}", cache=SharedSiteCache()))
        best = min(best, seconds_a_host(HOSTS, lambda p=persistence: [p.persist(host) for host in facts]))
    ratios.record("persist a host of 48 ports beside plain sqlite3", best, floors[1])


def test_ingesting_a_host_cold(ratios, passes, floors):
    ratios.record("ingest a host of 48 ports cold beside parse + plain sqlite3", passes.cold, sum(floors), 2.5)


def test_an_unchanged_host(ratios, passes):
    ratios.record("ingest an unchanged host beside a cold one", passes.warm, passes.cold, 0.6)


def test_a_known_duplicate(ratios, passes):
    ratios.record("skip a known duplicate beside a cold host", passes.duplicate, passes.cold, 0.1)


def test_two_processes(ratios, logs, tmp_path_factory):
    """Of more hosts, so that starting the processes does not count."""
    hosts = 4 * HOSTS
    folder = tmp_path_factory.mktemp("processes")
    write_corpus(folder / "Logs", plan_of(hosts))
    one = Passes(folder / "Logs", hosts, folder / "one", rounds=2)
    two = Passes(folder / "Logs", hosts, folder / "two", rounds=2, jobs=2)
    if (os.cpu_count() or 1) > 1:
        ratios.record("ingest with two processes beside one", two.cold, one.cold, 1 / 1.6)


_MEASURE = """
import resource, sys, time
from pathlib import Path
from statetrace import Engine
from statetrace.cache import SharedSiteCache
from statetrace.telemetry import Telemetry
folder = Path(sys.argv[1])

with Engine(folder / sys.argv[2], telemetry=Telemetry.to_directory(folder / "Telemetry"), cache=SharedSiteCache()) as engine:
    engine.ingest(sorted((folder / "Logs").glob("*.log"))[:50], jobs=1)
    begun = time.perf_counter()
    report = engine.ingest(folder / "Logs", jobs=1)
    took = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(took / (report.totals.hosts - 50), peak)
"""


def test_the_cost_of_a_host_does_not_grow(ratios, tmp_path):
    """In time, and in memory beyond the cached rows. Each size in a process of its own, the best of some rounds."""
    figures = {}
    for hosts, rounds in ((HOSTS, 6), (MOST_HOSTS, 2)):
        folder = tmp_path / str(hosts)
        write_corpus(folder / "Logs", plan_of(hosts))
        runs = [measured(folder, f"Data{number}") for number in range(rounds)]
        figures[hosts] = min(run[0] for run in runs), min(run[1] for run in runs)
    (few_s, few_mb), (many_s, many_mb) = figures[HOSTS], figures[MOST_HOSTS]
    ratios.record(f"a host of {MOST_HOSTS:,} beside one of {HOSTS}", many_s, few_s, 1.15)
    grown = (many_mb - few_mb) * 1e6 / (MOST_HOSTS - HOSTS) / 48
    ratios.record_value("memory that a row adds, the cached row included", f"{grown:.0f} bytes", "cached: 566 bytes")


def measured(folder, data):
    """Seconds a host and peak megabytes of ingesting in a process of its own."""
    command = [sys.executable, "-c", _MEASURE, str(folder), data]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(output[0]), float(output[1])
