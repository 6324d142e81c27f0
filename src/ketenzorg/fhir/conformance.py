"""What a resource breaks of a profile: every place at once. What cannot be checked is said, never passed over.

Works on the resource as plain data (ketenzorg.fhir.json), so that it also speaks of what R4 refuses.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from ketenzorg.errors import Issue
from ketenzorg.fhir import json
from ketenzorg.fhir.definitions import R4_BASE, is_coded
from ketenzorg.fhir.demands import Context, type_of
from ketenzorg.fhir.fhirpath import CannotTell
from ketenzorg.fhir.profiles import Constraint, Kind, Node, Profile, Profiles
from ketenzorg.fhir.r4_tables import RESOURCE_TYPES
from ketenzorg.fhir.slices import Item, Unknown, belongs, fits, items_of, same

_R4_VALUE_SETS: Final = "http://hl7.org/fhir/ValueSet/"
_DEEPEST = 40  # elements and profiles in each other
MOST = 1000  # findings of one profile; nobody reads more


class Enough(Exception):
    """More findings than anybody reads."""


def findings(data: Mapping[str, Any], profile: Profile, profiles: Profiles) -> list[Issue]:
    """Everything that the resource breaks of the profile, and what of it could not be checked."""
    walk = _Walk(data, profiles, _short(profile.url))
    for base in profile.missing:
        walk.unchecked(data["resourceType"], f"het profiel {base}", f"the profile {base}", "not-found")
    with suppress(Enough):
        walk.node(profile.root, Item(data, None, data["resourceType"], ""), data["resourceType"], 0)
    return list(dict.fromkeys(walk.issues))


class _Walk:
    """One walk over a resource beside the tree of a profile; collects the issues."""

    def __init__(self, resource: Mapping[str, Any], profiles: Profiles, named: str) -> None:
        self.resource = resource
        self.profiles = profiles
        self.named = named
        self.issues: list[Issue] = []
        self.context = _context(resource)

    # ---- saying it ------------------------------------------------------------------------------------

    def say(self, place: str, nl: str, en: str, code: str = "invariant", severity: str = "error") -> None:
        nl, en = f"{nl} (profiel {self.named})", f"{en} (profile {self.named})"
        self.issues.append(Issue(nl, en, (place,), code, severity))
        if len(self.issues) >= MOST:
            raise Enough

    def unchecked(self, place: str, nl: str, en: str, code: str = "not-supported") -> None:
        """What we did not look at stands in the answer: nobody may think that it was found right."""
        self.say(place, f"Niet nagekeken: {nl}.", f"Not checked: {en}.", code, "information")

    # ---- looking --------------------------------------------------------------------------------------

    def node(self, node: Node, item: Item, path: str, deep: int) -> None:
        """A value beside what the profile says of it; `path` is where the definition has it."""
        if deep > _DEEPEST:
            self.unchecked(item.place, "wat dieper genest is", "what is nested deeper")
            return
        self._value(node, item)
        content = item.content
        for constraint in node.constraints:
            self._invariant(constraint, item, path)
        for kind in node.kinds:
            self._kind(kind, node, item, deep)
        if isinstance(content, dict):
            for child in node.children.values():
                self._child(child, content, item.place, path, deep + 1)

    def _child(self, child: Node, content: Any, place: str, path: str, deep: int) -> None:
        items = items_of(content, child.name, place)
        name = child.name.removesuffix("[x]")
        self._count(child, len(items), f"{place}.{name}", "")
        for item in items:
            self.node(child, item, f"{path}.{name}", deep)
        if child.slices:
            self._slices(child, items, f"{place}.{name}", f"{path}.{name}", deep)

    def _count(self, node: Node, there: int, place: str, of: str) -> None:
        """`of`: the slice, or empty for the element itself."""
        name = f"'{of}'" if of else place.rpartition(".")[2]
        if there == 0 and node.min == 1:
            self.say(place, f"{name} ontbreekt.", f"{name} is missing.", "required")
        elif there < node.min:
            nl, en = (
                f"Van {name} zijn er minstens {node.min}.",
                f"There must be at least {node.min} of {name}.",
            )
            self.say(place, nl, en, "required")
        elif node.max == 0 and there:
            self.say(place, f"{name} mag hier niet.", f"{name} is not allowed here.")
        elif node.max is not None and there > node.max:
            nl, en = f"Van {name} is er hoogstens {node.max}.", f"There can be at most {node.max} of {name}."
            self.say(place, nl, en)

    def _slices(self, node: Node, items: list[Item], place: str, path: str, deep: int) -> None:
        of: dict[str, list[Item]] = {name: [] for name in node.slices}
        for item in items:
            try:
                name = next((n for n, s in node.slices.items() if self._belongs(item, s, node)), None)
            except Unknown:
                self.unchecked(place, "bij welk deel (slice) elk hoort", "to which slice each belongs")
                return
            if name is not None:
                of[name].append(item)
            elif node.slicing and node.slicing.rules == "closed":
                self.say(item.place, "Dit hoort bij geen enkel deel (slice).", "This belongs to no slice.")
        for name, slice_ in node.slices.items():
            self._count(slice_, len(of[name]), place, name)
            for item in of[name]:
                self.node(slice_, item, path, deep)

    def _belongs(self, item: Item, slice_: Node, node: Node) -> bool:
        if slice_.name.endswith("[x]") and node.slicing is None:
            return item.type in {kind.code for kind in slice_.kinds}
        return belongs(item, slice_, node, self.profiles, self._conforms, self._type)

    def _conforms(self, item: Item, canonical: str) -> bool:
        profile = self.profiles.find(canonical)
        if profile is None or not isinstance(item.content, dict):
            raise Unknown(canonical)
        inner = _Walk(self.resource, self.profiles, "")
        inner.node(profile.root, item, profile.type, 1)
        return all(issue.severity != "error" for issue in inner.issues)

    # ---- one value ------------------------------------------------------------------------------------

    def _value(self, node: Node, item: Item) -> None:
        place = item.place
        for name in node.unread:
            self.unchecked(place, f"{name} van {node.id}", f"{name} of {node.id}")
        if item.value is None:
            return
        for given, test in ((node.fixed, same), (node.pattern, fits)):
            if given and not test(given[0], item.value):
                shown = json.write(given[0]).decode().strip('"')
                self.say(place, f"Dit moet zijn: {shown}.", f"This must be: {shown}.", "value")
        if node.longest and isinstance(item.value, str) and len(item.value) > node.longest:
            nl = f"Hoogstens {node.longest} tekens."
            self.say(place, nl, f"At most {node.longest} characters.", "too-long")
        if item.type and node.kinds and item.type not in {kind.code for kind in node.kinds}:
            codes = ", ".join(kind.code for kind in node.kinds)
            self.say(place, f"Dit type mag hier niet; wel: {codes}.", f"Not this type; one of: {codes}.")
        if node.binding:
            self._binding(node, item)

    def _binding(self, node: Node, item: Item) -> None:
        strength, value_set = node.binding or ("", "")
        if strength not in ("required", "extensible"):
            return
        codes = self.profiles.definitions.codes(value_set)
        if codes is None:
            # Required codes of R4 itself were checked with the types.
            if not (value_set.startswith(_R4_VALUE_SETS) and isinstance(item.value, str)):
                self.unchecked(
                    item.place,
                    f"de code, want {value_set} is hier niet uit te schrijven",
                    f"the code, as {value_set} cannot be expanded here",
                )
        elif not is_coded(item.value, codes):
            severity = "error" if strength == "required" else "warning"
            nl, en = f"Geen code uit {value_set}.", f"No code of {value_set}."
            self.say(item.place, nl, en, "code-invalid", severity)

    def _kind(self, kind: Kind, node: Node, item: Item, deep: int) -> None:
        """What the profiles of its type say of a value, where it can be of no other type."""
        if kind.targets and isinstance(item.value, dict):
            self._target(node, item)
        if not kind.profiles or not isinstance(item.content, dict):
            return
        if item.type not in ("", kind.code) or (not item.type and len(node.kinds) > 1):
            return
        found = [self.profiles.find(each) for each in kind.profiles]
        profiles = [each for each in found if each is not None]
        if len(found) > 1:  # one of them must fit; which one was meant nobody says
            if not any(self._conforms(item, each.url) for each in profiles):
                self.say(item.place, "Dit past in geen van de profielen.", "This fits none of the profiles.")
        elif profiles:
            for base in profiles[0].missing:
                self.unchecked(item.place, f"het profiel {base}", f"the profile {base}", "not-found")
            self.node(profiles[0].root, item, profiles[0].type, deep + 1)
        elif not kind.profiles[0].startswith(f"{R4_BASE}SimpleQuantity"):
            canonical = kind.profiles[0]
            self.unchecked(item.place, f"het profiel {canonical}", f"the profile {canonical}", "not-found")

    def _target(self, node: Node, item: Item) -> None:
        targets = [target for kind in node.kinds for target in kind.targets]
        allowed = {self.profiles.type_of(target) for target in targets}
        found = self._type(item.value)
        if found and "" not in allowed and "Resource" not in allowed and found not in allowed:
            listed = ", ".join(sorted(allowed))
            nl = f"Deze verwijzing mag niet naar {found} wijzen, wel naar: {listed}."
            en = f"This reference cannot point at {found}; it can point at: {listed}."
            self.say(f"{item.place}.reference", nl, en, "value")
        if any(not target.startswith(R4_BASE) for target in targets):
            self.unchecked(
                item.place,
                "of waar deze verwijzing naar wijst aan zijn profiel voldoet",
                "whether what this reference points at conforms to its profile",
            )

    def _type(self, value: Any) -> str:
        """The type that a Reference names; empty when it does not tell."""
        if not isinstance(value, dict):
            return ""
        reference, named = value.get("reference"), value.get("type")
        found = type_of(reference, self.context) if isinstance(reference, str) else named
        return found if found in RESOURCE_TYPES else ""

    def _invariant(self, constraint: Constraint, item: Item, path: str) -> None:
        try:
            held = self.profiles.expressions.holds(
                constraint.expression, item.content, item.type or path, self.resource, item.beside
            )
        except CannotTell:
            key = constraint.key
            self.unchecked(item.place, f"de regel {key}", f"the rule {key}, which we cannot evaluate")
            return
        if not held:
            nl, en = f"{constraint.nl} ({constraint.key})", f"{constraint.en} ({constraint.key})"
            self.say(item.place, nl, en, "invariant", constraint.severity)


def _context(resource: Mapping[str, Any]) -> Context:
    contained = [each for each in _list(resource.get("contained")) if isinstance(each, dict)]
    entries = [each for each in _list(resource.get("entry")) if isinstance(each, dict)]
    return Context(
        {str(each.get("id")): str(each.get("resourceType")) for each in contained},
        {
            str(each["fullUrl"]): str(each["resource"].get("resourceType"))
            for each in entries
            if "fullUrl" in each and isinstance(each.get("resource"), dict)
        },
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _short(url: str) -> str:
    return url.rpartition("/")[2]
