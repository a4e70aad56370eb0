"""Arista switches: what their commands print becomes ports, in both modes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statetrace.model.facts import DeviceFacts, PortFacts, VlanFacts
from statetrace.parsing import ParseMode, ParseResult, parse_log

VERSION = """\
Arista DCS-7050SX3-48YC8-F
Hardware version:    11.01
Serial number:       LAB0001

Software image version: 4.27.3F
Uptime:                 5 weeks, 2 days, 1 hour and 7 minutes
"""
HEADING = "Port       Name              Status       Vlan     Duplex Speed  Type\n"


def parse(mode: ParseMode = ParseMode.LOG, **commands: str) -> ParseResult:
    """Parse a log of ``show <command>`` blocks, underscores standing for blanks."""
    outputs = {"version": VERSION} | commands
    text = "".join(f"lab-leaf#show {name.replace('_', ' ')}\n{output}" for name, output in outputs.items())
    return parse_log(text + "lab-leaf#\n", name="lab-leaf", mode=mode)


def facts(mode: ParseMode = ParseMode.LOG, **commands: str) -> DeviceFacts:
    result = parse(mode, **commands)
    assert result.facts is not None
    return result.facts


def ports(mode: ParseMode = ParseMode.LOG, **commands: str) -> dict[str, PortFacts]:
    return {port.port: port for port in facts(mode, **commands).ports}


def row(port: str, name: str, status: str, vlan: str, duplex: str, speed: str, kind: str) -> str:
    """A row of the status table in the columns of ``HEADING``."""
    return f"{port:<11}{name:<18}{status:<13}{vlan:<9}{duplex:<7}{speed:<7}{kind}\n"


STATUS = HEADING + row("Et1", "", "connected", "10", "full", "10G", "10GBASE-SR")


def values(port: PortFacts) -> tuple[str, ...]:
    return port.name, port.status, port.vlan, port.duplex, port.speed, port.type


class TestDevice:
    @pytest.mark.parametrize("mode", ParseMode)
    def test_model_release_and_uptime_come_from_the_version(self, mode: ParseMode) -> None:
        device = facts(mode, interfaces_status=STATUS)
        assert (device.make, device.model, device.version, device.uptime) == (
            "Arista",
            "DCS-7050SX3-48YC8-F",
            "4.27.3F",
            "5 weeks, 2 days, 1 hour and 7 minutes",
        )

    def test_a_model_may_be_named_in_a_line_of_its_own(self) -> None:
        assert facts(version="vendor: Arista\nModel number:  vEOS-lab\n").model == "vEOS-lab"

    def test_a_log_without_commands_is_searched_as_a_whole(self) -> None:
        text = "leaf1#\n" + VERSION + "snmp-server location Bldg_3\n" + STATUS + "\ninterface Ethernet1\n mtu 9214\n"
        device = parse_log(text, name="leaf1").facts
        assert device is not None
        assert (device.model, device.building, [port.config for port in device.ports]) == (
            "DCS-7050SX3-48YC8-F",
            "3",
            ["interface Ethernet1\r\n mtu 9214"],
        )

    def test_without_a_status_table_there_is_no_telling(self) -> None:
        assert parse(interfaces_status="% Invalid input\n").reason == "no_interfaces"
        assert facts(interfaces_status=HEADING).interfaces_found

    def test_vlans_are_listed_with_those_learned_by_protocol_marked(self) -> None:
        vlans = (
            "VLAN  Name              Status    Ports\n----- ----------------- --------- -----\n"
            "1     default           active    Et1, Et2\n                                            Et3\n"
            "1006* VLAN1006          active    Cpu\n"
        )
        assert facts(vlan=vlans).vlans == (VlanFacts("1", "default"), VlanFacts("1006", "VLAN1006", "dynamic"))
        assert facts(ParseMode.PARITY, vlan=vlans).vlans == ()


class TestStatusTable:
    @pytest.mark.parametrize("mode", ParseMode)
    @pytest.mark.parametrize(
        "fields",
        [
            ("Et1", "", "connected", "10", "full", "10G", "10GBASE-SR"),
            ("Et49/1", "to spine 1", "connected", "trunk", "full", "100G", "100GBASE-SR4"),
            ("Po10", "mlag peer", "notconnect", "trunk", "full", "unconf", "N/A"),
            ("Ma1", "", "connected", "routed", "a-full", "a-1G", "10/100/1000"),
            ("Et7", "guest", "errdisabled", "1", "auto", "auto", "Not Present"),
        ],
    )
    def test_a_row_is_kept_as_printed(self, mode: ParseMode, fields: tuple[str, ...]) -> None:
        port = ports(mode, interfaces_status=HEADING + row(*fields))[fields[0]]
        assert values(port) == fields[1:]

    def test_a_member_of_a_port_channel_has_it_for_its_vlan(self) -> None:
        table = HEADING + row("Et50/1", "peer", "connected", "in Po10", "full", "40G", "40GBASE-CR4")
        assert values(ports(interfaces_status=table)["Et50/1"]) == (
            "peer",
            "connected",
            "in Po10",
            "full",
            "40G",
            "40GBASE-CR4",
        )
        assert ports(ParseMode.PARITY, interfaces_status=table)["Et50/1"].vlan == "in"

    def test_a_name_may_hold_a_status_word(self) -> None:
        table = HEADING + row("Et3", "disabled lab", "connected", "5", "full", "1G", "1000BASE-T")
        assert ports(interfaces_status=table)["Et3"].name == "disabled lab"
        assert ports(ParseMode.PARITY, interfaces_status=table)["Et3"].status == "disabled"

    def test_a_name_longer_than_its_column_shifts_the_row(self) -> None:
        table = HEADING + row("Et3", "a name of twenty-nine letters ", "inactive", "5", "full", "1G", "1000BASE-T")
        assert values(ports(interfaces_status=table)["Et3"])[:3] == ("a name of twenty-nine letters", "inactive", "5")

    def test_columns_behind_the_type_are_not_part_of_it(self) -> None:
        heading = HEADING.rstrip("\n") + "         Flags Encapsulation\n"
        table = heading + row("Et1", "", "connected", "10", "full", "10G", "Not Present   m     dot1q")
        assert ports(interfaces_status=table)["Et1"].type == "Not Present"

    def test_the_heading_may_be_in_capitals(self) -> None:
        assert list(ports(interfaces_status=STATUS.replace(HEADING, HEADING.upper()))) == ["Et1"]
        assert ports(ParseMode.PARITY, interfaces_status=STATUS.replace(HEADING, HEADING.upper())) == {}

    def test_a_row_that_is_none_is_reported_and_costs_no_other(self) -> None:
        result = parse(interfaces_status=HEADING + "Et8 gone\n" + STATUS.removeprefix(HEADING))
        assert result.facts is not None
        assert [port.port for port in result.facts.ports] == ["Et1"]
        assert [line.text for line in result.report.missed] == ["Et8 gone"]


class TestConfiguration:
    CONFIG = "interface Ethernet1\n   description uplink\n   !\n   mtu 9214\ninterface Port-Channel10\n   mlag 10\n\n   lost\n!\n"

    @pytest.mark.parametrize("mode", ParseMode)
    def test_a_stanza_is_kept_with_its_first_line(self, mode: ParseMode) -> None:
        port = ports(mode, interfaces_status=STATUS, **{"running-config": self.CONFIG})["Et1"]
        assert port.config == "interface Ethernet1\r\n   description uplink\r\n   !\r\n   mtu 9214"

    def test_port_channels_have_theirs_up_to_a_blank_line(self) -> None:
        table = HEADING + row("Po10", "", "connected", "trunk", "full", "20G", "N/A")
        commands = {"interfaces_status": table, "running-config": self.CONFIG}
        assert ports(**commands)["Po10"].config == "interface Port-Channel10\r\n   mlag 10"
        assert ports(ParseMode.PARITY, **commands)["Po10"].config == ""

    @pytest.mark.parametrize(
        ("commands", "template"),
        [
            (" dot1x pae authenticator\n dot1x mac based authentication\n", "flexible"),
            (" dot1x pae authenticator\n dot1x port-control auto\n", "dot1x"),
            (" DOT1X mac  based authentication\n", "macauth"),
            (" dot1x port-control force-authorized\n", "open"),
            (" switchport access vlan 3\n", ""),
        ],
    )
    def test_the_template_is_what_the_stanza_says_of_802_1x(self, commands: str, template: str) -> None:
        log = {"interfaces_status": STATUS, "running-config": f"interface Ethernet1\n{commands}!\n"}
        assert ports(**log)["Et1"].auth_template == template
        assert ports(ParseMode.PARITY, **log)["Et1"].auth_template == ""


class TestOtherTables:
    MACS = "Vlan    Mac Address       Type        Ports      Moves   Last Move\n"

    @pytest.mark.parametrize("mode", ParseMode)
    def test_addresses_are_those_of_the_port_in_their_order(self, mode: ParseMode) -> None:
        table = (
            self.MACS + "  10  001c.7300.0001  DYNAMIC  Et1  1  0:10:00 ago\n  20  001c.7300.0002  STATIC  Ethernet1\n"
        )
        port = ports(mode, interfaces_status=STATUS, **{"mac address-table": table})["Et1"]
        assert port.learned_macs == "001c.7300.0001,001c.7300.0002"

    def test_rows_after_a_blank_line_count_but_not_multicast_groups(self) -> None:
        table = self.MACS + "10 001c.7300.0001 DYNAMIC Et1\n\n10 001c.7300.0002 DYNAMIC Et1\n"
        table += "Multicast Mac Address Table\n" + self.MACS + "10 0100.5e00.0001 STATIC Et1\n"
        commands = {"interfaces_status": STATUS, "mac address-table dynamic": table}
        assert ports(**commands)["Et1"].learned_macs == "001c.7300.0001,001c.7300.0002"
        assert ports(ParseMode.PARITY, **commands)["Et1"].learned_macs == "001c.7300.0001"

    def test_rows_of_addresses_that_are_damaged_are_reported(self) -> None:
        rows = "10 001c.7300.0001 DYNAMIC Et1\n10 001c.73\n??  001c.7300.0002 DYNAMIC Et1\nTotal Mac Addresses: 3\n"
        report = parse(interfaces_status=STATUS, **{"mac address-table": self.MACS + rows}).report
        assert [line.text.split()[0] for line in report.missed] == ["10", "??"]

    @pytest.mark.parametrize("mode", ParseMode)
    @pytest.mark.parametrize(
        ("session", "found"),
        [
            ("Et1 Yes mab 001c.7300.0001 10", ("Yes", "mab", "001c.7300.0001", "10")),
            ("Et1 No dot1x 10", ("No", "dot1x", "", "10")),
            ("Et1 No dot1x", ("No", "dot1x", "", "")),
            ("Et1 No", ("", "", "", "")),
        ],
    )
    def test_a_session_is_kept_as_printed(self, mode: ParseMode, session: str, found: tuple[str, ...]) -> None:
        table = f"Port  Authorized  Mode  MAC Address     Vlan\n{session}\n"
        port = ports(mode, interfaces_status=STATUS, authentication_sessions=table)["Et1"]
        assert (port.auth_state, port.auth_mode, port.auth_client_mac, port.auth_vlan) == found


WHOLE = (
    "lab-leaf#show version\n"
    + VERSION
    + "lab-leaf#show running-config\n"
    + TestConfiguration.CONFIG
    + "lab-leaf#show interfaces status\n"
    + STATUS
    + row("Po10", "mlag peer", "notconnect", "in Po2", "full", "unconf", "N/A")
    + "lab-leaf#show mac address-table\n"
    + TestOtherTables.MACS
    + "10 001c.7300.0001 DYNAMIC Et1\n"
    + "lab-leaf#show authentication sessions\nPort Authorized Mode MAC Address Vlan\nEt1 Yes mab 001c.7300.0001 10\n"
    + "lab-leaf#show vlan\n1* default active Et1\n"
)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), mode=st.sampled_from(ParseMode))
def test_a_damaged_log_never_raises(data: st.DataObject, mode: ParseMode) -> None:
    words = WHOLE.split(" ")
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(words) - 1))
        words[at] = data.draw(st.sampled_from(["", "\n", "\n\n", "!", "in", "connected", "²", "0" * 5000, words[-1]]))
    result = parse_log(" ".join(words), name="x", mode=mode)
    assert result.reason != "parse_failed"
    assert not [note for note in result.report.notes if "could not be read" in note.message]
