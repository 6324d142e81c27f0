"""What a named formula of the pathways is, and how one is worked out from what is known.

`evaluate` works one out by itself, formulas.py in a pathway. `usable` puts an input in the function's own unit, and
treats what cannot be used as unknown and names it; `call` says which inputs would narrow an answer that is not exact.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from inspect import signature
from typing import Any, Literal, TypeVar

import msgspec

from ketenzorg.errors import Issue
from ketenzorg.pathway import units
from ketenzorg.pathway.definition import Status
from ketenzorg.pathway.facts import NO, SCORE, YES, Choice, Day, Number
from ketenzorg.pathway.series import Series

Fact = Number | Choice | Day | Series


@cache
def _keyword(name: str) -> str:
    return name.replace("-", "_")


class Input(msgspec.Struct, frozen=True):
    """One thing that a function takes, by name."""

    name: str
    kind: Literal["getal", "keuze", "datum", "reeks"]
    measure: str = ""  # of units.MEASURES: its unit and plausible limits; for a number or a series
    codes: tuple[str, ...] = ()  # for a choice; ("ja", "nee") for a yes/no


class Returns(msgspec.Struct, frozen=True):
    """What a function gives: a number within bounds, or one of these codes."""

    kind: Literal["getal", "keuze"]
    unit: str = ""  # UCUM
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    codes: tuple[str, ...] = ()
    whole: bool = False  # only whole numbers


class Setting(msgspec.Struct, frozen=True):
    """A threshold or a reading of the sources that the clinical owner may set in the pathway file."""

    name: str
    default: Decimal | str
    source: str
    status: Status
    unit: str = ""
    choices: tuple[str, ...] = ()  # for a choice between readings
    only: Literal["", "lager", "hoger"] = ""  # safety-locked: the one way that it may be moved
    conflict: str = ""  # what the sources disagree on (Dutch)


class Function(msgspec.Struct, frozen=True):
    """A named formula; `work_out` takes the inputs and settings as keywords, hyphens as underscores."""

    name: str
    title: str
    inputs: tuple[Input, ...]
    returns: Returns
    source: str
    status: Status
    work_out: Callable[..., Number | Choice]
    settings: tuple[Setting, ...] = ()
    uses_now: bool = False  # takes the moment as `nu`


def yes_no(*names: str) -> tuple[Input, ...]:
    """Yes/no questions."""
    return tuple(Input(name, "keuze", codes=(YES, NO)) for name in names)


def score(high: int) -> Returns:
    """Points from none to `high`."""
    return Returns("getal", SCORE, Decimal(0), Decimal(high), whole=True)


def codes(*possible: str) -> Returns:
    """One of these."""
    return Returns("keuze", codes=possible)


AGE = Input("leeftijd", "getal", "leeftijd")
GENDER = Input("geslacht", "keuze", codes=("man", "vrouw"))


_T = TypeVar("_T")


class Ready(msgspec.Struct, frozen=True):
    """A function with its settings, ready to be called: arguments by place cost a tenth of those by name."""

    function: Function
    arguments: tuple[Any, ...]  # the settings in their places; where an input goes, nothing yet
    inputs: tuple[tuple[int, Input], ...]  # with their places
    now: int  # the place of the moment, for who uses it


def ready(function: Function, settings: Mapping[str, Decimal | str]) -> Ready:
    """The function with these settings, and its own for the rest."""
    words: dict[str, object] = {_keyword(one.name): one.default for one in function.settings}
    words |= {_keyword(name): value for name, value in settings.items()}
    names = _parameters(function.work_out)
    return Ready(
        function,
        tuple(words.get(name) for name in names),
        tuple((names.index(_keyword(wanted.name)), wanted) for wanted in function.inputs),
        names.index("nu") if function.uses_now else -1,
    )


@cache
def _parameters(work_out: Callable[..., Number | Choice]) -> tuple[str, ...]:
    return tuple(signature(work_out).parameters)


def evaluate(
    function: Function,
    given: Mapping[str, Fact | None],
    now: datetime,
    settings: Mapping[str, Decimal | str] | None = None,
) -> Number | Choice:
    """The answer, as exact as what is given allows; None, or no entry, is unknown."""
    each = ready(function, settings or {})
    problems: list[Issue] = []
    arguments = list(each.arguments)
    for place, wanted in each.inputs:
        arguments[place], wrong = usable(wanted, given.get(wanted.name))
        problems += wrong
    return call(each, arguments, problems, now)


def call(each: Ready, arguments: list[Any], problems: Iterable[Issue], now: datetime) -> Number | Choice:
    """The answer to inputs that can be used, each in its place; `problems` say what of them could not be."""
    if each.now >= 0:
        arguments[each.now] = now
    answer = each.function.work_out(*arguments)
    if answer.exact is not None:
        named: tuple[str, ...] = ()
    else:
        named = answer.missing or _once(
            name for place, wanted in each.inputs for name in _gaps(wanted, arguments[place])
        )
    if problems or answer.problems:
        return _with(answer, named, _once((*problems, *answer.problems)))
    return answer if named == answer.missing else _with(answer, named, ())


def wrong_settings(function: Function, settings: Mapping[str, object]) -> list[str]:
    """What is wrong with the settings of a pathway file, in Dutch, one sentence each."""
    known = {one.name: one for one in function.settings}
    wrong = []
    for name, value in settings.items():
        setting = known.get(name)
        if setting is None:
            wrong.append(f"‘{function.name}’ heeft geen instelling ‘{name}’; wel: {_names(known)}.")
        elif (why := _wrong(setting, value)) is not None:
            wrong.append(f"‘{name}’ van ‘{function.name}’ {why}.")
    return wrong


def _wrong(setting: Setting, value: object) -> str | None:
    if setting.choices:
        return None if value in setting.choices else f"is een van: {_names(setting.choices)}"
    number = Decimal(value) if isinstance(value, Decimal | int) and not isinstance(value, bool) else None
    if number is None or not number.is_finite() or number <= 0:
        return "is een getal boven nul"
    default = Decimal(setting.default)
    if (setting.only == "lager" and number > default) or (setting.only == "hoger" and number < default):
        return f"mag alleen {setting.only} worden dan {default}: het is een veiligheidsgrens"
    return None


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "geen"


def usable(wanted: Input, given: Fact | None) -> tuple[Fact, tuple[Issue, ...]]:
    """The fact in the function's unit, or all that it can be, and why."""
    if given is None:
        return _anything(wanted), ()
    if isinstance(given, Choice) and wanted.kind == "keuze" and _among(given.possible, wanted.codes):
        return given, given.problems
    if isinstance(given, Number) and wanted.kind == "getal":
        return _in_unit(wanted, given)
    if isinstance(given, Day) and wanted.kind == "datum":
        return given, ()
    if isinstance(given, Series) and wanted.kind == "reeks":
        return given, given.problems
    return _anything(wanted), (_not_this(wanted),)


