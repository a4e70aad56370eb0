"""Reading and writing a snapshot of 26 hosts and 1,210 rows, beside what the bare XML parser takes for it."""

from __future__ import annotations

import hashlib
import json
import timeit
from pathlib import Path
from xml.parsers import expat

import pytest
from psrpcore.types import deserialize_clixml

from statetrace.cache import SharedSiteCache, read_snapshot, write_snapshot
from statetrace.cache.snapshot import content_sha256
from statetrace.model import HostPorts, InterfaceRow, SiteEntry, port_sort_key
from statetrace.settings import Settings

READ_LIMIT, WRITE_LIMIT = 5, 3
PSRPCORE_FACTOR = 10
ORIGINAL = (
    Path(__file__).parents[2] / "shared" / "data" / "snapshots" / "SharedCacheSnapshot-20251220-230132.clixml"
)  # of the same shape: 1,210 rows in 3.74 MB


def interface(host, number, *, hydrated):
    lines = (
        f"interface GigabitEthernet1/0/{number}", f" description Users{number}", " switchport access vlan 20",
        " switchport mode access", f" switchport voice vlan {100 + host}", " authentication event fail action next-method",
        " authentication order dot1x mab", " authentication port-control auto", " mab", " dot1x pae authenticator",
        " spanning-tree portfast", " spanning-tree bpduguard enable",
    )  # fmt: skip
    row = InterfaceRow(
        name=f"Users{number}", status=("connected", "notconnect", "err-disabled")[number % 3], vlan=str(10 * (number % 4)),
        duplex="a-full", speed="a-1000", type="10/100/1000BaseTX", auth_state="Unknown", auth_mode="unknown",
        auth_template="flexible", config="\r\n".join(lines), port_sort=port_sort_key(f"Gi1/0/{number}"),
    )  # fmt: skip
    hints = {"port_color": "Green", "compliance": "Match"} if hydrated else {"stated_tooltip": ""}
    return InterfaceRow(**{field: getattr(row, field) for field in row.__struct_fields__} | hints)


@pytest.fixture(scope="module")
def sites():
    return {
        "BOYO": SiteEntry({"BOYO-A05-AS-42": HostPorts({f"Et1/1/{n}": interface(0, n, hydrated=False) for n in range(10)})}),
        "WLLS": SiteEntry(
            {f"WLLS-A01-AS-{h:02}": HostPorts({f"Gi1/0/{n}": interface(h, n, hydrated=True) for n in range(48)}) for h in range(25)}
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def document(sites, tmp_path_factory):
    path = tmp_path_factory.mktemp("snapshot") / "large.clixml"
    write_snapshot(path, sites)
    assert 3_000_000 < path.stat().st_size < 4_500_000
    return path


def floor(data):
    """What the XML parser takes for the document when nobody listens."""
    return lambda: expat.ParserCreate().Parse(data, True)


def best_pair(ours, theirs, repeat=15):
    """Best seconds of each, taken in turns, so that a busy moment of the machine meets both."""
    pairs = [(timeit.timeit(ours, number=1), timeit.timeit(theirs, number=1)) for _ in range(repeat)]
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


def test_read(benchmark, ratios, document):
    pair = best_pair(lambda: read_snapshot(document), floor(document.read_bytes()))
    ratios.record("snapshot read / bare expat", *pair, READ_LIMIT)
    benchmark(read_snapshot, document)


@pytest.mark.original
def test_read_original(benchmark, ratios):
    if not ORIGINAL.exists():
        pytest.skip(f"the original's files are not there: {ORIGINAL}")
    pair = best_pair(lambda: read_snapshot(ORIGINAL), floor(ORIGINAL.read_bytes()))
    ratios.record("snapshot read / bare expat (the original's file)", *pair, READ_LIMIT)
    benchmark(read_snapshot, ORIGINAL)


def test_read_beside_psrpcore(ratios, document):
    text = document.read_bytes().decode()
    pair = best_pair(lambda: read_snapshot(document), lambda: deserialize_clixml(text, cipher=None), repeat=3)
    ratios.record("snapshot read / psrpcore", *pair, 1 / PSRPCORE_FACTOR)


def test_write(benchmark, ratios, sites, document, tmp_path):
    path = tmp_path / "out.clixml"
    pair = best_pair(lambda: write_snapshot(path, sites), floor(document.read_bytes()))
    ratios.record("snapshot write / bare expat", *pair, WRITE_LIMIT)
    benchmark(write_snapshot, path, sites)


def test_import_into_the_cache(benchmark, ratios, document):
    load = lambda: SharedSiteCache(settings=Settings()).import_snapshot(document)  # noqa: E731
    pair = best_pair(load, floor(document.read_bytes()))
    ratios.record("snapshot import / bare expat", *pair)
    benchmark(load)


def test_export_from_the_cache(benchmark, ratios, sites, document, tmp_path):
    cache = SharedSiteCache(settings=Settings())
    for site, entry in sites.items():
        cache.put(site, entry)
    save = lambda: cache.export_snapshot(tmp_path / "out.clixml")  # noqa: E731
    pair = best_pair(save, floor(document.read_bytes()))
    ratios.record("snapshot export, read back and compared / bare expat", *pair)
    benchmark(save)


def test_digest(benchmark, ratios, sites):
    wire = {site: entry.to_wire() for site, entry in sites.items()}
    plain = lambda: hashlib.sha256(json.dumps(wire, sort_keys=True).encode()).hexdigest()  # noqa: E731
    ratios.record("content digest / json.dumps and SHA-256", *best_pair(lambda: content_sha256(sites), plain))
    benchmark(content_sha256, sites)
