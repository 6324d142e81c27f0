"""What a form brings: bounded, from our own page, and shown again when it could not be taken.

A form carries the version of what it was drawn from, sealed for one session: the same form sent again finds a
newer version and is refused, so that the version is its one-time number too.

https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from litestar.exceptions import InternalServerException

from ketenzorg.access.sessions import Session
from ketenzorg.errors import BadRequest, Forbidden, Issue, UnsupportedMediaType
from ketenzorg.pages.site import Http, site_of

FORM = "application/x-www-form-urlencoded"
LONGEST_FORM = 64 * 1024  # bytes
FIELDS = 100  # the longest referral form has half of that
KEPT = "ketenzorg.kept"  # in the scope: what somebody typed
ANSWER = "antwoord-"
TYPED = (ANSWER, "dossiernummer", "plaats")
NOT_FOR_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")
FROM_HERE = ("same-origin", "none")
VERSION = re.compile(r"[0-9]{1,9}\Z")


async def read_form(request: Http) -> dict[str, str]:
    """The fields of a form that was sent from a page of ours. Raises Forbidden for one from elsewhere."""
    _came_from_here(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise UnsupportedMediaType(Issue(nl="Dit is geen formulier van ons.", en="Not a form of ours."))
    body = await _body(request)
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS, errors="replace"
        )
    except ValueError:
        raise BadRequest(Issue(nl="Dit formulier heeft te veel velden.", en="Too many fields.")) from None
    form = {name: _text(value) for name, value in pairs}
    scope: Any = request.scope
    scope[KEPT] = {name: text for name, text in form.items() if name.startswith(TYPED) and text}
    return form


async def _body(request: Http) -> bytes:
    try:
        return await request.body()
    except InternalServerException as error:  # the framework's word for it; nobody hears the answer
        raise BadRequest(Issue(nl="De verbinding werd verbroken.", en="The connection was lost.")) from error


def kept(request: Http) -> dict[str, str]:
    """What somebody typed in the form of this request: label -> words."""
    scope: Any = request.scope
    found: dict[str, str] = scope.get(KEPT, {})
    return {name.removeprefix(ANSWER): text for name, text in found.items()}


def check_seal(request: Http, session: Session, subject: str, form: dict[str, str]) -> None:
    """Raises Forbidden for a form that we did not make for this session and this subject."""
    if not site_of(request).sessions.sealed(session, subject, form.get("zegel", "")):
        raise Forbidden(Issue(nl="Dit formulier is niet van deze pagina.", en="A forged or foreign form."))


def seen_version(form: dict[str, str]) -> int:
    """Which version of the Task the page showed; the seal vouches for it."""
    return _whole(form, "versie")


def seen_edition(form: dict[str, str]) -> int:
    """Which edition of what the organisation itself keeps the page showed; the seal vouches for it."""
    return _whole(form, "editie")


def seen_appointment(form: dict[str, str]) -> int:
    """Which version of an appointment the page showed; one that is made up is not the last."""
    return _whole(form, "afspraakversie")


def _whole(form: dict[str, str], name: str) -> int:
    given = form.get(name, "")
    return int(given) if VERSION.match(given) else 0


def answers(form: dict[str, str]) -> dict[str, str]:
    """Name of the need -> what was answered; what was left empty is not said."""
    return {
        name.removeprefix(ANSWER): text.strip()
        for name, text in form.items()
        if name.startswith(ANSWER) and text.strip()
    }


def _text(value: str) -> str:
    return NOT_FOR_TEXT.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))


def _came_from_here(request: Http) -> None:
    """A browser says where a form comes from in Origin, and in Sec-Fetch-Site."""
    origin = request.headers.get("origin")
    fetched = request.headers.get("sec-fetch-site", "none")
    own = (site_of(request).host, request.headers.get("host", ""))
    if (origin is not None and urlsplit(origin).netloc not in own) or fetched not in FROM_HERE:
        raise Forbidden(Issue(nl="Dit formulier komt van een andere site.", en="A form of another site."))
