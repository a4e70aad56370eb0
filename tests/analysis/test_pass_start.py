"""What the history before a pass is."""

from __future__ import annotations

import os

import pytest

from statetrace.analysis.warm.pass_start import HistorySeed, seed_history


@pytest.fixture
def folders(tmp_path):
    stored, cold = tmp_path / "stored", tmp_path / "cold"
    for folder, content in ((stored, "before"), (cold, "after")):
        folder.mkdir()
        for site in ("BOYO", "WLLS[1]"):
            (folder / f"{site}.json").write_text(f"{content} {site}")
        (folder / "WLLS.json.lock").write_text("no history")
    return stored, cold


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        (HistorySeed.EMPTY, {}),
        (HistorySeed.SNAPSHOT, {"BOYO.json": "before BOYO", "WLLS[1].json": "before WLLS[1]"}),
        (HistorySeed.COLD_OUTPUT, {"BOYO.json": "after BOYO", "WLLS[1].json": "after WLLS[1]"}),
        (HistorySeed.WARM_BACKUP, {"BOYO.json": "after BOYO", "WLLS[1].json": "after WLLS[1]"}),
    ],
)
def test_each_seed_fills_the_folder_with_its_files(folders, tmp_path, seed, expected):
    stored, cold = folders
    seed_history(tmp_path / "seeded", seed, stored=stored, cold_output=cold)
    assert contents(tmp_path / "seeded") == expected


def test_a_backup_is_the_newest_of_the_original_s_and_of_earlier_runs(folders, tmp_path):
    stored, cold = folders
    kept = tmp_path / "runs" / "Run-20260101-000000" / "History"
    kept.mkdir(parents=True)
    for number, (path, content) in enumerate(
        (
            (stored / "BOYO.json.warmrun.20251226-125927.bak", "of the original"),
            (kept / "BOYO.json", "of a run"),
            (kept / "WLLS[1].json", "of a run"),
        )
    ):
        path.write_text(content)
        os.utime(path, (number, number))
    told = seed_history(
        tmp_path / "seeded", HistorySeed.WARM_BACKUP, stored=stored, cold_output=cold, runs=tmp_path / "runs"
    )
    assert contents(tmp_path / "seeded") == {"BOYO.json": "of a run", "WLLS[1].json": "of a run"}
    assert told == []


def test_a_file_without_a_backup_is_told(folders, tmp_path):
    stored, cold = folders
    (stored / "BOYO.json.warmrun.20251226-125927.bak").write_text("of the original")
    told = seed_history(tmp_path / "seeded", HistorySeed.WARM_BACKUP, stored=stored, cold_output=cold)
    assert contents(tmp_path / "seeded") == {"BOYO.json": "of the original", "WLLS[1].json": "after WLLS[1]"}
    assert len(told) == 1
    assert "WLLS[1].json" in told[0]


def test_before_the_cold_pass_a_file_without_a_backup_is_that_of_the_data_folder(folders, tmp_path):
    stored, _ = folders
    (stored / "BOYO.json.warmrun.20251226-125927.bak").write_text("of the original")
    (told,) = seed_history(tmp_path / "seeded", HistorySeed.WARM_BACKUP, stored=stored)
    assert contents(tmp_path / "seeded") == {"BOYO.json": "of the original", "WLLS[1].json": "before WLLS[1]"}
    assert "what the data folder has" in told


def test_before_the_cold_pass_its_output_is_what_the_data_folder_has_which_is_told(folders, tmp_path):
    stored, _ = folders
    (told,) = seed_history(tmp_path / "seeded", HistorySeed.COLD_OUTPUT, stored=stored)
    assert contents(tmp_path / "seeded")["BOYO.json"] == "before BOYO"
    assert "no output of a cold pass" in told


@pytest.mark.parametrize("seed", [HistorySeed.SNAPSHOT, HistorySeed.WARM_BACKUP])
def test_a_data_folder_without_a_history_seeds_an_empty_one_and_is_told(tmp_path, seed):
    (told,) = seed_history(tmp_path / "seeded", seed, stored=tmp_path / "none")
    assert told.startswith(f"{tmp_path / 'none'} holds no history")
    assert contents(tmp_path / "seeded") == {}
