"""The warm run: the same logs ingested twice in one process, and the evidence of both passes.

The cold pass begins with an empty cache, the warm one with what the cold pass left in a snapshot. Unless it is told to
work in place, a run makes databases of its own and removes them, and nothing of the user's is touched; history,
settings and environment are never changed, so that nothing has to be put back (reference: warm-run-and-gates 2).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from difflib import get_close_matches
from pathlib import Path

import msgspec

from statetrace.analysis.warm import evidence
from statetrace.analysis.warm.between import BetweenPasses, sending
from statetrace.analysis.warm.comparison import Comparison, compare
from statetrace.analysis.warm.host_lists import listed_hosts
from statetrace.analysis.warm.pass_start import BACKUP_FOLDER, HistorySeed, WarmCache, seed_history
from statetrace.analysis.warm.warm_rows import COLD_PASS, WARM_PASS, WarmRunRow
from statetrace.cache import SharedSiteCache
from statetrace.database import SiteDatabases
from statetrace.database.locations import HISTORY_FOLDER
from statetrace.errors import StateTraceError
from statetrace.ingestion.logs import find_logs
from statetrace.ingestion.report import INGESTED, UNCHANGED, HostOutcome, IngestionReport
from statetrace.ingestion.session import IngestionSession, SessionOptions
from statetrace.model import fold
from statetrace.parsing import ParseMode
from statetrace.persistence import ParserPersistence
from statetrace.persistence.row_cache import ExistingRowCache
from statetrace.repository import DeviceRepository
from statetrace.settings import Settings
from statetrace.telemetry import Telemetry

COLD, BETWEEN, WARM, READBACK = COLD_PASS, "Between", WARM_PASS, "Readback"
"""Folders of a run's telemetry, the first and third of which are pass labels as well."""
_NAMED = 5


class WarmRunOptions(msgspec.Struct, frozen=True):
    """What is asked of a warm run besides the logs.

    Attributes:
        cold_history: what the cold pass knows of earlier ingestions. Of use in place only, because databases that are
            made for the run lack the rows of logs that are known.
        warm_history: what the warm pass does.
        refresh: read every site anew between the passes.
        warm_cache: what the cache of the warm pass begins with.
        snapshot: file to take in place of the one that the cold pass left.
        warm_logs: logs of the warm pass; by default those of the cold one.
        jobs: processes that work at a time, the same in both passes.
        mode: whether the original's defects are mended.
        hosts: hosts to which the comparison is limited; by default all.
        partial_hosts: let some of them be missing from the cold pass.
        as_exported: let the comparison that is written count as the original's does.
        preserve_skip: leave the cache alone if the settings say so; otherwise that is off during a run.
        preflight: look first whether the newest telemetry in the evidence folder can be read.
        keep: how many runs stay in the evidence folder, this one included; older ones are removed. By default all stay.
    """

    cold_history: HistorySeed = HistorySeed.EMPTY
    warm_history: HistorySeed = HistorySeed.EMPTY
    refresh: bool = False
    warm_cache: WarmCache = WarmCache.SNAPSHOT
    snapshot: str | os.PathLike[str] | None = None
    warm_logs: str | os.PathLike[str] | None = None
    jobs: int = 1
    mode: ParseMode = ParseMode.LOG
    hosts: tuple[str, ...] = ()
    partial_hosts: bool = False
    as_exported: bool = False
    preserve_skip: bool = False
    preflight: bool = True
    keep: int | None = None


