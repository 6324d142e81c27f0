"""The inbox of a team of coaches."""

from typing import NamedTuple

from litestar import get

from ketenzorg.coordination.worklists import inbox
from ketenzorg.errors import BadRequest
from ketenzorg.pages.refusals import unknown_choice
from ketenzorg.pages.render import Page, page
from ketenzorg.pages.site import Http, site_of, world_of
from ketenzorg.pages.visitors import visitor_of
from ketenzorg.store.worklist import Which

ROLE = "coach"
FARTHEST = 1_000_000  # lines


class Tab(NamedTuple):
    """One list, as the address and the page call it, and what it says when there is nothing in it."""

    word: str
    which: Which
    title: str
    empty: str


TABS = (
    Tab("nieuw", "new", "Nieuw", "Er zijn geen nieuwe verwijzingen."),
    Tab("mijn", "mine", "Van mij", "U hebt nu geen verwijzingen op uw naam."),
    Tab("te-laat", "late", "Te laat", "Er is niets te laat. Mooi zo."),
    Tab("wacht", "waiting", "Wacht op een ander", "U wacht nergens op een ander."),
    Tab("open", "open", "Alles open", "Er staan geen verwijzingen open."),
    Tab("klaar", "ended", "Afgerond", "Er is nog niets afgerond."),
)


@get("/werk")
async def show_inbox(request: Http) -> Page:
    """One list of the team."""
    visitor = visitor_of(request, ROLE)
    tab, offset = _tab(request.query_params.get("lijst", "nieuw")), _offset(request)
    found = await inbox(tab.which, offset, visitor.person.key, visitor.visit, world_of(request))
    people = {each.key: each.name for each in site_of(request).people.colleagues(visitor.person)}
    return page(request, "inbox.html", tab=tab, tabs=TABS, inbox=found, people=people, offset=offset)


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
