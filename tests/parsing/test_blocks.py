"""A slice is cut into the answers to its commands, and vendors find theirs."""

from __future__ import annotations

import re

import pytest

from statetrace.parsing.blocks import BlockNames, DeviceLog, ParseMode

STATUS = BlockNames(("show interfaces status", "show mac address-table"))


def blocks(*lines: str, mode: ParseMode = ParseMode.LOG) -> dict[str, list[str]]:
    return {name: block.lines for name, block in DeviceLog("\n".join(lines), mode=mode).blocks.items()}


def found(names: BlockNames, *lines: str, mode: ParseMode = ParseMode.LOG) -> list[str] | None:
    block = DeviceLog("\n".join(lines), mode=mode).find(names)
    return None if block is None else block.lines


@pytest.mark.parametrize("mode", ParseMode)
def test_a_block_runs_from_its_command_to_the_next_prompt(mode: ParseMode) -> None:
    log = ["sw# show version", "one", "", "sw# show interfaces status", "two", "sw#", "dropped"]
    assert blocks(*log, mode=mode) == {"show version": ["one", ""], "show interfaces status": ["two"]}


@pytest.mark.parametrize("mode", ParseMode)
def test_the_last_answer_of_a_repeated_command_counts_in_its_first_place(mode: ParseMode) -> None:
    log = ["sw#show a1", "old", "sw#show b1", "x", "SW#Show A1 ", "new"]
    assert list(blocks(*log, mode=mode).items()) == [("show a1", ["new"]), ("show b1", ["x"])]


def test_a_repetition_in_vain_does_not_replace_an_answer() -> None:
    log = ["sw#show a1", "answer", "sw#show a1", "", "sw#show a1", "% Invalid input detected", "sw#"]
    assert blocks(*log) == {"show a1": ["answer"]}
    assert blocks(*log, mode=ParseMode.PARITY) == {"show a1": ["% Invalid input detected"]}


def test_lines_know_their_number_in_the_slice() -> None:
    log = DeviceLog("motd\nsw#show a1\nx\nsw#show b1\ny")
    assert [(block.command, block.first_line) for block in log.blocks.values()] == [("show a1", 3), ("show b1", 5)]
    assert (log.whole().first_line, log.whole().lines[2]) == (1, "x")


def test_the_text_of_a_block_has_a_line_end_before_every_line() -> None:
    log = DeviceLog("sw#show a1\nx\n\nsw#show b1\nsw#show c1\n\nsw#")
    assert {name: (block.text, block.lines) for name, block in log.blocks.items()} == {
        "show a1": ("\nx\n", ["x", ""]),
        "show b1": ("", []),
        "show c1": ("\n", [""]),
    }


def test_banners_and_markup_do_not_end_a_block() -> None:
    log = [
        "sw#show running-config",
        "banner motd",
        "####",
        "#-> keep out",
        "<html>",
        "-->show",
        "look->show it",
        "# show x",
        "sw#",
    ]
    assert blocks(*log) == {"show running-config": log[1:-1]}
    assert blocks(*log, mode=ParseMode.PARITY)["show running-config"] == ["banner motd"]


def test_output_of_another_device_is_not_taken_for_this_one() -> None:
    assert blocks("sw1#show a1", "x", "sw2#show a1", "y", "sw1#show b1", "z") == {"show a1": ["x"], "show b1": ["z"]}


def test_prompts_without_a_name_are_prompts_where_no_name_is_known() -> None:
    assert blocks("# show version", "line1", "line2", "#", "x") == {"show version": ["line1", "line2"]}


def test_prompts_of_configuration_modes_belong_to_the_device_though_cut_short() -> None:
    log = ["north-campus-access-01#conf t", "north-campus-acc(config)#do show a1", "x", "north-campus-acc(config)#end"]
    assert blocks(*log) == {"show a1": ["x"]}


