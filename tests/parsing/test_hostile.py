"""Hostile lines cost time in proportion to their length, and no more than the part of them that is read."""

from __future__ import annotations

import time

import pytest

from statetrace.parsing import parse_devices

BEGINNINGS = {
    "Cisco": "sw1#show version\nCisco IOS Software, Version 15.2\nsw1#show interfaces status\nPort Name Status Vlan\n",
    "Brocade": "sw1#show version\nBrocade ICX\nsw1#show interfaces brief\nPort Link State\n",
    "Arista": "sw1#show version\nArista X\nsw1#show interfaces status\nPort Name Status Vlan Duplex Speed Type\n",
    "PaloAlto": "u@F1(active)> show system info\nmodel: PA-220\nsw-version: 10\nu@F1(active)> show interface all\n",
    "unknown": "",
}
UNITS = [
    "admin@FW-P2(active)>",
    "#",
    "(x)",
    "\t",
    "1 ",
    "Gi1/0/1 ",
    "connected 1 ",
    "0011.2233.4455 ",
    "address ",
    "- ",
]
SECONDS = 3.0
"""A hundred times what it takes on an idle machine; a pattern that takes the square of a line needs minutes."""


def seconds(make: str, lines: str) -> float:
    commands = ("show mac address-table", "show spanning-tree", "show running-config", "show authentication sessions")
    log = BEGINNINGS[make] + lines + "".join(f"sw1#{command}\n{lines}" for command in commands)
    started = time.perf_counter()
    parse_devices(log, name="x")
    return time.perf_counter() - started


@pytest.mark.parametrize("make", BEGINNINGS)
def test_a_gigantic_line_costs_little(make: str) -> None:
    for unit in UNITS:
        assert seconds(make, unit * (50_000 // len(unit)) + "\n") < SECONDS


@pytest.mark.parametrize("unit", UNITS)
def test_many_lines_of_full_length_cost_in_proportion(unit: str) -> None:
    line = unit * (4000 // len(unit)) + "\n"
    for make in BEGINNINGS:
        assert seconds(make, line * 20) < SECONDS
