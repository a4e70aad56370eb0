"""Parsing: the raw text of a terminal log becomes what it says about devices and ports."""

from statetrace.parsing import vendors as _built_in  # noqa: F401  # registers the makes we read
from statetrace.parsing.blocks import BlockNames, CommandBlock, DeviceLog, ParseMode
from statetrace.parsing.parse import ParseResult, parse_devices, parse_log
from statetrace.parsing.report import CommandReport, CutText, MissedLine, Note, ParseReport
from statetrace.parsing.splitting import HostSpan, LogSlice, SplitRule, host_spans, slice_content, split_log
from statetrace.parsing.vendor import Vendor, known_vendors, register_vendor

__all__ = [
    "BlockNames",
    "CommandBlock",
    "CommandReport",
    "CutText",
    "DeviceLog",
    "HostSpan",
    "LogSlice",
    "MissedLine",
    "Note",
    "ParseMode",
    "ParseReport",
    "ParseResult",
    "SplitRule",
    "Vendor",
    "host_spans",
    "known_vendors",
    "parse_devices",
    "parse_log",
    "register_vendor",
    "slice_content",
    "split_log",
]