class TestFind:
    def test_exact_names_come_first_in_their_order(self) -> None:
        names = BlockNames(("show b1", "show a1"), re.compile("^show c1"))
        assert found(names, "sw#show c1", "c", "sw#show a1", "a", "sw#show b1", "b") == ["b"]

    def test_then_the_pattern_in_the_order_of_the_log(self) -> None:
        names = BlockNames(("show auth sessions",), re.compile(r"^show auth[a-z]* ses[a-z]*"))
        assert found(names, "sw#show auth ses", "one", "sw#show auth sess x", "two", mode=ParseMode.PARITY) == ["one"]

    def test_then_raw_lines(self) -> None:
        names = BlockNames(("show version",), raw=re.compile(r"[>#]\s*show\s+version", re.IGNORECASE))
        log = ["sw#show version | no-more", "line1", "sw#", "x"]
        assert found(names, *log, mode=ParseMode.PARITY) == ["line1"]
        assert found(names, *log) == ["line1"]

    @pytest.mark.parametrize(
        "typed",
        [
            "sh int stat",
            "show int status",
            "sho interfaces st",
            "sh mac add",
            "show mac address-t",
            "SH INT STATUS | no-more",
        ],
    )
    def test_commands_may_be_abbreviated(self, typed: str) -> None:
        assert found(STATUS, f"sw#{typed}", "x", "sw#show clock") == ["x"]

    @pytest.mark.parametrize("typed", ["sh int", "sh int status err-disabled", "show inventory status", "sh i s"])
    def test_other_commands_are_no_abbreviations(self, typed: str) -> None:
        assert found(STATUS, f"sw#{typed}", "x", "sw#show clock") is None

    def test_the_original_knows_no_abbreviations(self) -> None:
        assert found(STATUS, "sw#show int status", "x", mode=ParseMode.PARITY) is None

    def test_an_abbreviation_that_was_answered_wins_over_an_error(self) -> None:
        log = ["sw#sh int status", "x", "sw#sh int st", "% Invalid input detected", "sw#"]
        assert found(STATUS, *log) == ["x"]

    def test_a_name_that_was_answered_wins_over_one_that_was_not(self) -> None:
        log = ["sw#show interfaces status", "% Invalid input detected", "sw#show mac address-table", "x", "sw#"]
        assert found(STATUS, *log) == ["x"]
        assert found(STATUS, *log, mode=ParseMode.PARITY) == ["% Invalid input detected"]
        assert found(STATUS, *log[:2]) == ["% Invalid input detected"]

    def test_nothing_is_none(self) -> None:
        assert found(STATUS, "no prompt at all") is None

    def test_a_block_that_was_looked_for_is_recognised_in_the_report(self) -> None:
        log = DeviceLog("sw#show interfaces status\nx\nsw#show clock\nnoon")
        log.find(STATUS)
        commands = log.report.build(log.blocks).commands
        assert [(entry.command, entry.line, entry.lines, entry.recognised) for entry in commands] == [
            ("show interfaces status", 1, 1, True),
            ("show clock", 3, 1, False),
        ]


def test_a_failure_costs_its_block_and_is_noted() -> None:
    log = DeviceLog("sw#show clock\nnoon")
    assert log.guarded("the clock", lambda: int("noon"), 7) == 7
    (note,) = log.report.notes
    assert note.message.startswith("the clock could not be read: ValueError: ")


class TestHostname:
    @pytest.mark.parametrize(
        ("lines", "name"),
        [
            (["look->show this", "a=b>show x", "sw1#show x"], "sw1"),
            (["x>y", "core-switch(config)# show version"], "core-switch"),
            (["SSH@edge-sw1#show x", "hostname branch-01-sw"], "edge-sw1"),
            (["text", " hostname branch-01 "], "branch-01"),
            (["nothing"], ""),
        ],
    )
    def test_it_is_that_of_the_prompt_else_of_the_hostname_line(self, lines: list[str], name: str) -> None:
        assert DeviceLog("\n".join(lines)).hostname == name

    @pytest.mark.parametrize(
        ("lines", "name"),
        [
            (["====> hello", "core-switch(config)# show version"], "===="),
            (["SSH@edge-sw1#show x"], "edge-sw1"),
            ([" edge-sw1#show x", "hostname branch 01 "], "branch 01"),
        ],
    )
    def test_the_original_takes_any_first_word(self, lines: list[str], name: str) -> None:
        assert DeviceLog("\n".join(lines), mode=ParseMode.PARITY).hostname == name
