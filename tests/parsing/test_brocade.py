"""Brocade and Ruckus switches: what their commands print becomes ports, in both modes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statetrace.model.facts import DeviceFacts, PortFacts
from statetrace.parsing import ParseMode, ParseResult, parse_log

VERSION = """\
  Copyright (c) Brocade Communications Systems, Inc. All rights reserved.
    SW: Version 08.0.30kT313
  HW: Stackable ICX7150-24
STACKID 1  system uptime is 3 day(s) 1 hour(s)
"""
HEADING = "Port    Link    State   Dupl Speed Trunk Tag Pvid Pri MAC             Name\n"


def parse(mode: ParseMode = ParseMode.LOG, **commands: str) -> ParseResult:
    """Parse a log of ``show <command>`` blocks, underscores standing for blanks."""
    outputs = {"version": VERSION} | commands
    text = "".join(f"SSH@lab-icx#show {name.replace('_', ' ')}\n{output}" for name, output in outputs.items())
    return parse_log(text + "SSH@lab-icx#\n", name="lab-icx", mode=mode)


def facts(mode: ParseMode = ParseMode.LOG, **commands: str) -> DeviceFacts:
    result = parse(mode, **commands)
    assert result.facts is not None
    return result.facts


def ports(mode: ParseMode = ParseMode.LOG, **commands: str) -> dict[str, PortFacts]:
    return {port.port: port for port in facts(mode, **commands).ports}


def brief(*names: str) -> str:
    """An interface table with one stacked port a name."""
    rows = (f"{name}   Up  Forward Full 1G None No 1 0 cc4e.0000.0001  p {name}\n" for name in names)
    return HEADING + "".join(rows)


class TestDevice:
    def test_model_release_and_uptime_come_from_the_version(self) -> None:
        device = facts(interfaces_brief=brief("1/1/1"))
        assert (device.make, device.model, device.version, device.uptime) == (
            "Brocade",
            "Stackable ICX7150-24",
            "08.0.30kT313",
            "3 day(s) 1 hour(s)",
        )

    def test_a_chassis_names_its_model_without_the_word_stackable(self) -> None:
        version = "IronWare : Foundry\n  HW: Chassis FastIron SX 800  \n"
        assert facts(version=version).model == "Chassis FastIron SX 800"
        assert facts(ParseMode.PARITY, version=version).model == "Unknown"

    def test_location_comes_from_the_configuration(self) -> None:
        device = facts(config="snmp-server location Bldg_7_Room_12\n!\n")
        assert (device.location, device.building, device.room) == ("Bldg_7_Room_12", "7", "12")

    def test_the_running_configuration_serves_as_well(self) -> None:
        commands = {"running-config": "snmp-server location Bldg_7\n"}
        assert facts(**commands).building == "7"
        assert facts(ParseMode.PARITY, **commands).location == "Unspecified"

    def test_without_an_interface_table_there_is_no_telling(self) -> None:
        assert parse(interfaces_brief="Invalid input -> brief\n").reason == "no_interfaces"
        assert parse().reason == "no_interfaces"
        assert facts(interfaces_brief=HEADING).interfaces_found


class TestInterfaceTable:
    @pytest.mark.parametrize("mode", ParseMode)
    def test_a_row_gives_link_duplex_speed_and_name(self, mode: ParseMode) -> None:
        row = ports(
            mode, interfaces_brief=HEADING + "2/1/7  Down  None Half 100M None Yes 20 0 cc4e.0000.0a07  Staff desk 7 \n"
        )
        port = row["Et2/1/7"]
        assert (port.status, port.duplex, port.speed, port.name, port.type, port.interface_mac) == (
            "Down",
            "Half",
            "100M",
            "Staff desk 7",
            "Access",
            "cc4e.0000.0a07",
        )
        assert (port.vlan, port.auth_state, port.auth_mode, port.auth_template) == ("", "Open", "open", "open")

    def test_a_row_without_name_counts_even_without_a_blank_behind_its_address(self) -> None:
        table = (
            HEADING
            + "1/1/1 Up Forward Full 1G None No 1 0 cc4e.0000.0001\n1/1/2 Up Forward Full 1G None No 1 0 cc4e.0000.0002 \n"
        )
        assert list(ports(interfaces_brief=table)) == ["Et1/1/1", "Et1/1/2"]
        assert list(ports(ParseMode.PARITY, interfaces_brief=table)) == ["Et1/1/2"]

    @pytest.mark.parametrize(
        ("row", "port"),
        [
            ("lg1     Up    Forward Full 10G   1    Yes N/A  0   cc4e.0000.0001  uplink", "lg1"),
            ("mgmt1   Up    None    Full 1G    None No  None 0   cc4e.0000.0002", "mgmt1"),
            ("ve20    Up    N/A     N/A  N/A   None N/A N/A  N/A cc4e.0000.0003", "ve20"),
            ("lb1     Up    N/A     N/A  N/A   None N/A N/A  N/A N/A", "lb1"),
            ("1/3/1   ERR-DIS None  None 40G   None Yes 1    0   cc4e.0000.0004  core", "Et1/3/1"),
            ("12/2/1  Up    Blocking Full 2.5G None Yes 1    0   cc4e.0000.0005  core", "Et12/2/1"),
            ("  1/1/1 Up    Forward Full 100G  None Yes 1    0   cc4e.0000.0006  core", "Et1/1/1"),
        ],
    )
    def test_every_kind_of_port_is_a_row(self, row: str, port: str) -> None:
        assert list(ports(interfaces_brief=HEADING + row + "\n")) == [port]

    def test_only_stacked_ports_are_rows_in_parity_mode(self) -> None:
        table = (
            HEADING
            + "lg1 Up Forward Full 10G 1 Yes N/A 0 cc4e.0000.0001 up\n5 Up Forward Full 1G None No 1 0 cc4e.0000.0002 x\n"
        )
        assert ports(ParseMode.PARITY, interfaces_brief=table) == {}

    def test_small_switches_number_their_ports_and_print_fewer_columns(self) -> None:
        table = "Port Link State   Dupl Speed Trunk Tag Priori MAC            Name\n14   Up   Forward Full 100M  None  No  level0 00e0.5200.000d Lab 3\n"
        assert ports(interfaces_brief=table)["Et14"].name == "Lab 3"

    def test_the_heading_may_be_in_capitals_and_may_be_missing(self) -> None:
        table = HEADING + "1/1/1 Up Forward Full 1G None No 1 0 cc4e.0000.0001 a\n"
        assert list(ports(interfaces_brief=table.upper())) == ["Et1/1/1"]
        assert list(ports(interfaces_brief=table.removeprefix(HEADING))) == ["Et1/1/1"]
        assert ports(ParseMode.PARITY, interfaces_brief=table.removeprefix(HEADING)) == {}

    def test_the_wide_table_with_its_full_names_is_preferred(self) -> None:
        narrow = HEADING + "1/1/1 Up Forward Full 1G None No 1 0 cc4e.0000.0001 Conference-ro\n"
        wide = narrow.replace("-ro", "-room-4")
        assert ports(interfaces_brief=narrow, interfaces_brief_wide=wide)["Et1/1/1"].name == "Conference-room-4"

    def test_blank_lines_do_not_end_the_table(self) -> None:
        table = brief("1/1/1") + "\n" + brief("1/1/2").removeprefix(HEADING)
        assert list(ports(interfaces_brief=table)) == ["Et1/1/1", "Et1/1/2"]

    def test_a_row_that_is_none_is_reported_and_costs_no_other(self) -> None:
        result = parse(interfaces_brief=brief("1/1/1") + "1/1/2 Up Forw\n" + brief("1/1/3").removeprefix(HEADING))
        assert result.facts is not None
        assert [port.port for port in result.facts.ports] == ["Et1/1/1", "Et1/1/3"]
        assert [line.text for line in result.report.missed] == ["1/1/2 Up Forw"]

    def test_a_port_named_nowhere_is_called_by_its_port(self) -> None:
        row = "1/1/1 Up Forward Full 1G None No 1 0 cc4e.0000.0001 \n"
        assert ports(interfaces_brief=HEADING + row)["Et1/1/1"].name == "Et1/1/1"
        config = "interface ethernet 1/1/1\n port-name Trunk to core\n!\n"
        port = ports(interfaces_brief=HEADING + row, config=config)["Et1/1/1"]
        assert (port.name, port.type) == ("Trunk to core", "Trunk")


class TestConfiguration:
    def test_a_stanza_is_kept_without_its_first_line(self) -> None:
        config = "interface ethernet 1/1/1\n port-name a\n\n exit\ninterface ethernet 1/1/2\n disable\n!\nend\n"
        row = ports(config=config, interfaces_brief=brief("1/1/1", "1/1/2", "1/1/3"))
        assert [port.config for port in row.values()] == [" port-name a\n\n exit", " disable", ""]

    def test_lags_management_and_virtual_ports_have_stanzas_of_their_own(self) -> None:
        config = (
            'lag "core" dynamic id 3\n ports ethe 1/2/1 to 1/2/2\n!\n'
            "interface ethernet 1/1/1 to 1/1/2 ethernet 1/1/4\n disable\n"
            "interface management 1\n ip address dhcp\n!\ninterface ve 20\n ip helper 1\n!\n"
        )
        names = ["lg3", "1/1/1", "1/1/2", "1/1/3", "1/1/4", "mgmt1", "ve20"]
        row = ports(config=config, interfaces_brief=brief(*names))
        assert [port.config for port in row.values()] == [
            " ports ethe 1/2/1 to 1/2/2",
            " disable",
            " disable",
            "",
            " disable",
            " ip address dhcp",
            " ip helper 1",
        ]

    @pytest.mark.parametrize("mode", ParseMode)
    def test_lists_and_stanzas_decide_how_a_port_authenticates(self, mode: ParseMode) -> None:
        config = (
            "authentication\n auth-default-vlan 40\n dot1x enable ethe 1/1/1 to 1/1/9\n"
            " dot1x port-control auto ethe 1/1/1 to 1/1/2 ethe 1/1/9 to 1/1/7\n mac-authentication enable\n"
            " mac-authentication enable ethe 1/1/2\n!\n"
            "interface ethernet 1/1/3\n mac-authentication enable\n!\ninterface ethernet 1/1/4\n dot1x port-control auto\n!\n"
        )
        table = brief(*(f"1/1/{number}" for number in range(1, 10)))
        row = ports(mode, config=config, interfaces_brief=table)
        assert [port.auth_template for port in row.values()] == [
            "dot1x",
            "flexible",
            "macauth",
            "dot1x",
            *["open"] * 5,
        ]
        assert [port.auth_mode for port in row.values()][:3] == ["dot1x", "dot1x", "macauth"]
        assert {port.auth_state for port in row.values()} == {"Unknown", "Open"}

    def test_a_command_that_is_taken_back_does_not_count(self) -> None:
        config = "interface ethernet 1/1/1\n no dot1x port-control auto\n!\n"
        arguments = {"config": config, "interfaces_brief": brief("1/1/1")}
        assert ports(**arguments)["Et1/1/1"].auth_template == "open"
        assert ports(ParseMode.PARITY, **arguments)["Et1/1/1"].auth_template == "dot1x"

    def test_a_range_without_end_names_no_more_ports_than_there_can_be(self) -> None:
        config = "authentication\n dot1x port-control auto ethe 1/1/1 to 1/1/9999\n!\n" * 50
        assert ports(config=config, interfaces_brief=brief("1/1/48"))["Et1/1/48"].auth_template == "dot1x"

    @pytest.mark.parametrize("mode", ParseMode)
    def test_the_authentication_section_is_the_block(self, mode: ParseMode) -> None:
        device = facts(mode, config="Authentication\n auth-default-vlan 40\n re-authentication\n!\n dot1x enable\n")
        assert (device.auth_block, device.auth_default_vlan) == (("auth-default-vlan 40", "re-authentication"), "40")

    @pytest.mark.parametrize("mode", ParseMode)
    def test_without_a_section_the_whole_log_is_searched(self, mode: ParseMode) -> None:
        lines = " dot1x   enable\n authentication auth-default-vlan 7\n dot1x enable\n dot1x enable ethe 1/1/1\n macauthentication enable\n dot1x enabled\n"
        device = facts(mode, running_config=lines)
        assert device.auth_block == ("dot1x enable", "dot1x enable ethe 1/1/1", "macauthentication enable")
        assert device.auth_default_vlan == "7"

    def test_the_default_vlan_is_the_number_behind_its_command(self) -> None:
        line = "port 1/1/3 authdefaultvlan55\n"
        assert facts(stack=line).auth_default_vlan == "55"
        assert facts(ParseMode.PARITY, stack=line).auth_default_vlan == "1"


class TestMacTable:
    TWO = brief("1/1/1", "1/1/2")

    def macs(self, table: str, mode: ParseMode = ParseMode.LOG) -> list[tuple[str, str]]:
        row = ports(mode, interfaces_brief=self.TWO, **{"mac-address": table})
        return [(port.vlan, port.learned_macs) for port in row.values()]

    @pytest.mark.parametrize("mode", ParseMode)
    def test_the_first_row_of_a_port_tells_its_vlan_and_all_rows_its_addresses(self, mode: ParseMode) -> None:
        table = "MAC Address     Port   Type     VLAN  Action\n"
        table += "00aa.0000.0001  1/1/1  Dynamic  10    Forward\n00aa.0000.0002  1/1/1  Dynamic  20    Forward\n"
        assert self.macs(table, mode) == [("10", "00aa.0000.0001,00aa.0000.0002"), ("", "")]

    @pytest.mark.parametrize(
        "table",
        [
            "MAC-Address     Port   Type     Index  VLAN\n00aa.0000.0001  1/1/1  Dynamic  7      30\n",
            "Mac Address Table\nVLAN  MAC Address     Port   Type\n30    00aa.0000.0001  1/1/1  dynamic\n",
            "MAC ADDRESS     PORT   TYPE     VLAN\n00aa.0000.0001  1/1/1  Dynamic  30\n",
            "MAC Address     Port   Type     VLAN\n\n00aa.0000.0001  1/1/1  Dynamic  30\n",
            "MAC Address     Port           Type     VLAN\n00aa.0000.0001  1/1/1-1/1/2    Dynamic  30\n",
            "MAC Address     Port   Type     Index  VLAN\n00aa.0000.0001  1/1/1  Dynamic         30\n",
        ],
    )
    def test_the_heading_tells_the_columns(self, table: str) -> None:
        assert self.macs(table) == [("30", "00aa.0000.0001"), ("", "")]

    def test_in_parity_mode_the_first_number_is_the_vlan(self) -> None:
        table = "MAC Address     Port   Type     Index  VLAN\n00aa.0000.0001  1/1/1  Dynamic  7      30\n"
        assert self.macs(table, ParseMode.PARITY)[0] == ("7", "00aa.0000.0001")

    def test_in_parity_mode_a_blank_line_ends_the_table_and_other_columns_are_unread(self) -> None:
        head, row = "MAC Address     Port   Type     VLAN\n", "00aa.0000.0001  1/1/1  Dynamic  30\n"
        assert self.macs(head + "\n" + row, ParseMode.PARITY)[0] == ("", "")
        assert self.macs("VLAN MAC Address Port Type\n30 00aa.0000.0001 1/1/1 dynamic\n", ParseMode.PARITY)[0] == (
            "",
            "",
        )

    def test_without_a_vlan_column_there_is_no_vlan(self) -> None:
        assert self.macs("MAC Address     Port   Type\n00aa.0000.0001  1/1/1  Dynamic\n")[0] == ("", "00aa.0000.0001")

    def test_rows_that_are_damaged_are_reported(self) -> None:
        table = (
            "Total active entries from all ports = 4\nMAC-Address     Port   Type     Index  VLAN\n"
            "00aa.0000.0001  1/1/1  Dynamic  7      30\n00aa.0000  1/1/2  Dynamic\n"
            "00aa.0000.0003  9/x  Dynamic  7      30\n1/1/2  00aa\n"
        )
        missed = parse(interfaces_brief=self.TWO, **{"mac-address": table}).report.missed
        assert [line.text.split()[0] for line in missed] == ["00aa.0000", "00aa.0000.0003", "1/1/2"]


class TestSessions:
    TWO = brief("1/1/1", "1/1/2")
    UNIFIED = "Port MAC Addr IP User VLAN Method State ACL Time Age PAE\n"

    def auth(self, mode: ParseMode = ParseMode.LOG, **tables: str) -> list[tuple[str, str, str]]:
        named = {name.replace("mac_auth", "mac-auth"): table for name, table in tables.items()}
        row = ports(mode, interfaces_brief=self.TWO, **named)
        return [(port.auth_state, port.auth_mode, port.auth_client_mac) for port in row.values()]

    @pytest.mark.parametrize(
        ("row", "in_log", "in_parity"),
        [
            ("N/A bob 20 8021.X permit Yes 10 Ena AUTHENTICATED", "Authorized", "Authorized"),
            ("N/A bob 20 8021.X permit No 10 Ena UNAUTHENTICATED", "Unauthorized", "Authorized"),
            ("N/A bob 20 8021.X permit No 10 Ena AUTHENTICATING", "Unauthorized", "Unauthorized"),
            ("N/A N/A 20 MAUTH permit Yes 10 Ena N/A", "Authorized", "Authorized"),
            ("N/A N/A 20 MAUTH permit None 10 Ena N/A", "Authorized", "Open"),
            ("N/A N/A 20 MAUTH blocked None 10 Ena N/A", "Unauthorized", "Open"),
            ("N/A Bob Smith 20 8021.X permit None 10 Ena AUTHENTICATED", "Authorized", "Open"),
            ("N/A bob 20", "Open", "Open"),
        ],
    )
    def test_a_row_of_the_unified_table_tells_who_is_let_in(self, row: str, in_log: str, in_parity: str) -> None:
        table = f"{self.UNIFIED}1/1/1 00aa.0000.0001 {row}\n"
        for mode, state in ((ParseMode.LOG, in_log), (ParseMode.PARITY, in_parity)):
            port = self.auth(mode, authentication_sessions=table)[0]
            method = "open" if state == "Open" else "macauth" if "MAUTH" in row else "dot1x"
            assert port == (state, method, "" if state == "Open" else "00aa.0000.0001")

    def test_the_unified_table_counts_alone_and_its_first_row_of_a_port(self) -> None:
        rows = "".join(f"1/1/1 00aa.0000.000{n} N/A u 20 MAUTH permit Yes 10 Ena N/A\n" for n in (1, 2))
        dot1x = "Port MAC\n1/1/2 00aa.0000.0009 AUTHENTICATED\n"
        found = self.auth(authentication_sessions_all=self.UNIFIED + rows, dot1x_sessions_all=dot1x)
        assert found == [("Authorized", "macauth", "00aa.0000.0001"), ("Open", "open", "")]

    def test_an_error_in_its_place_does_not_hide_the_older_tables(self) -> None:
        dot1x = "Port MAC\n1/1/2 00aa.0000.0009 AUTHENTICATED\n"
        tables = {"authentication_sessions": "Invalid input -> sessions\n", "dot1x_sessions_all": dot1x}
        assert self.auth(**tables)[1][0] == "Authorized"
        assert self.auth(ParseMode.PARITY, **tables)[1][0] == "Open"

    @pytest.mark.parametrize("mode", ParseMode)
    def test_a_session_by_802_1x_outweighs_one_by_address(self, mode: ParseMode) -> None:
        dot1x = "Port MAC IP User Vlan Auth ACL Age Pae\n1/1/1 00aa.0000.0001 N/A u 20 Permit none S1 *AUTHENTICATING\n"
        by_mac = "Port MAC IP Vlan Auth ACL Age\n1/1/1 00aa.0000.0002 N/A 20 No none S1\n1/1/2 00aa.0000.0003 N/A 20 Yes none ENA\n"
        assert self.auth(mode, dot1x_sessions_all=dot1x, mac_authentication_sessions_all=by_mac) == [
            ("Authenticating", "dot1x", "00aa.0000.0001"),
            ("Authorized", "macauth", "00aa.0000.0003"),
        ]

    @pytest.mark.parametrize("mode", ParseMode)
    def test_release_7_lists_addresses_that_were_admitted_and_refused(self, mode: ParseMode) -> None:
        head = "Mac Addresses   Port   Vlan Authenticated Time\n"
        found = self.auth(
            mode,
            **{
                "auth-mac-addresses authorized-mac": f"{head}00aa.0000.0001  1/1/1  20  Yes  Jan 1 10:00:00 Ena yes1\n",
                "auth-mac-addresses unauthorized-mac": f"{head}00aa.0000.0002  1/1/2  20  Yes  Jan 1 10:00:00 casino\n",
            },
        )
        assert found == [("Authorized", "macauth", "00aa.0000.0001"), ("Unauthorized", "macauth", "00aa.0000.0002")]

    def test_sessions_that_are_damaged_are_reported(self) -> None:
        good = "1/1/1 00aa.0000.0001 N/A u 20 8021.X permit Yes 100 Ena AUTHENTICATED\n"
        table = self.UNIFIED + "---- ----\n" + good + "1/1/2 00aa.00\n1/1/2\nall told: 1\n"
        missed = parse(interfaces_brief=brief("1/1/1"), authentication_sessions=table).report.missed
        assert [line.text for line in missed] == ["1/1/2 00aa.00", "1/1/2"]

    @pytest.mark.parametrize(
        ("word", "in_log", "in_parity"),
        [
            ("AUTHENTICATED", "Authorized", "Authorized"),
            ("UNAUTHENTICATED", "Unauthorized", "Authorized"),
            ("HELD", "Unauthorized", "Open"),
            ("CONNECTING", "Authenticating", "Open"),
        ],
    )
    def test_the_last_word_of_an_802_1x_session_is_its_state(self, word: str, in_log: str, in_parity: str) -> None:
        table = {"dot1x mac-sessions": f"Port MAC/IP(username) VLAN PAE\n1/1/1 00aa.0000.0001 :u 20 permit {word}\n"}
        assert self.auth(ParseMode.LOG, **table)[0][0] == in_log
        assert self.auth(ParseMode.PARITY, **table)[0][0] == in_parity


WHOLE = (
    "SSH@lab-icx#show version\n"
    + VERSION
    + "SSH@lab-icx#show config\nauthentication\n auth-default-vlan 4\n mac-authentication enable ethe 1/1/1 to 1/1/2\n!\n"
    + "interface ethernet 1/1/1\n port-name a b\n!\nlag x dynamic id 1\n ports ethe 1/1/3\n!\n"
    + "SSH@lab-icx#show interfaces brief\n"
    + brief("1/1/1", "1/1/2", "lg1")
    + "SSH@lab-icx#show mac-address\nMAC-Address Port Type Index VLAN\n00aa.0000.0001 1/1/1 Dynamic 7 30\n"
    + "SSH@lab-icx#show authentication sessions all\n"
    + TestSessions.UNIFIED
    + "1/1/1 00aa.0000.0001 N/A u 20 MAUTH permit Yes 10 Ena N/A\n"
    + "SSH@lab-icx#show dot1x sessions all\nPort MAC\n1/1/2 00aa.0000.0009 AUTHENTICATED\n"
    + "SSH@lab-icx#show auth-mac-addresses authorized-mac\nMac Addresses Port Vlan\n00aa.0000.0002 1/1/2 20 Yes\n"
)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), mode=st.sampled_from(ParseMode))
def test_a_damaged_log_never_raises(data: st.DataObject, mode: ParseMode) -> None:
    words = WHOLE.split(" ")
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(words) - 1))
        words[at] = data.draw(
            st.sampled_from(["", "\n", "\n\n", "!", "1/1/1", "N/A", "²", "٣", "0" * 5000, "Port Link MAC", words[-1]])
        )
    result = parse_log(" ".join(words), name="x", mode=mode)
    assert result.reason != "parse_failed"
    assert not [note for note in result.report.notes if "could not be read" in note.message]
