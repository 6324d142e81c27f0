"""Clinical Order Workflows and NL-COW over HTTP: each way to find who performs, and each row of their tables.

https://build.fhir.org/ig/HL7/fhir-cow-ig/fulfiller-determination.html; c1 is the main line, c2 more information, c3
sending on, c4 cancelling. Nothing here looks past HTTP: what a party knows, it read.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.test_asides import abort, question
from asked import ONE, SELECTED, THREE, TWO, ask, crowd, patches, read, says
from examples import an_example
from kidneys import a_kidney_referral
from referrals import a_referral, of, said, texts
from services import REGION, START, Referral, Service
from spec.talking import call
from subscriptions import numbers, polling

PRACTICE, COACH, HOSPITAL = (REGION.of_client(f"{name}-demo").id for name in ("his", "welzijn", "ziekenhuis"))
HOUSES = REGION.file.organisations
OTHER_COACH = next(each.id for each in HOUSES.values() if each.ura == "99990016")
HOUSES_BY_ID = {each.id: each for each in HOUSES.values()}
CLAIMABLE = "owner:missing=true&status=requested"
UNDER_WAY = ("aannemen", "eerste contact", "kennismaking gehouden")


@dataclass
class Parties:
    """Who asks and who is asked, and what each has heard of by polling."""

    service: Service
    referral: Referral
    fulfiller: UUID = COACH

    @property
    def task(self) -> str:
        return self.referral["Task"]

    async def read(self, who: UUID, address: str) -> dict[str, Any]:
        body: dict[str, Any] = (await call(self.service, who, "GET", f"/fhir/{address}", None, 200)).json()
        return body

    async def request(self) -> str:
        return str((await self.read(PRACTICE, self.referral["ServiceRequest"]))["status"])

    async def says(self, who: UUID, event: str, /, status: int = 200, **given: str) -> httpx.Response:
        return await call(
            self.service, who, "POST", f"/fhir/{self.task}/$event", said(event, **given), status
        )

    async def writes(
        self, who: UUID, task: str, status: str, reason: str = "", expected: int = 200
    ) -> httpx.Response:
        """By the status of the Task alone, as a system without our events does."""
        patch: list[dict[str, Any]] = [{"op": "replace", "path": "/status", "value": status}]
        if reason:
            code = {
                "coding": [{"system": "https://ketenzorg.example/fhir/CodeSystem/reason", "code": reason}]
            }
            patch.append({"op": "add", "path": "/statusReason", "value": code})
        return await call(self.service, who, "PATCH", f"/fhir/{task}", patch, expected)

    async def under_way(self) -> None:
        for event in UNDER_WAY:
            await self.says(self.fulfiller, event)

    async def stands(self, who: UUID) -> tuple[str, str]:
        """Task.status and the step, as somebody reads them."""
        task = await self.read(who, self.task)
        return task["status"], task["businessStatus"]["text"]


async def refer(service: Service, *changes: Any) -> Parties:
    return Parties(service, await service.refer(a_referral("1", *changes)))


async def listens(service: Service, who: UUID) -> str:
    """Where somebody asks what there is to hear."""
    made = await call(service, who, "POST", "/fhir/Subscription", polling(), 201)
    return f"/fhir/Subscription/{made.json()['id']}/$events"


async def heard(service: Service, who: UUID, events: str) -> int:
    """How many events there were."""
    return len(numbers((await call(service, who, "GET", events, None, 200)).json()))


async def tasks(service: Service, who: UUID, query: str) -> list[str]:
    found = (await call(service, who, "GET", f"/fhir/Task?{query}", None, 200)).json()
    return [f"Task/{each['resource']['id']}" for each in found.get("entry", ())]


def performer(ura: str) -> Any:
    def change(bundle: dict[str, Any]) -> None:
        named = {"identifier": {"system": "http://fhir.nl/fhir/NamingSystem/ura", "value": ura}}
        of(bundle, "ServiceRequest")["performer"] = [named]

    return change


def to_an_orthopaedist(number: str, *changes: Any) -> dict[str, Any]:
    """A question that two houses can take, of somebody who lives between them."""
    bundle = an_example("artrose", vraag="orthopeed")
    request = of(bundle, "ServiceRequest")
    request["identifier"][0]["value"] = number
    request.pop("performer", None)
    of(bundle, "Patient")["address"] = [{"district": "Westerkwartier"}]
    for change in changes:
        change(bundle)
    return bundle


def told(referral: Referral) -> str:
    """What the answer to a referral says."""
    outcome = referral.response.json()["entry"][referral_place(referral)]["response"]["outcome"]
    return "\n".join(each["details"]["text"] for each in outcome["issue"])


def referral_place(referral: Referral) -> int:
    return [each.partition("/")[0] for each in referral.locations].index("ServiceRequest")


# Who performs: the patterns of COW


async def test_pattern_assigned(service: Service) -> None:
    """The referral names who performs, in a Task of its own."""
    task = {
        "resourceType": "Task", "status": "requested", "intent": "order",
        "owner": {"identifier": {"system": "http://fhir.nl/fhir/NamingSystem/ura", "value": HOUSES_BY_ID[COACH].ura}},
    }  # fmt: skip

    def with_task(bundle: dict[str, Any]) -> None:
        focus = next(
            each["fullUrl"] for each in bundle["entry"] if "ServiceRequest" in each["request"]["url"]
        )
        posted = task | {"focus": {"reference": focus}}
        bundle["entry"].append({"resource": posted, "request": {"method": "POST", "url": "Task"}})

    asked = await refer(service, with_task)
    assert (await asked.read(COACH, asked.task))["owner"]["reference"] == f"Organization/{COACH}"
    await asked.writes(COACH, asked.task, "accepted")
    assert (await asked.stands(PRACTICE))[0] == "accepted"


async def test_pattern_the_performer_may_decline(service: Service) -> None:
    asked = await refer(service)
    assert "reden-van-afwijzen" in texts(await asked.writes(COACH, asked.task, "rejected", expected=422))
    await asked.writes(COACH, asked.task, "rejected", "geen-plek")
    task = await asked.read(PRACTICE, asked.task)
    assert (task["status"], task["statusReason"]["coding"][0]["code"]) == ("rejected", "geen-plek")
    assert await asked.request() == "active"  # the question is still there, for somebody else


async def test_pattern_the_patient_chooses(service: Service) -> None:
    """The answer names who else could do it; the patient's choice is the performer of the next one."""
    near = Parties(service, await service.refer(to_an_orthopaedist("1")))
    owner = (await near.read(PRACTICE, near.task))["owner"]["reference"]
    [line] = [each for each in told(near.referral).splitlines() if each.startswith("Ook mogelijk")]
    other = next(each for each in HOUSES.values() if each.name in line)
    assert owner != f"Organization/{other.id}"
    chosen = Parties(service, await service.refer(to_an_orthopaedist("2", performer(other.ura))), other.id)
    assert (await chosen.read(other.id, chosen.task))["owner"]["reference"] == f"Organization/{other.id}"
    assert f"Aan zet: {other.name}" in told(chosen.referral)


