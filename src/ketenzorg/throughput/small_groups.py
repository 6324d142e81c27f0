"""What may be shown of a count, so that no figure, and no difference of two figures, points at a person.

Fewer than ten trajecten: nothing. All other counts are rounded to fives: of two rounded totals the difference
can be off by four either way, so it does not give away how many stand in a cell that is hidden. That holds for
every pair of filters at once, where hiding one more cell of one table would not. Who asks for many periods, each a
week longer, could still see where the rounding jumps: so periods begin and end at marks that have ten trajecten
between them (ketenzorg.throughput.selection).
As NHS Digital does for hospital statistics (HES, since 2018): small numbers hidden, all others to the nearest 5.
"""

import msgspec

SMALLEST = 10  # trajecten behind a figure
STEP = 5
FINE_FROM = 100  # from here on a share is shown per point, below it in fives


class Share(msgspec.Struct, frozen=True):
    """A part of a group."""

    n: int | None  # the group, rounded; None: too small to show
    percent: int | None  # None with a group: not known yet, as nobody was followed long enough


HIDDEN = Share(None, None)


def shown(number: int, trajecten: int | None = None) -> int | None:
    """A number of things of this many trajecten (as many, when not said); None: too few to show."""
    if (number if trajecten is None else trajecten) < SMALLEST:
        return None
    return _to_fives(number)


def share(part: int, group: int, trajecten: int) -> Share:
    """What part of the group it is."""
    if min(group, trajecten) < SMALLEST:
        return HIDDEN
    return shown_part(part / group, group)


def shown_part(part: float | None, group: int) -> Share:
    """A part, from 0 to 1, of a group that is large enough; None: not known yet."""
    if part is None:
        return Share(_to_fives(group), None)
    percent = 100 * part
    return Share(_to_fives(group), int(percent + 0.5) if group >= FINE_FROM else _to_fives(percent))


def _to_fives(number: float) -> int:
    return STEP * int(number / STEP + 0.5)
