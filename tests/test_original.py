"""What must hold for the original's own databases and snapshots, taken together."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess

import msgspec
import pytest

from statetrace.cache import SharedSiteCache, normalize_site_entry, read_snapshot
from statetrace.database import SiteDatabases, convert_database, open_database, schema
from statetrace.model import SignatureForm, compute_signature
from statetrace.repository import DeviceRepository
from statetrace.settings import Settings

pytestmark = [pytest.mark.original, pytest.mark.mdbtools]

# reference: site-cache 15.2
SIGNATURE_DIGESTS = {
    SignatureForm.TRIMMED: "1e4f1185e76f0a4647b0caadd77b83ecd42d6be95186a5cd622963792d94fd6e",
    SignatureForm.DECEMBER: "10613e70671573ea17bc33dedbe0d9ad96a06935470572681bdd9916284cb458",
}


@pytest.fixture
def folder(tmp_path, original_data):
    """A data folder with both databases under their sites' names."""
    for site, file in (("BOYO", "BOYO.accdb"), ("WLLS", "WLLS-2025-09-15.accdb")):
        (tmp_path / site).mkdir()
        shutil.copyfile(original_data / "access" / file, tmp_path / site / f"{site}.accdb")
    return tmp_path


@pytest.fixture
def repository_over():
    """Makes repositories over data folders, and closes their databases in the end."""
    opened = []

    def make(folder, cache=None):
        opened.append(SiteDatabases(folder))
        return DeviceRepository(opened[-1], cache=SharedSiteCache(settings=Settings()) if cache is None else cache)

    yield make
    for databases in opened:
        databases.close()


def test_boyo_hydrates_with_the_known_signatures(folder, capfd, repository_over):
    read = repository_over(folder).read_site("BOYO")
    assert (read.entry.host_count, read.entry.total_rows) == (12, 120)
    assert (read.metrics.provider, read.metrics.database_dialect) == ("ADODB", "access")
    for form, digest in SIGNATURE_DIGESTS.items():
        lines = sorted(
            (host, port, compute_signature(row, form))
            for host, ports in read.entry.items()
            for port, row in ports.items()
        )
        assert hashlib.sha256("\n".join(map("\t".join, lines)).encode()).hexdigest() == digest
    colours = [
        (row.auth_template, row.port_color, row.compliance) for ports in read.entry.values() for row in ports.values()
    ]
    assert {case: colours.count(case) for case in set(colours)} == {
        ("macauth", "Blue", "Match"): 60, ("open", "Red", "Match"): 24,
        ("dot1x", "Purple", "Match"): 24, ("flexible", "Green", "Match"): 12,
    }  # fmt: skip
    assert capfd.readouterr() == ("", "")


def test_hints_of_boyo_are_counted_as_the_original_did(folder, repository_over):
    repository = repository_over(folder)
    first = repository.read_site("BOYO").metrics
    second = repository.read_site("BOYO", refresh=True).metrics
    assert (first.materialize_template_cache_hits, first.materialize_template_cache_misses) == (116, 4)
    assert first.materialize_template_cache_hit_ratio == 0.966667
    assert (second.materialize_template_cache_hits, second.materialize_template_cache_misses) == (120, 0)
    assert second.materialize_template_cache_hit_ratio == 1
    assert (second.host_map_signature_match_count, second.host_map_signature_rewrite_count) == (120, 0)


def test_boyo_equals_the_snapshot_that_the_original_made_of_it_but_for_the_sort_key(
    folder, original_data, repository_over
):
    ours = repository_over(folder).site("BOYO").to_wire()
    theirs = read_snapshot(original_data / "snapshots" / "SharedCacheSnapshot-latest.clixml").entries["BOYO"].to_wire()
    for site in (ours, theirs):
        for ports in site.values():
            for row in ports.values():
                del row["PortSort"]
    assert ours == theirs


