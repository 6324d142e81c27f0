"""The search parameters that are looked up in the bodies of one traject, and of which no rows are kept.

A referral brings many resources, and they are read together, by patient or by what they belong to: rows for each would
cost every referral, and find nothing that reading these few does not. Names, types and elements as R4 defines them:
https://hl7.org/fhir/R4/searchparameter-registry.html
"""

from typing import Final

from ketenzorg.fhir.r4_tables import TARGETS
from ketenzorg.fhir.search_parameters import PARAMETERS, Parameter

ORGANIZATION: Final = "Organization"


def _token(name: str, element: str = "") -> Parameter:
    return Parameter(name, "token", element or name)


def _date(name: str, element: str) -> Parameter:
    return Parameter(name, "date", element)


def _reference(name: str, element: str = "", target: str = "") -> Parameter:
    return Parameter(name, "reference", element or name, target=target)


def _together(name: str, element: str, code: str, value: Parameter) -> Parameter:
    return Parameter(name, "composite", element, parts=(_token("code", code), value))


_IDENTIFIER, _STATUS, _CODE, _CATEGORY = map(_token, ("identifier", "status", "code", "category"))
_PATIENT = _reference("patient", "subject", "Patient")
_SUBJECT, _BASED_ON = _reference("subject"), _reference("based-on", "basedOn")
_ABOUT = (_PATIENT, _SUBJECT)  # no encounter or medication: these types are not stored
_QUANTITY = Parameter("value-quantity", "quantity", "valueQuantity")
_CONCEPT = _token("value-concept", "valueCodeableConcept")
_VALUE_STRING = Parameter("value-string", "string", "valueString|valueCodeableConcept.text")
_BOTH = "|component"  # of the resource itself, or of one of its components
_COMPONENT_QUANTITY = Parameter("component-value-quantity", "quantity", "component.valueQuantity")
# Of every type that is stored; `meta` is shown to everybody who sees the resource.
OF_META: Final = (
    _token("_tag", "meta.tag"),
    _token("_security", "meta.security"),
    Parameter("_profile", "uri", "meta.profile"),
)
IN_BODY: Final[dict[str, tuple[Parameter, ...]]] = {
    "Task": (
        _token("priority"),
        _token("intent"),
        _date("modified", "lastModified"),
        _date("period", "executionPeriod"),
        _reference("part-of", "partOf"),
    ),
    "ServiceRequest": (
        _token("priority"),
        _token("intent"),
        _CATEGORY,
        _date("occurrence", "occurrenceDateTime|occurrencePeriod"),
    ),
    "CarePlan": (
        _token("intent"),
        _CATEGORY,
        Parameter("instantiates-canonical", "canonical", "instantiatesCanonical"),
    ),
    "Patient": (_token("active"), _reference("general-practitioner", "generalPractitioner")),
    "AllergyIntolerance": (
        _IDENTIFIER,
        _CODE,
        _token("clinical-status", "clinicalStatus"),
        _token("verification-status", "verificationStatus"),
        _token("type"),
        _CATEGORY,
        _token("criticality"),
        _date("date", "recordedDate"),
        _reference("patient", target="Patient"),
        _reference("recorder"),
        _reference("asserter"),
    ),
    "Appointment": (
        _IDENTIFIER,
        _STATUS,
        _token("service-type", "serviceType"),
        _token("appointment-type", "appointmentType"),
        _date("date", "start"),
        _reference("patient", "participant.actor", "Patient"),
        _reference("actor", "participant.actor"),
        _BASED_ON,
    ),
    "Composition": (
        _IDENTIFIER,
        _STATUS,
        _token("type"),
        _CATEGORY,
        _date("date", "date"),
        Parameter("title", "string", "title"),
        *_ABOUT,
        _reference("author"),
        _reference("entry", "section.entry"),
    ),
    "Condition": (
        _IDENTIFIER,
        _CODE,
        _CATEGORY,
        _token("clinical-status", "clinicalStatus"),
        _token("verification-status", "verificationStatus"),
        _token("severity"),
        _token("body-site", "bodySite"),
        _date("onset-date", "onsetDateTime|onsetPeriod"),
        _date("abatement-date", "abatementDateTime|abatementPeriod"),
        _date("recorded-date", "recordedDate"),
        *_ABOUT,
        _reference("asserter"),
    ),
    "Consent": (
        _IDENTIFIER,
        _STATUS,
        _token("scope"),
        _CATEGORY,
        _date("date", "dateTime"),
        _reference("patient", target="Patient"),
        _reference("organization"),
        _reference("consentor", "performer"),
        _reference("actor", "provision.actor.reference"),
    ),
    "DiagnosticReport": (
        _IDENTIFIER,
        _CODE,
        _CATEGORY,
        _STATUS,
        _token("conclusion", "conclusionCode"),
        _date("date", "effectiveDateTime|effectivePeriod"),
        _date("issued", "issued"),
        *_ABOUT,
        _BASED_ON,
        _reference("performer"),
        _reference("result"),
    ),
    "DocumentReference": (
        _token("identifier", "masterIdentifier|identifier"),
        _STATUS,
        _token("type"),
        _CATEGORY,
        _token("contenttype", "content.attachment.contentType"),
        _token("security-label", "securityLabel"),
        _date("date", "date"),
        Parameter("description", "string", "description"),
        Parameter("location", "uri", "content.attachment.url"),
        _PATIENT,
        _SUBJECT,
        _reference("author"),
        _reference("custodian"),
        _reference("related", "context.related"),
    ),
    "FamilyMemberHistory": (
        _IDENTIFIER,
        _STATUS,
        _token("code", "condition.code"),
        _token("relationship"),
        _date("date", "date"),
        _reference("patient", target="Patient"),
    ),
    "MedicationRequest": (
        _IDENTIFIER,
        _STATUS,
        _token("intent"),
        _token("priority"),
        _token("code", "medicationCodeableConcept"),
        _date("authoredon", "authoredOn"),
        *_ABOUT,
        _reference("requester"),
    ),
    "MedicationStatement": (
        _IDENTIFIER,
        _STATUS,
        _CATEGORY,
        _token("code", "medicationCodeableConcept"),
        _date("effective", "effectiveDateTime|effectivePeriod"),
        _PATIENT,
        _SUBJECT,
        _reference("source", "informationSource"),
        _reference("part-of", "partOf"),
    ),
    "Observation": (
        _IDENTIFIER,
        _STATUS,
        _CODE,
        _CATEGORY,
        _date("date", "effectiveDateTime|effectivePeriod|effectiveInstant"),
        _CONCEPT,
        _date("value-date", "valueDateTime|valuePeriod"),
        _VALUE_STRING,
        _QUANTITY,
        _token("component-code", "component.code"),
        _COMPONENT_QUANTITY,
        _together("code-value-quantity", "", "code", _QUANTITY),
        _token("component-value-concept", "component.valueCodeableConcept"),
        _token("combo-code", "code|component.code"),
        Parameter("combo-value-quantity", "quantity", "valueQuantity|component.valueQuantity"),
        _token("combo-value-concept", "valueCodeableConcept|component.valueCodeableConcept"),
        _token("data-absent-reason", "dataAbsentReason"),
        _together("code-value-concept", "", "code", _CONCEPT),
        _together("code-value-date", "", "code", _date("value-date", "valueDateTime|valuePeriod")),
        _together("code-value-string", "", "code", _VALUE_STRING),
        _together("component-code-value-quantity", "component", "code", _QUANTITY),
        _together("component-code-value-concept", "component", "code", _CONCEPT),
        _together("combo-code-value-quantity", _BOTH, "code", _QUANTITY),
        _together("combo-code-value-concept", _BOTH, "code", _CONCEPT),
        *_ABOUT,
        _BASED_ON,
        _reference("performer"),
        _reference("has-member", "hasMember"),
        _reference("derived-from", "derivedFrom"),
        _reference("part-of", "partOf"),
    ),
    ORGANIZATION: (
        _IDENTIFIER,
        _token("active"),
        _token("type"),
        Parameter("name", "string", "name"),
    ),
    "Practitioner": (_IDENTIFIER, _token("active")),
    "PractitionerRole": (
        _IDENTIFIER,
        _token("active"),
        _token("role", "code"),
        _token("specialty"),
        _reference("practitioner", target="Practitioner"),
        _reference("organization", target=ORGANIZATION),
    ),
    "Procedure": (
        _IDENTIFIER,
        _STATUS,
        _CODE,
        _CATEGORY,
        _date("date", "performedDateTime|performedPeriod"),
        *_ABOUT,
        _BASED_ON,
        _reference("performer", "performer.actor"),
        _reference("part-of", "partOf"),
    ),
    "Provenance": (
        _reference("target"),
        _date("recorded", "recorded"),
        _date("when", "occurredDateTime|occurredPeriod"),
        _reference("agent", "agent.who"),
        _token("agent-type", "agent.type"),
        _token("agent-role", "agent.role"),
        _reference("entity", "entity.what"),
    ),
    "QuestionnaireResponse": (
        _IDENTIFIER,
        _STATUS,
        _date("authored", "authored"),
        _PATIENT,
        _SUBJECT,
        _BASED_ON,
        _reference("author"),
        _reference("source"),
        Parameter("questionnaire", "canonical", "questionnaire"),
    ),
    "RelatedPerson": (
        _IDENTIFIER,
        _token("active"),
        _token("relationship"),
        _reference("patient", target="Patient"),
    ),
}
DECLARED: Final[dict[str, dict[str, Parameter]]] = {
    kind: {
        each.name: each
        for each in (*PARAMETERS.get(kind, ()), *own, *(OF_META if kind != ORGANIZATION else ()))
    }
    for kind, own in IN_BODY.items()
}


def targets(kind: str, parameter: Parameter) -> frozenset[str]:
    """What a reference of this type may refer to, of what can be found."""
    allowed = (
        [parameter.target] if parameter.target else TARGETS.get(kind, {}).get(parameter.element, DECLARED)
    )
    return frozenset(allowed) & DECLARED.keys()


def has_rows(kind: str, name: str) -> bool:
    """Whether what this parameter finds is kept as rows."""
    return any(each.name == name for each in PARAMETERS.get(kind, ()))
