"""FHIRPath Patch: Parameters with operations, as a function from one resource to the next.

https://hl7.org/fhir/R4/fhirpatch.html. An element is replaced as a whole, with the extensions and the id that stand
beside a primitive. What is empty in the end is not there.
"""

import copy
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from ketenzorg.errors import Invalid, Issue, Malformed
from ketenzorg.fhir import elements
from ketenzorg.fhir.r4_tables import CHOICES
from ketenzorg.fhir.simple_path import Node, Path, Walk, Wrong, names_of, read_path

MAX_OPERATIONS: Final = 100
NEEDS: Final = {  # beside `type` and `path`
    "add": ("name", "value"),
    "insert": ("index", "value"),
    "delete": (),
    "replace": ("value",),
    "move": ("source", "destination"),
}
NUMBERS: Final = ("index", "source", "destination")

Patch = Callable[[dict[str, Any]], dict[str, Any]]


class Operation(msgspec.Struct, frozen=True):
    """One operation, as it was understood."""

    type: str
    path: Path
    place: str  # in the Parameters
    name: str = ""
    value: Any = None  # the part that holds it
    index: int = 0
    source: int = 0
    destination: int = 0


class Value(msgspec.Struct, frozen=True):
    """What is put somewhere: under which name in JSON, with what stands beside a primitive."""

    name: str
    content: Any
    beside: Any
    many: bool


def read_fhirpath_patch(parameters: dict[str, Any], kind: str) -> Patch:
    """The patch in Parameters that are good FHIR. Raises Malformed with all that is wrong."""
    sent = parameters.get("parameter", [])
    if len(sent) > MAX_OPERATIONS:
        raise Malformed(_too_many())
    issues: list[Issue] = []
    operations = [_operation(each, f"Parameters.parameter[{n}]", kind, issues) for n, each in enumerate(sent)]
    if issues:
        raise Malformed(*issues)

    def apply(before: dict[str, Any]) -> dict[str, Any]:
        after, walk = copy.deepcopy(before), Walk()
        for operation in operations:
            if operation is not None:
                _apply(operation, after, walk)
        return after

    return apply


def _operation(sent: dict[str, Any], place: str, kind: str, issues: list[Issue]) -> Operation | None:
    """None where something is wrong; what, is added to the issues."""
    parts = {part.get("name"): part for part in sent.get("part", ())}
    does = parts.get("type", {}).get("valueCode")
    if sent.get("name") != "operation" or does not in NEEDS:
        issues.append(_no_operation(place))
        return None
    wrong = list(_wrong_parts(sent.get("part", ()), ("type", "path", *NEEDS[does]), place))
    issues += wrong
    if wrong:
        return None
    try:
        path = read_path(parts["path"]["valueString"], kind)
    except Wrong as error:
        nl, en = error.args
        issues.append(_issue(place, "path", nl, en, code="value"))
        return None
    numbers = {name: parts[name]["valueInteger"] for name in NUMBERS if name in parts}
    name = parts.get("name", {}).get("valueString", "")
    return Operation(does, path, place, name, parts.get("value"), **numbers)


def _wrong_parts(sent: list[dict[str, Any]], wanted: tuple[str, ...], place: str) -> Iterator[Issue]:
    names = [part.get("name") for part in sent]
    if sorted(map(str, names)) != sorted(wanted):
        listed = ", ".join(wanted)
        yield _issue(
            place,
            "",
            f"deze operatie heeft één keer elk: {listed}",
            f"this operation has, once each: {listed}",
        )
        return
    for part in sent:
        name = part["name"]
        kind = "valueInteger" if name in NUMBERS else "valueString" if name in ("path", "name") else ""
        if kind and kind not in part:
            yield _issue(place, name, f"geef dit als {kind}", f"give this as {kind}")


def _apply(operation: Operation, resource: dict[str, Any], walk: Walk) -> None:
    """Raises Invalid when it does not fit this resource."""
    try:
        if operation.type in ("insert", "move"):
            _in_list(operation, *operation.path.list_in(resource, walk))
        elif operation.type == "add":
            _add(operation, _one(operation.path.find(resource, walk)))
        else:
            _at(operation, operation.path.find(resource, walk))
    except Wrong as error:
        nl, en = error.args
        raise Invalid(_issue(operation.place, "", nl, en, code="processing")) from None


def _one(found: list[Node]) -> Node:
    if not found:
        raise Wrong(
            "dit pad leidt nergens heen; add maakt wat er niet is",
            "nothing stands there; add makes what is not",
        )
    if len(found) > 1:
        raise Wrong("dit pad leidt naar meer dan één element", "this path leads to more than one element")
    return found[0]


def _add(operation: Operation, to: Node) -> None:
    if to.kind is None:
        raise Wrong("aan een enkele waarde is niets toe te voegen", "nothing can be added to a single value")
    new = _value(to.kind, operation.name, operation.value)
    there = [name for name in names_of(to.kind, operation.name) if name in to.value or f"_{name}" in to.value]
    if new.many:
        _put(to.value, new, len(_list(to.value, new.name)))
    elif there:
        raise Wrong(
            "dit element is er al; vervang het met replace", "this element is there already; replace it"
        )
    else:
        _set(to.value, new)


