"""Juniper switches: what their commands print becomes ports, VLANs and routes, in both modes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statetrace.model.facts import DeviceFacts, PortFacts, RouteFacts, VlanFacts
from statetrace.parsing import ParseMode, ParseResult, parse_log
from statetrace.parsing.vendors.juniper_config import read_config

CASES = Path(__file__).parent / "cases" / "juniper"
VERSION = "Hostname: LAB-EX\nModel: ex2300-24t\nJunos: 20.4R3.8\n"
TERSE = "Interface               Admin Link Proto    Local                 Remote\n"


def parse(mode: ParseMode = ParseMode.LOG, **commands: str) -> ParseResult:
    """Parse a log of ``show <command>`` outputs, underscores standing for blanks."""
    outputs = {"version": VERSION} | commands
    text = "".join(f"ops@LAB-EX> show {name.replace('_', ' ')}\n{output}\n" for name, output in outputs.items())
    return parse_log(text + "ops@LAB-EX>\n", name="slice", mode=mode)


def facts(mode: ParseMode = ParseMode.LOG, **commands: str) -> DeviceFacts:
    result = parse(mode, **commands)
    assert result.facts is not None
    return result.facts


def ports(mode: ParseMode = ParseMode.LOG, **commands: str) -> dict[str, PortFacts]:
    return {port.port: port for port in facts(mode, **commands).ports}


def test_the_device_says_what_it_is() -> None:
    device = facts(system_uptime="System booted: 2025-01-01 10:00:00 UTC (8w5d 00:00 ago)\n")
    assert (device.hostname, device.make, device.model) == ("LAB-EX", "Juniper", "ex2300-24t")
    assert (device.version, device.uptime) == ("20.4R3.8", "8w5d 00:00 ago")


def test_an_older_release_stands_in_the_name_of_its_suite() -> None:
    assert facts(version="Model: ex4200\nJUNOS Base OS boot [15.1R7.9]\n").version == "15.1R7.9"


@pytest.mark.parametrize(
    ("log", "host"),
    [
        ("{master:0}\nops@SW-1> show version\nJunos: 1\n", "SW-1"),
        ("Hostname: SW-2\nJunos: 1\n", "SW-2"),
        ("Junos: 1\nset system host-name SW-3\n", "SW-3"),
        ("system {\n    host-name SW-4;\n}\nJunos: 1\n", "SW-4"),
        ("Junos: 1\n", "slice"),
    ],
)
def test_the_host_is_in_the_prompt_or_says_its_name(log: str, host: str) -> None:
    device = parse_log(log, name="slice").facts
    assert device is not None
    assert device.hostname == host


def test_units_fold_into_their_port_in_what_is_stored_and_stand_alone_in_parity() -> None:
    terse = (
        TERSE
        + "ge-0/0/0                up    up\nge-0/0/0.0              up    down inet     192.0.2.1/24\n{master:0}\n"
    )
    assert list(ports(interfaces_terse=terse).values()) == [
        PortFacts("ge-0/0/0", status="connected", type="inet", admin_status="up", ip_address="192.0.2.1/24")
    ]
    assert list(ports(ParseMode.PARITY, interfaces_terse=terse).values()) == [
        PortFacts("ge-0/0/0", status="connected", admin_status="up"),
        PortFacts("ge-0/0/0.0", status="notconnect", admin_status="up"),
    ]
    assert parse(interfaces_terse=terse).report.missed == ()


def test_units_of_routed_interfaces_are_ports_with_their_own_state() -> None:
    terse = (
        TERSE + "irb  up up\nirb.10  up up inet 192.0.2.1/24\nirb.20  up down inet 192.0.2.129/25\nst0.1 up up inet\n"
    )
    assert {name: port.status for name, port in ports(interfaces_terse=terse).items()} == {
        "irb": "connected",
        "irb.10": "connected",
        "irb.20": "notconnect",
        "st0.1": "connected",
    }


def test_addresses_on_the_lines_below_belong_to_the_unit_above() -> None:
    terse = TERSE + "ae1  up up\nae1.0  up up   inet  192.0.2.1/24\n    192.0.2.2/24\n    inet6  2001:db8::1/64\n"
    port = ports(interfaces_terse=terse)["ae1"]
    assert (port.type, port.ip_address) == ("inet,inet6", "192.0.2.1/24,192.0.2.2/24,2001:db8::1/64")


def test_a_line_that_is_no_row_is_reported_and_costs_no_other() -> None:
    result = parse(interfaces_terse=TERSE + "me0 up up\nerror: timeout\nvme up down\n")
    assert result.facts is not None
    assert [port.port for port in result.facts.ports] == ["me0", "vme"]
    assert [missed.text for missed in result.report.missed] == ["error: timeout"]


def test_without_an_interface_table_there_is_no_telling() -> None:
    assert parse().reason == "no_interfaces"
    assert parse(interfaces_terse=TERSE).reason == "no_interfaces"


def test_paragraphs_of_interfaces_give_speed_duplex_and_description() -> None:
    text = (
        "Physical interface: ge-0/0/1, Enabled, Physical link is Up\n  Description: door, north\n"
        "  Link-level type: Ethernet, MTU: 1514, Link-mode: Full-duplex, Speed: 1000mbps, Loopback: Disabled\n"
        "Physical interface: ge-0/0/2, Administratively down, Physical link is Down\n"
    )
    for mode in ParseMode:
        assert list(ports(mode, interfaces=text).values()) == [
            PortFacts(
                "ge-0/0/1", "door, north", "connected", "", "Full-duplex", "1000mbps", "Ethernet", admin_status="up"
            ),
            PortFacts("ge-0/0/2", status="notconnect", admin_status="down"),
        ]


@pytest.mark.parametrize(
    ("table", "vlan"),
    [
        ("Routing instance   VLAN name   Tag   Interfaces\ndefault-switch  DESKS  30\n     ge-0/0/0.0*\n", "30"),
        ("Name  Tag  Interfaces\nDESKS  30\n     ge-0/0/0.0*, ge-0/0/1.0\nPHONES  40\n     None\n", "30"),
        ("Name  Tag  Interfaces\nDESKS  30\n     ge-0/0/0.0*\nPHONES  40\n     ge-0/0/0.0*\n", "trunk"),
        ("Name  Tag  Interfaces\nDESKS  30  ge-0/0/0.0*\n", "30"),
        ("Name  Tag  Interfaces\nDESKS  30\n     ge-0/0/9.0\n", ""),
    ],
)
def test_the_vlan_of_a_port_is_the_only_one_it_is_a_member_of(table: str, vlan: str) -> None:
    device = facts(interfaces_terse="ge-0/0/0 up up\n", vlans=table)
    assert device.ports[0].vlan == vlan
    assert device.vlans[0] == VlanFacts("30", "DESKS")


def test_learned_addresses_tell_the_vlan_by_its_tag() -> None:
    table = (
        "   DESKS    02:00:00:00:00:02   D    -   ge-0/0/0.0   0   0\n"
        "   DESKS    *                   Flood -  All-members\n"
        "   OTHER    02:00:00:00:00:01   Learn 0  ge-0/0/0.0\n"
        "   DESKS    02:00:00:00:00:03   Static - Router\n"
    )
    commands = {"ethernet-switching table": table, "vlans": "Name Tag\nDESKS  30\n"}
    port = ports(interfaces_terse="ge-0/0/0 up up\n", **commands)["ge-0/0/0"]
    assert (port.learned_macs, port.auth_vlan, port.vlan) == ("02:00:00:00:00:02,02:00:00:00:00:01", "30", "30")


def test_rows_of_addresses_that_are_damaged_are_reported() -> None:
    table = (
        "Ethernet-switching table: 4 entries, 2 learned\n"
        "  VLAN    MAC address         Type     Age Interfaces\n"
        "  v30     *                   Flood      - All-members\n"
        "  v30     02:00:00:00:00:01   Learn      0 ge-0/0/1.0\n"
        "  v30     02:00:00:00:00:09   Static     - Router\n"
        "  v30     02:00:00:00:00:02   Learn\n"
        "  v30     02:00:00:0\n"
    )
    report = parse(interfaces_terse=TERSE + "ge-0/0/1 up up\n", **{"ethernet-switching table": table}).report
    assert [line.text.split()[1] for line in report.missed] == ["02:00:00:00:00:02", "02:00:00:0"]


BRACES = """\
## Last commit: 2025-03-03 09:00:00 UTC by ops
interfaces {
    ge-0/0/0 {
        description "a; b";
        unit 0 {
            family ethernet-switching {
                interface-mode trunk;
            }
        }
    }
    inactive: ge-0/0/1 {
        description gone;
    }
}
"""
COMMANDS = 'set interfaces ge-0/0/0 description "a; b"\nset interfaces ge-0/0/0 unit 0 family ethernet-switching port-mode trunk'


@pytest.mark.parametrize("config", [BRACES, COMMANDS])
def test_both_forms_of_the_configuration_say_the_same(config: str) -> None:
    told = ports(interfaces_terse="ge-0/0/0 up up\nge-0/0/1 up up\n", configuration=config)
    assert (told["ge-0/0/0"].name, told["ge-0/0/0"].vlan, told["ge-0/0/1"].name) == ("a; b", "trunk", "")


def test_the_configuration_of_a_port_is_kept_as_it_stands() -> None:
    config = read_config(BRACES.split("\n"))
    assert config.interfaces["ge-0/0/1"] == "    inactive: ge-0/0/1 {\r\n        description gone;\r\n    }"
    assert read_config(COMMANDS.split("\n")).interfaces == {"ge-0/0/0": COMMANDS.replace("\n", "\r\n")}


@pytest.mark.parametrize(
    ("options", "template"),
    [
        ("supplicant multiple", "dot1x"),
        ("mac-radius", "flexible"),
        ("mac-radius restrict", "macauth"),
        ("mac-radius authentication-protocol pap", "flexible"),
    ],
)
def test_an_authenticator_tells_the_template(options: str, template: str) -> None:
    config = f"set protocols dot1x authenticator interface ge-0/0/0.0 {options}\n"
    assert ports(interfaces_terse="ge-0/0/0 up up\n", configuration=config)["ge-0/0/0"].auth_template == template


def test_a_port_without_an_authenticator_has_no_template() -> None:
    assert ports(interfaces_terse="ge-0/0/0 up up\n", configuration=BRACES)["ge-0/0/0"].auth_template == ""


def test_braces_without_end_cost_no_time() -> None:
    assert read_config(["a {"] * 20_000 + ["b;"] * 20_000).statements[0].startswith("a a a ")


@pytest.mark.parametrize(
    ("text", "routes"),
    [
        (
            "0.0.0.0/0          *[Static/5] 1d 00:00:00\n                    >  to 192.0.2.1 via ge-0/0/1.0\n",
            [RouteFacts("0.0.0.0/0", "192.0.2.1", "Static", "5", "", "ge-0/0/1.0")],
        ),
        (
            "192.0.2.0/24  *[OSPF/10] 1w0d, metric 7\n    to 192.0.2.8 via ae0.0\n  >  to 192.0.2.9 via ae1.0\n",
            [
                RouteFacts("192.0.2.0/24", "192.0.2.8", "OSPF", "10", "7", "ae0.0"),
                RouteFacts("192.0.2.0/24", "192.0.2.9", "OSPF", "10", "7", "ae1.0"),
            ],
        ),
        (
            "192.0.2.1/32  *[Local/0] 1d\n      Local via irb.1\n",
            [RouteFacts("192.0.2.1/32", "", "Local", "0", "", "irb.1")],
        ),
        ("192.0.2.0/25  *[Static/5] 1d\n      Discard\n", [RouteFacts("192.0.2.0/25", "Discard", "Static", "5")]),
        (
            "2001:db8:ffff:ffff::/64\n             *[Static/5] 1d\n       > via st0.1\n",
            [RouteFacts("2001:db8:ffff:ffff::/64", "", "Static", "5", "", "st0.1")],
        ),
        ("192.0.2.0/26  *[Aggregate/130] 1d\n", [RouteFacts("192.0.2.0/26", "", "Aggregate", "130")]),
    ],
)
def test_next_hops_stand_on_the_lines_below_a_route(text: str, routes: list[RouteFacts]) -> None:
    assert list(facts(route=text).routes) == routes
    assert facts(ParseMode.PARITY, route=text).routes == ()


@pytest.mark.parametrize("mode", ParseMode)
def test_a_next_hop_may_stand_behind_its_route(mode: ParseMode) -> None:
    text = "192.0.2.0/24  *[Static/5] 1d > to 192.0.2.1 via ge-0/0/1.0\n"
    assert facts(mode, route=text).routes == (RouteFacts("192.0.2.0/24", "192.0.2.1", "Static", "5", "", "ge-0/0/1.0"),)


def test_a_neighbour_that_is_one_does_not_make_a_cisco_a_juniper() -> None:
    log = (
        "edge-1#show lldp neighbors detail\nSystem Name: JUNOS-1\nSystem Description:\n"
        "Juniper Networks, Inc. ex4300-48t Ethernet Switch, kernel JUNOS 21.4R3, Build date: 2023\nModel: EX4300\n"
        "edge-1#show version\nCisco IOS Software, Version 15.2\n"
    )
    for text in (log, log.replace("show version", "show clock")):
        result = parse_log(text, name="edge-1")
        assert result.facts is not None
        assert result.facts.make == "Cisco"


@pytest.mark.original
@pytest.mark.parametrize("mode", ParseMode)
def test_the_fixture_of_the_original_says_what_it_should(original_data: Path, mode: ParseMode) -> None:
    golden = json.loads((original_data / "logs" / "vendor_juniper.expected.json").read_text(encoding="utf-8"))
    device = parse_log((original_data / "logs" / "vendor_juniper.log").read_bytes(), mode=mode).facts
    assert device is not None
    wanted = golden["facts"]
    assert (device.hostname, device.make, device.model) == (wanted["Hostname"], wanted["Make"], wanted["Model"])
    assert (device.version, device.uptime) == (wanted["Version"], wanted["Uptime"])
    rows = [
        (row["Port"], row["Status"], row["AdminStatus"], row["Speed"], row["Type"])
        for row in golden["interfaces_combined"]
    ]
    if mode is ParseMode.PARITY:
        assert [(p.port, p.status, p.admin_status, p.speed, p.type) for p in device.ports] == rows
        assert (device.location, device.routes) == (wanted["Location"], ())
    else:
        assert [(p.port, p.status, p.admin_status) for p in device.ports] == [r[:3] for r in rows if "." not in r[0]]
        assert [(r.prefix, r.next_hop, r.interface) for r in device.routes[::5]] == [
            ("0.0.0.0/0", "10.0.0.2", "xe-0/1/0.0"),
            ("192.168.0.0/16", "10.0.0.2", "xe-0/1/0.0"),
        ]
        assert len(device.routes) == 7


LOGS = [path.read_text(encoding="utf-8") for path in sorted(CASES.glob("*/log.txt"))]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_log_never_raises(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(LOGS)).split("\n")
    for _ in range(data.draw(st.integers(1, 8))):
        index = data.draw(st.integers(0, len(lines) - 1))
        cut = data.draw(st.integers(0, len(lines[index])))
        lines[index] = data.draw(
            st.sampled_from([lines[index][cut:], lines[index][:cut], "", "}", "{" * 5000, lines[-index]])
            | st.text(max_size=40).map(lambda text, line=lines[index], at=cut: line[:at] + text + line[at:])
        )
    for mode in ParseMode:
        assert parse_log("\n".join(lines), name="x", mode=mode).reason != "parse_failed"
