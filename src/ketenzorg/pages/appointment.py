"""The coach's page of one appointment: make it, change it, call it off, and say what became of it."""

from typing import Any

from litestar import get, post
from litestar.params import FromPath

from ketenzorg.coordination.showing.agreed import Agreed
from ketenzorg.coordination.showing.story import Story
from ketenzorg.coordination.steps.agreeing import agree, became, move
from ketenzorg.errors import Invalid, Issue, KetenzorgError, NotFound, TransitionNotAllowed
from ketenzorg.pages import desk
from ketenzorg.pages.desk import SOMEBODY_WAS_FIRST, context, sealed_form, told_of, too_late
from ketenzorg.pages.forms import seen_appointment
from ketenzorg.pages.meeting_form import LENGTHS, USUAL, meeting_of, typed_before
from ketenzorg.pages.referral import COACH
from ketenzorg.pages.render import Page, go_to, page
from ketenzorg.pages.site import Http, world_of
from ketenzorg.pages.visitors import Visitor

BECAME = {"afzeggen": "cancelled", "geweest": "fulfilled", "niet gekomen": "noshow"}


@get("/werk/{task:str}/afspraak")
async def show_new(request: Http, task: FromPath[str]) -> Page:
    """An empty form."""
    visitor, told = await told_of(request, task, COACH)
    return _form(request, visitor, told, None)


@get("/werk/{task:str}/afspraak/{appointment:str}")
async def show_appointment(request: Http, task: FromPath[str], appointment: FromPath[str]) -> Page:
    """One that is planned, and what can be done with it."""
    visitor, told = await told_of(request, task, COACH)
    return _form(request, visitor, told, _one(told, appointment))


@post("/werk/{task:str}/afspraak", status_code=200)
async def make_appointment(request: Http, task: FromPath[str]) -> Page:
    """Agree on a day."""
    sent = await sealed_form(request, task, COACH)
    world, visit = world_of(request), sent.visitor.visit
    try:
        meeting = meeting_of(sent.fields, world.now())
        await agree(sent.task, meeting, sent.visitor.person.key, visit, world)
    except SOMEBODY_WAS_FIRST as error:
        return await too_late(request, sent, COACH, error)
    except Invalid as error:
        visitor, told = await told_of(request, task, COACH)
        return _form(request, visitor, told, None, sent.fields, error)
    return go_to(request, desk.address(sent.task, COACH))


@post("/werk/{task:str}/afspraak/{appointment:str}", status_code=200)
async def change_appointment(request: Http, task: FromPath[str], appointment: FromPath[str]) -> Page:
    """Another day, or what became of it."""
    sent = await sealed_form(request, task, COACH)
    id_, what, seen = desk.id_of(appointment), sent.fields.get("wat", ""), seen_appointment(sent.fields)
    world, visit = world_of(request), sent.visitor.visit
    try:
        if what in BECAME:
            await became(id_, BECAME[what], seen, visit, world)
        else:
            await move(id_, meeting_of(sent.fields, world.now()), seen, visit, world)
    except SOMEBODY_WAS_FIRST as error:
        return await too_late(request, sent, COACH, error)
    except Invalid as error:
        visitor, told = await told_of(request, task, COACH)
        return _form(request, visitor, told, _one(told, appointment), sent.fields, error)
    return go_to(request, desk.address(sent.task, COACH))


def _one(told: Story, appointment: str) -> Agreed:
    id_ = desk.id_of(appointment)
    found = next((each for each in told.appointments if each.id == id_ and each.planned), None)
    if found is None:
        raise NotFound(Issue(nl="Deze afspraak is er niet meer.", en="No such appointment."))
    return found


def _form(
    request: Http,
    visitor: Visitor,
    told: Story,
    agreed: Agreed | None,
    sent: dict[str, str] | None = None,
    error: KetenzorgError | None = None,
) -> Page:
    if not told.books:
        raise TransitionNotAllowed(
            Issue(
                nl="Bij deze verwijzing kunt u nu geen afspraak maken.", en="No appointment can be made now."
            )
        )
    before = typed_before(agreed) if agreed else {"duur": USUAL}
    now = world_of(request).now()
    more: dict[str, Any] = {
        "agreed": agreed,
        "begun": agreed is not None and agreed.start is not None and agreed.start <= now,
        "sent": before | (sent or {}),
        "lengths": LENGTHS,
        "wrong": _wrong(error) if error else {},
    }
    return page(
        request,
        "appointment.html",
        error.status if error else 200,
        **context(request, visitor, told, COACH) | more,
    )


def _wrong(error: KetenzorgError) -> dict[str, str]:
    """The field -> what is wrong with it; what is of no field stands above the form."""
    fields = ("dag", "tijd", "duur", "plaats")
    return {
        next((place for place in issue.expression if place in fields), "alles"): issue.nl
        for issue in error.issues
    }
