"""Whatever a log is, parsing tells what it says or why that is not known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from statetrace.model.facts import DeviceFacts, PortFacts
from statetrace.parsing import ParseMode, Vendor, known_vendors, parse_devices, parse_log, register_vendor
from statetrace.parsing import vendor as vendor_module
from statetrace.parsing.blocks import DeviceLog

CISCO = """{host}#show version
Cisco IOS Software, Version 15.2(4)E8, RELEASE SOFTWARE
{host}#show interfaces status

Port      Name               Status       Vlan       Duplex  Speed Type
Gi1/0/1   desk               connected    10         a-full a-1000 10/100/1000BaseTX
{host}#
"""


@pytest.fixture
def own_vendor() -> Iterator[list[object]]:
    """A make of our own, ``Acme``; what its parser returns or raises is the last item of the list."""
    before = dict(vendor_module._VENDORS)
    answers: list[object] = []

    def parse(log: DeviceLog) -> DeviceFacts:
        if isinstance(answers[-1], Exception):
            raise answers[-1]
        assert isinstance(answers[-1], DeviceFacts)
        return msgspec.structs.replace(answers[-1], hostname=log.hostname)

    register_vendor(Vendor("Acme", parse, version_words=re.compile(r"\bAcme\b"), log_words=re.compile("ACME OS")))
    yield answers
    vendor_module._VENDORS.clear()
    vendor_module._VENDORS.update(before)


class TestVendors:
    def test_the_makes_we_read_are_known(self) -> None:
        assert {vendor.make for vendor in known_vendors()} == {
            "Arista",
            "Aruba",
            "Brocade",
            "Cisco",
            "Juniper",
            "PaloAlto",
        }

    def test_a_vendor_of_ones_own_is_asked_too(self, own_vendor: list[object]) -> None:
        own_vendor.append(DeviceFacts("", "Acme", interfaces_found=True))
        found = parse_log("sw1#show version\nAcme switch\nsw1#")
        assert found.facts == DeviceFacts("sw1", "Acme", interfaces_found=True)

    def test_a_second_vendor_of_a_make_replaces_the_first(self, own_vendor: list[object]) -> None:
        count = len(known_vendors())
        register_vendor(Vendor("ACME", lambda log: DeviceFacts(log.hostname, "ACME")))
        assert len(known_vendors()) == count

    @pytest.mark.parametrize(
        ("lines", "make"),
        [
            (["brocade", "sw1#show version", "Cisco IOS Software", "sw1#show cdp neighbors", "core-arista"], "Cisco"),
            (["sw1#show version", "something", "Brocade Communications", "Cisco", "sw1#"], "Brocade"),
            (["sw1#show version", "Arista, once Cisco", "sw1#"], "Arista"),
            (["sw1#sh ver", "cisco WS-C2960 (PowerPC)", "sw1#show x", "arista"], "Cisco"),
            (["sw1#show x", "cisco", "IronWare"], "Brocade"),
            (["sw1#show x", "cisco"], "Cisco"),
        ],
    )
    def test_the_version_decides_then_the_words_of_the_whole_log(self, lines: list[str], make: str) -> None:
        facts = parse_log("\n".join(lines)).facts
        assert facts is not None
        assert facts.make == make

    def test_makes_that_the_original_does_not_ingest_are_unknown_in_parity_mode(self, own_vendor: list[object]) -> None:
        own_vendor.append(DeviceFacts("", "Acme"))
        register_vendor(msgspec.structs.replace(vendor_module._VENDORS["acme"], parity=False))
        found = parse_log("sw1#show version\nAcme switch\nsw1#", mode=ParseMode.PARITY)
        assert found.reason == "unknown_vendor"


class TestFailures:
    @pytest.mark.parametrize("log", ["", b"", "hello", b"\xff\xfe\x00", "sw1#show version\nSomething else\nsw1#"])
    def test_an_unknown_make_is_a_result(self, log: str | bytes) -> None:
        found = parse_log(log, name="sw1")
        assert (found.facts, found.reason, found.name) == (None, "unknown_vendor", "sw1")

    @pytest.mark.parametrize("mode", ParseMode)
    def test_without_facts_nothing_counts_as_read(self, mode: ParseMode, own_vendor: list[object]) -> None:
        own_vendor.append(LookupError("lost"))
        for version in ("Something else", "Acme"):
            found = parse_log(f"sw1#show version\n{version}\nsw1#show interfaces status\nGi1/0/1\nsw1#", mode=mode)
            assert found.facts is None
            assert [(command.recognised, command.rows) for command in found.report.commands] == [(False, 0)] * 2
            assert (found.report.coverage, found.report.missed_count) == (0.0, 0)

    def test_without_a_table_of_interfaces_nothing_is_told_of_rows_that_may_not_exist(self) -> None:
        found = parse_log("sw1#show version\nCisco IOS\nsw1#")
        assert found.reason == "no_interfaces"
        assert found.message == "no table of interfaces was found; rows that are stored already are kept"

    def test_an_exception_of_a_vendor_is_a_result_and_a_note(self, own_vendor: list[object]) -> None:
        own_vendor.append(ZeroDivisionError("by nought"))
        found = parse_log("sw1#show version\nAcme\nsw1#", name="sw1")
        assert (found.facts, found.reason, found.message) == (None, "parse_failed", "ZeroDivisionError: by nought")
        assert "line" in found.report.notes[0].message
        assert [command.command for command in found.report.commands] == ["show version"]

    def test_a_log_that_names_no_host_fails_unless_its_slice_does(self) -> None:
        log = "Cisco\n> show interfaces status\nPort Name Status\nGi1/0/1 connected 1 full 100 x\n"
        assert parse_log(log).reason == "parse_failed"
        facts = parse_log(log, name="SSH@sw9-20250102-030405").facts
        assert facts is not None
        assert (facts.hostname, facts.ports[0].status) == ("sw9", "connected")

    @pytest.mark.parametrize("mode", ParseMode)
    def test_unknown_is_no_host(self, mode: ParseMode) -> None:
        assert parse_log("unknown#show version\nCisco\n", mode=mode).reason == "parse_failed"


class TestDevices:
    def test_each_device_of_a_file_gets_its_own_ports(self) -> None:
        raw = "motd\n" + CISCO.format(host="sw1") + CISCO.format(host="SW2") + "sw1#show clock\nnoon\n"
        first, second = parse_devices(raw.encode("utf-16"), name="file")
        assert (first.name, second.name) == ("sw1", "SW2")
        assert [found.facts and len(found.facts.ports) for found in (first, second)] == [1, 1]
        assert [command.command for command in first.report.commands][-1] == "show clock"

    def test_a_text_may_be_given_for_bytes(self) -> None:
        raw = CISCO.format(host="sw1")
        assert parse_devices(raw) == parse_devices(raw.encode()) == (parse_log(raw, name="sw1"),)

    def test_the_file_names_a_device_that_does_not_name_itself(self) -> None:
        (found,) = parse_devices("Cisco\n", name="sw9")
        assert found.name == "sw9"

    def test_an_empty_file_holds_none(self) -> None:
        assert parse_devices(b"") == ()

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_line_ends_make_no_difference(self, end: str) -> None:
        raw = CISCO.format(host="sw1")
        assert parse_log(raw.replace("\n", end)) == parse_log(raw)


class TestColumns:
    def test_texts_longer_than_their_columns_are_cut_and_told(self, own_vendor: list[object]) -> None:
        port = PortFacts("Gi1", name="n" * 129, status="s" * 33, type="é" * 32, auth_mode="\U0001f600" * 17)
        own_vendor.append(
            DeviceFacts("", "Acme", model="m" * 65, ports=(port, PortFacts("Gi2")), interfaces_found=True)
        )
        found = parse_log("sw1#show version\nAcme\nsw1#")
        assert found.facts is not None
        cut = found.facts.ports[0]
        assert (len(cut.name), len(cut.status), cut.type, cut.auth_mode) == (128, 32, "é" * 32, "\U0001f600" * 16)
        assert len(found.facts.model) == 64
        assert [(entry.field, entry.port, entry.length, entry.limit) for entry in found.report.cut] == [
            ("name", "Gi1", 129, 128),
            ("status", "Gi1", 33, 32),
            ("auth_mode", "Gi1", 34, 32),
            ("model", "", 65, 64),
        ]

    def test_half_a_character_at_the_cut_is_dropped(self, own_vendor: list[object]) -> None:
        port = PortFacts("Gi1", status="s" * 31 + "\U0001f600")
        own_vendor.append(DeviceFacts("", "Acme", ports=(port,), interfaces_found=True))
        facts = parse_log("sw1#show version\nAcme\nsw1#").facts
        assert facts is not None
        assert facts.ports[0].status == "s" * 31


def test_location_parts_are_derived_for_every_vendor(own_vendor: list[object]) -> None:
    own_vendor.append(DeviceFacts("", "Acme", location="Bldg_1_Row_2", interfaces_found=True))
    facts = parse_log("sw1#show version\nAcme\nsw1#").facts
    assert facts is not None
    assert (facts.building, facts.floor, facts.row) == ("1", "", "2")


def test_a_result_can_be_sent_to_another_process() -> None:
    found = parse_log(CISCO.format(host="sw1"))
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found


class TestAnnouncedVendors:
    @pytest.fixture(autouse=True)
    def fresh(self, own_vendor: list[object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
        """Another package, installed in ``tmp_path``."""
        own_vendor.append(DeviceFacts("", "Acme"))
        metadata = tmp_path / "acme-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        self.entry_points = metadata / "entry_points.txt"
        (tmp_path / "acme_switches.py").write_text(
            "from statetrace.parsing import Vendor\nVENDOR = Vendor('Acme Two', print)\nNONE = 'nothing'\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))
        vendor_module._load_announced.cache_clear()
        yield
        vendor_module._load_announced.cache_clear()

    def announce(self, what: str) -> None:
        self.entry_points.write_text(f"[statetrace.vendors]\nacme = {what}\n")

    def test_they_are_known(self) -> None:
        self.announce("acme_switches:VENDOR")
        assert "Acme Two" in {vendor.make for vendor in known_vendors()}

    @pytest.mark.parametrize("what", ["acme_switches:MISSING", "no_such_module:VENDOR", "acme_switches:NONE"])
    def test_a_broken_one_is_a_warning(self, what: str) -> None:
        self.announce(what)
        with pytest.warns(RuntimeWarning, match="acme"):
            assert "Cisco" in {vendor.make for vendor in known_vendors()}


@pytest.mark.parametrize(("mode", "room"), [(ParseMode.LOG, "1"), (ParseMode.PARITY, '1"')])
def test_quotes_around_a_location_belong_to_its_text_but_not_to_its_parts(mode: ParseMode, room: str) -> None:
    log = 'sw1#show version\nCisco\nsw1#show running-config\nsnmp-server location "Bldg_9_Room_1"\nsw1#'
    facts = parse_log(log, mode=mode).facts
    assert facts is not None
    assert (facts.location, facts.room) == ('"Bldg_9_Room_1"', room)
    assert facts.building == ("9" if mode is ParseMode.LOG else "")
