"""Holes that were found in comparable systems, at the edge of ours: each test is named after its number.

S6 to S19 and R12 to R22 stand in the list of holes of docs/threat-model.md, with where they were found. Where a hole
cannot exist here, the test proves exactly that.
"""

import ast
import gzip
import json
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
from sqlalchemy import event

import ketenzorg
from ketenzorg.api.body import MAX_BODY
from ketenzorg.api.search_values import MAX_COUNT
from ketenzorg.app import real_time
from ketenzorg.cli.protocol import Bounds
from ketenzorg.fhir.search_parameters import PARAMETERS
from ketenzorg.pages.site import is_page
from pages.browsers import Browser, Element
from referrals import a_referral, of
from services import Service, token_for
from serving import on_a_port

from .routes import addresses
from .wire import wire

SOURCES = sorted(Path(ketenzorg.__file__).parent.rglob("*.py"))
LOCK = Path(__file__).parents[2] / "requirements.lock"
WRITES = frozenset({"POST", "PUT", "PATCH"})
READS_NO_BODY = "/fhir/Subscription/_search"
NOT_TAKEN = (400, 401, 403, 404, 405, 415)
SENTINEL = "kzsentinel"
HOSTILE = (
    f"{SENTINEL}' or '1'='1", f"{SENTINEL}'; drop table ketenzorg.resource; --", f'{SENTINEL}" or ""="',
    f"{SENTINEL}\\' or 1=1", f"{SENTINEL}$$; select pg_sleep(9); $$", f"{SENTINEL}%27%20or%201=1", f"{SENTINEL})) --",
    f"{SENTINEL}|' union select body from resource --", f"{SENTINEL}/*", f"-{SENTINEL};drop", f"{SENTINEL}%s%n:p",
    f"ge2026-01-01{SENTINEL}'", f"eq{SENTINEL}", f"Patient/{SENTINEL}'", f"http://x|{SENTINEL}'", f"{SENTINEL}\u02bc",
)  # fmt: skip


def who_imports(*modules: str) -> set[str]:
    """Which of our own sources do."""
    return {path.name for path in SOURCES if imported(ast.parse(path.read_text())) & set(modules)}


def imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def is_clean(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    for secret in (
        "Traceback",
        "/src/",
        "asyncpg",
        "sqlalchemy",
        "select ",
        "ketenzorg.store",
        "/work/",
        "msgspec",
    ):
        assert secret not in answer.text, answer.text


# S6, R18: SQL


async def test_s6_r18_no_value_of_a_search_becomes_part_of_a_statement(service: Service) -> None:
    """OpenEMR put `_sort` into ORDER BY (CVE-2026-24908, CVSS 10)."""
    await service.refer()
    told: list[str] = []

    def listen(connection: Any, _: Any) -> None:
        connection.driver_connection.add_query_logger(lambda query: told.append(query.query))

    database = service.app.litestar.state.database
    event.listen(database._engine.sync_engine, "connect", listen)
    await database.close()
    for kind, parameters in PARAMETERS.items():
        names = [each.name for each in parameters]
        controls = [
            "_id",
            "_lastUpdated",
            "_sort",
            "_count",
            "_cursor",
            "_include",
            "_total",
            "_summary",
            SENTINEL,
        ]
        for name in (*names, *(f"{each}:{SENTINEL}" for each in names), *controls):
            for value in HOSTILE:
                is_clean(await service.his.get(f"/fhir/{kind}", params={name: value}))
    for value in HOSTILE:
        for path in (
            "/fhir/{0}",
            "/fhir/Task/{0}",
            "/fhir/Task/{0}/$next",
            "/throughput/{0}",
            "/fhir/Patient/{0}",
        ):
            is_clean(
                await service.his.get(
                    path.format(httpx.URL("/").copy_with(path=f"/{value}").raw_path[1:].decode())
                )
            )
    assert told
    assert [statement for statement in told if SENTINEL in statement] == []
    assert await service.rows("select 1 from ketenzorg.resource")


# S8: archives


async def test_s8_nothing_here_unpacks_an_archive(service: Service) -> None:
    """The HL7 validator wrote outside its folder (CVE-2023-24057, and again CVE-2023-28465)."""
    # What makes our types reads the package of FHIR's definitions, on the machine of who develops; it writes no member.
    assert who_imports("zipfile", "tarfile", "shelve", "pickle", "marshal", "py7zr") == {"generate.py"}
    unpack = ("unpack_archive", ".extractall(", ".extract(")
    assert not any(word in path.read_text() for path in SOURCES for word in unpack)
    task = (await service.refer())["Task"].partition("/")[2]
    for method, path in addresses(service.app, task):
        if method in WRITES and path != READS_NO_BODY:
            for kind in ("application/zip", "application/x-tar", "application/gzip"):
                answer = await service.coach.request(
                    method, path, content=b"PK\3\4", headers={"Content-Type": kind}
                )
                assert answer.status_code in NOT_TAKEN, (method, path, answer.text)


# S9, R22: XML


async def test_s9_r22_nothing_here_reads_xml(service: Service) -> None:
    """HAPI and others resolved external entities (CVE-2024-45294, -51132, -52007)."""
    entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir">&e;</Patient>'
    # A letter as PDF reads the narrative that we ourselves wrote into it.
    assert who_imports("xml", "lxml", "defusedxml", "bs4", "html5lib", "xmltodict") == {"letter_pdf.py"}
    sent = {"resourceType": "Composition", "section": [{"text": {"div": entity.decode()}}]}
    bundle = a_referral("2", lambda bundle: bundle["entry"].append({"resource": sent, "request": {}}))
    assert (await service.his.post("/fhir", json=bundle)).status_code in (400, 422)
    task = (await service.refer())["Task"].partition("/")[2]
    for method, path in addresses(service.app, task):
        if method in WRITES and path != READS_NO_BODY:
            for kind in ("application/fhir+xml", "application/xml", "text/xml"):
                answer = await service.coach.request(
                    method, path, content=entity, headers={"Content-Type": kind}
                )
                assert answer.status_code in NOT_TAKEN, (method, path, answer.text)
        elif path.startswith("/fhir/Task"):
            answer = await service.coach.request(method, path, headers={"Accept": "application/fhir+xml"})
            assert answer.status_code in (405, 406), (method, path)
    assert (await service.coach.get("/fhir/Task?_format=xml")).status_code == 406


# S10: script in a page


async def test_s10_what_somebody_wrote_is_never_part_of_a_page(service: Service) -> None:
    """HAPI's test page ran what stood in a resource or an address (#1335)."""
    evil = "</p><kz-evil onclick=x>'\"</kz-evil>"

    def everywhere(bundle: dict[str, Any]) -> None:
        patient = of(bundle, "Patient")
        patient["name"] = [{"family": evil, "given": [evil], "text": evil}]
        patient["text"] = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
        patient["telecom"] = [{"system": "phone", "value": evil}, {"system": "email", "value": evil}]
        of(bundle, "ServiceRequest")["note"] = [{"text": evil}]
        of(bundle, "Condition")["code"] = {"text": evil}

    task = (await service.refer(a_referral("1", everywhere)))["Task"].partition("/")[2]
    seen = set()
    for person in ("Noor Bolt", "Marieke", "Wout"):
        transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test", follow_redirects=True
        ) as client:
            browser = await Browser(client).sign_in(person)
            for method, path in addresses(service.app, task):
                if method == "GET" and (
                    path == "/" or path.startswith(("/werk", "/praktijk", "/keten", "/zorg", "/verw"))
                ):
                    for query in (
                        "",
                        f"?lijst={evil}&na={evil}&naar={evil}&week={evil}&vraag={evil}&van={evil}",
                    ):
                        await browser.open(path + query)
                        if browser.response.headers["content-type"].startswith("text/html"):
                            assert no_evil(browser.page), (person, path, query)
                            seen.add("kz-evil" in browser.text)
    assert seen == {True, False}  # it was there to read, as text


def no_evil(page: Element) -> bool:
    evil = page.all("kz-evil", "script", "iframe", "object", "embed")
    return evil == [] and not any(name.startswith("on") for each in page.all() for name in each.attrs)


# S11, R17: searches that cost too much