def test_a_refresh_of_the_imported_snapshot_matches_every_row(folder, original_data, repository_over):
    repository = repository_over(folder)
    repository.cache.import_snapshot(original_data / "snapshots" / "SharedCacheSnapshot-latest.clixml")
    assert repository.read_site("BOYO").from_cache
    metrics = repository.read_site("BOYO", refresh=True).metrics
    assert (metrics.host_map_signature_match_count, metrics.host_map_candidate_from_previous_count) == (120, 120)


@pytest.mark.mdbjson
def test_wlls_equals_what_mdb_json_prints(folder, repository_over):
    entry = repository_over(folder).site("WLLS")
    assert (entry.host_count, entry.total_rows) == (5, 224)
    printed = subprocess.run(
        ["mdb-json", folder / "WLLS" / "WLLS.accdb", "Interfaces"], check=True, capture_output=True
    ).stdout
    stored = {
        "Name": "Name", "Status": "Status", "VLAN": "VLAN", "Duplex": "Duplex", "Speed": "Speed", "Type": "Type",
        "Learned": "LearnedMACs", "AuthState": "AuthState", "AuthMode": "AuthMode", "AuthClient": "AuthClientMAC",
        "Template": "AuthTemplate", "Config": "Config", "PortColor": "PortColor", "StatusTag": "ConfigStatus",
        "ToolTip": "ToolTip",
    }  # fmt: skip
    rows = [json.loads(line) for line in printed.splitlines()]
    assert len(rows) == 224
    for row in rows:
        wire = entry[row["Hostname"]][row["Port"]].to_wire()
        expected = {field: str(row.get(column, "")) for field, column in stored.items()}
        expected["ToolTip"] = expected["ToolTip"].rstrip()
        assert {field: wire[field] for field in stored} == expected


def test_wlls_stores_its_colours_so_no_hint_is_looked_up(folder, repository_over):
    metrics = repository_over(folder).read_site("WLLS").metrics
    assert (metrics.materialize_template_cache_hits, metrics.materialize_template_cache_misses) == (0, 0)
    assert metrics.materialize_template_cache_hit_ratio is None


@pytest.mark.parametrize("site", ["BOYO", "WLLS"])
def test_converted_to_sqlite_both_give_identical_entries(folder, tmp_path, site, repository_over):
    access = repository_over(folder).site(site)
    other = tmp_path / "converted"
    convert_database(folder / site / f"{site}.accdb", other / site / f"{site}.sqlite")
    converted = repository_over(other).read_site(site)
    assert converted.metrics.database_dialect == "sqlite"
    assert converted.entry == access
    assert msgspec.json.encode(converted.entry.to_wire()) == msgspec.json.encode(access.to_wire())


def test_history_of_a_real_host(folder, repository_over):
    repository = repository_over(folder)
    host = "BOYO-A05-AS-02"
    device = repository.device(host)
    assert (device.make, device.site, device.ports) == ("Brocade", "BOYO", 10)
    assert [record.run_date for record in repository.device_history(host)] == ["2026-01-06 13:28:32"]
    (record,) = repository.interface_history(host, "Et1/1/1")
    assert (record.run_date, record.row.name, record.row.config) == (
        "2026-01-06 13:28:32",
        "Users1",
        " port-name Uplink1\n exit",
    )
    assert repository.spanning_tree(host) == ()


def as_pushed(ports):
    """A host's rows as the original's parser pushed them: no VLAN, colour, status and tooltip."""
    return {
        port: row.to_wire() | {"VLAN": "", "PortColor": "", "StatusTag": "", "ToolTip": "", "Signature": ""}
        for port, row in ports.items()
    }


