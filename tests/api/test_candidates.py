"""Several are asked and one is selected (c.1 row 5d): what each of them sees, says and hears of it."""

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest

from api.test_objection import consent
from asked import (
    HOUSES,
    ONE,
    PRACTICE,
    SELECTED,
    THREE,
    TWO,
    Asking,
    ask,
    asked_by,
    asking,
    crowd,
    patches,
    read,
    says,
)
from referrals import of, texts
from services import REGION, Service
from spec.talking import call
from subscriptions import polling

NAMES = ("999", "Tuinstra", "birthDate", "Patient.name")


async def found(service: Service, who: UUID, query: str) -> list[str]:
    answer = (await call(service, who, "GET", f"/fhir/{query}", None, 200)).json()
    return [
        f"{each['resource']['resourceType']}/{each['resource']['id']}" for each in answer.get("entry", ())
    ]


async def listens(service: Service, who: UUID) -> str:
    """A subscription on Tasks that is asked for, not sent."""
    made = await call(service, who, "POST", "/fhir/Subscription", polling(to="Task"), 201)
    return str(made.json()["id"])


async def events_of(service: Service, subscription: str) -> list[tuple[str, str]]:
    """The Tasks of which it was told, each with the version, in their order."""
    rows = await service.rows(
        "select resource, version from ketenzorg.outbox"
        f" where subscription = '{subscription}' and type = 'Task' order by id"
    )
    return [(f"Task/{row['resource']}", str(row["version"])) for row in rows]


async def status(service: Service, who: UUID, task: str) -> str:
    return str((await read(service, who, task))["status"])


async def blind(service: Service, who: UUID, asked: Asking) -> None:
    """All that somebody reads of it is its own Task, which names no patient."""
    seen = {each: await call(service, who, "GET", f"/fhir/{each}") for each in asked.locations}
    own = asked.tasks[who]
    assert [each for each, answer in seen.items() if answer.status_code == 200] == [own]
    assert "for" not in seen[own].json()
    for kind in ("ServiceRequest", "CarePlan", "Patient"):
        assert await found(service, who, kind) == []
    assert await found(service, who, "Task") == [own]
    assert await found(service, who, f"Task?patient={asked['Patient']}") == []


async def test_one_is_selected_and_the_others_are_told_and_see_nothing_more(service: Service) -> None:
    heard = {who: await listens(service, who) for who in (ONE, THREE)}
    asked = await ask(service, ONE, TWO, THREE)
    assert set(asked.tasks) == {ONE, TWO, THREE}
    for task in asked.tasks.values():
        assert (await read(service, PRACTICE, task))["partOf"] == [{"reference": asked.handover}]
    await says(service, ONE, asked.tasks[ONE], "ontvangst bevestigen")
    await says(service, ONE, asked.tasks[ONE], "aannemen")
    await patches(service, TWO, asked.tasks[TWO], status="accepted")

    await patches(service, PRACTICE, asked.tasks[TWO], businessStatus=SELECTED)

    won = await read(service, TWO, asked.tasks[TWO])
    codes = {each["code"] for each in won["businessStatus"]["coding"]}
    assert (won["status"], codes) == ("accepted", {"intake plannen", "selected"})
    assert (await read(service, TWO, asked["Patient"]))["name"]
    assert (await read(service, PRACTICE, asked.handover))["status"] == "completed"
    for loser in (ONE, THREE):
        lost = await read(service, loser, asked.tasks[loser])
        assert (lost["status"], lost["statusReason"]["text"]) == ("cancelled", "Niet gekozen")
        await blind(service, loser, asked)
        told = await events_of(service, heard[loser])
        assert told[-1] == (asked.tasks[loser], lost["meta"]["versionId"])
        assert {task for task, _ in told} == {asked.tasks[loser]}  # of nobody else's, nor of the hand-over
        over = await patches(service, loser, asked.tasks[loser], 409, status="accepted")
        assert "voorbij" in texts(over)
    # From here on it is the Task of the hand-over like any other.
    await says(service, TWO, asked.tasks[TWO], "intake afgesproken")
    assert await status(service, PRACTICE, asked.tasks[TWO]) == "accepted"


