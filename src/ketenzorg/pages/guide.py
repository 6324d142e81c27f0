"""The implementation guide: for who connects a system, without the internet, made from what runs.

Nobody stands in it, so everybody may read it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from litestar import Response, get
from litestar.params import FromPath

from ketenzorg.errors import Issue, NotFound
from ketenzorg.pages import guide_definitions, guide_requests, guide_runs
from ketenzorg.pages.guide_sheets import SHEET_PATH, Sheet, guide_page, raw, shown, style
from ketenzorg.pages.render import Page
from ketenzorg.pages.site import Http, world_of

FILES = {"examples": ("referral-*.json", "valid/*.json", "broken/*.json"), "quick-start": ("*",)}
KINDS = {".json": "application/json"}


class Running(NamedTuple):
    """What the guide tells of."""

    published: Callable[[], list[dict[str, Any]]]
    statement: Callable[[], dict[str, Any]]
    profiles: Path
    base_url: str


def _running(request: Http) -> Running:
    running: Running = request.app.state.guide
    return running


SHEETS: dict[str, Callable[[Http], Sheet]] = {
    "quick-start": lambda request: guide_requests.quick_start(_running(request).profiles),
    "profiles": lambda request: guide_definitions.profiles(_running(request).published()),
    "codes": lambda request: guide_definitions.codes(_running(request).published()),
    "hand-over": lambda _: guide_runs.hand_over(),
    "pathways": lambda request: guide_runs.pathways(world_of(request).catalogue),
    "types": lambda request: guide_runs.searching(_running(request).statement()),
    "errors": lambda request: guide_requests.errors(_running(request).profiles),
}
INDEX = (
    ("/guide/quick-start", "Quick start", "A token, a referral, and the answer: with curl, Python, JavaScript."),
    ("/guide/promises", "What you can rely on", "What each answer means, and when to send again. One page, to print."),
    ("/guide/profiles", "Profiles", "What we ask of each resource, with examples, right and wrong."),
    ("/guide/pathways", "Pathways", "Their canonicals, and what each asks."),
    ("/guide/hand-over", "Hand-over", "Who may change the status of a Task to what."),
    ("/guide/errors", "Errors", "Each code, a real request that gets it, and what to do."),
    ("/guide/types", "Types, searches and operations", "What can be asked of each type."),
    ("/guide/codes", "Codes", "Our code systems and value sets."),
    ("/guide/openapi.json", "OpenAPI", "What is not FHIR: tokens, health, waiting times (JSON)."),
    ("/guide/postman.json", "Collection", "Every request of this guide, for Postman, Bruno or Insomnia (JSON)."),
    ("/fhir/metadata", "CapabilityStatement", "What runs here, for machines (JSON)."),
)  # fmt: skip


@get("/guide")
async def index(request: Http) -> Page:
    """Where somebody who connects a system begins."""
    return guide_page(request, "guide.html", index=INDEX)


@get("/guide/{name:str}")
async def sheet(request: Http, name: FromPath[str]) -> Page:
    """One page of it."""
    if name not in SHEETS:
        raise NotFound(Issue(nl="Deze pagina is er niet.", en="No such page."))
    return shown(request, SHEETS[name](request))


@get("/guide/profile/{name:str}")
async def profile(request: Http, name: FromPath[str]) -> Page:
    """One profile."""
    running = _running(request)
    return shown(request, guide_definitions.profile(name, running.published(), running.profiles))


@get("/guide/files/{folder:str}/{name:str}")
async def file(request: Http, folder: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """A file that the guide shows, to keep."""
    root = _running(request).profiles / folder
    for path in (each for pattern in FILES.get(folder, ()) for each in root.glob(pattern)):
        if path.name == name:
            return raw(path.read_bytes(), KINDS.get(path.suffix, "text/plain"))
    raise NotFound(Issue(nl="Dit bestand is er niet.", en="No such file."))


@get("/guide/openapi.json")
async def openapi(request: Http) -> Response[bytes]:
    """What is not FHIR."""
    running = _running(request)
    said = json.loads((running.profiles / "openapi" / "openapi.json").read_text("utf-8"))
    said["servers"] = [{"url": running.base_url}]
    return raw(json.dumps(said, indent=1).encode(), "application/json")


@get("/guide/postman.json")
async def collection(request: Http) -> Response[bytes]:
    """The requests of the guide, to import."""
    running = _running(request)
    return raw(guide_requests.collection(running.profiles, running.base_url), "application/json")


@get(SHEET_PATH)
async def guide_sheet() -> Response[bytes]:
    """The style of the guide alone."""
    return style()


ROUTES = [index, sheet, profile, file, openapi, collection, guide_sheet]
