"""What the patient wants shared, as a practice puts it on record."""

from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from litestar import post
from litestar.params import FromPath

from ketenzorg.coordination.consent.deciding import put_form_on_record
from ketenzorg.coordination.consent.objecting import Wish
from ketenzorg.coordination.showing.story import Story
from ketenzorg.errors import Forbidden, Invalid, Issue
from ketenzorg.fhir.dates import period_of
from ketenzorg.pages import desk
from ketenzorg.pages.forms import kept
from ketenzorg.pages.practice import PRACTICE
from ketenzorg.pages.render import Page, page
from ketenzorg.pages.site import Http, world_of

HERE, PATHWAY = "verwijzing", "zorgpad"
KIND = "soort:"


@post("/praktijk/{task:str}/toestemming", status_code=200)
async def put_on_record(request: Http, task: FromPath[str]) -> Page:
    """Somebody of the practice says what the patient wants, and hears what changed by it."""
    sent = await desk.sealed_form(request, task, PRACTICE)
    visitor, told = await desk.told_of(request, task, PRACTICE)
    try:
        wish = _wish(sent.fields, told)
        form = urlencode(sorted(sent.fields.items())).encode()  # with the number of this one form
        notices = await put_form_on_record(told.traject, wish, form, visitor.visit, world_of(request))
    except (Invalid, Forbidden) as error:
        more = {
            "consent_wrong": [issue.nl for issue in error.issues],
            "typed": kept(request),
            "sent": sent.fields,
        }
        shown = desk.context(request, visitor, told, PRACTICE) | more
        return page(request, PRACTICE.template, error.status, **shown)
    said, back = [each.nl for each in notices], desk.address(sent.task, PRACTICE)
    return page(request, "consent_put.html", said=said, back=back)


def _wish(fields: dict[str, str], told: Story) -> Wish:
    """What was filled in. Raises Invalid."""
    who, what = fields.get("wie", ""), fields.get("waarvoor", "")
    try:
        day = date.fromisoformat(fields.get("dag", ""))
        organisation = UUID(who) if who and not who.startswith(KIND) else None
        permits = {"wel": True, "niet": False}[fields.get("delen", "")]
    except (ValueError, KeyError):
        raise Invalid(
            Issue(nl="Vul in wat de patiënt zei, en op welke dag.", en="Say what the patient said, and when.")
        ) from None
    return Wish(
        permits=permits,
        since=period_of(day.isoformat()).low,
        organisation=organisation,
        kind=who.removeprefix(KIND) if who.startswith(KIND) else "",
        pathway=told.pathway.name if what in {HERE, PATHWAY} else "",
        here=what == HERE,
    )
