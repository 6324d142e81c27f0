"""Two personal numbers go through everything; then all that was written or answered anywhere is searched for them."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from canary.hunting import forms_of, hunt
from canary.installation import Installation, installation
from pages.browsers import Browser
from receivers import answer, receiver
from referrals import a_referral, of, said

CANARY = "999951750"  # of the patient who is referred
OTHER = "999970239"  # of somebody whom nobody refers
NUMBERS = (CANARY, OTHER)
BSN = "http://fhir.nl/fhir/NamingSystem/bsn"
PRACTICE, COACH = "99990003", "99990015"  # by URA
CLIENTS = {
    "practice": "his-demo",
    "coach": "welzijn-demo",
    "hospital": "ziekenhuis-demo",
    "team": "ketenteam-demo",
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PATCH = {"Content-Type": "application/json-patch+json"}


def written(number: str) -> str:
    return f"{number}, {number[:4]}.{number[4:6]}.{number[6:]}, {number[:3]} {number[3:6]} {number[6:]}"


@dataclass
class Region:
    """Everybody who talks to the installation, and all that they were told."""

    it: Installation
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    told: list[tuple[str, httpx.Response]] = field(default_factory=list)

    async def ask(self, who: str, method: str, path: str, **more: Any) -> httpx.Response:
        response = await self.clients[who].request(method, path, **more)
        await response.aread()
        self.told.append((who, response))
        return response

    def tattled(self) -> list[str]:
        """What held a number and was an error, or was for somebody who may not know it.

        A form that was wrong comes back as somebody typed it.
        """
        return [
            f"{who} {response.request.method} {response.request.url.raw_path!r}: {response.status_code} {form}"
            for who, response in self.told
            if who != "practice" or response.status_code >= 400
            if not response.headers["content-type"].startswith("text/html") or response.status_code != 422
            for number in NUMBERS
            for form, looks in forms_of(number).items()
            if looks in response.content + repr(response.headers.multi_items()).encode("utf-8", "replace")
        ]


@asynccontextmanager
async def region(it: Installation) -> AsyncIterator[Region]:
    async with AsyncExitStack() as stack:
        everybody = Region(it)
        for who, client in {**CLIENTS, "stranger": ""}.items():
            token = (await it.run("token", client, "--port", str(it.port))).strip() if client else "none"
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
            everybody.clients[who] = await stack.enter_async_context(
                httpx.AsyncClient(base_url=it.address, headers=headers, trust_env=False, timeout=30)
            )
        yield everybody


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


async def goes_wrong(all_: Region, places: dict[str, str]) -> None:
    """Everything that somebody could get wrong with a number in hand."""
    task, text = places["Task"], written(OTHER)
    for path in (
        f"/fhir/Patient/{CANARY}", f"/fhir/{CANARY}", f"/fhir/{CANARY}/{CANARY}", f"/{CANARY}", f"/werk/{CANARY}",
        f"/login?naar=/werk/{CANARY}", f"/keten/{CANARY}", f"/throughput/{CANARY}?from={CANARY}",
        f"/throughput/welzijn-op-recept?{CANARY}={CANARY}", f"/fhir/Task/$overdue?after={CANARY}",
        f"{task}/_history/{CANARY}", f"{task}/${CANARY}", f"/static/{CANARY}", f"/sandbox/clock?{CANARY}",
        f"/zorgpaden/{CANARY}", f"/fhir/metadata?_format={CANARY}",
    ):  # fmt: skip
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            for who in ("practice", "coach", "stranger"):
                await all_.ask(who, method, path, content=b"{}")
    claims = b64encode(json.dumps({"sub": CANARY, "org": CANARY}).encode()).decode().rstrip("=")
    for name, value in (
        ("Authorization", f"Bearer {CANARY}"), ("Authorization", f"Bearer eyJhbGciOiJIUzI1NiJ9.{claims}.{CANARY}"),
        ("Authorization", f"Basic {CANARY}"), ("X-Request-Id", CANARY), ("X-Request-Id", f"bsn-{CANARY}"),
        ("X-Correlation-Id", CANARY), ("AORTA-ID", f"initialRequestID={CANARY}; requestID={CANARY}"),
        ("If-Match", f'W/"{CANARY}"'), ("If-Match", CANARY), ("Accept", f"text/{CANARY}"), ("Prefer", CANARY),
        ("Content-Type", f"text/{CANARY}"), ("Content-Encoding", CANARY), ("User-Agent", CANARY),
        ("Cookie", f"ketenzorg={CANARY}"), ("Origin", f"https://{CANARY}.example"), ("X-Forwarded-For", CANARY),
        (CANARY, CANARY),
    ):  # fmt: skip
        await all_.ask("practice", "GET", task, headers={name: value})
        await all_.ask("practice", "POST", f"{task}/$event", headers={name: value}, json=said(OTHER))
    for who in ("practice", "coach", "hospital"):
        for event, given in (("afwijzen", {"toelichting": text}), (OTHER, {}), ("afwijzen", {OTHER: OTHER})):
            await all_.ask(who, "POST", f"{task}/$event", json=said(event, **given))
        shown = (await all_.ask(who, "GET", task)).json()
        for change in ({"note": [{"text": text}]}, {"status": OTHER}, {"id": OTHER}, {OTHER: OTHER}):
            await all_.ask(who, "PUT", task, json=shown | change)
        for operation in (
            {"op": "add", "path": "/note", "value": [{"text": text}]},
            {"op": "replace", "path": f"/{OTHER}", "value": OTHER},
            {"op": OTHER, "path": "/status", "value": OTHER},
        ):
            await all_.ask(who, "PATCH", task, json=[operation], headers=PATCH)
    for change in broken():
        await all_.ask("practice", "POST", "/fhir", json=a_referral("2", change))
    for body in (f'{{"resourceType": "{CANARY}', f'{{"{CANARY}": 1}}', CANARY, f'["{CANARY}"]'):
        await all_.ask("practice", "POST", "/fhir", content=body)


def broken() -> list[Callable[[dict[str, Any]], None]]:
    """Referrals that are refused, each with a number where it is wrong."""
    text = written(OTHER)

    def into(kind: str, **elements: Any) -> Callable[[dict[str, Any]], None]:
        return lambda bundle: of(bundle, kind).update(elements)

    identifiers = ({"system": BSN, "value": "999951751"}, {"system": f"{BSN}{CANARY}", "value": ""})
    return [
        *(into("Patient", identifier=[each]) for each in identifiers),
        into("Patient", **{OTHER: 1}),
        into("Patient", gender=OTHER),
        into("Patient", birthDate=OTHER),
        into("Patient", active=OTHER),
        into("Patient", multipleBirthInteger=OTHER),
        into("Patient", multipleBirthInteger=int(CANARY), identifier=[{"system": BSN, "value": CANARY}]),
        into("Patient", name=[{"text": text}]),
        into("Patient", resourceType=OTHER),
        into("ServiceRequest", note=[{"text": text}]),
        into("ServiceRequest", status=OTHER, instantiatesCanonical=[OTHER]),
        into("ServiceRequest", subject={"reference": f"Patient/{OTHER}"}),
        into("ServiceRequest", requester={"identifier": {"system": BSN, "value": OTHER}}),
        into("ServiceRequest", requester={"reference": f"#{OTHER}"}),
        into("Condition", encounter={"reference": f"Encounter/{OTHER}"}),
        into("QuestionnaireResponse", item=[{"linkId": OTHER, "answer": [{"valueString": text}]}]),
        into("QuestionnaireResponse", questionnaire=OTHER),
        lambda bundle: bundle.update(type=OTHER),
        lambda bundle: bundle["entry"][0].update(fullUrl=OTHER),
        lambda bundle: bundle["entry"][0]["request"].update(url=OTHER, ifNoneExist=f"identifier={OTHER}"),
    ]


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


async def test_a_personal_number_is_found_nowhere(tmp_path: Path) -> None:
    async with installation(tmp_path) as it, region(it) as all_:
        async with receiver() as good, receiver(*[answer(500)] * 2, answer(410)) as failing:
            for ura, one in ((PRACTICE, good), (COACH, failing)):
                assert "geheim" in await it.run("endpoint", "set", ura, one.url, "--embedded")
            places = await refers_and_works(all_)
            await searches(all_)
            await goes_wrong(all_, places)
            await sits_at_the_pages(all_)
            await says_all_its_verbs(all_)
            await crashes(all_, places)
            heard = [repr((got.headers, got.body)) for each in (good, failing) for got in each.got]
        tables = await it.sql(
            "select relname from pg_class where relnamespace = 'ketenzorg'::regnamespace and relkind = 'r'"
        )
        dump = tmp_path / "dump"
        dump.mkdir()
        for table in tables:
            rows = await it.sql(f"select t::text as row from ketenzorg.{table['relname']} t")
            (dump / table["relname"]).write_text("\n".join(row["row"] for row in rows))
        await it.sql("checkpoint")

    tattled = all_.tattled()
    assert not tattled, "\n".join(tattled)
    assert not [each for each in heard for number in NUMBERS if number in each]
    assert hunt(tmp_path, NUMBERS) == []
    # The hunt would have found them: it does find a name that rests in clear, in tables and in the write-ahead log.
    found = " ".join(hunt(tmp_path, ["Veldkamp"]))
    assert "data/" in found
    assert "pg_wal" in found


@pytest.mark.parametrize("form", forms_of(CANARY))
def test_the_hunt_finds_every_form(tmp_path: Path, form: str) -> None:
    (tmp_path / "file").write_bytes(b"x" * 99 + forms_of(CANARY)[form] + b"x" * 99)
    assert [each for each in hunt(tmp_path, [CANARY]) if each.endswith(form)]
    (tmp_path / "file").write_bytes(b"nothing here")
    assert hunt(tmp_path, [CANARY]) == []
