"""A day's work about one patient: a referral, all that follows from it, the pages, the verbs, and mistakes of ours."""

from typing import Any
from urllib.parse import quote

import httpx

from canary.talking import BSN, CANARY, CLIENTS, FORM, NUMBERS, OTHER, Region, written
from pages.browsers import Browser
from referrals import a_referral, of, said


def everywhere(bundle: dict[str, Any]) -> None:
    """The patient's number wherever a sender could put it."""
    text = written(CANARY)
    number = {"system": BSN, "value": CANARY}
    own = {"system": f"https://his.example/{CANARY}", "value": CANARY}
    patient, request = of(bundle, "Patient"), of(bundle, "ServiceRequest")
    patient["identifier"] = [number, own]
    patient["text"] = {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>',
    }
    patient["name"][0]["text"] = f"Trijntje Veldkamp {text}"
    patient["telecom"].append({"system": "other", "value": CANARY})
    patient["address"][0]["line"] = [text]
    patient["extension"] = [{"url": f"https://his.example/{CANARY}", "valueString": text}]
    request["identifier"][0]["value"] += f"-{CANARY}"
    request["identifier"].append(own)
    request["note"] = [{"text": text}]
    request["subject"] |= {"display": text, "identifier": number}
    request["supportingInfo"] = [{"reference": f"https://his.example/Patient/{CANARY}", "display": text}]
    of(bundle, "Condition")["note"] = [{"text": text}]
    answers = of(bundle, "QuestionnaireResponse")["item"]
    next(each for each in answers if each["linkId"] == "reden")["answer"] = [{"valueString": text}]
    answers.append({"linkId": CANARY, "answer": [{"valueString": text}]})
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "identifier": [own],
        "description": text,
        "note": [{"text": text}],
        "focus": {"reference": bundle["entry"][1]["fullUrl"], "display": text},
        "input": [{"type": {"text": text}, "valueString": text}],
    }
    relative = {
        "resourceType": "RelatedPerson",
        "identifier": [{"system": BSN, "value": OTHER}],
        "patient": {"reference": bundle["entry"][0]["fullUrl"]},
        "name": [{"text": f"dochter, {written(OTHER)}"}],
    }
    for each in (task, relative):
        kind = str(each["resourceType"])
        bundle["entry"].append({"resource": each, "request": {"method": "POST", "url": kind}})


async def refers_and_works(all_: Region) -> dict[str, str]:
    """A referral that goes well, looked at by everybody; where its parts are."""
    taken = await all_.ask("practice", "POST", "/fhir", json=a_referral("1", everywhere))
    assert taken.status_code == 200, taken.text
    entries = [entry["response"]["location"].split("/")[:2] for entry in taken.json()["entry"]]
    places = {kind: f"/fhir/{kind}/{id_}" for kind, id_ in entries}
    again = await all_.ask(
        "practice",
        "POST",
        "/fhir",
        json=a_referral("1", everywhere),
        headers={"Prefer": "return=representation"},
    )
    assert again.json()["entry"][0]["response"]["status"] == "200 OK"
    assert CANARY in again.text
    for who in (*CLIENTS, "stranger"):
        for place in places.values():
            await all_.ask(who, "GET", place)
            await all_.ask(who, "GET", f"{place}/_history/1")
        await all_.ask(who, "GET", f"{places['Task']}/$next")
        for query in ("Task?_include=Task:patient&_include=Task:focus", "ServiceRequest", "CarePlan"):
            await all_.ask(who, "GET", f"/fhir/{query}")
    patient = await all_.ask("practice", "GET", places["Patient"])
    assert patient.json()["identifier"][0]["value"] == CANARY
    assert OTHER in (await all_.ask("practice", "GET", places["RelatedPerson"])).text
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "basedOn": [{"reference": places["ServiceRequest"].removeprefix("/fhir/")}],
        "code": {"text": "gesprek"},
        "subject": {"identifier": {"system": BSN, "value": CANARY}},
        "valueString": written(CANARY),
    }
    added = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": observation, "request": {"method": "POST", "url": "Observation"}}],
    }
    assert (await all_.ask("practice", "POST", "/fhir", json=added)).status_code == 200
    for event in ("aannemen", "eerste contact", "kennismaking gehouden"):
        assert (await all_.ask("coach", "POST", f"{places['Task']}/$event", json=said(event))).is_success
    for who in CLIENTS:
        await all_.ask(who, "GET", "/fhir/Task/$overdue")
        for page in ("", "/steps.csv", "/norms.csv"):
            await all_.ask(who, "GET", f"/throughput/welzijn-op-recept{page}")
    return places


async def searches(all_: Region) -> None:
    for who in ("practice", "coach", "stranger"):
        for number in (*NUMBERS, "999951751"):
            for kind in ("Task", "Patient", "Observation"):
                asked = {"identifier": f"{BSN}|{number}", "_count": "1"}
                await all_.ask(who, "POST", f"/fhir/{kind}/_search", data=asked, headers=FORM)
                for name in ("identifier", "patient", "naam", number, "_id", "code"):
                    await all_.ask(who, "POST", f"/fhir/{kind}/_search", data={name: number}, headers=FORM)
                    await all_.ask(who, "GET", f"/fhir/{kind}?{name}={number}")
                await all_.ask(who, "GET", f"/fhir/{kind}?identifier={quote(BSN)}%7C{number}")


