"""The pages of a practice: what it sent, where that stands, and what it may say about it."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath

from ketenzorg.access.views import shown, sight_of
from ketenzorg.coordination.worklists import Choice, Row, Story, inbox, say, story, take_back
from ketenzorg.coordination.world import World
from ketenzorg.errors import BadRequest, Invalid, Issue, KetenzorgError, NotFound, TransitionNotAllowed
from ketenzorg.fhir import json
from ketenzorg.pages.forms import answers, check_seal, kept, read_form, seen_version
from ketenzorg.pages.inbox import FARTHEST, Tab
from ketenzorg.pages.referral import SOMEBODY_WAS_FIRST
from ketenzorg.pages.refusals import unknown_choice
from ketenzorg.pages.render import Page, go_to, page
from ketenzorg.pages.site import Http, world_of
from ketenzorg.pages.visitors import Visitor, visitor_of
from ketenzorg.pages.words import slug

ROLE = "praktijk"
HOME = "/praktijk"
FEEDBACK = "terugkoppeling"
NEW_FOR = timedelta(days=7)
TABS = (
    Tab("loopt", "open", "Loopt", "Er lopen geen verwijzingen."),
    Tab("te-laat", "late", "Te laat", "Er is niets te laat. Mooi zo."),
    Tab("afgerond", "ended", "Afgerond", "Er is nog niets afgerond."),
)


class Held(NamedTuple):
    """Who has a referral, and whether they have let something know."""

    at: str
    feedback: bool
    new: bool  # the last words are feedback, and something changed this week


class Sent(msgspec.Struct, frozen=True):
    """One line of what a practice sent."""

    row: Row
    held: Held


@get("/praktijk")
async def show_sent(request: Http) -> Page:
    """What we sent and where it stands."""
    visitor, world = visitor_of(request, ROLE), world_of(request)
    tab, offset = _tab(request.query_params.get("lijst", "loopt")), _offset(request)
    found = await inbox(tab.which, offset, visitor.person.key, visitor.visit, world)
    held = await _held([row.task for row in found.rows], visitor, world)
    lines = [Sent(row, held[row.task]) for row in found.rows]
    return page(request, "practice.html", tab=tab, tabs=TABS, inbox=found, lines=lines, offset=offset)


@get("/praktijk/{task:str}")
async def show_sent_referral(request: Http, task: FromPath[str]) -> Page:
    """One referral, the answer first."""
    visitor, told = await _told(request, task)
    if str(told.task) != task:  # the traject went on with another Task
        return go_to(request, _address(told.task))
    held = await _held([told.task], visitor, world_of(request))
    return page(request, "practice_story.html", held=held[told.task], **_context(told))


@get("/praktijk/{task:str}/doen/{what:str}")
async def show_practice_question(request: Http, task: FromPath[str], what: FromPath[str]) -> Page:
    """What one event wants to know, on a screen of its own."""
    _, told = await _told(request, task)
    choice = next((each for each in told.choices if slug(each.event) == what), None)
    if choice is None:
        raise TransitionNotAllowed(
            Issue(nl="Dit kan nu niet meer. Kijk bij de verwijzing wat er veranderd is.", en="Not now.")
        )
    return _ask(request, told, choice)


@post("/praktijk/{task:str}/stap", status_code=200)
async def take_practice_step(request: Http, task: FromPath[str]) -> Page:
    """The practice withdraws, answers, reopens."""
    visitor, id_, form = await _sealed_form(request, task)
    event, seen = form.get("wat", ""), seen_version(form)
    try:
        await say(id_, event, answers(form), seen, visitor.person.key, visitor.visit, world_of(request))
    except SOMEBODY_WAS_FIRST as error:
        return await _too_late(request, id_, seen, event, error)
    except Invalid as error:
        _, told = await _told(request, task)
        choice = told.choice(event)
        if choice is None:
            raise
        return _ask(request, told, choice, error)
    return go_to(request, _address(id_))


@post("/praktijk/{task:str}/herstel", status_code=200)
async def undo_practice_step(request: Http, task: FromPath[str]) -> Page:
    """The last click of the practice was a mistake."""
    visitor, id_, form = await _sealed_form(request, task)
    seen = seen_version(form)
    try:
        await take_back(id_, seen, visitor.visit, world_of(request))
    except SOMEBODY_WAS_FIRST as error:
        return await _too_late(request, id_, seen, "", error)
    return go_to(request, _address(id_))


async def _held(tasks: list[UUID], visitor: Visitor, world: World) -> dict[UUID, Held]:
    organisation = visitor.visit.caller.organisation
    held = dict.fromkeys(tasks, Held("", feedback=False, new=False))
    for each in await world.searching.by_id([("Task", task) for task in tasks], organisation):
        pathway = world.catalogue.version(each.pathway, each.pathway_version)
        body = json.read(shown(each.body, "Task", sight_of(pathway, organisation, each.roles), {}))
        held[each.id] = _as_held(body, each.updated, world)
    return held


def _as_held(task: dict[str, Any], updated: datetime, world: World) -> Held:
    owner = task.get("owner", {}).get("reference", "").partition("/")[2]
    known = world.region.by_id(UUID(owner)) if owner else None
    outputs = [output.get("type", {}).get("text") for output in task.get("output", ())]
    new = outputs[-1:] == [FEEDBACK] and updated > world.now() - NEW_FOR
    return Held(known.name if known else "", FEEDBACK in outputs, new)


def _ask(request: Http, told: Story, choice: Choice, error: KetenzorgError | None = None) -> Page:
    wrong = {place: issue.nl for issue in error.issues for place in issue.expression} if error else {}
    context = _context(told) | {"choice": choice, "wrong": wrong, "typed": kept(request)}
    return page(request, "question.html", error.status if error else 200, **context)


async def _too_late(request: Http, task: UUID, seen: int, event: str, error: KetenzorgError) -> Page:
    """Somebody else was first, or the same form came twice."""
    _, told = await _told(request, str(task))
    since = told.since(seen)
    twice = len(since) == 1 and since[0].own and since[0].event == event
    context = _context(told) | {
        "since": since,
        "twice": twice,
        "choice": None if twice else told.choice(event),
        "reasons": [issue.nl for issue in error.issues],
        "typed": kept(request),
    }
    return page(request, "changed.html", 409, **context)


async def _sealed_form(request: Http, task: str) -> tuple[Visitor, UUID, dict[str, str]]:
    form = await read_form(request)
    visitor = visitor_of(request, ROLE)
    check_seal(request, visitor.session, _subject(task, seen_version(form)), form)
    return visitor, _id(task), form


async def _told(request: Http, task: str) -> tuple[Visitor, Story]:
    visitor = visitor_of(request, ROLE)
    return visitor, await story(_id(task), visitor.visit, world_of(request))


def _context(told: Story) -> dict[str, Any]:
    wrote = [(moment, text) for moment in told.moments for name, text in moment.wrote if name == FEEDBACK]
    return {
        "story": told,
        "feedback": wrote[::-1],
        "address": _address(told.task),
        "subject": _subject(str(told.task), told.version),
        "letter": "",  # letters are the coach's
        "wrong": {},
        "typed": {},
    }


def _tab(word: str) -> Tab:
    found = next((tab for tab in TABS if tab.word == word), None)
    if found is None:
        raise BadRequest(unknown_choice("lijst", [tab.word for tab in TABS]))
    return found


def _offset(request: Http) -> int:
    given = request.query_params.get("vanaf", "0")
    if not (given.isascii() and given.isdigit() and len(given) < len(str(FARTHEST))):
        raise BadRequest(unknown_choice("plek in de lijst", ["een getal vanaf 0"]))
    return int(given)


def _subject(task: str, version: int) -> str:
    return f"{ROLE}:{task}:{version}"


def _address(task: UUID) -> str:
    return f"{HOME}/{task}"


def _id(task: str) -> UUID:
    try:
        return UUID(task)
    except ValueError:
        raise NotFound(Issue(nl="Deze verwijzing is er niet.", en="No such referral.")) from None
