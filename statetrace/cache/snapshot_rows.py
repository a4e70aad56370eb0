"""Rows as a snapshot writes them: tooltip and signature repeat the other values, escapes included."""

from __future__ import annotations

from collections.abc import Mapping
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
        values = self._values
        name, signed_name = values[written[0]]
        status, signed_status = values[written[1]]
        vlan, signed_vlan = values[written[2]]
        duplex, signed_duplex = values[written[3]]
        speed, signed_speed = values[written[4]]
        kind, signed_kind = values[written[5]]
        learned, signed_learned = values[written[6]]
        state, signed_state = values[written[7]]
        mode, signed_mode = values[written[8]]
        client, signed_client = values[written[9]]
        template, signed_template = values[written[10]]
        config = decode_escapes(written[11])
        port_sort, _ = values[written[12]]
        color, signed_color = values[written[13]]
        compliance, signed_compliance = values[written[14]]
        tooltip, signature = written[15:]
        if not port_sort or port_sort.isspace():
            return None
        stated_tooltip = None
        if tooltip != written_tooltip(config, written[10], written[11]):
            stated_tooltip = decode_escapes(tooltip)
            if stated_tooltip == derive_tooltip(template, config):
                # The same, escaped in another way.
                stated_tooltip = None
        row = InterfaceRow(
            name, status, vlan, duplex, speed, kind, learned, state, mode, client, template, config, port_sort, color,
            compliance, stated_tooltip,
        )  # fmt: skip
        if signature == (
            f"{signed_name}|{signed_status}|{signed_vlan}|{signed_duplex}|{signed_speed}|{signed_kind}"
            f"|{signed_learned}|{signed_state}|{signed_mode}|{signed_client}|{signed_template}"
            f"|{utf16_length(config)}:{written[11]}|{signed_color}|{signed_compliance}"
            f"|{utf16_length(row.tooltip)}:{tooltip}"
        ):
            return row
        # Another signature, or the same one escaped in another way.
        return row_from_wire("", [*wire_values(row)[:15], decode_escapes(tooltip), decode_escapes(signature)])
