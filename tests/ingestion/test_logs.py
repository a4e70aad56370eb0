"""Which raw logs there are, whose lines they hold, and that a slice is read as it was indexed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingesting import database, device_log, engine_on, ingest, outcomes, rows_of

from statetrace.ingestion.logs import find_logs, index_logs, original_slice, read_log
from statetrace.parsing import split_log
from statetrace.parsing.splitting import SplitRule
from statetrace.parsing.splitting import split_log as split

# reference: ingestion-pipeline 19.1
TWO_SWITCHES = """hostname switch1
switch1# show version
Line from switch1
switch1# show interfaces
switch-two(config)# show version
Details from switch two
hostname switch-two
switch-two>show interfaces
More details from switch two
"""


def indexed(folder, **files):
    """The index of a folder with these files, ``.log`` added to their names."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.log").write_bytes(content if isinstance(content, bytes) else content.encode())
    return index_logs(find_logs(folder))


def slices(index):
    return {log.name: read_log(log).decode() for log in index.logs}


def crlf(*lines):
    return "".join(f"{line}\r\n" for line in lines)


def test_the_lines_of_two_switches_go_where_the_reference_says(tmp_path):
    lines = TWO_SWITCHES.splitlines()
    index = indexed(tmp_path, session=TWO_SWITCHES)
    assert slices(index) == {"switch1": crlf(*lines[:4]), "switch-two": crlf(*lines[4:])}
    assert [log.sha256 for log in index.logs] == [hashlib.sha256(read_log(log)).hexdigest() for log in index.logs]
    assert [log.length for log in index.logs] == [len(read_log(log)) for log in index.logs]


def test_logs_are_those_files_of_the_folder_that_look_like_it_by_name(tmp_path):
    for name in ("b.LOG", "A.txt", "a.log", "c.json", "WarmRunTelemetry-1.log", "log"):
        (tmp_path / name).touch()
    (tmp_path / "folder.log").mkdir()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "deep.log").touch()
    assert [path.name for path in find_logs(tmp_path)] == ["a.log", "A.txt", "b.LOG"]
    assert find_logs(tmp_path / "c.json") == [tmp_path / "c.json"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_slices_do_not_depend_on_encoding_and_line_ends(end, encoding, tmp_path):
    text = device_log("WLLS-A01-AS-01") + "WLLS-A01-AS-01# show clock\nÄrger mit Ümlaut\n"
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / "a.log").write_bytes((mark + text.replace("\n", end)).encode(encoding))
    index = index_logs(find_logs(tmp_path))
    assert slices(index) == {"WLLS-A01-AS-01": text.replace("\n", "\r\n")}
    assert index.logs[0].sha256 == hashlib.sha256(text.replace("\n", "\r\n").encode()).hexdigest()


def test_a_file_in_another_encoding_is_read_again_after_it_changed(tmp_path):
    for port in ("1", "17"):
        text = device_log("WLLS-A01-AS-01", [(port, "connected", "10")])
        index = indexed(tmp_path, a=text.encode("utf-16"))
        assert slices(index) == {"WLLS-A01-AS-01": text.replace("\n", "\r\n")}


def test_a_host_in_two_files_is_one_log_in_the_order_of_the_files(tmp_path):
    index = indexed(tmp_path, b="WLLS-1# show clock\nlater\n", a="wlls-1# show version\nfirst")
    assert slices(index) == {
        "wlls-1": crlf("wlls-1# show version", "first", "WLLS-1# show clock", "later"),
    }
    assert [path.name for path in index.logs[0].files] == ["a.log", "b.log"]


def test_a_file_that_is_named_twice_is_read_once(tmp_path):
    index = indexed(tmp_path, a="A-1# show version\n")
    assert index_logs([tmp_path / "a.log", str(tmp_path / "a.log")]) == index


