"""What is proposed instead of what was asked: a ServiceRequest with intent proposal, based on the request.

HL7 Clinical Order Workflows: rejected, with the reason and a Request with intent proposal in Task.output.
https://hl7.org/fhir/R4/servicerequest-definitions.html#ServiceRequest.intent
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from ketenzorg.fhir import json
from ketenzorg.referral.codes import output_type
from ketenzorg.referral.stored import instant, ours, stored_form

OUTPUT = "voorstel"  # of Task.output: where the proposal is


def proposal(
    sent: bytes | None, id_: UUID, *, words: str, request: str, patient: str, requester: str, at: datetime
) -> bytes:
    """The first version: as it was sent, or of the words alone."""
    if sent is None:
        sent = json.write({**ours("ServiceRequest", id_, 1, at), "code": {"text": words}})
    written = json.read(sent)
    return stored_form(
        sent,
        id_,
        1,
        at,
        status="active",
        intent="proposal",
        basedOn=[{"reference": request}],
        subject={"reference": patient},
        requester={"reference": requester},
        authoredOn=written.get("authoredOn") or instant(at),
    )


def words_of(sent: Mapping[str, Any]) -> str:
    """What it proposes, for people; empty when it says nothing."""
    code = sent.get("code", {})
    coded = next((each["display"] for each in code.get("coding", ()) if "display" in each), "")
    named = [each["display"] for each in sent.get("performer", ()) if "display" in each]
    noted = [each["text"] for each in sent.get("note", ()) if "text" in each]
    what = ", ".join(filter(None, [code.get("text") or coded, *(f"bij {name}" for name in named)]))
    return "\n".join(part.strip() for part in (what, *noted) if part.strip())


def proposal_output(id_: UUID) -> dict[str, Any]:
    """What Task.output says of it, beside its words."""
    return {"type": output_type(OUTPUT), "valueReference": {"reference": f"ServiceRequest/{id_}"}}
