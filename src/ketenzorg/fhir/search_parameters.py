"""The search parameters of which rows are kept, and how the rows of any declared parameter are made of a resource.

https://hl7.org/fhir/R4/search.html; names and meaning as R4 defines them. The parameters that are looked up in the
bodies, without rows, stand in search_in_body.
"""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Literal, NamedTuple, get_args

from ketenzorg.fhir import r4
from ketenzorg.fhir.dates import Period, period_of

Kind = Literal["token", "reference", "date", "string", "quantity", "uri", "canonical", "composite"]


_OURS = re.compile(r"([A-Za-z]+)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z")


class Parameter(NamedTuple):
    """One declared parameter: `element` is the element of the resource that fills it.

    Of what is looked up in bodies it is a path with dots, or several of them with | between.
    """

    name: str
    kind: Kind
    element: str
    system: str = ""  # of an element of type code: the system of its required binding
    target: str = ""  # the one type that a reference can have
    parts: tuple["Parameter", ...] = ()  # of a composite: what must hold together, in one of the elements


TASK_STATUS, REQUEST_STATUS = "http://hl7.org/fhir/task-status", "http://hl7.org/fhir/request-status"
# No element can have another code: whoever asks for one has made a mistake.
CODES: dict[str, tuple[str, ...]] = {
    TASK_STATUS: get_args(r4.TaskStatus),
    REQUEST_STATUS: get_args(r4.RequestStatus),
}
PARAMETERS: dict[str, tuple[Parameter, ...]] = {
    "Task": (
        Parameter("identifier", "token", "identifier"),
        Parameter("status", "token", "status", TASK_STATUS),
        Parameter("business-status", "token", "businessStatus"),
        Parameter("code", "token", "code"),
        Parameter("owner", "reference", "owner"),
        Parameter("requester", "reference", "requester"),
        Parameter("patient", "reference", "for", target="Patient"),
        Parameter("focus", "reference", "focus"),
        Parameter("based-on", "reference", "basedOn"),
        Parameter("authored-on", "date", "authoredOn"),
    ),
    "ServiceRequest": (
        Parameter("identifier", "token", "identifier"),
        Parameter("status", "token", "status", REQUEST_STATUS),
        Parameter("code", "token", "code"),
        Parameter("requester", "reference", "requester"),
        Parameter("performer", "reference", "performer"),
        Parameter("patient", "reference", "subject", target="Patient"),
        Parameter("based-on", "reference", "basedOn"),
        Parameter("authored", "date", "authoredOn"),
    ),
    "Patient": (Parameter("identifier", "token", "identifier"),),
    "CarePlan": (
        Parameter("identifier", "token", "identifier"),
        Parameter("status", "token", "status", REQUEST_STATUS),
        Parameter("patient", "reference", "subject", target="Patient"),
        Parameter("date", "date", "period"),
    ),
}


class Token(NamedTuple):
    """A code, with its system where it has one ("" otherwise)."""

    param: str
    code: str
    system: str


class Target(NamedTuple):
    """A reference to a resource that is stored here."""

    param: str
    target: str  # a uuid
    type: str


class Moment(NamedTuple):
    """A date as the period that it means."""

    param: str
    period: Period


class Text(NamedTuple):
    """A text or an address, as it is written."""

    param: str
    text: str


class Amount(NamedTuple):
    """A quantity, with its unit as text and as a code."""

    param: str
    value: Decimal
    comparator: str
    system: str
    code: str
    unit: str


class SearchRows(NamedTuple):
    """Everything that is kept by which one resource is found."""

    tokens: frozenset[Token]
    references: frozenset[Target]
    dates: frozenset[Moment]


class AllRows(NamedTuple):
    """The same of every kind of parameter, kept or not."""

    tokens: frozenset[Token]
    references: frozenset[Target]
    dates: frozenset[Moment]
    texts: frozenset[Text]
    amounts: frozenset[Amount]


def search_rows(resource: dict[str, Any]) -> SearchRows:
    """The rows of a decoded resource that are kept; a type without such parameters has none."""
    declared = PARAMETERS.get(resource["resourceType"], ())
    return SearchRows(*all_rows(resource, [each for each in declared if each.element in resource])[:3])


def all_rows(resource: dict[str, Any], declared: Iterable[Parameter]) -> AllRows:
    """What these parameters find of a decoded resource, or of one element of it."""
    tokens: list[Token] = []
    references: list[Target] = []
    dates: list[Moment] = []
    texts: list[Text] = []
    amounts: list[Amount] = []
    for parameter in declared:
        name = parameter.name
        for value in values_of(resource, parameter.element):
            match parameter.kind:
                case "token":
                    tokens += _tokens(name, value, parameter.system)
                case "reference":
                    # Not a contained, absolute or logical reference.
                    ours = _OURS.match(value.get("reference", ""))
                    references += [Target(name, ours[2], ours[1])] if ours else []
                case "date":
                    dates.append(Moment(name, _period(value)))
                case "quantity":
                    amounts += _amounts(name, value)
                case "composite":
                    pass  # of its elements together, not of each
                case _:
                    texts += [Text(name, each) for each in _texts(value)]
    return AllRows(
        frozenset(tokens), frozenset(references), frozenset(dates), frozenset(texts), frozenset(amounts)
    )


def values_of(resource: dict[str, Any], element: str) -> Iterator[Any]:
    """All values of an element, or of the elements at the end of each path."""
    found = resource.get(element)
    if found is not None:
        yield from found if isinstance(found, list) else (found,)
    elif "|" in element:
        for path in element.split("|"):
            yield from values_of(resource, path)
    elif "." in element:
        first, _, rest = element.partition(".")
        for value in values_of(resource, first):
            yield from values_of(value, rest)


def elements_of(resource: dict[str, Any], composite: Parameter) -> Iterator[Any]:
    """The elements in which the parts of a composite must hold together; an empty path is the resource itself."""
    for path in composite.element.split("|"):
        yield from values_of(resource, path) if path else (resource,)


def _tokens(param: str, value: Any, own_system: str) -> list[Token]:
    """Of a code, a yes or no, an Identifier, a Coding or each coding of a CodeableConcept."""
    if isinstance(value, bool):
        return [Token(param, str(value).lower(), own_system)]
    if isinstance(value, str):
        return [Token(param, value, own_system)]
    if "value" in value:
        return [Token(param, value["value"], value.get("system", ""))]
    return [
        Token(param, coding["code"], coding.get("system", ""))
        for coding in (*value.get("coding", ()), value)
        if "code" in coding
    ]


def _amounts(param: str, value: dict[str, Any]) -> list[Amount]:
    if "value" not in value:
        return []
    said = (value.get(key, "") for key in ("comparator", "system", "code", "unit"))
    return [Amount(param, Decimal(value["value"]), *said)]


def _texts(value: Any) -> Iterator[str]:
    """A text, or all texts of a HumanName or an Address."""
    if isinstance(value, str):
        yield value
        return
    for part in value.values():
        yield from (each for each in (part if isinstance(part, list) else [part]) if isinstance(each, str))


def _period(value: Any) -> Period:
    if isinstance(value, str):
        return period_of(value)
    start, end = value.get("start"), value.get("end")
    return Period(
        period_of(start).low if start else Period.EARLIEST, period_of(end).high if end else Period.LATEST
    )
