"""The rows of hosts that are kept while the site cache must not be used, so that no host is read twice.

This is the keyed existing-row cache of skip mode (reference: parser-persistence 8). Other than the original's it
follows what is written, and what is known of the state of the database.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping

import msgspec

from statetrace.cache.forks import tell_after_fork
from statetrace.model import CaseInsensitiveMap, DatabaseState, HostPorts, fold
from statetrace.persistence.row_snapshot import HostRecord, read_row_snapshot, write_row_snapshot
from statetrace.persistence.write import Known

_log = logging.getLogger("statetrace.persistence")

_SAMPLE = 5


class KeptRows(msgspec.Struct, frozen=True):
    """What is kept of a site and of one host of it, for the event ``SiteExistingRowCacheState``.

    Attributes:
        hosts: hosts of the site of which rows are kept.
        sample: the first five of them.
        host_rows: rows of the host; 0 when none are kept.
    """

    hosts: int = 0
    sample: tuple[str, ...] = ()
    host_rows: int = 0

    @property
    def host_exists(self) -> bool:
        """Whether rows of the host are kept."""
        return self.host_rows > 0


class _KeptHost(msgspec.Struct, frozen=True):
    """Rows of a host, one at least; imported ones are of no known state."""

    ports: HostPorts
    imported: bool = False


class _KeptSite(msgspec.Struct, frozen=True):
    """A site under the first spelling of its code.

    ``state`` is the one of its database in which every host that was not imported has the rows kept of it.
    """

    name: str
    hosts: CaseInsensitiveMap[_KeptHost] = CaseInsensitiveMap()
    state: DatabaseState | None = None

    def still_valid(self, since: DatabaseState | None) -> CaseInsensitiveMap[_KeptHost]:
        """The hosts whose rows are still right, or trusted to be, when the database was in the state ``since``."""
        if _agree(self.state, since):
            return self.hosts
        return CaseInsensitiveMap((host, kept) for host, kept in self.hosts.items() if kept.imported)


def _agree(one: DatabaseState | None, other: DatabaseState | None) -> bool:
    return one is other if one is None or other is None else one.agrees(other)


class ExistingRowCache:
    """Site and host → the rows of the host, names in any case.

    All hosts of a site are kept as of one state of its database. Imported ones are as of none: each is trusted until
    it is put, which is to say once.

    Every method may be called from any thread. Use :func:`existing_row_cache` for the one of the process; an own one
    is good for tests.

    >>> from statetrace.model import InterfaceRow
    >>> cache, before, after = ExistingRowCache(), DatabaseState("db", "1"), DatabaseState("db", "2")
    >>> rows = HostPorts({"Gi1/0/1": InterfaceRow(status="up")})
    >>> cache.put("WLLS", "WLLS-A01-AS-01", rows, since=None, state=before)
    >>> cache.put("WLLS", "WLLS-A01-AS-02", rows, since=before, state=after)
    >>> cache.get("wlls", "wlls-a01-as-01").state == after
    True
    """

    def __init__(self) -> None:
        # Sites are replaced, never changed: readers need no lock, and a fork finds each as it was or as it is.
        self._sites: dict[str, _KeptSite] = {}
        self._used_snapshots: set[str] = set()
        self.after_fork()
        tell_after_fork(self)

    def after_fork(self) -> None:
        """Called in a forked child; what is kept stays kept there."""
        self._lock = threading.Lock()
        self._import_lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return sum(len(kept.hosts) for kept in self._sites.values())

    def get(self, site: str, host: str) -> Known | None:
        """The rows kept of a host, one at least, and the state of the database in which it has them; else ``None``."""
        site_kept = self._sites.get(fold(site))
        host_kept = None if site_kept is None else site_kept.hosts.get(host)
        if site_kept is None or host_kept is None:
            return None
        return Known(host_kept.ports, None if host_kept.imported else site_kept.state)

    def summary(self, site: str, host: str) -> KeptRows:
        """What is kept of a site and of a host of it."""
        kept = self._sites.get(fold(site))
        if kept is None:
            return KeptRows()
        host_kept = kept.hosts.get(host)
        return KeptRows(len(kept.hosts), tuple(kept.hosts)[:_SAMPLE], 0 if host_kept is None else len(host_kept.ports))

    def put(
        self, site: str, host: str, ports: HostPorts, *, since: DatabaseState | None, state: DatabaseState | None
    ) -> None:
        """Keep the rows of a host as they were read or written. Blank names are ignored.

        If the site was in the state ``since``, nobody else wrote to its database, and its other hosts are as of
        ``state`` too; if it was in another one, they are dropped, all but the imported ones.

        Args:
            site: the site.
            host: the host.
            ports: its rows; none drops it.
            since: the state of the database before the host was read or written.
            state: its state since then.
        """
        key = fold(site)
        if not key or not fold(host):
            return
        with self._lock:
            kept = self._sites.get(key) or _KeptSite(site.strip())
            hosts = kept.still_valid(since)
            hosts = hosts.with_items([(host, _KeptHost(ports))]) if ports else hosts.without([host])
            self._sites[key] = _KeptSite(kept.name, hosts, state)

    def clear(self) -> None:
        """Drop everything. A snapshot that was imported once is not imported once more."""
        with self._lock:
            self._sites.clear()

    def export_snapshot(self, path: str | os.PathLike[str]) -> int:
        """Write the rows of all hosts as a CLIXML snapshot; with none, no file is made.

        What is written is read back and compared before it takes the place of the file, which then changes as a whole.

        Returns:
            How many hosts were written.

        Raises:
            SnapshotError: it does not read back equal, or is too large to be read back.
            OSError: the file cannot be written.
        """
        with self._lock:
            sites = list(self._sites.values())
        records = [HostRecord(kept.name, host, held.ports) for kept in sites for host, held in kept.hosts.items()]
        if records:
            write_row_snapshot(path, records)
        return len(records)

    def import_snapshot(self, path: str | os.PathLike[str]) -> int:
        """Keep the rows of a snapshot beside those that were put, in place of those that were imported before.

        What is left out of the file is logged as a warning.

        Returns:
            Of how many hosts rows were taken over.

        Raises:
            SnapshotError: the file is missing, damaged or no such snapshot; then nothing is imported.
        """
        snapshot = read_row_snapshot(path)
        if snapshot.skipped:
            left_out = snapshot.skipped
            _log.warning("%s: %d things were left out, the first: %s", path, len(left_out), left_out[0])
        sites: dict[str, list[HostRecord]] = {}
        for record in snapshot.records:
            sites.setdefault(fold(record.site), []).append(record)
        with self._lock:
            return sum(
                self._import(key, records[0].site, CaseInsensitiveMap((one.host, one.ports) for one in records))
                for key, records in sites.items()
            )

    def _import(self, key: str, name: str, brought: Mapping[str, HostPorts]) -> int:
        kept = self._sites.get(key) or _KeptSite(name)
        there = kept.hosts
        taken = {host: ports for host, ports in brought.items() if host not in there or there[host].imported}
        filled = [(host, _KeptHost(ports, imported=True)) for host, ports in taken.items() if ports]
        self._sites[key] = _KeptSite(kept.name, there.without(taken).with_items(filled), kept.state)
        return len(filled)

    def import_once(self, path: str | os.PathLike[str]) -> bool:
        """Import a snapshot on the first use of its path, and tell whether this was it.

        Whoever else asks meanwhile waits for the import. A path is not tried again after a failure.

        Raises:
            SnapshotError: as ``import_snapshot``.
        """
        path = os.path.abspath(path)  # noqa: PTH100  # Path.resolve may raise on a circular link
        with self._import_lock:
            if path in self._used_snapshots:
                return False
            try:
                self.import_snapshot(path)
            finally:
                self._used_snapshots.add(path)
            return True


_process_cache = ExistingRowCache()


def existing_row_cache() -> ExistingRowCache:
    """The cache of this process."""
    return _process_cache
