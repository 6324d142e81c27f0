"""Paths into a resource: as much of FHIRPath as FHIRPath Patch needs. https://hl7.org/fhirpath/N1

Names, [n], first(), last(), single(), ofType(T), extension('url'), and where() that compares such paths with a value.
The library of `$validate` evaluates whatever it is given, for as long as that takes; what is read here looks at so many
elements and no more.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from ketenzorg.fhir import elements
from ketenzorg.fhir.r4_tables import CHOICES

LONGEST: Final = 500  # characters
DEEPEST: Final = 3  # where() inside where()
TOKEN: Final = re.compile(
    r"""\s*(?:(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>[0-9]{1,9}(?:\.[0-9]{1,9})?)"""
    r"""|(?P<text>'(?:[^'\\]|\\.)*')|(?P<sign>[.()\[\]=]))"""
)
ESCAPED: Final = re.compile(r"\\(.)")
MOST: Final = 20_000  # elements that all paths of one patch look at together
FUNCTIONS: Final = "where(), first(), last(), single(), ofType(), extension()"


class Wrong(Exception):
    """Why a path cannot be followed: in Dutch, in English."""


class Walk(msgspec.Struct):
    """How much may still be looked at."""

    left: int = MOST

    def sees(self, elements: int) -> None:
        """Raises Wrong when it is too much."""
        self.left -= elements
        if self.left < 0:
            raise Wrong(
                f"deze paden gaan samen langs meer dan {MOST} elementen",
                f"together these paths go past more than {MOST} elements",
            )


class Node(NamedTuple):
    """One element, and where it stands: in `above`, under `name`, at `at` where that is a list."""

    value: Any
    kind: type[msgspec.Struct] | None  # None: a primitive
    above: "Node | None" = None
    name: str = ""  # in JSON
    at: int | None = None


class Step(msgspec.Struct, frozen=True):
    """One step: a name, an index, or a function with its argument."""

    does: str
    name: str = ""
    index: int = 0
    criteria: tuple["Criterion", ...] = ()


class Criterion(msgspec.Struct, frozen=True):
    """A path, and what it must be equal to; None: that it leads anywhere."""

    path: tuple[Step, ...]
    equals: Any = None


class Path(msgspec.Struct, frozen=True):
    """A path that was understood."""

    steps: tuple[Step, ...]

    def find(self, resource: dict[str, Any], walk: Walk) -> list[Node]:
        """Everything that it leads to. Raises Wrong for a name that the type at that place does not have."""
        return _followed(self.steps, [_root(resource)], walk)

    def list_in(self, resource: dict[str, Any], walk: Walk) -> tuple[list[Node], str]:
        """Everything that holds the list to which it leads, and its name. Raises Wrong where it ends otherwise."""
        *steps, last = self.steps or (Step(""),)
        if last.does != "name":
            raise Wrong(
                "noem hier de lijst zelf, zonder [n] of functie",
                "name the list itself, without [n] or function",
            )
        return _followed(tuple(steps), [_root(resource)], walk), last.name


def read_path(text: str, kind: str) -> Path:
    """A path into a resource of this type. Raises Wrong."""
    if len(text) > LONGEST:
        raise Wrong(f"hoogstens {LONGEST} tekens", f"at most {LONGEST} characters")
    reader = _Reader(text)
    steps = reader.path()
    reader.end()
    if steps and steps[0] == Step("name", kind):
        steps = steps[1:]
    return Path(steps)


def names_of(kind: type[msgspec.Struct], name: str) -> list[str]:
    """How an element is called in JSON: more than one where its type is a choice. Raises Wrong when there is none."""
    known = elements.of(kind)
    if name in known and not known[name].companion and name != "resourceType":
        return [name]
    choice = CHOICES.get(kind.__name__, {}).get(name)
    if choice is None:
        place = kind.__name__.replace("_", ".")
        raise Wrong(f"{place} heeft dit element niet", f"{place} has no such element")
    return choice[1]


def _root(resource: dict[str, Any]) -> Node:
    return Node(resource, elements.RESOURCES[resource["resourceType"]])


def _followed(steps: tuple[Step, ...], nodes: list[Node], walk: Walk) -> list[Node]:
    for step in steps:
        nodes = list(_taken(step, nodes, walk))
        walk.sees(1 + len(nodes))
    return nodes


def _taken(step: Step, nodes: list[Node], walk: Walk) -> Iterator[Node]:
    match step.does:
        case "name":
            yield from (child for node in nodes for child in _children(node, step.name))
        case "[]":
            yield from nodes[step.index : step.index + 1]
        case "first":
            yield from nodes[:1]
        case "last":
            yield from nodes[-1:]
        case "single":
            if len(nodes) > 1:
                raise Wrong("single() vindt er meer dan één", "single() finds more than one")
            yield from nodes
        case "ofType":
            yield from (node for node in nodes if _type_of(node) == step.name.lower())
        case "extension":
            yield from (
                child
                for node in nodes
                for child in _children(node, "extension")
                if child.value.get("url") == step.name
            )
        case "where":
            yield from (node for node in nodes if all(_holds(each, node, walk) for each in step.criteria))


