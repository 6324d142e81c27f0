"""A referral is sent on to nobody in particular: who else could do it may claim it, and the first one has it."""

from uuid import UUID

import msgspec

from ketenzorg.coordination.consent.consenting import decision_on
from ketenzorg.coordination.consent.sharing_on import sharing_in
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.handing_over import capability_in
from ketenzorg.coordination.steps.planning import Planned
from ketenzorg.coordination.steps.versions import Said
from ketenzorg.coordination.world import World
from ketenzorg.errors import Invalid, Issue
from ketenzorg.pathway import engine
from ketenzorg.pathway.engine import Option
from ketenzorg.pathway.flatten import handover_of
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region import Organisation
from ketenzorg.pathway.running import beginnings
from ketenzorg.pathway.standing import NOT_CHOSEN
from ketenzorg.store.consents import Shared
from ketenzorg.store.trajecten import ConsentChange, Traject

OPEN = "open"  # the parameter of $event by which the hand-over that begins is for who claims it


def may_be_open(option: Option, traject: Traject, pathway: Pathway, world: World) -> bool:
    """Whether what is sent on by this may be left open, and somebody could claim it."""
    step = pathway.steps[option.to_step]
    choice = handover_of(step.main, pathway.file)[1].choice
    if not option.forward or choice is None or OPEN not in choice.how:
        return False
    return step.name in beginnings(pathway.file) and bool(
        _others(step.performer, "", traject, pathway, world)
    )


def opened(said: Said, shared: Shared, scene: Scene) -> Said:
    """The same, with who may claim it: not who had it, nor whom the patient objects to. Raises Invalid for nobody."""
    traject, pathway, world = scene.traject, scene.pathway, scene.world
    options = engine.allowed(pathway, scene.state, said.by)
    option = next((each for each in options if each.event == said.event), None)
    if option is None or said.performer is not None or not may_be_open(option, traject, pathway, world):
        raise Invalid(_NOT_OPEN)
    role = pathway.steps[option.to_step].performer
    sharing = sharing_in(shared, world, scene.at, shared.objections)
    able = capability_in(said.given, pathway)
    pool = [
        each.id
        for each in _others(role, able, traject, pathway, world)
        if decision_on(role, each, sharing, world.region).may
    ]
    if not pool:
        raise Invalid(_NOBODY)
    return msgspec.structs.replace(said, pool=tuple(pool))


def with_weighed(plan: Planned, shared: Shared) -> Planned:
    """The same, stored only as long as the patient objects to nobody else."""
    change = ConsentChange(weighed=tuple(each.id for each in shared.objections if each.id))
    return plan._replace(step=msgspec.structs.replace(plan.step, consent=change))


def _others(role: str, able: str, traject: Traject, pathway: Pathway, world: World) -> list[Organisation]:
    """Who could do it and has had no part in it: who had it once has sent it on already."""
    took_part: set[UUID] = {party for key, party in traject.roles.items() if NOT_CHOSEN not in key}
    able = able or pathway.file.roles[role].capability
    found = world.region.candidates(pathway, role, traject.municipality, able)
    return [each for each in found if each.id not in took_part]


_WHERE = (f"Parameters.parameter.where(name='{OPEN}')",)
_NOT_OPEN = Issue(
    nl="Dit kan niet open blijven voor wie het oppakt: noem een organisatie, of laat ‘open’ weg. GET Task/{id}/$next "
    "zegt wat kan.",
    en="This cannot be left open to who claims it: name an organisation, or leave 'open' out. GET Task/{id}/$next says "
    "what can.",
    expression=_WHERE,
    code="business-rule",
)
_NOBODY = Issue(
    nl="In deze gemeente is niemand anders die dit kan oppakken en bij wie de patiënt geen bezwaar heeft. Noem een "
    "organisatie.",
    en="Nobody else in this municipality could claim this without the patient objecting. Name an organisation.",
    expression=_WHERE,
    code="not-found",
)
