"""Every statement that reads a site database.

Each function gives a SQLAlchemy Core select. They are built once and compiled once for each dialect, keep to what
Access understands (IN, ORDER BY, one parenthesised join), and select no column that needs a conversion on SQLite. Null
is read as ``""`` by whoever takes the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from statetrace.database import schema
from statetrace.model.names import historical_site, site_aliases

if TYPE_CHECKING:
    Select = sa.Select[*tuple[Any, ...]]

_devices = schema.device_summary
_interfaces = schema.interfaces
_span_info = schema.span_info
_device_history = schema.device_history
_interface_history = schema.interface_history

INTERFACE_COLUMNS = (
    "Hostname", "Port", "Name", "Status", "VLAN", "Duplex", "Speed", "Type", "LearnedMACs", "AuthState", "AuthMode",
    "AuthClientMAC", "Site", "Building", "Room", "Make", "AuthTemplate", "Config", "ConfigStatus", "PortColor",
    "ToolTip",
)  # fmt: skip
"""Columns of ``site_interfaces`` in order (reference: access-database 7.2, R2)."""

_DEVICE_COLUMNS = {"Site", "Building", "Room", "Make"}


def _several(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, expanding=True, type_=sa.String())


def _one(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=sa.String())


# The filter on the joined table makes the original's left join an inner one.
_ALL_INTERFACES: Select = (
    sa.select(*((_devices if name in _DEVICE_COLUMNS else _interfaces).c[name] for name in INTERFACE_COLUMNS))
    .select_from(_interfaces.join(_devices, _interfaces.c.Hostname == _devices.c.Hostname))
    # By the device's column, not the interface's equal one: then SQLite walks two indexes in order and sorts nothing,
    # unless an index on Site tempts it to take the devices in another order; so there is none.
    # By the ID at last, with which every index ends: of two rows of one port the later one must come later.
    .order_by(_devices.c.Hostname, _interfaces.c.Port, _interfaces.c.ID)
)
_SITE_INTERFACES = _ALL_INTERFACES.where(_devices.c.Site.in_(_several("sites")))
_DEVICES: Select = sa.select(_devices).order_by(_devices.c.Hostname)
_SITE_DEVICES = _DEVICES.where(_devices.c.Site.in_(_several("sites")))
_DEVICE: Select = sa.select(_devices).where(_devices.c.Hostname == _one("hostname"))
_SITE_HOSTS: Select = sa.select(_devices.c.Site, _devices.c.Hostname).order_by(_devices.c.Hostname)
_SPANNING_TREE: Select = (
    sa.select(
        _span_info.c.Vlan,
        _span_info.c.RootSwitch,
        _span_info.c.RootPort,
        _span_info.c.Role,
        _span_info.c.Upstream,
        _span_info.c.LastUpdated,
    )
    .where(_span_info.c.Hostname == _one("hostname"))
    .order_by(_span_info.c.Vlan, _span_info.c.RootPort, _span_info.c.Role, _span_info.c.Upstream)
)
_DEVICE_HISTORY: Select = (
    sa.select(_device_history)
    .where(_device_history.c.Hostname == _one("hostname"))
    .order_by(_device_history.c.RunDate, _device_history.c.ID)
)
_INTERFACE_HISTORY: Select = (
    sa.select(_interface_history)
    .where(_interface_history.c.Hostname == _one("hostname"))
    .order_by(_interface_history.c.RunDate, _interface_history.c.ID)
)
_PORT_HISTORY = _INTERFACE_HISTORY.where(_interface_history.c.Port == _one("port"))


def stored_sites(site: str) -> tuple[str, ...]:
    """The values of a ``Site`` column under which rows of ``site`` may be stored, the code itself first.

    >>> stored_sites("WLLS1"), stored_sites("LAB"), stored_sites("BOYO")
    (('WLLS1', 'WLLS'), ('LAB', 'LAB-'), ('BOYO',))
    """
    aliases = site_aliases(site)
    historical = historical_site(site)
    return aliases if historical in aliases else (*aliases, historical)


def site_interfaces(site: str) -> Select:
    """The interfaces of a site with their device's place and make, ordered by host and port as text.

    Rows have ``INTERFACE_COLUMNS``. Interfaces without a device row belong to no site.
    """
    return _SITE_INTERFACES.params(sites=stored_sites(site))


def devices(site: str | None = None) -> Select:
    """The devices of a site, or all, with all columns of ``DeviceSummary``, ordered by host."""
    return _DEVICES if site is None else _SITE_DEVICES.params(sites=stored_sites(site))


def device(hostname: str) -> Select:
    """The device of that name: one row or none."""
    return _DEVICE.params(hostname=hostname)


def site_hosts() -> Select:
    """``Site`` and ``Hostname`` of every device, ordered by host."""
    return _SITE_HOSTS


def spanning_tree(hostname: str) -> Select:
    """The spanning-tree rows of a host: Vlan, RootSwitch, RootPort, Role, Upstream, LastUpdated."""
    return _SPANNING_TREE.params(hostname=hostname)


def device_history(hostname: str) -> Select:
    """All columns of ``DeviceHistory`` for a host, oldest first."""
    return _DEVICE_HISTORY.params(hostname=hostname)


def interface_history(hostname: str, port: str | None = None) -> Select:
    """All columns of ``InterfaceHistory`` for a host or one of its ports, oldest first."""
    if port is None:
        return _INTERFACE_HISTORY.params(hostname=hostname)
    return _PORT_HISTORY.params(hostname=hostname, port=port)
