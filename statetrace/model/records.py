"""Rows of the other tables, and an interface row together with where it stands."""

from __future__ import annotations

import msgspec

from statetrace.model.interface import InterfaceRow


class Device(msgspec.Struct, frozen=True, gc=False):
    """One host as its summary describes it."""

    hostname: str
    make: str = ""
    model: str = ""
    uptime: str = ""
    site: str = ""
    building: str = ""
    room: str = ""
    ports: int = 0
    auth_default_vlan: str = ""
    auth_block: str = ""


class DeviceHistoryRecord(msgspec.Struct, frozen=True, gc=False):
    """The summary of a host as one ingestion saw it; ``run_date`` is local, ``YYYY-MM-DD HH:MM:SS``."""

    run_date: str
    device: Device


class InterfaceRecord(msgspec.Struct, frozen=True, gc=False):
    """An interface row with its host, its port and the place they stand in."""

    hostname: str
    port: str
    row: InterfaceRow
    site: str = ""
    zone: str = ""
    building: str = ""
    room: str = ""
    make: str = ""


class InterfaceHistoryRecord(msgspec.Struct, frozen=True, gc=False):
    """A port as one ingestion left it; ``run_date`` is local, ``YYYY-MM-DD HH:MM:SS``."""

    run_date: str
    hostname: str
    port: str
    row: InterfaceRow


class SpanningTreeRecord(msgspec.Struct, frozen=True, gc=False):
    """One spanning-tree instance of a host; ``last_updated`` is local, ``YYYY-MM-DD HH:MM:SS``, or ``""``."""

    vlan: str
    root_switch: str = ""
    root_port: str = ""
    role: str = ""
    upstream: str = ""
    last_updated: str = ""
