"""Operations on a Task: what may happen next, and saying that it happened.

https://hl7.org/fhir/R4/operations.html; both speak Parameters.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit
from ketenzorg.api.answers import resource
from ketenzorg.api.body import read_body
from ketenzorg.api.kinds import task_only
from ketenzorg.api.requests import Http, if_match_of, placed, uuid_of, visit_of, world_of
from ketenzorg.coordination.choosing.sending_on import OPEN, may_be_open
from ketenzorg.coordination.person.practice import NAME, PASSED, UNKNOWN, WHICH, practices
from ketenzorg.coordination.person.saying import say_event
from ketenzorg.coordination.receiving.who_acts import known_of
from ketenzorg.coordination.showing.explaining import explained
from ketenzorg.coordination.steps.handing_over import ORGANISATION, who_could
from ketenzorg.coordination.steps.stepping import takes_part, what_may_happen
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Invalid, Issue
from ketenzorg.fhir import json, r4
from ketenzorg.fhir.dates import moment_of
from ketenzorg.fhir.decode import decode_as
from ketenzorg.pathway import engine
from ketenzorg.pathway.engine import Due, Option, State
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.referral.codes import step_concept
from ketenzorg.referral.intake import Named
from ketenzorg.store.trajecten import Traject

OURS = frozenset({"event", "at", OPEN, ORGANISATION})  # the other parameters are answers


@get("/fhir/{kind:str}/{id_:str}/$next")
async def next_events(request: Http, kind: FromPath[str], id_: FromPath[str]) -> ASGIResponse:
    """The events that are allowed now: by whom, to which step, with which answers."""
    task_only(kind)
    visit = visit_of(request)
    permit(visit.caller, "next", "Task")
    world = world_of(request)
    traject, pathway, options = await what_may_happen(
        uuid_of("Task", id_), visit.access(world, "next", "Task"), world
    )
    parameters = [
        {"name": "step", "valueCodeableConcept": _step(traject, pathway, visit)},
        *(_option(option, traject, pathway, world) for option in options),
        *(await _why(traject, pathway, visit, world) if options and takes_part(traject, visit) else []),
    ]
    return resource(msgspec.json.encode({"resourceType": "Parameters", "parameter": parameters}))


@post("/fhir/{kind:str}/{id_:str}/$event", status_code=200)
async def event(request: Http, kind: FromPath[str], id_: FromPath[str]) -> ASGIResponse:
    """Say that something happened: `event`, `at` if it was earlier, and the answers that it needs."""
    task_only(kind)
    visit = visit_of(request)
    permit(visit.caller, "event", "Task")
    task = uuid_of("Task", id_)
    parameters = decode_as(await read_body(request), r4.Parameters)
    name, at, given, performer, open_ = _said(parameters)
    with placed("Parameters.parameter.where(name='{}')".format):
        now = await say_event(
            task, name, given, at, visit, world_of(request), if_match_of(request), performer, open_=open_
        )
    return resource(now.body, version=now.version, updated=now.updated)


def _step(traject: Traject, pathway: Pathway, visit: Visit) -> dict[str, Any]:
    """Where the traject stands; for who took part earlier, where it stood when that hand-over ended."""
    if takes_part(traject, visit):
        return step_concept(pathway.canonical, traject.step)
    concept: dict[str, Any] = json.read(traject.task.body).get("businessStatus", {})
    return concept


async def _why(traject: Traject, pathway: Pathway, visit: Visit, world: World) -> list[dict[str, Any]]:
    """Who must act, before when, and what the rules say."""
    owner = json.read(traject.task.body).get("owner")
    dues = engine.due(pathway, State(traject.step, traject.counts, traject.happened))
    notices = await explained(traject, pathway, visit, world)
    return [
        *([{"name": "owner", "valueReference": owner}] if owner else []),
        *({"name": "due", "part": _due(due)} for due in dues),
        *({"name": "explanation", "valueString": notice.nl} for notice in notices),
    ]


def _due(due: Due) -> list[dict[str, Any]]:
    source = ", ".join(filter(None, (due.source, due.status)))
    return [
        {"name": "norm", "valueString": due.norm},
        {"name": "at", "valueInstant": due.at.isoformat()},
        {"name": "source", "valueString": source},
    ]


def _option(option: Option, traject: Traject, pathway: Pathway, world: World) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"name": "event", "valueString": option.event},
        {"name": "title", "valueString": option.title},
        {"name": "toStep", "valueString": option.to_step},
        {"name": "status", "valueCode": option.task},
        *({"name": "by", "valueString": role} for role in option.by),
        *(_need(name, "needs", pathway) for name in option.needs),
        *(_need(name, "may", pathway) for name in option.may),
        *([_practice_name()] if option.event == UNKNOWN else ()),
        *_performers(option, traject, pathway, world),
        *([{"name": OPEN, "valueBoolean": True}] if may_be_open(option, traject, pathway, world) else ()),
    ]
    return {"name": "next", "part": parts}


def _performers(option: Option, traject: Traject, pathway: Pathway, world: World) -> Iterator[dict[str, Any]]:
    """Who could perform the hand-over that begins, the one that gets it unless another is named first."""
    could = who_could(option, traject, pathway, world)
    if option.event == PASSED:
        could = [(each, "") for each in practices(traject, pathway, world)]
    for organisation, able in could:
        known, _ = known_of(organisation, traject.municipality, able, world.region)
        reference = {"reference": f"Organization/{organisation.id}", "display": known}
        yield {"name": ORGANISATION, "valueReference": reference}


def _practice_name() -> dict[str, Any]:
    parts = [{"name": "name", "valueString": NAME}, {"name": "ask", "valueString": WHICH}]
    return {"name": "may", "part": parts}


def _need(name: str, kind: str, pathway: Pathway) -> dict[str, Any]:
    need = pathway.file.needs[name]
    codes = [{"name": "code", "valueCode": code} for code in need.codes]
    parts = [{"name": "name", "valueString": name}, {"name": "ask", "valueString": need.ask}, *codes]
    return {"name": kind, "part": parts}


def _said(parameters: Any) -> tuple[str, datetime | None, dict[str, str], Named | None, bool]:
    """The event, when it happened, the answers, who performs what it begins, or that it is open to all.

    Raises Invalid with all that is wrong.
    """
    issues = list(_wrong(parameters))
    if issues:
        raise Invalid(*issues)
    values = {each.name: each for each in parameters.parameter or ()}
    at = values["at"].valueDateTime if "at" in values else None
    performer = _named(values[ORGANISATION]) if ORGANISATION in values else None
    open_ = OPEN in values and values[OPEN].valueBoolean
    given = {name: _text(value) or "" for name, value in values.items() if name not in OURS}
    return _text(values["event"]) or "", moment_of(at) if at else None, given, performer, open_


def _named(parameter: Any) -> Named:
    """The organisation in a Reference: by our address, or by a number."""
    reference = parameter.valueReference
    number = reference.identifier
    pairs = ((number.system or "", number.value or ""),) if number else ()
    id_ = (reference.reference or "").removeprefix("Organization/")
    return Named(pairs, id_, f"Parameters.parameter.where(name='{ORGANISATION}')")


def _wrong(parameters: Any) -> Iterator[Issue]:
    seen: set[str] = set()
    for place, each in enumerate(parameters.parameter or ()):
        path = f"Parameters.parameter[{place}]"
        if each.name in seen:
            yield Issue(nl="Deze naam staat er twee keer.", en="This name stands twice.", expression=(path,))
        seen.add(each.name)
        if each.name == "at" and "T" not in (each.valueDateTime or ""):
            yield Issue(
                nl="‘at’ is een valueDateTime met tijd en zone.",
                en="'at' is a valueDateTime with time and zone.",
                expression=(path,),
                code="value",
            )
        if each.name == OPEN and each.valueBoolean is None:
            yield Issue(
                nl="‘open’ is een valueBoolean.",
                en="'open' is a valueBoolean.",
                expression=(path,),
                code="value",
            )
        if each.name == ORGANISATION and each.valueReference is None:
            yield Issue(
                nl="Noem de organisatie als valueReference: Organization/<id>, of met een identifier.",
                en="Name the organisation as a valueReference: Organization/<id>, or by identifier.",
                expression=(path,),
                code="value",
            )
        if each.name not in ("at", OPEN, ORGANISATION) and _text(each) is None:
            yield Issue(
                nl="Geef de waarde als valueString of valueCode.",
                en="Give the value as valueString or valueCode.",
                expression=(path,),
                code="value",
            )
    if "event" not in seen:
        yield Issue(
            nl="Welke gebeurtenis? Zie GET Task/{id}/$next.",
            en="Which event? Send a parameter 'event' with a valueString; GET Task/{id}/$next lists them.",
            expression=("Parameters.parameter.where(name='event')",),
            code="required",
        )


def _text(parameter: Any) -> str | None:
    text: str | None = parameter.valueString or parameter.valueCode
    return text
