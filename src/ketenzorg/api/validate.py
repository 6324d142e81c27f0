"""FHIR $validate, of a resource that is sent and of one that is here; nothing is stored.

https://hl7.org/fhir/R4/resource-operation-validate.html: 200 for what is valid and for what is not. With `mode` what is
asked is rehearsed: create of a Bundle, update and delete are done as they would be, and undone.
"""

import re
from typing import Any, Final, NamedTuple

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit
from ketenzorg.api.answers import resource
from ketenzorg.api.body import read_body
from ketenzorg.api.read import READABLE
from ketenzorg.api.referee import Referee
from ketenzorg.api.rehearsing import Rehearsals
from ketenzorg.api.requests import Http, visit_of, world_of
from ketenzorg.coordination.reading.looking import read as read_one
from ketenzorg.errors import BadRequest, Issue, Malformed, NotFound
from ketenzorg.fhir import bounds, elements, json
from ketenzorg.fhir.outcome import operation_outcome
from ketenzorg.referral.aside_task import asks_another, kind_of
from ketenzorg.referral.bundle import ACCEPTED
from ketenzorg.referral.codes import BASE

MODES: Final = ("create", "update", "delete", "profile")
INCOMING: Final = {  # what intake asks of a resource of its own
    "ServiceRequest": f"{BASE}/StructureDefinition/kz-NewReferral",
    "Task": f"{BASE}/StructureDefinition/kz-NewCoordinationTask",
    "Patient": f"{BASE}/StructureDefinition/kz-Patient",
}
METHODS: Final = {"update": "PUT", "delete": "DELETE"}
MOST_PROFILES: Final = 5
BUNDLE: Final = "Bundle"
ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}\Z")
WRONG: Final = ("fatal", "error")


class Asked(NamedTuple):
    """What is to be validated, and against what."""

    body: bytes | None  # None: what is here
    profiles: tuple[str, ...]
    mode: str


_NOTHING: Final = msgspec.Raw(b"null")


class _Parameter(msgspec.Struct):
    name: str
    resource: msgspec.Raw = _NOTHING
    valueUri: str = ""  # noqa: N815 - the names in FHIR
    valueCanonical: str = ""  # noqa: N815
    valueCode: str = ""  # noqa: N815
    valueString: str = ""  # noqa: N815


class _Parameters(msgspec.Struct):
    resourceType: str  # noqa: N815
    parameter: list[_Parameter] = []


@post("/fhir/{kind:str}/$validate", status_code=200)
async def validate(request: Http, kind: FromPath[str]) -> ASGIResponse:
    """A resource of this type as it is sent, or in the Parameters of the operation."""
    _known(kind)
    asked = await _asked(request, kind)
    if asked.body is None:
        raise Malformed(_no_resource(kind))
    return await _answer(asked, kind, asked.body, request)


@get("/fhir/{kind:str}/{id_:str}/$validate")
async def validate_here(request: Http, kind: FromPath[str], id_: FromPath[str]) -> ASGIResponse:
    """A resource that is here, as the caller sees it."""
    asked = Asked(None, *_in_address(request))
    return await _answer(asked, kind, await _here(kind, id_, request), request)


@post("/fhir/{kind:str}/{id_:str}/$validate", status_code=200)
async def validate_instead(request: Http, kind: FromPath[str], id_: FromPath[str]) -> ASGIResponse:
    """The same, or a resource that would come in its place."""
    here = await _here(kind, id_, request)
    asked = await _asked(request, kind)
    if asked.body is not None and json.read(asked.body).get("id") != id_:
        raise BadRequest(
            Issue(
                nl=f"{kind}.id is een andere dan in het adres.",
                en=f"{kind}.id differs from the id in the URL.",
                expression=(f"{kind}.id",),
            )
        )
    return await _answer(asked, kind, asked.body or here, request)


async def _here(kind: str, id_: str, request: Http) -> bytes:
    """A look like any other: with its scope, cut, and on record."""
    if kind not in READABLE:
        raise NotFound(_no_such_type(sorted(READABLE)))
    visit = visit_of(request)
    permit(visit.caller, "read", kind)
    return (await read_one(kind, id_, visit, world_of(request))).body


async def _answer(asked: Asked, kind: str, body: bytes, request: Http) -> ASGIResponse:
    profiles = asked.profiles
    if asked.mode == "create" and not profiles and not (kind == "Task" and _is_aside(body)):
        profiles = tuple(filter(None, (INCOMING.get(kind),)))
    referee: Referee = request.app.state.referee
    found = await referee.issues(body, profiles)
    of_mode = await _of_mode(asked, kind, body, request)
    said = {(each.expression, each.en) for each in found}
    beyond = [each for each in of_mode if (each.expression, each.en) not in said]
    if any(each.severity in WRONG for each in beyond):  # nothing was found is no longer true
        found = [each for each in found if each.code != "informational" or each.severity != "information"]
    return resource(operation_outcome([*beyond, *found], "structure"))


