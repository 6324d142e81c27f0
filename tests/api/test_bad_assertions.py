"""Each hole through which an assertion could get somebody a token that is not theirs is closed, and tells nothing.

https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html, RFC 7523, RFC 8725.
"""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import RSAKey

from log_lines import capture_logs
from services import SETTINGS, Service
from systems import (
    TOKEN_URL,
    UNKNOWN,
    System,
    another_process,
    ec,
    key_set,
    publisher,
    refusal,
    register,
    rsa,
    speaking,
    whys,
)

NOW = int(time.time())


# The signature


async def test_alg_none_is_no_signature(service: Service) -> None:
    system = await register(service)
    for alg in ("none", "None", "", None):
        header = {"alg": alg, "typ": "JWT", "kid": system.key.kid}
        refusal(await system.ask(unsigned(header, system.claims())), "invalid_client", "RS384 or ES384")


async def test_the_public_key_is_no_secret_to_sign_with(service: Service) -> None:
    system = await register(service)
    for public in (rsa().as_pem(private=False), key_set(rsa()).encode()):
        header = {"alg": "HS256", "typ": "JWT", "kid": system.key.kid}
        body = unsigned(header, system.claims()).removesuffix(".")
        forged = f"{body}.{base64url(hmac.digest(public, body.encode(), 'sha256'))}"
        refusal(await system.ask(forged), "invalid_client", "RS384 or ES384")


async def test_an_algorithm_that_we_did_not_promise_is_refused_also_with_the_right_key(
    service: Service,
) -> None:
    system = await register(service)
    for alg in ("RS256", "PS384"):
        header = {"alg": alg, "typ": "JWT", "kid": system.key.kid}
        signed = jws.serialize_compact(header, json.dumps(system.claims()), system.key, algorithms=[alg])
        refusal(await system.ask(signed), "invalid_client", "RS384 or ES384")


async def test_claims_that_changed_after_signing_are_not_the_signers(service: Service) -> None:
    system = await register(service)
    head, _, signature = system.signed().split(".")
    other = unsigned({}, system.claims()).split(".")[1]
    refusal(await system.ask(f"{head}.{other}.{signature}"), "invalid_client", UNKNOWN)
    refusal(await system.ask(f"{head}.{other}."), "invalid_client", UNKNOWN)


async def test_the_key_of_one_client_signs_for_no_other(service: Service) -> None:
    await register(service, "his-a", ec("shared"))
    other = await register(service, "his-b", ec("own"), keys=key_set(ec("own")))
    thief = System(service, "his-a", ec("own"))
    refusal(await thief.ask(), "invalid_client", UNKNOWN)
    refusal(await thief.ask(thief.signed({"kid": "shared"})), "invalid_client", UNKNOWN)
    await other.token()


async def test_a_key_that_comes_with_the_assertion_counts_for_nothing(service: Service) -> None:
    await register(service, key=rsa())
    thief = System(service, "his-a", ec("rsa-1"))
    jwk = ec("rsa-1").as_dict(private=False)
    refusal(
        await thief.ask(thief.signed({"jwk": {"kty": "EC", "crv": "P-384", "x": jwk["x"][:9]}})),
        "invalid_client",
        "",
    )


# The key


async def test_an_unknown_kid_or_none_names_no_key(service: Service) -> None:
    system = await register(service)
    refusal(await system.ask(system.signed({"kid": "another"})), "invalid_client", UNKNOWN)
    for kid in ("", "k" * 256):
        refusal(await system.ask(system.signed({"kid": kid})), "invalid_client", "kid")
    without = jws.serialize_compact(
        {"alg": "RS384", "typ": "JWT"}, json.dumps(system.claims()), rsa(), ["RS384"]
    )
    refusal(await system.ask(without), "invalid_client", "kid")


async def test_of_two_keys_with_one_kid_neither_is_taken(service: Service) -> None:
    keys = [rsa("same"), rsa("same", 2056)]
    await register(service, keys=key_set(*keys))
    for key in keys:
        refusal(await System(service, "his-a", key).ask(), "invalid_client", UNKNOWN)


async def test_a_key_of_another_kind_than_the_algorithm_is_not_tried(service: Service) -> None:
    await register(service, keys=key_set(rsa("a"), ec("b")))
    with capture_logs() as lines:
        for key in (rsa("b"), ec("a")):
            refusal(await System(service, "his-a", key).ask(), "invalid_client", UNKNOWN)
    assert whys(lines) == ["unknown key"] * 2


async def test_a_key_that_is_too_weak_is_none(service: Service) -> None:
    await register(service, keys=key_set(weak := weak_rsa(), ec("curve", "P-256")))
    refusal(await System(service, "his-a", weak).ask(), "invalid_client", UNKNOWN)


async def test_a_key_for_encryption_signs_nothing(service: Service) -> None:
    key = rsa().as_dict(private=False) | {"use": "enc"}
    system = await register(service, keys=json.dumps({"keys": [key]}))
    refusal(await system.ask(), "invalid_client", UNKNOWN)


async def test_a_jku_to_an_attacker_is_not_even_looked_at(service: Service) -> None:
    async with publisher(key_set(ec("evil"))) as evil, publisher(key_set(rsa())) as honest:
        await register(service, "by-url", url=honest.url)
        await register(service, "inline")
        for name in ("by-url", "inline"):
            thief = System(service, name, ec("evil"))
            refusal(await thief.ask(thief.signed({"jku": evil.url})), "invalid_client", UNKNOWN)
        assert (evil.looks, honest.looks) == (0, 0)
        system = System(service, "by-url", rsa())
        await system.token(system.signed({"jku": honest.url}))  # the registered one may be named


