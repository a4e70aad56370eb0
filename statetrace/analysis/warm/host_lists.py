"""Lists of hosts, as fields of events, options and files give them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from statetrace.model import fold


def hosts_in(text: str | None) -> list[str]:
    """The hosts of a list with commas or line ends between them.

    >>> hosts_in("WLLS-A01-AS-01, WLLS-A01-AS-02,"), hosts_in(None)
    (['WLLS-A01-AS-01', 'WLLS-A01-AS-02'], [])
    """
    return [host for line in (text or "").splitlines() for part in line.split(",") if (host := part.strip())]


def listed_hosts(lists: Iterable[str] = (), file: Path | None = None) -> tuple[str, ...]:
    """All hosts of these lists and of the file, each once, as it is spelled first.

    >>> listed_hosts(["WLLS-A01-AS-01,WLLS-A01-AS-02", "wlls-a01-as-01"])
    ('WLLS-A01-AS-01', 'WLLS-A01-AS-02')

    Raises:
        OSError: the file cannot be read.
    """
    texts = [*lists]
    if file is not None:
        texts.append(file.read_text("utf-8-sig", errors="replace"))
    spelled: dict[str, str] = {}
    for text in texts:
        for host in hosts_in(text):
            spelled.setdefault(fold(host), host)
    return tuple(spelled.values())
