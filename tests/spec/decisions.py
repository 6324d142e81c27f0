"""Looks up a decision table for each row of a Markdown table (README.md says how), one row at a time."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

from ketenzorg.pathway import deciding
from ketenzorg.pathway.answered import Code, Day, Quantity, Text, Value, YesNo
from ketenzorg.pathway.checking.questions import grounds
from ketenzorg.pathway.criteria import screen
from ketenzorg.pathway.facts import Choice, Number
from ketenzorg.pathway.functions.function import Fact
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.measured import by_name
from ketenzorg.pathway.questions import Then
from spec.walks import DAY_0, as_table, cells

OUTCOME, UNKNOWN, AS_FILE = "uitkomst", "onbekend", "-"
NO_ROW, CANNOT_TELL, FREE = "geen rij", "nog niet te zeggen", "vrij"
_WORDS = 6


def decided(pathway: Pathway, name: str, expected: str) -> str:
    """What the table, or the rule, of this name says to each line."""
    head, _, *lines = expected.splitlines()
    columns = cells(head)[:-1]
    assert cells(head)[-1] == OUTCOME, f"the last column is ‘{OUTCOME}’"
    rows = []
    for line in lines:
        said = cells(line)[: len(columns)]
        rows.append([*said, _outcome(pathway, name, dict(zip(columns, said, strict=True)))])
    return as_table([*columns, OUTCOME], rows)


def _outcome(pathway: Pathway, name: str, said: Mapping[str, str]) -> str:
    if any(table.name == name for table in pathway.file.table):
        return _of_table(pathway, name, said)
    return _of_rule(pathway, name, said)


def _of_table(pathway: Pathway, name: str, said: Mapping[str, str]) -> str:
    pinned = {column: _fact(pathway, column, text) for column, text in said.items() if text != AS_FILE}
    facts = {key: fact for key, fact in pinned.items() if fact is not None}
    answers = {
        key: answer
        for key, text in said.items()
        if (answer := _answer(pathway, key, text)) is not None and text != AS_FILE
    }
    data = by_name(pathway.rules.asked, answers, DAY_0)
    found = deciding.decide(pathway.rules, data, DAY_0, facts)
    table = next(table for table in pathway.file.table if table.name == name)
    hits = [hit for hit in found.hits if hit.table == name]
    parts = [part for hit in hits for part in _short(hit.then)]
    if table.hit == "kortste":
        return found.lengths.get(name, UNKNOWN)
    if table.codes:
        fact = found.facts[name]
        parts.insert(0, (fact.exact if isinstance(fact, Choice) else None) or UNKNOWN)
    if not parts:
        return CANNOT_TELL if name in found.open else NO_ROW
    return "; ".join(dict.fromkeys(parts))


def _of_rule(pathway: Pathway, name: str, said: Mapping[str, str]) -> str:
    answers = {
        key: answer for key, text in said.items() if (answer := _answer(pathway, key, text)) is not None
    }
    screening = screen(pathway, answers, DAY_0)
    rules = [*pathway.file.alarm, *pathway.file.condition, *pathway.file.advice]
    assert any(rule.name == name for rule in rules), f"no table or rule ‘{name}’"
    parts = [
        f"{'alarm' if stop.alarm else 'stop'}: {_begin(stop.say)}"
        for stop in screening.blocked
        if stop.rule == name
    ]
    parts += [_begin(advice.text) for advice in screening.advice if advice.rule == name]
    return "; ".join(parts) or FREE


def _short(then: Then) -> list[str]:
    parts = {
        "alarm: ": _begin(then.alarm),
        "stop: ": _begin(then.stop),
        "naar ": then.to,
        "": then.urgency,
        "meldt ": then.event,
    }
    said = [f"{word}{text}" for word, text in parts.items() if text]
    said += [_begin(then.advice)] if then.advice else []
    return [*said, *(f"vraagt {name}" for name in then.ask)]


def _begin(sentence: str) -> str:
    words = sentence.split()
    return " ".join(words[:_WORDS]) + (" …" if len(words) > _WORDS else "")


def _fact(pathway: Pathway, column: str, text: str) -> Fact | None:
    """The cell as a fact; none for what is not a fact by itself (a date), which is then answered."""
    ground = grounds(pathway.file).get(column)
    element = pathway.file.data.get(column)
    if ground is None:
        assert element is not None, f"‘{column}’ is nothing in this pathway"
        return None
    if ground.codes:
        assert text in {*ground.codes, UNKNOWN}, f"{column}: ‘{text}’ is none of {sorted(ground.codes)}"
        return Choice(tuple(ground.codes), (column,)) if text == UNKNOWN else Choice.of(text)
    if text == UNKNOWN:
        return Number(ground.low, ground.high, ground.unit, (column,))
    return Number.of(text.replace(",", "."), ground.unit)


def _answer(pathway: Pathway, column: str, text: str) -> Value | None:
    """The cell as an answer of the referral, for what is asked."""
    element = pathway.file.data.get(column)
    if element is None or text in (AS_FILE, ""):
        return None
    if text == UNKNOWN and element.type != "ja-nee":
        return None
    if element.type == "getal":
        return Quantity(Decimal(text.replace(",", ".")), element.unit, DAY_0.date().isoformat())
    assert element.type != "ja-nee" or text in ("ja", "nee", UNKNOWN), f"{column}: {text}"
    kinds: dict[str, Callable[[str], Value]] = {
        "ja-nee": YesNo,  # type: ignore[dict-item]
        "datum": lambda day: Day(date.fromisoformat(day)),
        "code": Code,
        "tekst": Text,
    }
    return kinds[element.type](text)
