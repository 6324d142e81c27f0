"""The answers of a referral in the kinds that a rule can look at."""

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec


class YesNo(msgspec.Struct, frozen=True, tag="ja-nee"):
    """An answer that may be "onbekend": that is an answer too, and never counts as no."""

    value: Literal["ja", "nee", "onbekend"]


class Quantity(msgspec.Struct, frozen=True, tag="getal"):
    """A number with its unit (UCUM); the digits stay as they were written."""

    number: Decimal
    unit: str
    at: str = ""  # FHIR date, dateTime or instant; empty: not said
    code: tuple[str, str] | None = None  # system and code that it came under
    place: str = ""  # where it stood, for naming it


class Readings(msgspec.Struct, frozen=True, tag="reeks"):
    """Several measurements of one kind."""

    all: tuple[Quantity, ...]


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


Value = YesNo | Quantity | Readings | Code | Day | Text
