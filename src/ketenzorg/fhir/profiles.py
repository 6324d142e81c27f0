"""A StructureDefinition, compiled: a tree of what each element of a resource must be.

https://hl7.org/fhir/R4/profiling.html. A profile without a snapshot is laid over that of its base; what R4 itself says
of the element is checked before (ketenzorg.fhir.decode), so the base of R4 adds nothing here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from ketenzorg.fhir.definitions import R4_BASE, Definition, Definitions
from ketenzorg.fhir.fhirpath import Expressions
from ketenzorg.fhir.invariants import INVARIANTS, LEFT_OUT, STRUCTURAL

# Of R4 itself: checked with the types, or left out with a reason.
OF_R4: Final = frozenset({each.key for each in INVARIANTS} | set(STRUCTURAL) | set(LEFT_OUT))
_LONGEST_CHAIN = 10  # profiles on profiles
_SEGMENT = re.compile(r"([^:]+)(?::(.+))?\Z")


class Kind(NamedTuple):
    """One type that a value may have."""

    code: str
    profiles: tuple[str, ...]
    targets: tuple[str, ...]


class Constraint(NamedTuple):
    """An invariant of a profile."""

    key: str
    expression: str
    nl: str
    en: str
    severity: str


class Binding(NamedTuple):
    """To which value set the codes are bound."""

    strength: str
    value_set: str


class Discriminator(NamedTuple):
    """By what the slices of an element are told apart."""

    type: str
    path: str


class Slicing(NamedTuple):
    """How an element is sliced."""

    by: tuple[Discriminator, ...]
    rules: str


@dataclass(eq=False)
class Node:
    """What a profile says of one element, or of one slice of it."""

    name: str
    id: str
    min: int = 0
    max: int | None = None  # None: any number
    kinds: tuple[Kind, ...] = ()
    fixed: tuple[Any, ...] = ()  # empty, or the value
    pattern: tuple[Any, ...] = ()
    longest: int | None = None
    binding: Binding | None = None
    constraints: tuple[Constraint, ...] = ()
    slicing: Slicing | None = None
    unread: tuple[str, ...] = ()  # what stands in the definition and is not checked
    children: dict[str, "Node"] = field(default_factory=dict)
    slices: dict[str, "Node"] = field(default_factory=dict)


class Profile(NamedTuple):
    """A compiled StructureDefinition."""

    url: str
    type: str
    root: Node
    missing: tuple[str, ...]  # the bases that are not here


class Profiles:
    """Compiled profiles by canonical, each compiled once."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.expressions = Expressions(definitions.codes)
        self._compiled: dict[str, Profile | None] = {}

    def find(self, canonical: str) -> Profile | None:
        """The profile that a canonical names; None when it is not here or is none."""
        if canonical not in self._compiled:
            self._compiled[canonical] = self._compile(canonical)
        return self._compiled[canonical]

    def type_of(self, canonical: str) -> str:
        """The type of resource or data type that a profile is about; empty when it is not known."""
        if canonical.startswith(R4_BASE) and self.definitions.find(canonical) is None:
            return canonical.removeprefix(R4_BASE)
        definition = self.definitions.find(canonical)
        return str(definition.get("type", "")) if definition else ""

    def _compile(self, canonical: str) -> Profile | None:
        definition = self.definitions.find(canonical)
        if definition is None or definition.get("resourceType") != "StructureDefinition":
            return None
        missing: list[str] = []
        elements = self._elements(definition, missing, 0)
        return Profile(definition["url"], definition["type"], _tree(elements), tuple(missing))

    def _elements(self, definition: Definition, missing: list[str], deep: int) -> dict[str, dict[str, Any]]:
        """By id: what the snapshot says, or the differential over what the base says."""
        if "snapshot" in definition:
            return _by_id(definition["snapshot"]["element"])
        base = definition.get("baseDefinition", "")
        found: dict[str, dict[str, Any]] = {}
        below = self.definitions.find(base)
        if below is not None and below.get("derivation") == "constraint" and deep < _LONGEST_CHAIN:
            found = self._elements(below, missing, deep + 1)
        elif not base.startswith(R4_BASE):
            missing.append(base)
        for id_, element in _by_id(definition.get("differential", {}).get("element", ())).items():
            found[id_] = _over(found.get(id_, {}), element)
        return found


def _by_id(elements: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each.get("id") or _made_id(each): dict(each) for each in elements}


def _made_id(element: Mapping[str, Any]) -> str:
    """An element without id: its path, with the name of its own slice."""
    return ":".join(filter(None, (element["path"], element.get("sliceName"))))


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    constraints = [*below.get("constraint", ()), *above.get("constraint", ())]
    return {**below, **above} | ({"constraint": constraints} if constraints else {})


def _tree(elements: Mapping[str, Mapping[str, Any]]) -> Node:
    root = Node("", "")
    contents: list[tuple[Node, str]] = []
    for id_, element in elements.items():
        node = _at(root, id_)
        _fill(node, element)
        if "contentReference" in element:
            contents.append((node, element["contentReference"].rpartition("#")[2]))
    for node, target in contents:
        node.children = _at(root, target).children
    return root


def _at(root: Node, id_: str) -> Node:
    """The node of an element id, made with those above it where it is not there yet."""
    node = root
    for segment in id_.split(".")[1:]:
        found = _SEGMENT.match(segment)
        name, slice_ = (found[1], found[2]) if found else (segment, None)
        node = node.children.setdefault(name, Node(name, id_))
        if slice_:
            node = node.slices.setdefault(slice_, Node(name, id_))
    node.id = id_
    return node


def _fill(node: Node, element: Mapping[str, Any]) -> None:
    node.min = element.get("min", 0)
    most = element.get("max", "*")
    node.max = None if most == "*" else int(most)
    node.kinds = tuple(_kind(each) for each in element.get("type", ()))
    node.fixed, node.pattern = _given("fixed", element), _given("pattern", element)
    node.longest = element.get("maxLength")
    binding = element.get("binding")
    if binding and "valueSet" in binding:
        node.binding = Binding(binding["strength"], binding["valueSet"])
    node.constraints = tuple(
        _constraint(each)
        for each in element.get("constraint", ())
        if each["key"] not in OF_R4 and "expression" in each
    )
    slicing = element.get("slicing")
    if slicing:
        by = tuple(Discriminator(each["type"], each["path"]) for each in slicing.get("discriminator", ()))
        node.slicing = Slicing(by, slicing["rules"])
    node.unread = tuple(
        name
        for name in element
        if name.startswith(("minValue", "maxValue"))
        or (slicing and name == "slicing" and slicing.get("ordered"))
    )


def _kind(element: Mapping[str, Any]) -> Kind:
    return Kind(element["code"], tuple(element.get("profile", ())), tuple(element.get("targetProfile", ())))


def _given(stem: str, element: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(
        value for name, value in element.items() if name.startswith(stem) and name[len(stem) :][:1].isupper()
    )


def _constraint(element: Mapping[str, Any]) -> Constraint:
    human = element.get("human", element["key"])
    return Constraint(
        element["key"],
        element["expression"],
        _translated(element.get("_human", {}), "nl") or human,
        human,
        element.get("severity", "error"),
    )


def _translated(companion: Mapping[str, Any], language: str) -> str:
    """https://hl7.org/fhir/R4/extension-translation.html"""
    for extension in companion.get("extension", ()):
        parts = {each.get("url"): each for each in extension.get("extension", ())}
        if parts.get("lang", {}).get("valueCode") == language:
            return str(parts.get("content", {}).get("valueString", ""))
    return ""
