"""The pages of a practice: what it sent, where that stands, and what it may say about it."""

from typing import Any

from litestar import get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from ketenzorg.coordination.choosing.being_asked import being_asked
from ketenzorg.coordination.reading.documents import document_of
from ketenzorg.coordination.showing.story import Story
from ketenzorg.errors import Issue, NotFound
from ketenzorg.pages import desk
from ketenzorg.pages.desk import Desk
from ketenzorg.pages.lists import Opened, Tab, open_list, tab_of
from ketenzorg.pages.render import HEADERS, Page, page
from ketenzorg.pages.site import Http, world_of
from ketenzorg.pages.visitors import Visitor, visitor_of
from ketenzorg.pathway.calendar import local_day

ROLE = "praktijk"
HOME = "/praktijk"
PROPOSAL = "voorstel"
FEEDBACK = ("terugkoppeling", PROPOSAL)
READ = "Er zijn geen nieuwe berichten. Wat iemand van uw praktijk heeft geopend, is niet nieuw meer."
WAITS = Tab("aan-u", "ours", "Wacht op u", "Er wacht niets op u.")
NEWS = Tab("nieuw", "unread", "Nieuw bericht", READ)
RUNS = Tab("loopt", "open", "Loopt", "Er lopen geen verwijzingen.")
TABS = (
    WAITS,
    NEWS,
    RUNS,
    Tab("te-laat", "late", "Te laat", "Er is niets te laat. Mooi zo."),
    Tab("afgerond", "ended", "Afgerond", "Er is nog niets afgerond."),
)


@get("/praktijk")
async def show_sent(request: Http) -> Page:
    """What we sent and where it stands."""
    visitor = visitor_of(request, ROLE)
    if "lijst" in request.query_params:
        opened = await open_list(request, visitor, TABS, tab_of(request, TABS, ""))
    else:
        opened = await _what_matters(request, visitor)
    asked = await being_asked(visitor.visit, world_of(request))
    return page(request, "practice.html", opened=opened, tabs=TABS, home=HOME, asked=asked)


@get("/praktijk/{task:str}")
async def show_sent_referral(request: Http, task: FromPath[str]) -> Page:
    """One referral, the answer first."""
    return await desk.show(request, task, PRACTICE)


@get("/praktijk/{task:str}/doen/{what:str}")
async def show_practice_question(request: Http, task: FromPath[str], what: FromPath[str]) -> Page:
    """What one event wants to know, on a screen of its own."""
    return await desk.show_question(request, task, what, PRACTICE)


@get("/praktijk/{task:str}/brief.pdf")
async def show_return_letter(request: Http, task: FromPath[str]) -> ASGIResponse:
    """The return letter, to read, print or keep."""
    visitor, told = await desk.told_of(request, task, PRACTICE)
    if told.letter is None:
        raise NotFound(Issue(nl="Er is nog geen brief.", en="There is no letter yet."))
    found = await document_of(str(told.letter), visitor.visit, world_of(request))
    return ASGIResponse(body=found.pdf(), media_type="application/pdf", headers=HEADERS)


@post("/praktijk/{task:str}/stap", status_code=200)
async def take_practice_step(request: Http, task: FromPath[str]) -> Page:
    """The practice withdraws, answers, reopens."""
    return await desk.take_step(request, task, PRACTICE)


@post("/praktijk/{task:str}/kies", status_code=200)
async def select_candidate(request: Http, task: FromPath[str]) -> Page:
    """The practice chooses one of those that it asked."""
    return await desk.select(request, task, PRACTICE)


@post("/praktijk/{task:str}/herstel", status_code=200)
async def undo_practice_step(request: Http, task: FromPath[str]) -> Page:
    """The last click of the practice was a mistake."""
    return await desk.undo_step(request, task, PRACTICE)


async def _what_matters(request: Http, visitor: Visitor) -> Opened:
    """What waits on the practice, else what is new to it, else what runs."""
    waits = await open_list(request, visitor, TABS, WAITS)
    if waits.inbox.rows:
        return waits
    return await open_list(request, visitor, TABS, NEWS if waits.inbox.counts["unread"] else RUNS)


def _beside(request: Http, visitor: Visitor, told: Story) -> dict[str, Any]:
    wrote = [(moment, text) for moment in told.moments for name, text in moment.wrote if name in FEEDBACK]
    region = world_of(request).region
    kinds = sorted({each.kind for each in region.organisations})
    return {
        "feedback": wrote[::-1],
        "proposed": told.ended is not None and any(name == PROPOSAL for name, _ in told.last.wrote),
        "letter": "",  # letters are the coach's
        "sent": {},
        "consent_wrong": (),
        "consent_number": str(world_of(request).new_id()),
        "consent_whom": [
            *((str(id_), name) for id_, name in told.parties),
            *((f"soort:{kind}", f"Elke organisatie van de soort ‘{kind}’") for kind in kinds),
            ("", "Iedereen"),
        ],
        "today": local_day(world_of(request).now()).isoformat(),
    }


PRACTICE = Desk(ROLE, HOME, "practice_story.html", _beside)
