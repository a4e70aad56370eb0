"""Which elements a document may have, and which may stand in which (reference: clixml-snapshots 1.3)."""

from __future__ import annotations

from statetrace.cache.clixml.values import PRIMITIVES

LISTS = frozenset({"LST", "IE", "QUE", "STK"})
"""Lists and arrays, other enumerables, queues, stacks: all of them are lists here."""
MEMBERS = frozenset({"Props", "MS"})
"""Properties of the class and properties that were added."""
LEAVES = frozenset({"T", "ToString", "TNRef", "Nil", "Ref", *PRIMITIVES})
"""Elements with nothing but text, or with nothing."""
NOTHING = frozenset[str]()
"""What may stand in a leaf."""

_VALUES = frozenset({"Obj", "Ref", "Nil", *PRIMITIVES})

CHILDREN: dict[str, frozenset[str]] = {
    "": frozenset({"Objs"}),
    "Objs": _VALUES,
    "Obj": frozenset({"TN", "TNRef", "ToString", "DCT", "Nil", *MEMBERS, *LISTS, *PRIMITIVES}),
    "TN": frozenset({"T"}),
    "Props": _VALUES,
    "MS": _VALUES | {"MS"},
    "DCT": frozenset({"En"}),
    "En": _VALUES,
    **dict.fromkeys(LISTS, _VALUES),
}
"""The elements that may stand in each element that has any; ``""`` is the document."""

TAGS = frozenset[str]().union(*CHILDREN.values())
"""All known elements."""


def refusal(tag: str, parent: str | None) -> str:
    """Why an element cannot stand in ``parent``; ``None`` is a leaf, ``""`` the document."""
    if parent is None:
        return "stands where only text is expected"
    if not parent:
        return "is not the root of a CLIXML document, <Objs>"
    if tag == "PR":
        return "is a progress record, which is no part of a snapshot"
    return f"must not stand in <{parent}>" if tag in TAGS else "is an unknown element"
