"""The hosts of a corpus: the log of each, and what it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from statetrace.ingestion.corpus import arista, brocade, cisco
from statetrace.ingestion.corpus.device import Device, make_device
from statetrace.ingestion.corpus.plan import CorpusPlan, CorpusSite, changes, place, places
from statetrace.ingestion.corpus.truth import CorpusHost


class _Vendor(NamedTuple):
    describe: Callable[[Device], CorpusHost]
    commands: Callable[[Device, CorpusHost], list[str]]


class HostLog(NamedTuple):
    """The log of one host: one text a command, each with the prompt in front and LF line ends."""

    site: CorpusSite
    name: str
    commands: list[str]


_VENDORS = {
    "Cisco": _Vendor(cisco.describe, cisco.commands),
    "Brocade": _Vendor(brocade.describe, brocade.commands),
    "Arista": _Vendor(arista.describe, arista.commands),
}


def host_log(plan: CorpusPlan, index: int, generation: int | None = None) -> str:
    """The log of host ``index``, counted from 0 over all sites, with LF line ends.

    Args:
        plan: what the corpus is made of.
        index: the host.
        generation: another generation than that of the plan.

    Raises:
        IndexError: the plan has fewer hosts.
    """
    return "".join(_log(make_device(plan.seed, place(plan, index), changes(plan, generation))).commands)


def host_logs(plan: CorpusPlan) -> Iterator[HostLog]:
    """The logs of all hosts, site by site."""
    return map(_log, _devices(plan, None))


def corpus_hosts(plan: CorpusPlan, generation: int | None = None) -> Iterator[CorpusHost]:
    """What a perfect parse of each host's log finds, site by site.

    Args:
        plan: what the corpus is made of.
        generation: another generation than that of the plan.
    """
    return (_VENDORS[device.site.make].describe(device) for device in _devices(plan, generation))


def _devices(plan: CorpusPlan, generation: int | None) -> Iterator[Device]:
    made = changes(plan, generation)
    return (make_device(plan.seed, where, made) for where in places(plan))


def _log(device: Device) -> HostLog:
    vendor = _VENDORS[device.site.make]
    return HostLog(device.site, device.name, vendor.commands(device, vendor.describe(device)))
