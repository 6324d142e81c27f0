"""HTTP/1.1 as uvicorn speaks it, within bounds of time, size and number that uvicorn does not have.

Without them one client can keep connections open with a byte now and then, as long as it likes: in its headers, in a
body or in what it does not read. What breaks a bound hears why in an OperationOutcome, where an answer can still be
heard; then the connection ends. https://www.rfc-editor.org/rfc/rfc9112
"""

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any
from uuid import uuid4

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ketenzorg.api.headers import SECURITY_HEADERS
from ketenzorg.cli import refused
from ketenzorg.errors import KetenzorgError
from ketenzorg.fhir.outcome import operation_outcome
from ketenzorg.logs import REFUSED, log
from ketenzorg.metrics import BROKEN


@dataclass(frozen=True)
class Bounds:
    """What a connection may take; times in seconds."""

    head_s: float = 10.0  # until the end of the headers, from the connection or from their first byte
    body_s: float = 30.0  # for a whole body
    unread_s: float = 5.0  # for the rest of a body that was answered before it came
    idle_s: float = 30.0  # between two requests
    taking_s: float = 30.0  # for what we wrote to be taken
    head_bytes: int = 32 * 1024
    headers: int = 100
    connections: int = 4096  # to one process


@dataclass(eq=False)
class Door:
    """What the connections of one process share: their bounds, and which of them owe us a request."""

    bounds: Bounds = field(default_factory=Bounds)
    inside: set["Protocol"] = field(default_factory=set)
    waiting: dict["Protocol", None] = field(default_factory=dict)  # who waits longest is first


class Stage(Enum):
    """How far a request has come."""

    NONE = auto()
    HEAD = auto()
    BODY = auto()
    WHOLE = auto()


class _Early(Exception):
    """A request that came before the answer to the one before it."""


class Protocol(HttpToolsProtocol):
    """One connection, one request at a time: who sends the next before the answer finds the connection closed."""

    def __init__(self, *args: Any, door: Door, **named: Any) -> None:
        super().__init__(*args, **named)
        self._door = door
        self._bounds = door.bounds
        self._stage = Stage.NONE
        self._head_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._door.inside.add(self)
        self._owes_a_request(self._bounds.head_s)
        if len(self._door.inside) > self._bounds.connections:
            next(iter(self._door.waiting)).give_way()

    def connection_lost(self, exc: Exception | None) -> None:
        self._within(None)
        self._leave()
        super().connection_lost(exc)

    def give_way(self) -> None:
        """Leave, for a new connection: of all that owe us a request this one does so longest."""
        self._end(refused.full())

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return  # over TLS more may still come
        before = self._stage
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # we speak nothing else; the request is answered as it stands
        except httptools.HttpParserError as error:
            why = error.__context__
            self._refuse(why if isinstance(why, KetenzorgError) else refused.no_http())
        else:
            if before is self._stage is Stage.HEAD:
                self._head_bytes += len(data)  # a header of which no end comes is counted by nobody else
                if self._head_bytes > self._bounds.head_bytes:
                    self._refuse(refused.head_too_large(self._bounds.head_bytes))

    # What the parser finds

    def on_message_begin(self) -> None:
        if self._stage is not Stage.NONE:
            raise _Early
        super().on_message_begin()
        self._stage, self._head_bytes = Stage.HEAD, 0
        self._within(self._bounds.head_s)

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._stage is not Stage.HEAD:
            return  # a trailer: it must not pass for a header that a proxy has let through
        self._count(len(name) + len(value))
        if len(self.headers) >= self._bounds.headers:
            raise refused.too_many_headers(self._bounds.headers)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._door.waiting.pop(self, None)
        self._stage = Stage.BODY
        self._within(self._bounds.body_s)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self.cycle.response_complete:
            self._owes_a_request(self._bounds.idle_s)
        else:
            self._stage = Stage.WHOLE
            self._within(self._bounds.taking_s if self.flow.write_paused else None)

    # What happens to our answer

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._unset_keepalive_if_required()  # which each byte would put off
        if self.transport.is_closing():
            self._leave()
            self._within(self._bounds.taking_s)
        elif self._stage is Stage.WHOLE:
            self._owes_a_request(self._bounds.idle_s)
        else:
            self._within(self._bounds.unread_s)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._within(self._bounds.taking_s)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stage is Stage.WHOLE:
            self._within(None)

    # Bounds

    def _owes_a_request(self, seconds: float) -> None:
        self._stage = Stage.NONE
        self._door.waiting[self] = None
        self._within(seconds)

    def _leave(self) -> None:
        self._door.inside.discard(self)
        self._door.waiting.pop(self, None)

    def _count(self, more: int) -> None:
        self._head_bytes += more
        if self._head_bytes > self._bounds.head_bytes:
            raise refused.head_too_large(self._bounds.head_bytes)

    def _within(self, seconds: float | None) -> None:
        """From now on the client has so long for what it owes us; None: it owes us nothing."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        if self.transport.is_closing() or self.transport.get_write_buffer_size():
            self.transport.abort()  # it does not read what we wrote
        else:
            self._end(refused.too_slow())

    def _end(self, error: KetenzorgError) -> None:
        """Who asked for something hears why; who did not just finds the connection closed."""
        if self._stage is Stage.NONE:
            self._close()
        else:
            self._refuse(error)

    def _refuse(self, error: KetenzorgError) -> None:
        """Say why and end the connection; where an answer is under way or was given, that remains the last word."""
        if self._stage is Stage.WHOLE:
            self.cycle.keep_alive = False
            return
        if self._stage is Stage.BODY:
            silent = self.cycle.response_started
            self.cycle.disconnected = True
            self.cycle.message_event.set()  # who waits for the rest of the body need not
        else:
            silent = False
        if not silent:
            log(REFUSED, status=error.status, why=type(error).__name__)
            BROKEN.labels(type(error).__name__).inc()
            self.transport.write(self._answer(error))
        self._close()

    def _close(self) -> None:
        self._leave()
        self.transport.close()
        self._within(self._bounds.taking_s)

    def _answer(self, error: KetenzorgError) -> bytes:
        body = operation_outcome(error.issues, error.code, error.status)
        headers = [
            *self.server_state.default_headers,
            *SECURITY_HEADERS,
            *((name.encode(), value.encode()) for name, value in error.headers.items()),
            (b"content-type", refused.TYPE),
            (b"content-length", b"%d" % len(body)),
            (b"x-request-id", str(uuid4()).encode()),
            (b"connection", b"close"),
        ]
        lines = (b"%s: %s\r\n" % header for header in headers)
        return b"".join((STATUS_LINE[error.status], *lines, b"\r\n", body))
