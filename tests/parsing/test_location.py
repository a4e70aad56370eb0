"""Where a device stands."""

from __future__ import annotations

import pytest

from statetrace.parsing.location import location_parts, location_text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "Bldg_21_Floor_2_Room_101_Row_1_Rack_1",
            {"building": "21", "floor": "2", "room": "101", "row": "1", "rack": "1"},
        ),
        ("Bldg_5_Floor_2_Room_204", {"building": "5", "floor": "2", "room": "204"}),
        ("Bldg _ A _ Floor _ 2 _ Room _ 210", {"building": "A", "floor": "2", "room": "210"}),
        ("BUILDING__7_room_1_Room_2", {"building": "7", "room": "2"}),
        ("HQ-2-115", {}),
        ("Unspecified", {}),
        ("Bldg", {}),
        ("", {}),
    ],
)
def test_parts_follow_their_words(text: str, parts: dict[str, str]) -> None:
    assert location_parts(text) == parts


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["x", '  snmp-server location "Bldg_1" '], '"Bldg_1"'),
        (["SNMP Location: here"], "here"),
        (["Location: here", "snmp-server location there"], "here"),
        (["relocation: no"], "Unspecified"),
        ([], "Unspecified"),
    ],
)
def test_the_first_line_of_a_known_form_is_the_location(lines: list[str], text: str) -> None:
    assert location_text("".join(f"\n{line}" for line in lines)) == text
