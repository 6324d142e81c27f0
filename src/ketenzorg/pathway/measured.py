"""From answers to facts: each in the unit of the file, young enough, plausible; what is not is named, never used."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

import msgspec

from ketenzorg.errors import Issue
from ketenzorg.pathway import calendar, facts, series, units
from ketenzorg.pathway.answered import Code, Day, Quantity, Readings, Text, Value, YesNo
from ketenzorg.pathway.functions.function import Fact
from ketenzorg.pathway.questions import DataElement

EGFR = "egfr"  # the measure whose values tell nothing over time without their formula


class Known(msgspec.Struct, frozen=True, gc=False):
    """One data element: the fact for the rules, all values over time, whether it was answered, and doubts."""

    fact: Fact | None  # none: of a kind that no rule looks at (words)
    answered: bool
    over_time: series.Series | None = None
    doubts: tuple[Issue, ...] = ()


class Asked(msgspec.Struct, frozen=True):
    """A data element with what never changes of it: how it is read, its limits, and what is known without an answer."""

    name: str
    element: DataElement
    unanswered: Known
    read: "Reader"
    choices: dict[Value, Known] = {}  # what each answer says, where there are few
    low: Decimal = Decimal(0)  # plausible limits, in the unit of the file
    high: Decimal = Decimal(0)
    max_age: calendar.Amount | None = None
    as_written: frozenset[tuple[units.Code | None, str]] = (
        frozenset()
    )  # code and unit that need no conversion


# What an answer says; what cannot be read as what was asked is no answer.
Reader = Callable[[Asked, Value, datetime | None], Known]


def asked(elements: Mapping[str, DataElement]) -> dict[str, Asked]:
    """Every data element of a checked file."""
    return {name: _asked(name, element) for name, element in elements.items()}


def _asked(name: str, element: DataElement) -> Asked:
    match element.type:
        case "ja-nee":
            either = facts.Choice((facts.YES, facts.NO), (name,))
            said: dict[Value, Known] = {
                YesNo("ja"): _exactly(facts.YES),
                YesNo("nee"): _exactly(facts.NO),
                YesNo("onbekend"): Known(either, answered=True),
            }
            return Asked(name, element, Known(either, answered=False), _choice, said)
        case "code":
            nothing = Known(facts.Choice(tuple(element.codes), (name,)), answered=False)
            codes: dict[Value, Known] = {Code(code): _exactly(code) for code in element.codes}
            return Asked(name, element, nothing, _choice, codes)
        case "datum":
            return Asked(name, element, Known(facts.Day(date.min, date.max), answered=False), _day)
        case "tekst":
            return Asked(name, element, Known(None, answered=False), _words)
        case "getal":
            low, high = bounds(element)
            number = Known(facts.Number(low, high, element.unit, (name,)), False, series.Series(()))
            max_age = calendar.parse(element.max_age) if element.max_age else None
            same = _as_written(units.MEASURES[element.measure], element.unit)
            return Asked(name, element, number, _measured, {}, low, high, max_age, same)


def _exactly(code: str) -> Known:
    return Known(facts.Choice((code,)), answered=True)


def _as_written(measure: units.Measure, unit: str) -> frozenset[tuple[units.Code | None, str]]:
    """Without a code, and under each of the measure, the units of which one is one of the file's and the measure's."""
    one = measure.units[measure.unit]
    if measure.units[unit] != one:
        return frozenset()
    same = {each for each, size in measure.units.items() if size == one}
    under = {(code, each) for code, fitting in measure.codes.items() for each in same.intersection(fitting)}
    return frozenset({(None, each) for each in same} | under)


def _choice(each: Asked, value: Value, _: datetime | None) -> Known:
    """One that is not among the answers as it stands: it may be a code that says its system."""
    return each.choices.get(Code(value.code), each.unanswered) if isinstance(value, Code) else each.unanswered


def _day(each: Asked, value: Value, _: datetime | None) -> Known:
    return Known(facts.Day(value.value, value.value), True) if isinstance(value, Day) else each.unanswered


def _words(each: Asked, value: Value, _: datetime | None) -> Known:
    return _SAID if isinstance(value, Text) and value.value.strip() else each.unanswered


_SAID = Known(None, answered=True)


def bounds(element: DataElement) -> tuple[Decimal, Decimal]:
    """The plausible limits in the unit of the file: its own, else those of the measure."""
    own = units.MEASURES[element.measure]
    low, high = (units.convert(end, own.unit, own.name, element.unit) for end in (own.low, own.high))
    low = low if element.lowest is None else Decimal(str(element.lowest))
    return low, high if element.highest is None else Decimal(str(element.highest))


def _measured(each: Asked, value: Value, now: datetime | None) -> Known:
    element = each.element
    readings = (value,) if isinstance(value, Quantity) else value.all if isinstance(value, Readings) else ()
    if not readings:
        return each.unanswered
    if now is None:
        raise ValueError("the moment is needed to judge measurements")
    doubts: list[Issue] = []
    points: list[series.Measurement] = []
    for one in readings:
        point = _point(each, one, now, doubts)
        if point is not None:
            points.append(point)
    all_of_them = over_time = series.series(points, now)
    newest = series.newest(all_of_them, now, each.max_age)
    fact = each.unanswered.fact
    if newest.found is not None:
        exact = _back(newest.found.value, element)
        fact = facts.Number(exact, exact, element.unit)
    if element.measure == EGFR and not all(point.formula for point in points):
        over_time = series.series(points, now, with_formula=True)
    doubts += newest.problems
    if element.series:
        doubts += over_time.problems
    doubts_named = _at(each.name, doubts) if doubts else ()
    answered = bool(over_time.points) if element.series else newest.found is not None
    return Known(fact, answered, over_time, doubts_named)


def _at(name: str, problems: Iterable[Issue]) -> tuple[Issue, ...]:
    """Each once, and naming the element."""
    return tuple(dict.fromkeys(msgspec.structs.replace(each, expression=(name,)) for each in problems))


def _back(value: Decimal, element: DataElement) -> Decimal:
    own = units.MEASURES[element.measure].unit
    return value if own == element.unit else units.convert(value, own, element.measure, element.unit)


def _point(each: Asked, reading: Quantity, now: datetime, doubts: list[Issue]) -> series.Measurement | None:
    """The reading in the measure's own unit; none, with the reason in doubts, when it cannot be used."""
    number = in_file = reading.number
    if (reading.code, reading.unit) not in each.as_written:
        try:
            number = _converted(reading, each.element.measure)
        except units.Unusable as refused:
            doubts += refused.issues
            return None
        in_file = _back(number, each.element)
    if not (each.low <= in_file <= each.high):
        doubts.append(_implausible(each))
        return None
    at = _moment(reading, each.element, now, doubts)
    if at is None:
        return None
    formula = series.FORMULAS.get(reading.code, "") if each.element.measure == EGFR and reading.code else ""
    return series.Measurement(at, number, formula, reading.place)


def _converted(reading: Quantity, measure: str) -> Decimal:
    if reading.code is None:
        return units.convert(reading.number, reading.unit, measure)
    return units.read(reading.number, reading.unit, measure, reading.code)


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
    """What was given, each as what it says; what is not asked falls out."""
    given: dict[str, Known] = {}
    for name, value in data.items():
        each = elements.get(name)
        if each is not None:
            choices = each.choices
            given[name] = (choices and choices.get(value)) or each.read(each, value, now)
    return given