async def test_a_candidate_sees_the_question_and_nothing_of_whom(service: Service) -> None:
    asked = await ask(service, ONE, TWO)
    patient = await read(service, PRACTICE, asked["Patient"])
    secrets = [patient["name"][0]["family"], patient["birthDate"], patient["identifier"][0]["value"]]
    seen = [await call(service, ONE, "GET", f"/fhir/{each}") for each in asked.locations]
    readable = {each for each, answer in zip(asked.locations, seen, strict=True) if answer.status_code == 200}
    assert readable == {asked.tasks[ONE], asked["ServiceRequest"], asked["CarePlan"]}
    whole = "".join(answer.text for answer in seen if answer.status_code == 200)
    assert not [each for each in secrets if each in whole]
    assert str(TWO) not in whole
    assert await found(service, ONE, "Task?status=requested&_include=Task:patient") == [asked.tasks[ONE]]
    assert (await call(service, ONE, "GET", f"/fhir/{asked['Patient']}")).status_code == 404
    following = (await read(service, ONE, f"{asked.tasks[ONE]}/$next"))["parameter"]
    events = {each["part"][0]["valueString"] for each in following if each["name"] == "next"}
    assert {"aannemen", "ontvangst bevestigen", "afwijzen"} <= events
    assert not [each for each in following if each["name"] in ("explanation", "due", "owner")]


async def test_what_a_candidate_reads_says_that_it_is_cut_and_it_writes_no_whole_task(
    service: Service,
) -> None:
    sent = asking(ONE, TWO)
    patient = next(each for each in sent["entry"] if each["resource"]["resourceType"] == "Patient")
    about = {"reference": patient["fullUrl"], "display": "Mevrouw Tuinstra"}
    of(sent, "ServiceRequest")["subject"] = about
    for each in sent["entry"]:
        if each["resource"]["resourceType"] == "Task":
            each["resource"] |= {"for": about, "description": "Mevrouw Tuinstra, knie links"}
    asked = await asked_by(service, sent)
    for who in (ONE, TWO):
        task, request = (
            await read(service, who, asked.tasks[who]),
            await read(service, who, asked["ServiceRequest"]),
        )
        for cut in (task, request):
            assert [tag["code"] for tag in cut["meta"]["tag"]] == ["SUBSETTED"]
        assert task["for"] == request["subject"] == {"reference": asked["Patient"]}
        assert not {"description", "input", "note", "partOf"} & task.keys()
        assert not {"reasonCode", "supportingInfo", "note", "orderDetail", "contained"} & request.keys()
        whole = {**task, "status": "accepted"}
        refused = await call(service, who, "PUT", f"/fhir/{asked.tasks[who]}", whole, 422)
        assert "SUBSETTED" in texts(refused)
        del whole["meta"]
        await call(service, who, "PUT", f"/fhir/{asked.tasks[who]}", whole, 422)
        assert await status(service, PRACTICE, asked.tasks[who]) == "requested"


async def test_of_eight_that_answer_at_one_moment_no_answer_is_lost(service: Service) -> None:
    many = crowd(service, 8)
    asked = await ask(service, *many)
    waiting = list(many)
    for _ in many:  # who is told that others were writing tries again, as the answer says
        answers = await asyncio.gather(
            *(patches(service, who, asked.tasks[who], None, status="accepted") for who in waiting)
        )
        assert {answer.status_code for answer in answers} <= {200, 409}
        assert all("door anderen" in texts(answer) for answer in answers if answer.status_code == 409)
        waiting = [who for who, answer in zip(waiting, answers, strict=True) if answer.status_code == 409]
    assert not waiting
    for who in many:
        assert await status(service, PRACTICE, asked.tasks[who]) == "accepted"
    said = await service.rows(
        "select distinct body ->> 'candidate' as who from ketenzorg.event"
        " where body ->> 'kind' = 'candidate-answered'"
    )
    assert {each["who"] for each in said} == {str(who) for who in many}


async def test_who_says_no_loses_sight_and_the_requester_hears_and_asks_another(service: Service) -> None:
    asked = await ask(service, ONE, TWO)
    bare = await patches(service, ONE, asked.tasks[ONE], 422, status="rejected")
    assert "reden-van-afwijzen" in texts(bare)
    for who in (ONE, TWO):
        await says(service, who, asked.tasks[who], "afwijzen", reden_van_afwijzen="geen-plek")
        await blind_but_refused(service, who, asked)
    news = await service.rows(
        f"select cardinality(news) as n from ketenzorg.part where organisation = '{PRACTICE}'"
    )
    assert news[0]["n"] == 2
    again = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "partOf": [{"reference": asked.handover}],
        "owner": {"reference": f"Organization/{THREE}"},
    }
    new = await call(service, PRACTICE, "POST", "/fhir/Task", again, 201)
    task = f"Task/{new.json()['id']}"
    await call(service, PRACTICE, "POST", "/fhir/Task", again, 409)
    assert (await read(service, THREE, asked["ServiceRequest"]))["status"] == "active"
    await says(service, THREE, task, "aannemen")
    await says(service, PRACTICE, task, "selecteren")
    assert (await read(service, THREE, asked["Patient"]))["name"]


