"""Who looks at a page: the session of the browser, the person behind it, and what they may ask."""

from typing import Any

import msgspec

from ketenzorg.access.sessions import Session
from ketenzorg.coordination.world import Visit
from ketenzorg.errors import Forbidden, Issue, Unauthenticated
from ketenzorg.pages.people import Person
from ketenzorg.pages.site import Http, site_of

SESSION = "ketenzorg.session"  # in the scope: what the answer's cookie must say
TRAIL = "ketenzorg.trail"  # in the scope: what the gate found
CLIENT = "ketenzorg.client"  # in the scope: for the gate's line in the log


class Visitor(msgspec.Struct, frozen=True):
    """Somebody who has signed in."""

    session: Session
    person: Person
    visit: Visit


def session_of(request: Http) -> Session | None:
    """The session of the cookie, when it still runs."""
    site = site_of(request)
    scope: Any = request.scope
    if SESSION not in scope:
        scope[SESSION] = site.sessions.read(request.cookies.get(site.cookie, ""))
    session: Session | None = scope[SESSION]
    return session


def begin_session(request: Http, person: str = "") -> Session:
    """A new session for this browser; the answer to this request brings its cookie."""
    scope: Any = request.scope
    session = scope[SESSION] = site_of(request).sessions.begin(person)
    return session


def end_session(request: Http) -> None:
    """From here on nobody is signed in."""
    scope: Any = request.scope
    scope[SESSION] = None


def person_of(request: Http) -> Person | None:
    """Who is signed in."""
    session = session_of(request)
    return site_of(request).people.get(session.person) if session else None


def visitor_of(request: Http, *roles: str) -> Visitor:
    """Who asks. Raises Unauthenticated without a session, Forbidden without one of these roles."""
    session, person = session_of(request), person_of(request)
    if session is None or person is None:
        raise Unauthenticated(
            Issue(nl="Log eerst in. U was te lang weg, of nog niet ingelogd.", en="Sign in first.")
        )
    if person.role not in roles:
        raise Forbidden(
            Issue(nl="Deze pagina is niet voor uw rol.", en="This page is not for your role.", code="role")
        )
    scope: Any = request.scope
    visit = person.visit(scope[TRAIL])
    scope[CLIENT] = visit.caller.client
    return Visitor(session, person, visit)
