"""A pathway as text and as diagram, for people who decide about it; all of it comes from the file."""

import re

from ketenzorg.pathway.calendar import day_in_words
from ketenzorg.pathway.definition import DataElement, Handover, Move, Source
from ketenzorg.pathway.document import Part, as_markdown, bullets, table
from ketenzorg.pathway.flatten import Step
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.plan_definition import cite, share_of_all, who_hears
from ketenzorg.pathway.running import norms_running
from ketenzorg.pathway.show_rules import show_rules
from ketenzorg.pathway.words import EXPLICIT

TOLD = (
    "Wie aan zet is, hoort altijd dat een termijn voorbij is. Onder ‘bericht’ staat wie nog meer, en wanneer."
)
NOT_ADOPTED = "Niet vastgesteld door een zorginhoudelijk eigenaar."


def show(pathway: Pathway) -> str:
    """The whole pathway in Markdown tables: what is asked, who does what before when, and on what ground."""
    file = pathway.file
    head = (
        f"# {file.title}, versie {file.version}\n\n**{adoption(pathway)}**\nEigenaar: {file.owner}."
        f" {regie(pathway)}{review(pathway)}\n\n{file.purpose}"
    )
    return "\n\n".join([head, *map(as_markdown, document(pathway))]) + "\n"


def adoption(pathway: Pathway) -> str:
    """Whether a clinical owner stands for the content."""
    file = pathway.file
    return f"Vastgesteld door {file.adopted_by} op {file.adopted_on}." if file.adopted else NOT_ADOPTED


def document(pathway: Pathway) -> list[Part]:
    """Every part that has something to say, in the order in which a clinician reads it."""
    file = pathway.file
    parts = [
        bullets("Voor wie", [f"{item.say} ({cite(item.source)})" for item in file.include]),
        bullets("Niet voor", [f"{item.say} ({cite(item.source)})" for item in file.exclude]),
        _alarms(pathway),
        table(
            "Wat wordt gevraagd", ["vraag", "antwoord", "moet", "wie ziet het", "bron"], _questions(pathway)
        ),
        *show_rules(file),
        bullets("Advies", [f"{item.say} ({cite(item.source)})" for item in file.advice]),
        table("Normen", ["norm", "van", "tot", "uiterlijk", "bericht", "bron"], _norms(pathway), TOLD),
        table("Controles", ["controle", "in", "na", "hoe vaak", "bericht", "bron"], _controls(pathway), TOLD),
        table("Tellers", ["wat", "grens", "bron"], _counts(pathway)),
        table("Stappen", ["stap", "aan zet", "Task.status", "norm", "wat kan gebeuren"], _steps(pathway)),
        table("Zijstappen", ["zijstap", "over", "begint met", "eindigt met", "aan zet"], _sides(pathway)),
        table("Einden", ["einde", "reden", "na", "bericht aan"], _ends(pathway)),
        table(
            "Overdrachten", ["overdracht", "wie vraagt", "wie voert uit", "te kiezen"], _handovers(pathway)
        ),
        table("Wie ziet wat", ["rol", "ziet", "BSN", "toestemming"], _views(pathway)),
        bullets("Wat van de patiënt bekend is", [_said(each.say, each.source) for each in file.identity]),
        bullets(
            "Per gemeente anders",
            [_said(f"{each.municipality}: {each.say}", each.source) for each in file.variant],
        ),
        bullets(
            "Waar het ketenteam op let", [_said(f"{each.name}: {each.say}", each.source) for each in file.kpi]
        ),
        bullets("Nog open", [f"{item.ask} Nu: {item.default}. ({cite(item.source)})" for item in file.open]),
        bullets("Bronnen", [f"{key}: {text}" for key, text in file.sources.items()]),
    ]
    return [part for part in parts if not part.is_empty]


