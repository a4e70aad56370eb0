"""Bytes become text, text becomes lines, and captures lose what the terminal put in."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.parsing.blocks import DeviceLog
from statetrace.parsing.text import to_text, to_utf8, unify_line_ends, without_artefacts


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_tells_the_encoding_and_is_dropped(mark: bytes, encoding: str) -> None:
    assert to_utf8(mark + "sw1#é".encode(encoding)) == "sw1#é".encode()
    assert to_text(mark + "sw1#é".encode(encoding)) == "sw1#é"


def test_invalid_bytes_become_replacement_characters() -> None:
    assert to_text(b"a\xff\xc3b") == "a\ufffd\ufffdb"


@pytest.mark.parametrize("clean", [b"sw1#show version", "Größe".encode(), b""])
def test_clean_bytes_are_handed_back_as_they_are(clean: bytes) -> None:
    assert to_utf8(clean) is clean


def test_lone_surrogates_of_a_text_become_question_marks() -> None:
    assert to_text("\ufeffa\ud800b") == "a?b"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("a", ["a"]),
        ("a\n", ["a"]),
        ("a\n\n", ["a", ""]),
        ("a\r\nb\rc\nd", ["a", "b", "c", "d"]),
        ("a\fb\vc\x85d\u2028e\x1cf", ["a\fb\vc\x85d\u2028e\x1cf"]),
        ("\ta \n", ["\ta "]),
    ],
)
def test_only_cr_lf_and_their_pair_end_a_line(text: str, lines: list[str]) -> None:
    assert DeviceLog(unify_line_ends(text)).lines == lines


@pytest.mark.parametrize(
    ("captured", "shown"),
    [
        ("\x1b[1mGi1/0/1\x1b[0m up\x1b[K", "Gi1/0/1 up"),
        ("\x1b]0;title\x07sw1#", "sw1#"),
        ("\x1b[24;1Hsw1#\x1b(B", "sw1#"),
        ("shwo\b\bow", "show"),
        ("shp\b \bow", "show"),
        ("\b\bx", "x"),
        ("a\n --More-- \b\b\b\b\b\b\b\b\b         \b\b\b\b\b\b\b\b\b 10  b", "a\n 10  b"),
        ("a\n--More--\r        \r 10  b", "a\n 10  b"),
        ("a\n--More-- \r\nb", "a\nb"),
        ("a\n<--- More --->\r              \rb", "a\nb"),
        ("a\n--More--, next page: Space, next line: Return key, quit: Control-c\r   \rb", "a\nb"),
        ("a\n-- MORE --, next page: Space, next line: Enter, quit: Control-C\x1b[2K\rb", "a\nb"),
        ("a\n---(more 45%)---\r   \rb", "a\nb"),
        ("a\r\r\nb\r\r\n", "a\nb\n"),
        ("a\0b", "ab"),
        ("a\x1bEb", "a\nb"),
    ],
)
def test_what_a_terminal_leaves_is_removed(captured: str, shown: str) -> None:
    assert without_artefacts(captured) == shown


@pytest.mark.parametrize("text", ["No More rooms -- ever", " description --More--ish later", "a\r\nb", ""])
def test_a_text_without_artefacts_stays_as_it_is(text: str) -> None:
    assert without_artefacts(text) == text


@given(st.text(alphabet="a \b\r\n\x1b[]m-Moreb0;", max_size=60))
def test_removal_ends_for_any_text_and_leaves_no_backspace(text: str) -> None:
    assert "\b" not in without_artefacts(text)
