"""The guide: everybody reads it, also where nobody signs in, and what it says is what runs."""

import json
import re
from collections.abc import Callable

import httpx

from ketenzorg.fhir.catalogue import KINDS
from ketenzorg.pages.guide import INDEX
from ketenzorg.pages.mistakes import load_answers, load_mistakes
from ketenzorg.pathway.handover import HANDOVERS
from ketenzorg.throughput.tables import TABLES
from pages.browsers import Browser
from services import CATALOGUE, SETTINGS, Service
from systems import another_process, speaking


async def links_of(http: httpx.AsyncClient, start: str) -> dict[str, int]:
    """Every page of our own that can be reached, and how it answers."""
    found: dict[str, int] = {}
    left = [start]
    while left:
        path = left.pop()
        answer = await http.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
        found[path] = answer.status_code
        if answer.headers["content-type"].startswith("text/html"):
            addresses = re.findall(r'(?:href|src)="(/[^"#]*)', answer.text)
            left += {each for each in addresses if each not in found and each not in left}
    return found


async def test_where_nobody_signs_in_the_guide_is_there_and_no_page_of_people(service: Service) -> None:
    async with another_process(service) as app, speaking(app) as http:
        found = await links_of(http, "/guide")
        assert {path: status for path, status in found.items() if status != 200} == {}
        assert {"/zorgpaden/artrose", "/guide/profile/kz-Referral", *(path for path, *_ in INDEX)} <= set(
            found
        )
        for path in ("/", "/login", "/werk", "/praktijk", "/berichten", "/keten"):
            answer = await http.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
            assert answer.status_code == (404 if path != "/keten" else 401), path
        assert (await http.get("/werk")).status_code == 401  # not a browser: a token is asked first
        lost = await http.get("/zorgpaden/knie")
        assert (lost.status_code, "/guide" in lost.text) == (404, True)
        assert "verzonnen" not in (await http.get("/guide")).text


async def test_the_pages_say_what_runs(service: Service, browser: Callable[[], Browser]) -> None:
    async def read(path: str) -> str:
        return str((await browser().open(path)).page.one("main").text)

    handover = await read("/guide/hand-over")
    assert all(f"{row.before} {row.after}" in " ".join(handover.split()) for row in HANDOVERS)
    errors = await read("/guide/errors")
    assert all(f"{kind.title}. {kind.do}" in errors for kind in KINDS.values())
    for title, answer in load_answers(SETTINGS.profiles).items():
        assert title in errors and answer.issues[0].diagnostics.replace("  ", " ") in errors, title
    pathways = await read("/guide/pathways")
    for name in CATALOGUE.names:
        pathway = CATALOGUE.current(name)
        assert pathway.url in pathways
        assert all(each.ask in pathways for each in pathway.file.data.values())
    types = await read("/guide/types")
    for each in (await service.his.get("/fhir/metadata")).json()["rest"][0]["resource"]:
        assert all(parameter["name"] in types for parameter in each.get("searchParam", ()))
    referral = await read("/guide/profile/kz-Referral")
    assert (
        "kz-ref-1" in referral
        and "ServiceRequest.requester" in referral
        and "Broken: doNotPerform" in referral
    )
    codes = await read("/guide/codes")
    assert "huisartspraktijk" in codes and "no-such-pathway" in codes


async def test_the_collection_has_every_request_as_the_tests_send_it(service: Service) -> None:
    made = (await service.stranger.get("/guide/postman.json")).json()
    wrong = {each["name"]: each["request"] for each in made["item"][1]["item"]}
    variables = {each["key"]: each["value"] for each in made["variable"]}
    assert variables["base"] == SETTINGS.base_url
    for each in load_mistakes(SETTINGS.profiles):
        request = wrong[each.title]
        body = request.get("body", {}).get("raw", "")
        sent = each.content(SETTINGS.profiles / "examples")
        assert re.sub(r"\{\{([\w.]+)\}\}", r"{\1}", body) == sent
        used = set(re.findall(r"\{\{([^}]+)\}\}", json.dumps(request)))
        assert used <= set(variables), (each.title, used)


async def test_openapi_names_every_route_that_is_not_fhir_and_no_other(service: Service) -> None:
    said = (await service.stranger.get("/guide/openapi.json")).json()
    assert said["servers"] == [{"url": SETTINGS.base_url}]
    routes = {
        (re.sub(r":\w+", "", route.path_format), method.lower())
        for route in service.app.litestar.routes
        for method in route.methods - {"OPTIONS", "HEAD"}
        if re.match(r"/(auth|health|throughput|metrics|\.well-known)", route.path)
    }
    assert {(path, method) for path, each in said["paths"].items() for method in each} == routes
    [table] = [
        each
        for each in said["paths"]["/throughput/{pathway}/{table}"]["get"]["parameters"]
        if each.get("name") == "table"
    ]
    assert table["schema"]["enum"] == [f"{name}.csv" for name in TABLES]
    for path, each in said["paths"].items():
        for described in each.values():
            names = {
                said["components"]["parameters"][p["$ref"].rpartition("/")[2]]["name"]
                if "$ref" in p
                else p["name"]
                for p in described.get("parameters", ())
            }
            assert set(re.findall(r"\{(\w+)\}", path)) <= names


async def test_a_file_is_given_by_its_name_and_no_other(service: Service) -> None:
    given = await service.stranger.get("/guide/files/examples/kz-Referral-kz-ref-1.json")
    assert given.json()["resourceType"] == "ServiceRequest"
    for path in ("examples/..%2f..%2frequirements.lock", "mistakes/requests.toml", "quick-start/*", "x/y"):
        assert (await service.stranger.get(f"/guide/files/{path}")).status_code == 404, path
    assert (await service.stranger.get("/guide/profile/knie")).status_code == 404
    assert (await service.stranger.get("/guide/knie")).status_code == 404
