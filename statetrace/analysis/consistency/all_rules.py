"""All rules that events have to keep to, and what each says."""

from __future__ import annotations

from string import ascii_uppercase

import msgspec

from statetrace.analysis.consistency.event_rules import EVENT_RULES
from statetrace.analysis.consistency.host_rules import HOST_RULES
from statetrace.analysis.consistency.read_rules import READ_RULES
from statetrace.analysis.consistency.rules import WIRE_RULES, Rule
from statetrace.analysis.consistency.run_rules import RUN_RULES
from statetrace.analysis.consistency.sync_rules import SYNC_RULES

RULES: tuple[Rule, ...] = (*EVENT_RULES, *READ_RULES, *SYNC_RULES)
"""All rules about one event each."""

STREAM_RULES = {
    "E2": "no line is there twice",
    "J8": "each attempt at reuse is answered by metrics",
    "J9": "each reuse tells its state",
}
"""Rules about events that follow each other; E2 is our own."""

MEANINGS: dict[str, str] = (
    {rule.id: rule.meaning for rule in RULES} | WIRE_RULES | HOST_RULES | RUN_RULES | STREAM_RULES
)
"""What each rule says, by its name."""

_OURS_ALONE = frozenset((*RUN_RULES, "D3", "J10", "J11", "O1", "R2", *(rule.id for rule in RULES if rule.ours)))


class RuleDescription(msgspec.Struct, frozen=True, rename="pascal"):
    """A rule, for whoever has to know what a violation of it is about.

    Attributes:
        rule: its name.
        event: what it is about, ``""`` for rules about several events.
        kept_by: whose events have to keep it: ``ours``, or ``ours and original``.
        meaning: what it says.
    """

    rule: str
    event: str
    kept_by: str
    meaning: str


def rule_descriptions() -> list[RuleDescription]:
    """All rules by their names."""
    events = {rule.id: rule.event for rule in RULES}
    names = sorted(MEANINGS, key=lambda name: (name.rstrip("0123456789"), int(name.lstrip(ascii_uppercase))))
    return [
        RuleDescription(
            name, events.get(name, ""), "ours" if name in _OURS_ALONE else "ours and original", MEANINGS[name]
        )
        for name in names
    ]
