"""The figures as tables, for a spreadsheet: one per part of the answer.

A semicolon between the cells and a mark of the encoding in front: so a Dutch spreadsheet opens them as they are.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from io import StringIO

from ketenzorg.pathway.plan_definition import STATUS_NL
from ketenzorg.throughput.figures import Measures, NormAt, NormFigures, PlaceFigures, ShareOfNorm, Waiting
from ketenzorg.throughput.small_groups import Share

Row = Sequence[str | int]
TOO_FEW = "minder dan 10"
NOT_REACHED = "nog niet bereikt"
ENCODING_MARK = "\ufeff"
# A spreadsheet takes a cell that begins with one of these as a formula.
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

WAITING = ("aantal", "mediaan (dagen)", "80% (dagen)", "90% (dagen)")
NOT_KNOWN = "nog niet bekend"
NOTHING = "Niets valt op"
WITHIN = ("aantal met uitkomst", "binnen de norm (%)")
SHARE = ("deel dat eerder klaar moet zijn (%)", "binnen", "is eerder klaar (%)")


def as_csv(measures: Measures, table: str) -> str:
    """One table as CSV; KeyError when there is no such table."""
    return csv_of(TABLES[table](measures))


def csv_of(rows: Iterable[Row]) -> str:
    """Rows as CSV, with nothing in it that a spreadsheet would take for a formula."""
    text = StringIO()
    text.write(ENCODING_MARK)
    writer = csv.writer(text, delimiter=";")
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return text.getvalue()


def standing_out(measures: Measures) -> list[Row]:
    """What stands out, in sentences."""
    rows = [(each.kind, each.place, f"{each.place} {each.text}") for each in measures.standing_out]
    return [("soort", "plaats", "wat valt op"), *(rows or [("", "", NOTHING)])]


def steps(measures: Measures) -> list[Row]:
    head = ("stap", "van wie", "nu in de stap", "nu te laat", *WAITING, "deel van alle dagen (%)")
    rows = (
        (
            each.title,
            each.owner,
            number(each.open_now),
            number(each.late_now),
            *_waiting(each.dwell),
            number(each.days_percent),
        )
        for each in measures.steps
    )
    return [head, *rows]


def norms(measures: Measures) -> list[Row]:
    end = ("wacht nu", "nu te laat", "bron", "status van de bron")
    head = ("norm", "van", "tot", "uiterlijk", *WAITING, *WITHIN, *SHARE, *end)
    rows = (
        (
            each.norm,
            ", ".join(each.from_events),
            ", ".join(each.to_events),
            each.max,
            *_waiting(each.access),
            *_within(each.within),
            *_share(each.share),
            number(each.waiting_now),
            number(each.late_now),
            each.source,
            STATUS_NL[each.source_status],
        )
        for each in measures.norms
    )
    return [head, *rows]


def trend(measures: Measures) -> list[Row]:
    head = (
        "van week",
        "tot en met week",
        "instroom",
        "uitstroom",
        "lopend aan het eind",
        *_norm_heads(measures.trend[0].norms if measures.trend else ()),
    )
    rows = (
        (
            each.from_week,
            each.to_week,
            number(each.inflow),
            number(each.outflow),
            number(each.open_at_end),
            *_norm_cells(each.norms),
        )
        for each in measures.trend
    )
    return [head, *rows]


def exits(measures: Measures) -> list[Row]:
    return [("einde", "aantal"), *((each.title, number(each.n)) for each in measures.exits)]


def refusals(measures: Measures) -> list[Row]:
    return [("reden", "aantal"), *((each.title, number(each.n)) for each in measures.refusals)]


def experiences(measures: Measures) -> list[Row]:
    return [("antwoord", "aantal"), *((each.title, number(each.n)) for each in measures.experiences)]


def municipalities(measures: Measures) -> list[Row]:
    return _places("gemeente", measures.municipalities, measures)


def teams(measures: Measures) -> list[Row]:
    return _places("organisatie", measures.teams, measures)


def definitions(measures: Measures) -> list[Row]:
    head = ("maat", "betekenis", "eenheid", "bron", "status van de bron")
    rows = (
        (each.name, each.text, each.unit, each.source, STATUS_NL[each.status])
        for each in measures.definitions
    )
    return [head, *rows]


TABLES: dict[str, Callable[[Measures], list[Row]]] = {
    table.__name__: table
    for table in (
        standing_out,
        steps,
        norms,
        trend,
        exits,
        refusals,
        experiences,
        municipalities,
        teams,
        definitions,
    )
}


def number(value: int | None) -> str | int:
    """A number, or why it is not there."""
    return TOO_FEW if value is None else value


def percent(share: Share) -> str | int:
    """A part of a group, or why it is not there."""
    if share.n is None:
        return TOO_FEW
    return NOT_KNOWN if share.percent is None else share.percent


def days(waiting: Waiting, value: int | None) -> str | int:
    """One of the percentiles of a waiting time, or why it is not there."""
    if waiting.n is None:
        return TOO_FEW
    return NOT_REACHED if value is None else value


def _waiting(waiting: Waiting) -> Row:
    percentiles = (days(waiting, each) for each in (waiting.median, waiting.p80, waiting.p90))
    return (number(waiting.n), *percentiles)


def _within(share: Share) -> Row:
    return (number(share.n), percent(share))


def _share(share: ShareOfNorm | None) -> Row:
    return (share.wanted_percent, share.within, percent(share.reached)) if share else ("", "", "")


def _norm_heads(norms: Iterable[NormAt | NormFigures]) -> list[str]:
    return [f"{norm.norm}: {head}" for norm in norms for head in (*WAITING, *WITHIN)]


def _norm_cells(at: Sequence[NormAt]) -> list[str | int]:
    return [cell for each in at for cell in (*_waiting(each.access), *_within(each.within))]


def _places(kind: str, places: Sequence[PlaceFigures], measures: Measures) -> list[Row]:
    feedback = ("einde met recht op terugkoppeling", "terugkoppeling gegeven (%)")
    head = (
        kind,
        "instroom",
        "uitstroom",
        "nu lopend",
        "nu te laat",
        *feedback,
        *_norm_heads(places[0].norms if places else measures.norms),
    )
    rows = (
        (
            each.name,
            number(each.inflow),
            number(each.outflow),
            number(each.open_now),
            number(each.late_now),
            *_within(each.feedback),
            *_norm_cells(each.norms),
        )
        for each in places
    )
    return [head, *rows]


def _safe(cell: str | int) -> str | int:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
