"""Which hosts of a warm run took longest to compare."""

from __future__ import annotations

import csv
import json

import msgspec
import pytest

from statetrace.analysis.reports.diff_hotspots import diff_hotspots, hotspot_sites, hotspots_csv, warm_run_rows
from statetrace.errors import TelemetryError


def row(host, compared=1.0, **fields):
    return {
        "PassLabel": "WarmPass",
        "Site": host.partition("-")[0],
        "Hostname": host,
        "DiffComparisonDurationMs": compared,
        "DiffDurationMs": 2.0,
        "LoadExistingDurationMs": 0.01849,
        "LoadExistingRowSetCount": 48,
        "Provider": "SharedCache",
        "SiteCacheProviderReason": "SharedCacheMatch",
        **fields,
    }


def hosts(hotspots):
    return [hotspot.hostname for hotspot in hotspots]


@pytest.mark.original
def test_the_originals_columns_hold_the_same_values_for_each_host(original_data):
    folder = original_data / "analysis" / "warmrun-20251226-125927"
    with (folder / "DiffHotspots-20251226-125927.csv").open(encoding="utf-8-sig", newline="") as file:
        originals = {line["Hostname"]: line for line in csv.DictReader(file)}

    rows = warm_run_rows(folder / "WarmRunTelemetry-20251226-125927.json")
    text = hotspots_csv(diff_hotspots(rows, top=0))
    ours = {line["Hostname"]: line for line in csv.DictReader(text.splitlines())}

    assert len(ours) == 37
    # All comparisons of that run took 0 ms, so that which 20 of the 37 the original took is an accident.
    assert len(originals) == 20
    assert {host: ours[host] for host in originals} == originals
    assert hosts(diff_hotspots(rows)) == hosts(diff_hotspots(rows, top=0))[:20]


def test_the_slowest_comparison_comes_first_then_the_slowest_diff_then_the_name():
    rows = [
        row("WLLS-C", 5.0),
        row("WLLS-B", 5.0),
        row("BOYO-D", 9.0),
        row("WLLS-A", 5.0, DiffDurationMs=7.0),
        row("BOYO-E", 0.0),
    ]

    assert hosts(diff_hotspots(rows)) == ["BOYO-D", "WLLS-A", "WLLS-B", "WLLS-C", "BOYO-E"]
    assert hosts(diff_hotspots(rows, top=2)) == ["BOYO-D", "WLLS-A"]
    assert len(diff_hotspots(rows, top=-1)) == 5
    assert hosts(diff_hotspots(rows, minimum_ms=9)) == ["BOYO-D"]


@pytest.mark.parametrize(
    "other",
    [
        row("WLLS-A", PassLabel="ColdPass"),
        row("WLLS-A", PassLabel=None),
        row("WLLS-A", Site=" "),
        row("WLLS-A", None),
        row("WLLS-A", "soon"),
        {},
    ],
)
def test_only_measured_hosts_of_the_warm_pass_count(other):
    assert hosts(diff_hotspots([other, row("WLLS-B")])) == ["WLLS-B"]


def test_a_row_without_the_other_columns_keeps_them_empty():
    [hotspot] = diff_hotspots([{"PassLabel": "warmpass", "Site": "WLLS", "DiffComparisonDurationMs": 1.23456}])

    assert msgspec.to_builtins(hotspot) == {
        "Site": "WLLS", "Hostname": "", "DiffComparisonMs": 1.235, "DiffDurationMs": None, "LoadExistingMs": None,
        "RowSetCount": None, "Provider": None, "ProviderReason": None,
    }  # fmt: skip


def test_the_csv_is_quoted_has_plain_numbers_and_ends_its_lines_with_crlf():
    text = hotspots_csv(diff_hotspots([row("WLLS-A", 0.0, Provider=None)]))

    assert text == (
        '"Site","Hostname","DiffComparisonMs","DiffDurationMs","LoadExistingMs","RowSetCount","Provider","ProviderReason"\r\n'
        '"WLLS","WLLS-A","0","2","0.018","48",,"SharedCacheMatch"\r\n'
    )


def test_sites_are_summed_up_slowest_first():
    rows = [row("BOYO-A", 1.0), row("WLLS-A", 2.0), row("WLLS-B", 3.0), row("wlls-b", 3.0)]

    assert msgspec.to_builtins(hotspot_sites(diff_hotspots(rows))) == [
        {"Site": "WLLS", "HostCount": 2, "TotalDiffComparisonMs": 8, "TotalRowSetCount": 144, "AvgDiffComparisonMs": 2.667},
        {"Site": "BOYO", "HostCount": 1, "TotalDiffComparisonMs": 1, "TotalRowSetCount": 48, "AvgDiffComparisonMs": 1},
    ]  # fmt: skip
    assert hotspot_sites([]) == []


ROWS = [row("WLLS-A"), row("WLLS-B")]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ROWS, indent=2),
        "\ufeff" + json.dumps(ROWS),
        "\r\n".join(map(json.dumps, ROWS)) + "\r\n",
        "\n\n" + "\n".join(map(json.dumps, ROWS)),
    ],
)
def test_an_export_is_an_array_or_a_row_a_line(tmp_path, text):
    path = tmp_path / "WarmRunTelemetry.json"
    path.write_bytes(text.encode())

    assert warm_run_rows(path) == ROWS


def test_a_single_row_need_not_be_in_an_array(tmp_path):
    path = tmp_path / "WarmRunTelemetry.json"
    path.write_text(json.dumps(ROWS[0], indent=2))

    assert warm_run_rows(path) == ROWS[:1]


@pytest.mark.parametrize(
    "text", ["", "no json", json.dumps(ROWS)[:-20], json.dumps(ROWS[0]) + "\n" + json.dumps(ROWS[1])[:-5]]
)
def test_a_torn_export_is_refused_rather_than_half_read(tmp_path, text):
    path = tmp_path / "WarmRunTelemetry.json"
    path.write_text(text)

    with pytest.raises(TelemetryError, match=r"WarmRunTelemetry\.json"):
        warm_run_rows(path)


def test_a_missing_export_is_told(tmp_path):
    with pytest.raises(TelemetryError, match="cannot be read"):
        warm_run_rows(tmp_path / "WarmRunTelemetry.json")
