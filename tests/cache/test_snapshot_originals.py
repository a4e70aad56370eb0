"""The original's own snapshots."""

from __future__ import annotations

import re

import pytest

from statetrace.cache import read_snapshot, write_snapshot
from statetrace.cache.snapshot_check import check_snapshot, summarize

pytestmark = pytest.mark.original

EMPTY = "SharedCacheSnapshot-20251210-115252"
LIVE = "SharedCacheSnapshot-20251212-150347"
ONE_SITE = "SharedCacheSnapshot-20251222-123557"
MIXED = "SharedCacheSnapshot-20251214-084304"
LATEST = "SharedCacheSnapshot-latest"
WINDOWS = "SharedCacheSnapshot-20251218-081539"
LARGE = "SharedCacheSnapshot-20251220-230132"
SEED = "SharedCacheSeed"


@pytest.fixture
def snapshot_file(original_data):
    return lambda name: original_data / "snapshots" / f"{name}.clixml"


@pytest.mark.parametrize(
    ("name", "shape", "encoding", "sites", "digest"),
    [
        (EMPTY, "S0", "UTF-8", {}, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
        (LIVE, "S1", "UTF-8", {"BOYO": (1, 10), "WLLS": (1, 48)}, "2f95d64eecccf47a72b029ac7c67e7d66729e58a6f1df4b3e831153226d1bd8d"),
        (ONE_SITE, "S2", "UTF-8", {"BOYO": (1, 10)}, "b26e8df73307f4a8eea59431cd7ecbfe6eed7b2c8a1d7aa77288ba65d3d66350"),
        (MIXED, "S3", "UTF-8", {"BOYO": (1, 10), "WLLS": (1, 48)}, "d781b30f5a8327a1843ba8fc0accb51f37659843d30bc01a0e99cb546f1bbcd1"),
        (LATEST, "S4", "UTF-16LE", {"BOYO": (12, 120)}, "79d3546696c90df5fdec08782c866f6498d59fe2f269f183a0b9e021ddb0ea89"),
        (WINDOWS, "S5", "UTF-16LE", {"WLLS": (1, 48), "BOYO": (1, 10)}, "2f95d64eecccf47a72b029ac7c67e7d66729e58a6f1df4b3e831153226d1bd8d"),
        (LARGE, "S2", "UTF-8", {"BOYO": (1, 10), "WLLS": (25, 1200)}, "5f48e966538f91e2bc1efbec831445de807cd2a692472f73ae27ccb3a985f85f"),
    ],
)  # fmt: skip
def test_every_real_snapshot_imports_with_its_digest(snapshot_file, name, shape, encoding, sites, digest):
    snapshot = read_snapshot(snapshot_file(name))
    assert (snapshot.shape, snapshot.encoding, snapshot.skipped) == (shape, encoding, ())
    assert [(site, (entry.host_count, entry.total_rows)) for site, entry in snapshot.entries.items()] == list(
        sites.items()
    )
    assert snapshot.content_sha256() == digest


def test_the_seed_imports_with_its_rows_keyed_by_port(snapshot_file):
    # The original keeps the hosts and loses all rows (reference: clixml-snapshots 10, 6).
    snapshot = read_snapshot(snapshot_file(SEED))
    assert (snapshot.shape, snapshot.encoding, snapshot.skipped) == ("S6", "UTF-16LE", ())
    assert {site: sorted(entry) for site, entry in snapshot.entries.items()} == {
        site: [f"{site}-A01-AS-01", f"{site}-A01-AS-02", f"{site}-A02-AS-03"] for site in ("BOYO", "WLLS")
    }
    assert [entry.total_rows for entry in snapshot.entries.values()] == [30, 30]
    for entry in snapshot.entries.values():
        for ports in entry.values():
            assert list(ports) == [f"Ethernet{number}" for number in range(1, 11)]
            row = ports["ethernet10"]
            assert (row.port_color, row.compliance) == ("Green", "Compliant")
            assert row.port_sort == "30-ET-00010-00000-00000-00000"


@pytest.mark.parametrize("name", [EMPTY, LIVE, LATEST])
def test_live_shapes_are_rebuilt_byte_for_byte_but_for_the_random_word(snapshot_file, tmp_path, name):
    snapshot = read_snapshot(snapshot_file(name))
    write_snapshot(tmp_path / "out.clixml", snapshot.entries, style=snapshot.style)
    codec = "utf-8" if snapshot.encoding == "UTF-8" else "utf-16-le"
    ours, theirs = (
        re.sub(r"(InterfaceCacheEntry), [^,]+(, Version=0\.0\.0\.0)", r"\1\2", path.read_bytes().decode(codec))
        for path in (tmp_path / "out.clixml", snapshot_file(name))
    )
    assert ours == theirs


@pytest.mark.parametrize("name", [LIVE, ONE_SITE, MIXED, LATEST, WINDOWS, LARGE, SEED])
def test_what_was_read_is_written_and_read_again_without_a_loss(snapshot_file, tmp_path, name):
    snapshot = read_snapshot(snapshot_file(name))
    write_snapshot(tmp_path / "out.clixml", snapshot.entries, style=snapshot.style)
    again = read_snapshot(tmp_path / "out.clixml")
    assert again.entries == snapshot.entries
    assert again.content_sha256() == snapshot.content_sha256()


def test_the_same_content_in_two_shapes_gives_equal_entries(snapshot_file):
    live, windows = read_snapshot(snapshot_file(LIVE)), read_snapshot(snapshot_file(WINDOWS))
    assert live.entries == windows.entries
    boyo = [read_snapshot(snapshot_file(name)).entries["BOYO"] for name in (LIVE, ONE_SITE, MIXED, LARGE)]
    assert all(entry["BOYO-A05-AS-42"] == boyo[0]["BOYO-A05-AS-42"] for entry in boyo)
    mixed, large = (read_snapshot(snapshot_file(name)).entries["WLLS"] for name in (MIXED, LARGE))
    assert mixed["WLLS-A01-AS-21"] == large["WLLS-A01-AS-21"]


def test_a_row_of_the_parser(snapshot_file):
    row = read_snapshot(snapshot_file(LIVE)).entries["WLLS"]["WLLS-A01-AS-21"]["Gi1/0/30"]
    wire = row.to_wire()
    assert list(wire.values())[:11] == [
        "Phone30", "err-disabled", "20", "auto", "a-1000", "10/100/1000BaseTX", "", "Unknown", "unknown", "", "flexible",
    ]  # fmt: skip
    assert (len(row.config), row.config.count("\r\n"), row.config[:31]) == (317, 10, "interface GigabitEthernet1/0/30")
    assert (row.port_sort, row.port_color, row.compliance, row.tooltip) == (
        "60-PHONE-00030-00000-00000-00000",
        "",
        "",
        "",
    )
    assert row.signature.startswith(
        "7:Phone30|12:err-disabled|2:20|4:auto|6:a-1000|17:10/100/1000BaseTX|0:|7:Unknown|7:unknown|0:|8:flexible|317:"
    )
    assert row.signature.endswith("|0:|0:|0:")


def test_the_same_row_as_hydrated_from_access(snapshot_file):
    row = read_snapshot(snapshot_file(MIXED)).entries["WLLS"]["WLLS-A01-AS-21"]["Gi1/0/30"]
    assert row.port_sort == "99-UNK-99999-99999-99999-99999-99999"
    assert (row.port_color, row.compliance) == ("Green", "Match")
    assert row.tooltip == f"AuthTemplate: flexible\r\n\r\n{row.config}"
    assert row.signature.endswith(f"|5:Green|5:Match|343:{row.tooltip}")


def test_leading_blanks_and_bare_line_feeds_survive(snapshot_file):
    row = read_snapshot(snapshot_file(ONE_SITE)).entries["BOYO"]["BOYO-A05-AS-42"]["Et1/1/10"]
    assert row.config == " port-name Camera10\n mac-authentication enable\n exit"
    assert "|52: port-name Camera10\n" in row.signature


def test_summaries_and_checks_agree_with_the_original(snapshot_file):
    assert summarize(read_snapshot(snapshot_file(LIVE)).entries) == [
        {"Site": "BOYO", "Hosts": 1, "TotalRows": 10, "CachedAt": None},
        {"Site": "WLLS", "Hosts": 1, "TotalRows": 48, "CachedAt": None},
    ]
    young = snapshot_file(LARGE).stat().st_mtime
    for name, counts in ((LIVE, (2, 2, 58)), (SEED, (2, 6, 60)), (LARGE, (2, 26, 1210))):
        check = check_snapshot(snapshot_file(name), now=young)
        assert (check.site_count, check.host_count, check.row_count) == counts
        assert check.passed
