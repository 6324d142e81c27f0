"""What a person types about an appointment: a day, a time and a place, or what is wrong with them."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from ketenzorg.coordination.showing.agreed import Agreed
from ketenzorg.coordination.steps.agreeing import Meeting
from ketenzorg.errors import Invalid, Issue
from ketenzorg.pathway.calendar import AMSTERDAM

LENGTHS = {"30": "Een half uur", "45": "Drie kwartier", "60": "Een uur", "90": "Anderhalf uur"}
USUAL = "60"  # minutes
LONGEST_PLACE = 200  # characters
FURTHEST = timedelta(days=730)  # later is a typing error
BY_HAND = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})\Z")  # where a browser has no calendar
CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})\Z")


def meeting_of(fields: Mapping[str, str], now: datetime) -> Meeting:
    """Raises Invalid with all that is wrong, each with the name of its field."""
    day, clock, where = _day(fields.get("dag", "")), _clock(fields.get("tijd", "")), _where(fields)
    minutes = fields.get("duur", USUAL)
    issues = []
    if day is None:
        issues.append(_wrong("dag", "Vul een dag in, zoals 19-1-2026.", "A day, such as 19-1-2026."))
    if clock is None:
        issues.append(_wrong("tijd", "Vul een tijd in, zoals 10:30.", "A time, such as 10:30."))
    if not 0 < len(where) <= LONGEST_PLACE:
        nl = f"Vul in waar het is, in hoogstens {LONGEST_PLACE} tekens."
        issues.append(_wrong("plaats", nl, f"A place of at most {LONGEST_PLACE} characters."))
    if minutes not in LENGTHS:
        issues.append(_wrong("duur", "Kies hoe lang het duurt.", "Choose how long it takes."))
    start = datetime.combine(day, clock, AMSTERDAM) if day and clock else None
    if start is not None and not now < start < now + FURTHEST:
        nl = "Deze tijd is al voorbij." if start <= now else "Dit is over meer dan twee jaar. Klopt de dag?"
        issues.append(_wrong("dag", nl, "Over already, or more than two years away."))
    if issues or start is None:
        raise Invalid(*issues)
    return Meeting(start, int(minutes), where)


def typed_before(agreed: Agreed) -> dict[str, str]:
    """The fields as they were when this was agreed."""
    if agreed.start is None:
        return {"plaats": agreed.where}
    start = agreed.start.astimezone(AMSTERDAM)
    minutes = (agreed.end - agreed.start).total_seconds() / 60 if agreed.end else 0
    kept = str(int(minutes))
    return {
        "dag": start.date().isoformat(),
        "tijd": f"{start:%H:%M}",
        "duur": kept if kept in LENGTHS else USUAL,
        "plaats": agreed.where,
    }


def _where(fields: Mapping[str, str]) -> str:
    return " ".join(fields.get("plaats", "").split())


def _day(text: str) -> date | None:
    by_hand = BY_HAND.match(text.strip())
    try:
        if by_hand:
            return date(int(by_hand[3]), int(by_hand[2]), int(by_hand[1]))
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _clock(text: str) -> time | None:
    given = CLOCK.match(text.strip())
    try:
        return time(int(given[1]), int(given[2])) if given else None
    except ValueError:
        return None


def _wrong(field: str, nl: str, en: str) -> Issue:
    return Issue(nl=nl, en=en, expression=(field,), code="value")
