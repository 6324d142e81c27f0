"""What goes wrong is answered as the guide says: status, codes, our code, texts and places, of every request in it.

`WRITE_ANSWERS=1 ./run test tests/api/test_mistakes.py` writes the answers again; read what changed.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fhirpathpy
import httpx
import msgspec
import pytest

from ketenzorg.fhir.catalogue import KINDS, SYSTEM
from ketenzorg.pages.mistakes import (
    FOLDER,
    Answered,
    Mistake,
    Said,
    filled,
    load_answers,
    load_broken,
    load_mistakes,
)
from ketenzorg.referral.codes import BASE
from referrals import places_of
from services import SETTINGS, Referral, Service

MISTAKES = load_mistakes(SETTINGS.profiles)
ANSWERS, BROKEN = (SETTINGS.profiles / FOLDER / name for name in ("answers.json", "broken.json"))
# Ours or the moment's, and not to be had by asking: other tests prove these.
NOT_ASKED_FOR = {"throttled", "try-again", "our-fault", "gone", "too-costly", "too-large", "incomplete"}
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d\d-\d\d-\d{4}( \d\d:\d\d)?|\d{4}-\d\d-\d\dT[\d:.]+(Z|\+\d\d:\d\d)")


@pytest.fixture
async def referral(service: Service) -> Referral:
    return await service.refer()


async def test_every_mistake_is_answered_as_the_guide_says(service: Service, referral: Referral) -> None:
    answers = {each.title: await answered(each, service, referral) for each in MISTAKES}
    assert len(answers) == len(MISTAKES) >= 80
    if os.environ.get("WRITE_ANSWERS"):
        write(ANSWERS, answers)
    known = load_answers(SETTINGS.profiles)
    for title, answer in answers.items():
        assert answer == known.get(title), title
    assert set(known) == set(answers)


async def test_every_broken_example_is_answered_as_the_guide_says(service: Service) -> None:
    answers = {}
    for path in sorted((SETTINGS.profiles / "examples" / "broken").glob("*.json")):
        profile = "-".join(path.stem.split("-")[:2])
        kind = json.loads(path.read_bytes())["resourceType"]
        url = f"/fhir/{kind}/$validate?profile={BASE}/StructureDefinition/{profile}"
        response = await service.his.post(url, content=path.read_bytes())
        answers[path.stem] = Answered(response.status_code, tuple(map(said, issues_in(response))))
    if os.environ.get("WRITE_ANSWERS"):
        write(BROKEN, answers)
    assert answers == load_broken(SETTINGS.profiles)


def test_every_kind_of_the_catalogue_is_shown_or_cannot_be_asked_for() -> None:
    kinds = {said.kind for answer in load_answers(SETTINGS.profiles).values() for said in answer.issues}
    assert kinds | NOT_ASKED_FOR == set(KINDS)
    assert not kinds & NOT_ASKED_FOR


def test_every_issue_says_it_in_two_languages_and_where_it_is_in_a_body() -> None:
    for title, answer in load_answers(SETTINGS.profiles).items():
        assert answer.issues, title
        for said in answer.issues:
            assert said.text != said.diagnostics, title
            assert said.text and said.diagnostics, title


def test_every_place_is_a_path_into_what_was_sent() -> None:
    """By FHIRPath itself: from the type of the body, or of what is patched; a parameter is in the address."""
    answers = load_answers(SETTINGS.profiles)
    for mistake in MISTAKES:
        sent = mistake.content(SETTINGS.profiles / "examples")
        begin = _begin(sent) or mistake.path.removeprefix("/fhir/").strip("{}").partition("?")[0]
        for place in [each for said in answers[mistake.title].issues for each in said.expression]:
            if place.partition(".")[0].islower():
                assert f"{place}=" in mistake.path, (mistake.title, place)
            else:
                assert place.partition(".")[0] == begin, (mistake.title, place)
                fhirpathpy.evaluate({"resourceType": begin}, place)


def _begin(sent: str) -> str:
    try:
        body = json.loads(sent)
    except ValueError:
        return ""
    return str(body.get("resourceType", "")) if isinstance(body, dict) else ""


def write(path: Path, answers: dict[str, Answered]) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(answers), indent=1) + b"\n")


async def answered(mistake: Mistake, service: Service, referral: Referral) -> Answered:
    clients = {"practice": service.his, "coach": service.coach, "hospital": service.hospital}
    ids = {place.partition("/")[0]: place for place in referral.locations}
    ids |= {f"{kind}.id": place.partition("/")[2] for kind, place in ids.items()}
    response = await clients.get(mistake.who, service.stranger).request(
        mistake.method,
        filled(mistake.path, ids),
        content=filled(mistake.content(SETTINGS.profiles / "examples"), ids).encode() or None,
        headers=mistake.headers,
    )
    return Answered(response.status_code, tuple(map(said, issues_in(response))))


def issues_in(response: httpx.Response) -> Iterator[dict[str, Any]]:
    """Of an OperationOutcome, also in a Bundle."""
    body = response.json()
    outcomes = [body, *(entry.get("resource", {}) for entry in body.get("entry", ()))]
    outcomes += [entry.get("response", {}).get("outcome", {}) for entry in body.get("entry", ())]
    for outcome in outcomes:
        if outcome.get("resourceType") == "OperationOutcome":
            yield from outcome["issue"]


def said(issue: dict[str, Any]) -> Said:
    [coding] = issue["details"]["coding"]
    assert coding["system"] == SYSTEM
    return Said(
        issue["severity"],
        issue["code"],
        coding["code"],
        masked(issue["details"]["text"]),
        masked(issue["diagnostics"]),
        places_of(issue),
    )


def masked(text: str) -> str:
    return MOMENT.sub("<moment>", ID.sub("<id>", text))


def test_the_file_says_each_thing_once() -> None:
    titles = [each.title for each in MISTAKES]
    assert len(set(titles)) == len(titles)
    requests = [json.dumps(msgspec.to_builtins(each) | {"title": ""}) for each in MISTAKES]
    assert len(set(requests)) == len(requests)
