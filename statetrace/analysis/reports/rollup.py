"""The daily rollup: what the events of each day come to, as rows and as CSV (reference: warm-run-and-gates 7)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import ClassVar

import msgspec

from statetrace.analysis.content import copies
from statetrace.analysis.csv_text import csv_text
from statetrace.analysis.documents import write_document
from statetrace.analysis.events import WireEvent, analyze
from statetrace.analysis.instants import now_ticks, utc_text
from statetrace.analysis.reading import TelemetryReader
from statetrace.analysis.reports.rollup_metrics import CACHE_FETCH_EVENT, METRICS, Metric, RollupRow
from statetrace.cache.atomic_file import replace_file
from statetrace.model import fold

ALL = "All"
"""The scope of all events, whatever their site."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d(?!\d)")


class RollupReport(msgspec.Struct, frozen=True, rename="pascal"):
    """What files of telemetry come to.

    Attributes:
        rows: sorted by day, scope and metric, in any case; the user actions of a scope in the order of
            :data:`~statetrace.analysis.rollup_metrics.REQUIRED_ACTIONS`, then by name.
        warnings: the first hundred lines that are no events, as ``file:line: reason``.
        warning_count: number of such lines.
        files: what was read, by day.
        copies: file that was left out → file of that day that holds the same.
        sites: that the events name, in order.
    """

    rows: list[RollupRow]
    warnings: list[str]
    warning_count: int
    files: list[str]
    copies: dict[str, str] = {}
    sites: list[str] = []


class Rollup:
    """The figures of one day. Takes events in the order of the file and keeps a number each.

    >>> day = Rollup("2026-01-31")
    >>> for seconds, success in ((1.5, True), (2.5, False)):
    ...     day.add(WireEvent("ParseDuration", {"DurationSeconds": seconds, "Success": success}))
    >>> row, = day.result()
    >>> row.scope, row.metric, row.count, row.average, row.p95, row.notes
    ('All', 'ParseDurationSeconds', 2, 2.0, 2.45, 'Failures=1')

    Args:
        date: goes into the rows.
        per_site: also make rows of each site.
        site_cache: also make rows of ``SiteCacheFetchDurationMs``.
        sites: the only ones to make rows of, in any case; none for all. ``All`` stays what it is.

    Attributes:
        sites: folded site → how it was spelled first, of all events that count.
    """

    EVENTS: ClassVar[frozenset[str] | None] = frozenset(METRICS)
    _METRICS: ClassVar = {fold(event): metric for event, metric in METRICS.items()}

    def __init__(
        self, date: str, *, per_site: bool = True, site_cache: bool = True, sites: Collection[str] = ()
    ) -> None:
        self._date = date
        self._per_site = per_site
        self._left_out = () if site_cache else (fold(CACHE_FETCH_EVENT),)
        self.sites: dict[str, str] = {}
        self._wanted = frozenset(map(fold, sites))
        self._all: dict[str, Metric] = {}
        self._by_site: dict[str, dict[str, Metric]] = {}

    def add(self, event: WireEvent) -> None:
        """Take one event; others than :attr:`EVENTS` do not count."""
        name = fold(event.name)
        if name not in self._METRICS or name in self._left_out:
            return
        self._metric(self._all, name).add(event)
        if not (site := event.site):
            return
        key = fold(site)
        if key not in self.sites:
            self.sites[key] = site
        if self._per_site and (not self._wanted or key in self._wanted):
            metrics = self._by_site.get(key)
            if metrics is None:
                metrics = self._by_site[key] = {}
            self._metric(metrics, name).add(event)

    def result(self) -> list[RollupRow]:
        """The rows, sorted by scope and metric."""
        rows: list[RollupRow] = []
        by_site = ((self.sites[site], metrics) for site, metrics in self._by_site.items())
        # The sort is stable, so that a site of that name comes after the scope of all events, not among its rows.
        for scope, metrics in sorted(((ALL, self._all), *by_site), key=lambda item: fold(item[0])):
            of_scope = (metric.rows(partial(RollupRow, self._date, scope)) for metric in metrics.values())
            rows += sorted(chain.from_iterable(of_scope), key=lambda row: fold(row.metric))
        return rows

    def _metric(self, metrics: dict[str, Metric], name: str) -> Metric:
        metric = metrics.get(name)
        if metric is None:
            metric = metrics[name] = self._METRICS[name]()
        return metric


