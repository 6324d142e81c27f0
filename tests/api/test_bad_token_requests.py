"""Each hole through which a request could get somebody more than was registered for them is closed.

https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html, RFC 7523, RFC 8725.
"""

import json
from typing import Any
from urllib.parse import urlencode

from ketenzorg.access.granting import ASSERTION_TYPE
from ketenzorg.api.auth import FORM
from log_lines import capture_logs
from services import Service
from systems import (
    COACH,
    PRACTICE,
    UNKNOWN,
    System,
    another_process,
    ask,
    refusal,
    register,
    rsa,
    speaking,
)

# Who


async def test_who_guesses_names_of_clients_learns_nothing(service: Service) -> None:
    known = await register(service)
    stranger = System(service, "his-z", rsa())
    forged = [known.signed({"kid": "another"}), System(service, "his-a", rsa("rsa-1", 2056)).signed()]
    answers = [await stranger.ask(), *[await known.ask(each) for each in forged]]
    assert len({answer.content for answer in answers}) == 1
    refusal(answers[0], "invalid_client", UNKNOWN)
    assert "his-z" not in answers[0].text


async def test_the_log_names_no_client_that_is_not_registered(service: Service) -> None:
    with capture_logs() as lines:
        await System(service, "Trijntje Veldkamp 999990019", rsa()).ask()
    assert "Veldkamp" not in json.dumps(lines)
    assert [line["why"] for line in lines if line["event"] == "KZ-AUT-002"] == ["unknown client"]


NOT_THE_PRACTICE = (
    f"http://fhir.nl/fhir/NamingSystem/ura#{COACH.ura}", f"Organization/{COACH.id}",
    "http://fhir.nl/fhir/NamingSystem/ura#00000000", "#", "https://his.example/", f"{PRACTICE.id}",
)  # fmt: skip


async def test_a_client_of_one_organisation_gets_no_token_that_names_another(service: Service) -> None:
    system = await register(service)
    for said in NOT_THE_PRACTICE:
        refused = await system.ask(system.signed(extensions={"hl7-b2b": {"organization_id": said}}))
        refusal(refused, "invalid_grant", "does not speak for this organisation")


WRONG_PERSONS: list[tuple[dict[str, Any], str]] = [
    ({"hl7-b2b": {"subject_id": "http://fhir.nl/fhir/NamingSystem/bsn#999990019"}}, "never a BSN"),
    ({"hl7-b2b": {"subject_id": "Veldkamp"}}, "is a URI"),
    ({"hl7-b2b": {"subject_id": "urn:x#" + "1" * 300}}, "is a URI"),
    ({"ketenzorg": {"responsible_id": "urn:oid:2.16.840.1.113883.2.4.6.3#999990019"}}, "never a BSN"),
    ({"hl7-b2b": {"purpose_of_use": ["TREAT", "ETREAT"]}}, "is one of"),
    ({"hl7-b2b": {"purpose_of_use": ["urn:oid:2.16.840.1.113883.5.8#MARKT"]}}, "is one of"),
    ({"hl7-b2b": {"purpose_of_use": "TREAT"}}, "has not the form"),
    ({"hl7-b2b": "TREAT"}, "has not the form"),
]


async def test_what_is_said_of_the_person_is_checked(service: Service) -> None:
    system = await register(service)
    for extensions, wrong in WRONG_PERSONS:
        refused = await system.ask(system.signed(extensions=extensions))
        refusal(refused, "invalid_grant", wrong)
        assert "999990019" not in refused.text


# How far


async def test_a_scope_wider_than_registered_gives_no_more_than_was_registered(service: Service) -> None:
    system = await register(service, scopes=("system/Task.rs", "system/Patient.r"))
    token = await system.token(scope="system/*.cruds")
    async with another_process(service) as app, speaking(app, token) as client:
        assert (await client.get("/fhir/Task")).status_code == 200
        assert (await client.get("/fhir/ServiceRequest")).status_code == 403
        assert (
            await client.post("/fhir", json={"resourceType": "Bundle", "type": "transaction"})
        ).status_code == 403


async def test_all_of_cruds_where_only_reading_was_registered_does_not_write(service: Service) -> None:
    system = await register(service, scopes=("system/*.rs",))
    answer = await system.ask(scope="system/*.cruds")
    assert answer.json()["scope"] == "system/*.rs"
    refusal(await system.ask(scope="system/Task.u"), "invalid_scope", "none of this was registered")


