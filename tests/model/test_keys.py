"""Keys that ignore case and blanks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.model import CaseInsensitiveMap, fold


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("wlls-a01", " WLLS-A01 ", True),
        ("é1", "É1", True),
        ("straße", "STRASSE", False),  # one character to one character, as an ordinal comparison has it
        ("\u212a1", "k1", False),  # the Kelvin sign is no k
        ("Gi1/0/1", "Gi1/0/10", False),
    ],
)
def test_two_spellings_are_one_key_when_they_differ_in_case_and_blanks_only(one, other, same):
    assert (fold(one) == fold(other)) is same


def test_the_first_spelling_is_kept_and_the_last_value_wins():
    hosts = CaseInsensitiveMap([("HOST1", "a"), ("other", "b"), ("host1 ", "c")])
    assert list(hosts.items()) == [("HOST1", "c"), ("other", "b")]
    assert hosts.with_items([("hOST1", "d")])["HOST1"] == "d"
    assert list(hosts.with_items([("hOST1", "d")])) == ["HOST1", "other"]


def test_blank_keys_are_dropped():
    assert dict(CaseInsensitiveMap({"": 1, "  ": 2, "a": 3})) == {"a": 3}


def test_a_name_is_found_in_any_case_and_a_missing_one_raises_with_the_name_asked_for():
    ports = CaseInsensitiveMap.of_distinct({"Gi1/0/1": "row"})
    assert ports["gi1/0/1"] == ports.get(" GI1/0/1 ") == "row"
    assert "gi1/0/1" in ports
    assert 7 not in ports
    assert ports.get("Gi1/0/2") is None
    with pytest.raises(KeyError, match="Gi1/0/2"):
        ports["Gi1/0/2"]


def test_changing_a_copy_leaves_the_map_alone():
    hosts = CaseInsensitiveMap({"a": 1, "b": 2})
    assert dict(hosts.without(["A", "nobody"])) == {"b": 2}
    assert dict(hosts.with_items([("c", 3)])) == {"a": 1, "b": 2, "c": 3}
    assert dict(hosts) == {"a": 1, "b": 2}


def test_maps_are_equal_when_they_say_the_same_in_any_case():
    assert CaseInsensitiveMap({"a": 1, "B": 2}) == CaseInsensitiveMap({"b": 2, "A": 1})
    assert CaseInsensitiveMap({"a": 1}) != CaseInsensitiveMap({"a": 2})
    assert CaseInsensitiveMap({"a": 1}) != CaseInsensitiveMap({"a": 1, "b": 2})


@given(st.lists(st.tuples(st.text(max_size=4), st.integers())))
def test_the_map_behaves_like_a_dictionary_of_folded_keys(items):
    ours = CaseInsensitiveMap(items)
    model = {fold(key): value for key, value in items if fold(key)}
    assert {fold(key): value for key, value in ours.items()} == model
    assert len(ours) == len(model)
    for key, _ in items:
        assert (key in ours) == (fold(key) in model)
