"""Which Task.status may follow which, and whose write that is: the hand-over machine of a Coordination Task.

Rows follow NL-COW and HL7 Clinical Order Workflows (https://build.fhir.org/ig/HL7/fhir-cow-ig/) as decided in
the README: the owner moves the work, the requester may cancel alone until it has started.
"""

from typing import NamedTuple


class Handover(NamedTuple):
    """One legal change of Task.status and the part (requester or owner) that may make it."""

    before: str
    after: str
    by: frozenset[str]
    by_name: bool = False  # said as an event only: the status alone never means it
    asked: bool = False  # an answer to a question with a Task of its own, and nothing while nobody asked


_OWNER = frozenset({"owner"})
_REQUESTER = frozenset({"requester"})
_EITHER = _OWNER | _REQUESTER

HANDOVERS: tuple[Handover, ...] = (
    Handover("draft", "requested", _REQUESTER),
    Handover("draft", "cancelled", _REQUESTER),
    Handover("requested", "received", _OWNER),
    Handover("requested", "accepted", _OWNER),
    Handover("requested", "rejected", _OWNER),
    Handover("requested", "cancelled", _REQUESTER),
    Handover("received", "accepted", _OWNER),
    Handover("received", "rejected", _OWNER),
    Handover("received", "cancelled", _REQUESTER),
    Handover("accepted", "in-progress", _OWNER),
    Handover("accepted", "completed", _OWNER),
    Handover("accepted", "rejected", _OWNER, by_name=True),  # sent on before the start
    Handover("accepted", "failed", _OWNER),
    Handover("accepted", "cancelled", _REQUESTER),
    Handover("in-progress", "on-hold", _OWNER),
    Handover("in-progress", "completed", _OWNER),
    Handover("in-progress", "failed", _OWNER),
    # Once started it is cancelled only when the owner agrees to the requester's abort Task.
    Handover("in-progress", "cancelled", _OWNER, asked=True),
    Handover("on-hold", "in-progress", _OWNER),
    Handover("on-hold", "completed", _OWNER),
    Handover("on-hold", "failed", _OWNER),
    Handover("on-hold", "cancelled", _OWNER, asked=True),
    *(
        Handover(before, "entered-in-error", _EITHER)
        for before in ("draft", "requested", "received", "accepted", "in-progress", "on-hold")
    ),
)

# What became of the patient is said by whoever hears of it: that he or she wants it no more, or died.
FACTS: tuple[Handover, ...] = tuple(
    Handover(before, "failed", _REQUESTER) for before in ("in-progress", "on-hold")
)

FIRST_STATUSES = frozenset({"draft", "requested"})
OWN_FIRST = FIRST_STATUSES | {"accepted", "in-progress"}  # of work in one house
FINAL_STATUSES = frozenset({"rejected", "cancelled", "completed", "failed", "entered-in-error"})
_BY = {(row.before, row.after): row.by for row in HANDOVERS}


def legal(before: str, after: str) -> bool:
    """Whether the table knows this change; staying where it is always is."""
    return before == after or (before, after) in _BY


def may(before: str, after: str, part: str) -> bool:
    """Whether this part (requester or owner) may make the change by its own word."""
    return before == after or part in _BY.get((before, after), frozenset())


def following(before: str) -> frozenset[str]:
    """Every status that may follow this one."""
    return frozenset(row.after for row in HANDOVERS if row.before == before)
