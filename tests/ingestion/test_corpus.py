"""The made-up logs: the same every time, of any size, and true to what they say of themselves."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import msgspec
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from statetrace.cli.corpus import corpus
from statetrace.errors import StateTraceError
from statetrace.ingestion.corpus import (
    MOST_SITES,
    CorpusPlan,
    CorpusSite,
    corpus_hosts,
    host_log,
    write_corpus,
)
from statetrace.model import site_of
from statetrace.parsing import parse_devices, parse_log

SMALL = CorpusPlan.of_size(sites=6, hosts=18, ports=30)
"""Every make, both forms of Brocade, uplinks within and at the end."""
DEVICE_FIELDS = ("make", "model", "uptime", "location", "auth_default_vlan")
PORT_FIELDS = (
    "port", "name", "status", "vlan", "duplex", "speed", "type", "learned_macs",
    "auth_state", "auth_mode", "auth_client_mac", "auth_template", "config",
)  # fmt: skip


def at_generation(plan, generation):
    return msgspec.structs.replace(plan, generation=generation)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == ".log"}


def stored(facts):
    """What of a parsed or a made-up device is stored, its ports by name."""
    device = tuple(getattr(facts, field) for field in DEVICE_FIELDS)
    return device, {port.port: tuple(getattr(port, field) for field in PORT_FIELDS) for port in facts.ports}


# --- the plan -------------------------------------------------------------------------------------------------------


def test_the_default_plan_has_the_shape_of_the_originals_corpus():
    plan = CorpusPlan.original_shape()
    assert (plan.hosts, plan.rows) == (37, 1320)
    assert [(site.site, site.make, site.hosts, site.ports) for site in plan.sites] == [
        ("ALDR", "Brocade", 12, 10),
        ("BRCK", "Cisco", 25, 48),
    ]


@given(sites=st.integers(1, 40), hosts=st.integers(40, 200))
def test_hosts_are_spread_evenly_and_every_name_comes_once(sites, hosts):
    plan = CorpusPlan.of_size(sites, hosts, ports=1)
    names = [site.host_name(number) for site in plan.sites for number in range(site.hosts)]
    assert plan.hosts == hosts == len({name.lower() for name in names})
    assert max(site.hosts for site in plan.sites) - min(site.hosts for site in plan.sites) <= 1


def test_as_many_sites_as_there_may_be_have_different_codes_of_four_letters():
    sites = CorpusPlan.of_size(MOST_SITES, MOST_SITES).sites
    assert len({site.site for site in sites}) == MOST_SITES
    assert all(re.fullmatch("[A-Z]{4}", site.site) for site in sites)
    assert {site.site for site in sites}.isdisjoint({"ALDR", "BRCK", "BOYO", "WLLS"})


def test_makes_take_turns_and_the_forms_of_brocade_do_too():
    sites = CorpusPlan.of_size(12, 12).sites
    assert [site.make for site in sites[:4]] == ["Cisco", "Brocade", "Arista", "Cisco"]
    assert [site.legacy for site in sites if site.make == "Brocade"] == [False, True, False, True]


@pytest.mark.parametrize(
    ("sites", "hosts", "ports"), [(0, 1, 1), (2, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, -1), (1, 1, 10**6), (1, 10**9, 1)]
)
def test_absurd_sizes_are_refused(sites, hosts, ports):
    with pytest.raises(ValueError, match=r"not|no |cannot"):
        CorpusPlan.of_size(sites, hosts, ports)


@pytest.mark.parametrize(
    "site",
    [
        CorpusSite("../up", "Cisco", 1, 1),
        CorpusSite("A-B", "Cisco", 1, 1),
        CorpusSite("CON", "Cisco", 1, 1),
        CorpusSite("ABCD", "Nokia", 1, 1),
        CorpusSite("ABCD", "Cisco", 0, 1),
    ],
)
def test_sites_that_cannot_be_made_up_are_refused(site):
    with pytest.raises(ValueError):
        CorpusPlan((site,))


def test_a_site_that_comes_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        CorpusPlan((CorpusSite("ABCD", "Cisco", 1, 1), CorpusSite("abcd", "Arista", 1, 1)))


def test_a_host_beyond_the_plan_is_refused():
    with pytest.raises(IndexError, match="18 hosts"):
        host_log(SMALL, 18)
    with pytest.raises(IndexError):
        host_log(SMALL, -1)


# --- the logs -------------------------------------------------------------------------------------------------------


def digest(plan):
    hashed = hashlib.sha256()
    for index in range(plan.hosts):
        hashed.update(host_log(plan, index).encode())
    return hashed.hexdigest()


def test_the_same_plan_gives_the_same_bytes_in_every_process():
    program = """
