"""How systems of coaches say what happened: one by name, one by JSON Patch. They see no whole Task to write back."""

import copy
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from ketenzorg.cli.demo.courses import Act
from ketenzorg.cli.demo.lines import Json, Line
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region import Organisation
from ketenzorg.referral.codes import output_type, reason_concept

PATCH_TYPE = {"Content-Type": "application/json-patch+json"}


class Said(NamedTuple):
    """An act on a Task, as the system of an organisation is to say it."""

    task: str
    what: Act
    status: str | None  # the Task.status that says the same, when there is one
    seen: Json | None  # the Task as this organisation saw it last, when nobody else came after


async def act(line: Line, said: Said, organisation: Organisation, pathway: Pathway) -> Json:
    """Say it the way this organisation's system says it; gives the Task as it is then."""
    say = WAYS[organisation.id.int % len(WAYS)] if said.status else say_event
    return await say(line, said, pathway)


async def say_event(line: Line, said: Said, _: Pathway) -> Json:
    """Task/$event: the event by its name, when it happened, and what it brings."""
    parameters = [
        {"name": "event", "valueString": said.what.event},
        {"name": "at", "valueDateTime": said.what.at.isoformat()},
        *({"name": name, "valueString": text} for name, text in said.what.given.items()),
    ]
    return await line.call(
        "POST", f"/fhir/{said.task}/$event", {"resourceType": "Parameters", "parameter": parameters}
    )


async def patch_status(line: Line, said: Said, pathway: Pathway) -> Json:
    """JSON Patch on the version that was read."""
    before = await _seen(line, said)
    after = _changed(before, said, pathway)
    operations = [
        {"op": "add", "path": f"/{element}", "value": after[element]}
        for element in ("status", "statusReason", "output")
        if after.get(element) != before.get(element)
    ]
    return await line.call("PATCH", f"/fhir/{said.task}", operations, headers=PATCH_TYPE | _matching(before))


WAYS: tuple[Callable[[Line, Said, Pathway], Awaitable[Json]], ...] = (say_event, patch_status)


async def _seen(line: Line, said: Said) -> Json:
    return said.seen or await line.call("GET", f"/fhir/{said.task}")


def _changed(before: Json, said: Said, pathway: Pathway) -> Json:
    after = copy.deepcopy(before)
    after["status"] = said.status
    for name, text in said.what.given.items():
        if pathway.file.needs[name].goes_to == "reden":
            after["statusReason"] = reason_concept(text, pathway.file.codes[text])
        else:
            after.setdefault("output", []).append({"type": output_type(name), "valueString": text})
    return after


def _matching(task: Json) -> dict[str, str]:
    return {"If-Match": f'W/"{task["meta"]["versionId"]}"'}
