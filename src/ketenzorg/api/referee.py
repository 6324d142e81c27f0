"""The process that works out $validate: begun at the first question, ended when one takes too long or none comes."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from ketenzorg.errors import Issue, Unavailable
from ketenzorg.fhir.apart import Answer, Ask, Setup

STARTING: Final = 60  # seconds: imports, on a busy machine
LONGEST: Final = 10  # seconds for one resource
IDLE: Final = 600  # seconds without a question
MOST_WAITING: Final = 16
LINE: Final = 8 * 1024 * 1024  # bytes of an answer
# No settings and no keys: it needs to find Python and itself.
PASSED_ON: Final = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "SYSTEMROOT")


class Referee:
    """One process, one question at a time. https://docs.python.org/3/library/asyncio-subprocess.html"""

    def __init__(
        self,
        own: Callable[[], Sequence[dict[str, Any]]],
        packages: Path,
        environ: Mapping[str, str],
        *,
        longest: float = LONGEST,
    ) -> None:
        self._own = own
        self._packages = packages
        self._environ = {name: environ[name] for name in PASSED_ON if name in environ}
        self._longest = longest
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._idle: asyncio.TimerHandle | None = None

    async def issues(self, body: bytes, profiles: Sequence[str]) -> list[Issue]:
        """Everything that there is to say of a body that is within bounds. Raises Unavailable when many wait."""
        return await self._in_turn(Ask(body, list(profiles)))

    async def _in_turn(self, ask: Ask) -> list[Issue]:
        if self._waiting >= MOST_WAITING:
            raise Unavailable(_BUSY, headers={"Retry-After": "5"})
        self._waiting += 1
        try:
            async with self._turn:
                return await self._ask(ask)
        finally:
            self._waiting -= 1

    async def claims(self, sent: Sequence[tuple[str, bytes]]) -> list[Issue]:
        """What is wrong with resources by the profiles that they claim, at their places. That it could not be told
        stops nothing."""
        found: list[Issue] = []
        for path, body in sent:
            try:
                issues = await self._in_turn(Ask(body, [], only_claims=True))
            except (Unavailable, RuntimeError, TimeoutError):
                issues = [_TOO_LONG]
            found += [_claim(issue, path) for issue in issues]
        return found

    async def close(self) -> None:
        """End the process."""
        if self._idle is not None:
            self._idle.cancel()
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()  # its pipes too

    async def _ask(self, ask: Ask) -> list[Issue]:
        try:
            process = await self._running()
            async with asyncio.timeout(self._longest):
                answer = await _said(process, ask)
        except TimeoutError:
            await self.close()
            return [_TOO_LONG]
        except BaseException:  # who asked is gone: the answer would be taken for that of the next
            await self.close()
            raise
        if answer.issues is None:
            raise RuntimeError("a resource could not be validated")
        return answer.issues

    async def _running(self) -> Process:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE, self._rest)
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ketenzorg.fhir.apart", stdin=PIPE, stdout=PIPE, stderr=DEVNULL,
                limit=LINE, env=self._environ, start_new_session=True,
            )  # fmt: skip
            async with asyncio.timeout(STARTING):
                await _said(self._process, Setup(list(self._own()), str(self._packages)))
        return self._process

    def _rest(self) -> None:
        """It ends by itself when nothing can come any more."""
        if not self._turn.locked() and self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process = None


async def _said(process: Process, what: Ask | Setup) -> Answer:
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - both are pipes
    process.stdin.write(msgspec.json.encode(what) + b"\n")
    await process.stdin.drain()
    return msgspec.json.decode(await process.stdout.readline(), type=Answer)


def _claim(issue: Issue, path: str) -> Issue:
    if issue is _TOO_LONG:
        return msgspec.structs.replace(_NOT_CHECKED, expression=(path,))
    places = tuple(
        f"{path}{dot}{rest}" for _, dot, rest in (each.partition(".") for each in issue.expression)
    )
    return msgspec.structs.replace(issue, expression=places, soft=True, kind="profile")


_NOT_CHECKED: Final = Issue(
    "Of dit voldoet aan de profielen die het noemt, kon nu niet worden nagekeken.",
    "Whether this conforms to the profiles that it claims could not be checked now.",
    code="incomplete",
    severity="warning",
)
_TOO_LONG: Final = Issue(
    f"Dit nakijken duurde langer dan {LONGEST} seconden en is gestopt: over deze resource is niets gezegd.",
    f"Validating this took longer than {LONGEST} seconds and was stopped: nothing was said about this resource.",
    code="too-costly",
    severity="fatal",
)
_BUSY: Final = Issue(
    "Er wachten al veel resources om nagekeken te worden. Probeer het straks weer.",
    "Many resources wait to be validated already. Try again in a while.",
)
