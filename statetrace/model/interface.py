"""The one canonical row of an interface, and its seventeen wire fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

import msgspec

from statetrace.model.port_sort import UNKNOWN_PORT, port_sort_memo


class InterfaceRow(msgspec.Struct, frozen=True, gc=False):
    """What is known of one port: twelve observed values, and what is derived from them.

    All values are text, absent ones ``""``, none is trimmed. A row does not carry its host and port: those are the
    keys under which it is kept. Rows are immutable and shared freely between threads.

    Tooltip and signature are derived when asked for. A row keeps its own only where a source stated one that differs
    from the derived one (``stated_tooltip``, ``stated_signature``), so equal rows are equal whatever their source, and
    a row costs a third of the memory.
    """

    name: str = ""
    status: str = ""
    vlan: str = ""
    duplex: str = ""
    speed: str = ""
    type: str = ""
    learned_macs: str = ""
    auth_state: str = ""
    auth_mode: str = ""
    auth_client_mac: str = ""
    auth_template: str = ""
    config: str = ""
    port_sort: str = UNKNOWN_PORT
    port_color: str = ""
    compliance: str = ""
    stated_tooltip: str | None = None
    stated_signature: str | None = None

    @property
    def tooltip(self) -> str:
        """The tooltip as stated by the source, else the derived one."""
        stated = self.stated_tooltip
        return derive_tooltip(self.auth_template, self.config) if stated is None else stated

    @property
    def signature(self) -> str:
        """The signature as stated by the source, else computed in the December 2025 form."""
        stated = self.stated_signature
        return compute_signature(self) if stated is None else stated

    def same_signature(self, other: InterfaceRow) -> bool:
        """Whether both rows have the same fifteen signed values.

        A stated signature is recognised in any of its historical forms, so a row from an old snapshot matches the row
        that the database gives today.
        """
        if self == other:
            return True
        ours, theirs = self.stated_signature, other.stated_signature
        if ours is None and theirs is None:
            return _signed_values(self) == _signed_values(other)
        if ours is None or theirs is None:
            stated, row = (theirs, self) if ours is None else (ours, other)
            return any(stated == compute_signature(row, form) for form in SignatureForm)
        return ours == theirs

    def to_wire(self) -> dict[str, str]:
        """The seventeen fields under the original's names, in its order."""
        return dict(zip(WIRE_FIELDS, wire_values(self), strict=True))


WIRE_FIELDS = (
    "Name", "Status", "VLAN", "Duplex", "Speed", "Type", "Learned", "AuthState", "AuthMode", "AuthClient", "Template",
    "Config", "PortSort", "PortColor", "StatusTag", "ToolTip", "Signature",
)  # fmt: skip
"""Names of the wire fields in the order of the original's row class (reference: site-cache 3.2)."""

_ALIASES = {
    "Learned": ("Learned", "LearnedMACs"),
    "AuthClient": ("AuthClient", "AuthClientMAC"),
    "Template": ("Template", "AuthTemplate"),
    "StatusTag": ("StatusTag", "ConfigStatus"),
    "Signature": ("Signature", "CacheSignature"),
}
_CANDIDATES = tuple(tuple(name.casefold() for name in _ALIASES.get(field, (field,))) for field in WIRE_FIELDS)


def wire_values(row: InterfaceRow) -> tuple[str, ...]:
    """The values of the seventeen wire fields, in order."""
    return (
        row.name, row.status, row.vlan, row.duplex, row.speed, row.type, row.learned_macs, row.auth_state,
        row.auth_mode, row.auth_client_mac, row.auth_template, row.config, row.port_sort, row.port_color,
        row.compliance, row.tooltip, row.signature,
    )  # fmt: skip


