"""FHIR $validate, of a resource that is sent and of one that is here; nothing is stored.

https://hl7.org/fhir/R4/resource-operation-validate.html: 200 for what is valid and for what is not.
"""

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
CHANGED: Final = {"update": frozenset({"Task", "Subscription"}), "delete": frozenset({"Subscription"})}
MOST_PROFILES: Final = 5


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
    issues = [*_of_mode(asked, kind, body), *await referee.issues(body, profiles)]
    return resource(operation_outcome(issues, "structure"))


def _of_mode(asked: Asked, kind: str, body: bytes) -> list[Issue]:
    """What the mode itself has against it."""
    mode = asked.mode
    if mode == "profile" and not asked.profiles:
        nl, en = "Noem bij mode=profile ook een profile.", "With mode=profile, name a profile too."
        return [Issue(nl, en, code="required")]
    if mode == "create" and kind not in ACCEPTED | {"Subscription"}:
        nl, en = f"Een {kind} kan hier niet worden aangemaakt.", f"A {kind} cannot be created here."
        return [Issue(nl, en, (kind,), "not-supported")]
    if mode in CHANGED and kind not in CHANGED[mode]:
        done_nl, done_en = {"update": ("bijgewerkt", "updated"), "delete": ("verwijderd", "deleted")}[mode]
        nl, en = f"Een {kind} kan hier niet worden {done_nl}.", f"A {kind} cannot be {done_en} here."
        return [Issue(nl, en, (kind,), "not-supported")]
    if mode == "update" and "id" not in json.read(body):
        nl, en = "Wie bijwerkt, stuurt het id mee.", "An update has the id."
        return [Issue(nl, en, (f"{kind}.id",), "required")]
    return []


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
                expression=("Resource.resourceType",),
            )
        )


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