async def test_s11_r17_what_a_search_may_ask_is_bounded_and_nothing_is_counted_unasked(
    service: Service,
) -> None:
    """200 clients that asked HAPI for the total of a history felled it (#2641); here a share is a client's own."""
    for number in range(3):
        await service.refer(a_referral(str(number)))
    plain = (await service.coach.get("/fhir/Task")).json()
    assert "total" not in plain
    for refused in (
        "_count=-1", "_count=1e9", "code=" + "a" * 10_000, "&".join(["status=requested"] * 200),
        "status=" + ",".join(["requested"] * 200), "_include:iterate=*", "_include=*", "_include=Task:*",
        "status:not=x", "_total=all", "_has:Task", "_has:Task:focus", "_has:Task:status:status=x",
        "_revinclude=*",
        "_has:Task:part-of:_has:Task:part-of:_has:Task:part-of:status=requested", "focus.status=active",
        "&".join(["_include=Task:owner"] * 11), "&".join(["owner.name=x"] * 4), "_cursor=1.2.3", "_sort=status",
        "_sort=_lastUpdated&_cursor=999999999999999999.01a23456-7890-7123-8456-a123456782bc", "identifier=%00",
        "patient.name=x", "patient:Patient.organization.partof.partof.partof=x",
    ):  # fmt: skip
        answer = await service.coach.get(f"/fhir/Task?{refused}", headers={"Prefer": "handling=strict"})
        assert answer.status_code == 400, refused
    for ignored in (
        "_filter=status eq 'x'",
        "_has:Observation:patient:code=x",
        "_sort=-;drop",
    ):
        answer = await service.coach.get(f"/fhir/Task?{ignored}")
        assert answer.status_code in (200, 400), ignored
        assert "total" not in answer.json(), ignored
    answer = await service.coach.get("/fhir/Task?_count=999999999")
    assert len(answer.json()["entry"]) == 3 < MAX_COUNT
    for history in ("/fhir/_history", "/fhir/Task/x/_history"):
        assert (await service.coach.get(history)).status_code in (404, 405)
    answer = await service.coach.get("/fhir/Task/_history?_count=999999999")
    assert len(answer.json()["entry"]) < MAX_COUNT


# S13: time


async def test_s13_what_was_let_in_before_is_let_in_no_longer_than_it_lasts(service: Service) -> None:
    """DSF compared the wrong way round, and expired tokens stayed good in its cache."""
    later = timedelta(0)
    for each in (service.app._tokens, service.app.litestar.state.site.sessions):
        each._now = lambda: real_time() + later
    transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        client.follow_redirects = True
        noor = await Browser(client).sign_in("Noor Bolt")
        token = {"Authorization": f"Bearer {token_for('his-demo', hours=0.5)}"}
        for later, stands in (  # noqa: B007  (it is what the clocks say)
            (timedelta(0), True),
            (timedelta(minutes=29), True),
            (timedelta(minutes=32), False),  # a token: with a minute for clocks that differ
            (timedelta(minutes=46), False),
        ):
            assert ((await client.get("/fhir/Task", headers=token)).status_code == 200) is stands
        assert (await noor.open("/werk")).path.startswith("/login")


# S17, R13: parsers


def test_s17_no_parser_is_here_but_those_that_we_bound() -> None:
    """orjson had no bound of depth (CVE-2024-27454, and one in 2026)."""
    assert who_imports("orjson", "ujson", "simplejson", "rapidjson", "yaml") == set()
    locked = {line.partition("==")[0] for line in LOCK.read_text().splitlines() if "==" in line}
    assert locked & {"orjson", "ujson", "simplejson", "python-rapidjson"} == set()


async def test_s17_r13_no_depth_of_any_body_fells_anything(service: Service) -> None:
    """google/fhir crashed at a depth of 500; others met a RecursionError before they asked for a token."""
    task = (await service.refer())["Task"].partition("/")[2]
    for method, path in addresses(service.app, task):
        if method not in WRITES or is_page(path) or path.startswith("/auth") or path.endswith("/_search"):
            continue  # forms
        for depth in (33, 500, 1_100, 20_000, 100_000):
            for opens, closes in (("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")):
                for body in (opens * depth, opens * depth + "1" + closes * depth):
                    kind = "application/json-patch+json" if method == "PATCH" else "application/fhir+json"
                    headers = {"Content-Type": kind}
                    answer = await service.coach.request(method, path, content=body.encode(), headers=headers)
                    is_clean(answer)
                    assert 400 <= answer.status_code < 500, (method, path, depth)


# S19, R20: before the gate, and packed


