"""Which slice of an element a value belongs to. https://hl7.org/fhir/R4/profiling.html#discriminator"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from ketenzorg.fhir import r4
from ketenzorg.fhir.definitions import is_coded
from ketenzorg.fhir.profiles import Node, Profiles
from ketenzorg.fhir.r4_tables import CHOICES

_STEP = re.compile(r"extension\('([^']+)'\)|resolve\(\)|\$this|[A-Za-z]\w*")
_PATH = re.compile(rf"(?:{_STEP.pattern})(?:\.(?:{_STEP.pattern}))*\Z")
_OPEN_TYPES = frozenset(name.removeprefix("value") for name in CHOICES["Extension"]["value"][1])


class Item(NamedTuple):
    """One value of an element, with its place; of a primitive, what came beside it."""

    value: Any  # None: a primitive that is only its companion
    beside: Any
    place: str
    type: str  # of a choice element

    @property
    def content(self) -> Any:
        """The value, or the extensions that came in its place."""
        return self.beside if self.value is None else self.value


class Unknown(Exception):
    """It cannot be told here whether a value belongs to a slice."""


Conforms = Callable[[Item, str], bool]
TypeOf = Callable[[Any], str]


def items_of(data: Any, name: str, place: str) -> list[Item]:
    """The values of an element in an object; of a choice element whichever is there."""
    if not isinstance(data, dict):
        return []
    if name.endswith("[x]"):
        return list(_of_choice(data, name[:-3], place))
    return _listed(data.get(name), data.get("_" + name), f"{place}.{name}", "")


def _of_choice(data: dict[str, Any], stem: str, place: str) -> Iterator[Item]:
    for key in dict.fromkeys(each.removeprefix("_") for each in data):
        rest = key[len(stem) :]
        if key.startswith(stem) and rest in _OPEN_TYPES:
            kind = rest if hasattr(r4, rest) and not _is_primitive(rest) else rest[0].lower() + rest[1:]
            yield from _listed(data.get(key), data.get("_" + key), f"{place}.{stem}.ofType({kind})", kind)


def _is_primitive(name: str) -> bool:
    return not isinstance(vars(r4).get(name), type)


def _listed(value: Any, beside: Any, place: str, kind: str) -> list[Item]:
    if not isinstance(value, list) and not isinstance(beside, list):
        return [] if value is None and beside is None else [Item(value, beside, place, kind)]
    values = value if isinstance(value, list) else []
    others = beside if isinstance(beside, list) else []
    return [
        Item(_nth(values, n), _nth(others, n), f"{place}[{n}]", kind)
        for n in range(max(len(values), len(others)))
    ]


def _nth(values: list[Any], n: int) -> Any:
    return values[n] if n < len(values) else None


def belongs(
    item: Item, slice_: Node, of: Node, profiles: Profiles, conforms: Conforms, type_of: TypeOf
) -> bool:
    """Whether a value is of this slice of an element. Raises Unknown."""
    if of.slicing is None or not of.slicing.by:
        raise Unknown("no discriminator")
    for kind, path in of.slicing.by:
        if not _PATH.match(path):
            raise Unknown(path)
        steps = [found[0] for found in _STEP.finditer(path) if found[0] != "$this"]
        if kind in ("value", "pattern"):
            matches = _by_value(item, slice_, steps, profiles)
        elif kind == "exists":
            matches = _by_existence(item, slice_, steps)
        elif kind == "type":
            matches = _by_type(item, slice_, steps, profiles, type_of)
        elif kind == "profile" and not steps:
            matches = any(conforms(item, profile) for each in slice_.kinds for profile in each.profiles)
        else:
            raise Unknown(f"{kind} {path}")
        if not matches:
            return False
    return True


def _by_value(item: Item, slice_: Node, steps: list[str], profiles: Profiles) -> bool:
    is_wanted = _wanted(slice_, steps, profiles)
    found = _values(item.value, steps)
    return any(is_wanted(value) for value in found)


def _wanted(node: Node, steps: list[str], profiles: Profiles) -> Callable[[Any], bool]:
    """What the value at the end of the path must be for this slice. Raises Unknown."""
    if "resolve()" in steps:
        raise Unknown("resolve()")
    for n, step in enumerate(steps):
        for given, test in ((node.fixed, same), (node.pattern, fits)):
            if given:
                return _inside(given[0], steps[n:], test)
        node = _child(node, step, profiles)
    return _exactly(node, profiles)


def _exactly(node: Node, profiles: Profiles) -> Callable[[Any], bool]:
    """By a fixed value, a pattern, a binding, or what stands further inside."""
    if node.fixed:
        return lambda value: same(node.fixed[0], value)
    if node.pattern:
        return lambda value: fits(node.pattern[0], value)
    if node.binding and node.binding.strength == "required":
        codes = profiles.definitions.codes(node.binding.value_set)
        if codes is not None:
            return lambda value: is_coded(value, codes)
    inside = []
    for name, child in node.children.items():
        try:
            inside.append((name, _exactly(child, profiles)))
        except Unknown:
            continue
    if not inside:
        raise Unknown(node.id)
    return lambda value: all(any(test(v) for v in _values(value, [name])) for name, test in inside)


def _inside(given: Any, steps: list[str], test: Callable[[Any, Any], bool]) -> Callable[[Any], bool]:
    wanted = _values(given, steps)
    if not wanted:
        raise Unknown(".".join(steps))
    return lambda value: any(test(each, value) for each in wanted)


def _child(node: Node, step: str, profiles: Profiles) -> Node:
    url = _extension(step)
    if url:
        slices = node.children["extension"].slices.values() if "extension" in node.children else ()
        found = next((each for each in slices if _is_extension(each, url)), None)
    else:
        found = node.children.get(step) or node.children.get(f"{step}[x]")
    if found is not None:
        return found
    if step == "url":  # an extension is told by its profile
        urls = [profile.partition("|")[0] for each in node.kinds for profile in each.profiles]
        if urls:
            return Node("url", node.id, fixed=(urls[0],))
    for kind in node.kinds:
        for canonical in kind.profiles:
            profile = profiles.find(canonical)
            if profile is not None:
                return _child(profile.root, step, profiles)
    raise Unknown(step)


def _is_extension(node: Node, url: str) -> bool:
    own = node.children.get("url")
    return any(url in kind.profiles for kind in node.kinds) or (own is not None and own.fixed == (url,))


def _extension(step: str) -> str:
    found = _STEP.match(step)
    return (found[1] or "") if found else ""


def _values(value: Any, steps: list[str]) -> list[Any]:
    """Everything at the end of a path."""
    found = [value]
    for step in steps:
        url = _extension(step)
        following: list[Any] = []
        for each in found:
            if url:
                extensions = items_of(each, "extension", "")
                following += [e.value for e in extensions if (e.value or {}).get("url") == url]
            else:
                items = items_of(each, step, "") or items_of(each, f"{step}[x]", "")
                following += [item.value for item in items]
        found = following
    return [each for each in found if each is not None]


def _by_existence(item: Item, slice_: Node, steps: list[str]) -> bool:
    node = slice_
    for step in steps:
        node = node.children.get(step) or node.children.get(f"{step}[x]") or Node("", "")
    if node.max != 0 and node.min == 0:
        raise Unknown("exists")
    return bool(_values(item.content, steps)) == (node.max != 0)


def _by_type(item: Item, slice_: Node, steps: list[str], profiles: Profiles, type_of: TypeOf) -> bool:
    if steps == ["resolve()"]:
        wanted = {profiles.type_of(target) for kind in slice_.kinds for target in kind.targets}
        found = type_of(item.value)
        if not found or not wanted or "" in wanted:
            raise Unknown("resolve()")
        return found in wanted
    if steps:
        raise Unknown(".".join(steps))
    found = item.type or (item.value.get("resourceType", "") if isinstance(item.value, dict) else "")
    if not found:
        raise Unknown("$this")
    return found in {kind.code for kind in slice_.kinds}


def same(wanted: Any, value: Any) -> bool:
    """Exactly this value; numbers by their amount."""
    if isinstance(wanted, dict) and isinstance(value, dict):
        return wanted.keys() == value.keys() and all(same(wanted[key], value[key]) for key in wanted)
    if isinstance(wanted, list) and isinstance(value, list):
        return len(wanted) == len(value) and all(map(same, wanted, value))
    return _equal(wanted, value)


def fits(pattern: Any, value: Any) -> bool:
    """At least what the pattern has. https://hl7.org/fhir/R4/elementdefinition.html#pattern"""
    if isinstance(pattern, dict) and isinstance(value, dict):
        return all(key in value and fits(each, value[key]) for key, each in pattern.items())
    if isinstance(pattern, list) and isinstance(value, list):
        return all(any(fits(each, one) for one in value) for each in pattern)
    return _equal(pattern, value)


def _equal(one: Any, other: Any) -> bool:
    numbers = (int, Decimal)
    if isinstance(one, numbers) and isinstance(other, numbers):
        return isinstance(one, bool) == isinstance(other, bool) and one == other
    return type(one) is type(other) and bool(one == other)
