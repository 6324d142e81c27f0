"""The steps of a pathway as a map, drawn from its file: a lane per hand-over, a box per step and where it can go."""

from collections.abc import Iterator
from textwrap import wrap
from typing import NamedTuple

from markupsafe import Markup

from ketenzorg.pages.charts import NEW_LINE, WIDE, box, line, shape, words
from ketenzorg.pathway.flatten import Step
from ketenzorg.pathway.loaded import Pathway

LANE, WIDEST, GUTTER, MARGIN = 240, 420, 16, 4
TOP, BETWEEN, LINE = 68, 26, 17
PAD, INSIDE = 10, 8  # within a box; between a lane and its boxes
HEAD = 8  # of an arrow
LETTER, SMALL = 7.6, 6.5  # width of a letter, on average


class _Box(NamedTuple):
    """A step with the words in its box, and where the box stands."""

    step: Step
    title: list[str]
    below: list[str]  # who is to act, and the steps elsewhere to which it can go
    on: bool  # it can go to the next box of its lane
    x: float
    y: float
    wide: float

    @property
    def high(self) -> float:
        return 2 * PAD + LINE * (len(self.title) + len(self.below))


def draw_map(pathway: Pathway) -> Markup:
    """The main steps in the order of the file; how a traject can end stands in a table."""
    main = [step for step in pathway.steps.values() if not step.side and not step.ends]
    lanes = list(dict.fromkeys(step.handover for step in main))
    wide = min(max(LANE, (WIDE - 2 * MARGIN - GUTTER * (len(lanes) - 1)) / len(lanes)), WIDEST)
    columns = [
        list(_column([step for step in main if step.handover == lane], pathway, _x(number, wide), wide))
        for number, lane in enumerate(lanes)
    ]
    height = max(column[-1].y + column[-1].high for column in columns) + INSIDE + 4
    parts = [
        part
        for number, (lane, column) in enumerate(zip(lanes, columns, strict=True))
        for part in (*_lane(lane, pathway, _x(number, wide), wide, height), *_boxes(column, pathway))
    ]
    spoken = ". ".join(
        f"{step.title}: {', '.join(pathway.steps[to].title for to in _goes(step, pathway)) or 'alleen naar een einde'}"
        for step in main
    )
    return Markup(
        '<svg class="kz-chart kz-map kz-map--{lanes}" role="img" aria-labelledby="kaart-titel kaart-tekst" '
        'viewBox="0 0 {wide} {height}">'
        '<title id="kaart-titel">{title}</title><desc id="kaart-tekst">{text}</desc>\n{parts}\n</svg>'
    ).format(
        lanes=min(len(lanes), 6),
        wide=round(max(WIDE, _x(len(lanes), wide))),
        height=round(height),
        title=f"De stappen van {pathway.title}",
        text=spoken,
        parts=NEW_LINE.join(parts),
    )


def _x(lane: int, wide: float) -> float:
    return MARGIN + lane * (wide + GUTTER)


def _goes(step: Step, pathway: Pathway) -> list[str]:
    """The other main steps to which something leads."""
    ways = (move.to for move in step.moves if move.to != step.name)
    return [to for to in dict.fromkeys(ways) if not (pathway.steps[to].side or pathway.steps[to].ends)]


def _column(steps: list[Step], pathway: Pathway, x: float, wide: float) -> Iterator[_Box]:
    y: float = TOP
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        goes = _goes(step, pathway)
        on = after is not None and after.name in goes
        elsewhere = [
            f"→ {pathway.steps[to].title}" for to in goes if not on or after is None or to != after.name
        ]
        below = [f"aan zet: {step.owner}", *elsewhere]
        inner = wide - 2 * INSIDE
        made = _Box(
            step,
            _lines(step.title, inner, 3),
            [_lines(text, inner, 1, SMALL)[0] for text in below],
            on,
            x + INSIDE,
            y,
            inner,
        )
        yield made
        y += made.high + BETWEEN


def _lane(name: str, pathway: Pathway, x: float, wide: float, height: float) -> Iterator[Markup]:
    asked = pathway.file.handovers.get(name)
    yield box(x, 0, wide, height - 2, "kz-lane", 10)
    for number, text in enumerate(_lines(asked.title if asked else "Stappen", wide, 2)):
        yield words(x + wide / 2, 21 + LINE * number, text, "kz-t--strong", "middle")
    if asked:
        who = asked.from_ if asked.from_ == asked.to else f"{asked.from_} → {asked.to}"
        yield words(x + wide / 2, 57, _lines(who, wide, 1, SMALL)[0], "kz-t--small kz-t--quiet", "middle")


def _boxes(column: list[_Box], pathway: Pathway) -> Iterator[Markup]:
    for each in column:
        first = each.step.name == pathway.file.begins
        kind = "kz-step kz-step--first" if first else "kz-step"
        yield box(each.x, each.y, each.wide, each.high, kind, 8)
        texts = [*((text, "kz-t--strong") for text in each.title)]
        texts += [(text, "kz-t--small kz-t--quiet") for text in each.below]
        for number, (text, look) in enumerate(texts):
            yield words(each.x + PAD, each.y + PAD + 13 + LINE * number, text, look)
        if each.on:
            middle, begin = each.x + each.wide / 2, each.y + each.high
            end = begin + BETWEEN
            yield line(middle, begin, middle, end - HEAD, "kz-arrow")
            yield shape([(middle - 6, end - 10), (middle, end - 1), (middle + 6, end - 10)], "kz-arrow-head")


def _lines(text: str, wide: float, most: int, letter: float = LETTER) -> list[str]:
    return wrap(text, int((wide - 2 * PAD) / letter), max_lines=most, placeholder=" …") or [""]
