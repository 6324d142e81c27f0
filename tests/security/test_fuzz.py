"""Whatever somebody sends to whichever address: an answer that is no crash, in our form, with nothing of our inside."""

import json
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from log_lines import capture_logs
from pages.browsers import ORIGIN, Browser
from referrals import a_referral, said
from services import Service

from .routes import Address, addresses

EXAMPLES = 14  # for each address; derandomised, so that a red test stays red
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
INSIDE = (
    "Traceback",
    "asyncpg",
    "sqlalchemy",
    "ketenzorg.store",
    "/site-packages/",
    "/src/ketenzorg",
    "msgspec.",
)
ODD = st.sampled_from(
    [
        "",
        " ",
        "null",
        "0",
        "-1",
        "1e999",
        "\u0000",
        "\ud7ff",
        "é",
        "’",
        "%00",
        "../..",
        "a" * 600,
        "{}",
        "[]",
        "*",
        "';--",
    ]
)
TEXT = ODD | st.text(st.characters(codec="utf-8"), max_size=20)
NAMES = st.sampled_from(
    [
        "_id",
        "_count",
        "_sort",
        "_cursor",
        "_include",
        "status",
        "patient",
        "owner",
        "_lastUpdated",
        "na",
        "lijst",
        "van",
    ]
)
QUERY = st.lists(st.tuples(NAMES | TEXT, TEXT), max_size=4)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(
            [
                "application/fhir+json",
                "application/json-patch+json",
                "application/x-www-form-urlencoded",
                "",
                ";",
                "a/b",
            ]
        ),
        "Content-Encoding": st.sampled_from(["gzip", "br", "identity", "", "gzip, gzip"]),
        "Accept": st.sampled_from(
            ["", "*/*", "application/xml", ",,,", "text/csv", "application/fhir+json;q=x"]
        ),
        "If-Match": st.sampled_from(['W/"1"', "*", "", 'W/"999999999999"', '"', 'W/"-1"']),
        "Prefer": st.sampled_from(["handling=strict", "return=minimal", "=", ";,", "respond-async"]),
        "X-Request-Id": st.sampled_from(["", "a", "x" * 200, "a b"]),
        "Cookie": st.sampled_from(["ketenzorg=", "ketenzorg=a.b", ";;;", "=", "ketenzorg=e30=.x"]),
        "Accept-Encoding": st.sampled_from(["", "gzip", "*;q=0"]),
    },
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(TEXT, inside, max_size=3),
    max_leaves=8,
)
GOOD = json.dumps(a_referral("1"))
ELEMENTS = TEXT | st.sampled_from(["id", "entry", "parameter", "status"])
BODIES = st.one_of(
    st.binary(max_size=60),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.sampled_from(["Task", "Bundle", "Parameters", "Patient", "Subscription"]).flatmap(
        lambda kind: st.dictionaries(
            TEXT | st.sampled_from(["id", "entry", "parameter", "status"]), VALUES, max_size=4
        ).map(lambda content: json.dumps(content | {"resourceType": kind}).encode())
    ),
    st.integers(0, len(GOOD)).map(lambda place: GOOD[:place].encode()),
    st.tuples(st.integers(0, len(GOOD) - 1), st.sampled_from('{}[]",:0\\')).map(
        lambda change: (GOOD[: change[0]] + change[1] + GOOD[change[0] + 1 :]).encode()
    ),
)
Sent = tuple[list[tuple[str, str]], dict[str, str], bytes]


def made(count: int) -> list[Sent]:
    """So many things to send; the same at every run."""
    found: list[Sent] = []

    @settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.large_base_example,
            HealthCheck.data_too_large,
        ],
    )
    @given(QUERY, HEADERS, BODIES)
    def collect(query: list[tuple[str, str]], headers: dict[str, str], body: bytes) -> None:
        found.append((query, headers, body))

    collect()
    return found


async def test_s14_nothing_that_is_sent_to_any_address_makes_it_crash_or_tell_of_itself(
    service: Service,
) -> None:
    task = (await service.refer())["Task"].partition("/")[2]
    transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, follow_redirects=True) as browser:
        await Browser(browser).sign_in("Noor Bolt")
        browser.follow_redirects = False
        everywhere = [each for each in addresses(service.app, task, also=METHODS) if each.method in METHODS]
        sent = iter(made(EXAMPLES * len(everywhere)))
        with capture_logs() as lines:
            for address in everywhere:
                for _, one in zip(range(EXAMPLES), sent, strict=False):
                    client = browser if address.is_page else service.coach
                    check(address, one, await asked(client, address, one))
    assert [line for line in lines if line["event"] == "KZ-API-002"] == []


async def asked(client: httpx.AsyncClient, address: Address, one: Sent) -> httpx.Response:
    query, headers, body = one
    if len(query) % 2:  # or nothing would come past the first look at the body
        headers, body = {**headers, "Content-Type": kind_of(address)}, good(address, body)
        headers.pop("Content-Encoding", None)
    raw = {name: value.encode() for name, value in headers.items()}
    return await client.request(address.method, address.path, params=query, headers=raw, content=body)


def kind_of(address: Address) -> str:
    return "application/json-patch+json" if address.method == "PATCH" else "application/fhir+json"


def good(address: Address, otherwise: bytes) -> bytes:
    """What this address would take."""
    if address.method == "PATCH":
        return b'[{"op": "replace", "path": "/status", "value": "accepted"}]'
    if address.path.endswith("/$event"):
        return json.dumps(said("aannemen")).encode()
    return GOOD.encode() if address.path == "/fhir" else otherwise


def check(address: Address, one: Sent, answer: httpx.Response) -> None:
    assert answer.status_code < 500, (address, one, answer.text)
    assert [word for word in INSIDE if word in answer.text] == [], (address, one, answer.text)
    if answer.status_code >= 400 and address.path.startswith("/fhir"):
        assert answer.json()["resourceType"] == "OperationOutcome", (address, one)


async def test_no_byte_that_a_header_may_hold_makes_anything_crash(service: Service) -> None:
    values: list[Any] = [bytes([byte]) * 3 for byte in range(0x20, 0x100) if byte != 0x7F]
    for name in ("Cookie", "Authorization", "Accept", "Content-Type", "X-Request-Id"):
        for value in values:
            answer = await service.coach.get(
                "/werk" if name == "Cookie" else "/fhir/Task", headers={name: value}
            )
            assert answer.status_code < 500, (name, value)
