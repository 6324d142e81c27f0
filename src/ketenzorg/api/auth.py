"""Tokens over HTTP: asking for one, asking what one says, and what a client must know before either.

SMART Backend Services, https://hl7.org/fhir/smart-app-launch/backend-services.html; introspection as RFC 7662.
"""

from typing import Any
from urllib.parse import parse_qsl

from litestar import get, post
from litestar.response.base import ASGIResponse

from ketenzorg.access.granting import GRANT_TYPE, Granting
from ketenzorg.access.public_keys import ALGORITHMS
from ketenzorg.access.registry import Registry
from ketenzorg.access.scopes import INTROSPECT
from ketenzorg.access.tokens import Token, Tokens
from ketenzorg.api.body import read_body
from ketenzorg.api.gate import CERTIFICATE
from ketenzorg.api.oauth import GRANTING, success
from ketenzorg.api.requests import Http, visit_of
from ketenzorg.errors import Forbidden, Issue, TokenRefused, Unauthenticated

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 20
PUBLIC = {
    "Cache-Control": "public, max-age=3600"
}  # a signing key is published a whole period before its first use


@post(GRANTING, status_code=200)
async def token(request: Http) -> ASGIResponse:
    """A token for a client that signs for itself."""
    if "authorization" in request.headers:
        raise TokenRefused(
            Issue(
                nl="Wie u bent staat in client_assertion; stuur geen Authorization mee.",
                en="client_assertion says who you are; send no Authorization with it.",
            )
        )
    granting: Granting = request.app.state.granting
    scope: Any = request.scope
    grant = await granting.grant(await _form(request), scope.get(CERTIFICATE))
    return success(grant, {"Pragma": "no-cache"})


@post("/auth/introspect", status_code=200)
async def introspect(request: Http) -> ASGIResponse:
    """What a token of ours says; of any other only that it counts for nothing."""
    if INTROSPECT not in visit_of(request).caller.scopes:
        raise Forbidden(
            Issue(
                nl=f"Dit token mist de scope {INTROSPECT}.", en=f"This token lacks the scope {INTROSPECT}."
            ),
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{INTROSPECT}"'},
        )
    asked = (await _form(request)).get("token")
    if not asked:
        raise TokenRefused(Issue(nl="token ontbreekt.", en="token is missing."))
    tokens: Tokens = request.app.state.tokens
    registry: Registry = request.app.state.registry
    try:
        found = tokens.read(asked)
        await registry.admit(found.caller.client)
    except Unauthenticated:
        return success({"active": False})
    return success(_said(found, tokens.issuer))


@get("/auth/jwks")
async def jwks(request: Http) -> ASGIResponse:
    """The public keys that check our tokens."""
    tokens: Tokens = request.app.state.tokens
    return success(tokens.public_keys(), PUBLIC)


@get(["/fhir/.well-known/smart-configuration", "/.well-known/smart-configuration"])
async def smart_configuration(request: Http) -> ASGIResponse:
    """What a client must know to get a token: only what there is."""
    base = request.app.state.base_url
    return success(
        {
            "issuer": base,
            "jwks_uri": f"{base}/auth/jwks",
            "token_endpoint": f"{base}/auth/token",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "grant_types_supported": [GRANT_TYPE],
            "scopes_supported": ["system/*.cruds", INTROSPECT],
            "introspection_endpoint": f"{base}/auth/introspect",
            "capabilities": ["client-confidential-asymmetric", "permission-v2"],
            "tls_client_certificate_bound_access_tokens": request.app.state.granting.certified,
        },
        PUBLIC,
    )


def _said(token: Token, issuer: str) -> dict[str, Any]:
    caller = token.caller
    return {
        "active": True,
        "iss": issuer,
        "sub": caller.client,
        "client_id": caller.client,
        "scope": " ".join(sorted(caller.scopes)),
        "exp": int(token.expires),
        "iat": int(token.issued),
        "token_type": "bearer",
        "organization": f"Organization/{caller.organisation}",
        "purpose_of_use": caller.purpose,
        **({"cnf": {"x5t#S256": token.certificate}} if token.certificate else {}),
    }


async def _form(request: Http) -> dict[str, str]:
    """The fields of a form, each of them once. RFC 6749 section 3.2."""
    body = await read_body(request, (FORM,))
    try:
        fields = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise TokenRefused(
            Issue(nl=f"Dit is geen {FORM}.", en=f"This is not {FORM}."),
        ) from error
    form = dict(fields)
    if len(form) < len(fields):
        raise TokenRefused(Issue(nl="Een veld staat er twee keer.", en="A field stands there twice."))
    return form
