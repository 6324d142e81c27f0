"""What an organisation is asked by name, as far as a candidate may know it: of whom is untold until it is chosen."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, NamedTuple
from uuid import UUID

from ketenzorg.access.views import shown, sight_of
from ketenzorg.coordination.consent.consenting import organisation_named
from ketenzorg.coordination.showing.choices import Choice, choices_of
from ketenzorg.coordination.showing.inbox import may_choose
from ketenzorg.coordination.steps.stepping import what_may_happen
from ketenzorg.coordination.world import Visit, World
from ketenzorg.fhir import json
from ketenzorg.fhir.dates import moment_of, period_of
from ketenzorg.pathway.flatten import Step
from ketenzorg.pathway.loaded import Catalogue, Pathway
from ketenzorg.pathway.standing import Standing, asked_in, only_asked
from ketenzorg.referral.codes import step_system
from ketenzorg.referral.coordination_task import SELECTED, is_selected
from ketenzorg.store.query import DateClause, Query, ReferenceClause, TokenClause
from ketenzorg.store.reading import Found

MOST = 200  # Tasks at such a step that one list looks through
SHOWN = timedelta(days=14)  # what is over stays in the list for so long
STATUS = "http://hl7.org/fhir/task-status"
OPEN, OVER = ("requested", "received", "accepted"), ("rejected", "cancelled")
Stands = Literal["asked", "chosen", "over"]


class Ask(NamedTuple):
    """One question to one organisation, and what it said."""

    task: UUID
    version: int
    pathway: str
    step: str
    asker: str
    since: datetime
    until: datetime | None  # when the soonest norm ends
    stands: Stands
    status: str  # Task.status: what it said, or that it is asked no more
    reason: str  # why not


class Question(NamedTuple):
    """The same with what can be said now."""

    ask: Ask
    choices: tuple[tuple[str, Choice], ...]  # the Task.status that it gives, and what it is in the pathway

    def choice(self, event: str) -> Choice | None:
        """The answer by this name."""
        return next((choice for _, choice in self.choices if choice.event == event), None)


async def being_asked(visit: Visit, world: World) -> tuple[Ask, ...]:
    """What waits for this organisation's answer or for who asked it, the oldest first; then what is over lately.

    The look is on record.
    """
    places = _places(visit.caller.role, world.catalogue)
    if not places:
        return ()
    organisation = visit.caller.organisation
    access = visit.access(world, "search", "Task", shown_as="list", asked=[("lijst", "gevraagd")])
    async with world.searching.look("Task", access) as look:
        found, _ = await look.find(_open(organisation, places))
        over, _ = await look.find(_over(organisation, places, world.now()), "by change")
        listed = [each for each in (*found, *over[::-1]) if _stands(each, organisation)]
        look.show(listed)
    return tuple(_listed(each, organisation, world) for each in listed)


async def question(task: UUID, visit: Visit, world: World) -> Question | None:
    """One question, opened by who is or was asked; None where the Task asks this organisation nothing (any more).

    Raises NotFound for who sees no such Task.
    """
    traject, pathway, options = await what_may_happen(task, visit.access(world, "page", "Task"), world)
    organisation, standing = visit.caller.organisation, traject.standing
    body = json.read(shown(traject.task.body, "Task", sight_of(pathway, organisation, standing), {}))
    stands = _stands_now(organisation, standing, body)
    if stands is None:
        return None
    step = _step(body, pathway, standing)
    asked = [each for each in options if stands == "asked"]
    choices = choices_of(asked, [step.performer], traject, pathway, world)
    return Question(
        _ask(traject.task.id, traject.task.version, body, stands, pathway, standing, world),
        tuple(zip((each.task for each in asked), choices, strict=True)),
    )


def _stands(found: Found, organisation: UUID) -> Stands | None:
    """None: a Task of its own like any other, or a question that was put anew."""
    body = json.read(found.body)
    stands = _stands_now(organisation, found.standing, body)
    return None if stands == "asked" and body["status"] not in OPEN else stands


def _stands_now(organisation: UUID, standing: Standing, body: dict[str, Any]) -> Stands | None:
    if "owner" not in body:
        return None  # there to be claimed
    if organisation in asked_in(standing.roles):
        return "asked"
    if only_asked(organisation, standing.roles):
        return "over"
    return "chosen" if is_selected(body.get("businessStatus", {})) else None


def _listed(found: Found, organisation: UUID, world: World) -> Ask:
    pathway = world.catalogue.version(found.pathway, found.pathway_version)
    body = json.read(shown(found.body, "Task", sight_of(pathway, organisation, found.standing), {}))
    stands = _stands_now(organisation, found.standing, body)
    assert stands is not None  # noqa: S101  (the caller looked)
    return _ask(found.id, found.version, body, stands, pathway, found.standing, world)


def _ask(
    task: UUID,
    version: int,
    body: dict[str, Any],
    stands: Stands,
    pathway: Pathway,
    standing: Standing,
    world: World,
) -> Ask:
    step = _step(body, pathway, standing)
    until = body.get("restriction", {}).get("period", {}).get("end")
    asker = organisation_named(body.get("requester", {}), world.region)
    return Ask(
        task=task,
        version=version,
        pathway=pathway.title,
        step=step.title,
        asker=asker.name if asker else "",
        since=period_of(body["authoredOn"]).low,
        until=moment_of(until) if until else None,
        stands=stands,
        status=body["status"],
        reason=body.get("statusReason", {}).get("text", ""),
    )


def _step(body: dict[str, Any], pathway: Pathway, standing: Standing) -> Step:
    """That in which it was asked: the traject may have gone on without this organisation."""
    codes = [each.get("code") for each in body.get("businessStatus", {}).get("coding", ())]
    return pathway.steps[next((code for code in codes if code in pathway.steps), standing.step)]


@cache  # the same as long as the process lives
def _places(kind: str, catalogue: Catalogue) -> tuple[tuple[str, str], ...]:
    """(system, code) of the steps in which organisations of a kind may be asked by name."""
    return tuple(
        (step_system(pathway.canonical), step.name)
        for pathway in catalogue.versions()
        for step in pathway.steps.values()
        if may_choose(step, pathway) and kind in pathway.file.roles[step.performer].kinds
    )


def _open(organisation: UUID, places: Sequence[tuple[str, str]]) -> Query:
    chosen = (SELECTED["system"], SELECTED["code"])
    return _query(organisation, OPEN, (*places, chosen))


def _over(organisation: UUID, places: Sequence[tuple[str, str]], now: datetime) -> Query:
    since = DateClause("", (("ge", period_of((now - SHOWN).isoformat())),))
    return _query(organisation, OVER, places, since)


def _query(
    organisation: UUID, statuses: Sequence[str], at: Sequence[tuple[str, str]], *dates: DateClause
) -> Query:
    return Query(
        type="Task",
        tokens=(
            TokenClause("status", tuple((STATUS, status) for status in statuses)),
            TokenClause("business-status", tuple(at)),
        ),
        references=(ReferenceClause("owner", (("Organization", organisation),)),),
        dates=dates,
        count=MOST,
    )