async def test_pattern_directed_but_the_patient_may_go_elsewhere(service: Service) -> None:
    asked = await refer(service, performer(HOUSES_BY_ID[COACH].ura))
    new = await sent_on(asked)
    assert (await asked.read(OTHER_COACH, new))["status"] == "requested"
    assert await asked.request() == "active"


async def test_pattern_broadcast_and_claim(service: Service) -> None:
    """Open to who claims it first: one has it, and for the others it is not there any more."""
    claimers = crowd(service, 4)
    open_ = await ask(service)
    for who in claimers:
        assert await tasks(service, who, CLAIMABLE) == [open_.handover]
    claims = [
        patches(
            service, who, open_.handover, None, status="accepted", owner={"reference": f"Organization/{who}"}
        )
        for who in claimers
    ]
    answers = await asyncio.gather(*claims)
    assert sorted(each.status_code for each in answers) == [200, 409, 409, 409]
    for who, answer in zip(claimers, answers, strict=True):
        found = await call(service, who, "GET", f"/fhir/{open_.handover}")
        assert found.status_code == (200 if answer.status_code == 200 else 404)


async def test_pattern_candidates_bid_and_one_is_selected(service: Service) -> None:
    """Several are asked, without the patient's name; who says yes bids, and the placer chooses."""
    asked = await ask(service, ONE, TWO, THREE)
    for who in (ONE, TWO):
        await says(service, who, asked.tasks[who], "aannemen")
    await says(service, THREE, asked.tasks[THREE], "afwijzen", reden_van_afwijzen="geen-plek")
    assert (await call(service, TWO, "GET", f"/fhir/{asked['Patient']}")).status_code == 404
    await patches(service, PRACTICE, asked.tasks[TWO], businessStatus=SELECTED)
    assert (await read(service, TWO, asked["Patient"]))["name"]
    standing = [(await read(service, PRACTICE, asked.tasks[who]))["status"] for who in (ONE, TWO, THREE)]
    assert standing == ["cancelled", "accepted", "rejected"]


