"""The organisations of the region as FHIR: read only, from the region's file."""

import msgspec

from ketenzorg.pathway.region import Organisation

# RoleCodeNL where it has a code; it has none for welfare, optometry, physiotherapy and chain teams.
ROLE_CODE_NL = "http://nictiz.nl/fhir/NamingSystem/organization-type"
KINDS = {"huisartspraktijk": "Z3", "ziekenhuis": "V4", "apotheek": "J8"}
OWN_KINDS = "https://ketenzorg.example/fhir/CodeSystem/organisation-kind"


def organisation_resource(organisation: Organisation) -> bytes:
    """An Organization with the numbers by which it is known."""
    coded = KINDS.get(organisation.kind)
    codings = [{"system": OWN_KINDS, "code": organisation.kind}]
    codings += [{"system": ROLE_CODE_NL, "code": coded}] if coded else []
    return msgspec.json.encode(
        {
            "resourceType": "Organization",
            "id": str(organisation.id),
            "identifier": [{"system": system, "value": value} for system, value in organisation.identifiers],
            "active": True,
            "type": [{"coding": codings, "text": organisation.kind}],
            "name": organisation.name,
        },
    )
