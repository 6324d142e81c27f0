"""Validates in a process of its own, one request a line: `python -m ketenzorg.fhir.apart`.

Profiles of others, their expressions and the models of fhir.resources cost memory and time that nobody can foresee, and
a regular expression cannot be stopped by a thread: who started this process ends it when it takes too long.
It has no settings, no keys and no database.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec

from ketenzorg.errors import Issue
from ketenzorg.fhir.definitions import Definitions
from ketenzorg.fhir.profiles import Profiles
from ketenzorg.fhir.validate import claimed, validate


class Setup(msgspec.Struct):
    """The first line: what the definitions are."""

    own: list[dict[str, Any]]
    packages: str


class Ask(msgspec.Struct):
    """Each further line."""

    body: bytes
    profiles: list[str]
    only_claims: bool = False  # what the profiles say that the resource itself claims, and no more


class Answer(msgspec.Struct):
    """The line that comes back; None: this could not be worked out, which is a mistake of ours."""

    issues: list[Issue] | None


_FIRST = b'{"resourceType":"Patient","active":true}'  # everything is loaded with it, before the clock runs


def main() -> None:
    """Until standard input ends."""
    setup = msgspec.json.decode(sys.stdin.buffer.readline(), type=Setup)
    profiles = Profiles(Definitions(lambda: setup.own, Path(setup.packages)))
    validate(_FIRST, [], profiles)
    _say(Answer([]))
    for line in sys.stdin.buffer:
        ask = msgspec.json.decode(line, type=Ask)
        try:
            issues = (
                claimed(ask.body, profiles) if ask.only_claims else validate(ask.body, ask.profiles, profiles)
            )
            _say(Answer(issues))
        except Exception:
            _say(Answer(None))


def _say(answer: Answer) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
