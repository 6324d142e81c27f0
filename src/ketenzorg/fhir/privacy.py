"""Which Consent is about who may see data, rather than about treatment, research or care in advance."""

from collections.abc import Mapping
from typing import Any

SCOPES = "http://terminology.hl7.org/CodeSystem/consentscope"
PRIVACY = "patient-privacy"


def is_about_privacy(consent: Mapping[str, Any]) -> bool:
    """Unless its scope says otherwise: https://hl7.org/fhir/R4/valueset-consent-scope.html."""
    codings = consent.get("scope", {}).get("coding", ())
    scopes = {coding.get("code") for coding in codings if coding.get("system") == SCOPES}
    return not scopes or PRIVACY in scopes
