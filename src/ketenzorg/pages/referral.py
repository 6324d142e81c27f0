"""One referral: the story in time, what can be said about it, and each click."""

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath

from ketenzorg.coordination.worklists import Choice, Story, hand_over, number_file, say, story, take_back
from ketenzorg.errors import (
    Conflict,
    Invalid,
    Issue,
    KetenzorgError,
    NotFound,
    PreconditionFailed,
    TransitionNotAllowed,
)
from ketenzorg.pages.forms import answers, check_seal, kept, read_form, seen_version
from ketenzorg.pages.inbox import ROLE
from ketenzorg.pages.render import Page, go_to, page
from ketenzorg.pages.site import Http, site_of, world_of
from ketenzorg.pages.visitors import Visitor, visitor_of
from ketenzorg.pages.words import slug

LETTER = "brief verstuurd"  # the event that a letter goes with
SOMEBODY_WAS_FIRST = (Conflict, PreconditionFailed, TransitionNotAllowed)


@get("/werk/{task:str}")
async def show_story(request: Http, task: FromPath[str]) -> Page:
    """One referral as a story in time."""
    visitor, told = await _told(request, task)
    if str(told.task) != task:  # the traject went on with another Task
        return go_to(request, _address(told.task))
    return page(request, "story.html", **_context(request, visitor, told))


@get("/werk/{task:str}/doen/{what:str}")
async def show_question(request: Http, task: FromPath[str], what: FromPath[str]) -> Page:
    """What one event wants to know, on a screen of its own."""
    visitor, told = await _told(request, task)
    choice = next((each for each in told.choices if slug(each.event) == what), None)
    if choice is None:
        raise TransitionNotAllowed(
            Issue(
                nl="Dit kan nu niet meer. Kijk bij de verwijzing wat er veranderd is.", en="Not possible now."
            )
        )
    return _ask(request, visitor, told, choice)


@get("/werk/{task:str}/brief")
async def show_letter(request: Http, task: FromPath[str]) -> Page:
    """The letter to somebody who could not be reached, to print."""
    visitor, told = await _told(request, task)
    if told.choice(LETTER) is None:
        raise NotFound(Issue(nl="Er hoort hier nu geen brief bij.", en="No letter is due here."))
    return page(request, "letter.html", **_context(request, visitor, told))


@post("/werk/{task:str}/stap", status_code=200)
async def take_step(request: Http, task: FromPath[str]) -> Page:
    """Somebody says what happened."""
    visitor, id_, form = await _sealed_form(request, task)
    event, seen = form.get("wat", ""), seen_version(form)
    try:
        await say(id_, event, answers(form), seen, visitor.person.key, visitor.visit, world_of(request))
    except SOMEBODY_WAS_FIRST as error:
        return await _too_late(request, visitor, id_, seen, event, error)
    except Invalid as error:
        _, told = await _told(request, task)
        choice = told.choice(event)
        if choice is None:
            raise
        return _ask(request, visitor, told, choice, error)
    return go_to(request, _address(id_))


@post("/werk/{task:str}/herstel", status_code=200)
async def undo_step(request: Http, task: FromPath[str]) -> Page:
    """The last click was a mistake."""
    visitor, id_, form = await _sealed_form(request, task)
    seen = seen_version(form)
    try:
        await take_back(id_, seen, visitor.visit, world_of(request))
    except SOMEBODY_WAS_FIRST as error:
        return await _too_late(request, visitor, id_, seen, "", error)
    return go_to(request, _address(id_))


@post("/werk/{task:str}/collega", status_code=200)
async def give_to(request: Http, task: FromPath[str]) -> Page:
    """Hand over to a colleague, or to nobody in particular."""
    visitor, id_, form = await _sealed_form(request, task)
    colleague, was = form.get("collega", ""), form.get("was", "")
    if colleague and colleague not in _colleagues(request, visitor):
        raise NotFound(Issue(nl="Deze collega is er niet.", en="No such colleague."))
    try:
        await hand_over(id_, colleague, was, visitor.visit, world_of(request))
    except Conflict as error:
        return await _too_late(request, visitor, id_, seen_version(form), "", error)
    return go_to(request, _address(id_))


@post("/werk/{task:str}/dossiernummer", status_code=200)
async def set_number(request: Http, task: FromPath[str]) -> Page:
    """Note the own file number."""
    visitor, id_, form = await _sealed_form(request, task)
    number, was = form.get("dossiernummer", ""), form.get("was", "")
    try:
        await number_file(id_, number, was, visitor.visit, world_of(request))
    except Conflict as error:
        return await _too_late(request, visitor, id_, seen_version(form), "", error)
    except Invalid as error:
        _, told = await _told(request, task)
        context = _context(request, visitor, told) | {"wrong_number": error.issues[0].nl, "number": number}
        return page(request, "story.html", error.status, **context)
    return go_to(request, _address(id_))


def _ask(
    request: Http, visitor: Visitor, told: Story, choice: Choice, error: KetenzorgError | None = None
) -> Page:
    """The question of an event, with what was typed and what is wrong with it."""
    wrong = {place: issue.nl for issue in error.issues for place in issue.expression} if error else {}
    context = _context(request, visitor, told) | {"choice": choice, "wrong": wrong, "typed": kept(request)}
    return page(request, "question.html", error.status if error else 200, **context)


async def _too_late(
    request: Http, visitor: Visitor, task: UUID, seen: int, event: str, error: KetenzorgError
) -> Page:
    """Somebody else was first, or the same form came twice: tell what happened, and keep what was typed."""
    _, told = await _told(request, str(task))
    since = told.since(seen)
    twice = len(since) == 1 and since[0].own and since[0].event == event
    context = _context(request, visitor, told) | {
        "since": since,
        "twice": twice,
        "choice": None if twice else told.choice(event),
        "reasons": [issue.nl for issue in error.issues],
        "typed": kept(request),
        "wrong": {},
    }
    return page(request, "changed.html", 409, **context)


async def _sealed_form(request: Http, task: str) -> tuple[Visitor, UUID, dict[str, str]]:
    """Who sends what, about which Task: a form of ours, for this person, on the version that it showed."""
    form = await read_form(request)
    visitor = visitor_of(request, ROLE)
    check_seal(request, visitor.session, _subject(task, seen_version(form)), form)
    return visitor, _id(task), form


async def _told(request: Http, task: str) -> tuple[Visitor, Story]:
    visitor = visitor_of(request, ROLE)
    return visitor, await story(_id(task), visitor.visit, world_of(request))


def _context(request: Http, visitor: Visitor, told: Story) -> dict[str, Any]:
    return {
        "story": told,
        "address": _address(told.task),
        "subject": _subject(str(told.task), told.version),
        "people": _colleagues(request, visitor),
        "letter": LETTER,
        "wrong_number": "",
        "number": told.file_number or "",
        "wrong": {},
        "typed": {},
    }


def _colleagues(request: Http, visitor: Visitor) -> dict[str, str]:
    return {each.key: each.name for each in site_of(request).people.colleagues(visitor.person)}


def _subject(task: str, version: int) -> str:
    return f"{task}:{version}"


def _address(task: UUID) -> str:
    return f"/werk/{task}"


def _id(task: str) -> UUID:
    try:
        return UUID(task)
    except ValueError:
        raise NotFound(Issue(nl="Deze verwijzing is er niet.", en="No such referral.")) from None
