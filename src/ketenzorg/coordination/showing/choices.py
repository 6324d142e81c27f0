"""What may happen now to a referral, and what each of these things wants to know."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from ketenzorg.coordination.choosing.sending_on import may_be_open
from ketenzorg.coordination.receiving.naming import must_be_named
from ketenzorg.coordination.scene import state_of
from ketenzorg.coordination.steps.handing_over import who_could
from ketenzorg.coordination.world import World
from ketenzorg.pathway.engine import Option, State, counts_after
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.store.trajecten import Traject


class Question(msgspec.Struct, frozen=True):
    """What an event wants to know."""

    name: str
    ask: str
    codes: tuple[tuple[str, str], ...]  # (code, text); empty: words of one's own
    required: bool


class Whom(msgspec.Struct, frozen=True):
    """Who could perform what is handed over."""

    id: UUID
    name: str
    kilometres: int | None  # from where the patient lives


class Choice(msgspec.Struct, frozen=True):
    """One thing that the reader may say has happened."""

    event: str
    title: str
    questions: tuple[Question, ...]
    ends: bool
    completes: bool  # the end that everybody hopes for
    refuses: bool  # back to the referrer, before anybody began
    emergency: bool
    attempt: int  # the how manieth attempt this would be; 0 when it is no attempt
    attempts: int
    of_person: bool = False  # so of the patient, whatever the referral
    whom: tuple[Whom, ...] = ()  # to whom it may hand over, where there is a choice; the likeliest first
    open: bool = False  # or to who claims it
    named: bool = False  # we never choose who: it must be said


def choices_of(
    options: Iterable[Option], roles: Sequence[str], traject: Traject, pathway: Pathway, world: World
) -> tuple[Choice, ...]:
    """What these roles may say has happened."""
    state, now = state_of(traject), world.now()
    return tuple(
        _to_whom(_choice(option, pathway, state, now), option, traject, pathway, world)
        for option in options
        if set(roles) & set(option.by)
    )


def _to_whom(choice: Choice, option: Option, traject: Traject, pathway: Pathway, world: World) -> Choice:
    """The same with who could perform what it begins; where only one could, there is nothing to choose."""
    able = {each.id: (each, what) for each, what in who_could(option, traject, pathway, world)}
    open_ = may_be_open(option, traject, pathway, world)
    if not open_ and len(able) < 2:  # noqa: PLR2004
        return choice
    whom = (
        Whom(id_, each.name, world.region.kilometres(each, traject.municipality, what))
        for id_, (each, what) in able.items()
    )
    named = must_be_named(pathway.file.roles[pathway.steps[option.to_step].performer])
    return msgspec.structs.replace(choice, whom=tuple(whom), open=open_, named=named)


def likeliest(
    choices: Sequence[Choice], options: Sequence[Option], pathway: Pathway, step: str
) -> Choice | None:
    """The likeliest: what takes a referral on, else what brings it further, else what completes it."""
    now = pathway.steps[step]
    to = {option.event: option for option in options}
    able = [
        choice
        for choice in choices
        if not (choice.emergency or choice.attempt or to[choice.event].new_task)
        and to[choice.event].to_step != step
    ]
    # Leaving a side step is the likeliest; entering one never is.
    leaving = [each for each in able if now.side and to[each.event].to_step == now.main]
    onward = [
        each for each in able if not each.ends and pathway.steps[to[each.event].to_step].side == now.side
    ]
    taking = [each for each in onward if to[each.event].default]
    completing = [each for each in able if each.completes]
    return next(iter([*leaving, *taking, *onward, *completing]), None)


def _choice(option: Option, pathway: Pathway, state: State, now: datetime) -> Choice:
    counts = {move.count for move in pathway.steps[state.step].moves if move.event == option.event}
    counted = next((name for name in counts if name), "")
    return Choice(
        event=option.event,
        title=option.title[:1].upper() + option.title[1:],
        questions=tuple(
            Question(
                name,
                pathway.file.needs[name].ask,
                tuple((code, pathway.file.codes[code]) for code in pathway.file.needs[name].codes),
                name in option.needs,
            )
            for name in (*option.needs, *option.may)
        ),
        ends=bool(pathway.steps[option.to_step].ends),
        refuses=pathway.steps[option.to_step].ends == "rejected_by_receiver",
        completes=pathway.steps[option.to_step].ends == "completed",
        emergency=option.emergency,
        attempt=counts_after(pathway, state, option.event, now)[counted] if counted else 0,
        attempts=pathway.file.counts[counted].limit if counted else 0,
    )
