"""The search parameters that are kept: which types have them, and which elements fill them.

https://hl7.org/fhir/R4/search.html; names and meaning as R4 defines them for Task, ServiceRequest and CarePlan.
"""

import re
from typing import Any, Literal, NamedTuple, get_args

from ketenzorg.fhir import r4
from ketenzorg.fhir.dates import Period, period_of

Kind = Literal["token", "reference", "date"]


_OURS = re.compile(r"([A-Za-z]+)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z")


class Parameter(NamedTuple):
    """One declared parameter: `element` is the element of the resource that fills it."""

    name: str
    kind: Kind
    element: str
    system: str = ""  # of an element of type code: the system of its required binding


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
        Parameter("patient", "reference", "for"),
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
        Parameter("patient", "reference", "subject"),
        Parameter("based-on", "reference", "basedOn"),
        Parameter("authored", "date", "authoredOn"),
    ),
    "Patient": (Parameter("identifier", "token", "identifier"),),
    "CarePlan": (
        Parameter("identifier", "token", "identifier"),
        Parameter("status", "token", "status", REQUEST_STATUS),
        Parameter("patient", "reference", "subject"),
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


class SearchRows(NamedTuple):
    """Everything by which one resource is found."""

    tokens: frozenset[Token]
    references: frozenset[Target]
    dates: frozenset[Moment]


def search_rows(resource: dict[str, Any]) -> SearchRows:
    """The rows of a decoded resource; a type without declared parameters has none."""
    tokens: list[Token] = []
    references: list[Target] = []
    dates: list[Moment] = []
    for name, kind, element, own_system in PARAMETERS.get(resource["resourceType"], ()):
        found = resource.get(element)
        if found is None:
            continue
        values = found if isinstance(found, list) else (found,)
        if kind == "token":
            for value in values:
                tokens += _tokens(name, value, own_system)
        elif kind == "reference":
            # Not a contained, absolute or logical reference.
            ours = (_OURS.match(value.get("reference", "")) for value in values)
            references += [Target(name, each[2], each[1]) for each in ours if each]
        else:
            dates += [Moment(name, _period(value)) for value in values]
    return SearchRows(frozenset(tokens), frozenset(references), frozenset(dates))


def _tokens(param: str, value: Any, own_system: str) -> list[Token]:
    """Of a code, an Identifier or each coding of a CodeableConcept."""
    if isinstance(value, str):
        return [Token(param, value, own_system)]
    if "value" in value:
        return [Token(param, value["value"], value.get("system", ""))]
    return [
        Token(param, coding["code"], coding.get("system", ""))
        for coding in value.get("coding", ())
        if "code" in coding
    ]


def _period(value: Any) -> Period:
    if isinstance(value, str):
        return period_of(value)
    start, end = value.get("start"), value.get("end")
    return Period(
        period_of(start).low if start else Period.EARLIEST, period_of(end).high if end else Period.LATEST
    )
