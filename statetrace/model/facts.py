"""What one device's log says: the device, its ports, its spanning tree, in the words of the log."""

from __future__ import annotations

import msgspec

UNKNOWN = "Unknown"
"""What stands for a model, a version or an uptime that the log does not tell."""
UNSPECIFIED = "Unspecified"
"""What stands for a location that the log does not tell."""


class PortFacts(msgspec.Struct, frozen=True, gc=False):
    """One port as the log prints it; absent values are ``""`` (reference: log-parsing 4.1).

    The first thirteen fields are stored; the others tell more to whoever reads the facts themselves.

    Attributes:
        port: the port under the name that is stored, ``Gi1/0/1`` or ``Et1/1/1``.
        vlan: the text of the log, ``trunk`` and the like included.
        learned_macs: all learned MAC addresses in the order of the table, joined by commas.
        config: the port's part of the configuration with the vendor's line ends.
        interface_mac: the port's own address, or for Cisco the first one learned.
        auth_vlan: VLAN of the first learned address or of the session.
        missing_auth_commands: what a port of the template ``flexible`` lacks.
        admin_status: ``up`` or ``down`` where a vendor prints it apart from the link.
        ip_address: the address of a routed port.
        zone: the security zone of a firewall's port.
    """

    port: str
    name: str = ""
    status: str = ""
    vlan: str = ""
    duplex: str = ""
    speed: str = ""
    type: str = ""
    learned_macs: str = ""
    auth_state: str = ""
    auth_mode: str = ""
    auth_client_mac: str = ""
    auth_template: str = ""
    config: str = ""
    interface_mac: str = ""
    auth_vlan: str = ""
    missing_auth_commands: tuple[str, ...] = ()
    admin_status: str = ""
    ip_address: str = ""
    zone: str = ""


class SpanFacts(msgspec.Struct, frozen=True, gc=False):
    """One spanning-tree instance as the log prints it."""

    vlan: str
    root_switch: str = ""
    root_port: str = ""
    role: str = ""
    upstream: str = ""


class VlanFacts(msgspec.Struct, frozen=True, gc=False):
    """One VLAN of a device that lists them."""

    id: str
    name: str = ""
    type: str = ""


class RouteFacts(msgspec.Struct, frozen=True, gc=False):
    """One route of a device that lists them."""

    prefix: str
    next_hop: str = ""
    protocol: str = ""
    preference: str = ""
    metric: str = ""
    interface: str = ""


class DeviceFacts(msgspec.Struct, frozen=True):
    """All that one device's log says (reference: log-parsing 4).

    Attributes:
        hostname: as the prompt says it, without ``SSH@``.
        make: ``Cisco``, ``Brocade``, ``Arista`` or what another vendor module calls itself.
        location: the text of the SNMP location; building, floor, room, row and rack are its parts.
        auth_default_vlan: the VLAN of ports whose authentication failed, as text.
        auth_block: the lines of the device's authentication configuration.
        ports: in the order of the interface table. A port may come twice; then the last one counts.
        interfaces_found: whether a table of interfaces was understood; without one, no ports means nothing.
    """

    hostname: str
    make: str
    model: str = UNKNOWN
    version: str = UNKNOWN
    uptime: str = UNKNOWN
    location: str = UNSPECIFIED
    building: str = ""
    floor: str = ""
    room: str = ""
    row: str = ""
    rack: str = ""
    auth_default_vlan: str = ""
    auth_block: tuple[str, ...] = ()
    ports: tuple[PortFacts, ...] = ()
    interfaces_found: bool = False
    spanning_tree: tuple[SpanFacts, ...] = ()
    vlans: tuple[VlanFacts, ...] = ()
    routes: tuple[RouteFacts, ...] = ()
    serial_number: str = ""
    ha_status: str = ""
