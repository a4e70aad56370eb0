"""Whether captured events agree with each other, by the rules of ``statetrace.analysis.consistency.checking``."""

from __future__ import annotations

from statetrace.analysis.consistency.all_rules import RULES
from statetrace.analysis.consistency.checking import violations
from statetrace.analysis.consistency.rules import EventCheck
from statetrace.analysis.events import WireEvent


def check_run(events):
    """Every way in which events contradict each other, each led by the rule's name; none is best."""
    found = violations((WireEvent(event["EventName"], event) for event in events), "ours")
    return [
        f"{told.rule} {told.event_name} {told.site} {told.hostname}: {told.meaning}, but {told.detail}"
        for told in found
    ]


def check_event(event):
    """Every way in which an event contradicts itself."""
    return [f"{broken.rule} {broken.detail}" for broken in EventCheck(RULES)(event["EventName"], event, ours=True)]
