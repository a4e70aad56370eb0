"""Parsing the log of a switch beside reading its file, and beside TextFSM."""

from __future__ import annotations

import io

import pytest

from statetrace.ingestion.corpus import CorpusPlan, CorpusSite, host_log
from statetrace.parsing import host_spans, parse_devices, parse_log

textfsm = pytest.importorskip("textfsm", reason="the package textfsm is needed")

TEMPLATES = {
    "show version": r"""Value VERSION (\S+?)
Value UPTIME (.+)
Value List MODEL (\S+)

Start
  ^.*Software.*,\s+Version\s+${VERSION}(?:,|\s|$$)
  ^\S+\s+uptime\s+is\s+${UPTIME}$$
  ^[Mm]odel\s+[Nn]umber\s*:\s*${MODEL}
""",
    "show interfaces status": r"""Value PORT (\S+)
Value NAME (.*?)
Value STATUS (connected|notconnect|disabled|err-disabled|inactive|suspended|monitoring)
Value VLAN (\d+|trunk|routed|unassigned)
Value DUPLEX (\S+)
Value SPEED (\S+)
Value TYPE (.*)

Start
  ^Port\s+Name\s+Status -> Rows

Rows
  ^${PORT}\s+${NAME}\s*${STATUS}\s+${VLAN}\s+${DUPLEX}\s+${SPEED}\s*${TYPE}$$ -> Record
""",
    "show mac address-table": r"""Value VLAN (\d+)
Value MAC ([0-9a-fA-F]{4}\.[0-9a-fA-F]{4}\.[0-9a-fA-F]{4})
Value TYPE (\S+)
Value PORT (\S+)

Start
  ^\s*${VLAN}\s+${MAC}\s+${TYPE}\s+${PORT}\s*$$ -> Record
""",
    "show authentication sessions": r"""Value PORT (\S+)
Value MAC ([0-9a-fA-F]{4}\.[0-9a-fA-F]{4}\.[0-9a-fA-F]{4})
Value METHOD (\S+)
Value DOMAIN (\S+)
Value STATUS (.+?)
Value SESSION (\S+)

Start
  ^Interface\s+MAC -> Rows

Rows
  ^${PORT}\s+${MAC}\s+${METHOD}\s+${DOMAIN}\s+${STATUS}\s+${SESSION}\s*$$ -> Record
""",
    "show running-config": r"""Value Required PORT (\S+)
Value DESCRIPTION (.+?)
Value VLAN (\d+)
Value MODE (\S+)
Value List AUTH (.+?)

Start
  ^interface\s+\S+ -> Continue.Record
  ^interface\s+${PORT}\s*$$
  ^\s+description\s+${DESCRIPTION}\s*$$
  ^\s+switchport\s+access\s+vlan\s+${VLAN}\s*$$
  ^\s+switchport\s+mode\s+${MODE}\s*$$
  ^\s+(?=authentication|dot1x|mab)${AUTH}\s*$$
""",
    "show spanning-tree": r"""Value Filldown,Required VLAN (VLAN\d+|MST\d+)
Value ROOT (\S+)
Value PORT (\S+)
Value ROLE (\S+)

Start
  ^(?:VLAN|MST)\d+ -> Continue.Record
  ^${VLAN}
  ^\s+Address\s+${ROOT} -> Rows

Rows
  ^Interface\s+Role
  ^${PORT}\s+${ROLE}\s+(?:FWD|BLK|LRN|LIS)\s -> Record Start
""",
}
FOUR = ("show version", "show interfaces status", "show mac address-table", "show authentication sessions")


def log_of(make, site="WLLS"):
    return host_log(CorpusPlan((CorpusSite(site, make, hosts=1, ports=48),)), 0)


@pytest.mark.parametrize("make", ["Cisco", "Brocade", "Arista"])
def test_parsing_a_log_of_48_ports(benchmark, ratios, tmp_path, make):
    path = tmp_path / "switch.log"
    path.write_text(log_of(make), encoding="utf-8")

    def ours():
        with path.open("rb") as file:
            return parse_log(file.read())

    def floor():
        with path.open(encoding="utf-8") as file:
            return file.read().splitlines()

    found = ours()
    assert (len(found.facts.ports), found.report.coverage) == (48, 100.0)
    name = f"parse, 48 ports, {make} / read and split lines"
    ratios.record(name, ratios.best_seconds(ours, 20, 15), ratios.best_seconds(floor, 100, 15), 25)
    benchmark(ours)


def test_splitting_a_file_of_many_devices(benchmark, ratios):
    sites = {"ALDR": "Cisco", "BRCK": "Brocade", "CEDR": "Arista"}
    raw = "".join(log_of(make, site) for site, make in sites.items()).replace("\n", "\r\n").encode()
    assert [len(found.facts.ports) for found in parse_devices(raw)] == [48, 48, 48]

    def ours():
        return host_spans(raw)

    ratios.record(
        "split hosts / split lines", ratios.best_seconds(ours, 20), ratios.best_seconds(raw.splitlines, 20), 5
    )
    benchmark(ours)


@pytest.mark.parametrize(("commands", "limit"), [(tuple(TEMPLATES), 1 / 5), (FOUR, 1 / 3)], ids=["whole", "four"])
def test_parsing_beside_textfsm(benchmark, ratios, commands, limit):
    log = log_of("Cisco")
    outputs = {command: output_of(log, command) for command in commands}
    machines = {command: textfsm.TextFSM(io.StringIO(TEMPLATES[command])) for command in commands}
    same = "".join(f"WLLS-A01-AS-01#{command}\n{output}" for command, output in outputs.items())

    def ours():
        return parse_log(same)

    def floor():
        for machine in machines.values():
            machine.Reset()
        return {command: machines[command].ParseText(output) for command, output in outputs.items()}

    rows, facts = floor(), ours().facts
    assert len(rows["show interfaces status"]) == len(facts.ports) == 48
    assert len(rows["show mac address-table"]) >= sum(
        len(port.learned_macs.split(",")) for port in facts.ports if port.learned_macs
    )
    assert {row[0] for row in rows["show authentication sessions"]} == {
        port.port for port in facts.ports if port.auth_client_mac
    }
    name = f"parse / TextFSM, {len(commands)} commands"
    ratios.record(name, ratios.best_seconds(ours, 20, 9), ratios.best_seconds(floor, 5, 9), limit)
    benchmark(ours)


def output_of(log, command):
    output = log.partition(f"#{command}\n")[2]
    return output[: output.rindex("\n", 0, output.index("#")) + 1]
