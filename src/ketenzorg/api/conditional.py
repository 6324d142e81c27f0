"""The one resource that an update, patch or delete is about, by a search instead of an id.

https://hl7.org/fhir/R4/http.html#cond-update. What the caller may not see does not match, and nothing is made here.
"""

from typing import Final
from uuid import UUID

import msgspec

from ketenzorg.access.rules import permit
from ketenzorg.api.requests import Http, visit_of, world_of
from ketenzorg.api.search_form import in_address
from ketenzorg.api.search_query import CONTROLS, check_searchable, read_query
from ketenzorg.api.search_values import wrong_parameter
from ketenzorg.coordination.reading.looking import search
from ketenzorg.coordination.reading.wanted import UPDATED
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import BadRequest, Issue, NotFound, PreconditionFailed

NO_CRITERIA: Final = CONTROLS - {"_id", UPDATED}
ENOUGH: Final = 2  # to know that it is not one
IN_A_REFERRAL: Final = ("een transaction Bundle met een verwijzing", "a transaction Bundle with a referral")


async def the_one(request: Http, kind: str, does: str) -> UUID:
    """What the criteria in the address find. Raises BadRequest, NotFound for none, PreconditionFailed for several."""
    visit = visit_of(request)
    permit(visit.caller, does, kind)
    return await find_one(kind, in_address(request), visit, world_of(request), request.app.state.base_url)


async def find_one(
    kind: str, pairs: list[tuple[str, str]], visit: Visit, world: World, base_url: str
) -> UUID:
    """The same, of criteria that came otherwise: they are read strictly, for what is skipped would match more."""
    permit(visit.caller, "search", kind)
    check_searchable(kind)
    wrong = [name for name, _ in pairs if name in NO_CRITERIA]
    if wrong or not pairs:
        issues = [wrong_parameter(name, "dit is geen voorwaarde.", "this is no criterion.") for name in wrong]
        raise BadRequest(*(issues or [_no_criteria(kind)]))
    asked = read_query(kind, pairs, world, base_url, strict=True)
    query = msgspec.structs.replace(asked.wanted.query, count=ENOUGH)
    wanted = msgspec.structs.replace(asked.wanted, query=query)
    page = await search(wanted, [*asked.kept, *asked.hidden], visit, world)
    if len(page.matches) > 1 or page.next_after is not None:
        raise PreconditionFailed(_several(kind))
    if not page.matches:
        raise NotFound(_none(kind))
    return UUID(page.matches[0].id)


def made_by(kind: str) -> tuple[str, str]:
    """How a new one comes here."""
    return IN_A_REFERRAL if kind in ("Task", "ServiceRequest") else (f"POST /fhir/{kind}",) * 2


def _no_criteria(kind: str) -> Issue:
    return Issue(
        nl=f"Welke {kind}? Noem het id in het adres, of zoek er één: {kind}?identifier=systeem|nummer.",
        en=f"Which {kind}? Name the id in the URL, or search one: {kind}?identifier=system|number.",
    )


def _none(kind: str) -> Issue:
    nl, en = made_by(kind)
    return Issue(
        nl=f"Geen {kind} past hierop, of niet een die u ziet. Zo wordt er ook geen gemaakt: dat doet {nl}.",
        en=f"No {kind} matches, or none that you see. Nor is one made this way: that is done by {en}.",
    )


def _several(kind: str) -> Issue:
    return Issue(
        nl=f"Meer dan één {kind} past hierop; er is niets veranderd. Zoek preciezer, of noem het id.",
        en=f"More than one {kind} matches; nothing was changed. Search on more, or name the id.",
        code="multiple-matches",
    )
