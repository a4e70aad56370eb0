"""The command line, as a person at a terminal or a script uses it.

``run`` starts a process, for what a process makes different: streams, environment, its exit. ``call`` does the same in
this process with a cache of its own, which saves the imports. (The README's commands all run in processes.)
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys

import pytest
from command_line import ADVERSE, document, run

from statetrace.demo import SyntheticSite, write_site


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data folder with two small sites, and a snapshot of both."""
    folder = tmp_path_factory.mktemp("cli")
    for site in (SyntheticSite("ALDR", "Brocade", 2, 3), SyntheticSite("BRCK", "Cisco", 3, 4)):
        write_site(folder / "Data" / site.site / f"{site.site}.sqlite", site)
    finished = run("snapshot", "export", folder / "cache.clixml", "--data", folder / "Data")
    assert finished.returncode == 0, finished.stderr
    return folder


@pytest.fixture
def data(folder):
    return folder / "Data"


@pytest.fixture
def snapshot(folder):
    return folder / "cache.clixml"


@pytest.mark.parametrize(
    "command",
    [(), ("demo",), ("ingest",), ("parse",), ("hydrate",), ("show",), ("convert",), ("corpus",), ("snapshot",)]
    + [("snapshot", name) for name in ("export", "import", "inspect", "check", "convert")],
)
def test_every_command_explains_itself(call, command):
    finished = call(*command, "--help")
    assert finished.returncode == 0
    assert "Usage:" in finished.stdout
    assert len(finished.stdout.splitlines()) > 5


def test_the_version_is_told():
    assert run("--version").stdout.startswith("statetrace 0.")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("show",),
        ("hydrate", "--nonsense"),
        ("snapshot", "inspect"),
        ("hydrate", "--data", __file__),
        ("show", "ALDR", "--database", "none.sqlite"),
        ("show", "ALDR", "--database", "postgresql://host/name"),
        ("parse",),
        ("ingest", "--jobs", "0"),
        ("corpus",),
    ],
)
def test_wrong_usage_exits_with_2(call, arguments):
    finished = call(*arguments)
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert "Usage:" in finished.stderr or "Error" in finished.stderr


def test_a_command_starts_without_importing_what_only_others_use():
    code = "import sys, statetrace.cli; print([name for name in ('sqlalchemy', 'pyodbc') if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


# where output goes


def test_a_message_is_one_line_however_long(call, tmp_path):
    path = tmp_path / ("long name " * 15).strip()
    finished = call("snapshot", "inspect", path)
    assert finished.stderr == f"statetrace: {path}: no such file\n"


