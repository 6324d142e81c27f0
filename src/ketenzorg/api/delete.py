"""FHIR delete: what belongs to a traject is said to be a mistake (entered-in-error), and stays to be read.

https://hl7.org/fhir/R4/http.html#delete
"""

from typing import Final
from uuid import UUID

from litestar import delete
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import TABLE, permit, types_for
from ketenzorg.api.answers import resource
from ketenzorg.api.conditional import the_one
from ketenzorg.api.kinds import READS, check_kind, refused
from ketenzorg.api.requests import Http, if_match_of, uuid_of, visit_of, world_of
from ketenzorg.coordination.steps.mistaken import Mistaken, mistaken
from ketenzorg.errors import Issue
from ketenzorg.fhir.outcome import operation_outcome

DELETED: Final = types_for("delete")
_STAYS: Final = (
    "Dit blijft in het traject staan. Was de hele verwijzing een vergissing: DELETE de ServiceRequest of de Task.",
    "This stays in the traject. If all of the referral was a mistake: DELETE the ServiceRequest or the Task.",
)
_OF_A_TRAJECT: Final = TABLE.types["traject"] - {"Composition"}


@delete("/fhir/{kind:str}/{id_:str}", status_code=200)
async def delete_one(request: Http, kind: FromPath[str], id_: FromPath[str]) -> ASGIResponse:
    """Say that it was a mistake; said again, the answer is the same."""
    _check(kind)
    return await _deleted(request, kind, uuid_of(kind, id_))


@delete("/fhir/{kind:str}", status_code=200)
async def delete_found(request: Http, kind: FromPath[str]) -> ASGIResponse:
    """The same of the only one that matches."""
    _check(kind)
    return await _deleted(request, kind, await the_one(request, kind, "delete"))


def _check(kind: str) -> None:
    if kind in _OF_A_TRAJECT and kind not in DELETED:
        raise refused(kind, READS, _STAYS)
    check_kind(kind, DELETED, READS)


async def _deleted(request: Http, kind: str, id_: UUID) -> ASGIResponse:
    visit = visit_of(request)
    permit(visit.caller, "delete", kind)
    done = await mistaken(kind, id_, visit, world_of(request), if_match_of(request))
    return resource(
        operation_outcome([_said(kind, done), *done.notices], "informational"), version=done.version
    )


def _said(kind: str, done: Mistaken) -> Issue:
    also_nl, also_en = ("", "")
    if kind in ("Task", "ServiceRequest"):
        also_nl = " Dat geldt voor de verwijzing, de Task en het CarePlan samen."
        also_en = " So are the referral, the Task and the CarePlan, together."
    before_nl, before_en = ("", "") if done.new else (" al", " already")
    return Issue(
        nl=f"Er wordt niets gewist: deze {kind} staat nu{before_nl} te boek als vergissing.{also_nl}",
        en=f"Nothing is erased: this {kind} stands as a mistake{before_en}.{also_en}",
        code="informational",
        severity="information",
    )
