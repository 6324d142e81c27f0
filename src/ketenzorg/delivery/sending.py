"""One attempt to send a message over HTTP, and what the answer means; the receiver's words are never kept."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from ketenzorg.access.outgoing import AddressRefused, Outgoing

LONGEST_S = 30.0  # for connecting, sending and the status line of the answer together; a subscription may ask for less
DRAIN_S = 1.0
DRAIN_BYTES = 16 * 1024  # an answer that says it is no longer leaves a connection that can be used again
NO_CONTENT = 204
GONE = 410
ASK_TO_WAIT = (429, 503)
NOT_NOW = (408, 425, 429)  # of the 4xx, those that are not about the message
DIGITS = 10  # of the seconds in a Retry-After: more would only be cut off later


class Answer(msgspec.Struct, frozen=True):
    """What came of an attempt; `why` is a code word, never a body or an address."""

    arrived: bool = False
    why: str = ""
    refused: bool = False  # it is this message that is not taken: of others nothing is known
    gone: bool = False  # the receiver says that it wants no more
    wait_s: float = 0.0  # the receiver asks us to wait


def new_client(outgoing: Outgoing) -> httpx.AsyncClient:
    """The HTTP client of a worker."""
    return outgoing.client(timeout_s=LONGEST_S)


async def send(
    client: httpx.AsyncClient,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    now: datetime,
    timeout_s: float,
) -> Answer:
    """Post a message. A receiver that cannot be reached is an answer too."""
    try:
        async with asyncio.timeout(min(timeout_s, LONGEST_S)):
            request = client.build_request(
                "POST", url, content=body, headers={"Content-Type": "application/fhir+json", **headers}
            )
            response = await client.send(request, stream=True)
    except (TimeoutError, httpx.TimeoutException):
        return Answer(why="timeout")
    except (httpx.TransportError, OSError):
        return Answer(why="connection")
    except (AddressRefused, httpx.InvalidURL):
        return Answer(why="address")
    await _let_go(response)
    return _meaning(response, now)


def _meaning(response: httpx.Response, now: datetime) -> Answer:
    if response.is_success:
        return Answer(arrived=True)
    asked = response.headers.get("Retry-After") if response.status_code in ASK_TO_WAIT else None
    return Answer(
        why=f"http {response.status_code}",
        refused=response.is_client_error and response.status_code not in NOT_NOW,
        gone=response.status_code == GONE,
        wait_s=_seconds(asked, now) if asked else 0.0,
    )


async def _let_go(response: httpx.Response) -> None:
    """Reads a short answer to its end; else the connection closes. Whatever happens here, the status has said all."""
    nothing = response.status_code == NO_CONTENT
    length = "0" if nothing else response.headers.get("Content-Length", "")
    with suppress(TimeoutError, httpx.HTTPError, OSError):
        try:
            async with asyncio.timeout(DRAIN_S):
                if length.isdecimal() and int(length) <= DRAIN_BYTES:
                    async for _ in response.aiter_raw():
                        pass
        finally:
            await response.aclose()


def _seconds(retry_after: str, now: datetime) -> float:
    """Retry-After as seconds; what cannot be read asks nothing. RFC 9110 section 10.2.3."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        return float(text[:DIGITS])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    return max((moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds(), 0.0)
