"""``statetrace analyze``: each command in tables, in JSON and in a file."""

from __future__ import annotations

import gzip
import json
import re
import shutil

import pytest
from command_line import document, unread

from statetrace import Engine
from statetrace.cache import SharedSiteCache
from statetrace.ingestion.corpus import CorpusPlan, CorpusSite, write_corpus
from statetrace.settings import Settings
from statetrace.telemetry import Telemetry

OF_TELEMETRY = (
    "store-state", "provider-reasons", "sync-timing", "port-batches", "scheduler", "port-diversity", "queue-delay",
    "integrity",
)  # fmt: skip
LISTS = ("store-state", "provider-reasons", "diff-hotspots")
STORE = "InterfaceSiteCacheSharedStore"


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """The telemetry of our engine: a cold and a warm run of two sites, and ports asked for."""
    folder = tmp_path_factory.mktemp("own")
    write_corpus(folder / "logs", CorpusPlan((CorpusSite("ALDR", "Cisco", 3, 12), CorpusSite("BRCK", "Arista", 3, 12))))
    cache, telemetry = SharedSiteCache(settings=Settings()), Telemetry.to_directory(folder / "events")
    with Engine(folder / "data", cache=cache, settings=Settings(), telemetry=telemetry) as engine:
        engine.ingest(folder / "logs", jobs=1)
        shutil.rmtree(folder / "data" / "IngestionHistory")
        engine.ingest(folder / "logs", jobs=1)
        for site in ("ALDR", "BRCK"):
            for host in engine.repository.site(site):
                for _ in range(2):
                    engine.repository.port_stream(host)
    return folder / "events"


@pytest.fixture
def analyze(call):
    """Runs one of the commands."""
    return lambda *arguments: call("analyze", *arguments)


@pytest.fixture
def analyzed(call):
    """The document of one of the commands."""
    return lambda *arguments, code=0: document("analyze", *arguments, by=call, code=code)


def line(name, second=0, **fields):
    return json.dumps({"EventName": name, "Timestamp": f"2026-01-31T10:00:{second:02}.0000000Z", **fields})


def day_file(tmp_path, *lines):
    path = tmp_path / "2026-01-31.json"
    path.write_text("".join(f"{text}\n" for text in lines))
    return path


def launches(*sites):
    return [
        line("ParserSchedulerLaunch", second, Site=site, QueuedSites=2) for second, site in enumerate(sites)
    ]  # fmt: skip


@pytest.mark.parametrize("command", OF_TELEMETRY)
def test_every_command_understands_our_own_telemetry(analyze, events, tmp_path, command):
    file = tmp_path / "report.json"
    table = analyze(command, events, "--output", file)
    assert table.returncode == 0, table.stderr
    assert len(table.stdout.splitlines()) >= 2
    printed = analyze(command, events, "--json")
    written, shown = json.loads(file.read_bytes()), json.loads(printed.stdout)
    assert isinstance(shown, list) == (command in LISTS)
    for report in (written, shown):
        if isinstance(report, dict):
            report.pop("GeneratedAtUtc", None)
    assert written == shown


def test_a_warm_run_shows_in_the_reasons_and_in_the_cache(analyzed, events):
    aldr, brck = analyzed("provider-reasons", events)
    assert (aldr["Site"], aldr["Total"], aldr["SharedCacheMatch"], aldr["AccessRefresh"]) == ("ALDR", 6, 5, 0)
    assert (brck["Site"], brck["Total"], brck["SharedCacheMatch"], brck["AccessRefresh"]) == ("BRCK", 6, 5, 0)
    (store,) = analyzed("store-state", events)
    assert (store["GetMiss"], store["Remove"], store["OtherOperations"]) == (2, 0, 0)
    assert [site["Site"] for site in store["TopSites"]] == ["ALDR", "BRCK"]


