"""Walks a pathway as the tables of a Markdown file beside the test: what a clinician reads is what is run."""

from datetime import datetime, timedelta
from pathlib import Path

from ketenzorg.errors import TransitionNotAllowed
from ketenzorg.pathway import engine
from ketenzorg.pathway.calendar import AMSTERDAM
from ketenzorg.pathway.loaded import Pathway

DAY_0 = datetime(2026, 3, 2, 10, 0, tzinfo=AMSTERDAM)  # a Monday; summer time begins on day 27
COLUMNS = ["dag", "door", "gebeurtenis", "stap", "Task.status", "uiterlijk"]
REFUSED = "mag niet"


def tables(file: str) -> dict[str, str]:
    """Each table of the file by the heading above it."""
    sections = (Path(__file__).parent / file).read_text("utf-8").split("\n## ")[1:]
    parts = (section.partition("\n") for section in sections)
    return {title: "\n".join(line for line in text.splitlines() if "|" in line) for title, _, text in parts}


def walked(pathway: Pathway, expected: str) -> str:
    """Does what the first three columns say, and gives the whole table as it came out."""
    script = [[cell.strip() for cell in line.split("|")][1:4] for line in expected.splitlines()[2:]]
    state = engine.start(pathway, DAY_0 + timedelta(days=int(script[0][0])))
    task = pathway.steps[state.step].task
    rows = [[*script[0], state.step, task, _due(pathway, state)]]
    for day, by, event in script[1:]:
        at = DAY_0 + timedelta(days=int(day))
        try:
            taken = engine.advance(pathway, state, event, by, at, given(pathway, state, event, by))
        except TransitionNotAllowed:
            rows.append([day, by, event, REFUSED, task, _due(pathway, state)])
            continue
        state, task = taken.state, taken.task
        rows.append([day, by, event, state.step, task, _due(pathway, state)])
    return as_table(rows)


def given(pathway: Pathway, state: engine.State, event: str, by: str) -> dict[str, str]:
    """What the event must bring: its first code, or some words."""
    needs = next((opt.needs for opt in engine.allowed(pathway, state, by) if opt.event == event), ())
    return {name: next(iter(pathway.file.needs[name].codes), "Tekst.") for name in needs}


def as_table(rows: list[list[str]]) -> str:
    """The rows under their heads, in columns."""
    lines = [COLUMNS, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    lines.insert(1, ["-" * width for width in widths])
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def _due(pathway: Pathway, state: engine.State) -> str:
    running = engine.due(pathway, state)
    if not running:
        return "-"
    first = running[0]
    return f"{(first.at.astimezone(AMSTERDAM).date() - DAY_0.date()).days} {first.norm}"
