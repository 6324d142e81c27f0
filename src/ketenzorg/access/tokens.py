"""Bearer tokens: signed by us, short-lived, and naming the organisation that the caller speaks for."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from ketenzorg.errors import Forbidden, Issue, Unauthenticated

ALGORITHM = "HS256"
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
    scopes: frozenset[str]  # SMART v2, e.g. "system/Task.rsu"
    region: str
    user: str = ""  # id of the person who acts at the client, as it vouches for; empty: a system by itself
    responsible: str = ""  # id of the person on whose responsibility that is; empty: the user's own
    purpose: str = TREATMENT  # http://terminology.hl7.org/ValueSet/v3-PurposeOfUse

    def may(self, kind: str, interaction: str) -> bool:
        """Whether a scope grants the interaction (one of c r u d s) on a type of resource.

        https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
        """
        return any(_grants(scope, kind, interaction) for scope in self.scopes)

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


class Tokens:
    """Issues and verifies the tokens of one installation."""

    def __init__(self, key: bytes, *, audience: str, region: str, now: Callable[[], datetime]) -> None:
        self._key = OctKey.import_key(key)
        self._audience = audience
        self._region = region
        self._now = now
        self._verified: dict[str, tuple[float, Caller]] = {}

    def issue(self, caller: Caller, lifetime: timedelta) -> str:
        """A token for `caller` that ends after `lifetime`."""
        now = self._now()
        claims = {
            "iss": self._audience,
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
        }
        return jwt.encode({"alg": ALGORITHM, "typ": "at+jwt"}, claims, self._key)

    def verify(self, authorization: str | None) -> Caller:
        """The caller of an Authorization header. Raises Unauthenticated, saying what is wrong with it."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _refused("Er is geen token meegestuurd.", "No bearer token was sent.", "")
        if len(token) > LONGEST_TOKEN:
            raise _refused("Het token is te lang.", "The token is too long.", "invalid_token")
        now = self._now().timestamp()
        remembered = self._verified.get(token)
        if remembered is not None and now < remembered[0]:
            return remembered[1]
        expires, caller = self._read(token, now)
        if len(self._verified) >= REMEMBERED:
            self._verified.clear()
        self._verified[token] = (expires, caller)
        return caller

    def _read(self, token: str, now: float) -> tuple[float, Caller]:
        try:
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
            expires, not_before = float(claims["exp"]) + LEEWAY_S, float(claims["iat"]) - LEEWAY_S
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
            audience = claims["aud"]
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _refused(
                "Het token is niet door ons ondertekend of is beschadigd.",
                "The token is not signed by us or is damaged.",
                "invalid_token",
            ) from error
        if audience != self._audience:
            raise _refused(
                "Het token is voor een andere dienst.",
                f"The token is not for {self._audience}.",
                "invalid_token",
            )
        if caller.region != self._region:
            raise _refused(
                "Het token is voor een andere regio.", "The token is for another region.", "invalid_token"
            )
        if not not_before <= now < expires:
            raise _refused(
                "Het token is verlopen.", "The token has expired; ask for a new one.", "invalid_token"
            )
        return expires, caller


def _grants(scope: str, kind: str, interaction: str) -> bool:
    context, _, rest = scope.partition("/")
    granted, _, interactions = rest.partition(".")
    return context == "system" and granted in ("*", kind) and interaction in interactions


def _refused(nl: str, en: str, error: str) -> Unauthenticated:
    challenge = f'Bearer realm="ketenzorg", error="{error}"' if error else 'Bearer realm="ketenzorg"'
    return Unauthenticated(Issue(nl=nl, en=en), headers={"WWW-Authenticate": challenge})
