"""Rows of the smaller tables become records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from statetrace.model import (
    Device,
    DeviceHistoryRecord,
    InterfaceHistoryRecord,
    SpanningTreeRecord,
)
from statetrace.model.interface import derive_tooltip, row_from_wire

Row = Sequence[Any]


def text(value: object) -> str:
    """A database value as text; null is ``""``."""
    return "" if value is None else str(value)


def _number(value: object) -> int:
    """A count; what is none, as text in a number's column of SQLite, is 0."""
    try:
        return int(text(value) or 0)
    except ValueError:
        return 0


def device(row: Row) -> Device:
    """A row with all columns of ``DeviceSummary``; the site is the one stored."""
    hostname, make, model, uptime, site, building, room, ports, vlan, block = row
    return Device(
        text(hostname).strip(), text(make), text(model), text(uptime), text(site), text(building), text(room),
        _number(ports), text(vlan), text(block),
    )  # fmt: skip


def device_history(row: Row) -> DeviceHistoryRecord:
    """A row with all columns of ``DeviceHistory``."""
    _id, hostname, run_date, *rest = row
    return DeviceHistoryRecord(text(run_date), device((hostname, *rest)))


def interface_history(row: Row) -> InterfaceHistoryRecord:
    """A row with all columns of ``InterfaceHistory``."""
    _id, hostname, run_date, port, *values = map(text, row)
    port = port.strip()
    *observed, color, compliance, tooltip = values
    tooltip = tooltip.rstrip() or derive_tooltip(template=observed[10], config=observed[11])
    return InterfaceHistoryRecord(
        run_date, hostname.strip(), port, row_from_wire(port, (*observed, "", color, compliance, tooltip, ""))
    )


def spanning_tree(row: Row) -> SpanningTreeRecord:
    """A row of the spanning-tree query."""
    return SpanningTreeRecord(*map(text, row))
