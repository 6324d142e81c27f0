"""What R4 demands of an object beside its shape: elements that need each other, targets of references.

Each demand comes with a guard, a cheap Python expression that is false for nearly every object that is fine.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from ketenzorg.fhir import elements, r4
from ketenzorg.fhir.r4_tables import BOUND, CHOICES, REQUIRED, RESOURCE_TYPES, SIMPLE, TARGETS

_RELATIVE = re.compile(r"([A-Z][A-Za-z]{1,63})/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?\Z")
_LOCAL = re.compile(rb'"(#[^"\\]*)"')
MOST = 1000  # findings of one kind; nobody reads more
_FEW = 12  # as many names as one can read
_NOT_ELSEWHERE = 'o.reference is not None and o.reference[:4] not in {"urn:", "http"}'


class Finding(NamedTuple):
    """One thing that is wrong, with its place under the object that was looked at."""

    at: str
    nl: str
    en: str
    code: str = "invariant"


class Context(NamedTuple):
    """What lies around an object: the contained resources beside it and the entries of the Bundle."""

    contained: dict[str, str]  # id -> type
    entries: dict[str, str]  # fullUrl -> type


Test = Callable[[Any, Context], Sequence[Finding]]


class Demand(NamedTuple):
    """When to look (an expression over the object `o`, its context `c` and GIVEN), and what is found then."""

    guard: str
    test: Test
    given: Any = None


def of(kind: type[msgspec.Struct]) -> list[Demand]:
    """Every demand on a type, from the tables of R4."""
    name = kind.__name__
    found = elements.of(kind)
    return [
        *_needed(kind),
        *(_choice(kind, stem) for stem in CHOICES.get(name, {})),
        *_pairs(kind),
        *(_target(found[element], types) for element, types in TARGETS.get(name, {}).items()),
        *(_bound(found[element], *codes) for element, codes in BOUND.get(name, {}).items()),
        *(_simple(found[element]) for element in SIMPLE.get(name, [])),
        *([Demand(_NOT_ELSEWHERE, _local_reference)] if kind is r4.Reference else []),
        *([Demand("o.entry", _bundle)] if kind is r4.Bundle else []),
        *([Demand("o.contained", _contained)] if issubclass(kind, r4.DomainResource) else []),
        *([Demand("o.contained", _mentioned)] if issubclass(kind, r4.DomainResource) else []),
    ]


def is_struct(value: object) -> bool:
    return isinstance(value, msgspec.Struct)


def getter(attributes: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """All these attributes as a tuple, also when there is only one."""
    if len(attributes) == 1:
        (name,) = attributes
        return lambda o: (getattr(o, name),)
    return attrgetter(*attributes)


def _needed(kind: type[msgspec.Struct]) -> Iterator[Demand]:
    found = elements.of(kind)
    for name in REQUIRED.get(kind.__name__, []):
        value, companion = found[name].attribute, found["_" + name].attribute
        absent = f"not o.{value}" if found[name].many else f"o.{value} is None"
        yield Demand(f"{absent} and not o.{companion}", _missing(name))


def _missing(name: str) -> Test:
    nl, en = f"Het verplichte element {name} ontbreekt.", f"The required element {name} is missing."
    findings = (Finding(name, nl, en, "required"),)
    return lambda _, __: findings


def _choice(kind: type[msgspec.Struct], stem: str) -> Demand:
    needed, names = CHOICES[kind.__name__][stem]
    found = elements.of(kind)
    members = [e for name in names for e in (found[name], found.get("_" + name)) if e]
    values = getter([e.attribute for e in members])
    listed = ", ".join(names[:_FEW]) + (" ..." if len(names) > _FEW else "")

    def test(o: Any, _: Context) -> Sequence[Finding]:
        present = values(o)
        if present.count(None) == len(members) - 1:
            return ()
        pairs = zip(members, present, strict=True)
        given = sorted({e.name.removeprefix("_") for e, value in pairs if value is not None})
        if not given and needed:
            return (Finding(stem, f"Geef één van {listed}.", f"Give one of {listed}.", "required"),)
        if len(given) <= 1:
            return ()
        both = ", ".join(given)
        nl = f"Van {stem}[x] mag er maar één zijn; gegeven zijn {both}."
        return (Finding(stem, nl, f"Only one {stem}[x] is allowed; given are {both}.", "structure"),)

    if len(members) > _FEW and len(CHOICES[kind.__name__]) == 1:
        # All fields at once; of the others, those that may be None are counted apart.
        others = [e.attribute for e in found.values() if e not in members and not e.many and not e.needed]
        empty = " + ".join(f"(o.{attribute} is None)" for attribute in others)
        wrong = "!=" if needed else "<"
        return Demand(
            f"GIVEN(o).count(None) - ({empty}) {wrong} {len(members) - 1}", test, msgspec.structs.astuple
        )
    count = " + ".join(f"(o.{e.attribute} is not None)" for e in members)
    return Demand(f"{count} {'!=' if needed else '>'} 1", test)


def _pairs(kind: type[msgspec.Struct]) -> Iterator[Demand]:
    found = elements.of(kind)
    for element in found.values():
        if element.many and element.primitive is not None:
            others = found["_" + element.name].attribute
            guard = f"o.{others} or None in o.{element.attribute}"
            yield Demand(guard, _pair(element.name, attrgetter(element.attribute, others)))


def _pair(name: str, both: Callable[[Any], Any]) -> Test:
    def test(o: Any, _: Context) -> Sequence[Finding]:
        values, others = both(o)
        if values and others and len(values) != len(others):
            nl = f"{name} en _{name} moeten even lang zijn; vul aan met null."
            en = f"{name} and _{name} must be of the same length; fill up with null."
            return (Finding(name, nl, en, "structure"),)
        rows = zip(values or others, others or [None] * len(values), strict=True)
        empty = [n for n, (value, other) in enumerate(rows) if value is None and other is None]
        nl = f"null mag alleen waar _{name} op dezelfde plaats een extensie of id heeft."
        en = f"null is allowed only where _{name} has an extension or id at the same place."
        return [Finding(f"{name}[{n}]", nl, en, "structure") for n in empty[:MOST]]

    return test


def _bound(element: elements.Element, system: str, codes: list[str]) -> Demand:
    listed = ", ".join(codes)
    findings = (
        Finding(
            element.place,
            f"Minstens één code moet uit {system} komen: {listed}.",
            f"At least one code must be from {system}: {listed}.",
            "code-invalid",
        ),
    )

    def test(o: Any, _: Context) -> Sequence[Finding]:
        concept = getattr(o, element.attribute)
        return () if any(c.system == system and c.code in codes for c in concept.coding) else findings

    return Demand(f"o.{element.attribute} is not None", test)


def _simple(element: elements.Element) -> Demand:
    findings = (
        Finding(
            element.place + ".comparator",
            "Een vergelijkingsteken (comparator) mag hier niet. (sqty-1)",
            "A comparator is not allowed here. (sqty-1)",
        ),
    )

    def test(o: Any, _: Context) -> Sequence[Finding]:
        return () if getattr(o, element.attribute).comparator is None else findings

    return Demand(f"o.{element.attribute} is not None", test)


# ---- references -------------------------------------------------------------------------------------


def _target(element: elements.Element, types: list[str]) -> Demand:
    allowed = frozenset(types)
    listed = ", ".join(types)
    value = attrgetter(element.attribute)

    def test(o: Any, context: Context) -> Sequence[Finding]:
        found = value(o)
        many = type(found) is list
        findings = []
        for n, reference in enumerate(found if many else [found]):
            text = reference.reference
            if text is None or text.partition("/")[0] in allowed:
                continue
            target = type_of(text, context)
            if target and target not in allowed:
                at = f"{element.place}[{n}]" if many else element.place
                named = target if target in RESOURCE_TYPES else "iets onbekends"
                nl = f"Deze verwijzing mag niet naar {named} wijzen, wel naar: {listed}."
                named = target if target in RESOURCE_TYPES else "something unknown"
                en = f"This reference cannot point at {named}; it can point at: {listed}."
                findings.append(Finding(f"{at}.reference", nl, en, "value"))
        return findings

    if element.many:
        return Demand(f"o.{element.attribute}", test)
    text = f"o.{element.attribute}.reference"
    known = f'{text}.partition("/")[0] in GIVEN or c.entries.get({text}) in GIVEN'
    guard = f"o.{element.attribute} is not None and {text} is not None and not ({known})"
    return Demand(guard, test, allowed)


def type_of(reference: str, context: Context) -> str:
    """The type that a reference names; empty when it does not tell."""
    if reference in context.entries:
        return context.entries[reference]
    if reference.startswith("#"):
        return context.contained.get(reference[1:], "")
    if relative := _RELATIVE.match(reference):
        return relative[1]
    head, question, _ = reference.partition("?")
    if question and head in RESOURCE_TYPES:  # a conditional reference
        return head
    parts = reference.partition("/_history/")[0].split("/")
    if reference.startswith(("http://", "https://")) and len(parts) > 1 and parts[-2] in RESOURCE_TYPES:
        return parts[-2]
    return ""


_NO_SUCH_CONTAINED = Finding(
    "reference",
    "Er is geen ingesloten (contained) resource met dit id. (ref-1)",
    "There is no contained resource with this id. (ref-1)",
)
_NO_SUCH_TYPE = Finding(
    "reference",
    "Deze verwijzing noemt een type dat FHIR R4 niet kent.",
    "This reference names a type that FHIR R4 does not know.",
    "value",
)


def _local_reference(o: Any, context: Context) -> Sequence[Finding]:
    text = o.reference
    if text is None:
        return ()
    if text.startswith("#"):
        return () if text == "#" or text[1:] in context.contained else (_NO_SUCH_CONTAINED,)
    head, slash, _ = text.partition("/")
    if slash and head not in RESOURCE_TYPES and _RELATIVE.match(text):
        return (_NO_SUCH_TYPE,)
    return ()


# ---- contained resources and Bundles ------------------------------------------------------------------


def _contained(o: Any, _: Context) -> Sequence[Finding]:
    return [
        Finding(f"contained[{n}]", nl, en)
        for n, resource in enumerate(o.contained)
        if is_struct(resource)
        for broken, nl, en in _contained_rules(resource)
        if broken
    ]


def _contained_rules(resource: Any) -> Iterator[tuple[bool, str, str]]:
    meta = resource.meta
    yield (
        bool(getattr(resource, "contained", None)),
        "Een ingesloten resource mag zelf geen resources insluiten. (dom-2)",
        "A contained resource cannot contain resources. (dom-2)",
    )
    yield (
        meta is not None and (meta.versionId is not None or meta.lastUpdated is not None),
        "Een ingesloten resource heeft geen versie en geen tijd van wijziging. (dom-4)",
        "A contained resource has no version and no last update. (dom-4)",
    )
    yield (
        meta is not None and bool(meta.security),
        "Een ingesloten resource heeft geen beveiligingslabel. (dom-5)",
        "A contained resource has no security label. (dom-5)",
    )


def _mentioned(o: Any, _: Context) -> Sequence[Finding]:
    """Whether something mentions each contained resource, or it mentions what contains it."""
    mentions = _local_mentions(o)
    return [
        Finding(
            f"contained[{n}]",
            "Naar deze ingesloten resource wordt nergens verwezen. (dom-3)",
            "Nothing refers to this contained resource. (dom-3)",
        )
        for n, resource in enumerate(o.contained)
        if f"#{resource.id}".encode() not in mentions and b"#" not in _local_mentions(resource)
    ]


def _local_mentions(o: Any) -> set[bytes]:
    """Every string that starts with # anywhere below: searched in the JSON, since a walk would be slow."""
    return set(_LOCAL.findall(msgspec.json.encode(o)))


