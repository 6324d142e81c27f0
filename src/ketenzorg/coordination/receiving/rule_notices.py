"""What the rules of a pathway say of the data: alarms, urgency, outcomes, advice, and what is missing."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from ketenzorg.coordination.receiving.notice import Notice, answer_path, cite, cite_nl, told
from ketenzorg.errors import Issue
from ketenzorg.pathway.criteria import Screening
from ketenzorg.pathway.deciding import Hit


def alarms(screening: Screening) -> list[Notice]:
    """Nothing holds back what is stored, and somebody must phone all the same."""
    return [
        Issue(
            nl=f"{stop.first_aid} {stop.say}".strip(),
            en=f"By rule '{stop.rule}' ({cite(stop.source)}): '{f'{stop.first_aid} {stop.say}'.strip()}'",
            expression=tuple(answer_path(element) for element in stop.elements),
            code="business-rule",
            kind="alarm",
            severity="error",
        )
        for stop in screening.blocked
        if stop.alarm
    ]


def urgency(screening: Screening) -> list[Notice]:
    """How soon it must be, and by which rule."""
    soon = screening.urgency
    if soon is None:
        return []
    nl, en = ruled(soon.rule, screening, lambda hit: hit.then.urgency == soon.name)
    return [
        told(
            f"Urgentie: {soon.title}.{nl}", f"Urgency: '{soon.name}' ({soon.priority}).{en}", "Task.priority"
        )
    ]


def classified(screening: Screening, before: Mapping[str, str] = {}) -> list[Notice]:
    """What formulas and tables came to, where that is new; what cannot be told is asked for further on."""
    return [
        told(f"Uitkomst ‘{name}’: {outcome}.", f"Outcome of '{name}': '{outcome}'.")
        for name, outcome in screening.values
        if outcome and outcome != "niet te bepalen" and before.get(name) != outcome
    ]


def advice_of(screening: Screening) -> list[Notice]:
    """What the rules advise, each with its source."""
    return [
        told(
            f"Advies ({advice.rule}; {cite_nl(advice.source)}): {advice.text}",
            f"Advice (rule '{advice.rule}', {cite(advice.source)}): '{advice.text}'",
        )
        for advice in screening.advice
    ]


def unusable_of(screening: Screening) -> list[Notice]:
    """What was given and could not be used, by its reason."""
    return warned(doubt for missing in screening.missing for doubt in missing.why)


def warned(doubts: Iterable[Issue]) -> list[Notice]:
    """Doubts about what was given, where they hold nothing back."""
    return [msgspec.structs.replace(unusable(doubt), severity="warning") for doubt in doubts]


def unusable(doubt: Issue) -> Issue:
    """A doubt about an answer, which names its question, as the sender reads it."""
    named = ", ".join(doubt.expression)
    return msgspec.structs.replace(
        doubt,
        nl=f"{named}: {doubt.nl}",
        en=f"{named}: {doubt.en}",
        expression=tuple(answer_path(element) for element in doubt.expression),
    )


def asked_for(screening: Screening, unreadable: Iterable[Issue] = ()) -> list[Notice]:
    """What nobody answered; what could not be read was answered."""
    answered = {name for issue in unreadable for name in issue.expression}
    return [
        Issue(
            nl=f"Nog niet ingevuld: {missing.ask}",
            en=f"Not answered yet, linkId '{missing.element}': {missing.ask}",
            expression=(answer_path(missing.element),),
            code="incomplete",
            severity="warning",
        )
        for missing in screening.missing
        if not missing.why and missing.element not in answered
    ]


def ruled(table: str, screening: Screening, says: Callable[[Hit], bool]) -> tuple[str, str]:
    """Which row said it, on what grounds, and where that comes from."""
    hit = next(each for each in screening.explained if each.table == table and says(each))
    because = ", ".join(f"{name} {cell}" for name, cell in hit.because)
    return (
        f" Tabel ‘{table}’, rij {hit.row} ({because or 'altijd'}; bron: {cite_nl(hit.source)}).",
        f" Table '{table}', row {hit.row} ({because or 'always'}; source: {cite(hit.source)}).",
    )
