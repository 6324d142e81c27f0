"""Checks of what a file asks and how it decides: units, codes, formulas, and every cell of every table."""

import operator
from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec

from ketenzorg.pathway import calendar, cells, units
from ketenzorg.pathway.deciding import numbers_of
from ketenzorg.pathway.definition import PathwayFile, Shared, Side, StepTable
from ketenzorg.pathway.findings import Finding, Place, unknown
from ketenzorg.pathway.functions.function import Function, wrong_settings
from ketenzorg.pathway.functions.functions import FUNCTIONS
from ketenzorg.pathway.measured import bounds
from ketenzorg.pathway.questions import DataElement, DecisionTable, Derived, Row
from ketenzorg.pathway.systems import SYSTEMS, codings, could_be
from ketenzorg.pathway.words import ITSELF

CALL = "bel nu"
YES_NO = frozenset({"ja", "nee"})


class Ground(msgspec.Struct, frozen=True):
    """What a cell may be about: a number between limits, or one of these codes."""

    codes: frozenset[str] = frozenset()
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    unit: str = ""
    whole: bool = False  # only whole numbers occur
    known: bool = False  # it is never unknown: chosen by the owner, or nothing is sent without it


def check_questions(file: PathwayFile) -> list[Finding]:
    """Every mistake in data elements, values, formulas and tables."""
    return [
        *_check_measured(file),
        *_check_coded(file),
        *_check_values(file),
        *_check_derived(file),
        *_check_tables(file),
    ]


def grounds(file: PathwayFile) -> dict[str, Ground]:
    """Everything that a table may look at, by name; what is wrong elsewhere is left out."""
    found: dict[str, Ground] = {}
    for name, element in file.data.items():
        if element.type == "ja-nee":
            found[name] = Ground(YES_NO)
        elif element.type == "code":
            found[name] = Ground(frozenset(element.codes), known=element.need == "vereist")
        elif element.type == "getal" and not [*_wrong_measure((), element)]:
            low, high = bounds(element)
            required = element.need == "vereist" and not element.series
            found[name] = Ground(low=low, high=high, unit=element.unit, known=required)
    for name, value in file.values.items():
        if value.choices:
            found[name] = Ground(frozenset(value.choices), known=True)
        elif isinstance(value.value, int | float):
            number = Decimal(str(value.value))
            found[name] = Ground(low=number, high=number, unit=value.unit, known=True)
    for name, derived in file.derived.items():
        if derived.function in FUNCTIONS:
            gives = FUNCTIONS[derived.function].returns
            codes = frozenset(gives.codes)
            found[name] = Ground(codes, gives.low, gives.high, gives.unit, whole=gives.whole)
    for table in file.table:
        if table.codes:
            # One row always holds: check_tables proves it.
            always = table.hit == "uniek" and not (table.if_unknown or table.otherwise)
            found[table.name] = Ground(frozenset(table.codes), known=always)
    return found


def _check_measured(file: PathwayFile) -> Iterator[Finding]:
    for name, element in file.data.items():
        place: Place = ("data", name)
        if element.type == "getal":
            yield from _wrong_measure(place, element)
        elif element.measure or element.unit or element.series or element.lowest is not None:
            nl, en = "meten hoort bij type = ‘getal’.", "measuring goes with type = 'getal'."
            yield Finding(place, nl, en)
        if element.max_age:
            yield from length((*place, "max_age"), element.max_age)
        if element.ahead and element.type != "datum":
            nl, en = "vooruit liggen kan alleen een ‘datum’.", "only a 'datum' can lie ahead."
            yield Finding((*place, "ahead"), nl, en)


def _wrong_measure(place: Place, element: DataElement) -> Iterator[Finding]:
    known = units.MEASURES.get(element.measure)
    if known is None:
        yield unknown((*place, "measure"), "maat", "measure", element.measure, units.MEASURES)
        return
    if element.unit not in known.units:
        yield unknown((*place, "unit"), "eenheid", "unit", element.unit, known.units)
    elif operator.ge(*bounds(element)):
        nl, en = "lowest is niet lager dan highest.", "lowest is not below highest."
        yield Finding((*place, "lowest"), nl, en)
    for named in element.coded_as:
        if codings(named) and not any(coding in known.codes for coding in codings(named)):
            yield Finding(
                (*place, "coded_as"),
                f"‘{named}’ staat niet voor {known.title}.",
                f"'{named}' does not stand for {known.name}.",
            )


