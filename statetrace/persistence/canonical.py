"""What a log says of a device, in the one canonical form in which it is stored, compared and cached."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from statetrace.model import Device, InterfaceRow, SpanningTreeRecord, fold, site_of
from statetrace.model.names import clean_host_name
from statetrace.model.port_sort import port_sort_memo

if TYPE_CHECKING:
    from statetrace.model import AuthTemplates, DeviceFacts, HostPorts, PortFacts

Observed = tuple[str, str, str, str, str, str, str, str, str, str, str, str]
"""The twelve observed values of a port in the order of :class:`InterfaceRow`, the VLAN as stored integer."""

_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,10}\s*", re.ASCII)
_MOST, _LEAST = 2**31 - 1, -(2**31)


@lru_cache(maxsize=8192)
def stored_vlan(text: str) -> str:
    """The VLAN as it is stored: a 32-bit integer, ``0`` for whatever is none (reference: parser-persistence X11).

    >>> [stored_vlan(text) for text in ("", "trunk", " 25 ", "+7", "99999999999")]
    ['0', '0', '25', '7', '0']
    """
    if not _INTEGER.fullmatch(text):
        return "0"
    number = int(text)
    return str(number) if _LEAST <= number <= _MOST else "0"


class HostFacts(msgspec.Struct, frozen=True):
    """A device ready to be stored.

    Attributes:
        device: the summary.
        ports: port → its observed values, in the order of the log; of a port that comes twice the last one.
        duplicates: how many ports came more than once.
        spanning_tree: its instances.
        interfaces_found: whether the log had a table of interfaces; without one, no ports means nothing.
    """

    device: Device
    ports: dict[str, Observed]
    duplicates: int = 0
    spanning_tree: tuple[SpanningTreeRecord, ...] = ()
    interfaces_found: bool = True

    @property
    def hostname(self) -> str:
        """The host's name."""
        return self.device.hostname

    @property
    def site(self) -> str:
        """The site of the host."""
        return self.device.site


def canonical(facts: DeviceFacts) -> HostFacts:
    """The facts of a log in canonical form.

    A port of a Brocade device that has no configuration of its own shows the device's authentication block in its
    place (reference: parser-persistence 6.5). Ports without a name are dropped.
    """
    hostname = clean_host_name(_name(facts.hostname))
    block = "\r\n".join(facts.auth_block)
    no_config = f"AUTH BLOCK (GLOBAL)\r\n{block}" if fold(facts.make) == "BROCADE" and facts.auth_block else ""
    ports: dict[str, Observed] = {}
    spellings: dict[str, str] = {}
    named = 0
    for port in facts.ports:
        name = _name(port.port)
        if not name:
            continue
        named += 1
        ports[spellings.setdefault(fold(name), name)] = _observed(port, no_config)
    return HostFacts(
        Device(
            hostname,
            facts.make,
            facts.model,
            facts.uptime,
            site_of(hostname),
            facts.building,
            facts.room,
            named,
            facts.auth_default_vlan,
            block,
        ),
        ports,
        named - len(ports),
        tuple(
            SpanningTreeRecord(span.vlan, span.root_switch, span.root_port, span.role, span.upstream)
            for span in facts.spanning_tree
        ),
        facts.interfaces_found,
    )


def _name(text: str) -> str:
    """A name as it is stored; a database without regard to case compares names only as far as their first NUL."""
    return text.replace("\0", "").strip()


def _observed(port: PortFacts, no_config: str) -> Observed:
    config = port.config
    if no_config and (not config or config.isspace()):
        config = no_config
    return (
        port.name, port.status, stored_vlan(port.vlan), port.duplex, port.speed, port.type, port.learned_macs,
        port.auth_state, port.auth_mode, port.auth_client_mac, port.auth_template, config,
    )  # fmt: skip


def observed_of(row: InterfaceRow) -> Observed:
    """The observed values of a row, whatever it was made from."""
    return (
        row.name, row.status, stored_vlan(row.vlan), row.duplex, row.speed, row.type, row.learned_macs,
        row.auth_state, row.auth_mode, row.auth_client_mac, row.auth_template, row.config,
    )  # fmt: skip


class RowMaker:
    """Makes the row that a hydration of the same stored values would give.

    Args:
        templates: the auth templates in force.
        make: the make of the device, which tells whose templates apply.
    """

    def __init__(self, templates: AuthTemplates, make: str) -> None:
        self._templates = templates
        self._vendor = templates.vendor(make)
        self._hints: dict[str, tuple[str, str]] = {}

    def row(self, port: str, observed: Observed) -> InterfaceRow:
        """The row of a port with these values."""
        return InterfaceRow(*observed, port_sort_memo.key(port), *self._hint(observed[10]))

    def would_make(self, ports: HostPorts) -> bool:
        """Whether rows got their colours and statuses from these templates, and for a device of this make."""
        hints = {(row.auth_template, row.port_color, row.compliance) for row in ports.values()}
        return all((color, status) == self._hint(template) for template, color, status in hints)

    def _hint(self, template: str) -> tuple[str, str]:
        hint = self._hints.get(template)
        if hint is None:
            found = self._templates.hint(self._vendor, template)
            hint = self._hints[template] = found.color, found.status
        return hint
