"""Telemetry that lost a line, has one twice or tells something that cannot be is found; all else is not."""

from __future__ import annotations

import json
import random
import shutil

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace import Engine
from statetrace import telemetry as t
from statetrace.analysis.consistency import checking
from statetrace.analysis.consistency.checking import Consistency, violations
from statetrace.analysis.consistency.integrity import Integrity, check_integrity
from statetrace.analysis.events import WireEvent
from statetrace.analysis.reading import TelemetryReader
from statetrace.cache import SharedSiteCache
from statetrace.ingestion.corpus import CorpusPlan, CorpusSite, write_corpus
from statetrace.ingestion.session import SessionOptions
from statetrace.persistence.row_cache import existing_row_cache
from statetrace.settings import Settings
from statetrace.telemetry import DirectorySink, Telemetry

PLAN = CorpusPlan((CorpusSite("ALDR", "Brocade", 2, 6, legacy=True), CorpusSite("BRCK", "Cisco", 3, 6)))
CHANGED = msgspec.structs.replace(PLAN, generation=2, change_percent=10)
SYNC = "InterfaceSyncTiming"


def engine_on(folder, **settings):
    settings = Settings(**settings)
    return Engine(
        folder / "data",
        settings=settings,
        cache=SharedSiteCache(settings=settings),
        telemetry=Telemetry(DirectorySink(folder / "events")),
    )


def lines_of(folder):
    return [line for file in sorted((folder / "events").glob("*.json")) for line in file.read_bytes().splitlines()]


def forget(folder):
    shutil.rmtree(folder / "data" / "IngestionHistory")


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """A cold run, a warm one, one with changes, one over known logs, and one in skip mode."""
    folder = tmp_path_factory.mktemp("runs")
    logs = folder / "logs"
    with engine_on(folder) as engine:
        write_corpus(logs, PLAN)
        engine.ingest(logs, jobs=1)
        forget(folder)
        engine.ingest(logs, jobs=1)
        write_corpus(logs, CHANGED)
        engine.ingest(logs, jobs=1)
        engine.ingest(logs, jobs=1)
        engine.repository.site("ALDR")
    forget(folder)
    write_corpus(logs, PLAN)
    existing_row_cache().clear()  # of what other tests kept
    with engine_on(folder, skip_site_cache_update=True) as engine:
        engine.ingest(logs, jobs=1)
    return lines_of(folder)


@pytest.fixture
def report_of(tmp_path):
    """The report on lines that are written to a file, or on events."""

    def report_of(lines, **options):
        path = tmp_path / "2026-01-31.json"
        lines = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        path.write_bytes(b"".join(line + b"\r\n" for line in lines))
        return check_integrity(path, **options)

    return report_of


def events_of(lines):
    return [
        WireEvent((fields := json.loads(line))["EventName"], fields, "day.json", n) for n, line in enumerate(lines, 1)
    ]


def rules(found):
    return {violation.rule for violation in found}


def kind(event):
    return " ".join(filter(None, (event.name, event.text("Operation"), event.text("Stage"))))


KINDS = [
    "ConcurrencyProfileResolved",
    "DatabaseWriteBreakdown",
    "DatabaseWriteLatency",
    "InterfaceBulkInsert",
    "InterfaceBulkInsertTiming",
    "InterfacePortStreamMetrics",
    "InterfaceSiteCacheHostPersisted",
    "InterfaceSiteCacheMetrics",
    "InterfaceSiteCacheReuseAttempt",
    "InterfaceSiteCacheReuseState",
    "InterfaceSiteCacheRunspaceState Worker:PostParse",
    "InterfaceSiteCacheRunspaceState Worker:PreParse",
    "InterfaceSiteCacheSharedStore GetHit",
    "InterfaceSiteCacheSharedStore GetMiss",
    "InterfaceSiteCacheSharedStore Set",
    "InterfaceSiteCacheSharedStoreState InitDelegatedStore",
    "InterfaceSyncTiming",
    "ParseDuration",
    "ParserSchedulerLaunch",
    "PortBatchReady",
    "RowsWritten",
    "SiteExistingRowCacheState",
    "SkippedDuplicate",
]
# Nothing else tells that a cache began to be used, or that anyone but a host or a read looked into it.
NOT_MISSED = {
    "InterfaceSiteCacheSharedStoreState InitDelegatedStore": 2,
    "InterfaceSiteCacheSharedStore GetHit": 1,
    "InterfaceSiteCacheSharedStore GetMiss": 5,
}


