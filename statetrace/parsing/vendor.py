"""Vendors: what a parser of one make is, and which one a log belongs to (reference: log-parsing 3)."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points

import msgspec

from statetrace.model.facts import DeviceFacts
from statetrace.parsing.blocks import BlockNames, DeviceLog, ParseMode
from statetrace.parsing.own_words import says_of_itself

ENTRY_POINTS = "statetrace.vendors"
"""The entry point group by which other packages announce a ``Vendor``."""

_VERSION = BlockNames(exact=("show version",), raw=re.compile(r"[>#]\s*(?:do\s+)?show\s+version", re.IGNORECASE))


class Vendor(msgspec.Struct, frozen=True):
    """The parser of one make.

    Attributes:
        make: the name that is stored: ``Cisco``.
        version_words: searched in the output of ``show version``; the first line with a hit of any vendor decides.
        log_words: searched in what the whole log says of its own device when the former decide nothing.
        parse: turns a log into facts. ``log.hostname`` is the name to use; building, floor, room, row and rack are
            derived from ``location`` afterwards, and texts are cut to their columns.
        priority: the higher one is asked first: decides between hits on one line, and the order of ``log_words``.
        host_of: the device's name, where it is not in a prompt or ``hostname`` line; ``""`` for unknown.
        parity: whether the original's ingestion knows this make.
    """

    make: str
    parse: Callable[[DeviceLog], DeviceFacts]
    version_words: re.Pattern[str] | None = None
    log_words: re.Pattern[str] | None = None
    priority: int = 0
    host_of: Callable[[DeviceLog], str] | None = None
    parity: bool = True


_VENDORS: dict[str, Vendor] = {}


def register_vendor(vendor: Vendor) -> None:
    """Make ``vendor`` known; a second one of the same make replaces the first."""
    _VENDORS[vendor.make.casefold()] = vendor


def known_vendors() -> tuple[Vendor, ...]:
    """All known vendors, the highest priority first.

    Those that other packages announce by the entry point group ``statetrace.vendors`` are loaded at the first call; one
    that cannot be loaded is a ``RuntimeWarning``.
    """
    _load_announced()
    return tuple(sorted(_VENDORS.values(), key=lambda vendor: -vendor.priority))


@cache
def _load_announced() -> None:
    for announced in entry_points(group=ENTRY_POINTS):
        try:
            vendor = announced.load()
        except Exception as error:  # noqa: BLE001  # another package's fault must not cost our logs
            warnings.warn(f"vendor {announced.name!r} cannot be loaded: {error}", RuntimeWarning, stacklevel=4)
            continue
        if isinstance(vendor, Vendor):
            register_vendor(vendor)
        else:
            warnings.warn(f"vendor {announced.name!r} is no Vendor: {vendor!r}", RuntimeWarning, stacklevel=4)


def choose_vendor(log: DeviceLog) -> Vendor | None:
    """The vendor of a log, None when nothing tells (reference: log-parsing 3)."""
    candidates = known_vendors()
    parity = log.mode is ParseMode.PARITY
    if parity:
        candidates = tuple(vendor for vendor in candidates if vendor.parity)
    version = log.blocks.get("show version") if parity else log.find(_VERSION)
    if version is not None:
        for line in version.lines:
            for vendor in candidates:
                if vendor.version_words is not None and vendor.version_words.search(line):
                    return vendor
    for vendor in candidates:
        if vendor.log_words is None:
            continue
        if vendor.log_words.search(log.text) if parity else says_of_itself(log, vendor.log_words):
            return vendor
    return None
