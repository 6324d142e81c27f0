"""What should never have been there is said to be a mistake, by who may say so: nothing is erased.

A Task and the ServiceRequest behind it are a mistake together, by the event of the pathway that says so: who may, and
when, stands in its file. https://hl7.org/fhir/R4/http.html#delete
"""

from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from ketenzorg.coordination.reading.looking import not_found
from ketenzorg.coordination.receiving.notice import Notice
from ketenzorg.coordination.steps.appointments import never_was
from ketenzorg.coordination.steps.stepping import load, write_task
from ketenzorg.coordination.steps.taking_back import MISTAKE, take_back
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Issue, PreconditionFailed, TransitionNotAllowed


class Mistaken(NamedTuple):
    """What was said to be a mistake: its version now, whether it was said just now, and what else changed by it."""

    version: int
    new: bool
    notices: tuple[Notice, ...] = ()


async def mistaken(kind: str, id_: UUID, visit: Visit, world: World, if_match: int | None) -> Mistaken:
    """Say it of a Task, a ServiceRequest, an Appointment, or data that were added.

    Raises NotFound, TransitionNotAllowed or PreconditionFailed.
    """
    if kind == "Appointment":
        seen, new = await never_was(id_, visit, world, if_match)
        return Mistaken(seen.version, new)
    if kind == "ServiceRequest":
        return await _of_request(id_, visit, world, if_match)
    if kind == "Task":
        return await _of_task(id_, visit, world, if_match)
    return Mistaken(*await take_back(kind, id_, visit, world, if_match))


async def _of_task(task: UUID, visit: Visit, world: World, if_match: int | None) -> Mistaken:
    already = False

    def edit(before: dict[str, Any]) -> dict[str, Any]:
        nonlocal already
        already = before["status"] == MISTAKE
        return before | {"status": MISTAKE}

    now = await write_task(task, "delete", edit, visit, world, if_match)
    return Mistaken(now.version, not already)


async def _of_request(id_: UUID, visit: Visit, world: World, if_match: int | None) -> Mistaken:
    access = partial(visit.access, world, "delete", "ServiceRequest")
    known = await world.trajecten.data_of("ServiceRequest", id_, access())
    if known is None:
        raise not_found("ServiceRequest")
    traject, _ = await load(known.task, access(), world)
    if traject.request.id != id_:
        raise TransitionNotAllowed(_proposal())
    if if_match is not None and if_match != traject.request.version:
        raise PreconditionFailed(_changed(traject.request.version))
    # Its Task is a mistake with it: a Task that changed since is another question than the one that was seen.
    unchanged = None if if_match is None else traject.task.version
    done = await _of_task(known.task, visit, world, unchanged)
    now, _ = await load(known.task, access(), world)
    return Mistaken(now.request.version, done.new)


def _proposal() -> Issue:
    return Issue(
        nl="Dit is een voorstel bij een afgewezen verwijzing: het blijft staan. Wie het niet overneemt, laat het.",
        en="This is a proposal beside a referral that was refused: it stays. Who does not take it over leaves it.",
    )


def _changed(version: int) -> Issue:
    return Issue(
        nl=f"Uw versie is niet meer de laatste; dat is versie {version}. Lees de ServiceRequest opnieuw.",
        en=f"Your version is no longer the latest; that is {version}. Read the ServiceRequest again.",
    )
