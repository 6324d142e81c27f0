"""What a pathway file says: one frozen struct per table of the TOML format of pathways/README.md."""

from datetime import date
from typing import Literal

import msgspec

from ketenzorg.pathway.questions import ConsentAsked, DataElement, DecisionTable, Derived, SetValue, Urgency
from ketenzorg.pathway.words import CANONICAL, Exit, FileTable, RequestStatus, Source, Status, TaskStatus

__all__ = ["CANONICAL", "DataElement", "Exit", "RequestStatus", "Source", "Status", "TaskStatus"]

# Statuses for which a coded reason is required (NL: "statusReason"), and refused for all others.
STATUSES_WITH_REASON = frozenset({"rejected", "on-hold", "cancelled", "failed"})


class Coding(FileTable, frozen=True):
    """A ServiceRequest.code that selects this pathway."""

    system: str
    code: str
    display: str


class Role(FileTable, frozen=True):
    """A part in the pathway, the kinds of organisation that may play it, and what they see."""

    title: str
    kinds: list[str]
    sees: str
    part: Literal["requester", "owner", ""] = ""  # of the one hand-over, where there is no [handovers]
    capability: str = ""  # what a site must be able to do
    consent: Literal["verondersteld", "uitdrukkelijk"] = "verondersteld"  # what sending to this role takes


class Choosing(FileTable, frozen=True):
    """Who asks need not know yet who performs: it may ask several and select one, or leave it open to who claims it."""

    how: list[Literal["kandidaten", "open"]]
    source: Source


class Handover(FileTable, frozen=True):
    """Who asks whom: one Coordination Task. `from` and `to` are the same for work that stays in one house."""

    title: str
    from_: str = msgspec.field(name="from")
    to: str
    choice: Choosing | None = None  # none: it goes to one organisation at once


class View(FileTable, frozen=True):
    """Default deny: a type that is not listed is invisible, an element that is not listed is left out."""

    bsn: bool
    shows: dict[str, list[str]]  # FHIR type -> elements, or ["alles"]: all but `contained`


class Rule(FileTable, frozen=True):
    """An alarm rule or a condition: anything but these answers, also unknown or none, stops the sending."""

    name: str
    unless: dict[str, str]
    say: str
    source: Source
    first_aid: str = ""  # what to do before or while phoning


class Advice(FileTable, frozen=True):
    """What to tell the sender when these answers were given; it never stops the sending."""

    name: str
    when: dict[str, str]
    say: str
    source: Source


class NormShare(FileTable, frozen=True):
    """What part of all cases must be in time earlier than the maximum: 80 percent within 3 weeks."""

    percent: int
    within: str
    source: Source


class Reminder(FileTable, frozen=True):
    """How long before the end of a norm who must act hears of it."""

    before: str
    source: Source


class Escalation(FileTable, frozen=True):
    """Who hears it too when a norm is past for this long and still not met."""

    after: str
    tell: list[str]
    source: Source


class Norm(FileTable, frozen=True):
    """How long it may take from one event (the last of `from`) to another (the first of `to`)."""

    name: str
    from_: list[str] = msgspec.field(name="from")
    to: list[str]
    max: str
    source: Source
    share: NormShare | None = None  # of all cases together: no case is late by it
    urgency: list[str] = msgspec.field(default_factory=list)  # only for these; empty: for all
    remind: Reminder | None = None
    tell: list[str] = msgspec.field(default_factory=list)  # who hears that it is past, beside who must act
    then: list[Escalation] = msgspec.field(default_factory=list)


class Watch(FileTable, frozen=True):
    """A control that comes back: due again after each time, for as long as the traject is in these steps."""

    name: str
    over: list[str]  # steps, groups or "alle"
    from_: list[str] = msgspec.field(name="from")  # what arms it
    to: list[str]  # what meets it, and arms it again
    every: str  # a length, or the name of a table with hit = "kortste"
    source: Source
    if_unknown: str = ""  # a length, for as long as that table gives none
    remind: Reminder | None = None
    tell: list[str] = msgspec.field(default_factory=list)  # who hears that it is late, beside who must act
    then: list[Escalation] = msgspec.field(default_factory=list)