async def test_pattern_a_coordinator_assigns_and_tells(service: Service) -> None:
    """Nobody is named: ketenzorg finds who acts, and tells the placer who that is and why."""
    asked = await refer(service, lambda bundle: of(bundle, "ServiceRequest").pop("performer", None))
    owner = (await asked.read(PRACTICE, asked.task))["owner"]["reference"]
    assert owner == f"Organization/{COACH}"
    assert f"Aan zet: {HOUSES_BY_ID[COACH].name} ({owner}), want" in told(asked.referral)


async def test_pattern_a_coordinator_mediates(service: Service) -> None:
    """All that the two say to each other goes by ketenzorg: neither calls the other, both hear of everything."""
    inboxes = {who: await listens(service, who) for who in (PRACTICE, COACH)}
    asked = await refer(service)
    await asked.writes(COACH, asked.task, "accepted")
    answer = await call(service, COACH, "POST", "/fhir/Task", question(asked.task), 201)
    await call(
        service,
        PRACTICE,
        "POST",
        f"/fhir/{asked.task}/$event",
        said("informatie gegeven", antwoord="Ja."),
        200,
    )
    assert (await asked.read(COACH, f"Task/{answer.json()['id']}"))["output"][0]["valueString"] == "Ja."
    events = [await heard(service, who, inbox) for who, inbox in inboxes.items()]
    assert min(events) >= 4
    assert events[0] == events[1]


# c.1, the main line


async def test_c1_row_1_intake(service: Service) -> None:
    events = await listens(service, COACH)
    asked = await refer(service)
    task = await asked.read(COACH, asked.task)
    assert (task["status"], task["intent"], await asked.request()) == ("requested", "order", "active")
    for element in (
        "identifier",
        "focus",
        "for",
        "requester",
        "owner",
        "authoredOn",
        "restriction",
        "basedOn",
    ):
        assert element in task, element
    assert {coding["code"] for coding in task["code"]["coding"]} >= {"fulfill"}
    assert await heard(service, COACH, events) == 1


async def test_c1_row_1b_open_claim(service: Service) -> None:
    open_ = await ask(service)
    task = await read(service, PRACTICE, open_.handover)
    assert (task["status"], "owner" in task) == ("requested", False)
    assert (await read(service, PRACTICE, open_["ServiceRequest"]))["status"] == "active"
    assert await tasks(service, ONE, CLAIMABLE) == [open_.handover]
    await says(service, ONE, open_.handover, "aannemen")
    assert (await read(service, PRACTICE, open_.handover))["owner"]["reference"] == f"Organization/{ONE}"
    assert await tasks(service, ONE, CLAIMABLE) == []


async def test_c1_row_2_read(service: Service) -> None:
    asked = await refer(service)
    found = await call(
        service, COACH, "GET", f"/fhir/Task?_id={asked.task[5:]}&_include=Task:focus", None, 200
    )
    assert {each["resource"]["resourceType"] for each in found.json()["entry"]} == {"Task", "ServiceRequest"}
    assert (await asked.stands(PRACTICE))[0] == "requested"


async def test_c1_row_3_acknowledge(service: Service) -> None:
    events = await listens(service, PRACTICE)
    asked = await refer(service)
    await asked.writes(COACH, asked.task, "received")
    assert ((await asked.stands(PRACTICE))[0], await asked.request()) == ("received", "active")
    assert await heard(service, PRACTICE, events) == 2


