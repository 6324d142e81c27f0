"""The answer lands where the GP works: a letter that the Task leads to, made from what was recorded."""

import io
from base64 import b64decode
from uuid import UUID

import pytest
from fhir.resources.R4B import get_fhir_model_class
from pypdf import PdfReader

from ketenzorg.cli.sandbox import caller_for
from ketenzorg.coordination.steps.undoing import undo
from ketenzorg.coordination.world import Trail, Visit
from ketenzorg.fhir.decode import decode
from referrals import said, texts
from services import REGION, Referral, Service

FEEDBACK = "Mevrouw gaat <elke> week naar de wandelgroep & voelt zich minder alleen.\nZij wil niet opnieuw."
LETTER = "https://ketenzorg.example/fhir/CodeSystem/output"


async def ended(service: Service, feedback: str = FEEDBACK) -> Referral:
    """A referral that the coach has finished."""
    referral = await service.refer()
    for event in ("aannemen", "eerste contact", "kennismaking gehouden"):
        await service.happens(referral["Task"], event)
    await service.happens(referral["Task"], "afronden", terugkoppeling=feedback)
    return referral


async def letter_of(service: Service, referral: Referral) -> str:
    """The id of the letter, as the GP's system finds it: from the notification's Task to what it brought."""
    task = (await service.his.get(f"/fhir/{referral['Task']}")).json()
    [found] = [
        each["valueReference"]["reference"]
        for each in task["output"]
        if each["type"]["coding"] == [{"system": LETTER, "code": "terugkoppelbrief"}]
    ]
    return str(found).removeprefix("DocumentReference/")


async def test_the_task_leads_to_a_letter_in_both_forms_and_the_referral_is_closed(service: Service) -> None:
    referral = await ended(service)
    id_ = await letter_of(service, referral)
    reference = (await service.his.get(f"/fhir/DocumentReference/{id_}")).json()
    addresses = {
        each["attachment"]["contentType"]: each["attachment"]["url"] for each in reference["content"]
    }

    answer = await service.his.get(f"/fhir/{addresses['application/fhir+json']}")
    assert answer.status_code == 200, answer.text
    decode(answer.content)
    get_fhir_model_class("Bundle").model_validate_json(answer.content)
    bundle = answer.json()
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert (bundle["type"], kinds[0]) == ("document", "Composition")
    assert {"Patient", "ServiceRequest", "Organization"} <= set(kinds)
    told = str(bundle["entry"][0]["resource"]["section"])
    assert "wandelgroep &amp; voelt" in told
    assert "eerste contact" in told

    pdf = await service.his.get(
        f"/fhir/{addresses['application/pdf']}", headers={"Accept": "application/pdf"}
    )
    assert pdf.headers["content-type"] == "application/pdf"
    words = text_of(pdf.content)
    for expected in (
        "<elke> week naar de wandelgroep & voelt",
        "Zij wil niet opnieuw.",
        "Veldkamp",
        "Afgerond",
    ):
        assert expected in words
    wrapped = (await service.his.get(f"/fhir/Binary/{id_}")).json()
    decode((await service.his.get(f"/fhir/Binary/{id_}")).content)
    assert text_of(b64decode(wrapped["data"])) == words

    request = (await service.his.get(f"/fhir/{referral['ServiceRequest']}")).json()
    assert request["status"] == "completed"  # nobody has to close anything


def text_of(pdf: bytes) -> str:
    """What a person reads, in lines that do not depend on where the paper ends."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


@pytest.mark.parametrize("event", ["intrekken", "ten onrechte ingevoerd"])
async def test_who_asked_and_stops_it_writes_no_letter_to_itself(service: Service, event: str) -> None:
    referral = await service.refer()
    given = {"reden_van_intrekken": "niet-meer-nodig"} if event == "intrekken" else {}
    answer = await service.his.post(f"/fhir/{referral['Task']}/$event", json=said(event, **given))
    assert answer.status_code == 200, answer.text
    assert "DocumentReference" not in answer.text
    assert await service.rows("select 1 from ketenzorg.resource where type = 'Composition'") == []


async def test_a_refusal_is_an_answer_too(service: Service) -> None:
    referral = await service.refer()
    await service.happens(referral["Task"], "afwijzen", reden_van_afwijzen="geen-plek")
    id_ = await letter_of(service, referral)
    letter = (await service.his.get(f"/fhir/Composition/{id_}")).json()
    assert "Reden: Geen plek" in str(letter["section"])


async def test_a_letter_is_for_the_one_who_asked(service: Service) -> None:
    id_ = await letter_of(service, await ended(service))
    for client in (service.hospital, service.coach):  # welfare has no part in medical letters
        for kind in ("DocumentReference", "Composition", "Binary"):
            assert (await client.get(f"/fhir/{kind}/{id_}")).status_code == 404, kind
        assert (await client.get(f"/fhir/Composition/{id_}/$document")).status_code == 404


async def test_an_undone_end_takes_its_letter_back(service: Service) -> None:
    referral = await ended(service)
    id_ = await letter_of(service, referral)
    world, visit = service.app.litestar.state.world, Visit(caller_for(REGION, "welzijn-demo"), Trail("undo"))
    task = (await service.coach.get(f"/fhir/{referral['Task']}")).json()
    await undo(UUID(task["id"]), int(task["meta"]["versionId"]), visit, world)

    for kind in ("Composition", "DocumentReference"):
        body = (await service.his.get(f"/fhir/{kind}/{id_}")).json()
        assert (body["status"], body["meta"]["versionId"]) == ("entered-in-error", "2")
        assert "wandelgroep" not in str(body)
    pdf = await service.his.get(f"/fhir/Binary/{id_}", headers={"Accept": "application/pdf"})
    assert "Ingetrokken. Deze brief geldt niet." in text_of(pdf.content)
    assert "terugkoppelbrief" not in str((await service.his.get(f"/fhir/{referral['Task']}")).json())

    await service.happens(referral["Task"], "afronden", terugkoppeling="Nu goed.")
    assert await letter_of(service, referral) != id_


async def test_what_the_patient_thought_of_it_comes_along_in_a_word_of_the_pathway(service: Service) -> None:
    """Asked by who did the work, and never demanded: the word is in the log, for who counts."""
    referral = await service.refer()
    for event in ("aannemen", "eerste contact", "kennismaking gehouden"):
        await service.happens(referral["Task"], event)
    said_so = said("afronden", terugkoppeling="Klaar.", ervaring_van_patient="mevrouw was blij")
    refused = await service.coach.post(f"/fhir/{referral['Task']}/$event", json=said_so)
    assert refused.status_code == 422
    assert "ervaring-goed, ervaring-wisselend, ervaring-niet-goed" in texts(refused)
    await service.happens(
        referral["Task"], "afronden", terugkoppeling="Klaar.", ervaring_van_patient="ervaring-wisselend"
    )
    task = (await service.his.get(f"/fhir/{referral['Task']}")).json()
    assert ("ervaring-van-patient", "Wisselend") in [
        (each["type"]["text"], each.get("valueString")) for each in task["output"]
    ]
    id_ = await letter_of(service, referral)
    reference = (await service.his.get(f"/fhir/DocumentReference/{id_}")).json()
    [address] = [
        each["attachment"]["url"]
        for each in reference["content"]
        if each["attachment"]["contentType"] == "application/fhir+json"
    ]
    assert "Wisselend" in (await service.his.get(f"/fhir/{address}")).text
    [row] = await service.rows(
        "select body -> 'codes' ->> 'ervaring-van-patient' from ketenzorg.event order by seq desc limit 1"
    )
    assert row[0] == "ervaring-wisselend"
