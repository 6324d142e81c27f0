"""Everything that can happen, as it stands in the event log for ever: add fields, never rename or remove one.

Ids and codes only; no personal data, no text that somebody typed.
"""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec


class ReferralReceived(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="referral-received"):
    """A referral came in, and a traject began."""

    pathway: str
    version: str
    event: str
    step: str
    at: datetime
    requester: UUID
    owner: UUID | None  # none: nobody has been chosen yet
    service_request: UUID
    task: UUID
    municipality: str
    kept: dict[str, int] = {}  # urgency and lengths of controls, as State.counts has them
    asked: tuple[UUID, ...] = ()  # who may perform it, where nobody has been chosen yet


class StepTaken(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="step-taken"):
    """A party said that something happened, and the traject moved, or stayed where it was."""

    event: str
    from_step: str
    to_step: str
    at: datetime  # when it happened; when we heard stands beside it
    by: str  # role in the pathway
    organisation: UUID
    task: UUID
    task_status: str
    reason: str | None = None  # code
    exit: str | None = None  # code, when it ends the traject
    codes: dict[str, str] = {}  # coded answers that the event brought
    outputs: tuple[str, ...] = ()  # names of the answers that went to Task.output
    new_task: UUID | None = None  # of the hand-over that this step began
    handed_to: UUID | None = None  # the organisation that performs it
    chosen: UUID | None = (
        None  # of who was asked: this organisation was selected, or claimed it, and performs it now
    )
    not_chosen: tuple[UUID, ...] = ()  # who was asked until now
    asked: tuple[UUID, ...] = ()  # who may claim the hand-over that this step began
    appointment: UUID | None = None  # that meant it, and its status then
    appointment_status: str | None = None
    elsewhere: bool = False  # it was said in another traject of the same person


class TaskAmended(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="task-amended"):
    """A party added a note or an output to the Task; the step stayed."""

    by: str
    organisation: UUID
    task: UUID
    at: datetime
    outputs: tuple[str, ...] = ()  # names of what was added, of those that we know: voortgang


class CandidateAnswered(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="candidate-answered"
):
    """What became of asking one organisation, while nobody has been chosen; the step stayed."""

    by: str  # role in the pathway
    organisation: UUID
    candidate: UUID  # the organisation that was asked
    task: UUID
    task_status: str  # requested: it was asked
    at: datetime
    reason: str | None = None  # code


class AppointmentKept(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="appointment-kept"):
    """Who does the work made or changed an appointment; the step stayed."""

    by: str
    organisation: UUID
    task: UUID
    at: datetime
    appointment: UUID
    status: str  # of FHIR: booked, noshow


class StepCorrected(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="step-corrected"):
    """The last step was a mistake of who took it: everything is again as it was before that step.

    The mistaken event stays in the log; who counts leaves it out.
    """

    corrects: int  # seq of the mistaken event in the same traject
    from_step: str
    to_step: str
    at: datetime
    by: str
    organisation: UUID
    task: UUID
    task_status: str


class DataAdded(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="data-added"):
    """New data came in for a traject that runs, or were taken back as a mistake.

    The step stayed, what norms and controls depend on may not.
    """

    organisation: UUID
    task: UUID
    at: datetime
    resources: tuple[str, ...]  # "Observation/<id>"
    kept: dict[str, int]  # urgency and lengths of controls from now on, as State.counts has them
    taken_back: bool = False


class _OfNorm(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody was told of a norm or control; the step stayed."""

    norm: str
    began: datetime  # with `within`: which time it was armed; each is told of once
    within: str  # how long it may take: 2 weken
    due: datetime  # the last moment at which it is still met
    at: datetime  # when this was so; when we saw it stands beside it
    step: str
    task: UUID
    role: str  # whose turn it was, and who plays it
    organisation: UUID | None
    told: tuple[UUID, ...]
    urgency: str = ""


class NormReminded(_OfNorm, frozen=True, kw_only=True, tag_field="kind", tag="norm-reminded"):
    """A norm has nearly run out: who must act was told."""


class NormExceeded(_OfNorm, frozen=True, kw_only=True, tag_field="kind", tag="norm-exceeded"):
    """A norm or control was not met in time: who must act was told, and whom the pathway names."""


class NormEscalated(_OfNorm, frozen=True, kw_only=True, tag_field="kind", tag="norm-escalated"):
    """A norm or control is past for so long that the pathway lets others know too."""

    after: str  # how long: 5 werkdagen


class ConsentChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="consent-changed"):
    """Somebody put on record what the patient wants shared; the step stayed."""

    change: str  # gegeven, ingetrokken, bezwaar, opgeheven
    organisation: UUID  # nil: one without a part in this traject
    consent: UUID  # that says it
    at: datetime


class FactHeard(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="fact-heard"):
    """Something that is so of the person was said in another traject; the step stayed."""

    fact: str  # the exit with which the other traject ended: deceased, moved_out_of_region
    organisation: UUID  # nil: one without a part in this traject
    task: UUID
    at: datetime
    mistaken: bool = False  # it was a wrong click, and is not so


class PracticeChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="practice-changed"):
    """The patient has another general practice; the step stayed."""

    organisation: UUID  # that said it
    task: UUID
    at: datetime
    before: UUID | None = None  # the practice whose roles passed on
    now: UUID | None = None  # none: it is not connected, or not known; then nothing passed on
    codes: dict[str, str] = {}  # coded answers: who chose


OfNorm: TypeAlias = NormReminded | NormExceeded | NormEscalated
Event: TypeAlias = (
    ReferralReceived
    | StepTaken
    | TaskAmended
    | CandidateAnswered
    | AppointmentKept
    | StepCorrected
    | DataAdded
    | OfNorm
    | ConsentChanged
    | FactHeard
    | PracticeChanged
)