import hashlib
from statetrace.ingestion.corpus import CorpusPlan, host_log
plan = CorpusPlan.of_size(sites=6, hosts=18, ports=30)
print(hashlib.sha256("".join(host_log(plan, index, 3) for index in range(18)).encode()).hexdigest())
"""
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert printed == {digest(at_generation(SMALL, 3))}


def test_another_seed_gives_other_devices_of_the_same_names():
    other = msgspec.structs.replace(SMALL, seed=2)
    assert [host.name for host in corpus_hosts(other)] == [host.name for host in corpus_hosts(SMALL)]
    assert digest(other) != digest(SMALL)


def test_every_prompt_carries_the_name_of_its_host():
    for index, host in enumerate(corpus_hosts(SMALL)):
        log = host_log(SMALL, index)
        assert {line.partition("#")[0] for line in log.splitlines() if re.match(r"\S+-AS-\d+#", line)} == {
            f"SSH@{host.name}" if host.make == "Brocade" else host.name
        }
        assert site_of(host.name) == host.site


def test_no_address_comes_twice():
    macs = [
        mac
        for host in corpus_hosts(SMALL)
        for port in host.ports
        for mac in port.learned_macs.split(",")
        if port.learned_macs
    ]
    assert len(macs) > SMALL.rows / 2
    assert len(set(macs)) == len(macs)


def test_ports_are_of_all_sorts():
    plan = CorpusPlan.of_size(3, 12)
    ports = [port for host in corpus_hosts(plan) for port in host.ports]
    assert {port.status for port in ports} == {
        *("connected", "notconnect", "disabled", "err-disabled", "errdisabled"),
        *("Up", "Down", "Disable"),
    }
    assert {port.auth_template for port in ports} >= {"flexible", "dot1x", "macauth", "open"}
    assert {port.auth_mode for port in ports} >= {"mab", "dot1x", "macauth", "open", "unknown"}
    assert {port.auth_state for port in ports} >= {"Authorized", "Unauthorized", "Authenticating", "Open", "Unknown"}
    assert any(" " in port.name for port in ports)
    assert any("<==" in port.name for port in ports)
    assert any("voice" in port.config for port in ports)
    assert sum(port.vlan == "trunk" for port in ports) >= 8


@pytest.mark.parametrize("ports", [1, 2, 48, 49, 120])
def test_a_host_has_the_ports_asked_for_over_as_many_stack_members_as_it_takes(ports):
    for host in corpus_hosts(CorpusPlan.of_size(3, 3, ports)):
        assert len({port.port for port in host.ports}) == ports
    (cisco, *_) = corpus_hosts(CorpusPlan.of_size(3, 3, ports))
    assert cisco.ports[-1].port == f"Gi{(ports - 1) // 48 + 1}/0/{(ports - 1) % 48 + 1}"


@pytest.mark.parametrize("generation", [1, 4])
def test_every_log_parses_to_exactly_what_it_was_made_of(generation):
    plan = msgspec.structs.replace(SMALL, change_percent=10)
    for index, truth in enumerate(corpus_hosts(plan, generation)):
        result = parse_log(host_log(plan, index, generation), name="slice")
        assert result.facts is not None, result.message
        assert result.facts.hostname == truth.name
        assert stored(result.facts) == stored(truth)
        assert len(result.facts.ports) == len(truth.ports)


def test_the_parser_understands_every_line_of_every_log():
    for index in range(SMALL.hosts):
        report = parse_log(host_log(SMALL, index)).report
        assert report.missed == ()
        assert report.cut == ()
        assert report.notes == ()


# --- generations ----------------------------------------------------------------------------------------------------


def changed(plan, before, after):
    """The fields that differ, a set a port."""
    differences = {}
    for old, new in zip(corpus_hosts(plan, before), corpus_hosts(plan, after), strict=True):
        assert msgspec.structs.replace(old, ports=()) == msgspec.structs.replace(new, ports=())
        for was, now in zip(old.ports, new.ports, strict=True):
            if was != now:
                fields = {field for field in PORT_FIELDS if getattr(was, field) != getattr(now, field)}
                differences[new.name, now.port] = fields
    return differences


@pytest.mark.parametrize(("percent", "ports"), [(0, 0), (0.01, 1), (1, 24), (10, 240), (100, 2400)])
def test_a_generation_changes_exactly_the_ports_asked_for(percent, ports):
    plan = msgspec.structs.replace(CorpusPlan.of_size(5, 50), change_percent=percent)
    for generation in (2, 3):
        differences = changed(plan, generation - 1, generation)
        assert len(differences) == ports
        assert all(fields & {"status", "vlan", "name"} for fields in differences.values())


def test_changes_are_of_status_vlan_and_name_and_lie_over_all_hosts():
    plan = msgspec.structs.replace(CorpusPlan.of_size(6, 30), change_percent=10)
    differences = changed(plan, 1, 2)
    kinds = Counter(field for fields in differences.values() for field in fields & {"status", "vlan", "name"})
    assert min(kinds["status"], kinds["vlan"], kinds["name"]) > len(differences) / 10
    assert len({host for host, _ in differences}) == 30


def test_a_host_without_changes_has_the_same_log_byte_for_byte():
    plan = CorpusPlan.of_size(3, 60, ports=10)
    names = [host.name for host in corpus_hosts(plan)]
    touched = {host for host, _ in changed(plan, 1, 2)}
    assert 0 < len(touched) <= 6
    for index, name in enumerate(names):
        assert (host_log(plan, index, 1) == host_log(plan, index, 2)) is (name not in touched)


def test_the_generation_of_the_plan_is_the_default():
    plan = at_generation(SMALL, 3)
    assert host_log(plan, 4) == host_log(SMALL, 4, 3)
    assert list(corpus_hosts(plan)) == list(corpus_hosts(SMALL, 3))


# --- on disk --------------------------------------------------------------------------------------------------------


def test_a_file_a_host_holds_the_log_of_that_host(tmp_path):
    summary = write_corpus(tmp_path / "logs", SMALL)
    files = contents(tmp_path / "logs")
    assert files == {
        f"{host.name}.log": host_log(SMALL, index).encode() for index, host in enumerate(corpus_hosts(SMALL))
    }
    assert (summary.hosts, summary.rows, summary.files) == (18, 540, 18)
    assert summary.bytes == sum(map(len, files.values())) == sum(site.bytes for site in summary.sites)
    assert [(site.site, site.hosts) for site in summary.sites] == [(site.site, 3) for site in SMALL.sites]


def test_a_session_file_a_site_holds_the_same_devices_interleaved(tmp_path):
    plan = msgspec.structs.replace(SMALL, combined=True)
    write_corpus(tmp_path, plan)
    files = contents(tmp_path)
    assert set(files) == {f"{site.site}.log" for site in plan.sites}
    truth = {host.name: stored(host) for host in corpus_hosts(plan)}
    for raw in files.values():
        for result in parse_devices(raw):
            assert stored(result.facts) == truth.pop(result.facts.hostname)
        prompts = re.findall(rb"^(?:SSH@)?(\w+-A\d+-AS-\d+)#", raw, re.MULTILINE)
        switches = sum(before != after for before, after in pairwise(prompts))
        assert switches > len(set(prompts)) - 1, "each host comes in one piece"
    assert not truth


def test_a_corpus_takes_the_place_of_the_one_before(tmp_path):
    write_corpus(tmp_path, SMALL)
    smaller = CorpusPlan.of_size(sites=2, hosts=2, ports=3)
    write_corpus(tmp_path, smaller)
    assert set(contents(tmp_path)) == {f"{host.name}.log" for host in corpus_hosts(smaller)}
    write_corpus(tmp_path, msgspec.structs.replace(smaller, combined=True))
    assert set(contents(tmp_path)) == {f"{site.site}.log" for site in smaller.sites}


def test_what_a_killed_writer_left_behind_is_no_foreign_file(tmp_path):
    write_corpus(tmp_path, SMALL)
    name = next(iter(contents(tmp_path)))
    (tmp_path / f".{name}.tmp").write_bytes(b"half")
    write_corpus(tmp_path, SMALL)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", ["core.log", "notes.txt", "statetrace-corpus.json"])
def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path, name):
    (tmp_path / name).write_text("precious")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StateTraceError, match="no corpus"):
        write_corpus(tmp_path, SMALL)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / name).read_text() == "precious"


def test_force_writes_beside_other_files_and_keeps_them(tmp_path):
    (tmp_path / "core.log").write_text("precious")
    write_corpus(tmp_path, SMALL, force=True)
    assert len(contents(tmp_path)) == 19
    write_corpus(tmp_path, CorpusPlan.of_size(1, 1), force=True)
    assert (tmp_path / "core.log").read_text() == "precious"


def test_folders_beside_the_logs_do_no_harm(tmp_path):
    (tmp_path / "IngestionMetrics").mkdir()
    write_corpus(tmp_path, SMALL)


# --- the command ----------------------------------------------------------------------------------------------------

app = typer.Typer()
app.command()(corpus)


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_writes_and_tells_what_it_wrote(tmp_path):
    finished = call(tmp_path, "--sites", 3, "--hosts", 6, "--ports", 4)
    assert finished.exit_code == 0, finished.output
    assert [line.split()[:4] for line in finished.stdout.splitlines()[1:]] == [
        ["BALA", "Cisco", "2", "8"],
        ["NANI", "Brocade", "2", "8"],
        ["FESU", "Arista", "2", "8"],
    ]
    assert len(contents(tmp_path)) == 6


def test_without_a_size_the_command_writes_the_original_shape(tmp_path):
    document = json.loads(call(tmp_path, "--json").stdout)
    assert (document["Hosts"], document["Rows"]) == (37, 1320)
    assert [site["Site"] for site in document["Sites"]] == ["ALDR", "BRCK"]


def test_the_options_reach_the_plan(tmp_path):
    size = ("--sites", 1, "--hosts", 2, "--ports", 50)
    finished = call(tmp_path, *size, "--seed", 9, "--generation", 2, "--change", 50, "--combined", "--json")
    document = json.loads(finished.stdout)
    assert (document["Seed"], document["Generation"], document["Files"]) == (9, 2, 1)
    plan = msgspec.structs.replace(CorpusPlan.of_size(1, 2, 50), seed=9, generation=2, change_percent=50)
    assert document["Bytes"] == sum(len(host_log(plan, index)) for index in range(2))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--hosts", "0"),
        ("--sites", "3", "--hosts", "2"),
        ("--sites", "0"),
        ("--ports", "-1"),
        ("--ports", "100000"),
        ("--sites", "100000", "--hosts", "100000"),
        ("--generation", "0"),
        ("--generation", "1000000000"),
        ("--change", "-1"),
        ("--change", "101"),
        ("--change", "nan"),
        ("--hosts", "many"),
    ],
)
def test_absurd_arguments_are_wrong_usage(tmp_path, arguments):
    finished = call(tmp_path / "logs", *arguments)
    assert finished.exit_code == 2, finished.output
    assert not (tmp_path / "logs").exists()


def test_the_command_refuses_a_folder_with_other_files_unless_forced(tmp_path):
    (tmp_path / "core.log").write_text("precious")
    refused = call(tmp_path, "--hosts", 1)
    assert isinstance(refused.exception, StateTraceError)
    assert call(tmp_path, "--hosts", 1, "--force").exit_code == 0
