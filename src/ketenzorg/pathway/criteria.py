"""Looks at the answers of a referral: what stops the sending, who acts first and how soon, what is missing, and why."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from ketenzorg.errors import Issue
from ketenzorg.pathway.answered import Code, Day, Quantity, Readings, Text, Value, YesNo
from ketenzorg.pathway.clocks import LENGTH, URGENCY
from ketenzorg.pathway.deciding import Decided, Hit, Rules, decide
from ketenzorg.pathway.definition import PathwayFile, Rule
from ketenzorg.pathway.facts import Choice, Number
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.measured import Known, by_name
from ketenzorg.pathway.words import Exit, Priority, Source

__all__ = ["Code", "Day", "Quantity", "Readings", "Text", "Value", "YesNo"]

LENGTHS = {
    "mo": "maanden",
    "wk": "weken",
    "d": "dagen",
}  # UCUM of a formula that gives the length of a control
UNITS = {**LENGTHS, "a": "jaar", "{score}": "", "1": ""}  # UCUM as people say it


class Blocked(msgspec.Struct, frozen=True):
    """Why nothing is sent; `elements` are the answers to give or to change."""

    rule: str
    say: str
    source: Source
    elements: tuple[str, ...]
    alarm: bool = False
    first_aid: str = ""  # what to do before or while phoning
    exit: Exit | None = None
    why: tuple[Issue, ...] = ()  # what was given and could not be used
    needed: bool = False  # no rule: an answer that must be there


class Missing(msgspec.Struct, frozen=True):
    """Asked for, not given: reported, never guessed, and it does not stop the sending."""

    element: str
    ask: str
    table: str = ""  # the decision that waits for it
    why: tuple[Issue, ...] = ()  # what was given and could not be used


class Advised(msgspec.Struct, frozen=True):
    """What to tell the sender, and the rule behind it."""

    text: str
    rule: str
    source: Source


class Route(msgspec.Struct, frozen=True):
    """Where the traject begins: whose turn it is there, and what kind of place that must be."""

    step: str
    role: str
    kinds: tuple[str, ...]
    capability: str
    rule: str
    source: Source


class Soon(msgspec.Struct, frozen=True):
    """How soon, in the word of the file and as ServiceRequest.priority."""

    name: str
    title: str
    priority: Priority
    rule: str
    source: Source


class Raised(msgspec.Struct, frozen=True):
    """An event that the data mean for a traject that runs already."""

    event: str
    rule: str
    source: Source


class Screening(msgspec.Struct, frozen=True):
    """The outcome; nothing may be sent while `blocked` holds anything."""

    blocked: tuple[Blocked, ...]
    missing: tuple[Missing, ...]
    advice: tuple[Advised, ...]
    route: Route | None = None  # none: the step that the pathway begins with
    urgency: Soon | None = None
    events: tuple[Raised, ...] = ()
    explained: tuple[Hit, ...] = ()  # every row that held: its table, number, grounds and source
    values: tuple[tuple[str, str], ...] = ()  # what formulas and tables came to, in words
    kept: dict[str, int] = {}  # for State.counts: urgency, and the lengths of controls

    @property
    def doubts(self) -> tuple[Issue, ...]:
        """What was given and could not be used, each naming its element."""
        stops = (issue for stop in self.blocked for issue in stop.why)
        return (*stops, *(issue for gap in self.missing for issue in gap.why))


def screen(pathway: Pathway, data: Mapping[str, Value], at: datetime | None = None) -> Screening:
    """Alarm rules first, then conditions, required answers and all tables. `at`: needed once something is measured."""
    file, rules = pathway.file, pathway.rules
    decided = decide(rules, by_name(rules.asked, data, at), at)
    known, hits = decided.known, decided.hits
    says = _sorted_out(pathway, hits)
    stops = [
        *_stops(file.alarm, known, alarm=True),
        *says.stops,
        *_stops(file.condition, known, alarm=False),
    ]
    covered = {name for stop in stops for name in stop.elements}
    required = [
        Blocked(name, element.ask, element.source, (name,), why=known[name].doubts, needed=True)
        for name, element in rules.required
        if not known[name].answered and name not in covered
    ]
    blocked = (*[_asking(file, stop, decided) for stop in stops], *required)
    urgency = _urgency(file, says.urgent)
    return Screening(
        blocked=blocked,
        missing=_missing(rules, decided, says.asks),
        advice=(*_advice(file, known), *says.advice),
        route=says.route,
        urgency=urgency,
        events=tuple(says.events),
        explained=hits,
        values=_in_words(rules, decided, blocked=bool(blocked)),
        kept=_kept(file, urgency, decided),
    )


class _Says(msgspec.Struct):
    """What the rows that hold say, by what it is, in the order of the file."""

    stops: list[Blocked] = []
    advice: list[Advised] = []
    events: list[Raised] = []
    asks: list[tuple[str, str]] = []  # question and table
    urgent: dict[str, Hit] = {}  # the first row of each urgency
    route: Route | None = None  # of the first row that points the way


def _sorted_out(pathway: Pathway, hits: Iterable[Hit]) -> _Says:
    says = _Says()
    for hit in hits:
        then = hit.then
        if then.advice:
            says.advice.append(Advised(then.advice, hit.table, hit.source))
        if then.alarm or then.stop:
            says.stops += _stopped(hit)
        if then.urgency:
            says.urgent.setdefault(then.urgency, hit)
        if then.to and says.route is None:
            says.route = _route(pathway, hit)
        if then.event:
            says.events.append(Raised(then.event, hit.table, hit.source))
        if then.ask:
            says.asks += [(name, hit.table) for name in then.ask]
    return says


def _stops(rules: list[Rule], known: Mapping[str, Known], *, alarm: bool) -> list[Blocked]:
    return [
        Blocked(rule.name, rule.say, rule.source, tuple(rule.unless), alarm, rule.first_aid)
        for rule in rules
        if not _all_said(rule.unless, known)
    ]


def _all_said(answers: Mapping[str, str], known: Mapping[str, Known]) -> bool:
    """Exactly these answers: absent or unknown is none of them."""
    for name, answer in answers.items():
        each = known[name]
        if not (each.answered and isinstance(each.fact, Choice) and each.fact.exact == answer):
            return False
    return True


def _stopped(hit: Hit) -> Iterator[Blocked]:
    then, elements = hit.then, tuple(name for name, _ in hit.because)
    if then.alarm:
        yield Blocked(hit.table, then.alarm, hit.source, elements, True, then.first_aid, then.exit)
    if then.stop:
        yield Blocked(hit.table, then.stop, hit.source, elements, exit=then.exit)


def _asking(file: PathwayFile, stop: Blocked, decided: Decided) -> Blocked:
    """The stop with the questions under the tables and formulas that it looked at: only those can be answered."""
    first = [name for name in stop.elements if name in file.data]
    if len(first) == len(stop.elements):
        return stop
    below = [question for name in stop.elements for question in _questions(file, name, decided)]
    return msgspec.structs.replace(stop, elements=tuple(dict.fromkeys([*first, *below])))


def _questions(file: PathwayFile, name: str, decided: Decided) -> Iterator[str]:
    if name in file.data:
        yield name
        return
    below = [one for hit in decided.hits if hit.table == name for one, _ in hit.because]
    if not below and name in file.derived:
        below = list(file.derived[name].from_.values())
    if not below:
        below = [one for table in file.table if table.name == name for one in table.inputs]
    for one in below:
        yield from _questions(file, one, decided)


def _missing(rules: Rules, decided: Decided, by_rows: list[tuple[str, str]]) -> tuple[Missing, ...]:
    """What the file asks for always, then what a row asks for, then what a table waits for; each once."""
    known, asked = decided.known, rules.asked
    gaps = {name: Missing(name, ask) for name, ask in rules.wanted if not known[name].answered}
    always = len(gaps)
    for name, table in (*by_rows, *reversed(decided.wanted)):
        if name not in gaps and not known[name].answered and asked[name].element.need != "vereist":
            gaps[name] = Missing(name, asked[name].element.ask, table)
    for name in rules.measured:
        doubts = known[name].doubts
        if not doubts:
            continue
        element = asked[name].element
        if name in gaps or known[name].answered or element.need == "mag":
            gap = gaps.get(name) or Missing(name, element.ask)  # answered, yet not all of it can be used
            gaps[name] = msgspec.structs.replace(gap, why=doubts)
    if len(gaps) == always:
        return tuple(gaps.values())
    return tuple(sorted(gaps.values(), key=lambda gap: rules.places[gap.element]))


def _advice(file: PathwayFile, known: Mapping[str, Known]) -> Iterable[Advised]:
    return (
        Advised(advice.say, advice.name, advice.source)
        for advice in file.advice
        if _all_said(advice.when, known)
    )


def _route(pathway: Pathway, hit: Hit) -> Route:
    step = pathway.steps[hit.then.to]
    role = pathway.file.roles[step.performer]
    place = hit.then.capability or role.capability
    return Route(step.name, step.performer, tuple(role.kinds), place, hit.table, hit.source)


def _urgency(file: PathwayFile, said: Mapping[str, Hit]) -> Soon | None:
    """The most urgent that any row says."""
    for name, urgency in file.urgencies.items() if said else ():
        if name in said:
            return Soon(name, urgency.title, urgency.priority, said[name].table, said[name].source)
    return None


def _kept(file: PathwayFile, urgency: Soon | None, decided: Decided) -> dict[str, int]:
    """What norms and controls depend on, in the form in which a traject keeps it."""
    kept = {f"{URGENCY}:{urgency.name}": 1} if urgency else {}
    for table, length in decided.lengths.items():
        number, unit = length.split()
        kept[f"{LENGTH}:{table}:{unit}"] = int(number)
    for watch in file.watch:
        fact = decided.facts.get(watch.every)
        if isinstance(fact, Number) and fact.exact is not None:
            kept[f"{LENGTH}:{watch.every}:{LENGTHS[fact.unit]}"] = int(fact.exact)
    return kept


def _in_words(rules: Rules, decided: Decided, *, blocked: bool) -> tuple[tuple[str, str], ...]:
    """What each formula and each table with a value came to, as far as it can be told and may be shown."""
    facts = decided.facts
    said: list[tuple[str, str]] = []
    for name, title, shown_with in rules.titles:
        if not shown_with or (not blocked and any(hit.table == shown_with for hit in decided.hits)):
            said.append((title, _shown(facts[name], _NO_CODES)))
    for name, codes in rules.outcomes:
        said.append((name, _shown(facts[name], codes)))
    return (*said, *decided.lengths.items())


_NO_CODES: Mapping[str, str] = {}


def _shown(fact: object, codes: Mapping[str, str]) -> str:
    if isinstance(fact, Choice):
        only = fact.exact
        return "niet te bepalen" if only is None else codes.get(only, only)
    if not isinstance(fact, Number):
        return ""
    unit = UNITS.get(fact.unit, fact.unit)
    if fact.exact is not None:
        return f"{_digits(fact.low)} {unit}".strip()
    return f"niet precies bekend ({_digits(fact.low)} tot en met {_digits(fact.high)} {unit}".rstrip() + ")"


def _digits(number: Decimal) -> str:
    """At most two digits after the comma, and none that say nothing."""
    text = f"{number:.2f}"
    return text.rstrip("0").rstrip(".").replace(".", ",")
