"""Where a traject stands by its events alone: the log is the truth, and what is stored must equal this."""

from collections.abc import Mapping, Sequence

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
            given = _given(pathway, state, event)
            state = engine.advance(pathway, state, event.event, event.by, event.at, given).state
    return state


def _given(pathway: Pathway, state: State, event: events.StepTaken) -> Mapping[str, str]:
    """The answers as far as the state depends on them: the log has the codes and no texts."""
    option = next(each for each in engine.allowed(pathway, state, event.by) if each.event == event.event)
    return {
        name: event.codes.get(name) or (pathway.file.needs[name].codes or ["-"])[0] for name in option.needs
    }