WRONG_SCOPES = [
    ("patient/*.rs", "begin with system/"),
    ("user/Task.rs", "begin with system/"),
    ("system/Task.rs?status=requested", "search parameters"),
    ("system/Task.read", "SMART v2"),
    ("system/*.*", "SMART v2"),
    ("system/Task.sr", "SMART v2"),
    ("system/Task.", "SMART v2"),
    ("system/Task.rs,system/Patient.rs", "SMART v2"),
    ("openid", "SMART v2"),
    ("launch/patient", "SMART v2"),
    ("system/sandbox.clock", "SMART v2"),
    ("system/Task.rs " * 101, "one to a hundred"),
]


async def test_a_scope_of_another_kind_is_refused_and_not_left_out(service: Service) -> None:
    system = await register(service)
    for scope, wrong in WRONG_SCOPES:
        refusal(await system.ask(scope=f"system/Task.rs {scope}"), "invalid_scope", wrong)
    refusal(await system.ask(scope=" "), "invalid_scope", "one to a hundred")


# The request around it


WRONG_FIELDS: list[tuple[dict[str, str | None], str, str]] = [
    ({"grant_type": "authorization_code"}, "unsupported_grant_type", "client_credentials"),
    (
        {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"},
        "unsupported_grant_type",
        "client_credentials",
    ),
    ({"client_assertion_type": ASSERTION_TYPE.replace("jwt", "saml2")}, "invalid_request", "jwt-bearer here"),
    ({"client_id": "his-b"}, "invalid_request", "disagree"),
    *(
        ({name: None}, "invalid_request", f"{name} is missing")
        for name in ("grant_type", "client_assertion_type", "client_assertion", "scope")
    ),
]


async def test_a_request_for_another_flow_or_without_a_field_is_refused(service: Service) -> None:
    system = await register(service)
    for changed, error, wrong in WRONG_FIELDS:
        refusal(await system.ask(**changed), error, wrong)


async def test_a_field_that_stands_there_twice_is_refused(service: Service) -> None:
    system = await register(service)
    for field in ("scope", "client_assertion", "grant_type", "whatever"):
        form = urlencode(system.form()) + f"&{field}=system%2FTask.rs&{field}=x"
        refusal(await ask(service, form.encode()), "invalid_request", "stands there twice")


async def test_a_body_that_is_no_form_is_refused_in_the_words_of_oauth(service: Service) -> None:
    form = (await register(service)).form()
    for body, content_type, status in (
        (json.dumps(form).encode(), "application/json", 415),
        (urlencode(form).encode(), "text/plain", 415),
        (json.dumps(form).encode(), FORM, 400),
        (b"\xff\xfe=1", FORM, 400),
        (b"", FORM, 400),
        (b"a=1&" * 30 + b"a=1", FORM, 400),
        (b"a" * 2_000_000, FORM, 413),
    ):
        answer = await ask(service, body, Content_Type=content_type)
        assert (answer.status_code, answer.json()["error"]) == (status, "invalid_request")
        assert answer.headers["Content-Type"] == "application/json"


async def test_fields_in_the_address_are_not_fields(service: Service) -> None:
    system = await register(service)
    answer = await service.stranger.post(
        f"/auth/token?{urlencode(system.form())}", headers={"Content-Type": "x"}
    )
    assert (answer.status_code, answer.json()["error"]) == (415, "invalid_request")
    assert (await service.stranger.get("/auth/token")).status_code == 405


async def test_two_ways_of_saying_who_you_are_are_one_too_many(service: Service) -> None:
    system = await register(service)
    for authorization in ("Basic aGlzLWE6eA==", f"Bearer {await system.token()}"):
        refused = await ask(service, system.form(), Authorization=authorization)
        refusal(refused, "invalid_request", "no Authorization")


async def test_a_token_is_no_assertion_and_an_assertion_no_token(service: Service) -> None:
    system = await register(service)
    refusal(await system.ask(await system.token()), "invalid_client", "RS384 or ES384")
    async with speaking(service.app, system.signed()) as client:
        answer = await client.get("/fhir/Task")
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (401, "login")
