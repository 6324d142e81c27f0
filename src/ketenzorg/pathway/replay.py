"""Where a traject stands by its events alone: the log is the truth, and what is stored must equal this."""

from collections.abc import Sequence

from ketenzorg import events
from ketenzorg.pathway import engine
from ketenzorg.pathway.engine import State
from ketenzorg.pathway.loaded import Pathway


def standing(log: Sequence[tuple[int, events.Event]]) -> list[tuple[int, events.Event]]:
    """The events that count: without corrected ones, and without the corrections."""
    mistaken = {event.corrects for _, event in log if isinstance(event, events.StepCorrected)}
    return [
        (seq, event)
        for seq, event in log
        if seq not in mistaken and not isinstance(event, events.StepCorrected)
    ]


def replay(pathway: Pathway, log: Sequence[tuple[int, events.Event]]) -> State:
    """The state after the events of a traject, given as (seq, event) in their order."""
    (_, received), *rest = standing(log)
    if not isinstance(received, events.ReferralReceived):
        raise ValueError("a traject begins with a referral")
    state = State(received.step, received.kept, {received.event: received.at})
    for _, event in rest:
        if isinstance(event, events.DataAdded):
            state = engine.rekept(state, event.kept)
        if isinstance(event, events.StepTaken):
            state = engine.recorded(pathway, state, event.event, event.to_step, event.at)
    return state
