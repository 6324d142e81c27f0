"""How much of a resource a party sees: what its role shows in this step, and nothing that it does not list."""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache, lru_cache, reduce
from typing import Any
from uuid import UUID

from ketenzorg.access.parts import part_of
from ketenzorg.access.personal_numbers import TOKEN, put_back
from ketenzorg.access.rules import TABLE, rule_for, types_for
from ketenzorg.fhir import json
from ketenzorg.fhir.part import SUBSETTED
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.standing import (
    ASKED,
    NOT_CHOSEN,
    Standing,
    always_knows_alike,
    known_by,
    role_in,
)
from ketenzorg.pathway.visibility import NOTHING, Visibility, narrowest, view_named, visibility, widest

NEVER_CUT = frozenset({"resourceType", "id", "meta"})
OURS = "https://ketenzorg.example/fhir/"  # extensions of our own say the step; others may say anything
TARGET = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?\Z")
CANDIDATE = Visibility(everything=False, bsn=False, shows={**TABLE.candidate}, answers=frozenset())
PASSED_OVER = Visibility(everything=False, bsn=False, shows={**TABLE.not_chosen}, answers=frozenset())


@cache
def view_of(pathway: Pathway, role: str, step: str) -> Visibility:
    """What a role sees by a step: no more than its `sees`, nor than [[identity]] says it knows of the patient there.

    In a step that [[identity]] does not name for it, it sees what a candidate sees.
    """
    own, known = visibility(pathway, role), known_by(pathway, role)
    if not known:
        return own
    if always_knows_alike(pathway, role):
        return narrowest(own, view_named(pathway, next(iter(known.values())), role))
    here = pathway.steps[step].main if step else step
    return narrowest(own, view_named(pathway, known[here], role) if here in known else CANDIDATE)


def sight_of(pathway: Pathway, organisation: UUID, standing: Standing) -> Visibility:
    """What an organisation sees in a traject; with two roles what either shows."""
    views = [
        _view_by(key, pathway, standing) for key, party in standing.roles.items() if party == organisation
    ]
    return reduce(widest, views) if views else NOTHING


def _view_by(key: str, pathway: Pathway, standing: Standing) -> Visibility:
    if ASKED in key:
        return CANDIDATE
    return PASSED_OVER if NOT_CHOSEN in key else view_of(pathway, role_in(key), standing.phase_of(key))


def sight_by_rule(
    does: str, kind: str, organisation: UUID, pathway: Pathway, standing: Standing, involved: Collection[UUID]
) -> Visibility:
    """What an organisation sees when it does this with a type of resource: nothing where no rule lets it."""
    part = part_of(organisation, pathway, standing.step, standing.roles, involved)
    rule = rule_for(does, kind, part)
    return NOTHING if rule is None else sight_of(pathway, organisation, standing)


def sights_of(pathway: Pathway, standing: Standing, organisations: Iterable[UUID]) -> dict[UUID, Visibility]:
    """What each of these organisations sees."""
    return {each: sight_of(pathway, each, standing) for each in organisations}


def exists_for(sight: Visibility, kind: str) -> bool:
    """Whether resources of this type are there at all for who sees this: by its view, and by a rule."""
    return sight.sees(kind) and kind in types_for("read")


def who_sees(kind: str, sights: Mapping[UUID, Visibility]) -> tuple[UUID, ...]:
    """The organisations for which a resource of this type exists."""
    return tuple(each for each, sight in sights.items() if exists_for(sight, kind))


def shown(body: bytes, kind: str, sight: Visibility, numbers: Mapping[UUID, str]) -> bytes:
    """The body as this party sees it, marked SUBSETTED where something was left out."""
    if sight.everything:
        return put_back(body, numbers)
    whole = json.read(body)
    seen = _kept(_elements(whole, kind, sight), sight) or {}
    if seen != whole:
        meta = seen.get("meta", {})
        seen["meta"] = meta | {"tag": [*meta.get("tag", ()), SUBSETTED]}
    return put_back(json.write(seen), numbers if sight.bsn else {})


def is_cut(resource: Mapping[str, Any]) -> bool:
    """Whether a resource says that something was left out of it."""
    return any(tag.get("code") == SUBSETTED["code"] for tag in resource.get("meta", {}).get("tag", ()))


def _elements(whole: Mapping[str, Any], kind: str, sight: Visibility) -> dict[str, Any]:
    hidden = _hidden_among(tuple(whole), kind, sight)
    seen = {key: value for key, value in whole.items() if key not in hidden}
    extensions = [each for each in whole.get("extension", ()) if each["url"].startswith(OURS)]
    if extensions:
        seen["extension"] = extensions
    if kind == "QuestionnaireResponse" and "item" in seen:
        seen["item"] = _items(seen["item"], sight.answers)
    return seen


@lru_cache(maxsize=1024)  # resources of a type mostly have the same elements, and there are few views
def _hidden_among(elements: tuple[str, ...], kind: str, sight: Visibility) -> frozenset[str]:
    # A narrative tells all that the elements tell.
    return frozenset(
        each
        for each in elements
        if each not in NEVER_CUT and (each == "text" or not sight.shows_element(kind, each))
    )


def _items(items: Iterable[Mapping[str, Any]], answers: frozenset[str]) -> list[dict[str, Any]]:
    """The questions whose answers are shown, each with what is shown of the questions under it."""
    kept = []
    for item in items:
        under = _items(item.get("item", ()), answers)
        if item["linkId"] in answers:
            said = [_answer(each, answers) for each in item.get("answer", ())]
            kept.append({**item, **({"answer": said} if said else {}), "item": under})
        elif under:
            kept.append({"linkId": item["linkId"], "item": under})
    return [{key: value for key, value in item.items() if key != "item" or value} for item in kept]


def _answer(answer: Mapping[str, Any], answers: frozenset[str]) -> dict[str, Any]:
    under = _items(answer.get("item", ()), answers)
    own = {key: value for key, value in answer.items() if key != "item"}
    return own | {"item": under} if under else own


def _kept(node: Any, sight: Visibility) -> Any:
    """Leave out personal numbers, and what a reference calls a target that this view does not show.

    A number inside a text is masked at the end.
    """
    if not isinstance(node, dict):
        if not isinstance(node, list):
            return node
        return [kept for value in node if (kept := _kept(value, sight)) is not None] or None
    if not sight.bsn and "value" in node and _is_number(node["value"]):
        return None
    kept = {}
    for (
        key,
        value,
    ) in node.items():  # no comprehension, and no call for a text: each costs more than what it does
        part = value if isinstance(value, str) else _kept(value, sight)
        if part is not None:
            kept[key] = part
    contained = str(node.get("reference", "")).startswith("#")  # what is contained is never shown in part
    if (contained or "display" in node) and _refers_to_what_is_hidden(node, sight):
        kept.pop("display", None)
        if contained:
            del kept["reference"]
    return kept or None


def _is_number(value: Any) -> bool:
    """Whether an Identifier with this value has the token of a personal number."""
    return isinstance(value, str) and value.startswith("bsn:") and TOKEN.fullmatch(value.encode()) is not None


def _refers_to_what_is_hidden(node: Mapping[str, Any], sight: Visibility) -> bool:
    """A reference to somebody or something that this view does not show: its `display` may be the name of a patient."""
    reference = node.get("reference", "")
    if not isinstance(reference, str) or not (reference or "identifier" in node):
        return False  # no reference: the display of a code, say
    target = TARGET.search(reference)
    kind = target[1] if target else node.get("type", "" if reference else None)
    return isinstance(kind, str) and kind not in TABLE.types["directory"] and not sight.sees(kind)
