"""Over a real socket: what is not HTTP by its letter, too slow, too much or too many is refused, and nobody waits."""

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import msgspec
import pytest

from ketenzorg.cli.protocol import Bounds, Protocol
from log_lines import capture_logs
from referrals import a_referral
from services import Service, token_for
from serving import on_a_port

from .wire import wire

SHORT_S = 0.05  # what a test waits for; all other bounds stay as they are
IDLE = 2000
CRLF = b"\r\n"
PING = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /fhir HTTP/1.1\r\nHost: x\r\n"


def known() -> bytes:
    headers = f"Authorization: Bearer {token_for('his-demo')}", "Content-Type: application/fhir+json", ""
    return "\r\n".join(headers).encode()


ODD = {
    "a length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "a length below zero": POST + b"Content-Length: -5\r\n\r\n",
    "a length with a sign": POST + b"Content-Length: +5\r\n\r\nabcde",
    "a length beyond counting": POST + b"Content-Length: 99999999999999999999\r\n\r\n",
    "chunks that are not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "another transfer coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a chunk of no length": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc",
    "lines without a return": b"GET /health/live HTTP/1.1\nHost: x\n\n",
    "one header without a return": b"GET /health/live HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    "a return alone": b"GET /health/live HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
    "a folded header": PING + b"A: b\r\n c\r\n\r\n",
    "a space before the colon": PING + b"A : b\r\n\r\n",
    "a header without a name": PING + b": b\r\n\r\n",
    "NUL in a header": PING + b"A: \0\r\n\r\n",
    "NUL in the address": b"GET /fhir/\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in the address": b"GET /fhir/\xe9 HTTP/1.1\r\nHost: x\r\n\r\n",
    "an address without a path": b"GET http://other.example HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": b"CONNECT other.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "an unknown method": b"BREW /fhir HTTP/1.1\r\nHost: x\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS on a port without
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9.9": b"GET /health/live HTTP/9.9\r\n\r\n",
}
TOO_MUCH = {
    "a very long address": b"GET /fhir/" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a very long header": PING + b"A: " + b"a" * 70_000 + b"\r\n\r\n",
    "a header name without an end": PING + b"a" * 1_000_000,
    "200 headers": PING + b"A: b\r\n" * 200 + b"\r\n",
}
FINE = {
    "an address with a host": (b"GET http://other.example/health/live HTTP/1.1\r\nHost: x\r\n\r\n", 200),
    "HTTP/1.0": (b"GET /health/live HTTP/1.0\r\n\r\n", 200),
    "empty lines first": (b"\r\n\r\n" + PING + b"\r\n", 200),
    "a wish for another protocol": (PING + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 200),
    "a wish for HTTP/2": (PING + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n", 200),
    "NUL, encoded": (b"GET /fhir/%00 HTTP/1.1\r\nHost: x\r\n\r\n", 401),
    "an encoding that is none": (b"GET /fhir/%zz%e HTTP/1.1\r\nHost: x\r\n\r\n", 401),
    "bytes that are no UTF-8, encoded": (b"GET /werk/%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n", 303),
    "a header in an address": (b"GET /werk/%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: x\r\n\r\n", 303),
    "a method that nobody uses": (b"MKCOL /fhir HTTP/1.1\r\nHost: x\r\n\r\n", 401),
    "everything": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 401),
    "a mirror": (b"TRACE /fhir HTTP/1.1\r\nHost: x\r\n\r\n", 401),
}


@pytest.fixture
async def port(service: Service) -> AsyncIterator[int]:
    async with on_a_port(service.app) as here:
        yield here


