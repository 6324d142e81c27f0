"""The story of a token request: which flow, which client, for whom, how far, and then a token of five minutes.

https://hl7.org/fhir/smart-app-launch/backend-services.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from ketenzorg.access.assertions import Assertions
from ketenzorg.access.certificates import ClientCertificate
from ketenzorg.access.representing import represented
from ketenzorg.access.scopes import narrowed, read_scopes
from ketenzorg.access.tokens import Caller, Tokens
from ketenzorg.errors import InvalidClient, Issue, TokenRefused, UnsupportedGrantType
from ketenzorg.logs import TOKEN_ISSUED, log
from ketenzorg.pathway.region import Organisation, Region

GRANT_TYPE = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME = timedelta(seconds=300)


class Grant(msgspec.Struct, frozen=True):
    """What the client gets; the scope may be less than it asked for."""

    access_token: str
    expires_in: int
    scope: str
    token_type: str = "bearer"  # noqa: S105


@dataclass(frozen=True)
class Granting:
    """The token endpoint of one installation, without its HTTP."""

    assertions: Assertions
    tokens: Tokens
    region: Region
    certified: bool  # whether a token is given only to the holder of a certificate, and bound to it

    async def grant(self, form: Mapping[str, str], certificate: ClientCertificate | None) -> Grant:
        """Raises TokenRefused: which of its kinds is what RFC 6749 calls it."""
        if _needed(form, "grant_type") != GRANT_TYPE:
            raise UnsupportedGrantType(
                Issue(nl=f"grant_type is hier {GRANT_TYPE}.", en=f"grant_type is {GRANT_TYPE} here.")
            )
        if _needed(form, "client_assertion_type") != ASSERTION_TYPE:
            raise TokenRefused(
                Issue(
                    nl=f"client_assertion_type is hier {ASSERTION_TYPE}.",
                    en=f"client_assertion_type is {ASSERTION_TYPE} here.",
                )
            )
        asked = read_scopes(_needed(form, "scope"))
        client, claims = await self.assertions.recognise(_needed(form, "client_assertion"))
        if form.get("client_id", client.id) != client.id:
            raise TokenRefused(
                Issue(nl="client_id en assertion zijn het oneens.", en="client_id and assertion disagree.")
            )
        on_behalf = represented(client, claims.extensions, self.region)
        if self.certified:
            _check_holder(certificate, on_behalf.organisation)
        scopes = narrowed(asked, client.scopes)
        caller = Caller(
            client=client.id,
            organisation=on_behalf.organisation.id,
            role=on_behalf.organisation.kind,
            scopes=scopes,
            region=self.region.code,
            user=on_behalf.user,
            responsible=on_behalf.responsible,
            purpose=on_behalf.purpose,
        )
        log(TOKEN_ISSUED, client=client.id, organisation=str(caller.organisation))
        bound_to = certificate.thumbprint if certificate else ""
        return Grant(
            access_token=self.tokens.issue(caller, LIFETIME, bound_to),
            expires_in=int(LIFETIME.total_seconds()),
            scope=" ".join(sorted(scopes)),
        )


def _check_holder(certificate: ClientCertificate | None, organisation: Organisation) -> None:
    if certificate is None:
        raise InvalidClient(
            Issue(
                nl="Hier is een clientcertificaat nodig (mTLS): dat van de organisatie waarvoor u vraagt.",
                en="A client certificate is needed here (mTLS): that of the organisation for which you ask.",
            )
        )
    if certificate.ura != organisation.ura:
        raise InvalidClient(
            Issue(
                nl="Het URA-nummer in het clientcertificaat is niet dat van de organisatie waarvoor u vraagt.",
                en="The URA in the client certificate is not that of the organisation for which you ask.",
            )
        )


def _needed(form: Mapping[str, str], name: str) -> str:
    if not form.get(name):
        raise TokenRefused(Issue(nl=f"{name} ontbreekt.", en=f"{name} is missing."))
    return form[name]
