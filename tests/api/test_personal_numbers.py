"""A personal number stands nowhere but in an identifier: elsewhere it is taken out, or refused with its place."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from referrals import a_referral, of, places, said, texts
from services import Service

BSN = "999990019"  # the patient's
OTHER = "999990020"  # somebody else's
Change = Callable[[dict[str, Any]], None]


def note(text: str) -> Change:
    return lambda bundle: of(bundle, "ServiceRequest").update(note=[{"text": text}])


def narrative(text: str) -> Change:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>'
    return lambda bundle: of(bundle, "Patient").update(text={"status": "generated", "div": div})


def answer(text: str) -> Change:
    def change(bundle: dict[str, Any]) -> None:
        reason = next(
            each for each in of(bundle, "QuestionnaireResponse")["item"] if each["linkId"] == "reden"
        )
        reason["answer"] = [{"valueString": text}]

    return change


def attachment(text: str, kind: str = "text/plain") -> Change:
    def change(bundle: dict[str, Any]) -> None:
        file = {"contentType": kind, "data": b64encode(text.encode()).decode()}
        document = {
            "resourceType": "DocumentReference",
            "status": "current",
            "content": [{"attachment": file}],
        }
        bundle["entry"].append(
            {"resource": document, "request": {"method": "POST", "url": "DocumentReference"}}
        )

    return change


def extension(text: str) -> Change:
    return lambda bundle: of(bundle, "Patient").update(
        extension=[{"url": "https://his.example/x", "valueString": text}]
    )


def own_identifier(value: str) -> Change:
    return lambda bundle: of(bundle, "Patient")["identifier"].append(
        {"system": "https://his.example/nr", "value": value}
    )


@pytest.mark.parametrize(
    "written",
    [BSN, "9999.90.019", "999.990.019", "999 990 019", "9999 90 019", "999-990-019", "999\u00a0990\u00a0019"],
)
async def test_the_patients_own_number_rests_nowhere_however_somebody_wrote_it(
    service: Service, written: str
) -> None:
    text = f"Mevrouw ({written}), geb. 17-05-1948"
    everywhere = [note(text), narrative(text), extension(text), own_identifier(written)]

    referral = await service.refer(a_referral(f"nr {written}", *everywhere))

    rows = await service.rows("select referral_identity::text as row from ketenzorg.referral_identity")
    stored = [row["row"] for row in rows]
    for table in ("resource", "search_token", "traject", "event"):
        stored += [
            row["row"] for row in await service.rows(f"select t::text as row from ketenzorg.{table} t")
        ]
    bodies = [bytes(row["body"]) for row in await service.rows("select body from ketenzorg.resource")]
    for each in (*stored, *map(bytes.decode, bodies)):
        assert written not in each
        assert BSN not in each
    seen = (await service.his.get(f"/fhir/{referral['Patient']}")).json()
    assert BSN in seen["text"]["div"]
    assert "geb. 17-05-1948" in seen["text"]["div"]
    again = await service.his.post("/fhir", json=a_referral(f"nr {written}", *everywhere))
    assert again.json()["entry"][0]["response"]["status"] == "200 OK"


REFUSED: dict[str, tuple[Change, str]] = {
    "a note": (note(f"moeder {OTHER}"), "Bundle.entry[1].resource.note[0].text"),
    "with dots": (note("moeder 9999.90.020."), "Bundle.entry[1].resource.note[0].text"),
    "a narrative": (narrative(f"<p>{OTHER}</p>"), "Bundle.entry[0].resource.text.div"),
    "a code of another resource": (
        lambda bundle: [TAKEN["a code"](bundle), narrative(OTHER)(bundle)], "Bundle.entry[0].resource.text.div",
    ),
    "entities": (narrative("&#57;99990020"), "Bundle.entry[0].resource.text.div"),
    "the own number as entities": (narrative("&#x39;99990019"), "Bundle.entry[0].resource.text.div"),
    "an answer": (
        answer(f"bel {OTHER}"),
        "Bundle.entry[3].resource.item[4].answer[0].value.ofType(string)",
    ),
    "an extension": (extension(OTHER), "Bundle.entry[0].resource.extension[0].value.ofType(string)"),
    "a name": (
        lambda bundle: of(bundle, "Patient")["name"][0]["given"].append(OTHER),
        "Bundle.entry[0].resource.name[0].given[1]",
    ),
    "a display": (
        lambda bundle: of(bundle, "ServiceRequest")["requester"].update(display=f"dr. {OTHER}"),
        "Bundle.entry[1].resource.requester.display",
    ),
    "a text file": (attachment(f"moeder {OTHER}"), "Bundle.entry[4].resource.content[0].attachment.data"),
    "the own number in any file": (
        attachment(f"%PDF-1.7 {BSN}", "application/pdf"), "Bundle.entry[4].resource.content[0].attachment.data",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_somebody_elses_number_in_a_text_is_refused_with_its_place_and_a_way_out(
    service: Service, name: str
) -> None:
    change, place = REFUSED[name]

    response = await service.his.post("/fhir", json=a_referral("1", change))

    assert (response.status_code, places(response)) == (422, [place])
    assert "schrijf het dan in groepjes (123 456 782)" in texts(response)
    assert not [each for each in (BSN, OTHER, "9999.90.020") if each in response.text]
    assert await service.rows("select from ketenzorg.traject") == []


async def test_every_place_is_told_in_one_round(service: Service) -> None:
    many = [note(OTHER), extension(OTHER), answer(OTHER)]
    assert len(places(await service.his.post("/fhir", json=a_referral("1", *many)))) == 3


TAKEN: dict[str, Change] = {
    "an order number of the sender": own_identifier(OTHER),
    "a telephone number": lambda bundle: of(bundle, "Patient")["telecom"].append(
        {"system": "phone", "value": OTHER}
    ),
    "a code": lambda bundle: of(bundle, "Condition")["code"]["coding"].append(
        {"system": "http://snomed.info/sct", "code": OTHER}
    ),
    "a code that the narrative repeats": (
        lambda bundle: of(bundle, "Condition").update(
            code={"coding": [{"system": "http://snomed.info/sct", "code": OTHER}]},
            text={
                "status": "generated",
                "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{OTHER}&#160;SCT</div>',
            },
        )
    ),
    "in groups": note("order 999 990 020"),
    "in a longer number": note(f"order 1{OTHER}, {OTHER}0"),
    "no 11-proef": note("order 999990021"),
    "another telephone number": note("bel 050-5550100 of 0505550100"),
    "in a file that is no text": attachment(f"%PDF-1.7 {OTHER}", "application/pdf"),
}


@pytest.mark.parametrize("name", TAKEN)
async def test_what_is_another_kind_of_number_is_taken(service: Service, name: str) -> None:
    await service.refer(a_referral("1", TAKEN[name]))


async def test_added_data_are_looked_at_as_well(service: Service) -> None:
    referral = await service.refer()
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "basedOn": [{"reference": referral["ServiceRequest"]}],
        "code": {"text": "gesprek"},
        "note": [{"text": f"met haar moeder ({OTHER})"}],
    }
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": observation, "request": {"method": "POST", "url": "Observation"}}],
    }
    response = await service.his.post("/fhir", json=bundle)
    assert (response.status_code, places(response)) == (422, ["Bundle.entry[0].resource.note[0].text"])


@pytest.mark.parametrize("written", [OTHER, "9999.90.020"])
async def test_what_somebody_says_holds_no_number(service: Service, written: str) -> None:
    task = (await service.refer())["Task"]
    refused = await service.coach.post(
        f"/fhir/{task}/$event",
        json=said("afwijzen", reden_van_afwijzen="geen-plek", toelichting=f"zie {written}"),
    )
    assert refused.status_code == 422
    assert written not in refused.text