async def test_s19_no_body_is_read_before_it_is_known_whose_it_is(service: Service) -> None:
    """HealthClawGuardrails parsed a body before it asked for a token."""

    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    task = (await service.refer())["Task"].partition("/")[2]
    seen = set()
    for address in addresses(service.app, task, also=WRITES):
        if (
            address.method in WRITES
            and not address.is_page
            and not address.path.startswith(("/auth/token", "/health"))
        ):
            if address.path in ("/fhir/metadata", "/auth/jwks") or "well-known" in address.path:
                continue  # open to everybody, and to no body
            answer = await service.stranger.request(address.method, address.path, content=never())
            assert answer.status_code == 401, address
            seen.add(address.path)
    assert len(seen) > 15


def packed(data: bytes, level: int = 9) -> bytes:
    return gzip.compress(data, level, mtime=0)


GOOD = json.dumps(a_referral("1")).encode()
BOMBS = {
    "1,000 to 1": (packed(b" " * 64 * MAX_BODY), 413),
    "just over": (packed(b" " * (MAX_BODY + 1)), 413),
    "packed twice": (packed(packed(b" " * 64 * MAX_BODY)), 400),
    "packed five times": (packed(packed(packed(packed(packed(b" " * 64 * MAX_BODY))))), 400),
    "with something after it": (packed(GOOD) + b"x", 400),
    "with zeros after it": (packed(GOOD) + b"\0" * 1000, 400),
    "another member after it": (packed(GOOD) + packed(b" "), 400),
    "a bomb after it": (packed(GOOD) + packed(b" " * 64 * MAX_BODY), 400),
    "cut off": (packed(GOOD)[:-9], 400),
    "a wrong sum": (packed(GOOD)[:-8] + b"\0" * 8, 400),
    "only a head": (packed(b"")[:10], 400),
    "without the head": (zlib.compress(GOOD), 400),
    "not packed at all": (GOOD, 400),
    "a very long name in the head": (b"\x1f\x8b\x08\x08" + b"\0" * 6 + b"a" * (MAX_BODY - 100), 400),
    "a million empty blocks": (packed(b"")[:10] + b"\0\0\0\xff\xff" * (MAX_BODY // 6), 400),
    "no smaller than it was": (packed(GOOD, 0), 200),
    "as it should be": (packed(GOOD), 200),
}


async def test_s19_r20_a_packed_body_takes_no_more_memory_than_it_may(service: Service) -> None:
    """A small body that unpacks to gigabytes stalled a loop for 25 seconds (qontract-reconcile #5747)."""
    headers = {"Content-Encoding": "gzip"}
    assert (await service.his.post("/fhir", content=packed(GOOD), headers=headers)).status_code == 200  # warm
    for name, (body, status) in BOMBS.items():
        tracemalloc.start()
        answer = await service.his.post("/fhir", content=body, headers=headers)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert answer.status_code == status, (name, answer.text)
        assert peak < 12 * MAX_BODY, (name, peak)


# R12: size


async def test_r12_a_bundle_of_any_size_is_taken_or_refused_whole(service: Service) -> None:
    entry = {"resource": {"resourceType": "Observation"}, "request": {"method": "POST", "url": "Observation"}}
    for count, status in ((500, 400), (501, 413), (5_000, 413)):
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry] * count}
        answer = await service.his.post("/fhir", content=msgspec.json.encode(bundle))
        assert answer.status_code == status, count
    assert await service.rows("select 1 from ketenzorg.resource") == []


async def test_r12_of_a_body_of_unknown_length_no_more_is_kept_than_may_come(service: Service) -> None:
    chunk = b"%x\r\n%s\r\n" % (65536, b" " * 65536)
    async with on_a_port(service.app, Bounds(unread_s=0.5)) as port, wire(port) as client:
        client.say(b"POST /fhir HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n")
        client.say(b"Content-Type: application/fhir+json\r\n")
        client.say(f"Authorization: Bearer {token_for('his-demo')}\r\n\r\n".encode())
        tracemalloc.start()
        while not client.heard():
            client.say(chunk)
            await client.sent()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (await client.answer()).status == 413
        await client.drip(chunk)
        assert await client.ended() == b""
    assert peak < 12 * MAX_BODY


# R19: patterns


def test_r19_no_pattern_of_ours_runs_away_with_any_text() -> None:
    """The pattern that R4 itself gives for base64Binary takes seconds for thirty groups."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "patterns.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[-1]) > 40  # patterns that were tried
