"""Existing rows against parsed ones (reference: parser-persistence 6.6)."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from statetrace.model import AuthTemplates, CaseInsensitiveMap, HostPorts, fold
from statetrace.model.port_sort import port_sort_key
from statetrace.persistence import diff_host
from statetrace.persistence.canonical import RowMaker, observed_of

MAKE = RowMaker(AuthTemplates.load(), "Cisco")


def observed(**values):
    """The twelve values of a port, all empty but those named."""
    return observed_of(msgspec.structs.replace(MAKE.row("x", ("", "", "0", *[""] * 9)), **values))


def existing(**ports):
    return HostPorts({port: MAKE.row(port, values) for port, values in ports.items()})


UP, DOWN = observed(status="up"), observed(status="down")


def test_a_port_is_new_changed_unchanged_or_obsolete():  # X3
    before = HostPorts({port: MAKE.row(port, values) for port, values in (("1/1", DOWN), ("1/2", UP), ("1/3", UP))})
    diff = diff_host(before, {"1/1": UP, "1/2": UP, "1/4": UP}, MAKE)
    assert (list(diff.inserted), list(diff.changed), diff.unchanged, diff.obsolete) == (["1/4"], ["1/1"], 1, ("1/3",))
    assert (diff.written, diff.empty) == (2, False)
    assert list(diff.rows) == ["1/1", "1/2", "1/4"]
    assert diff.rows["1/2"] is before["1/2"]
    assert diff.rows["1/1"] == MAKE.row("1/1", UP)


def test_of_the_same_rows_nothing_is_written_and_nothing_copied():  # K1, X14
    before = existing(Gi1=UP, Gi2=DOWN)
    diff = diff_host(before, {"Gi1": UP, "Gi2": DOWN}, MAKE)
    assert diff.empty
    assert diff.rows is before


def test_ports_are_the_same_in_any_case_and_keep_the_stored_spelling():  # K1
    diff = diff_host(existing(Gi1=UP, Gi2=UP), {"GI1": UP, "gi2": DOWN}, MAKE)
    assert (list(diff.inserted), list(diff.changed), diff.unchanged, diff.obsolete) == ([], ["Gi2"], 1, ())
    assert list(diff.rows) == ["Gi1", "Gi2"]


def test_case_and_blanks_within_values_count():
    diff = diff_host(existing(Gi1=UP, Gi2=UP), {"Gi1": observed(status="UP"), "Gi2": observed(status="up ")}, MAKE)
    assert len(diff.changed) == 2


def test_what_is_derived_never_counts():
    row = msgspec.structs.replace(
        MAKE.row("Gi1", UP),
        port_color="Pink",
        compliance="?",
        stated_tooltip="tip",
        stated_signature="old",
        port_sort="z",
    )
    diff = diff_host(HostPorts({"Gi1": row}), {"Gi1": UP}, MAKE)
    assert diff.empty
    assert diff.rows["Gi1"] is row


def test_a_vlan_is_compared_as_it_is_stored():  # D1
    row = msgspec.structs.replace(MAKE.row("Gi1", UP), vlan="trunk")
    assert diff_host(HostPorts({"Gi1": row}), {"Gi1": UP}, MAKE).empty


def test_rows_come_in_the_natural_order_of_their_ports():
    diff = diff_host(HostPorts(), {"Gi1/0/10": UP, "Gi1/0/9": UP, "Po1": UP}, MAKE)
    assert list(diff.rows) == ["Po1", "Gi1/0/9", "Gi1/0/10"]


def test_without_parsed_ports_all_are_obsolete():
    diff = diff_host(existing(Gi1=UP, Gi2=UP), {}, MAKE)
    assert (diff.obsolete, dict(diff.rows)) == (("Gi1", "Gi2"), {})


ports = st.sampled_from(["Gi1", "gi1", "GI2", "Te1/1", "TenGig1/1", "é", "É", "10", "2"])
hosts = st.dictionaries(
    ports, st.sampled_from([UP, DOWN, observed(vlan="7"), observed(auth_template="open")]), max_size=6
)


@given(hosts, hosts)
def test_applied_to_the_existing_rows_a_difference_gives_the_parsed_ones(before, after):
    before, after = CaseInsensitiveMap(before), CaseInsensitiveMap(after)
    stored = HostPorts((port, MAKE.row(port, values)) for port, values in before.items())
    diff = diff_host(stored, after, MAKE)

    applied = stored.without(diff.obsolete).with_items([*diff.changed.items(), *diff.inserted.items()])
    assert applied == diff.rows
    assert CaseInsensitiveMap((port, observed_of(row)) for port, row in applied.items()) == after
    assert diff.unchanged + diff.written == len(after)
    assert len(stored) + len(diff.inserted) - len(diff.obsolete) == len(after)
    assert diff.empty == (before == after)
    if not diff.empty:
        keys = [port_sort_key(port) for port in diff.rows]
        assert keys == sorted(keys)
        assert {fold(port) for port in diff.rows} == {fold(port) for port in after}


@given(hosts)
def test_a_host_does_not_differ_from_itself(host):
    stored = HostPorts((port, MAKE.row(port, values)) for port, values in host.items())
    assert diff_host(stored, {port: observed_of(row) for port, row in stored.items()}, MAKE).empty
