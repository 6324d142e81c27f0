"""The inbox of a team: its lists, and what it could claim."""

from litestar import get, post
from litestar.params import FromPath

from ketenzorg.coordination.choosing.being_asked import being_asked
from ketenzorg.coordination.choosing.claimable import claimable
from ketenzorg.coordination.steps.stepping import take_event
from ketenzorg.errors import Conflict, NotFound, TransitionNotAllowed
from ketenzorg.pages.desk import id_of
from ketenzorg.pages.forms import check_seal, read_form
from ketenzorg.pages.lists import Tab, open_list, tab_of
from ketenzorg.pages.render import Page, go_to, page
from ketenzorg.pages.site import Http, site_of, world_of
from ketenzorg.pages.visitors import Visitor, visitor_of

ROLE = "coach"
HOME = "/werk"
TABS = (
    Tab("nieuw", "new", "Nieuw", "Er zijn geen nieuwe verwijzingen."),
    Tab("mijn", "mine", "Van mij", "U hebt nu geen verwijzingen op uw naam."),
    Tab("bericht", "unread", "Nieuw bericht", "Er zijn geen nieuwe berichten."),
    Tab("te-laat", "late", "Te laat", "Er is niets te laat. Mooi zo."),
    Tab("wacht", "waiting", "Wacht op een ander", "U wacht nergens op een ander."),
    Tab("open", "open", "Alles open", "Er staan geen verwijzingen open."),
    Tab("klaar", "ended", "Afgerond", "Er is nog niets afgerond."),
)


@get("/werk")
async def show_inbox(request: Http) -> Page:
    """One list of the team, under what is there to be claimed."""
    return await _listed(request, visitor_of(request, ROLE))


@post("/werk/{task:str}/oppakken", status_code=200)
async def claim(request: Http, task: FromPath[str]) -> Page:
    """The team takes what is open to all; who comes second is told so, and sees the list as it is now."""
    form = await read_form(request)
    visitor = visitor_of(request, ROLE)
    check_seal(request, visitor.session, f"oppakken:{task}", form)
    try:
        await take_event(
            id_of(task), form.get("wat", ""), {}, None, visitor.visit, world_of(request), if_match=None
        )
    except (Conflict, NotFound, TransitionNotAllowed) as error:
        return await _listed(request, visitor, error.status, error.issues[0].nl)
    return go_to(request, f"{HOME}/{task}")


async def _listed(request: Http, visitor: Visitor, status: int = 200, wrong: str = "") -> Page:
    opened = await open_list(request, visitor, TABS, tab_of(request, TABS, TABS[0].word))
    people = {each.key: each.name for each in site_of(request).people.colleagues(visitor.person)}
    open_ = await claimable(visitor.visit, world_of(request))
    asked = await being_asked(visitor.visit, world_of(request))
    return page(
        request,
        "inbox.html",
        status,
        opened=opened,
        tabs=TABS,
        home=HOME,
        people=people,
        claimable=open_,
        asked=asked,
        wrong=wrong,
    )
