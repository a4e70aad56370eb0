"""Plain immutable data and the pure rules about it."""

from statetrace.model.compliance import AuthTemplates, Hint
from statetrace.model.facts import DeviceFacts, PortFacts, RouteFacts, SpanFacts, VlanFacts
from statetrace.model.interface import WIRE_FIELDS, InterfaceRow, SignatureForm, compute_signature
from statetrace.model.keys import CaseInsensitiveMap, fold
from statetrace.model.names import safe_file_name, site_of, zone_of
from statetrace.model.port_sort import port_sort_key
from statetrace.model.records import (
    Device,
    DeviceHistoryRecord,
    InterfaceHistoryRecord,
    InterfaceRecord,
    SpanningTreeRecord,
)
from statetrace.model.site_entry import DatabaseState, HostPorts, SiteEntry, merge_entries

__all__ = [
    "WIRE_FIELDS",
    "AuthTemplates",
    "CaseInsensitiveMap",
    "DatabaseState",
    "Device",
    "DeviceFacts",
    "DeviceHistoryRecord",
    "Hint",
    "HostPorts",
    "InterfaceHistoryRecord",
    "InterfaceRecord",
    "InterfaceRow",
    "PortFacts",
    "RouteFacts",
    "SignatureForm",
    "SiteEntry",
    "SpanFacts",
    "SpanningTreeRecord",
    "VlanFacts",
    "compute_signature",
    "fold",
    "merge_entries",
    "port_sort_key",
    "safe_file_name",
    "site_of",
    "zone_of",
]
