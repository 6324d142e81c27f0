"""The page on which an organisation sees whether its messages arrive, and sends again what was parked."""

import re
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from litestar import get, post

from ketenzorg.coordination.hearing.messages import post_of
from ketenzorg.coordination.hearing.replaying import send_parked
from ketenzorg.errors import BadRequest, Issue
from ketenzorg.pages import inbox, message_words, practice
from ketenzorg.pages.forms import check_seal, read_form
from ketenzorg.pages.refusals import unknown_choice
from ketenzorg.pages.render import Page, go_to, page
from ketenzorg.pages.site import Http, world_of
from ketenzorg.pages.visitors import Visitor, visitor_of
from ketenzorg.pages.words import EPOCH
from ketenzorg.store.messages import Spot, Which
from ketenzorg.store.replaying import LAST, Numbers

HOME = "/berichten"
HOMES = {inbox.ROLE: inbox.HOME, practice.ROLE: practice.HOME}
NUMBER = re.compile(r"[1-9][0-9]{0,17}\Z")
COUNT = re.compile(r"[0-9]{1,4}\Z")
# As message_words.spot writes it: microseconds since 1970, and the number of a message.
SPOT = re.compile(r"([0-9]{1,17})_([0-9]{1,18})\Z")


class Tab(NamedTuple):
    """One list, as the address and the page call it."""

    word: str
    which: Which
    title: str


TABS = (
    Tab("geparkeerd", "parked", "Geparkeerd"),
    Tab("wacht", "waiting", "Wacht"),
    Tab("aangekomen", "delivered", "Aangekomen"),
)


@get("/berichten")
async def show_messages(request: Http) -> Page:
    """Where messages go, and one page of one list of them."""
    return await _show(request, visitor_of(request, *HOMES))


@post("/berichten/opnieuw", status_code=200)
async def send_again(request: Http) -> Page:
    """One parked message goes once more, or all from its number on."""
    form = await read_form(request)
    visitor = visitor_of(request, *HOMES)
    check_seal(request, visitor.session, subject(form.get("abonnement", "")), form)
    subscription = _subscription(form.get("abonnement", ""))
    text = form.get("nummer", "").strip()
    if not NUMBER.match(text):
        wrong = "Vul het nummer van een bericht in: alleen cijfers."
        return await _show(request, visitor, subscription, wrong=wrong, typed=text)
    numbers = Numbers(int(text), LAST if form.get("wat") == "alle" else int(text))
    count = await send_parked(subscription, numbers, visitor.visit, world_of(request))
    return go_to(request, f"{HOME}?abonnement={subscription}&verstuurd={count}")


def subject(subscription: str) -> str:
    """What the seal of a form is about."""
    return f"berichten:{subscription}"


async def _show(request: Http, visitor: Visitor, subscription: UUID | None = None, **wrong: str) -> Page:
    asked, world = request.query_params, world_of(request)
    if subscription is None and "abonnement" in asked:
        subscription = _subscription(asked["abonnement"])
    sent = asked.get("verstuurd", "")
    found = await post_of(subscription, _which(request), _spot(asked.get("na")), visitor.visit, world)
    more: dict[str, Any] = {"wrong": "", "typed": "", **wrong}
    return page(
        request,
        "messages.html",
        422 if more["wrong"] else 200,
        post=found,
        tab=next(tab for tab in TABS if tab.which == found.which),
        tabs=TABS,
        home=HOME,
        stories=HOMES[visitor.person.role],
        said=message_words,
        real=world.real_now(),
        sent=int(sent) if COUNT.match(sent) else None,
        subject=subject,
        asked=asked,
        title_of=lambda name, version: world.catalogue.version(name, version).title,
        **more,
    )


def _which(request: Http) -> Which | None:
    word = request.query_params.get("lijst")
    if word is None:
        return None
    found = next((tab.which for tab in TABS if tab.word == word), None)
    if found is None:
        raise BadRequest(unknown_choice("lijst", [tab.word for tab in TABS]))
    return found


def _subscription(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadRequest(Issue(nl="Dit abonnement kennen we niet.", en="Unknown subscription.")) from None


def _spot(given: str | None) -> Spot | None:
    if given is None:
        return None
    match = SPOT.match(given)
    if match is None:
        raise BadRequest(
            Issue(
                nl="Deze plek in de lijst kennen we niet. Begin bij het begin van de lijst.",
                en="Unknown place in the list; begin at its first page.",
            )
        )
    return Spot(EPOCH + timedelta(microseconds=int(match[1])), int(match[2]))
