"""Any walk over HTTP on a real database: the event log alone tells where a traject stands, and all agrees with it."""

from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content import CATALOGUE
from ketenzorg import events
from ketenzorg.coordination.person import practice
from ketenzorg.fhir import r4
from ketenzorg.fhir.decode import decode_as
from ketenzorg.pathway import engine, handover
from referrals import a_referral, said
from services import START, Service

PATHWAY = CATALOGUE.current("welzijn-op-recept")
NOTE = [{"op": "add", "path": "/output/-", "value": {"type": {"text": "bijlage"}, "valueString": "Folder"}}]
FIRST_NOTE = [{"op": "add", "path": "/output", "value": [NOTE[0]["value"]]}]
# What brings in a house, or a practice, that has no hand in this walk.
TO_ANOTHER = ("doorsturen", practice.PASSED, practice.UNKNOWN)
# For each step: which of the options, by which role, with which of the codes, days later, told how late, a note first.
STEPS = st.lists(
    st.tuples(
        *(st.integers(0, 1_000) for _ in range(3)), st.integers(0, 9), st.integers(0, 3), st.booleans()
    ),
    min_size=4,
    max_size=12,
)
STORED = """
    select t.step, t.counts::text, t.happened::text, t.seq, t.ended is not null as ended, t.task,
        (select array_agg(body::text order by seq) from ketenzorg.event e where e.traject = t.id) as log,
        (select array_agg(version order by version) from ketenzorg.resource_history h
            where h.traject = t.id and h.type = 'CarePlan') as plan_versions
    from ketenzorg.traject t
    join ketenzorg.referral_identity i on i.traject = t.id and i.value = '{number}'
"""


class Walk:
    """One traject, walked by its two parties."""

    def __init__(self, service: Service, number: str) -> None:
        self.service = service
        self.number = number
        self.day = 0
        self.withdrawn = False  # the patient took consent back: only a new referral begins anew

    async def go(self, choices: list[Any]) -> None:
        self.service.app.litestar.state.clock.set(START)
        self.task = (await self.service.refer(a_referral(self.number)))["Task"]
        for choice in choices:
            await self.step(*choice)

    async def step(self, which: int, who: int, code: int, days: int, late: int, note: bool) -> None:
        self.day += days
        clock = self.service.app.litestar.state.clock
        clock.set(START + timedelta(days=self.day))
        said_next = (await self.service.his.get(f"/fhir/{self.task}/$next")).json()["parameter"]
        options = [
            each
            for each in said_next
            if each["name"] == "next" and each["part"][0]["valueString"] not in TO_ANOTHER
        ]
        if not options or self.withdrawn:
            return
        if note:
            await self.note()
        option = options[which % len(options)]["part"]
        by = [part["valueString"] for part in option if part["name"] == "by"]
        body = said(option[0]["valueString"])
        for need in (part["part"] for part in option if part["name"] == "needs"):
            codes = [part["valueCode"] for part in need if part["name"] == "code"] or ["Tekst."]
            body["parameter"].append(
                {"name": need[0]["valueString"], "valueString": codes[code % len(codes)]}
            )
        if late and days:
            at = clock.now() - timedelta(hours=late)
            body["parameter"].append({"name": "at", "valueDateTime": at.isoformat()})
        client = {"verwijzer": self.service.his, "welzijnscoach": self.service.coach}[by[who % len(by)]]
        response = await client.post(f"/fhir/{self.task}/$event", json=body)
        assert response.status_code == 200, response.text
        self.task = f"Task/{response.json()['id']}"
        self.withdrawn = "for" not in (await self.service.coach.get(f"/fhir/{self.task}")).json()

    async def note(self) -> None:
        seen = (await self.service.coach.get(f"/fhir/{self.task}")).json()
        response = await self.service.coach.patch(
            f"/fhir/{self.task}",
            json=NOTE if "output" in seen else FIRST_NOTE,
            headers={"Content-Type": "application/json-patch+json"},
        )
        assert response.status_code == 200, response.text

    async def check(self) -> None:
        [row] = await self.service.rows(STORED.format(number=self.number))
        log = [msgspec.json.decode(body, type=events.Event) for body in row["log"]]
        state, status = replayed(log)
        stored = engine.State(
            row["step"],
            msgspec.json.decode(row["counts"]),
            msgspec.json.decode(row["happened"], type=type(state).__annotations__["happened"]),
        )
        assert stored == state
        assert row["seq"] == len(log)
        assert self.task == f"Task/{row['task']}"
        task = decode_as((await self.service.his.get(f"/fhir/{self.task}")).content, r4.Task)
        assert task.status == status
        assert task.businessStatus.text == state.step
        shared = (await self.service.his.get(f"/fhir/Task?_id={row['task']}&_include=Task:based-on")).json()
        plan = next(e["resource"] for e in shared["entry"] if e["resource"]["resourceType"] == "CarePlan")
        assert plan["extension"][0]["valueCodeableConcept"]["text"] == state.step
        assert plan["status"] == PATHWAY.steps[state.step].careplan
        assert ("end" in plan["period"]) == row["ended"] == bool(PATHWAY.steps[state.step].ends)
        version = int(plan["meta"]["versionId"])
        assert (row["plan_versions"] or []) == list(range(1, version))


def replayed(log: list[events.Event]) -> tuple[engine.State, str]:
    """The state and Task.status that the events alone give; every change of status on the way is legal."""
    first, *rest = log
    assert isinstance(first, events.ReferralReceived)
    state, status = engine.start(PATHWAY, first.at), PATHWAY.steps[first.step].task
    task = first.task
    for event in rest:
        if isinstance(event, events.TaskAmended):
            assert event.task == task
            continue
        assert isinstance(event, events.StepTaken)
        assert event.from_step == state.step
        option = next(o for o in engine.allowed(PATHWAY, state, event.by) if o.event == event.event)
        # What somebody typed is not in the log; that it was there is.
        brought = dict.fromkeys(option.needs, "Tekst.") | event.codes
        taken = engine.advance(PATHWAY, state, event.event, event.by, event.at, brought)
        if taken.new_task:
            assert status in handover.FINAL_STATUSES
            assert event.task_status in handover.FIRST_STATUSES
        else:
            assert handover.legal(status, event.task_status), event
        assert (taken.to_step, taken.task) == (event.to_step, event.task_status)
        state, status, task = taken.state, taken.task, event.task
    return state, status


async def test_the_log_tells_where_every_traject_stands(service: Service) -> None:
    walks: list[list[Any]] = []

    @settings(
        max_examples=15,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(STEPS)
    def collect(choices: list[Any]) -> None:
        walks.append(choices)

    # Hypothesis calls a plain function; the walks that it thinks of are walked here.
    collect()
    for number, choices in enumerate(walks):
        walk = Walk(service, str(number))
        await walk.go(choices)
        await walk.check()