def test_several_files_are_one_report_or_one_record_each(analyzed, tmp_path):
    for name in ("2026-01-30.json", "2026-01-31.json"):
        (tmp_path / name).write_text(line("InterfaceSyncTiming", Site="ALDR", Hostname=f"ALDR-A{name[9]}") + "\n")
    files = [str(tmp_path / "2026-01-30.json"), str(tmp_path / "2026-01-31.json")]
    assert [record["File"] for record in analyzed("store-state", tmp_path)] == files
    report = analyzed("sync-timing", *files)
    assert (report["FilesAnalyzed"], report["EventCount"]) == (files, 2)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ((), 5),
        (("--from", "2026-01-31T10:00:01Z"), 4),
        (("--to", "2026-01-31T10:00:01"), 2),
        (("--from", "2026-01-31T12:00:01+02:00", "--to", "2026-01-31 10:00:03"), 3),
        (("--from", "2026-01-31T10:00:01.0000001Z", "--to", "2026-02-01"), 3),
        (("--from", "2026-02-01"), 0),
    ],
)
def test_a_window_is_in_utc_and_includes_its_ends(analyzed, tmp_path, window, expected):
    path = day_file(tmp_path, *(line("InterfaceSyncTiming", second, Site="ALDR") for second in range(5)))
    assert analyzed("sync-timing", path, *window)["EventCount"] == expected


def test_sites_are_chosen_in_any_case_and_events_of_ports_by_their_host(analyzed, analyze, tmp_path):
    path = day_file(
        tmp_path,
        *(line("PortBatchReady", Hostname=host, PortsCommitted=1) for host in ("ALDR-A01", "BRCK-A01", "CLIF-A01")),
        *(line("InterfaceSyncTiming", Site=site) for site in ("ALDR", "BRCK", "CLIF")),
        line("InterfaceSiteCacheSharedStoreState", Operation="SnapshotImported"),
        line(STORE, Site="BRCK", Operation="Set"),
    )
    batches = analyzed("port-batches", path, "--site", "aldr,clif")["PortBatchSummary"]
    assert (batches["EventCount"], batches["UniqueHosts"]) == (2, 2)
    timing = analyzed("sync-timing", path, "--site", "ALDR", "--site", "brck")
    assert [site["Site"] for site in timing["SiteBreakdown"]] == ["ALDR", "BRCK"]
    (store,) = analyzed("store-state", path, "--site", "ALDR")
    assert (store["SnapshotImported"], store["Set"]) == (1, 0)
    assert "none of the events" in analyze("sync-timing", path, "--site", "DEAN").stderr


@pytest.mark.parametrize("command", ["store-state", "provider-reasons", "port-batches"])
def test_a_site_that_no_event_names_is_told_with_those_there_are(analyze, tmp_path, command):
    path = day_file(
        tmp_path, line("PortBatchReady", Hostname="BRCK-A01"), line("InterfaceSyncTiming", Site="ALDR"), line("Other")
    )
    finished = analyze(command, path, "--site", "NOPE,aldr")
    told = [text for text in finished.stderr.splitlines() if "no site" in text]
    assert (finished.returncode, told) == (0, ["statetrace: no site NOPE among these events; there are ALDR, BRCK"])
    assert "no site" not in analyze(command, path, "--site", "brck").stderr


def test_a_site_is_told_when_no_event_names_any(analyze, tmp_path):
    finished = analyze("sync-timing", day_file(tmp_path, line("Other")), "--site", "NOPE")
    assert "no site NOPE among these events; no event names any" in finished.stderr


def test_a_copy_of_a_day_counts_once_and_is_named(analyze, tmp_path):
    path = day_file(tmp_path, line("InterfaceSyncTiming", Site="ALDR"))
    (tmp_path / "2026-01-31-copy.json.gz").write_bytes(gzip.compress(path.read_bytes()))
    finished = analyze("sync-timing", tmp_path, "--json")
    assert json.loads(finished.stdout)["EventCount"] == 1
    assert finished.stderr.strip() == f"left out: {tmp_path / '2026-01-31-copy.json.gz'} is a copy of {path}"
    assert "it was told before" in analyze("integrity", tmp_path, "--top", 0).stdout


def test_what_is_passed_over_in_a_folder_is_named(analyze, tmp_path):
    path = day_file(tmp_path, line("InterfaceSyncTiming", Site="ALDR"))
    shutil.copy(path, tmp_path / "2026-01-31.2.json")
    (tmp_path / "archive").mkdir()
    shutil.copy(path, tmp_path / "archive")
    told = analyze("sync-timing", tmp_path).stderr
    assert told.startswith(f"not looked at: {tmp_path / '2026-01-31.2.json'}, {tmp_path / 'archive'};")


