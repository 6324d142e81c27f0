"""Only in the sandbox: the clock of the region, which a demo or a test moves."""

from datetime import UTC, datetime, timedelta

import msgspec
from litestar import get, put
from litestar.response.base import ASGIResponse

from ketenzorg.api.answers import resource
from ketenzorg.api.body import read_body
from ketenzorg.api.requests import Http, visit_of
from ketenzorg.coordination.steps.watching import Watcher
from ketenzorg.errors import Forbidden, Invalid, Issue

CLOCK_SCOPE = "system/sandbox.clock"


class SandboxClock:
    """Real time, shifted; it moves on by itself."""

    def __init__(self) -> None:
        self._shift = timedelta(0)
        self.is_set = False

    def now(self) -> datetime:
        """The moment that it is in the sandbox."""
        now = datetime.now(UTC) + self._shift
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def set(self, moment: datetime) -> None:
        """Make it this moment."""
        self._shift = moment - datetime.now(UTC)
        self.is_set = True


class Clock(msgspec.Struct):
    """The body of both requests."""

    now: datetime


@get("/sandbox/clock")
async def read_clock(request: Http) -> ASGIResponse:
    """What time it is in the sandbox."""
    return resource(msgspec.json.encode(Clock(request.app.state.clock.now())))


@put("/sandbox/clock")
async def set_clock(request: Http) -> ASGIResponse:
    """Move the clock of the sandbox, and tell what runs out until then; tokens and retries keep to the real one."""
    if CLOCK_SCOPE not in visit_of(request).caller.scopes:
        raise Forbidden(
            Issue(nl=f"Dit token mist de scope {CLOCK_SCOPE}.", en=f"This token lacks {CLOCK_SCOPE}.")
        )
    try:
        clock = msgspec.json.decode(await read_body(request), type=Clock)
    except msgspec.DecodeError as error:
        raise Invalid(
            Issue(nl='Stuur {"now": "2026-01-01T09:00:00Z"}.', en='Send {"now": "2026-01-01T09:00:00Z"}.')
        ) from error
    if clock.now.tzinfo is None:
        raise Invalid(Issue(nl="Noem ook de tijdzone.", en="Name the time zone too."))
    sandbox: SandboxClock = request.app.state.clock
    if sandbox.is_set and clock.now < sandbox.now():
        raise Invalid(
            Issue(nl="De klok gaat niet terug: een traject ook niet.", en="The clock does not go back.")
        )
    watcher: Watcher = request.app.state.watcher
    await watcher.pass_time(clock.now)
    sandbox.set(clock.now)
    return resource(msgspec.json.encode(Clock(request.app.state.clock.now())))
