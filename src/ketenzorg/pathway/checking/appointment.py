"""Checks of [appointment]: what an Appointment means can be said by it alone, and who says it sees appointments."""

from collections.abc import Iterator, Mapping

from ketenzorg.pathway.definition import PathwayFile
from ketenzorg.pathway.findings import Finding, unknown
from ketenzorg.pathway.flatten import Step
from ketenzorg.pathway.words import EVERYTHING

STATUSES = ("booked", "arrived", "fulfilled", "cancelled", "noshow")  # of FHIR, that can mean something
KIND = "Appointment"


def check_appointment(file: PathwayFile, steps: Mapping[str, Step]) -> Iterator[Finding]:
    """Every status and event that means nothing, and every event that cannot be meant."""
    moves = [move for step in steps.values() for move in step.moves]
    events = {move.event for move in moves}
    for status, meant in file.appointment.items():
        if status not in STATUSES:
            yield unknown(("appointment", status), "status", "status", status, STATUSES)
        for number, event in enumerate(meant):
            place = ("appointment", status, number)
            if event not in events:
                yield unknown(place, "gebeurtenis", "event", event, events)
            here = [move for move in moves if move.event == event]
            if any(move.needs or move.new_task or move.emergency or steps[move.to].ends for move in here):
                nl = f"‘{event}’ brengt iets mee, draagt over of is een einde: dat zegt een afspraak niet."
                en = f"'{event}' brings something, hands over or ends: an appointment does not say that."
                yield Finding(place, nl, en)
    meant_by = {role for move in moves if move.event in _meant(file) for role in move.by}
    for name in sorted(meant_by & file.roles.keys()):
        view = file.roles[name].sees
        if view != EVERYTHING and KIND not in file.views[view].shows:
            nl = f"{name} meldt met een afspraak wat er gebeurde: laat {KIND} in deze view zien."
            en = f"{name} says by an appointment what happened: show {KIND} in this view."
            yield Finding(("views", view, "shows"), nl, en)


def _meant(file: PathwayFile) -> set[str]:
    return {event for events in file.appointment.values() for event in events}
