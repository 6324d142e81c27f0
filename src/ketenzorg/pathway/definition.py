"""What a pathway file says: one frozen struct per table of the TOML format of pathways/README.md."""

from datetime import date
from typing import Literal

import msgspec

CANONICAL = "https://ketenzorg.example/fhir"  # RFC 2606 name on purpose: nobody can mistake it for a live one

Status = Literal["national", "own region", "other region", "general knowledge", "proposal"]
TaskStatus = Literal[
    "draft", "requested", "received", "accepted", "rejected", "in-progress", "on-hold",
    "completed", "cancelled", "failed", "entered-in-error",
]  # fmt: skip
RequestStatus = Literal["active", "on-hold", "revoked", "completed", "entered-in-error"]
Exit = Literal[
    "completed", "not_reached", "declined_by_patient", "dropped_out", "deceased", "moved_out_of_region",
    "not_eligible", "referred_on", "emergency_upgrade", "rejected_by_receiver", "returned_to_referrer",
    "cancelled_by_referrer", "expired_no_booking", "duplicate", "entered_in_error",
]  # fmt: skip

# Statuses for which a coded reason is required (NL: "statusReason"), and refused for all others.
STATUSES_WITH_REASON = frozenset({"rejected", "on-hold", "cancelled", "failed"})


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file: an unknown word in it is a mistake, never ignored."""


class Source(_Table, frozen=True):
    """Where a number or a rule comes from; `key` names an entry of [sources]."""

    status: Status
    key: str = ""
    note: str = ""


class Coding(_Table, frozen=True):
    """A ServiceRequest.code that selects this pathway."""

    system: str
    code: str
    display: str


class Role(_Table, frozen=True):
    """A part in the pathway, the kinds of organisation that may play it, and what they see."""

    title: str
    kinds: list[str]
    part: Literal["requester", "owner"]  # of the Coordination Task
    sees: str


class View(_Table, frozen=True):
    """Default deny: a type that is not listed is invisible, an element that is not listed is left out."""

    bsn: bool
    shows: dict[str, list[str]]  # FHIR type -> elements, or ["alles"]: all but `contained`


class DataElement(_Table, frozen=True):
    """One named answer that the pathway wants; its name is the linkId in the questionnaire."""

    ask: str
    type: Literal["ja-nee", "getal", "code", "datum", "tekst"]
    need: Literal["vereist", "gevraagd", "mag"]
    source: Source
    for_: list[str] = msgspec.field(name="for", default_factory=list)  # roles that see it
    places: list[str] = msgspec.field(default_factory=list)  # FHIR elements that answer it too
    codes: dict[str, str] = msgspec.field(default_factory=dict)  # for type "code": code -> text


class Rule(_Table, frozen=True):
    """An alarm rule or a condition: anything but these answers, also unknown or none, stops the sending."""

    name: str
    unless: dict[str, str]
    say: str
    source: Source


class Advice(_Table, frozen=True):
    """What to tell the sender when these answers were given; it never stops the sending."""

    name: str
    when: dict[str, str]
    say: str
    source: Source


class NormShare(_Table, frozen=True):
    """What part of all cases must be in time earlier than the maximum: 80 percent within 3 weeks."""

    percent: int
    within: str
    source: Source


class Norm(_Table, frozen=True):
    """How long it may take from one event (the last of `from`) to another (the first of `to`)."""

    name: str
    from_: list[str] = msgspec.field(name="from")
    to: list[str]
    max: str
    source: Source
    share: NormShare | None = None  # of all cases together: no case is late by it


class Count(_Table, frozen=True):
    """Something that is counted; events on one and the same day count once when `apart` says so."""

    title: str
    limit: int
    source: Source
    apart: Literal["", "dag"] = ""


class Need(_Table, frozen=True):
    """What an event must bring: a text for the other side, or a code of [codes]."""

    ask: str
    goes_to: Literal["uitkomst", "reden", "gebeurtenis"]  # Task.output, Task.statusReason, event log
    codes: list[str] = msgspec.field(default_factory=list)  # empty: free text


class Move(_Table, frozen=True):
    """One thing that may happen in a step, who may say so, and where it leads."""

    event: str
    to: str  # the name of a step, or "dezelfde stap"
    by: list[str]
    task: TaskStatus | None = None  # only where the step that it leads to leaves it open
    needs: list[str] = msgspec.field(default_factory=list)
    may: list[str] = msgspec.field(default_factory=list)
    reason: str = ""
    tell: list[str] = msgspec.field(default_factory=list)
    count: str = ""
    when: dict[str, Literal["onder grens", "op grens"]] = msgspec.field(default_factory=dict)
    default: bool = False  # the one that is meant when a party only writes this Task.status
    emergency: bool = False
    new_task: bool = False  # the old Task has ended: a new round with a new Task
    title: str = ""


class StepTable(_Table, frozen=True):
    """A state of the pathway: whose turn it is and what may happen next."""

    title: str
    owner: str
    task: TaskStatus | None = None
    request: RequestStatus = "active"
    careplan: RequestStatus = "active"
    ends: Exit | None = None
    no_norm: str = ""  # why no norm runs here
    next: list[Move] = msgspec.field(default_factory=list)


class Shared(_Table, frozen=True):
    """What may happen in several steps alike; `steps` names steps, or groups of [groups], or "alle"."""

    steps: list[str]
    next: list[Move]


class Enter(_Table, frozen=True):
    """How a side step begins or is left; the step underneath stays."""

    event: str
    by: list[str]
    needs: list[str] = msgspec.field(default_factory=list)
    may: list[str] = msgspec.field(default_factory=list)
    reason: str = ""
    tell: list[str] = msgspec.field(default_factory=list)
    emergency: bool = False
    title: str = ""


class Side(_Table, frozen=True):
    """A step that lies over another: a question that is open, a pause, an emergency."""

    name: str
    over: list[str]  # names of steps, of [groups], or "alle": then also over the other side steps
    owner: str
    enter: Enter
    leave: Enter
    task: TaskStatus | None = None  # none: the Task.status of the step underneath stays
    careplan: RequestStatus | None = None
    keeps: Literal["alles", "uitgangen"] = "uitgangen"  # what of the step underneath may still happen
    next: list[Move] = msgspec.field(default_factory=list)


class Criterion(_Table, frozen=True):
    """For whom the pathway is, or is not, in words."""

    say: str
    source: Source


class OpenQuestion(_Table, frozen=True):
    """What no source settles, or where sources differ: shown, never filled in."""

    ask: str
    default: str
    source: Source


class PathwayFile(_Table, frozen=True):
    """One version of one pathway, as its file says it."""

    name: str
    title: str
    version: str
    owner: str
    adopted: bool
    purpose: str
    begins: str  # the first step
    begins_with: str  # the event that starts the traject
    service: list[Coding]
    roles: dict[str, Role]
    views: dict[str, View]
    data: dict[str, DataElement]
    alarm: list[Rule]
    norm: list[Norm]
    steps: dict[str, StepTable]
    sources: dict[str, str]
    adopted_by: str = ""
    adopted_on: date | None = None
    include: list[Criterion] = msgspec.field(default_factory=list)
    exclude: list[Criterion] = msgspec.field(default_factory=list)
    condition: list[Rule] = msgspec.field(default_factory=list)
    advice: list[Advice] = msgspec.field(default_factory=list)
    groups: dict[str, list[str]] = msgspec.field(default_factory=dict)
    counts: dict[str, Count] = msgspec.field(default_factory=dict)
    needs: dict[str, Need] = msgspec.field(default_factory=dict)
    codes: dict[str, str] = msgspec.field(default_factory=dict)  # of needs and reasons: code -> text
    shared: list[Shared] = msgspec.field(default_factory=list)
    side: list[Side] = msgspec.field(default_factory=list)
    open: list[OpenQuestion] = msgspec.field(default_factory=list)