def test_the_folder_of_a_warm_run_is_taken_by_every_command(analyze, events, tmp_path):
    run = tmp_path / "Run-20260131-100000"
    shutil.copytree(events, run / "ColdPass")
    for command in OF_TELEMETRY:
        assert analyze(command, run).returncode == 0, command
    finished = analyze("sync-timing", tmp_path)
    assert (finished.returncode, "Run-20260131-100000" in finished.stderr) == (1, True)


def test_reasons_that_the_original_does_not_know_have_columns_of_their_own(analyze, analyzed, tmp_path):
    reasons = ["SharedCacheUnavailable", "AccessHydrate", "SharedCacheUnavailable", "SharedCacheMatch", "[/b]"]
    path = day_file(
        tmp_path, *(line("InterfaceSyncTiming", Site="ALDR", SiteCacheProviderReason=reason) for reason in reasons)
    )
    heading, row = (text.split() for text in analyze("provider-reasons", path).stdout.splitlines())
    shown = dict(zip(heading, row, strict=True))
    assert (shown["SharedCacheUnavailable"], shown["AccessHydrate"], shown["[/b]"]) == ("2", "1", "1")
    assert "Other" not in shown
    (site,) = analyzed("provider-reasons", path)
    assert list(site) == [
        "Site", "Total", "AccessRefresh", "AccessCacheHit", "SharedCacheMatch", "SkipSiteCacheUpdate", "Unknown",
    ]  # fmt: skip


def test_the_rarest_of_many_reasons_are_counted_together(analyze, tmp_path):
    names = ["Site", *(f"Reason{number}" for number in range(12))]
    path = day_file(tmp_path, *(line("InterfaceSyncTiming", Site="A", SiteCacheProviderReason=name) for name in names))
    heading, row = (text.split() for text in analyze("provider-reasons", path).stdout.splitlines())
    assert (row[0], dict(zip(heading, row, strict=True))["Other"]) == ("A", "5")


@pytest.mark.parametrize(
    ("command", "events"),
    [
        ("store-state", [line(STORE, Site=f"S{number}", Operation="Set") for number in range(5)]),
        ("sync-timing", [line("InterfaceSyncTiming", Hostname=f"A-{number}") for number in range(5)]),
        (
            "provider-reasons",
            [
                line("InterfaceSyncTiming", Hostname=f"A-{number}", SiteCacheProviderReason="AccessRefresh")
                for number in range(5)
            ],
        ),
        ("scheduler", launches(*"ABCDE")),
        ("integrity", [line("RowsWritten", Hostname=f"A-{number}") for number in range(5)]),
    ],
)
def test_a_list_that_is_cut_says_how_many_are_left_out(analyze, tmp_path, command, events):
    path = day_file(tmp_path, *events)
    options = ("--rules", "ours") if command == "integrity" else ()
    shown = analyze(command, path, "--top", 2, *options).stdout
    assert [text for text in shown.splitlines() if re.fullmatch(r"and \d+ more", text)]
    assert "more" not in analyze(command, path, "--top", 0, *options).stdout


def test_sync_timing_shows_what_took_time_and_the_slowest_hosts_first(analyze, tmp_path):
    path = day_file(
        tmp_path,
        line("InterfaceSyncTiming", Site="A", Hostname="A-1", UiCloneDurationMs=0, DiffDurationMs=2),
        line("InterfaceSyncTiming", Site="A", Hostname="A-2", UiCloneDurationMs=0, LoadExistingDurationMs=7.5),
    )
    shown = analyze("sync-timing", path).stdout
    assert "UiClone" not in shown
    assert "StreamDispatch" not in shown
    assert ["load", "its", "rows", "1"] in [text.split()[:4] for text in shown.splitlines()]
    assert [text.split()[:3] for text in shown.splitlines()[-2:]] == [["A-2", "1", "7.500"], ["A-1", "1", "2.000"]]


def test_tables_show_moments_in_utc_and_whole_numbers_without_decimals(analyze, tmp_path):
    moment = "2026-01-31T10:00:00.0000000-07:00"
    path = day_file(
        tmp_path,
        json.dumps({"EventName": "ParserSchedulerLaunch", "Timestamp": moment, "Site": "A"}),
        json.dumps({"EventName": "PortBatchReady", "Timestamp": moment, "Hostname": "A-1", "ChunkSize": 64}),
    )
    assert "2026-01-31T17:00:00.0000000Z" in analyze("scheduler", path).stdout
    shown = analyze("port-batches", path).stdout
    assert ("64.000" in shown, " 64 " in shown) == (False, True)