async def test_c1_row_4_triage_needs_information(service: Service) -> None:
    events = await listens(service, PRACTICE)
    asked = await refer(service)
    await asked.writes(COACH, asked.task, "received")
    await call(service, COACH, "POST", "/fhir/Task", question(asked.task), 201)
    status, business = await asked.stands(PRACTICE)
    assert (status, "informatie gevraagd" in business, await asked.request()) == ("received", True, "active")
    assert await heard(service, PRACTICE, events) >= 3


async def test_c1_row_5a_accept(service: Service) -> None:
    asked = await refer(service)
    await asked.writes(COACH, asked.task, "accepted")
    assert ((await asked.stands(PRACTICE))[0], await asked.request()) == ("accepted", "active")


async def test_c1_row_5b_reject(service: Service) -> None:
    events = await listens(service, PRACTICE)
    asked = await refer(service)
    await asked.writes(COACH, asked.task, "rejected", "geen-plek")
    assert ((await asked.stands(PRACTICE))[0], await asked.request()) == ("rejected", "active")
    assert await heard(service, PRACTICE, events) == 2
    await asked.writes(COACH, asked.task, "accepted", expected=409)


async def test_c1_row_5c_alternative_proposal(service: Service) -> None:
    """Refused, with a Request of intent proposal; who asked may take it over in a referral of its own."""
    events = await listens(service, PRACTICE)
    asked = await refer(service)
    proposal = {
        "resourceType": "ServiceRequest", "status": "active", "intent": "proposal",
        "basedOn": [{"reference": asked.referral["ServiceRequest"]}],
        "subject": {"reference": asked.referral["Patient"]}, "code": {"text": "Maatschappelijk werk"},
    }  # fmt: skip
    made = await call(service, COACH, "POST", "/fhir/ServiceRequest", proposal, 201)
    task = await asked.read(PRACTICE, asked.task)
    assert (task["status"], task["statusReason"]["coding"][0]["code"]) == ("rejected", "ander-voorstel")
    named = [each["valueReference"]["reference"] for each in task["output"] if "valueReference" in each]
    assert f"ServiceRequest/{made.json()['id']}" in named
    seen = await asked.read(PRACTICE, f"ServiceRequest/{made.json()['id']}")
    assert (seen["intent"], seen["code"]["text"], await asked.request()) == (
        "proposal",
        "Maatschappelijk werk",
        "active",
    )
    assert await heard(service, PRACTICE, events) == 2


async def test_c1_row_5d_select(service: Service) -> None:
    events = {who: await listens(service, who) for who in (ONE, TWO)}
    asked = await ask(service, ONE, TWO)
    for who in (ONE, TWO):
        await says(service, who, asked.tasks[who], "aannemen")
    before = {who: await heard(service, who, inbox) for who, inbox in events.items()}
    await patches(service, PRACTICE, asked.tasks[TWO], businessStatus=SELECTED)
    won, lost = await read(service, TWO, asked.tasks[TWO]), await read(service, ONE, asked.tasks[ONE])
    assert (won["status"], lost["status"]) == ("accepted", "cancelled")
    assert SELECTED["coding"][0] in won["businessStatus"]["coding"]
    assert lost["statusReason"]["text"] == "Niet gekozen"
    assert (await read(service, PRACTICE, asked["ServiceRequest"]))["status"] == "active"
    for who, inbox in events.items():
        assert await heard(service, who, inbox) == before[who] + 1


async def test_c1_row_6_start(service: Service) -> None:
    asked = await refer(service)
    await asked.says(COACH, "aannemen")
    await asked.says(COACH, "eerste contact")
    await asked.writes(COACH, asked.task, "in-progress")
    assert ((await asked.stands(PRACTICE))[0], await asked.request()) == ("in-progress", "active")
    await asked.writes(PRACTICE, asked.task, "cancelled", "niet-meer-nodig", expected=409)


