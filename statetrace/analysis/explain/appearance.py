"""One time that a host was worked on: what its events come to."""

from __future__ import annotations

import msgspec

from statetrace.analysis.events import WireEvent
from statetrace.analysis.explain.causes import Cause, Finding, find_cause
from statetrace.analysis.explain.circumstances import Around, Code, Evidence
from statetrace.analysis.explain.host_stages import RowCounts, Stage, stages_of
from statetrace.analysis.explain.remarks import remarks_of
from statetrace.analysis.explain.row_changes import mismatches_of
from statetrace.analysis.explain.siblings import Siblings, SiteSession
from statetrace.analysis.instants import ticks_of, utc_text
from statetrace.analysis.warm.provider_counts import is_hit

INGESTED, UNCHANGED, DUPLICATE = "ingested", "unchanged", "skipped_duplicate"
"""Outcomes that a session tells, too."""
FAILED, UNFINISHED = "failed", "unfinished"
"""Those besides: nothing was stored, whatever the reason; no event tells how it ended."""


class Appearance(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One time that the host was worked on.

    Attributes:
        run: folder of the telemetry; that of a warm run has passes.
        pass_label: written ``Pass``: ``ColdPass``, ``WarmPass``, or ``""`` if it was neither.
        started: UTC, ``""`` if no event tells.
        outcome: ``ingested``, ``unchanged``, ``skipped_duplicate``, ``failed`` or ``unfinished``.
        duration_ms: milliseconds of the whole work, ``None`` if not told.
        provider: ``SiteCacheProvider``.
        reason: ``SiteCacheProviderReason``.
        fetch_status: ``SiteCacheFetchStatus``.
        hit: a cache supplied the rows that the log was compared with.
        cause: why they came from there, or why nothing was stored.
        evidence: what the cause was drawn from, and what differed.
        stages: what it cost, in their order.
        rows: what became of its rows; ``None`` if they were not compared.
        siblings: how it stands among the hosts of its site; ``None`` if it was not compared.
        remarks: what else is worth knowing.
    """

    run: str
    pass_label: str = msgspec.field(name="Pass")
    started: str
    outcome: str
    duration_ms: float | None
    provider: str = ""
    reason: str = ""
    fetch_status: str = ""
    hit: bool = False
    cause: Cause
    evidence: list[Evidence]
    stages: list[Stage] = []
    rows: RowCounts | None = None
    siblings: Siblings | None = None
    remarks: list[str] = []


class Draft(msgspec.Struct):
    """The events of one appearance so far, by what they tell; ``first`` came first."""

    run: str
    pass_label: str
    first: WireEvent
    sync: WireEvent | None = None
    around: Around | None = None
    breakdown: WireEvent | None = None
    parsed: WireEvent | None = None
    skipped: WireEvent | None = None
    failure: WireEvent | None = None

    def finished(self, host: str, session: SiteSession, *, ours: bool) -> Appearance:
        """What the events come to, once the session has ended.

        Args:
            host: the host.
            session: the hosts of its site in the session.
            ours: the events are this engine's, not the original's.
        """
        seconds = None if self.parsed is None else self.parsed.number("DurationSeconds")
        ticks = (None if self.parsed is None else ticks_of(self.parsed.text("StartTime"))) or self.first.ticks
        duration = None if seconds is None else round(seconds * 1000, 3)
        outcome = self._outcome()
        sync, around = self.sync, self.around or Around(ours=ours)
        finding = self._finding(outcome, around)
        told = Appearance(
            run=self.run,
            pass_label=self.pass_label,
            started="" if ticks is None else utc_text(ticks),
            outcome=outcome,
            duration_ms=duration,
            cause=finding.cause,
            evidence=list(finding.evidence),
        )
        if sync is None:
            return told
        rows, siblings = RowCounts.of(sync), session.siblings(host)
        stages = stages_of(sync, self.breakdown, duration)
        differing = [Evidence(sync.name, sync.where, mismatch) for mismatch in mismatches_of(host, sync)]
        return msgspec.structs.replace(
            told,
            provider=sync.text("SiteCacheProvider"),
            reason=sync.text("SiteCacheProviderReason"),
            fetch_status=sync.text("SiteCacheFetchStatus"),
            hit=is_hit(sync.text("SiteCacheProvider")),
            evidence=[*told.evidence, *differing],
            stages=stages,
            rows=rows,
            siblings=siblings,
            remarks=remarks_of(sync, rows, stages, siblings, around, self.breakdown),
        )

    def _outcome(self) -> str:
        if self.skipped is not None:
            return DUPLICATE
        if self.failure is not None or (self.parsed is not None and not self.parsed.flag("Success")):
            return FAILED
        if self.sync is None:
            return UNFINISHED
        return INGESTED if RowCounts.of(self.sync).written else UNCHANGED

    def _finding(self, outcome: str, around: Around) -> Finding:
        if self.skipped is not None:
            text = "the very same log was ingested before, so nothing was done with it"
            return _ended(self.skipped, Code.UNCHANGED_LOG, text, "Reason", "LastIngestedUtc", "FileHash")
        if self.failure is not None:
            message = self.failure.text("ExceptionMessage", "ExceptionType") or "no event tells why"
            text = f"nothing of it was stored: {message}"
            return _ended(self.failure, Code.DATABASE_FAILED, text, "Stage", "ExceptionType", "DatabasePath")
        if outcome == FAILED and self.parsed is not None:
            return self._failed(self.parsed, around)
        if self.sync is None:
            return _ended(self.first, Code.UNKNOWN, "no event tells how the work on it went on")
        return find_cause(self.sync, around)

    def _failed(self, parsed: WireEvent, around: Around) -> Finding:
        """The work ended without success, and no event tells of an error."""
        code, text = Code.FAILED, "nothing of it was stored; no event tells why"
        if self.sync is not None:
            text = "its rows were compared, but what was to be written was not committed; no event tells why"
        elif around.ours:
            code = Code.NOT_UNDERSTOOD
            text = (
                "nothing of it was stored, and the database did not fail: its log was not understood (make unknown, no "
                "table of interfaces), or it could not be read"
            )
        return _ended(parsed, code, text, "Success", "FileName")


def _ended(event: WireEvent, code: Code, text: str, *fields: str) -> Finding:
    return Finding(Cause(code, text), (Evidence.of(event, *fields),))
