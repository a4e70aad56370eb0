"""The character escapes of CLIXML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.cache.clixml import decode_escapes, encode_text

NASTY = st.text(
    st.one_of(
        st.sampled_from(
            list("_xX05FDAa\r\n\t &<>\"'\x00\x1f\x7f\x85\x9f\u00a0\u2028\ufeff\ufffe\uffff\ud800\udfff\U0001f600")
        ),
        st.characters(codec=None),
    )
)


def joined(text):
    """In UTF-16, two halves of a pair that stand side by side are the character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("\r\n", "_x000D__x000A_"),
        ("\t", "_x0009_"),
        ("\U0001f600", "_xD83D__xDE00_"),
        ("a_x41", "a_x005F_x41"),
        ("_X000A_", "_x005F_X000A_"),
        ("R&D <1>", "R&amp;D &lt;1&gt;"),
        ("\u00a0", "\u00a0"),
        ("\x7f\x9f", "_x007F__x009F_"),
        ("\ufffe\uffff", "_xFFFE__xFFFF_"),
        ("\ud800", "_xD800_"),
        ("a_b", "a_b"),
        ('"', '"'),
        ("é\r\n", "é_x000D__x000A_"),
    ],
)
def test_text_is_written_as_powershell_writes_it(text, written):
    assert encode_text(text) == written
    assert decode_escapes(written.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("_x000d__X000A_", "\r\n"),
        ("_x0001F600_", "\U0001f600"),
        ("_xFFFFFFFF_", "_xFFFFFFFF_"),
        ("_xD83D__xDE00_", "\U0001f600"),
        ("_xDE00__xD83D_", "\ude00\ud83d"),
        ("_x005F_x000A_", "_x000A_"),
        ("_x000A_x000D_", "\nx000D_"),
        ("_x000D_x000D__x000A_", "\rx000D_\n"),
        ("_x00G0_ _x00_ _x", "_x00G0_ _x00_ _x"),
    ],
)
def test_escapes_are_undone_from_left_to_right(written, text):
    assert decode_escapes(written) == text


@given(NASTY)
def test_any_text_comes_back_as_it_was_written(text):
    written = encode_text(text)
    assert all(character >= " " and character not in "\x7f\ufffe\uffff" for character in written)
    written.encode()  # no surrogate is left
    unescaped = written.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert decode_escapes(unescaped) == joined(text)