@pytest.mark.parametrize(
    "value",
    [
        {"valueRatio": {"numerator": {"value": 3}, "denominator": {"value": 8}}},
        {"valueInteger": 3},
        {"valueCodeableConcept": {"coding": [{"system": "https://x.example", "code": "halverwege"}]}},
    ],
    ids=["ratio", "count", "code"],
)
async def test_c1_row_7_progress(service: Service, value: dict[str, Any]) -> None:
    events = await listens(service, PRACTICE)
    asked = await refer(service)
    await asked.under_way()
    kind = {"coding": [{"system": "https://ketenzorg.example/fhir/CodeSystem/output", "code": "voortgang"}]}
    patch = [{"op": "add", "path": "/output", "value": [{"type": kind, **value}]}]
    await call(service, COACH, "PATCH", f"/fhir/{asked.task}", patch, 200)
    task = await asked.read(PRACTICE, asked.task)
    [output] = [each for each in task["output"] if each["type"]["coding"] == kind["coding"]]
    assert {**output, "type": 0} == {"type": 0, **value}
    assert (task["status"], await asked.request()) == ("in-progress", "active")
    assert await heard(service, PRACTICE, events) == 5


@pytest.mark.parametrize(
    ("becomes", "status", "step"),
    [
        ("noshow", "accepted", "contact zoeken"),
        ("cancelled", "accepted", "kennismaking"),
        ("fulfilled", "in-progress", "in gesprek"),
    ],
)
async def test_c1_row_7_appointment(service: Service, becomes: str, status: str, step: str) -> None:
    """Booked, and what came of it: the pathway says what that means."""
    events = await listens(service, PRACTICE)
    asked = await refer(service)
    await asked.says(COACH, "aannemen")
    patient = {"actor": {"reference": asked.referral["Patient"]}, "status": "accepted"}
    appointment = {
        "resourceType": "Appointment", "status": "booked", "participant": [patient],
        "start": "2026-01-19T10:00:00+01:00", "end": "2026-01-19T10:45:00+01:00",
        "basedOn": [{"reference": asked.referral["ServiceRequest"]}],
    }  # fmt: skip
    booked = (await call(service, COACH, "POST", "/fhir/Appointment", appointment, 201)).json()
    assert await asked.stands(PRACTICE) == ("accepted", "kennismaking")
    address = f"Appointment/{booked['id']}"
    assert (await asked.read(PRACTICE, address))["status"] == "booked"
    service.app.litestar.state.clock.set(START + timedelta(days=8))
    await call(service, COACH, "PUT", f"/fhir/{address}", booked | {"status": becomes}, 200)
    assert (await asked.read(PRACTICE, address))["status"] == becomes
    assert await asked.stands(PRACTICE) == (status, step)
    assert (await asked.request(), await heard(service, PRACTICE, events)) == ("active", 4)


async def test_c1_row_7_no_show(service: Service) -> None:
    asked = await refer(service)
    for event in ("aannemen", "eerste contact", "niet verschenen"):
        await asked.says(COACH, event)
    assert (await asked.stands(PRACTICE)) == ("accepted", "contact zoeken")
    assert await asked.request() == "active"


async def test_c1_row_7b_pause(service: Service) -> None:
    asked = await refer(service)
    await asked.under_way()
    await asked.writes(COACH, asked.task, "on-hold", expected=422)  # why?
    reason = await reason_for(asked, COACH, "in de wacht zetten")
    await asked.says(COACH, "in de wacht zetten", reden_van_wachten=reason)
    assert ((await asked.stands(PRACTICE))[0], await asked.request()) == ("on-hold", "active")
    await asked.writes(COACH, asked.task, "in-progress")
    assert (await asked.stands(PRACTICE))[0] == "in-progress"


async def test_c1_row_8a_outcome(service: Service) -> None:
    asked = await refer(service)
    await asked.under_way()
    await asked.says(COACH, "afronden", terugkoppeling="Mevrouw wandelt.")
    task = await asked.read(PRACTICE, asked.task)
    outputs = [each["valueReference"]["reference"] for each in task["output"] if "valueReference" in each]
    [letter] = [each for each in outputs if each.startswith("DocumentReference/")]
    assert task["status"] == "completed"
    content = (await asked.read(PRACTICE, letter))["content"]
    assert {each["attachment"]["contentType"] for each in content} == {
        "application/fhir+json",
        "application/pdf",
    }


