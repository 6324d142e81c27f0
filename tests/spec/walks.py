"""Walks a pathway as the tables of a Markdown file beside the test: what a clinician reads is what is run."""

import re
from datetime import datetime, timedelta
from pathlib import Path

from ketenzorg.errors import TransitionNotAllowed
from ketenzorg.pathway import calendar, engine
from ketenzorg.pathway.calendar import AMSTERDAM
from ketenzorg.pathway.clocks import LENGTH, URGENCY
from ketenzorg.pathway.loaded import Pathway

HERE = Path(__file__).parent
DAY_0 = datetime(2026, 3, 2, 10, 0, tzinfo=AMSTERDAM)  # a Monday; summer time begins on day 27
COLUMNS = ["dag", "door", "gebeurtenis", "stap", "Task.status", "uiterlijk"]
REFUSED = "mag niet"
DECIDED = "Beslist: "


def tables(file: str) -> dict[str, str]:
    """Each table of the file by the heading above it."""
    sections = (HERE / file).read_text("utf-8").split("\n## ")[1:]
    parts = [section.partition("\n") for section in sections]
    titles = [title for title, _, _ in parts]
    twice = {title for title in titles if titles.count(title) > 1}
    assert not twice, f"{file}: two tables under one heading: {twice}"
    found = {
        title: "\n".join(line.strip() for line in text.splitlines() if line.strip().startswith("|"))
        for title, _, text in parts
    }
    return {title: text for title, text in found.items() if text}


def cells(line: str) -> list[str]:
    """What stands between the bars of a line."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def scripts(pathway: Pathway, expected: str) -> list[list[list[str]]]:
    """The lines of a table, per walk: each line with an event that begins a traject begins another walk."""
    walks: list[list[list[str]]] = []
    for line in (cells(each) for each in expected.splitlines()[2:]):
        if not walks or line[2].partition(" (")[0] in _beginnings(pathway):
            walks.append([])
        walks[-1].append(line)
    return walks


def walked(pathway: Pathway, expected: str) -> str:
    """Does what the first three columns say, and gives the whole table as it came out."""
    return as_table(COLUMNS, [row for script in scripts(pathway, expected) for row in _walk(pathway, script)])


def _walk(pathway: Pathway, script: list[list[str]]) -> list[list[str]]:
    pathway, state = _begun(pathway, script[0][:4])
    task = pathway.steps[state.step].task
    rows = [[*script[0][:3], state.step, task, _due(pathway, state)]]
    for day, by, event, *_ in script[1:]:
        at = DAY_0 + timedelta(days=int(day))
        try:
            taken = engine.advance(pathway, state, event, by, at, given(pathway, state, event, by))
        except TransitionNotAllowed:
            rows.append([day, by, event, REFUSED, task, _due(pathway, state)])
            continue
        state, task = taken.state, taken.task
        rows.append([day, by, event, state.step, task, _due(pathway, state)])
    return rows


def given(pathway: Pathway, state: engine.State, event: str, by: str) -> dict[str, str]:
    """What the event must bring: its first code, or some words."""
    needs = next((opt.needs for opt in engine.allowed(pathway, state, by) if opt.event == event), ())
    return {name: next(iter(pathway.file.needs[name].codes), "Tekst.") for name in needs}


def as_table(columns: list[str], rows: list[list[str]]) -> str:
    """The rows under their heads, in columns."""
    lines = [columns, *rows]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(columns))]
    lines.insert(1, ["-" * width for width in widths])
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def _begun(pathway: Pathway, row: list[str]) -> tuple[Pathway, engine.State]:
    """The traject as the first row begins it: in its step, with what the tables said between brackets."""
    day, _, event, step = row
    event, _, said = event.partition(" (")
    counts: dict[str, int] = {}
    for each in filter(None, (part.strip() for part in said.rstrip(")").split(","))):
        if re.fullmatch(r"GM[0-9]{4}", each):
            assert each in pathway.variants, f"{each}: no variant"
            pathway = pathway.in_municipality(each)
        elif each in pathway.file.urgencies:
            counts[f"{URGENCY}:{each}"] = 1
        else:
            table, number, unit = each.rsplit(" ", 2)
            amount = calendar.parse(f"{number} {unit}")
            counts[f"{LENGTH}:{table}:{amount.unit}"] = amount.number
    step = step if step in _first_steps(pathway) else pathway.file.begins
    assert event == pathway.begins_with(step), f"‘{step}’ begins with ‘{pathway.begins_with(step)}’"
    at = DAY_0 + timedelta(days=int(day))
    return pathway, engine.State(step, counts, {event: at})


def _first_steps(pathway: Pathway) -> set[str]:
    """Where a traject may begin: where the file says, or where a table points."""
    pointed = (row.then.to for table in pathway.file.table for row in table.rows if row.then.to)
    return {pathway.file.begins, *pointed}


def _beginnings(pathway: Pathway) -> set[str]:
    return {pathway.begins_with(step) for step in _first_steps(pathway)}


def _due(pathway: Pathway, state: engine.State) -> str:
    running = engine.due(pathway, state)
    if not running:
        return "-"
    first = running[0]
    return f"{(first.at.astimezone(AMSTERDAM).date() - DAY_0.date()).days} {first.norm}"