def test_a_refresh_of_boyo_with_one_pushed_host_in_the_cache(folder, repository_over):
    # reference: site-cache 15.4
    first = repository_over(folder).site("BOYO")
    repository = repository_over(folder)
    host = next(iter(first))
    repository.cache.put("BOYO", normalize_site_entry({host: as_pushed(first[host])}))
    metrics = repository.read_site("BOYO", refresh=True).metrics
    assert (metrics.cache_status, metrics.provider, metrics.refreshed) == ("Refreshed", "ADODB", True)
    assert (metrics.host_count, metrics.total_rows, metrics.query_attempts) == (12, 120, 1)
    assert (metrics.host_map_lookup_count, metrics.host_map_lookup_miss_count) == (120, 12)
    assert (metrics.host_map_signature_match_count, metrics.host_map_signature_rewrite_count) == (0, 120)
    assert (metrics.host_map_candidate_from_previous_count, metrics.host_map_candidate_missing_count) == (10, 110)
    assert (metrics.host_map_entry_allocation_count, metrics.host_map_entry_pool_reuse_count) == (110, 0)
    assert metrics.host_map_candidate_signature_mismatch_count == 10
    assert metrics.host_map_candidate_signature_missing_count == 0
    assert (metrics.previous_host_count, metrics.previous_port_count) == (1, 10)
    assert (metrics.previous_host_sample, metrics.previous_snapshot_status) == ("BOYO-A05-AS-02", "Converted")
    assert {sample.hostname for sample in metrics.host_map_signature_mismatch_samples} == {"BOYO-A05-AS-02"}
    missing = metrics.host_map_candidate_missing_samples
    assert [(sample.hostname, sample.reason) for sample in missing] == [("BOYO-A05-AS-05", "HostSnapshotMissing")] * 5
    assert [(sample.cached_port_count, sample.cached_signature) for sample in missing] == [(0, None)] * 5


def test_boyo_growing_host_by_host(folder, tmp_path, repository_over):
    # reference: site-cache 15.5: before each of eleven refreshes one host is parsed, stored and pushed
    whole = repository_over(folder).site("BOYO")
    path = tmp_path / "growing" / "BOYO" / "BOYO.sqlite"
    convert_database(folder / "BOYO" / "BOYO.accdb", path)
    with open_database(path) as database:
        with database.connect() as connection:
            rows = [row._asdict() for row in connection.execute(schema.interfaces.select())]
        with database.begin() as connection:
            connection.execute(schema.interfaces.delete())
        repository = repository_over(tmp_path / "growing")
        for count, host in enumerate(list(whole)[:11], 1):
            with database.begin() as connection:
                connection.execute(schema.interfaces.insert(), [row for row in rows if row["Hostname"] == host])
            repository.cache.merge("BOYO", normalize_site_entry({host: as_pushed(whole[host])}))
            metrics = repository.read_site("BOYO", refresh=True).metrics
            assert (metrics.host_count, metrics.total_rows) == (count, 10 * count)
            assert metrics.host_map_signature_match_count == 10 * (count - 1)
            assert metrics.host_map_signature_rewrite_count == 10
            assert metrics.host_map_candidate_from_previous_count == 10 * count
            assert metrics.host_map_candidate_missing_count == 0
            assert metrics.host_map_candidate_signature_mismatch_count == 10
            assert metrics.previous_host_count == count
            hits = metrics.materialize_template_cache_hits, metrics.materialize_template_cache_misses
            assert hits == ((6, 4) if count == 1 else (10 * count, 0))
            samples = metrics.host_map_signature_mismatch_samples
            assert {sample.hostname for sample in samples} == {host}
            assert len(samples) == 5


def test_a_snapshot_of_one_host_costs_one_refresh_and_not_one_for_every_host(folder, original_data, repository_over):
    # reference: site-cache 15.12: the file knows one host of BOYO; it is imported once and never undoes the refresh
    file = original_data / "snapshots" / "SharedCacheSnapshot-20251220-230132.clixml"
    cache = SharedSiteCache(settings=Settings(shared_cache_snapshot=file))
    repository = repository_over(folder, cache)
    reads = []
    for host in repository_over(folder).site("BOYO"):
        known = host in repository.site("BOYO")
        reads.append(repository.read_site("BOYO", refresh=not known).metrics)
    assert [metrics.refreshed for metrics in reads] == [True] + [False] * 11
    assert {(metrics.host_count, metrics.total_rows) for metrics in reads} == {(12, 120)}
