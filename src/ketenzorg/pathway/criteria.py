"""Looks at the answers of a referral: what stops the sending, what is missing, what to advise, and why."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from ketenzorg.pathway.definition import DataElement, Rule, Source
from ketenzorg.pathway.loaded import Pathway


class YesNo(msgspec.Struct, frozen=True, tag="ja-nee"):
    """An answer that may be "onbekend": that is an answer too, and never counts as no."""

    value: Literal["ja", "nee", "onbekend"]


class Quantity(msgspec.Struct, frozen=True, tag="getal"):
    """A number with its unit (UCUM); the digits stay as they were written."""

    number: Decimal
    unit: str


class Code(msgspec.Struct, frozen=True, tag="code"):
    """A code, with the system that it comes from."""

    code: str
    system: str = ""


class Day(msgspec.Struct, frozen=True, tag="datum"):
    """A calendar date."""

    value: date


class Text(msgspec.Struct, frozen=True, tag="tekst"):
    """Words."""

    value: str


Value = YesNo | Quantity | Code | Day | Text


class Blocked(msgspec.Struct, frozen=True):
    """Why nothing is sent; `elements` are the answers to give or to change."""

    rule: str
    say: str
    source: Source
    elements: tuple[str, ...]
    alarm: bool = False


class Missing(msgspec.Struct, frozen=True):
    """Asked for, not given: reported, never guessed, and it does not stop the sending."""

    element: str
    ask: str


class Advised(msgspec.Struct, frozen=True):
    """What to tell the sender, and the rule behind it."""

    text: str
    rule: str
    source: Source


class Screening(msgspec.Struct, frozen=True):
    """The outcome; nothing may be sent while `blocked` holds anything."""

    blocked: tuple[Blocked, ...]
    missing: tuple[Missing, ...]
    advice: tuple[Advised, ...]


def screen(pathway: Pathway, data: Mapping[str, Value]) -> Screening:
    """Alarm rules first, then conditions, required answers, asked-for answers and advice."""
    file = pathway.file
    said = {name: data[name] for name, element in file.data.items() if _answered(element, data.get(name))}
    absent = {name: element for name, element in file.data.items() if name not in said}
    rules = [*_stops(file.alarm, said, alarm=True), *_stops(file.condition, said, alarm=False)]
    covered = {name for stop in rules for name in stop.elements}
    required = [
        Blocked(name, element.ask, element.source, (name,))
        for name, element in absent.items()
        if element.need == "vereist" and name not in covered
    ]
    return Screening(
        blocked=(*rules, *required),
        missing=tuple(
            Missing(name, element.ask) for name, element in absent.items() if element.need == "gevraagd"
        ),
        advice=tuple(
            Advised(advice.say, advice.name, advice.source)
            for advice in file.advice
            if all(_says(said.get(name), answer) for name, answer in advice.when.items())
        ),
    )


def _stops(rules: list[Rule], said: Mapping[str, Value], *, alarm: bool) -> list[Blocked]:
    return [
        Blocked(rule.name, rule.say, rule.source, tuple(rule.unless), alarm)
        for rule in rules
        if not all(_says(said.get(name), answer) for name, answer in rule.unless.items())
    ]


def _says(value: Value | None, answer: str) -> bool:
    """Exactly this answer: absent or unknown is not it."""
    match value:
        case YesNo(value=said) | Code(code=said):
            return said == answer
        case _:
            return False


def _answered(element: DataElement, value: Value | None) -> bool:
    """Answered in the kind that was asked for; a code is one of those that the file lists; no empty words."""
    match value:
        case YesNo():
            return element.type == "ja-nee"
        case Quantity():
            return element.type == "getal"
        case Code(code=code):
            return element.type == "code" and code in element.codes
        case Day():
            return element.type == "datum"
        case Text(value=words):
            return element.type == "tekst" and bool(words.strip())
        case None:
            return False
