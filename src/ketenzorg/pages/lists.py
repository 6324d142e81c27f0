"""The lists of a worklist as tabs of a page, and where in a list a page begins."""

import re
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from ketenzorg.coordination.showing.inbox import Inbox, inbox
from ketenzorg.errors import BadRequest, Issue
from ketenzorg.pages.refusals import unknown_choice
from ketenzorg.pages.site import Http, world_of
from ketenzorg.pages.visitors import Visitor
from ketenzorg.pages.words import EPOCH
from ketenzorg.store.worklist import Spot, Which

# As words.spot writes it: microseconds since 1970, the traject and the role; no personal data in an address.
SPOT = re.compile(r"([0-9]{1,18})_([0-9a-f]{32})_([\w .-]{1,100})\Z")


class Tab(NamedTuple):
    """One list, as the address and the page call it, and what it says when there is nothing in it."""

    word: str
    which: Which
    title: str
    empty: str


class Opened(NamedTuple):
    """The page of a list that an address asks for."""

    tab: Tab
    inbox: Inbox


async def open_list(request: Http, visitor: Visitor, tabs: tuple[Tab, ...], tab: Tab) -> Opened:
    """The page that the address asks for. Raises BadRequest for a place that we cannot have named."""
    found = await inbox(
        tab.which,
        visitor.person.key,
        visitor.visit,
        world_of(request),
        [each.which for each in tabs if each.which != "ended"],  # what is over is no work to count
        after=_spot(request, "na"),
        before=_spot(request, "voor"),
    )
    return Opened(tab, found)


def tab_of(request: Http, tabs: tuple[Tab, ...], otherwise: str) -> Tab:
    """The list that an address names. Raises BadRequest naming those that there are."""
    word = request.query_params.get("lijst", otherwise)
    found = next((tab for tab in tabs if tab.word == word), None)
    if found is None:
        raise BadRequest(unknown_choice("lijst", [tab.word for tab in tabs]))
    return found


def _spot(request: Http, name: str) -> Spot | None:
    given = request.query_params.get(name)
    if given is None:
        return None
    match = SPOT.match(given)
    if match is None:
        raise _unknown_spot()
    try:
        at = EPOCH + timedelta(microseconds=int(match[1]))
    except OverflowError:
        raise _unknown_spot() from None
    return Spot(at, UUID(match[2]), match[3])


def _unknown_spot() -> BadRequest:
    return BadRequest(
        Issue(
            nl="Deze plek in de lijst kennen we niet. Begin bij het begin van de lijst.",
            en="Unknown place in the list; begin at its first page.",
        )
    )
