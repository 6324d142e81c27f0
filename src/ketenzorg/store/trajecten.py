"""The traject of a Task: loading it, and storing a step in it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import asyncpg
import msgspec

from ketenzorg.fhir.search_parameters import Moment, SearchRows
from ketenzorg.pathway.standing import Standing
from ketenzorg.store.audit import Access
from ketenzorg.store.database import Database
from ketenzorg.store.doorbell import Doorbell
from ketenzorg.store.dues import Running
from ketenzorg.store.referrals import columns, id_array


class Version(msgspec.Struct, frozen=True):
    """A stored version of a resource, and who may see it."""

    type: str
    id: UUID
    version: int
    body: bytes


class Traject(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a pathway, with the Task that was asked for and the resources that tell of the traject."""

    id: UUID
    pathway: str
    version: str
    step: str
    counts: dict[str, int]
    happened: dict[str, datetime]
    seq: int
    open_task: UUID
    roles: dict[str, UUID]
    phases: dict[str, str]
    parties: tuple[UUID, ...]
    involved: tuple[UUID, ...]  # who takes part in the hand-over that runs now
    started: datetime
    ended: datetime | None
    task: Version
    task_updated: datetime
    municipality: str
    request: Version  # with an empty body for who was asked and was not chosen
    plan: Version  # with an empty body for who no longer follows it
    asides: dict[
        str, Version
    ] = {}  # name in the pathway -> the last Task of that question beside the hand-over

    @property
    def standing(self) -> Standing:
        """What decides who sees how much of it."""
        return Standing(self.step, self.roles, self.phases)


FindersOf: TypeAlias = Mapping[str, Mapping[str, tuple[UUID, ...]]]  # type -> parameter -> parties
NO_ROWS = SearchRows(frozenset(), frozenset(), frozenset())


class NewVersion(msgspec.Struct, frozen=True):
    """The next version of a resource (1: a new one), with the search rows that it has and had before."""

    type: str
    id: UUID
    version: int
    body: bytes
    rows: SearchRows
    rows_before: SearchRows = NO_ROWS


class Joining(msgspec.Struct, frozen=True):
    """A party that comes to see more, and what: types of resources, the number of the patient, what happened before."""

    organisation: UUID
    types: tuple[str, ...]
    bsn: bool
    log: bool
    after: UUID | None = None  # in whose place it comes: it gets the Tasks that this one sees


class Losing(msgspec.Struct, frozen=True):
    """A party that no longer sees these types of resources, nor what becomes of these Tasks and appointments."""

    organisation: UUID
    types: tuple[str, ...]
    later: tuple[UUID, ...] = ()  # as they are after the step; earlier versions stay


class FoundBy(msgspec.Struct, frozen=True, kw_only=True):
    """A search row of a resource whose parties change, and who may find it by this."""

    type: str
    id: UUID | None  # None: the Patient, whose rows follow from what is stored
    kind: str
    param: str
    finders: tuple[UUID, ...]
    code: str | None = None
    system: str | None = None
    target: str | None = None
    low: datetime | None = None
    high: datetime | None = None


class Further(msgspec.Struct, frozen=True):
    """An event that follows at once from the one that is stored."""

    id: UUID
    event: str
    from_step: str
    to_step: str
    body: Any


class NewObjection(msgspec.Struct, frozen=True):
    """What a patient does not want shared; None: with nobody, in nothing."""

    id: UUID  # of the Consent that says it
    since: datetime
    organisation: UUID | None = None
    kind: str = ""
    pathway: str = ""
    data: UUID | None = None  # one traject


class ConsentChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a step changes in who shares under which consent."""

    granted: dict[UUID, UUID] = {}  # organisation -> the Consent under which it takes part from now on
    weighed: tuple[UUID, ...] | None = None  # the objections that were looked at before somebody joins
    withdrawn: tuple[UUID, ...] = ()  # organisations that lose sight of everything in the traject
    notice: int = 0  # the version of the Task that tells them
    found_by: tuple[FoundBy, ...] = ()  # everything by which something of the traject is found
    objection: NewObjection | None = None
    lifted: tuple[UUID, ...] = ()  # objections that end


class Identity(msgspec.Struct, frozen=True):
    """By what the same data are known when they are sent again; `value` is a digest in hex."""

    system: str
    value: str
    locations: tuple[str, ...]


class Known(NamedTuple):
    """The traject that data belong to, and the data that it has."""

    traject: UUID
    task: UUID
    patient: UUID
    resources: list[tuple[str, UUID, bytes]]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step to store: taken only if `seq` is still that of the last event."""

    traject: UUID
    seq: int
    at: datetime
    step: str
    counts: dict[str, int]
    happened: dict[str, datetime]
    ended: datetime | None
    dues: tuple[Running, ...]  # soonest first
    was_until: datetime | None  # when what ran before and not any more ended; None: it had never begun
    task: UUID  # that was acted on
    open_task: UUID  # that is open after the step
    event_id: UUID
    event: str
    from_step: str
    happened_at: datetime
    event_body: Any
    priority: str  # how soon others must hear of it
    access: Access
    organisation: UUID
    roles: dict[str, UUID]
    phases: dict[str, str]
    parties: tuple[UUID, ...]  # everybody who ever took part
    involved: tuple[UUID, ...]  # who takes part now
    witnesses: tuple[UUID, ...]  # who may know of this event
    asides: dict[str, UUID] | msgspec.UnsetType = (
        msgspec.UNSET
    )  # as they are after the step; unset: as they were
    seen_by: dict[str, tuple[UUID, ...]] = {}  # type, or id, of what is new -> who sees it
    listeners: tuple[UUID, ...] = ()  # who hears of it beside the witnesses, as far as it sees what is new
    joining: tuple[Joining, ...] = ()
    losing: tuple[Losing, ...] = ()
    leaving: tuple[UUID, ...] = ()
    found_by: tuple[FoundBy, ...] = ()
    identity: Identity | None = None
    further: tuple[Further, ...] = ()
    consent: ConsentChange | None = None
    callers: tuple[UUID, ...] = ()  # in whose name it is stored; none: the organisation's own


CALL = (
    "select store_step($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, "
    "$21, $22, $23, $24, $25) "
    "as stored"
)


class Trajecten:
    """Where trajecten are stored."""

    def __init__(self, database: Database, region: str, bell: Doorbell) -> None:
        self._database = database
        self._region = region
        self._bell = bell

    async def of_task(self, task: UUID, access: Access, *, shown: bool = False) -> Traject | None:
        """The traject of a Task; None when there is none or the organisation has no part in it.

        On record: that it is not there, and (`shown`) that its reader sees it without changing it.
        """
        rows = await self._database.fetch(
            "select * from load_traject($1, $2, $3, $4, $5)",
            self._region,
            [access.organisation],
            task,
            access.json,
            shown,
        )
        return _traject(rows[0], task) if rows else None

    async def hold(self, resources: Sequence[tuple[str, UUID]], organisation: UUID) -> dict[str, int]:
        """Keep others from stepping in the trajecten of these until the transaction ends.

        By address the version of each that this organisation sees.
        """
        rows = await self._database.fetch(
            "select * from hold_trajecten($1, $2, $3, $4)",
            self._region,
            [organisation],
            [kind for kind, _ in resources],
            [id_ for _, id_ in resources],
        )
        return {f"{row['type']}/{row['id']}": row["version"] for row in rows}

    async def data_of(self, kind: str, id_: UUID, access: Access) -> Known | None:
        """All data of the traject of a request or a plan; None for who takes no part in it now."""
        rows = await self._database.fetch(
            "select * from data_of($1, $2, $3, $4, $5)",
            self._region,
            [access.organisation],
            kind,
            id_,
            access.json,
        )
        if not rows:
            return None
        first = rows[0]
        found = [(row["type"], row["id"], row["body"]) for row in rows]
        return Known(first["traject"], first["task"], first["patient"], found)

    async def sent_before(self, system: str, value: str, access: Access) -> tuple[str, ...] | None:
        """Where the same data were stored, if this organisation sent them before."""
        rows = await self._database.fetch(
            "select sent_before($1, $2, $3, $4, $5) as locations",
            self._region,
            [access.organisation],
            system,
            value,
            access.json,
        )
        locations = rows[0]["locations"]
        return None if locations is None else tuple(locations)

    async def was_open(self, task: UUID, organisation: UUID) -> bool:
        """Whether an organisation could claim this Task, and another was first."""
        rows = await self._database.fetch(
            "select was_open($1, $2, $3) as was_open", self._region, [organisation], task
        )
        return bool(rows[0]["was_open"])

    async def store(self, step: Step, versions: Sequence[NewVersion], finders: FindersOf) -> bool:
        """Store a step with the new versions; False when another one came first and nothing was written."""
        try:
            rows = await self._database.fetch(CALL, *arguments(self._region, step, versions, finders))
        except asyncpg.SerializationError:
            return False
        self._bell.ring()
        return bool(rows[0]["stored"])


