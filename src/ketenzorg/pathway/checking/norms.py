"""Checks of how long it may take: norms, the share of all that must be sooner, and controls that come back."""

from collections.abc import Iterator
from datetime import UTC, datetime

from ketenzorg.pathway import calendar
from ketenzorg.pathway.checking.questions import length
from ketenzorg.pathway.criteria import LENGTHS
from ketenzorg.pathway.definition import Norm, PathwayFile
from ketenzorg.pathway.findings import Finding, Place, unknown
from ketenzorg.pathway.functions.functions import FUNCTIONS
from ketenzorg.pathway.known_names import clocks, lists_of_steps, unknown_events, unknown_steps

_ALL_OF_THEM = 100
_ORDINARY = datetime(
    2026, 9, 7, 9, tzinfo=UTC
)  # a Monday, months before a holiday: lengths are compared from it


def check_norms(file: PathwayFile) -> Iterator[Finding]:
    """Every mistake in a norm or a control."""
    for index, norm in enumerate(file.norm):
        yield from _check_norm(("norm", index), norm, file)
    seen: set[str] = set()
    for place, clock in clocks(file):
        if clock.name in seen:
            nl, en = f"‘{clock.name}’ staat er al.", f"'{clock.name}' is there already."
            yield Finding((*place, "name"), nl, en)
        seen.add(clock.name)
    yield from _check_watches(file)


def _check_norm(place: Place, norm: Norm, file: PathwayFile) -> Iterator[Finding]:
    yield from length((*place, "max"), norm.max)
    yield from _check_share((*place, "share"), norm)
    for key, names in (("from", norm.from_), ("to", norm.to)):
        if not names:
            yield Finding((*place, key), "noem een gebeurtenis.", "name an event.")
        yield from unknown_events((*place, key), names, file)
    for name in norm.to:
        if name in norm.from_:
            nl = f"‘{name}’ staat ook in from: haal hem uit een van beide. Komt het terug, neem dan een [[watch]]."
            en = f"'{name}' is in from too: take it out of one of both. If it comes back, take a [[watch]]."
            yield Finding((*place, "to"), nl, en)
    for name in norm.urgency:
        if name not in file.urgencies:
            yield unknown((*place, "urgency"), "urgentie", "urgency", name, file.urgencies)


def _check_share(place: Place, norm: Norm) -> Iterator[Finding]:
    if norm.share is None:
        return
    if not 0 < norm.share.percent < _ALL_OF_THEM:
        nl, en = "een deel is 1 tot en met 99 procent.", "a share is 1 to 99 percent."
        yield Finding((*place, "percent"), nl, en)
    wrong = [*length((*place, "within"), norm.share.within)]
    yield from wrong
    if not wrong and not [*length(place, norm.max)] and not shorter(norm.share.within, norm.max):
        nl, en = f"is niet korter dan max, {norm.max}.", f"is not shorter than max, {norm.max}."
        yield Finding((*place, "within"), nl, en)


def shorter(length: str, other: str) -> bool:
    """Whether one length ends before another that begins with it."""
    first, second = (calendar.due(_ORDINARY, calendar.parse(each)) for each in (length, other))
    return first < second


def _check_watches(file: PathwayFile) -> Iterator[Finding]:
    worked_out = {table.name for table in file.table if table.hit == "kortste"}
    for name, derived in file.derived.items():
        if derived.function in FUNCTIONS and FUNCTIONS[derived.function].returns.unit in LENGTHS:
            worked_out.add(name)
    for index, watch in enumerate(file.watch):
        place: Place = ("watch", index)
        yield from unknown_steps((*place, "over"), watch.over, lists_of_steps(file))
        for key, names in (("from", watch.from_), ("to", watch.to)):
            yield from unknown_events((*place, key), names, file)
        if watch.every in worked_out:
            yield from length((*place, "if_unknown"), watch.if_unknown)
        else:
            yield from length((*place, "every"), watch.every)
