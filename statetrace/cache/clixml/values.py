"""What the elements of a document stand for: primitive values by tag, and objects."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

DESERIALIZED = "Deserialized."


class ClixmlObject(msgspec.Struct, gc=False):
    """An object, dictionary or list of a document.

    Attributes:
        type_names: the chain of type names from the concrete type to ``System.Object``; empty when none was given.
        text: what ``ToString()`` gave, or ``None``.
        properties: class and note properties by name, in order.
        value: the ``dict`` of a dictionary, the ``list`` of a list, array, queue or stack, else ``None``.
        line: the line of the document on which it begins; 0 where that is not known.
    """

    type_names: tuple[str, ...] = ()
    text: str | None = None
    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    value: dict[Any, Any] | list[Any] | None = None
    line: int = 0

    @property
    def class_name(self) -> str:
        """The concrete type without ``Deserialized.`` and without the assembly, which differ from run to run."""
        return class_name(self.type_names[0]) if self.type_names else ""

    @property
    def deserialized(self) -> bool:
        """Whether the object had been imported before it was exported."""
        return bool(self.type_names) and self.type_names[0].startswith(DESERIALIZED)


def class_name(type_name: str) -> str:
    """The part of a type name that means something.

    >>> class_name("Deserialized.System.Collections.Generic.Dictionary`2[[System.String, mscorlib, Version=4.0.0.0]]")
    'System.Collections.Generic.Dictionary`2'
    """
    return type_name.removeprefix(DESERIALIZED).partition("[[")[0].partition(",")[0]


_NUMBER = re.compile(r"[+-]?[0-9]{1,20}")
_REAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_LONGEST_REAL = 400
_SPECIAL_REALS = ("INF", "-INF", "NaN")
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
_DURATION = re.compile(
    r"(-?)P(?=[0-9T])(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)D)?"
    r"(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+(?:\.[0-9]+)?)S)?)?"
)
# What the framework takes a year and a month of a duration for.
_DAYS_OF_YEAR, _DAYS_OF_MONTH = 365, 30


def parse_date_time(text: str) -> datetime:
    """A date-time of the wire: aware when it has ``Z`` or an offset, else naive; a seventh digit is cut off.

    Raises:
        ValueError: another form, or a day that does not exist.
    """
    text = text.strip()
    if not _DATE_TIME.fullmatch(text):
        raise ValueError("a date-time looks like 2025-11-12T17:35:00.1234567-07:00")
    return datetime.fromisoformat(text)


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        text = text.strip()
        if not _NUMBER.fullmatch(text) or not least <= (number := int(text)) <= most:
            raise ValueError(f"a whole number from {least} to {most} is expected")
        return number

    return parse


def _signed(bits: int) -> Callable[[str], int]:
    return _whole(-(1 << bits - 1), (1 << bits - 1) - 1)


def _unsigned(bits: int) -> Callable[[str], int]:
    return _whole(0, (1 << bits) - 1)


def _boolean(text: str) -> bool:
    text = text.strip()
    if text not in ("true", "false", "1", "0"):
        raise ValueError("true or false is expected")
    return text in ("true", "1")


def _character(text: str) -> str:
    return chr(_unsigned(16)(text))


def _real(text: str) -> float:
    text = text.strip()
    if text not in _SPECIAL_REALS and (len(text) > _LONGEST_REAL or not _REAL.fullmatch(text)):
        raise ValueError("a number, INF, -INF or NaN is expected")
    return float(text)


def _decimal(text: str) -> Decimal:
    text = text.strip()
    if len(text) > _LONGEST_REAL or not _REAL.fullmatch(text):
        raise ValueError("a decimal number is expected")
    return Decimal(text)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError("a duration looks like PT1M30.5S")
    years, months, days, hours, minutes = (int((part or "0")[:12]) for part in match.groups()[1:6])
    try:
        length = timedelta(
            days=years * _DAYS_OF_YEAR + months * _DAYS_OF_MONTH + days,
            hours=hours,
            minutes=minutes,
            seconds=float(match[7] or 0),
        )
    except OverflowError as error:
        raise ValueError("the duration is too long") from error
    return -length if match[1] else length


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"base64 is expected: {error}") from error


def _guid(text: str) -> uuid.UUID:
    return uuid.UUID(text.strip())


PRIMITIVES: dict[str, Callable[[str], Any]] = {
    "S": str,
    "B": _boolean,
    "By": _unsigned(8),
    "SB": _signed(8),
    "C": _character,
    "I16": _signed(16),
    "U16": _unsigned(16),
    "I32": _signed(32),
    "U32": _unsigned(32),
    "I64": _signed(64),
    "U64": _unsigned(64),
    "Sg": _real,
    "Db": _real,
    "D": _decimal,
    "DT": parse_date_time,
    "TS": _duration,
    "G": _guid,
    "BA": _bytes,
    "URI": str,
    "Version": str,
    "XD": str,
    "SBK": str,
    # Stays what the document says, an encrypted text; nothing here can or should decrypt it.
    "SS": str,
}
"""How the text of a primitive element becomes a value, by tag; each raises ``ValueError`` for what it cannot read."""
