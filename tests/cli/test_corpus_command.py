"""``statetrace corpus``: raw logs that were made up."""

from __future__ import annotations

import pytest
from command_line import document


def content(folder):
    return {file.name: file.read_bytes() for file in folder.glob("*.log")}


def test_the_same_options_give_the_same_logs(call, tmp_path):
    options = ("--sites", "2", "--hosts", "4", "--ports", "6")
    for name in ("one", "two"):
        assert call("corpus", tmp_path / name, *options).returncode == 0
    assert content(tmp_path / "one") == content(tmp_path / "two")
    call("corpus", tmp_path / "two", *options, "--seed", "2")
    assert content(tmp_path / "one").keys() == content(tmp_path / "two").keys()
    assert content(tmp_path / "one") != content(tmp_path / "two")


def test_the_summary_counts_what_was_written(call, tmp_path):
    summary = document("corpus", tmp_path / "Logs", by=call)
    assert (summary["Hosts"], summary["Rows"], summary["Files"]) == (37, 1320, 37)
    assert [(site["Site"], site["Make"]) for site in summary["Sites"]] == [("ALDR", "Brocade"), ("BRCK", "Cisco")]
    assert summary["Bytes"] == sum(map(len, content(tmp_path / "Logs").values()))
    assert "ALDR" in call("corpus", tmp_path / "Logs").stdout


def test_a_combined_corpus_is_one_session_a_site(call, tmp_path):
    options = ("--sites", "2", "--hosts", "5", "--ports", "6")
    call("corpus", tmp_path / "apart", *options)
    call("corpus", tmp_path / "joined", *options, "--combined")
    assert len(content(tmp_path / "joined")) == 2
    apart, joined = (
        {device["Hostname"]: device["Interfaces"] for device in document("parse", tmp_path / name, by=call)["Devices"]}
        for name in ("apart", "joined")
    )
    assert apart == joined
    assert len(apart) == 5


def test_a_folder_with_other_files_is_left_alone_unless_forced(call, tmp_path):
    (tmp_path / "mine.log").write_text("mine")
    options = (tmp_path, "--hosts", "1", "--ports", "2")
    refused = call("corpus", *options)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "mine.log" in refused.stderr
    assert call("corpus", *options, "--force").returncode == 0
    assert (tmp_path / "mine.log").read_text() == "mine"


@pytest.mark.parametrize("options", [("--hosts", "0"), ("--sites", "3", "--hosts", "2"), ("--change", "101")])
def test_numbers_that_cannot_be_are_wrong_usage(call, tmp_path, options):
    finished = call("corpus", tmp_path / "Logs", *options)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert not (tmp_path / "Logs").exists()
