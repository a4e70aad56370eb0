"""The hosts of a warm run whose comparison of rows took longest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from statetrace.analysis.csv_text import csv_text
from statetrace.analysis.documents import read_document, records
from statetrace.analysis.events import WireEvent
from statetrace.analysis.reading import TelemetryReader
from statetrace.analysis.statistics import mean, round_even
from statetrace.errors import TelemetryError
from statetrace.model import fold

_WARM_PASS = fold("WarmPass")
_EXPORTS, _SUMMARY = "WarmRunTelemetry-*.json", "-summary"


class Hotspot(msgspec.Struct, frozen=True, rename="pascal"):
    """A host of the warm pass; durations are milliseconds with three decimals, ``None`` where not known.

    Attributes:
        site: its site.
        hostname: the host.
        diff_comparison_ms: comparing its rows.
        diff_duration_ms: the whole diff.
        load_existing_ms: loading the rows that were known.
        row_set_count: how many those were.
        provider: where they came from.
        provider_reason: why from there.
    """

    site: str
    hostname: str
    diff_comparison_ms: float
    diff_duration_ms: float | None
    load_existing_ms: float | None
    row_set_count: int | None
    provider: str | None
    provider_reason: str | None


class HotspotSite(msgspec.Struct, frozen=True, rename="pascal"):
    """The hot spots of a site together; milliseconds with three decimals."""

    site: str
    host_count: int
    total_diff_comparison_ms: float
    total_row_set_count: int
    avg_diff_comparison_ms: float


def diff_hotspots(rows: Iterable[dict[str, Any]], *, top: int = 20, minimum_ms: float = 0.0) -> list[Hotspot]:
    """The hosts of the warm pass by time of comparison, longest first (reference: warm-run-and-gates 6.3).

    Hosts of equal time are ordered by the time of their whole diff, then by name: the original always measured 0 for
    the comparison, so that its own order was an accident.

    Args:
        rows: those of a warm-run export.
        top: how many at most; all, if it is not positive.
        minimum_ms: leaves out hosts that were faster.
    """
    warm = (WireEvent("", row) for row in rows)
    found = [
        (compared, row)
        for row in warm
        if fold(row.text("PassLabel")) == _WARM_PASS
        and row.site
        and (compared := row.number("DiffComparisonDurationMs")) is not None
        and compared >= minimum_ms
    ]
    found.sort(
        key=lambda pair: (-pair[0], -(pair[1].number("DiffDurationMs") or 0), fold(pair[1].site), fold(pair[1].host))
    )
    return [_hotspot(row, compared) for compared, row in (found[:top] if top > 0 else found)]


def _hotspot(row: WireEvent, compared: float) -> Hotspot:
    has_rows = row.number("LoadExistingRowSetCount") is not None
    return Hotspot(
        site=row.site,
        hostname=row.host,
        diff_comparison_ms=round_even(compared, 3),
        diff_duration_ms=_milliseconds(row, "DiffDurationMs"),
        load_existing_ms=_milliseconds(row, "LoadExistingDurationMs"),
        row_set_count=row.count("LoadExistingRowSetCount") if has_rows else None,
        provider=row.text("Provider") or None,
        provider_reason=row.text("SiteCacheProviderReason") or None,
    )


def _milliseconds(row: WireEvent, name: str) -> float | None:
    value = row.number(name)
    return None if value is None else round_even(value, 3)


def hotspot_sites(hotspots: Iterable[Hotspot]) -> list[HotspotSite]:
    """The hot spots by site, that with the longest comparison first."""
    sites: dict[str, list[Hotspot]] = {}
    for hotspot in hotspots:
        sites.setdefault(fold(hotspot.site), []).append(hotspot)
    return sorted(map(_site, sites.values()), key=lambda site: (-site.total_diff_comparison_ms, fold(site.site)))


def _site(hotspots: Sequence[Hotspot]) -> HotspotSite:
    compared = [hotspot.diff_comparison_ms for hotspot in hotspots]
    return HotspotSite(
        site=hotspots[0].site,
        host_count=len({fold(hotspot.hostname) for hotspot in hotspots}),
        total_diff_comparison_ms=round_even(sum(compared), 3),
        total_row_set_count=sum(hotspot.row_set_count or 0 for hotspot in hotspots),
        avg_diff_comparison_ms=round_even(mean(compared) or 0.0, 3),
    )


def hotspots_csv(hotspots: Iterable[Hotspot]) -> str:
    """The hot spots as the CSV file of the original."""
    columns = [field.encode_name for field in msgspec.structs.fields(Hotspot)]
    return csv_text(columns, map(msgspec.structs.astuple, hotspots))


def export_at(place: Path) -> Path:
    """The warm-run export that a folder holds, the latest of several; a file as it is.

    Raises:
        TelemetryError: the folder holds none.
    """
    if not place.is_dir():
        return place
    exports = [path for path in place.glob(_EXPORTS) if not path.stem.endswith(_SUMMARY)]
    if not exports:
        raise TelemetryError(f"{place} holds no warm-run export, {_EXPORTS}")
    # "latest", which a folder of several runs has, comes after all stamps.
    return max(exports, key=lambda path: path.name)


def warm_run_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a warm-run export: one JSON array, or a row a line.

    Raises:
        TelemetryError: the file cannot be read, not all of it is rows, or they are not those of a warm run.
    """
    rows = _rows(path)
    if not any("PassLabel" in row for row in rows):
        raise TelemetryError(f"{path} is no warm-run export: none of its {len(rows)} rows has a PassLabel")
    return rows


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        return records(read_document(path))
    except TelemetryError:
        reader = TelemetryReader([path])
        rows = [line.fields for line in reader]
        # An export that is torn would show the wrong hosts as the slowest.
        if reader.broken_lines:
            broken = reader.broken_lines[0]
            raise TelemetryError(f"{path}, line {broken.line}: {broken.reason}") from None
        if not rows:
            raise
        return rows
