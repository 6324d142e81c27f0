"""The coach's page of one referral: the story in time, what can be said about it, and each click."""

from typing import Any

from litestar import get, post
from litestar.params import FromPath

from ketenzorg.coordination.showing.own_part import hand_over, number_file
from ketenzorg.coordination.showing.story import Story
from ketenzorg.errors import Conflict, Invalid, Issue, NotFound
from ketenzorg.pages import desk
from ketenzorg.pages.desk import Desk, context, sealed_form, told_of, too_late
from ketenzorg.pages.forms import seen_edition
from ketenzorg.pages.inbox import HOME, ROLE
from ketenzorg.pages.render import Page, go_to, page
from ketenzorg.pages.site import Http, site_of, world_of
from ketenzorg.pages.visitors import Visitor

LETTER = "brief verstuurd"  # the event that a letter goes with


@get("/werk/{task:str}")
async def show_story(request: Http, task: FromPath[str]) -> Page:
    """One referral as a story in time."""
    return await desk.show(request, task, COACH)


@get("/werk/{task:str}/doen/{what:str}")
async def show_question(request: Http, task: FromPath[str], what: FromPath[str]) -> Page:
    """What one event wants to know, on a screen of its own."""
    return await desk.show_question(request, task, what, COACH)


@get("/werk/{task:str}/brief")
async def show_letter(request: Http, task: FromPath[str]) -> Page:
    """The letter to somebody who could not be reached, to print."""
    visitor, told = await told_of(request, task, COACH, "print")
    if told.choice(LETTER) is None:
        raise NotFound(Issue(nl="Er hoort hier nu geen brief bij.", en="No letter is due here."))
    return page(request, "letter.html", **context(request, visitor, told, COACH))


@post("/werk/{task:str}/stap", status_code=200)
async def take_step(request: Http, task: FromPath[str]) -> Page:
    """Somebody says what happened."""
    return await desk.take_step(request, task, COACH)


@post("/werk/{task:str}/herstel", status_code=200)
async def undo_step(request: Http, task: FromPath[str]) -> Page:
    """The last click was a mistake."""
    return await desk.undo_step(request, task, COACH)


@post("/werk/{task:str}/collega", status_code=200)
async def give_to(request: Http, task: FromPath[str]) -> Page:
    """Hand over to a colleague, or to nobody in particular."""
    sent = await sealed_form(request, task, COACH)
    colleague, edition = sent.fields.get("collega", ""), seen_edition(sent.fields)
    if colleague and colleague not in _colleagues(request, sent.visitor):
        raise NotFound(Issue(nl="Deze collega is er niet.", en="No such colleague."))
    try:
        await hand_over(sent.task, colleague, edition, sent.visitor.visit, world_of(request))
    except Conflict as error:
        return await too_late(request, sent, COACH, error)
    return go_to(request, desk.address(sent.task, COACH))


@post("/werk/{task:str}/dossiernummer", status_code=200)
async def set_number(request: Http, task: FromPath[str]) -> Page:
    """Note the own file number."""
    sent = await sealed_form(request, task, COACH)
    number, edition = sent.fields.get("dossiernummer", ""), seen_edition(sent.fields)
    try:
        await number_file(sent.task, number, edition, sent.visitor.visit, world_of(request))
    except Conflict as error:
        return await too_late(request, sent, COACH, error)
    except Invalid as error:
        visitor, told = await told_of(request, task, COACH)
        wrong = {"wrong_number": error.issues[0].nl, "number": number}
        return page(request, "story.html", error.status, **context(request, visitor, told, COACH) | wrong)
    return go_to(request, desk.address(sent.task, COACH))


def _beside(request: Http, visitor: Visitor, told: Story) -> dict[str, Any]:
    return {
        "people": _colleagues(request, visitor),
        "letter": LETTER,
        "books": told.books,
        "wrong_number": "",
        "number": told.file_number or "",
    }


def _colleagues(request: Http, visitor: Visitor) -> dict[str, str]:
    return {each.key: each.name for each in site_of(request).people.colleagues(visitor.person)}


COACH = Desk(ROLE, HOME, "story.html", _beside)
