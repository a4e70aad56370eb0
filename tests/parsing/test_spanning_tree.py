"""Spanning-tree instances."""

from __future__ import annotations

import pytest

from statetrace.model.facts import SpanFacts
from statetrace.parsing.spanning_tree import spanning_tree


def test_each_instance_tells_its_root_and_its_first_port() -> None:
    text = """
    Address before any instance counts for none
VLAN0010
  Root ID    Priority    32778
             Address     00a0.0000.0001
  Bridge ID  Priority    32778
             Address     00a0.0000.0002
  Root port Gi1/0/48, cost 4

Interface           Role Sts Cost      Prio.Nbr Type
------------------- ---- --- --------- -------- ----
Gi1/0/1             Desg FWD 4         128.1    P2p
Gi1/0/48            Root FWD 4         128.48   P2p

MST1
  no details"""
    assert spanning_tree(text) == (
        SpanFacts("VLAN0010", "00a0.0000.0001", "Gi1/0/48", "Desg", "Gi1/0/1"),
        SpanFacts("MST1"),
    )


@pytest.mark.parametrize(
    ("words", "role"),
    [
        ("designated forwarding", "Desg FWD"),
        ("Root  Forwarding", "Root FWD"),
        ("backup blocking", "Back BLK"),
        ("alternate blocking", "Altn BLK"),
        ("Broken", "broken"),
    ],
)
def test_detailed_output_names_roles_in_words(words: str, role: str) -> None:
    ports = [f" Port 25 (GigabitEthernet1/0/25) of VLAN1 is {words}", " Port 26 (Gi1/0/26) of VLAN1 is other"]
    assert spanning_tree("\n".join(["", "vlan1", *ports])) == (
        SpanFacts("vlan1", role=role, upstream="GigabitEthernet1/0/25"),
    )


def test_other_tables_have_no_instances() -> None:
    assert spanning_tree("\n 10  10d25555ccccdddd  0    Root\nPort STP Parameters:") == ()


def test_rulers_and_cut_short_rows_are_no_ports() -> None:
    text = "\nMST0\nInterface  Role Sts Cost\n---------- ---- --- ----\n\nGi1/0/1\nGi1/0/2    Root FWD 4\nMST1\nInterface Role Sts"
    assert spanning_tree(text) == (SpanFacts("MST0", role="Root", upstream="Gi1/0/2"), SpanFacts("MST1"))