def _in_list(operation: Operation, holders: list[Node], name: str) -> None:
    holder = _one(holders)
    if holder.kind is None or not _is_list(holder.kind, name):
        raise Wrong("dit is geen lijst", "this is no list")
    if operation.type == "insert":
        new = _value(holder.kind, name, operation.value)
        _check_index(operation.index, len(_list(holder.value, name)) + 1)
        _put(holder.value, new, operation.index)
        return
    for each in (name, f"_{name}"):
        items = _list(holder.value, name) if each == name else holder.value.get(each)
        if items is not None:
            _check_index(operation.source, len(items))
            _check_index(operation.destination, len(items))
            items.insert(operation.destination, items.pop(operation.source))


def _at(operation: Operation, found: list[Node]) -> None:
    """Replace, or delete: of what is not there nothing has to go."""
    if operation.type == "delete" and not found:
        return
    node = _one(found)
    if node.above is None:
        raise Wrong("de resource zelf blijft", "the resource itself stays")
    if operation.type == "delete":
        _take_out(node)
        return
    assert node.above.kind is not None  # noqa: S101 - it has elements
    new = _value(node.above.kind, _stem(node.above.kind, node.name), operation.value)
    holder = node.above.value
    if node.at is None:
        holder.pop(node.name, None)
        holder.pop(f"_{node.name}", None)
        _set(holder, new)
    else:
        holder[node.name][node.at] = new.content
        _beside(holder, new, node.at)


def _take_out(node: Node) -> None:
    """Out of what holds it, and that too when nothing is left in it."""
    while node.above is not None:
        holder = node.above.value
        for name in (node.name, f"_{node.name}"):
            if node.at is None:
                holder.pop(name, None)
            elif name in holder:
                del holder[name][node.at]
                if not any(each is not None for each in holder[name]):
                    del holder[name]
        if holder:
            return
        node = node.above


def _value(kind: type[msgspec.Struct], name: str, part: dict[str, Any]) -> Value:
    """What a part gives an element of this type. Raises Wrong."""
    names = names_of(kind, name)
    key = next((each for each in part if each.startswith(("value", "_value"))), "").removeprefix("_")
    if len(names) > 1 or names[0] != name:
        names = [each for each in names if each == f"{name}{key.removeprefix('value')}"]
    if not names:
        raise Wrong("dit element kan zo'n waarde niet hebben", "this element cannot have such a value")
    element = elements.of(kind)[names[0]]
    content, beside = part.get(key, part.get("resource")), part.get(f"_{key}") if key else None
    if "part" in part and element.kind is not None:
        content = _filled(element.kind, part["part"])
    if (content is None and beside is None) or isinstance(content, dict) != (
        element.kind is not None or element.resource
    ):
        raise Wrong("dit element kan zo'n waarde niet hebben", "this element cannot have such a value")
    return Value(element.name, content, beside, element.many)


def _filled(kind: type[msgspec.Struct], parts: list[dict[str, Any]]) -> dict[str, Any]:
    """An element without a type of its own, out of a part for each of its elements."""
    filled: dict[str, Any] = {}
    for part in parts:
        new = _value(kind, part.get("name", ""), part)
        if new.many:
            _put(filled, new, len(_list(filled, new.name)))
        else:
            _set(filled, new)
    return filled


def _set(holder: dict[str, Any], new: Value) -> None:
    if new.content is not None:
        holder[new.name] = new.content
    if new.beside is not None:
        holder[f"_{new.name}"] = new.beside


def _put(holder: dict[str, Any], new: Value, index: int) -> None:
    """In a list, and in the list beside it: the two go together."""
    items, beside = _list(holder, new.name), holder.get(f"_{new.name}")
    items.insert(index, new.content)
    holder[new.name] = items
    if beside is not None:
        beside.insert(index, None)
    _beside(holder, new, index)


def _beside(holder: dict[str, Any], new: Value, index: int) -> None:
    name = f"_{new.name}"
    if new.beside is not None and name not in holder:
        holder[name] = [None] * len(holder[new.name])
    if name in holder:
        holder[name][index] = new.beside
        if not any(each is not None for each in holder[name]):
            del holder[name]


def _list(holder: dict[str, Any], name: str) -> list[Any]:
    items = holder.get(name)
    if items is None:
        items = [None] * len(holder.get(f"_{name}", ()))
    return items


def _is_list(kind: type[msgspec.Struct], name: str) -> bool:
    return elements.of(kind)[names_of(kind, name)[0]].many


def _stem(kind: type[msgspec.Struct], name: str) -> str:
    """`value` of valueString; of what is no choice its name."""
    choices = CHOICES.get(kind.__name__, {})
    return next((stem for stem, (_, names) in choices.items() if name in names), name)


def _check_index(index: int, length: int) -> None:
    if not 0 <= index < length:
        raise Wrong(
            f"deze plaats is er niet: de lijst heeft er {length}, vanaf 0 geteld",
            f"no such place: the list has {length}, counted from 0",
        )


def _issue(place: str, part: str, nl: str, en: str, code: str = "structure") -> Issue:
    where = f"{place}.part.where(name='{part}')" if part else place
    return Issue(f"FHIRPath Patch: {nl}.", f"FHIRPath Patch: {en}.", (where,), code)


def _no_operation(place: str) -> Issue:
    listed = ", ".join(NEEDS)
    return _issue(
        place,
        "",
        f"elke parameter heet operation en heeft een part type (valueCode: {listed})",
        f"each parameter is named operation and has a part type (valueCode: {listed})",
    )


def _too_many() -> Issue:
    return _issue(
        "Parameters.parameter",
        "",
        f"hoogstens {MAX_OPERATIONS} operaties",
        f"at most {MAX_OPERATIONS} operations",
    )