def test_telemetry_of_several_runs_is_whole(lines, report_of):
    report = report_of(lines)
    assert report.violations == []
    assert (report.passed, report.total_lines, report.parsed_lines, report.error_count) == (
        True, len(lines), len(lines), 0,
    )  # fmt: skip
    assert (report.interface_sync_found, report.queue_events_found, report.origins) == (True, False, ["ours"])


def test_every_kind_of_event_is_seeded_with_faults_below(lines):
    assert sorted({kind(event) for event in events_of(lines)}) == KINDS


@pytest.mark.parametrize("name", KINDS)
def test_a_dropped_line_is_found(lines, name):
    events = events_of(lines)
    positions = [n for n, event in enumerate(events) if kind(event) == name]
    silent = [n for n in positions if not violations(events[:n] + events[n + 1 :])]
    assert len(silent) == NOT_MISSED.get(name, 0)


@pytest.mark.parametrize("name", KINDS)
def test_a_line_that_is_there_twice_is_found_wherever_the_copy_is(lines, report_of, name):
    event = next(event for event in events_of(lines) if kind(event) == name)
    copy = lines[event.line - 1]
    for position in (event.line, event.line + 5, len(lines)):
        report = report_of([*lines[:position], copy, *lines[position:]])
        assert not report.passed
        assert "E2" in rules(report.violations)


@pytest.mark.parametrize("name", [kind for kind in KINDS if " " not in kind])
def test_a_negative_duration_is_found_with_its_line(lines, report_of, name):
    fields = [json.loads(line) for line in lines]
    number, event = next((n, event) for n, event in enumerate(fields, 1) if event["EventName"] == name)
    times = [key for key in event if key.endswith("Ms") or key == "DurationSeconds"]
    for key in times[:3]:
        damaged = [*lines]
        damaged[number - 1] = json.dumps({**event, key: -1.5}).encode()
        report = report_of(damaged)
        first = report.violations[0]
        assert (first.rule in ("D1", "X1"), first.event_name) == (True, name)
        assert first.where.endswith(f"2026-01-31.json:{number}")
        assert key in first.detail


def test_a_torn_line_is_named(lines, report_of):
    torn = [*lines]
    torn[4] = torn[4][:40]
    report = report_of(torn, consistency=False)
    assert (report.passed, report.error_count, report.parsed_lines) == (False, 1, len(lines) - 1)
    assert [broken.line for broken in report.broken_lines] == [5]
    assert report_of(torn).violation_count > 0


def warm(lines):
    """The events of the warm run, and those of one of its hosts."""
    events = [json.loads(line) for line in lines]
    starts = [n for n, event in enumerate(events) if event["EventName"] == "ConcurrencyProfileResolved"]
    run = events[starts[1] : starts[2]]
    host = {event["EventName"]: event for event in run if event.get("Hostname") == "BRCK-A01-AS-02"}
    assert host[SYNC]["SiteCacheProvider"] == "SharedCache"
    return run, host


COUNTED = {"DiffRowsChanged": 6, "UpdateCandidates": 6, "SiteCacheComparisonSignatureMismatchCount": 6}
ALL_CHANGED = {**COUNTED, "DiffRowsUnchanged": 0, "SiteCacheComparisonSignatureMatchCount": 0}


@pytest.mark.parametrize(
    ("changed", "broken"),
    [
        ({SYNC: {"DiffRowsChanged": 6}}, "S6"),
        ({SYNC: {**ALL_CHANGED, "RowsStaged": 0}}, "S8"),
        ({SYNC: {**ALL_CHANGED, "RowsStaged": 6}}, "S13"),
        ({SYNC: {**ALL_CHANGED, "RowsStaged": 6}}, "J3"),
        ({SYNC: {"SiteCacheUpdateDurationMs": 0.5}}, "N3"),
        ({SYNC: {"SiteCacheUpdateDurationMs": 0.5}}, "J2"),
        ({SYNC: {"SiteCacheUpdateDurationMs": 0.5}}, "N2"),
        ({"RowsWritten": {"Rows": 6}}, "J3"),
        ({"DatabaseWriteBreakdown": {"RowsStaged": 6}}, "W3"),
    ],
)
def test_a_hit_that_rewrote_rows_and_tells_only_a_part_of_it_is_found(lines, report_of, changed, broken):
    run, host = warm(lines)
    for name, fields in changed.items():
        host[name].update(fields)
    assert broken in rules(report_of(run).violations)


