"""`ketenzorg pathway try`: asks the questions of a pathway one by one, says what follows, and walks step by step."""

import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import typer

from ketenzorg.errors import KetenzorgError
from ketenzorg.pathway import engine
from ketenzorg.pathway.answered import Code, Day, Quantity, Readings, Text, Value, YesNo
from ketenzorg.pathway.calendar import AMSTERDAM
from ketenzorg.pathway.criteria import Blocked, Screening, screen
from ketenzorg.pathway.definition import DataElement
from ketenzorg.pathway.load import load
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.plan_definition import STATUS_NL, cite
from ketenzorg.pathway.systems import codings
from ketenzorg.pathway.units import MEASURES
from ketenzorg.settings import Settings

_YES_NO = {"j": "ja", "ja": "ja", "n": "nee", "nee": "nee"}
_READING = re.compile(r"(-?[0-9]+(?:[.,][0-9]+)?)(?: +([0-9-]+))?")
_DUTCH_DAY = re.compile(r"([0-9]{1,2})-([0-9]{1,2})-([0-9]{4})")


def try_out(environ: Mapping[str, str], name: str) -> int:
    """Ask, decide and walk, on the answers that are typed or piped in; 1 when there is no such pathway."""
    catalogue = load(Settings.from_environ(environ).pathways)
    if name not in catalogue.names:
        typer.echo(f"Dit zorgpad is er niet; wel: {', '.join(catalogue.names)}.", err=True)
        return 1
    Trial(catalogue.current(name), datetime.now(UTC), _ask).run()
    return 0


def _ask(question: str) -> str | None:
    """What was typed; none when the input has ended."""
    try:
        said = input(f"{question} ").strip()
    except EOFError:
        typer.echo("")
        return None
    if not sys.stdin.isatty():  # piped in: then nobody saw it typed
        typer.echo(said)
    return said


class Trial:
    """One patient who does not exist, through one pathway."""

    def __init__(self, pathway: Pathway, at: datetime, ask: Callable[[str], str | None]) -> None:
        self.pathway = pathway
        self.at = at
        self.ask = ask
        self.given: dict[str, Value] = {}

    def run(self) -> None:
        """Everything, from the first question to where the reader stops."""
        self._head()
        if not self._questions():
            return
        screening = screen(self.pathway, self.given, self.at)
        _follows(self.pathway, screening)
        if screening.blocked:
            typer.echo("Er wordt niets verstuurd.")
            return
        self._walk(engine.start(self.pathway, self.at, screening))

    def _head(self) -> None:
        typer.echo(f"{self.pathway.title} {self.pathway.version}")
        if not self.pathway.adopted:
            typer.echo("Niet vastgesteld door een zorginhoudelijk eigenaar.")
        typer.echo("Een lege regel is: onbekend.\n")

    def _questions(self) -> bool:
        """Whether all could be asked: an alarm ends it at once."""
        data = self.pathway.file.data
        first = dict.fromkeys(name for rule in self.pathway.file.alarm for name in rule.unless)
        asked: set[str] = set()
        for name in dict.fromkeys([*first, *data]):
            self._question(name, data[name])
            asked.add(name)
            if alarms := self._alarms(asked):
                for stop in alarms:
                    _stop(stop)
                typer.echo("Er wordt niets verstuurd.")
                return False
        return True

    def _alarms(self, asked: set[str]) -> list[Blocked]:
        """The alarms of which everything was asked, and those that a table already gives."""
        tables = {table.name for table in self.pathway.file.table}
        stops = screen(self.pathway, self.given, self.at).blocked
        return [stop for stop in stops if stop.alarm and (stop.rule in tables or asked >= set(stop.elements))]

    def _question(self, name: str, element: DataElement) -> None:
        while True:
            said = self.ask(f"{element.ask} {_how(element)}")
            if not said:
                if element.type == "ja-nee":
                    self.given[name] = YesNo("onbekend")
                return
            try:
                self.given[name] = self._read(element, said)
            except ValueError:
                typer.echo(f"  Zo niet te lezen. {_how(element)}")
                continue
            for doubt in screen(self.pathway, {name: self.given[name]}, self.at).doubts:
                typer.echo(f"  Let op: {doubt.nl}")
            return

    def _read(self, element: DataElement, said: str) -> Value:
        match element.type:
            case "ja-nee":
                if said.lower() not in _YES_NO:
                    raise ValueError(said)
                return YesNo(_YES_NO[said.lower()])  # type: ignore[arg-type]
            case "getal":
                return Readings(tuple(self._reading(part, element) for part in said.split(";")))
            case "code":
                return Code(_chosen(said, list(element.codes)))
            case "datum":
                return Day(_day(said))
            case "tekst":
                return Text(said)

    def _reading(self, text: str, element: DataElement) -> Quantity:
        found = _READING.fullmatch(text.strip())
        if found is None:
            raise ValueError(text)
        day = _day(found[2]) if found[2] else self.at.astimezone(AMSTERDAM).date()
        number = Decimal(found[1].replace(",", "."))
        return Quantity(number, element.unit, day.isoformat(), _code_of(element))

    def _walk(self, state: engine.State) -> None:
        task = self.pathway.steps[state.step].task
        while True:
            self._stands(state, task)
            options = engine.allowed(self.pathway, state)
            for number, option in enumerate(options, 1):
                typer.echo(f"  {number}. {option.title} ({' of '.join(option.by)})")
            said = self.ask("Wat gebeurt er? (nummer; lege regel: stoppen)") if options else None
            if not said:
                return
            try:
                option = options[int(said) - 1] if int(said) > 0 else options[len(options)]
            except (ValueError, IndexError):
                typer.echo(f"  Kies 1 tot en met {len(options)}.")
                continue
            taken = self._take(state, option)
            if taken is not None:
                state, task = taken.state, taken.task

    def _take(self, state: engine.State, option: engine.Option) -> engine.StepTaken | None:
        given = {name: self._brought(name) for name in option.needs}
        days = self.ask("Na hoeveel dagen? (lege regel: 1)") or "1"
        at = self.at + timedelta(days=int(days) if days.isdigit() else 1)
        try:
            taken = engine.advance(self.pathway, state, option.event, option.by[0], at, given)
        except KetenzorgError as refused:
            for issue in refused.issues:
                typer.echo(f"  {issue.nl}")
            return None
        self.at = at
        if taken.tell:
            typer.echo(f"  Bericht aan: {', '.join(taken.tell)}")
        return taken

    def _brought(self, name: str) -> str:
        need = self.pathway.file.needs[name]
        if not need.codes:
            return self.ask(f"  {need.ask}") or "-"
        choices = ", ".join(f"{n} {self.pathway.file.codes[code]}" for n, code in enumerate(need.codes, 1))
        try:
            return _chosen(self.ask(f"  {need.ask} ({choices})") or "1", need.codes)
        except ValueError:
            return need.codes[0]

    def _stands(self, state: engine.State, task: str) -> None:
        step = self.pathway.steps[state.step]
        day = self.at.astimezone(AMSTERDAM).date()
        typer.echo(f"\n{day:%d-%m-%Y}  {step.title} (aan zet: {step.owner}; Task.status {task})")
        for due in engine.due(self.pathway, state):
            typer.echo(
                f"  uiterlijk {due.at.astimezone(AMSTERDAM):%d-%m-%Y}: {due.norm} [{STATUS_NL[due.status]}]"
            )
        if step.ends:
            typer.echo("  Het traject is geëindigd.")


