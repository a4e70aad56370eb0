"""Kill sessions at random moments, and prove each time that nothing is torn: ``python tests/ingestion/kill.py``.

Each round starts a process that ingests a corpus, kills it with all that it began, looks at what it left, and lets
another session run to its end. What that one stores must be what a session stores that nobody disturbed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path

import msgspec
from ingesting import database, engine_on, rows_of, start, stored

from statetrace.cache import read_snapshot
from statetrace.database import SiteDatabases
from statetrace.database.locations import HISTORY_FOLDER
from statetrace.ingestion.corpus import CorpusPlan, CorpusSite, write_corpus
from statetrace.ingestion.history import SiteHistory, SiteLease
from statetrace.ingestion.session import SessionOptions
from statetrace.ingestion.snapshots import SnapshotFiles
from statetrace.telemetry import DirectorySink

PLAN = CorpusPlan((CorpusSite("ALDR", "Brocade", 6, 10), CorpusSite("BRCK", "Cisco", 10, 24)))
CHANGED = msgspec.structs.replace(PLAN, generation=2, change_percent=20)
SITES = tuple(site.site for site in PLAN.sites)
_LONGEST_HOST_S = 0.015
VICTIM = """
from kill import *
print("ready", flush=True)
sys.stdin.readline()
session(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), lambda host: print(host.outcome, flush=True))
"""


def session(logs, data, jobs, on_outcome=lambda _: None):
    """One session with snapshots and telemetry."""
    options = SessionOptions(jobs=jobs, snapshots=SnapshotFiles(data.parent / "snapshots"))
    with engine_on(data, DirectorySink(data.parent / "events")) as engine:
        return engine.ingest(logs, options=options, on_outcome=on_outcome)


class Trial:
    """Rounds over folders of their own.

    Args:
        folder: where everything is made.
        seed: of the moments.

    Attributes:
        killed: how many sessions were killed before, within and after their hosts.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.random = random.Random(seed)  # noqa: S311  # no secret
        self.logs = folder / "logs"
        self.expected = {}
        self.killed = Counter()
        for plan in (PLAN, CHANGED):
            write_corpus(self.logs, plan)
            data = folder / f"sound{plan.generation}" / "data"
            data.mkdir(parents=True)
            session(self.logs, data, 1)
            self.expected[plan.generation] = stored(data)

    def round(self, number: int) -> None:
        """Kill a first session, or one that changes what an earlier one stored; check; complete; check."""
        jobs = 1 + number % 2
        data = self.folder / f"round{number}" / "data"
        plan = CHANGED if number % 4 > 1 else PLAN
        if plan is CHANGED:
            write_corpus(self.logs, PLAN)
            data.mkdir(parents=True)
            session(self.logs, data, 1)
        write_corpus(self.logs, plan)
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            self._victim(data, jobs)
            self._check_leftovers(data)
        report = session(self.logs, data, jobs)
        assert report.failed == (), report.failed
        assert report.warnings == (), report.warnings
        assert report.snapshot.messages == (), report.snapshot.messages
        assert stored(data) == self.expected[plan.generation]
        self._check_history(data, complete=True)
        self._check_telemetry(data)
        if report.snapshot.exported:
            self._check_snapshot(data, Path(report.snapshot.exported))
            self._check_snapshot(data, Path(report.snapshot.latest))
        shutil.rmtree(data.parent)

    def _check_snapshot(self, data: Path, path: Path) -> None:
        """What is exported says of every site what its database says."""
        entries = read_snapshot(path).entries
        with engine_on(data) as engine:
            assert set(entries) <= set(SITES)
            for site, entry in entries.items():
                assert entry.to_wire() == engine.repository.site(site).to_wire(), site

    def _victim(self, data: Path, jobs: int) -> None:
        """A session that is killed before, between or after any of its hosts."""
        data.mkdir(parents=True, exist_ok=True)
        process = start(VICTIM, self.logs, data, jobs, start_new_session=True)
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("go\n")
        process.stdin.flush()
        ended = self.random.randrange(PLAN.hosts + 1)
        for _ in range(ended):
            process.stdout.readline()
        time.sleep(self.random.uniform(0, _LONGEST_HOST_S))
        # Every other time its workers are left to find out by themselves.
        if self.random.random() < 0.5:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        output, _ = process.communicate(timeout=60)
        ended += output.count("\n")
        self.killed["before" if not ended else "within" if ended < PLAN.hosts else "at the end"] += 1

    def _check_leftovers(self, data: Path) -> None:
        for site in SITES:
            until = time.monotonic() + 10
            lease = SiteLease(data / HISTORY_FOLDER, site)
            # Workers that notice their session's death give back what they hold.
            assert lease.acquire(timeout=max(0.0, until - time.monotonic())), f"{site} is still leased"
            lease.release()
            self._check_hosts(data, site)
        self._check_history(data, complete=False)
        for snapshot in (data.parent / "snapshots").glob("*.clixml"):
            assert read_snapshot(snapshot).skipped == ()
        for path in SiteDatabases(data).paths():
            assert rows_of(path, "PRAGMA integrity_check") == [("ok",)]

    def _check_hosts(self, data: Path, site: str) -> None:
        """A host is as one generation of its log says, with a history of it, or it is not there at all."""
        path = database(data, site)
        if not path.exists():
            return
        for table in ("Interfaces", "DeviceHistory", "InterfaceHistory", "SpanInfo", "SpanHistory"):
            of_nobody = (
                f"SELECT DISTINCT Hostname FROM {table} WHERE Hostname NOT IN (SELECT Hostname FROM DeviceSummary)"
            )
            assert rows_of(path, of_nobody) == []
        for host in _hosts(data, site):
            columns = "Hostname, Port, Name, Status, VLAN, LearnedMACs, Config"
            rows = sorted(rows_of(path, f"SELECT {columns} FROM Interfaces WHERE Hostname = '{host}'"))
            assert rows in [_rows(expected[site, "Interfaces"], host) for expected in self.expected.values()], host
            told = rows_of(path, f"SELECT COUNT(DISTINCT Port) FROM InterfaceHistory WHERE Hostname = '{host}'")
            assert told == [(len(rows),)], host

    def _check_history(self, data: Path, *, complete: bool) -> None:
        for site in SITES:
            history = SiteHistory(data / HISTORY_FOLDER, site)
            claimed = {record.actual_hostname for record in history.records()}
            assert history.diagnostics == ()
            assert claimed <= set(_hosts(data, site))
            if complete:
                assert claimed == set(_hosts(data, site))

    def _check_telemetry(self, data: Path) -> None:
        for day in (data.parent / "events").glob("*.json"):
            content = day.read_bytes()
            assert content.endswith(b"\n")
            for line in content.splitlines():
                assert json.loads(line)["EventName"]


def _hosts(data: Path, site: str) -> list[str]:
    path = database(data, site)
    return [host for (host,) in rows_of(path, "SELECT Hostname FROM DeviceSummary")] if path.exists() else []


def _rows(table: list[tuple], host: str) -> list[tuple]:
    # Of the columns of ``stored``: Hostname, Port, Name, Status, VLAN, LearnedMACs, Config.
    return sorted((*row[:5], row[8], row[13]) for row in table if row[0] == host)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder), arguments.seed)
        for number in range(arguments.rounds):
            trial.round(number)
            if number % 20 == 19 or number + 1 == arguments.rounds:
                print(f"{number + 1} rounds, killed:", dict(trial.killed), flush=True)  # noqa: T201  # a command


if __name__ == "__main__":
    main()
