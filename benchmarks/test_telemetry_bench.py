"""What an event costs, beside encoding it and appending it to an open file."""

from __future__ import annotations

import os
import time

import msgspec
import pytest

from statetrace.telemetry import (
    CandidateMissingSample,
    DirectorySink,
    InterfaceSiteCacheMetrics,
    InterfaceSiteCacheSharedStore,
    SignatureMismatchSample,
    Stopwatch,
    Telemetry,
)

STORE = InterfaceSiteCacheSharedStore(
    site="WLLS", operation="GetHit", entry_count=2, host_count=25, total_rows=1200, store_hash_code=39_776_337
)
REUSE = InterfaceSiteCacheMetrics(site="WLLS", cache_status="SharedOnly", refreshed=False, provider="Cache")
REFRESH = InterfaceSiteCacheMetrics(
    site="WLLS",
    cache_status="Refreshed",
    refreshed=True,
    provider="ADODB",
    host_map_candidate_missing_samples=(CandidateMissingSample(hostname="WLLS-A01-AS-11", port="Gi1/0/1"),) * 5,
    host_map_signature_mismatch_samples=(
        SignatureMismatchSample(
            hostname="WLLS-A01-AS-01", port="Gi1/0/1", previous_signature="x" * 600, new_signature="y" * 1200
        ),
    )
    * 5,
)
# For an event of the median size: half of the lines of real runs have at most 330 bytes.
LIMIT_S = 15e-6


def measure(benchmark, function, number):
    benchmark.pedantic(function, rounds=100, iterations=number, warmup_rounds=1)
    if benchmark.disabled:
        pytest.skip("benchmarks are disabled")
    return benchmark.stats.stats.min


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("event: shared store, 0.3 kB", STORE),
        ("event: metrics of a reuse, 1.8 kB", REUSE),
        ("event: metrics with 10 samples, 12 kB", REFRESH),
    ],
)
def test_an_event_as_a_line(benchmark, ratios, tmp_path, name, event):
    telemetry = Telemetry.to_directory(tmp_path / "ours")
    descriptor = os.open(tmp_path / "floor.json", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    encode = msgspec.json.Encoder().encode
    floor = ratios.best_seconds(lambda: os.write(descriptor, encode(event)), number=200, repeat=100)
    ours = measure(benchmark, lambda: telemetry.emit(event), 200)
    os.close(descriptor)
    telemetry.close()
    ratios.record(name, ours, floor)
    assert telemetry.failures == 0
    assert event is not STORE or ours <= LIMIT_S * ratios.tolerance


def test_an_event_under_the_file_lock(benchmark, ratios, tmp_path):
    telemetry = Telemetry(DirectorySink(tmp_path / "locked", exclusive=True))
    plain = Telemetry.to_directory(tmp_path / "plain")
    floor = ratios.best_seconds(lambda: plain.emit(STORE), number=20, repeat=50)
    ours = measure(benchmark, lambda: telemetry.emit(STORE), 20)
    plain.close()
    ratios.record("event: shared store, file lock (floor: without)", ours, floor)


def test_asking_whether_telemetry_is_wanted(benchmark, ratios):
    telemetry = Telemetry()

    def ask():
        if telemetry.enabled:
            telemetry.emit(STORE)

    ours = measure(benchmark, ask, 1000)
    ratios.record("no sink: ask and emit nothing", ours, ratios.best_seconds(lambda: None, number=1000), None)
    assert ours <= 1e-6 * ratios.tolerance


def test_a_lap_of_a_stopwatch(benchmark, ratios):
    ours = measure(benchmark, Stopwatch().start().lap, 1000)
    ratios.record("stopwatch: lap", ours, ratios.best_seconds(time.perf_counter_ns, number=1000))
