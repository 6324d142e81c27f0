"""A request to stop and a question to who referred are Tasks of their own, beside the hand-over (c.2 and c.4)."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from ketenzorg.cli.sandbox import caller_for
from ketenzorg.coordination.steps.undoing import undo
from ketenzorg.coordination.world import Trail, Visit
from ketenzorg.fhir.decode import decode
from referrals import said, texts
from services import REGION, Referral, Service

PATCH = {"Content-Type": "application/json-patch+json"}
ABORT = {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "abort"}]}
ASK = {"coding": [{"system": "https://ketenzorg.example/fhir/CodeSystem/task-code", "code": "information"}]}
UNDER_WAY = ("aannemen", "eerste contact", "kennismaking gehouden")


async def under_way(service: Service) -> Referral:
    referral = await service.refer()
    for event in UNDER_WAY:
        await service.happens(referral["Task"], event)
    return referral


def abort(task: str, reason: str = "niet-meer-nodig") -> dict[str, Any]:
    return {
        "resourceType": "Task", "status": "requested", "intent": "order", "code": ABORT, "focus": {"reference": task},
        "reasonCode": {"coding": [{"system": "https://ketenzorg.example/fhir/CodeSystem/reason", "code": reason}]},
    }  # fmt: skip


def question(task: str, text: str = "Welke dagen kan mevrouw?") -> dict[str, Any]:
    vraag = {"coding": [{"system": "https://ketenzorg.example/fhir/CodeSystem/output", "code": "vraag"}]}
    return {
        "resourceType": "Task", "status": "requested", "intent": "order", "code": ASK, "partOf": [{"reference": task}],
        "input": [{"type": vraag, "valueString": text}],
    }  # fmt: skip


async def read(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    answer = await client.get(f"/fhir/{address}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def asked(client: httpx.AsyncClient, task: dict[str, Any]) -> str:
    """The address of the Task that was made."""
    answer = await client.post("/fhir/Task", json=task)
    assert answer.status_code == 201, answer.text
    decode(answer.content)
    return f"Task/{answer.json()['id']}"


async def to_status(client: httpx.AsyncClient, task: str, status: str, **words: str) -> httpx.Response:
    patch: list[dict[str, Any]] = [{"op": "replace", "path": "/status", "value": status}]
    outputs = [
        {"type": {"coding": [{"system": "https://x.example", "code": name}]}, "valueString": text}
        for name, text in words.items()
    ]
    if outputs:
        patch.append({"op": "add", "path": "/output", "value": outputs})
    return await client.patch(f"/fhir/{task}", json=patch, headers=PATCH)


async def test_after_the_start_stopping_is_asked_for_and_who_does_the_work_agrees(service: Service) -> None:
    referral = await under_way(service)
    stopping = await asked(service.his, abort(referral["Task"]))
    seen = await read(service.coach, stopping)
    assert (seen["status"], seen["focus"]["reference"]) == ("requested", referral["Task"])
    assert seen["owner"]["reference"] == (await read(service.coach, referral["Task"]))["owner"]["reference"]
    found = (await service.coach.get("/fhir/Task?status=requested")).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == [stopping.removeprefix("Task/")]
    options = (await read(service.coach, f"{stopping}/$next"))["parameter"]
    events = [each["part"][0]["valueString"] for each in options if each["name"] == "next"]
    assert sorted(events) == ["doorgaan ondanks verzoek", "stoppen op verzoek"]

    assert (await to_status(service.coach, stopping, "accepted")).status_code == 200
    assert (await read(service.his, stopping))["status"] == "completed"
    task, request = [await read(service.his, referral[kind]) for kind in ("Task", "ServiceRequest")]
    assert (task["status"], request["status"]) == (
        "cancelled",
        "revoked",
    )  # in the same transaction, by ketenzorg
    assert task["statusReason"]["coding"][0]["code"] == "op-verzoek"


async def test_who_does_the_work_may_go_on_and_says_why_and_may_be_asked_again(service: Service) -> None:
    referral = await under_way(service)
    stopping = await asked(service.his, abort(referral["Task"]))
    refused = await to_status(service.coach, stopping, "rejected")
    assert (refused.status_code, "terugkoppeling" in texts(refused)) == (422, True)
    assert (
        await to_status(service.coach, stopping, "rejected", terugkoppeling="Zij wil juist door.")
    ).status_code == 200
    assert (await read(service.his, stopping))["status"] == "rejected"
    assert (await read(service.his, referral["Task"]))["status"] == "in-progress"
    over = await to_status(service.coach, stopping, "accepted")
    assert over.status_code == 409

    again = await asked(service.his, abort(referral["Task"], "verhuisd"))
    assert again != stopping
    await service.happens(referral["Task"], "afronden", terugkoppeling="Klaar.")
    assert (await read(service.his, again))["status"] == "cancelled"  # nothing is left to stop


async def test_a_question_is_answered_in_its_own_task_and_can_be_asked_again(service: Service) -> None:
    referral = await service.refer()
    for text, reply in (("Welke dagen kan mevrouw?", "Niet op dinsdag."), ("En 's avonds?", "Liever niet.")):
        asking = await asked(service.coach, question(referral["Task"], text))
        task = await read(service.his, asking)
        assert task["partOf"] == [{"reference": referral["Task"]}]
        assert task["input"][0]["valueString"] == text
        assert "valueCanonical" in task["input"][1]
        assert (await read(service.his, referral["Task"]))["businessStatus"]["text"].endswith(
            "(informatie gevraagd)"
        )
        assert (await to_status(service.his, asking, "completed", antwoord=reply)).status_code == 200
        assert [each["valueString"] for each in (await read(service.coach, asking))["output"]] == [reply]
        assert not (await read(service.his, referral["Task"]))["businessStatus"]["text"].endswith(")")


async def test_saying_the_event_opens_and_closes_the_same_tasks(service: Service) -> None:
    referral = await service.refer()
    await service.happens(referral["Task"], "informatie vragen", vraag="Welke dagen?")
    [found] = [
        entry["resource"]
        for entry in (await service.his.get("/fhir/Task?status=requested")).json()["entry"]
        if "partOf" in entry["resource"]
    ]
    answer = await service.his.post(
        f"/fhir/{referral['Task']}/$event", json=said("informatie gegeven", antwoord="Maandag.")
    )
    assert answer.status_code == 200, answer.text
    assert (await read(service.coach, f"Task/{found['id']}"))["status"] == "completed"


async def test_a_question_that_nobody_needs_answered_any_more_falls_away(service: Service) -> None:
    referral = await service.refer()
    asking = await asked(service.coach, question(referral["Task"]))
    for event in ("aannemen", "eerste contact"):  # it stays open while the work can begin without it
        await service.happens(referral["Task"], event)
        assert (await read(service.his, asking))["status"] == "requested"
    await service.happens(referral["Task"], "kennismaking gehouden")
    assert (await read(service.his, asking))["status"] == "cancelled"
    late = await to_status(service.his, asking, "completed", antwoord="Maandag.")
    assert (late.status_code, (await read(service.his, asking))["status"]) == (409, "cancelled")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"status": "accepted"}, 422),
        ({"code": {"coding": [{"system": "x:y", "code": "abort"}]}}, 422),
        ({"focus": {"reference": "Task/00000000-0000-7000-8000-000000000000"}}, 404),
        ({"focus": {"reference": "Patient/1"}}, 422),
        ({"reasonCode": {"text": "geen code"}}, 422),
        ({"intent": "bevel"}, 400),
    ],
)
async def test_what_cannot_be_asked_says_so_and_changes_nothing(
    service: Service, change: dict[str, Any], status: int
) -> None:
    referral = await under_way(service)
    before = await service.rows("select count(*) from ketenzorg.resource")
    answer = await service.his.post("/fhir/Task", json=abort(referral["Task"]) | change)
    assert answer.status_code == status, answer.text
    assert await service.rows("select count(*) from ketenzorg.resource") == before


async def test_who_has_no_part_asks_nothing_and_who_was_not_asked_answers_nothing(service: Service) -> None:
    referral = await under_way(service)
    assert (await service.hospital.post("/fhir/Task", json=abort(referral["Task"]))).status_code == 404
    wrong_side = await service.coach.post("/fhir/Task", json=abort(referral["Task"]))
    assert wrong_side.status_code == 409, wrong_side.text
    stopping = await asked(service.his, abort(referral["Task"]))
    assert (await to_status(service.his, stopping, "accepted")).status_code == 409
    assert (await to_status(service.hospital, stopping, "accepted")).status_code == 404


async def test_nobody_grants_or_declines_what_was_not_asked(service: Service) -> None:
    referral = await under_way(service)
    for event, words in (
        ("doorgaan ondanks verzoek", {"terugkoppeling": "Nee."}),
        ("stoppen op verzoek", {}),
    ):
        answer = await service.coach.post(f"/fhir/{referral['Task']}/$event", json=said(event, **words))
        assert (answer.status_code, "niets om op te antwoorden" in texts(answer)) == (409, True)
    options = (await read(service.coach, f"{referral['Task']}/$next"))["parameter"]
    events = {each["part"][0]["valueString"] for each in options if each["name"] == "next"}
    assert events.isdisjoint({"doorgaan ondanks verzoek", "stoppen op verzoek"})


async def test_an_undone_step_takes_its_question_back_and_an_undone_answer_opens_it_again(
    service: Service,
) -> None:
    referral = await service.refer()
    asking = await asked(service.coach, question(referral["Task"]))
    await undone(service, "welzijn-demo", referral["Task"])
    assert (await read(service.his, asking))["status"] == "entered-in-error"

    again = await asked(service.coach, question(referral["Task"]))
    assert (await to_status(service.his, again, "completed", antwoord="Maandag.")).status_code == 200
    await undone(service, "his-demo", referral["Task"])
    task = await read(service.coach, again)
    assert (task["status"], "output" in task) == ("requested", False)
    assert (await to_status(service.his, again, "completed", antwoord="Dinsdag.")).status_code == 200


async def undone(service: Service, client: str, task: str) -> None:
    world, visit = service.app.litestar.state.world, Visit(caller_for(REGION, client), Trail("undo"))
    seen = (await service.his.get(f"/fhir/{task}")).json()
    await undo(UUID(seen["id"]), int(seen["meta"]["versionId"]), visit, world)
