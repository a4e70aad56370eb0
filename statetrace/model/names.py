"""What a host name says: its site, its zone, and whether a name is safe to be part of a path."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import TypeVar

from statetrace.errors import UnsafeName
from statetrace.model.keys import fold

T = TypeVar("T")

UNKNOWN_SITE = "Unknown"
_UNDASHED_SITE_LENGTH = 4
_LONGEST_NAME = 120
# File systems count bytes, most allow 255; what is written beside a database has up to fifty more in its name.
_MOST_BYTES = 200
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f]')
# Names that Windows keeps for devices, whatever suffix follows them.
_RESERVED = re.compile(r"(?:CON|PRN|AUX|NUL|COM[0-9¹²³]|LPT[0-9¹²³])(?:\.|$)", re.IGNORECASE)


def clean_host_name(host: str) -> str:
    """The host name without surrounding blanks and without the ``SSH@`` that some prompts carry."""
    host = host.strip()
    return host[4:].strip() if host[:4].upper() == "SSH@" else host


def site_of(host: str) -> str:
    """The site code of a host: the text before its first dash, else its first four characters.

    Raises nothing; a blank host is of site ``Unknown`` (reference: site-cache 11.1, one rule everywhere).

    >>> site_of("SSH@BOYO-A05-AS-02"), site_of("CORESWITCH"), site_of("-X1"), site_of("")
    ('BOYO', 'CORE', '-X1', 'Unknown')
    """
    host = clean_host_name(host)
    if not host:
        return UNKNOWN_SITE
    dash = host.find("-")
    return host[:dash].rstrip() if dash > 0 else host[:_UNDASHED_SITE_LENGTH].rstrip()


def zone_of(host: str) -> str:
    """The zone of a host: the second of its parts between dashes, empty parts ignored; ``""`` without one.

    >>> zone_of("WLLS-A01-AS-01"), zone_of("CORE")
    ('A01', '')
    """
    parts = [part for part in clean_host_name(host).split("-") if part]
    return parts[1] if len(parts) > 1 else ""


def site_aliases(site: str) -> tuple[str, ...]:
    """The values of a database's ``Site`` column that stand for ``site``.

    Besides the code itself: its letters alone (``WLLS1`` also reads ``WLLS``; reference: site-cache 7.2).

    >>> site_aliases("WLLS1"), site_aliases("BOYO")
    (('WLLS1', 'WLLS'), ('BOYO',))
    """
    letters = re.sub(r"[^A-Za-z]", "", site)
    return (site,) if letters in ("", site) else (site, letters)


def historical_site(site: str) -> str:
    """What the original stored as the site of this site's hosts: the first four characters of the host name.

    It differs from the site code unless that has four characters: hosts of ``LAB`` were stored under ``LAB-``.
    """
    return f"{site}-"[:_UNDASHED_SITE_LENGTH]


def stored_site_code(stored: str, host: str) -> str:
    """The site code of a host that a database files under ``stored``.

    >>> stored_site_code("WLLS", "WLLS1-A01"), stored_site_code("BOYO", "CORE-1"), stored_site_code("", "CORE-1")
    ('WLLS1', 'BOYO', 'CORE')
    """
    stored, derived = stored.strip(), site_of(host)
    return derived if not stored or fold(stored) == fold(historical_site(derived)) else stored


def of_site(site: str, found: Collection[T], filed: Callable[[T], tuple[str, str]]) -> list[T]:
    """Those that are of the site, without those of others, which a query brings where names of sites overlap.

    If none is, then those filed under the site's letters alone (``SITE1`` also reads ``SITE``).

    Args:
        site: the site.
        found: what the query brought.
        filed: gives the site under which a thing is filed, and its host.
    """
    ours, letters = fold(site), fold(site_aliases(site)[-1])
    own = [thing for thing in found if fold(stored_site_code(*filed(thing))) == ours]
    return own or [thing for thing in found if fold(filed(thing)[0]) == letters]


def safe_file_name(name: str) -> str:
    """``name`` itself, once it is proven to be one plain part of a path on every platform.

    Names come from logs and are hostile until proven safe.

    Raises:
        UnsafeName: empty, too long, a dot name, a device name, trailing dot or blank, or a character that a file
            system gives a meaning.
    """
    if (
        not name
        or len(name) > _LONGEST_NAME
        or name != name.strip()
        or name.startswith(".")
        or name.endswith(".")
        or _UNSAFE.search(name)
        or _RESERVED.match(name)
        or not name.isprintable()
        or len(name.encode()) > _MOST_BYTES  # printable text can be encoded
    ):
        raise UnsafeName(name)
    return name
