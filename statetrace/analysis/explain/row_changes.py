"""Which fields of a row differ, read from the signatures that events quote (reference: site-cache 3.3)."""

from __future__ import annotations

from statetrace.analysis.events import WireEvent
from statetrace.model import fold
from statetrace.model.interface import WIRE_FIELDS

_SIGNED = tuple(name for name in WIRE_FIELDS if name not in ("PortSort", "Signature"))
_LONGEST = 40
_MOST_DIGITS = 9


def signed_fields(signature: str) -> dict[str, str] | None:
    """The fifteen signed values by wire name; ``None`` for what is no signature of lengths and texts.

    >>> from statetrace.model import InterfaceRow
    >>> fields = signed_fields(InterfaceRow(name="Desk|1", vlan="10").signature)
    >>> fields["Name"], fields["VLAN"], signed_fields("up|10")
    ('Desk|1', '10', None)
    """
    units = signature.encode("utf-16-le", "surrogatepass")
    values, rest = [], units
    for _ in _SIGNED:
        length, colon, rest = rest.partition(_COLON)
        number = length.decode("utf-16-le", "replace")
        if not colon or len(number) > _MOST_DIGITS or not (number.isascii() and number.isdecimal()):
            return None
        if 2 * int(number) > len(rest):
            return None
        values.append(rest[: 2 * int(number)].decode("utf-16-le", "surrogatepass"))
        rest = rest[2 * int(number) + 2 :]
    return None if rest else dict(zip(_SIGNED, values, strict=True))


_COLON = ":".encode("utf-16-le")


def mismatches_of(host: str, event: WireEvent) -> list[str]:
    """What a read of the site found to differ from what was cached of the host: at most five of its rows.

    Args:
        host: the host.
        event: its ``InterfaceSyncTiming``, or an ``InterfaceSiteCacheMetrics``.
    """
    samples = event.fields.get("SiteCacheHostMapSignatureMismatchSamples")
    told = []
    for sample in samples if isinstance(samples, list) else []:
        if isinstance(sample, dict) and fold(str(sample.get("Hostname") or "")) == fold(host):
            before, after = (str(sample.get(name) or "") for name in ("PreviousSignature", "NewSignature"))
            told.append(f"{sample.get('Port')}: {_difference(before, after)}")
    return told


def _difference(before: str, after: str) -> str:
    old, new = signed_fields(before), signed_fields(after)
    if old is None or new is None:
        return f"{_short(before)} -> {_short(after)}"
    differing = [name for name in _SIGNED if old[name] != new[name]]
    return ", ".join(f"{name} {_short(old[name])} -> {_short(new[name])}" for name in differing) or "same fields"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return (line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…") or "(empty)"
