"""Nobody gets in without a token, nobody reaches what is another's, and every look is on record without a name."""

import asyncio
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from every_type import with_every_type
from ketenzorg.access.rules import TABLE
from ketenzorg.access.tokens import Caller
from ketenzorg.api.read import READABLE
from ketenzorg.app import tokens_of
from ketenzorg.pages.site import is_page
from ketenzorg.store.ids import uuid7
from log_lines import capture_logs
from referrals import a_referral, of, places, said
from services import REGION, SECRET, SETTINGS, Referral, Service

OPEN = {
    "/fhir/metadata", "/health/live", "/health/ready", "/auth/token", "/auth/jwks",
    "/.well-known/smart-configuration", "/fhir/.well-known/smart-configuration",
}  # fmt: skip
PATCH = {"Content-Type": "application/json-patch+json"}
SHEET = re.compile(r"(chain|guide)\.[0-9a-f]+\.css")
PERSONAL = ("999990019", "Veldkamp", "Trijntje", "Voorbeeldstraat", "050-5550100", "Sinds mijn man")
URA = "http://fhir.nl/fhir/NamingSystem/ura"


# Without a token


async def test_every_route_stands_in_the_table_of_rules_and_every_line_of_it_is_a_route(
    service: Service,
) -> None:
    """OpenEMR had routes that nobody had thought a rule for (CVE-2026-33915): a new one stands in rules.toml first."""
    routes = {
        f"{method} {SHEET.sub('{sheet}', route.path)}"
        for route in service.app.litestar.routes
        for method in (route.methods or {"POST"}) - {"OPTIONS"}
    }
    assert routes == set(TABLE.routes)
    words = {word for does in TABLE.routes.values() for word in does}
    assert words <= {*TABLE.interactions, "open", "sandbox", "introspect", "token"}
    opened = {route.partition(" ")[2] for route, does in TABLE.routes.items() if "open" in does}
    assert {path for path in opened if not is_page(path)} == OPEN


async def test_s5_every_route_but_the_open_ones_asks_for_a_token(service: Service) -> None:
    referral = await service.refer()
    task = referral["Task"].partition("/")[2]
    answered = {}
    for route in service.app.litestar.routes:
        if is_page(route.path):  # these know their visitors by a cookie: tests/pages
            continue
        path = (
            route.path.replace("{kind:str}", "Task")
            .replace("{id_:str}", task)
            .replace("{version:str}", "1")
            .replace("{pathway:str}", "welzijn-op-recept")
            .replace("{table:str}", "x.csv")
        )
        assert "{" not in path
        for method in route.methods | {"HEAD", "DELETE"}:
            response = await service.stranger.request(method, path)
            answered.setdefault(route.path, set()).add(response.status_code)
    assert len(answered) >= len(OPEN) + 6
    assert {path for path, statuses in answered.items() if statuses != {401}} == OPEN


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/../fhir/Task", "/.well-known//fhir/Task", "/fhir/metadata/../Task", "/fhir/Task/",
        "//fhir/Task", "/fhir//Task", "/fhir/metadata/", "/fhir/metadata/..", "/health/live/../../fhir/Task",
        "/FHIR/metadata", "/fhir/metadata;/Task", "fhir/metadata",
    ],
)  # fmt: skip
async def test_no_spelling_of_a_path_gets_past_the_gate(service: Service, path: str) -> None:
    await service.refer()
    status, body = await as_sent(service.app, path)
    assert status in (401, 404), body
    assert b"searchset" not in body