async def blind_but_refused(service: Service, who: UUID, asked: Asking) -> None:
    own = await read(service, who, asked.tasks[who])
    assert (own["status"], own["statusReason"]["coding"][0]["code"]) == ("rejected", "geen-plek")
    assert (await call(service, who, "GET", f"/fhir/{asked['ServiceRequest']}")).status_code == 404


async def test_who_accepted_can_still_withdraw_and_is_then_not_selected(service: Service) -> None:
    asked = await ask(service, ONE, TWO)
    early = await says(service, PRACTICE, asked.tasks[ONE], "selecteren", 409)
    assert "afzeggen" in texts(early)
    await says(service, ONE, asked.tasks[ONE], "aannemen")
    await says(service, ONE, asked.tasks[ONE], "afwijzen", reden_van_afwijzen="geen-plek")
    await says(service, PRACTICE, asked.tasks[ONE], "selecteren", 409)


async def test_who_the_patient_objects_to_is_asked_no_more_and_not_told_why(service: Service) -> None:
    heard = await listens(service, ONE)
    asked = await ask(service, ONE, TWO)
    objection = consent(asked, organisation=REGION.by_id(ONE), here=True)  # type: ignore[arg-type]
    await call(service, PRACTICE, "POST", "/fhir", objection, 200)
    own = await read(service, ONE, asked.tasks[ONE])
    assert (own["status"], own["statusReason"]["text"]) == ("cancelled", "Niet meer gevraagd")
    await blind(service, ONE, asked)
    assert (await events_of(service, heard))[-1] == (asked.tasks[ONE], own["meta"]["versionId"])
    await says(service, ONE, asked.tasks[ONE], "aannemen", 409)
    assert await status(service, TWO, asked.tasks[TWO]) == "requested"
    refused = await says(service, PRACTICE, asked.tasks[ONE], "selecteren", 409)
    assert "Kies een ander." in texts(refused)
    await says(service, TWO, asked.tasks[TWO], "aannemen")
    await says(service, PRACTICE, asked.tasks[TWO], "selecteren")
    assert (await read(service, TWO, asked["Patient"]))["name"]


async def test_who_asks_withdraws_one_or_all_and_no_other_may(service: Service) -> None:
    asked = await ask(service, ONE, TWO, THREE)
    await says(service, ONE, asked.tasks[TWO], "afwijzen", 404, reden_van_afwijzen="geen-plek")
    await says(service, ONE, asked.handover, "aannemen", 404)
    await patches(service, ONE, asked.tasks[ONE], 409, businessStatus=SELECTED)
    await patches(service, PRACTICE, asked.tasks[ONE], status="cancelled")
    await blind(service, ONE, asked)
    assert await status(service, TWO, asked.tasks[TWO]) == "requested"
    await says(service, PRACTICE, asked.handover, "intrekken", reden_van_intrekken="niet-meer-nodig")
    for who in (TWO, THREE):
        assert await status(service, who, asked.tasks[who]) == "cancelled"
        await blind(service, who, asked)
    assert await status(service, PRACTICE, asked["ServiceRequest"]) == "revoked"


async def test_the_same_bundle_again_is_the_same_referral(service: Service) -> None:
    asked = await ask(service, ONE, TWO)
    again = await call(service, PRACTICE, "POST", "/fhir", asking(ONE, TWO), 200)
    places = [each["response"]["location"] for each in again.json()["entry"]]
    assert places == asked.locations
    other = await call(service, PRACTICE, "POST", "/fhir", asking(ONE, THREE), 409)
    assert asked.handover in texts(other)


async def test_only_where_the_pathway_has_it_and_only_who_can_do_it(service: Service) -> None:
    twice = await call(service, PRACTICE, "POST", "/fhir", asking(ONE, ONE), 422)
    assert "al in een andere Task" in texts(twice)
    hospital = await call(service, PRACTICE, "POST", "/fhir", asking(ONE, PRACTICE), 422)
    assert "kan deze verwijzing niet uitvoeren" in texts(hospital)
    elsewhere = asking(ONE, TWO)
    text = json.dumps(elsewhere).replace('"stap-2"', '"orthopeed"')
    refused = await call(service, PRACTICE, "POST", "/fhir", json.loads(text), 422)
    assert "één organisatie" in texts(refused)