def _check_coded(file: PathwayFile) -> Iterator[Finding]:
    for name, element in file.data.items():
        for named in element.coded_as:
            if not codings(named):
                yield unknown(("data", name, "coded_as"), "codestelsel", "code system", named, SYSTEMS)
            elif element.type != "getal" and not could_be(named):  # of a measure all codes are known
                place: Place = ("data", name, "coded_as")
                nl, en = f"‘{named}’ bestaat niet in dat stelsel.", f"'{named}' is no code of that system."
                yield Finding(place, f"{nl} Kijk de cijfers na.", f"{en} Check the digits.")


def _check_values(file: PathwayFile) -> Iterator[Finding]:
    for name, value in file.values.items():
        place: Place = ("values", name, "value")
        if isinstance(value.value, str) and value.value not in value.choices:
            yield unknown(place, "keuze", "choice", value.value, value.choices)
        if value.choices and value.value is None:
            yield Finding(place, "zeg welke keuze nu geldt.", "say which choice holds now.")
        if isinstance(value.value, int | float) and not value.unit:
            at: Place = ("values", name, "unit")
            yield Finding(at, "een getal heeft een eenheid.", "a number has a unit.")


def _check_derived(file: PathwayFile) -> Iterator[Finding]:
    before = {*file.data, *file.values}
    for name, derived in file.derived.items():
        place: Place = ("derived", name)
        yield from _check_shown_with((*place, "shown_with"), derived, file)
        function = FUNCTIONS.get(derived.function)
        if function is None:
            yield unknown((*place, "function"), "functie", "function", derived.function, FUNCTIONS)
            continue
        if name in before:
            yield Finding(place, f"‘{name}’ bestaat al.", f"'{name}' exists already.")
        for wanted in function.inputs:
            if wanted.name not in derived.from_:
                nl = f"‘{derived.function}’ vraagt ook om ‘{wanted.name}’."
                yield Finding((*place, "from"), nl, f"'{derived.function}' also takes '{wanted.name}'.")
        for given, source in derived.from_.items():
            if given not in {wanted.name for wanted in function.inputs}:
                known = [wanted.name for wanted in function.inputs]
                yield unknown((*place, "from", given), "invoer", "input", given, known)
            elif source not in before:
                yield unknown((*place, "from", given), "gegeven (erboven)", "name above it", source, before)
            else:
                yield from _fits(function, given, source, file, (*place, "from", given))
        settings = {
            key: Decimal(str(value)) if isinstance(value, int | float) else value
            for key, value in derived.settings.items()
        }
        for sentence in wrong_settings(function, settings):
            yield Finding((*place, "settings"), sentence, f"settings of '{function.name}': {sentence}")
        before.add(name)


def _check_shown_with(place: Place, derived: Derived, file: PathwayFile) -> Iterator[Finding]:
    """What is only shown with a warning has one in every row, and is not let out by another formula."""
    if derived.shown_with:
        tables = {table.name: table for table in file.table}
        if derived.shown_with not in tables:
            yield unknown(place, "tabel", "table", derived.shown_with, tables)
        elif not all(row.then.advice for row in tables[derived.shown_with].rows):
            nl = f"een rij van ‘{derived.shown_with}’ zegt er niets bij: geef elke rij een advice."
            en = f"a row of '{derived.shown_with}' says nothing with it: give every row an advice."
            yield Finding(place, nl, en)
    for source in derived.from_.values():
        kept = file.derived[source].shown_with if source in file.derived else ""
        if kept not in ("", derived.shown_with):
            nl = f'‘{source}’ wordt alleen met ‘{kept}’ getoond: zet hier shown_with = "{kept}".'
            en = f"'{source}' is only shown with '{kept}': write shown_with = \"{kept}\" here."
            yield Finding(place, nl, en)