def test_a_reader_that_goes_away_is_no_disaster(data):
    with subprocess.Popen(
        [sys.executable, "-m", "statetrace", "show", "BRCK", "--data", data],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.skipif(os.name == "nt", reason="POSIX shells close streams")
@pytest.mark.parametrize("json", [(), ("--json",)])
def test_a_closed_standard_output_is_no_disaster(data, json):
    command = ["sh", "-c", '"$@" >&-', "sh", sys.executable, "-m", "statetrace", "show", "BRCK", "--data", data, *json]
    finished = subprocess.run(command, capture_output=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, b"")


def test_what_an_encoding_lacks_is_escaped(snapshot, tmp_path):
    file = tmp_path / "\u4e2d.clixml"
    file.write_bytes(snapshot.read_bytes())
    finished = run("snapshot", "inspect", file, PYTHONIOENCODING="latin-1")
    assert finished.returncode == 0, finished.stderr
    assert "\\u4e2d.clixml" in finished.stdout


# hydrate


def test_hydrate_prints_the_metrics_of_all_sites(call, data):
    reads = document("hydrate", "--data", data, by=call)
    assert [(read["EventName"], read["Site"], read["TotalRows"]) for read in reads] == [
        ("InterfaceSiteCacheMetrics", "ALDR", 6),
        ("InterfaceSiteCacheMetrics", "BRCK", 12),
    ]
    table = call("hydrate", "brck", "--data", data).stdout
    assert "ALDR" not in table
    assert "Hydrated" in table


def test_hydrate_names_a_site_that_no_database_holds_and_reads_the_others(call, data):
    finished = call("hydrate", "ALDR", "NONE", "--data", data)
    assert finished.returncode == 1
    assert "ALDR" in finished.stdout
    assert "site NONE" in finished.stderr


def test_one_broken_database_does_not_stop_the_other_sites(call, tmp_path):
    write_site(tmp_path / "ALDR" / "ALDR.sqlite", SyntheticSite("ALDR", "Cisco", 1, 2))
    (tmp_path / "BAD").mkdir()
    (tmp_path / "BAD" / "BAD.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    finished = call("hydrate", "--data", tmp_path)
    assert finished.returncode == 1
    assert "ALDR" in finished.stdout
    assert "BAD.sqlite" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_hydrate_without_any_database_says_what_to_do(call, tmp_path):
    finished = call("hydrate", "--data", tmp_path)
    assert finished.returncode == 1
    assert "statetrace demo" in finished.stderr


def test_hydrate_writes_telemetry_where_it_is_told(data, tmp_path):
    run("hydrate", "--data", data, "--telemetry", tmp_path / "one")
    (tmp_path / "two").mkdir()
    run("hydrate", "--data", data, STATETRACE_TELEMETRY_DIR=str(tmp_path / "two"))
    for name in ("one", "two"):
        (day,) = (tmp_path / name).glob("*.json")
        events = [json.loads(line)["EventName"] for line in day.read_bytes().splitlines()]
        assert events.count("InterfaceSiteCacheMetrics") == 2
        assert events[0] == "InterfaceSiteCacheSharedStoreState"


# show


def test_show_prints_a_site_as_its_content(call, data):
    shown = document("show", "BRCK", "--data", data, by=call)
    hosts = shown["BRCK"]
    assert [len(ports) for ports in hosts.values()] == [4, 4, 4]
    row = hosts["BRCK-A01-AS-01"]["Gi1/0/1"]
    assert len(row) == 17
    assert list(row)[:3] == ["Name", "Status", "VLAN"]


def test_show_prints_a_host_or_a_port_in_any_case(call, data):
    assert list(document("show", "brck-a01-as-02", "--data", data, by=call)["BRCK"]) == ["BRCK-A01-AS-02"]
    shown = document("show", "SSH@BRCK-A01-AS-02", "gi1/0/3", "--data", data, by=call)
    assert list(shown["BRCK"]["BRCK-A01-AS-02"]) == ["Gi1/0/3"]
    table = call("show", "BRCK-A01-AS-02", "Gi1/0/3", "--data", data).stdout
    assert "Signature" in table


def test_show_can_look_into_a_snapshot(call, data, snapshot):
    assert document("show", "BRCK", "--snapshot", snapshot, by=call) == document("show", "BRCK", "--data", data)


def test_show_finds_a_site_beside_a_broken_database(call, tmp_path):
    write_site(tmp_path / "ALDR.sqlite", SyntheticSite("ALDR", "Cisco", 1, 2))
    (tmp_path / "BAD.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert list(document("show", "aldr-a01-as-01", "--data", tmp_path, by=call)) == ["ALDR"]
    finished = call("show", "BAD", "--data", tmp_path)
    assert finished.returncode == 1
    assert "BAD.sqlite" in finished.stderr
    assert "no site or host 'BAD'" in finished.stderr


def test_show_prints_the_configuration_of_a_port_line_by_line(call, data):
    lines = call("show", "BRCK-A01-AS-02", "Gi1/0/3", "--data", data).stdout.splitlines()
    assert "Config      interface GigabitEthernet1/0/3" in lines
    assert "             switchport mode access" in lines


@pytest.mark.parametrize(
    ("arguments", "named"), [(("NONE",), "NONE"), (("BRCK-X",), "BRCK-X"), (("BRCK", "Gi9"), "Gi9")]
)
def test_show_names_what_it_does_not_find(call, data, arguments, named):
    finished = call("show", *arguments, "--data", data)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert named in finished.stderr


# snapshot


def test_inspect_tells_what_a_snapshot_holds(call, snapshot):
    inspected = document("snapshot", "inspect", snapshot, by=call)
    assert [(site["Site"], site["HostCount"], site["TotalRows"]) for site in inspected["Sites"]] == [
        ("ALDR", 2, 6),
        ("BRCK", 3, 12),
    ]
    assert (inspected["Encoding"], inspected["Shape"]) == ("UTF-8", "S1")
    assert len(inspected["ContentSha256"]) == 64
    assert inspected["ContentSha256"] in call("snapshot", "inspect", snapshot, "--hosts").stdout


def test_convert_rewrites_a_snapshot_for_windows_powershell(call, snapshot, tmp_path):
    target = tmp_path / "deep" / "windows.clixml"
    assert call("snapshot", "convert", snapshot, target, "--windows").returncode == 0
    assert target.read_bytes().startswith(b"\xff\xfe")
    assert (
        document("snapshot", "inspect", target, by=call)["ContentSha256"]
        == document("snapshot", "inspect", snapshot, by=call)["ContentSha256"]
    )


def test_import_serves_the_sites_and_compares_them_on_request(call, data, snapshot):
    imported = document("snapshot", "import", snapshot, "--data", data, by=call)
    assert [(site["Site"], site["CacheStatus"], site["Provider"]) for site in imported["Sites"]] == [
        ("ALDR", "SharedOnly", "Cache"),
        ("BRCK", "SharedOnly", "Cache"),
    ]
    compared = document("snapshot", "import", snapshot, "--data", data, "--refresh", by=call)
    assert [(site["Provider"], site["HostMapSignatureMatchCount"]) for site in compared["Sites"]] == [
        ("ADODB", 6),
        ("ADODB", 12),
    ]


def test_import_says_what_it_cannot_compare_or_keep(snapshot, tmp_path):
    alone = run("snapshot", "import", snapshot, "--data", tmp_path, "--refresh")
    assert alone.returncode == 1
    assert "site ALDR: no database" in alone.stderr
    disabled = run("snapshot", "import", snapshot, "--data", tmp_path, **ADVERSE)
    assert disabled.returncode == 1
    assert "STATETRACE_DISABLE_SHARED_CACHE" in disabled.stderr


def test_the_snapshot_of_the_environment_is_served_without_a_database(snapshot, tmp_path):
    reads = document("hydrate", "BRCK", "--data", tmp_path, STATETRACE_SHARED_CACHE_SNAPSHOT=str(snapshot))
    assert (reads[0]["CacheStatus"], reads[0]["Provider"], reads[0]["TotalRows"]) == ("SharedOnly", "Cache", 12)
    shown = document("show", "BRCK", "--data", tmp_path, STATETRACE_SHARED_CACHE_SNAPSHOT=str(snapshot))
    assert len(shown["BRCK"]) == 3


def test_export_can_name_sites_and_write_a_summary(call, data, tmp_path):
    target = tmp_path / "one.clixml"
    exported = document("snapshot", "export", target, "brck", "--data", data, "--summary", by=call)
    assert [site["Site"] for site in exported["Sites"]] == ["BRCK"]
    summary = json.loads((tmp_path / "one-summary.json").read_text("utf-8-sig"))
    assert [(site["Site"], site["Hosts"], site["TotalRows"]) for site in summary] == [("BRCK", 3, 12)]


def test_export_holds_every_site_whatever_the_cache_may_keep(data, tmp_path):
    exported = document("snapshot", "export", tmp_path / "all.clixml", "--data", data, **ADVERSE)
    assert [site["Site"] for site in exported["Sites"]] == ["ALDR", "BRCK"]


def test_export_names_a_site_that_no_database_holds_and_writes_the_others(call, data, tmp_path):
    finished = call("snapshot", "export", tmp_path / "one.clixml", "ALDR", "NONE", "--data", data)
    assert finished.returncode == 1
    assert "ALDR" in finished.stdout
    assert "site NONE" in finished.stderr


def test_export_of_nothing_fails_and_makes_no_file(call, tmp_path):
    finished = call("snapshot", "export", tmp_path / "none.clixml", "--data", tmp_path)
    assert finished.returncode == 1
    assert not (tmp_path / "none.clixml").exists()


def test_check_passes_within_its_budgets_and_fails_as_a_gate(snapshot):
    passed = run("snapshot", "check", snapshot, "--require", "aldr", "--require", "BRCK")
    assert (passed.returncode, passed.stdout) == (0, "")
    finished = run("snapshot", "check", snapshot, "--require", "WLLS", "--max-rows", "10")
    assert finished.returncode == 3
    assert "WLLS" in finished.stdout


def test_check_tells_its_issues_as_json(call, snapshot):
    failed = call("snapshot", "check", snapshot, "--max-rows", "10", "--json")
    assert failed.returncode == 3
    assert [issue["Type"] for issue in json.loads(failed.stdout)["Issues"]] == ["RowCountExceeded"]


def test_check_takes_the_share_of_removals_from_events(call, snapshot, tmp_path):
    events = tmp_path / "day.json"
    told = [{"EventName": "InterfaceSiteCacheSharedStore", "Operation": name} for name in ("Set", "Remove")]
    events.write_text("\n".join(map(json.dumps, told)))
    failed = call("snapshot", "check", snapshot, "--events", events)
    assert failed.returncode == 3
    assert "HighEvictionRate" in failed.stdout
    assert call("snapshot", "check", snapshot, "--events", events, "--max-removals", "50").returncode == 0


@pytest.mark.parametrize("content", [b"", b"hello", b"<Objs", b'<?xml version="1.0"?><!DOCTYPE a><a/>'])
@pytest.mark.parametrize("command", ["inspect", "convert"])
def test_a_file_that_is_no_snapshot_is_refused_in_one_line(call, tmp_path, content, command):
    file = tmp_path / "bad.clixml"
    file.write_bytes(content)
    finished = call("snapshot", command, file, *([tmp_path / "target.clixml"] if command == "convert" else []))
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "bad.clixml" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1
    assert not (tmp_path / "target.clixml").exists()


def test_import_of_a_truncated_file_brings_nothing_unless_asked(call, snapshot, tmp_path):
    file = tmp_path / "bad.clixml"
    text = snapshot.read_bytes()
    file.write_bytes(text[: text.rindex(b"BRCK-A01-AS-03")])
    refused = call("snapshot", "import", file, "--data", tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "bad.clixml" in refused.stderr
    partial = document("snapshot", "import", file, "--data", tmp_path, "--partial", by=call)
    assert partial["Sites"][0]["TotalRows"] == 6
    assert partial["Skipped"]


# convert


def test_convert_copies_a_database_and_refuses_to_overwrite(call, data, tmp_path):
    target = tmp_path / "copy.sqlite"
    report = document("convert", data / "BRCK" / "BRCK.sqlite", target, by=call)
    assert {table["Name"]: table["Rows"] for table in report["Tables"]}["Interfaces"] == 12
    again = call("convert", data / "BRCK" / "BRCK.sqlite", target)
    assert again.returncode == 1
    assert "copy.sqlite" in again.stderr


def test_hostile_text_cannot_steer_the_terminal(call, tmp_path):
    site = SyntheticSite("EVIL", "Cisco", 1, 1)
    write_site(tmp_path / "EVIL" / "EVIL.sqlite", site)
    connection = sqlite3.connect(tmp_path / "EVIL" / "EVIL.sqlite")
    connection.execute("UPDATE Interfaces SET Name = ?", ("\x1b[2J\x07[bold]x[/bold]",))
    connection.commit()
    connection.close()
    shown = call("show", "EVIL", "--data", tmp_path).stdout
    assert "\x1b" not in shown
    assert "\\x1b[2J\\x07[bold]x[/bold]" in shown
