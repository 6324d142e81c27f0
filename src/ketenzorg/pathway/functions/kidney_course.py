"""Kidney function over time: acute damage, rapid decline, and whether an abnormal value is confirmed.

Sources: richtlijnendatabase.nl Chronische nierschade and the NHG standard, as in pathway-facts 6.2. What the
dates or the number of measurements do not settle is unknown: "ja" and "nee" are both still possible.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from ketenzorg.pathway.calendar import Amount, before, last_day, local_day
from ketenzorg.pathway.facts import NEVER, NO, PERHAPS, YES, Choice, Truth, answer
from ketenzorg.pathway.functions.kidney import stage_index
from ketenzorg.pathway.series import Measurement, Series, clashes, gap, of_one_formula

CONFIRMING = ("niet-afwijkend", "herhaal-1-week", "bevestig-3-maanden", "bevestigd")


def acute_injury(
    kreatinine_reeks: Series, stijging_in_48_uur: Decimal, stijging_in_een_week_procent: Decimal
) -> Choice:
    """Creatinine up by at least 25 µmol/L in 48 hours, or by more than 50 percent in a week.

    dokteruslu.nl, summary of the NHG standard, as in pathway-facts 6.2. A rise counts while it ends in the
    week before the newest value, also when the newest is lower again. "nee" takes two values within a week:
    with values further apart nothing can be ruled out. A rise of 25 µmol/L over more than 48 hours is unknown,
    not "nee": how fast it came was not measured.
    """
    points = kreatinine_reeks.points
    found, compared = NEVER, False
    for at in reversed(range(len(points))):
        later = points[at]
        if gap(later, points[-1])[0] > _WEEK:
            break  # sorted by the last moment: those before lie further back still
        for earlier in reversed(points[:at]):
            shortest, longest = gap(earlier, later)
            if shortest > _WEEK:
                break
            ordered = earlier.at.last < later.at.first
            risen = _risen(earlier, later, longest, stijging_in_48_uur, stijging_in_een_week_procent)
            if ordered:
                found |= risen
                compared |= longest <= _WEEK
            elif (
                risen.may
                or _risen(later, earlier, longest, stijging_in_48_uur, stijging_in_een_week_procent).may
            ):
                found |= PERHAPS
    return answer(found if found.may or compared else PERHAPS)


def _risen(
    earlier: Measurement, later: Measurement, longest: timedelta, most: Decimal, pct: Decimal
) -> Truth:
    rise = later.value - earlier.value
    by_amount = Truth(longest <= _TWO_DAYS, True) if rise >= most else NEVER
    by_share = Truth(longest <= _WEEK, True) if rise * _HUNDRED > pct * earlier.value else NEVER
    return by_amount | by_share


def fall_with_stage(egfr_reeks: Series, nu: datetime, daling_procent: Decimal, jaren: Decimal) -> Choice:
    """First rule of rapid decline: 25 percent below the first value of the past 5 years, and a worse G stage.

    richtlijnendatabase.nl, Chronische nierschade, verwijsindicaties. Only values of one formula are compared
    (conflict 8): others make the answer unknown where it is not "ja".
    """
    same, fell_away = of_one_formula(egfr_reeks)
    limit = before(nu, Amount(int(jaren * _MONTHS), "maanden"))
    recent = [point for point in same.points if point.at.last >= limit]
    if len(recent) < _TWO or clashes(recent):
        return _unknown(same)
    newest = recent[-1]
    surely_in = next((at for at, point in enumerate(recent) if point.at.first >= limit), len(recent))
    firsts = recent[: min(surely_in + 1, len(recent) - 1)]  # one, or more when a date is too vague
    hits = [_fell(first, newest, daling_procent) for first in firsts]
    comparable = surely_in < len(recent) - 1  # a first value that is surely of these years
    return _settled(Truth(all(hits) and comparable, any(hits)), same, doubt=fell_away or not comparable)


def _fell(first: Measurement, newest: Measurement, pct: Decimal) -> bool:
    fallen = (first.value - newest.value) * _HUNDRED >= pct * first.value
    return fallen and stage_index(newest.value) > stage_index(first.value)


def fall_per_year(
    egfr_reeks: Series, daling_per_jaar: Decimal, minstens_metingen: Decimal, lezing: str
) -> Choice:
    """Second rule of rapid decline: 5 mL/min/1.73 m² a year or more, on at least three measurements.

    richtlijnendatabase.nl: per year; the NHG summary and ketenzorgfriesland.nl: within one year. Our reading
    of "per jaar": over any run of three or more measurements up to the newest, first minus last is at least 5
    for each year between them, and a run shorter than a year is not stretched to one. "binnen een jaar" only
    looks at runs of at most a year. Not a fitted line: a clinician can check this by hand.
    """
    same, fell_away = of_one_formula(egfr_reeks)
    enough = int(minstens_metingen)
    if len(same.points) < enough or clashes(same.points):
        return _unknown(same)
    newest, least, found = same.points[-1], daling_per_jaar * _YEAR, NEVER
    for first in same.points[: len(same.points) - enough + 1]:
        fall = (first.value - newest.value) * _YEAR
        if fall < least:
            continue
        shortest = (newest.at.first - first.at.last) // _SECOND
        if fall < daling_per_jaar * shortest:
            continue
        longest = (newest.at.last - first.at.first) // _SECOND
        hit = Truth(fall >= daling_per_jaar * longest, True)
        if lezing == "binnen een jaar":
            hit &= Truth(longest <= _YEAR, shortest <= _YEAR)
        found |= hit
        if found.sure:
            break
    return _settled(found, same, doubt=fell_away)


def rapid_decline(
    egfr_reeks: Series,
    nu: datetime,
    daling_procent: Decimal,
    jaren: Decimal,
    daling_per_jaar: Decimal,
    minstens_metingen: Decimal,
    lezing: str,
) -> Choice:
    """Either rule: `fall_with_stage` or `fall_per_year`."""
    one = fall_with_stage(egfr_reeks, nu, daling_procent, jaren)
    other = fall_per_year(egfr_reeks, daling_per_jaar, minstens_metingen, lezing)
    return Choice(answer(_truth(one) | _truth(other)).possible, problems=(*one.problems, *other.problems))


def confirm_egfr(
    egfr_reeks: Series, afwijkend_onder: Decimal, maanden: Decimal, duidelijke_daling_procent: Decimal
) -> Choice:
    """What an eGFR below 60 asks for: repeat within a week, confirm after three months, or confirmed.

    richtlijnendatabase.nl, bepaling van nierfunctie en albuminurie: no earlier value or a clear deviation is
    repeated within a week, a known earlier value confirmed after three months. "Clear" is not defined there;
    our proposal is KDIGO 2024's change that needs evaluation: more than 20 percent below the value before.
    """
    return _confirm(
        egfr_reeks,
        maanden,
        lambda value: value < afwijkend_onder,
        lambda last, now: (last - now) * _HUNDRED > duidelijke_daling_procent * last,
    )


def confirm_acr(
    acr_reeks: Series, afwijkend_vanaf: Decimal, maanden: Decimal, duidelijke_stijging_procent: Decimal
) -> Choice:
    """The same for an albumin/creatinine ratio from 3 mg/mmol; a clear deviation is KDIGO 2024's doubling."""
    return _confirm(
        acr_reeks,
        maanden,
        lambda value: value >= afwijkend_vanaf,
        lambda last, now: (now - last) * _HUNDRED >= duidelijke_stijging_procent * last,
    )