def test_any_number_of_lines_before_the_first_device_belong_to_it_in_their_order(tmp_path):
    leading = [f"banner {number}" for number in range(4_321)]
    lines = [*leading, "WLLS-1# show version", "here"]
    index = indexed(tmp_path, a="\n".join(lines))
    assert slices(index) == {"WLLS-1": crlf(*lines)}
    assert index.unusable == ()


def test_each_device_of_a_session_gets_its_own_ports(tmp_path):
    hosts = {f"WLLS-A01-AS-0{number}": [(str(number), "connected", str(number))] for number in (1, 2, 3)}
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "session.log").write_text("".join(device_log(host, ports) for host, ports in hosts.items()))
    report = ingest(tmp_path / "data", tmp_path / "logs")
    assert outcomes(report) == dict.fromkeys(hosts, "ingested")
    rows = rows_of(database(tmp_path / "data", "WLLS"), "SELECT Hostname, Port, VLAN FROM Interfaces ORDER BY 1, 2")
    assert rows == [(host, f"Gi1/0/{port}", int(vlan)) for host, ((port, _, vlan),) in hosts.items()]


def test_devices_that_take_turns_in_a_session_get_their_own_lines(tmp_path):
    index = indexed(tmp_path, a="A-1# show version\none\nB-1# show version\ntwo\nA-1# show clock\nthree\n")
    assert slices(index) == {
        "A-1": crlf("A-1# show version", "one", "A-1# show clock", "three"),
        "B-1": crlf("B-1# show version", "two"),
    }


def test_files_that_name_no_device_are_told(tmp_path):
    index = indexed(
        tmp_path, empty="", blank=" \n\n", prose="Dear reader,\nnothing here.\n", good="A-1# show version\n"
    )
    assert {Path(file.path).name: file.reason for file in index.unusable} == {
        "empty.log": "is empty",
        "blank.log": "is empty",
        "prose.log": "holds no prompt and no hostname line that names a device",
    }
    assert [log.name for log in index.logs] == ["A-1"]


def test_files_that_cannot_be_read_are_told_and_make_the_session_a_failure(tmp_path):
    logs = tmp_path / "logs"
    indexed(logs, good=device_log("WLLS-A01-AS-01"))
    (logs / "lost.log").symlink_to(tmp_path / "nowhere")
    (logs / "round.log").symlink_to(logs / "round.log")
    os.mkfifo(logs / "pipe.log")
    (tmp_path / "folder.log").mkdir()
    with engine_on(tmp_path / "data") as engine:
        report = engine.ingest([*find_logs(logs), tmp_path / "folder.log"])
    assert outcomes(report) == {"WLLS-A01-AS-01": "ingested"}
    assert sorted(file.path.rpartition("/")[2] for file in report.unused_files) == [
        "folder.log", "lost.log", "pipe.log", "round.log",
    ]  # fmt: skip
    assert all(file.reason.startswith("cannot be read: ") for file in report.unused_files)
    assert report.exit_code == 1


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that nobody can read: Linux has one")
def test_a_file_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "a.log").symlink_to("/proc/self/mem")
    index = index_logs(find_logs(tmp_path))
    assert [file.reason for file in index.unusable] == ["cannot be read: Input/output error"]


def test_a_log_that_changed_since_it_was_indexed_is_not_half_read(tmp_path):
    text = device_log("WLLS-A01-AS-01")
    index = indexed(tmp_path, a=text, b=device_log("WLLS-A01-AS-02").encode("utf-16"))
    # Both begin with a line more, so that the last ports are outside of what was indexed.
    indexed(
        tmp_path, a="WLLS-A01-AS-01#\n" + text, b=("WLLS-A01-AS-02#\n" + device_log("WLLS-A01-AS-02")).encode("utf-16")
    )
    for log in index.logs:
        with pytest.raises(OSError, match="has changed"):
            read_log(log)


