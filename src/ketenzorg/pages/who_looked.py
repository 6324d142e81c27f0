"""Wie keek in mijn dossier: a page that a practice prints for its patient, and the same as a file."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath

from ketenzorg.coordination.reading.who_looked import Look, WhoLooked, who_looked
from ketenzorg.coordination.showing.story import line_of
from ketenzorg.errors import BadRequest, Issue
from ketenzorg.pages import looking_words
from ketenzorg.pages.desk import id_of, told_of
from ketenzorg.pages.practice import PRACTICE, ROLE
from ketenzorg.pages.render import HEADERS, Page, page
from ketenzorg.pages.site import Http, site_of, world_of
from ketenzorg.pages.visitors import Visitor, visitor_of
from ketenzorg.pathway.calendar import AMSTERDAM
from ketenzorg.throughput.tables import csv_of

USUAL = timedelta(days=365)
HEAD = ("wanneer", "organisatie", "rol", "medewerker", "verantwoordelijk", "wat", "waarom", "noodprocedure",
        "toestemming", "zorgpad", "verzoek")  # fmt: skip


class Period(NamedTuple):
    """From one day up to and including another."""

    first: date
    last: date

    @property
    def begin(self) -> datetime:
        return _midnight(self.first)

    @property
    def end(self) -> datetime:
        return _midnight(self.last + timedelta(days=1))


@get("/praktijk/{task:str}/inzage")
async def show_who_looked(request: Http, task: FromPath[str]) -> Page:
    """Who looked, when and why, in a period."""
    visitor, told = await told_of(request, task, PRACTICE, "who-looked")
    period = period_of(request.query_params)
    found = await _found(request, visitor, UUID(told.patient["id"]), period)
    return page(
        request,
        "who_looked.html",
        story=told,
        address=f"{PRACTICE.home}/{told.task}",
        period=period,
        found=found,
        days=_by_day(found),
        names=_Names(request),
        looking=looking_words,
    )


@get("/praktijk/{task:str}/inzage.csv")
async def who_looked_file(request: Http, task: FromPath[str]) -> Response[bytes]:
    """The same for a spreadsheet, or for the patient to keep."""
    visitor = visitor_of(request, ROLE)
    line = await line_of(id_of(task), visitor.visit, world_of(request))
    found = await _found(request, visitor, line.patient, period_of(request.query_params))
    return Response(
        as_csv(found, _Names(request)).encode(),
        headers=HEADERS | {"Content-Disposition": 'attachment; filename="wie-keek.csv"'},
        media_type="text/csv; charset=utf-8; header=present",
    )


def period_of(query: Mapping[str, str]) -> Period:
    """The days that an address names; by default the last year. Raises BadRequest."""
    today = datetime.now(UTC).astimezone(AMSTERDAM).date()
    try:
        last = date.fromisoformat(query.get("tot") or today.isoformat())
        first = date.fromisoformat(query.get("van") or (last - USUAL).isoformat())
        if first > last:
            raise ValueError
        period = Period(first, last)
        _ = period.begin, period.end
    except (ValueError, OverflowError):
        raise BadRequest(
            Issue(
                nl="Kies een dag van begin en een dag van einde. Het begin ligt niet na het einde.",
                en="A first and a last day, in that order.",
            )
        ) from None
    return period


def as_csv(found: WhoLooked, names: "_Names") -> str:
    """Every look as a row."""
    return csv_of([HEAD, *(_row(look, names) for look in found.looks)])


class _Names:
    """What people are called, as far as this installation knows; else the id that their system gave."""

    def __init__(self, request: Http) -> None:
        self._people = site_of(request).people

    def __call__(self, id_: str) -> str:
        person = self._people.get(id_)
        return person.name if person else id_.rpartition("#")[2]


async def _found(request: Http, visitor: Visitor, patient: UUID, period: Period) -> WhoLooked:
    return await who_looked(patient, period.begin, period.end, visitor.visit, world_of(request))


def _row(look: Look, names: _Names) -> tuple[str, ...]:
    return (
        look.at.astimezone(AMSTERDAM).isoformat(timespec="seconds"),
        look.organisation,
        ", ".join(look.roles),
        names(look.user),
        names(look.responsible or look.user),
        looking_words.did(look),
        looking_words.why(look),
        "ja" if look.emergency else "nee",
        "vastgelegd" if look.consent else "",
        look.pathway,
        look.request,
    )


def _by_day(found: WhoLooked) -> dict[date, list[Look]]:
    days: dict[date, list[Look]] = {}
    for look in found.looks:
        days.setdefault(look.at.astimezone(AMSTERDAM).date(), []).append(look)
    return days


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=AMSTERDAM)
