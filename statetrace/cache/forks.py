"""What a forked child has to set up anew: it has the data of its parent but not the threads that hold its locks."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forked(Protocol):
    """Something with locks, told after a fork in the child."""

    def after_fork(self) -> None: ...


_told: weakref.WeakSet[Forked] = weakref.WeakSet()


def tell_after_fork(thing: Forked) -> None:
    """Call ``thing.after_fork()`` in every child that is forked while ``thing`` lives."""
    _told.add(thing)


def _after_fork() -> None:
    for thing in _told:
        thing.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
