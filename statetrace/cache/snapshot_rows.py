"""Rows as a snapshot writes them: tooltip and signature repeat the other values, escapes included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from statetrace.cache.clixml.escapes import decode_escapes, encode_text
from statetrace.model.interface import (
    WIRE_FIELDS,
    InterfaceRow,
    derive_tooltip,
    row_from_wire,
    utf16_length,
    wire_values,
)

_BLANK_LINE = encode_text("\r\n\r\n")


def written_tooltip(config: str, written_template: str, written_config: str) -> str:
    """The tooltip derived for a port, as it is written; ``config`` is the configuration before it was escaped."""
    if config and not config.isspace():
        return f"AuthTemplate: {written_template}{_BLANK_LINE}{written_config}"
    return f"AuthTemplate: {written_template}" if written_template else ""


def written_signature(parts: Sequence[str], row: InterfaceRow, config: str, tooltip: str) -> str:
    """The signature computed for ``row``, as it is written.

    Arguments:
        parts: length and written form of each value but configuration, tooltip and signature, in the order of the wire.
        row: the row itself.
        config: its configuration as it is written.
        tooltip: its tooltip as it is written.
    """
    # The sort key, in the place of the configuration here, is none of the signed values.
    *observed, _, color, compliance = parts
    lengths = utf16_length(row.config), utf16_length(row.tooltip)
    return f"{'|'.join(observed)}|{lengths[0]}:{config}|{color}|{compliance}|{lengths[1]}:{tooltip}"


class _Values(dict[str, tuple[str, str]]):
    """A value by the text that it is written as, and its part of a signature.

    The values of a column repeat from row to row; this way they are decoded once, and kept once.
    """

    def __missing__(self, written: str) -> tuple[str, str]:
        value = decode_escapes(written) if "_" in written else written
        found = self[written] = value, f"{utf16_length(value)}:{written}"
        return found


class RowsAsWritten:
    """Makes rows from the members of a document's objects.

    Most of a row's text is its configuration, three times: by itself, in the tooltip and in the signature. Compared as
    written, two of the three need not be decoded.
    """

    def __init__(self) -> None:
        self._values = _Values()

    def row(self, members: Mapping[str, Any]) -> InterfaceRow | None:
        """The row that the members of an object are, or ``None`` when they are not the wire fields, in order, all text.

        A row without a sort key is not made here: its key is that of its port, which is not known here.
        """
        if tuple(members) != WIRE_FIELDS:
            return None
        written = tuple(members.values())
        if tuple in map(type, written):
            return None
        written_config, (tooltip, signature) = written[11], written[15:]
        values, signed = zip(*map(self._values.__getitem__, (*written[:11], *written[12:15])), strict=True)
        if not values[11] or values[11].isspace():
            return None
        config = decode_escapes(written_config)
        stated_tooltip = None
        if tooltip != written_tooltip(config, written[10], written_config):
            stated_tooltip = decode_escapes(tooltip)
            if stated_tooltip == derive_tooltip(values[10], config):
                # The same, escaped in another way.
                stated_tooltip = None
        row = InterfaceRow(*values[:11], config, *values[11:], stated_tooltip)  # type: ignore[call-arg]  # 14 values
        if signature == written_signature(signed, row, written_config, tooltip):
            return row
        # Another signature, or the same one escaped in another way.
        return row_from_wire("", [*wire_values(row)[:15], decode_escapes(tooltip), decode_escapes(signature)])
