"""How a party's system talks to the service: with its own token, and what it reads in $next."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from ketenzorg.access.tokens import Caller
from ketenzorg.app import tokens_of
from ketenzorg.pathway.calendar import AMSTERDAM
from ketenzorg.pathway.region import Organisation
from services import REGION, SECRET, SETTINGS, Service
from spec.walks import DAY_0

PATCH = {"Content-Type": "application/json-patch+json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ORGANISATION = "Organization/"
_TOKENS: dict[UUID, str] = {}


@dataclass(frozen=True)
class Option:
    """One thing that may happen next, as $next says it."""

    event: str
    to: str
    status: str
    by: list[str]
    needs: dict[str, str]  # the name of each answer, and its first code; some words where there is none
    organisations: list[UUID]  # who could get the hand-over that it begins


async def call(
    service: Service, who: UUID, method: str, address: str, body: Any = None, expected: int | None = None
) -> httpx.Response:
    """What an organisation's system sends, and what it gets back; a form is a text."""
    as_form = isinstance(body, str)
    headers = {"Authorization": f"Bearer {_token(who)}"}
    headers |= FORM if as_form else PATCH if method == "PATCH" else {}
    content = body.encode() if as_form else json.dumps(body).encode() if body is not None else None
    response = await service.stranger.request(method, address, content=content, headers=headers)
    assert expected in (None, response.status_code), (address, response.text)
    return response


def party(task: dict[str, Any], element: str) -> UUID:
    """Who asks, or who performs, as the Task says it."""
    return UUID(task[element]["reference"].removeprefix(ORGANISATION))


def options_of(parameters: list[dict[str, Any]]) -> list[Option]:
    """What may happen next."""
    return [_option(each["part"]) for each in parameters if each["name"] == "next"]


def first_due(parameters: list[dict[str, Any]]) -> str:
    """The day on which the first norm runs out, and its name."""
    return next((_due(each["part"]) for each in parameters if each["name"] == "due"), "-")


def introduce(known: Organisation) -> None:
    """From now on this organisation has a token, also one that only a test has in its region."""
    caller = Caller(f"systeem-{known.ura}", known.id, known.kind, frozenset({"system/*.cruds"}), REGION.code)
    _TOKENS[known.id] = tokens_of(SETTINGS, SECRET).issue(caller, timedelta(hours=1))


def _token(organisation: UUID) -> str:
    if organisation not in _TOKENS:
        known = REGION.by_id(organisation)
        assert known is not None
        introduce(known)
    return _TOKENS[organisation]


def _option(parts: list[dict[str, Any]]) -> Option:
    references = [part["valueReference"]["reference"] for part in parts if part["name"] == "organisatie"]
    return Option(
        event=_values(parts, "event")[0],
        to=_values(parts, "toStep")[0],
        status=_values(parts, "status")[0],
        by=_values(parts, "by"),
        needs=dict(_need(part["part"]) for part in parts if part["name"] == "needs"),
        organisations=[UUID(each.removeprefix(ORGANISATION)) for each in references],
    )


def _need(parts: list[dict[str, Any]]) -> tuple[str, str]:
    return _values(parts, "name")[0], next(iter(_values(parts, "code")), "Tekst.")


def _values(parts: list[dict[str, Any]], wanted: str) -> list[str]:
    return [
        str(value)
        for part in parts
        if part["name"] == wanted
        for name, value in part.items()
        if name.startswith("value")
    ]


def _due(parts: list[dict[str, Any]]) -> str:
    at = datetime.fromisoformat(_values(parts, "at")[0]).astimezone(AMSTERDAM)
    return f"{(at.date() - DAY_0.date()).days} {_values(parts, 'norm')[0]}"
