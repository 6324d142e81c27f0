"""From answers to facts: each in the unit of the file, young enough, plausible; what is not is named, never used."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec

from ketenzorg.errors import Issue
from ketenzorg.pathway import calendar, facts, series, units
from ketenzorg.pathway.answered import Code, Day, Quantity, Readings, Text, Value, YesNo
from ketenzorg.pathway.function import Fact
from ketenzorg.pathway.questions import DataElement

EGFR = "egfr"  # the measure whose values tell nothing over time without their formula
_LONG_AGO = datetime.max.replace(tzinfo=UTC)


class Known(msgspec.Struct, frozen=True):
    """One data element: the fact for the rules, all values over time, whether it was answered, and doubts."""

    fact: Fact | None  # none: of a kind that no rule looks at (words)
    answered: bool
    over_time: series.Series | None = None
    doubts: tuple[Issue, ...] = ()


def known(name: str, element: DataElement, value: Value | None, now: datetime | None) -> Known:
    """What an answer says; nothing that cannot be read as what was asked counts as an answer."""
    match element.type:
        case "ja-nee":
            said = value.value if isinstance(value, YesNo) else ""
            exact = said in (facts.YES, facts.NO)
            fact = facts.Choice.of(said) if exact else facts.Choice((facts.YES, facts.NO), (name,))
            return Known(fact, bool(said))
        case "code":
            chosen = value.code if isinstance(value, Code) and value.code in element.codes else ""
            fact = facts.Choice.of(chosen) if chosen else facts.Choice(tuple(element.codes), (name,))
            return Known(fact, bool(chosen))
        case "datum":
            day = value.value if isinstance(value, Day) else None
            return Known(facts.Day(day, day) if day else facts.Day(date.min, date.max), day is not None)
        case "tekst":
            return Known(None, isinstance(value, Text) and bool(value.value.strip()))
        case "getal":
            return _measured(name, element, value, now)


def unknown_number(name: str, element: DataElement) -> facts.Number:
    """Anything that a person can have."""
    low, high = bounds(element)
    return facts.Number(low, high, element.unit, (name,))


def bounds(element: DataElement) -> tuple[Decimal, Decimal]:
    """The plausible limits in the unit of the file: its own, else those of the measure."""
    own = units.MEASURES[element.measure]
    low, high = (units.convert(end, own.unit, own.name, element.unit) for end in (own.low, own.high))
    low = low if element.lowest is None else Decimal(str(element.lowest))
    return low, high if element.highest is None else Decimal(str(element.highest))


def _measured(name: str, element: DataElement, value: Value | None, now: datetime | None) -> Known:
    readings = _readings(value)
    doubts: list[Issue] = []
    points = [point for each in readings if (point := _point(element, each, now, doubts)) is not None]
    if now is None:
        if readings:
            raise ValueError("the moment is needed to judge measurements")
        return Known(unknown_number(name, element), answered=False)
    all_of_them = series.series(points, now)
    max_age = calendar.parse(element.max_age) if element.max_age else None
    newest = series.newest(all_of_them, now, max_age)
    fact = unknown_number(name, element)
    if newest.found is not None:
        own = units.MEASURES[element.measure].unit
        exact = newest.found.value if own == element.unit else _back(newest.found.value, element)
        fact = facts.Number.of(exact, element.unit)
    over_time = series.series(points, now, with_formula=True) if element.measure == EGFR else all_of_them
    problems = (*doubts, *newest.problems, *(over_time.problems if element.series else ()))
    doubts_named = tuple(
        dict.fromkeys(msgspec.structs.replace(each, expression=(name,)) for each in problems)
    )
    answered = bool(over_time.points) if element.series else newest.found is not None
    return Known(fact, answered, over_time, doubts_named)


def _readings(value: Value | None) -> Iterable[Quantity]:
    match value:
        case Quantity():
            return (value,)
        case Readings(all=several):
            return several
        case _:
            return ()


def _back(value: Decimal, element: DataElement) -> Decimal:
    return units.convert(value, units.MEASURES[element.measure].unit, element.measure, element.unit)


def _point(
    element: DataElement, reading: Quantity, now: datetime | None, doubts: list[Issue]
) -> series.Measurement | None:
    """The reading in the measure's own unit; none, with the reason in doubts, when it cannot be used."""
    try:
        if reading.code is None:
            number = units.convert(reading.number, reading.unit, element.measure)
        else:
            number = units.read(reading.number, reading.unit, element.measure, reading.code)
    except units.Unusable as refused:
        doubts += refused.issues
        return None
    low, high = bounds(element)
    if not (low <= _back(number, element) <= high):
        doubts.append(_implausible(element, low, high))
        return None
    at = _moment(reading, element, now, doubts)
    if at is None:
        return None
    formula = series.FORMULAS.get(reading.code, "") if reading.code else ""
    return series.Measurement(at, number, formula, reading.place)


def _moment(
    reading: Quantity, element: DataElement, now: datetime | None, doubts: list[Issue]
) -> series.Moment | None:
    """When it was measured; without a date it is taken as now where neither age nor order matters."""
    try:
        return series.moment(reading.at)
    except ValueError:
        if element.max_age or element.series:
            doubts.append(_WITHOUT_DATE)
            return None
        at = now or _LONG_AGO
        return series.Moment(at, at)


def _implausible(element: DataElement, low: Decimal, high: Decimal) -> Issue:
    limits = f"{low.normalize():f} - {high.normalize():f} {element.unit}"
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
    elements: Mapping[str, DataElement], data: Mapping[str, Value], now: datetime | None
) -> dict[str, Known]:
    """Every data element of a pathway."""
    return {name: known(name, element, data.get(name), now) for name, element in elements.items()}
