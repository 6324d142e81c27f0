"""Whoever may say something in a step takes part in it, and nobody else: the pharmacy while the practice controls."""

from typing import Any

from examples import an_example
from referrals import of, said
from services import REGION, Service
from spec.talking import call

PHARMACY, ANOTHER = (REGION.file.organisations[key].id for key in ("apotheek-vijzel", "apotheek-turfkade"))
URA = "http://fhir.nl/fhir/NamingSystem/ura"


def controlled_by_the_practice(*uras: str) -> dict[str, Any]:
    bundle = an_example("antistolling", vraag="zelf-controleren")
    of(bundle, "ServiceRequest")["performer"] = [
        {"identifier": {"system": URA, "value": each}} for each in uras
    ]
    return bundle


async def test_the_pharmacy_that_the_referral_names_sees_and_reports(service: Service) -> None:
    referral = await service.refer(controlled_by_the_practice("99990003", "99990026"))
    task = f"/fhir/{referral['Task']}"
    assert (await call(service, ANOTHER, "GET", task)).status_code == 404

    seen = (await call(service, PHARMACY, "GET", task, None, 200)).json()
    assert seen["owner"] == seen["requester"]  # the work stays in the practice's own house
    await call(service, PHARMACY, "POST", f"{task}/$event", said("kleine bloeding gemeld"), 200)
    judged = await call(service, PHARMACY, "POST", f"{task}/$event", said("bloeding beoordeeld"))
    assert judged.status_code == 409
    ended = [{"op": "replace", "path": "/status", "value": "completed"}]
    assert (await call(service, PHARMACY, "PATCH", task, ended)).status_code == 409


async def test_a_pharmacy_that_nobody_named_takes_no_part(service: Service) -> None:
    referral = await service.refer(controlled_by_the_practice("99990003"))
    assert (await call(service, PHARMACY, "GET", f"/fhir/{referral['Task']}")).status_code == 404
    answer = await call(
        service, PHARMACY, "POST", f"/fhir/{referral['Task']}/$event", said("kleine bloeding gemeld")
    )
    assert answer.status_code == 404
