"""What the events of one pass come to."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace import Engine
from statetrace.analysis.events import WireEvent, analyze
from statetrace.analysis.reading import TelemetryReader
from statetrace.analysis.warm.pass_rows import REQUIRED, PassTelemetry
from statetrace.analysis.warm.provider_counts import (
    HITS_OF_2025_11,
    is_hit,
    provider_measure,
    provider_reason_fallback,
)
from statetrace.cache import SharedSiteCache
from statetrace.ingestion.corpus import CorpusPlan, CorpusSite, write_corpus
from statetrace.ingestion.session import SessionOptions
from statetrace.settings import Settings
from statetrace.telemetry import Telemetry

METRICS, BREAKDOWN, TIMING = REQUIRED


def event(name, **fields):
    return WireEvent(name, {"EventName": name, **fields})


def telling(name, host, provider="SharedCache", reason="SharedCacheMatch", **fields):
    origin = {"SiteCacheProvider": provider, "SiteCacheProviderReason": reason, "SiteCacheFetchStatus": "SharedOnly"}
    return event(name, Site=host.partition("-")[0], Hostname=host, **origin | fields)


def host_events(host, **fields):
    return [telling(TIMING, host, **fields), telling(BREAKDOWN, host, InterfaceCallDurationMs=8.5, **fields)]


def read(hosts="", **fields):
    fields = {"Site": "ALDR", "CacheStatus": "Refreshed", "Provider": "ADODB", "HydrationDurationMs": 3} | fields
    return event(METRICS, PreviousHostSample=hosts, **fields)


def telemetry_of(events, **options):
    telemetry = PassTelemetry(**options)
    analyze(events, telemetry)
    return telemetry


def rows_of(*events, **options):
    return telemetry_of(events, **options).rows("ColdPass")


def origins(rows):
    return [(row.hostname, row.provider, row.site_cache_provider_reason) for row in rows]


# reference: warm-run-and-gates 2.6 and 12.3
@pytest.mark.parametrize(
    ("provider", "status", "skip", "reason"),
    [
        ("SharedCache", "", False, "SharedCacheMatch"),
        (" sharedonly ", "Refreshed", True, "SharedCacheMatch"),
        ("Cache", "", False, "AccessCacheHit"),
        ("Refreshed", "Hit", False, "AccessRefresh"),
        ("Refresh", None, False, "AccessRefresh"),
        ("MissingDatabase", "", True, "SharedCacheUnavailable"),
        ("Unknown", "Disabled", True, "SkipSiteCacheUpdate"),
        ("Unknown", "SkippedEmpty", True, "SkipSiteCacheUpdate"),
        ("Unknown", "SkippedEmpty", False, "SharedCacheUnavailable"),
        ("ADODB", "SharedOnly", False, "SharedCacheMatch"),
        ("ADODB", "hit", False, "AccessCacheHit"),
        ("ADODB", "Refreshed", False, "AccessRefresh"),
        ("ADODB", "Disabled", False, "SkipSiteCacheUpdate"),
        ("unknown", "Hydrated", False, "DatabaseQueryFallback"),
        ("ADODB", "Hydrated", False, None),
        (None, None, False, None),
    ],
)
def test_a_reason_that_is_not_told_is_concluded_from_provider_and_status(provider, status, skip, reason):
    assert provider_reason_fallback(provider, status, skip=skip) == reason


def test_a_provider_counts_as_many_times_as_its_weight():
    measure = provider_measure([("Cache", 2), ("Refresh", 1), (None, 0)])

    assert measure.counts == {"Cache": 2, "Refresh": 1, "Unknown": 1}
    assert (measure.hits, measure.misses, measure.ratio_percent) == (2, 2, 50.0)


def test_providers_differ_only_by_more_than_case_and_blanks():
    assert provider_measure([("SharedCache", 1), (" sharedcache", None), ("  ", 1)]).counts == {
        "SharedCache": 2,
        "Unknown": 1,
    }


def test_at_first_only_cache_was_a_hit():
    providers = [("Cache", 1), ("SharedCache", 3)]

    assert provider_measure(providers).ratio_percent == 100.0
    assert provider_measure(providers, hits=HITS_OF_2025_11).ratio_percent == 25.0


def test_nothing_counted_has_no_ratio():
    assert provider_measure([]).ratio_percent is None


@given(st.lists(st.tuples(st.none() | st.sampled_from(["Cache", "CACHE", "ADODB", ""]), st.none() | st.integers())))
def test_hits_and_misses_are_all_that_was_counted(weighted):
    measure = provider_measure(weighted)

    assert measure.hits + measure.misses == sum(measure.counts.values())
    assert measure.hits == sum(count for provider, count in measure.counts.items() if is_hit(provider))


def test_a_read_of_a_site_takes_the_figures_of_the_host_that_it_names():
    [row] = rows_of(
        read("ALDR-A01-AS-01", TotalRows=10, HostMapCandidateFromPreviousCount=4),
        *host_events("aldr-a01-as-01", DiffRowsCompared=10, LoadCacheHit=True),
    )

    assert (row.pass_label, row.hostname, row.provider) == ("ColdPass", "ALDR-A01-AS-01", "ADODB")
    assert (row.hydration_duration_ms, row.total_rows, row.host_map_candidate_from_previous) == (3.0, 10, 4)
    assert (row.interface_call_duration_ms, row.diff_rows_compared, row.load_cache_hit) == (8.5, 10, True)
    assert row.site_cache_provider_reason == "SharedCacheMatch"


def test_a_host_that_no_read_names_has_a_row_of_its_own():
    rows = rows_of(read("ALDR-A01-AS-01"), *host_events("ALDR-A01-AS-02"))

    assert origins(rows) == [
        ("ALDR-A01-AS-01", "ADODB", "AccessRefresh"),
        ("ALDR-A01-AS-02", "SharedCache", "SharedCacheMatch"),
    ]
    assert (rows[1].host_count, rows[1].cache_status, rows[1].hydration_duration_ms) == (1, "SharedOnly", None)


def test_a_read_that_names_several_hosts_gives_way_to_the_hosts_own_events():
    several = "ALDR-A01-AS-01,ALDR-A01-AS-02"

    assert origins(rows_of(read(several), *host_events("ALDR-A01-AS-01"))) == [
        ("ALDR-A01-AS-01", "SharedCache", "SharedCacheMatch")
    ]
    assert origins(rows_of(read(several), *host_events("BRCK-A01-AS-01")))[0] == (several, "ADODB", "AccessRefresh")


def test_a_read_that_names_no_host_keeps_its_row():
    assert origins(rows_of(read(""), *host_events("ALDR-A01-AS-01")))[0] == (None, "ADODB", "AccessRefresh")


def test_the_timing_is_asked_for_a_reason_before_the_breakdown():
    rows = rows_of(
        read("ALDR-A01-AS-01"),
        telling(TIMING, "ALDR-A01-AS-01", "Unknown", "", SiteCacheFetchStatus="SkippedEmpty"),
        telling(BREAKDOWN, "ALDR-A01-AS-01", "Cache", "SiteExistingCache"),
    )

    assert origins(rows) == [("ALDR-A01-AS-01", "ADODB", "SharedCacheUnavailable")]


def test_a_hosts_row_takes_its_origin_from_the_breakdown_in_any_order():
    timing = telling(TIMING, "ALDR-A01-AS-01", "Cache", "AccessCacheHit")
    breakdown = telling(BREAKDOWN, "ALDR-A01-AS-01", "Cache", "SiteExistingCache")

    assert origins(rows_of(timing, breakdown)) == origins(rows_of(breakdown, timing))
    assert origins(rows_of(timing, breakdown)) == [("ALDR-A01-AS-01", "Cache", "SiteExistingCache")]


def test_the_first_of_repeated_events_makes_the_row_of_a_host():
    events = [*host_events("ALDR-A01-AS-01"), telling(BREAKDOWN, "ALDR-A01-AS-01", InterfaceCallDurationMs=99.0)]
    telemetry = telemetry_of(events)

    assert [row.interface_call_duration_ms for row in telemetry.rows("ColdPass")] == [8.5]
    assert list(telemetry.durations) == [8.5, 99.0]


def test_a_host_without_a_breakdown_was_not_written():
    telemetry = telemetry_of([*host_events("ALDR-A01-AS-01"), telling(TIMING, "ALDR-A01-AS-02")])

    assert telemetry.hosts == ("ALDR-A01-AS-01",)


def test_reads_are_in_the_order_of_time_those_without_a_time_last():
    reads = [
        read("late", Timestamp="2026-01-31T10:00:02.0000000+01:00"),
        read("never"),
        read("early", Timestamp="2026-01-31T08:00:01.0000000Z"),
    ]

    assert [row.hostname for row in rows_of(*reads)] == ["early", "late", "never"]


def test_breakdowns_are_counted_one_by_one():
    telemetry = telemetry_of(
        [
            telling(BREAKDOWN, "ALDR-A01-AS-01", SiteCacheHostMapSignatureMatchCount=10),
            telling(BREAKDOWN, "ALDR-A01-AS-02", "Refreshed", SiteCacheHostMapSignatureRewriteCount=120),
            telling(BREAKDOWN, "ALDR-A01-AS-03", "", SiteCacheHostMapSignatureRewriteCount="?"),
            read("ALDR-A01-AS-02", HostMapSignatureRewriteCount=110),
        ]
    )

    assert (telemetry.signature_rewrites, telemetry.rows_rewritten) == (120, 110)


def test_limited_to_hosts_an_event_of_several_counts_for_each_that_is_wanted():
    events = [read("ALDR-A01-AS-01,ALDR-A01-AS-02,ALDR-A01-AS-03"), *host_events("ALDR-A01-AS-09"), read("")]

    rows = rows_of(*events, hosts=["aldr-a01-as-01", "ALDR-A01-AS-03"])

    assert [row.hostname for row in rows] == ["ALDR-A01-AS-01", "ALDR-A01-AS-03", None]


def test_a_warm_pass_of_known_logs_says_why_its_hosts_have_no_events():
    telemetry = telemetry_of([event("SkippedDuplicate", Hostname="ALDR-A01-AS-01")] * 37)

    rows = telemetry.rows("WarmPass", history_seed="ColdOutput")

    assert telemetry.only_duplicates
    assert [(row.metric_name, row.summary_type, row.metric_status) for row in rows] == [
        (BREAKDOWN, "TelemetryMetricStatus", "NotApplicable"),
        (TIMING, "TelemetryMetricStatus", "NotApplicable"),
    ]
    assert {row.metric_status_notes for row in rows} == {
        "HistorySeed=ColdOutput; ParseDurationCount=0; SkippedDuplicateCount=37"
    }
    assert {(row.parse_duration_count, row.skipped_duplicate_count, row.history_seed_mode) for row in rows} == {
        (0, 37, "ColdOutput")
    }
    assert telemetry.rows("ColdPass", history_seed="ColdOutput") == []
    assert telemetry.rows("WarmPass", history_seed="Empty") == []


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers())


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(PassTelemetry.EVENTS)),
            st.dictionaries(
                st.sampled_from(
                    [
                        *("Site", "Hostname", "PreviousHostSample", "Timestamp", "SiteCacheProvider"),
                        *(
                            "InterfaceCallDurationMs",
                            "HostCount",
                            "LoadCacheHit",
                            "SiteCacheHostMapSignatureMatchCount",
                        ),
                        *("HydrationDurationMs", "HostMapSignatureRewriteCount", "SkipSiteCacheUpdate"),
                    ]
                ),
                VALUES,
            ),
        ),
        max_size=6,
    )
)
def test_whatever_events_say_a_pass_has_rows(events):
    telemetry = telemetry_of(event(name, **fields) for name, fields in events)

    assert {row.pass_label for row in telemetry.rows("WarmPass", history_seed="Snapshot")} <= {"WarmPass"}


@pytest.mark.original
def test_the_rows_of_a_real_pass_name_each_host(original_data):
    telemetry = PassTelemetry()
    analyze(TelemetryReader.at(original_data / "analysis" / "pipeline-20251222-210344" / "2025-12-22.json"), telemetry)

    rows = telemetry.rows("ColdPass")

    assert (telemetry.parsed, len(telemetry.hosts)) == (37, 36)
    assert Counter((row.site, row.provider, row.site_cache_provider_reason) for row in rows) == {
        ("BOYO", "SharedCache", "SharedCacheMatch"): 12,
        ("WLLS", "SharedCache", "SharedCacheMatch"): 22,
        ("WLLS", "Refreshed", "AccessRefresh"): 1,
        ("WLLS", "Cache", "SharedCacheUnavailable"): 1,
        ("WLLS", "ADODB", "SharedCacheUnavailable"): 1,
    }
    assert {row.hostname for row in rows} == set(telemetry.hosts)


@pytest.mark.original
@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("no-changes", {("SharedCache", "SharedCacheMatch"): 2}),
        ("two-hosts-empty-cache", {("Unknown", "SharedCacheUnavailable"): 2}),
        ("two-hosts-skipped-duplicate", {}),
        (
            "refresh-then-shared",
            {
                ("Cache", "AccessCacheHit"): 2,
                ("ADODB", "AccessRefresh"): 2,
                ("Refreshed", "AccessRefresh"): 2,
                ("SharedCache", "SharedCacheMatch"): 3,
            },
        ),
    ],
)
def test_the_rows_of_real_runs_say_where_each_hosts_rows_came_from(original_data, run, expected):
    telemetry = PassTelemetry()
    analyze(TelemetryReader.at(original_data / "telemetry" / f"sample-run-{run}.jsonl"), telemetry)

    rows = telemetry.rows("ColdPass")

    assert Counter((row.provider, row.site_cache_provider_reason) for row in rows) == expected
    assert telemetry.only_duplicates is (run == "two-hosts-skipped-duplicate")


def test_hosts_that_this_library_ingests_again_are_all_hits(tmp_path):
    logs, told = tmp_path / "Logs", tmp_path / "Telemetry"
    write_corpus(logs, CorpusPlan((CorpusSite("ALDR", "Brocade", 3, 10), CorpusSite("BRCK", "Cisco", 4, 12))))
    cold, warm = PassTelemetry(), PassTelemetry()
    settings = Settings()
    cache = SharedSiteCache(settings=settings)
    with Engine(tmp_path / "Data", telemetry=Telemetry.to_directory(told), settings=settings, cache=cache) as engine:
        engine.ingest(logs, jobs=1)
        before = TelemetryReader.at(told)
        analyze(before, cold)
        engine.ingest(logs, jobs=1, options=SessionOptions(again=True))
    analyze(islice(TelemetryReader.at(told), before.events, None), warm)

    rows = warm.rows("WarmPass")

    assert len(cold.hosts) == len(rows) == 7
    assert {(row.provider, row.site_cache_provider_reason, row.diff_rows_changed) for row in rows} == {
        ("SharedCache", "SharedCacheMatch", 0)
    }
