"""Telemetry as it is found: in every form, torn and damaged, in folders of every kind. Nothing that can be read is lost."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.analysis.files import passed_over
from statetrace.analysis.reading import TelemetryReader, telemetry_files
from statetrace.errors import TelemetryError


def line(rows, name="RowsWritten"):
    return json.dumps({"EventName": name, "Rows": rows}).encode()


@pytest.fixture
def read(tmp_path):
    """The reader of a file of these bytes, and the numbers of rows that its events have."""

    def read(content, name="2026-01-31.json"):
        path = tmp_path / name
        path.write_bytes(content)
        reader = TelemetryReader([path])
        return reader, [event.fields.get("Rows") for event in reader]

    return read


LINES = [line(1), line(2), line(3)]


@pytest.mark.parametrize(
    "content",
    [
        b"\n".join(LINES), b"\n".join(LINES) + b"\n", b"\r\n".join(LINES) + b"\r\n", b"\n\n \r\n" + b"\n\t\n".join(LINES),
        b"\xef\xbb\xbf" + b"\n".join(LINES), gzip.compress(b"\n".join(LINES)), gzip.compress(b"\xef\xbb\xbf" + LINES[0] + b"\n")
        + gzip.compress(b"\n".join(LINES[1:])), b"[" + b",".join(LINES) + b"]", b"\xef\xbb\xbf\r\n[\r\n" + b",\r\n".join(LINES) + b"\r\n]",
        gzip.compress(b"[" + b",\n".join(LINES) + b"]"), b"\r\n \n[" + b",".join(LINES) + b"]\n\n",
    ],
    ids=["no end", "lf", "crlf", "blank", "mark", "gzip", "gzip in two parts", "array", "indented array", "gzipped array", "array after blank lines"],
)  # fmt: skip
def test_every_form_of_a_file_gives_the_same_events(read, content):
    reader, rows = read(content)
    assert rows == [1, 2, 3]
    assert (reader.events, reader.lines, reader.broken) == (3, 3, 0)


def test_lines_are_counted_with_the_blank_ones_and_without(read):
    reader, _ = read(b"\n" + LINES[0] + b"\r\n  \n{torn\n" + LINES[1])
    assert (reader.lines, reader.blank, reader.events, reader.broken) == (3, 2, 2, 1)
    (broken,) = reader.broken_lines
    assert (broken.line, broken.non_blank_line) == (4, 2)
    assert broken.reason


@pytest.mark.parametrize(
    "bad",
    [
        b'{"EventNa', b"\0\0\0\0", b'"text"', b"17", b"null", b'{"EventName":"\xe4"}', b'{"a":NaN}', b"{}{}", b"[" * 50_000,
        b'{"a":' * 50_000, b"\xff\xfe\x00", b'{"a":"\x01"}', "\u2028".encode(),
    ],
)  # fmt: skip
def test_a_line_that_is_no_event_stops_nobody(read, bad):
    reader, rows = read(b"\n".join([LINES[0], bad, LINES[1], bad]))
    assert rows == [1, 2]
    assert [broken.line for broken in reader.broken_lines] == [2, 4]


def test_a_first_line_that_is_a_list_does_not_make_the_file_an_array(read):
    for first in (b"[1]", b"[2026-01-31 10:00] begin", b"[", b"[torn", b'[{"EventName":"Rows'):
        reader, rows = read(b"\n".join([first, *LINES]))
        assert (rows, reader.broken, reader.broken_lines[0].line) == ([1, 2, 3], 1, 1)


def test_an_item_of_an_array_that_is_no_event_stops_nobody(read):
    reader, rows = read(b"[" + b",".join([LINES[0], b"7", LINES[1]]) + b"]")
    assert (rows, [broken.line for broken in reader.broken_lines]) == ([1, 2], [2])


def test_half_of_a_surrogate_pair_is_no_reason_to_lose_an_event(tmp_path):
    path = tmp_path / "2026-01-31.json"
    path.write_bytes(b'{"EventName":"RowsWritten","Site":"AL\\ud800","Hostname":"\\udfff-1"}\n')
    (event,) = TelemetryReader([path])
    assert (event.site, event.host) == ("AL\ud800", "\udfff-1")


def test_an_event_without_name_or_with_an_odd_one_is_an_event(read):
    reader, _ = read(b'{}\n{"EventName":7}\n{"EventName":null}')
    assert (reader.events, reader.broken) == (3, 0)


@pytest.mark.parametrize("cut", [1, 4, 8, 30, 2000])
def test_a_gzipped_file_that_is_cut_off_gives_all_before_the_cut(read, cut):
    lines = [line(number, name=os.urandom(20).hex()) for number in range(2000)]
    reader, rows = read(gzip.compress(b"\n".join(lines) + b"\n")[:-cut], "2026-01-31.json.gz")
    assert rows == list(range(len(rows)))
    assert len(rows) >= 1800
    assert reader.broken_lines[-1].reason.startswith("gzip: ")
    assert reader.broken <= 2


def test_garbage_after_a_gzipped_file_or_a_wrong_checksum_is_one_broken_line(read):
    packed = gzip.compress(b"\n".join(LINES))
    for content in (packed + b"garbage", packed[:-8] + b"\0" * 8):
        reader, rows = read(content)
        assert (rows, reader.broken) == ([1, 2, 3], 1)


LONG = 16 << 20


@pytest.mark.parametrize("length", [LONG + 1, LONG + (1 << 20), LONG + (5 << 20) + 7])
@pytest.mark.parametrize("filling", [b" ", b"x", b"\0"])
def test_a_line_that_is_too_long_is_skipped_and_the_next_is_not_lost(read, length, filling):
    reader, rows = read(b"\n".join([LINES[0], LINES[1] + filling * length, LINES[2]]))
    assert rows == [1, 3]
    assert [(broken.line, broken.reason) for broken in reader.broken_lines] == [(2, "longer than 16 MB")]


def test_a_line_that_is_too_long_may_be_the_last(read):
    reader, rows = read(LINES[0] + b"\n" + b"y" * (LONG + 9))
    assert (rows, reader.broken) == ([1], 1)


def test_memory_is_bounded_whatever_the_length_of_file_and_lines(tmp_path):
    path = tmp_path / "2026-01-31.json"
    with path.open("wb") as file:
        file.writelines(line(number) + b" " * 2000 + b"\n" for number in range(4000))
        file.write(b"z" * (60 << 20))
    tracemalloc.start()
    events = sum(1 for _ in TelemetryReader([path]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert events == 4000
    assert peak < 56 << 20  # the longest line three times over


def test_a_hundred_broken_lines_are_named_and_all_are_counted(read):
    reader, _ = read(b"{\n" * 250)
    assert (reader.broken, len(reader.broken_lines)) == (250, 100)


def test_the_bytes_that_were_read_add_up_to_the_size_of_the_files(tmp_path):
    files = tmp_path / "2026-01-30.json", tmp_path / "2026-01-31.json.gz"
    files[0].write_bytes(b"\n".join(LINES * 50_000))
    files[1].write_bytes(gzip.compress(b"\n".join(LINES * 5000)))
    told = []
    for _ in TelemetryReader(files, on_bytes=told.append):
        pass
    assert sum(told) == sum(path.stat().st_size for path in files)


@given(st.lists(st.binary(max_size=12), max_size=8))
def test_whatever_a_file_holds_it_is_read_to_its_end(tmp_path_factory, chunks):
    path = tmp_path_factory.getbasetemp() / "hostile.json"
    path.write_bytes(b"\n".join([*chunks, LINES[0]]))
    reader = TelemetryReader([path])
    events = list(reader)
    assert reader.lines == reader.events + reader.broken
    assert len(events) == reader.events
    if not chunks or chunks[0][:2] != b"\x1f\x8b":
        assert events[-1].fields.get("Rows") == 1


def test_a_file_that_cannot_be_opened_is_told(tmp_path):
    with pytest.raises(TelemetryError, match=r"none\.json"):
        list(TelemetryReader([tmp_path / "none.json"]))


# Which files hold events


def made(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(LINES[0])


def names(folder, files):
    return [path.relative_to(folder).as_posix() for path in files]


DAYS = ["2026-01-30.json", "2026-01-31-before.json", "2026-01-31.json", "2026-01-31.json.gz", "2026-02-01.JSONL"]
OTHERS = [
    "20260131.json",
    "2026-01-31.json.bak",
    "WarmRunTelemetry-20260131-100000.json",
    "2026-01-31.csv",
    "notes.txt",
]
MISNAMED = ["2026-01-31.2.json", "2026-01-31_copy.json", "2026-01-31.gz"]


def test_the_day_files_of_a_folder_are_taken_in_the_order_of_their_names(tmp_path):
    made(tmp_path, *DAYS, *OTHERS, *MISNAMED)
    (tmp_path / "2026-03-01.json").mkdir()
    assert names(tmp_path, telemetry_files(tmp_path)) == DAYS
    assert telemetry_files(str(tmp_path)) == telemetry_files(tmp_path, tmp_path)


def test_a_file_that_is_named_is_taken_whatever_its_name_and_once(tmp_path):
    made(tmp_path, "sample.txt")
    path = tmp_path / "sample.txt"
    assert telemetry_files(path, str(path)) == [path]
    assert [event.count("Rows") for event in TelemetryReader.at(str(path))] == [1]


def test_the_folder_of_a_warm_run_is_taken_pass_by_pass_in_the_order_of_the_run(tmp_path):
    day = "2026-01-31.json"
    made(tmp_path, *(f"{label}/{day}" for label in ("WarmPass", "Readback", "ColdPass", "Between", "Other")))
    assert names(tmp_path, telemetry_files(tmp_path)) == [
        f"{label}/{day}" for label in ("ColdPass", "Between", "WarmPass", "Readback")
    ]


def test_archives_and_runs_are_taken_on_request_and_named_otherwise(tmp_path):
    inner = ["archive/2026-01-30.json.gz", "Run-1/ColdPass/2026-01-31.json", "Run-2/2026-01-31.json"]
    made(tmp_path, "2026-01-31.json", *inner, "Run-3/notes.txt")
    assert names(tmp_path, telemetry_files(tmp_path)) == ["2026-01-31.json"]
    assert names(tmp_path, telemetry_files(tmp_path, nested=True)) == [*inner, "2026-01-31.json"]
    assert names(tmp_path, passed_over(tmp_path)) == ["archive", "Run-1", "Run-2"]


def test_files_that_look_like_days_and_are_none_are_named(tmp_path):
    made(tmp_path, *DAYS, *OTHERS, *MISNAMED)
    assert sorted(names(tmp_path, passed_over(tmp_path))) == sorted(MISNAMED)
    assert passed_over(tmp_path / MISNAMED[0]) == []


@pytest.mark.parametrize(
    ("there", "advice"),
    [
        (["notes.txt"], "files of events are named yyyy-MM-dd.json or yyyy-MM-dd-label.json"),
        (["Logs/IngestionMetrics/2026-01-31.json"], "did you mean {folder}/Logs/IngestionMetrics?"),
        (["IngestionMetrics/2026-01-31.json"], "did you mean {folder}/IngestionMetrics?"),
        (["Events/2026-01-31.json"], "did you mean {folder}/Events?"),
        ([f"Run-{number}/ColdPass/2026-01-31.json" for number in range(5)], "it holds Run-0, Run-1, Run-2 and 2 more"),
        (["2026-01-31.2.json"], "2026-01-31.2.json would have to be named yyyy-MM-dd.json"),
    ],
)
def test_a_folder_without_telemetry_points_to_where_it_may_be(tmp_path, there, advice):
    made(tmp_path, *there)
    with pytest.raises(TelemetryError) as told:
        telemetry_files(tmp_path)
    assert advice.format(folder=tmp_path) in str(told.value)


def test_a_place_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(TelemetryError, match="does not exist"):
        telemetry_files(tmp_path / "none")
    assert passed_over(tmp_path / "none") == []