def arguments(region: str, step: Step, versions: Sequence[NewVersion], finders: FindersOf) -> tuple[Any, ...]:
    """The arguments of store_step."""
    return (
        region,
        list(step.callers or (step.organisation,)),
        msgspec.json.encode(step).decode(),
        [version.type for version in versions],
        [version.id for version in versions],
        [version.version for version in versions],
        [version.body for version in versions],
        *(column for kind in SearchRows._fields for column in columns(_changes(versions, kind, finders), 6)),
    )


def _changes(versions: Sequence[NewVersion], kind: str, finders: FindersOf) -> list[tuple[Any, ...]]:
    """The search rows of a kind to take away (False) and to add (True): of which resource, and for whom."""
    return [
        (add, place, id_array(finders[version.type][row.param]), *_row(row))
        for place, version in enumerate(versions, 1)
        for before, after in ((getattr(version.rows_before, kind), getattr(version.rows, kind)),)
        for add, rows in ((False, before - after), (True, after - before))
        for row in rows
    ]


def _row(row: Any) -> tuple[Any, ...]:
    return (row.param, *row.period) if isinstance(row, Moment) else tuple(row)


def own_columns(row: Any) -> dict[str, Any]:
    """What a Traject takes from its own row, as every question about trajecten gives it."""
    return {
        "id": row["id"],
        "pathway": row["pathway"],
        "version": row["version"],
        "step": row["step"],
        "counts": msgspec.convert(row["counts"], dict[str, int]),
        "happened": msgspec.convert(row["happened"], dict[str, datetime]),
        "seq": row["seq"],
        "open_task": row["task"],
        "roles": msgspec.convert(row["roles"], dict[str, UUID]),
        "phases": row["phases"],
        "parties": tuple(row["parties"]),
        "involved": tuple(row["involved"]),
        "municipality": row["municipality"],
        "started": row["started"],
        "ended": row["ended"],
    }


def _traject(row: Any, task: UUID) -> Traject:
    return Traject(
        **own_columns(row),
        task=Version("Task", task, row["task_version"], row["task_body"]),
        task_updated=row["task_updated"],
        request=Version(
            "ServiceRequest", row["service_request"], row["request_version"] or 0, row["request_body"] or b""
        ),
        plan=Version("CarePlan", row["care_plan"], row["plan_version"] or 0, row["plan_body"] or b""),
        asides=_asides(row),
    )


def _asides(row: Any) -> dict[str, Version]:
    """Only those that the caller sees."""
    if not row["aside_ids"]:
        return {}
    found = zip(row["aside_ids"], row["aside_versions"], row["aside_bodies"], strict=True)
    seen = {str(id_): Version("Task", id_, version, body) for id_, version, body in found}
    return {name: seen[id_] for name, id_ in row["asides"].items() if id_ in seen}
