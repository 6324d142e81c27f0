"""Every failure as a page in plain Dutch, with what somebody typed still on it."""

from uuid import uuid4

from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from ketenzorg.errors import Forbidden, Issue, KetenzorgError, NotFound, Unauthenticated
from ketenzorg.logs import CRASH, log
from ketenzorg.pages.forms import kept
from ketenzorg.pages.render import Page, go_to, page
from ketenzorg.pages.site import Http, onward

TITLES = {
    400: "Dit kunnen we niet lezen",
    401: "U bent niet meer ingelogd",
    403: "Dit formulier is niet aangenomen",
    404: "Niet gevonden",
    405: "Dit kan hier niet",
    409: "Er is net iets veranderd",
    413: "Dit is te groot",
    415: "Dit kunnen we niet lezen",
    422: "Er klopt nog iets niet",
    503: "Even niet bereikbaar",
}
CRASHED = "Er ging bij ons iets mis"
FROM_ELSEWHERE = (
    "Wij zien niet zeker dat dit formulier van u komt. Er is niets opgeslagen. Open de verwijzing opnieuw en "
    "probeer het nog eens."
)
NOT_HERE = "Deze pagina is er niet, of is niet voor u. Kijk of het adres klopt."
FRAMEWORK = {
    404: NOT_HERE,
    405: "Ga terug naar uw lijst en begin daar.",
    413: "Wat u stuurde is te groot. Maak de tekst korter.",
}


def expected(request: Http, error: KetenzorgError) -> Page:
    """What can go wrong in what people do."""
    if isinstance(error, Unauthenticated) and request.method == "GET":
        then = onward(request.scope["path"])
        return go_to(request, f"/login?naar={then}" if then else "/login")
    title, texts = TITLES.get(error.status, CRASHED), [issue.nl for issue in error.issues]
    if isinstance(error, NotFound):
        texts = [NOT_HERE]
    elif isinstance(error, Forbidden):
        # Who only looks sent no form.
        not_for_you = request.method == "GET" or any(issue.code == "role" for issue in error.issues)
        title, texts = ("Deze pagina is niet voor u", texts) if not_for_you else (title, [FROM_ELSEWHERE])
    return _refusal(request, error.status, title, texts)


def of_framework(request: Http, error: HTTPException) -> Page:
    """The framework's own refusals."""
    status = error.status_code
    text = FRAMEWORK.get(status, "Ga terug naar uw lijst en probeer het nog eens.")
    return _refusal(request, status, TITLES.get(status, CRASHED), [text])


def crash(request: Http, error: Exception) -> Page:
    """What we did not expect: a number for both sides, and nothing of what happened inside."""
    number = str(uuid4())
    steps, trace = [], error.__traceback__
    while trace is not None:
        steps.append(f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    log(CRASH, request=number, error=f"{type(error).__qualname__} at {' > '.join(steps)}")
    text = f"Probeer het nog eens. Gaat het weer mis? Meld dan dit nummer: {number}."
    return _refusal(request, 500, CRASHED, [text])


def unknown_choice(what: str, choices: list[str]) -> Issue:
    """A value in an address that we do not know; the value itself may be anything and is not repeated."""
    known = ", ".join(choices)
    return Issue(nl=f"Deze {what} kennen we niet. Kies uit: {known}.", en=f"Unknown {what}; choose: {known}.")


def _refusal(request: Http, status: int, title: str, texts: list[str]) -> Page:
    return page(request, "refusal.html", status, title=title, texts=texts, kept=kept(request))


HANDLERS: ExceptionHandlersMap = {
    KetenzorgError: expected,
    HTTPException: of_framework,
    Exception: crash,
}
