"""A gate: what it asks of telemetry, and how its answer reads."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from statetrace.analysis.gates.offenders import Offender, Offenders, Relation
from statetrace.analysis.gates.thresholds import Thresholds, description

NOTHING_TOLD = "no event tells"
"""Why a gate is without data, where nothing better is known."""


class Outcome(StrEnum):
    """How a gate turned out."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    NO_DATA = "no_data"


class GateResult(msgspec.Struct, frozen=True, rename="pascal"):
    """What became of a gate.

    Attributes:
        name: section and name of its limit in the thresholds.
        code: what it is listed as among the violations when it fails.
        outcome: see :class:`Outcome`.
        measured: the measure; ``None`` without data.
        relation: how it has to stand to ``limit``.
        limit: the limit.
        unit: of both, ``""`` for a plain number.
        message: what was found, in words.
        allowed: there are no data, and there need not be.
        offenders: who is behind a failure or warning, the worst come first, ten at most.
        offender_count: how many there are in all.
        offender_unit: of their values; ``""`` where each counts 1.
        lacking: why there are no data; ``""`` if there are.
    """

    name: str
    code: str
    outcome: Outcome
    measured: float | None
    relation: Relation
    limit: float
    unit: str
    message: str
    allowed: bool = False
    offenders: tuple[Offender, ...] = ()
    offender_count: int = 0
    offender_unit: str = ""
    lacking: str = ""

    @property
    def failed(self) -> bool:
        """Whether telemetry must not pass because of it: a gate without data fails unless that is allowed."""
        return self.outcome is Outcome.FAILED or (self.outcome is Outcome.NO_DATA and not self.allowed)


class Gate(msgspec.Struct, frozen=True):
    """One question that telemetry is asked.

    Attributes:
        name: section and name of its limit in the thresholds.
        code: what a failure is listed as; the reference's own where it has one (warm-run-and-gates 3).
        unit: of measure and limit.
        relation: how the measure has to stand to the limit.
        offender_unit: of what is measured of each offender; ``""`` where each counts 1.
    """

    name: str
    code: str
    unit: str = ""
    relation: Relation = Relation.AT_MOST
    offender_unit: str = ""

    def judge(
        self,
        thresholds: Thresholds,
        measured: float | None,
        offenders: Offenders | None = None,
        *,
        alerted: Offenders | None = None,
        violated: bool | None = None,
        note: str = "",
        lacking: str = "",
    ) -> GateResult | None:
        """The result; ``None`` if the gate is switched off.

        Args:
            thresholds: where its limit is.
            measured: the measure; ``None`` without data.
            offenders: who is behind it if it fails.
            alerted: who is worth a warning though it does not.
            violated: the verdict, if a check has given it already.
            note: what to add to the message.
            lacking: why there are no data, if so.
        """
        if measured is None:
            return self.without_data(thresholds, lacking)
        limit = thresholds.limit(self.name)
        if limit is None:
            return None
        outcome, named = Outcome.PASSED, Offenders()
        if not self.relation.holds(measured, limit) if violated is None else violated:
            outcome, named = Outcome.FAILED, offenders or named
        elif alerted is not None and alerted.count:
            outcome, named = Outcome.WARNED, alerted
        unit = f" {self.unit}" if self.unit else ""
        bound = _WORDS[self.relation].format(f"{limit:,g}{unit}")
        return GateResult(
            self.name,
            self.code,
            outcome,
            measured,
            self.relation,
            limit,
            self.unit,
            f"{self.what}: {_shown(measured)}{unit}, {bound}{note and f'; {note}'}",
            offenders=named.worst(),
            offender_count=named.count,
            offender_unit=self.offender_unit,
        )

    def without_data(
        self, thresholds: Thresholds, lacking: str = "", *, measured: float | None = None, code: str = ""
    ) -> GateResult | None:
        """The result if there are no data; ``None`` if the gate is switched off.

        Args:
            thresholds: where its limit is, and whether it may be without.
            lacking: why there are none.
            measured: what there is, if that is too little to count.
            code: in place of the gate's own.
        """
        limit = thresholds.limit(self.name)
        if limit is None:
            return None
        lacking = lacking or NOTHING_TOLD
        return GateResult(
            self.name,
            code or self.code,
            Outcome.NO_DATA,
            measured,
            self.relation,
            limit,
            self.unit,
            f"{self.what}: {lacking}",
            allowed=thresholds.allows_no_data(self.name),
            lacking=lacking,
        )

    @property
    def what(self) -> str:
        """What it measures, in words."""
        return description(*self.name.split("."))


_WORDS = {
    Relation.BELOW: "has to be below {}",
    Relation.AT_MOST: "at most {} allowed",
    Relation.AT_LEAST: "at least {} required",
}


def _shown(measured: float) -> str:
    return f"{measured:,}" if isinstance(measured, int) else f"{measured:,.3f}"
