"""Hydration: what is read, what is derived, what is measured and counted (reference: site-cache 6 and 7)."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from site_database import write_rows

from statetrace.database import open_database
from statetrace.model import CaseInsensitiveMap, InterfaceRow, SiteEntry, fold, port_sort_key
from statetrace.repository.hydration import hydrate_site
from statetrace.repository.templates import HintCache

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
PORTS = st.sampled_from(["Gi1/0/1", "Gi1/0/2", "Gi1/0/10", "Po1", "Vlan10", "mgmt0", "x\u00e9", "Te1/1/1"])
HOSTS = st.sampled_from(["WLLS-A01-AS-01", "WLLS-A01-AS-02", "wlls-B-1", "WLLS-Z", "WLLS-\u00fc"])
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "Name": TEXT, "Status": st.sampled_from(["up", "down", " "]), "VLAN": st.integers(0, 4094), "Config": TEXT,
        "AuthTemplate": st.sampled_from(["", "open", "OPEN", "dot1x", "odd", " "]), "PortColor": st.sampled_from(["", "Green", " "]),
        "ConfigStatus": st.sampled_from(["", "Match"]), "ToolTip": st.sampled_from(["", " ", "tip \n", "AuthTemplate: open"]),
        "LearnedMACs": st.none() | TEXT, "AuthClientMAC": st.none() | TEXT,
    },
)  # fmt: skip
SITES = st.dictionaries(st.tuples(HOSTS, PORTS), VALUES, max_size=25)


def hydrate(path, site="WLLS", previous=None, *, refresh=False, templates=None):
    with open_database(path) as database:
        return hydrate_site(site, database, previous=previous, templates=templates or HintCache(), refresh=refresh)


def assert_invariants(metrics):
    m = metrics
    total = m.total_rows
    assert m.host_map_lookup_count == total == m.result_row_count
    assert m.host_map_signature_match_count + m.host_map_signature_rewrite_count == total
    assert (
        m.host_map_candidate_from_previous_count
        + m.host_map_candidate_from_pool_count
        + m.host_map_candidate_missing_count
        == total
    )
    assert m.host_map_entry_allocation_count == m.host_map_candidate_missing_count
    assert m.host_map_lookup_miss_count == m.host_count
    assert (
        m.host_map_candidate_signature_missing_count
        + m.host_map_candidate_signature_mismatch_count
        + m.host_map_signature_match_count
        == m.host_map_candidate_from_previous_count + m.host_map_candidate_from_pool_count
    )
    rounding = 0.004  # milliseconds: each term is rounded to three decimals
    assert m.query_duration_ms == pytest.approx(m.execute_duration_ms + m.recordset_duration_ms, abs=0.001)
    assert m.hydration_duration_ms + rounding >= m.snapshot_duration_ms + m.build_duration_ms
    assert m.build_duration_ms + rounding >= m.host_map_duration_ms
    assert (
        m.snapshot_duration_ms + rounding
        >= m.query_duration_ms + m.recordset_project_duration_ms + m.materialize_duration_ms + m.sort_duration_ms
    )
    assert (
        m.materialize_duration_ms + rounding
        >= m.materialize_projection_duration_ms
        + m.materialize_port_sort_duration_ms
        + m.materialize_template_duration_ms
        + m.materialize_object_duration_ms
    )
    assert (
        m.materialize_template_duration_ms + rounding
        >= m.materialize_template_apply_duration_ms + m.template_duration_ms
    )
    assert m.materialize_template_apply_duration_ms + rounding >= m.materialize_template_lookup_duration_ms
    assert m.materialize_port_sort_cache_hits + m.materialize_port_sort_cache_misses == total
    assert m.query_attempts >= 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=SITES, second=SITES)
def test_the_invariants_hold_for_any_database_before_and_after_a_change(first, second):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "WLLS.sqlite"
        write_rows(path, [(host, port, values) for (host, port), values in first.items()])
        cold = hydrate(path)
        assert_invariants(cold.metrics)
        assert cold.entry.total_rows == len(first)
        assert cold.metrics.host_map_candidate_missing_count == len(first)

        again = hydrate(path, previous=cold.entry, refresh=True)
        assert_invariants(again.metrics)
        assert again.metrics.host_map_signature_match_count == len(first)
        assert again.metrics.host_map_signature_rewrite_count == 0
        assert again.entry == cold.entry
        assert all(again.entry[host] is cold.entry[host] for host in cold.entry)

        write_rows(path, [(host, port, values) for (host, port), values in second.items()])
        changed = hydrate(path, previous=cold.entry, refresh=True)
        assert_invariants(changed.metrics)
        assert changed.entry == hydrate(path).entry
        known = {(fold(host), fold(port)) for host, port in first}
        assert changed.metrics.host_map_candidate_missing_count == sum(
            (fold(host), fold(port)) not in known for host, port in second
        )


@pytest.mark.parametrize("rows", [1, 499, 500, 501, 1500])
def test_a_host_may_span_the_blocks_in_which_rows_are_fetched(tmp_path, rows):
    path = tmp_path / "WLLS.sqlite"
    write_rows(path, [("WLLS-A", f"Gi1/0/{number}", {"Name": str(number)}) for number in range(rows)])
    entry = hydrate(path).entry
    assert entry.total_rows == rows
    assert list(entry["WLLS-A"]) == [f"Gi1/0/{number}" for number in range(rows)]
    assert all(row.name == port.rpartition("/")[2] for port, row in entry["WLLS-A"].items())


def test_ports_come_in_natural_order_and_carry_the_key_of_the_port(tmp_path):
    path = tmp_path / "WLLS.sqlite"
    ports = ["Gi1/0/10", "Vlan1", "Gi1/0/2", "Po1", "Te1/1/1"]
    write_rows(path, [("WLLS-A", port, {"Name": "Users8"}) for port in ports])
    site = hydrate(path).entry
    assert list(site["WLLS-A"]) == ["Po1", "Te1/1/1", "Gi1/0/2", "Gi1/0/10", "Vlan1"]
    assert all(row.port_sort == port_sort_key(port) for port, row in site["WLLS-A"].items())


def test_the_sort_key_counters_live(tmp_path):
    path = tmp_path / "WLLS.sqlite"
    write_rows(path, [(f"WLLS-{host}", f"Odd9/8/{port}", {}) for host in range(3) for port in range(4)])
    metrics = hydrate(path).metrics
    assert (metrics.materialize_port_sort_cache_hits, metrics.materialize_port_sort_cache_misses) == (8, 4)
    assert metrics.materialize_port_sort_cache_hit_ratio == 0.666667
    assert metrics.materialize_port_sort_cache_size >= 4
    assert metrics.materialize_port_sort_duration_ms > 0


def test_colour_status_and_tooltip_are_filled_where_they_are_missing(tmp_path):
    path = tmp_path / "WLLS.sqlite"
    write_rows(
        path,
        [
            ("WLLS-A", "p1", {"AuthTemplate": "open", "Config": " exit"}),
            ("WLLS-A", "p2", {"AuthTemplate": "odd"}),
            ("WLLS-A", "p3", {}),
            ("WLLS-A", "p4", {"AuthTemplate": "open", "PortColor": "Pink"}),
            (
                "WLLS-A",
                "p5",
                {"AuthTemplate": "open", "PortColor": "Pink", "ConfigStatus": "Odd", "ToolTip": "mine \r\n"},
            ),
        ],
    )
    hydration = hydrate(path)
    rows = hydration.entry["WLLS-A"]
    assert [(row.port_color, row.compliance, row.tooltip) for row in rows.values()] == [
        ("Red", "Match", "AuthTemplate: open\r\n\r\n exit"),
        ("Gray", "Mismatch", "AuthTemplate: odd"),
        ("Gray", "Unknown", ""),
        ("Pink", "Match", "AuthTemplate: open"),
        ("Pink", "Odd", "mine"),
    ]
    metrics = hydration.metrics
    assert (metrics.materialize_template_cache_hits, metrics.materialize_template_cache_misses) == (1, 2)


def test_the_hint_cache_serves_the_next_hydration_and_notices_changed_files(tmp_path):
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "Cisco.json").write_text('{"templates": [{"name": "open", "color": "Red"}]}')
    templates = HintCache(folder)
    path = tmp_path / "WLLS.sqlite"
    write_rows(path, [("WLLS-A", f"p{number}", {"AuthTemplate": "open"}) for number in range(3)])

    def counts():
        hydration = hydrate(path, templates=templates)
        metrics = hydration.metrics
        return (
            metrics.materialize_template_cache_hits,
            metrics.materialize_template_cache_misses,
            hydration.entry["WLLS-A"]["p1"].port_color,
        )

    assert counts() == (2, 1, "Red")
    assert counts() == (3, 0, "Red")
    (folder / "Cisco.json").write_text('{"templates": [{"name": "open", "color": "Orange"}]}')
    assert counts() == (2, 1, "Orange")


def test_of_hosts_filed_under_four_characters_only_those_of_the_site_are_taken(tmp_path):
    path = tmp_path / "LAB.sqlite"
    write_rows(path, [("LAB-SW1", "p1", {}), ("LAB-SW2", "p1", {})], site="LAB-")
    assert list(hydrate(path, "LAB").entry) == ["LAB-SW1", "LAB-SW2"]
    write_rows(path, [("DENVER-1", "p1", {}), ("DENVIL-1", "p1", {})], site="DENV")
    assert list(hydrate(path, "DENVER").entry) == ["DENVER-1"]


def test_a_site_with_a_number_also_reads_what_is_filed_under_its_letters(tmp_path):
    path = tmp_path / "SITE1.sqlite"
    write_rows(path, [("SITE-A", "p1", {})], site="SITE")
    assert list(hydrate(path, "SITE1").entry) == ["SITE-A"]


def test_previous_rows_are_compared_by_host_and_port_only(tmp_path):
    path = tmp_path / "WLLS.sqlite"
    write_rows(path, [("WLLS-A", "p1", {"Name": "a"}), ("WLLS-A", "p2", {"Name": "b"}), ("WLLS-B", "p1", {})])
    previous = SiteEntry({"wlls-a": CaseInsensitiveMap({"P1": InterfaceRow(name="old"), "p9": InterfaceRow(name="b")})})
    metrics = hydrate(path, previous=previous, refresh=True).metrics
    assert_invariants(metrics)
    assert metrics.host_map_candidate_from_previous_count == 1
    assert metrics.host_map_candidate_signature_mismatch_count == 1
    assert metrics.host_map_candidate_missing_count == 2
    samples = metrics.host_map_candidate_missing_samples
    assert [(sample.hostname, sample.port, sample.reason) for sample in samples] == [
        ("WLLS-A", "p2", "PortSnapshotMissing"),
        ("WLLS-B", "p1", "HostSnapshotMissing"),
    ]
    assert (samples[0].cached_port_count, samples[0].cached_port_sample) == (2, "P1,p9")
    assert [sample.previous_remaining_port_count for sample in samples] == [1, 0]
    mismatch = metrics.host_map_signature_mismatch_samples[0]
    assert mismatch.previous_signature.startswith("3:old|")
    assert mismatch.new_signature.startswith("1:a|")
    assert (metrics.previous_snapshot_status, metrics.previous_host_sample) == ("Converted", "wlls-a")


def test_a_host_that_had_no_ports_was_known_all_the_same(tmp_path):
    path = tmp_path / "WLLS.sqlite"
    write_rows(path, [("WLLS-A", "p1", {})])
    previous = SiteEntry({"WLLS-A": CaseInsensitiveMap()})
    (sample,) = hydrate(path, previous=previous, refresh=True).metrics.host_map_candidate_missing_samples
    assert (sample.reason, sample.previous_host_entry_present) == ("PortSnapshotMissing", True)


@pytest.mark.parametrize("blank", ["", " ", "   ", "\t"])
def test_rows_without_host_or_port_are_left_out(tmp_path, blank):
    path = tmp_path / "WLLS.sqlite"
    write_rows(path, [(blank, "p1", {}), ("WLLS-A", blank, {}), ("WLLS-A", "p1", {})], site="WLLS")
    hydration = hydrate(path)
    assert {host: list(ports) for host, ports in hydration.entry.items()} == {"WLLS-A": ["p1"]}
    assert_invariants(hydration.metrics)


def test_a_refresh_mends_the_sort_key_of_a_row_that_came_from_a_snapshot(tmp_path):
    path = tmp_path / "WLLS.sqlite"
    write_rows(path, [("WLLS-A", "p1", {})])
    first = hydrate(path).entry["WLLS-A"]["p1"]
    imported = SiteEntry({"WLLS-A": CaseInsensitiveMap({"p1": InterfaceRow(**{name: getattr(first, name) for name in first.__struct_fields__ if name != "port_sort"})})})  # fmt: skip
    hydration = hydrate(path, previous=imported, refresh=True)
    assert hydration.metrics.host_map_signature_match_count == 1
    assert hydration.entry["WLLS-A"]["p1"].port_sort == first.port_sort


def test_an_empty_site_is_a_result(tmp_path):
    path = tmp_path / "WLLS.sqlite"
    write_rows(path, [])
    hydration = hydrate(path)
    assert hydration.entry.host_count == 0
    assert (hydration.metrics.provider, hydration.metrics.total_rows, hydration.metrics.host_map_duration_ms) == (
        "ADODB",
        0,
        0,
    )
    assert_invariants(hydration.metrics)


def test_the_entry_knows_when_how_and_from_which_state_it_was_made(tmp_path):
    path = tmp_path / "WLLS.sqlite"
    write_rows(path, [("WLLS-A", "p1", {})])
    with open_database(path) as database:
        entry = hydrate_site("WLLS", database, previous=None, templates=HintCache(), refresh=True).entry
        assert entry.source == database.state()
    assert entry.cache_status == "Refreshed"
    assert entry.cached_at.tzinfo is not None
    assert entry.fields["HydrationProvider"] == "ADODB"
    assert entry.fields["HydrationDurationMs"] >= entry.fields["HydrationSnapshotDurationMs"] > 0
    (sample,) = entry.fields["HydrationHostMapCandidateMissingSamples"]
    assert (sample["Hostname"], sample["Port"]) == ("WLLS-A", "p1")
    with pytest.raises(TypeError):
        sample["Port"] = "p2"


def test_sites_that_share_a_database_and_letters_are_kept_apart(tmp_path):
    path = tmp_path / "all.sqlite"
    write_rows(path, [("BOYO-A", "p1", {}), ("BOYO1-B", "p1", {}), ("BOYO1-C", "p1", {})])
    assert list(hydrate(path, "BOYO1").entry) == ["BOYO1-B", "BOYO1-C"]
    hydration = hydrate(path, "BOYO")
    assert list(hydration.entry) == ["BOYO-A"]
    assert_invariants(hydration.metrics)
