"""What every table of a pathway file shares: unknown words are mistakes, and each number names its source."""

from typing import Literal

import msgspec

CANONICAL = "https://ketenzorg.example/fhir"  # RFC 2606 name on purpose: nobody can mistake it for a live one

Status = Literal["national", "own region", "other region", "general knowledge", "proposal"]
TaskStatus = Literal[
    "draft", "requested", "received", "accepted", "rejected", "in-progress", "on-hold",
    "completed", "cancelled", "failed", "entered-in-error",
]  # fmt: skip
RequestStatus = Literal["active", "on-hold", "revoked", "completed", "entered-in-error"]
Priority = Literal["routine", "urgent", "asap", "stat"]  # ServiceRequest.priority
Exit = Literal[
    "completed", "not_reached", "declined_by_patient", "dropped_out", "deceased", "moved_out_of_region",
    "not_eligible", "referred_on", "emergency_upgrade", "rejected_by_receiver", "returned_to_referrer",
    "cancelled_by_referrer", "expired_no_booking", "duplicate", "entered_in_error",
]  # fmt: skip

# Who is meant without a name of a role: whatever the hand-over of the step says.
REQUESTER, PERFORMER, EVERYBODY = "aanvrager", "uitvoerder", "iedereen"
EVERYTHING = "volledig"  # the built-in view: all that the traject holds
ALL_ELEMENTS = "alles"  # of one FHIR type
WITHDRAWN = "toestemming-ingetrokken"  # of [codes]: the patient took consent back
EXPLICIT = "uitdrukkelijk"  # the consent that a role asks for which is no care provider
ITSELF = "ketenzorg"  # an event that the rules raise on new data; never a party


class FileTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file: an unknown word in it is a mistake, never ignored."""


class Source(FileTable, frozen=True):
    """Where a number or a rule comes from; `key` names an entry of [sources]."""

    status: Status
    key: str = ""
    note: str = ""