class WarmRunReport(msgspec.Struct, frozen=True, rename="pascal"):
    """What a warm run found.

    Attributes:
        folder: the run's folder with all evidence.
        export: the rows, in the original's form.
        summary: the figures of the comparison, in the original's form.
        comparison: the passes compared host by host; the last row of the export and the summary are of it.
        as_exported: the same counted as the original's export counts; they are of this one if that was asked for.
        cold: what the cold pass did.
        warm: what the warm pass did.
        origins_lent: sites of the snapshot that the warm pass did not have to read, because within the process it is
            known which state of their databases they stem from. A fresh process reads each of them once.
        warnings: what went wrong without ending the run; what is the same for several hosts is told once.
        removed: folders of older runs that were removed.
    """

    folder: str
    export: str
    summary: str
    comparison: Comparison
    as_exported: Comparison
    cold: IngestionReport
    warm: IngestionReport
    origins_lent: int = 0
    warnings: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class WarmRun:
    """A warm run over a folder of logs. It is run once.

    Args:
        logs: the folder of raw logs, or one raw log.
        evidence: folder in which the run's own, ``Run-<yyyyMMdd-HHmmss>``, is made: events by pass, rows, snapshot.
        options: what is asked for.
        data: work in place, with the databases of this data folder; they keep what the passes store.
        database: work in place, with one database for all sites.
        history: the history folder that seeds are taken from; by default that of ``data``. It is never written.
        settings: by default those of ``data`` and the environment.
        on_pass: called with the label and the number of hosts of each pass.
        on_outcome: called after each host.

    Attributes:
        folder: the run's own folder, ``None`` until it is made. A file ``INCOMPLETE`` lies in it until the evidence is
            whole.
    """

    def __init__(
        self,
        logs: str | os.PathLike[str],
        evidence: str | os.PathLike[str],
        options: WarmRunOptions | None = None,
        *,
        data: str | os.PathLike[str] | None = None,
        database: str | os.PathLike[str] | None = None,
        history: str | os.PathLike[str] | None = None,
        settings: Settings | None = None,
        on_pass: Callable[[str, int], None] = lambda _, __: None,
        on_outcome: Callable[[HostOutcome], None] = lambda _: None,
    ) -> None:
        self.options = WarmRunOptions() if options is None else options
        self.folder: Path | None = None
        self._logs = Path(logs)
        self._warm_logs = Path(self.options.warm_logs or logs)
        self._evidence = Path(evidence)
        self._data = None if data is None else Path(data)
        self._database = None if database is None else Path(database)
        self._history = None if history is None else Path(history)
        settings = Settings.load(self._data) if settings is None else settings
        skip = settings.skip_site_cache_update and self.options.preserve_skip
        self._settings = msgspec.structs.replace(settings, shared_cache_snapshot=None, skip_site_cache_update=skip)
        self._on_pass = on_pass
        self._on_outcome = on_outcome
        self._rows: list[WarmRunRow] = []
        self._warnings: list[str] = []
        self._origins_lent = 0

    def run(self) -> WarmRunReport:
        """Run both passes, write the evidence, and tell what it shows. Nothing is judged.

        Raises:
            TelemetryError: the newest telemetry in the evidence folder is damaged, or nothing can be written there.
            StateTraceError: there are no logs or no such data folder, or the cold pass wrote no host, or not one that
                the comparison is limited to; then no folder is left.
            OSError: the logs cannot be listed, or evidence cannot be written.
            KeyboardInterrupt: the run was interrupted; its folder stays, marked as incomplete.
        """
        self._check()
        if self.options.preflight:
            self._warnings += evidence.preflight(self._evidence)
        self.folder = folder = evidence.new_run_folder(self._evidence)
        with ExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="statetrace-warm-run-")))
            databases = SiteDatabases(self._data or scratch / "Data", self._database)
            stack.callback(databases.close)
            cold, warm = self._passes(folder, scratch, databases)
        return self._conclude(folder, cold, warm)

    def _check(self) -> None:
        """See to it that there is something to work with, before anything is made."""
        for logs in (self._logs, self._warm_logs):
            if not find_logs(logs):
                raise StateTraceError(f"{logs} holds no raw logs (.log, .txt)")
        # Nobody who works in place means a folder that a slip of the pen makes.
        if self._data is not None and self._database is None and not self._data.is_dir():
            raise StateTraceError(f"{self._data}: no such data folder to work in")

    # The passes

    def _passes(self, folder: Path, scratch: Path, databases: SiteDatabases) -> tuple[IngestionReport, IngestionReport]:
        options, settings = self.options, self._settings
        history = self._history or databases.data_folder / HISTORY_FOLDER
        seeded = scratch / COLD
        self._warnings += seed_history(seeded, options.cold_history, stored=history, runs=self._evidence)
        if options.cold_history is not HistorySeed.EMPTY and self._data is None and self._database is None:
            self._warnings.append(
                f"{COLD}: the databases that are made for the run lack the rows of logs that the history knows, so "
                "these are parsed all the same; work in place to see them passed over"
            )
        cold_cache = SharedSiteCache(settings=settings)
        cold = self._pass(COLD, folder, self._logs, databases, cold_cache, seeded)
        self._check_hosts(folder, cold)
        shutil.copytree(seeded, folder / BACKUP_FOLDER, ignore=shutil.ignore_patterns("*.lock"))
        with Telemetry.to_directory(folder / BETWEEN) as telemetry:
            between = BetweenPasses(folder, telemetry)
            snapshot = between.look_at(self._repository(databases, cold_cache, telemetry), refresh=options.refresh)
            snapshot = snapshot if options.snapshot is None else Path(options.snapshot)
            warm_cache = between.warm_cache(options.warm_cache, cold_cache, snapshot, settings)
        self._rows += between.rows
        self._warnings += between.warnings
        self._origins_lent = between.origins_lent
        again = scratch / WARM
        self._warnings += seed_history(
            again, options.warm_history, stored=history, cold_output=seeded, runs=self._evidence
        )
        warm = self._pass(WARM, folder, self._warm_logs, databases, warm_cache, again)
        self._warnings += _told({COLD: cold, WARM: warm})
        with Telemetry.to_directory(folder / READBACK) as telemetry, sending(warm_cache, telemetry):
            self._read_back(self._repository(databases, warm_cache, telemetry), warm)
        return cold, warm

    def _repository(self, databases: SiteDatabases, cache: SharedSiteCache, telemetry: Telemetry) -> DeviceRepository:
        settings = self._settings
        return DeviceRepository(
            databases,
            cache=cache,
            telemetry=telemetry,
            template_folder=settings.template_folder,
            force_refresh=settings.force_site_cache_refresh,
        )

    def _pass(
        self, label: str, folder: Path, logs: Path, databases: SiteDatabases, cache: SharedSiteCache, history: Path
    ) -> IngestionReport:
        """Ingest the logs, and take the rows of the pass from the events that were written."""
        with Telemetry.to_directory(folder / label) as telemetry, sending(cache, telemetry):
            persistence = ParserPersistence(
                self._repository(databases, cache, telemetry), settings=self._settings, row_cache=ExistingRowCache()
            )
            session = IngestionSession(
                persistence,
                SessionOptions(jobs=self.options.jobs, mode=self.options.mode, history=history),
                on_start=lambda hosts: self._on_pass(label, hosts),
                on_outcome=self._on_outcome,
            )
            report = session.run(logs if logs.is_dir() else [logs])
        if report.cancelled:
            raise KeyboardInterrupt
        return report

    def _check_hosts(self, folder: Path, cold: IngestionReport) -> None:
        """See to it that there are hosts to compare, or remove the folder: nobody waits for a warm pass in vain."""
        written = {fold(host.hostname): host.hostname for host in cold.hosts if host.outcome in (INGESTED, UNCHANGED)}
        missing = [host for host in listed_hosts(self.options.hosts) if fold(host) not in written]
        if not cold.hosts:
            told = f"{self._logs} holds no raw logs (.log, .txt) of a host"
        elif len(cold.failed) == len(cold.hosts):
            told = "; ".join(["every host failed", *_told({COLD: cold})])
        elif missing and not self.options.partial_hosts:
            near = {name: None for host in missing for name in get_close_matches(fold(host), written, cutoff=0.5)}
            names = [written[name] for name in near]
            hint = f"did you mean {_some(names)}?" if names else f"it wrote {_some(written.values()) or 'none'}"
            told = f"the cold pass wrote no host {_some(missing)}; {hint}"
        else:
            return
        shutil.rmtree(folder)
        self.folder = None
        raise StateTraceError(told)

    def _read_back(self, repository: DeviceRepository, report: IngestionReport) -> None:
        """Read the ports of all hosts as a viewer does, in batches, so that there is telemetry of that, too."""
        for host in report.hosts:
            if host.done:
                try:
                    repository.port_stream(host.hostname)
                except StateTraceError as error:
                    self._warnings.append(f"{READBACK}: {host.hostname}: {error}")

    # The evidence

    def _conclude(self, folder: Path, cold: IngestionReport, warm: IngestionReport) -> WarmRunReport:
        options = self.options
        passes = {label: evidence.pass_telemetry(folder / label) for label in (COLD, WARM)}
        rows = [*passes[COLD].rows(COLD), *self._rows, *passes[WARM].rows(WARM, history_seed=options.warm_history)]
        if options.hosts:  # the rows are of all hosts, the comparison is not
            passes = {label: evidence.pass_telemetry(folder / label, options.hosts) for label in passes}
        comparison, as_exported = (
            compare(
                rows,
                as_exported=exported,
                hosts=options.hosts,
                allow_partial_hosts=options.partial_hosts,
                cold=passes[COLD],
                warm=passes[WARM],
            )
            for exported in (False, True)
        )
        written = as_exported if options.as_exported else comparison
        export, summary = evidence.write_evidence(folder, rows, written)
        evidence.complete(folder)
        removed: list[str] = []
        if options.keep is not None:
            removed, failures = evidence.remove_older_runs(folder, options.keep)
            self._warnings += failures
        return WarmRunReport(
            folder=str(folder),
            export=str(export),
            summary=str(summary),
            comparison=comparison,
            as_exported=as_exported,
            cold=cold,
            warm=warm,
            origins_lent=self._origins_lent,
            warnings=tuple(dict.fromkeys(self._warnings)),
            removed=tuple(removed),
        )


def _told(passes: Mapping[str, IngestionReport]) -> list[str]:
    """What went wrong in the passes: a line for all hosts and passes of which the same is to be told."""
    warnings: dict[str, list[str]] = {}
    hosts: dict[tuple[str, str, str], list[str]] = {}
    for label, report in passes.items():
        for warning in dict.fromkeys(report.warnings):
            warnings.setdefault(warning, []).append(label)
        for host in report.failed:
            hosts.setdefault((host.hostname, host.outcome, host.message), []).append(label)
    failures: dict[tuple[str, str, str], list[str]] = {}
    for (name, outcome, message), labels in hosts.items():
        failures.setdefault((" and ".join(dict.fromkeys(labels)), outcome, message), []).append(name)
    return [
        *(f"{' and '.join(labels)}: {warning}" for warning, labels in warnings.items()),
        *(f"{labels}: {_some(names)}: {outcome}: {message}" for (labels, outcome, message), names in failures.items()),
    ]


def _some(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    all_names = list(names)
    more = f" and {len(all_names) - _NAMED:,} more" if len(all_names) > _NAMED else ""
    return f"{', '.join(all_names[:_NAMED])}{more}"
