"""The formulas, choices and decision tables of a pathway as tables that a clinician can read."""

from collections.abc import Iterator

from ketenzorg.pathway.definition import PathwayFile
from ketenzorg.pathway.document import Part, table
from ketenzorg.pathway.functions.functions import FUNCTIONS
from ketenzorg.pathway.plan_definition import cite
from ketenzorg.pathway.questions import DecisionTable, Row, SetValue, Then

_MOST_COLUMNS = 4  # a wider table cannot be read on paper
HITS = {
    "uniek": "Er geldt één rij.",
    "verzamel": "Alle rijen die gelden tellen.",
    "kortste": "De kortste duur telt.",
}


def show_rules(file: PathwayFile) -> Iterator[Part]:
    """Everything that decides, in the order in which it is worked out."""
    yield table("Te kiezen door de eigenaar", ["wat", "nu", "mogelijk", "bron"], _values(file))
    yield table("Formules", ["wat", "functie", "uit", "instellingen", "bron"], _formulas(file))
    for each in file.table:
        yield decision(each, file)


def decision(each: DecisionTable, file: PathwayFile) -> Part:
    """One decision table: what a row looks at, what follows, and on what ground."""
    columns = each.inputs if len(each.inputs) <= _MOST_COLUMNS else ["als"]
    rows = [
        [str(number), *_when(row, columns), outcome(row.then, each, file), _source(row, each)]
        for number, row in enumerate(each.rows, 1)
    ]
    if each.otherwise:
        known = f" (bekend moet zijn: {', '.join(each.knowing)})" if each.knowing else ""
        rows.append(["", *("" for _ in columns), f"Anders: {each.codes[each.otherwise]}{known}", ""])
    asks = " Wat niet bekend is, wordt gevraagd." if each.if_unknown else ""
    before = f"{each.question} {HITS[each.hit]}{asks}"
    return table(f"Tabel: {each.name}", ["", *columns, "dan", "bron"], rows, before)


def _when(row: Row, columns: list[str]) -> list[str]:
    """A cell for each input; where there are many of them, one sentence."""
    if columns == ["als"]:
        return [", ".join(f"{name}: {cell}" for name, cell in row.when.items())]
    return [row.when.get(name, "") for name in columns]


def outcome(then: Then, each: DecisionTable, file: PathwayFile) -> str:
    """What follows from a row, in words."""
    urgency = file.urgencies[then.urgency].title if then.urgency else ""
    parts = {
        "Alarm": then.alarm,
        "Eerst": then.first_aid,
        "Niet versturen": then.stop,
        "Begint in": file.steps[then.to].title if then.to else "",
        "Locatie met": then.capability,
        "Urgentie": urgency,
        "Advies": then.advice,
        "Uitkomst": each.codes.get(then.is_, ""),
        "Elke": then.every,
        "Vraag": ", ".join(then.ask),
        "In een lopend traject": then.event,
    }
    return ". ".join(f"{name}: {text.rstrip('.')}" for name, text in parts.items() if text)


def _source(row: Row, each: DecisionTable) -> str:
    source = row.source or each.source
    return cite(source) if source else ""


def _values(file: PathwayFile) -> list[list[str]]:
    return [
        [value.title, _chosen(value), " / ".join(value.choices.values()), cite(value.source)]
        for value in file.values.values()
    ]


def _chosen(value: SetValue) -> str:
    if value.value is None:
        return "nog niet gekozen"
    return value.choices.get(str(value.value), f"{value.value} {value.unit}".strip())


def _formulas(file: PathwayFile) -> list[list[str]]:
    return [
        [
            derived.title,
            FUNCTIONS[derived.function].title,
            ", ".join(derived.from_.values()),
            ", ".join(f"{name} {value}" for name, value in derived.settings.items()),
            cite(derived.source),
        ]
        for derived in file.derived.values()
    ]
