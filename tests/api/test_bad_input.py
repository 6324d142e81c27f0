"""Bad input gets a 4xx that a stranger can act on; nothing is stored and nothing internal is shown."""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ketenzorg.fhir import r4
from ketenzorg.fhir.decode import decode_as
from referrals import a_referral, of, places, texts
from services import SETTINGS, Service, token_for

Change = Callable[[dict[str, Any]], None]


def put(kind: str, **elements: Any) -> Change:
    """Overwrite elements of the first resource of a type; None takes one out."""

    def change(bundle: dict[str, Any]) -> None:
        resource = of(bundle, kind)
        for name, value in elements.items():
            if value is None:
                del resource[name]
            else:
                resource[name] = value

    return change


def again(kind: str) -> Change:
    def change(bundle: dict[str, Any]) -> None:
        bundle["entry"].append(
            {"resource": of(bundle, kind), "request": {"method": "POST", "url": kind}},
        )

    return change


def with_bsn(value: str) -> Change:
    return put("Patient", identifier=[{"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": value}])


URA = "http://fhir.nl/fhir/NamingSystem/ura"
BROKEN: dict[str, tuple[Change, int, str, str]] = {
    # name: what is broken, status, code of the issue, place of the issue
    "unknown element": (put("Patient", nickname="Trijn"), 400, "structure", "Bundle.entry[0].resource.nickname"),
    "wrong type": (put("Patient", birthDate=1948), 400, "structure", "Bundle.entry[0].resource.birthDate"),
    "date that does not exist": (
        put("Patient", birthDate="1948-02-31"), 400, "value", "Bundle.entry[0].resource.birthDate",
    ),
    "wrong code": (put("Patient", gender="vrouw"), 400, "code-invalid", "Bundle.entry[0].resource.gender"),
    "missing element": (put("ServiceRequest", subject=None), 400, "required", "Bundle.entry[1].resource.subject"),
    "unknown type": (
        put("QuestionnaireResponse", resourceType="Vragenlijst"), 400, "not-supported", "Bundle.entry[3].resource",
    ),
    "no identifier": (
        put("ServiceRequest", identifier=None), 422, "required", "Bundle.entry[1].resource.identifier",
    ),
    "identifier without system": (
        put("ServiceRequest", identifier=[{"value": "1"}]), 422, "required", "Bundle.entry[1].resource.identifier",
    ),
    "no such pathway": (
        put("ServiceRequest", instantiatesCanonical=["https://elders.example/PlanDefinition/knie"]),
        422, "not-found", "Bundle.entry[1].resource.instantiatesCanonical[0]",
    ),
    "unknown organisation": (
        put("ServiceRequest", requester={"identifier": {"system": URA, "value": "00000000"}}),
        422, "not-found", "Bundle.entry[1].resource.requester",
    ),
    "another organisation's referral": (
        put("ServiceRequest", requester={"identifier": {"system": URA, "value": "99990001"}}),
        422, "forbidden", "Bundle.entry[1].resource.requester",
    ),
    "a number that fails the 11-proef": (
        with_bsn("123456789"), 422, "value", "Bundle.entry[0].resource.identifier[0].value",
    ),
    "a reference that leads nowhere": (
        put("Condition", encounter={"reference": "Encounter/1"}),
        422, "not-found", "Bundle.entry[2].resource.encounter.reference",
    ),
    "a second patient": (again("Patient"), 422, "business-rule", "Bundle.entry[4].resource"),
    "a performer that cannot take it": (
        put("ServiceRequest", performer=[{"identifier": {"system": URA, "value": "99990001"}}]),
        422, "not-found", "Bundle.entry[1].resource.performer[0]",
    ),
    "a request that has ended": (
        put("ServiceRequest", status="completed"), 422, "business-rule", "Bundle.entry[1].resource.status",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
async def test_one_thing_broken(service: Service, name: str) -> None:
    change, status, code, place = BROKEN[name]

    response = await service.his.post("/fhir", json=a_referral("1", change))

    issues = response.json()["issue"]
    assert response.status_code == status, response.text
    assert [(issue["code"], issue.get("expression")) for issue in issues] == [(code, [place])], issues
    await nothing_stored(service, response)


async def test_ten_mistakes_are_told_in_one_round(service: Service) -> None:
    def many(bundle: dict[str, Any]) -> None:
        of(bundle, "Patient").update(gender="vrouw", birthDate="1948-02-31", nickname="x", active="ja")
        of(bundle, "ServiceRequest").update(status="nieuw", priority="snel", authoredOn="gisteren")
        of(bundle, "Condition").update(clinicalStatus="active")
        of(bundle, "QuestionnaireResponse").update(status="klaar", item=[{}])

    response = await service.his.post("/fhir", json=a_referral("1", many))

    assert response.status_code == 400
    assert len(places(response)) >= 10
    assert len(set(places(response))) == len(places(response))


async def test_everything_that_the_pathway_and_the_referral_miss_is_told_together(service: Service) -> None:
    def many(bundle: dict[str, Any]) -> None:
        with_bsn("123456789")(bundle)
        of(bundle, "QuestionnaireResponse")["item"] = []
        of(bundle, "Condition")["encounter"] = {"reference": "Encounter/1"}

    def without_items(bundle: dict[str, Any]) -> None:
        many(bundle)
        del of(bundle, "QuestionnaireResponse")["item"]

    response = await service.his.post("/fhir", json=a_referral("1", without_items))

    assert response.status_code == 422
    found = places(response)
    assert "Bundle.entry[0].resource.identifier[0].value" in found
    assert "Bundle.entry[2].resource.encounter.reference" in found
    assert "Bundle.entry[3].resource.item.where(linkId='gevaar')" in found
    assert "Bundle.entry[3].resource.item.where(linkId='toestemming')" in found


GOOD = json.dumps(a_referral("1")).encode()
NUL_IN_TEXT = GOOD.replace(b"Trijntje Veldkamp", b"Trijntje\\u0000Veldkamp")
BODIES: dict[str, tuple[bytes, int]] = {
    "not JSON": (b"Beste coach, graag bellen.", 400),
    "empty": (b"", 400),
    "half": (GOOD[: len(GOOD) // 2], 400),
    "an array": (b"[]", 400),
    "not a Bundle": (b'{"resourceType":"Patient"}', 400),
    "UTF-16": (GOOD.decode().encode("utf-16"), 400),
    "bad UTF-8": (GOOD.replace(b"Trijntje", b"Trijntj\xe9"), 400),
    "BOM": (b"\xef\xbb\xbf" + GOOD, 400),
    "raw NUL": (GOOD.replace(b"Trijntje Veldkamp", b"Trijntje\x00Veldkamp"), 400),
    "escaped NUL": (NUL_IN_TEXT, 400),
    "lone surrogate": (GOOD.replace(b"Trijntje Veldkamp", b"\\ud800"), 400),
    "duplicate key": (GOOD.replace(b'"gender": "female"', b'"gender": "female", "gender": "male"'), 400),
    "NaN": (GOOD.replace(b'"preferred": true', b'"preferred": NaN'), 400),
    "nesting over 32": (
        b'{"resourceType":"Bundle","type":"transaction","x":' + b"[" * 40 + b"]" * 40 + b"}",
        400,
    ),
    "nesting 100,000": (b"[" * 100_000, 400),
    "a number of 5,000 digits": (GOOD.replace(b'"preferred": true', b'"preferred": ' + b"9" * 5_000), 400),
    "over 1 MiB": (GOOD.replace(b"Trijntje", b"T" * (1024 * 1024)), 413),
}


@pytest.mark.parametrize("name", BODIES)
async def test_r13_r14_bytes_that_are_no_referral_store_nothing(service: Service, name: str) -> None:
    body, status = BODIES[name]

    response = await service.his.post("/fhir", content=body)

    assert response.status_code == status, response.text
    await nothing_stored(service, response)


async def test_501_entries(service: Service) -> None:
    entry = {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry] * 501}

    response = await service.his.post("/fhir", json=bundle)

    assert response.status_code == 413
    await nothing_stored(service, response)


async def test_r20_a_gzip_bomb_is_not_unpacked(service: Service) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = packer.compress(b" " * (200 * 1024 * 1024)) + packer.flush()
    headers = {"Content-Encoding": "gzip"}

    response = await service.his.post("/fhir", content=bomb, headers=headers)

    assert response.status_code == 413
    await nothing_stored(service, response)
    taken = await service.his.post("/fhir", content=gzip.compress(GOOD), headers=headers)
    assert taken.status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/xml"}, 415),
        ({"Content-Type": "application/fhir+json; charset=latin-1"}, 415),
        ({"Content-Encoding": "br"}, 415),
        ({"Content-Encoding": "gzip"}, 400),
        ({"Accept": "application/fhir+xml"}, 406),
    ],
)
async def test_r22_forms_that_we_do_not_speak(service: Service, headers: dict[str, str], status: int) -> None:
    response = await service.his.post("/fhir", content=GOOD, headers=headers)

    assert response.status_code == status
    await nothing_stored(service, response)


async def test_a_body_that_says_it_is_too_long_is_refused_by_its_length_alone(service: Service) -> None:
    async def never() -> Any:
        raise AssertionError("the body was read")
        yield b""

    response = await service.his.post("/fhir", content=never(), headers={"Content-Length": "9999999"})

    assert response.status_code == 413


OTHER_SETTINGS = SETTINGS.__class__.from_environ({"KETENZORG_AUDIENCE": "https://elders.example/fhir"})
TOKENS: dict[str, Callable[[], str]] = {
    "none": lambda: "",
    "another scheme": lambda: "Basic aGk6aGk=",
    "nonsense": lambda: "Bearer nonsense",
    "expired": lambda: f"Bearer {token_for('his-demo', hours=-1)}",
    "for another service": lambda: f"Bearer {token_for('his-demo', settings=OTHER_SETTINGS)}",
    "signed by another": lambda: (
        f"Bearer {token_for('his-demo', secret=b'not ours, though also long enough')}"
    ),
    "unsigned": lambda: "Bearer eyJhbGciOiJub25lIn0.e30.",
    "very long": lambda: "Bearer " + "a" * 100_000,
}


@pytest.mark.parametrize("name", TOKENS)
async def test_a_token_that_we_do_not_trust_is_refused_before_the_body_is_read(
    service: Service, name: str
) -> None:
    async def never() -> Any:
        raise AssertionError("the body was read")
        yield b""

    headers = {"Authorization": TOKENS[name]()}
    response = await service.stranger.post("/fhir", content=never(), headers=headers)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    await nothing_stored(service, response)


async def test_a_scope_that_is_missing_is_named(service: Service) -> None:
    response = await service.team.post("/fhir", content=GOOD)

    assert response.status_code == 403
    assert "system/ServiceRequest.c" in texts(response)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nergens", 404),
        ("GET", "/fhir/Nergens/1", 404),
        ("GET", "/fhir/Nergens", 404),
        ("GET", "/fhir/Binary", 405),
        ("GET", "/fhir/Task/1", 404),
        ("GET", "/fhir/Task/%00", 404),
        ("DELETE", "/fhir/Task/1", 404),
        ("PUT", "/fhir/Patient/1", 405),
        ("POST", "/fhir/Patient/1/$event", 405),
        ("PUT", "/fhir/Task/1", 404),
        ("POST", "/fhir/Patient", 405),
        ("POST", "/fhir/metadata", 405),
    ],
)
async def test_the_frameworks_own_refusals_are_fhir_too(
    service: Service, method: str, path: str, status: int
) -> None:
    response = await service.his.request(method, path, content=GOOD if method == "PUT" else None)

    assert response.status_code == status, response.text
    is_fhir(response)


async def nothing_stored(service: Service, response: httpx.Response) -> None:
    """The answer is an OperationOutcome in two languages, and the database is as it was."""
    is_fhir(response)
    assert (
        await service.rows("select 1 from ketenzorg.resource union all select 1 from ketenzorg.event") == []
    )


def is_fhir(response: httpx.Response) -> None:
    assert response.headers["Content-Type"] == "application/fhir+json; charset=utf-8"
    outcome = decode_as(response.content, r4.OperationOutcome)
    for issue in outcome.issue or ():
        assert issue.details is not None
        assert issue.details.text
        assert issue.diagnostics
    for secret in ("Traceback", "/src/", "asyncpg", "select ", "ketenzorg.store", "msgspec"):
        assert secret not in response.text
    assert response.headers["X-Request-Id"]
