"""What a consistency rule is, what breaking one looks like, and the rules that hold for any event."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from statetrace.analysis.events import WireEvent

Fields = dict[str, Any]
"""An event as it stands on its line; without ``Timestamp`` when it never was on one."""

_ODD_FIELD = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What a missing field, or one of another type, leads to."""
_LONGEST_DETAIL = 400
_LONGEST_VALUE = 100
_MOST_SHAPES = 4096
_MOST_MS = 1e12
_OUR_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}[+-]\d\d:\d\d")
_ANY_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Rule(msgspec.Struct, frozen=True):
    """Something that holds between the fields of every event of a name.

    Attributes:
        id: as in the reference (telemetry-events 6), or our own.
        event: the ``EventName``.
        meaning: what holds, in words.
        holds: tells whether it does; what it raises for a missing or odd field breaks the rule, too.
        ours: events of the original need not keep it.
    """

    id: str
    event: str
    meaning: str
    holds: Callable[[Fields], object]
    ours: bool = False


class Broken(msgspec.Struct, frozen=True):
    """A rule that does not hold.

    Attributes:
        rule: its id.
        meaning: what it says.
        detail: the values that contradict each other.
    """

    rule: str
    meaning: str
    detail: str


WIRE_RULES = {
    "E1": "an event begins with EventName and Timestamp, which is local time with offset and seven digits",
    "D1": "times are finite, not negative, and durations have no more than three decimals",
    "D2": "ratios lie between 0 and 1 and have six decimals, or are null",
    "D3": "lists are lists",
}
"""Rules about the fields of any event, by their names."""


class Place(NamedTuple):
    """Where an event stands and of what it tells, without the event."""

    event: str = ""
    site: str = ""
    host: str = ""
    file: str = ""
    line: int = 0

    @classmethod
    def of(cls, event: WireEvent) -> Place:
        """The place of an event."""
        return cls(event.name, event.site, event.host, event.file, event.line)

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return f"{self.file}:{self.line}" if self.file else ""


def shown(value: object) -> str:
    """A value as it stands in its line, cut if it is long.

    >>> shown(None), shown("ALDR"), shown([1, True])
    ('null', '"ALDR"', '[1, true]')
    """
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def amount(number: int, noun: str) -> str:
    """``1 launch``, ``2 launches``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}{'es' if noun.endswith('ch') else 's'}"


class EventCheck:
    """Checks events one by one, whatever their order.

    Args:
        rules: about events of one name each.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault(rule.event, []).append(rule)
        self._shared = {name: [rule for rule in of_event if not rule.ours] for name, of_event in self._rules.items()}
        self._shapes: dict[tuple[str, ...], _Shape] = {}

    def __call__(self, name: str, fields: Fields, *, ours: bool) -> list[Broken]:
        """What an event breaks. With ``ours`` it has to keep the rules that the original's events do not keep."""
        keys = tuple(fields)
        shape = self._shapes.get(keys)
        if shape is None:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()  # hostile: events have a few dozen shapes
            shape = self._shapes[keys] = _Shape.of(keys)
        broken = _odd_values(shape, fields, ours=ours)
        for rule in (self._rules if ours else self._shared).get(name, ()):
            try:
                if rule.holds(fields):
                    continue
            except _ODD_FIELD as error:
                broken.append(Broken(rule.id, rule.meaning, _seen(rule, fields, error)))
            else:
                broken.append(Broken(rule.id, rule.meaning, _seen(rule, fields)))
        return broken


class _Shape(msgspec.Struct, frozen=True):
    """The fields that events with the same fields have to be looked at for."""

    in_order: bool
    timed: bool
    times: tuple[str, ...]
    ratios: tuple[str, ...]
    lists: tuple[str, ...]

    @classmethod
    def of(cls, keys: tuple[str, ...]) -> _Shape:
        timed = "Timestamp" in keys
        return cls(
            not timed or keys[:2] == ("EventName", "Timestamp"),
            timed,
            tuple(key for key in keys if key.endswith("Ms")),
            tuple(key for key in keys if key.endswith("Ratio")),
            tuple(key for key in keys if key.endswith(("Samples", "EntriesSample", "Sources"))),
        )


def _odd_values(shape: _Shape, fields: Fields, *, ours: bool) -> list[Broken]:
    odd = []
    if shape.timed:
        stamp = fields["Timestamp"]
        pattern = _OUR_TIMESTAMP if ours else _ANY_TIMESTAMP
        if not (shape.in_order and isinstance(stamp, str) and pattern.fullmatch(stamp)):
            odd.append(_odd("E1", "Timestamp", stamp))
    for key in shape.times:
        value = fields[key]
        # Most are 0, and nearly all others are a number with a fraction.
        if value == 0 or (type(value) is float and 0 < value < _MOST_MS and round(value, 3) == value):
            continue
        if not _is_time(key, value):
            odd.append(_odd("D1", key, value))
    for key in shape.ratios:
        value = fields[key]
        if value is not None and not (type(value) in (int, float) and 0 <= value <= 1 and round(value, 6) == value):
            odd.append(_odd("D2", key, value))
    if ours:
        odd += [_odd("D3", key, fields[key]) for key in shape.lists if not isinstance(fields[key], list)]
    return odd


def _is_time(key: str, value: Any) -> bool:
    if value is None:
        return not key.endswith("DurationMs")
    return type(value) in (int, float) and 0 <= value < _MOST_MS and round(value, 3) == value


def _odd(rule: str, key: str, value: object) -> Broken:
    return Broken(rule, WIRE_RULES[rule], f"{key} is {shown(value)}"[:_LONGEST_DETAIL])


def _seen(rule: Rule, fields: Fields, error: Exception | None = None) -> str:
    """The fields at which a rule looks, with their values."""
    seen = _Watched(fields)
    with suppress(*_ODD_FIELD):
        rule.holds(seen)
    told = [f"{key} is {shown(fields[key]) if key in fields else 'missing'}" for key in seen.keys_seen]
    if error is not None and not isinstance(error, KeyError):
        told.append("which cannot be compared")
    return ", ".join(told)[:_LONGEST_DETAIL]


class _Watched(dict[str, Any]):
    """Fields that remember which of them were asked for."""

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.keys_seen: dict[str, None] = {}

    def __getitem__(self, key: str) -> Any:
        self.keys_seen[key] = None
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The field, or what stands for it."""
        if key in self:
            self.keys_seen[key] = None
        return super().get(key, default)
