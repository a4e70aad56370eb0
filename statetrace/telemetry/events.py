"""What all events have in common: their base class, who emitted them, the type names they carry."""

from __future__ import annotations

import os
import threading
import uuid

import msgspec

HOST_MAP_TYPE = "InterfaceHostMap"
"""Stands in fields that named the .NET type of a host map; readers look at emptiness and equality only."""

ENTRY_TYPE = "SiteEntry"
"""Stands in fields that named the .NET type of a cache entry."""

APP_DOMAIN_ID = "1"
APP_DOMAIN_NAME = "python"


class Event(
    msgspec.Struct, frozen=True, kw_only=True, rename="pascal", tag_field="EventName", tag=True, gc=False, order=False
):
    """Base of all events. An event is one class; the class name is its ``EventName`` on the wire.

    Field names are the wire names in snake case (``TotalRows`` is ``total_rows``), in the order in which the original
    declares them. Values are flat; ``*_duration_ms`` are milliseconds with three decimals, ``*_ratio`` lie between 0
    and 1 with six decimals or are ``None`` when nothing was counted, every other number is a count. ``Timestamp`` is
    no field: the sink stamps the line when the event is emitted (reference: telemetry-events 2.2).

    An event of one's own is a subclass:

    >>> class SiteVisited(Event, frozen=True, kw_only=True):
    ...     site: str
    ...     wait_duration_ms: float = 0.0
    >>> msgspec.json.encode(SiteVisited(site="WLLS"))
    b'{"EventName":"SiteVisited","Site":"WLLS","WaitDurationMs":0.0}'
    """


_thread = threading.local()


def runspace_id() -> str:
    """A lower-case GUID that names the calling thread of this process; it stays the same while the thread lives."""
    try:
        identity: str = _thread.runspace_id
    except AttributeError:
        identity = _thread.runspace_id = str(uuid.uuid4())
    return identity


def _forget_threads() -> None:
    # Two processes must not share an identity.
    global _thread  # noqa: PLW0603  # a fresh local() is the only way to forget the values of all threads
    _thread = threading.local()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