def _among(possible: tuple[str, ...], codes: tuple[str, ...]) -> bool:
    if len(possible) == 1:  # nearly always, and three times as fast
        return possible[0] in codes
    return possible == codes or set(possible) <= set(codes)


def _in_unit(wanted: Input, given: Number) -> tuple[Fact, tuple[Issue, ...]]:
    own = units.MEASURES[wanted.measure]
    problems = given.problems
    if given.unit != own.unit:
        try:
            low, high = (units.convert(end, given.unit, own.name) for end in (given.low, given.high))
        except units.Unusable as refused:
            return _anything(wanted), (*problems, *(_at(wanted, issue) for issue in refused.issues))
        given = Number(low, high, own.unit, given.missing)
    if given.low < own.low or given.high > own.high:
        return _anything(wanted), (*problems, _implausible(wanted, own))
    return given, problems


def _anything(wanted: Input) -> Fact:
    match wanted.kind:
        case "getal":
            own = units.MEASURES[wanted.measure]
            return Number(own.low, own.high, own.unit, (wanted.name,))
        case "keuze":
            return Choice(wanted.codes, (wanted.name,))
        case "reeks":
            return Series((), missing=(wanted.name,))
        case "datum":
            return Day(date.min, date.max)


def _gaps(wanted: Input, fact: Fact) -> tuple[str, ...]:
    """What would narrow this input: itself, or what it was itself worked out from."""
    if isinstance(fact, Day):
        return () if fact.first == fact.last else (wanted.name,)
    if isinstance(fact, Series):
        return fact.missing or (wanted.name,)  # more measurements may always tell more
    return () if fact.exact is not None else fact.missing or (wanted.name,)


def _with(answer: Number | Choice, missing: tuple[str, ...], problems: tuple[Issue, ...]) -> Number | Choice:
    if isinstance(answer, Number):
        return Number(answer.low, answer.high, answer.unit, missing, problems)
    return Choice(answer.possible, missing, problems)


def _once(items: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(items))


def _at(wanted: Input, issue: Issue) -> Issue:
    return Issue(issue.nl, issue.en, (wanted.name,), issue.code)


def _not_this(wanted: Input) -> Issue:
    taken = _names(wanted.codes) if wanted.kind == "keuze" else wanted.kind
    return Issue(
        nl=f"‘{wanted.name}’ is niet te gebruiken; wel: {taken}.",
        en=f"'{wanted.name}' cannot be used; this can: {taken}.",
        expression=(wanted.name,),
        code="value",
    )


def _implausible(wanted: Input, own: units.Measure) -> Issue:
    limits = f"{own.low}-{own.high} {own.unit}"
    return Issue(
        nl=f"‘{wanted.name}’ ligt buiten wat kan ({limits}): kijk het getal en de eenheid na.",
        en=f"'{wanted.name}' is outside what can be ({limits}): check the number and its unit.",
        expression=(wanted.name,),
        code="value",
    )
