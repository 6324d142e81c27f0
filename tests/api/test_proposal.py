"""Who is asked says no and proposes something else, which who asked takes over or leaves (c.1, row 5c)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx

from ketenzorg.cli.sandbox import caller_for
from ketenzorg.coordination.showing.story import story
from ketenzorg.coordination.steps.undoing import undo
from ketenzorg.coordination.world import Trail, Visit
from ketenzorg.fhir.decode import decode
from referrals import a_referral, of, places, said, texts
from services import REGION, Referral, Service

PATCH = {"Content-Type": "application/json-patch+json"}
Json = dict[str, Any]


def instead(referral: Referral, **elements: Any) -> Json:
    return {
        "resourceType": "ServiceRequest", "status": "active", "intent": "proposal",
        "basedOn": [{"reference": referral["ServiceRequest"]}], "subject": {"reference": referral["Patient"]},
        "code": {"text": "Beweegprogramma in de buurt"},
        "performer": [{"display": "Sportkompas"}],
        "note": [{"text": "Mevrouw wil vooral bewegen."}],
    } | elements  # fmt: skip


async def read(client: httpx.AsyncClient, address: str) -> Json:
    answer = await client.get(f"/fhir/{address}")
    assert answer.status_code == 200, (address, answer.text)
    body: Json = answer.json()
    return body


def visit(client: str) -> Visit:
    return Visit(caller_for(REGION, client), Trail("test", "test"))


async def test_refused_with_something_else_which_the_referrer_takes_over(service: Service) -> None:
    referral = await service.refer()
    answer = await service.coach.post("/fhir/ServiceRequest", json=instead(referral))
    assert answer.status_code == 201, answer.text
    decode(answer.content)
    address = f"ServiceRequest/{answer.json()['id']}"

    task = await read(service.his, referral["Task"])
    assert (task["status"], task["statusReason"]["coding"][0]["code"]) == ("rejected", "ander-voorstel")
    said_in_words, named = [each for each in task["output"] if each["type"]["text"] == "voorstel"]
    assert said_in_words["valueString"] == (
        "Beweegprogramma in de buurt, bij Sportkompas\nMevrouw wil vooral bewegen."
    )
    assert named["valueReference"]["reference"] == address
    proposal = await read(service.his, address)
    assert (proposal["intent"], proposal["basedOn"]) == (
        "proposal",
        [{"reference": referral["ServiceRequest"]}],
    )
    assert proposal["requester"] == task["owner"]
    assert (await read(service.his, referral["ServiceRequest"]))[
        "status"
    ] == "active"  # it may be asked elsewhere
    found = (await service.his.get(f"/fhir/ServiceRequest?based-on={referral['ServiceRequest']}")).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == [proposal["id"]]
    assert (await service.hospital.get(f"/fhir/{address}")).status_code == 404
    told = await story(UUID(task["id"]), visit("his-demo"), service.app.litestar.state.world)
    assert ("voorstel", said_in_words["valueString"]) in told.last.wrote

    def takes_over(bundle: Json) -> None:
        of(bundle, "ServiceRequest")["basedOn"] = [{"reference": address}]

    taken = await service.refer(a_referral("taken-over", takes_over))
    assert (await read(service.his, taken["ServiceRequest"]))["basedOn"] == [{"reference": address}]


async def test_who_does_not_see_a_proposal_builds_nothing_on_it(service: Service) -> None:
    referral = await service.refer()

    def takes_over(bundle: Json) -> None:
        of(bundle, "ServiceRequest")["basedOn"] = [{"reference": f"ServiceRequest/{UUID(int=7)}"}]

    answer = await service.his.post("/fhir", json=a_referral("other", takes_over))
    assert answer.status_code == 422
    assert places(answer) == ["Bundle.entry[1].resource.basedOn[0].reference"]
    assert referral["Task"]


async def test_words_are_enough_by_event_and_by_status(service: Service) -> None:
    for number in ("by event", "by status"):
        referral = await service.refer(a_referral(number))
        if number == "by event":
            await service.happens(referral["Task"], "ander voorstel", voorstel="Een maatje via Humanitas.")
        else:
            words = {"type": {"coding": [{"code": "voorstel"}]}, "valueString": "Een maatje via Humanitas."}
            reason = {"system": "https://ketenzorg.example/fhir/CodeSystem/reason", "code": "ander-voorstel"}
            patch = [
                {"op": "replace", "path": "/status", "value": "rejected"},
                {"op": "add", "path": "/statusReason", "value": {"coding": [reason]}},
                {"op": "add", "path": "/output", "value": [words]},
            ]
            answer = await service.coach.patch(f"/fhir/{referral['Task']}", json=patch, headers=PATCH)
            assert answer.status_code == 200, answer.text
        task = await read(service.his, referral["Task"])
        [reference] = [each["valueReference"]["reference"] for each in task["output"]
                       if each["type"]["text"] == "voorstel" and "valueReference" in each]  # fmt: skip
        proposal = await read(service.his, reference)
        decode((await service.his.get(f"/fhir/{reference}")).content)
        assert (proposal["intent"], proposal["code"]["text"]) == ("proposal", "Een maatje via Humanitas.")


async def test_what_proposes_nothing_or_to_nobody_is_refused_and_changes_nothing(service: Service) -> None:
    referral = await service.refer()
    before = await service.rows("select count(*) from ketenzorg.resource")
    empty = {"code": None, "performer": None, "note": None}
    wrong: list[tuple[int, str, Callable[[Json], Any]]] = [
        (422, "ServiceRequest.basedOn", lambda body: body.pop("basedOn")),
        (422, "ServiceRequest.intent", lambda body: body.update(intent="order")),
        (422, "ServiceRequest.subject", lambda body: body.update(subject={"reference": "Patient/1"})),
        (422, "ServiceRequest.code", lambda body: [body.pop(name) for name in empty]),
        (422, "ServiceRequest.performer[0].reference",
         lambda body: body.update(performer=[{"reference": "Organization/1", "display": "X"}])),
        (400, "ServiceRequest.status", lambda body: body.update(status="gewenst")),
    ]  # fmt: skip
    for status, place, breaks in wrong:
        body = instead(referral)
        breaks(body)
        answer = await service.coach.post("/fhir/ServiceRequest", json=body)
        assert (answer.status_code, place in places(answer)) == (status, True), (place, answer.text)
    for client, status in ((service.his, 409), (service.hospital, 404), (service.stranger, 401)):
        assert (await client.post("/fhir/ServiceRequest", json=instead(referral))).status_code == status
    await service.happens(referral["Task"], "aannemen")
    late = await service.coach.post("/fhir/ServiceRequest", json=instead(referral))
    assert (late.status_code, "eerste contact" in texts(late)) == (409, True)
    assert await service.rows("select count(*) from ketenzorg.resource") == before


async def test_an_undone_refusal_takes_its_proposal_back(service: Service) -> None:
    referral = await service.refer()
    answer = await service.coach.post("/fhir/ServiceRequest", json=instead(referral))
    task = await read(service.coach, referral["Task"])
    world = service.app.litestar.state.world
    await undo(UUID(task["id"]), int(task["meta"]["versionId"]), visit("welzijn-demo"), world)
    assert (await read(service.his, f"ServiceRequest/{answer.json()['id']}"))["status"] == "entered-in-error"
    assert (await read(service.his, referral["ServiceRequest"]))["status"] == "active"
    assert (await read(service.his, referral["Task"]))["status"] == "requested"
    assert (
        await service.coach.post(f"/fhir/{referral['Task']}/$event", json=said("aannemen"))
    ).status_code == 200