def row_from_wire(port: str, values: Sequence[str]) -> InterfaceRow:
    """The row of ``port`` from the seventeen wire values in order, all of them text.

    A blank sort key is computed from the port, a blank signature is left to be computed; others are kept verbatim.
    """
    (
        name, status, vlan, duplex, speed, kind, learned, auth_state, auth_mode, client, template, config,
        port_sort, color, compliance, tooltip, signature,
    ) = values  # fmt: skip
    if not port_sort or port_sort.isspace():
        port_sort = port_sort_memo.key(port)
    stated_tooltip = tooltip if tooltip != derive_tooltip(template, config) else None
    row = InterfaceRow(
        name, status, vlan, duplex, speed, kind, learned, auth_state, auth_mode, client, template, config,
        port_sort, color, compliance, stated_tooltip,
    )  # fmt: skip
    if not signature or signature.isspace() or signature == compute_signature(row):
        return row
    return msgspec.structs.replace(row, stated_signature=signature)


def row_from_fields(port: str, fields: Mapping[str, Any]) -> InterfaceRow:
    """The row of ``port`` from a mapping with any subset of the wire names and their aliases, in any case.

    Of several aliases the first one present wins, even when its value is null. Null is ``""``, a list of learned MACs
    is joined by commas without its empty items, other values are taken as text; unknown names are ignored
    (reference: site-cache 3.2).

    Raises:
        TypeError: a field's value is a mapping or a list, where text is expected.
    """
    by_name = {name.casefold(): value for name, value in fields.items()}
    values = []
    for field, candidates in zip(WIRE_FIELDS, _CANDIDATES, strict=True):
        value = next((by_name[name] for name in candidates if name in by_name), "")
        if field == "Learned" and isinstance(value, list | tuple):
            value = ",".join(text for item in value if (text := _text("Learned", item)))
        values.append(_text(field, value))
    return row_from_wire(port, values)


def _text(field: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, Mapping | list | tuple | set | bytes):
        raise TypeError(f"field {field} holds a {type(value).__name__} where text is expected")
    return str(value)


def derive_tooltip(template: str, config: str) -> str:
    r"""The tooltip of a port for which none is stored (reference: site-cache 3.4).

    >>> derive_tooltip("open", " port-name A")
    'AuthTemplate: open\r\n\r\n port-name A'
    """
    if config and not config.isspace():
        return f"AuthTemplate: {template}\r\n\r\n{config}"
    return f"AuthTemplate: {template}" if template else ""


class SignatureForm(Enum):
    """The three forms a signature had over time (reference: site-cache 3.3)."""

    PLAIN = "plain"
    """Until 2025-12-10: the plain values joined by ``|``."""
    DECEMBER = "december"
    """2025-12-11 to 2026-01-06, and what we write: ``<length>:<value>`` joined by ``|``, untrimmed."""
    TRIMMED = "trimmed"
    """From 2026-01-07: as before with trimmed values."""


def compute_signature(row: InterfaceRow, form: SignatureForm = SignatureForm.DECEMBER) -> str:
    """The signature of a row's fifteen signed values; lengths count UTF-16 code units."""
    return "|".join(map(_PART[form], _signed_values(row)))


def _signed_values(row: InterfaceRow) -> tuple[str, ...]:
    return (
        row.name, row.status, row.vlan, row.duplex, row.speed, row.type, row.learned_macs, row.auth_state,
        row.auth_mode, row.auth_client_mac, row.auth_template, row.config, row.port_color, row.compliance, row.tooltip,
    )  # fmt: skip


_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def utf16_length(text: str) -> int:
    """The length of ``text`` in UTF-16 code units, lone surrogates counted as one.

    >>> utf16_length("a\U0001f600")
    3
    """
    return len(text) if text.isascii() else len(text) + len(_ASTRAL.findall(text))


def _sized(text: str) -> str:
    return f"{len(text) if text.isascii() else utf16_length(text)}:{text}"


def _trimmed(text: str) -> str:
    return _sized(text.strip())


_PART: dict[SignatureForm, Callable[[str], str]] = {
    SignatureForm.PLAIN: str,
    SignatureForm.DECEMBER: _sized,
    SignatureForm.TRIMMED: _trimmed,
}
