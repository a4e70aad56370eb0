"""What a log says under the original's names, its ports as they are stored (reference: log-parsing 4 and 4.1)."""

from __future__ import annotations

from typing import Any

import msgspec

from statetrace.database import schema
from statetrace.model.facts import DeviceFacts
from statetrace.parsing import ParseResult
from statetrace.persistence import HostFacts, canonical

_COLUMNS = tuple(name for name in schema.interfaces.columns.keys() if name not in ("ID", "Hostname"))  # noqa: SIM118  # columns
_DERIVED = ("", "", "")
"""Colour, compliance and tooltip: stored empty, filled in by readers."""
_SPELLING = {"Id": "ID"}


def device_to_wire(result: ParseResult, file: str) -> dict[str, Any]:
    """One device of a log as a JSON object.

    Without facts it has the name of the slice, the reason and the message only; the report is always there.

    Args:
        result: what parsing the device's slice gave.
        file: the raw file.
    """
    report = {"File": file, "Reason": result.reason, "Message": result.message, **_pascal(result.report)}
    if result.facts is None:
        return {"Hostname": result.name, "Report": report}
    return {**_facts(result.facts), "Report": report}


def _facts(facts: DeviceFacts) -> dict[str, Any]:
    host = canonical(facts)
    device = host.device
    given = {
        "VLANs": _pascal(facts.vlans),
        "Routes": _pascal(facts.routes),
        "SerialNumber": facts.serial_number,
        "HAStatus": facts.ha_status,
    }
    return {
        "Hostname": device.hostname,
        "Make": device.make,
        "Model": device.model,
        "Version": facts.version,
        "Uptime": device.uptime,
        "Location": facts.location,
        "Site": device.site,
        "Building": device.building,
        "Floor": facts.floor,
        "Room": device.room,
        "Row": facts.row,
        "Rack": facts.rack,
        "InterfaceCount": device.ports,
        "AuthDefaultVLAN": device.auth_default_vlan,
        "AuthenticationBlock": list(facts.auth_block),
        **{name: value for name, value in given.items() if value},  # only some makes tell them
        "Interfaces": _interfaces(host),
        "SpanInfo": [
            {
                "VLAN": span.vlan,
                "RootSwitch": span.root_switch,
                "RootPort": span.root_port,
                "Role": span.role,
                "Upstream": span.upstream,
            }
            for span in host.spanning_tree
        ],
    }


def _interfaces(host: HostFacts) -> list[dict[str, Any]]:
    rows = []
    for port, observed in host.ports.items():
        row: dict[str, Any] = dict(zip(_COLUMNS, (port, *observed, *_DERIVED), strict=True))
        row["VLAN"] = int(row["VLAN"])
        rows.append(row)
    return rows


def _pascal(value: Any) -> Any:
    """``value`` as JSON, its fields spelled as the original spells fields."""
    if isinstance(value, msgspec.Struct):
        return {_name(field): _pascal(content) for field, content in msgspec.structs.asdict(value).items()}
    if isinstance(value, tuple | list):
        return [_pascal(content) for content in value]
    return value


def _name(field: str) -> str:
    name = "".join(part.capitalize() for part in field.split("_"))
    return _SPELLING.get(name, name)
