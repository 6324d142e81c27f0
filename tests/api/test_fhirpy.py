"""A client that knows FHIR and nothing of us gets its work done: fhirpy against a real server on a real port.

https://github.com/beda-software/fhir-py
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
import uvicorn
from fhirpy import AsyncFHIRClient
from fhirpy.base.exceptions import AuthorizationError, OperationOutcome, ResourceNotFound

from ketenzorg.cli.serve import options
from referrals import a_referral, said
from services import REGION, SETTINGS, Service, token_for
from systems import PRACTICE, ec, register

COACH = REGION.of_client("welzijn-demo")


@pytest.fixture
async def base(service: Service) -> AsyncIterator[str]:
    """The service as `serve` runs it, on a port that the system chose; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(service.app, **options(SETTINGS)))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/fhir"
        # The port listens already: who comes before the server is up waits for it.
        yield address
        server.should_exit = True
        await serving


def client(base: str, name: str, token: str = "") -> AsyncFHIRClient:
    # Our links name the address that the settings give, not the port of this test.
    return AsyncFHIRClient(
        base, authorization=f"Bearer {token or token_for(name)}", url_aliases=["http://127.0.0.1:8080/fhir"]
    )


async def test_a_strangers_client_gets_a_token_and_refers_with_it(base: str, service: Service) -> None:
    system = await register(service, "his-of-a-stranger", ec())
    async with httpx.AsyncClient() as http:
        known = (await http.get(f"{base}/.well-known/smart-configuration")).json()
        path = urlsplit(known["token_endpoint"]).path
        answer = await http.post(urljoin(base, path), data=system.form(scope="system/*.cruds"))
    his = client(base, system.name, answer.json()["access_token"])
    stored = await his.resource("Bundle", **a_referral()).save()
    assert {entry["response"]["status"] for entry in stored["entry"]} == {"201 Created"}
    task = await his.resources("Task").search(status="requested").first()
    assert task["requester"]["reference"] == f"Organization/{PRACTICE.id}"


async def test_a_strangers_client_refers_searches_reads_and_updates(base: str) -> None:
    his, coach = client(base, "his-demo"), client(base, "welzijn-demo")
    for number in range(5):
        answer = await his.resource("Bundle", **a_referral(str(number))).save()
        assert {entry["response"]["status"] for entry in answer["entry"]} == {"201 Created"}

    todo = coach.resources("Task").search(status="requested", owner=f"Organization/{COACH.id}")
    tasks = await todo.sort("-authored-on").limit(2).fetch_all()  # three pages
    assert len({task.id for task in tasks}) == 5

    task = tasks[0]
    patient = await task["for"].to_resource()
    assert patient.get_by_path(["telecom", 0, "value"]) == "050-5550100"
    for event in ("aannemen", "eerste contact"):  # who sees a part of the Task says what happened
        await coach.execute(f"Task/{task.id}/$event", data=said(event))
    seen = await his.reference("Task", task.id).to_resource()
    assert (seen["status"], seen["businessStatus"]["text"]) == ("accepted", "kennismaking")
    seen["note"] = [{"text": "Bellen na tienen."}]  # who sees all of it writes it back
    await seen.save()
    assert seen["meta"]["versionId"] == "4"
    assert len(await todo.fetch_all()) == 4

    found = await his.resources("Task").search(_id=task.id).include("Task", "owner").fetch_raw()
    assert [entry.resource.get("name") for entry in found.entry] == [None, COACH.name]


async def test_a_strangers_client_is_told_what_is_wrong_in_its_own_terms(base: str) -> None:
    his, coach = client(base, "his-demo"), client(base, "welzijn-demo")
    await his.resource("Bundle", **a_referral()).save()
    task = await coach.resources("Task").first()

    with pytest.raises(OperationOutcome) as refused:
        await coach.execute(f"Task/{task.id}/$event", data=said("afronden", terugkoppeling="Klaar."))
    assert "aannemen (welzijnscoach)" in refused.value.resource["issue"][0]["diagnostics"]
    task["status"] = "accepted"
    with pytest.raises(OperationOutcome) as refused:  # it was shown a part
        await task.save()
    assert "SUBSETTED" in refused.value.resource["issue"][0]["diagnostics"]

    bundle = a_referral("2")
    bundle["entry"][0]["resource"]["birthDate"] = "1948-02-31"
    with pytest.raises(OperationOutcome) as refused:
        await his.resource("Bundle", **bundle).save()
    assert refused.value.resource["issue"][0]["expression"] == ["Bundle.entry[0].resource.birthDate"]

    with pytest.raises(OperationOutcome) as refused:  # fhirpy's patch is a merge patch
        await coach.patch("Task", task.id, status="accepted")
    assert "application/json-patch+json" in refused.value.resource["issue"][0]["diagnostics"]

    condition = (await his.resources("ServiceRequest").first())["reasonReference"][0]["reference"]
    with pytest.raises(ResourceNotFound):
        await coach.get(condition)
    with pytest.raises(AuthorizationError):
        await AsyncFHIRClient(base).resources("Task").fetch()
