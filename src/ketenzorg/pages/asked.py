"""The page of who is asked by name beside others: what is asked, what it answers, and what became of that."""

from litestar import get, post
from litestar.params import FromPath

from ketenzorg.coordination.choosing.being_asked import Question, question
from ketenzorg.coordination.steps.stepping import take_event
from ketenzorg.errors import Invalid, KetenzorgError
from ketenzorg.pages import inbox, practice
from ketenzorg.pages.desk import SOMEBODY_WAS_FIRST, id_of
from ketenzorg.pages.forms import answers, check_seal, kept, read_form, seen_version
from ketenzorg.pages.render import Page, go_to, page
from ketenzorg.pages.site import Http, world_of
from ketenzorg.pages.visitors import visitor_of

HOMES = {inbox.ROLE: inbox.HOME, practice.ROLE: practice.HOME}


@get(["/werk/{task:str}/gevraagd", "/praktijk/{task:str}/gevraagd"])
async def show_asked(request: Http, task: FromPath[str]) -> Page:
    """What is asked, and what can be answered now."""
    visitor = visitor_of(request, *HOMES)
    asked = await question(id_of(task), visitor.visit, world_of(request))
    return _shown(request, HOMES[visitor.person.role], task, asked)


@post(["/werk/{task:str}/antwoord", "/praktijk/{task:str}/antwoord"], status_code=200)
async def answer(request: Http, task: FromPath[str]) -> Page:
    """Whether it can do it; who answers too late sees what became of the question."""
    form = await read_form(request)
    visitor, world = visitor_of(request, *HOMES), world_of(request)
    home, seen, event = HOMES[visitor.person.role], seen_version(form), form.get("wat", "")
    check_seal(request, visitor.session, f"gevraagd:{task}:{seen}", form)
    try:
        await take_event(id_of(task), event, answers(form), None, visitor.visit, world, if_match=seen)
    except (*SOMEBODY_WAS_FIRST, Invalid) as error:
        asked = await question(id_of(task), visitor.visit, world)
        return _shown(request, home, task, asked, error, event)
    return go_to(request, f"{home}/{task}/gevraagd")


def _shown(
    request: Http,
    home: str,
    task: str,
    asked: Question | None,
    error: KetenzorgError | None = None,
    event: str = "",
) -> Page:
    """The page as it is now; what was not taken, and why, stands on it."""
    if asked is None:  # work like any other
        return go_to(request, f"{home}/{task}")
    invalid = error.issues if isinstance(error, Invalid) else ()
    return page(
        request,
        "asked.html",
        422 if invalid else 409 if error else 200,
        home=home,
        asked=asked,
        event=event,
        typed=kept(request),
        late=error is not None and not invalid,
        wrong={place: issue.nl for issue in invalid for place in issue.expression},
        mistakes=[issue.nl for issue in invalid if not issue.expression],
    )
