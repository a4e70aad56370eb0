"""A raw log becomes one slice a host."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.parsing.splitting import SplitRule, host_spans, slice_content, split_log, to_utf8


def slices(text: str, rule: SplitRule = SplitRule.MENDED) -> dict[str, list[str]]:
    return {part.name: part.content.decode().split("\r\n")[:-1] for part in split_log(text.encode(), rule=rule)}


COMBINED = [
    "hostname switch1",
    "switch1# show version",
    "Line from switch1",
    "switch1# show interfaces",
    "switch-two(config)# show version",
    "Details from switch two",
    "hostname switch-two",
    "switch-two>show interfaces",
    "More details from switch two",
]


@pytest.mark.parametrize("rule", SplitRule)
def test_the_host_changes_at_prompts_and_hostname_lines(rule: SplitRule) -> None:
    assert slices("\n".join(COMBINED), rule) == {"switch1": COMBINED[:4], "switch-two": COMBINED[4:]}


def test_lines_of_a_host_are_joined_whatever_stands_between_them() -> None:
    log = ["motd", "a1#show clock", "noon", "B2#show clock", "one", "A1#show users", "me", "b2#", "A1#"]
    assert slices("\n".join(log)) == {
        "a1": ["motd", "a1#show clock", "noon", "A1#show users", "me", "A1#"],
        "B2": ["B2#show clock", "one", "b2#"],
    }


@pytest.mark.parametrize(
    ("prompt", "host"),
    [
        ("SSH@core-1#show version", "core-1"),
        ("telnet@core-1>show version", "core-1"),
        ("admin@fw-1(active)> show system info", "fw-1"),
        ("user@ex-1# show interfaces", "ex-1"),
        ("leaf1(s1)(config)#show version", "leaf1"),
        ("  sw.example.com# do sh ver", "sw.example.com"),
        ("Zürich-1#show clock", "Zürich-1"),
        ("\x1b[0m\b\b--More--\b\b  \b\bsw7#show clock", "sw7"),
    ],
)
def test_prompts_of_many_shapes_name_the_host(prompt: str, host: str) -> None:
    assert list(slices(prompt)) == [host]


@pytest.mark.parametrize(
    "line",
    [
        "  Serial #: ABC123",
        "Serial#: ABC123",
        "Port# Name Status",
        "==========> welcome",
        "#####################",
        "*** keep out ***>",
        "<html>",
        "</rpc-reply>",
        "-->",
        "--> show version",
        "a=>show x",
        "| cell |#",
        "Gi1/0/1> x",
        "printf('#show x');>",
        "Look->show this",
        "once>",
        "#",
        ">",
        "# show version",
        "sw1 #show version",
    ],
)
def test_what_only_looks_like_a_prompt_starts_no_device(line: str) -> None:
    log = ["sw1#show version", "before", line, "after", "sw1#"]
    assert slices("\n".join(log)) == {"sw1": log}


def test_the_original_rule_takes_any_first_word_for_a_host() -> None:
    log = ["sw1#show version", "  Serial #: ABC123", "after", "sw1#"]
    assert slices("\n".join(log), SplitRule.ORIGINAL) == {"sw1": [log[0], log[3]], "Serial": log[1:3]}


def test_a_host_that_only_prompts_is_one_once_it_prompts_twice() -> None:
    log = ["sw1#show version", "x", "sw1#ssh sw2", "sw2>", "sw2>", "sw1#"]
    assert slices("\n".join(log)) == {"sw1": [*log[:3], log[5]], "sw2": log[3:5]}


def test_a_single_prompt_is_enough_where_nothing_else_tells() -> None:
    assert slices("sw1#\nCisco") == {"sw1": ["sw1#", "Cisco"]}


@pytest.mark.parametrize("command", ["show running-config", "sh run", "show config", "show startup-config"])
def test_a_hostname_in_the_own_configuration_starts_no_other_device(command: str) -> None:
    log = [f"north-campus-acc#{command}", "hostname North-Campus-Access-01", " x", "north-campus-acc#"]
    assert slices("\n".join(log)) == {"north-campus-acc": log}


def test_a_name_cut_short_in_configuration_mode_is_the_same_device() -> None:
    log = [
        "north-campus-access-01#conf t",
        "north-campus-acc(config)#do show clock",
        "noon",
        "north-campus-access-01#show x",
    ]
    assert slices("\n".join(log)) == {"north-campus-access-01": log}


def test_devices_whose_names_begin_alike_stay_apart() -> None:
    log = [
        "site-a01-as-11#show clock",
        "one",
        "site-a01-as-1#show clock",
        "two",
        "site-a01-as-1(config)#do show x",
        "3",
    ]
    assert slices("\n".join(log)) == {"site-a01-as-11": log[:2], "site-a01-as-1": log[2:]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_slices_have_cr_lf_whatever_ends_the_lines(end: str) -> None:
    raw = end.join(["a#show x", "", "b#show x", "y", ""]).encode()
    assert [(part.name, part.content) for part in split_log(raw)] == [
        ("a", b"a#show x\r\n\r\n"),
        ("b", b"b#show x\r\ny\r\n"),
    ]


def test_a_log_without_hosts_is_one_slice_without_a_name() -> None:
    assert [(part.name, part.content) for part in split_log(b"nothing\nhere")] == [("", b"nothing\r\nhere\r\n")]


def test_an_empty_log_has_no_slices() -> None:
    assert split_log(b"") == ()


def test_more_lines_before_the_first_host_than_the_original_bears_keep_their_order() -> None:
    lines = [f"line {number}" for number in range(5000)]
    assert slices("\n".join([*lines, "sw1#show x"])) == {"sw1": [*lines, "sw1#show x"]}


def test_slice_names_are_file_names_as_the_original_writes_them() -> None:
    assert list(slices("hostname a/b:c*d\nx")) == ["a_b_c_d"]


@given(st.binary(max_size=300), st.sampled_from(SplitRule))
def test_spans_cover_all_bytes_in_their_order(raw: bytes, rule: SplitRule) -> None:
    utf8 = to_utf8(raw)
    spans = host_spans(utf8, rule=rule)
    assert b"".join(utf8[span.start : span.end] for span in spans) == utf8
    assert all(span.start < span.end for span in spans)


@given(st.lists(st.sampled_from([*COMBINED, "x#", "y>", "#", "\x1b[K", "\rz#show", "\b", "é", "(("]), max_size=30))
def test_no_line_is_lost_or_doubled(lines: list[str]) -> None:
    text = "\n".join(lines)
    content = b"".join(part.content for part in split_log(text.encode()))
    assert sorted(content.split(b"\r\n")) == sorted(slice_content([text.encode()]).split(b"\r\n"))


@pytest.mark.parametrize("rule", SplitRule)
@pytest.mark.parametrize(
    "unit",
    [
        b"a",
        b"#",
        b">",
        b"(",
        b"a(",
        b"a@",
        b" ",
        b"\t",
        b"\r",
        b"\n",
        b"\n ",
        b"a#",
        b"a\x08",
        b"\x1b[",
        b"hostname ",
        b"\na#\r",
    ],
)
def test_time_grows_with_the_length_of_the_log_only(unit: bytes, rule: SplitRule) -> None:
    raw = b"\x1b" + unit * (400_000 // len(unit))
    start = time.perf_counter()
    split_log(raw, rule=rule)
    assert time.perf_counter() - start < 2


GOLDEN = [
    ("mock_cisco_authentic", "WLLS-A01-AS-01", 756, 25_596, "db445489eeda53b6"),
    ("mock_brocade_BOYO_73", "BOYO-A05-AS-02", 136, 5_307, "63c21997d8481f29"),
    ("NoArista", "WLLS-A03-AS-03", 304, 10_738, "7365223d86dbcda4"),
]
PHANTOM = [
    ("NoArista", "WLLS-A07-AS-07", 387, 13_038, "0b18cfd4a1673c69"),
    ("NoArista", "Serial", 11, 432, "d972178bc7cff477"),
]


@pytest.mark.original
@pytest.mark.parametrize(
    ("log", "name", "lines", "length", "digest", "rule"),
    [(*case, rule) for case in GOLDEN for rule in SplitRule] + [(*case, SplitRule.ORIGINAL) for case in PHANTOM],
)
def test_slices_of_the_original_logs_have_their_hashes(
    original_data: Path, log: str, name: str, lines: int, length: int, digest: str, rule: SplitRule
) -> None:
    raw = (original_data / "logs" / f"{log}.log").read_bytes()
    content = {part.name: part.content for part in split_log(raw, rule=rule)}[name]
    assert (content.count(b"\r\n"), len(content)) == (lines, length)
    assert hashlib.sha256(content).hexdigest().startswith(digest)


CISCO, BROCADE = ("mock_cisco_authentic", b"WLLS-A01-AS-01"), ("mock_brocade_BOYO_73", b"BOYO-A05-AS-02")


@pytest.mark.original
@pytest.mark.parametrize("rule", SplitRule)
@pytest.mark.parametrize(
    ("host", "template", "blank_lines", "length", "digest"),
    [
        ("BOYO-A05-AS-42", BROCADE, [1], 5_309, "f9db2630a82db145643c935954d5a4b166d8b0f400844a2d4c08fd62d710792e"),
        ("BOYO-A05-AS-42", BROCADE, [2], 5_311, "639eb3028f988bae2ef8024d373dddffc7d235e3459606e8cc51d8bf01d73894"),
        ("BOYO-A05-AS-05", BROCADE, [2], 5_311, "2f4ad3c42ba37580848a23b0d265288e1661a0409f2b32de2e2981c51b4ed619"),
        ("WLLS-A01-AS-21", CISCO, [1], 25_598, "df71d73d41bd3bf673af856ed7ad83d4c1cd389ef2883ef7e0d8b4a424d4b213"),
        ("WLLS-A01-AS-21", CISCO, [2], 25_600, "968f53e03c649424ef0d33f661fd1203b8b7af0e8708845339597b77f2ddebfb"),
        ("BOYO-A05-AS-02", BROCADE, [1, 2], 10_620, "6536ced9fdbca1ca119e92ff5bb8c2e6a91f782f0650f995b43f8c6d41dbe991"),
        ("WLLS-A01-AS-01", CISCO, [1, 2], 51_198, "d9b8dc9ba949a39fbeb6d22cfbd96dde227aada4a46e8c4838684afd999c6d93"),
        ("SITE1-A01-AS-01", CISCO, [2], 25_613, "75dd0b5bbe5719cc48e0fad3f0b263724a0505d56019feec1e8d6cc313c5554a"),
        ("SW1", CISCO, [2], 25_457, "f90e1860caed59276c9d6b509f55e2337f119041f68f2085250530151bf36c69"),
    ],
)
def test_hashes_are_those_of_real_ingestions(
    original_data: Path,
    host: str,
    template: tuple[str, bytes],
    blank_lines: list[int],
    length: int,
    digest: str,
    rule: SplitRule,
) -> None:
    log, name = template
    raw = (original_data / "logs" / f"{log}.log").read_bytes().replace(name, host.encode())
    raw = raw if raw.endswith(b"\n") else raw + b"\n"
    parts = [split_log(raw + b"\n" * blank, rule=rule) for blank in blank_lines]
    content = b"".join(part.content for (part,) in parts)
    assert (len(content), hashlib.sha256(content).hexdigest()) == (length, digest)


def test_a_quoted_hostname_is_the_name_within_the_quotes() -> None:
    log = b'S1# show running-config\nhostname "S1"\nx\nS1#\nhostname ""\nhostname "S2"\ny\n'
    assert [(span.host, span.start) for span in host_spans(log)] == [("S1", 0), ("S2", log.index(b'hostname "S2"'))]
    assert {span.host for span in host_spans(log, rule=SplitRule.ORIGINAL)} == {"S1", '"S1"', '""', '"S2"'}
