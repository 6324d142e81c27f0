"""FHIR capabilities: what this server does, made from what runs. https://hl7.org/fhir/R4/http.html#capabilities"""

from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

import msgspec
from litestar import get
from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import types_for
from ketenzorg.api.acts import MOST as MOST_TOGETHER
from ketenzorg.api.added import DATA, DECIDED
from ketenzorg.api.answers import resource
from ketenzorg.api.audit_event import DESCRIBED
from ketenzorg.api.batch import MOST
from ketenzorg.api.definitions import KINDS, described
from ketenzorg.api.delete import DELETED
from ketenzorg.api.patch import PATCHES
from ketenzorg.api.read import READABLE
from ketenzorg.api.requests import Http, world_of
from ketenzorg.api.search_described import searching
from ketenzorg.api.update import UPDATED
from ketenzorg.coordination.hearing.notification import BACKPORT, TOPICS
from ketenzorg.coordination.hearing.subscribing import PROFILE
from ketenzorg.fhir.search_in_body import DECLARED
from ketenzorg.referral.codes import BASE
from ketenzorg.referral.message import EVENT, OPERATION
from ketenzorg.store.retries import KEPT

HTTP = {"system": "http://terminology.hl7.org/CodeSystem/message-transport", "code": "http"}
SMART = {
    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
    "code": "SMART-on-FHIR",
}
TOPIC_EXTENSION = f"{BACKPORT}/capabilitystatement-subscriptiontopic-canonical"
BACKPORT_OPERATIONS = (
    "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription"
)

HL7 = "http://hl7.org/fhir/OperationDefinition"
ADDED = (
    "create: new data for a traject that runs, judged with what is there. Which one is said by basedOn or "
    "context.related (ServiceRequest/<id>, CarePlan/<id>), else by subject or patient (Patient/<id>). The same content "
    "again: 200. If-None-Exist: by the own identifier, within that traject. What cannot wait is answered as an "
    "OperationOutcome, unless Prefer says return=representation."
)
PROFILES = {
    "CarePlan": ["kz-Traject"],
    "Patient": ["kz-Patient"],
    "ServiceRequest": ["kz-Referral", "kz-NewReferral"],
    "Task": ["kz-CoordinationTask", "kz-NewCoordinationTask"],
}


@get("/fhir/metadata")
async def capabilities(request: Http) -> ASGIResponse:
    """The CapabilityStatement; needs no token."""
    return resource(
        msgspec.json.encode(capability_statement(request.app.state.base_url, world_of(request).started))
    )


