"""The rules of R4 that a struct cannot say, over a whole resource, each broken one with its place.

Nearly every resource is fine, so `check` first runs one compiled function per type, made from the same
demands and invariants, that only says yes or no; the walk that knows the places runs when it says no.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Any, Final

import msgspec

from ketenzorg.errors import Issue
from ketenzorg.fhir import demands, elements, r4
from ketenzorg.fhir.demands import MOST, Context, Finding, Test, is_struct
from ketenzorg.fhir.invariants import INVARIANTS, Invariant

_Sound = Callable[[Any, Context], bool]
_MANY = 40  # with this many elements, as with every value[x], fetching all at once is cheaper than one by one
_NOWHERE = Context({}, {})


class _Unknown(Exception):
    """A rule looked at a value that was refused already: it has nothing to add."""


class _Broken:
    """Stands in a struct for a value that was refused; whoever looks at it stops looking."""

    def _stop(self, *_: object) -> Any:
        raise _Unknown

    __bool__ = __eq__ = __getattr__ = __gt__ = __hash__ = __iter__ = __len__ = __lt__ = __str__ = _stop


BROKEN: Final = _Broken()


def check(resource: r4.Resource, path: str) -> list[Issue]:
    """Every rule that the resource breaks (the first thousand)."""
    return [] if is_sound(resource) else list(islice(find(resource, path), MOST))


def is_sound(resource: r4.Resource) -> bool:
    """Whether the resource breaks no rule."""
    return _dispatch[type(resource)](resource, _NOWHERE)


def find(o: Any, path: str, context: Context = _NOWHERE) -> Iterator[Issue]:
    """Every rule that is broken at or below an object, which may hold BROKEN values."""
    context = _around(o, context)
    kind: type[msgspec.Struct] = type(o)
    for test in _tests(kind):
        try:
            findings = test(o, context)
        except (_Unknown, TypeError):  # TypeError: a method or operator that met what was refused
            continue
        for finding in findings:
            place = f"{path}.{finding.at}" if finding.at else path
            yield Issue(finding.nl, finding.en, (place,), finding.code)
    for element in elements.of(kind).values():
        value = getattr(o, element.attribute)
        place = f"{path}.{element.place}"
        if is_struct(value):
            yield from _find_part(value, place, context)
        elif isinstance(value, list):
            for n, item in enumerate(value):
                if is_struct(item):
                    yield from _find_part(item, f"{place}[{n}]", context)


def _find_part(o: Any, path: str, context: Context) -> Iterator[Issue]:
    """Most parts of a refused resource are fine still: the compiled function says so forty times faster."""
    try:
        if _dispatch[type(o)](o, context):
            return
    except (_Unknown, AttributeError, TypeError):  # it met what was refused
        pass
    yield from find(o, path, context)


def _around(o: Any, context: Context) -> Context:
    """A Bundle and a resource with contained ones are a world of their own for the references in them."""
    if type(o) is r4.Bundle:
        entries = _structs(o.entry)
        return Context({}, {e.fullUrl: type(e.resource).__name__ for e in entries if type(e.fullUrl) is str})
    contained = _structs(getattr(o, "contained", None))
    if not contained:
        return context
    return Context({c.id: type(c).__name__ for c in contained if isinstance(c.id, str)}, context.entries)


def _structs(values: Any) -> list[Any]:
    return [value for value in values if isinstance(value, msgspec.Struct)] if type(values) is list else []


@cache
def _tests(kind: type[msgspec.Struct]) -> list[Test]:
    guarded = [_guarded(demand) for demand in demands.of(kind)]
    return guarded + [_as_test(each) for each in INVARIANTS if each.on == kind.__name__]


def _guarded(demand: demands.Demand) -> Test:
    guard = eval(f"lambda o, c: {demand.guard}", {"GIVEN": demand.given})  # noqa: S307 - our own text
    return lambda o, context: demand.test(o, context) if guard(o, context) else ()


def _as_test(invariant: Invariant) -> Test:
    findings = (
        Finding(invariant.at, f"{invariant.nl} ({invariant.key})", f"{invariant.en} ({invariant.key})"),
    )
    return lambda o, _: () if invariant.holds(o) else findings


# ---- the compiled yes or no -----------------------------------------------------------------------------


class _Dispatch(dict[type, _Sound]):
    """The compiled function of a type, compiled when the first object of the type comes by."""

    def __missing__(self, kind: type[msgspec.Struct]) -> _Sound:
        self[kind] = sound = _compile(kind)
        return sound


_dispatch = _Dispatch()
_names: dict[str, Any] = {
    "dispatch": _dispatch,
    "around": _around,
    "all_of": msgspec.structs.astuple,
    "Struct": msgspec.Struct,
}


def _compile(kind: type[msgspec.Struct]) -> _Sound:
    """As dataclasses do: the text of a function, since a loop over the names of the elements costs thrice."""
    name = kind.__name__
    lines = [f"def sound_{name}(o, c):"]
    if kind is r4.Bundle or issubclass(kind, r4.DomainResource):
        lines.append(f"  if {'True' if kind is r4.Bundle else 'o.contained'}: c = around(o, c)")
    for n, demand in enumerate(demands.of(kind)):
        test, given = f"test_{name}_{n}", f"given_{name}_{n}"
        _names.update({test: demand.test, given: demand.given})
        lines.append(f"  if ({demand.guard.replace('GIVEN', given)}) and {test}(o, c): return False")
    for n, invariant in enumerate(each for each in INVARIANTS if each.on == name):
        _names[f"holds_{name}_{n}"] = invariant.holds
        lines.append(f"  if not holds_{name}_{n}(o): return False")
    lines += _visits(kind)
    lines.append("  return True")
    exec("\n".join(lines), _names)  # noqa: S102 - our own text
    sound: _Sound = _names[f"sound_{name}"]
    return sound


def _visits(kind: type[msgspec.Struct]) -> Iterator[str]:
    """The lines that look into the parts; what is seldom there (companions, extensions) is asked for at once."""
    known = [e for e in elements.of(kind).values() if e.kind is not None or e.resource]
    if sum(not e.many for e in known) > _MANY:
        yield "  for v in filter(None, all_of(o)):"
        yield "    if isinstance(v, Struct) and not dispatch[type(v)](v, c): return False"
        known = [e for e in known if e.many]
    seldom = [e for e in known if e.companion or e.kind is r4.Extension]
    for element in known:
        if element not in seldom:
            yield from _visit(element, "  ")
    if seldom:
        yield f"  if {' or '.join(f'o.{e.attribute}' for e in seldom)}:"
        for element in seldom:
            yield from _visit(element, "    ")


def _visit(element: elements.Element, margin: str) -> list[str]:
    refuse = "not dispatch[type(v)](v, c): return False"
    if not element.many:
        return [f"{margin}v = o.{element.attribute}", f"{margin}if v is not None and {refuse}"]
    return [
        f"{margin}if o.{element.attribute}:",
        f"{margin}  for v in o.{element.attribute}:",
        f"{margin}    if v is not None and {refuse}",
    ]