async def test_c1_row_8b_cannot(service: Service) -> None:
    asked = await refer(service)
    await asked.under_way()
    reason = await reason_for(asked, COACH, "afhaken")
    await asked.says(COACH, "afhaken", reden_van_afhaken=reason)
    task = await asked.read(PRACTICE, asked.task)
    assert (task["status"], task["statusReason"]["coding"][0]["code"]) == ("failed", reason)


async def test_c1_row_9_close_the_loop(service: Service) -> None:
    """By ketenzorg itself, in the transaction of the outcome: nobody closes anything twice."""
    made = await call(service, COACH, "POST", "/fhir/Subscription", polling(to="ServiceRequest"), 201)
    asked = await refer(service)
    await asked.under_way()
    await asked.says(COACH, "afronden", terugkoppeling="Mevrouw wandelt.")
    assert await asked.request() == "completed"
    assert (await asked.read(PRACTICE, asked.referral["CarePlan"]))["status"] == "completed"
    assert await heard(service, COACH, f"/fhir/Subscription/{made.json()['id']}/$events") == 2


# c.2, more information


async def test_c2_form_1_direct_query(service: Service) -> None:
    """What the fulfiller may see it reads and searches by itself."""
    asked = await refer(service)
    found = (
        await call(service, COACH, "GET", f"/fhir/Task?_id={asked.task[5:]}&_include=Task:patient", None, 200)
    ).json()
    [patient] = [each["resource"] for each in found["entry"] if each["resource"]["resourceType"] == "Patient"]
    assert patient["telecom"]
    assert await asked.read(COACH, asked.referral["QuestionnaireResponse"])


async def test_c2_form_2_the_status_says_that_something_is_asked(service: Service) -> None:
    asked = await refer(service)
    await asked.says(COACH, "informatie vragen", vraag="Welke dagen?")
    task = await asked.read(PRACTICE, asked.task)
    codes = [coding["code"] for coding in task["businessStatus"]["coding"]]
    assert "informatie gevraagd" in task["businessStatus"]["text"]
    assert codes
    await asked.says(PRACTICE, "informatie gegeven", antwoord="Maandag.")
    assert "informatie gevraagd" not in (await asked.read(COACH, asked.task))["businessStatus"]["text"]


async def test_c2_form_3_a_task_of_its_own_and_again(service: Service) -> None:
    asked = await refer(service)
    for text, reply in (("Welke dagen?", "Maandag."), ("En 's avonds?", "Liever niet.")):
        made = await call(service, COACH, "POST", "/fhir/Task", question(asked.task, text), 201)
        beside = f"Task/{made.json()['id']}"
        asking = await asked.read(PRACTICE, beside)
        assert (asking["partOf"], asking["owner"]) == ([{"reference": asked.task}], asking["owner"])
        assert asking["owner"]["reference"] == f"Organization/{PRACTICE}"
        assert any("valueCanonical" in each for each in asking["input"])  # the Questionnaire
        kind = {"coding": [{"system": "https://x.example", "code": "antwoord"}]}
        patch = [
            {"op": "replace", "path": "/status", "value": "completed"},
            {"op": "add", "path": "/output", "value": [{"type": kind, "valueString": reply}]},
        ]
        await call(service, PRACTICE, "PATCH", f"/fhir/{beside}", patch, 200)
        assert (await asked.read(COACH, beside))["output"][0]["valueString"] == reply
    await asked.writes(COACH, asked.task, "accepted")  # and it goes on with row 5


