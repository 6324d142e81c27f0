"""Signing in to the sandbox: choose who you are. Real sign-in takes this page's place."""

from itertools import groupby

from litestar import get, post

from ketenzorg.errors import Issue, NotFound
from ketenzorg.pages.forms import check_seal, read_form
from ketenzorg.pages.people import Person
from ketenzorg.pages.render import Page, go_to, page
from ketenzorg.pages.site import Http, onward, site_of
from ketenzorg.pages.visitors import begin_session, end_session, person_of, session_of

HOMES = {"coach": "/werk", "praktijk": "/praktijk", "ketenteam": "/keten"}  # role -> where their work begins
SUBJECT = "login"


@get("/")
async def home(request: Http) -> Page:
    """Everybody's first page."""
    person = person_of(request)
    return go_to(request, _home(person) if person else "/login")


@get("/login")
async def choose(request: Http) -> Page:
    """Who are you?"""
    if session_of(request) is None:
        begin_session(request)
    people = site_of(request).people.with_role(*HOMES)
    groups = [
        (organisation.name, list(group))
        for organisation, group in groupby(people, key=lambda person: person.organisation)
    ]
    return page(request, "login.html", groups=groups, onward=onward(request.query_params.get("naar", "")))


@post("/login", status_code=200)
async def sign_in(request: Http) -> Page:
    """Begin a session as this person."""
    form = await read_form(request)
    session = session_of(request)
    if session is None:  # no cookie came back, or it lay there for too long
        return page(request, "no_cookie.html", 401)
    check_seal(request, session, SUBJECT, form)
    person = site_of(request).people.get(form.get("wie", ""))
    if person is None or person.role not in HOMES:
        raise NotFound(Issue(nl="Deze persoon is er niet.", en="No such person."))
    begin_session(request, person.key)
    return go_to(request, onward(form.get("naar", "")) or _home(person))


@post("/login/uit", status_code=200)
async def sign_out(request: Http) -> Page:
    """End the session."""
    form = await read_form(request)
    session = session_of(request)
    if session is not None:
        check_seal(request, session, SUBJECT, form)
    end_session(request)
    return go_to(request, "/login")


def _home(person: Person) -> str:
    return HOMES.get(person.role, "/login")
