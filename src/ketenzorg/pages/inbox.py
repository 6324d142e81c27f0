"""The inbox of a team of coaches."""

from litestar import get

from ketenzorg.pages.lists import Tab, open_list, tab_of
from ketenzorg.pages.render import Page, page
from ketenzorg.pages.site import Http, site_of
from ketenzorg.pages.visitors import visitor_of

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
    """One list of the team."""
    visitor = visitor_of(request, ROLE)
    opened = await open_list(request, visitor, TABS, tab_of(request, TABS, TABS[0].word))
    people = {each.key: each.name for each in site_of(request).people.colleagues(visitor.person)}
    return page(request, "inbox.html", opened=opened, tabs=TABS, home=HOME, people=people)
