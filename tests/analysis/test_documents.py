"""JSON documents in every dress in which tools write them, and what is none."""

from __future__ import annotations

import contextlib
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.analysis.content import copies
from statetrace.analysis.documents import as_list, decode_json, read_document, records, write_document
from statetrace.errors import TelemetryError

DOCUMENT = {"Site": "ALDR", "Names": ["ä", "\u2028"], "Nothing": None, "Rows": 4.5}
TEXT = json.dumps(DOCUMENT, ensure_ascii=False)


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(), TEXT.encode("utf-8-sig"), TEXT.encode("utf-16"), b"\xfe\xff" + TEXT.encode("utf-16-be"),
        gzip.compress(TEXT.encode()), json.dumps(DOCUMENT, indent=4).replace("\n", "\r\n").encode(),
        gzip.compress(TEXT[:9].encode()) + gzip.compress(TEXT[9:].encode()),
    ],
    ids=["utf-8", "mark", "utf-16", "big end", "gzip", "indented", "gzip in two parts"],
)  # fmt: skip
def test_a_document_is_read_in_every_dress(tmp_path, content):
    path = tmp_path / "report.json"
    path.write_bytes(content)
    assert read_document(path) == DOCUMENT


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no JSON"), (b"{", "no JSON"), (b'{"a":NaN}', "no JSON"), (b"\0\0\0", "no JSON"), (b"[1] 2", "no JSON"),
        ("ä".encode("latin-1"), "no JSON"), (b"\xff\xfe{", "no JSON"), (b"[" * 100_000, "no JSON"),
        (gzip.compress(TEXT.encode())[:-12], "cannot be read"), (b"\x1f\x8bgarbage", "cannot be read"),
        (gzip.compress(TEXT.encode())[:-8] + b"\0" * 8, "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_told_with_its_name(tmp_path, content, why):
    path = tmp_path / "report.json"
    path.write_bytes(content)
    with pytest.raises(TelemetryError, match=rf"report\.json .*{why}"):
        read_document(path)


def test_a_missing_document_and_a_folder_cannot_be_read(tmp_path):
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(TelemetryError, match="cannot be read"):
            read_document(path)


def test_half_of_a_surrogate_pair_comes_back_as_it_was_written(tmp_path):
    path = tmp_path / "new" / "report.json"
    document = {"Site": "AL\ud800", "Rows": 3}
    write_document(path, document)
    assert read_document(path) == document
    assert path.read_bytes().isascii()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(JSON)
def test_json_is_read_as_python_reads_it(document):
    text = json.dumps(document)
    assert decode_json(text) == decode_json(text.encode()) == document


@given(st.binary(max_size=30))
def test_bytes_are_json_or_refused(content):
    with contextlib.suppress(ValueError):
        decode_json(content)


def test_an_unnamed_list_may_be_one_of_one_and_formatting_is_no_record():
    assert (as_list([1]), as_list(1), as_list(None)) == ([1], [1], [])
    assert records([{"ClassIdx": 1}, 5, {"Site": "A"}, None]) == [{"Site": "A"}]
    assert records({"Site": "A"}) == [{"Site": "A"}]


def test_copies_are_known_by_what_they_hold_and_not_by_their_names(tmp_path):
    contents = {
        "2026-01-31.json": b"one",
        "2026-01-31-b.json": b"one",
        "2026-01-31.json.gz": gzip.compress(b"one"),
        "2026-01-30.json": b"two",
        "torn-a.json.gz": gzip.compress(b"one")[:-3],
        "torn-b.json.gz": gzip.compress(b"one")[:-3],
        "empty-a.json": b"",
        "empty-b.json": b"",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    found = copies([*(tmp_path / name for name in contents), tmp_path / "none.json"])
    assert {copy.name: original.name for copy, original in found.items()} == {
        "2026-01-31-b.json": "2026-01-31.json",
        "2026-01-31.json.gz": "2026-01-31.json",
    }
