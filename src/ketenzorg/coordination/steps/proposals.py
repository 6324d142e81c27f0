"""A proposal that comes in as a ServiceRequest: saying no to what was asked, and what could be done instead."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from ketenzorg.access.personal_numbers import tokens_in
from ketenzorg.access.sealing import take_numbers_out
from ketenzorg.coordination.reading.looking import Seen, read
from ketenzorg.coordination.scene import state_of
from ketenzorg.coordination.steps.adding import somebody_else
from ketenzorg.coordination.steps.belonging import not_there
from ketenzorg.coordination.steps.proposing import KIND
from ketenzorg.coordination.steps.stepping import load, take_event
from ketenzorg.coordination.steps.versions import NewProposal
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Invalid, Issue, NotFound, TransitionNotAllowed
from ketenzorg.pathway import engine
from ketenzorg.pathway.engine import Option
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.standing import roles_of
from ketenzorg.referral.bundle import Entry
from ketenzorg.referral.proposal import words_of
from ketenzorg.referral.references import resolve
from ketenzorg.store.trajecten import Known, Traject

SAYS = ("basedOn", "replaces")  # in which a referral names what it takes over


async def propose(entry: Entry, visit: Visit, world: World) -> Seen:
    """Refuse what is asked with this proposal. Raises Invalid, NotFound, or TransitionNotAllowed naming what may be."""
    request = _request(entry)
    access = visit.access(world, "event", "Task")
    known = await world.trajecten.data_of(KIND, request, access)
    if known is None:
        raise not_there()
    traject, pathway = await load(known.task, access, world)
    option = _option(traject, pathway, roles_of(visit.caller.organisation, traject.roles))
    _check(entry, known, traject, world)
    answer = next(name for name in option.needs if pathway.file.needs[name].goes_to == "voorstel")
    given = {answer: words_of(entry.content)}
    proposal = NewProposal(entry.id, entry.raw)
    await take_event(traject.open_task, option.event, given, None, visit, world, None, proposal=proposal)
    return await read(KIND, str(entry.id), visit, world)


async def seen_requests(requests: Iterable[Entry], visit: Visit, world: World) -> set[bytes]:
    """The requests that a new one builds on, of those that its sender may see: a proposal that it takes over."""
    named = {
        each.get("reference", "")
        for entry in requests
        for element in SAYS
        for each in entry.content.get(element, ())
    }
    seen: set[bytes] = set()
    for reference in sorted(named):
        kind, _, id_ = reference.partition("/")
        if kind != KIND:
            continue
        try:
            await read(KIND, id_, visit, world)
        except NotFound:
            continue
        seen.add(reference.encode())
    return seen


def _option(traject: Traject, pathway: Pathway, roles: list[str]) -> Option:
    """The event by which one of these roles proposes something else now."""
    options = [] if traject.ended else engine.allowed(pathway, state_of(traject))
    for option in options:
        proposes = any(pathway.file.needs[name].goes_to == "voorstel" for name in option.needs)
        if proposes and set(roles) & set(option.by):
            return option
    able = ", ".join(f"{each.event} ({' of '.join(each.by)})" for each in options)
    raise TransitionNotAllowed(
        Issue(
            nl=f"Iets anders voorstellen doet wie gevraagd is, in plaats van aannemen. Nu mogelijk: {able or 'niets'}.",
            en=f"Who is asked proposes something else, instead of accepting. Allowed now: {able or 'nothing'}.",
        )
    )


def _check(entry: Entry, known: Known, traject: Traject, world: World) -> None:
    """Numbers sealed and references resolved. Raises Invalid with all that is wrong."""
    issues = take_numbers_out([entry], world.keys).issues
    ours = {f"{kind}/{id_}".encode() for kind, id_, _ in known.resources}
    issues += resolve([entry], {}, world.addresses | ours)
    persons = {token for kind, _, body in known.resources if kind == "Patient" for token in tokens_in(body)}
    if not tokens_in(entry.raw) <= persons:
        issues.append(somebody_else(entry))
    subject: Any = entry.content.get("subject", {}).get("reference")
    if subject != f"Patient/{known.patient}":
        issues.append(
            _wrong(
                "subject", "De patiënt is die van de verwijzing", f"The subject is Patient/{known.patient}"
            )
        )
    if entry.content.get("intent") != "proposal":
        issues.append(
            _wrong("intent", "Een voorstel heeft intent proposal", "A proposal has intent proposal")
        )
    if not words_of(entry.content):
        issues.append(
            _wrong(
                "code",
                "Zeg wat u voorstelt: code.text, note of de naam van een ander (performer.display)",
                "Say what you propose: code.text, note, or performer.display",
            )
        )
    if issues:
        raise Invalid(*issues)


def _request(entry: Entry) -> UUID:
    based_on = [each.get("reference", "") for each in entry.content.get("basedOn", ())]
    try:
        [reference] = based_on
        return UUID(reference.removeprefix(f"{KIND}/"))
    except ValueError:
        wrong = _wrong(
            "basedOn", "Noem de verwijzing in basedOn", "Name the referral in basedOn: ServiceRequest/<id>"
        )
        raise Invalid(wrong) from None


def _wrong(element: str, nl: str, en: str) -> Issue:
    return Issue(nl=f"{nl}.", en=f"{en}.", expression=(f"{KIND}.{element}",), code="value")