async def sits_at_the_pages(all_: Region) -> None:
    """A practice refers by form, a coach works on it; neither page, nor what goes wrong there, tells a number on."""

    def seen_by(who: str) -> Browser:
        async def kept(response: httpx.Response) -> None:
            await response.aread()
            all_.told.append((who, response))

        return Browser(
            httpx.AsyncClient(
                base_url=all_.it.address,
                follow_redirects=True,
                trust_env=False,
                event_hooks={"response": [kept]},
            )
        )

    filled = {
        "patient_naam": "Trijntje Veldkamp", "patient_geboortedatum": "1948-05-17", "patient_telefoon": "050-5550100",
        "patient_gemeente": "Groningen", "gevaar": "nee", "toestemming": "ja", "toestemming_datum": "2026-01-12",
        "toestemming_reikwijdte": "contactgegevens-en-toelichting",
    }  # fmt: skip
    fields = {f"antwoord_{name}": text for name, text in filled.items()}
    doctor = await seen_by("practice").sign_in("Marieke")
    for wrong in ({"patient_bsn": OTHER[:-1]}, {"reden": written(OTHER)}, {"patient_naam": written(OTHER)}):
        await doctor.open("/verwijzen/welzijn-op-recept")
        await doctor.press(
            "Verstuur de verwijzing", **fields | {f"antwoord_{name}": text for name, text in wrong.items()}
        )
        assert doctor.response.status_code == 422, doctor.text
    await doctor.open("/verwijzen/welzijn-op-recept")
    await doctor.press(
        "Verstuur de verwijzing", **fields, antwoord_patient_bsn=f"{CANARY[:4]}.{CANARY[4:6]}.{CANARY[6:]}"
    )
    assert doctor.response.status_code == 200, doctor.text
    await doctor.open("/praktijk")
    await doctor.follow("Trijntje Veldkamp")
    await doctor.follow("Wie keek in dit dossier?")

    coach = await seen_by("coach").sign_in("Noor Bolt")
    await coach.open(f"/werk?lijst={CANARY}")
    await coach.open("/werk")
    await coach.follow("Trijntje Veldkamp")
    await coach.press("Bewaar", dossiernummer=written(OTHER))
    team = await seen_by("team").sign_in("Hidde Wiersma")
    for page in ("/keten/welzijn-op-recept", f"/keten/welzijn-op-recept?from={CANARY}"):
        await team.open(page)
    for each in (doctor, coach, team):
        await each.client.aclose()


async def says_all_its_verbs(all_: Region) -> None:
    for verb in (
        ("outbox", "list"), ("outbox", "release", CANARY), ("endpoint", "set", CANARY, f"https://{CANARY}.example"),
        ("token", CANARY), ("keys", "list"), ("keys", "rotate"), ("keys", "rewrap"),
        ("keys", "destroy", CANARY, "--yes"), ("client", "list"), ("health",),
        ("audit", "verify"), ("audit", "head"),
        ("pathway", "show", CANARY), ("migrate",),
    ):  # fmt: skip
        extra = () if verb[0] in ("token", "pathway") else ("--embedded",)
        await all_.it.run(*verb, *extra)


async def ends(all_: Region, places: dict[str, str]) -> None:
    """The last answer makes a letter, which everybody tries to read in both its forms."""
    answer_ = said("afronden", terugkoppeling="Het gaat beter.")
    assert (await all_.ask("coach", "POST", f"{places['Task']}/$event", json=answer_)).is_success
    [letter] = await all_.it.sql("select id from ketenzorg.resource where type = 'Composition'")
    for who in (*CLIENTS, "stranger"):
        for path in (
            f"Composition/{letter['id']}",
            f"Composition/{letter['id']}/$document",
            f"Binary/{letter['id']}",
        ):
            await all_.ask(who, "GET", f"/fhir/{path}", headers={"Accept": "*/*"})


async def crashes(all_: Region, places: dict[str, str]) -> None:
    """Mistakes of ours, on the way in and on the way out; PostgreSQL tells the whole row that it refuses."""
    await all_.it.sql(
        "alter table ketenzorg.resource add constraint mistake check (type <> 'Patient') not valid"
    )
    crashed = await all_.ask("practice", "POST", "/fhir", json=a_referral("3", everywhere))
    assert crashed.status_code == 500
    await all_.it.sql("alter table ketenzorg.resource drop constraint mistake")
    await all_.it.sql("update ketenzorg.personal_number set ciphertext = 'no ciphertext at all'")
    assert CANARY not in (await all_.ask("practice", "GET", places["Patient"])).text
    await all_.it.sql("update ketenzorg.resource set body = 'no JSON' where type = 'Patient'")
    assert (await all_.ask("coach", "GET", places["Patient"])).status_code == 500
