"""Reading telemetry and analysing it, beside a bare decode of the same lines; and what memory it takes."""

from __future__ import annotations

import collections
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import msgspec
import pytest

from statetrace import Engine
from statetrace.analysis.consistency.integrity import check_integrity
from statetrace.analysis.events import analyze
from statetrace.analysis.gates.verification import verify_telemetry
from statetrace.analysis.reading import TelemetryReader
from statetrace.analysis.reports.port_batches import PortBatches
from statetrace.analysis.reports.port_diversity import PortDiversity
from statetrace.analysis.reports.provider_reasons import ProviderReasons
from statetrace.analysis.reports.queue_delay import QueueDelays
from statetrace.analysis.reports.rollup import Rollup
from statetrace.analysis.reports.scheduler_launches import SchedulerLaunches
from statetrace.analysis.reports.store_state import StoreStates
from statetrace.analysis.reports.sync_timing import SyncTiming
from statetrace.cache import SharedSiteCache
from statetrace.ingestion.corpus import CorpusPlan, write_corpus
from statetrace.telemetry import Telemetry

MEGABYTES = int(os.environ.get("STATETRACE_BENCH_TELEMETRY_MB", "16"))
"""1024 for the figure that is promised: 1 GB in at most three times the decoding, and in bounded memory."""


def _by(make):
    """Reads a file for one analysis, and gives its result."""

    def run(path):
        taker = make()
        analyze(TelemetryReader([path]), taker)
        return taker.result()

    return run


ANALYSES = {
    "roll up": (_by(partial(Rollup, "2026-01-31")), 3.0),
    "store-state": (_by(StoreStates), 3.0),
    "provider-reasons": (_by(ProviderReasons), 3.0),
    "sync-timing": (_by(SyncTiming), 3.0),
    "port-batches": (_by(PortBatches), 3.0),
    "scheduler": (_by(SchedulerLaunches), 3.0),
    "port-diversity": (_by(PortDiversity), 3.0),
    "queue-delay": (_by(QueueDelays), 3.0),
    "integrity": (check_integrity, 6.0),
    "verify": (verify_telemetry, 8.0),
}
"""What reads a file, and how many times the decoding of its lines it may take."""


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """The lines of a session over 37 hosts, all of which are new, and of one that finds nothing changed."""
    folder = tmp_path_factory.mktemp("session")
    write_corpus(folder / "Logs", CorpusPlan.original_shape())
    telemetry = Telemetry.to_directory(folder / "Telemetry")
    with Engine(folder / "Data", telemetry=telemetry, cache=SharedSiteCache()) as engine:
        for _ in range(2):
            engine.ingest(folder / "Logs", jobs=1)
            for history in (folder / "Data" / "IngestionHistory").glob("*.json"):
                history.write_text("[]")
    return b"".join(file.read_bytes() for file in sorted((folder / "Telemetry").iterdir()))


def repeated(session, folder, megabytes):
    """A file of the session over and over, until it has so many megabytes."""
    path = folder / "2026-01-31.json"
    with path.open("wb") as file:
        while file.tell() < megabytes << 20:
            file.write(session)
    return path


@pytest.fixture(scope="module")
def day(session, tmp_path_factory):
    path = repeated(session, tmp_path_factory.mktemp("day"), MEGABYTES)
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def floor(ratios, day):
    def decode():
        with day.open("rb") as file:
            for line in file:
                msgspec.json.decode(line)

    return ratios.best_seconds(decode)


def events_a_second(day, seconds):
    with day.open("rb") as file:
        return f"{sum(1 for _ in file) / seconds:,.0f} events/s"


def test_reading(ratios, day, floor):
    seconds = ratios.best_seconds(lambda: collections.deque(TelemetryReader([day]), maxlen=0))
    ratios.record_value("read telemetry", events_a_second(day, seconds), "-")
    ratios.record(f"read {MEGABYTES} MB of telemetry beside decoding it", seconds, floor, 2.0)


@pytest.mark.parametrize("name", ANALYSES)
def test_an_analysis(ratios, day, floor, name):
    analysis, limit = ANALYSES[name]
    assert analysis(day)
    seconds = ratios.best_seconds(lambda: analysis(day))
    ratios.record_value(f"read and {name}", events_a_second(day, seconds), "-")
    ratios.record(f"read and {name}: {MEGABYTES} MB beside decoding", seconds, floor, limit)


# Not the resource usage, in which the peak of the parent counts, too.
_MEASURE = """
import re, sys
from pathlib import Path
from statetrace.analysis.reports.rollup import rollup
assert rollup([Path(sys.argv[1])]).rows
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from Linux")
def test_memory_is_bounded(ratios, session, tmp_path):
    """Each size in a process of its own; what grows is the numbers that the statistics are made of."""
    peaks = {}
    for megabytes in (1, MEGABYTES):
        path = repeated(session, tmp_path, megabytes)
        command = [sys.executable, "-c", _MEASURE, str(path)]
        peaks[megabytes] = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024
        path.unlink()
    few, many = peaks[1], peaks[MEGABYTES]
    ratios.record_value(f"peak memory of rolling up {MEGABYTES} MB", f"{many:.0f} MB", f"of 1 MB: {few:.0f} MB")
    assert many - few < 16 + MEGABYTES / 32
