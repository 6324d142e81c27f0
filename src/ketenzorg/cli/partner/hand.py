"""What a partner of the sandbox does with a Task that it hears of: the next thing that the pathway allows it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import httpx

from ketenzorg.cli.partner.ear import Behaviour
from ketenzorg.fhir import json

FORWARD = ("received", "accepted", "in-progress")
DECLINED = ("rejected", "failed")
WORDS = "Gespeeld door een partner van de zandbak."
DONE = "afgerond"  # the step of an ordinary end
NOT_BY_ITSELF = ("nood", "crisis")  # events that only people report
RUBBISH = b'{"resourceType":"Task","status":"klaar","owner":'


class Choice(NamedTuple):
    """An event, with what it needs."""

    event: str
    to_step: str
    status: str
    given: Mapping[str, str]


class Hand:
    """Works on Tasks for one organisation, over HTTP, as its own system would."""

    def __init__(self, line: httpx.AsyncClient, kind: str, roles: Mapping[str, Collection[str]]) -> None:
        self._line = line
        self._roles = roles.get(kind, ())
        self._been: dict[str, set[str]] = {}  # Task -> steps that it has had here

    async def work_on(self, task: str, behaviour: Behaviour) -> str:
        """One step further; says what was done, for the person who watches."""
        if behaviour is Behaviour.GARBAGE:
            return await self._throw(task)
        told = await self._line.get(f"{task}/$next")
        if told.status_code != httpx.codes.OK:
            return f"{task}: {told.status_code}"
        step, choices = read_next(told.json(), self._roles)
        been = self._been.setdefault(task, set())
        been.add(step)
        choice = choose(choices, step, been, declines=behaviour is Behaviour.REJECTS)
        if choice is None:
            return f"{task}: {step}, niets te doen"
        answer = await self._line.post(f"{task}/$event", content=said(choice))
        return f"{task}: {step} -> {choice.event} ({answer.status_code})"

    async def _throw(self, task: str) -> str:
        answer = await self._line.put(task, content=RUBBISH)
        return f"{task}: rommel gestuurd ({answer.status_code})"


def read_next(parameters: Mapping[str, Any], roles: Collection[str]) -> tuple[str, list[Choice]]:
    """The step, and what these roles may say in it."""
    step, choices = "", []
    for each in parameters["parameter"]:
        if each["name"] == "step":
            step = each["valueCodeableConcept"]["text"]
        elif each["name"] == "next":
            parts = each["part"]
            by = {part["valueString"] for part in parts if part["name"] == "by"}
            if by & set(roles):
                choices.append(_choice(parts))
    return step, choices


def choose(choices: Sequence[Choice], step: str, been: Collection[str], *, declines: bool) -> Choice | None:
    """The likeliest: decline when that is the wish, else on to a step that was not there yet, else finish."""
    calm = [each for each in choices if not any(word in each.event for word in NOT_BY_ITSELF)]
    if declines:
        return next((each for each in calm if each.status in DECLINED), None)
    onward = [each for each in calm if each.status in FORWARD and each.to_step not in {step, *been}]
    ends = sorted(
        (each for each in calm if each.status == "completed"), key=lambda each: each.to_step != DONE
    )
    return next(iter([*onward, *ends]), None)


def said(choice: Choice) -> bytes:
    """The Parameters of $event."""
    answers = [{"name": name, "valueString": text} for name, text in choice.given.items()]
    event = {"name": "event", "valueString": choice.event}
    return json.write({"resourceType": "Parameters", "parameter": [event, *answers]})


def _choice(parts: Sequence[Mapping[str, Any]]) -> Choice:
    words = {part["name"]: part.get("valueString") or part.get("valueCode", "") for part in parts}
    given = dict(_given(part["part"]) for part in parts if part["name"] == "needs")
    return Choice(words["event"], words["toStep"], words["status"], given)


def _given(need: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    name = next(part["valueString"] for part in need if part["name"] == "name")
    codes = [part["valueCode"] for part in need if part["name"] == "code"]
    return name, codes[0] if codes else WORDS
