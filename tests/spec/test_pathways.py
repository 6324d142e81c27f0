"""Every pathway, walked and decided as the tables of <name>.md beside this file; and what holds in every step."""

from datetime import UTC, datetime

import pytest

from content import CATALOGUE
from ketenzorg.pathway import engine
from ketenzorg.pathway.loaded import Pathway
from spec.decisions import decided
from spec.walks import DECIDED, HERE, given, tables, walked

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
TABLES = {name: tables(f"{name}.md") if (HERE / f"{name}.md").exists() else {} for name in CATALOGUE.names}
EACH = pytest.mark.parametrize(
    "pathway", [CATALOGUE.current(name) for name in CATALOGUE.names], ids=lambda p: p.name
)


@pytest.mark.parametrize(("name", "title"), [(name, title) for name in TABLES for title in TABLES[name]])
def test_table(name: str, title: str) -> None:
    pathway, expected = CATALOGUE.current(name), TABLES[name][title]
    if title.startswith(DECIDED):
        came_out = decided(pathway, title.removeprefix(DECIDED).strip(), expected)
    else:
        came_out = walked(pathway, expected)
    assert came_out == expected, f"## {title}\n\n{came_out}"


@EACH
def test_every_step_and_every_exit_stands_in_a_walk(pathway: Pathway) -> None:
    told = "".join(text for title, text in TABLES[pathway.name].items() if not title.startswith(DECIDED))
    assert [name for name, step in pathway.steps.items() if not step.side and f"| {name} " not in told] == []


@EACH
def test_every_side_step_stands_in_a_walk(pathway: Pathway) -> None:
    told = "".join(TABLES[pathway.name].values())
    assert [side.name for side in pathway.file.side if f" ({side.name}) " not in told] == []


@EACH
def test_every_decision_table_and_alarm_rule_is_decided(pathway: Pathway) -> None:
    names = [*(rule.name for rule in pathway.file.alarm), *(table.name for table in pathway.file.table)]
    assert [name for name in names if f"{DECIDED}{name}" not in TABLES[pathway.name]] == []


@EACH
def test_a_crisis_can_be_recorded_from_every_step_and_the_other_side_hears_of_it(pathway: Pathway) -> None:
    entered = {side.name for side in pathway.file.side if side.enter.emergency}
    for name, step in pathway.steps.items():
        if step.ends or step.side in entered:
            continue
        state = engine.State(name, {}, {pathway.file.begins_with: AT})
        for by in {step.requester, step.performer}:
            [event] = {
                move.event
                for move in step.moves
                if move.emergency and by in move.by and not pathway.steps[move.to].ends
            }
            taken = engine.advance(pathway, state, event, by, AT, given(pathway, state, event, by))
            assert taken.emergency
            assert pathway.steps[taken.to_step].main == step.main
            assert pathway.steps[taken.to_step].side in entered
            assert {step.requester, step.performer} - {by} <= set(taken.tell), (name, by)


@EACH
def test_every_exit_tells_who_asked(pathway: Pathway) -> None:
    silent = [
        (step.name, move.event)
        for step in pathway.steps.values()
        for move in step.moves
        if pathway.steps[move.to].ends and move.by != [step.requester] and step.requester not in move.tell
    ]
    assert silent == []