def _fits(function: Function, given: str, source: str, file: PathwayFile, place: Place) -> Iterator[Finding]:
    """The kind of the input is the kind of what is given to it."""
    wanted = next(each for each in function.inputs if each.name == given)
    element = file.data.get(source)
    kinds = {"ja-nee": "keuze", "code": "keuze", "datum": "datum", "getal": "getal", "tekst": "tekst"}
    if element is not None:
        kind = "reeks" if element.type == "getal" and wanted.kind == "reeks" else kinds[element.type]
        if kind != wanted.kind or (kind == "reeks" and not element.series):
            nl = f"‘{given}’ is een {wanted.kind}, ‘{source}’ niet{' (series = true)' if kind == 'reeks' else ''}."
            yield Finding(place, nl, f"'{given}' is a {wanted.kind}, '{source}' is not.")
            return
        measured = wanted.measure and element.measure and wanted.measure != element.measure
        if measured and element.unit not in units.MEASURES[wanted.measure].units:
            yield Finding(
                place,
                f"‘{given}’ is {wanted.measure}, geen {element.measure}.",
                f"'{given}' is {wanted.measure}.",
            )
    codes = _codes_of(source, file)
    if wanted.kind == "keuze" and not codes <= set(wanted.codes):
        names = ", ".join(wanted.codes)
        yield Finding(place, f"‘{given}’ kent alleen: {names}.", f"'{given}' knows only: {names}.")


def _codes_of(source: str, file: PathwayFile) -> set[str]:
    ground = grounds(file).get(source)
    return set(ground.codes) if ground else set()


def _check_tables(file: PathwayFile) -> Iterator[Finding]:
    known, numbers = grounds(file), numbers_of(file.values)
    seen: set[str] = set()
    later = {table.name for table in file.table}
    said = _wrong_elsewhere(file, known)
    for index, table in enumerate(file.table):
        place: Place = ("table", index)
        if table.name in seen | set(file.data) | set(file.derived) | set(file.values):
            yield Finding((*place, "name"), f"‘{table.name}’ bestaat al.", f"'{table.name}' exists already.")
        yield from _check_inputs(place, table, known, later, said)
        for number, row in enumerate(table.rows):
            at: Place = (*place, "rows", number)
            yield from _check_when(at, table, row, known, numbers)
            yield from _check_then(at, table, row, file)
            if row.source is None and table.source is None:
                nl, en = "geen source, en de tabel heeft er ook geen.", "no source, and the table has none."
                yield Finding((*at, "source"), nl, en)
        if table.otherwise and table.otherwise not in table.codes:
            yield unknown((*place, "otherwise"), "waarde", "value", table.otherwise, table.codes)
        for name in table.knowing:
            if name not in table.inputs or not table.otherwise:
                yield unknown((*place, "knowing"), "invoer", "input", name, table.inputs)
        if not table.rows:
            yield Finding((*place, "rows"), "een tabel zonder rijen.", "a table without rows.")
        seen.add(table.name)
        later.discard(table.name)


def _wrong_elsewhere(file: PathwayFile, known: Mapping[str, Ground]) -> set[str]:
    """What a table may not look at because it is itself wrong: that was said at its own place."""
    measured = {name for name, element in file.data.items() if element.type == "getal"}
    return ({*measured, *file.derived}) - set(known)


def _check_inputs(
    place: Place, table: DecisionTable, known: Mapping[str, Ground], later: set[str], said: set[str]
) -> Iterator[Finding]:
    for name in table.inputs:
        if name in said:
            continue
        if name not in known:
            yield unknown((*place, "inputs"), "gegeven", "name", name, known)
        elif name in later:
            nl, en = (
                f"tabel ‘{name}’ staat niet boven deze.",
                f"table '{name}' does not stand above this one.",
            )
            yield Finding((*place, "inputs"), nl, en)
    used = {name for row in table.rows for name in row.when}
    for name in table.inputs:
        if name not in used:
            yield Finding((*place, "inputs"), f"geen rij kijkt naar ‘{name}’.", f"no row looks at '{name}'.")


def _check_when(
    place: Place, table: DecisionTable, row: Row, known: Mapping[str, Ground], numbers: Mapping[str, Decimal]
) -> Iterator[Finding]:
    for name, text in row.when.items():
        at: Place = (*place, "when", name)
        if name not in table.inputs:
            yield unknown(at, "invoer", "input", name, table.inputs)
        elif name in known:
            yield from _check_cell(at, text, known[name], numbers)
            yield from _limits_in_unit(at, text, known[name], known)