async def test_what_two_programs_may_read_in_two_ways_is_refused_and_the_connection_ends(port: int) -> None:
    for name, said in (ODD | TOO_MUCH).items():
        async with wire(port) as odd:
            odd.say(said, PING, CRLF)  # what follows must not be taken for a request
            answer = await odd.answer()
            expected = (400, "structure") if name in ODD else (431, "too-long")
            assert (answer.status, answer.issue["code"]) == expected, name
            assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
            assert answer.headers["connection"] == "close"
            assert answer.headers["x-request-id"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert await odd.ended() == b"", name


async def test_what_is_odd_but_clear_is_answered(port: int) -> None:
    for name, (said, status) in FINE.items():
        async with wire(port) as client:
            client.say(said)
            assert (await client.answer()).status == status, name


async def test_who_does_not_wait_for_the_answer_gets_one_and_the_end(port: int) -> None:
    async with wire(port) as hasty:
        hasty.say((PING + CRLF) * 10_000)
        answer = await hasty.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert await hasty.ended() == b""


async def test_a_trailer_is_no_header() -> None:
    heard: list[tuple[bytes, bytes]] = []

    async def listens(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        heard.extend(scope["headers"])
        await send({"type": "http.response.start", "status": 204, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    async with on_a_port(listens) as port, wire(port) as client:
        client.say(POST, b"Transfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: Bearer x\r\n\r\n")
        assert (await client.answer()).status == 204
    assert [name for name, _ in heard] == [b"host", b"transfer-encoding"]


# Slow


async def test_r21_headers_that_never_end_are_not_waited_for(service: Service) -> None:
    for said in (b"", PING + b"A: "):
        async with on_a_port(service.app, Bounds(head_s=SHORT_S)) as port, wire(port) as slow:
            slow.say(said)
            await slow.drip(b"a" if said else b"\r\n")
            if said:
                assert (await slow.answer()).issue["code"] == "timeout"
            assert await slow.ended() == b""


@pytest.mark.parametrize("path", [b"/fhir", b"/login"])
async def test_r21_a_body_that_never_ends_is_not_waited_for_and_stores_nothing(
    service: Service, path: bytes
) -> None:
    kind = b"" if path == b"/fhir" else b"Content-Type: application/x-www-form-urlencoded\r\n"
    with capture_logs() as lines:
        async with on_a_port(service.app, Bounds(body_s=SHORT_S)) as port, wire(port) as slow:
            slow.say(b"POST ", path, b" HTTP/1.1\r\nHost: x\r\n", kind or known())
            slow.say(b"Content-Length: 60000\r\n\r\n")
            await slow.drip(b" ")
            answer = await slow.answer()
            assert (answer.status, answer.issue["code"]) == (408, "timeout")
            assert await slow.ended() == b""
    assert {line["status"] for line in lines} == {408, 400}  # the second: what the application made of it
    assert await service.rows("select 1 from ketenzorg.resource") == []


async def test_the_rest_of_a_body_that_was_answered_is_not_heard_out(service: Service) -> None:
    async with on_a_port(service.app, Bounds(unread_s=SHORT_S)) as port, wire(port) as stranger:
        stranger.say(POST, b"Content-Length: 1000000000\r\n\r\n")
        assert (await stranger.answer()).status == 401
        await stranger.drip(b"a")
        assert await stranger.ended() == b""


async def test_between_requests_a_sign_of_life_now_and_then_is_not_enough(service: Service) -> None:
    async with on_a_port(service.app, Bounds(idle_s=SHORT_S)) as port, wire(port) as idle:
        for _ in range(3):
            idle.say(PING, CRLF)
            assert (await idle.answer()).status == 200
        await idle.drip(CRLF)
        assert await idle.ended() == b""


@pytest.mark.parametrize("pieces", [1, 1000])
async def test_r21_who_does_not_read_the_answer_is_left(pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    size, lost = 64 * 1024 * 1024, asyncio.Event()

    async def tells_much(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"%d" % (size // pieces * pieces))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number in range(pieces):
            await send(
                {
                    "type": "http.response.body",
                    "body": b"x" * (size // pieces),
                    "more_body": number < pieces - 1,
                }
            )

    class Watched(Protocol):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            lost.set()

    monkeypatch.setattr("serving.Protocol", Watched)
    async with on_a_port(tells_much, Bounds(taking_s=SHORT_S, idle_s=SHORT_S)) as port, wire(port) as deaf:
        deaf.say(PING, CRLF)
        async with asyncio.timeout(60):
            await lost.wait()
        assert len(await deaf.ended()) < size


# Many


async def test_of_too_many_connections_the_one_that_owes_a_request_longest_gives_way(
    service: Service,
) -> None:
    async with (
        on_a_port(service.app, Bounds(connections=2)) as port,
        wire(port) as first,
        wire(port) as second,
    ):
        second.say(PING, b"A: ")
        async with wire(port) as third:
            third.say(PING, CRLF)
            assert (await third.answer()).status == 200
            assert await first.ended() == b""
            async with wire(port) as fourth:
                answer = await second.answer()
                assert (answer.status, answer.headers["retry-after"]) == (503, "5")
                fourth.say(PING, CRLF)
                assert (await fourth.answer()).status == 200


async def test_r21_two_thousand_connections_that_never_ask_stop_nobody(service: Service) -> None:
    async with on_a_port(service.app) as port, AsyncExitStack() as open_:
        open_.enter_context(room_for(2 * IDLE))
        for number in range(IDLE):
            (await open_.enter_async_context(wire(port))).say(PING[: number % len(PING)])
        async with wire(port) as healthy:
            body = msgspec.json.encode(a_referral("1"))
            healthy.say(POST, known(), b"Content-Length: %d\r\n\r\n" % len(body), body)
            assert (await healthy.answer()).status == 200


@contextmanager
def room_for(files: int) -> Iterator[None]:
    """Both ends of every connection are in this one process."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(files + 1000, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
