"""What is not FHIR: whatever schemathesis makes of its description is answered as that says, and never by a crash."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from typing import Any

import msgspec
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from databases import Database
from ketenzorg.access.scopes import INTROSPECT
from ketenzorg.api.auth import FORM
from ketenzorg.app import tokens_of
from ketenzorg.cli.sandbox import caller_for
from services import REGION, SECRET, SETTINGS, Service, serving
from serving import at, on_a_port
from systems import register

EXAMPLES = 12  # of each kind, for each address; derandomised, so that a red test stays red
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
A_PATHWAY = {"pathway": "welzijn-op-recept"}  # one made by chance is never there


def a_token() -> dict[str, str]:
    """The header of a chain team that may also ask what a token says."""
    team = caller_for(REGION, "ketenteam-demo")
    caller = msgspec.structs.replace(team, scopes=team.scopes | {INTROSPECT})
    token = tokens_of(SETTINGS, SECRET).issue(caller, timedelta(hours=1))
    return {"Authorization": f"Bearer {token}"}


def asks_a_token(operation: Any) -> bool:
    """Whether the description wants one there: it is said once for all, and taken back where it is not so."""
    return operation.definition.raw.get("security") != []


def cases_of(operation: Any) -> list[Case]:
    """What to send there: as the description has it and, where something can be given, not."""
    may_be_wrong = "parameters" in operation.definition.raw or "requestBody" in operation.definition.raw
    modes = GenerationMode if may_be_wrong else (GenerationMode.POSITIVE,)
    paths = ({}, A_PATHWAY) if "{pathway}" in operation.path else ({},)
    return [
        case
        for mode in modes
        for path in paths
        for case in made(operation.as_strategy(mode, path_parameters=path))
    ]


def made(strategy: Any) -> list[Case]:
    """So many; the same at every run."""
    found: list[Case] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(strategy)
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found


async def described(service: Service) -> list[Any]:
    """Every operation of the description that the service gives of itself."""
    schema = (await service.stranger.get("/guide/openapi.json")).json()
    return [each.ok() for each in schemathesis.openapi.from_dict(schema).get_all_operations()]


class Asking:
    """What came of it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.statuses: dict[str, set[int]] = defaultdict(set)
        self.wrong: list[str] = []

    async def __call__(self, case: Case, **headers: str) -> None:
        """Send it as it was made, with these headers over its own."""
        answer = await asyncio.to_thread(case.call, base_url=at(self._port), headers=headers)
        self.statuses[case.operation.label].add(answer.status_code)
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as failures:
            self.wrong.append(str(failures))


async def test_what_is_not_fhir_answers_as_its_description_says_and_never_with_a_crash(
    service: Service,
) -> None:
    operations, token = await described(service), a_token()
    async with on_a_port(service.app) as port:
        ask = Asking(port)
        for operation in operations:
            cases, signed = cases_of(operation), token if asks_a_token(operation) else {}
            for case in cases:
                await ask(case, **signed)
            await ask(cases[0], Authorization="Bearer nobody")
            await ask(cases[0], **signed, Accept="application/xml")
            if operation.path == "/auth/token":
                await ask(operation.Case(body=(await register(service)).form(), media_type=FORM))
    assert ask.wrong == []
    assert ask.statuses == {
        "POST /auth/token": {200, 400},
        "POST /auth/introspect": {200, 400, 401, 406},
        "GET /auth/jwks": {200},
        "GET /.well-known/smart-configuration": {200},
        "GET /health/live": {200},
        "GET /health/ready": {200},
        "GET /throughput/{pathway}": {200, 400, 401, 404, 406},
        "GET /throughput/{pathway}/{table}": {200, 400, 401, 404, 406},
    }


async def test_who_asks_too_much_is_told_so_as_the_description_says(database: Database) -> None:
    slow = msgspec.structs.replace(SETTINGS, client_rate=1, address_rate=1)
    async with serving(database, slow) as service, on_a_port(service.app) as port:
        ask = Asking(port)
        for operation in await described(service):
            case, token = cases_of(operation)[0], a_token() if asks_a_token(operation) else {}
            for _ in range(7):  # after five seconds' worth
                await ask(case, **token)
    assert ask.wrong == []
    assert {label for label, statuses in ask.statuses.items() if 429 not in statuses} == {
        "GET /health/live",
        "GET /health/ready",
    }
