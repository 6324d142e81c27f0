"""The outermost layer: who calls and under which request id is settled before a byte of the body is read."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from litestar import Litestar
from litestar.response.base import ASGIResponse

from ketenzorg.access.certificates import ClientCertificate
from ketenzorg.access.limits import Limits, house_of
from ketenzorg.access.registry import Registry
from ketenzorg.access.tokens import Caller, Tokens
from ketenzorg.api import answers, oauth
from ketenzorg.api.headers import HTTPS_ONLY, SECURITY_HEADERS
from ketenzorg.api.shaping import Shaping, check_accept
from ketenzorg.api.trail import trail_of
from ketenzorg.coordination.world import Trail, Visit
from ketenzorg.errors import Issue, KetenzorgError, NotFound, Unauthenticated
from ketenzorg.fhir import r4
from ketenzorg.logs import REQUEST, log
from ketenzorg.metrics import UNDER_WAY, request_ended

# Without a token: what a client needs before it can have one, and what a load balancer asks.
OPEN = frozenset(
    {
        "/fhir/metadata", "/fhir/.well-known/smart-configuration", "/.well-known/smart-configuration",
        oauth.GRANTING, "/auth/jwks", "/health/live", "/health/ready",
    }
)  # fmt: skip
# Whoever uses up an address must not seem to have felled us.
UNCOUNTED = frozenset({"/health/live", "/health/ready"})
CERTIFICATE = "ketenzorg.certificate"  # put there by the server, when the connection has one
VISIT = "ketenzorg.visit"
TRAIL = "ketenzorg.trail"  # for who makes a visit of its own
CLIENT = "ketenzorg.client"  # by which it says who that is, for the log
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


class Pages(Protocol):
    """What the gate asks of the pages: they know their visitors by a cookie, not by a token."""

    def has(self, path: str) -> bool:
        """Whether an address is one of people."""

    def person_of(self, cookies: str) -> str:
        """Who has signed in; empty: nobody."""

    def refusal(self, error: KetenzorgError) -> ASGIResponse:
        """What a person hears whom the gate does not let in."""


class Gate:
    """Wraps the application: tokens, limits, request ids, headers and the log line of every request."""

    def __init__(
        self,
        app: Litestar,
        tokens: Tokens,
        registry: Registry,
        limits: Limits,
        pages: Pages | None,
        *,
        https: bool,
    ) -> None:
        self.litestar = app
        self._shaping = Shaping(app)
        self._tokens = tokens
        self._registry = registry
        self._limits = limits
        self._pages = pages
        self._headers = (*SECURITY_HEADERS, HTTPS_ONLY) if https else SECURITY_HEADERS
        self._words = _words(app)
        self._places = frozenset(route.path.split("/")[1] for route in app.routes)

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
                    *(header for header in self._headers if header[0] not in named),
                ]
            await send(message)

        scope[TRAIL] = trail
        UNDER_WAY.inc()
        try:
            with await self._share(scope, headers, trail):
                await self._shaping(scope, receive, answer)
        except KetenzorgError as error:
            await self._refusal(scope["path"], headers, error)(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - started
            UNDER_WAY.dec()
            request_ended(scope["method"], scope.get("path_template", ""), status, seconds)
            log(
                REQUEST,
                method=scope["method"],
                route=self._route(scope["path"]),
                status=status,
                ms=round(seconds * 1000, 1),
                client=scope.get(CLIENT, ""),
                request=trail.request,
            )

    async def _share(
        self, scope: Any, headers: Mapping[bytes, str], trail: Trail
    ) -> AbstractContextManager[None]:
        """Whose share of the service this request takes. Raises what keeps it out."""
        path, limits = scope["path"], self._limits
        if path in UNCOUNTED:
            return nullcontext()
        if path in OPEN:
            if path.startswith("/fhir/"):
                check_accept(headers.get(b"accept", ""), scope["query_string"])
            return (limits.tokens if path == oauth.GRANTING else limits.addresses).share(_house(scope))
        if self._pages and self._pages.has(path):
            person = self._pages.person_of(headers.get(b"cookie", ""))
            return limits.people.share(person) if person else limits.addresses.share(_house(scope))
        if self._lost(path, headers):
            with limits.addresses.share(_house(scope)):
                raise NotFound(Issue(nl="Dit adres bestaat niet.", en="No such address."))
        try:
            caller = await self._caller(scope, headers)
        except Unauthenticated:
            with limits.addresses.share(_house(scope)):
                raise
        scope[CLIENT] = caller.client
        check_accept(headers.get(b"accept", ""), scope["query_string"], also=_also_speaks(path))
        scope[VISIT] = Visit(caller, trail, self._registry.is_liberal(caller.client))
        return limits.clients.share(caller.client)

    async def _caller(self, scope: Any, headers: Mapping[bytes, str]) -> Caller:
        caller = self._tokens.verify(headers.get(b"authorization"), _thumbprint(scope))
        await self._registry.admit(caller.client)
        return caller

    def _lost(self, path: str, headers: Mapping[bytes, str]) -> bool:
        """Whether a browser asks for what is no address of ours: answered here, so that it leads past nothing."""
        place = path.split("/")[1] if path.startswith("/") else path
        return (
            self._pages is not None
            and place not in self._places
            and "text/html" in headers.get(b"accept", "").lower()
        )

    def _refusal(self, path: str, headers: Mapping[bytes, str], error: KetenzorgError) -> ASGIResponse:
        """In the words of whoever is at this address."""
        if self._pages and (self._pages.has(path) or self._lost(path, headers)):
            return self._pages.refusal(error)
        return oauth.outcome_of(error) if oauth.is_auth(path) else answers.outcome_of(error)

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


def _house(scope: Any) -> str:
    client = scope.get("client")
    return house_of(client[0]) if client else ""


def _also_speaks(path: str) -> str:
    """The one form beside JSON that an address may have."""
    if path.endswith(".csv"):
        return "text/csv"
    return "application/pdf" if path.startswith("/fhir/Binary/") else ""


def _words(app: Litestar) -> frozenset[str]:
    """The fixed parts of our own routes, and the types of FHIR."""
    parts = {part for route in app.routes for part in route.path.split("/") if not part.startswith("{")}
    return frozenset(parts) | r4.STORED_TYPES
