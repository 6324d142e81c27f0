"""The driver's own truth: every attempt, and what may be concluded from how it ended.

A timeout is no failure: what was asked may have been done. So an attempt is acknowledged, refused, or unknown.
"""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

Outcome = Literal["ack", "nack", "unknown"]
Did = Literal["refer", "step"]


class Attempt(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One request, and how it ended. `key`: identifier of its referral; no more is known of a person here."""

    did: Did
    key: str
    request: str  # X-Request-Id
    sent: float  # seconds since the epoch
    ended: float
    outcome: Outcome
    status: int = 0
    why: str = ""  # it is unknown
    digest: str = ""  # of what was sent
    locations: list[str] = []  # of a referral: where its parts are
    task: str = ""
    event: str = ""
    base: int = 0  # of a step: the version that it was asked on
    version: int = 0  # of the Task: that came of it; 0: that nothing came of it, or not known


class Blow(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What was done to the service, and when."""

    kind: str
    at: float
    what: str = ""


class Settled(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Of a step whose answers did not say it: which version the Task has since."""

    task: str
    base: int
    version: int
    at: float


Line = Attempt | Blow | Settled


class LogFile:
    """Lines of JSON in a file; each is written before anybody acts on it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Self:
        self._file = self.path.open("ab", buffering=0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, line: msgspec.Struct) -> None:
        """One more."""
        self._file.write(msgspec.json.encode(line) + b"\n")


class Truth(msgspec.Struct, frozen=True):
    """What stands in a truth log."""

    attempts: list[Attempt]
    blows: list[Blow]
    settled: list[Settled]

    @classmethod
    def read(cls, path: Path) -> "Truth":
        """From the file: the one witness."""
        lines = [msgspec.json.decode(line, type=Line) for line in path.read_bytes().splitlines()]
        return cls(
            [line for line in lines if isinstance(line, Attempt)],
            [line for line in lines if isinstance(line, Blow)],
            [line for line in lines if isinstance(line, Settled)],
        )

    def referrals(self, outcome: Outcome) -> Iterator[Attempt]:
        """Attempts to refer that ended so."""
        return (each for each in self.attempts if each.did == "refer" and each.outcome == outcome)

    def steps(self) -> dict[str, dict[int, list[Attempt]]]:
        """Task -> version that it was asked on -> the attempts."""
        found: dict[str, dict[int, list[Attempt]]] = {}
        for each in self.attempts:
            if each.did == "step":
                found.setdefault(each.task, {}).setdefault(each.base, []).append(each)
        return found
