"""The body of a request, within bounds of size and time, also when it is compressed."""

import asyncio
import zlib
from typing import Any

from litestar import Request

from ketenzorg.errors import Issue, Malformed, TooLarge, UnsupportedMediaType

MAX_BODY = 1024 * 1024  # bytes, after unpacking
MAX_SECONDS = 30.0  # for the whole body: a byte now and then does not keep a connection
JSON = ("application/fhir+json", "application/json")
GZIP = 16 + zlib.MAX_WBITS


async def read_body(request: Request[Any, Any, Any], media_types: tuple[str, ...] = JSON) -> bytes:
    """The whole body, unpacked. Raises UnsupportedMediaType, TooLarge or Malformed."""
    _check_type(request.headers.get("content-type", ""), media_types)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise UnsupportedMediaType(
            Issue(
                nl="Alleen gzip kunnen we uitpakken.", en="gzip is the only Content-Encoding that we unpack."
            )
        )
    if int(request.headers.get("content-length") or 0) > MAX_BODY:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(MAX_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise _too_large()
    except TimeoutError as error:
        raise TooLarge(
            Issue(
                nl=f"Het bericht kwam niet binnen {MAX_SECONDS:.0f} s aan.",
                en="The message came in too slowly.",
            ),
            headers={"Connection": "close"},
        ) from error
    return _unpack(bytes(body)) if encoding == "gzip" else bytes(body)


def _check_type(content_type: str, media_types: tuple[str, ...]) -> None:
    media_type, _, parameters = content_type.partition(";")
    if media_type.strip().lower() not in media_types:
        wanted = " of ".join(media_types)
        raise UnsupportedMediaType(
            Issue(
                nl=f"Stuur Content-Type: {wanted}.",
                en=f"Send Content-Type: {wanted.replace(' of ', ' or ')}.",
            ),
        )
    charset = parameters.lower().partition("charset=")[2].strip(' "')
    if charset not in ("", "utf-8", "utf8"):
        raise UnsupportedMediaType(Issue(nl="Stuur UTF-8.", en="Send UTF-8."))


def _unpack(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(GZIP)
    try:
        body = unpacker.decompress(packed, MAX_BODY + 1)
    except zlib.error as error:
        raise Malformed(Issue(nl="De gzip is beschadigd.", en="The gzip is damaged.")) from error
    if len(body) > MAX_BODY:
        raise _too_large()
    if not unpacker.eof or unpacker.unused_data:
        raise Malformed(Issue(nl="De gzip is niet heel.", en="The gzip is not whole."))
    return body


def _too_large() -> TooLarge:
    return TooLarge(
        Issue(
            nl=f"Het bericht is groter dan {MAX_BODY} bytes. Stuur bijlagen apart.",
            en=f"The message is over {MAX_BODY} bytes. Send attachments separately.",
        ),
        headers={"Connection": "close"},
    )
