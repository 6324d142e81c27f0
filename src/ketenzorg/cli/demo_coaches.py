"""How systems of coaches say what happened: one by name, one by JSON Patch, one by writing the whole Task."""

import copy
from collections.abc import Awaitable, Callable

from ketenzorg.cli.demo_courses import Act
from ketenzorg.cli.demo_lines import Json, Line
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region import Organisation
from ketenzorg.referral.codes import output_type, reason_concept

# What a status alone says without doubt; everything else has a name.
STATUS_OF = {
    "aannemen": "accepted",
    "afwijzen": "rejected",
    "ziet ervan af": "failed",
    "afhaken": "failed",
    "afronden": "completed",
}
PATCH_TYPE = {"Content-Type": "application/json-patch+json"}


async def act(line: Line, task: str, what: Act, organisation: Organisation, pathway: Pathway) -> Json:
    """Say it the way this organisation's system says it; gives the Task as it is then."""
    by_status = what.event in STATUS_OF and what.by == pathway.role_of("owner")
    say = WAYS[organisation.id.int % len(WAYS)] if by_status else say_event
    return await say(line, task, what, pathway)


async def say_event(line: Line, task: str, what: Act, _: Pathway) -> Json:
    """Task/$event: the event by its name, with what it brings."""
    answers = [{"name": name, "valueString": text} for name, text in what.given.items()]
    event = {"name": "event", "valueString": what.event}
    return await line.call(
        "POST", f"/fhir/{task}/$event", {"resourceType": "Parameters", "parameter": [event, *answers]}
    )


async def patch_status(line: Line, task: str, what: Act, pathway: Pathway) -> Json:
    """JSON Patch on the version that was read."""
    before = await line.call("GET", f"/fhir/{task}")
    after = _changed(before, what, pathway)
    operations = [
        {"op": "add", "path": f"/{element}", "value": after[element]}
        for element in ("status", "statusReason", "output")
        if after.get(element) != before.get(element)
    ]
    return await line.call("PATCH", f"/fhir/{task}", operations, headers=PATCH_TYPE | _seen(before))


async def put_task(line: Line, task: str, what: Act, pathway: Pathway) -> Json:
    """The whole Task, as read and changed."""
    before = await line.call("GET", f"/fhir/{task}")
    return await line.call("PUT", f"/fhir/{task}", _changed(before, what, pathway), headers=_seen(before))


WAYS: tuple[Callable[[Line, str, Act, Pathway], Awaitable[Json]], ...] = (say_event, patch_status, put_task)


def _changed(before: Json, what: Act, pathway: Pathway) -> Json:
    after = copy.deepcopy(before)
    after["status"] = STATUS_OF[what.event]
    for name, text in what.given.items():
        if pathway.file.needs[name].goes_to == "reden":
            after["statusReason"] = reason_concept(text, pathway.file.codes[text])
        else:
            after.setdefault("output", []).append({"type": output_type(name), "valueString": text})
    return after


def _seen(task: Json) -> dict[str, str]:
    return {"If-Match": f'W/"{task["meta"]["versionId"]}"'}
