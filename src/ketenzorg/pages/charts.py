"""Charts as SVG, made here and not in the browser: pure functions from figures to markup.

Each is one image with a title and a description; the page puts a real table under it.
https://www.w3.org/TR/svg-aam-1.0/
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup

from ketenzorg.throughput.figures import Point, Waiting
from ketenzorg.throughput.small_groups import Share
from ketenzorg.throughput.tables import NOT_REACHED, TOO_FEW

WIDE, NARROW = 1000, 460  # of every chart, in its own units: on a wide screen, and on a phone
ROW = 58  # height of one row of bars
LINE = 20  # height of a line of text
PLOT = 180  # height of the trend
LEFT, RIGHT, TOP = 44, 12, 30
LABELS = 8  # at most so many words under the trend
NICE = (1, 2, 5)
NEW_LINE = Markup("\n")  # shapes are filled in with %: format() takes twice as long, and there are hundreds


class Bar(NamedTuple):
    """One row: a waiting time, and the days of its norm where it has one."""

    label: str
    waiting: Waiting
    norm: int | None = None
    norm_text: str = ""
    early: int | None = None  # the days of the share of a norm that has one
    early_text: str = ""


def both(draw: Callable[[int], Markup]) -> Markup:
    """One picture for a wide screen and one for a phone; the style sheet shows one of them."""
    return Markup('<div class="kz-wide-only">%s</div><div class="kz-narrow-only">%s</div>') % (
        draw(WIDE),
        draw(NARROW),
    )


def image(id_: str, title: str, text: str, height: float, parts: Iterable[Markup], wide: int) -> Markup:
    """An SVG that a screen reader reads as one picture."""
    if wide != WIDE:
        id_ += "-smal"
    return Markup(
        '<svg class="kz-chart" role="img" aria-labelledby="{id}-titel {id}-tekst" viewBox="0 0 {wide} {height}">'
        '<title id="{id}-titel">{title}</title><desc id="{id}-tekst">{text}</desc>\n{parts}\n</svg>'
    ).format(id=id_, wide=wide, height=round(height), title=title, text=text, parts=NEW_LINE.join(parts))


def words(x: float, y: float, text: str | int, kind: str = "", anchor: str = "start") -> Markup:
    """A line of text."""
    return Markup('<text class="kz-t %s" x="%.0f" y="%.0f" text-anchor="%s">%s</text>') % (
        kind,
        x,
        y,
        anchor,
        text,
    )


def box(x: float, y: float, wide: float, high: float, kind: str, round_: int = 2) -> Markup:
    """A rectangle."""
    return Markup('<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%s"/>') % (
        kind,
        x,
        y,
        max(wide, 0),
        max(high, 0),
        round_,
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """A straight line."""
    return Markup('<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>') % (kind, x1, y1, x2, y2)


def shape(points: Sequence[tuple[float, float]], kind: str) -> Markup:
    """A filled polygon."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return Markup('<polygon class="%s" points="%s"/>') % (kind, path)


def warning(x: float, y: float) -> Markup:
    """The triangle that says late; it stands on (x, y)."""
    return shape([(x, y), (x + 7, y - 12), (x + 14, y)], "kz-late-shape")


def percentiles(waiting: Waiting) -> str:
    """50% in 8 dagen, 80% in 15 dagen, 90% nog niet bereikt."""
    if waiting.n is None:
        return TOO_FEW
    each = ((50, waiting.median), (80, waiting.p80), (90, waiting.p90))
    return ", ".join(f"{part}% {NOT_REACHED if at is None else f'in {at} dagen'}" for part, at in each)


def bars(id_: str, title: str, rows: Sequence[Bar], wide: int) -> Markup:
    """Waiting times under each other, on one scale of days: half is the thick bar, 80% the thin one, 90% the end."""
    most = max((value for row in rows for value in _values(row)), default=1)
    scale, step = _scale(most)
    unit = (wide - 2 * RIGHT) / scale
    row_height = ROW if wide == WIDE else ROW + LINE
    height = TOP + row_height * len(rows) + 6
    text = "; ".join(
        f"{row.label}: {percentiles(row.waiting)}{', '.join(['', *_norm_words(row)])}" for row in rows
    )
    grid = (
        part
        for at in range(0, scale + 1, step)
        for part in (
            line(RIGHT + at * unit, TOP - 6, RIGHT + at * unit, height, "kz-grid"),
            words(RIGHT + at * unit, TOP - 12, at, "kz-t--small", _anchor(at, scale)),
        )
    )
    drawn = (
        part for place, row in enumerate(rows) for part in _bar(row, TOP + place * row_height, unit, wide)
    )
    return image(id_, title, text, height, [*grid, *drawn], wide)


def trend(id_: str, title: str, points: Sequence[Point], wide: int) -> Markup:
    """What came in as columns, what went out as a line with diamonds; a ring where it may not be shown."""
    most = max((n for point in points for n in (point.inflow, point.outflow) if n is not None), default=1)
    scale, step = _scale(most)
    floor, unit = TOP + PLOT, PLOT / scale
    parts = _levels(scale, step, wide)
    middles, slot = _middles(len(points), wide)
    for x, point in zip(middles, points, strict=True):
        if point.inflow is None:
            parts.append(_ring(x, floor - 5))
        else:
            high = point.inflow * unit
            parts.append(box(x - slot * 0.35, floor - high, slot * 0.7, high, "kz-in"))
    parts += _outflow(
        [
            None if point.outflow is None else (x, floor - point.outflow * unit)
            for x, point in zip(middles, points, strict=True)
        ]
    )
    parts += _weeks([point.from_week for point in points], middles, wide)
    return image(id_, title, f"{len(points)} punten. De cijfers staan in de tabel.", floor + 30, parts, wide)


