"""``statetrace parse``: what logs say, under the original's names."""

from __future__ import annotations

import json

import pytest
from command_line import document

from statetrace.ingestion.corpus import CorpusPlan, CorpusSite, host_log

CISCO = CorpusPlan((CorpusSite("BRCK", "Cisco", 1, 8),))
FACTS = [
    "Hostname", "Make", "Model", "Version", "Uptime", "Location", "Site", "Building", "Floor", "Room", "Row", "Rack",
    "InterfaceCount", "AuthDefaultVLAN", "AuthenticationBlock",
]  # fmt: skip
STORED = [
    "Port", "Name", "Status", "VLAN", "Duplex", "Speed", "Type", "LearnedMACs", "AuthState", "AuthMode",
    "AuthClientMAC", "AuthTemplate", "Config", "PortColor", "ConfigStatus", "ToolTip",
]  # fmt: skip
BROCADE = """\
SSH@TINY-A01-AS-01#show version
HW: Stackable ICX6610-24
SSH@TINY-A01-AS-01#show config
authentication
 auth-default-vlan 66
 dot1x enable
!
interface ethernet 1/1/1
 port-name desk
!
SSH@TINY-A01-AS-01#show interfaces brief
Port    Link    State   Dupl Speed Trunk Tag Pvid Pri MAC            Name
1/1/1   Up      Forward Full 1G    None  No  1    0   02ff.0000.0001 desk
1/1/2   Up      Forward Full 1G    None  No  1    0   02ff.0000.0002
1/1/3   Up      Forwa
"""


@pytest.fixture
def log(tmp_path):
    file = tmp_path / "BRCK-A01-AS-01.log"
    file.write_text(host_log(CISCO, 0), "utf-8")
    return file


@pytest.fixture
def tiny(tmp_path):
    file = tmp_path / "tiny.log"
    file.write_text(BROCADE, "utf-8")
    return file


def test_a_device_has_its_facts_and_rows_as_stored(call, log):
    (device,) = document("parse", log, by=call)["Devices"]
    assert list(device) == [*FACTS, "Interfaces", "SpanInfo", "Report"]
    assert (device["Hostname"], device["Site"], device["Make"], device["InterfaceCount"]) == (
        "BRCK-A01-AS-01", "BRCK", "Cisco", 8,
    )  # fmt: skip
    for row in device["Interfaces"]:
        assert list(row) == STORED
        assert isinstance(row["VLAN"], int)
        assert (row["PortColor"], row["ConfigStatus"], row["ToolTip"]) == ("", "", "")
    assert [list(span) for span in device["SpanInfo"][:1]] == [["VLAN", "RootSwitch", "RootPort", "Role", "Upstream"]]


def test_the_rows_are_those_that_ingestion_stores(call, tiny, tmp_path):
    (device,) = document("parse", tiny, by=call)["Devices"]
    data = tmp_path / "Data"
    assert call("ingest", tiny, "--data", data, "--no-telemetry", "--no-snapshot").returncode == 0
    shown = document("show", "TINY-A01-AS-01", "--data", data, by=call)["TINY"]["TINY-A01-AS-01"]
    assert {row["Port"]: row["Config"] for row in device["Interfaces"]} == {
        port: row["Config"] for port, row in shown.items()
    }
    assert device["Interfaces"][1]["Config"].startswith("AUTH BLOCK (GLOBAL)\r\n")


def test_the_report_tells_what_was_not_understood(call, tiny):
    (device,) = document("parse", tiny, by=call)["Devices"]
    report = device["Report"]
    assert list(report) == [
        "File",
        "Reason",
        "Message",
        "Commands",
        "Missed",
        "MissedCount",
        "Notes",
        "Cut",
        "Coverage",
    ]
    assert (report["File"], report["Reason"]) == (str(tiny), "")
    assert report["Missed"] == [{"Command": "show interfaces brief", "Line": 15, "Text": "1/1/3   Up      Forwa"}]
    assert 0 < report["Coverage"] < 100
    assert {"Command": "show version", "Line": 1, "Lines": 1, "Recognised": True, "Rows": 0} in report["Commands"]
    shown = call("parse", tiny).stdout
    assert "1 line not understood" in shown
    assert f"Coverage  {report['Coverage']:.1f} %" in shown