def day_of(path: Path) -> str:
    """The day that a file of telemetry tells of; for a file that is not named after one its name without suffix.

    >>> [day_of(Path(name)) for name in ("2026-01-31.json.gz", "2026-01-31-before-update.json", "sample.json")]
    ['2026-01-31', '2026-01-31', 'sample']
    """
    day = _DAY.match(path.name)
    return day[0] if day else Path(path.name.removesuffix(".gz")).stem


def rollup(
    files: Iterable[Path],
    *,
    per_site: bool = True,
    site_cache: bool = True,
    sites: Collection[str] = (),
    on_bytes: Callable[[int], object] = lambda _: None,
) -> RollupReport:
    """The figures of all days that the files tell of.

    All files of a day make up that day, in the order given: those that several runs wrote, and what was moved to an
    archive. A file that holds what another of the day holds, gzipped or not, is left out. So (day, scope, metric) is
    found once, the user actions apart. The original, which reads one folder, makes rows of every file; for day files
    that is the same.

    Args:
        files: of events; see :func:`~statetrace.analysis.reading.telemetry_files`.
        per_site: see :class:`Rollup`.
        site_cache: likewise.
        sites: likewise.
        on_bytes: called with the number of bytes that were read since the last call.

    Raises:
        TelemetryError: a file cannot be opened.
    """
    by_day: dict[str, list[Path]] = {}
    for path in files:
        by_day.setdefault(day_of(path), []).append(path)
    days = sorted(by_day.items(), key=lambda item: fold(item[0]))
    left_out: dict[Path, Path] = {}
    for _, paths in days:
        if len(paths) > 1:
            left_out |= copies(paths)
    reader = TelemetryReader([path for _, paths in days for path in paths if path not in left_out], on_bytes=on_bytes)
    rows: list[RollupRow] = []
    seen: dict[str, str] = {}
    for date, paths in days:
        day = Rollup(date, per_site=per_site, site_cache=site_cache, sites=sites)
        for path in paths:
            if path not in left_out:
                analyze(reader.of_file(path), day)
        rows += day.result()
        seen = day.sites | seen
    return RollupReport(
        rows,
        [f"{line.file}:{line.line}: {line.reason}" for line in reader.broken_lines],
        reader.broken,
        [str(path) for path in reader.files],
        {str(copy): str(original) for copy, original in left_out.items()},
        [seen[site] for site in sorted(seen)],
    )


def rollup_csv(rows: Iterable[RollupRow]) -> bytes:
    """The rows as the original's CSV: with heading and CRLF, in UTF-8 without byte order mark."""
    return csv_text(RollupRow.__struct_encode_fields__, map(msgspec.structs.astuple, rows)).encode(errors="replace")


def write_rollup(path: Path, report: RollupReport, *, manifest: bool = False) -> None:
    """Write the rows as CSV; see :func:`rollup_csv`.

    Args:
        path: an existing file is replaced.
        report: what to write.
        manifest: also write ``<path>.hashes.json``, which names the files that were read with their SHA-256, as they
            are now, and the number of warnings.

    Raises:
        OSError: something cannot be written, or a file read again.
    """
    replace_file(path, [rollup_csv(report.rows)])
    if manifest:
        document = {
            "GeneratedAtUtc": utc_text(now_ticks()),
            "OutputFile": str(path),
            "InputFiles": [{"Path": file, "SHA256": _sha256(Path(file))} for file in report.files],
            "WarningCount": report.warning_count,
        }
        write_document(path.with_name(f"{path.name}.hashes.json"), document)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().upper()  # as Get-FileHash spells it
