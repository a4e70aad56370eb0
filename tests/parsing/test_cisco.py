"""Cisco logs: what a row of each table says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from statetrace.model.facts import DeviceFacts, PortFacts
from statetrace.parsing import ParseMode, ParseResult, parse_log

HEADER = "Port      Name               Status       Vlan       Duplex  Speed Type"


def log(
    status: list[str],
    config: Sequence[str] = (),
    macs: Sequence[str] = (),
    sessions: Sequence[str] = (),
    header: str = HEADER,
) -> str:
    return "\n".join(
        [
            "sw1#show version",
            "Cisco IOS Software, Version 15.2(4)E8, RELEASE SOFTWARE",
            "sw1#show running-config",
            *config,
            "sw1#show interfaces status",
            "",
            header,
            *status,
            "sw1#show mac address-table",
            *macs,
            "sw1#show authentication sessions",
            *sessions,
            "sw1#",
        ]
    )


def result(text: str, mode: ParseMode = ParseMode.LOG) -> ParseResult:
    return parse_log(text, name="sw1", mode=mode)


def facts(text: str, mode: ParseMode = ParseMode.LOG) -> DeviceFacts:
    device = result(text, mode).facts
    assert device is not None
    return device


def port(row: str, config: Sequence[str] = (), header: str = HEADER) -> PortFacts:
    (only,) = facts(log([row], config, header=header)).ports
    return only


def columns(found: PortFacts) -> tuple[str, ...]:
    return (found.port, found.name, found.status, found.vlan, found.duplex, found.speed, found.type)


class TestStatusRows:
    @pytest.mark.parametrize(
        ("row", "cut"),
        [
            (
                "Gi1/0/47  Uplink             connected    trunk      a-full a-1000 10/100/1000BaseTX",
                ("Gi1/0/47", "Uplink", "connected", "trunk", "a-full", "a-1000", "10/100/1000BaseTX"),
            ),
            (
                "Gi1/0/1                      notconnect   1            auto   auto Not Present",
                ("Gi1/0/1", "Gi1/0/1", "notconnect", "1", "auto", "auto", "Not Present"),
            ),
            (
                "Te1/1/1                      connected    routed       full    10G SFP-10GBase-SR",
                ("Te1/1/1", "Te1/1/1", "connected", "routed", "full", "10G", "SFP-10GBase-SR"),
            ),
            (
                "Gi1/0/2   disabled 20 desk   err-disabled 30           auto   auto",
                ("Gi1/0/2", "disabled 20 desk", "err-disabled", "30", "auto", "auto", ""),
            ),
            (
                "Gi1/0/3   an edited row with a long name connected 10 a-full a-100 10/100BaseTX",
                ("Gi1/0/3", "an edited row with a long name", "connected", "10", "a-full", "a-100", "10/100BaseTX"),
            ),
            (
                "Gi1/0/4   <== off ==>        disabled     10           auto   auto 10/100BaseTX",
                ("Gi1/0/4", "<== off ==>", "disabled", "10", "auto", "auto", "10/100BaseTX"),
            ),
            (
                "Gi1/0/5   a                  linkFlapErr  10           auto   auto 10/100BaseTX",
                ("Gi1/0/5", "a", "linkFlapErr", "10", "auto", "auto", "10/100BaseTX"),
            ),
            (
                "Po1       x                  notconnect   unassigned   auto   auto",
                ("Po1", "x", "notconnect", "unassigned", "auto", "auto", ""),
            ),
        ],
    )
    def test_they_are_cut_by_evidence(self, row: str, cut: tuple[str, ...]) -> None:
        assert columns(port(row)) == cut

    @pytest.mark.parametrize("header", [HEADER.upper(), HEADER.lower(), "Port Name Status Vlan Duplex Speed Type"])
    def test_the_heading_may_be_written_in_any_case_and_width(self, header: str) -> None:
        row = "Gi1/0/1   Uplink             connected    trunk      a-full a-1000 10/100/1000BaseTX"
        assert columns(port(row, header=header))[2:4] == ("connected", "trunk")

    def test_a_row_that_is_none_costs_itself_and_is_reported(self) -> None:
        good = "Gi1/0/1   a                  connected    10         a-full a-1000 10/100/1000BaseTX"
        found = result(log(["lone", good, "two words", "x" * 100_000]))
        assert found.facts is not None
        assert [entry.port for entry in found.facts.ports] == ["Gi1/0/1"]
        assert [(missed.line, missed.text) for missed in found.report.missed] == [
            (7, "lone"),
            (9, "two words"),
            (10, "x" * 120),
        ]
        assert found.report.missed_count == 3
        assert found.report.coverage == 25.0

    @pytest.mark.parametrize(
        "line",
        [
            HEADER,
            HEADER.upper(),
            "-------- ---- ------ ---- ------ ----- ----",
            "*Mar  1 00:00:01.123: %LINK-3-UPDOWN: Interface Gi1/0/1, changed state to down",
        ],
    )
    def test_headings_rulers_and_messages_between_rows_are_no_rows(self, line: str) -> None:
        row = "Gi1/0/{}   a                  connected    10         a-full a-1000 10/100/1000BaseTX"
        assert [entry.port for entry in facts(log([row.format(1), line, row.format(2)])).ports] == [
            "Gi1/0/1",
            "Gi1/0/2",
        ]

    def test_an_unknown_status_of_a_full_row_is_taken_from_its_place(self) -> None:
        assert columns(port("Gi1/0/6 a b blocked vlan10 auto auto 10/100BaseTX")) == (
            "Gi1/0/6",
            "a b",
            "blocked",
            "vlan10",
            "auto",
            "auto",
            "10/100BaseTX",
        )

    def test_a_blank_line_ends_the_table_until_its_heading_comes_again(self) -> None:
        row = "Gi1/0/{}   a                  connected    10         a-full a-1000 10/100/1000BaseTX"
        rows = [row.format(1), "", row.format(2), HEADER, "-" * 70, row.format(3)]
        assert [entry.port for entry in facts(log(rows)).ports] == ["Gi1/0/1", "Gi1/0/3"]

    def test_a_log_without_the_table_says_so(self) -> None:
        found = result("sw1#show version\nCisco IOS Software, Version 1\nsw1#show interfaces status\n% Invalid\nsw1#")
        assert (found.reason, found.facts and found.facts.interfaces_found) == ("no_interfaces", False)

    def test_an_empty_table_is_a_table(self) -> None:
        found = result(log([]))
        assert (found.reason, found.facts and found.facts.interfaces_found) == ("", True)

    def test_in_parity_mode_a_trunk_is_shifted_as_the_original_shifts_it(self) -> None:
        row = "Gi1/0/47  Uplink             connected    trunk      a-full a-1000 10/100/1000BaseTX"
        (only,) = facts(log([row], ["interface GigabitEthernet1/0/47"]), ParseMode.PARITY).ports
        assert columns(only) == ("Gi1/0/47", "Uplink connected", "trunk", "a-full", "a-1000", "10/100/1000BaseTX", "")

    def test_in_parity_mode_a_port_without_configuration_fails_the_log(self) -> None:
        row = "Gi1/0/1   a                  connected    10         a-full a-1000 10/100/1000BaseTX"
        found = result(log([row]), ParseMode.PARITY)
        assert (found.facts, found.reason) == (None, "parse_failed")
        assert "Gi1/0/1" in found.message


ROW = "Gi1/0/1   table name         connected    10         a-full a-1000 10/100/1000BaseTX"


class TestConfiguration:
    def test_the_description_beats_the_name_of_the_table(self) -> None:
        config = ["interface GigabitEthernet1/0/1", " description  from config ", " description last one", "!"]
        assert port(ROW, config).name == "last one"
        assert port(ROW, config[:1]).name == "table name"

    def test_its_text_keeps_blank_lines_and_has_cr_lf(self) -> None:
        config = ["interface GigabitEthernet1/0/1", " shutdown", "", "interface Vlan1"]
        assert port(ROW, config).config == "interface GigabitEthernet1/0/1\r\n shutdown\r\n"

    @pytest.mark.parametrize(
        ("commands", "template"),
        [
            ([" dot1x pae authenticator", " mab"], "flexible"),
            ([" Dot1x PAE authenticator"], "dot1x"),
            (["  mab  "], "macauth"),
            ([" mab eap"], "open"),
            ([" switchport access vlan 1"], "open"),
        ],
    )
    def test_its_commands_tell_the_template(self, commands: list[str], template: str) -> None:
        assert port(ROW, ["interface GigabitEthernet1/0/1", *commands, "!"]).auth_template == template

    def test_a_port_without_configuration_keeps_its_row(self) -> None:
        only = port(ROW)
        assert (only.name, only.config, only.auth_template) == ("table name", "", "")

    @pytest.mark.parametrize(
        ("name", "short"),
        [
            ("Port-channel7", "Po7"),
            ("TwentyFiveGigE1/0/1", "Twe1/0/1"),
            ("TwoGigabitEthernet1/0/1", "Tw1/0/1"),
            ("FortyGigabitEthernet1/1/1", "Fo1/1/1"),
            ("HundredGigE1/0/49", "Hu1/0/49"),
            ("TenGigabitEthernet 1/1/1", "Te1/1/1"),
            ("AppGigabitEthernet1/0/1", "Ap1/0/1"),
            ("FastEthernet0", "Fa0"),
            ("Ethernet1/7", "Eth1/7"),
        ],
    )
    def test_it_is_found_under_the_short_name(self, name: str, short: str) -> None:
        config = [f"interface {name.replace(' ', '')}", " description here"]
        assert port(f"{short:10}                   connected    trunk      a-full    10G", config).name == "here"

    def test_the_authentication_of_the_device_is_told(self) -> None:
        config = [
            "dot1x system-auth-control",
            "authentication mac-move permit",
            "interface GigabitEthernet1/0/1",
            " authentication event fail action authorize vlan 9",
            " mab",
            " dot1x guest-vlan 77",
            "!",
            "mabel is no command",
        ]
        device = facts(log([ROW], config))
        assert device.auth_block == (*config[:2], *(line.strip() for line in config[3:6]))
        assert device.auth_default_vlan == "77"


class TestMacTable:
    @pytest.mark.parametrize(
        "row",
        [
            "  10    00a0.0000.0001    DYNAMIC     Gi1/0/1",
            "* 10    00a0.0000.0001    dynamic  0         F      F    Gi1/0/1",
            " 10 00a0.0000.0001 DYNAMIC ip,ipx,assigned,other GigabitEthernet1/0/1",
            "  10    00a0.0000.0001    DYNAMIC     x GigabitEthernet 1/0/1",
        ],
    )
    def test_the_port_comes_last(self, row: str) -> None:
        (only,) = facts(log([ROW], macs=["Vlan    Mac Address       Type        Ports", row])).ports
        assert (only.learned_macs, only.interface_mac, only.auth_vlan) == ("00a0.0000.0001", "00a0.0000.0001", "10")

    def test_all_addresses_are_kept_in_their_order_across_blank_lines(self) -> None:
        rows = [f"  {vlan}    00a0.0000.000{vlan}    DYNAMIC     Gi1/0/1" for vlan in (3, 1, 3)]
        (only,) = facts(log([ROW], macs=[*rows[:1], "", *rows[1:], "  All 0100.0ccc.cccc STATIC CPU"])).ports
        assert only.learned_macs == "00a0.0000.0003,00a0.0000.0001,00a0.0000.0003"
        assert only.auth_vlan == "3"

    def test_lines_of_the_table_that_are_no_rows_are_reported(self) -> None:
        rows = [
            "  Legend 0011 * - primary entry",
            "Vlan    Mac Address       Type        Ports",
            "----    -----------       --------    -----",
            " All    0100.0ccc.cccc    STATIC      CPU",
            "  10    00a0.0000.0001    DYNAMIC     Gi1/0/1",
            "  10    00a0.0000.0002    DYNAMIC",
            "  10    00a0.0000.00",
            "        00a0.0000.0003    DYNAMIC     Gi1/0/1",
            "",
            "Total Mac Addresses for this criterion: 5",
            "10 other things",
        ]
        report = result(log([ROW], macs=rows)).report
        assert [missed.text for missed in report.missed] == rows[5:8]
        assert [(entry.line, entry.rows) for entry in report.commands if "mac" in entry.command] == [(8, 1)]
        assert [missed.line for missed in report.missed] == [14, 15, 16]


class TestSessions:
    @pytest.mark.parametrize(
        ("row", "state", "mode", "mac"),
        [
            ("Gi1/0/1 00a0.0000.0001 mab DATA Auth 0A01", "Authorized", "mab", "00a0.0000.0001"),
            ("Gi1/0/1 00a0.0000.0001 dot1x DATA Unauth 0A01", "Unauthorized", "dot1x", "00a0.0000.0001"),
            ("Gi1/0/1 00a0.0000.0001 dot1x DATA Authz Failed 0A01", "Unauthorized", "dot1x", "00a0.0000.0001"),
            ("Gi1/0/1 00a0.0000.0001 N/A UNKNOWN Auth 0A01", "Authorized", "unknown", "00a0.0000.0001"),
            ("Gi1/0/1 (unknown) mab UNKNOWN Running 0A01", "Unknown", "mab", ""),
            ("Gi1/0/1 00a0.0000.0001 mab Auth", "Authorized", "mab", "00a0.0000.0001"),
            ("GigabitEthernet1/0/1 00a0.0000.0001 mab DATA Auth 0A01", "Authorized", "mab", "00a0.0000.0001"),
        ],
    )
    def test_a_row_tells_state_mode_and_client(self, row: str, state: str, mode: str, mac: str) -> None:
        header = "Interface    MAC Address     Method  Domain  Status         Session ID"
        (only,) = facts(log([ROW], sessions=["", header, "-----", row])).ports
        assert (only.auth_state, only.auth_mode, only.auth_client_mac) == (state, mode, mac)

    def test_the_first_session_of_a_port_counts(self) -> None:
        rows = [f"Gi1/0/1 00a0.0000.000{n} {m} DATA Auth 0A" for n, m in ((1, "mab"), (2, "dot1x"))]
        (only,) = facts(log([ROW], sessions=["Interface MAC Address", *rows])).ports
        assert (only.auth_mode, only.auth_client_mac) == ("mab", "00a0.0000.0001")

    def test_a_port_without_one_is_unknown(self) -> None:
        assert (port(ROW).auth_state, port(ROW).auth_mode, port(ROW).auth_client_mac) == ("Unknown", "unknown", "")


class TestVersion:
    @pytest.mark.parametrize(
        ("lines", "model", "version", "uptime"),
        [
            (
                [
                    "Cisco IOS XE Software, Version 17.9.4a",
                    "SW Version   SW Image",
                    "Model Number : C1",
                    "model number: C2",
                    "sw1 uptime is 1 day ",
                ],
                "C2",
                "17.9.4a",
                "1 day",
            ),
            (
                [
                    "Cisco IOS Software, X (Y), Version 15.2(7)E9, RELEASE",
                    "cisco WS-C2960 (PowerPC) processor",
                    "Uptime: 3 weeks",
                ],
                "WS-C2960",
                "15.2(7)E9",
                "3 weeks",
            ),
            (["Cisco"], "Unknown", "Unknown", "Unknown"),
        ],
    )
    def test_it_tells_model_version_and_uptime(self, lines: list[str], model: str, version: str, uptime: str) -> None:
        device = facts("\n".join(["sw1#show version", *lines, "sw1#"]))
        assert (device.model, device.version, device.uptime) == (model, version, uptime)
