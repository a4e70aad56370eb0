"""What the tests of sessions share: engines of their own, small corpora, what is stored, processes of their own."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec

from statetrace import Engine
from statetrace.cache import SharedSiteCache
from statetrace.ingestion.corpus import CorpusPlan, CorpusSite, write_corpus
from statetrace.settings import Settings
from statetrace.telemetry import Telemetry

TESTS = Path(__file__).parents[1]
ORIGINAL_SHAPE = CorpusPlan.original_shape()
SMALL = CorpusPlan((CorpusSite("ALDR", "Brocade", 3, 10, legacy=True), CorpusSite("BRCK", "Cisco", 4, 12)))

PORTS = (("1", "connected", "10"), ("2", "notconnect", "20"))


def engine_on(data, sink=None, **options):
    """An engine with a cache of its own and nothing from the environment."""
    options.setdefault("settings", Settings())
    options.setdefault("cache", SharedSiteCache(settings=Settings()))
    return Engine(data, telemetry=Telemetry(sink), **options)


def ingest(data, logs, **options):
    """The report of one session of an engine of its own."""
    with engine_on(data) as engine:
        return engine.ingest(logs, **options)


def forget(data):
    """Clear the ingestion history."""
    shutil.rmtree(Path(data) / "IngestionHistory")


def corpus(folder, plan=SMALL):
    write_corpus(folder, plan)
    return folder


def device_log(host, ports=PORTS, *, location="Bldg_1_Floor_2_Room_3"):
    """A short Cisco log of our own."""
    lines = [
        f"{host}# show version",
        "Cisco IOS XE Software, Version 17.03.03",
        f"{host}# show running-config",
        f"hostname {host}",
        f"snmp-server location {location}",
        *(
            line
            for port, _, vlan in ports
            for line in (f"interface GigabitEthernet1/0/{port}", f" switchport access vlan {vlan}", "!")
        ),
        "end",
        f"{host}# show interfaces status",
        "Port      Name               Status       Vlan       Duplex  Speed Type",
        *(
            f"{'Gi1/0/' + port:<9} {'Desk' + port:<18} {status:<12} {vlan:<10} a-full a-1000 10/100/1000BaseTX"
            for port, status, vlan in ports
        ),
        f"{host}#",
        "",
    ]
    return "\n".join(lines)


def outcomes(report):
    return {host.hostname: host.outcome for host in report.hosts}


def counts(report):
    totals = report.totals
    return totals.rows_inserted, totals.rows_changed, totals.rows_unchanged, totals.rows_deleted


def events_of(captured):
    """Captured events as they would stand on lines, without their time."""
    return [json.loads(msgspec.json.encode(event)) for event in captured.events]


def rows_of(path, statement):
    with closing(sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(statement).fetchall()


def database(data, site):
    return Path(data) / site / f"{site}.sqlite"


def stored(data):
    """Every current row of every site, without times and row numbers."""
    current = {}
    for path in sorted(Path(data).glob("*/*.sqlite")):
        for table, columns in _COLUMNS.items():
            statement = f"SELECT {', '.join(columns)} FROM {table}"
            current[path.stem, table] = sorted(rows_of(path, statement), key=repr)
    return current


def told(data, site):
    """Host → rows of its histories: of the device, of its interfaces, of its spanning tree."""
    found = {}
    for number, table in enumerate(("DeviceHistory", "InterfaceHistory", "SpanHistory")):
        for host, count in rows_of(database(data, site), f"SELECT Hostname, COUNT(*) FROM {table} GROUP BY Hostname"):
            found.setdefault(host, [0, 0, 0])[number] = count
    return found


def start(program, *arguments, **options):
    """A Python process that runs a program of these tests."""
    source = f"import sys; sys.path[:0] = [{str(TESTS / 'ingestion')!r}, {str(TESTS)!r}]\n{program}"
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", source, *map(str, arguments)]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, **options)


def finish(process, timeout=60):
    """What a process printed; it has ended then."""
    try:
        return process.communicate(timeout=timeout)
    finally:
        process.kill()


_COLUMNS = {
    "DeviceSummary": (
        "Hostname", "Make", "Model", "Uptime", "Site", "Building", "Room", "Ports", "AuthDefaultVLAN", "AuthBlock",
    ),
    "Interfaces": (
        "Hostname", "Port", "Name", "Status", "VLAN", "Duplex", "Speed", "Type", "LearnedMACs", "AuthState",
        "AuthMode", "AuthClientMAC", "AuthTemplate", "Config", "PortColor", "ConfigStatus", "ToolTip",
    ),
    "SpanInfo": ("Hostname", "Vlan", "RootSwitch", "RootPort", "Role", "Upstream"),
}  # fmt: skip