def test_facts_and_interfaces_are_printed_and_nothing_is_stored(call, log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    finished = call("parse", log)
    assert finished.returncode == 0
    assert "C9300" in finished.stdout
    assert "Gi1/0/8" in finished.stdout
    assert finished.stderr == "1 file: 1 device, 8 ports, 0 failures\n"
    assert list(tmp_path.iterdir()) == [log]


def test_what_only_some_makes_tell_is_there_with_them(call, tmp_path):
    log = tmp_path / "aruba.log"
    log.write_text(
        "lab-sw# show version\nArubaOS-CX\nVersion : FL.10.10\nlab-sw# show vlan\n"
        "VLAN  Name   Status  Reason  Type      Interfaces\n1     DESKS  up      ok      static    1/1/1\nlab-sw#\n"
    )
    (device,) = document("parse", log, by=call, code=1)["Devices"]
    assert device["VLANs"] == [{"ID": "1", "Name": "DESKS", "Type": "static"}]
    assert not {"Routes", "SerialNumber", "HAStatus"} & set(device)
    assert (device["Report"]["Reason"], device["Interfaces"]) == ("no_interfaces", [])
    assert "DESKS" in call("parse", log).stdout


def test_a_device_that_nobody_knows_is_listed_with_the_reason(call, log, tmp_path):
    (tmp_path / "odd.txt").write_text("ODDS-A01-AS-01#show version\nA machine nobody knows\n")
    known, unknown = document("parse", tmp_path, by=call, code=1)["Devices"]
    assert (known["Hostname"], known["Report"]["Reason"]) == ("BRCK-A01-AS-01", "")
    assert list(unknown) == ["Hostname", "Report"]
    assert (unknown["Hostname"], unknown["Report"]["Reason"]) == ("ODDS-A01-AS-01", "unknown_vendor")
    assert unknown["Report"]["Message"]
    assert [command["Recognised"] for command in unknown["Report"]["Commands"]] == [False]
    assert unknown["Report"]["Coverage"] == 0
    assert "unknown_vendor" in call("parse", tmp_path).stdout


def test_a_file_that_cannot_be_read_stops_no_other(call, log, tmp_path):
    (tmp_path / "empty.log").touch()
    (tmp_path / "folder").mkdir()
    names = (tmp_path / "none.log", tmp_path / "empty.log", tmp_path / "folder", log)
    parsed = document("parse", *names, by=call, code=1)
    assert [device["Hostname"] for device in parsed["Devices"]] == ["BRCK-A01-AS-01"]
    assert {file["Path"]: file["Reason"].split(":")[0] for file in parsed["UnusedFiles"]} == {
        str(tmp_path / "none.log"): "cannot be read",
        str(tmp_path / "empty.log"): "is empty",
        str(tmp_path / "folder"): "holds no raw logs (.log, .txt)",
    }
    finished = call("parse", *names)
    assert "none.log" in finished.stderr
    assert "3 failures" in finished.stderr


def test_the_help_tells_what_coverage_is_a_percentage_of(call):
    told = " ".join(call("parse", "--help").stdout.split())
    assert "percent of the lines of the tables read" in told


def test_parity_reads_as_the_original_does(call, log):
    def learned(*options):
        (device,) = document("parse", log, *options, by=call)["Devices"]
        return any(row["LearnedMACs"] for row in device["Interfaces"])

    assert learned()
    assert not learned("--parity")


def test_garbage_is_a_result_and_cannot_steer_the_terminal(call, tmp_path):
    log = tmp_path / "garbage.log"
    log.write_bytes(b"\x1b[2J\x00\xff\xfe" * 1000 + b"#\r\n>>>\r\nhostname \x1b[31m\n")
    finished = call("parse", log)
    assert finished.returncode == 1
    assert "\x1b" not in finished.stdout + finished.stderr
    assert document("parse", log, by=call, code=1)["Devices"][0]["Report"]["Reason"]


@pytest.mark.original
def test_the_original_stored_what_is_told(call, original_data):
    golden = json.loads((original_data / "logs" / "mock_brocade_BOYO_73.expected.json").read_text("utf-8"))["devices"][
        0
    ]
    log = original_data / "logs" / "mock_brocade_BOYO_73.log"
    (device,) = document("parse", log, "--parity", by=call)["Devices"]
    wanted = golden["stored"][0]["interfaces"]
    assert device["Interfaces"] == [{name: row[name] for name in STORED} for row in wanted]
    told = {name: str(value) if name == "AuthDefaultVLAN" else value for name, value in golden["facts"].items()}
    assert {name: device[name] for name in told} == told