async def test_a_key_set_that_ran_out_and_cannot_be_had_again_lets_nobody_in(service: Service) -> None:
    now = [0.0]
    async with another_process(service, seconds=lambda: now[0]) as app:
        service.stranger = speaking(app)
        async with publisher(key_set(rsa()), "Cache-Control: max-age=60") as at:
            system = await register(service, url=at.url)
            await system.token()
            now[0] = 59
            at.status = 500
            await system.token()
            now[0] = 60
            refusal(await system.ask(), "invalid_client", UNKNOWN)
        now[0] = 70
        refusal(await system.ask(), "invalid_client", UNKNOWN)  # nobody listens there now


NO_KEY_SETS: list[tuple[str, int, str]] = [
    (json.dumps({"keys": [rsa().as_dict(private=False)] * 21}), 200, "key set: too many keys"),
    ("<html>", 200, "key set: no key set"),
    ("[" * 60_000, 200, "key set: no key set"),
    ('{"keys": {}}', 200, "key set: no key set"),
    (key_set(rsa()), 302, "key set: http 302"),
    (key_set(rsa()), 404, "key set: http 404"),
    ('{"keys": []}', 200, "unknown key"),
]


async def test_a_key_set_that_is_none_lets_nobody_in_and_the_log_says_why(service: Service) -> None:
    async with publisher(key_set(rsa())) as elsewhere, publisher("", f"Location: {elsewhere.url}") as at:
        systems = [
            await register(service, f"his-{number}", url=f"{at.url}/{number}")
            for number in range(len(NO_KEY_SETS))
        ]
        with capture_logs() as lines:
            for system, (body, status, _) in zip(systems, NO_KEY_SETS, strict=True):
                at.body, at.status = body.encode(), status
                refusal(await system.ask(), "invalid_client", UNKNOWN)
        assert elsewhere.looks == 0
    assert whys(lines) == [why for *_, why in NO_KEY_SETS]


async def test_a_key_set_that_has_no_end_is_left_when_it_is_too_large(service: Service) -> None:
    async with publisher(" " * 65_537) as at:
        at.promised = 1_000_000_000
        system = await register(service, url=at.url)
        with capture_logs() as lines:
            refusal(await system.ask(), "invalid_client", UNKNOWN)
    assert whys(lines) == ["key set: too large"]


async def test_a_key_set_inside_our_network_is_not_fetched(service: Service) -> None:
    system = await register(service, url="https://169.254.169.254/jwks")
    with capture_logs() as lines:
        refusal(await system.ask(), "invalid_client", UNKNOWN)
    assert whys(lines) == ["key set: address"]


# What it says


WRONG_CLAIMS: list[tuple[dict[str, Any], str]] = [
    ({"aud": SETTINGS.audience}, "must have aud"),
    ({"aud": "https://elsewhere.example/auth/token"}, "must have aud"),
    ({"aud": [TOKEN_URL, "https://elsewhere.example/auth/token"]}, "must have aud"),
    ({"aud": f"{TOKEN_URL}/"}, "must have aud"),
    ({"exp": NOW + 720}, "lives longer than 300 s"),
    ({"exp": NOW + 200, "iat": NOW - 200}, "lives longer than 300 s"),
    ({"exp": NOW - 3600}, "has expired"),
    ({"iat": NOW + 1800, "exp": NOW + 1900}, "not valid yet"),
    ({"nbf": NOW + 1800}, "not valid yet"),
    ({"sub": "his-b"}, "the same in iss and sub"),
    ({"iss": "his-b"}, "the same in iss and sub"),
    ({"jti": ""}, "needs a jti"),
    ({"jti": "j" * 256}, "needs a jti"),
    *(({name: None}, "needs iss, sub, aud, exp and jti") for name in ("iss", "sub", "aud", "exp", "jti")),
    ({"exp": "soon"}, "needs iss, sub, aud, exp and jti"),
    ({"exp": True}, "needs iss, sub, aud, exp and jti"),
    ({"jti": 7}, "needs iss, sub, aud, exp and jti"),
    ({"iss": ["his-a"]}, "needs iss, sub, aud, exp and jti"),
]


async def test_an_assertion_that_says_something_wrong_is_refused_with_what(service: Service) -> None:
    system = await register(service)
    for changed, wrong in WRONG_CLAIMS:
        refusal(await system.ask(system.signed(**changed)), "invalid_client", wrong)
    assert await service.rows("select from ketenzorg.client_assertion") == []


async def test_everything_that_is_wrong_is_told_at_once(service: Service) -> None:
    system = await register(service)
    refused = await system.ask(system.signed(aud="https://elsewhere.example", exp=NOW - 3600))
    refusal(refused, "invalid_client", "must have aud")
    refusal(refused, "invalid_client", "has expired")


async def test_a_jwt_that_was_made_for_something_else_is_refused(service: Service) -> None:
    system = await register(service)
    for header in ({"typ": "at+jwt"}, {"crit": ["b64"], "b64": False}, {"typ": None}):
        made = unsigned({"alg": "RS384", "kid": "rsa-1", "typ": "JWT"} | header, system.claims())
        refusal(await system.ask(made), "invalid_client", "typ JWT")


async def test_what_is_no_jwt_is_refused(service: Service) -> None:
    system = System(service, "his-a", rsa())
    for assertion in ("x", "a.b.c", "..", "é.b.c", "a" * 9000, "e30.e30.e30", "eyJhbGciOjF9.e30.e30"):
        refusal(await system.ask(assertion), "invalid_client", "The assertion")


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(map(base64url, parts))


def base64url(part: bytes) -> str:
    return urlsafe_b64encode(part).rstrip(b"=").decode()


def weak_rsa() -> RSAKey:
    with pytest.warns(SecurityWarning):
        return rsa("short", 1024)
