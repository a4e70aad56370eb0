"""The sort key of a port name: natural order of ports as plain text order of their keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

UNKNOWN_PORT = "99-UNK-99999-99999-99999-99999-99999"
"""The key of a blank port name; sorts last."""

_SPEED_TAIL = r"(?:ABIT\s*ETHERNET|E)?"
# Order matters: "FOUR HUNDRED GIG" must be seen before "HUNDRED GIG" swallows its end.
_ABBREVIATIONS = tuple(
    (re.compile(pattern), abbreviation)
    for pattern, abbreviation in (
        (rf"FOUR\s*HUNDRED\s*GIG{_SPEED_TAIL}", "TH"),
        (rf"HUNDRED\s*GIG{_SPEED_TAIL}", "HU"),
        (rf"FORTY\s*GIG{_SPEED_TAIL}", "FO"),
        (r"TWENTY\s*FIVE\s*GIG(?:ABIT\s*ETHERNET|IGE|E)?", "TW"),
        (rf"TEN\s*GIG{_SPEED_TAIL}", "TE"),
        (r"GIGABIT\s*ETHERNET", "GI"),
        (r"FAST\s*ETHERNET", "FA"),
        (r"ETHERNET", "ET"),
        (r"MANAGEMENT", "MGMT"),
        (r"PORT-?\s*CHANNEL", "PO"),
        (r"LOOPBACK", "LO"),
        (r"VLAN", "VL"),
    )
)
_TYPE_AND_NUMBERS = re.compile(r"([A-Z-]*)\s*([0-9/.:]+)")
_LETTERS = re.compile(r"[A-Z]+")
_DIGITS = re.compile(r"[0-9]+")
_WEIGHTS = {
    "MGMT": 5, "PO": 10, "TH": 22, "HU": 23, "FO": 24, "TE": 25, "TW": 26,
    "ET": 30, "GI": 40, "FA": 50, "VL": 97, "LO": 98,
}  # fmt: skip
_OTHER_WEIGHT = 60
_MOST_SEGMENTS, _LEAST_SEGMENTS = 6, 4


def port_sort_key(port: str) -> str:
    """The key by which ports sort: weight of the type, type, then the numbers padded to five digits.

    ``FourHundredGig…`` is of type ``TH``, which the original never reached (reference: site-cache 3.5, D15).

    >>> port_sort_key("GigabitEthernet1/0/42")
    '40-GI-00001-00000-00042-00000'
    >>> sorted(["Gi1/0/10", "Gi1/0/2", "Po1"], key=port_sort_key)
    ['Po1', 'Gi1/0/2', 'Gi1/0/10']
    """
    text = port.strip().upper()
    if not text:
        return UNKNOWN_PORT
    for pattern, abbreviation in _ABBREVIATIONS:
        text = pattern.sub(abbreviation, text)
    match = _TYPE_AND_NUMBERS.match(text)
    if match and match[1]:
        kind, numbers = match[1], match[2]
    else:
        kind = "ET" if "0" <= text[0] <= "9" else "".join(_LETTERS.findall(text))
        numbers = text
    segments = [digits.zfill(5) for digits in _DIGITS.findall(numbers)[:_MOST_SEGMENTS]]
    segments += ["00000"] * (_LEAST_SEGMENTS - len(segments))
    return f"{_WEIGHTS.get(kind, _OTHER_WEIGHT):02d}-{kind}-{'-'.join(segments)}"


class PortSortLookup(msgspec.Struct, frozen=True):
    """The keys of a column of port names, and how many of them were known or new to the memo."""

    keys: list[str]
    hits: int
    misses: int


class PortSortMemo:
    """Remembers the keys of port names, which repeat from host to host.

    Bounded: names come from logs, so a memo that grew beyond ``limit`` names starts anew.
    """

    def __init__(self, limit: int = 65_536) -> None:
        self._limit = limit
        self._keys: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def clear(self) -> None:
        self._keys = {}

    def key(self, port: str) -> str:
        """The sort key of one port."""
        known = self._keys.get(port)
        return known if known is not None else self.lookup((port,)).keys[0]

    def lookup(self, ports: Sequence[str]) -> PortSortLookup:
        """The sort keys of ``ports``, in order; a name counts as a miss once, then as hits."""
        known = self._keys
        new = set(ports).difference(known)
        if new:
            if len(known) + len(new) > self._limit:
                known = self._keys = {}
                new = set(ports)
            known.update(_keys_of(new))
        return PortSortLookup(list(map(known.__getitem__, ports)), len(ports) - len(new), len(new))


def _keys_of(ports: Iterable[str]) -> Iterable[tuple[str, str]]:
    return ((port, port_sort_key(port)) for port in ports)


port_sort_memo = PortSortMemo()
"""The memo of the process."""