def test_a_hit_that_puts_unchanged_rows_into_the_cache_is_found(lines, report_of):
    run, host = warm(lines)
    persisted = next(json.loads(line) for line in lines if b"HostPersisted" in line)
    run.insert(run.index(host[SYNC]), {**persisted, "Hostname": host[SYNC]["Hostname"]})
    assert "J10" in rules(report_of(run).violations)


def blocks(events):
    """The events as writers write them: one for each host, one for each site's cache, one for the session."""
    writers = {}
    for event in events:
        writers.setdefault(
            (event.get("Hostname"), event.get("Site") if "Cache" in event["EventName"] else ""), []
        ).append(event)
    return list(writers.values())


@given(seed=st.integers(0, 1000))
def test_lines_of_writers_that_interleave_are_no_fault(lines, seed):
    run, _ = warm(lines)
    (profile, *rest), choice = run, random.Random(seed)  # noqa: S311  # any order will do
    writers = blocks(rest)
    mixed = [profile]
    while writers:
        writer = choice.choice(writers)
        mixed.append(writer.pop(0))
        writers = [writer for writer in writers if writer]
    assert violations([WireEvent(event["EventName"], event) for event in mixed]) == []


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    "settings",
    [
        {"skip_site_cache_update": True},
        {"force_site_cache_refresh": True},
        {"shared_cache_enabled": False},
        {"shared_cache_max_rows": 20},
    ],
    ids=str,
)
def test_other_ways_of_using_the_cache_are_no_fault(tmp_path, settings, jobs):
    write_corpus(tmp_path / "logs", PLAN)
    with engine_on(tmp_path, **settings) as engine:
        engine.ingest(tmp_path / "logs", jobs=jobs, options=SessionOptions(dry_run=True))
        engine.ingest(tmp_path / "logs", jobs=jobs)
        forget(tmp_path)
        engine.ingest(tmp_path / "logs", jobs=jobs)
        engine.repository.site("ALDR", refresh=True)
        engine.repository.site("NONE")
    assert check_integrity(tmp_path / "events").violations == []


def test_runs_of_two_processes_in_one_file_are_no_fault(lines, tmp_path):
    (tmp_path / "other").mkdir()
    write_corpus(tmp_path / "other" / "logs", CorpusPlan((CorpusSite("CDAR", "Arista", 3, 4),)))
    with engine_on(tmp_path / "other") as engine:
        engine.ingest(tmp_path / "other" / "logs", jobs=1)
    others = events_of(lines_of(tmp_path / "other"))
    ours = events_of(lines)
    together = [*ours[:20]]
    for number, event in enumerate(ours[20:]):
        together += [*others[number : number + 1], event]
    assert violations(together) == []


