"""A system registers its keys, asks for a token and works with it: SMART Backend Services from end to end."""

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from ketenzorg.access.tokens import EMERGENCY, TREATMENT
from referrals import a_referral
from services import SETTINGS, Referral, Service, token_for
from systems import (
    COACH,
    PRACTICE,
    TOKEN_URL,
    Key,
    another_process,
    ec,
    key_set,
    publisher,
    register,
    registered_clients,
    rsa,
    speaking,
)

URA = "http://fhir.nl/fhir/NamingSystem/ura#"
WELL_KNOWN = "/.well-known/smart-configuration"


@pytest.mark.parametrize("key", [rsa(), ec()], ids=["RS384", "ES384"])
async def test_a_whole_referral_through_a_token_that_was_asked_for(service: Service, key: Key) -> None:
    his = await register(service, "his-a", key)
    coach = await register(service, "welzijn-a", ec("coach"), organisations=[COACH])
    configuration = (await service.stranger.get(f"/fhir{WELL_KNOWN}")).json()
    assert configuration["token_endpoint"] == TOKEN_URL

    answer = await his.ask(scope="system/*.crus")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    given = answer.json()
    assert (given["token_type"], given["expires_in"], given["scope"]) == ("bearer", 300, "system/*.crus")
    async with another_process(service) as app:
        async with speaking(app, given["access_token"]) as client:
            referral = Referral(await client.post("/fhir", json=a_referral()))
        async with speaking(app, await coach.token(scope="system/Task.rus")) as client:
            task = (await client.get("/fhir/Task?status=requested")).json()["entry"][0]["resource"]
            assert f"Task/{task['id']}" == referral["Task"]
            accept = [{"op": "replace", "path": "/status", "value": "accepted"}]
            patch = {"Content-Type": "application/json-patch+json"}
            assert (
                await client.patch(f"/fhir/{referral['Task']}", json=accept, headers=patch)
            ).status_code == 200
    rows = await service.rows("select distinct client, organisation from ketenzorg.audit order by client")
    assert [tuple(row) for row in rows] == [("his-a", PRACTICE.id), ("welzijn-a", COACH.id)]


async def test_what_the_configuration_says_is_what_there_is(service: Service) -> None:
    at_fhir, at_root = [await service.stranger.get(f"{base}{WELL_KNOWN}") for base in ("/fhir", "")]
    assert at_fhir.json() == at_root.json()
    assert at_fhir.headers["Content-Type"] == "application/json"
    said = at_fhir.json()
    assert said["capabilities"] == ["client-confidential-asymmetric", "permission-v2"]
    routes = {f"{SETTINGS.base_url}{route.path}" for route in service.app.litestar.routes}
    assert {address for name, address in said.items() if name.endswith(("_endpoint", "_uri"))} <= routes
    signed = {"RS384": rsa(), "ES384": ec()}
    assert set(said["token_endpoint_auth_signing_alg_values_supported"]) == set(signed)


async def test_anybody_can_check_our_tokens_with_the_published_keys(service: Service) -> None:
    system = await register(service)
    token = await system.token()
    published = await service.stranger.get("/auth/jwks")
    assert "max-age" in published.headers["Cache-Control"]
    assert all("d" not in key for key in published.json()["keys"])
    claims = jwt.decode(token, KeySet.import_key_set(published.json()), algorithms=["ES256"]).claims
    assert (claims["iss"], claims["sub"], claims["org"]) == (SETTINGS.base_url, "his-a", str(PRACTICE.id))


@pytest.mark.parametrize(
    ("registered", "asked", "granted"),
    [
        ("system/*.crus", "system/Task.rs", "system/Task.rs"),
        ("system/Task.rs system/Patient.r", "system/*.crus", "system/Patient.r system/Task.rs"),
        ("system/*.rs", "system/*.cruds", "system/*.rs"),
        (
            "system/*.r system/Task.cu",
            "system/Task.cru system/Patient.rs",
            "system/Patient.r system/Task.cru",
        ),
        ("system/Task.rs", "system/Task.rs system/Patient.rs", "system/Task.rs"),
        ("system/*.rs introspect", "system/Task.r introspect", "introspect system/Task.r"),
    ],
)
async def test_granted_is_what_was_both_asked_and_registered(
    service: Service, registered: str, asked: str, granted: str
) -> None:
    system = await register(service, scopes=tuple(registered.split()))
    assert (await system.ask(scope=asked)).json()["scope"] == granted


# For whom


@pytest.mark.parametrize(
    "said",
    [
        f"{URA}{COACH.ura}",
        f"urn:oid:2.16.528.1.1007.3.3#{COACH.ura}",
        f"{SETTINGS.base_url}/fhir/Organization/{COACH.id}",
    ],
)
async def test_a_client_of_several_organisations_says_for_which_one(service: Service, said: str) -> None:
    cloud = await register(service, "cloud", organisations=[PRACTICE, COACH])
    token = await cloud.token(cloud.signed(extensions={"hl7-b2b": {"version": "1", "organization_id": said}}))
    assert claims_of(token)["org"] == str(COACH.id)
    assert claims_of(token)["role"] == "welzijnsorganisatie"


async def test_a_client_that_does_not_say_so_gets_no_token(service: Service) -> None:
    cloud = await register(service, "cloud", organisations=[PRACTICE, COACH])
    refused = await cloud.ask()
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert "organization_id" in refused.json()["error_description"]


