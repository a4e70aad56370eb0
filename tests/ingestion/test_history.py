"""The history file: what it tolerates, what it keeps, and that no process loses a record of another."""

import codecs
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.errors import HistoryError
from statetrace.ingestion.history import SiteHistory, SiteLease, site_file_stem
from statetrace.ingestion.history_text import HistoryRecord, read_rows, row_of, rows_as_blocks

HASH = "0123456789abcdef" * 4


def record(host="WLLS-A01-AS-01", file_hash=HASH, length=5356, **fields):
    return HistoryRecord(hostname=host, file_hash=file_hash, source_length=length, **fields)


def wire(host, **fields):
    return json.dumps({"Hostname": host, "FileHash": HASH, "SourceLength": 5, **fields})


def history(folder, content, site="WLLS"):
    folder.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else content.encode()
    (folder / f"{site}.json").write_bytes(data)
    return SiteHistory(folder, site)


def hosts(history):
    return [record.hostname for record in history.records()]


def test_a_site_without_a_file_has_no_records_and_reading_makes_none(tmp_path):
    folder = tmp_path / "history"
    assert SiteHistory(folder, "WLLS").find("A", HASH, 1) is None
    assert SiteHistory(folder, "WLLS").records() == ()
    assert not folder.exists()


def test_records_are_appended_and_found_again_by_another_process(tmp_path):
    first = record("A", last_ingested_utc="2026-01-06T20:28:33.8684250Z", site="WLLS", actual_hostname="a")
    SiteHistory(tmp_path, "WLLS").add([first, record("B")])
    again = SiteHistory(tmp_path, "wlls")
    assert again.records() == (first, record("B"))
    assert again.find("A", HASH, 5356) == first
    assert again.diagnostics == ()


@pytest.mark.parametrize(
    ("name", "sha256", "length", "found"),
    [
        ("WLLS-A01-AS-01", HASH, 5356, True),
        ("wlls-a01-as-01", HASH.upper(), 5356, True),
        ("WLLS-A01-AS-02", HASH, 5356, False),
        ("WLLS-A01-AS-01", HASH[:-1] + "0", 5356, False),
        ("WLLS-A01-AS-01", HASH, 5357, False),
    ],
)
def test_a_slice_is_known_by_name_hash_and_length(name, sha256, length, found, tmp_path):
    known = SiteHistory(tmp_path, "WLLS")
    known.add([record()])
    assert (known.find(name, sha256, length) is not None) is found


def test_a_record_replaces_those_of_its_host_and_goes_to_the_end(tmp_path):
    known = history(tmp_path, f"[{wire('A')}, {wire('B')}, {wire('a')}]")
    known.add([record("C"), record("A", length=1), record("c", length=2), record("D")])
    assert [(row.hostname, row.source_length) for row in known.records()] == [("B", 5), ("A", 1), ("c", 2), ("D", 5356)]


def test_of_two_records_of_a_host_either_one_counts(tmp_path):
    known = history(tmp_path, f"[{wire('A')}, {wire('A', SourceLength=6)}]")
    assert known.find("A", HASH, 5)
    assert known.find("A", HASH, 6)


def test_the_file_is_an_array_as_powershell_7_writes_it(tmp_path):
    known = SiteHistory(tmp_path, "WLLS")
    known.add([record("Ä", actual_hostname='"\\')])
    assert known.path.read_bytes().decode("ascii").split("\r\n") == [
        "[",
        "  {",
        '    "Hostname": "\\u00c4",',
        '    "ActualHostname": "\\"\\\\",',
        '    "Site": "",',
        f'    "FileHash": "{HASH}",',
        '    "SourceLength": 5356,',
        '    "SourceTimestampUtc": "",',
        '    "LastIngestedUtc": ""',
        "  }",
        "]",
        "",
    ]
    assert b"".join(rows_as_blocks([])) == b"[]\r\n"


