"""The values of search parameters, each as FHIR defines it. https://hl7.org/fhir/R4/search.html"""

import re
from uuid import UUID

from ketenzorg.errors import Issue
from ketenzorg.fhir.dates import Period, period_of
from ketenzorg.fhir.search_parameters import CODES

DEFAULT_COUNT = 50
MAX_COUNT = 200
MAX_VALUES = 20  # alternatives in one parameter
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
SPLIT = re.compile(r"(?<!\\),")
DATE = re.compile(
    r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-2][0-9]:[0-5][0-9](:[0-6][0-9](\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-5][0-9]))?)?)?\Z"
)
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


def read_count(value: str) -> int:
    """How many on a page, as far as that is possible."""
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) == 0:
        raise Wrong(f"een getal van 1 tot {MAX_COUNT}.", f"a number from 1 to {MAX_COUNT}.")
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
    return system, code


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


def read_date(text: str) -> tuple[str, Period]:
    """How a moment is compared, and with what. https://hl7.org/fhir/R4/search.html#prefix"""
    prefix, rest = (text[:2], text[2:]) if text[:2] in PREFIXES else ("eq", text)
    rest = rest.replace(" ", "+")  # a plus sign that was not encoded
    if not DATE.match(rest):
        raise Wrong("een datum of tijdstip, zoals ge2026-01-31.", "a date or an instant, like ge2026-01-31.")
    try:
        return prefix, period_of(rest)
    except (ValueError, OverflowError):
        raise Wrong("deze datum bestaat niet.", "no such date.") from None