_WITH_REQUEST = frozenset(["batch", "transaction", "history"])
_WITH_RESPONSE = frozenset(["batch-response", "transaction-response", "history"])


def _bundle(o: Any, _: Context) -> Sequence[Finding]:
    asks, answers, searches = o.type in _WITH_REQUEST, o.type in _WITH_RESPONSE, o.type == "searchset"
    findings = []
    seen = set()
    for n, entry in enumerate(o.entry):
        if not isinstance(entry, r4.Bundle_Entry):
            continue
        if (entry.request is not None) != asks:
            findings.append(_misplaced("request", n, asks, "batch, transaction, history", "bdl-3"))
        if (entry.response is not None) != answers:
            where = "batch-response, transaction-response, history"
            findings.append(_misplaced("response", n, answers, where, "bdl-4"))
        if entry.search is not None and not searches:
            findings.append(_misplaced("search", n, False, "searchset", "bdl-2"))
        if entry.fullUrl is None or o.type == "history":
            continue
        meta = getattr(entry.resource, "meta", None)
        key = (entry.fullUrl, meta.versionId if meta else None)
        if key in seen:
            nl = "Deze fullUrl komt al eerder in de Bundle voor. (bdl-7)"
            findings.append(
                Finding(
                    f"entry[{n}].fullUrl", nl, "This fullUrl came before in the Bundle. (bdl-7)", "duplicate"
                )
            )
        seen.add(key)
    return findings


def _misplaced(name: str, n: int, due: bool, types: str, key: str) -> Finding:
    if due:
        nl = f"In dit soort Bundle heeft elke entry een {name}. ({key})"
        return Finding(f"entry[{n}]", nl, f"In this type of Bundle every entry has a {name}. ({key})")
    nl = f"{name} hoort alleen in een Bundle van soort {types}. ({key})"
    return Finding(f"entry[{n}].{name}", nl, f"{name} belongs only in a Bundle of type {types}. ({key})")