def _confirm(
    given: Series,
    months: Decimal,
    abnormal: Callable[[Decimal], bool],
    clearly_worse: Callable[[Decimal, Decimal], bool],
) -> Choice:
    points = given.points
    if not points or clashes(points):
        return Choice(CONFIRMING)
    newest = points[-1]
    if not abnormal(newest.value):
        return Choice(CONFIRMING[:1])
    if len(points) == 1 or clearly_worse(points[-2].value, newest.value):
        return Choice(("herhaal-1-week",))
    begun = newest
    for point in reversed(points):
        if not abnormal(point.value):
            break
        begun = point
    apart = _apart(begun, newest, Amount(int(months), "maanden"))
    if apart.sure:
        return Choice(("bevestigd",))
    return Choice(("bevestig-3-maanden", "bevestigd") if apart.may else ("bevestig-3-maanden",))


def _apart(earlier: Measurement, later: Measurement, months: Amount) -> Truth:
    """Whether the two lie at least this many calendar months apart."""
    surely = last_day(local_day(earlier.at.last), months) <= local_day(later.at.first)
    perhaps = last_day(local_day(earlier.at.first), months) <= local_day(later.at.last)
    return Truth(surely, perhaps)


def _settled(truth: Truth, given: Series, *, doubt: bool) -> Choice:
    possible = answer(Truth(truth.sure, truth.may or doubt)).possible
    return Choice(possible, problems=given.problems)


def _unknown(given: Series) -> Choice:
    return Choice((YES, NO), problems=given.problems)


def _truth(choice: Choice) -> Truth:
    return Truth(choice.possible == (YES,), YES in choice.possible)


_TWO_DAYS, _WEEK = timedelta(hours=48), timedelta(days=7)
_HUNDRED, _MONTHS = Decimal(100), Decimal(12)
_SECOND = timedelta(seconds=1)
_YEAR = Decimal(31_557_600)  # 365.25 days, in seconds
_TWO = 2
