"""Templates to answers: everything escaped, the same headers on every page, the cookie where it must change."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response

from ketenzorg.pages import words
from ketenzorg.pages.site import Http, Site, site_of, world_of
from ketenzorg.pages.visitors import person_of, session_of

# No inline style or script, nothing from anybody else, no frame around us.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {  # the gate adds those that every answer has
    "Content-Security-Policy": POLICY,
    # With no-referrer a browser would not say in Origin that our own form is ours.
    "Referrer-Policy": "same-origin",
}
HTML = "text/html"  # the framework adds the charset
Page = Response[str]


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).resolve().parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["woorden"] = words
    environment.filters["zin"] = words.sentence
    return environment


def page(request: Http, template: str, status: int = 200, **context: Any) -> Page:
    """A page in the layout, for whoever is signed in."""
    site, session = site_of(request), session_of(request)
    text = _templates().get_template(template)
    world = world_of(request)
    newest = [world.catalogue.current(name) for name in world.catalogue.names]

    def seal(subject: str) -> str:
        return site.sessions.seal(session, subject) if session else ""

    body = text.render(
        assets=site.assets,
        person=person_of(request),
        seal=seal,
        now=world.now(),
        here=request.scope["path"],
        begin=site.begin,
        in_sandbox=site.in_sandbox,
        not_adopted=[pathway for pathway in newest if not pathway.adopted],
        **context,
    )
    return Response(body, status_code=status, media_type=HTML, headers=HEADERS | _cookie(request, site))


def go_to(request: Http, path: str) -> Page:
    """After a form: the page that shows what it did; reloading that sends nothing again."""
    headers = HEADERS | _cookie(request, site_of(request)) | {"Location": path}
    return Response("", status_code=303, media_type=HTML, headers=headers)


def _cookie(request: Http, site: Site) -> dict[str, str]:
    """A new or renewed session, or the end of one."""
    session, had = session_of(request), request.cookies.get(site.cookie)
    flags = f"; Path=/; HttpOnly; SameSite=Strict{'; Secure' if site.secure else ''}"
    if session is None:
        return {"Set-Cookie": f"{site.cookie}=; Max-Age=0{flags}"} if had else {}
    session = site.sessions.renewed(session) or session
    value = site.sessions.cookie(session)
    return {"Set-Cookie": f"{site.cookie}={value}{flags}"} if value != had else {}