def mermaid(pathway: Pathway) -> str:
    """The steps as a Mermaid state diagram; side steps and exits that hold for all stand in the tables."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for name, step in pathway.file.steps.items():
        for move in pathway.steps[name].moves:
            after = pathway.steps[move.to]
            if not after.side and (not after.ends or move.default or move in step.next):
                arrows.setdefault((name, move.to), []).append(move.event)
    drawn = dict.fromkeys(name for arrow in arrows for name in arrow)
    ids = {name: re.sub(r"\W+", "_", name) for name in drawn}
    return "\n".join(
        [
            "stateDiagram-v2",
            *(f'  state "{pathway.steps[name].title}" as {ids[name]}' for name in drawn),
            f"  [*] --> {ids[pathway.file.begins]}: {pathway.file.begins_with}",
            *(
                f"  {ids[begin]} --> {ids[end]}: {', '.join(dict.fromkeys(events))}"
                for (begin, end), events in arrows.items()
            ),
            *(f"  {ids[name]} --> [*]" for name in drawn if pathway.steps[name].ends),
        ]
    )


def _alarms(pathway: Pathway) -> Part:
    rules = pathway.file.alarm + pathway.file.condition
    lines = [
        f"{' '.join(pathway.file.data[name].ask for name in rule.unless)} "
        f"Anders dan ‘{', '.join(rule.unless.values())}’: "
        f"{' '.join(part for part in (rule.first_aid, rule.say) if part)} ({cite(rule.source)})"
        for rule in rules
    ]
    return bullets("Alarmsymptomen en voorwaarden: anders wordt er niets verstuurd", lines)


def _questions(pathway: Pathway) -> list[list[str]]:
    return [
        [
            element.ask,
            " / ".join(element.codes.values()) or _kind(element),
            element.need,
            ", ".join(element.for_) or "alleen de verwijzer",
            cite(element.source),
        ]
        for element in pathway.file.data.values()
    ]


def _kind(element: DataElement) -> str:
    parts = [element.type, element.unit, f"hoogstens {element.max_age} oud" if element.max_age else ""]
    return ", ".join(part for part in (*parts, "reeks" if element.series else "", *element.coded_as) if part)


def _said(text: str, source: Source) -> str:
    return f"{text} ({cite(source)})"


def regie(pathway: Pathway) -> str:
    """Who hears of every end, and whether there may be nobody."""
    file = pathway.file
    if not file.regie:
        return "Regie: niet vastgelegd."
    return f"Regie: {file.roles[file.regie].title}{f' ({file.no_regie})' if file.no_regie else ''}."


def review(pathway: Pathway) -> str:
    """When the content is looked at again."""
    next_ = pathway.file.review
    return (
        f" Opnieuw bekijken: {day_in_words(next_.on)}, elke {next_.every}, door {next_.by}." if next_ else ""
    )


def _controls(pathway: Pathway) -> list[list[str]]:
    return [
        [
            watch.name,
            ", ".join(watch.over),
            " of ".join((*watch.from_, *watch.to)),
            f"{watch.every}; niet bekend: {watch.if_unknown}" if watch.if_unknown else watch.every,
            who_hears(watch),
            cite(watch.source),
        ]
        for watch in pathway.file.watch
    ]


def _handovers(pathway: Pathway) -> list[list[str]]:
    return [[each.title, each.from_, each.to, _choice(each)] for each in pathway.file.handovers.values()]


def _choice(handover: Handover) -> str:
    if handover.choice is None:
        return ""
    return f"{', '.join(handover.choice.how)} ({cite(handover.choice.source)})"


def _norms(pathway: Pathway) -> list[list[str]]:
    return [
        [
            norm.name,
            " of ".join(norm.from_),
            " of ".join(norm.to),
            norm.max + share_of_all(norm) + (f" ({', '.join(norm.urgency)})" if norm.urgency else ""),
            who_hears(norm),
            cite(norm.source),
        ]
        for norm in pathway.file.norm
    ]


def _counts(pathway: Pathway) -> list[list[str]]:
    return [[count.title, str(count.limit), cite(count.source)] for count in pathway.file.counts.values()]


def _steps(pathway: Pathway) -> list[list[str]]:
    running = norms_running(pathway.file, pathway.steps)
    return [
        [
            step.title,
            step.owner,
            step.task,
            ", ".join(sorted(running[step.name].may)) or f"geen: {step.no_norm}",
            "; ".join(_happens(step, pathway)),
        ]
        for step in pathway.steps.values()
        if not (step.side or step.ends)
    ]


def _happens(step: Step, pathway: Pathway) -> list[str]:
    """What keeps the traject going; ends and side steps have tables of their own."""
    return [
        f"{_counted(move, pathway)} (blijft)"
        if move.to == step.name
        else f"{_counted(move, pathway)} → {pathway.steps[move.to].title}"
        for move in step.moves
        if not (pathway.steps[move.to].ends or pathway.steps[move.to].side)
    ]


def _counted(move: Move, pathway: Pathway) -> str:
    """The event, with the limit on which its way depends."""
    limits = [f"{name} {wanted} van {pathway.file.counts[name].limit}" for name, wanted in move.when.items()]
    return f"{move.event} ({', '.join(limits)})" if limits else move.event


def _sides(pathway: Pathway) -> list[list[str]]:
    return [
        [
            side.name,
            ", ".join(side.over),
            f"{side.enter.event} ({', '.join(side.enter.by)})",
            f"{side.leave.event} ({', '.join(side.leave.by)})",
            side.owner,
        ]
        for side in pathway.file.side
    ]


def _ends(pathway: Pathway) -> list[list[str]]:
    rows = []
    for end in pathway.steps.values():
        if end.ends:
            moves = [move for step in pathway.steps.values() for move in step.moves if move.to == end.name]
            after = dict.fromkeys(f"{move.event} ({', '.join(move.by)})" for move in moves)
            told = dict.fromkeys(role for move in moves for role in move.tell)
            rows.append([end.title, end.ends, "; ".join(after), ", ".join(told)])
    return rows


def _views(pathway: Pathway) -> list[list[str]]:
    views = pathway.file.views
    return [
        [
            role.title,
            ", ".join(views[role.sees].shows) if role.sees in views else role.sees,
            "nee" if role.sees in views and not views[role.sees].bsn else "ja",
            f"{role.consent} ({cite(pathway.file.consent[name].source)})"
            if role.consent == EXPLICIT
            else role.consent,
        ]
        for name, role in pathway.file.roles.items()
    ]
