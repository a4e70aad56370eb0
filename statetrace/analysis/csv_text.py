"""Tables as the CSV text that PowerShell writes (reference: warm-run-and-gates 1.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal


def csv_text(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    r"""The table with its heading: every value in quotes, nothing for ``None``, lines that end in CRLF.

    Numbers have a decimal point whatever the language of the system, no exponent and no trailing zeros.

    >>> csv_text(["Site", "P95", "Notes"], [["WLLS", 1317.75, None], ["BOYO", 12.0, 'a "b" c']])
    '"Site","P95","Notes"\r\n"WLLS","1317.75",\r\n"BOYO","12","a ""b"" c"\r\n'
    """
    return "".join(",".join(map(_cell, row)) + "\r\n" for row in (columns, *rows))


def _cell(value: object) -> str:
    if value is None:
        return ""
    # The csv module cannot tell None from "" before Python 3.12.
    text = _number(value) if isinstance(value, float) else str(value)
    return '"' + text.replace('"', '""') + '"'


def _number(value: float) -> str:
    text = format(Decimal(repr(value + 0.0)), "f")  # adding makes 0 of -0
    return text.rstrip("0").rstrip(".") if "." in text else text
