"""The plan of a corpus: its sites, the names of their hosts, and which ports change from generation to generation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from hashlib import shake_128

import msgspec

from statetrace.model import safe_file_name

MAKES = ("Cisco", "Brocade", "Arista")
"""The makes of the sites of a planned size, in rotation."""

MOST_SITES = 2_400
MOST_HOSTS = 1_000_000
MOST_PORTS = 1_024
MOST_GENERATIONS = 1_000

# Letters of the site codes: consonant, vowel, consonant, vowel. Few enough to spell nothing rude.
_CODE_LETTERS = ("BDFGHLMNRSTV", "AEIOU", "LMNRSTVD", "AEIOU")
_CODE_STRIDE = 1_087  # shares no factor with 2,400, so that every code comes once and neighbours look different
_HOSTS_PER_CLOSET = 5
_GOLDEN_RATIO = 0.618034


class CorpusSite(msgspec.Struct, frozen=True):
    """One site of a corpus.

    Attributes:
        site: its code.
        make: vendor of its devices, one of ``MAKES``.
        hosts: number of devices.
        ports: ports of each.
        legacy: devices run an older system that prints other tables (Brocade: FastIron 7.3 instead of 8.0).
    """

    site: str
    make: str
    hosts: int
    ports: int
    legacy: bool = False

    def host_name(self, number: int) -> str:
        """The name of the site's host ``number``, counted from 0.

        >>> CorpusSite("ALDR", "Brocade", hosts=12, ports=10).host_name(11)
        'ALDR-A03-AS-12'
        """
        return f"{self.site}-A{number // _HOSTS_PER_CLOSET + 1:02d}-AS-{number + 1:02d}"


class CorpusPlan(msgspec.Struct, frozen=True):
    """What a corpus is made of; equal plans give equal bytes on every platform (reference: ingestion-pipeline 13.3).

    Attributes:
        sites: the sites, in order.
        seed: another seed gives other devices under the same names.
        generation: 1 is the first; each further one differs from the one before in ``change_percent`` of the ports.
        change_percent: percent of the ports of all hosts, at least one port unless it is 0.
        combined: one session file a site instead of one file a host.

    Raises:
        ValueError: a count, generation or percentage out of range, a site that comes twice or cannot name a file, or
            an unknown make.
    """

    sites: tuple[CorpusSite, ...]
    seed: int = 1
    generation: int = 1
    change_percent: float = 1.0
    combined: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.sites) <= MOST_SITES:
            raise ValueError(f"a corpus has 1 to {MOST_SITES:,} sites, not {len(self.sites):,}")
        if len({site.site.casefold() for site in self.sites}) < len(self.sites):
            raise ValueError("a site comes twice")
        for site in self.sites:
            _check_site(site)
        if self.hosts > MOST_HOSTS:
            raise ValueError(f"a corpus has at most {MOST_HOSTS:,} hosts, not {self.hosts:,}")
        if not 1 <= self.generation <= MOST_GENERATIONS:
            raise ValueError(f"generations count from 1 to {MOST_GENERATIONS:,}, there is no {self.generation:,}")
        if not 0 <= self.change_percent <= 100:  # noqa: PLR2004  # percent
            raise ValueError(f"{self.change_percent} is no percentage")

    @property
    def hosts(self) -> int:
        """Number of hosts of all sites."""
        return sum(site.hosts for site in self.sites)

    @property
    def rows(self) -> int:
        """Number of ports of all hosts."""
        return sum(site.hosts * site.ports for site in self.sites)

    @classmethod
    def original_shape(cls) -> CorpusPlan:
        """The shape of the original's mock corpus: 37 hosts, 1,320 ports (reference: ingestion-pipeline 13.2).

        >>> plan = CorpusPlan.original_shape()
        >>> plan.hosts, plan.rows
        (37, 1320)
        """
        return cls((CorpusSite("ALDR", "Brocade", 12, 10, legacy=True), CorpusSite("BRCK", "Cisco", 25, 48)))

    @classmethod
    def of_size(cls, sites: int, hosts: int, ports: int = 48) -> CorpusPlan:
        """A plan of ``hosts`` hosts in all, spread evenly over ``sites`` sites, the makes in rotation.

        >>> [(site.site, site.make, site.hosts) for site in CorpusPlan.of_size(sites=3, hosts=100).sites]
        [('BALA', 'Cisco', 34), ('NANI', 'Brocade', 33), ('FESU', 'Arista', 33)]
        """
        if sites < 1 or sites > hosts:
            raise ValueError(f"{hosts:,} hosts cannot be spread over {sites:,} sites")
        if sites > MOST_SITES:
            raise ValueError(f"a corpus has at most {MOST_SITES:,} sites, not {sites:,}")
        each, rest = divmod(hosts, sites)
        return cls(
            tuple(
                CorpusSite(
                    site_code(index),
                    MAKES[index % len(MAKES)],
                    each + (index < rest),
                    ports,
                    legacy=MAKES[index % len(MAKES)] == "Brocade" and index // len(MAKES) % 2 == 1,
                )
                for index in range(sites)
            )
        )


class Change(msgspec.Struct, frozen=True):
    """The ports that one generation changes, as a rule that needs no memory.

    The rows of the corpus, numbered through, are put into another order (``row * step + offset`` modulo their number);
    the first ``count`` of that order change. So the number of changes is exact and they lie evenly over the hosts.
    """

    generation: int
    step: int
    offset: int
    rows: int
    count: int

    def ports_of(self, first_row: int, ports: int) -> list[int]:
        """Which of a host's ports change, counted from 0, when the host's first port is row ``first_row``."""
        place, step, rows, count = first_row * self.step + self.offset, self.step, self.rows, self.count
        return [port for port in range(ports) if (place + port * step) % rows < count]


class Place(msgspec.Struct, frozen=True):
    """Where a host stands in its corpus.

    Attributes:
        number: of the host within its site, counted from 0.
        index: of the host within the corpus, counted from 0.
        first_row: number of ports of all hosts before it.
    """

    site: CorpusSite
    number: int
    index: int
    first_row: int


def places(plan: CorpusPlan) -> Iterator[Place]:
    """All hosts of a plan, site by site."""
    index = row = 0
    for site in plan.sites:
        for number in range(site.hosts):
            yield Place(site, number, index, row)
            index += 1
            row += site.ports


def place(plan: CorpusPlan, index: int) -> Place:
    """The host ``index`` of a plan, counted from 0.

    Raises:
        IndexError: the plan has fewer hosts.
    """
    if index >= 0:
        number, row = index, 0
        for site in plan.sites:
            if number < site.hosts:
                return Place(site, number, index, row + number * site.ports)
            number -= site.hosts
            row += site.hosts * site.ports
    raise IndexError(f"the plan has {plan.hosts:,} hosts, there is no host {index}")


def changes(plan: CorpusPlan, generation: int | None = None) -> tuple[Change, ...]:
    """What the generations 2 to ``generation`` change, by default up to that of the plan."""
    rows = plan.rows
    count = max(1, round(rows * plan.change_percent / 100)) if plan.change_percent else 0
    step = max(1, int(rows * _GOLDEN_RATIO))
    while math.gcd(step, rows) > 1:
        step += 1
    last = plan.generation if generation is None else generation
    return tuple(
        Change(number, step, int.from_bytes(draw(plan.seed, f"generation {number}", 8)) % rows, rows, count)
        for number in range(2, last + 1)
    )


def draw(seed: int, about: str, size: int) -> bytes:
    """``size`` bytes that look random and are the same for the same arguments everywhere."""
    return shake_128(f"{seed}/{about}".encode()).digest(size)


def site_code(index: int) -> str:
    """The code of site ``index``, counted from 0: four letters that can be pronounced, each code once.

    >>> [site_code(index) for index in range(2)]
    ['BALA', 'NANI']
    """
    rest = index * _CODE_STRIDE % MOST_SITES
    code = ""
    for letters in _CODE_LETTERS:
        rest, letter = divmod(rest, len(letters))
        code += letters[letter]
    return code


def _check_site(site: CorpusSite) -> None:
    safe_file_name(site.site)
    if not (site.site.isascii() and site.site.isalnum()):
        raise ValueError(f"{site.site!r} is no site code: letters and digits only")
    if site.make not in MAKES:
        raise ValueError(f"site {site.site}: no logs can be made up for {site.make!r}, only for {', '.join(MAKES)}")
    if not 1 <= site.ports <= MOST_PORTS:
        raise ValueError(f"site {site.site}: a host has 1 to {MOST_PORTS:,} ports, not {site.ports:,}")
    if site.hosts < 1:
        raise ValueError(f"site {site.site}: {site.hosts} hosts are none")
