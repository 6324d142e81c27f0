"""The formulas of a pathway file, with everything that does not change looked up once, at load."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from ketenzorg.pathway.facts import Choice, Number
from ketenzorg.pathway.function import Fact, Ready, call, ready
from ketenzorg.pathway.functions import FUNCTIONS
from ketenzorg.pathway.measured import Known
from ketenzorg.pathway.questions import Derived


class Formula(msgspec.Struct, frozen=True):
    """One formula: what it takes from where, and its settings."""

    name: str
    ready: Ready  # the function with its settings
    sources: tuple[
        tuple[str, str, bool], ...
    ]  # input, name in the file, whether it takes all values over time
    in_file: dict[str, str]  # input -> name in the file


def formulas(derived: Mapping[str, Derived]) -> tuple[Formula, ...]:
    """The formulas of a checked file, in its order."""
    return tuple(_formula(name, each) for name, each in derived.items())


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
    return Formula(name, ready(function, settings), sources, dict(derived.from_))


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
