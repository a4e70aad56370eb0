"""From the raw text of a log to what it says about its devices."""

from __future__ import annotations

import re
import traceback

import msgspec

from statetrace.model.facts import UNKNOWN, DeviceFacts
from statetrace.parsing.blocks import DeviceLog, ParseMode
from statetrace.parsing.columns import cut_texts
from statetrace.parsing.location import location_parts, unquoted
from statetrace.parsing.report import ParseReport
from statetrace.parsing.splitting import hosts_of
from statetrace.parsing.text import to_text, to_utf8, unify_line_ends, without_artefacts
from statetrace.parsing.vendor import choose_vendor

_CAPTURE_TIME = re.compile(r"[-_]\d{8}[-_]\d{6}\Z")


class ParseResult(msgspec.Struct, frozen=True):
    """What one device's log says, or why that is not known.

    Attributes:
        facts: None when nothing can be said.
        reason: ``""``, or ``unknown_vendor``, ``parse_failed`` (both without facts), or ``no_interfaces``: the device
            was understood, but no table of interfaces was found.
        message: the reason in words.
        report: what was read and what was not; without facts nothing counts as read.
        name: the name of the slice.
    """

    facts: DeviceFacts | None
    reason: str = ""
    message: str = ""
    report: ParseReport = ParseReport()
    name: str = ""


def parse_log(log: str | bytes, *, name: str = "", mode: ParseMode = ParseMode.LOG) -> ParseResult:
    """What the log of one device says; never raises.

    Args:
        log: the lines of one device, see ``split_log``.
        name: the name of the slice; names the device when its log does not.
        mode: whether the original's defects are mended.
    """
    try:
        device = _read(log, name, mode)
    except Exception as error:  # noqa: BLE001  # the border where one host's failure becomes data
        return ParseResult(None, "parse_failed", _in_words(error), ParseReport(coverage=0.0), name)
    try:
        return _parse(device)
    except Exception as error:  # noqa: BLE001  # as above; what was learned until then is reported
        frame = traceback.extract_tb(error.__traceback__)[-1]
        device.report.note(f"{_in_words(error)} (in {frame.name}, line {frame.lineno})")
        return _failed(device, "parse_failed", _in_words(error))


def parse_devices(raw: str | bytes, *, name: str = "", mode: ParseMode = ParseMode.LOG) -> tuple[ParseResult, ...]:
    """What a raw file with any number of devices says, in the order of their first lines; never raises.

    Args:
        raw: the file.
        name: names the device when the file does not: the file's own name, without its extension.
        mode: whether the original's defects are mended.
    """
    utf8 = to_utf8(raw) if isinstance(raw, bytes) else to_text(raw).encode()
    return tuple(parse_log(b"".join(parts), name=host or name, mode=mode) for host, parts in hosts_of(utf8))


def _read(log: str | bytes, name: str, mode: ParseMode) -> DeviceLog:
    text = to_text(log)
    if mode is ParseMode.LOG and (clean := without_artefacts(text)) is not text:
        device = DeviceLog(unify_line_ends(clean), name=name, mode=mode)
        device.report.note("terminal escapes, backspaces or pager prompts were removed; lines are counted without them")
        return device
    return DeviceLog(unify_line_ends(text), name=name, mode=mode)


def _parse(device: DeviceLog) -> ParseResult:
    vendor = choose_vendor(device)
    if vendor is None:
        return _failed(device, "unknown_vendor", "nothing in the log tells the make of the device")
    if vendor.host_of is not None:
        device.hostname = vendor.host_of(device) or device.hostname
    device.hostname = _clean_name(device.hostname) or _clean_name(_CAPTURE_TIME.sub("", device.name))
    if not device.hostname:
        return _failed(device, "parse_failed", "neither a prompt nor a hostname line nor the log's name tells the host")
    facts = vendor.parse(device)
    location = facts.location if device.mode is ParseMode.PARITY else unquoted(facts.location)
    facts = msgspec.structs.replace(facts, **location_parts(location))
    facts = cut_texts(facts, device.report.cut)
    report = device.report.build(device.blocks)
    if facts.interfaces_found:
        return ParseResult(facts, report=report, name=device.name)
    message = "no table of interfaces was found; rows that are stored already are kept"
    return ParseResult(facts, "no_interfaces", message, report, device.name)


def _clean_name(name: str) -> str:
    name = name.strip().removeprefix("SSH@").strip()
    return "" if name.casefold() == UNKNOWN.casefold() else name


def _failed(device: DeviceLog, reason: str, message: str) -> ParseResult:
    return ParseResult(None, reason, message, device.report.unread(device.blocks), device.name)


def _in_words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
