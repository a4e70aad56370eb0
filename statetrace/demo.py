"""A small data folder with synthetic sites of our own, for trying StateTrace out and for measuring it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

_BATCH_HOSTS = 50


class SyntheticSite(msgspec.Struct, frozen=True):
    """A site to be made up.

    Attributes:
        site: its code.
        make: vendor of its devices; ``Brocade`` and ``Cisco`` ports look like those vendors' configurations.
        hosts: number of devices.
        ports: ports of each.
    """

    site: str
    make: str
    hosts: int
    ports: int


DEMO_SITES = (SyntheticSite("ALDR", "Brocade", 12, 10), SyntheticSite("BRCK", "Cisco", 25, 48))
"""37 hosts with 1,320 ports in all."""

_USES = ("Users", "Phone", "Camera", "Printer", "Guest", "Badge")
_TEMPLATES = ("flexible", "macauth", "dot1x", "open")
_MODES = {"flexible": "dot1x", "macauth": "macauth", "dot1x": "dot1x", "open": "open"}
_CISCO_AUTH = {
    "flexible": (
        "authentication order dot1x mab",
        "authentication port-control auto",
        "mab",
        "dot1x pae authenticator",
    ),
    "macauth": ("authentication order mab", "authentication port-control auto", "mab"),
    "dot1x": ("authentication order dot1x", "authentication port-control auto", "dot1x pae authenticator"),
    "open": (),
}
_BROCADE_AUTH = {
    "flexible": ("dot1x port-control auto", "mac-authentication enable"),
    "macauth": ("mac-authentication enable",),
    "dot1x": ("dot1x port-control auto",),
    "open": (),
}


def write_site(path: Path, site: SyntheticSite, progress: Callable[[int], object] = lambda _: None) -> None:
    """Write a made-up site into a database, which is created when it does not exist.

    The same site gives the same rows every time. ``progress`` is called with the number of ports written.
    """
    # Imported here because the command line names the sites at every start, and SQLAlchemy takes its time.
    from statetrace.database import create_tables, open_database, schema  # noqa: PLC0415

    path.parent.mkdir(parents=True, exist_ok=True)
    with open_database(path, create=True) as database:
        with database.begin() as connection:
            create_tables(connection)
        for first in range(0, site.hosts, _BATCH_HOSTS):
            numbers = range(first, min(first + _BATCH_HOSTS, site.hosts))
            with database.begin() as connection:
                connection.execute(schema.device_summary.insert(), [_device(site, number) for number in numbers])
                connection.execute(
                    schema.interfaces.insert(), [row for number in numbers for row in _interfaces(site, number)]
                )
            progress(len(numbers) * site.ports)


def _hostname(site: SyntheticSite, number: int) -> str:
    return f"{site.site}-A{number // 5 + 1:02d}-AS-{number + 1:02d}"


def _device(site: SyntheticSite, number: int) -> dict[str, object]:
    cisco = site.make == "Cisco"
    return {
        "Hostname": _hostname(site, number),
        "Make": site.make,
        "Model": "C9300-48P" if cisco else "ICX6430-10",
        "Uptime": f"{number % 40 + 1} weeks, {number % 7} days",
        "Site": site.site,
        "Building": str(number // 5 + 1),
        "Room": str(100 + number),
        "Ports": site.ports,
        "AuthDefaultVLAN": "20",
        "AuthBlock": "\r\n".join(
            ("aaa new-model", "dot1x system-auth-control") if cisco else ("dot1x enable", "mac-authentication enable")
        ),
    }


def _interfaces(site: SyntheticSite, number: int) -> Iterator[dict[str, object]]:
    cisco = site.make == "Cisco"
    for port in range(1, site.ports + 1):
        seed = number * 7 + port
        use, template = _USES[seed % len(_USES)], _TEMPLATES[seed // 3 % len(_TEMPLATES)]
        up = seed % 5 > 0
        vlan = 10 * (seed % 4 + 1) if cisco else 0
        yield {
            "Hostname": _hostname(site, number),
            "Port": f"Gi1/0/{port}" if cisco else f"Et1/1/{port}",
            "Name": f"{use}{port}",
            "Status": ("connected" if up else "notconnect") if cisco else ("Up" if up else "Down"),
            "VLAN": vlan,
            "Duplex": ("a-full" if up else "auto") if cisco else ("Full" if up else "None"),
            "Speed": ("a-1000" if up else "auto") if cisco else ("1G" if up else "None"),
            "Type": "10/100/1000BaseTX" if cisco else "Access",
            "LearnedMACs": "",
            "AuthState": "Authorized" if up else "Unknown",
            "AuthMode": _MODES[template],
            "AuthClientMAC": f"00aa.bb{port:02x}.{port:04x}" if up and template != "open" else "",
            "AuthTemplate": template,
            "Config": _cisco_config(port, use, vlan, template) if cisco else _brocade_config(port, use, template),
            "PortColor": "",
            "ConfigStatus": "",
            "ToolTip": "",
        }


def _cisco_config(port: int, use: str, vlan: int, template: str) -> str:
    lines = (
        f"interface GigabitEthernet1/0/{port}",
        f" description {use}{port}",
        f" switchport access vlan {vlan}",
        " switchport mode access",
        " switchport voice vlan 40",
        *(f" {line}" for line in _CISCO_AUTH[template]),
        " spanning-tree portfast",
        " spanning-tree bpduguard enable",
        " service-policy input ACCESS-IN",
    )
    return "\r\n".join(lines)


def _brocade_config(port: int, use: str, template: str) -> str:
    return "\n".join((f" port-name {use}{port}", *(f" {line}" for line in _BROCADE_AUTH[template]), " exit"))
