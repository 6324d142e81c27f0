"""How much of a resource a party sees: what its role in the pathway shows, and nothing that it does not list."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

from ketenzorg.access.parts import EARLIER
from ketenzorg.access.personal_numbers import TOKEN, put_back
from ketenzorg.fhir import json
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.visibility import Visibility, visibility

NOTHING = Visibility(everything=False, bsn=False, shows={}, answers=frozenset())
NEVER_CUT = frozenset({"resourceType", "id", "meta"})
OURS = "https://ketenzorg.example/fhir/"  # extensions of our own say the step; others may say anything
SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


def sight_of(pathway: Pathway, organisation: UUID, roles: Mapping[str, UUID]) -> Visibility:
    """What an organisation sees in a traject; of two roles the one that shows everything, else the first."""
    known = [role.partition(EARLIER)[0] for role, party in roles.items() if party == organisation]
    views = [visibility(pathway, role) for role in known]
    return next((view for view in views if view.everything), views[0] if views else NOTHING)


def parties_that_know(pathway: Pathway, roles: Mapping[str, UUID]) -> tuple[UUID, ...]:
    """The organisations whose role shows the patient's personal number."""
    return tuple(roles[role] for role in _roles_that_know(pathway) if role in roles)


@cache
def _roles_that_know(pathway: Pathway) -> tuple[str, ...]:
    return tuple(role for role in pathway.file.roles if visibility(pathway, role).bsn)


def parties_that_see(pathway: Pathway, kind: str, roles: Mapping[str, UUID]) -> tuple[UUID, ...]:
    """The organisations for which a resource of this type exists at all."""
    return tuple(dict.fromkeys(roles[role] for role in _roles_that_see(pathway, kind) if role in roles))


@cache  # the same for every traject of the version
def _roles_that_see(pathway: Pathway, kind: str) -> tuple[str, ...]:
    return tuple(role for role in pathway.file.roles if visibility(pathway, role).sees(kind))


def shown(body: bytes, kind: str, sight: Visibility, numbers: Mapping[UUID, str]) -> bytes:
    """The body as this party sees it, marked SUBSETTED where something was left out."""
    if sight.everything:
        return put_back(body, numbers)
    whole = json.read(body)
    seen = _elements(whole, kind, sight)
    if not sight.bsn:
        seen = _without_numbers(seen) or {}
    if seen != whole:
        meta = seen.get("meta", {})
        seen["meta"] = meta | {"tag": [*meta.get("tag", ()), SUBSETTED]}
    return put_back(json.write(seen), numbers if sight.bsn else {})


def _elements(whole: Mapping[str, Any], kind: str, sight: Visibility) -> dict[str, Any]:
    # A narrative tells all that the elements tell.
    seen = {
        key: value
        for key, value in whole.items()
        if key in NEVER_CUT or (key != "text" and sight.shows_element(kind, key))
    }
    extensions = [each for each in whole.get("extension", ()) if each["url"].startswith(OURS)]
    if extensions:
        seen["extension"] = extensions
    if kind == "QuestionnaireResponse" and "item" in seen:
        seen["item"] = [item for item in seen["item"] if item["linkId"] in sight.answers]
    return seen


def _without_numbers(node: Any) -> Any:
    """Leave out identifiers whose value is a personal number; one inside a text is masked at the end."""
    if isinstance(node, list):
        return [kept for value in node if (kept := _without_numbers(value)) is not None] or None
    if not isinstance(node, dict):
        return node
    if _is_number(node):
        return None
    return {key: kept for key, value in node.items() if (kept := _without_numbers(value)) is not None}


def _is_number(node: Any) -> bool:
    """An Identifier, or a reference's one, of which the value is the token of a personal number."""
    value = node.get("value") if isinstance(node, dict) else None
    return isinstance(value, str) and TOKEN.fullmatch(value.encode()) is not None