def _limits_in_unit(
    place: Place, text: str, ground: Ground, known: Mapping[str, Ground]
) -> Iterator[Finding]:
    """A value that is named as a limit is in the unit of what it limits."""
    for word in text.split():
        limit = known.get(word)
        if limit is not None and not limit.codes and ground.unit and limit.unit != ground.unit:
            nl = f"‘{word}’ is in {limit.unit}, en hier hoort {ground.unit}."
            yield Finding(place, nl, f"'{word}' is in {limit.unit}, and here {ground.unit} is meant.")


def _check_cell(place: Place, text: str, ground: Ground, numbers: Mapping[str, Decimal]) -> Iterator[Finding]:
    try:
        cell = cells.parse(text, numbers)
    except ValueError:
        nl = f"‘{text}’ is geen cel: bijvoorbeeld ja, nee of onbekend, < 30, 30 tot 60, >= 3, of een code."
        en = f"'{text}' is no cell: for instance ja, nee of onbekend, < 30, 30 tot 60, >= 3, or a code."
        yield Finding(place, nl, en)
        return
    if ground.codes:
        if cell.ranges and not cell.codes:
            yield Finding(place, "hier hoort een code.", "a code is expected here.")
        for code in cell.codes:
            if code not in ground.codes:
                yield unknown(place, "antwoord", "answer", code, ground.codes)
        return
    for code in cell.codes:
        if not cells.is_number(code):
            yield Finding(place, f"‘{code}’ is geen getal.", f"'{code}' is not a number.")
    for each in cell.ranges:
        for limit in (each.low, each.high):
            if limit is not None and not ground.low <= limit <= ground.high:
                nl = f"{limit} ligt buiten wat kan: {ground.low:f} tot en met {ground.high:f} {ground.unit}."
                en = f"{limit} is outside what can be: {ground.low:f} to {ground.high:f} {ground.unit}."
                yield Finding(place, nl, en)
        if each.low is not None and each.high is not None and each.low > each.high:
            yield Finding(place, f"‘{text}’ is leeg.", f"'{text}' is empty.")


def _check_then(place: Place, table: DecisionTable, row: Row, file: PathwayFile) -> Iterator[Finding]:
    then = row.then
    at: Place = (*place, "then")
    if then == type(then)():
        yield Finding(at, "er volgt niets.", "nothing follows.")
    if then.alarm and CALL not in then.alarm.lower():
        yield Finding((*at, "alarm"), "een alarm zegt ‘bel nu’.", "an alarm says 'bel nu'.")
    if then.to and then.to not in file.steps:
        yield unknown((*at, "to"), "stap", "step", then.to, file.steps)
    if then.urgency and then.urgency not in file.urgencies:
        yield unknown((*at, "urgency"), "urgentie", "urgency", then.urgency, file.urgencies)
    for name in then.ask:
        if name not in file.data:
            yield unknown((*at, "ask"), "vraag", "data element", name, file.data)
    if table.codes and (then.is_ or table.hit == "uniek") and then.is_ not in table.codes:
        yield unknown((*at, "is"), "waarde", "value", then.is_, table.codes)
    if then.is_ and not table.codes:
        nl, en = "‘is’ hoort bij een tabel met codes.", "'is' goes with a table that has codes."
        yield Finding((*at, "is"), nl, en)
    if (table.hit == "kortste") != bool(then.every):
        nl, en = (
            "‘every’ hoort bij hit = ‘kortste’, in elke rij.",
            "'every' goes with hit = 'kortste', always.",
        )
        yield Finding((*at, "every"), nl, en)
    if then.every:
        yield from length((*at, "every"), then.every)
    if then.event and then.event not in _raised(file):
        yield unknown(
            (*at, "event"), "gebeurtenis door ketenzorg", "event by ketenzorg", then.event, _raised(file)
        )


def _raised(file: PathwayFile) -> set[str]:
    """The events that the rules may raise: those with by = ["ketenzorg"]."""
    tables: list[StepTable | Shared | Side] = [*file.steps.values(), *file.shared, *file.side]
    return {move.event for table in tables for move in table.next if ITSELF in move.by}


def length(place: Place, text: str) -> Iterator[Finding]:
    """A length of time that nobody could read."""
    try:
        calendar.parse(text)
    except ValueError:
        nl = "een duur is als 24 uur, 5 werkdagen, 14 dagen, 2 weken of 3 maanden."
        yield Finding(place, nl, "a length is like 24 uur, 5 werkdagen, 14 dagen, 2 weken.")