async def _of_mode(asked: Asked, kind: str, body: bytes, request: Http) -> list[Issue]:
    """What the mode itself has against it, or says."""
    mode = asked.mode
    rehearsals: Rehearsals = request.app.state.rehearsals
    if mode == "profile" and not asked.profiles:
        nl, en = "Noem bij mode=profile ook een profile.", "With mode=profile, name a profile too."
        return [Issue(nl, en, code="required")]
    if mode == "create" and kind == BUNDLE:
        return await rehearsals.rehearse(request, "POST", "/fhir", body)
    if mode == "create" and kind not in ACCEPTED | {"Subscription"}:
        nl, en = f"Een {kind} kan hier niet worden aangemaakt.", f"A {kind} cannot be created here."
        return [Issue(nl, en, (kind,), "not-supported")]
    if mode not in METHODS:
        return []
    id_ = json.read(body).get("id")
    if not isinstance(id_, str) or not ID.match(id_):
        nl, en = "Wie bijwerkt of verwijdert, stuurt het id mee.", "An update or delete has the id."
        return [Issue(nl, en, (f"{kind}.id",), "required")]
    return await rehearsals.rehearse(request, METHODS[mode], f"/fhir/{kind}/{id_}", body)


def _is_aside(body: bytes) -> bool:
    """Whether a Task asks something beside a hand-over, as far as it can be read."""
    try:
        task = json.read(body)
        return bool(kind_of(task) or asks_another(task))
    except (AttributeError, TypeError):
        return False


async def _asked(request: Http, kind: str) -> Asked:
    """Raises Malformed for what is no JSON, has another type, or is over a bound; BadRequest for the parameters."""
    profiles, mode = _in_address(request)
    body = await read_body(request)
    bounds.check(body)
    named = _type_of(body)
    if named == "Parameters" and kind != "Parameters":
        return _of_parameters(body, kind, profiles, mode)
    _must_be(kind, named)
    return Asked(body, profiles, mode)


def _of_parameters(body: bytes, kind: str, profiles: tuple[str, ...], mode: str) -> Asked:
    try:
        parameters = msgspec.json.decode(body, type=_Parameters).parameter
    except msgspec.ValidationError:
        raise Malformed(_no_resource(kind)) from None
    inside = None
    for each in parameters:
        if each.name == "resource" and each.resource != _NOTHING:
            inside = bytes(each.resource)
        elif each.name == "profile":
            profiles += (each.valueUri or each.valueCanonical or each.valueString,)
        elif each.name == "mode":
            mode = each.valueCode or each.valueString
    if inside is not None:
        _must_be(kind, _type_of(inside))
    return Asked(inside, _checked(profiles), _mode(mode))


def _in_address(request: Http) -> tuple[tuple[str, ...], str]:
    pairs = request.query_params
    return _checked(tuple(pairs.getall("profile", []))), _mode(pairs.get("mode") or "")


def _checked(profiles: tuple[str, ...]) -> tuple[str, ...]:
    if len(profiles) <= MOST_PROFILES and all(profiles):
        return profiles
    raise BadRequest(
        Issue(
            nl=f"Noem hoogstens {MOST_PROFILES} profielen, elk met zijn canonical.",
            en=f"Name at most {MOST_PROFILES} profiles, each by its canonical.",
        )
    )


def _mode(mode: str) -> str:
    if mode in ("", *MODES):
        return mode
    listed = ", ".join(MODES)
    raise BadRequest(
        Issue(nl=f"mode is een van: {listed}.", en=f"mode is one of: {listed}.", code="code-invalid")
    )


def _type_of(body: bytes) -> Any:
    try:
        data = json.read_any(body)
    except (msgspec.DecodeError, RecursionError):
        raise bounds.not_json() from None
    return data.get("resourceType") if isinstance(data, dict) else None


def _must_be(kind: str, named: Any) -> None:
    if named != kind:
        raise Malformed(
            Issue(
                nl=f"Hier hoort een {kind}: zo staat het in het adres.",
                en=f"This must be a {kind}, as the URL says.",
                expression=(f"{named if _is_type(named) else 'Resource'}.resourceType",),
            )
        )


def _is_type(named: Any) -> bool:
    return isinstance(named, str) and named in elements.RESOURCES


def _known(kind: str) -> None:
    if kind not in elements.RESOURCES:
        raise NotFound(_no_such_type(sorted(elements.RESOURCES)))


def _no_such_type(known: list[str]) -> Issue:
    listed = ", ".join(known)
    return Issue(
        nl=f"Dit type hebben we niet; wel: {listed}.",
        en=f"We have no such type; these we have: {listed}.",
        code="not-supported",
    )


def _no_resource(kind: str) -> Issue:
    return Issue(
        nl=f"Stuur de {kind} zelf, of Parameters met de parameter resource (en profile, mode).",
        en=f"Send the {kind} itself, or Parameters with a parameter resource (and profile, mode).",
        expression=("Parameters.parameter",),
        code="required",
    )
