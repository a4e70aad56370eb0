"""Moments with a resolution of 100 nanoseconds, which is that of the original's timestamps."""

from __future__ import annotations

import time
from datetime import UTC, datetime

TICKS_PER_SECOND = 10_000_000
TICKS_PER_MS = 10_000

_DATE_START, _DATE_END = "/Date(", ")/"
_SEVENTH_DIGIT = 26

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What a calendar can name in every time zone; a moment beyond is a slip of whoever wrote it.
_FIRST, _LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * TICKS_PER_SECOND for year in (2, 9999))


def ticks_of(value: object) -> int | None:
    """Units of 100 nanoseconds from 1970 (UTC) to a timestamp; ``None`` for what is none in the years 2 to 9998.

    Understands ISO 8601 with up to seven fraction digits (without an offset it is local time), and the form
    ``/Date(milliseconds)/`` of Windows PowerShell.

    >>> ticks_of("1970-01-01T01:00:00.0000017+01:00"), ticks_of("/Date(1500)/"), ticks_of("soon")
    (17, 15000000, None)
    >>> utc_text(ticks_of("2107-01-01T00:00:00.0001290+00:00"))
    '2107-01-01T00:00:00.0001290Z'
    """
    if not isinstance(value, str):
        return None
    text = value.strip()
    try:
        if text.startswith(_DATE_START) and text.endswith(_DATE_END):
            ticks = int(text[len(_DATE_START) : -len(_DATE_END)]) * TICKS_PER_MS
        else:
            moment = datetime.fromisoformat(text)
            since = (moment if moment.tzinfo else moment.astimezone()) - _EPOCH
            ticks = (since.days * 86_400 + since.seconds) * TICKS_PER_SECOND + since.microseconds * 10
            seventh = text[_SEVENTH_DIGIT : _SEVENTH_DIGIT + 1]
            if seventh.isdecimal() and text[19] == ".":
                ticks += int(seventh)
    except (ValueError, OverflowError, OSError):
        return None
    return ticks if _FIRST <= ticks <= _LAST else None


def utc_text(ticks: int) -> str:
    """The moment in UTC with seven fraction digits and ``Z``.

    >>> utc_text(17)
    '1970-01-01T00:00:00.0000017Z'
    """
    seconds, fraction = divmod(ticks, TICKS_PER_SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:07d}Z"


def now_ticks() -> int:
    """This moment."""
    return time.time_ns() // 100
