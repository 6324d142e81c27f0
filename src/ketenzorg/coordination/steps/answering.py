"""The answer lands where the GP works: when a hand-over ends, who performed it writes to who asked, by itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.access.views import sights_of, who_sees
from ketenzorg.coordination.reading.letter import (
    Letter,
    letter_of,
    letter_output,
    letter_resources,
    withdrawn_letter,
)
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.showing.names import name_of, who_plays
from ketenzorg.coordination.steps.handing_over import Parties
from ketenzorg.coordination.world import World
from ketenzorg.fhir import json
from ketenzorg.fhir.search_parameters import SearchRows
from ketenzorg.pathway.engine import StepTaken
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.referral.by_letter import OUTPUT, by_letter
from ketenzorg.store.trajecten import NewVersion, Traject

KINDS = ("Composition", "DocumentReference")
NO_ROWS = SearchRows(frozenset(), frozenset(), frozenset())
NO_LETTER = frozenset({"entered_in_error"})  # what never was has no answer
CLOSED = "De verwijzing is hiermee gesloten; u hoeft in geen ander systeem iets af te sluiten."
GOES_ON = "Het traject gaat verder met een volgende overdracht; u hoeft niets af te sluiten."


def with_letter(
    versions: list[NewVersion], taken: StepTaken, parties: Parties, scene: Scene
) -> list[NewVersion]:
    """The versions of a step, with the letter when it ends a hand-over by the one who performed it."""
    ends = (taken.ends or taken.closes) and taken.exit not in NO_LETTER
    author, addressee = _who(scene.traject, scene.pathway)
    if not ends or author != scene.organisation or author == addressee:
        return versions
    task, *others = versions
    body = json.read(task.body)
    id_ = scene.world.new_id()
    resources = letter_resources(_letter(body, taken, parties, scene), id_, scene.at)
    body["output"] = [*body.get("output", ()), letter_output(id_)]
    return [
        msgspec.structs.replace(task, body=json.write(body)),
        *others,
        *(NewVersion(kind, id_, 1, new, NO_ROWS) for kind, new in zip(KINDS, resources, strict=True)),
    ]


def who_reads(kinds: Sequence[str], parties: Parties, pathway: Pathway) -> dict[str, tuple[UUID, ...]]:
    """Type -> those before and after the step whose role shows it."""
    sights = sights_of(pathway, parties.standing, parties.witnesses)
    return {kind: who_sees(kind, sights) for kind in kinds}


def without_letter(
    task: dict[str, Any],
    before: dict[str, Any],
    traject: Traject,
    pathway: Pathway,
    world: World,
    at: datetime,
) -> list[NewVersion]:
    """What an undone step wrote is withdrawn; nothing when it wrote no letter."""
    id_ = letter_of(task)
    if id_ is None or letter_of(before) is not None:
        return []
    letter = _addressed(task, traject, pathway, world)
    bodies = withdrawn_letter(letter, id_, 2, at)
    return [NewVersion(kind, id_, 2, body, NO_ROWS) for kind, body in zip(KINDS, bodies, strict=True)]


def _who(traject: Traject, pathway: Pathway) -> tuple[UUID | None, UUID | None]:
    """Who performed the hand-over that ran, and who asked for it."""
    step = pathway.steps[traject.step]
    return traject.roles.get(step.performer), traject.roles.get(step.requester)


def _addressed(task: dict[str, Any], traject: Traject, pathway: Pathway, world: World) -> Letter:
    """From whom about what, without what is told."""
    author, _ = _who(traject, pathway)
    return Letter(
        title=f"Terugkoppeling {pathway.title}",
        author=f"Organization/{author}",
        author_name=name_of(author, world) if author else "",
        patient=task["for"]["reference"],
        request=task["focus"]["reference"],
        task=f"Task/{traject.task.id}",
        answers=(),
        ending=(),
        course={},
    )


def _letter(task: dict[str, Any], taken: StepTaken, parties: Parties, scene: Scene) -> Letter:
    told = [
        (output["type"]["text"], output["valueString"])
        for output in task.get("output", ())
        if "valueString" in output and "text" in output.get("type", {})
    ]
    letter = by_letter({"input": task.get("input", ())})  # said in a hand-over before
    told += [(OUTPUT, letter)] if letter else []
    return _addressed(task, scene.traject, scene.pathway, scene.world)._replace(
        answers=told,
        ending=_ending(task, taken, parties, scene.pathway, scene.world),
        course=scene.traject.happened | {taken.event: taken.at},
    )


def _ending(
    task: dict[str, Any], taken: StepTaken, parties: Parties, pathway: Pathway, world: World
) -> Sequence[str]:
    lines = [f"Uitkomst: {pathway.steps[taken.to_step].title}."]
    if taken.reason and taken.closes in ("", task["status"]):
        lines.append(f"Reden: {taken.reason.text}.")
    if taken.new_task:
        performer = who_plays(taken.performer, parties.roles, world)
        lines.append(f"Nu aan zet: {performer}." if performer else "Nu aan zet: wie het oppakt.")
    held_by = who_plays(pathway.file.regie, parties.roles, world) if pathway.file.regie else ""
    if held_by:
        lines.append(f"Regie: {held_by}.")
    return [*lines, CLOSED if taken.ends else GOES_ON]
