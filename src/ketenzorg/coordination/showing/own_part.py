"""What only an organisation itself knows of a referral: which colleague has it, and its own file number."""

from collections.abc import Mapping
from uuid import UUID

from ketenzorg.access.personal_numbers import is_bsn
from ketenzorg.coordination.choosing.sending_on import OPEN
from ketenzorg.coordination.person.practice import PASSED
from ketenzorg.coordination.person.saying import say_event
from ketenzorg.coordination.person.undoing_practice import passed_on, undo_practice
from ketenzorg.coordination.showing.story import line_of
from ketenzorg.coordination.steps.handing_over import ORGANISATION
from ketenzorg.coordination.steps.stepping import CHANGING, TRIES
from ketenzorg.coordination.steps.undoing import WITHIN, undo
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Conflict, Invalid, Issue
from ketenzorg.referral.intake import Named
from ketenzorg.store.audit import Access

LONGEST_FILE_NUMBER = 40  # characters


async def say(
    task: UUID, event: str, given: Mapping[str, str], seen: int, person: str, visit: Visit, world: World
) -> None:
    """Somebody says what happened, having seen this version; who says the first thing has the referral.

    The answer ORGANISATION is the id of the one to which it hands over, or OPEN; without it the likeliest gets it.
    """
    given = dict(given)
    named = given.pop(ORGANISATION, None)
    place = Named((), named, ORGANISATION) if named and named != OPEN else None
    await say_event(task, event, given, None, visit, world, seen, place, open_=named == OPEN)
    if event != PASSED:  # that is no longer of this organisation
        await take_up(task, person, visit, world)


async def put_right(task: UUID, seen: int, visit: Visit, world: World) -> None:
    """The last click was a mistake: of a step, or that a patient went to another practice, which passed on the part."""
    line = await line_of(task, visit, world)
    log = await world.worklist.events([visit.caller.organisation], line.traject)
    if line.ended is None or passed_on(log, visit.caller.organisation) is None:
        await undo(task, seen, visit, world)
        return
    for _ in range(TRIES):
        if await undo_practice(line.traject, world.now() - WITHIN, visit, world):
            return
    raise Conflict(CHANGING)


async def take_up(task: UUID, person: str, visit: Visit, world: World) -> None:
    """Somebody did something with a referral that no colleague has: it is theirs."""
    line = await line_of(task, visit, world)
    if line.colleague is None:  # a colleague who takes it in this very moment keeps it
        await world.worklist.set_part(line.traject, line.edition, _noted(visit, world), colleague=person)


async def hand_over(task: UUID, colleague: str, edition: int, visit: Visit, world: World) -> None:
    """Give a referral to somebody of the same organisation ('' to nobody), if nobody changed its part since."""
    line = await line_of(task, visit, world)
    if (line.colleague or "") == colleague:
        return
    if not await world.worklist.set_part(line.traject, edition, _noted(visit, world), colleague=colleague):
        raise _somebody_else()


async def number_file(task: UUID, number: str, edition: int, visit: Visit, world: World) -> None:
    """Note the organisation's own file number. Raises Invalid for one that is too long, or a personal number."""
    number = " ".join(number.split())
    if len(number) > LONGEST_FILE_NUMBER:
        raise Invalid(
            Issue(
                nl=f"Dit nummer is te lang. Gebruik hoogstens {LONGEST_FILE_NUMBER} tekens.",
                en=f"This number is too long: at most {LONGEST_FILE_NUMBER} characters.",
            )
        )
    if not number.isprintable():
        raise Invalid(
            Issue(
                nl="In dit nummer staan tekens die niemand ziet. Typ het nummer opnieuw.",
                en="This number has characters that nobody sees: type it again.",
            )
        )
    if _holds_bsn(number):
        raise Invalid(
            Issue(
                nl="Dit lijkt op een burgerservicenummer (BSN). Gebruik het nummer uit uw eigen systeem.",
                en="This looks like a personal number (BSN). Use the number of your own system.",
            )
        )
    line = await line_of(task, visit, world)
    if (line.file_number or "") == number:
        return
    if not await world.worklist.set_part(line.traject, edition, _noted(visit, world), file_number=number):
        raise _somebody_else()


def _noted(visit: Visit, world: World) -> Access:
    return visit.access(world, "note", "Task")


def _somebody_else() -> Conflict:
    return Conflict(
        Issue(nl="Een collega veranderde dit net.", en="A colleague has just changed this."),
    )


def _holds_bsn(text: str) -> bool:
    digits = "".join(char for char in text if char.isdigit())
    words = "".join(char if char.isdigit() else " " for char in text).split()
    return any(is_bsn(each) for each in (digits, *words))