async def as_sent(app: Any, path: str) -> tuple[int, bytes]:
    """A GET of a path that no client library has tidied up."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": [],
        "client": ("127.0.0.1", 1), "server": ("test", 80),
    }  # fmt: skip
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


# What is another's


def client_of(service: Service, ura: str) -> httpx.AsyncClient:
    """A client of any organisation of the region, with every scope."""
    organisation = REGION.by_identifier(URA, ura)
    assert organisation is not None
    caller = Caller("another", organisation.id, organisation.kind, frozenset({"system/*.cruds"}), REGION.code)
    token = tokens_of(SETTINGS, SECRET).issue(caller, timedelta(hours=1))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)


OUTSIDERS = {
    "a hospital": "99990022",
    "another practice": "99990004",
    "another welfare organisation": "99990016",
}


async def test_who_has_no_part_cannot_tell_what_is_there_from_what_is_not(service: Service) -> None:
    referral = await service.refer(a_referral("1", with_every_type))
    await service.happens(referral["Task"], "aannemen")  # so that there is history too
    kinds = {location.partition("/")[0] for location in referral.locations}
    assert kinds == READABLE - {
        "Organization",
        "Composition",
        "Appointment",
    }  # the last two come later in a traject
    before = await service.rows("select id, version from ketenzorg.resource order by id")

    for ura in OUTSIDERS.values():
        async with client_of(service, ura) as outsider:
            for location in referral.locations:
                kind = location.partition("/")[0]
                await same_as_absent(outsider, location, "GET", f"/fhir/{kind}/")
            for method, tail, headers, body in WRITES:
                await same_as_absent(outsider, referral["Task"], method, "/fhir/Task/", tail, headers, body)
            assert "entry" not in (await outsider.get("/fhir/Task")).json()
    coach_sees = {
        location.partition("/")[0]
        for location in referral.locations
        if (await service.coach.get(f"/fhir/{location}")).status_code == 200
    }
    assert coach_sees == {
        "Patient", "ServiceRequest", "Task", "CarePlan", "Consent", "QuestionnaireResponse", "Practitioner",
        "PractitionerRole",
    }  # fmt: skip
    for location in referral.locations:
        if location.partition("/")[0] not in coach_sees:
            await same_as_absent(service.coach, location, "GET", f"/fhir/{location.partition('/')[0]}/")
    assert await service.rows("select id, version from ketenzorg.resource order by id") == before


WRITES: list[tuple[str, str, dict[str, str], Callable[[str], Any]]] = [
    ("GET", "/$next", {}, lambda _: None),
    ("GET", "/_history/1", {}, lambda _: None),
    ("POST", "/$event", {}, lambda _: said("aannemen")),
    ("POST", "/$event", {"If-Match": 'W/"1"'}, lambda _: said("aannemen")),
    ("PATCH", "", PATCH, lambda _: [{"op": "replace", "path": "/status", "value": "accepted"}]),
    ("PUT", "", {}, lambda id_: {"resourceType": "Task", "id": id_, "status": "accepted", "intent": "order"}),
]


async def same_as_absent(
    client: httpx.AsyncClient,
    location: str,
    method: str,
    path: str,
    tail: str = "",
    headers: dict[str, str] | None = None,
    body: Callable[[str], Any] = lambda _: None,
) -> None:
    hidden, absent = [
        await client.request(method, f"{path}{id_}{tail}", headers=headers, json=body(id_))
        for id_ in (location.partition("/")[2], str(uuid7()))
    ]
    assert hidden.status_code == 404, (method, location, tail, hidden.text)
    assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content)
    told = {name: value for name, value in hidden.headers.items() if name != "x-request-id"}
    assert told == {name: value for name, value in absent.headers.items() if name != "x-request-id"}


async def test_a_referral_cannot_lay_hands_on_what_another_sent(service: Service) -> None:
    theirs = await service.refer(a_referral("1"))

    def own(*changes: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        bundle = a_referral("1", *changes)  # the very same number: identifiers are the sender's own
        of(bundle, "ServiceRequest")["requester"] = {"identifier": {"system": URA, "value": "99990004"}}
        return bundle

    def pointing_at(location: str) -> Callable[[dict[str, Any]], None]:
        def change(bundle: dict[str, Any]) -> None:
            of(bundle, "Condition")["subject"]["reference"] = location

        return change

    def putting(location: str) -> Callable[[dict[str, Any]], None]:
        def change(bundle: dict[str, Any]) -> None:
            of(bundle, "Patient")["id"] = location.partition("/")[2]
            bundle["entry"][0]["request"] = {"method": "PUT", "url": location}

        return change

    before = await service.rows("select id, version, body from ketenzorg.resource order by id")
    async with client_of(service, "99990004") as another:
        for location in (theirs["Patient"], f"Patient/{uuid7()}"):
            pointed = await another.post("/fhir", json=own(pointing_at(location)))
            assert (pointed.status_code, places(pointed)) == (
                422,
                ["Bundle.entry[2].resource.subject.reference"],
            )
            put = await another.post("/fhir", json=own(putting(location)))
            assert (put.status_code, places(put)[0]) == (405, "Bundle.entry[0]")
        taken = Referral(await another.post("/fhir", json=own()))

    assert taken.response.json()["entry"][0]["response"]["status"] == "201 Created"
    assert (
        "duplicate" not in taken.response.text
    )  # that another practice referred this person too is not told
    assert not set(taken.locations) & set(theirs.locations)
    now = await service.rows("select id, version, body from ketenzorg.resource order by id")
    assert [row for row in now if row in before] == before


# On record


async def test_every_write_read_and_search_is_on_record_once_under_its_request_id(service: Service) -> None:
    referral = await service.refer(a_referral("0"))
    task, patient = referral["Task"], referral["Patient"]
    accept = [{"op": "replace", "path": "/status", "value": "accepted"}]
    noted = (await service.his.get(f"/fhir/{task}")).json()
    noted["note"] = [{"text": "Bel liefst in de ochtend."}]
    walk = {
        "C ServiceRequest": (service.his, "POST", "/fhir", a_referral("1"), {}),
        "R ServiceRequest": (service.his, "POST", "/fhir", a_referral("1"), {}),  # the same again
        "R Patient": (service.coach, "GET", f"/fhir/{patient}", None, {}),
        "E Task": (service.coach, "GET", "/fhir/Task?_include=Task:patient", None, {}),
        "U Task": (service.his, "PUT", f"/fhir/{task}", noted, {"If-Match": 'W/"1"'}),
        "U Task ": (service.coach, "PATCH", f"/fhir/{task}", accept, PATCH),
        "U Task  ": (service.coach, "POST", f"/fhir/{task}/$event", said("eerste contact"), {}),
    }
    for name, (client, method, path, body, headers) in walk.items():
        sent = {**headers, "X-Request-Id": f"walk.{name.replace(' ', '_')}"}
        response = await client.request(method, path, json=body, headers=sent)
        assert response.status_code == 200, response.text
        assert response.headers["X-Request-Id"] == sent["X-Request-Id"]

    rows = await service.rows(
        "select request, action, split_part(what, '/', 1) as what, client, organisation, trajecten, rule"
        " from ketenzorg.audit where request like 'walk.%' order by request"
    )
    assert [(row["request"], f"{row['action']} {row['what']}") for row in rows] == sorted(
        (f"walk.{name.replace(' ', '_')}", name.strip()) for name in walk
    )
    assert {(row["client"], row["organisation"]) for row in rows} == {
        (client, REGION.of_client(client).id) for client in ("his-demo", "welzijn-demo")
    }
    assert all(row["rule"] and row["trajecten"] for row in rows)
    everything = str(await service.rows("select audit::text from ketenzorg.audit"))
    assert [word for word in PERSONAL if word in everything] == []


async def test_readings_that_share_a_statement_each_stay_behind_their_own_wall(service: Service) -> None:
    referral = await service.refer()
    paths = [f"/fhir/{referral['Patient']}", f"/fhir/{referral['Condition']}", f"/fhir/Patient/{uuid7()}"]
    clients = {"his-demo": service.his, "welzijn-demo": service.coach, "ziekenhuis-demo": service.hospital}
    asked = [(name, path) for _ in range(4) for name in clients for path in paths]
    answers = await asyncio.gather(*(clients[name].get(path) for name, path in asked))
    got = {
        (name, paths.index(path), answer.status_code)
        for (name, path), answer in zip(asked, answers, strict=True)
    }
    assert {(name, path) for name, path, status in got if status == 200} == {
        ("his-demo", 0), ("his-demo", 1), ("welzijn-demo", 0),
    }  # fmt: skip
    assert len(got) == len(clients) * len(paths)  # each time the same
    lines = await service.rows(
        "select client, outcome, cardinality(trajecten) as many, count(*) as times from ketenzorg.audit"
        " where interaction = 'read' group by 1, 2, 3 order by 1, 2"
    )
    assert [tuple(line) for line in lines] == [
        ("his-demo", "0", 1, 8), ("his-demo", "4", 0, 4), ("welzijn-demo", "0", 1, 4), ("welzijn-demo", "4", 0, 8),
        ("ziekenhuis-demo", "4", 0, 12),
    ]  # fmt: skip


async def test_what_was_refused_is_no_look(service: Service) -> None:
    referral = await service.refer()
    await service.hospital.get(f"/fhir/{referral['Patient']}")
    await service.coach.get(f"/fhir/{referral['Condition']}")
    await service.hospital.post(f"/fhir/{referral['Task']}/$event", json=said("aannemen"))
    await service.coach.post(f"/fhir/{referral['Task']}/$event", json=said("afronden"))
    await service.team.get("/fhir/Task")
    done = await service.rows("select action from ketenzorg.audit where outcome = '0' order by id")
    assert [row["action"] for row in done] == ["C"]


@pytest.mark.parametrize(
    "given",
    [
        "",
        "a b",
        "x" * 129,
        "999990019\u00e9",
        '"; drop',
        "a\tb",
        "999990019",
        "bsn-999990019.1",
        "9999-90-019",
    ],
)
async def test_a_request_id_that_could_say_anything_is_replaced(service: Service, given: str) -> None:
    sent = {name: given.encode("latin-1") for name in ("X-Request-Id", "X-Correlation-Id")}
    with capture_logs() as lines:
        response = await service.his.get("/fhir/metadata", headers=sent)
    assert len(response.headers["X-Request-Id"]) == 36
    assert "X-Correlation-Id" not in response.headers
    assert "9019" not in f"{lines}{response.headers}".replace(response.headers["X-Request-Id"], "")


async def test_a_request_id_with_nine_digits_inside_a_word_stays(service: Service) -> None:
    given = "01a23456-7890-7123-8456-a123456782bc"
    response = await service.his.get("/fhir/metadata", headers={"X-Request-Id": given})
    assert response.headers["X-Request-Id"] == given


async def test_the_log_of_a_whole_day_names_nobody_also_when_the_database_does(service: Service) -> None:
    with capture_logs() as lines:
        referral = await service.refer(a_referral("1", with_every_type))
        for location in referral.locations:
            await service.coach.get(f"/fhir/{location}")
        await service.his.get(f"/fhir/Task?patient={referral['Patient']}&identifier=999990019&naam=Veldkamp")
        await service.his.get("/fhir/Patient?name=Veldkamp&birthdate=1948-05-17")
        await service.his.get("/fhir/Patient/999990019")
        await service.his.get("/Trijntje%20Veldkamp/999990019")
        await service.his.post(
            "/fhir", json=a_referral("1", lambda bundle: of(bundle, "Patient").update(x=1))
        )
        await service.his.post("/fhir", content=b'{"resourceType": "Trijntje Veldkamp 999990019')
        await service.coach.post(f"/fhir/{referral['Task']}/$event", json=said("Veldkamp"))
        await service.stranger.get("/fhir/Task", headers={"Authorization": "Bearer Veldkamp"})
        # A mistake of ours: PostgreSQL tells the whole row that it refuses.
        await service.rows("alter table ketenzorg.resource add check (type <> 'Patient') not valid")
        broken = await service.his.post("/fhir", json=a_referral("2"))

    assert broken.status_code == 500
    assert "Failing row" not in broken.text
    crashes = [line for line in lines if line["event"] == "KZ-API-002"]
    assert len(crashes) == 1
    assert crashes[0]["request"] in broken.text
    assert "CheckViolationError" in crashes[0]["error"]
    requests = [line for line in lines if line["event"] == "KZ-API-001"]
    assert len(requests) == len(lines) - 1 == len(referral.locations) + 10
    told = json.dumps(lines)
    for word in (*PERSONAL, "violates", "Failing row", "?", "identifier=", "birthdate", "1948-05", "Bearer"):
        assert word not in told.replace("{?}", ""), word
