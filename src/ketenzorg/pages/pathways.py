"""The pathways for people who decide about them: what is asked, who does what before when, and on what ground."""

import re
from typing import NamedTuple

from litestar import get
from litestar.params import FromPath

from ketenzorg.errors import Issue, NotFound
from ketenzorg.pages.chain import SHEET_PATH
from ketenzorg.pages.pathway_map import draw_map
from ketenzorg.pages.render import Page, page
from ketenzorg.pages.site import Http, world_of
from ketenzorg.pathway.document import Part
from ketenzorg.pathway.show import adoption, document, regie, review

OPEN = "Nog open"  # what a clinician must see first


class Shown(NamedTuple):
    """A part of the page, with the name by which a link finds it."""

    part: Part
    anchor: str


@get("/zorgpaden")
async def list_pathways(request: Http) -> Page:
    """All pathways of this installation; no data of people, so for everybody."""
    catalogue = world_of(request).catalogue
    return page(request, "pathways.html", pathways=[catalogue.current(name) for name in catalogue.names])


@get("/zorgpaden/{name:str}")
async def show_pathway(request: Http, name: FromPath[str]) -> Page:
    """One pathway, whole: a map of its steps, its decision tables, norms, sources and what is still open."""
    catalogue = world_of(request).catalogue
    if name not in catalogue.names:
        raise NotFound(Issue(nl="Dit zorgpad is er niet.", en="No such pathway."))
    pathway = catalogue.current(name)
    parts = sorted(document(pathway), key=lambda part: part.heading != OPEN)
    return page(
        request,
        "pathway.html",
        sheet=SHEET_PATH,
        pathway=pathway,
        adoption=adoption(pathway),
        regie=regie(pathway),
        review=review(pathway).strip(),
        map=draw_map(pathway),
        parts=[Shown(part, _anchor(part.heading)) for part in parts],
        others=[catalogue.current(other) for other in catalogue.names if other != name],
    )


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")
