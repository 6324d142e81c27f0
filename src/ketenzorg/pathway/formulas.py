"""The formulas of a pathway file, with everything that does not change looked up once, at load."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from ketenzorg.pathway.facts import Choice, Number
from ketenzorg.pathway.function import Fact, Ready, call, ready
from ketenzorg.pathway.functions import FUNCTIONS
from ketenzorg.pathway.measured import Asked, Known
from ketenzorg.pathway.questions import Derived

_NOTHING = Choice(())
_ANY_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)  # for what does not hang on it


class Formula(msgspec.Struct, frozen=True):
    """One formula: what it takes from where, and its settings."""

    name: str
    ready: Ready  # the function with its settings
    sources: tuple[
        tuple[str, str, bool], ...
    ]  # input, name in the file, whether it takes all values over time
    in_file: dict[str, str]  # input -> name in the file
    names: frozenset[str]  # of everything in the file that it takes
    blank: Number | Choice  # what it comes to when nothing was answered


def formulas(
    derived: Mapping[str, Derived], elements: Mapping[str, Asked], values: Mapping[str, Fact]
) -> tuple[Formula, ...]:
    """The formulas of a checked file, in its order, each with what it comes to without any answer."""
    data = {name: each.unanswered for name, each in elements.items()}
    found = {name: each.fact for name, each in data.items() if each.fact is not None} | dict(values)
    ready_ones = []
    for name, each in derived.items():
        formula = _formula(name, each)
        found[name] = blank = work_out(formula, found, data, _ANY_MOMENT)
        ready_ones.append(msgspec.structs.replace(formula, blank=blank))
    return tuple(ready_ones)


def _formula(name: str, derived: Derived) -> Formula:
    function = FUNCTIONS[derived.function]
    settings = {
        key: Decimal(str(value)) if isinstance(value, int | float) else value
        for key, value in derived.settings.items()
    }
    sources = tuple(
        (wanted.name, derived.from_.get(wanted.name, ""), wanted.kind == "reeks")
        for wanted in function.inputs
    )
    names = frozenset(derived.from_.values())
    return Formula(name, ready(function, settings), sources, dict(derived.from_), names, _NOTHING)


def work_out(
    formula: Formula, facts: Mapping[str, Fact], data: Mapping[str, Known], now: datetime | None
) -> Number | Choice:
    """What it comes to; what would narrow it goes by the names of the file."""
    if now is None:
        raise ValueError("the moment is needed to work out a formula")
    given: dict[str, Fact | None] = {
        name: data[source].over_time if over_time and source in data else facts.get(source)
        for name, source, over_time in formula.sources
    }
    answer = call(formula.ready, given, now)
    if not answer.missing:
        return answer
    missing = tuple(formula.in_file.get(each, each) for each in answer.missing)
    return answer if missing == answer.missing else msgspec.structs.replace(answer, missing=missing)
