"""Checks of who takes part: roles, who asks whom, what a role that does not see everything sees."""

from collections.abc import Iterable, Iterator
from typing import get_args

import msgspec

from ketenzorg.fhir import r4
from ketenzorg.pathway.definition import PathwayFile
from ketenzorg.pathway.findings import Finding, Place, unknown
from ketenzorg.pathway.known_names import clocks, happenings
from ketenzorg.pathway.region_file import Kind
from ketenzorg.pathway.words import ALL_ELEMENTS, EVERYBODY, EVERYTHING, ITSELF, PERFORMER, REQUESTER

KINDS = get_args(Kind)
NEEDED_TO_WORK = ("Task", "ServiceRequest", "CarePlan")
MEANT = frozenset({REQUESTER, PERFORMER, EVERYBODY})  # roles that the hand-over of a step names


def check_roles(file: PathwayFile) -> list[Finding]:
    """Every name in roles, hand-overs and views that nothing has."""
    return [*_check_roles(file), *_check_handovers(file), *_check_views(file)]


def _check_roles(file: PathwayFile) -> Iterator[Finding]:
    for name, role in file.roles.items():
        if role.sees != EVERYTHING and role.sees not in file.views:
            known = [*file.views, EVERYTHING]
            yield unknown(("roles", name, "sees"), "inzage", "view", role.sees, known)
        if not role.kinds:
            nl, en = "welke soorten organisaties?", "which kinds of organisation?"
            yield Finding(("roles", name, "kinds"), nl, en)
        yield from _check_kinds(("roles", name, "kinds"), role.kinds)
    for index, variant in enumerate(file.variant):
        for name, kinds in variant.kinds.items():
            yield from _check_kinds(("variant", index, "kinds", name), kinds)
    for part in () if file.handovers else ("requester", "owner"):
        if not any(role.part == part for role in file.roles.values()):
            yield Finding(("roles",), f"geen rol met part = ‘{part}’.", f"no role with part = '{part}'.")
    for place, names in _role_names(file):
        # A question stands in no step, so nobody asks or performs there.
        meant = {"by": MEANT | {ITSELF}, "for": {EVERYBODY}}.get(str(place[-1]), MEANT)
        for name in names:
            if name not in file.roles and name not in meant:
                yield unknown(place, "rol", "role", name, file.roles)


def _check_kinds(place: Place, kinds: Iterable[str]) -> Iterator[Finding]:
    for kind in kinds:
        if kind not in KINDS:
            yield unknown(place, "soort organisatie", "kind of organisation", kind, KINDS)


def _role_names(file: PathwayFile) -> Iterator[tuple[Place, Iterable[str]]]:
    for name, step in file.steps.items():
        yield ("steps", name, "owner"), [step.owner]
    for index, side in enumerate(file.side):
        yield ("side", index, "owner"), [side.owner]
    for name, element in file.data.items():
        yield ("data", name, "for"), element.for_
    for place, clock in clocks(file):
        yield (*place, "tell"), clock.tell
        for number, later in enumerate(clock.then):
            yield (*place, "then", number, "tell"), later.tell
    for place, move in happenings(file):
        yield (*place, "by"), move.by or [""]
        yield (*place, "tell"), move.tell


def _check_views(file: PathwayFile) -> Iterator[Finding]:
    for name, view in file.views.items():
        for kind in NEEDED_TO_WORK:
            if kind not in view.shows:
                nl = f"wie meedoet ziet ten minste {', '.join(NEEDED_TO_WORK)}: zonder {kind} kan die rol niets melden."
                en = f"who takes part sees {', '.join(NEEDED_TO_WORK)} at least: without {kind} it can say nothing."
                yield Finding(("views", name, "shows"), nl, en)
        for kind, elements in view.shows.items():
            place: Place = ("views", name, "shows", kind)
            if kind not in r4.STORED_TYPES:
                yield unknown(place, "FHIR-soort", "FHIR type", kind, r4.STORED_TYPES)
                continue
            known = {field.encode_name for field in msgspec.structs.fields(getattr(r4, kind))}
            for element in elements:
                if element not in known | {ALL_ELEMENTS}:
                    yield unknown(place, "FHIR-element", "FHIR element", element, known)


def _check_handovers(file: PathwayFile) -> Iterator[Finding]:
    for name, handover in file.handovers.items():
        for key, role in (("from", handover.from_), ("to", handover.to)):
            if role not in file.roles:
                yield unknown(("handovers", name, key), "rol", "role", role, file.roles)
    for name, step in file.steps.items():
        if step.handover and step.handover not in file.handovers:
            place: Place = ("steps", name, "handover")
            yield unknown(place, "overdracht", "hand-over", step.handover, file.handovers)
    if file.regie and file.regie not in file.roles:
        yield unknown(("regie",), "rol", "role", file.regie, file.roles)
