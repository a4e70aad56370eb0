"""Palo Alto firewalls: what their commands print becomes ports and routes, in both modes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statetrace.model.facts import DeviceFacts, PortFacts, RouteFacts
from statetrace.parsing import ParseMode, ParseResult, parse_log

CASES = Path(__file__).parent / "cases" / "paloalto"
SYSTEM = "hostname: FW-LAB\nuptime: 3 days, 1:02:03\nmodel: PA-440\nserial: 000000000007\nsw-version: 10.2.7-h3\n"
RULER = "-" * 80 + "\n"
HARDWARE = "name                    id    speed/duplex/state            mac address\n" + RULER
LOGICAL = (
    "name                id    vsys zone             forwarding               tag    address\n"
    "------------------- ----- ---- ---------------- ------------------------ ------ ------------------\n"
)
ZONE_FIRST = "name                    id    zone                      vsys addr\n" + RULER
ROUTES = "destination          nexthop          metric flags      age   interface          next-AS\n"


def parse(mode: ParseMode = ParseMode.LOG, **commands: str) -> ParseResult:
    """Parse a log of ``show <command>`` outputs, underscores standing for blanks."""
    outputs = {"system info": SYSTEM} | commands
    text = "".join(f"admin@FW-LAB> show {name.replace('_', ' ')}\n\n{output}\n" for name, output in outputs.items())
    return parse_log(text + "admin@FW-LAB>\n", name="slice", mode=mode)


def facts(mode: ParseMode = ParseMode.LOG, **commands: str) -> DeviceFacts:
    result = parse(mode, **commands)
    assert result.facts is not None
    return result.facts


@pytest.mark.parametrize("mode", ParseMode)
def test_the_device_says_what_it_is(mode: ParseMode) -> None:
    device = facts(mode)
    assert (device.hostname, device.make, device.model, device.version, device.uptime, device.serial_number) == (
        "FW-LAB",
        "PaloAlto",
        "PA-440",
        "10.2.7-h3",
        "3 days, 1:02:03",
        "000000000007",
    )


@pytest.mark.parametrize("state", ["", "(active)", "(passive)"])
def test_without_system_information_the_prompt_names_the_host(state: str) -> None:
    log = f"admin@FW-9{state}> show interface all\ntotal configured hardware interfaces: 1\n\n{HARDWARE}"
    result = parse_log(log + "ethernet1/1  16  1000/full/up  02:00:00:00:00:01\n", name="slice")
    assert result.facts is not None
    assert (result.facts.hostname, result.facts.model, len(result.facts.ports)) == ("FW-9", "Unknown", 1)


@pytest.mark.parametrize(
    ("link", "values"),
    [
        ("10000/full/up", ("connected", "full", "10000")),
        ("100/half/up", ("connected", "half", "100")),
        ("auto/auto/down", ("notconnect", "auto", "auto")),
        ("ukn/ukn/down(autoneg)", ("notconnect", "", "")),
        ("ukn/ukn/down(power-down)", ("notconnect", "", "")),
        ("[n/a]/[n/a]/up", ("connected", "", "")),
        ("unknown/unknown/ukn", ("Unknown", "", "")),
    ],
)
def test_speed_duplex_and_state_are_one_column(link: str, values: tuple[str, str, str]) -> None:
    (port,) = facts(interface_all=f"{HARDWARE}ethernet1/1   16    {link}    02:00:00:00:00:01\n").ports
    assert (port.status, port.duplex, port.speed) == values
    assert port.interface_mac == "02:00:00:00:00:01"


@pytest.mark.parametrize(
    ("row", "port"),
    [
        (
            LOGICAL + "ethernet1/9  24  1  inside  vr:default  0  192.0.2.1/24\n",
            PortFacts("ethernet1/9", status="Unknown", zone="inside", ip_address="192.0.2.1/24"),
        ),
        (
            LOGICAL + "ethernet1/9.30  260  2  guest wifi  vr:branch one  30  N/A\n",
            PortFacts("ethernet1/9.30", status="Unknown", vlan="30", zone="guest wifi"),
        ),
        (LOGICAL + "ethernet1/9  24  1    ha   0  N/A\n", PortFacts("ethernet1/9", status="Unknown")),
        (
            ZONE_FIRST + "tunnel.7  300  site to site  1  192.0.2.5/30\n",
            PortFacts("tunnel.7", status="Unknown", zone="site to site", ip_address="192.0.2.5/30"),
        ),
        (ZONE_FIRST + "ethernet1/9  24  N/A  1  N/A\n", PortFacts("ethernet1/9", status="Unknown")),
        (
            LOGICAL + "ae1  24  1  inside  vr:default  0  192.0.2.1/24\n" + " " * 60 + "2001:db8::1/64\n",
            PortFacts("ae1", status="Unknown", zone="inside", ip_address="192.0.2.1/24,2001:db8::1/64"),
        ),
    ],
)
def test_a_row_of_the_logical_table_gives_zone_tag_and_address(row: str, port: PortFacts) -> None:
    assert facts(interface_all=row).ports == (port,)


def test_both_tables_tell_of_one_port_and_a_unit_has_the_link_of_its_hardware() -> None:
    text = (
        f"{HARDWARE}ethernet1/1  16  1000/full/up  02:00:00:00:00:01\n\naggregation groups: 0\n\n"
        f"{LOGICAL}ethernet1/1  16  1  outside  vr:default  0  192.0.2.1/24\n"
        "ethernet1/1.9  256  1  lab  vr:default  9  N/A\nloopback.1  257  1  lab  vr:default  0  N/A\n"
    )
    expected = [
        ("ethernet1/1", "connected", "1000", "outside"),
        ("ethernet1/1.9", "connected", "", "lab"),
        ("loopback.1", "Unknown", "", "lab"),
    ]
    assert [(port.port, port.status, port.speed, port.zone) for port in facts(interface_all=text).ports] == expected
    hardware, logical = text.split("\naggregation groups: 0\n")
    parted = facts(interface_hardware=hardware, interface_logical=logical)
    assert [(port.port, port.status, port.speed, port.zone) for port in parted.ports] == expected


def test_an_interface_shown_alone_is_a_port() -> None:
    text = (
        "Name: ethernet1/4, ID: 19\n  Runtime link speed/duplex/state: 100/full/up\n"
        "  Configured link speed/duplex/state: auto/auto/auto\nOperation mode: layer3\nZone: lab, virtual system: vsys1\n"
    )
    assert facts(**{"interface ethernet1/4": text}).ports == (
        PortFacts("ethernet1/4", "", "connected", "", "full", "100", "layer3", zone="lab"),
    )


def test_a_row_that_is_none_is_reported_and_costs_no_other() -> None:
    rows = "ethernet1/1  16  1000/full/up  02:00:00:00:00:01\nServer error\nethernet1/2  17  auto/auto/down  x\n"
    result = parse(interface_all=HARDWARE + rows)
    assert result.facts is not None
    assert [port.port for port in result.facts.ports] == ["ethernet1/1", "ethernet1/2"]
    assert [missed.text for missed in result.report.missed] == ["Server error"]


def test_without_an_interface_table_there_is_no_telling() -> None:
    assert parse().reason == "no_interfaces"
    assert parse(interface_all="Server error\n").reason == "no_interfaces"


@pytest.mark.parametrize(
    ("row", "route"),
    [
        (
            "0.0.0.0/0  192.0.2.1  10  A S  E        ethernet1/1",
            RouteFacts("0.0.0.0/0", "192.0.2.1", "A S E", "", "10", "ethernet1/1"),
        ),
        (
            "192.0.2.0/24  192.0.2.9  20  A?B   1234  ae1.7  64500",
            RouteFacts("192.0.2.0/24", "192.0.2.9", "A?B", "", "20", "ae1.7"),
        ),
        (
            "192.0.2.0/24  192.0.2.2  0  A C  ethernet1/2  45d",
            RouteFacts("192.0.2.0/24", "192.0.2.2", "A C", "", "0", "ethernet1/2"),
        ),
        ("192.0.2.1/32  192.0.2.2  0  A H", RouteFacts("192.0.2.1/32", "192.0.2.2", "A H", "", "0")),
        ("10.0.0.0/8  vr other  10  A S   other", RouteFacts("10.0.0.0/8", "vr other", "A S", "", "10")),
        (
            "2001:db8::/32  2001:db8::1  10  A S  tunnel.3",
            RouteFacts("2001:db8::/32", "2001:db8::1", "A S", "", "10", "tunnel.3"),
        ),
    ],
)
def test_a_row_of_the_routing_table_is_a_route(row: str, route: RouteFacts) -> None:
    assert facts(routing_route=ROUTES + row + "\n").routes == (route,)


@pytest.mark.parametrize(
    ("output", "status"),
    [
        ("HA not enabled\n", "disabled"),
        ("Local Information:\n  State: active (last 2 days)\n", "active"),
        (
            "Local Information:\n  State: passive\nPeer Information:\n  Management IPv4 Address: 192.0.2.7/24\n  State: active\n",
            "passive, peer active 192.0.2.7",
        ),
        ("Server error\n", ""),
    ],
)
def test_high_availability_tells_the_state_of_both_sides(output: str, status: str) -> None:
    assert facts(**{"high-availability state": output}).ha_status == status


def test_a_neighbour_that_is_one_does_not_make_a_cisco_a_firewall() -> None:
    log = (
        "edge-1#show lldp neighbors detail\nSystem Description: Palo Alto Networks PA-440 PAN-OS 10.2, model: PA-440\n"
        "edge-1#show version\nCisco IOS Software, Version 15.2\n"
    )
    for text in (log, log.replace("show version", "show clock")):
        result = parse_log(text, name="edge-1")
        assert result.facts is not None
        assert result.facts.make == "Cisco"


@pytest.mark.original
def test_the_fixture_of_the_original_has_one_row_a_port(original_data: Path) -> None:
    device = parse_log((original_data / "logs" / "vendor_paloalto.log").read_bytes()).facts
    assert device is not None
    told = {port.port: (port.status, port.speed, port.zone, port.ip_address) for port in device.ports}
    assert len(told) == len(device.ports) == 10
    assert told["ethernet1/1"] == ("connected", "10000", "trust", "10.1.1.1/24")
    assert told["ethernet1/4"] == ("notconnect", "auto", "", "")
    assert told["loopback.1"] == ("Unknown", "", "trust", "192.168.1.1/32")


@pytest.mark.original
@pytest.mark.parametrize("mode", ParseMode)
def test_the_fixture_of_the_original_says_what_it_should(original_data: Path, mode: ParseMode) -> None:
    golden = json.loads((original_data / "logs" / "vendor_paloalto.expected.json").read_text(encoding="utf-8"))
    wanted = golden["facts"]
    device = parse_log((original_data / "logs" / "vendor_paloalto.log").read_bytes(), mode=mode).facts
    assert device is not None
    assert (device.hostname, device.make, device.model) == (wanted["Hostname"], wanted["Make"], wanted["Model"])
    assert (device.version, device.uptime) == (wanted["Version"], wanted["Uptime"])
    assert device.serial_number == wanted["SerialNumber"]
    assert [(r.prefix, r.next_hop, r.protocol, r.metric, r.interface) for r in device.routes] == [
        (r["Prefix"], r["NextHop"], r["Protocol"], r["Metric"], r["Interface"]) for r in wanted["Routes"]
    ]
    if mode is ParseMode.PARITY:
        assert [(p.port, p.status, p.duplex, p.speed, p.ip_address, p.zone, p.vlan) for p in device.ports] == [
            (r["Port"], r["Status"], r["Duplex"], r["Speed"], r["IPAddress"], r["Zone"], r["VLAN"])
            for r in golden["interfaces_combined"]
        ]


LOGS = [path.read_text(encoding="utf-8") for path in sorted(CASES.glob("*/log.txt"))]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_log_never_raises(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(LOGS)).split("\n")
    for _ in range(data.draw(st.integers(1, 8))):
        index = data.draw(st.integers(0, len(lines) - 1))
        cut = data.draw(st.integers(0, len(lines[index])))
        lines[index] = data.draw(
            st.sampled_from([lines[index][cut:], lines[index][:cut], "", RULER, "9" * 5000, lines[-index]])
            | st.text(max_size=40).map(lambda text, line=lines[index], at=cut: line[:at] + text + line[at:])
        )
    for mode in ParseMode:
        assert parse_log("\n".join(lines), name="x", mode=mode).reason != "parse_failed"
