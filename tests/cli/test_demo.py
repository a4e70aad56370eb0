"""``statetrace demo``: everything at once, on a machine where nothing is."""

from __future__ import annotations

import pytest
from command_line import ADVERSE, document, run

from statetrace.demo import SyntheticSite, write_site


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo") / "demo"


def check(report):
    assert [(told["Pass"], told["Outcomes"]) for told in report["Passes"][:3]] == [
        ("Cold", {"ingested": 37}),
        ("Warm", {"unchanged": 37}),
        ("Unchanged", {"skipped_duplicate": 37}),
    ]
    cold, warm, unchanged, changed = report["Passes"]
    assert (cold["RowsInserted"], cold["RowsChanged"], cold["ProviderCounts"]["Database"]) == (1320, 0, 2)
    assert (warm["RowsUnchanged"], warm["ProviderCounts"], warm["HitRatioPercent"]) == (1320, {"SharedCache": 37}, 100)
    assert (unchanged["ProviderCounts"], unchanged["HitRatioPercent"]) == ({}, None)
    assert (changed["RowsChanged"], changed["RowsInserted"], changed["RowsDeleted"]) == (13, 0, 0)
    hydration = report["Hydration"]
    assert {
        way: [(read["Site"], read["TotalRows"], read["CacheStatus"], read["Provider"]) for read in reads]
        for way, reads in hydration.items()
    } == {
        "Cold": [("ALDR", 120, "Hydrated", "ADODB"), ("BRCK", 1200, "Hydrated", "ADODB")],
        "Cached": [("ALDR", 120, "SharedOnly", "Cache"), ("BRCK", 1200, "SharedOnly", "Cache")],
        "Imported": [("ALDR", 120, "SharedOnly", "Cache"), ("BRCK", 1200, "SharedOnly", "Cache")],
    }
    assert all(read["QueryDurationMs"] > 0 and read["MaterializeDurationMs"] > 0 for read in hydration["Cold"])
    assert all(read["HydrationDurationMs"] == 0 for way in ("Cached", "Imported") for read in hydration[way])
    assert all(
        cached["ReadDurationMs"] < cold["ReadDurationMs"]
        for cold, cached in zip(hydration["Cold"], hydration["Cached"], strict=True)
    )


def test_the_demo_shows_four_passes_and_what_they_leave(call, folder):
    check(document("demo", folder, by=call))
    assert list((folder / "Logs" / "IngestionMetrics").glob("*.json"))


def test_a_demo_in_the_same_folder_begins_anew(call, folder):
    check(document("demo", folder, by=call))


def test_the_demo_touches_nothing_that_is_not_its_own(call, tmp_path):
    database = tmp_path / "Data" / "ALDR" / "ALDR.sqlite"
    write_site(database, SyntheticSite("ALDR", "Brocade", 1, 1))
    finished = call("demo", tmp_path)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "ALDR.sqlite was not made by a demo" in finished.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"Data"}
    (tmp_path / "own" / "Logs").mkdir(parents=True)
    (tmp_path / "own" / "Logs" / "mine.log").write_text("mine")
    assert call("demo", tmp_path / "own").returncode == 1
    assert [path.name for path in (tmp_path / "own").rglob("*") if path.is_file()] == ["mine.log"]


def test_the_demo_leaves_nothing_behind_unless_told_where(tmp_path):
    finished = run("demo", cwd=tmp_path, TMPDIR=str(tmp_path), **ADVERSE)
    assert finished.returncode == 0, finished.stderr
    assert "Compared with SharedCache" in finished.stdout
    assert "Materialize ms" in finished.stdout
    heading = next(line for line in finished.stdout.splitlines() if line.startswith("Hydration"))
    assert heading.split() == ["Hydration", "Cold", "Cached", "Imported"]
    assert "statetrace demo FOLDER" in finished.stderr
    assert list(tmp_path.iterdir()) == []