async def test_c2_form_4_the_placer_adds_more(service: Service) -> None:
    events = await listens(service, COACH)
    asked = await refer(service)
    subject = {"reference": f"{asked.referral['Patient']}"}
    more = {
        "resourceType": "Observation", "status": "final", "code": {"text": "gewicht"}, "subject": subject,
        "basedOn": [{"reference": asked.referral["ServiceRequest"]}], "valueString": "64",
    }  # fmt: skip
    entry = {"resource": more, "request": {"method": "POST", "url": "Observation"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    await call(service, PRACTICE, "POST", "/fhir", bundle, 200)
    assert await heard(service, COACH, events) == 2
    assert (await asked.read(COACH, asked.task))["meta"]["versionId"] == "2"


# c.3, sending on


async def test_c3_the_coordinator_mediates(service: Service) -> None:
    """The Task of the next house is about the same request: what happens there, the placer reads in one place."""
    asked = await refer(service)
    new = await sent_on(asked)
    await call(service, OTHER_COACH, "POST", f"/fhir/{new}/$event", said("aannemen"), 200)
    assert (await asked.read(PRACTICE, new))["status"] == "accepted"
    assert await tasks(service, PRACTICE, f"focus={asked.referral['ServiceRequest']}&status=accepted") == [
        new
    ]


async def test_c3_the_coordinator_hands_off(service: Service) -> None:
    """The placer hears who fulfils it now, before anything happens there."""
    events = await listens(service, PRACTICE)
    asked = await refer(service)
    new = await sent_on(asked)
    assert await heard(service, PRACTICE, events) == 3
    old = await asked.read(PRACTICE, asked.task)
    assert (old["status"], old["statusReason"]["coding"][0]["code"]) == ("rejected", "doorgestuurd")
    assert new in {each["valueReference"]["reference"] for each in old["output"] if "valueReference" in each}
    assert (await asked.read(PRACTICE, new))["owner"]["reference"] == f"Organization/{OTHER_COACH}"


async def test_c3_the_placer_routes_anew(service: Service) -> None:
    """Task A is cancelled or refused; the same question goes to another, under a new identifier."""
    asked = await refer(service)
    await asked.writes(COACH, asked.task, "rejected", "geen-plek")
    assert await asked.request() == "active"
    again = Parties(
        service, await service.refer(a_referral("2", performer(HOUSES_BY_ID[OTHER_COACH].ura))), OTHER_COACH
    )
    assert (await again.read(OTHER_COACH, again.task))["status"] == "requested"


async def test_c3_chained_from_house_to_house(service: Service) -> None:
    """The message form of Route and Chain: one request, a Task for each house, and all of it to be read in order."""
    referral = await service.refer(a_kidney_referral("K-1", answers={"vraag": "controleren"}))
    asked = Parties(service, referral, HOSPITAL)
    await asked.says(PRACTICE, "meekijkconsult vragen", vraag_aan_nefroloog="Wat te doen?")
    [consult] = await tasks(service, HOSPITAL, "status=requested")
    for event, given in (("aannemen", {}), ("beantwoorden", {"advies": "Hertest over drie maanden."})):
        await call(service, HOSPITAL, "POST", f"/fhir/{consult}/$event", said(event, **given), 200)
    chain = await tasks(service, PRACTICE, f"focus={referral['ServiceRequest']}")
    assert (len(chain), set(chain) >= {asked.task, consult}) == (3, True)
    links = [await asked.read(PRACTICE, each) for each in chain]
    for same in ("focus", "basedOn", "for"):
        assert len({str(each[same]) for each in links}) == 1, same
    assert sorted(each["status"] for each in links)[:2] == ["completed", "completed"]
    assert await asked.request() == "active"


async def test_c3_an_owner_never_changes(service: Service) -> None:
    asked = await refer(service)
    other = [{"op": "replace", "path": "/owner", "value": {"reference": f"Organization/{OTHER_COACH}"}}]
    refused = await call(service, COACH, "PATCH", f"/fhir/{asked.task}", other)
    assert refused.status_code in (409, 422)
    assert (await asked.read(PRACTICE, asked.task))["owner"]["reference"] == f"Organization/{COACH}"


# c.4, cancelling


async def test_c4_nothing_sent_yet(service: Service) -> None:
    """In the practice's own house nobody else has heard of it: the placer ends it, and nobody is told."""
    events = await listens(service, HOSPITAL)
    own = await service.refer(a_kidney_referral("K-1", answers={"vraag": "controleren"}))
    asked = Parties(service, own)
    assert (await asked.read(PRACTICE, asked.task))["owner"]["reference"] == f"Organization/{PRACTICE}"
    await asked.says(PRACTICE, "ten onrechte ingevoerd")
    assert await asked.request() == "entered-in-error"
    assert await heard(service, HOSPITAL, events) == 0


async def test_c4_the_fulfiller_thinks_that_nobody_should_do_it(service: Service) -> None:
    """It says so with its refusal: the request ends with it, where a refusal alone leaves the question open."""
    asked = await refer(service)
    await asked.says(COACH, "dubbele verwijzing")
    task = await asked.read(PRACTICE, asked.task)
    assert (task["status"], task["statusReason"]["coding"][0]["code"]) == ("rejected", "dubbel")
    assert await asked.request() == "revoked"


@pytest.mark.parametrize("reached", ["requested", "received", "accepted"])
async def test_c4_before_the_start_the_placer_cancels(service: Service, reached: str) -> None:
    events = await listens(service, COACH)
    asked = await refer(service)
    if reached != "requested":
        await asked.writes(COACH, asked.task, reached)
    await asked.writes(PRACTICE, asked.task, "cancelled", expected=422)  # why?
    await asked.writes(PRACTICE, asked.task, "cancelled", "niet-meer-nodig")
    assert ((await asked.stands(COACH))[0], await asked.request()) == ("cancelled", "revoked")
    assert await heard(service, COACH, events) == (2 if reached == "requested" else 3)


@pytest.mark.parametrize(
    ("reply", "task", "request_"),
    [("accepted", "cancelled", "revoked"), ("rejected", "in-progress", "active")],
)
async def test_c4_after_the_start_the_placer_asks(
    service: Service, reply: str, task: str, request_: str
) -> None:
    asked = await refer(service)
    await asked.under_way()
    await asked.writes(PRACTICE, asked.task, "cancelled", "niet-meer-nodig", expected=409)
    made = await call(service, PRACTICE, "POST", "/fhir/Task", abort(asked.task), 201)
    stopping = f"Task/{made.json()['id']}"
    asking = await asked.read(COACH, stopping)
    assert (asking["status"], asking["focus"]["reference"]) == ("requested", asked.task)
    if reply == "rejected":
        kind = {"coding": [{"system": "https://x.example", "code": "terugkoppeling"}]}
        words = [{"type": kind, "valueString": "Zij wil juist door."}]
        patch = [
            {"op": "replace", "path": "/status", "value": reply},
            {"op": "add", "path": "/output", "value": words},
        ]
        await call(service, COACH, "PATCH", f"/fhir/{stopping}", patch, 200)
    else:
        await asked.writes(COACH, stopping, reply)
    assert ((await asked.stands(PRACTICE))[0], await asked.request()) == (task, request_)


@pytest.mark.parametrize(("reached", "status"), [((), "rejected"), (("aannemen", *UNDER_WAY[1:]), "failed")])
async def test_c4_the_fulfiller_stops(service: Service, reached: tuple[str, ...], status: str) -> None:
    asked = await refer(service)
    for event in reached:
        await asked.says(COACH, event)
    event, name = ("afhaken", "reden-van-afhaken") if reached else ("afwijzen", "reden-van-afwijzen")
    reason = await reason_for(asked, COACH, event)
    await asked.writes(COACH, asked.task, status, reason)
    task = await asked.read(PRACTICE, asked.task)
    assert (task["status"], task["statusReason"]["coding"][0]["code"]) == (status, reason), name


async def sent_on(asked: Parties) -> str:
    """The coach sends it to another house, with the patient's agreement; the Task there."""
    body = said("doorsturen", akkoord_van_patient="patient-akkoord")
    body["parameter"].append(
        {"name": "organisatie", "valueReference": {"reference": f"Organization/{OTHER_COACH}"}}
    )
    await call(asked.service, COACH, "POST", f"/fhir/{asked.task}/$event", body, 200)
    [new] = await tasks(asked.service, OTHER_COACH, "status=requested")
    return new


async def reason_for(asked: Parties, who: UUID, event: str) -> str:
    """The first code that $next offers for what this event needs."""
    following = (await asked.read(who, f"{asked.task}/$next"))["parameter"]
    [option] = [
        each["part"]
        for each in following
        if each["name"] == "next" and each["part"][0]["valueString"] == event
    ]
    [needs] = [each["part"] for each in option if each["name"] == "needs"]
    return str(next(each["valueCode"] for each in needs if each["name"] == "code"))