class Count(FileTable, frozen=True):
    """Something that is counted; events on one and the same day count once when `apart` says so."""

    title: str
    limit: int
    source: Source
    apart: Literal["", "dag"] = ""


class Need(FileTable, frozen=True):
    """What an event must bring: a text for the other side, or a code of [codes]."""

    ask: str
    # Task.output, Task.statusReason, event log; voorstel: a ServiceRequest with intent proposal, in Task.output too
    goes_to: Literal["uitkomst", "reden", "gebeurtenis", "voorstel"]
    codes: list[str] = msgspec.field(default_factory=list)  # empty: free text
    # code -> what who performs the hand-over that begins must be able to do
    capability: dict[str, str] = msgspec.field(default_factory=dict)


class Move(FileTable, frozen=True):
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
    new_task: bool = False  # a new hand-over, or a new round: with a new Task
    closes: TaskStatus | None = None  # with new_task: how the Task that still runs ends
    forward: bool = False  # with new_task: the same question, to another organisation in the same role
    title: str = ""


class StepTable(FileTable, frozen=True):
    """A state of the pathway: whose turn it is and what may happen next."""

    title: str
    owner: str
    task: TaskStatus | None = None
    handover: str = ""  # of [handovers]; empty: the first
    begins_with: str = ""  # the event when a traject begins here; empty: that of the file
    request: RequestStatus = "active"
    careplan: RequestStatus = "active"
    ends: Exit | None = None
    no_norm: str = ""  # why no norm runs here
    next: list[Move] = msgspec.field(default_factory=list)


class Shared(FileTable, frozen=True):
    """What may happen in several steps alike; `steps` names steps, or groups of [groups], or "alle"."""

    steps: list[str]
    next: list[Move]


class Enter(FileTable, frozen=True):
    """How a side step begins or is left; the step underneath stays."""

    event: str
    by: list[str]
    needs: list[str] = msgspec.field(default_factory=list)
    may: list[str] = msgspec.field(default_factory=list)
    reason: str = ""
    tell: list[str] = msgspec.field(default_factory=list)
    emergency: bool = False
    title: str = ""


class Side(FileTable, frozen=True):
    """A step that lies over another: a question that is open, a pause, an emergency."""

    name: str
    over: list[str]  # names of steps, of [groups], or "alle": then also over the other side steps
    owner: str
    enter: Enter
    leave: Enter
    task: TaskStatus | None = None  # none: the Task.status of the step underneath stays
    careplan: RequestStatus | None = None
    keeps: Literal["alles", "uitgangen"] = "uitgangen"  # what of the step underneath may still happen
    clock: Literal["loopt", "staat stil"] = "loopt"  # of the norms that ran when it began
    next: list[Move] = msgspec.field(default_factory=list)


class Aside(FileTable, frozen=True):
    """A question beside the hand-over, with a Task of its own: who is asked answers it, and the hand-over goes on."""

    title: str
    code: Literal["abort", "information"]  # of the Task
    asks: str  # the event that opens it
    yes: str  # the event that answers it
    no: str = ""  # the event that declines it; empty: it cannot be declined


class Criterion(FileTable, frozen=True):
    """For whom the pathway is, or is not, in words."""

    say: str
    source: Source


class OpenQuestion(FileTable, frozen=True):
    """What no source settles, or where sources differ: shown, never filled in."""

    ask: str
    default: str
    source: Source
    values: list[str] = msgspec.field(default_factory=list)  # of [values]: where the choice is set


class Kpi(FileTable, frozen=True):
    """What the chain team wants to see; `part` of `whole` where events alone can tell."""

    name: str
    say: str
    source: Source
    part: list[str] = msgspec.field(default_factory=list)  # events
    whole: list[str] = msgspec.field(default_factory=list)


class Identity(FileTable, frozen=True):
    """What is known of the patient by whom, in which phase."""

    steps: list[str]
    role: str
    sees: str  # "volledig" or one of [views]
    say: str
    source: Source


