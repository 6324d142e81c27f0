"""The pathway drawn from its file: the steps in their order as boxes, the ways in which it ends below them."""

from collections.abc import Iterator
from textwrap import wrap
from typing import NamedTuple

from markupsafe import Markup

from ketenzorg.pages.charts import WIDE, box, image, line, shape, warning, words
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.throughput.figures import Exit, Measures, StepFigures
from ketenzorg.throughput.tables import NOT_REACHED, TOO_FEW, number

GAP, BETWEEN = 26, 30  # between boxes, between rows
HIGH, EXIT_HIGH = 124, 62
EXIT_GAP = 10
LINE = 22  # characters that fit in a box
EXIT_LINE = 20


class _Rows(NamedTuple):
    """How many boxes stand beside each other, and how wide each is."""

    steps: int
    exits: int
    wide: int

    @property
    def box(self) -> float:
        return (self.wide - GAP * (self.steps - 1) - 4) / self.steps

    @property
    def exit_box(self) -> float:
        return (self.wide - EXIT_GAP * (self.exits - 1) - 4) / self.exits


def draw(pathway: Pathway, measures: Measures, wide: int) -> Markup:
    """How many are where, and how long they are there."""
    in_a_row = _Rows(4, 6, wide) if wide == WIDE else _Rows(2, 3, wide)
    figures = {each.step: each for each in measures.steps}
    ends = {each.code: each for each in measures.exits}
    main = [step for step in pathway.steps.values() if not step.side and not step.ends]
    exits = [step for step in pathway.steps.values() if step.ends in ends]
    rows = -(-len(main) // in_a_row.steps)
    below = rows * (HIGH + BETWEEN) + 22
    height = below + -(-len(exits) // in_a_row.exits) * (EXIT_HIGH + EXIT_GAP)
    shown = (figures[step.name] for step in main)
    text = ". ".join(
        f"{step.title}: {_now(step)}, {number(step.late_now)} te laat, {_half(step)}" for step in shown
    )
    parts = [
        *(
            part
            for place, step in enumerate(main)
            for part in _step(place, figures[step.name], len(main), in_a_row)
        ),
        words(2, below - 14, "Hoe trajecten eindigen, in de gekozen periode", "kz-t--quiet"),
        *(
            part
            for place, step in enumerate(exits)
            for part in _exit(place, below, ends[step.ends], in_a_row)
        ),
    ]
    return image("zorgpad-tekening", f"Het zorgpad {pathway.title}", text, height, parts, wide)


def _step(place: int, step: StepFigures, steps: int, in_a_row: _Rows) -> Iterator[Markup]:
    row, column = divmod(place, in_a_row.steps)
    x, y = 2 + column * (in_a_row.box + GAP), 2 + row * (HIGH + BETWEEN)
    late = _late(step)
    yield box(x, y, in_a_row.box, HIGH, "kz-step kz-step--late" if late else "kz-step", 8)
    for number_, text in enumerate(_lines(step.title, LINE)):
        yield words(x + 12, y + 23 + 18 * number_, text, "kz-t--strong")
    yield words(x + 12, y + 68, _now(step), "kz-t--strong" if step.open_now is None else "kz-t--now")
    yield words(x + 12, y + 89, _half(step), "kz-t--quiet")
    if late:
        yield warning(x + 12, y + 112)
        yield words(x + 32, y + 112, late, "kz-t--late")
    if place + 1 < steps:
        yield from _arrow(x, y, in_a_row.box, last=column + 1 == in_a_row.steps)


def _arrow(x: float, y: float, wide: float, *, last: bool) -> Iterator[Markup]:
    """To the next box: beside this one, or at the beginning of the next row."""
    if not last:
        middle, end = y + HIGH / 2, x + wide + GAP
        yield line(x + wide, middle, end - 8, middle, "kz-arrow")
        yield shape([(end - 10, middle - 6), (end - 1, middle), (end - 10, middle + 6)], "kz-arrow-head")
        return
    from_x, to_x = x + wide / 2, 2 + wide / 2
    turn, end = y + HIGH + BETWEEN / 2 - 3, y + HIGH + BETWEEN
    yield line(from_x, y + HIGH, from_x, turn, "kz-arrow")
    yield line(from_x, turn, to_x, turn, "kz-arrow")
    yield line(to_x, turn, to_x, end - 8, "kz-arrow")
    yield shape([(to_x - 6, end - 10), (to_x, end - 1), (to_x + 6, end - 10)], "kz-arrow-head")


def _exit(place: int, top: float, end: Exit, in_a_row: _Rows) -> Iterator[Markup]:
    row, column = divmod(place, in_a_row.exits)
    x, y = 2 + column * (in_a_row.exit_box + EXIT_GAP), top + row * (EXIT_HIGH + EXIT_GAP)
    yield box(x, y, in_a_row.exit_box, EXIT_HIGH, "kz-exit", 8)
    for number_, text in enumerate(_lines(end.title, EXIT_LINE)):
        yield words(x + 9, y + 18 + 15 * number_, text, "kz-t--small")
    yield words(x + 9, y + EXIT_HIGH - 9, number(end.n), "kz-t--small kz-t--strong")


def _now(step: StepFigures) -> str:
    return f"nu: {number(step.open_now)}"


def _half(step: StepFigures) -> str:
    """How long half of them are there."""
    if step.dwell.n is None:
        return f"tijd: {TOO_FEW} trajecten"
    if step.dwell.median is None:
        return f"mediaan {NOT_REACHED}"
    return f"mediaan {step.dwell.median} {'dag' if step.dwell.median == 1 else 'dagen'}"


def _late(step: StepFigures) -> str:
    """Nothing when too few to tell."""
    return f"{step.late_now} te laat" if step.late_now else ""


def _lines(text: str, wide: int) -> list[str]:
    """At most two lines."""
    return wrap(text, wide, max_lines=2, placeholder=" …")
