"""Aruba switches: what their commands print becomes ports, in both modes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statetrace.model.facts import DeviceFacts, PortFacts, VlanFacts
from statetrace.parsing import ParseMode, ParseResult, parse_log

CASES = Path(__file__).parent / "cases" / "aruba"
VERSION = "ArubaOS-CX\nVersion      : FL.10.13.1000\n"
RULER = "-" * 60 + "\n"
CX_HEADING = (
    RULER
    + "Port      Native  Mode   Type           Enabled Status  Reason                  Speed   Description\n"
    + "          VLAN                                                                  (Mb/s)\n"
    + RULER
)
SWITCH_HEADING = (
    "                  | Intrusion                           MDI  Flow Bcast\n"
    "  Port  Type      | Alert     Enabled Status Mode       Mode Ctrl Limit\n"
    "  ----- --------- + --------- ------- ------ ---------- ---- ---- -----\n"
)


def parse(mode: ParseMode = ParseMode.LOG, **commands: str) -> ParseResult:
    """Parse a log of ``show <command>`` outputs, underscores standing for blanks."""
    outputs = {"version": VERSION} | commands
    text = "".join(f"lab-6300# show {name.replace('_', ' ')}\n{output}" for name, output in outputs.items())
    return parse_log(text + "lab-6300#\n", name="lab-6300", mode=mode)


def facts(mode: ParseMode = ParseMode.LOG, **commands: str) -> DeviceFacts:
    result = parse(mode, **commands)
    assert result.facts is not None
    return result.facts


def only_port(mode: ParseMode = ParseMode.LOG, **commands: str) -> PortFacts:
    (port,) = facts(mode, **commands).ports
    return port


def cx_row(port: str, vlan: str, mode: str, kind: str, enabled: str, status: str, rest: tuple[str, str, str]) -> str:
    reason, speed, description = rest
    return f"{port:10}{vlan:8}{mode:7}{kind:15}{enabled:8}{status:8}{reason:24}{speed:8}{description}\n"


@pytest.mark.parametrize(
    ("row", "port"),
    [
        pytest.param(
            cx_row("1/1/1", "10", "access", "1GbT", "yes", "up", ("", "1000", "100 desks")),
            PortFacts("1/1/1", "100 desks", "connected", "10", "", "1000", "1GbT", admin_status="up"),
            id="a reason may be absent",
        ),
        pytest.param(
            cx_row("2/1/48", "20", "trunk", "", "no", "down", ("Administratively down", "--", "--")),
            PortFacts("2/1/48", status="notconnect", vlan="20", admin_status="down"),
            id="a type may be absent",
        ),
        pytest.param(
            cx_row("1/1/50", "--", "routed", "25G-SR", "yes", "up", ("--", "25000", "to core")),
            PortFacts("1/1/50", "to core", "connected", "routed", "", "25000", "25G-SR", admin_status="up"),
            id="a routed port has no VLAN",
        ),
        pytest.param(
            "vlan20    --      --     --             yes     up\n",
            PortFacts("vlan20", status="connected", admin_status="up"),
            id="a row may end behind its status",
        ),
    ],
)
def test_a_row_of_the_brief_table_of_cx_is_a_port(row: str, port: PortFacts) -> None:
    assert only_port(interface_brief=CX_HEADING + row) == port


@pytest.mark.parametrize(
    ("row", "port"),
    [
        (
            "  7     100/1000T | No        Yes     Up     1000FDx    MDI  off  0\n",
            PortFacts("7", "", "connected", "", "full", "1000", "100/1000T", admin_status="up"),
        ),
        (
            "  A1              | No        No      Down   .               off  0\n",
            PortFacts("A1", status="notconnect", admin_status="down"),
        ),
        (
            "  2/3   100/1000T | No        Yes     Up     100HDx     MDI  off  0\n",
            PortFacts("2/3", "", "connected", "", "half", "100", "100/1000T", admin_status="up"),
        ),
    ],
)
def test_a_row_of_the_brief_table_of_switch_software_is_a_port(row: str, port: PortFacts) -> None:
    assert only_port(interfaces_brief=SWITCH_HEADING + row) == port


def test_a_trunk_group_is_a_port_that_is_connected_when_one_member_is() -> None:
    rows = (
        "  1-Trk9  1000T | No        Yes     Down   1000FDx    MDI  off  0\n"
        "  2-Trk9  1000T | No        Yes     Up     1000FDx    MDI  off  0\n"
    )
    ports = facts(interfaces_brief=SWITCH_HEADING + rows).ports
    assert [(port.port, port.status) for port in ports] == [
        ("1", "notconnect"),
        ("2", "connected"),
        ("Trk9", "connected"),
    ]


@pytest.mark.parametrize("mode", ParseMode)
@pytest.mark.parametrize(
    ("row", "port"),
    [
        ("5  full  1000  auto  x  Up\n", PortFacts("5", status="connected", duplex="full", speed="1000")),
        (
            "1/1/5  up  down  -  100  1GbT  -  30\n",
            PortFacts("1/1/5", status="notconnect", vlan="30", speed="100", type="1GbT", admin_status="up"),
        ),
    ],
)
def test_the_rows_that_the_original_knows_are_read_in_both_modes(mode: ParseMode, row: str, port: PortFacts) -> None:
    assert only_port(mode, interface_brief="Port  Duplex  Speed  Flow  x  Status\n" + row) == port


def test_the_original_takes_bare_interface_lines_for_ports() -> None:
    lines = "Interface 1/1/1 is up\nInterface 1/1/2 is down\n"
    assert [(port.port, port.status) for port in facts(ParseMode.PARITY, interface=lines).ports] == [
        ("1/1/1", "Unknown"),
        ("1/1/2", "Unknown"),
    ]
    assert [(port.port, port.status) for port in facts(interface=lines).ports] == [
        ("1/1/1", "connected"),
        ("1/1/2", "notconnect"),
    ]


def test_a_row_that_is_none_is_reported_and_costs_no_other() -> None:
    good = cx_row("1/1/1", "1", "access", "1GbT", "yes", "up", ("", "1000", "--"))
    result = parse(interface_brief=CX_HEADING + good + "what is this\n" + good.replace("1/1/1", "1/1/2"))
    assert result.facts is not None
    assert [port.port for port in result.facts.ports] == ["1/1/1", "1/1/2"]
    assert [missed.text for missed in result.report.missed] == ["what is this"]


def test_without_an_interface_table_there_is_no_telling() -> None:
    assert parse().reason == "no_interfaces"
    assert parse(interface_brief="Invalid input: brief\n").reason == "no_interfaces"


def test_methods_of_authentication_count_only_when_enabled() -> None:
    brief = CX_HEADING + cx_row("1/1/1", "1", "access", "1GbT", "yes", "up", ("", "1000", "--"))
    dot1x = "    aaa authentication port-access dot1x authenticator\n        eapol-timeout 30\n"
    mac = "    aaa authentication port-access mac-auth\n        reauth\n"
    enable = "        enable\n"
    templates = {
        (dot1x, mac): "",
        (dot1x, enable, mac): "dot1x",
        (dot1x, mac, enable): "macauth",
        (dot1x, enable, mac, enable): "flexible",
        (): "",
    }
    for lines, template in templates.items():
        config = "interface 1/1/1\n    no shutdown\n" + "".join(lines) + "interface 1/1/2\n" + dot1x + enable
        assert only_port(interface_brief=brief, **{"running-config": config}).auth_template == template


def test_lists_of_ports_name_vlans_and_methods() -> None:
    rows = "".join(
        f"  {port:5} 1000T     | No        Yes     Up     1000FDx    MDI  off  0\n" for port in ("1", "9", "10", "B2")
    )
    config = (
        "vlan 30\n   untagged 1-9,B1-B4\n   exit\naaa port-access authenticator 9-10\naaa port-access mac-based B2,10\n"
    )
    ports = facts(interfaces_brief=SWITCH_HEADING + rows, **{"running-config": config}).ports
    assert [(port.port, port.vlan, port.auth_template) for port in ports] == [
        ("1", "30", ""),
        ("9", "30", "dot1x"),
        ("10", "", "flexible"),
        ("B2", "30", "macauth"),
    ]


def test_learned_addresses_belong_to_known_ports_in_the_order_of_the_table() -> None:
    brief = CX_HEADING + cx_row("1/1/1", "--", "access", "1GbT", "yes", "up", ("", "1000", "--"))
    macs = (
        "MAC Address          VLAN     Type                      Port\n"
        + RULER
        + "02:00:00:00:00:02    20       dynamic                   1/1/1\n"
        + "02:00:00:00:00:01    30       dynamic                   1/1/1\n"
        + "02:00:00:00:00:03    30       dynamic                   vxlan1(192.0.2.1)\n"
    )
    port = only_port(interface_brief=brief, **{"mac-address-table": macs})
    assert (port.learned_macs, port.auth_vlan, port.vlan) == ("02:00:00:00:00:02,02:00:00:00:00:01", "20", "20")


def test_rows_of_addresses_that_are_damaged_are_reported() -> None:
    rows = "02:00:00:00:00:02    20       dynamic        1/1/1\n02:00:00:00:0\n02:00:00:00:00:04    x\n"
    table = "MAC Address          VLAN     Type           Port\n" + RULER + rows
    report = parse(**{"mac-address-table": table}).report
    assert [line.text for line in report.missed] == ["02:00:00:00:0", "02:00:00:00:00:04    x"]


@pytest.mark.parametrize(
    "line",
    [
        "ArubaOS-CX",
        "ArubaOS-CX Version     : GL.10.13.0005",
        "!Version ArubaOS-CX FL.10.10.1010",
        "; J9773A Configuration Editor; Created on release #YA.16.10.0002",
        "Image stamp:    /ws/swbuildm/code",
        "Vendor                 : Aruba",
    ],
)
def test_the_make_shows_in_what_the_switch_says_of_itself(line: str) -> None:
    result = parse_log(f"lab-1# show interface brief\n{line}\n", name="lab-1")
    assert result.facts is not None
    assert result.facts.make == "Aruba"


def test_a_neighbour_that_is_one_does_not_make_a_cisco_an_aruba() -> None:
    log = (
        "edge-1#show lldp neighbors detail\nSystem Description:\n  Aruba JL664A 6300M ArubaOS-CX FL.10.13.1000\n"
        "System Name: ArubaOS-CX\nedge-1#show version\nCisco IOS Software, Version 15.2\n"
    )
    for text in (log, log.replace("show version", "show clock")):
        result = parse_log(text, name="edge-1")
        assert result.facts is not None
        assert result.facts.make == "Cisco"


@pytest.mark.original
@pytest.mark.parametrize("mode", ParseMode)
def test_the_fixture_of_the_original_says_what_it_should(original_data: Path, mode: ParseMode) -> None:
    golden = json.loads((original_data / "logs" / "vendor_aruba.expected.json").read_text(encoding="utf-8"))["facts"]
    device = parse_log((original_data / "logs" / "vendor_aruba.log").read_bytes(), mode=mode).facts
    assert device is not None
    assert (device.hostname, device.make, device.model) == (golden["Hostname"], golden["Make"], golden["Model"])
    assert (device.version, device.uptime) == (golden["Version"], golden["Uptime"])
    assert device.vlans == tuple(VlanFacts(vlan["ID"], vlan["Name"], vlan["Type"]) for vlan in golden["VLANs"])
    if mode is ParseMode.PARITY:
        assert (len(device.ports), device.location) == (golden["InterfaceCount"], golden["Location"])
    else:
        assert [port.port for port in device.ports[:2]] == ["1/1/1", "1/1/2"]
        assert len(device.ports) == 12
        assert {port.port: port.status for port in device.ports}["1/1/4"] == "notconnect"


LOGS = [path.read_text(encoding="utf-8") for path in sorted(CASES.glob("*/log.txt"))]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_log_never_raises(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(LOGS)).split("\n")
    for _ in range(data.draw(st.integers(1, 8))):
        index = data.draw(st.integers(0, len(lines) - 1))
        cut = data.draw(st.integers(0, len(lines[index])))
        lines[index] = data.draw(
            st.sampled_from([lines[index][cut:], lines[index][:cut], "", "-" * 70, "9" * 5000, lines[-index]])
            | st.text(max_size=40).map(lambda text, line=lines[index], at=cut: line[:at] + text + line[at:])
        )
    for mode in ParseMode:
        assert parse_log("\n".join(lines), name="x", mode=mode).reason != "parse_failed"
