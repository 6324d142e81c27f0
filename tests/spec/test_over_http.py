"""Every walk of every pathway, none left out, over HTTP: as its table says, and who must hear of it does."""

import pytest

from content import CATALOGUE
from ketenzorg.pathway.loaded import Pathway
from services import Service
from spec.over_http import Walk, tables_of, walk_all
from spec.walks import DECIDED, tables


@pytest.mark.parametrize("name", CATALOGUE.names)
async def test_the_walks_come_out_as_the_tables(service: Service, name: str) -> None:
    pathway = CATALOGUE.current(name)
    expected = {title: text for title, text in tables(f"{name}.md").items() if not title.startswith(DECIDED)}

    walks = await walk_all(service, pathway, expected)

    came_out = tables_of(walks)
    wrong = [f"## {title}\n\n{came_out[title]}" for title in expected if came_out[title] != expected[title]]
    assert not wrong, "\n\n".join(wrong)
    assert await unheard(service, walks) == []
    assert {each for walk in walks for each in walk.gone} == set()
    assert exits(pathway) - {end for walk in walks for end in walk.ends} == set()
    assert any(walk.by_status for walk in walks)


def exits(pathway: Pathway) -> set[tuple[str, str, str]]:
    """Every way in which a traject can end: the event, the step, and the Task.status."""
    return {
        (move.event, move.to, move.closes or move.task or "")
        for step in pathway.steps.values()
        for move in step.moves
        if pathway.steps[move.to].ends
    }


HEARD = """
    select s.organisation as receiver, o.resource::text as task, o.version as task_version
    from ketenzorg.outbox o join ketenzorg.subscription s on s.id = o.subscription
"""


async def unheard(service: Service, walks: list[Walk]) -> list[tuple[str, str, list[str]]]:
    """The events of which somebody who must be told was sent no notification."""
    rows = await service.rows(HEARD)
    sent = {(f"Task/{row['task']}/{row['task_version']}", row["receiver"]) for row in rows}
    return [
        (walk.title, event, [str(each) for each in missing])
        for walk in walks
        for event, versions, told in walk.told
        if (missing := {each for each in told if not any((version, each) in sent for version in versions)})
    ]
