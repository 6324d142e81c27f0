"""A region in which much has happened: trajecten of every pathway, handed over, ended, still running, and foreign."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from api.test_appointment import appointment
from api.test_proposal import instead
from asked import ONE, TWO, ask, says
from databases import Database, execute, new_database
from every_type import with_words
from examples import an_example
from ketenzorg.cli.demo.people import numbers_for_tests
from ketenzorg.pathway.loaded import Pathway
from referrals import a_referral, of
from services import CATALOGUE, REGION, Referral, Service
from spec.beginnings import URA
from spec.over_http import HOUSES, Walk
from spec.talking import call
from spec.walks import DAY_0, scripts, tables
from subscriptions import polling

# Of each pathway some of its walks, by how their titles begin, and the day on which they stop: so some are still open.
WALKS: dict[str, dict[str, int]] = {
    "antistolling": {
        "De hoofdlijn bij een DOAC": 100,
        "Omzetten van een VKA naar een DOAC": 999,
        "Advies van het expertisecentrum": 22,
        "Naar de specialist, gezien": 999,
        "Het recept wacht niet op de regie": 0,
    },
    "artrose": {
        "Stap 2 helpt niet": 999,
        "De triage stuurt door": 999,
        "De fysiotherapeut neemt niet aan": 999,
    },
    "chronische-nierschade": {"Een meekijkconsult dat rechtstreeks": 999, "Verwijzing, gezien, bericht": 30},
    "oogzorg": {"Het ELOC adviseert een oogarts; de": 30, "Vanuit de controle opnieuw meekijken": 999},
    "pijn-op-de-borst-en-palpitaties": {
        "Naar het UMCG voor complexe hartzorg": 999,
        "Meekijkconsult dat": 999,
    },
    "valpreventie": {"De hoofdlijn bij hoog risico": 130, "Laag risico": 999, "Opnieuw gevallen": 999},
    "welzijn-op-recept": {
        "De hoofdlijn": 60,
        "Heropend na afhaken": 999,
        "De coach vraagt de verwijzer": 999,
        "De coach wijst af": 999,
    },
}
PRACTICE, TEAM = (
    next(each for each in REGION.organisations if each.ura == ura) for ura in ("99990004", "99990016")
)
PARTIES = {
    "practice": REGION.of_client("his-demo").id,
    "coaches": REGION.of_client("welzijn-demo").id,
    "hospital": REGION.of_client("ziekenhuis-demo").id,
    "pharmacy": HOUSES["apotheek-vijzel"].id,
    "optometrist": next(each.id for each in REGION.organisations if each.kind == "optometrie"),
    "physiotherapist": next(each.id for each in REGION.organisations if each.kind == "fysiotherapie"),
    "another team": TEAM.id,
    "a stranger": next(each.id for each in REGION.organisations if each.kind == "ketenteam"),
}
WIDE = 12  # referrals of one practice to one team: enough to be counted and shown
LAST_DAY = 500
TODAY = DAY_0 + timedelta(days=LAST_DAY)


async def a_region(service: Service) -> None:
    """All of it, day by day; then a referral with words everywhere, of two practices."""
    for party in PARTIES.values():
        for kind in ("Task", "CarePlan"):
            asked = polling(to=kind, content="full-resource")
            await call(service, party, "POST", "/fhir/Subscription", asked, 201)
    numbers = numbers_for_tests()
    walks = [
        Walk(service, pathway, title, script, number, next(numbers))
        for number, (pathway, title, script) in enumerate(_chosen())
    ]
    wide = [(day, number) for number in range(WIDE) for day in [number % 5]]
    days = {int(row[0]) for walk in walks for row in walk.script} | {day for day, _ in wide}
    for day in sorted(days):
        service.app.litestar.state.clock.set(DAY_0 + timedelta(days=day))
        done = await asyncio.gather(*(walk.on(day) for walk in walks), return_exceptions=True)
        failed = [error for error in done if isinstance(error, Exception)]
        if failed:
            raise ExceptionGroup(f"day {day}", failed)
        for number in (each for at, each in wide if at == day):
            referral = await service.refer(a_referral(f"breed-{number}"))
            if number % 3:
                await service.happens(referral["Task"], "aannemen")
    service.app.litestar.state.clock.set(TODAY)
    await service.refer(a_referral("woorden", with_words))
    await _foreign(service)
    await _based_on_what_a_coach_does_not_see(service)
    await _candidates(service)
    await _appointment_and_proposal(service)


async def _candidates(service: Service) -> None:
    """Who was asked and waits, was not selected, was selected, said no, could claim it, claimed it."""
    await ask(service, ONE, TWO, number="gevraagd")
    for number, chosen in (("verloren", TWO), ("gewonnen", ONE)):
        asked = await ask(service, ONE, TWO, number=number)
        await says(service, chosen, asked.tasks[chosen], "aannemen")
        await says(service, PARTIES["practice"], asked.tasks[chosen], "selecteren")
        await says(service, chosen, asked.tasks[chosen], "intake afgesproken")
    refused = await ask(service, ONE, TWO, number="geweigerd")
    await says(service, ONE, refused.tasks[ONE], "afwijzen", reden_van_afwijzen="geen-plek")
    await ask(service, number="open")
    claimed = await ask(service, number="opgepakt")
    await says(service, ONE, claimed.handover, "aannemen")


async def _appointment_and_proposal(service: Service) -> None:
    """Planned by a coach; refused by the same with something else, as a ServiceRequest."""
    agreed, refused = [await service.refer(a_referral(number)) for number in ("afspraak", "voorstel")]
    await service.happens(agreed["Task"], "aannemen")
    start, end = (TODAY + timedelta(days=days) for days in (7, 8))
    kept = appointment(agreed, start=start.isoformat(), end=end.isoformat())
    for kind, body in (("Appointment", kept), ("ServiceRequest", instead(refused))):
        answer = await service.coach.post(f"/fhir/{kind}", json=body)
        assert answer.status_code == 201, answer.text


async def _foreign(service: Service) -> None:
    """Of a practice and a team that have nothing to do with the clients of the sandbox, about somebody known here."""

    def elsewhere(bundle: dict[str, Any]) -> None:
        with_words(bundle)
        request = of(bundle, "ServiceRequest")
        request["requester"] = {"identifier": {"system": URA, "value": PRACTICE.ura}}
        request["performer"] = [{"identifier": {"system": URA, "value": TEAM.ura}}]

    await call(service, PRACTICE.id, "POST", "/fhir", a_referral("vreemd", elsewhere), 200)


async def _based_on_what_a_coach_does_not_see(service: Service) -> None:
    """A request that is found by a medicine and brings its plan along: a coach sees neither of it."""
    pharmacy = HOUSES["apotheek-vijzel"]
    bundle = an_example("valpreventie", uitkomst_valrisicotest="laag")
    with_words(bundle)
    request = of(bundle, "ServiceRequest")
    request["identifier"][0]["value"] = "gebaseerd"
    request["requester"] = {"identifier": {"system": URA, "value": pharmacy.ura}}
    del request["performer"]
    medicine = next(
        each for each in bundle["entry"] if each["resource"]["resourceType"] == "MedicationRequest"
    )
    medicine["fullUrl"] = "urn:uuid:6f1a3c1e-1111-4a6b-9d5e-0000000000ff"
    request["basedOn"] = [{"reference": medicine["fullUrl"]}] * 2
    referral = Referral(await call(service, pharmacy.id, "POST", "/fhir", bundle, 200))
    # A sender cannot name the plan, for that is made by us.
    await service.rows(
        "update ketenzorg.resource set body = convert_to(regexp_replace(convert_from(body, 'UTF8'),"
        f" '{referral['MedicationRequest']}', '{referral['CarePlan']}'), 'UTF8')"
        f" where type = 'ServiceRequest' and id = '{referral['ServiceRequest'].partition('/')[2]}' returning 1"
    )


def _chosen() -> Iterator[tuple[Pathway, str, list[list[str]]]]:
    """The first walk of each table that is wanted, up to its last day."""
    for name, wanted in WALKS.items():
        pathway, found = CATALOGUE.current(name), tables(f"{name}.md")
        for begins, until in wanted.items():
            [title] = [each for each in found if each.startswith(begins)]
            script = scripts(pathway, found[title])[0]
            yield pathway, title, [row for row in script if int(row[0]) <= until]


@asynccontextmanager
async def a_copy(region: Database, postgres: str) -> AsyncIterator[Database]:
    """The same region again. Each look is on record, and none of these needs to be on disk."""
    async with new_database(postgres, region.name) as copy:
        await execute(postgres, f'alter database "{copy.name}" set synchronous_commit = off')
        yield copy
