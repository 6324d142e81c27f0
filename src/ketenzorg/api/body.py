"""The body of a request, within bounds of size, also when it is compressed. Its time: ketenzorg.cli.protocol."""

import zlib
from typing import Any

from ketenzorg.api.requests import Http
from ketenzorg.errors import Issue, Malformed, TooLarge, UnsupportedMediaType

MAX_BODY = 1024 * 1024  # bytes, after unpacking
JSON = ("application/fhir+json", "application/json")
GZIP = 16 + zlib.MAX_WBITS


async def read_body(request: Http, media_types: tuple[str, ...] = JSON) -> bytes:
    """The whole body, unpacked. Raises UnsupportedMediaType, TooLarge or Malformed."""
    headers = dict(request.scope["headers"])  # only three are looked at: nothing is decoded for the others
    _check_type(headers.get(b"content-type", b"").decode("latin-1"), media_types)
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in (b"identity", b"gzip"):
        raise UnsupportedMediaType(
            Issue(
                nl="Alleen gzip kunnen we uitpakken.", en="gzip is the only Content-Encoding that we unpack."
            )
        )
    if int(headers.get(b"content-length") or 0) > MAX_BODY:
        raise _too_large()
    body = await _whole(request)
    return _unpack(body) if encoding == b"gzip" else body


async def _whole(request: Http) -> bytes:
    """Most bodies come in one piece: those are not copied."""
    message = await _next(request)
    first: bytes = message["body"]
    if not message.get("more_body") and len(first) <= MAX_BODY:
        return first
    body = bytearray(first)
    while message.get("more_body") and len(body) <= MAX_BODY:
        message = await _next(request)
        body += message["body"]
    if len(body) > MAX_BODY:
        raise _too_large()
    return bytes(body)


async def _next(request: Http) -> Any:
    message = await request.receive()
    if (
        message["type"] == "http.disconnect"
    ):  # nobody hears it; but half a message is never taken for a whole one
        raise Malformed(Issue(nl="De verbinding werd verbroken.", en="The connection was lost."))
    return message


def media_type_of(request: Http) -> str:
    """What the body says that it is, without its parameters."""
    content_type = dict(request.scope["headers"]).get(b"content-type", b"").decode("latin-1")
    return content_type.partition(";")[0].strip().lower()


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
        )
    )
