"""From answers to facts: each in the unit of the file, young enough, plausible; what is not is named, never used."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

import msgspec

from ketenzorg.errors import Issue
from ketenzorg.pathway import calendar, facts, series, units
from ketenzorg.pathway.answered import Code, Day, Quantity, Readings, Text, Value, YesNo
from ketenzorg.pathway.function import Fact
from ketenzorg.pathway.questions import DataElement

_UNKNOWN = "onbekend"
EGFR = "egfr"  # the measure whose values tell nothing over time without their formula


class Known(msgspec.Struct, frozen=True):
    """One data element: the fact for the rules, all values over time, whether it was answered, and doubts."""

    fact: Fact | None  # none: of a kind that no rule looks at (words)
    answered: bool
    over_time: series.Series | None = None
    doubts: tuple[Issue, ...] = ()


class Asked(msgspec.Struct, frozen=True):
    """A data element with what never changes of it: its limits, its age, and what is known without an answer."""

    name: str
    element: DataElement
    unanswered: Known
    choices: dict[str, Known] = {}  # what each answer says, where there are few
    low: Decimal = Decimal(0)  # plausible limits, in the unit of the file
    high: Decimal = Decimal(0)
    max_age: calendar.Amount | None = None


def asked(elements: Mapping[str, DataElement]) -> dict[str, Asked]:
    """Every data element of a checked file."""
    return {name: _asked(name, element) for name, element in elements.items()}


def _asked(name: str, element: DataElement) -> Asked:
    match element.type:
        case "ja-nee":
            either = facts.Choice((facts.YES, facts.NO), (name,))
            said = _choices((facts.YES, facts.NO)) | {_UNKNOWN: Known(either, answered=True)}
            return Asked(name, element, Known(either, answered=False), said)
        case "code":
            nothing = Known(facts.Choice(tuple(element.codes), (name,)), answered=False)
            return Asked(name, element, nothing, _choices(element.codes))
        case "datum":
            return Asked(name, element, Known(facts.Day(date.min, date.max), answered=False))
        case "tekst":
            return Asked(name, element, Known(None, answered=False))
        case "getal":
            low, high = bounds(element)
            number = Known(facts.Number(low, high, element.unit, (name,)), False, series.Series(()))
            max_age = calendar.parse(element.max_age) if element.max_age else None
            return Asked(name, element, number, low=low, high=high, max_age=max_age)


def _choices(codes: Iterable[str]) -> dict[str, Known]:
    return {code: Known(facts.Choice((code,)), answered=True) for code in codes}


def known(each: Asked, value: Value, now: datetime | None) -> Known:
    """What an answer says; nothing that cannot be read as what was asked counts as an answer."""
    match each.element.type, value:
        case "getal", _:
            return _measured(each, value, now)
        case ("ja-nee", YesNo(value=chosen)) | ("code", Code(code=chosen)):
            return each.choices.get(chosen, each.unanswered)
        case "datum", Day(value=day):
            return Known(facts.Day(day, day), answered=True)
        case "tekst", Text(value=words) if words.strip():
            return Known(None, answered=True)
    return each.unanswered


def bounds(element: DataElement) -> tuple[Decimal, Decimal]:
    """The plausible limits in the unit of the file: its own, else those of the measure."""
    own = units.MEASURES[element.measure]
    low, high = (units.convert(end, own.unit, own.name, element.unit) for end in (own.low, own.high))
    low = low if element.lowest is None else Decimal(str(element.lowest))
    return low, high if element.highest is None else Decimal(str(element.highest))


def _measured(each: Asked, value: Value, now: datetime | None) -> Known:
    element, readings = each.element, _readings(value)
    if not readings:
        return each.unanswered
    if now is None:
        raise ValueError("the moment is needed to judge measurements")
    doubts: list[Issue] = []
    points = [point for one in readings if (point := _point(each, one, now, doubts)) is not None]
    all_of_them = series.series(points, now)
    newest = series.newest(all_of_them, now, each.max_age)
    fact = each.unanswered.fact
    if newest.found is not None:
        fact = facts.Number.of(_back(newest.found.value, element), element.unit)
    over_time = series.series(points, now, with_formula=True) if element.measure == EGFR else all_of_them
    problems = (*doubts, *newest.problems, *(over_time.problems if element.series else ()))
    doubts_named = _at(each.name, problems) if problems else ()
    answered = bool(over_time.points) if element.series else newest.found is not None
    return Known(fact, answered, over_time, doubts_named)


def _at(name: str, problems: Iterable[Issue]) -> tuple[Issue, ...]:
    """Each once, and naming the element."""
    return tuple(dict.fromkeys(msgspec.structs.replace(each, expression=(name,)) for each in problems))


def _readings(value: Value) -> tuple[Quantity, ...]:
    match value:
        case Quantity():
            return (value,)
        case Readings(all=several):
            return several
        case _:
            return ()


def _back(value: Decimal, element: DataElement) -> Decimal:
    own = units.MEASURES[element.measure].unit
    return value if own == element.unit else units.convert(value, own, element.measure, element.unit)


def _point(each: Asked, reading: Quantity, now: datetime, doubts: list[Issue]) -> series.Measurement | None:
    """The reading in the measure's own unit; none, with the reason in doubts, when it cannot be used."""
    measure = each.element.measure
    try:
        if reading.code is None:
            number = units.convert(reading.number, reading.unit, measure)
        else:
            number = units.read(reading.number, reading.unit, measure, reading.code)
    except units.Unusable as refused:
        doubts += refused.issues
        return None
    if not (each.low <= _back(number, each.element) <= each.high):
        doubts.append(_implausible(each))
        return None
    at = _moment(reading, each.element, now, doubts)
    if at is None:
        return None
    formula = series.FORMULAS.get(reading.code, "") if reading.code else ""
    return series.Measurement(at, number, formula, reading.place)


def _moment(
    reading: Quantity, element: DataElement, now: datetime, doubts: list[Issue]
) -> series.Moment | None:
    """When it was measured; without a date it is taken as now where neither age nor order matters."""
    try:
        return series.moment(reading.at)
    except ValueError:
        if element.max_age or element.series:
            doubts.append(_WITHOUT_DATE)
            return None
        return series.Moment(now, now)


def _implausible(each: Asked) -> Issue:
    limits = f"{each.low.normalize():f} - {each.high.normalize():f} {each.element.unit}"
    return Issue(
        nl=f"De waarde ligt buiten wat kan ({limits}): kijk het getal en de eenheid na.",
        en=f"The value is outside what can be ({limits}): check the number and its unit.",
        code="value",
    )


_WITHOUT_DATE = Issue(
    nl="De waarde heeft geen datum: wij weten niet hoe oud hij is.",
    en="The value has no date: how old it is cannot be told.",
    code="incomplete",
)


def by_name(
    elements: Mapping[str, Asked], data: Mapping[str, Value], now: datetime | None
) -> dict[str, Known]:
    """Every data element of a pathway; only what was given takes work."""
    return {
        name: known(each, value, now) if (value := data.get(name)) is not None else each.unanswered
        for name, each in elements.items()
    }
