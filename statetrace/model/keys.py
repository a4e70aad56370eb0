"""Keys that ignore case and surrounding blanks, and the immutable map that is read by them."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from typing import Any, Generic, TypeVar

V = TypeVar("V")


def fold(key: str) -> str:
    """The form under which two spellings of a key are the same key.

    Ordinal and culture-free, one character to one character, as the original compares its keys: ``ß`` stays itself.

    >>> fold(" wlls-a01-as-01 "), fold("Straße")
    ('WLLS-A01-AS-01', 'STRAßE')
    """
    key = key.strip()
    if key.isascii():
        return key.upper()
    return "".join(upper if len(upper := character.upper()) == 1 else character for character in key)


class CaseInsensitiveMap(Mapping[str, V], Generic[V]):
    """An immutable map from names to values that finds a name in any case, and keeps its first spelling and order.

    Keys are trimmed, blank keys are dropped, and of several spellings the last value wins
    (reference: site-cache 1 and 4.2).

    >>> ports = CaseInsensitiveMap([("Gi1/0/1", "a"), (" gi1/0/1", "b"), ("", "c")])
    >>> dict(ports), ports["GI1/0/1"], "Gi1/0/2" in ports
    ({'Gi1/0/1': 'b'}, 'b', False)
    """

    __slots__ = ("_spellings", "_values")

    _values: dict[str, V]
    _spellings: dict[str, str] | None

    def __init__(self, items: Mapping[str, V] | Iterable[tuple[str, V]] = ()) -> None:
        spellings: dict[str, str] = {}
        values: dict[str, V] = {}
        for key, value in items.items() if isinstance(items, Mapping) else items:
            folded = fold(key)
            if folded:
                values[spellings.setdefault(folded, key.strip())] = value
        self._values = values
        self._spellings = spellings

    @classmethod
    def of_distinct(cls, values: dict[str, V], spellings: dict[str, str] | None = None) -> CaseInsensitiveMap[V]:
        """A map over a dictionary whose keys are trimmed, not blank and distinct when folded.

        The dictionary is taken over, not copied, and the folded index, unless given, is built only when a look-up
        needs it: this is the cheap way for the many small maps of a hydration.
        """
        self = cls.__new__(cls)
        self._values = values
        self._spellings = spellings
        return self

    def __getitem__(self, key: str) -> V:
        try:
            return self._values[key]
        except KeyError:
            spelling = self.spelling(key)
            if spelling is None:
                raise
            return self._values[spelling]

    def spelling(self, key: str) -> str | None:
        """The spelling under which the map keeps ``key``, or ``None`` if it is absent."""
        spellings = self._spellings
        if spellings is None:
            spellings = self._spellings = {fold(kept): kept for kept in self._values}
        return spellings.get(fold(key))

    def __contains__(self, key: object) -> bool:
        return key in self._values or (isinstance(key, str) and self.spelling(key) is not None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def values(self) -> ValuesView[V]:
        return self._values.values()

    def items(self) -> ItemsView[str, V]:
        return self._values.items()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CaseInsensitiveMap):
            if self._values == other._values:
                return True
            return len(self) == len(other) and all(
                (spelling := other.spelling(key)) is not None and other[spelling] == value
                for key, value in self._values.items()
            )
        return NotImplemented

    def __hash__(self) -> int:
        raise TypeError(f"{type(self).__name__} is not hashable")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._values!r})"

    def with_items(self, items: Iterable[tuple[str, V]]) -> CaseInsensitiveMap[V]:
        """A copy in which the given items are set, each under the spelling already known."""
        self.spelling("")  # builds the index, which the copy starts from
        spellings, values = dict(self._spellings or {}), dict(self._values)
        for key, value in items:
            folded = fold(key)
            if folded:
                values[spellings.setdefault(folded, key.strip())] = value
        return self.of_distinct(values, spellings)

    def without(self, keys: Iterable[str]) -> CaseInsensitiveMap[V]:
        """A copy in which the given keys are absent."""
        values = dict(self._values)
        for key in keys:
            spelling = self.spelling(key)
            if spelling is not None:
                values.pop(spelling, None)
        return self.of_distinct(values)


def frozen(value: Any) -> Any:
    """A copy that nobody can change: mappings become ``CaseInsensitiveMap``, lists and sets tuples, at any depth.

    Plain values and objects are returned as they are.

    >>> frozen([1, {"Host": ["a"]}])
    (1, CaseInsensitiveMap({'Host': ('a',)}))
    """
    if isinstance(value, Mapping):
        return CaseInsensitiveMap((str(key), frozen(held)) for key, held in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(map(frozen, value))
    return bytes(value) if isinstance(value, bytearray) else value
