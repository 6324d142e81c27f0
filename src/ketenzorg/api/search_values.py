"""The values of search parameters, each as FHIR defines it. https://hl7.org/fhir/R4/search.html"""

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from ketenzorg.coordination.reading.wanted import UPDATED, Measured, Order, Place
from ketenzorg.errors import Issue
from ketenzorg.fhir.dates import Period, period_of
from ketenzorg.fhir.search_parameters import CODES

DEFAULT_COUNT = 50
MAX_COUNT = 200
MAX_VALUES = 20  # alternatives in one parameter
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
ABOUT = "ap"
SPLIT = re.compile(r"(?<!\\),")
DATE = re.compile(
    r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-2][0-9]:[0-5][0-9](:[0-6][0-9](\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-5][0-9]))?)?)?\Z"
)
NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?(e-?[0-9]{1,2})?\Z")
MICROSECONDS = re.compile(r"(-|-?[0-9]{1,18})\Z")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_ORDERS = 3
NOBODY = UUID(int=0)  # the id of nothing


class Wrong(ValueError):
    """What is wrong with a value, in Dutch and in English."""


def wrong_parameter(name: str, nl: str, en: str) -> Issue:
    """What is wrong with a parameter, which is named where its name can be repeated."""
    shown = f"{name}: " if name else ""
    return Issue(nl=f"{shown}{nl}", en=f"{shown}{en}", expression=(name,) if name else (), code="value")


def read_values(value: str) -> list[str]:
    """The alternatives of a value."""
    values = [text.replace("\\,", ",") for text in SPLIT.split(value)]
    if len(values) > MAX_VALUES or not all(values):
        raise Wrong(f"1 tot {MAX_VALUES} waarden.", f"1 to {MAX_VALUES} values.")
    return values


def read_count(value: str, least: int = 1) -> int:
    """How many on a page, as far as that is possible; 0, where it may be: only how many there are."""
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < least:
        raise Wrong(f"een getal van {least} tot {MAX_COUNT}.", f"a number from {least} to {MAX_COUNT}.")
    return min(int(value), MAX_COUNT)


def read_yes_or_no(value: str) -> bool:
    """The value of :missing. https://hl7.org/fhir/R4/search.html#missing"""
    if value not in ("true", "false"):
        raise Wrong("true of false.", "true or false.")
    return value == "true"


def read_token(text: str) -> tuple[str | None, str | None]:
    """`code` any system, `|code` without one, `system|` any of that system."""
    if "|" not in text:
        return None, text
    system, _, code = text.partition("|")
    return system, code or None


def read_code(text: str, own_system: str) -> tuple[str | None, str | None]:
    """A token of an element that can have the codes of one system only."""
    system, code = read_token(text)
    codes = CODES[own_system]
    if code is not None and system in {None, own_system} and code not in codes:
        known = ", ".join(codes)
        raise Wrong(f"deze code is er niet; wel: {known}.", f"no such code; there are: {known}.")
    return (own_system if system is None else system), code


def read_reference(text: str) -> tuple[str | None, UUID]:
    """`id` or `Type/id`; what cannot be ours, an address of another server too, finds nothing."""
    type_, _, id_ = text.rpartition("/")
    try:
        return (type_ or None), UUID(id_)
    except ValueError:
        return None, NOBODY


def read_id(text: str) -> UUID:
    """An id of ours; any other is the id of nothing."""
    try:
        return UUID(text)
    except ValueError:
        return NOBODY


def read_date(text: str, now: datetime | None = None) -> tuple[str, Period]:
    """How a moment is compared, and with what. https://hl7.org/fhir/R4/search.html#prefix

    `ap` is asked of what can be far or near: a tenth of how long it is from now, on both sides.
    """
    prefixes = PREFIXES if now is None else (*PREFIXES, ABOUT)
    prefix, rest = (text[:2], text[2:]) if text[:2] in prefixes else ("eq", text)
    rest = rest.replace(" ", "+")  # a plus sign that was not encoded
    if not DATE.match(rest):
        raise Wrong("een datum of tijdstip, zoals ge2026-01-31.", "a date or an instant, like ge2026-01-31.")
    try:
        period = period_of(rest)
        if prefix == ABOUT and now is not None:
            near = abs(now - period.low) / 10
            period = Period(period.low - near, period.high + near)
    except (ValueError, OverflowError):
        raise Wrong("deze datum bestaat niet.", "no such date.") from None
    return prefix, period


def read_amount(text: str) -> Measured:
    """`[prefix]number|system|code`, `number||unit` or a number. https://hl7.org/fhir/R4/search.html#quantity"""
    prefix, rest = (text[:2], text[2:]) if text[:2] in (*PREFIXES, ABOUT) else ("eq", text)
    number, *unit = rest.split("|")
    if not NUMBER.match(number) or len(unit) not in (0, 2):
        raise Wrong(
            "een getal met eenheid, zoals ge5.4|http://unitsofmeasure.org|mmol/L.",
            "a number with a unit, like ge5.4|http://unitsofmeasure.org|mmol/L.",
        )
    middle = Decimal(number)
    # Of what its last digit says, or a tenth of all.
    half = abs(middle) / 10 if prefix == ABOUT else Decimal((0, (5,), int(middle.as_tuple().exponent) - 1))
    system, code = unit or ("", "")
    return Measured(prefix, middle, middle - half, middle + half, system, code)


def read_typed(text: str) -> tuple[str, str, str]:
    """`system|code|value`: an identifier of this type. https://hl7.org/fhir/R4/search.html#token"""
    system, code, value = [*text.split("|"), "", "", ""][:3]
    if not (system and code and value) or text.count("|") != 2:  # noqa: PLR2004
        raise Wrong(
            "zoals http://terminology.hl7.org/CodeSystem/v2-0203|MR|123.",
            "like http://terminology.hl7.org/CodeSystem/v2-0203|MR|123.",
        )
    return system, code, value


def read_order(value: str, dates: Collection[str]) -> tuple[Order, ...]:
    """By which dates; KeyError for what there is no order by."""
    orders: list[Order] = []
    for each in value.split(","):
        name = each.removeprefix("-")
        if name not in {*dates, UPDATED, "_id"} or each == "-_id" or len(orders) == MAX_ORDERS:
            raise KeyError(each)
        if name == "_id":
            break  # the end of every order
        orders.append(Order(name, down=each != name))
    return tuple(orders)


def read_place(value: str, order: Sequence[Order]) -> Place:
    """Where the page before ended, as `place_as_text` wrote it."""
    *moments, id_ = value.split(".")
    place = read_id(id_)
    if place is NOBODY or len(moments) != len(order) or not all(map(MICROSECONDS.match, moments)):
        raise Wrong("neem het adres van ‘next’ over.", "take the address of 'next' as it is.")
    return Place(
        tuple(None if each == "-" else EPOCH + timedelta(microseconds=int(each)) for each in moments), place
    )


def place_as_text(place: Place) -> str:
    """A place as `_cursor` has it."""
    moments = [
        "-" if each is None else str((each - EPOCH) // timedelta(microseconds=1)) for each in place.moments
    ]
    return ".".join([*moments, str(place.id)])
