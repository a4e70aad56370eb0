"""The bounds within which a document is read."""

from __future__ import annotations

from typing import Any

import msgspec

from statetrace.cache.clixml.values import ClixmlObject


class Limits(msgspec.Struct, frozen=True):
    """Bounds within which a document is read; a real one stays far below each.

    Attributes:
        max_bytes: size of the document.
        max_values: objects, and values that are no named text; a row of a site makes two. Few bytes of a document
            can stand for many of memory.
        max_depth: objects nested in objects, through references too; PowerShell gives up at about 50.
        max_repeated_bytes: what all references together repeat, were each replaced by the object it names.
    """

    max_bytes: int = 512 * 1024 * 1024
    max_values: int = 2_000_000
    max_depth: int = 50
    max_repeated_bytes: int = 64 * 1024 * 1024


DEFAULT_LIMITS = Limits()

# What an object or value weighs beside its text, in the order of what it takes in memory.
_NODE_BYTES = 64


class RepetitionGuard:
    """Adds up what the references of a document repeat.

    A reference costs a line and names an object of any size, which may itself hold references: twenty lines can stand
    for more rows than fit into any memory. Objects here are shared, but who walks over them pays for each.
    """

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes
        self._measured: dict[int, tuple[ClixmlObject, int, int]] = {}

    def repeat(self, value: Any) -> int | None:
        """Takes one more occurrence of ``value``.

        Returns:
            How many objects are nested in it, itself included, or ``None`` when it was one too many.
        """
        size, height = self._measure(value)
        self._left -= size
        return height if self._left >= 0 else None

    def _measure(self, value: Any) -> tuple[int, int]:
        """Size in bytes, references replaced, and height. The depth limit of the reader bounds the recursion."""
        if isinstance(value, str | bytes):
            return _NODE_BYTES + len(value), 0
        if not isinstance(value, ClixmlObject):
            # A plain value, or what was made of an object.
            parts = msgspec.structs.astuple(value) if isinstance(value, msgspec.Struct) else ()
            return _NODE_BYTES + sum(len(part) for part in parts if isinstance(part, str)), 1
        known = self._measured.get(id(value))
        if known is not None:
            return known[1:]
        size, height = _NODE_BYTES + len(value.text or ""), 0
        held = value.value
        keys = held if isinstance(held, dict) else ()
        inner = held.values() if isinstance(held, dict) else held or ()
        for part in (*value.properties, *value.properties.values(), *keys, *inner):
            part_size, part_height = self._measure(part)
            size += part_size
            height = max(height, part_height)
        # The object is kept beside its size: an id is unique among the living only.
        self._measured[id(value)] = (value, size, height + 1)
        return size, height + 1
