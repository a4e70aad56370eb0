"""Whether the events of a run agree with each other; the rules themselves stand in ``consistency_rules``."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from math import ceil
from typing import Any

from consistency_rules import EVENT_RULES, ORDER, RUN_RULES, SOURCES

Wire = dict[str, Any]
"""An event as it stands on a line; without ``Timestamp`` when it never got there."""

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}[+-]\d\d:\d\d")
_BULK = re.compile("(Bulk.*|UiClone|StreamDispatch)DurationMs|BulkRows.*")
_WRITTEN = ("RowsWritten", "InterfaceSyncTiming", "DatabaseWriteLatency", "DatabaseWriteBreakdown")
_FINAL = ("MaxWorkersPerSite", "MaxActiveSites", "JobsPerThread", "MinRunspaces")
_RENAMED = {
    "InterfaceDiffDurationMs": "DiffDurationMs",
    "InterfaceDiffComparisonDurationMs": "DiffComparisonDurationMs",
}
_KEPT_ROWS = {
    "SiteCacheProvider": "Cache",
    "SiteCacheProviderReason": "SiteExistingCache",
    "SiteCacheFetchStatus": "Hit",
    "SiteCacheExistingRowSource": "SiteExistingCache",
}
_SAME_BATCH = ("InterfaceBulkInsertTiming", "InterfaceBulkInsert", "PortBatchReady")


def check_run(events: Iterable[Wire]) -> list[str]:
    """Every way in which the events of one run contradict each other, each led by the rule's name; none is best.

    Events come in the order in which they were emitted. Events of other kinds are left alone.
    """
    run = list(events)
    found = [violation for event in run for violation in check_event(event)]
    for check in (_jobs, _scheduler, _order, _writes, _batches, _reads):
        found += check(run)
    return found


def check_event(event: Wire) -> Iterator[str]:
    """Every way in which an event contradicts itself."""
    name = event["EventName"]
    where = " ".join([name, *(str(event[key]) for key in ("Hostname", "Site", "Stage") if event.get(key))])
    if "Timestamp" in event and (
        list(event)[:2] != ["EventName", "Timestamp"] or not _TIMESTAMP.fullmatch(event["Timestamp"])
    ):
        yield f"E1 {where}: {RUN_RULES['E1']}"
    for field, value in event.items():
        if field.endswith("DurationMs") and not _is_rounded(value, 3):
            yield f"D1 {where}: {field} is {value!r}"
        if field.endswith("Ratio") and value is not None and not (_is_rounded(value, 6) and value <= 1):
            yield f"D2 {where}: {field} is {value!r}"
        if field.endswith(("Samples", "EntriesSample", "Sources")) and not isinstance(value, list | tuple):
            yield f"D3 {where}: {field} is {value!r}"
    names = {**_names(event), **event}
    for rule, expression in EVENT_RULES.get(name, {}).items():
        try:
            holds = eval(expression, dict(names))  # noqa: S307  # the expressions are those above
        except Exception as error:  # noqa: BLE001  # whatever a missing field or a wrong type leads to
            yield f"{rule} {where}: {expression}: {error!r}"
        else:
            if not holds:
                yield f"{rule} {where}: {expression}"


def _is_rounded(value: object, decimals: int) -> bool:
    return isinstance(value, int | float) and 0 <= value < float("inf") and round(value, decimals) == value


def _names(event: Wire) -> Wire:
    """What the expressions use beside the fields."""
    return {
        "event": event,
        "get": event.get,
        "ceil": ceil,
        "ratio": lambda hits, misses: round(hits / (hits + misses), 6) if hits + misses else None,
        "matches": lambda pattern, text: isinstance(text, str) and re.fullmatch(pattern, text) is not None,
        "seconds": _seconds,
        "reuse": event.get("PreviousSnapshotStatus") == "CacheHit",
        "hydrated": event.get("Provider") in ("ADODB", "AccessRetry"),
        "GUID": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "SOURCES": SOURCES,
        "BULK": [field for field in event if _BULK.fullmatch(field)],
        "FINAL": _FINAL,
        "RESOLVED": [f"Resolved{field}" for field in ("ThreadCeiling", *_FINAL)],
    }


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text[:26] + text[27:]).timestamp()


def _named(run: list[Wire], *names: str) -> list[Wire]:
    return [event for event in run if event["EventName"] in names]


def _by(run: list[Wire], field: str) -> dict[str, list[Wire]]:
    groups: dict[str, list[Wire]] = defaultdict(list)
    for event in run:
        if event.get(field):
            groups[event[field]].append(event)
    return groups


def _jobs(run: list[Wire]) -> Iterator[str]:
    launches = Counter(event["Site"] for event in _named(run, "ParserSchedulerLaunch"))
    ended = _named(run, "ParseDuration", "SkippedDuplicate")
    if not launches and not ended:
        return  # hosts were written, but not by a session
    logs = Counter(event["Site"] for event in ended)
    for site in sorted(launches | logs):
        if launches[site] != logs[site]:
            yield f"R1 {site}: {launches[site]} launches, {logs[site]} logs"
    hosts = Counter(event["Hostname"] for event in ended)
    told = {event["Hostname"] for event in _named(run, *_WRITTEN)}
    for host in sorted(told | set(hosts)):
        if hosts[host] != 1:
            yield f"R2 {host}: {hosts[host]} ends"
    succeeded = {event["Hostname"] for event in ended if event.get("Success")}
    for host, events in _by(run, "Hostname").items():
        counts = Counter(event["EventName"] for event in events)
        wanted = 1 if host in succeeded else 0
        wrong = {name: counts[name] for name in _WRITTEN if counts[name] != wanted}
        if wrong and host in hosts:
            yield f"R3 {host}: {wrong}, expected {wanted} of each"
        if counts["InterfacePersistenceFailure"] and host in succeeded:
            yield f"R3 {host}: InterfacePersistenceFailure, and yet it succeeded"


def _scheduler(run: list[Wire]) -> Iterator[str]:
    names = [event["EventName"] for event in run]
    launches = _named(run, "ParserSchedulerLaunch")
    resolved = names.count("ConcurrencyProfileResolved")
    if resolved > 1 or (
        launches and (resolved == 0 or names.index("ConcurrencyProfileResolved") > names.index("ParserSchedulerLaunch"))
    ):
        yield f"R4 run: {RUN_RULES['R4']}"
    queued = [event["QueuedJobs"] for event in launches]
    if queued != list(range(len(queued)))[::-1]:
        yield f"R5 run: QueuedJobs {queued}"
    stages = Counter(
        (event["Site"], event["Stage"].removesuffix("Error"))
        for event in _named(run, "InterfaceSiteCacheRunspaceState")
        if event["Stage"].startswith("Worker:")
    )
    launched = Counter(event["Site"] for event in launches)
    for site in sorted(launched | Counter(site for site, _ in stages)):
        counts = [stages[site, f"Worker:{stage}Parse"] for stage in ("Pre", "Post")]
        if counts != [launched[site]] * 2:
            yield f"R6 {site}: {launched[site]} launches, {counts[0]} before and {counts[1]} after"


def _order(run: list[Wire]) -> Iterator[str]:
    for host, events in _by(run, "Hostname").items():
        places = [ORDER.index(event["EventName"]) for event in events if event["EventName"] in ORDER]
        if places != sorted(places):
            yield f"O1 {host}: {', '.join(ORDER[place] for place in places)}"


def _writes(run: list[Wire]) -> Iterator[str]:
    for host, events in _by(run, "Hostname").items():
        one = {event["EventName"]: event for event in events}
        sync, breakdown = one.get("InterfaceSyncTiming"), one.get("DatabaseWriteBreakdown")
        latency, rows, parse = one.get("DatabaseWriteLatency"), one.get("RowsWritten"), one.get("ParseDuration")
        if breakdown and latency and breakdown["DatabaseWriteLatencyMs"] != latency["LatencyMs"]:
            yield f"J1 {host}: {breakdown['DatabaseWriteLatencyMs']} and {latency['LatencyMs']} ms"
        if breakdown and sync:
            kept = str(sync.get("SiteCacheExistingRowSource")).casefold() == "siteexistingcache"
            expected = {**sync, **(_KEPT_ROWS if kept else {})}
            for field in sorted(breakdown.keys() - {"EventName", "Timestamp"}):
                other = _RENAMED.get(field, field)
                if other in expected and breakdown[field] != expected[other]:
                    yield f"J2 {host}: {field} is {breakdown[field]!r}, not {expected[other]!r}"
        if sync and rows and (rows["Rows"], rows["DeletedRows"]) != (sync["RowsStaged"], sync["DeleteCandidates"]):
            yield f"J3 {host}: {rows['Rows']} rows written, {rows['DeletedRows']} deleted"
        if parse and latency and latency["LatencyMs"] / 1000 > parse["DurationSeconds"] + 0.01:
            yield f"J4 {host}: {parse['DurationSeconds']} s with {latency['LatencyMs']} ms in the database"


def _batches(run: list[Wire]) -> Iterator[str]:
    batches = _by(run, "BatchId")
    for batch, events in batches.items():
        told = {event["EventName"]: event for event in events}
        if not told.keys() & {*_SAME_BATCH}:
            continue
        timing = told.get("InterfaceBulkInsertTiming", {})
        wanted = _SAME_BATCH if timing.get("Success") else _SAME_BATCH[:2]
        facts = {
            (
                event["Hostname"],
                event["RunDate"],
                event.get("Rows", event.get("PortsCommitted")),
                event.get("Success", True),
            )
            for event in _named(events, *_SAME_BATCH)
        }
        if sorted(event["EventName"] for event in _named(events, *_SAME_BATCH)) != sorted(wanted) or len(facts) != 1:
            yield f"J5 {batch}: {sorted(told)} with {sorted(map(str, facts))}"
        stream, ready = told.get("InterfacePortStreamMetrics"), told.get("PortBatchReady")
        if stream and ready and stream["RowsReceived"] != ready["PortsCommitted"]:
            yield f"J7 {batch}: {stream['RowsReceived']} rows received, {ready['PortsCommitted']} committed"
    for sync in _named(run, "InterfaceSyncTiming"):
        batch = sync["BulkBatchId"]
        timings = _named(batches.get(batch, []), "InterfaceBulkInsertTiming")
        if batch and [(timing["Hostname"], timing["Rows"]) for timing in timings] != [
            (sync["Hostname"], sync["BulkRowsPrepared"])
        ]:
            yield f"J6 {sync['Hostname']}: {len(timings)} batches of this name, or of another host or size"


def _reads(run: list[Wire]) -> Iterator[str]:
    metrics = _named(run, "InterfaceSiteCacheMetrics")
    answers = Counter((event["Site"], event["Refreshed"]) for event in metrics)
    attempts = Counter((event["Site"], event["Refresh"]) for event in _named(run, "InterfaceSiteCacheReuseAttempt"))
    for (site, refresh), count in attempts.items():
        if answers[site, refresh] < count:
            yield f"J8 {site}: {count} attempts (refresh {refresh}), {answers[site, refresh]} metrics"
    reused = Counter((event["Site"], event["HostCount"]) for event in metrics if event["Provider"] == "Cache")
    states = Counter((event["Site"], event["HostCount"]) for event in _named(run, "InterfaceSiteCacheReuseState"))
    if reused != states:
        yield f"J9 run: reuses {dict(reused)}, states {dict(states)}"
    reads = Counter((event["Site"].upper(), event["SnapshotDurationMs"]) for event in metrics)
    told = Counter(
        (event["Site"].upper(), event["SiteCacheSnapshotDurationMs"])
        for event in _named(run, "InterfaceSyncTiming")
        if event["SiteCacheSnapshotDurationMs"]
    )
    for (site, duration), count in (told - reads).items():
        yield f"T1 {site}: a read of {duration} ms is told {count} times too often"
