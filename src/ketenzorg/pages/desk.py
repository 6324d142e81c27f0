"""One referral as a page, for whoever has a part in it: look, say what happened, undo, and be told who was first."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from ketenzorg.coordination.choosing.candidates import SELECT
from ketenzorg.coordination.choosing.sending_on import OPEN
from ketenzorg.coordination.showing.choices import Choice
from ketenzorg.coordination.showing.own_part import put_right, say
from ketenzorg.coordination.showing.story import PassedOn, Story, Withdrawn, look_at, story
from ketenzorg.coordination.steps.handing_over import ORGANISATION
from ketenzorg.coordination.steps.stepping import take_event
from ketenzorg.errors import (
    Conflict,
    Invalid,
    Issue,
    KetenzorgError,
    NotFound,
    PreconditionFailed,
    TransitionNotAllowed,
)
from ketenzorg.pages.forms import answers, check_seal, kept, read_form, seen_edition, seen_version
from ketenzorg.pages.render import Page, go_to, page
from ketenzorg.pages.site import Http, world_of
from ketenzorg.pages.visitors import Visitor, visitor_of
from ketenzorg.pages.words import slug
from ketenzorg.store.audit import Interaction

TO_WHOM = {f"Parameters.parameter.where(name='{name}')": ORGANISATION for name in (OPEN, ORGANISATION)}
SOMEBODY_WAS_FIRST = (Conflict, PreconditionFailed, TransitionNotAllowed)


class Desk(NamedTuple):
    """Whose pages these are."""

    role: str
    home: str  # the address of the list; that of a referral begins with it
    template: str
    beside: Callable[[Http, Visitor, Story], dict[str, Any]]  # what only these pages show


class Seen(NamedTuple):
    """What a form was made for."""

    version: int
    edition: int


class Sent(NamedTuple):
    """A form of ours, from this person, about this Task."""

    visitor: Visitor
    task: UUID
    fields: dict[str, str]


async def show(request: Http, task: str, desk: Desk) -> Page:
    """One referral as a story in time."""
    visitor = visitor_of(request, desk.role)
    try:
        told = await look_at(id_of(task), visitor.visit, world_of(request))
    except Withdrawn as error:
        return page(
            request, "withdrawn.html", line=error.line, home=desk.home, pathway=_title(request, error)
        )
    except PassedOn as error:
        return _passed_on(request, visitor, task, error, desk)
    if str(told.task) != task:  # the traject went on with another Task
        return go_to(request, address(told.task, desk))
    return page(request, desk.template, **context(request, visitor, told, desk))


def _passed_on(request: Http, visitor: Visitor, task: str, gone: PassedOn, desk: Desk) -> Page:
    """All that a practice sees of a referral of a patient who went to another one."""
    seen = Seen(version=0, edition=gone.line.edition)
    subject = _subject(task, seen.version, seen.edition, desk)
    pathway = world_of(request).catalogue.version(gone.line.pathway, gone.line.version).title
    shown: dict[str, Any] = {"home": desk.home, "address": address(id_of(task), desk), "pathway": pathway}
    return page(request, "passed_on.html", gone=gone, seen=seen, subject=subject, **shown)


async def show_question(request: Http, task: str, what: str, desk: Desk) -> Page:
    """What one event wants to know, on a screen of its own."""
    visitor, told = await told_of(request, task, desk)
    choice = next((each for each in told.choices if slug(each.event) == what), None)
    if choice is None:
        raise TransitionNotAllowed(
            Issue(
                nl="Dit kan nu niet meer. Kijk bij de verwijzing wat er veranderd is.", en="Not possible now."
            )
        )
    return _ask(request, visitor, told, choice, desk)


async def take_step(request: Http, task: str, desk: Desk) -> Page:
    """Somebody says what happened."""
    sent = await sealed_form(request, task, desk)
    visitor, event, seen = sent.visitor, sent.fields.get("wat", ""), seen_version(sent.fields)
    try:
        await say(
            sent.task, event, answers(sent.fields), seen, visitor.person.key, visitor.visit, world_of(request)
        )
    except SOMEBODY_WAS_FIRST as error:
        return await too_late(request, sent, desk, error)
    except NotFound:  # sight of it was lost meanwhile: its own page says so
        return go_to(request, address(sent.task, desk))
    except Invalid as error:
        _, told = await told_of(request, task, desk)
        choice = told.choice(event)
        if choice is None:
            raise
        return _ask(request, visitor, told, choice, desk, error)
    return go_to(request, address(sent.task, desk))


async def select(request: Http, task: str, desk: Desk) -> Page:
    """One of those that were asked is chosen; its Task is that of the hand-over from then on."""
    sent = await sealed_form(request, task, desk)
    chosen = id_of(sent.fields.get("kandidaat", ""))
    try:
        await take_event(chosen, SELECT, {}, None, sent.visitor.visit, world_of(request), if_match=None)
    except SOMEBODY_WAS_FIRST as error:
        return await too_late(request, sent, desk, error)
    return go_to(request, address(chosen, desk))


async def undo_step(request: Http, task: str, desk: Desk) -> Page:
    """The last click was a mistake."""
    sent = await sealed_form(request, task, desk)
    try:
        await put_right(sent.task, seen_version(sent.fields), sent.visitor.visit, world_of(request))
    except SOMEBODY_WAS_FIRST as error:
        return await too_late(request, sent, desk, error)
    return go_to(request, address(sent.task, desk))


async def too_late(request: Http, sent: Sent, desk: Desk, error: KetenzorgError) -> Page:
    """Somebody else was first, or the same form came twice: tell what happened, and keep what was typed."""
    try:
        visitor, told = await told_of(request, str(sent.task), desk)
    except PassedOn as gone:  # its own page says where it is
        raise error from gone
    event, since = sent.fields.get("wat", ""), told.since(seen_version(sent.fields))
    twice = bool(event) and len(since) == 1 and since[0].own and since[0].event == event
    more = {
        "since": since,
        "twice": twice,
        "choice": None if twice else told.choice(event),
        "reasons": [issue.nl for issue in error.issues],
        "sent": sent.fields,
        "typed": kept(request),
    }
    return page(request, "changed.html", 409, **context(request, visitor, told, desk) | more)


async def sealed_form(request: Http, task: str, desk: Desk) -> Sent:
    """A form that we made for this person, on the version that it showed. Raises Forbidden for any other."""
    form = await read_form(request)
    visitor = visitor_of(request, desk.role)
    check_seal(request, visitor.session, _subject(task, seen_version(form), seen_edition(form), desk), form)
    return Sent(visitor, id_of(task), form)


async def told_of(
    request: Http, task: str, desk: Desk, shown_as: Interaction = "page"
) -> tuple[Visitor, Story]:
    """Who asks, and the referral as it is now; how it is looked at goes on record."""
    visitor = visitor_of(request, desk.role)
    return visitor, await story(id_of(task), visitor.visit, world_of(request), shown_as)


def context(request: Http, visitor: Visitor, told: Story, desk: Desk) -> dict[str, Any]:
    """What the templates of one referral show."""
    return {
        "story": told,
        "address": address(told.task, desk),
        "subject": _subject(str(told.task), told.version, told.edition, desk),
        "wrong": {},
        "typed": {},
        "books": False,
        **desk.beside(request, visitor, told),
    }


def address(task: UUID, desk: Desk) -> str:
    """Where the page of a referral is."""
    return f"{desk.home}/{task}"


def id_of(task: str) -> UUID:
    """The id in an address."""
    try:
        return UUID(task)
    except ValueError:
        raise NotFound(Issue(nl="Deze verwijzing is er niet.", en="No such referral.")) from None


def _ask(
    request: Http,
    visitor: Visitor,
    told: Story,
    choice: Choice,
    desk: Desk,
    error: KetenzorgError | None = None,
) -> Page:
    """The question of an event, with what was typed and what is wrong with it."""
    issues = error.issues if error else ()
    wrong = {TO_WHOM.get(place, place): issue.nl for issue in issues for place in issue.expression}
    asked = {ORGANISATION, *TO_WHOM, *(each.name for each in choice.questions)}
    mistakes = [issue.nl for issue in issues if asked.isdisjoint(issue.expression)]
    more = {"choice": choice, "wrong": wrong, "mistakes": mistakes, "typed": kept(request)}
    shown = context(request, visitor, told, desk) | more
    return page(request, "question.html", error.status if error else 200, **shown)


def _title(request: Http, error: Withdrawn) -> str:
    return world_of(request).catalogue.version(error.line.pathway, error.line.version).title


def _subject(task: str, version: int, edition: int, desk: Desk) -> str:
    return f"{desk.role}:{task}:{version}:{edition}"
