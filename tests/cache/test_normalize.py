"""Normalisation of every shape that a site entry may come in."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from statetrace.cache import normalize_site_entry
from statetrace.cache.clixml import ClixmlObject
from statetrace.cache.normalize import Skipped
from statetrace.errors import CacheEntryInvalid
from statetrace.model import CaseInsensitiveMap, HostPorts, InterfaceRow, SiteEntry
from statetrace.model.port_sort import UNKNOWN_PORT

ROW = {"Name": "x", "Status": "up"}
ALIASED = {
    "Port": "Gi1/0/1",
    "Name": "GigabitEthernet1/0/1",
    "LearnedMACs": "00:11:22:33:44:55",
    "AuthClientMAC": "00:11:22:33:44:55",
    "AuthTemplate": "Default",
    "ConfigStatus": "OK",
    "CacheSignature": "sig-normalize",
    "PortSort": "01-GI-00001",
}


def bag(**members):
    return ClixmlObject(properties=members)


def table(entries):
    return ClixmlObject(value=entries)


class Slotted:
    __slots__ = ("HostMap", "Unset")

    def __init__(self, host_map):
        self.HostMap = host_map


@pytest.mark.parametrize("nothing", [None, False, "", [], ()])
def test_nothing_is_no_entry(nothing):
    assert normalize_site_entry(nothing) is None


@pytest.mark.parametrize(
    "shape",
    [
        {"HostMap": {"H1": {"Gi1": ROW}}},
        {"hostmap": {"H1": {"Gi1": ROW}}},
        {"H1": {"Gi1": ROW}},
        {" H1 ": {" Gi1 ": ROW}, "": {"Gi9": ROW}},
        {"H1": {"Gi1": ROW}, "HOSTMAP": {"H1": {"Gi1": ROW}}},
        SimpleNamespace(HostMap={"H1": {"Gi1": SimpleNamespace(**ROW)}}),
        SimpleNamespace(hostMap=SimpleNamespace(H1=SimpleNamespace(Gi1=ROW))),
        Slotted({"H1": {"Gi1": ROW}}),
        bag(HostMap=table({"H1": table({"Gi1": bag(**ROW)})})),
        bag(HostMap=bag(H1=bag(Gi1=bag(**ROW)))),
        table({"HostMap": table({"H1": table({"Gi1": table(ROW)})})}),
        table({"H1": table({"Gi1": bag(**ROW)})}),
        {"HostMap": [{"Key": "H1", "Value": [{"key": "Gi1", "value": ROW}]}]},
        {"HostMap": {"H1": [{**ROW, "Port": "Gi1"}]}},
        {"HostMap": {"H1": [{**ROW, "PortId": "Gi1", "PortName": "other"}]}},
        {"HostMap": {"H1": table([bag(PortName=" Gi1 ", **ROW)])}},
        {"HostMap": {"H1": [{**ROW, "Port": None, "PORTID": "Gi1"}]}},
        {"HostMap": {"H1": {"Gi1": InterfaceRow(name="x", status="up", port_sort="60-GI-00001-00000-00000-00000")}}},
        SiteEntry({"H1": HostPorts({"Gi1": InterfaceRow(name="x", status="up", port_sort="40-GI-00001-00000-00000-00000")})}),
    ],
)  # fmt: skip
def test_every_shape_gives_the_same_entry(shape):
    entry = normalize_site_entry(shape)
    assert [(host, list(ports)) for host, ports in entry.items()] == [("H1", ["Gi1"])]
    assert (entry["h1"]["GI1"].name, entry["h1"]["GI1"].status) == ("x", "up")
    assert (entry.host_count, entry.total_rows) == (1, 1)


def test_an_entry_is_returned_as_it_is():
    entry = SiteEntry()
    assert normalize_site_entry(entry) is entry


def test_aliases_fill_a_row_and_stated_keys_are_kept():
    entry = normalize_site_entry({"HostMap": {"H1": {"Gi1/0/1": ALIASED}}, "CacheStatus": "Hit"})
    wire = entry["H1"]["Gi1/0/1"].to_wire()
    assert (wire["Learned"], wire["AuthClient"]) == ("00:11:22:33:44:55", "00:11:22:33:44:55")
    assert (wire["Template"], wire["StatusTag"]) == ("Default", "OK")
    assert (wire["Signature"], wire["PortSort"]) == ("sig-normalize", "01-GI-00001")
    assert "Port" not in wire
    assert (entry.host_count, entry.total_rows, entry.cache_status) == (1, 1, "Hit")


def test_blank_keys_and_null_rows_are_dropped_and_counts_computed():
    dropped: list[Skipped] = []
    host_map = {" h1 ": {" Gi1 ": {"Name": "x"}, "": {"Name": "y"}, "Gi2": None}, "  ": {"Gi1": ROW}}
    entry = normalize_site_entry({"HostMap": host_map, "HostCount": 99, "TotalRows": 999}, skipped=dropped)
    assert {host: list(ports) for host, ports in entry.items()} == {"h1": ["Gi1"]}
    assert (entry.host_count, entry.total_rows, dict(entry.fields)) == (1, 1, {})
    assert list(map(str, dropped)) == [
        "host 'h1': port without a name",
        "host 'h1', port 'Gi2': the row is null",
        "host without a name",
    ]


def test_hosts_without_ports_stay():
    # Original: a list of rows loses its rows. Here each is kept under the port that it names.
    entry = normalize_site_entry({"HostMap": {"h1": None, "h2": [{"Port": "Gi1"}], "h3": {}, "h4": []}})
    assert {host: list(ports) for host, ports in entry.items()} == {"h1": [], "h2": ["Gi1"], "h3": [], "h4": []}


def test_a_row_without_a_known_field_is_an_empty_row():
    row = normalize_site_entry({"HostMap": {"h1": {"Gi1": {"Provider": "Cache"}}}})["h1"]["Gi1"]
    # Original: the fallback key, since the key was taken from the name.
    assert row == InterfaceRow(port_sort="40-GI-00001-00000-00000-00000")
    assert row.signature == "|".join(["0:"] * 15)


def test_the_sort_key_is_that_of_the_port_and_not_of_the_name():
    row = normalize_site_entry({"h": {"Te1/1": {"Name": "GigabitEthernet1/0/42", "VLAN": 42, "PortSort": " "}}})["h"][
        "Te1/1"
    ]
    assert (row.port_sort, row.vlan) == ("25-TE-00001-00001-00000-00000", "42")


def test_learned_macs_of_a_list_are_joined():
    for macs in (["aa", "", None, "bb"], ("aa", "bb"), table(["aa", "", None, "bb"])):
        assert normalize_site_entry({"h": {"Gi1": {"Learned": macs}}})["h"]["Gi1"].learned_macs == "aa,bb"


@pytest.mark.parametrize("nothing", [[], table([]), bag(), ClixmlObject(), ClixmlObject(text="")])
def test_an_empty_object_in_a_field_is_no_text_and_costs_no_row(nothing):
    dropped: list[Skipped] = []
    entry = normalize_site_entry({"h": {"Gi1": bag(Name="x", LearnedMACs=nothing)}}, skipped=dropped)
    assert (entry["h"]["Gi1"].name, entry["h"]["Gi1"].learned_macs, dropped) == ("x", "", [])


def test_an_object_of_which_only_the_text_is_left_is_its_text():
    row = normalize_site_entry(
        {"h": {"Gi1": bag(Name=ClixmlObject(text="x"), Learned=table([ClixmlObject(text="aa"), "bb"]))}}
    )
    assert (row["h"]["Gi1"].name, row["h"]["Gi1"].learned_macs) == ("x", "aa,bb")


def test_other_fields_are_carried_along_as_copies_that_cannot_change():
    reasons = ["a", {"b": [1]}]
    moment = datetime(2025, 11, 12, 17, 35, tzinfo=UTC)
    given = {"hostmap": {}, "Extra": reasons, "CachedAt": moment, "cachestatus": "Refreshed", "": "blank"}
    entry = normalize_site_entry(given)
    reasons[1]["b"].append(2)
    assert dict(entry.fields) == {"Extra": ("a", CaseInsensitiveMap({"b": (1,)}))}
    assert (entry.cached_at, entry.cache_status) == (moment, "Refreshed")


def test_a_time_in_words_stays_a_field():
    entry = normalize_site_entry({"HostMap": None, "CachedAt": "2025-11-12T17:35:00.1234567-07:00"})
    assert entry.cached_at.isoformat() == "2025-11-12T17:35:00.123456-07:00"
    entry = normalize_site_entry({"HostMap": None, "CachedAt": "yesterday"})
    assert (entry.cached_at, dict(entry.fields)) == (None, {"CachedAt": "yesterday"})


def test_an_object_without_a_host_map_has_no_hosts():
    for value in (SimpleNamespace(Foo=1), bag(Foo=1)):
        entry = normalize_site_entry(value)
        assert (dict(entry.fields), entry.host_count) == ({"Foo": 1}, 0)
    assert normalize_site_entry({}) == SiteEntry()


def test_the_later_spelling_of_a_host_wins_under_the_first_name():
    entry = normalize_site_entry({"HOST1": {"Gi1": {"Name": "a"}}, "host1 ": {"Gi2": {"Name": "b"}}})
    assert {host: list(ports) for host, ports in entry.items()} == {"HOST1": ["Gi2"]}


def test_rows_that_cannot_be_understood_are_dropped_with_the_reason():
    dropped: list[Skipped] = []
    ports = {"Gi1": "System.Object", "Gi2": {"Config": {"a": 1}}, "Gi3": ["x"], "Gi4": ROW, "Gi5": 7}
    entry = normalize_site_entry({"h": ports}, skipped=dropped)
    assert list(entry["h"]) == ["Gi4"]
    assert [(one.host, one.port, one.reason) for one in dropped] == [
        ("h", "Gi1", "the text 'System.Object' is no row"),
        ("h", "Gi2", "field Config holds a dict where text is expected"),
        ("h", "Gi3", "a list of 1 things is no row"),
        ("h", "Gi5", "a value of type int is no row"),
    ]


def test_rows_of_a_list_that_name_no_port_are_dropped_with_the_reason():
    dropped: list[Skipped] = []
    entry = normalize_site_entry({"h": [ROW, {**ROW, "Port": "Gi1"}, "x"]}, skipped=dropped)
    assert list(entry["h"]) == ["Gi1"]
    assert [one.reason for one in dropped] == [
        "row 1 of the list names no port",
        "item 3 of the list of rows is no row",
    ]


@pytest.mark.parametrize(
    ("nonsense", "where"),
    [
        ("plain text", "the text 'plain text' is no site entry"),
        (5, "a value of type int is no site entry"),
        (True, "a value of type bool is no site entry"),
        (b"x", "a value of type bytes is no site entry"),
        (object(), "a value of type object is no site entry"),
        (print, "no site entry"),
        (SiteEntry, "no site entry"),
        ([{"HostMap": {}}], "a list of 1 things is no site entry"),
        (ClixmlObject(text="StateTrace.Entry"), "the text 'StateTrace.Entry' of an object is no site entry"),
        ({"HostMap": "System.Collections.Hashtable"}, "HostMap holds the text"),
        ({"HostMap": 3}, "HostMap holds a value of type int"),
        ({"HostMap": ["h1", "h2"]}, "HostMap holds a list of 2 things"),
        ({"HostMap": {"h1": 5}}, "host 'h1' holds a value of type int"),
        ({"h1": "System.Collections.Hashtable"}, "host 'h1' holds the text"),
        ({"h1": ["a", "b"]}, "host 'h1' holds a list of 2 things"),
    ],
)
def test_nonsense_is_refused_and_the_message_says_where(nonsense, where):
    with pytest.raises(CacheEntryInvalid) as caught:
        normalize_site_entry(nonsense)
    assert where in str(caught.value)


def test_a_blank_port_has_no_row_and_so_no_fallback_key():
    assert UNKNOWN_PORT not in {
        row.port_sort for row in normalize_site_entry({"h": {" ": ROW, "Gi1": ROW}})["h"].values()
    }
