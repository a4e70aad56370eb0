"""The interface row: wire fields, aliases, derived values, signatures."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.model import WIRE_FIELDS, InterfaceRow, SignatureForm, compute_signature
from statetrace.model.interface import derive_tooltip, row_from_fields, row_from_wire, wire_values

# reference: site-cache 15.2
REAL_ROW = InterfaceRow(
    name="Users1", status="Up", vlan="0", duplex="Full", speed="1G", type="Access", auth_state="Open", auth_mode="open",
    auth_template="open", config=" port-name Uplink1\n exit", port_color="Red", compliance="Match",
    port_sort="30-ET-00001-00001-00001-00000",
)  # fmt: skip
TOOLTIP = "AuthTemplate: open\r\n\r\n port-name Uplink1\n exit"
FORMS = {
    SignatureForm.TRIMMED: f"6:Users1|2:Up|1:0|4:Full|2:1G|6:Access|0:|4:Open|4:open|0:|4:open|23:port-name Uplink1\n exit|3:Red|5:Match|46:{TOOLTIP}",
    SignatureForm.DECEMBER: f"6:Users1|2:Up|1:0|4:Full|2:1G|6:Access|0:|4:Open|4:open|0:|4:open|24: port-name Uplink1\n exit|3:Red|5:Match|46:{TOOLTIP}",
    SignatureForm.PLAIN: f"Users1|Up|0|Full|1G|Access||Open|open||open| port-name Uplink1\n exit|Red|Match|{TOOLTIP}",
}

rows = st.builds(
    InterfaceRow,
    *[st.text(max_size=8)] * 12,
    port_sort=st.text(min_size=1, max_size=8).filter(lambda text: not text.isspace()),
    port_color=st.text(max_size=4),
    compliance=st.text(max_size=4),
    stated_tooltip=st.none() | st.just("") | st.text(max_size=8),
    stated_signature=st.none() | st.text(min_size=1, max_size=8).filter(lambda text: not text.isspace()),
)


def test_a_row_has_the_seventeen_wire_fields_in_order():
    assert list(REAL_ROW.to_wire()) == list(WIRE_FIELDS)
    assert len(WIRE_FIELDS) == 17
    assert REAL_ROW.to_wire()["ToolTip"] == TOOLTIP


@pytest.mark.parametrize("form", SignatureForm)
def test_the_signature_of_a_real_row_in_each_form(form):
    assert compute_signature(REAL_ROW, form) == FORMS[form]


def test_the_december_form_is_written():
    assert REAL_ROW.signature == FORMS[SignatureForm.DECEMBER]


def test_the_same_port_as_the_parser_pushed_it():
    pushed = msgspec.structs.replace(REAL_ROW, vlan="", port_color="", compliance="", stated_tooltip="")
    assert pushed.signature == (
        "6:Users1|2:Up|0:|4:Full|2:1G|6:Access|0:|4:Open|4:open|0:|4:open|24: port-name Uplink1\n exit|0:|0:|0:"
    )


def test_a_row_without_any_field_is_signed_by_fifteen_empty_parts():
    assert InterfaceRow().signature == "|".join(["0:"] * 15)


@pytest.mark.parametrize("form", SignatureForm)
def test_a_signature_of_any_form_is_recognised(form):
    old = row_from_wire("Et1/1/1", [*wire_values(REAL_ROW)[:16], FORMS[form]])
    assert old.signature == FORMS[form]
    assert old.same_signature(REAL_ROW)
    assert REAL_ROW.same_signature(old)
    changed = msgspec.structs.replace(REAL_ROW, status="Down")
    assert not old.same_signature(changed)
    assert not changed.same_signature(old)


def test_a_length_counts_utf16_units():
    assert compute_signature(InterfaceRow(name="a\U0001f600é")).startswith("4:a\U0001f600é|")


def test_the_sort_key_is_not_signed():
    assert REAL_ROW.same_signature(msgspec.structs.replace(REAL_ROW, port_sort="x"))


def test_what_is_derived_is_not_stored():
    stated = row_from_wire("Et1/1/1", wire_values(REAL_ROW))
    assert (stated.stated_tooltip, stated.stated_signature) == (None, None)
    assert stated == REAL_ROW


def test_a_changed_row_gets_a_new_signature_and_tooltip():
    changed = msgspec.structs.replace(REAL_ROW, config=" exit")
    assert changed.tooltip == "AuthTemplate: open\r\n\r\n exit"
    assert "5: exit" in changed.signature


@given(rows)
def test_a_row_comes_back_from_its_wire_values(row):
    back = row_from_wire("Gi1/0/1", wire_values(row))
    assert wire_values(back) == wire_values(row)
    assert row_from_fields("Gi1/0/1", row.to_wire()) == back


@pytest.mark.parametrize(
    ("template", "config", "tooltip"),
    [
        ("open", " exit", "AuthTemplate: open\r\n\r\n exit"),
        ("", "x", "AuthTemplate: \r\n\r\nx"),
        ("open", " \r\n ", "AuthTemplate: open"),
        ("", "", ""),
    ],
)
def test_the_derived_tooltip(template, config, tooltip):
    assert derive_tooltip(template, config) == tooltip


# reference: site-cache 3.2 and 15.8


def test_aliases_fill_the_fields_and_stated_values_are_kept():
    row = row_from_fields(
        "Gi1/0/1",
        {
            "Port": "Gi1/0/1", "Name": "GigabitEthernet1/0/1", "LearnedMACs": "00:11:22:33:44:55",
            "AuthClientMAC": "00:11:22:33:44:55", "AuthTemplate": "Default", "ConfigStatus": "OK",
            "CacheSignature": "sig-normalize", "PortSort": "01-GI-00001",
        },
    )  # fmt: skip
    assert row.learned_macs == row.auth_client_mac == "00:11:22:33:44:55"
    assert (row.auth_template, row.compliance, row.signature, row.port_sort) == (
        "Default",
        "OK",
        "sig-normalize",
        "01-GI-00001",
    )


def test_the_first_alias_present_wins_even_when_it_is_null():
    row = row_from_fields("p", {"learned": None, "LearnedMACs": "aa", "Vlan": 42, "authclientmac": "bb"})
    assert (row.learned_macs, row.vlan, row.auth_client_mac) == ("", "42", "bb")


def test_a_list_of_learned_macs_is_joined_without_its_empty_items():
    assert row_from_fields("p", {"Learned": ["aa", "", None, "bb"]}).learned_macs == "aa,bb"


def test_a_blank_sort_key_is_computed_from_the_port():
    assert row_from_fields("Gi1/0/42", {"Name": "Users8"}).port_sort == "40-GI-00001-00000-00042-00000"


def test_values_are_not_trimmed():
    assert row_from_fields("p", {"Name": " a "}).name == " a "


@pytest.mark.parametrize("value", [{"a": 1}, ["a"], b"a"])
def test_a_container_where_text_belongs_is_refused_by_name(value):
    with pytest.raises(TypeError, match="field Status"):
        row_from_fields("p", {"Status": value})


def test_rows_are_immutable():
    with pytest.raises(AttributeError):
        REAL_ROW.status = "Down"