def test_a_run_that_died_is_told_once_and_the_runs_after_it_are_judged_by_themselves(lines):
    events = events_of(lines)
    starts = [n for n, event in enumerate(events) if event.name == "ConcurrencyProfileResolved"]
    died = events[: starts[1] // 2]
    later = events[starts[1] :]
    found = violations([*died, *later])
    assert {"R1", "R5"} <= rules(found)
    assert {violation.where for violation in found if violation.rule == "R5"} == {"day.json:1"}


def test_a_copy_beside_its_original_is_told_in_one_line_that_names_both(lines, tmp_path):
    for name in ("2026-01-31.json", "2026-01-31-copy.json"):
        (tmp_path / name).write_bytes(b"\n".join(lines))
    report = check_integrity(tmp_path)
    assert (report.violation_count, len(report.violations), report.passed) == (1, 1, False)
    (told,) = report.violations
    assert (told.rule, told.where) == ("E2", f"{tmp_path / '2026-01-31.json'}:1")
    first = f"{tmp_path / '2026-01-31-copy.json'}:1"
    assert told.detail == f"{len(lines)} lines of the file were told before, the first of them at {first}"


def test_a_single_line_that_is_there_twice_is_told_with_both_places(lines, report_of, tmp_path):
    (told,) = report_of([*lines[:1], *lines[:1]], rules="original").violations
    path = tmp_path / "2026-01-31.json"
    assert (told.where, told.detail) == (f"{path}:2", f"it was told before at {path}:1")


@pytest.mark.parametrize("text", [b"", b"\n\r\n"])
def test_no_events_at_all_are_no_proof_of_anything(tmp_path, text):
    (tmp_path / "2026-01-31.json").write_bytes(text)
    report = check_integrity(tmp_path)
    assert (report.passed, report.total_lines, report.violations) == (False, 0, [])


def test_what_was_read_is_told_file_by_file(lines, tmp_path):
    for name in ("2026-01-30.json", "2026-01-31.json"):
        (tmp_path / name).write_bytes(lines[0])
    report = check_integrity(tmp_path)
    assert report.files == [str(tmp_path / "2026-01-30.json"), str(tmp_path / "2026-01-31.json")]
    assert report.path == ", ".join(report.files)


def detail(found, rule, **where):
    (told,) = [told.detail for told in found if told.rule == rule]
    return told


def without(lines, name, host="BRCK-A01-AS-02"):
    """The first run without an event of one of its hosts, and nothing of the runs that follow."""
    events = events_of(lines)
    second = [n for n, event in enumerate(events) if event.name == "ConcurrencyProfileResolved"][1]
    run = events[:second]
    lost = next(n for n, event in enumerate(run) if event.name == name and event.host == host)
    return run[:lost] + run[lost + 1 :]


@pytest.mark.parametrize(
    ("name", "rule", "told"),
    [
        ("RowsWritten", "R3", "RowsWritten is missing"),
        ("InterfaceBulkInsert", "J5", "InterfaceBulkInsert is missing"),
        ("ParseDuration", "R2", "the end of the log is missing; DatabaseWriteBreakdown is the last that is told"),
        ("ParseDuration", "R1", "in the run that begins here, 5 launches and the end of 4 logs"),
        ("ParserSchedulerLaunch", "R5", None),
    ],
)
def test_what_is_missing_is_told_in_a_sentence(lines, name, rule, told):
    if told is None:
        events = [event for event in events_of(lines)[:40] if event.name != name]
        told = "in the run that begins here, 0 launches for 5 devices: it was stopped, or lines are missing"
    else:
        events = without(lines, name)
    assert detail(violations(events), rule) == told


def test_facts_that_differ_are_told_with_the_events_and_fields_that_have_them(lines):
    run, host = warm(lines)
    host["RowsWritten"]["Rows"] = 7
    host["DatabaseWriteBreakdown"]["UpdateCandidates"] = None
    found = violations([WireEvent(event["EventName"], event) for event in run])
    assert detail(found, "J3") == "RowsWritten tells 7 written and 0 deleted, InterfaceSyncTiming 0 and 0"
    assert detail(found, "J2") == "UpdateCandidates is null, in InterfaceSyncTiming 0"
    assert "UpdateCandidates is null, which cannot be compared" in detail(found, "W3")


def test_the_events_of_a_batch_that_differ_are_told_by_field(lines):
    events = without(lines, "InterfacePortStreamMetrics")
    (ready,) = [event for event in events if event.name == "PortBatchReady" and event.host == "BRCK-A01-AS-02"]
    ready.fields["PortsCommitted"] = 1
    found = violations(events)
    assert detail(found, "J5") == "Rows of InterfaceBulkInsertTiming is 6, PortsCommitted of PortBatchReady is 1"
    assert detail(found, "J7") == "InterfacePortStreamMetrics is missing, with 6 rows received"


def test_no_detail_is_written_as_python_writes_it(lines):
    found = []
    for event in events_of(lines):
        for key in list(event.fields)[2:]:
            found += violations([WireEvent(event.name, {**event.fields, key: None})])
            if len(found) > 3000:
                break
    told = " ".join(violation.detail for violation in found)
    assert not any(odd in f" {told} " for odd in (" None", " True", " False", "['", "[["))


def test_wanted_events_that_are_missing_fail(lines, report_of):
    assert report_of(lines, require_sync=True).passed
    report = report_of(lines, require_queue=True)
    assert (report.passed, report.missing) == (False, ["InterfacePortQueueMetrics"])
    known = [line for line in lines if b"SyncTiming" not in line]
    report = report_of(known, require_sync=True, consistency=False)
    assert (report.passed, report.missing, report.origins) == (False, [SYNC], [])


def test_a_batch_queue_is_found_by_its_event_or_its_summary(report_of):
    for event in ({"EventName": "InterfacePortQueueMetrics"}, {"EventName": "Summary", "QueueDelaySummary": {}}):
        assert report_of([event], require_queue=True, consistency=False).passed


def test_the_report_keeps_the_first_violations_and_counts_all(lines, report_of):
    others = [line for line in lines if b'"RowsWritten"' not in line]
    report = report_of(others, keep=3)
    assert (len(report.violations), report.violation_count) == (3, len(lines) - len(others))
    document = msgspec.to_builtins(report)
    assert list(document)[:6] == [
        "Path", "TotalLines", "ParsedLines", "ErrorCount", "QueueEventsFound", "InterfaceSyncFound",
    ]  # fmt: skip
    assert list(document["Violations"][0]) == [
        "Rule", "Meaning", "EventName", "Site", "Hostname", "Where", "Detail",
    ]  # fmt: skip


def test_the_writer_can_be_named_where_the_order_of_the_fields_does_not_tell_it(lines, report_of):
    rewritten = [dict(sorted(json.loads(line).items())) for line in lines if b"DatabaseWriteLatency" not in line]
    rewritten = [
        {"EventName": event.pop("EventName"), "Timestamp": event.pop("Timestamp"), **event} for event in rewritten
    ]
    assert report_of(rewritten).origins == ["original"]
    assert "R3" in rules(report_of(rewritten, rules="ours").violations)


@pytest.mark.original
@pytest.mark.parametrize(
    ("folder", "name"),
    [("pipeline-20251222-210344", "2025-12-22.json"), ("rollup-2025-12-05", "2025-12-05.json.gz")],
)
def test_the_originals_day_files_are_whole(original_data, folder, name):
    report = check_integrity(original_data / "analysis" / folder / name, require_sync=True)
    assert (report.passed, report.violations, report.origins) == (True, [], ["original"])


@pytest.mark.original
@pytest.mark.parametrize(
    "name",
    ["RowsWritten", SYNC, "DatabaseWriteLatency", "DatabaseWriteBreakdown", "InterfaceBulkInsert", "PortBatchReady"],
)
def test_a_line_that_the_originals_day_file_lost_is_found(original_data, name):
    path = original_data / "analysis" / "pipeline-20251222-210344" / "2025-12-22.json"
    events = list(TelemetryReader([path]))
    lost = next(n for n, event in enumerate(events) if event.name == name)
    assert violations(events[:lost] + events[lost + 1 :])


NAMES = [name for name in t.__all__ if name[0].isupper()]
FIELDS = sorted({field for name in NAMES for field in getattr(getattr(t, name), "__struct_encode_fields__", ())})
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.sampled_from(["BOYO-A1", "GetHit"]),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=2), st.none(), max_size=1),
    st.just(10**400),
)  # fmt: skip
EVENTS = st.builds(
    lambda name, fields: WireEvent(name, {"EventName": name, **fields}),
    st.sampled_from(NAMES),
    st.dictionaries(st.sampled_from(["Timestamp", "Hostname", "Site", "Operation", *FIELDS]), VALUES, max_size=12),
)


@given(st.lists(EVENTS, max_size=20), st.sampled_from(["auto", "ours", "original"]))
def test_whatever_an_event_holds_nothing_raises(events, whose):
    check = Consistency(whose)
    integrity = Integrity()
    for event in events:
        check.add(event)
        integrity.add(event)
    check.finish()
    assert all(msgspec.json.encode(violation) for violation in check.violations)


def test_of_hosts_that_were_never_finished_the_oldest_is_judged_first(monkeypatch):
    monkeypatch.setattr(checking, "_MOST_STORIES", 3)
    check = Consistency("ours")
    for number in range(5):
        check.add(
            WireEvent("DatabaseWriteLatency", {"Hostname": f"ALDR-A0{number}", "LatencyMs": 1}, "day.json", number)
        )
    assert [told.hostname for told in check.violations] == ["ALDR-A00", "ALDR-A01"]
    check.finish()
    assert [told.hostname for told in check.violations] == [f"ALDR-A0{number}" for number in range(5)]
