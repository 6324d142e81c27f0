"""Bearer tokens: signed by us, short-lived, and naming the organisation that the caller speaks for. RFC 9068."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError

from ketenzorg.access.scopes import grants
from ketenzorg.access.token_keys import ALGORITHM, TokenKeys
from ketenzorg.errors import Forbidden, Issue, Unauthenticated

TYPE = "at+jwt"
LEEWAY_S = 60  # seconds that two clocks may differ
REMEMBERED = 1000  # verified tokens that a process keeps, so that a busy client costs one signature check
LONGEST_TOKEN = 4096  # characters
TREATMENT = "TREAT"
EMERGENCY = "ETREAT"


class Caller(msgspec.Struct, frozen=True):
    """Who calls: a client, the organisation and role for which it does so, and the person behind it."""

    client: str
    organisation: UUID
    role: str  # kind of the organisation, e.g. "huisartspraktijk"
    scopes: frozenset[str]  # SMART v2, e.g. "system/Task.rus"
    region: str
    user: str = ""  # id of the person who acts at the client, as it vouches for; empty: a system by itself
    responsible: str = ""  # id of the person on whose responsibility that is; empty: the user's own
    purpose: str = TREATMENT  # http://terminology.hl7.org/ValueSet/v3-PurposeOfUse

    def may(self, kind: str, interaction: str) -> bool:
        """Whether a scope grants the interaction (one of c r u d s) on a type of resource.

        https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
        """
        return any(grants(scope, kind, interaction) for scope in self.scopes)

    def require(self, kind: str, interaction: str) -> None:
        """Raise Forbidden, naming the scope that is missing."""
        if not self.may(kind, interaction):
            raise Forbidden(
                Issue(
                    nl=f"Dit token mist de scope system/{kind}.{interaction}.",
                    en=f"This token lacks the scope system/{kind}.{interaction}.",
                ),
                headers={
                    "WWW-Authenticate": f'Bearer error="insufficient_scope", scope="system/{kind}.{interaction}"'
                },
            )


class Token(msgspec.Struct, frozen=True):
    """What a token of ours says, once its signature, audience and time have been found right."""

    caller: Caller
    issued: float  # seconds since 1970
    expires: float
    certificate: str = ""  # thumbprint of the client certificate that it is bound to; empty: whoever bears it


class Tokens:
    """Issues and verifies the tokens of one installation."""

    def __init__(
        self, keys: TokenKeys, *, issuer: str, audience: str, region: str, now: Callable[[], datetime]
    ) -> None:
        self._keys = keys
        self.issuer = issuer
        self._audience = audience
        self._region = region
        self._now = now
        self._verified: dict[str, Token] = {}

    def issue(self, caller: Caller, lifetime: timedelta, certificate: str = "") -> str:
        """A token for `caller` that ends after `lifetime`; with a certificate's thumbprint only for its holder."""
        now = self._now()
        claims = {
            "iss": self.issuer,
            "aud": self._audience,
            "sub": caller.client,
            "iat": int(now.timestamp()),
            "exp": int((now + lifetime).timestamp()),
            "org": str(caller.organisation),
            "role": caller.role,
            "region": caller.region,
            "scope": " ".join(sorted(caller.scopes)),
            "user": caller.user,
            "responsible": caller.responsible,
            "purpose": caller.purpose,
            **({"cnf": {"x5t#S256": certificate}} if certificate else {}),  # RFC 8705
        }
        key = self._keys.signing(now)
        return jwt.encode({"alg": ALGORITHM, "typ": TYPE, "kid": key.kid}, claims, key)

    def public_keys(self) -> dict[str, object]:
        """A JWK Set with which anybody can check our tokens."""
        return self._keys.public(self._now())

    def verify(self, authorization: str | None, certificate: str = "") -> Caller:
        """The caller of an Authorization header, on a connection with this client certificate or with none.

        Raises Unauthenticated, saying what is wrong with it.
        """
        scheme, _, text = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise _refused("Er is geen token meegestuurd.", "No bearer token was sent.", "")
        token = self.read(text)
        if token.certificate and token.certificate != certificate:
            raise _refused(
                "Het token hoort bij een ander certificaat dan dat van deze verbinding.",
                "The token is bound to another client certificate than that of this connection.",
                "invalid_token",
            )
        return token.caller

    def read(self, text: str) -> Token:
        """A token of ours that is valid now. Raises Unauthenticated."""
        if len(text) > LONGEST_TOKEN:
            raise _refused("Het token is te lang.", "The token is too long.", "invalid_token")
        now = self._now()
        remembered = self._verified.get(text)
        if remembered is not None and now.timestamp() < remembered.expires + LEEWAY_S:
            return remembered
        token = self._checked(text, now)
        if len(self._verified) >= REMEMBERED:
            self._verified.clear()
        self._verified[text] = token
        return token

    def _checked(self, text: str, now: datetime) -> Token:
        claims = self._signed_claims(text, now)
        if claims["aud"] != self._audience:
            raise _refused(
                "Het token is voor een andere dienst.",
                f"The token is not for {self._audience}.",
                "invalid_token",
            )
        token = _token(claims)
        if token.caller.region != self._region:
            raise _refused(
                "Het token is voor een andere regio.", "The token is for another region.", "invalid_token"
            )
        if not token.issued - LEEWAY_S <= now.timestamp() < token.expires + LEEWAY_S:
            raise _refused(
                "Het token is verlopen.", "The token has expired; ask for a new one.", "invalid_token"
            )
        return token

    def _signed_claims(self, text: str, now: datetime) -> dict[str, Any]:
        """What is in a token that we signed: nobody else has the key, so its claims are as we wrote them."""
        try:
            header = jws.extract_compact(text.encode()).headers()
            key = self._keys.verifying(header.get("kid"), now)
            if key is not None and header.get("typ") == TYPE:
                return dict(jwt.decode(text, key, algorithms=[ALGORITHM]).claims)
        except (JoseError, ValueError):
            pass
        raise _refused(
            "Het token is niet door ons ondertekend of is beschadigd.",
            "The token is not signed by us or is damaged.",
            "invalid_token",
        )


def _token(claims: dict[str, Any]) -> Token:
    caller = Caller(
        client=claims["sub"],
        organisation=UUID(claims["org"]),
        role=claims["role"],
        scopes=frozenset(claims["scope"].split()),
        region=claims["region"],
        user=claims["user"],
        responsible=claims["responsible"],
        purpose=claims["purpose"],
    )
    return Token(caller, claims["iat"], claims["exp"], claims.get("cnf", {}).get("x5t#S256", ""))


def _refused(nl: str, en: str, error: str) -> Unauthenticated:
    challenge = f'Bearer realm="ketenzorg", error="{error}"' if error else 'Bearer realm="ketenzorg"'
    return Unauthenticated(Issue(nl=nl, en=en), headers={"WWW-Authenticate": challenge})
