"""The outermost layer: who calls and under which request id is settled before a byte of the body is read."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from litestar import Litestar

from ketenzorg.access.certificates import ClientCertificate
from ketenzorg.access.registry import Registry
from ketenzorg.access.tokens import Tokens
from ketenzorg.api import answers, oauth
from ketenzorg.api.headers import SECURITY_HEADERS
from ketenzorg.api.trail import trail_of
from ketenzorg.coordination.world import Trail, Visit
from ketenzorg.errors import Issue, KetenzorgError, NotAcceptable
from ketenzorg.fhir import r4
from ketenzorg.logs import REQUEST, log

# Without a token: what a client needs before it can have one, and what a load balancer asks.
OPEN = frozenset(
    {
        "/fhir/metadata", "/fhir/.well-known/smart-configuration", "/.well-known/smart-configuration",
        "/auth/token", "/auth/jwks", "/health/live", "/health/ready",
    }
)  # fmt: skip
CERTIFICATE = "ketenzorg.certificate"  # put there by the server, when the connection has one
VISIT = "ketenzorg.visit"
TRAIL = "ketenzorg.trail"  # for who makes a visit of its own
CLIENT = "ketenzorg.client"  # by which it says who that is, for the log
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
JSON_TYPES = ("application/fhir+json", "application/json", "application/*", "*/*")


class Gate:
    """Wraps the application: tokens, request ids, headers and the log line of every request."""

    def __init__(
        self, app: Litestar, tokens: Tokens, registry: Registry, is_page: Callable[[str], bool]
    ) -> None:
        self.litestar = app
        self._tokens = tokens
        self._registry = registry
        self._is_page = is_page  # pages know their visitors by a cookie, not by a token
        self._words = _words(app)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.litestar(scope, receive, send)
            return
        started = time.perf_counter()
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        trail = trail_of(headers, scope.get("client"))
        status = 0

        async def answer(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = message.get("headers", ())
                named = {name.lower() for name, _ in own}
                message["headers"] = [
                    *own,
                    *_echoed(trail),
                    *(header for header in SECURITY_HEADERS if header[0] not in named),
                ]
            await send(message)

        client = ""
        scope[TRAIL] = trail
        try:
            if scope["path"] not in OPEN and not self._is_page(scope["path"]):
                caller = self._tokens.verify(headers.get(b"authorization"), _thumbprint(scope))
                await self._registry.admit(caller.client)
                client = caller.client
                _speaks_json(headers.get(b"accept", ""), also=_also_speaks(scope["path"]))
                scope[VISIT] = Visit(caller, trail)
            await self.litestar(scope, receive, answer)
        except KetenzorgError as error:
            outcome = oauth.outcome_of if oauth.is_auth(scope["path"]) else answers.outcome_of
            await outcome(error)(scope, receive, answer)
        finally:
            log(
                REQUEST,
                method=scope["method"],
                route=self._route(scope["path"]),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
                client=client or scope.get(CLIENT, ""),
                request=trail.request,
            )

    def _route(self, path: str) -> str:
        """The path with every part that could be anything left out: somebody may put a person's name in it."""
        return "/".join(
            part if part in self._words else "{id}" if ID.match(part) else "{?}" for part in path.split("/")
        )


def _echoed(trail: Trail) -> Iterator[tuple[bytes, bytes]]:
    yield b"x-request-id", trail.request.encode()
    if trail.correlation:
        yield b"x-correlation-id", trail.correlation.encode()


def _thumbprint(scope: Any) -> str:
    certificate: ClientCertificate | None = scope.get(CERTIFICATE)
    return certificate.thumbprint if certificate else ""


def _also_speaks(path: str) -> str:
    """The one form beside JSON that an address may have."""
    if path.endswith(".csv"):
        return "text/csv"
    return "application/pdf" if path.startswith("/fhir/Binary/") else ""


def _speaks_json(accept: str, *, also: str) -> None:
    wanted = [part.partition(";")[0].strip().lower() for part in accept.split(",") if part.strip()]
    if wanted and not any(part in (*JSON_TYPES, also) for part in wanted):
        raise NotAcceptable(
            Issue(
                nl="Wij spreken alleen JSON: Accept: application/fhir+json.",
                en="We speak JSON only: Accept: application/fhir+json.",
            ),
        )


def _words(app: Litestar) -> frozenset[str]:
    """The fixed parts of our own routes, and the types of FHIR."""
    parts = {part for route in app.routes for part in route.path.split("/") if not part.startswith("{")}
    return frozenset(parts) | r4.STORED_TYPES