def performed_by(*parties: UUID, number: str = "kandidaten-1") -> dict[str, Any]:
    """The same referral, which names these in ServiceRequest.performer; without a Task."""
    bundle = asking(number=number)
    bundle["entry"] = [each for each in bundle["entry"] if each["resource"]["resourceType"] != "Task"]
    of(bundle, "ServiceRequest")["performer"] = [{"reference": f"Organization/{each}"} for each in parties]
    return bundle


async def test_several_performers_are_candidates_each_with_a_task_that_we_make(service: Service) -> None:
    sent = performed_by(ONE, TWO, ONE)
    asked = await asked_by(service, sent)
    assert set(asked.tasks) == {ONE, TWO}
    assert asked.locations[-1] == asked.handover
    again = await call(service, PRACTICE, "POST", "/fhir", sent, 200)
    assert [each["response"]["location"] for each in again.json()["entry"]] == asked.locations
    assert (await call(service, ONE, "GET", f"/fhir/{asked['Patient']}")).status_code == 404
    await says(service, ONE, asked.tasks[ONE], "aannemen")
    await says(service, PRACTICE, asked.tasks[ONE], "selecteren")
    assert (await read(service, ONE, asked["Patient"]))["name"]
    await blind(service, TWO, asked)


async def test_a_task_without_owner_beside_several_performers_is_that_of_the_hand_over(
    service: Service,
) -> None:
    sent = asking()
    of(sent, "ServiceRequest")["performer"] = of(performed_by(ONE, TWO), "ServiceRequest")["performer"]
    asked = await asked_by(service, sent)
    assert set(asked.tasks) == {ONE, TWO}
    assert asked.handover in asked.locations[: len(sent["entry"])]


async def test_several_performers_where_one_must_be_named_or_that_do_nothing(service: Service) -> None:
    hospitals = [each.id for each in HOUSES.values() if each.kind == "ziekenhuis" and each.able("orthopedie")]
    text = json.dumps(performed_by(*hospitals[:2])).replace('"stap-2"', '"orthopeed"')
    refused = await call(service, PRACTICE, "POST", "/fhir", json.loads(text), 422)
    [issue] = [each for each in refused.json()["issue"] if "één organisatie" in each["details"]["text"]]
    assert issue["expression"][0].endswith(".performer[1]")
    assert "noem één organisatie in ServiceRequest.performer" in issue["details"]["text"]

    coaches = HOUSES["welzijn-stadsbreed"].id
    taken = await call(service, PRACTICE, "POST", "/fhir", performed_by(ONE, coaches), 200)
    warned = [
        issue
        for each in taken.json()["entry"]
        for issue in each["response"].get("outcome", {}).get("issue", ())
        if "krijgt deze verwijzing niet" in issue["details"]["text"]
    ]
    assert [each["expression"][0].rpartition(".")[2] for each in warned] == ["performer[1]"]
    chosen = asking(ONE, number="kandidaten-2")  # one Task with an owner: the others are not asked
    of(chosen, "ServiceRequest")["performer"] = of(performed_by(ONE, TWO), "ServiceRequest")["performer"]
    answer = await call(service, PRACTICE, "POST", "/fhir", chosen, 200)
    assert "krijgt deze verwijzing niet" in json.dumps(answer.json(), ensure_ascii=False)
    task = next(
        each["response"]["location"]
        for each in answer.json()["entry"]
        if each["response"]["location"].startswith("Task/")
    )
    owned = await read(service, ONE, task.partition("/_history")[0])
    assert (owned["owner"]["reference"], owned["status"]) == (f"Organization/{ONE}", "requested")


async def test_what_is_told_to_others_is_not_undone(service: Service) -> None:
    asked = await ask(service, ONE, TWO)
    await says(service, ONE, asked.tasks[ONE], "aannemen")
    await says(service, PRACTICE, asked.tasks[ONE], "selecteren")
    from ketenzorg.cli.sandbox import caller_for  # noqa: PLC0415
    from ketenzorg.coordination.steps.undoing import undo  # noqa: PLC0415
    from ketenzorg.coordination.world import Trail, Visit  # noqa: PLC0415
    from ketenzorg.errors import TransitionNotAllowed  # noqa: PLC0415

    world: Any = service.app.litestar.state.world
    visit = Visit(caller_for(REGION, "his-demo"), Trail("test"))
    task = UUID(asked.tasks[ONE].removeprefix("Task/"))
    with pytest.raises(TransitionNotAllowed):
        await undo(task, 3, visit, world)