@pytest.mark.parametrize(
    "text",
    [
        f"[{wire('A')}, {wire('B')}]",
        f"{wire('A')}\r\n\r\n{wire('B')}\r\n",
        f'[\r\n    {{\r\n        "Hostname":  "A",\r\n        "FileHash":  "{HASH}",\r\n        "SourceLength":  5\r\n    }},\r\n{wire("B")}]',
    ],
    ids=["array", "lines", "indented by Windows PowerShell"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_every_form_of_the_file_is_read(text, encoding, tmp_path):
    mark = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""
    known = history(tmp_path, mark + text.encode(encoding))
    assert hosts(known) == ["A", "B"]
    assert known.diagnostics == ()


@pytest.mark.parametrize(("text", "names"), [(wire("A"), ["A"]), ("[]", []), ("", []), (" \r\n", [])])
def test_a_bare_object_and_an_empty_file_are_read(text, names, tmp_path):
    known = history(tmp_path, text)
    assert hosts(known) == names
    assert known.diagnostics == ()


def test_numbers_may_be_text_and_unknown_values_null(tmp_path):
    known = history(tmp_path, f"[{wire('A', SourceLength='5', Site=None)}]")
    assert known.find("A", HASH, 5).site == ""


@pytest.mark.parametrize(
    "damaged",
    [
        f'[{wire("A")}, {{"Hostname": "B", "FileH',
        f'[{wire("A")}, {{"Hostname": "B" "FileHash": ""}}]',
        f'[{{"Hostname": "B, {wire("A")}]',
        f"[{wire('A')}, {wire('')}]",
        f"[{wire('A')}, {wire('B', FileHash=None)}]",
        f"[{wire('A')}, {wire('B', SourceLength='many')}]",
        f"[null, {wire('A')}]",
        f"[{wire('A')}]" + "\0" * 512,
        f"[{wire('A')}" + '{"a": [' * 100_000,
        codecs.BOM_UTF16_LE + f"[{wire('A')}, ".encode("utf-16-le") + b"{",
        f"[{wire('A')}, ".encode() + wire("B").encode().replace(b"B", b"\xff") + b"]",
    ],
)
def test_what_is_whole_is_saved_and_the_damaged_file_is_kept(damaged, tmp_path):
    known = history(tmp_path, damaged)
    original = known.path.read_bytes()
    assert hosts(known) == ["A"]
    assert "is damaged in 1 place" in known.diagnostics[0]
    known.add([record("C")])
    assert hosts(known) == ["A", "C"]
    (kept,) = tmp_path.glob("*.damaged-*")
    assert kept.read_bytes() == original
    assert kept.name in known.diagnostics[-1]
    known.add([record("D")])
    assert len(list(tmp_path.glob("*.damaged-*"))) == 1
    assert len(known.diagnostics) == 2


def test_a_file_of_something_else_is_kept_and_told(tmp_path):
    known = history(tmp_path, b"\x00\xffno history")
    assert known.records() == ()
    assert known.diagnostics
    known.add([record("A")])
    assert len(list(tmp_path.glob("WLLS.json.damaged-*"))) == 1


def test_a_file_that_cannot_be_read_is_an_error_and_stays(tmp_path):
    (tmp_path / "WLLS.json").mkdir()
    known = SiteHistory(tmp_path, "WLLS")
    for action in (known.records, lambda: known.find("A", HASH, 1), lambda: known.add([record()])):
        with pytest.raises(HistoryError, match=r"WLLS\.json"):
            action()
    assert (tmp_path / "WLLS.json").is_dir()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HistoryError):
        SiteHistory(tmp_path / "file", "WLLS").add([record()])
    with pytest.raises(HistoryError):
        SiteLease(tmp_path / "file", "WLLS").acquire()


def test_unknown_fields_and_the_text_of_values_stay_as_they_are(tmp_path):
    foreign = '{"Note": {"a": [1.10, "\\u0041"]}, "Hostname": "A", "FileHash": "%s", "SourceLength": 5, "Big": 1e999}'
    known = history(tmp_path, "[" + foreign % HASH + "]")
    known.add([record("B")])
    text = known.path.read_text()
    assert '"Note": {"a": [1.10, "\\u0041"]},' in text
    assert '"Big": 1e999' in text
    assert hosts(SiteHistory(tmp_path, "WLLS")) == ["A", "B"]


def test_nothing_to_add_writes_nothing(tmp_path):
    SiteHistory(tmp_path / "new", "WLLS").add([])
    assert not (tmp_path / "new").exists()


def test_the_records_of_others_are_seen_and_stay(tmp_path):
    ours, theirs = SiteHistory(tmp_path, "WLLS"), SiteHistory(tmp_path, "WLLS")
    ours.add([record("A")])
    theirs.add([record("B")])
    assert ours.find("B", HASH, 5356)
    ours.add([record("C")])
    assert hosts(theirs) == ["A", "B", "C"]
    ours.path.write_text("[]")
    assert hosts(theirs) == []


def test_a_file_is_found_in_any_case(tmp_path):
    SiteHistory(tmp_path, "Wlls").add([record("A")])
    late = SiteHistory(tmp_path, "WLLS")
    late.add([record("B")])
    assert hosts(late) == ["A", "B"]
    assert [path.name for path in tmp_path.glob("*.json")] == ["Wlls.json"]


def test_a_name_that_is_no_unicode_is_stored_and_found(tmp_path):
    known = SiteHistory(tmp_path, "WLLS")
    known.add([record("switch\udcff")])
    again = SiteHistory(tmp_path, "WLLS")
    assert again.find("switch\udcff", HASH, 5356)
    assert again.diagnostics == ()


@pytest.mark.parametrize(
    ("site", "stem"),
    [
        ("BOYO", "BOYO"),
        (" WLLS ", "WLLS"),
        ("a_b-c9", "a_b-c9"),
        ("../etc/passwd", "___etc_passwd"),
        ("Zürich", "Z_rich"),
        ("", "Unknown"),
        ("CON", "CON_"),
        ("lpt1", "lpt1_"),
    ],
)
def test_the_file_of_a_site_has_the_original_s_name_where_that_is_safe(site, stem):
    assert site_file_stem(site) == stem


def test_long_sites_have_files_of_their_own(tmp_path):
    for tail in "ab":
        SiteHistory(tmp_path, "x" * 300 + tail).add([record(tail)])
    assert {tuple(hosts(SiteHistory(tmp_path, "X" * 300 + tail))) for tail in "AB"} == {("a",), ("b",)}


@given(st.text())
def test_any_site_gives_a_safe_name(site):
    stem = site_file_stem(site)
    assert stem.isascii()
    assert 0 < len(stem) < 100
    assert "/" not in stem


texts = st.text(st.characters(codec="utf-8"))
full = texts.filter(str.strip)
records = st.builds(
    HistoryRecord,
    hostname=full,
    actual_hostname=texts,
    site=texts,
    file_hash=full,
    source_length=st.integers(0, 2**60),
    source_timestamp_utc=texts,
    last_ingested_utc=texts,
)


@given(st.lists(records, max_size=5))
def test_records_survive_being_written_and_read(records):
    content = read_rows(b"".join(rows_as_blocks([row_of(record) for record in records])))
    assert [row.record for row in content.rows] == records
    assert content.damaged == 0


@given(st.binary() | st.text('{}[],:"\\ \na1', max_size=200).map(str.encode))
def test_no_content_raises(raw):
    content = read_rows(raw)
    assert content.rows == []


@given(st.lists(records, min_size=1, max_size=4), st.data())
def test_a_torn_file_gives_the_records_before_the_tear(records, data):
    raw = b"".join(rows_as_blocks([row_of(record) for record in records]))
    content = read_rows(raw[: data.draw(st.integers(0, len(raw)))])
    read = [row.record for row in content.rows]
    assert read == records[: len(read)]
    assert len(read) >= len(records) - 1 or content.damaged or len(read) < len(records)


@pytest.mark.parametrize("part", ["{", '{"', '{"a":', '{"\\"', '[{"a": 1},', '{"Hostname":"', '{"a":"{\\"'])
def test_a_hostile_file_takes_no_time(part):
    started = time.perf_counter()
    assert read_rows((part * 20_000).encode()).rows == []
    assert time.perf_counter() - started < 5


def test_threads_and_histories_of_one_process_add_together(tmp_path):
    shared = SiteHistory(tmp_path, "WLLS")

    def add(number):
        for turn in range(5):
            (shared if number % 2 else SiteHistory(tmp_path, "WLLS")).add([record(f"{number}-{turn}")])

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(shared.records()) == 20


ADDER = """
import sys
from pathlib import Path
from statetrace.ingestion.history import SiteHistory
from statetrace.ingestion.history_text import HistoryRecord
history = SiteHistory(Path(sys.argv[1]), "WLLS")
for number in range(int(sys.argv[3])):
    name = f"{sys.argv[2]}-{number}"
    history.add([HistoryRecord(hostname=name, file_hash="0" * 64, source_length=1)])
    print(name, flush=True)
"""

LESSEE = """
import sys
from pathlib import Path
from statetrace.ingestion.history import SiteLease
lease = SiteLease(Path(sys.argv[1]), "wlls")
print(lease.acquire(), flush=True)
sys.stdin.read()
"""


def start(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def test_processes_that_add_at_once_lose_nothing(tmp_path):
    adders = [start(ADDER, tmp_path, name, 10) for name in "ABC"]
    told = [line for adder in adders for line in adder.communicate()[0].split()]
    assert len(told) == 30
    assert sorted(hosts(SiteHistory(tmp_path, "WLLS"))) == sorted(told)


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_killed_process_leaves_every_record_that_it_has_told(tmp_path):
    SiteHistory(tmp_path, "WLLS").add([record(f"old-{number}") for number in range(200)])
    for attempt in range(4):
        adder = start(ADDER, tmp_path, attempt, 100_000)
        adder.stdout.readline()
        time.sleep(0.01 * attempt)
        adder.send_signal(signal.SIGKILL)
        told = [f"{attempt}-0", *adder.communicate()[0].split()]
        known = SiteHistory(tmp_path, "WLLS")
        assert {f"old-{number}" for number in range(200)} | set(told) <= set(hosts(known))
        assert known.diagnostics == ()
        known.add([record("after")])


def test_one_lease_a_site(tmp_path):
    lease, other = SiteLease(tmp_path, "WLLS"), SiteLease(tmp_path, "wlls")
    assert lease.acquire()
    assert lease.acquire()
    assert lease.held
    assert not other.acquire(timeout=0.05)
    elsewhere = SiteLease(tmp_path, "BOYO")
    assert elsewhere.acquire()
    elsewhere.release()
    lease.release()
    lease.release()
    assert not lease.held
    assert other.acquire()
    other.release()


def test_a_lease_may_be_given_back_by_another_thread(tmp_path):
    lease = SiteLease(tmp_path, "WLLS")
    lease.acquire()
    thread = threading.Thread(target=lease.release)
    thread.start()
    thread.join()
    assert not lease.held
    assert lease.acquire()
    lease.release()


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_the_lease_of_a_killed_process_is_free(tmp_path):
    lessee = start(LESSEE, tmp_path)
    assert lessee.stdout.readline() == "True\n"
    lease = SiteLease(tmp_path, "WLLS")
    assert not lease.acquire()
    lessee.send_signal(signal.SIGKILL)
    lessee.communicate()
    assert lease.acquire(timeout=5)
    lease.release()


def test_a_lease_is_no_hindrance_for_the_history(tmp_path):
    lease = SiteLease(tmp_path, "WLLS")
    assert lease.acquire()
    SiteHistory(tmp_path, "WLLS").add([record()])
    lease.release()
    assert len(list(tmp_path.glob("*.json"))) == 1


@pytest.mark.original
def test_the_original_s_history_is_read_and_rewritten_without_a_change_of_content(original_data, tmp_path):
    source = original_data / "installation/IngestionHistory/BOYO.json"
    known = history(tmp_path, source.read_bytes(), "BOYO")
    before = json.loads(source.read_text("utf-8-sig"))
    assert len(known.records()) == len(before) == 12
    first = before[0]
    assert known.find(first["Hostname"], first["FileHash"], first["SourceLength"])
    known.add([record("BOYO-A05-AS-99")])
    assert json.loads(known.path.read_text("utf-8"))[:-1] == before
    assert known.diagnostics == ()
