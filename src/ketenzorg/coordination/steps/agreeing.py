"""A person agrees on a day and a place: the same Appointment as a system would send, by the same way."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.coordination.reading.looking import read
from ketenzorg.coordination.showing.own_part import take_up
from ketenzorg.coordination.steps.appointments import KIND, book, rebook
from ketenzorg.coordination.steps.stepping import load
from ketenzorg.coordination.world import Visit, World
from ketenzorg.fhir import json, r4
from ketenzorg.referral.appointment import is_patient, place
from ketenzorg.referral.bundle import Entry, read_alone


class Meeting(msgspec.Struct, frozen=True):
    """When, for how long, and where."""

    start: datetime
    minutes: int
    where: str

    @property
    def elements(self) -> dict[str, Any]:
        """Of the Appointment."""
        end = self.start + timedelta(minutes=self.minutes)
        return {"start": self.start.isoformat(), "end": end.isoformat()}


async def agree(task: UUID, meeting: Meeting, person: str, visit: Visit, world: World) -> None:
    """A new appointment; the same one again is the same. Raises as `book` does."""
    traject, _ = await load(task, visit.access(world, "read", "Task"), world)
    patient = json.read(traject.task.body)["for"]["reference"]
    body = {
        "resourceType": KIND,
        "status": "booked",
        **meeting.elements,
        "basedOn": [{"reference": f"ServiceRequest/{traject.request.id}"}],
        "participant": [{"actor": {"reference": patient}, "status": "accepted"}, place(meeting.where)],
    }
    await book(_entry(body, world.new_id()), visit, world)
    await take_up(task, person, visit, world)


async def move(id_: UUID, meeting: Meeting, seen: int, visit: Visit, world: World) -> None:
    """Another time or place for an appointment of which this version was seen. Raises as `rebook` does."""
    before = await _of(id_, visit, world)
    patient = [each for each in before["participant"] if is_patient(each)]
    changed = meeting.elements | {"participant": [*patient, place(meeting.where)]}
    await rebook(id_, _entry(before | changed, id_), visit, world, seen)


async def became(id_: UUID, status: str, seen: int, visit: Visit, world: World) -> None:
    """What became of an appointment: an Appointment.status. Raises as `rebook` does."""
    before = await _of(id_, visit, world)
    await rebook(id_, _entry(before | {"status": status}, id_), visit, world, seen)


async def _of(id_: UUID, visit: Visit, world: World) -> dict[str, Any]:
    body: dict[str, Any] = json.read((await read(KIND, str(id_), visit, world)).body)
    return body


def _entry(body: Mapping[str, Any], id_: UUID) -> Entry:
    return read_alone(json.write(body), r4.Appointment, id_)
