"""The guide: everybody reads it, also where nobody signs in, and what it says is what runs."""

import re

import httpx

from services import Service
from systems import another_process, speaking


async def links_of(http: httpx.AsyncClient, start: str) -> dict[str, int]:
    """Every page of our own that can be reached, and how it answers."""
    found: dict[str, int] = {}
    left = [start]
    while left:
        path = left.pop()
        answer = await http.get(path, headers={"Accept": "text/html"})
        found[path] = answer.status_code
        if answer.headers["content-type"].startswith("text/html"):
            addresses = re.findall(r'(?:href|src)="(/[^"#]*)', answer.text)
            left += {each for each in addresses if each not in found and each not in left}
    return found


async def test_where_nobody_signs_in_the_guide_is_there_and_no_page_of_people(service: Service) -> None:
    async with another_process(service) as app, speaking(app) as http:
        found = await links_of(http, "/guide")
        assert {"/guide/promises", "/zorgpaden", "/zorgpaden/artrose", "/fhir/metadata"} <= set(found)
        assert {path: status for path, status in found.items() if status != 200} == {}
        for path in ("/", "/login", "/werk", "/praktijk", "/berichten", "/keten"):
            answer = await http.get(path, headers={"Accept": "text/html"})
            assert answer.status_code == (404 if path != "/keten" else 401), path
        assert (await http.get("/werk")).status_code == 401  # not a browser: a token is asked first
        lost = await http.get("/zorgpaden/knie")
        assert (lost.status_code, "/guide" in lost.text) == (404, True)
        assert "verzonnen" not in (await http.get("/guide")).text
