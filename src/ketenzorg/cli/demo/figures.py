"""What the chain team can see in the demo, told in a few lines: every number is asked of the service's own figures."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from ketenzorg.cli.demo.lines import Json, Line
from ketenzorg.cli.demo.play import Play
from ketenzorg.cli.demo.story import Story
from ketenzorg.cli.demo.summary import heading, line, number
from ketenzorg.pathway.calendar import local_day
from ketenzorg.throughput.selection import Period, week_text

WEEKS = 26  # the last half year, beside the same half of the year before
NOT_REACHED = float("inf")  # longer than anybody was followed


class At(NamedTuple):
    """A place and its figures for one norm."""

    name: str
    place: Json
    norm: Json

    @property
    def median(self) -> float | None:
        """Days; infinite when not half of them have come so far; None when they are too few to show."""
        access = self.norm["access"]
        if access["n"] is None:
            return None
        return NOT_REACHED if access["median"] is None else float(access["median"])

    @property
    def percent(self) -> int | None:
        """The share within the norm."""
        percent: int | None = self.norm["within"]["percent"]
        return percent


async def tell_figures(story: Story, chain_team: Line) -> None:
    """For each pathway: how it goes, the team that became slowest, the municipality where word comes last."""
    for play in story.plays.values():
        heading(f"Wat het ketenteam ziet (GET /throughput/{play.pathway})")
        today = local_day(story.period.today)
        year = await _figures(chain_team, play)
        now = await _figures(chain_team, play, today)
        then = await _figures(chain_team, play, today - timedelta(weeks=52))
        _tell_whole(play, year)
        _tell_slowest(play, now, then)
        _tell_silent(play, year)


async def tell_chains(story: Story) -> None:
    """One line for each other pathway, asked by the chain team that has it."""
    heading("De andere zorgpaden (GET /throughput/<zorgpad>)")
    for name, sent in story.chains.sent.items():
        team = next(
            each for each in story.region.organisations if each.kind == "ketenteam" and name in each.pathways
        )
        year = await story.lines.of(team).call("GET", f"/throughput/{name}")
        totals = year["totals"]
        line(
            f"  {name}: ",
            f"{_count(totals['inflow'])} verwijzingen, nu lopen er {_count(totals['open_now'])}, "
            f"te laat {_count(totals['late_now'])}. Gespeeld: {sent} verwijzingen, "
            f"{story.chains.steps[name]} stappen, {story.chains.houses[name]} keer naar een andere organisatie.",
        )


async def _figures(line: Line, play: Play, until: date | None = None) -> Json:
    if until is None:
        return await line.call("GET", f"/throughput/{play.pathway}")
    last = until - timedelta(days=until.weekday())
    period = Period(last - timedelta(weeks=WEEKS - 1), last)
    query = urlencode({"from": week_text(period.first), "to": week_text(period.last)})
    return await line.call("GET", f"/throughput/{play.pathway}?{query}")


def _tell_whole(play: Play, year: Json) -> None:
    totals, norm = year["totals"], _norm(year, play.watch.waiting)
    line(
        "  ",
        f"In een jaar {_count(totals['inflow'])} verwijzingen. Nu lopen er {_count(totals['open_now'])}; "
        f"bij {_count(totals['late_now'])} is een termijn voorbij. "
        f"Binnen {norm['max']} ‘{norm['norm']}’: {_percent(norm['within']['percent'])}. "
        f"Terugkoppeling gegeven: {_percent(totals['feedback']['percent'])}.",
    )


def _tell_slowest(play: Play, now: Json, then: Json) -> None:
    waiting = play.watch.waiting
    shown = [each for each in _at(now["teams"], waiting) if each.median is not None]
    if not shown:
        line("  ", "Per team: te weinig verwijzingen om te tonen.")
        return
    slowest = max(shown, key=lambda each: each.median or 0)
    before = next(each for each in _at(then["teams"], waiting) if each.name == slowest.name)
    others = [each.median for each in shown if each is not slowest]
    line(
        "  ",
        f"{slowest.name}: de mediaan tot ‘{waiting}’ was een jaar geleden {_days(before.median)}, en is nu "
        f"{_days(slowest.median)} (norm: {_norm(now, waiting)['max']}); op tijd: {_percent(slowest.percent)}. "
        f"{_range(others)}"
        f"Er lopen daar {_count(slowest.place['open_now'])} trajecten, {_count(slowest.place['late_now'])} te laat.",
    )


def _tell_silent(play: Play, year: Json) -> None:
    feedback = play.watch.feedback
    shown = [each for each in _at(year["municipalities"], feedback) if each.percent is not None]
    if not shown:
        line("  ", "Per gemeente: te weinig verwijzingen om te tonen.")
        return
    silent = min(shown, key=lambda each: each.percent or 0)
    norm, totals = _norm(year, feedback), year["totals"]
    line(
        "  ",
        f"{silent.name}: ‘{feedback}’ op tijd (binnen {norm['max']}): {_percent(silent.percent)}, "
        f"in de hele regio {_percent(norm['within']['percent'])}. De verwijzer hoorde iets terug bij "
        f"{_percent(silent.place['feedback']['percent'])} van wat eindigde, "
        f"in de hele regio bij {_percent(totals['feedback']['percent'])}.",
    )


def _at(places: Iterable[Json], norm: str) -> list[At]:
    return [
        At(place["name"], place, each) for place in places for each in place["norms"] if each["norm"] == norm
    ]


def _norm(figures: Json, name: str) -> Json:
    norm: Json = next(each for each in figures["norms"] if each["norm"] == name)
    return norm


def _range(medians: Iterable[float | None]) -> str:
    known = [each for each in medians if each is not None]
    if not known:
        return ""
    low, high = _days(min(known)), _days(max(known))
    return f"Bij de andere teams {low}. " if low == high else f"Bij de andere teams {low} tot {high}. "


def _count(n: int | None) -> str:
    return "minder dan 10" if n is None else f"ongeveer {number(n)}"


def _percent(n: int | None) -> str:
    return "te weinig om te tonen" if n is None else f"{n}%"


def _days(median: float | None) -> str:
    if median is None:
        return "te weinig om te tonen"
    return "nog niet bereikt" if median == NOT_REACHED else f"{median:.0f} dagen"
