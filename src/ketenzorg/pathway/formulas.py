"""The formulas of a pathway file, with everything that does not change looked up once, at load."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from ketenzorg.errors import Issue
from ketenzorg.pathway.facts import Choice, Number
from ketenzorg.pathway.functions.function import Fact, Input, Ready, call, ready, usable
from ketenzorg.pathway.functions.functions import FUNCTIONS
from ketenzorg.pathway.measured import Known
from ketenzorg.pathway.questions import Derived

_NOTHING = Choice(())
_ANY_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)  # for what does not hang on it


class Take(msgspec.Struct, frozen=True):
    """One input of a formula, and where it comes from."""

    place: int  # among the arguments of the function
    source: str  # its name in the file
    over_time: bool  # all values over time, not only the newest
    wanted: Input | None  # none: whatever stands there can be used, no need to look


class Formula(msgspec.Struct, frozen=True):
    """One formula: what it takes from where, and its settings."""

    name: str
    ready: Ready  # the function with its settings
    takes: tuple[Take, ...]
    in_file: dict[str, str]  # input -> name in the file
    names: frozenset[str]  # of everything in the file that it takes
    blank: Number | Choice  # what it comes to when nothing was answered


def formulas(
    derived: Mapping[str, Derived], unanswered: Mapping[str, Known], values: Mapping[str, Fact]
) -> tuple[Formula, ...]:
    """The formulas of a checked file, in its order, each with what it comes to without any answer."""
    found = {name: each.fact for name, each in unanswered.items() if each.fact is not None}
    widest = dict(found)
    found |= values
    ready_ones = []
    for name, each in derived.items():
        formula = _formula(name, each, unanswered, widest)
        found[name] = blank = work_out(formula, found, unanswered, _ANY_MOMENT)
        ready_ones.append(msgspec.structs.replace(formula, blank=blank))
    return tuple(ready_ones)


def _formula(
    name: str, derived: Derived, unanswered: Mapping[str, Known], widest: Mapping[str, Fact]
) -> Formula:
    function = FUNCTIONS[derived.function]
    settings = {
        key: Decimal(str(value)) if isinstance(value, int | float) else value
        for key, value in derived.settings.items()
    }
    each = ready(function, settings)
    takes = []
    for place, wanted in each.inputs:
        source = derived.from_.get(wanted.name, "")
        over_time = wanted.kind == "reeks" and source in unanswered
        # An answer lies within all that it can be: when that can be used, every answer can.
        sure = not over_time and source in widest and usable(wanted, widest[source]) == (widest[source], ())
        takes.append(Take(place, source, over_time, None if sure else wanted))
    names = frozenset(derived.from_.values())
    return Formula(name, each, tuple(takes), dict(derived.from_), names, _NOTHING)


def work_out(
    formula: Formula, facts: Mapping[str, Fact], known: Mapping[str, Known], now: datetime | None
) -> Number | Choice:
    """What it comes to; what would narrow it goes by the names of the file."""
    if now is None:
        raise ValueError("the moment is needed to work out a formula")
    arguments = list(formula.ready.arguments)
    problems: list[Issue] = []
    for take in formula.takes:
        if take.wanted is None:
            arguments[take.place] = facts[take.source]
            continue
        given = known[take.source].over_time if take.over_time else facts.get(take.source)
        arguments[take.place], wrong = usable(take.wanted, given)
        problems += wrong
    answer = call(formula.ready, arguments, problems, now)
    if not answer.missing:
        return answer
    missing = tuple([formula.in_file.get(each, each) for each in answer.missing])
    return answer if missing == answer.missing else msgspec.structs.replace(answer, missing=missing)