def test_top_limits_what_is_listed_and_0_lists_all(analyzed, tmp_path):
    hosts = [line("InterfaceSyncTiming", Site="ALDR", Hostname=f"ALDR-A{number:02}") for number in range(12)]
    path = day_file(tmp_path, *hosts)
    counts = [len(analyzed("sync-timing", path, *top)["HostBreakdownTop"]) for top in ((), ("--top", 2), ("--top", 0))]
    assert counts == [10, 2, 12]


def test_broken_lines_are_left_out_and_named(analyze, tmp_path):
    path = day_file(tmp_path, line("InterfaceSyncTiming", Site="ALDR"), *['{"EventNa'] * 7, "[1]")
    finished = analyze("sync-timing", path, "--json")
    assert json.loads(finished.stdout)["EventCount"] == 1
    told = finished.stderr.splitlines()
    assert [message.split(": ")[1] for message in told[:5]] == [f"{path}:{number}" for number in range(2, 7)]
    assert told[5] == "left out: 3 more lines that cannot be read"


@pytest.mark.parametrize(
    "arguments",
    [
        ("sync-timing", "."),
        ("sync-timing", "nowhere.json"),
        ("port-batches", "empty.json", "--baseline", "nowhere.json"),
        ("port-batches", "empty.json", "--baseline", "list.json"),
        ("compare-diversity", "list.json", "list.json"),
        ("diff-hotspots", "nowhere.json"),
        ("diff-hotspots", "list.json"),
        ("diff-hotspots", "."),
    ],
)
def test_what_cannot_be_read_fails_in_one_line(analyze, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.json").touch()
    (tmp_path / "list.json").write_text("[]")
    finished = analyze(*arguments)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert len(finished.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "options",
    [("--from", "soon"), ("--to", "2026-13-01"), ("--from", "2026-02-01", "--to", "2026-01-31"), ("--top", "-1")],
)
def test_options_that_make_no_sense_are_wrong_usage(analyze, tmp_path, options):
    assert analyze("sync-timing", day_file(tmp_path), *options).returncode == 2


def test_an_unfair_streak_of_launches_fails_with_the_site_and_the_report_is_written_all_the_same(analyze, tmp_path):
    path, file = day_file(tmp_path, *launches(*"AAABAB")), tmp_path / "report.json"
    assert analyze("scheduler", path).returncode == 0
    finished = analyze("scheduler", path, "--max-streak", 2, "--output", file)
    assert finished.returncode == 3
    assert finished.stderr.strip() == "statetrace: site A: 3 launches in a row, 2 are fair"
    assert json.loads(file.read_bytes())["Pass"] is False


def test_no_launches_and_no_batches_fail(analyze, tmp_path):
    path = day_file(tmp_path, line("RowsWritten"))
    assert analyze("scheduler", path).returncode == 3
    finished = analyze("port-diversity", path)
    assert (finished.returncode, finished.stdout) == (3, "")
    assert "NoPortBatchReadyEvents" in finished.stderr


def test_too_many_batches_of_a_site_in_a_row_fail_with_the_site(analyze, tmp_path):
    hosts = enumerate(("A-1", "A-2", "A-3", "B-1", "A-4", "B-2"))
    path = day_file(tmp_path, *(line("PortBatchReady", second, Hostname=host) for second, host in hosts))
    assert analyze("port-diversity", path).returncode == 0
    finished = analyze("port-diversity", path, "--max-streak", 2)
    assert finished.returncode == 3
    assert finished.stderr.strip() == "statetrace: site A: 3 batches in a row, 2 are allowed"


def test_launches_and_batches_are_compared_from_their_reports(analyze, analyzed, tmp_path):
    batches = [line("PortBatchReady", second, Hostname=f"{site}-1") for second, site in enumerate("AABAB")]
    path = day_file(tmp_path, *launches(*"ABABAB"), *batches)
    reports = tmp_path / "scheduler.json", tmp_path / "diversity.json"
    analyze("scheduler", path, "--output", reports[0])
    analyze("port-diversity", path, "--output", reports[1])
    comparison = analyzed("compare-diversity", *reports, "--markdown", tmp_path / "new" / "comparison.md")
    assert [(site["Site"], site["PortMinusScheduler"]) for site in comparison["Sites"]] == [("A", 1), ("B", 0)]
    assert comparison["InputsAligned"] is True
    assert (tmp_path / "new" / "comparison.md").read_text().splitlines()[2].startswith("| A |")
    assert analyze("compare-diversity", *reports).stderr.strip() == (
        "warning: 1 site with more batches in a row than launches"
    )


def test_port_batches_are_compared_with_an_earlier_report(analyze, analyzed, tmp_path):
    path, baseline = day_file(tmp_path, line("PortBatchReady", Hostname="A-1", PortsCommitted=4)), tmp_path / "old.json"
    analyze("port-batches", path, "--output", baseline)
    path = day_file(tmp_path, *(line("PortBatchReady", Hostname="A-1", PortsCommitted=5) for _ in range(2)))
    report = analyzed("port-batches", path, "--baseline", baseline, "--hosts")
    assert report["HostBreakdown"] == [{"Host": "A-1", "BatchCount": 2, "PortsCommitted": 10}]
    assert report["ComparisonMetrics"][0] == {
        "Metric": "TotalPorts", "Current": 10, "Baseline": 4, "Delta": 6.0, "Unit": "ports",
    }  # fmt: skip


def test_hot_spots_of_an_export_are_written_as_csv(analyze, analyzed, tmp_path):
    rows = [
        {"PassLabel": label, "Site": "ALDR", "Hostname": f"ALDR-A{number}", "DiffComparisonDurationMs": number}
        for number, label in enumerate(("ColdPass", "WarmPass", "WarmPass"))
    ]
    export, file = tmp_path / "WarmRunTelemetry.json", tmp_path / "new" / "hotspots.csv"
    export.write_text(json.dumps(rows))
    assert [host["Hostname"] for host in analyzed("diff-hotspots", export, "--output", file)] == ["ALDR-A2", "ALDR-A1"]
    assert file.read_bytes().splitlines()[1] == b'"ALDR","ALDR-A2","2",,,,,'
    file.unlink()
    finished = analyze("diff-hotspots", export, "--min-ms", 9, "--output", file)
    assert f"{file} is not written" in finished.stderr
    assert not file.exists()


def test_hot_spots_are_found_in_the_folder_of_a_run_or_of_several(analyzed, tmp_path):
    row = {"PassLabel": "WarmPass", "Site": "A", "DiffComparisonDurationMs": 1}
    run = tmp_path / "Run-20260131-100000"
    run.mkdir()
    for path, host in (
        (run / "WarmRunTelemetry-20260131-100000.json", "A-1"), (tmp_path / "WarmRunTelemetry-latest.json", "A-2"),
        (tmp_path / "WarmRunTelemetry-20260131-100000.json", "A-3"),
    ):  # fmt: skip
        path.write_text(json.dumps([row | {"Hostname": host}]))
        path.with_name(f"{path.stem}-summary.json").write_text("{}")
    assert [host["Hostname"] for host in analyzed("diff-hotspots", run)] == ["A-1"]
    assert [host["Hostname"] for host in analyzed("diff-hotspots", tmp_path)] == ["A-2"]


def test_a_day_file_is_no_export(analyze, events):
    (day,) = events.iterdir()
    finished = analyze("diff-hotspots", day)
    assert (finished.returncode, "is no warm-run export" in finished.stderr) == (1, True)


def test_queue_delays_that_are_too_few_or_too_long_fail(analyze, analyzed, tmp_path):
    queues = [line("InterfacePortQueueMetrics", Hostname="A-1", QueueBuildDelayMs=150) for _ in range(5)]
    path = day_file(tmp_path, *queues)
    assert analyzed("queue-delay", path, code=3)["Result"] == "InsufficientData"
    assert analyzed("queue-delay", path, "--min-events", 5, code=3)["Violations"] == ["QueueDelayP95"]
    finished = analyze("queue-delay", path, "--min-events", 5, "--max-p95", 150)
    assert (finished.returncode, finished.stderr.strip()) == (0, "queue delay: Pass")


def test_telemetry_that_contradicts_itself_or_is_torn_fails(analyze, analyzed, events, tmp_path):
    (day,) = events.iterdir()
    whole = day.read_bytes().splitlines(keepends=True)
    copy = tmp_path / "2026-01-31.json"
    dropped = next(number for number, text in enumerate(whole) if b'"DatabaseWriteBreakdown"' in text)
    copy.write_bytes(b"".join(whole[:dropped] + whole[dropped + 1 :]))
    finished = analyze("integrity", copy)
    assert finished.returncode == 3
    assert "contradiction" in finished.stderr
    assert analyze("integrity", copy, "--lines-only").returncode == 0
    copy.write_bytes(b"".join([*whole, b'{"EventName":"RowsWr']))
    report = analyzed("integrity", copy, "--lines-only", code=3)
    assert (report["ErrorCount"], report["TotalLines"]) == (1, len(whole) + 1)


def test_wanted_events_that_are_absent_fail(analyze, tmp_path):
    path = day_file(tmp_path, line("RowsWritten"))
    finished = analyze("integrity", path, "--lines-only", "--require-queue", "--require-sync")
    assert finished.returncode == 3
    assert "there is no InterfacePortQueueMetrics" in finished.stderr
    assert "there is no InterfaceSyncTiming" in finished.stderr


def test_an_empty_file_is_no_telemetry_that_is_whole(analyze, tmp_path):
    finished = analyze("integrity", day_file(tmp_path))
    assert (finished.returncode, finished.stderr.strip()) == (3, "statetrace: there are no events")


def test_integrity_tells_whose_rules_hold_and_that_contradictions_may_follow_from_a_torn_line(
    analyze, events, tmp_path
):
    (day,) = events.iterdir()
    lines = day.read_text().splitlines()
    lines[20] = lines[20][:30]
    told = analyze("integrity", day_file(tmp_path, *lines)).stderr
    assert "rules: ours" in told
    assert "the first at" in told
    assert "2026-01-31.json:21" in told
    assert "which may follow from what cannot be read" in told
    assert (
        "rules: original" in analyze("integrity", day_file(tmp_path, line("RowsWritten")), "--rules", "original").stderr
    )


def test_the_rules_are_listed_with_what_they_say_and_who_keeps_them(analyze, analyzed):
    rules = {rule["Rule"]: rule for rule in analyzed("integrity", "--list-rules")}
    assert list(rules)[:4] == ["C1", "C2", "C4", "C6"]
    assert rules["R1"] == {"Rule": "R1", "Event": "", "KeptBy": "ours", "Meaning": "one launch for each log"}
    assert (rules["E2"]["KeptBy"], rules["S8"]["Event"]) == ("ours and original", "InterfaceSyncTiming")
    assert len(analyze("integrity", "--list-rules").stdout.splitlines()) == len(rules) + 1
    assert analyze("integrity").returncode == 2


def test_names_that_are_no_unicode_are_printed_and_written(analyze, tmp_path):
    lone = '{"EventName":"InterfaceSyncTiming","Site":"AL\\ud800\\u001b[31m","Hostname":"A"}'
    path, file = day_file(tmp_path, lone), tmp_path / "report.json"
    finished = analyze("sync-timing", path, "--output", file)
    assert finished.returncode == 0
    assert "\x1b" not in finished.stdout
    assert json.loads(file.read_bytes())["SiteBreakdown"][0]["Site"] == "AL\ud800\x1b[31m"
    assert json.loads(analyze("sync-timing", path, "--json").stdout)["EventCount"] == 1


def test_a_gate_that_failed_is_the_exit_code_whoever_reads(tmp_path):
    waited = [line("InterfacePortQueueMetrics", second, QueueDelayMs=300) for second in range(3)]
    code, told = unread("analyze", "queue-delay", day_file(tmp_path, *waited), "--min-events", 3)
    assert (code, "queue delay: Fail" in told) == (3, True), told


@pytest.mark.parametrize("limit", ["nan", "inf", "many"])
@pytest.mark.parametrize("option", ["--max-p95", "--max-p99"])
def test_a_limit_that_nothing_could_break_is_refused(analyze, tmp_path, option, limit):
    finished = analyze("queue-delay", day_file(tmp_path, line("InterfacePortQueueMetrics")), option, limit)
    assert finished.returncode == 2
    assert "no finite number" in finished.stderr
