"""Who performs a hand-over is still to be chosen: several are asked and one is selected, or it is open to a claim.

Until then a candidate is no party of the traject. It sees its own Task and what is asked (access/rules.toml), and
what it answers changes its own Task only: the hand-over, its norms and who hears of them stay with who asks. That
hand-over has a Task without an owner. Open to all, it is what is claimed. Where organisations are asked by name, each
has a Task of its own that is part of it, and the one that is selected becomes the Task of the hand-over (NL-COW).
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from ketenzorg.access.finding import rows_of
from ketenzorg.coordination.scene import state_of
from ketenzorg.errors import TransitionNotAllowed
from ketenzorg.fhir import json
from ketenzorg.pathway import engine
from ketenzorg.pathway.engine import Option, State, StepTaken
from ketenzorg.pathway.handover import may
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.standing import ASKED, NOT_CHOSEN, asked_in
from ketenzorg.referral.codes import output_type
from ketenzorg.referral.coordination_task import not_chosen_task, owned_task, selected_task
from ketenzorg.referral.stored import instant, stored_form
from ketenzorg.store.trajecten import Joining, Losing, NewVersion, Traject, Version

SELECT, RELEASE = "selecteren", "afzeggen"  # what who asks says of one candidate
_CANDIDATE, _HANDOVER = "kandidaat ", "overdracht"  # names of Traject.asides
OPEN = frozenset({"requested", "received", "accepted"})  # Task.status of who may still be chosen
ANSWERS = ("received", "accepted", "rejected")  # Task.status that a candidate gives
QUESTION = ("CarePlan", "ServiceRequest")  # what a candidate sees beside its own Task
# Why a candidate is asked no more. What became of the patient is nothing to it: that nobody is asked says enough.
ANOTHER_CHOSEN = ("niet-gekozen", "Niet gekozen")
NO_MORE_ASKED = ("niet-meer-gevraagd", "Niet meer gevraagd")


def tasks_of_candidates(tasks: Mapping[UUID, UUID], handover: UUID) -> dict[str, UUID]:
    """Organisation -> its Task, as a traject keeps them; nothing where nobody is asked by name."""
    named = {f"{_CANDIDATE}{organisation}": task for organisation, task in tasks.items()}
    return named | {_HANDOVER: handover} if named else {}


def candidates_of(traject: Traject) -> dict[UUID, Version] | None:
    """Organisation -> its last Task; None where nobody was asked by name."""
    if _is_open(traject):
        return None
    return {
        UUID(name.removeprefix(_CANDIDATE)): version
        for name, version in traject.asides.items()
        if name.startswith(_CANDIDATE)
    }


class Answer(msgspec.Struct, frozen=True):
    """What became of asking one organisation, for who asked it."""

    task: UUID
    organisation: UUID
    status: str
    reason: str
    words: str  # that it wrote with it


def answers_of(traject: Traject) -> tuple[Answer, ...]:
    """What each who was asked by name said, as long as nobody has been chosen."""
    found = candidates_of(traject) or {}
    bodies = [(organisation, version.id, json.read(version.body)) for organisation, version in found.items()]
    return tuple(
        Answer(
            id_,
            organisation,
            body["status"],
            body.get("statusReason", {}).get("text", ""),
            " ".join(each["valueString"] for each in body.get("output", ()) if "valueString" in each),
        )
        for organisation, id_, body in bodies
    )


def must_choose(found: Sequence[Answer]) -> bool:
    """Whether it is up to who asked: one of these can do it, or none may still say so."""
    said = {each.status for each in found}
    return bool(said) and ("accepted" in said or said.isdisjoint(OPEN))


def without_candidates(asides: Mapping[str, UUID]) -> dict[str, UUID]:
    """The Tasks beside the hand-over when nobody is to be chosen any more."""
    return {
        name: task for name, task in asides.items() if name != _HANDOVER and not name.startswith(_CANDIDATE)
    }


def with_candidate(traject: Traject, organisation: UUID, task: UUID) -> dict[str, UUID]:
    """The Tasks beside the hand-over, with that of one more who is asked."""
    named = {name: version.id for name, version in traject.asides.items()}
    return named | {f"{_CANDIDATE}{organisation}": task}


def candidate_of(task: UUID, traject: Traject) -> UUID | None:
    """Whose Task this is, of the organisations that were asked by name; None for any other Task."""
    if task == traject.open_task:
        return None
    found = (name for name, version in traject.asides.items() if version.id == task)
    name = next((each for each in found if each.startswith(_CANDIDATE)), None)
    return UUID(name.removeprefix(_CANDIDATE)) if name else None


def may_claim(organisation: UUID, traject: Traject) -> bool:
    """Whether the Task of the hand-over is there to be claimed by this organisation."""
    return (
        traject.task.id == traject.open_task and _is_open(traject) and organisation in asked_in(traject.roles)
    )


def is_asked(organisation: UUID, traject: Traject) -> bool:
    """Whether this organisation may still answer on the Task that was loaded."""
    own = candidate_of(traject.task.id, traject) == organisation
    return may_claim(organisation, traject) or (own and organisation in asked_in(traject.roles))


def answers_now(traject: Traject, pathway: Pathway) -> list[Option]:
    """What who is asked may say after what it said before, on the Task that was loaded."""
    now = json.read(traject.task.body)["status"]
    possible = answers(pathway, state_of(traject))
    return [each for each in possible if each.task != now and may(now, each.task, "owner")]


def answers(pathway: Pathway, state: State) -> list[Option]:
    """What who is asked may say: that it has it, that it can do it, or that it cannot and why.

    What takes more than these knows the patient.
    """
    performer = pathway.steps[state.step].performer
    found = []
    for status in ANSWERS:
        with suppress(TransitionNotAllowed):
            found.append(engine.for_status(pathway, state, performer, status))
    return found


def for_requester(traject: Traject, pathway: Pathway) -> list[Option]:
    """What who asks may say of the candidate whose Task was loaded."""
    status = json.read(traject.task.body)["status"]
    step = pathway.steps[traject.step]
    said = {SELECT: ("accepted", "Deze uitvoerder kiezen"), RELEASE: ("cancelled", "Niet meer vragen")}
    return [
        Option(event, traject.step, (step.requester,), to, (), title)
        for event, (to, title) in said.items()
        if status in OPEN and (event != SELECT or status == "accepted")
    ]


class Settled(NamedTuple):
    """The roles of a traject in which nobody is a candidate any more, and who is not chosen."""

    roles: dict[str, UUID]
    lost: tuple[UUID, ...]
    done: bool  # with this step


def settled(traject: Traject, pathway: Pathway, taken: StepTaken | None, chosen: UUID | None) -> Settled:
    """What a step does to who is asked: nothing, as long as nobody is chosen and the hand-over goes on."""
    if chosen is None and (taken is None or not (taken.ends or taken.new_task)):
        return Settled(dict(traject.roles), (), done=False)
    lost = tuple(each for each in asked_in(traject.roles) if each != chosen)
    roles = {key: party for key, party in traject.roles.items() if ASKED not in key}
    if chosen is not None:
        roles[pathway.steps[traject.step].performer] = chosen
    if not _is_open(traject):  # who was asked by name keeps its own Task
        roles |= passed_over(traject, lost)
    return Settled(roles, lost, done=True)


def passed_over(traject: Traject, lost: tuple[UUID, ...]) -> dict[str, UUID]:
    """The keys of `roles` under which these organisations were asked."""
    return {
        key.replace(ASKED, NOT_CHOSEN): party
        for key, party in traject.roles.items()
        if ASKED in key and party in lost
    }


def closed(traject: Traject, lost: tuple[UUID, ...], chosen: UUID | None, at: datetime) -> list[NewVersion]:
    """The last versions of the Tasks of who is not chosen, and of the one without an owner when one is selected."""
    why = NO_MORE_ASKED if chosen is None else ANOTHER_CHOSEN
    versions = [
        not_chosen(version, why, at)
        for name, version in traject.asides.items()
        if name.startswith(_CANDIDATE) and UUID(name.removeprefix(_CANDIDATE)) in lost
    ]
    handover = traject.asides.get(_HANDOVER)
    if chosen is not None and handover is not None and handover.id != traject.task.id:
        following = {
            "type": output_type("volgende taak"),
            "valueReference": {"reference": f"Task/{traject.task.id}"},
        }
        versions.append(_next(handover, at, status="completed", output=[following]))
    return versions


def selected(task: NewVersion, traject: Traject, chosen: UUID) -> NewVersion:
    """The Task of who was chosen, which is that of the hand-over from now on."""
    body = owned_task(task.body, f"Organization/{chosen}") if _is_open(traject) else selected_task(task.body)
    return msgspec.structs.replace(task, body=body, rows=rows_of(json.read(body)))


def losing(traject: Traject, lost: tuple[UUID, ...]) -> tuple[Losing, ...]:
    """What is taken from who is not chosen: the question, and the Task that was open to all."""
    claimable = (traject.open_task,) if _is_open(traject) else ()
    return tuple(Losing(each, QUESTION, claimable) for each in lost)


def may_claim_from_now(pool: tuple[UUID, ...]) -> tuple[Joining, ...]:
    """What these get to see of a traject of which they may claim the hand-over."""
    return tuple(Joining(each, QUESTION, bsn=False, log=False) for each in pool)


def keep_sight(traject: Traject, lost: tuple[UUID, ...]) -> tuple[UUID, ...]:
    """Everybody who may know that there is this traject, after these were not chosen."""
    gone = lost if _is_open(traject) else ()
    others = [party for key, party in traject.roles.items() if ASKED not in key]
    return tuple(each for each in traject.parties if each not in gone or each in others)


def not_chosen(version: Version, why: tuple[str, str], at: datetime) -> NewVersion:
    """The Task of a candidate that is not asked any more: why, as far as it may know, and nothing of the patient."""
    return _version(version, not_chosen_task(version.body, version.id, version.version + 1, why, at))


def _is_open(traject: Traject) -> bool:
    return not any(name == _HANDOVER or name.startswith(_CANDIDATE) for name in traject.asides)


def _next(version: Version, at: datetime, **changed: Any) -> NewVersion:
    number = version.version + 1
    return _version(
        version, stored_form(version.body, version.id, number, at, lastModified=instant(at), **changed)
    )


def _version(version: Version, body: bytes) -> NewVersion:
    rows, before = rows_of(json.read(body)), rows_of(json.read(version.body))
    return NewVersion("Task", version.id, version.version + 1, body, rows, before)
