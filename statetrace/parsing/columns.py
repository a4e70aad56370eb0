"""Texts and the columns that hold them: what is too long is cut in one place, and told (reference: log-parsing 4.1)."""

from __future__ import annotations

import operator
from typing import Any

import msgspec

from statetrace.model.facts import DeviceFacts, PortFacts
from statetrace.parsing.report import CutText

_PORT_LIMITS = {
    "port": 64,
    "name": 128,
    "status": 32,
    "duplex": 32,
    "speed": 32,
    "type": 32,
    "auth_state": 32,
    "auth_mode": 32,
    "auth_client_mac": 64,
    "auth_template": 64,
}
_DEVICE_LIMITS = {
    "hostname": 64,
    "make": 64,
    "model": 64,
    "uptime": 64,
    "building": 64,
    "room": 64,
    "auth_default_vlan": 32,
}
_SHORT = 16
"""Characters that fit any column whatever they are: UTF-16 spends at most two units on one."""


def cut_texts(facts: DeviceFacts, cut: list[CutText]) -> DeviceFacts:
    """The facts with every text cut to its column's width in UTF-16 code units; ``cut`` receives what was cut."""
    ports = list(facts.ports)
    for index in _perhaps_too_long(facts.ports):
        ports[index] = _cut(ports[index], _PORT_LIMITS, ports[index].port, cut)
    changed = any(map(operator.is_not, ports, facts.ports))
    facts = _cut(facts, _DEVICE_LIMITS, "", cut)
    return msgspec.structs.replace(facts, ports=tuple(ports)) if changed else facts


def _perhaps_too_long(ports: tuple[PortFacts, ...]) -> list[int]:
    """Indexes of the ports with a text that need not fit; nearly every device has none."""
    return [
        index
        for index, port in enumerate(ports)
        if len(port.name) > _SHORT
        or (len(port.type) > _SHORT and not (len(port.type) <= _PORT_LIMITS["type"] and port.type.isascii()))
        or len(port.port) > _SHORT
        or len(port.status) > _SHORT
        or len(port.duplex) > _SHORT
        or len(port.speed) > _SHORT
        or len(port.auth_state) > _SHORT
        or len(port.auth_mode) > _SHORT
        or len(port.auth_client_mac) > _SHORT
        or len(port.auth_template) > _SHORT
    ]


def _cut(facts: Any, limits: dict[str, int], port: str, cut: list[CutText]) -> Any:
    changed = {}
    for field, limit in limits.items():
        text = getattr(facts, field)
        if len(text) * 2 <= limit:
            continue
        units = text.encode("utf-16-le", "surrogatepass")
        if len(units) > limit * 2:
            # Half of a surrogate pair at the cut is dropped, too.
            changed[field] = units[: limit * 2].decode("utf-16-le", "ignore")
            cut.append(CutText(field, port, len(units) // 2, limit))
    return msgspec.structs.replace(facts, **changed) if changed else facts