class Variant(FileTable, frozen=True):
    """Local colour: what is set otherwise for the inhabitants of one municipality."""

    municipality: str  # CBS code
    say: str
    source: Source
    values: dict[str, int | float | str] = msgspec.field(default_factory=dict)
    norm: dict[str, str] = msgspec.field(default_factory=dict)  # name -> max
    limits: dict[str, int] = msgspec.field(default_factory=dict)  # of [counts]
    kinds: dict[str, list[str]] = msgspec.field(default_factory=dict)  # role -> kinds of organisation


class Review(FileTable, frozen=True):
    """When the content is looked at again, and by whom."""

    by: str
    on: date
    every: str


class Block(FileTable, frozen=True):
    """Part of a pathway that several share; of pathways/common/<version>.toml."""

    say: str
    urgencies: dict[str, Urgency] = msgspec.field(default_factory=dict)
    by_task: dict[str, list[TaskStatus]] = msgspec.field(default_factory=dict)
    counts: dict[str, Count] = msgspec.field(default_factory=dict)
    needs: dict[str, Need] = msgspec.field(default_factory=dict)
    codes: dict[str, str] = msgspec.field(default_factory=dict)
    steps: dict[str, StepTable] = msgspec.field(default_factory=dict)
    shared: list[Shared] = msgspec.field(default_factory=list)
    side: list[Side] = msgspec.field(default_factory=list)
    asides: dict[str, Aside] = msgspec.field(default_factory=dict)
    norm: list[Norm] = msgspec.field(default_factory=list)


class CommonFile(FileTable, frozen=True):
    """One version of what pathways share."""

    version: str
    sources: dict[str, str]
    blocks: dict[str, Block]


class PathwayFile(FileTable, frozen=True):
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
    common: str = ""  # version of pathways/common/<version>.toml
    uses: list[str] = msgspec.field(default_factory=list)  # its blocks
    without: list[str] = msgspec.field(
        default_factory=list
    )  # events, steps and side steps of them to leave out
    no_exit: dict[str, str] = msgspec.field(default_factory=dict)  # exit that cannot happen here -> why
    regie: str = ""  # the role that holds regie: every end is told to it
    no_regie: str = ""  # why a traject may have none: its role takes part only when the referral names it
    review: Review | None = None
    adopted_by: str = ""
    adopted_on: date | None = None
    include: list[Criterion] = msgspec.field(default_factory=list)
    exclude: list[Criterion] = msgspec.field(default_factory=list)
    condition: list[Rule] = msgspec.field(default_factory=list)
    consent: dict[str, ConsentAsked] = msgspec.field(default_factory=dict)  # role -> where it stands
    advice: list[Advice] = msgspec.field(default_factory=list)
    groups: dict[str, list[str]] = msgspec.field(default_factory=dict)
    counts: dict[str, Count] = msgspec.field(default_factory=dict)
    needs: dict[str, Need] = msgspec.field(default_factory=dict)
    codes: dict[str, str] = msgspec.field(default_factory=dict)  # of needs and reasons: code -> text
    shared: list[Shared] = msgspec.field(default_factory=list)
    side: list[Side] = msgspec.field(default_factory=list)
    asides: dict[str, Aside] = msgspec.field(default_factory=dict)
    appointment: dict[str, list[str]] = msgspec.field(default_factory=dict)  # Appointment.status -> events
    open: list[OpenQuestion] = msgspec.field(default_factory=list)
    handovers: dict[str, Handover] = msgspec.field(default_factory=dict)
    by_task: dict[str, list[TaskStatus]] = msgspec.field(
        default_factory=dict
    )  # group -> Task.status of its steps
    derived: dict[str, Derived] = msgspec.field(default_factory=dict)
    values: dict[str, SetValue] = msgspec.field(default_factory=dict)
    urgencies: dict[str, Urgency] = msgspec.field(default_factory=dict)
    table: list[DecisionTable] = msgspec.field(default_factory=list)
    watch: list[Watch] = msgspec.field(default_factory=list)
    kpi: list[Kpi] = msgspec.field(default_factory=list)
    identity: list[Identity] = msgspec.field(default_factory=list)
    variant: list[Variant] = msgspec.field(default_factory=list)
