"""Where a traject stands, and in which step each of its roles last knew the patient.

[[identity]] of a pathway file says in which steps a role knows the patient. In another step it learns nothing, and
keeps what it knew: a role whose part has ended, or that looks on while another has the work, sees by the last step in
which it knew the patient. That step is kept with the traject, for as long as it is not the step of now.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple
from uuid import UUID

from ketenzorg.pathway.flatten import resolve
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.taking_part import taking_part

EARLIER = "#"  # "nefroloog#<id>": who had this role before another took it over
ASKED = "?"  # "fysiotherapeut?<id>": was asked for this role, and nobody has been chosen yet
NOT_CHOSEN = "!"  # "fysiotherapeut!<id>": was asked, and is so no longer
MARKS = re.compile(r"[#?!]")
NEVER = ""  # for a step: it has not known the patient yet


class Standing(NamedTuple):
    """The step of now, who has which role, and for whom another step says what it knows."""

    step: str
    roles: Mapping[str, UUID]
    phases: Mapping[str, str]  # key of `roles` -> step; NEVER: none yet

    def phase_of(self, key: str) -> str:
        """The step that says what a role knows."""
        return self.phases.get(key, self.step)


BEFORE_THE_FIRST = Standing("", {}, {})


def role_in(key: str) -> str:
    """The role that a key of `roles` is about, whoever has, had or was asked for it."""
    return MARKS.split(key, maxsplit=1)[0]


def has(key: str) -> bool:
    """Whether who stands under this key of `roles` has the role now."""
    return MARKS.search(key) is None


def roles_of(organisation: UUID, roles: Mapping[str, UUID]) -> list[str]:
    """The roles that an organisation has in a traject: in these it acts."""
    return [role for role, party in roles.items() if party == organisation and has(role)]


def holds_now(sender: UUID, roles: Mapping[str, UUID]) -> UUID:
    """Who has the patient of a referral now: who sent it, or the practice to which its roles passed."""
    holder = sender
    for _ in roles:
        if any(has(key) and party == holder for key, party in roles.items()):
            return holder
        earlier = (role_in(key) for key, party in roles.items() if EARLIER in key and party == holder)
        holder = next((roles[role] for role in earlier if role in roles), holder)
    return holder


def asked_in(roles: Mapping[str, UUID]) -> tuple[UUID, ...]:
    """Who was asked, as long as nobody has been chosen."""
    return tuple(party for key, party in roles.items() if ASKED in key)


def only_asked(organisation: UUID, roles: Mapping[str, UUID]) -> bool:
    """Whether an organisation is a candidate, or was one, and nothing else."""
    keys = [key for key, party in roles.items() if party == organisation]
    return bool(keys) and all(ASKED in key or NOT_CHOSEN in key for key in keys)


@cache  # the same for every traject of the version
def known_by(pathway: Pathway, role: str) -> Mapping[str, str]:
    """Step -> the view by which [[identity]] says that a role knows the patient there; empty: it says nothing of it."""
    return {
        step: known.sees
        for known in pathway.file.identity
        if known.role == role
        for step in resolve(known.steps, pathway.file)
    }


@cache
def always_knows_alike(pathway: Pathway, role: str) -> bool:
    """Whether no step makes a difference for what a role knows; an end is no step of its own."""
    known = known_by(pathway, role)
    running = {step for step, table in pathway.file.steps.items() if not table.ends}
    return not known or (running <= known.keys() and len(set(known.values())) == 1)


def knows_in(pathway: Pathway, role: str, step: str) -> bool:
    """Whether a role takes part in this step and knows the patient in it."""
    main = pathway.steps[step].main
    return main in known_by(pathway, role) and role in taking_part(pathway, step)


def phases_after(pathway: Pathway, before: Standing, step: str, roles: Mapping[str, UUID]) -> dict[str, str]:
    """Of the roles for which it is not the step that a traject comes in now: the step that says what they know."""
    phases = {}
    for key, organisation in roles.items():
        if ASKED in key or NOT_CHOSEN in key:  # a candidate knows nothing of the patient in any step
            continue
        role, _, earlier = key.partition(EARLIER)
        if always_knows_alike(pathway, role) or (not earlier and knows_in(pathway, role, step)):
            continue
        phases[key] = _last_known(key, organisation, pathway, before)
    return phases


def _last_known(key: str, organisation: UUID, pathway: Pathway, before: Standing) -> str:
    role = key.partition(EARLIER)[0]
    for known_as in (key, role, f"{role}{EARLIER}{organisation}"):
        if before.roles.get(known_as) == organisation:
            phase = before.phase_of(known_as)
            return phase if phase and knows_in(pathway, role, phase) else NEVER
    return NEVER  # new in the traject