def test_a_log_that_only_grew_is_read_as_it_was(tmp_path):
    text = device_log("WLLS-A01-AS-01")
    index = indexed(tmp_path, a=text)
    indexed(tmp_path, a=text + "WLLS-A01-AS-01# show clock\n")
    assert read_log(index.logs[0]).decode() == text.replace("\n", "\r\n")


def test_a_log_that_changes_during_a_session_fails_and_keeps_its_rows(tmp_path):
    logs, data = tmp_path / "logs", tmp_path / "data"
    ports = [(str(number), "connected", "10") for number in range(1, 9)]
    indexed(logs, a=device_log("WLLS-A01-AS-01", ports), b=device_log("WLLS-A01-AS-02", ports))
    ingest(data, logs)
    indexed(logs, a=device_log("WLLS-A01-AS-01", ports[:-1]), b=device_log("WLLS-A01-AS-02", ports[:-1]))

    def change(outcome):
        indexed(logs, b="WLLS-A01-AS-02# show clock\n" + device_log("WLLS-A01-AS-02", ports))

    with engine_on(data) as engine:
        report = engine.ingest(logs, jobs=1, on_outcome=change)
        assert outcomes(report) == {"WLLS-A01-AS-01": "ingested", "WLLS-A01-AS-02": "parse_failed"}
        assert "has changed" in report.hosts[1].message
        assert outcomes(engine.ingest(logs)) == {"WLLS-A01-AS-01": "skipped_duplicate", "WLLS-A01-AS-02": "unchanged"}


def test_a_log_that_is_deleted_during_a_session_fails_alone(tmp_path):
    logs = tmp_path / "logs"
    indexed(logs, a=device_log("WLLS-A01-AS-01"), b=device_log("WLLS-A01-AS-02"), c=device_log("WLLS-A01-AS-03"))
    with engine_on(tmp_path / "data") as engine:
        report = engine.ingest(logs, jobs=1, on_outcome=lambda _: (logs / "b.log").unlink(missing_ok=True))
    assert list(outcomes(report).values()) == ["ingested", "parse_failed", "ingested"]


def test_the_originals_slice_is_cut_by_its_own_rule(tmp_path):
    lines = ["A-1# show version", "  Serial #: 123", "rest of it"]
    index = indexed(tmp_path, a="\n".join(lines), b="banner\nA-1# show clock\nfour\n")
    assert slices(index) == {"A-1": crlf(*lines, "banner", "A-1# show clock", "four")}
    # The original takes the second line for the prompt of a device.
    assert original_slice(index.logs[0]).decode() == crlf(lines[0], "banner", "A-1# show clock", "four")
    raw = (tmp_path / "a.log").read_bytes()
    assert [one.name for one in split(raw, rule=SplitRule.ORIGINAL)] == ["A-1", "Serial"]


names = st.sampled_from(["A-1", "a-1", "B-22", "SSH@C-3", "x y", "#", ""])
lines = st.one_of(
    st.builds("{}{}".format, names, st.sampled_from(["#", ">", "# show version", "(config)# show run", "#show clock"])),
    st.builds("hostname {}".format, names),
    st.text("ab #>\t\x00", max_size=12),
)


@given(files=st.lists(st.tuples(st.lists(lines, max_size=12), st.sampled_from(["\n", "\r\n", "\r"])), max_size=3))
def test_whatever_the_files_hold_each_slice_is_what_splitting_them_gives(files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    expected = {}
    for number, (content, end) in enumerate(files):
        raw = end.join(content).encode()
        (folder / f"{number}.log").write_bytes(raw)
        for one in split_log(raw):
            if one.name:
                expected[one.name.casefold()] = expected.get(one.name.casefold(), b"") + one.content
    index = index_logs(find_logs(folder))
    assert {log.name.casefold(): read_log(log) for log in index.logs} == expected
    assert all(log.length == len(read_log(log)) for log in index.logs)
    assert index.bytes == sum(file.stat().st_size for file in folder.iterdir())
