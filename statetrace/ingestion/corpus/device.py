"""A made-up device: its ports, what is plugged in and who is signed on, in no vendor's words yet."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from statetrace.ingestion.corpus.plan import Change, CorpusSite, Place, draw


class Link(Enum):
    """State of a port."""

    UP = "up"
    DOWN = "down"
    DISABLED = "disabled"
    FAILED = "failed"


class Access(Enum):
    """What a port asks of whoever is plugged in; the values are those of the column AuthTemplate."""

    FLEXIBLE = "flexible"
    DOT1X = "dot1x"
    MACAUTH = "macauth"
    OPEN = "open"

    @property
    def by_dot1x(self) -> bool:
        """Whether 802.1X lets somebody in."""
        return self in {Access.FLEXIBLE, Access.DOT1X}

    @property
    def by_mac(self) -> bool:
        """Whether the MAC address lets somebody in."""
        return self in {Access.FLEXIBLE, Access.MACAUTH}


class Outcome(Enum):
    """How a sign-on went."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    PENDING = "pending"


class Role(NamedTuple):
    """What a port is for; ``vlan`` is the first of the three VLANs of which it has one."""

    noun: str
    vlan: int
    access: Access
    voice: bool = False
    trunk: bool = False


class Session(NamedTuple):
    """Somebody signed on at a port, by 802.1X or else by the MAC address."""

    mac: str
    vlan: int
    dot1x: bool
    outcome: Outcome
    voice: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the sign-on went well."""
        return self.outcome is Outcome.ACCEPTED


class Port(NamedTuple):
    """A port of a made-up device.

    Attributes:
        number: counted from 1 over all members of a stack.
        name: ``""`` for a port that nobody has named.
        macs: the learned addresses, each with its VLAN, in ascending order.
        sessions: the first one is the telephone's, where there is one.
    """

    number: int
    role: Role
    link: Link
    vlan: int
    name: str
    own_mac: str
    macs: tuple[tuple[int, str], ...]
    sessions: tuple[Session, ...]


class Device(NamedTuple):
    """A made-up device.

    Attributes:
        uptime: days, hours and minutes.
        variant: a number below 256 to choose a model by.
        serial: eight hexadecimal digits.
        root: MAC address of the site's spanning-tree root.
    """

    name: str
    site: CorpusSite
    location: str
    uptime: tuple[int, int, int]
    variant: int
    serial: str
    root: str
    ports: tuple[Port, ...]

    @property
    def uplinks(self) -> tuple[Port, ...]:
        """The ports towards other switches; there is at least one."""
        return tuple(port for port in self.ports if port.role.trunk)


_VLANS_A_ROLE = 3
VOICE_VLAN = 100
VLANS = {
    **{
        first + offset: f"{name}-{offset + 1}"
        for first, name in ((10, "STAFF"), (20, "DESKS"), (30, "GUESTS"), (40, "PRINT"), (50, "CAMERAS"))
        for offset in range(_VLANS_A_ROLE)
    },
    VOICE_VLAN: "VOICE",
}
"""All VLANs with their names."""
SPANNING_VLANS = (10, 20, 30, VOICE_VLAN)
"""The VLANs whose spanning tree is shown."""

_USER = Role("User", 10, Access.FLEXIBLE)
_PHONE = Role("Phone", 20, Access.FLEXIBLE, voice=True)
_GUEST = Role("Guest", 30, Access.MACAUTH)
_PRINTER = Role("Printer", 40, Access.MACAUTH)
_CAMERA = Role("Camera", 50, Access.DOT1X)
_KIOSK = Role("Kiosk", 10, Access.OPEN)
_UPLINK = Role("Uplink", 10, Access.OPEN, trunk=True)
_CYCLE = (_USER, _USER, _PHONE, _USER, _GUEST, _PRINTER, _PHONE, _USER, _CAMERA, _USER, _PHONE, _KIOSK)
_UPLINK_EVERY = 24

# Chosen by four bits each: what is listed more often is more frequent.
_LINKS = (Link.UP,) * 11 + (Link.DOWN,) * 3 + (Link.DISABLED, Link.FAILED)
_OUTCOMES = (Outcome.ACCEPTED,) * 12 + (Outcome.REFUSED,) * 3 + (Outcome.PENDING,)
# Blanks, markers and words that also stand in other columns: names that a cut at white space gets wrong.
_NAMES = ("{0}{1}",) * 8 + (
    "{0} {1}", "{0} desk {1}", "<== {0}{1} ==>", "** {0}{1} **", "{0}-{1} disabled", "{0}s room {1} 10",
    "{0} {1} at the window of the meeting room", "",
)  # fmt: skip
_BYTES_A_PORT = 4


def make_device(seed: int, place: Place, changes: tuple[Change, ...]) -> Device:
    """The device at a place of the corpus, after the changes of some generations."""
    site, number = place.site, place.number
    name = site.host_name(number)
    bits = draw(seed, name, 8 + _BYTES_A_PORT * site.ports)
    moves: dict[int, list[int]] = {}
    for change in changes:
        for port in change.ports_of(place.first_row, site.ports):
            moves.setdefault(port, []).append(change.generation)
    building, floor = number // 20 + 1, number // 5 % 4 + 1
    mac_of_host = f"02{place.index >> 16:02x}.{place.index & 0xFFFF:04x}"
    return Device(
        name=name,
        site=site,
        location=f"Bldg_{building}_Floor_{floor}_Room_{floor}{bits[0] % 40 + 1:02d}",
        uptime=(bits[1] + bits[2] % 3 * 256, bits[3] % 24, bits[4] % 60),
        variant=bits[5],
        serial=draw(seed, f"{name} serial", 4).hex().upper(),
        root=f"02ff.{draw(seed, site.site, 4).hex()[:4]}.0001",
        ports=tuple(
            _make_port(
                port + 1,
                _UPLINK if port + 1 == site.ports or (port + 1) % _UPLINK_EVERY == 0 else _CYCLE[port % len(_CYCLE)],
                int.from_bytes(bits[8 + _BYTES_A_PORT * port : 8 + _BYTES_A_PORT * (port + 1)]),
                moves.get(port, ()),
                mac_of_host,
            )
            for port in range(site.ports)
        ),
    )


def _make_port(number: int, role: Role, bits: int, generations: Sequence[int], mac_of_host: str) -> Port:
    link = Link.UP if role.trunk else _LINKS[bits & 15]
    vlan = role.vlan + (bits >> 4 & 15) % _VLANS_A_ROLE
    name = _NAMES[bits >> 8 & 15].format(role.noun, number)
    for generation in generations:
        kind = (bits + generation) % 3
        if kind == 0 and not role.trunk:
            link = Link.DOWN if link is Link.UP else Link.UP
        elif kind == 1 and link is Link.UP and not role.trunk:  # a Brocade tells the VLAN of living ports only
            vlan = role.vlan + (vlan - role.vlan + 1) % _VLANS_A_ROLE
        else:
            name = f"Moved{generation} {role.noun}{number}"
    mac = f"{mac_of_host}.{number:03x}"
    macs: tuple[tuple[int, str], ...] = ()
    if link is Link.UP:
        macs = ((vlan, f"{mac}1"),)
        if role.voice:
            macs += ((VOICE_VLAN, f"{mac}2"),)
        elif role.trunk or bits >> 12 & 7 == 0:  # a trunk, or a small switch on the desk
            macs += ((vlan, f"{mac}3"), (vlan, f"{mac}4"))
    return Port(number, role, link, vlan, name, f"{mac}0", macs, _sessions(role, bits >> 16, macs))


def _sessions(role: Role, bits: int, macs: tuple[tuple[int, str], ...]) -> tuple[Session, ...]:
    if not macs or role.access is Access.OPEN or bits & 15 == 0:
        return ()
    vlan, mac = macs[0]
    dot1x = role.access is Access.DOT1X or (role.access is Access.FLEXIBLE and (role.voice or bits >> 4 & 3 > 0))
    session = Session(mac, vlan, dot1x, _OUTCOMES[bits >> 8 & 15])
    if not role.voice:
        return (session,)
    voice_vlan, phone = macs[1]
    return (Session(phone, voice_vlan, dot1x=False, outcome=Outcome.ACCEPTED, voice=True), session)