async def test_who_acts_on_whose_responsibility_and_why_is_in_the_token(service: Service) -> None:
    system = await register(service)
    uzi = "http://fhir.nl/fhir/NamingSystem/uzi-nr-pers#"
    b2b = {"subject_name": "T. Veldkamp", "subject_id": f"{uzi}000012345", "subject_role": "01.015",
           "purpose_of_use": ["urn:oid:2.16.840.1.113883.5.8#ETREAT"]}  # fmt: skip
    said = {"hl7-b2b": b2b, "ketenzorg": {"responsible_id": f"{uzi}000054321"}}
    claims = claims_of(await system.token(system.signed(extensions=said)))
    assert (claims["user"], claims["responsible"], claims["purpose"]) == (
        b2b["subject_id"], said["ketenzorg"]["responsible_id"], EMERGENCY,
    )  # fmt: skip
    assert "Veldkamp" not in str(claims)
    by_itself = claims_of(await system.token())
    assert (by_itself["user"], by_itself["purpose"]) == ("", TREATMENT)


# Keys that change


async def test_keys_at_an_address_are_kept_as_long_as_it_allows_and_no_longer(service: Service) -> None:
    now = [0.0]
    async with (
        publisher(key_set(ec("old")), "Cache-Control: public, max-age=100", "Age: 40") as at,
        another_process(service, seconds=lambda: now[0]) as app,
    ):
        service.stranger = speaking(app)
        system = await register(service, key=ec("old"), url=at.url)
        for moment in (0, 59):
            now[0] = moment
            await system.token()
        assert at.looks == 1
        at.body = key_set(ec("new")).encode()
        now[0] = 60
        refused = await system.ask()  # what the address no longer publishes counts for nothing
        assert (refused.json()["error"], at.looks) == ("invalid_client", 2)


@pytest.mark.parametrize("said", ["no-store", "no-cache, max-age=60", "max-age=0", "private"])
async def test_keys_that_may_not_be_kept_are_asked_for_each_time(service: Service, said: str) -> None:
    now = [0.0]
    async with (
        publisher(key_set(ec()), f"Cache-Control: {said}") as at,
        another_process(service, seconds=lambda: now[0]) as app,
    ):
        service.stranger = speaking(app)
        system = await register(service, key=ec(), url=at.url)
        for moment in (0, 2, 4):
            now[0] = moment
            await system.token()
        assert at.looks == 3


async def test_a_new_key_is_found_at_once_and_an_unknown_one_makes_us_look_twice_a_minute(
    service: Service,
) -> None:
    now = [0.0]
    async with (
        publisher(key_set(ec("old")), "Cache-Control: max-age=3600") as at,
        another_process(service, seconds=lambda: now[0]) as app,
    ):
        service.stranger = speaking(app)
        system = await register(service, key=ec("old"), url=at.url)
        await system.token()
        at.body = key_set(ec("old"), ec("new")).encode()
        now[0] = 31
        system.key = ec("new")
        await system.token()
        assert at.looks == 2
        for _ in range(20):  # anybody may send these
            await system.ask(system.signed({"kid": "made up"}))
        assert at.looks == 2
        now[0] = 62
        at.status = 500
        await system.ask(system.signed({"kid": "made up"}))
        await system.token()  # a look that fails takes nothing away
        assert at.looks == 3


async def test_keys_are_replaced_at_the_registration_too(service: Service) -> None:
    now = [0.0]
    async with another_process(service, seconds=lambda: now[0]) as app:
        service.stranger = speaking(app)
        system = await register(service)
        await system.token()
        async with registered_clients(service) as clients:
            assert await clients.replace_keys(
                system.name, jwks_url=None, jwks=key_set(ec("next"), rsa("other"))
            )
        now[0] = 1
        assert (await system.ask()).json()["error"] == "invalid_client"
        system.key = ec("next")
        await system.token()


# What a token says


async def test_who_may_ask_hears_what_a_token_says(service: Service) -> None:
    system = await register(service, scopes=("system/Task.rs", "introspect"))
    gone = await register(service, "gone")
    asking = await system.token(scope="introspect")
    token = await system.token(scope="system/Task.rs")
    said = await introspected(service, asking, token)
    assert said.status_code == 200
    assert (said.json()["active"], said.json()["client_id"], said.json()["scope"]) == (
        True,
        "his-a",
        "system/Task.rs",
    )
    assert said.json()["exp"] - said.json()["iat"] == 300
    for other in (token[:-4] + "AAAA", "x", token_for("his-demo", hours=-1)):
        assert (await introspected(service, asking, other)).json() == {"active": False}
    token = await gone.token()
    async with registered_clients(service) as clients:
        await clients.revoke("gone")
    async with another_process(service) as app:
        service.stranger = speaking(app)
        assert (await introspected(service, asking, token)).json() == {"active": False}


async def test_who_may_not_hears_nothing(service: Service) -> None:
    system = await register(service)
    token = await system.token()
    nobody, wrong = await introspected(service, None, token), await introspected(service, token, token)
    assert (nobody.status_code, nobody.json()["error"]) == (401, "invalid_token")
    assert (wrong.status_code, wrong.json()["error"]) == (403, "insufficient_scope")
    assert "Bearer" in nobody.headers["WWW-Authenticate"]


async def introspected(service: Service, asking: str | None, token: str) -> Any:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if asking:
        headers["Authorization"] = f"Bearer {asking}"
    return await service.stranger.post("/auth/introspect", headers=headers, content=f"token={token}")


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    return claims
