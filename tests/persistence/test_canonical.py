"""What a log says in canonical form (reference: parser-persistence 6.5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import HOST, device

from statetrace.model import AuthTemplates, PortFacts, SpanFacts, SpanningTreeRecord, compute_signature
from statetrace.persistence import canonical
from statetrace.persistence.canonical import RowMaker, observed_of, stored_vlan

TEMPLATES = AuthTemplates.load()
BLOCK = ("aaa authentication dot1x default radius", "auth-default-vlan 40")
BLOCK_AS_CONFIG = "AUTH BLOCK (GLOBAL)\r\naaa authentication dot1x default radius\r\nauth-default-vlan 40"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        *[("", 0), ("trunk", 0), ("a-full", 0), (" 25 ", 25), ("+7", 7), ("99999999999", 0)],  # X11
        *[("-5", -5), ("2147483647", 2147483647), ("2147483648", 0), ("-2147483649", 0), ("007", 7)],
        *[("1_000", 0), ("٣", 0), ("1.0", 0), ("25\n", 25), ("0x10", 0), ("+", 0), ("9" * 5000, 0)],
    ],
)
def test_a_vlan_is_stored_as_an_integer_of_32_bits_or_0(text, stored):
    assert stored_vlan(text) == str(stored)


@given(st.text(alphabet=" +-0123456789atrunk", max_size=14))
def test_a_stored_vlan_is_stored_as_it_is(text):
    stored = stored_vlan(text)
    assert stored_vlan(stored) == stored == str(int(stored))


def test_one_port_has_equal_values_as_parsed_as_stored_and_as_hydrated():  # X1
    config = " port-name Uplink1\n exit"
    make = RowMaker(TEMPLATES, "Brocade")
    parsed = canonical(
        device(
            ports=[
                PortFacts("Et1/1/1", "Users1", "Up", "", "Full", "1G", "Access", "", "Open", "open", "", "open", config)
            ],
            make="Brocade",
        )
    )
    row = make.row("Et1/1/1", parsed.ports["Et1/1/1"])
    assert compute_signature(row) == (
        "6:Users1|2:Up|1:0|4:Full|2:1G|6:Access|0:|4:Open|4:open|0:|4:open|24: port-name Uplink1\n exit"
        "|3:Red|5:Match|46:AuthTemplate: open\r\n\r\n port-name Uplink1\n exit"
    )
    assert observed_of(row) == parsed.ports["Et1/1/1"]


@pytest.mark.parametrize(
    ("make", "config", "block", "becomes"),
    [
        ("Brocade", "", BLOCK, BLOCK_AS_CONFIG),
        ("BROCADE", "", BLOCK, BLOCK_AS_CONFIG),
        ("brocade", " \r\n ", BLOCK, BLOCK_AS_CONFIG),
        ("Brocade", " port-name A", BLOCK, " port-name A"),
        ("Brocade", "", (), ""),
        ("Cisco", "", BLOCK, ""),
        ("Cisco", "  ", BLOCK, "  "),
    ],
)
def test_a_brocade_port_without_configuration_shows_the_devices_authentication(make, config, block, becomes):
    facts = device(ports=[PortFacts("1/1/1", config=config)], make=make, auth_block=block)
    assert canonical(facts).ports["1/1/1"][11] == becomes


def test_of_a_port_that_comes_twice_the_last_counts_under_the_first_spelling():  # D7
    facts = canonical(device(ports=[PortFacts("Gi1", "a"), PortFacts("Gi2", "b"), PortFacts(" GI1 ", "c")]))
    assert [(port, observed[0]) for port, observed in facts.ports.items()] == [("Gi1", "c"), ("Gi2", "b")]
    assert facts.duplicates == 1


@pytest.mark.parametrize("name", ["", " ", "\t\r\n", "\0"])
def test_a_port_without_a_name_is_dropped(name):
    facts = canonical(device(ports=[name, "Gi1"]))
    assert list(facts.ports) == ["Gi1"]
    assert facts.duplicates == 0


@pytest.mark.parametrize(
    ("stated", "hostname", "site"),
    [(f" SSH@{HOST} ", HOST, "WLLS"), ("CORESWITCH", "CORESWITCH", "CORE"), ("WL\0LS-A\0B", "WLLS-AB", "WLLS")],
)
def test_a_host_is_stored_under_its_plain_name_and_the_site_of_it(stated, hostname, site):
    facts = canonical(device(stated))
    assert (facts.hostname, facts.site, facts.device.site) == (hostname, site, site)


def test_names_have_no_nul_for_a_database_compares_them_only_as_far_as_that():
    assert list(canonical(device(ports=["Gi\x001", "Gi\x002"])).ports) == ["Gi1", "Gi2"]


def test_everything_else_stays_as_the_log_says_it():
    values = (" a ", "U\x00p", "1", " ", "\U0001f600", "'", '"', "--", ";", "%", "\\", " x\r\n")
    facts = canonical(
        device(
            ports=[PortFacts("Gi1", *values)],
            spanning_tree=(SpanFacts("10", "root", "Gi1", "Desg", "up"), SpanFacts("11")),
            building=" B ",
            auth_block=("one", "two"),
            auth_default_vlan="40",
        )
    )
    assert facts.ports["Gi1"] == values
    assert (facts.device.building, facts.device.auth_block, facts.device.auth_default_vlan) == (
        " B ",
        "one\r\ntwo",
        "40",
    )
    assert facts.spanning_tree == (
        SpanningTreeRecord("10", "root", "Gi1", "Desg", "up"),
        SpanningTreeRecord("11", "", "", "", ""),
    )


def test_a_row_gets_colour_and_status_from_the_templates_of_its_make():
    blue, gray = (
        RowMaker(TEMPLATES, make).row("Gi1", ("",) * 10 + (name, ""))
        for make, name in (("Brocade FCX", "MacAuth"), ("", "own"))
    )
    assert (blue.port_color, blue.compliance) == ("Blue", "Match")
    assert (gray.port_color, gray.compliance) == ("Gray", "Mismatch")


texts = st.text(max_size=5)


@given(st.tuples(texts, texts, texts.map(stored_vlan), *[texts] * 9), st.sampled_from(["Cisco", "Brocade", ""]))
def test_a_row_says_what_it_was_made_from(observed, make):
    maker = RowMaker(TEMPLATES, make)
    row = maker.row("Gi1", observed)
    assert observed_of(row) == observed
    assert maker.would_make({"Gi1": row})
