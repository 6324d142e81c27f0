"""Who must be told of a norm or control that runs out, and when: what the pathway says, as moments."""

from datetime import datetime

import msgspec

from ketenzorg.events import NormEscalated, NormExceeded, NormReminded, OfNorm
from ketenzorg.pathway import calendar
from ketenzorg.pathway.clocks import Clock
from ketenzorg.pathway.flatten import handover_of, role_names
from ketenzorg.pathway.loaded import Pathway

Kind = type[OfNorm]
NAMES: dict[Kind, str] = {
    NormReminded: "herinnering",
    NormExceeded: "termijn voorbij",
    NormEscalated: "termijn al langer voorbij",
}


class Rung(msgspec.Struct, frozen=True):
    """One time that somebody is told; those of one norm follow each other."""

    kind: Kind
    at: datetime
    tell: tuple[str, ...]  # roles beside whose turn it is; of an escalation these alone
    after: str = ""  # of an escalation: how long the norm is past by then


def rungs(clock: Clock, began: datetime, due: datetime) -> list[Rung]:
    """When to tell whom of a norm that runs from `began` to `due`; no reminder before there is anything to do."""
    found = [Rung(NormExceeded, due, clock.tell)]
    if clock.remind is not None and (early := calendar.before(due, clock.remind)) > began:
        found.insert(0, Rung(NormReminded, early, ()))
    found += [
        Rung(NormEscalated, calendar.due(due, later.after), later.tell, later.said) for later in clock.then
    ]
    return found


def told_by(rung: Rung, pathway: Pathway, step: str) -> list[str]:
    """The roles that hear of it while the traject is in this step."""
    here = pathway.steps[step]
    _, asked = handover_of(here.main, pathway.file)
    named = role_names(list(rung.tell), asked, pathway.file)
    return named if rung.kind is NormEscalated else list(dict.fromkeys((here.owner, *named)))
