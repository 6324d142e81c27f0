"""Works out the formulas and the decision tables of a pathway: which rows hold, on what, and what is not known.

A row holds surely, surely not, or cannot be told; "onbekend" in a cell is for what is not known. What cannot be
told is named, never guessed. Tables are taken apart once, at load: columns.py says how.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property

import msgspec

from ketenzorg.pathway import calendar, cells
from ketenzorg.pathway.columns import Column, Rows
from ketenzorg.pathway.definition import PathwayFile
from ketenzorg.pathway.facts import Choice, Number
from ketenzorg.pathway.formulas import Formula, formulas, work_out
from ketenzorg.pathway.functions.function import Fact
from ketenzorg.pathway.measured import Asked, Known, asked
from ketenzorg.pathway.questions import DataElement, DecisionTable, SetValue, Then
from ketenzorg.pathway.words import Source

_NOTHING: Mapping[str, Fact] = {}
_NO_ROWS: Rows = (0, 0)
_MOST_SEEN = 1_000  # outcomes kept of one table


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
    known: Mapping[str, Known]  # of every question
    lengths: Mapping[str, str]  # table with hit = "kortste" -> the shortest
    wanted: tuple[tuple[str, str], ...]  # data element that is not known, and the table that wants it
    open: frozenset[str]  # tables of which a row may hold that cannot be told


class Found(msgspec.Struct, frozen=True):
    """What one table came to."""

    hits: tuple[Hit, ...]
    open: bool  # a row may hold of which it cannot be told
    outcome: Choice | None
    length: str
    wanted: tuple[str, ...]  # data elements and formulas that would tell


@dataclass(frozen=True, eq=False)
class ReadyTable:
    """A table that can be looked up in; its rows are the bits of a number."""

    table: DecisionTable
    unique: bool
    all_rows: int
    hits: tuple[Hit, ...]  # of each row, for when it holds
    columns: tuple[tuple[str, Column], ...]
    on_unknown: int  # the rows with a cell that says "onbekend"
    lengths: tuple[tuple[int, int], ...]  # of each row of a table with hit = "kortste", to compare them
    outcomes: tuple[Choice | None, ...]
    names: frozenset[str]  # of its columns
    doubts: dict[int, Choice] = field(default_factory=dict)  # open rows -> what the table may still come to
    # What it comes to, once known: by the rows that hold and those that are open, and when nothing was answered.
    seen: dict[Rows, "Found"] = field(default_factory=dict)
    blank: list["Found"] = field(default_factory=list)

    @cached_property
    def looks_further(self) -> bool:
        """Whether open rows do not tell all: what they wait for counts too."""
        return bool(self.table.if_unknown or (self.table.codes and self.table.knowing))


@dataclass(frozen=True, eq=False)
class Rules:
    """Everything that decides in one file, ready for use."""

    asked: Mapping[str, Asked]
    unanswered: Mapping[str, Known]  # what is known of each question without an answer
    facts: Mapping[str, Fact]  # the same as facts, with what the owner chose
    formulas: tuple[Formula, ...]
    tables: tuple[ReadyTable, ...]
    places: Mapping[str, int]  # the order of the questions
    required: tuple[tuple[str, DataElement], ...]  # without an answer nothing is sent
    wanted: tuple[tuple[str, str], ...]  # asked for always, with the question
    measured: tuple[str, ...]  # the questions that a number answers: only these leave doubts
    titles: tuple[tuple[str, str, str], ...]  # of the formulas, with the table that must speak to show them
    outcomes: tuple[tuple[str, Mapping[str, str]], ...]  # tables with a value, and its words


def ready(file: PathwayFile) -> Rules:
    """The rules of a checked file."""
    elements = asked(file.data)
    unanswered = {name: each.unanswered for name, each in elements.items()}
    values: dict[str, Fact] = {name: _set_value(name, value) for name, value in file.values.items()}
    numbers = numbers_of(file.values)
    tables = tuple(ready_table(table, numbers) for table in file.table)
    facts = {name: each.fact for name, each in unanswered.items() if each.fact is not None} | values
    data = file.data.items()
    return Rules(
        elements,
        unanswered,
        facts,
        formulas(file.derived, unanswered, values),
        tables,
        places={name: place for place, name in enumerate(file.data)},
        required=tuple((name, element) for name, element in data if element.need == "vereist"),
        wanted=tuple((name, element.ask) for name, element in data if element.need == "gevraagd"),
        measured=tuple(name for name, element in data if element.type == "getal"),
        titles=tuple((name, each.title, each.shown_with) for name, each in file.derived.items()),
        outcomes=tuple((table.name, table.codes) for table in file.table if table.codes),
    )


def ready_table(table: DecisionTable, numbers: Mapping[str, Decimal]) -> ReadyTable:
    """The table with its cells taken apart; `numbers` are the values that a cell may name as its limit."""
    parsed = [{name: cells.parse(text, numbers) for name, text in row.when.items()} for row in table.rows]
    names = dict.fromkeys(name for row in table.rows for name in row.when)
    return ReadyTable(
        table,
        unique=table.hit == "uniek",
        all_rows=(1 << len(table.rows)) - 1,
        hits=tuple(_hits(table)),
        columns=tuple((name, Column([row.get(name) for row in parsed])) for name in names),
        on_unknown=sum(
            1 << number for number, row in enumerate(parsed) if any(cell.unknown for cell in row.values())
        ),
        lengths=tuple(_length(row.then.every) for row in table.rows) if table.hit == "kortste" else (),
        outcomes=tuple(Choice.of(row.then.is_) if row.then.is_ else None for row in table.rows),
        names=frozenset(names),
    )


def _hits(table: DecisionTable) -> Iterator[Hit]:
    for number, row in enumerate(table.rows, 1):
        source = row.source or table.source
        if source is None:
            raise ValueError(f"{table.name}: a row without a source")  # the checker says so first
        yield Hit(table.name, number, table.question, tuple(row.when.items()), row.then, source)


def numbers_of(values: Mapping[str, SetValue]) -> dict[str, Decimal]:
    """The values to set that are numbers, by name: a cell may name one as its limit."""
    return {
        name: Decimal(str(value.value))
        for name, value in values.items()
        if isinstance(value.value, int | float)
    }


def decide(
    rules: Rules, given: Mapping[str, Known], now: datetime | None, said: Mapping[str, Fact] = _NOTHING
) -> Decided:
    """Every formula, then every table in the order of the file; a table may look at those before it.

    `said` is taken as it is and not worked out: so a table can be looked up in by itself.
    """
    known = {**rules.unanswered, **given}
    found = {
        **rules.facts,
        **{name: each.fact for name, each in given.items() if each.fact is not None},
        **said,
    }
    # What hangs on nothing that was answered comes to the same for everybody: worked out once.
    touched = {*given, *said}
    for formula in rules.formulas:
        name = formula.name
        if name in said:
            continue
        untouched = formula.names.isdisjoint(touched)
        same = untouched and not formula.ready.function.uses_now
        found[name] = fact = formula.blank if same else work_out(formula, found, known, now)
        if not (same or (untouched and fact == formula.blank)):
            touched.add(name)
    hits: list[Hit] = []
    lengths: dict[str, str] = {}
    wanted: list[tuple[str, str]] = []
    open_tables: list[str] = []
    for each in rules.tables:
        name, untouched = each.table.name, each.names.isdisjoint(touched)
        came_to = _blank(each, found) if untouched else _came_to(each, found)
        if came_to.outcome is not None and name not in said:
            found[name] = came_to.outcome
            if not untouched:
                touched.add(name)
        if came_to.hits:
            hits += came_to.hits
        if came_to.open:
            open_tables.append(name)
        if came_to.length:
            lengths[name] = came_to.length
        if came_to.wanted:
            wanted += [(one, name) for one in came_to.wanted if one in known and not known[one].answered]
    return Decided(tuple(hits), found, known, lengths, tuple(wanted), frozenset(open_tables))


def _blank(each: ReadyTable, found: Mapping[str, Fact]) -> Found:
    if not each.blank:
        each.blank.append(_came_to(each, found))
    return each.blank[0]


def _came_to(each: ReadyTable, found: Mapping[str, Fact]) -> Found:
    """The rows of a table that hold, and what follows for those below it; mostly that was worked out before."""
    rows = look_up(each, found)
    if rows[1] and each.looks_further:
        return _follows(each, rows, found)
    came_to = each.seen.get(rows)
    if came_to is None:
        if len(each.seen) >= _MOST_SEEN:
            each.seen.clear()
        came_to = each.seen[rows] = _follows(each, rows, found)
    return came_to


def _follows(each: ReadyTable, found_rows: Rows, found: Mapping[str, Fact]) -> Found:
    held, open_ = found_rows
    table, rows = each.table, _rows(held)
    length = ""
    if held and each.lengths:
        shortest = min(rows, key=each.lengths.__getitem__)
        # A row that may hold and is shorter leaves it open.
        if all(each.lengths[shortest] <= each.lengths[row] for row in _rows(open_)):
            length = table.rows[shortest].then.every
    return Found(
        tuple([each.hits[row] for row in rows]),
        bool(open_),
        _outcome(each, held, open_, found) if table.codes else None,
        length,
        tuple(_elements(each, open_, found)) if open_ and table.if_unknown else (),
    )


def look_up(each: ReadyTable, found: Mapping[str, Fact]) -> Rows:
    """The rows that hold, and those of which it cannot be told."""
    sure = may = each.all_rows
    for name, column in each.columns:
        fact = found.get(name)
        if isinstance(fact, Choice):  # the sets that were seen before stand ready
            surely, perhaps = column.sets.get(fact.possible) or column.one_of(fact.possible)
        elif isinstance(fact, Number):
            surely, perhaps = column.between(fact.low, fact.high)
        else:
            continue
        may &= perhaps
        if not may:
            return _NO_ROWS
        sure &= surely
    if sure and each.unique:
        return the_one(each, sure), 0
    return sure, may & ~sure


def the_one(each: ReadyTable, held: int) -> int:
    """Of a unique table the first row; one for what is not known only counts when no other holds."""
    plain = held & ~each.on_unknown or held
    return plain & -plain


def _rows(mask: int) -> list[int]:
    """The numbers of the rows, from 0."""
    found = []
    while mask:
        found.append((mask & -mask).bit_length() - 1)
        mask &= mask - 1
    return found


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


def _outcome(each: ReadyTable, held: int, open_: int, found: Mapping[str, Fact]) -> Choice:
    """The value of the table for those below it; what it may still be when it cannot be told."""
    for row in _rows(held):
        if (said := each.outcomes[row]) is not None:
            return said
    if open_ and each.table.knowing:
        open_ = _that_count(each, open_, found)
    doubt = each.doubts.get(open_)
    return doubt or each.doubts.setdefault(open_, _doubt(each, open_))


def _that_count(each: ReadyTable, open_: int, found: Mapping[str, Fact]) -> int:
    """The rows that leave the value open: those that wait for what must be known."""
    unknown = {name for name in each.table.knowing if _is_open(found.get(name))}
    return sum(1 << row for row in _rows(open_) if any(name in unknown for name in each.table.rows[row].when))


def _doubt(each: ReadyTable, open_: int) -> Choice:
    table, rows = each.table, _rows(open_)
    values = [table.rows[row].then.is_ for row in rows] + [table.otherwise]
    possible = tuple(dict.fromkeys(value for value in values if value))
    return Choice(possible or tuple(table.codes), tuple(_looked_at(each, rows)))


def _looked_at(each: ReadyTable, rows: list[int]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in each.table.rows[row].when))


def _is_open(fact: Fact | None) -> bool:
    return isinstance(fact, Number | Choice) and fact.exact is None


def _elements(each: ReadyTable, open_: int, found: Mapping[str, Fact]) -> list[str]:
    """The data elements that would tell, looking through formulas and earlier tables."""
    names: dict[str, None] = {}
    todo, seen = _looked_at(each, _rows(open_)), set[str]()
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
