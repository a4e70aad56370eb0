"""The make of a device is told by its own words, not by names that somebody gave to its neighbours and ports."""

from __future__ import annotations

import re

import pytest

from statetrace.parsing import ParseMode, parse_log
from statetrace.parsing.blocks import DeviceLog
from statetrace.parsing.own_words import says_of_itself

NAMES = [
    ("show cdp neighbors", "bala-core-arista   Gig 1/0/48   153   S I   DCS-7050  Et1"),
    ("sh lldp nei det", "System Description: Arista Networks EOS"),
    ("show fdp neighbors", "core-arista  ethernet1/1/1  Router"),
    ("show running-config", " description uplink to bala-core-arista"),
    ("show configuration", 'set interfaces ge-0/0/0 description "to arista"'),
    ("show config", " port-name arista-uplink"),
    ("show running-config", "hostname bala-core-arista"),
    ("show running-config", "vlan 12\n name ARISTA-LAB"),
    ("show interfaces", "  Description: bala-core-arista"),
    ("show interfaces status", "Gi1/0/48  bala-core-arista  connected  trunk  a-full a-1000 10/100/1000BaseTX"),
    ("show interfaces brief", "mgmt1  Up  None  Full 1G  None No 1 0 02ff.0000.0001 arista"),
    ("show vlan", "12   ARISTA-LAB   active    Gi1/0/1"),
    ("show clock", "noon\nbala-core-arista#\nother-arista(config)#interface x"),
]
OWN = [
    ("show inventory", 'NAME: "Chassis", DESCR: "Arista 7050 switch"'),
    ("show running-config", "! device: sw1 (Arista DCS-7050)"),
    ("show interfaces status", "Arista tells nobody"),
    ("show module", "1   48 ports   Arista 7300"),
]


def log(command: str, output: str) -> str:
    return f"sw1#show clock\nnoon\nsw1#{command}\n{output}\nsw1#show users\nnobody\nsw1#\n"


@pytest.mark.parametrize(("command", "output"), NAMES)
def test_a_name_that_somebody_gave_tells_no_make(command: str, output: str) -> None:
    found = parse_log(log(command, output), name="sw1")
    assert (found.facts, found.reason) == (None, "unknown_vendor")


@pytest.mark.parametrize(("command", "output"), OWN)
def test_what_a_device_says_of_itself_tells_its_make(command: str, output: str) -> None:
    facts = parse_log(log(command, output)).facts
    assert facts is not None
    assert facts.make == "Arista"


@pytest.mark.parametrize(("command", "output"), NAMES)
def test_the_original_takes_any_word_of_the_log(command: str, output: str) -> None:
    facts = parse_log(log(command, output), name="sw1", mode=ParseMode.PARITY).facts
    assert facts is not None
    assert facts.make == "Arista"


def test_words_after_a_neighbours_name_still_count() -> None:
    neighbours = log("show cdp neighbors", "core-arista  Gig 1/0/48")
    facts = parse_log(f"{neighbours}sw1#show logging\nCisco IOS was restarted\nsw1#\n").facts
    assert facts is not None
    assert facts.make == "Cisco"


def test_a_flood_of_names_is_passed_line_by_line() -> None:
    device = DeviceLog(log("show lldp neighbors", ("arista " * 500 + "\n") * 2000))
    assert not says_of_itself(device, re.compile("arista"))


def test_a_pattern_that_may_match_nothing_comes_to_an_end() -> None:
    device = DeviceLog("sw1#show cdp neighbors\n\ncore-arista\n\n")
    assert not says_of_itself(device, re.compile("(?:arista)?"))
