"""What two passes over the same logs prove."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.analysis.documents import read_document
from statetrace.analysis.events import WireEvent
from statetrace.analysis.warm.comparison import ComparisonSummary, compare
from statetrace.analysis.warm.host_lists import listed_hosts
from statetrace.analysis.warm.pass_rows import PassTelemetry
from statetrace.analysis.warm.provider_counts import provider_measure
from statetrace.analysis.warm.warm_rows import COLD_PASS, WARM_PASS, WarmRunRow, read_export, write_export
from statetrace.errors import TelemetryError

A, B, C = "ALDR-A01-AS-01", "ALDR-A01-AS-02", "ALDR-A01-AS-03"


def row(label, host, duration=None, provider="SharedCache", reason="SharedCacheMatch", **fields):
    fields = {"site": host.partition("-")[0], "diff_rows_compared": 10, "rows_staged": 0} | fields
    return WarmRunRow(
        pass_label=label,
        hostname=host,
        interface_call_duration_ms=duration,
        provider=provider,
        site_cache_provider_reason=reason,
        **fields,
    )


def cold(host, duration=10.0, **fields):
    return row("ColdPass", host, duration, **fields)


def warm(host, duration=4.0, **fields):
    return row("WarmPass", host, duration, **fields)


def a_read(host, provider, reason, make=cold, duration=10.0, **fields):
    return make(host, duration, provider=provider, reason=reason, hydration_duration_ms=1.0, **fields)


@pytest.fixture
def warm_run(original_data):
    return original_data / "analysis" / "warmrun-20251226-125927"


@pytest.fixture
def export(warm_run):
    return warm_run / "WarmRunTelemetry-20251226-125927.json"


@pytest.mark.original
def test_as_exported_the_originals_comparison_is_had_to_the_last_digit(export):
    *rows, comparison = read_export(export)

    assert compare(rows, as_exported=True).row() == comparison
    assert compare([*rows, comparison], as_exported=True).row() == comparison


@pytest.mark.original
def test_the_originals_summary_is_had_in_its_order(warm_run, export):
    theirs = read_document(warm_run / "WarmRunTelemetry-latest-summary.json")

    ours = msgspec.to_builtins(ComparisonSummary.of(compare(read_export(export), as_exported=True), export))

    assert list(ours) == list(theirs)
    assert ours.pop("TelemetryPath") == str(export)
    assert ours.pop("GeneratedAtUtc").endswith("Z")
    assert ours.items() <= theirs.items()


# reference: warm-run-and-gates 11 D1, D2 and D3
@pytest.mark.original
def test_host_by_host_the_originals_run_is_told_as_it_was(export):
    comparison = compare(read_export(export))

    assert (comparison.cold_interface_call_avg_ms, comparison.warm_interface_call_avg_ms) == (191.513, 107.57)
    assert comparison.improvement_percent == 43.83
    assert comparison.cold_metrics.count == comparison.warm_metrics.count == 37
    assert comparison.cold_provider_counts == {"Unknown": 2, "Refreshed": 2, "SharedCache": 33}
    assert comparison.cold_provider_counts_raw == {"Cache": 2, "ADODB": 2, "Refreshed": 2, "SharedCache": 33}
    assert comparison.warm_signature_match_miss_count == 37
    assert comparison.warm_rows_changed == comparison.warm_rows_compared == 1320


# reference: warm-run-and-gates 12.2
@pytest.mark.original
def test_weighted_by_hosts_the_originals_cold_pass_has_more_misses(export):
    rows = [row for row in read_export(export) if row.pass_label == COLD_PASS]

    measure = provider_measure((row.provider, row.host_count) for row in rows)

    assert measure.counts == {"SharedCache": 33, "Cache": 2, "ADODB": 37, "Refreshed": 2}
    assert (measure.hits, measure.hits + measure.misses, measure.ratio_percent) == (35, 74, 47.3)


@pytest.mark.original
def test_an_export_is_written_as_it_was_read(export, tmp_path):
    write_export(tmp_path / "export.json", read_export(export))

    assert read_document(tmp_path / "export.json") == read_document(export)
    assert [list(row) for row in read_document(tmp_path / "export.json")] == [
        list(row) for row in read_document(export)
    ]


def test_every_row_is_written_with_all_84_keys(tmp_path):
    write_export(tmp_path / "export.json", [cold(A), compare([]).row()])

    rows = read_document(tmp_path / "export.json")

    assert [len(row) for row in rows] == [84, 84]
    assert (rows[0]["Hostname"], rows[0]["EntryCount"]) == (A, None)


def test_exports_of_windows_powershell_are_read_and_what_does_not_fit_is_left_out(tmp_path):
    path = tmp_path / "export.json"
    told = {
        "PassLabel": "WarmPass",
        "Timestamp": "/Date(1500)/",
        "ScriptCacheSites": "ALDR",
        "HostCount": 3.0,
        "TotalRows": "many",
        "InterfaceCallDurationMs": "NaN",
        "DatabaseWriteLatencyMs": 10**30,
        "Events": [],
    }
    path.write_text(json.dumps(told), "utf-8-sig")

    [row] = read_export(path)

    assert row == WarmRunRow(
        pass_label=WARM_PASS, timestamp="1970-01-01T00:00:01.5000000Z", script_cache_sites=("ALDR",), host_count=3
    )


@pytest.mark.parametrize("text", ["{}", "[]", "null", '[{"Site": "ALDR"}, 3]', "[{", ""])
def test_what_is_no_export_is_refused(tmp_path, text):
    (tmp_path / "export.json").write_text(text)

    with pytest.raises(TelemetryError, match=r"export\.json"):
        read_export(tmp_path / "export.json")


def test_a_host_counts_once_however_many_rows_tell_of_it():
    rows = [
        a_read(A, "Cache", "SharedCacheUnavailable", duration=30.0),
        a_read(A, "ADODB", "SharedCacheUnavailable", duration=30.0),
        cold(B),
        warm(A),
        warm(B),
    ]

    ours, theirs = compare(rows), compare(rows, as_exported=True)

    assert (ours.cold_interface_call_avg_ms, ours.improvement_percent) == (20.0, 80.0)
    assert ours.cold_provider_counts == {"Unknown": 1, "SharedCache": 1}
    assert (theirs.cold_interface_call_avg_ms, theirs.cold_host_count) == (23.333, 2)
    assert theirs.cold_provider_counts == {"Cache": 1, "ADODB": 1, "SharedCache": 1}


def test_a_read_that_was_not_made_for_a_host_does_not_speak_for_it():
    comparison = compare([a_read(A, "ADODB", "SharedCacheMatch", warm), warm(B)])

    assert comparison.warm_provider_counts == {"SharedCache": 2}
    assert comparison.warm_provider_counts_raw == {"ADODB": 1, "SharedCache": 1}


def test_a_list_of_hosts_counts_as_so_many_unless_they_tell_of_themselves():
    listed = a_read(f"{A},{B}", "Cache", "AccessCacheHit", warm, None, site="ALDR", diff_rows_compared=None)

    assert compare([listed]).warm_host_count == 2
    assert compare([listed], as_exported=True).warm_host_count == 1
    assert [pair.host for pair in compare([listed, warm(C)]).hosts] == [C]


def test_the_spelling_of_a_host_does_not_matter():
    comparison = compare([cold(A), warm(A.lower())])

    assert [(pair.host, pair.cold is None, pair.warm is None) for pair in comparison.hosts] == [(A, False, False)]
    assert comparison.cold_only_hosts == comparison.warm_only_hosts == ()


def test_hosts_of_one_pass_only_are_named():
    comparison = compare([cold(A), cold(B), warm(B), warm(C)])

    assert (comparison.cold_only_hosts, comparison.warm_only_hosts) == ((A,), (C,))
    assert comparison.warm_hosts_by_provider == {"SharedCache": (B, C)}


def test_refreshes_between_the_passes_do_not_count_as_warm():
    between = a_read(f"{A},{B}", "AccessRetry", "AccessRefresh", warm, None, cache_status="Refreshed")
    rows = [cold(A), warm(A), between]

    assert compare(rows, as_exported=True).warm_provider_counts == {"SharedCache": 1}
    assert compare(rows, as_exported=True, keep_refreshes=True).warm_cache_provider_miss_count == 1
    assert compare(rows).warm_host_count == 1
    assert compare([between], as_exported=True).warm_provider_counts == {"AccessRetry": 1}


@pytest.mark.parametrize(
    ("fields", "changed", "missed"),
    [
        ({"diff_rows_unchanged": 10}, 0, 0),
        ({"diff_rows_changed": 2, "diff_rows_unchanged": 8}, 2, 1),
        ({"diff_rows_inserted": 1}, 1, 1),
        ({"delete_candidates": 3}, 3, 1),
        ({"diff_rows_changed": 0, "rows_staged": 10}, 10, 1),
        ({"rows_staged": 0, "update_candidates": 4, "insert_candidates": 1}, 5, 1),
        ({"diff_rows_compared": 0}, 0, 0),
        ({"diff_rows_compared": None}, 0, 1),
        ({"diff_rows_compared": None, "rows_staged": None}, 0, 1),
        ({"diff_rows_compared": None, "rows_staged": None, "host_map_signature_match_count": 10}, 0, 0),
    ],
)
def test_a_warm_host_matches_if_every_row_is_as_it_was(fields, changed, missed):
    comparison = compare([cold(A), warm(A, **fields)])

    assert (comparison.warm_rows_changed, comparison.warm_signature_match_miss_count) == (changed, missed)
    assert compare([warm(A, **fields)], as_exported=True).warm_signature_match_miss_count == 0


def test_without_rows_there_is_nothing_to_compare():
    comparison = compare([])

    assert (comparison.warm_host_count, comparison.warm_cache_hit_ratio_percent) == (0, None)
    assert comparison.improvement_percent is None


def test_an_improvement_needs_both_passes_and_a_cold_one_that_took_time():
    assert compare([cold(A), warm(A, None)]).improvement_average_ms is None
    zero = compare([cold(A, 0.0), warm(A, 0.0)])
    assert (zero.improvement_average_ms, zero.improvement_percent) == (0.0, None)


def told(host, duration, **fields):
    fields = {"Site": "ALDR", "Hostname": host, "InterfaceCallDurationMs": duration} | fields
    return WireEvent("DatabaseWriteBreakdown", fields)


def a_pass(*events, hosts=()):
    telemetry = PassTelemetry(hosts=hosts)
    for event in events:
        telemetry.add(event)
    return telemetry


def test_as_exported_telemetry_helps_out_where_rows_have_no_durations():
    before, after = a_pass(told(A, 10.0004), told(B, 20.0)), a_pass(told(A, 5.0))

    comparison = compare([], as_exported=True, cold=before, warm=after)

    assert (comparison.cold_host_count, comparison.warm_host_count) == (2, 1)
    assert (comparison.cold_interface_call_avg_ms, comparison.improvement_average_ms) == (15.0, 10.0)


def test_rows_that_reads_rewrote_are_those_of_each_read_not_of_each_host():
    repeated = {"SiteCacheHostMapSignatureRewriteCount": 120}
    read = WireEvent("InterfaceSiteCacheMetrics", {"Site": "ALDR", "HostMapSignatureRewriteCount": 120})
    telemetry = a_pass(read, told(A, 1.0, **repeated), told(B, 1.0, **repeated))

    assert compare([warm(A), warm(B)], warm=telemetry).warm_signature_rewrite_total == 120
    assert compare([], warm=telemetry, as_exported=True).warm_signature_rewrite_total == 240
    assert compare([warm(A, host_map_signature_rewrite_count=7)]).warm_signature_rewrite_total == 7


def test_limited_to_hosts_what_reads_of_other_sites_rewrote_does_not_count():
    reads = [
        WireEvent("InterfaceSiteCacheMetrics", {"Site": site, "HostMapSignatureRewriteCount": count})
        for site, count in (("ALDR", 3), ("WLLS", 120))
    ]
    other = "WLLS-A01-AS-01"
    telemetry = a_pass(*reads, told(A, 1.0), told(other, 1.0, Site="WLLS"), hosts=[A])

    assert compare([warm(A), warm(other)], hosts=[A], allow_partial_hosts=True, warm=telemetry).row() == (
        compare([warm(A)], warm=a_pass(reads[0], told(A, 1.0))).row()
    )


def test_a_comparison_can_be_limited_to_hosts():
    rows = [cold(A), cold(B, 20.0), warm(A), warm(B), warm(f"{B},{C}", 5.0)]
    blank = WarmRunRow(pass_label=WARM_PASS, provider="ADODB")

    limited = compare([*rows, blank], hosts=[B.lower()])

    assert [pair.host for pair in limited.hosts] == [B]
    assert limited.cold_interface_call_avg_ms == 20.0
    exported = compare([*rows, blank], hosts=[B], as_exported=True)
    assert exported.warm_provider_counts == {"SharedCache": 1, "ADODB": 1}


def test_a_host_that_the_cold_pass_did_not_write_cannot_be_asked_for():
    rows = [cold(A), warm(A), warm(B)]

    with pytest.raises(TelemetryError, match=B):
        compare(rows, hosts=[A, B])
    with pytest.raises(TelemetryError, match=A):
        compare(rows, hosts=[A], cold=a_pass(told(B, 1.0)))
    assert compare(rows, hosts=[A, B], allow_partial_hosts=True).warm_host_count == 2


def test_hosts_are_listed_with_commas_or_line_by_line(tmp_path):
    path = tmp_path / "hosts.txt"
    path.write_text(f"{A}, {B.lower()}\r\n\r\n{C}\n", "utf-8-sig")

    assert listed_hosts([f"{B},"], path) == (B, A, C)


FIGURES = st.floats(min_value=0, max_value=1e6)
ROWS = st.lists(
    st.builds(
        row,
        st.sampled_from(["ColdPass", "WARMPASS", "CacheProbe"]),
        st.sampled_from([A, B, C, A.lower(), f"{A},{C}", ""]),
        st.none() | FIGURES,
        provider=st.sampled_from([None, "Cache", "SharedCache", "ADODB", "adodb"]),
        reason=st.sampled_from([None, "SharedCacheMatch", "AccessRefresh", "Undetermined"]),
        hydration_duration_ms=st.none() | FIGURES,
        diff_rows_changed=st.none() | st.integers(0, 9),
    ),
    max_size=8,
)


@given(ROWS, st.booleans())
def test_hosts_and_their_providers_add_up(rows, as_exported):
    comparison = compare(rows, as_exported=as_exported)

    hits, misses = comparison.warm_cache_provider_hit_count, comparison.warm_cache_provider_miss_count
    assert hits + misses == sum(comparison.warm_provider_counts.values())
    hosts = [host for named in comparison.warm_hosts_by_provider.values() for host in named]
    assert sorted(hosts) == sorted(pair.host for pair in comparison.hosts if pair.warm is not None)
    if not as_exported:
        assert hits + misses == comparison.warm_host_count == len(hosts)
    assert msgspec.json.encode(comparison)
