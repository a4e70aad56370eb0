"""Whether telemetry is whole: each line an event, the wanted events there, all of them in agreement."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import msgspec

from statetrace.analysis.consistency.checking import Consistency, RuleSet, Violation
from statetrace.analysis.events import WireEvent
from statetrace.analysis.reading import BrokenLine, TelemetryReader

_QUEUE = ("queuedelay", "interfaceportqueuemetrics")
_SYNC = "interfacesynctiming"
_MOST_NAMES = 1024


class IntegrityReport(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What is wrong with telemetry (reference: warm-run-and-gates 6.9; the last eight fields are our own).

    Attributes:
        path: what was read, several files joined by commas.
        total_lines: that are not blank.
        parsed_lines: that are an event.
        error_count: that are not.
        queue_events_found: whether anything was told of the queue of port batches.
        interface_sync_found: whether any host was told to be compared.
        broken_lines: the first hundred lines that are no event.
        violations: the first ways in which the events contradict each other, in the order in which they were found.
        violation_count: number of all.
        missing: names of wanted events of which there is none.
        origins: whose events were seen, ``ours`` or ``original``; empty when they are not checked, or cannot be told.
        consistency_checked: whether it was asked if the events agree.
        passed: there are events, and nothing is wrong.
        files: what was read.
    """

    path: str
    total_lines: int
    parsed_lines: int
    error_count: int
    queue_events_found: bool
    interface_sync_found: bool
    broken_lines: list[BrokenLine] = []
    violations: list[Violation] = []
    violation_count: int = 0
    missing: list[str] = []
    origins: list[str] = []
    consistency_checked: bool = True
    passed: bool = True
    files: list[str] = []


class Integrity:
    """Takes all events of a reader and reports on them and on its lines.

    Wanted events are found by the name of an event and those of its fields, in any case, looked at in the first event
    of a name. The original looks through the whole text of every line, so that a value that mentions them, such as the
    name of a file, is enough for it.

    Args:
        require_queue: fail without events of the port queue.
        require_sync: fail without ``InterfaceSyncTiming``.
        consistency: check that the events agree.
        rules: whose events they are, see :class:`~statetrace.analysis.consistency.Consistency`.
        keep: number of violations that are kept.
    """

    EVENTS: ClassVar[frozenset[str] | None] = None

    def __init__(
        self,
        *,
        require_queue: bool = False,
        require_sync: bool = False,
        consistency: bool = True,
        rules: RuleSet = "auto",
        keep: int = 1000,
    ) -> None:
        self._wanted = (require_queue, require_sync)
        self._check = Consistency(rules, keep=keep) if consistency else None
        self._queue = False
        self._sync = False
        self._seen: set[str] = set()

    def add(self, event: WireEvent) -> None:
        """Take an event."""
        if event.name not in self._seen:
            self._look(event)
        if self._check is not None:
            self._check.add(event)

    def _look(self, event: WireEvent) -> None:
        """Whether it is one of the wanted events, or a summary of them."""
        if event.name and len(self._seen) < _MOST_NAMES:
            self._seen.add(event.name)
        text = " ".join((event.name, *event.fields)).lower()
        self._queue = self._queue or any(word in text for word in _QUEUE)
        self._sync = self._sync or _SYNC in text

    def report(self, reader: TelemetryReader) -> IntegrityReport:
        """The report, once all events of the reader were taken."""
        check = self._check
        if check is not None:
            check.finish()
        found = (self._queue, self._sync)
        names = ("InterfacePortQueueMetrics", "InterfaceSyncTiming")
        missing = [name for name, wanted, there in zip(names, self._wanted, found, strict=True) if wanted and not there]
        count = 0 if check is None else check.count
        return IntegrityReport(
            path=", ".join(map(str, reader.files)),
            total_lines=reader.lines,
            parsed_lines=reader.events,
            error_count=reader.broken,
            queue_events_found=self._queue,
            interface_sync_found=self._sync,
            broken_lines=list(reader.broken_lines),
            violations=[] if check is None else check.violations,
            violation_count=count,
            missing=missing,
            origins=[] if check is None else check.origins,
            consistency_checked=check is not None,
            passed=reader.lines > 0 and not (reader.broken or count or missing),
            files=[str(path) for path in reader.files],
        )


def check_integrity(
    *paths: Path,
    nested: bool = False,
    require_queue: bool = False,
    require_sync: bool = False,
    consistency: bool = True,
    rules: RuleSet = "auto",
    keep: int = 1000,
) -> IntegrityReport:
    """Whether the telemetry at these places is whole.

    Args:
        paths: files and folders, see :func:`~statetrace.analysis.reading.telemetry_files`.
        nested: take run folders and archives in them, too.
        require_queue: see :class:`Integrity`, like all that follows.
        require_sync: fail without ``InterfaceSyncTiming``.
        consistency: check that the events agree.
        rules: whose events they are.
        keep: number of violations that are kept.

    Raises:
        TelemetryError: there is nothing to read, or it cannot be read.
    """
    reader = TelemetryReader.at(*paths, nested=nested)
    integrity = Integrity(
        require_queue=require_queue, require_sync=require_sync, consistency=consistency, rules=rules, keep=keep
    )
    for event in reader:
        integrity.add(event)
    return integrity.report(reader)
