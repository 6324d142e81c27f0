"""Another stranger: fhirclient, whose classes are strict about R4, walks a whole referral.

https://github.com/smart-on-fhir/client-py
"""

import asyncio
from typing import Any

import httpx
from fhirclient.models.bundle import Bundle
from fhirclient.models.capabilitystatement import CapabilityStatement
from fhirclient.models.fhirabstractresource import FHIRAbstractResource
from fhirclient.models.parameters import Parameters
from fhirclient.models.task import Task
from fhirclient.server import FHIRServer

from api.test_quick_start import environment
from referrals import a_referral, said
from systems import System, rsa

__all__ = ["environment"]  # a fixture that lives elsewhere


async def test_a_strict_client_walks_a_whole_referral(environment: dict[str, str]) -> None:
    url = environment["URL"]
    system: Any = System(None, environment["CLIENT"], rsa())  # type: ignore[arg-type]
    form = system.form(system.signed(aud=f"{url}/auth/token"), scope="system/*.cruds")
    async with httpx.AsyncClient() as http:
        token = (await http.post(f"{url}/auth/token", data=form)).json()["access_token"]
    await asyncio.to_thread(walk, server(url, token), server(url, environment["OTHER"]))


def server(url: str, token: str) -> FHIRServer:
    made = FHIRServer(None, f"{url}/fhir/")
    made.session.headers["Authorization"] = f"Bearer {token}"
    return made


def walk(his: FHIRServer, coach: FHIRServer) -> None:
    said_to_run = CapabilityStatement.read_from("metadata", his)
    assert said_to_run.fhirVersion == "4.0.1"
    referral = Bundle(a_referral())
    assert referral.as_json()["entry"][2] == a_referral()["entry"][2]
    stored = Bundle(his.post_json("", referral.as_json()).json())
    assert {entry.response.status for entry in stored.entry} == {"201 Created"}

    [task] = Task.where({"status": "requested"}).perform_resources_iter(coach)
    following = Parameters.read_from(f"Task/{task.id}/$next", coach)
    assert "aannemen" in str(following.as_json())
    for event in ("aannemen", "eerste contact", "kennismaking gehouden"):
        happened(coach, task.id, said(event))
    happened(coach, task.id, said("afronden", terugkoppeling="Gaat elke week wandelen."))

    ended = Task.read(task.id, his)
    assert (ended.status, ended.businessStatus.text) == ("completed", "afgerond")
    assert "Gaat elke week wandelen." in {each.valueString for each in ended.output}


def happened(coach: FHIRServer, task: str, parameters: dict[str, Any]) -> FHIRAbstractResource:
    return Task(coach.post_json(f"Task/{task}/$event", Parameters(parameters).as_json()).json())