def shares(id_: str, title: str, points: Sequence[tuple[str, Share]], wide: int) -> Markup:
    """A part of a hundred per week, as columns; a ring where it may not be shown or is not known yet."""
    floor, unit = TOP + PLOT, PLOT / 100
    parts = _levels(100, 20, wide)
    middles, slot = _middles(len(points), wide)
    for x, (_, share) in zip(middles, points, strict=True):
        if share.percent is None:
            parts.append(_ring(x, floor - 5))
        else:
            high = share.percent * unit
            parts.append(box(x - slot * 0.35, floor - high, slot * 0.7, high, "kz-in"))
    parts += _weeks([week for week, _ in points], middles, wide)
    return image(id_, title, f"{len(points)} punten. De cijfers staan in de tabel.", floor + 30, parts, wide)


def _levels(scale: int, step: int, wide: int) -> list[Markup]:
    """The lines behind columns, with their numbers."""
    floor, unit = TOP + PLOT, PLOT / scale
    return [
        part
        for at in range(0, scale + 1, step)
        for part in (
            line(LEFT, floor - at * unit, wide - RIGHT, floor - at * unit, "kz-grid"),
            words(LEFT - 6, floor - at * unit + 5, at, "kz-t--small", "end"),
        )
    ]


def _middles(points: int, wide: int) -> tuple[list[float], float]:
    slot = (wide - LEFT - RIGHT) / max(points, 1)
    return [LEFT + slot * (place + 0.5) for place in range(points)], slot


def _weeks(weeks: Sequence[str], middles: Sequence[float], wide: int) -> list[Markup]:
    every = -(-len(weeks) // (LABELS if wide == WIDE else LABELS // 2))
    return [
        words(x, TOP + PLOT + 20, week, "kz-t--small", "middle")
        for x, week in [*zip(middles, weeks, strict=True)][every // 2 :: max(every, 1)]
    ]


def small_bar(value: int, most: int) -> Markup:
    """A bar in a cell of a table; the number stands beside it, so a screen reader passes it by."""
    return Markup(
        '<svg class="kz-small-bar" aria-hidden="true" viewBox="0 0 100 12" preserveAspectRatio="none">%s</svg>'
    ) % box(0, 0, 100 * value / max(most, 1), 12, "kz-in")


def _values(row: Bar) -> Iterator[int]:
    each = row.waiting
    yield from (value for value in (each.median, each.p80, each.p90, row.norm) if value is not None)


def _norm_words(row: Bar) -> list[str]:
    norm = [f"norm: {row.norm_text}"] if row.norm_text else []
    return [*norm, row.early_text] if row.early_text else norm


def _bar(row: Bar, top: float, unit: float, wide: int) -> Iterator[Markup]:
    norm = ", ".join(_norm_words(row))
    yield words(RIGHT, top + 18, f"{row.label} ({norm})" if norm else row.label, "kz-t--strong")
    if wide == WIDE:
        yield words(wide - RIGHT, top + 18, percentiles(row.waiting), "", "end")
    else:
        top += LINE
        yield words(RIGHT, top + 18, percentiles(row.waiting), "kz-t--small")
    waiting, y = row.waiting, top + 26
    if waiting.p90 is not None:
        yield line(RIGHT, y + 9, RIGHT + waiting.p90 * unit, y + 9, "kz-p90")
        yield line(RIGHT + waiting.p90 * unit, y + 3, RIGHT + waiting.p90 * unit, y + 15, "kz-p90")
    if waiting.p80 is not None:
        yield box(RIGHT, y + 5, waiting.p80 * unit, 8, "kz-p80")
    if waiting.median is not None:
        yield box(RIGHT, y, waiting.median * unit, 18, "kz-p50")
    if row.early is not None:
        x = RIGHT + row.early * unit
        yield line(x, y - 3, x, y + 22, "kz-norm-under")
        yield line(x, y - 3, x, y + 22, "kz-early")
    if row.norm is not None:
        x = RIGHT + row.norm * unit
        yield line(x, y - 3, x, y + 22, "kz-norm-under")  # so that it is seen on a bar too
        yield line(x, y - 3, x, y + 22, "kz-norm")
        yield shape([(x, y - 7), (x + 5, y - 2), (x, y + 3), (x - 5, y - 2)], "kz-norm-mark")


def _outflow(points: Sequence[tuple[float, float] | None]) -> Iterator[Markup]:
    """Joined where two neighbours may be shown."""
    for one, other in pairwise(points):
        if one and other:
            yield line(*one, *other, "kz-out")
    for point in points:
        if point:
            x, y = point
            yield shape([(x, y - 5), (x + 5, y), (x, y + 5), (x - 5, y)], "kz-out-mark")


def _ring(x: float, y: float) -> Markup:
    return Markup('<circle class="kz-ring" cx="%.1f" cy="%.1f" r="3"/>') % (x, y)


def _anchor(at: int, scale: int) -> str:
    return "start" if at == 0 else "end" if at == scale else "middle"


def _scale(most: int) -> tuple[int, int]:
    """The end of an axis and its steps: at most six, and round."""
    step = next(
        nice * 10**power for power in range(9) for nice in NICE if nice * 10**power * 6 >= max(most, 1)
    )
    return step * -(-max(most, 1) // step), step
