"""A dry run: what ingesting a log would change, port by port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statetrace.database import schema
from statetrace.errors import StateTraceError
from statetrace.ingestion.job import NOTHING_BROUGHT, database_failure, parse_slice
from statetrace.ingestion.logs import HostLog, read_log
from statetrace.ingestion.report import INGESTED, UNCHANGED, HostOutcome, PortChange
from statetrace.model.interface import wire_values

if TYPE_CHECKING:
    from statetrace.model import HostPorts, InterfaceRow
    from statetrace.parsing import ParseMode
    from statetrace.persistence import HostDiff, ParserPersistence

_COLUMNS = tuple(column.name for column in schema.interfaces.c if column.name not in ("ID", "Hostname", "Port"))[:12]
"""Of the observed values, in the order of a row's wire values."""


def preview_host(persistence: ParserPersistence, log: HostLog, mode: ParseMode, *, allow_empty: bool) -> HostOutcome:
    """What would become of a host; never raises, and writes nothing."""
    try:
        parsed = parse_slice(log.name, read_log(log), mode, allow_empty=allow_empty)
    except OSError as error:
        return HostOutcome(log.name, log.site, "parse_failed", message=f"the log cannot be read: {error}")
    facts, failure = parsed.facts, parsed.failure
    if facts is None or failure is not None:
        failure = failure or NOTHING_BROUGHT
        host, site = (log.name, log.site) if facts is None else (facts.hostname, facts.site)
        return HostOutcome(
            host,
            site,
            failure.outcome,
            message=failure.message,
            coverage=parsed.coverage,
            lines_missed=parsed.lines_missed,
        )
    try:
        existing, diff = persistence.preview_host(facts, allow_empty=allow_empty)
    except StateTraceError as error:
        failure = database_failure(error)
        return HostOutcome(facts.hostname, facts.site, failure.outcome, message=failure.message)
    return HostOutcome(
        facts.hostname,
        facts.site,
        UNCHANGED if diff.empty else INGESTED,
        len(diff.inserted),
        len(diff.changed),
        diff.unchanged,
        len(diff.obsolete),
        make=facts.device.make,
        coverage=parsed.coverage,
        lines_missed=parsed.lines_missed,
        changes=tuple(_changes(existing, diff)),
    )


def _changes(existing: HostPorts, diff: HostDiff) -> list[PortChange]:
    added = [PortChange(port, "Added", _columns(None, row)) for port, row in diff.inserted.items()]
    changed = [PortChange(port, "Changed", _columns(existing[port], row)) for port, row in diff.changed.items()]
    return [*added, *changed, *(PortChange(port, "Removed") for port in diff.obsolete)]


def _columns(before: InterfaceRow | None, after: InterfaceRow) -> dict[str, tuple[str, str]]:
    old = ("",) * len(_COLUMNS) if before is None else wire_values(before)
    return {name: (was, now) for name, was, now in zip(_COLUMNS, old, wire_values(after), strict=False) if was != now}
