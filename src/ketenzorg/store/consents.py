"""What is shared of a person with whom, under which consent, and what the person objects to."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from ketenzorg.pathway.standing import holds_now
from ketenzorg.referral.consent import Choice
from ketenzorg.store.audit import Access
from ketenzorg.store.database import Database
from ketenzorg.store.trajecten import (
    CALL,
    FindersOf,
    NewVersion,
    Step,
    Traject,
    Version,
    arguments,
    own_columns,
)


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """A traject with everything that tells what is shared of it."""

    traject: Traject  # with the Task that is open
    holder: UUID  # who has the patient: sent the referral, or came in the place of who did
    patient: UUID
    consents: dict[UUID, UUID]  # organisation -> the Consent under which it takes part
    resources: tuple[Version, ...]  # its requests, plans, Tasks, appointments, Consents and answers
    objections: tuple[Choice, ...]


class Outrun(Exception):
    """Somebody else changed one of the trajecten at the same moment; nothing was written."""


Store = Callable[[Step, Sequence[NewVersion], FindersOf], Awaitable[None]]


class Consents:
    """Where consent is looked up, and where a person's decisions are stored."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def objections(self, person: UUID) -> tuple[Choice, ...]:
        """What a person objects to, in all trajecten."""
        rows = await self._database.fetch("select * from objections_of($1, $2)", self._region, person)
        return tuple(_objection(dict(row)) for row in rows)

    async def of(self, traject: UUID, organisation: UUID) -> Shared:
        """What is shared in a traject in which the organisation has a part. Raises Outrun when it has none any more."""
        rows = await self._database.fetch(SHARING, self._region, [organisation], traject, False)
        if not rows:
            raise Outrun
        return _shared(rows[0])

    async def of_person(self, traject: UUID, organisation: UUID) -> tuple[Shared, ...]:
        """What is shared in all trajecten of the person of this one, to look at only. Raises Outrun as `of`."""
        rows = await self._database.fetch(SHARING, self._region, [organisation], traject, True)
        if not rows:
            raise Outrun
        return tuple(_shared(row) for row in rows)

    @asynccontextmanager
    async def decide(
        self, traject: UUID, organisation: UUID
    ) -> AsyncIterator[tuple[tuple[Shared, ...], Store]]:
        """All trajecten of the person of this one, and a way to store steps in them: all steps together, or none.

        Until it ends nothing more is shared of this person. Raises Outrun when somebody else was first.
        """
        try:
            async with self._database.together() as fetch:
                rows = await fetch(SHARING, self._region, [organisation], traject, True)

                async def store(step: Step, versions: Sequence[NewVersion], finders: FindersOf) -> None:
                    [row] = await fetch(CALL, *arguments(self._region, step, versions, finders))
                    if not row["stored"]:
                        raise Outrun

                yield tuple(_shared(row) for row in rows), store
        except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
            raise Outrun from None

    async def withdrawn(self, task: UUID, access: Access) -> tuple[datetime, int] | None:
        """When a part ended because consent was withdrawn, and in which version of the Task that stands."""
        rows = await self._database.fetch(
            "select at, version from withdrawn_part($1, $2, $3, $4)",
            self._region,
            [access.organisation],
            task,
            access.json,
        )
        return (rows[0]["at"], rows[0]["version"]) if rows else None


SHARING = "select * from sharing_of($1, $2, $3, $4)"


def _shared(row: Any) -> Shared:
    resources = tuple(
        Version(*each) for each in zip(row["types"], row["ids"], row["versions"], row["bodies"], strict=True)
    )
    by_id = {each.id: each for each in resources}
    return Shared(
        traject=Traject(
            **own_columns(row),
            task=by_id[row["task"]],
            task_updated=row["updated"],
            request=by_id[row["service_request"]],
            plan=by_id[row["care_plan"]],
            asides={name: by_id[UUID(id_)] for name, id_ in row["asides"].items()},
        ),
        holder=holds_now(row["holder"], msgspec.convert(row["roles"], dict[str, UUID])),
        patient=row["patient"],
        consents=msgspec.convert(row["consents"], dict[UUID, UUID]),
        resources=resources,
        objections=tuple(_objection(each) for each in row["objections"]),
    )


def _objection(row: dict[str, Any]) -> Choice:
    return Choice(
        permits=False,
        since=msgspec.convert(row["since"], datetime),
        user=msgspec.convert(row["organisation"], UUID | None),
        user_kind=row["kind"] or "",
        pathway=row["pathway"] or "",
        traject=msgspec.convert(row["data"], UUID | None),
        id=msgspec.convert(row["id"], UUID),
    )