def _follows(pathway: Pathway, screening: Screening) -> None:
    """What stops it, who is first, how soon, what to know, and on whose word."""
    typer.echo("")
    for stop in screening.blocked:
        if stop.rule in pathway.file.data:
            typer.echo(f"Zonder dit antwoord gaat er niets weg: {stop.say}")
        else:
            _stop(stop)
    if screening.route and not screening.blocked:
        role = pathway.file.roles[screening.route.role].title
        where = pathway.steps[screening.route.step].title
        typer.echo(f"Aan zet: {role}, ‘{where}’ [{screening.route.rule}; {cite(screening.route.source)}]")
    if screening.urgency:
        typer.echo(f"Urgentie: {screening.urgency.title} [{screening.urgency.rule}]")
    for title, value in screening.values:
        typer.echo(f"{title}: {value}")
    for advice in screening.advice:
        typer.echo(f"Advies: {advice.text} [{cite(advice.source)}]")
    for gap in screening.missing:
        typer.echo(f"Nog gevraagd: {gap.ask}")


def _code_of(element: DataElement) -> tuple[str, str] | None:
    """The first code that goes with the unit: an eGFR says by its code with which formula it was worked out."""
    known = MEASURES[element.measure].codes
    fitting = (
        code for named in element.coded_as for code in codings(named) if element.unit in known.get(code, ())
    )
    return next(fitting, None)


def _stop(stop: Blocked) -> None:
    typer.echo(f"{'ALARM' if stop.alarm else 'Stop'}: {stop.say} [{cite(stop.source)}]")
    if stop.first_aid:
        typer.echo(f"Eerst: {stop.first_aid}")


def _how(element: DataElement) -> str:
    """In what form to answer."""
    match element.type:
        case "ja-nee":
            return "(j/n)"
        case "getal":
            more = "; meer waarden met een datum: 52 2026-02-20; 51 2025-06-10" if element.series else ""
            return f"({element.unit}{more})"
        case "code":
            return "(" + ", ".join(f"{n} {text}" for n, text in enumerate(element.codes.values(), 1)) + ")"
        case "datum":
            return "(dag-maand-jaar)"
        case "tekst":
            return ""


def _chosen(said: str, codes: list[str]) -> str:
    """By its number or by itself."""
    if said in codes:
        return said
    number = int(said)
    if not 1 <= number <= len(codes):
        raise ValueError(said)
    return codes[number - 1]


def _day(said: str) -> date:
    if dutch := _DUTCH_DAY.fullmatch(said):
        return date(int(dutch[3]), int(dutch[2]), int(dutch[1]))
    return date.fromisoformat(said)
