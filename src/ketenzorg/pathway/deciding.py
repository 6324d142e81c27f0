"""Works out the formulas and the decision tables of a pathway: which rows hold, on what, and what is not known.

A row holds surely, surely not, or cannot be told; "onbekend" in a cell is for what is not known. What cannot be
told is named, never guessed. Cells are taken apart once, at load.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec

from ketenzorg.pathway import calendar, cells
from ketenzorg.pathway.cells import Cell
from ketenzorg.pathway.definition import PathwayFile
from ketenzorg.pathway.facts import Choice, Number, Truth
from ketenzorg.pathway.function import Fact, evaluate
from ketenzorg.pathway.functions import FUNCTIONS
from ketenzorg.pathway.measured import Known
from ketenzorg.pathway.questions import DecisionTable, Derived, Row, SetValue, Then
from ketenzorg.pathway.words import Source

_HOLDS = Truth(sure=True, may=True)
_NOTHING: dict[str, Fact] = {}


class Hit(msgspec.Struct, frozen=True):
    """A row that holds: what follows, on what grounds, and where that comes from."""

    table: str
    row: int  # 1 is the first
    question: str
    because: tuple[tuple[str, str], ...]  # name and cell, of what the row looked at
    then: Then
    source: Source


class Decided(msgspec.Struct, frozen=True):
    """All rows that hold, in the order of the file; what the tables and formulas came to; what is still open."""

    hits: tuple[Hit, ...]
    facts: Mapping[str, Fact]
    lengths: Mapping[str, str]  # table with hit = "kortste" -> the shortest
    wanted: tuple[tuple[str, str], ...]  # data element that is not known, and the table that wants it
    open: frozenset[str] = frozenset()  # tables of which a row may hold that cannot be told


@dataclass(frozen=True)
class ReadyRow:
    """A row with its cells taken apart."""

    row: Row
    cells: tuple[tuple[str, Cell], ...]
    source: Source
    on_unknown: bool  # it has a cell that says "onbekend"


@dataclass(frozen=True)
class ReadyTable:
    """A table that can be looked up in."""

    table: DecisionTable
    rows: tuple[ReadyRow, ...]


def ready(file: PathwayFile) -> tuple[ReadyTable, ...]:
    """The tables of a checked file, ready for use."""
    numbers = numbers_of(file.values)
    return tuple(
        ReadyTable(table, tuple(_ready_row(table, row, numbers) for row in table.rows))
        for table in file.table
    )


def numbers_of(values: Mapping[str, SetValue]) -> dict[str, Decimal]:
    """The values to set that are numbers, by name: a cell may name one as its limit."""
    return {
        name: Decimal(str(value.value))
        for name, value in values.items()
        if isinstance(value.value, int | float)
    }


def decide(
    file: PathwayFile,
    tables: tuple[ReadyTable, ...],
    data: Mapping[str, Known],
    now: datetime | None,
    said: Mapping[str, Fact] = _NOTHING,
) -> Decided:
    """Every formula, then every table in the order of the file; a table may look at those before it.

    `said` is taken as it is and not worked out: so a table can be looked up in by itself.
    """
    found: dict[str, Fact] = {name: each.fact for name, each in data.items() if each.fact is not None}
    for name, value in file.values.items():
        found[name] = _set_value(name, value)
    found |= said
    for name, derived in file.derived.items():
        if name not in said:
            found[name] = _worked_out(name, derived, found, data, now)
    open_tables: set[str] = set()
    hits: list[Hit] = []
    lengths: dict[str, str] = {}
    wanted: list[tuple[str, str]] = []
    for each in tables:
        held, open_ = _look_up(each, found)
        hits += held
        if open_:
            open_tables.add(each.table.name)
        if each.table.codes and each.table.name not in said:
            found[each.table.name] = _outcome(each.table, held, _that_count(each.table, open_, found))
        if each.table.hit == "kortste" and held:
            shortest = min((hit.then.every for hit in held), key=_length)
            # A row that may hold and is shorter leaves it open.
            if all(_length(shortest) <= _length(row.row.then.every) for row in open_):
                lengths[each.table.name] = shortest
        if each.table.if_unknown:
            wanted += [(name, each.table.name) for name in _elements(open_, found)]
    known = {name for name, each in data.items() if each.answered}
    return Decided(
        tuple(hits),
        found,
        lengths,
        tuple(dict.fromkeys(pair for pair in wanted if pair[0] in data and pair[0] not in known)),
        frozenset(open_tables),
    )


def _ready_row(table: DecisionTable, row: Row, numbers: Mapping[str, Decimal]) -> ReadyRow:
    parsed = tuple((name, cells.parse(text, numbers)) for name, text in row.when.items())
    source = row.source or table.source
    if source is None:
        raise ValueError(f"{table.name}: a row without a source")  # the checker says so first
    return ReadyRow(row, parsed, source, any(cell.unknown for _, cell in parsed))


def _set_value(name: str, value: SetValue) -> Number | Choice:
    if value.choices:
        return (
            Choice((str(value.value),))
            if value.value in value.choices
            else Choice(tuple(value.choices), (name,))
        )
    if isinstance(value.value, int | float):
        return Number.of(str(value.value), value.unit)
    return Number(Decimal("-1e9"), Decimal("1e9"), value.unit, (name,))


def _worked_out(
    name: str, derived: Derived, found: Mapping[str, Fact], data: Mapping[str, Known], now: datetime | None
) -> Number | Choice:
    function = FUNCTIONS[derived.function]
    given: dict[str, Fact | None] = {}
    for wanted in function.inputs:
        source = derived.from_.get(wanted.name, "")
        given[wanted.name] = (
            data[source].over_time if wanted.kind == "reeks" and source in data else found.get(source)
        )
    settings = {
        key: Decimal(str(value)) if isinstance(value, int | float) else value
        for key, value in derived.settings.items()
    }
    if now is None:
        raise ValueError("the moment is needed to work out a formula")
    answer = evaluate(function, given, now, settings)
    missing = tuple(derived.from_.get(each, each) for each in answer.missing)
    return msgspec.structs.replace(answer, missing=missing)


def _look_up(each: ReadyTable, found: Mapping[str, Fact]) -> tuple[list[Hit], list[ReadyRow]]:
    """The rows that hold, and those of which it cannot be told."""
    sure: list[tuple[int, ReadyRow]] = []
    unsure: list[ReadyRow] = []
    for number, row in enumerate(each.rows, 1):
        truth = _truth(row, found)
        if truth.sure:
            sure.append((number, row))
        elif truth.may:
            unsure.append(row)
    if each.table.hit == "uniek":
        # A row for what is not known only counts when no other row surely holds.
        sure = ([pair for pair in sure if not pair[1].on_unknown] or sure)[:1]
        unsure = [] if sure else unsure
    return [_hit(each.table, number, row) for number, row in sure], unsure


def _truth(row: ReadyRow, found: Mapping[str, Fact]) -> Truth:
    truth = _HOLDS
    for name, cell in row.cells:
        fact = found.get(name)
        if isinstance(fact, Number | Choice):
            truth &= cell.holds(fact)
            if not truth.may:
                return truth
    return truth


def _hit(table: DecisionTable, number: int, row: ReadyRow) -> Hit:
    because = tuple((name, cell.text) for name, cell in row.cells)
    return Hit(table.name, number, table.question, because, row.row.then, row.source)


def _that_count(table: DecisionTable, open_: list[ReadyRow], found: Mapping[str, Fact]) -> list[ReadyRow]:
    """The rows that leave the value open: all of them, or those that wait for what must be known."""
    if not table.knowing:
        return open_
    unknown = {
        name
        for name in table.knowing
        if isinstance(fact := found.get(name), Number | Choice) and fact.exact is None
    }
    return [row for row in open_ if any(name in unknown for name, _ in row.cells)]


def _outcome(table: DecisionTable, held: list[Hit], open_: list[ReadyRow]) -> Choice:
    """The value of the table for those below it; what it may still be when it cannot be told."""
    said = [hit.then.is_ for hit in held if hit.then.is_]
    if said:
        return Choice.of(said[0])
    open_values = [row.row.then.is_ for row in open_] + ([table.otherwise] if table.otherwise else [])
    possible = tuple(dict.fromkeys(value for value in open_values if value))
    return Choice(possible or tuple(table.codes), tuple(dict.fromkeys(_inputs(open_))))


def _inputs(rows: list[ReadyRow]) -> list[str]:
    return [name for row in rows for name, _ in row.cells]


def _elements(rows: list[ReadyRow], found: Mapping[str, Fact]) -> list[str]:
    """The data elements that would tell, looking through formulas and earlier tables."""
    names: dict[str, None] = {}
    todo, seen = _inputs(rows), set[str]()
    while todo:
        name = todo.pop(0)
        fact = found.get(name)
        if name in seen or not isinstance(fact, Number | Choice) or fact.exact is not None:
            continue
        seen.add(name)
        names[name] = None
        todo += fact.missing
    return list(names)


def _length(text: str) -> tuple[int, int]:
    """How long, roughly, in hours: for comparing lengths with each other."""
    amount = calendar.parse(text)
    hours = {"uur": 1, "werkdagen": 34, "dagen": 24, "weken": 168, "maanden": 730}[amount.unit]
    return amount.number * hours, amount.number