def _children(node: Node, name: str) -> Iterator[Node]:
    if node.kind is None:
        raise Wrong("onder een enkele waarde staat hier niets", "nothing stands under a single value here")
    known = elements.of(node.kind)
    for each in names_of(node.kind, name):
        value = node.value.get(each)
        if value is None and f"_{each}" in node.value:
            value = [None] * len(node.value[f"_{each}"]) if known[each].many else ""
        if value is None:
            continue
        if known[each].many:
            yield from (Node(one, _kind(known[each], one), node, each, at) for at, one in enumerate(value))
        else:
            yield Node(value, _kind(known[each], value), node, each)


def _kind(element: elements.Element, value: Any) -> type[msgspec.Struct] | None:
    return elements.RESOURCES.get(value.get("resourceType", "")) if element.resource else element.kind


def _type_of(node: Node) -> str:
    """Of a choice the type that its name ends on, of all else its own, without capitals."""
    if node.above is not None and node.above.kind is not None:
        for stem, (_, names) in CHOICES.get(node.above.kind.__name__, {}).items():
            if node.name in names:
                return node.name.removeprefix(stem).lower()
    return node.kind.__name__.lower() if node.kind else ""


def _holds(criterion: Criterion, node: Node, walk: Walk) -> bool:
    found = [each.value for each in _followed(criterion.path, [node], walk)]
    if criterion.equals is None:
        return bool(found)
    return found == [criterion.equals] and isinstance(found[0], bool) is isinstance(criterion.equals, bool)


class _Reader:
    """Reads from left to right, without going back."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0

    def end(self) -> None:
        """Raises Wrong when something is left."""
        if self._at < len(self._tokens):
            raise _unknown()

    def path(self) -> tuple[Step, ...]:
        steps = [self._name_or_function()]
        while self._take("sign", ".", "["):
            steps.append(self._index() if self._before() == "[" else self._name_or_function())
        return tuple(steps)

    def _index(self) -> Step:
        number = self._need("number")
        self._need("sign", "]")
        if not number.isdigit():
            raise _unknown()
        return Step("[]", index=int(number))

    def _name_or_function(self) -> Step:
        word = self._need("word")
        if not self._take("sign", "("):
            return Step("name", word)
        step = self._function(word)
        self._need("sign", ")")
        return step

    def _function(self, name: str) -> Step:
        match name:
            case "first" | "last" | "single":
                return Step(name)
            case "exists" if self._depth:
                return Step(name)
            case "ofType":
                return Step(name, self._need("word"))
            case "extension":
                return Step(name, _unquoted(self._need("text")))
            case "where":
                return Step(name, criteria=tuple(self._criteria()))
            case _:
                raise _unknown()

    def _criteria(self) -> Iterator[Criterion]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Wrong(
                f"where() in where() hoogstens {DEEPEST} diep", f"where() in where() at most {DEEPEST} deep"
            )
        yield self._criterion()
        while self._take("word", "and"):
            yield self._criterion()
        self._depth -= 1

    def _criterion(self) -> Criterion:
        *path, last = self.path()
        if any(each.does == "exists" for each in path):
            raise _unknown()
        if last.does == "exists":
            return Criterion(tuple(path))
        self._need("sign", "=")
        return Criterion((*path, last), self._value())

    def _value(self) -> Any:
        if self._take("text"):
            return _unquoted(self._before())
        if self._take("word", "true", "false"):
            return self._before() == "true"
        return Decimal(self._need("number"))

    def _take(self, sort: str, *wanted: str) -> bool:
        """Whether this comes next; then it has been read."""
        if self._at == len(self._tokens):
            return False
        found, text = self._tokens[self._at]
        if found != sort or (wanted and text not in wanted):
            return False
        self._at += 1
        return True

    def _before(self) -> str:
        return self._tokens[self._at - 1][1]

    def _need(self, sort: str, *wanted: str) -> str:
        if not self._take(sort, *wanted):
            raise _unknown()
        return self._before()


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    text, at = text.rstrip(), 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise _unknown()
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


def _unquoted(text: str) -> str:
    return ESCAPED.sub(r"\1", text[1:-1])


def _unknown() -> Wrong:
    return Wrong(
        f"zo'n pad kennen we hier niet; wel namen, [n], {FUNCTIONS}; binnen where(): a.b = 'x', and, exists()",
        f"no such path here; there are names, [n], {FUNCTIONS}; inside where(): a.b = 'x', and, exists()",
    )
