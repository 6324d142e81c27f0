"""Whether a resource, as its reader sees it, matches: by the rows that would be made of it.

Prefixes: https://hl7.org/fhir/R4/search.html#prefix
"""

import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property, singledispatch
from typing import Any

from ketenzorg.access.finding import apart
from ketenzorg.coordination.reading.wanted import (
    AmountClause,
    Clause,
    Measured,
    MissingClause,
    TextClause,
    TogetherClause,
    TypedClause,
)
from ketenzorg.fhir import ucum
from ketenzorg.fhir.search_in_body import DECLARED
from ketenzorg.fhir.search_parameters import (
    AllRows,
    Amount,
    Parameter,
    Token,
    all_rows,
    elements_of,
    values_of,
)
from ketenzorg.pathway.units import MEASURES, convert
from ketenzorg.store.query import NUMBER, DateClause, ReferenceClause, TokenClause, ends

UCUM = "http://unitsofmeasure.org"
CODES = ("code", "component-code")  # what says what was measured


class Looked:
    """One resource that may match; its rows are made when they are first asked for."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.declared: dict[str, Parameter] = DECLARED[body["resourceType"]]

    @cached_property
    def rows(self) -> AllRows:
        """All that can be kept or looked up of it."""
        rows = all_rows(self.body, self.declared.values())
        return rows._replace(tokens=apart(rows.tokens))

    def matches(self, clauses: Iterable[Clause]) -> bool:
        """Whether all hold."""
        return all(holds(each, self.rows, self) for each in clauses)


def fold(text: str) -> str:
    """Without case and accents."""
    letters = unicodedata.normalize("NFKD", text)
    return "".join(each for each in letters if not unicodedata.combining(each)).casefold()


@singledispatch
def holds(clause: Any, rows: AllRows, looked: Looked) -> bool:
    """Whether one clause holds for these rows, of this resource or of one element of it."""
    raise TypeError(type(clause))


@holds.register
def _token(clause: TokenClause, rows: AllRows, looked: Looked) -> bool:
    found = any(_is_token(each, clause) for each in rows.tokens)
    return found is not clause.none_of


def _is_token(row: Token, clause: TokenClause) -> bool:
    if row.param == NUMBER:
        return any(code in (None, row.code) for code in clause.numbers)
    return row.param == clause.param and any(
        code in (None, row.code) and system in (None, row.system) for system, code in clause.one_of
    )


@holds.register
def _reference(clause: ReferenceClause, rows: AllRows, looked: Looked) -> bool:
    found = {(each.type, each.target) for each in rows.references if each.param == clause.param}
    if clause.missing is not None:
        return clause.missing is not bool(found)
    return any(
        target == str(wanted) and kind in (None, type_)
        for kind, wanted in clause.one_of
        for type_, target in found
    )


@holds.register
def _date(clause: DateClause, rows: AllRows, looked: Looked) -> bool:
    return any(
        each_ends.hold(each.period)
        for each in rows.dates
        if each.param == clause.param
        for asked in clause.one_of
        for each_ends in ends(*asked)
    )


@holds.register
def _text(clause: TextClause, rows: AllRows, looked: Looked) -> bool:
    texts = [each.text for each in rows.texts if each.param == clause.param]
    return any(_is_text(clause.how, text, asked) for text in texts for asked in clause.one_of)


def _is_text(how: str, text: str, asked: str) -> bool:
    match how:
        case "begins":
            return fold(text).startswith(fold(asked))
        case "contains":
            return fold(asked) in fold(text)
        case "canonical":
            return asked in (text, text.partition("|")[0])
        case _:
            return text == asked


@holds.register
def _amount(clause: AmountClause, rows: AllRows, looked: Looked) -> bool:
    codes = {(each.system, each.code) for each in rows.tokens if each.param in CODES}
    return any(
        _is_amount(each, asked, codes)
        for each in rows.amounts
        if each.param == clause.param
        for asked in clause.one_of
    )


def _is_amount(row: Amount, asked: Measured, codes: set[tuple[str, str]]) -> bool:
    value = row.value if not asked.unit or _in_unit(row, asked) else _converted(row, asked, codes)
    if value is None:
        return False
    # What is measured is a point; "<5" is all below it, and ">5" all above.
    low, high = {
        "<": (Decimal("-Infinity"), value), "<=": (Decimal("-Infinity"), value),
        ">": (value, Decimal("Infinity")), ">=": (value, Decimal("Infinity")),
    }.get(row.comparator, (value, value))  # fmt: skip
    within = asked.low <= low and high < asked.high
    return {
        "eq": within,
        "ne": not within,
        "gt": high > asked.middle,
        "lt": low < asked.middle,
        "ge": high >= asked.middle,
        "le": low <= asked.middle,
        "sa": low > asked.middle,
        "eb": high < asked.middle,
        "ap": high >= asked.low and low <= asked.high,
    }[asked.prefix]


def _in_unit(row: Amount, asked: Measured) -> bool:
    if asked.system:
        return (row.system, row.code) == (asked.system, asked.unit)
    return asked.unit in (row.code, row.unit)


def _converted(row: Amount, asked: Measured, codes: set[tuple[str, str]]) -> Decimal | None:
    """In the unit that was asked for. From moles to a weight only when its code says what was measured."""
    if row.system != UCUM or asked.system not in ("", UCUM):
        return None
    for name, measure in MEASURES.items():
        if codes & measure.codes.keys() and {row.code, asked.unit} <= measure.units.keys():
            return convert(row.value, row.code, name, to=asked.unit)
    return ucum.converted(row.value, row.code, asked.unit)


@holds.register
def _typed(clause: TypedClause, rows: AllRows, looked: Looked) -> bool:
    return any(
        (coding.get("system"), coding.get("code"), identifier.get("value")) in clause.one_of
        for identifier in values_of(looked.body, looked.declared[clause.param].element)
        for coding in identifier.get("type", {}).get("coding", ())
    )


@holds.register
def _together(clause: TogetherClause, rows: AllRows, looked: Looked) -> bool:
    parameter = looked.declared[clause.param]
    made = [all_rows(each, parameter.parts) for each in elements_of(looked.body, parameter)]
    return any(all(holds(part, each, looked) for part in parts) for each in made for parts in clause.one_of)


@holds.register
def _missing(clause: MissingClause, rows: AllRows, looked: Looked) -> bool:
    there = any(True for _ in values_of(looked.body, looked.declared[clause.param].element))
    return clause.missing is not there
