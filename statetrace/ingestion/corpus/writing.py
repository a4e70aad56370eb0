"""A corpus on disk: a folder of its own with one file a host, or one session file a site."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from pathlib import Path

import msgspec

from statetrace.errors import StateTraceError
from statetrace.ingestion.corpus.hosts import HostLog, host_logs
from statetrace.ingestion.corpus.plan import CorpusPlan, CorpusSite, places

PLAN_FILE = "statetrace-corpus.json"
"""The plan of what lies in the folder: by it a corpus is known from logs that somebody needs."""

_COMMANDS_KEPT_BACK = 3


class SiteSummary(msgspec.Struct, frozen=True, rename="pascal"):
    """What was written for a site; ``bytes`` of all its files."""

    site: str
    make: str
    hosts: int
    rows: int
    files: int
    bytes: int


class CorpusSummary(msgspec.Struct, frozen=True, rename="pascal"):
    """What was written, in all and for each site."""

    folder: str
    seed: int
    generation: int
    hosts: int
    rows: int
    files: int
    bytes: int
    sites: tuple[SiteSummary, ...]


def write_corpus(
    folder: Path, plan: CorpusPlan, *, force: bool = False, progress: Callable[[int], object] = lambda _: None
) -> CorpusSummary:
    """Write the logs of a plan into a folder, which is made if need be.

    A corpus that lies there is replaced: what it has and this one has not is removed. Each file is put in its place
    when it is complete.

    Args:
        folder: where.
        plan: what the corpus is made of.
        force: write although the folder holds files that are no corpus; those of the same names are replaced, the
            others left alone.
        progress: called with the number of hosts, whenever some are written.

    Raises:
        StateTraceError: the folder holds files that are no corpus, and ``force`` is not given.
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    earlier = _earlier_files(folder)
    own = earlier | {_temporary(name) for name in (PLAN_FILE, *earlier)}  # the latter by a killed writer
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in own and path.is_file())
    if foreign and not force:
        raise StateTraceError(
            f"{folder} holds files that are no corpus ({len(foreign):,}, {foreign[0]} is one); choose a folder of its "
            "own, or force it"
        )
    for name in earlier - {PLAN_FILE, *_file_names(plan)}:
        (folder / name).unlink(missing_ok=True)
    _replace(folder / PLAN_FILE, [msgspec.json.encode(plan)])
    logs = groupby(host_logs(plan), lambda log: log.site)
    sites = tuple(_write_site(folder, site, hosts, combined=plan.combined, progress=progress) for site, hosts in logs)
    return CorpusSummary(
        str(folder),
        plan.seed,
        plan.generation,
        plan.hosts,
        plan.rows,
        files=sum(site.files for site in sites),
        bytes=sum(site.bytes for site in sites),
        sites=sites,
    )


def _write_site(
    folder: Path, site: CorpusSite, hosts: Iterator[HostLog], *, combined: bool, progress: Callable[[int], object]
) -> SiteSummary:
    if combined:
        size = _replace(folder / f"{site.site}.log", (text.encode() for text in _session(hosts, progress)))
    else:
        size = 0
        for host in hosts:
            size += _replace(folder / f"{host.name}.log", ["".join(host.commands).encode()])
            progress(1)
    return SiteSummary(site.site, site.make, site.hosts, site.hosts * site.ports, 1 if combined else site.hosts, size)


def _session(hosts: Iterator[HostLog], progress: Callable[[int], object]) -> Iterator[str]:
    """All hosts in one session: of each two, the first is asked the last commands after the second has begun.

    Cut at its prompts, it gives the very logs of the hosts.
    """
    for first in hosts:
        pair = [first, *islice(hosts, 1)]
        for host in pair:
            yield "".join(host.commands[:-_COMMANDS_KEPT_BACK])
        for host in pair:
            yield "".join(host.commands[-_COMMANDS_KEPT_BACK:])
        progress(len(pair))


def _file_names(plan: CorpusPlan) -> Iterator[str]:
    if plan.combined:
        return (f"{site.site}.log" for site in plan.sites)
    return (f"{place.site.host_name(place.number)}.log" for place in places(plan))


def _earlier_files(folder: Path) -> set[str]:
    """The names of all files of the corpus that lies in the folder, if one does."""
    try:
        plan = msgspec.json.decode((folder / PLAN_FILE).read_bytes(), type=CorpusPlan)
    except (FileNotFoundError, msgspec.DecodeError):
        return set()
    return {PLAN_FILE, *_file_names(plan)}


def _replace(path: Path, blocks: Iterable[bytes]) -> int:
    """Write a file and put it in its place; its size in bytes.

    Unlike a snapshot it is not forced to disk: it can be made again, and with ten thousand files that would take most
    of the time.
    """
    temporary = path.with_name(_temporary(path.name))
    with temporary.open("wb") as file:
        size = sum(map(file.write, blocks))
    temporary.replace(path)
    return size


def _temporary(name: str) -> str:
    return f".{name}.tmp"
