"""What a perfect parse of a made-up log finds."""

from __future__ import annotations

import msgspec

from statetrace.model.facts import PortFacts


class CorpusHost(msgspec.Struct, frozen=True):
    """One host of a corpus, as its log tells it.

    Attributes:
        ports: the stored fields of each port; those that are not stored are left at their defaults.
    """

    name: str
    site: str
    make: str
    model: str
    uptime: str
    location: str
    auth_default_vlan: str
    ports: tuple[PortFacts, ...]
