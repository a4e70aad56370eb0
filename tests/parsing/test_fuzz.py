"""No input makes parsing raise, however it was mangled."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statetrace.parsing import ParseMode, ParseResult, parse_devices, split_log

LOGS = [path.read_bytes() for path in sorted((Path(__file__).parent / "cases").glob("*/*/log.txt"))]
REASONS = {"", "unknown_vendor", "no_interfaces", "parse_failed"}
WORDS = [
    b"\n",
    b"\r",
    b"#",
    b">",
    b"(",
    b"show ",
    b"interface ",
    b"--More--",
    b"\b",
    b"\x1b[",
    b"\0",
    b"!",
    b"/",
    b"a" * 5000,
    b" " * 5000,
    b"\xff",
]


def check(raw: bytes, mode: ParseMode) -> None:
    slices = split_log(raw)
    results = parse_devices(raw, name="x", mode=mode)
    assert [result.name for result in results] == [part.name or "x" for part in slices]
    for result in results:
        check_result(result)


def check_result(result: ParseResult) -> None:
    assert result.reason in REASONS
    assert (result.facts is None) == (result.reason in {"unknown_vendor", "parse_failed"})
    assert 0 <= result.report.coverage <= 100
    if result.facts is not None:
        assert result.facts.hostname
        assert result.facts.interfaces_found == (result.reason == "")
        for port in result.facts.ports:
            assert len(port.port) <= 64
            assert len(port.status) <= 32


def mangled(raw: bytes, chance: random.Random) -> bytes:
    log = bytearray(raw)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(log) + 1)
        match chance.randrange(6):
            case 0:
                del log[at:]
            case 1:
                del log[: at // 4]
            case 2 if at < len(log):
                log[at] ^= 1 << chance.randrange(8)
            case 3:
                log[at:at] = chance.choice(WORDS)
            case 4:
                end = at + chance.randrange(400)
                log[at:at] = log[at:end]
            case _:
                del log[at : at + chance.randrange(80)]
    return bytes(log)


@pytest.mark.parametrize("seed", range(len(LOGS)))
def test_mangled_logs_are_read_as_far_as_they_go(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # repeatable, not secret
    for number in range(1600 // len(LOGS)):
        check(mangled(LOGS[seed], chance), (ParseMode.LOG, ParseMode.PARITY)[number % 2])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000), st.sampled_from(ParseMode))
def test_any_bytes_are_read(raw: bytes, mode: ParseMode) -> None:
    check(raw, mode)


LINES = sorted({line for log in LOGS for line in log.splitlines()})


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=40), st.sampled_from(ParseMode))
def test_lines_of_different_devices_in_any_order_are_read(lines: list[bytes], mode: ParseMode) -> None:
    check(b"\n".join(lines), mode)


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("unit", [b"x", b" ", b"\t ", b"1", b"a.", b"#", b"Gi1/0/1 ", b"connected 1 "])
def test_a_gigantic_line_costs_itself(log: bytes, unit: bytes) -> None:
    lines = log.splitlines()
    for at in (len(lines) // 4, len(lines) // 2, len(lines) - 3):
        check(b"\n".join([*lines[:at], unit * (60_000 // len(unit)), *lines[at:]]), ParseMode.LOG)