def capability_statement(base_url: str, since: datetime) -> dict[str, Any]:
    """What is said here is what the routes do; a test compares the two."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": since.isoformat(),
        "kind": "instance",
        "software": {"name": "ketenzorg", "version": version("ketenzorg")},
        "implementation": {"description": "ketenzorg", "url": f"{base_url}/fhir"},
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "patchFormat": list(PATCHES),
        "rest": [
            {
                "mode": "server",
                "security": {
                    "cors": False,
                    "service": [{"coding": [SMART], "text": "SMART Backend Services"}],
                    "description": "Bearer token on every request but this one; it names the organisation. "
                    f"How to get one: {base_url}/fhir/.well-known/smart-configuration",
                },
                "resource": [
                    *(_of_type(kind) for kind in sorted(READABLE | {"Binary"})),
                    _of_subscriptions(),
                    DESCRIBED,
                    *(described(kind) for kind in sorted(KINDS)),
                ],
                "interaction": [
                    {
                        "code": "batch",
                        "documentation": f"At most {MOST} entries, each its own request; a patch as Parameters, or a "
                        "JSON Patch in a Binary.",
                    },
                    {
                        "code": "transaction",
                        "documentation": "A referral: Patient, ServiceRequest with identifier, requester, and what "
                        "the pathway asks. The same content under the same identifier is the same referral (200). "
                        "ifNoneExist on the ServiceRequest (its own identifier) and Idempotency-Key are understood. "
                        "Or data for a traject. Or several things at once, at most "
                        f"{MOST_TOGETHER} entries: whatever can be asked here by itself, done in the order of the "
                        "specification, all or nothing. References by fullUrl, by address with or without version, "
                        "or as a search that finds one (Type?identifier=...). "
                        "Several in ServiceRequest.performer who can act, or a Task for each, are candidates of whom "
                        "the requester selects one, where the pathway has that; elsewhere 422.",
                    },
                ],
                "operation": [
                    {"name": "process-message", "definition": f"{HL7}/MessageHeader-process-message"}
                ],
            },
        ],
        "messaging": [
            {
                "endpoint": [{"protocol": HTTP, "address": f"{base_url}/fhir/{OPERATION}"}],
                "reliableCache": KEPT // timedelta(minutes=1),
                "documentation": f"A referral as a message, answered at once: eventCoding {EVENT[0]}|{EVENT[1]}, "
                "focus the ServiceRequest. The rest is what a transaction holds, and judged alike. The same "
                "MessageHeader.id with the same content has the same answer; with other content it is a fatal-error.",
            }
        ],
    }


def _of_subscriptions() -> dict[str, Any]:
    """What can be subscribed to: https://hl7.org/fhir/uv/subscriptions-backport/components.html"""
    definitions = {
        "status": f"{BACKPORT_OPERATIONS}-status",
        "events": f"{BACKPORT_OPERATIONS}-events",
        "resend": f"{BASE}/OperationDefinition/Subscription-resend",
        "renew-secret": f"{BASE}/OperationDefinition/Subscription-renew-secret",
    }
    return {
        "extension": [{"url": TOPIC_EXTENSION, "valueCanonical": topic} for topic in TOPICS.values()],
        "type": "Subscription",
        "supportedProfile": [PROFILE],
        "interaction": [{"code": code} for code in ("create", "read", "update", "delete", "search-type")],
        "versioning": "versioned",
        "readHistory": False,
        "updateCreate": False,
        "operation": [{"name": name, "definition": each} for name, each in definitions.items()],
    }


def _of_type(kind: str) -> dict[str, Any]:
    interactions = ["read"] if kind == "Binary" else ["read", "vread"]
    interactions += [code for code in ("history-instance", "history-type") if kind in types_for(code)]
    if kind in DECLARED:
        interactions.append("search-type")
    if kind in DATA | DECIDED:  # for a traject that runs
        interactions.append("create")
    if kind in DELETED:
        interactions.append("delete")
    if kind == "Appointment":
        interactions += ["create", "update", "patch"]
    if kind == "ServiceRequest":
        interactions.append(
            "create"
        )  # with intent proposal: refusing a referral, and what could be done instead
    if kind == "Task":
        interactions += ["create", "update", "patch"]  # create: asks beside a hand-over
    described: dict[str, Any] = {
        "type": kind,
        "interaction": [{"code": code} for code in interactions],
        "versioning": "versioned",
        "readHistory": kind in types_for("vread"),
        "conditionalRead": "full-support",
        "updateCreate": False,
        "conditionalUpdate": kind in UPDATED,
        "conditionalDelete": "single" if kind in DELETED else "not-supported",
    }
    if kind in DATA:
        described |= {"conditionalCreate": True, "documentation": ADDED}
    if kind in DECLARED:
        described |= searching(kind)
    if kind in PROFILES:
        described["supportedProfile"] = [f"{BASE}/StructureDefinition/{name}" for name in PROFILES[kind]]
    if kind != "Binary":
        described["operation"] = [{"name": "validate", "definition": f"{HL7}/Resource-validate"}]
    if kind == "Composition":
        described["operation"] += [{"name": "document", "definition": f"{HL7}/Composition-document"}]
    if kind == "Task":
        described["operation"] += [
            {"name": "next", "definition": f"{BASE}/OperationDefinition/Task-next"},
            {"name": "event", "definition": f"{BASE}/OperationDefinition/Task-event"},
            {"name": "overdue", "definition": f"{BASE}/OperationDefinition/Task-overdue"},
        ]
    return described
