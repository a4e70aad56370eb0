"""``statetrace explain``: the story is readable, the document is whole, what is wrong is said."""

from __future__ import annotations

import pytest
from command_line import document

from statetrace.ingestion.corpus import CorpusPlan, write_corpus

HOST = "ALDR-A01-AS-01"


@pytest.fixture
def run_folder(tmp_path, call, monkeypatch):
    """The telemetry folder of a warm run, which is in the usual place."""
    monkeypatch.chdir(tmp_path)
    write_corpus(tmp_path / "Raw", CorpusPlan.original_shape())
    call("warm-run", "Raw", "--telemetry", "Logs/IngestionMetrics", "--host", HOST)
    (folder,) = (tmp_path / "Logs" / "IngestionMetrics").glob("Run-*")
    return folder


def test_passes_are_told_side_by_side_with_cause_rows_stages_and_siblings(run_folder, call):
    told = call("explain", HOST.lower())
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith(f"{HOST}, site ALDR\n")
    for words in ("ColdPass", "WarmPass", "NewSite", "SharedCacheHit", "InterfaceSyncTiming", "1. ms", "2. ms",
                  "parse the log, and the rest", "of 12", f"{run_folder.name}/WarmPass/"):  # fmt: skip
        assert words in told.stdout
    assert "\n1. ColdPass: the site had no database yet" in told.stdout


def test_the_document_holds_the_same(run_folder, call):
    story = document("explain", HOST, run_folder, by=call)
    assert (story["Hostname"], story["Site"]) == (HOST, "ALDR")
    cold, warm = story["Appearances"]
    assert [cold["Cause"]["Code"], warm["Cause"]["Code"]] == ["NewSite", "SharedCacheHit"]
    assert list(warm) == [
        "Run", "Pass", "Started", "Outcome", "DurationMs", "Provider", "Reason", "FetchStatus", "Hit", "Cause",
        "Evidence", "Stages", "Rows", "Siblings", "Remarks",
    ]  # fmt: skip
    assert (warm["Pass"], warm["Hit"], warm["Rows"]["Changed"]) == ("WarmPass", True, 0)
    assert warm["Siblings"]["Hosts"] == warm["Siblings"]["Hits"] == 12
    assert set(warm["Evidence"][0]) == {"Event", "Where", "Fact"}


def test_one_time_is_told_and_all_of_them_on_demand(tmp_path, call):
    write_corpus(tmp_path / "Raw", CorpusPlan.of_size(1, 3, 4))
    host = min((tmp_path / "Raw").glob("*.log")).stem
    telemetry = tmp_path / "Telemetry"
    for _ in range(3):
        call("ingest", tmp_path / "Raw", "--data", tmp_path / "Data", "--again", "--telemetry", telemetry)
    told = call("explain", host, telemetry)
    assert "2 times more in this telemetry" in told.stderr
    assert len(document("explain", host, telemetry, by=call)["Appearances"]) == 1
    assert len(document("explain", host, telemetry, "--all", by=call)["Appearances"]) == 3


def test_what_is_wrong_is_said(run_folder, call, tmp_path):
    unknown = call("explain", "ALDR-A01-AS-1")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert f"near: {HOST}" in unknown.stderr
    assert call("explain", f"{HOST},X").returncode == 2
    assert call("explain", " ").returncode == 2
    missing = call("explain", HOST, tmp_path / "none")
    assert missing.returncode == 1
    assert "does not exist" in missing.stderr


def test_torn_lines_are_named_and_stop_nobody(run_folder, call):
    (file,) = (run_folder / "WarmPass").iterdir()
    file.write_bytes(file.read_bytes() + b'{"EventName":"Interf')
    told = call("explain", HOST, run_folder)
    assert (told.returncode, "WarmPass" in told.stdout) == (0, True)
    assert f"left out: {file}:" in told.stderr


def test_the_telemetry_of_the_environment_is_the_usual_one(run_folder, call, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.setenv("STATETRACE_TELEMETRY_DIR", str(run_folder))
    assert call("explain", HOST).returncode == 0
