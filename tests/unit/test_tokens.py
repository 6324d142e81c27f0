"""What a token carries comes out of it again; what we did not sign, or not for here and now, does not get in."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from ketenzorg.access.token_keys import PERIOD_S, TokenKeys
from ketenzorg.access.tokens import EMERGENCY, LEEWAY_S, TREATMENT, Caller, Tokens
from ketenzorg.errors import Unauthenticated
from services import REGION

PRACTICE = REGION.of_client("his-demo")
ROOT = b"r" * 32
START = datetime(2026, 1, 12, 9, 30, tzinfo=UTC)
MINUTES = timedelta(minutes=5)


def tokens(
    at: datetime = START,
    *,
    root: bytes = ROOT,
    audience: str = "https://a.example/fhir",
    region: str = "groningen",
) -> Tokens:
    return Tokens(
        TokenKeys(root), issuer="https://a.example", audience=audience, region=region, now=lambda: at
    )


def of_the_practice(**person: str) -> Caller:
    return Caller("his", PRACTICE.id, PRACTICE.kind, frozenset({"system/Task.rs"}), REGION.code, **person)


def test_a_token_carries_who_acts_on_whose_responsibility_and_why() -> None:
    caller = of_the_practice(
        user="http://fhir.nl/fhir/NamingSystem/uzi-nr-pers#000012345",
        responsible="http://fhir.nl/fhir/NamingSystem/uzi-nr-pers#000054321",
        purpose=EMERGENCY,
    )
    assert tokens().verify(f"Bearer {tokens().issue(caller, MINUTES)}") == caller


def test_a_system_by_itself_acts_for_treatment() -> None:
    caller = tokens().verify(f"Bearer {tokens().issue(of_the_practice(), MINUTES)}")
    assert (caller.user, caller.responsible, caller.purpose) == ("", "", TREATMENT)


def test_the_signing_key_changes_and_a_token_of_the_last_one_still_counts() -> None:
    change = datetime.fromtimestamp((int(START.timestamp()) // PERIOD_S + 1) * PERIOD_S, UTC)
    before, after = change - timedelta(seconds=1), change + timedelta(days=7)
    longest = tokens(before).issue(of_the_practice(), timedelta(days=7, seconds=2))
    assert tokens(after).read(longest).caller == of_the_practice()
    new = tokens(change).issue(of_the_practice(), MINUTES)
    assert kid_of(new) != kid_of(longest)
    assert tokens(before).read(new)  # a process of which the clock is behind
    for ahead in (change - timedelta(seconds=PERIOD_S), change):
        assert kid_of(new) in {str(key["kid"]) for key in published(ahead)}
    assert kid_of(longest) not in {str(key["kid"]) for key in published(change + timedelta(seconds=PERIOD_S))}


def test_every_process_of_an_installation_has_the_same_key_and_no_other_installation_has() -> None:
    token = tokens().issue(of_the_practice(), MINUTES)
    assert tokens().read(token)
    refused(tokens(root=b"s" * 32), token, "not signed by us")


def test_a_token_of_another_service_region_or_time_does_not_get_in() -> None:
    token = tokens().issue(of_the_practice(), MINUTES)
    refused(tokens(audience="https://b.example/fhir"), token, "not for https://b.example/fhir")
    refused(tokens(region="drenthe"), token, "another region")
    late = START + MINUTES + timedelta(seconds=LEEWAY_S)
    refused(tokens(late), token, "has expired")
    assert tokens(late - timedelta(seconds=1)).read(token)
    refused(tokens(START - timedelta(seconds=LEEWAY_S + 1)), token, "has expired")


def test_a_token_that_was_read_before_expires_all_the_same() -> None:
    now = [START]
    ours = Tokens(TokenKeys(ROOT), issuer="a", audience="b", region="groningen", now=lambda: now[0])
    token = ours.issue(of_the_practice(), MINUTES)
    assert ours.read(token)
    now[0] += MINUTES + timedelta(seconds=LEEWAY_S)
    refused(ours, token, "has expired")


def test_a_forged_token_does_not_get_in() -> None:
    ours = tokens()
    token = ours.issue(of_the_practice(), MINUTES)
    head, body, signature = token.split(".")
    public = next(key for key in published(START) if key["kid"] == kid_of(token))
    claims = jwt.decode(token, ECKey.import_key(public), algorithms=["ES256"]).claims
    stolen = ECKey.generate_key("P-256", {"kid": kid_of(token)})
    own = jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": kid_of(token)}, claims, stolen)
    for forged in (
        f"{head}.{body}.",
        f"{base64url({'alg': 'none', 'typ': 'at+jwt', 'kid': kid_of(token)})}.{body}.",
        with_public_key_as_secret({"alg": "HS256", "typ": "at+jwt", "kid": kid_of(token)}, body, public),
        f"{head}.{base64url(claims | {'org': str(START)})}.{signature}",
        own,
        jwt.encode({"alg": "ES256", "typ": "at+jwt"}, claims, stolen),
        "x", "..", "é", "a" * 5000,
    ):  # fmt: skip
        refused(ours, forged, "The token is")


def test_a_token_that_is_bound_to_a_certificate_is_refused_without_it() -> None:
    ours = tokens()
    bound, loose = (ours.issue(of_the_practice(), MINUTES, thumbprint) for thumbprint in ("abc", ""))
    assert ours.verify(f"Bearer {bound}", "abc") == of_the_practice()
    assert ours.verify(f"Bearer {loose}", "abc") == of_the_practice()
    for other in ("", "abd"):
        with pytest.raises(Unauthenticated, match="another client certificate"):
            ours.verify(f"Bearer {bound}", other)


def refused(ours: Tokens, token: str, says: str) -> None:
    with pytest.raises(Unauthenticated, match=says):
        ours.read(token)


def published(at: datetime) -> list[dict[str, str]]:
    keys: list[dict[str, str]] = tokens(at).public_keys()["keys"]  # type: ignore[assignment]
    return keys


def kid_of(token: str) -> str:
    return str(json.loads(urlsafe_b64decode(token.split(".", maxsplit=1)[0] + "=="))["kid"])


def base64url(part: object) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def with_public_key_as_secret(header: dict[str, str], body: str, public: dict[str, str]) -> str:
    signed = f"{base64url(header)}.{body}"
    digest = hmac.digest(ECKey.import_key(public).as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"
