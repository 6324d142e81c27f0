"""Static checks of one pathway file: names that exist, sources, needs, alarm rules; then its walks."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol, get_args

import msgspec

from ketenzorg.pathway.checking.appointment import check_appointment
from ketenzorg.pathway.checking.choice import check_choice
from ketenzorg.pathway.checking.consent import check_consent, check_withdrawal
from ketenzorg.pathway.checking.identity import check_identity
from ketenzorg.pathway.checking.norms import check_norms
from ketenzorg.pathway.checking.parts import check_parts
from ketenzorg.pathway.checking.questions import CALL, check_questions, length
from ketenzorg.pathway.checking.roles import check_roles
from ketenzorg.pathway.checking.tables import check_tables
from ketenzorg.pathway.checking.telling import check_hearing, check_lengths
from ketenzorg.pathway.checking.walks import check_walks
from ketenzorg.pathway.definition import DataElement, Exit, PathwayFile, Source
from ketenzorg.pathway.findings import Finding, Place, unknown
from ketenzorg.pathway.flatten import BEGIN, STAY, flatten, resolve
from ketenzorg.pathway.known_names import (
    clocks,
    happenings,
    lists_of_steps,
    moves,
    unknown_events,
    unknown_steps,
)
from ketenzorg.pathway.systems import SYSTEMS
from ketenzorg.pathway.words import CANONICAL

SOURCED = frozenset(
    {"national", "own region", "other region"}
)  # statuses that must name a source that can be read
PLACES = frozenset(
    {
        "Patient.telecom", "Patient.communication", "Patient.birthDate", "Patient.gender",
        "Consent.provision", "Consent.dateTime",
    }
)  # fmt: skip
YES_NO = frozenset({"ja", "nee", "onbekend"})
EXITS = frozenset(get_args(Exit)) - {
    "dropped_out",
    "cancelled_by_referrer",
}  # pathway-facts 2.7: for every pathway
OWN_CODES = f"{CANONICAL}/CodeSystem/pathway"  # of fhir_profiles/CodeSystem-pathway.json
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


class Sourced(Protocol):
    """An entry of the file that says where it comes from."""

    @property
    def source(self) -> Source: ...


def check_file(file: PathwayFile) -> list[Finding]:
    """Every mistake in the file. Walks are only looked at when all names exist: else they mean nothing."""
    findings = [
        *_check_head(file),
        *_check_sources(file),
        *check_roles(file),
        *_check_data(file),
        *_check_rules(file),
        *check_consent(file),
        *check_questions(file),
        *check_norms(file),
        *check_lengths(file),
        *_check_needs(file),
        *_check_steps(file),
        *check_identity(file),
        *_check_asides(file),
        *_check_shown(file),
        *_check_variants(file),
        *_check_exits(file),
    ]
    if findings:
        return findings
    steps = flatten(file)
    return [
        *check_tables(file),
        *check_appointment(file, steps),
        *check_parts(file, steps),
        *check_choice(file, steps),
        *check_walks(file, steps),
        *check_hearing(file, steps),
        *check_withdrawal(file, steps),
    ]


def _check_head(file: PathwayFile) -> Iterator[Finding]:
    if not VERSION.fullmatch(file.version):
        yield Finding(("version",), "een versie is als 0.1.0.", "a version looks like 0.1.0.")
    if file.adopted and not (file.adopted_by and file.adopted_on):
        nl = "vastgesteld: noem ook door wie (adopted_by) en wanneer (adopted_on)."
        yield Finding(("adopted",), nl, "adopted: say by whom (adopted_by) and when (adopted_on).")
    if not file.service:
        nl, en = "minstens één code die dit zorgpad kiest.", "at least one code that selects this pathway."
        yield Finding(("service",), nl, en)
    systems = {OWN_CODES, *(name for names in SYSTEMS.values() for name in names)}
    for index, coding in enumerate(file.service):
        if coding.system not in systems:
            yield unknown(("service", index, "system"), "codestelsel", "code system", coding.system, systems)


def _check_sources(file: PathwayFile) -> Iterator[Finding]:
    for place, source in _sources(file):
        if source.key and source.key not in file.sources:
            yield unknown((*place, "key"), "bron", "source", source.key, file.sources)
        elif source.status in SOURCED and not source.key:
            nl = f"‘{source.status}’ noemt een bron uit [sources] (key)."
            yield Finding(place, nl, f"'{source.status}' names a source of [sources] (key).")


def _sources(file: PathwayFile) -> Iterator[tuple[Place, Source]]:
    tables: dict[str, Sequence[object]] = {
        "alarm": file.alarm, "condition": file.condition, "advice": file.advice, "norm": file.norm,
        "open": file.open, "include": file.include, "exclude": file.exclude, "watch": file.watch,
        "kpi": file.kpi, "identity": file.identity, "variant": file.variant,
    }  # fmt: skip
    for table, items in tables.items():
        for index, item in enumerate(items):
            yield (table, index, "source"), msgspec.structs.asdict(item)["source"]  # type: ignore[arg-type]
    yield from _sources_of_lengths(file)
    for index, decision in enumerate(file.table):
        if decision.source:
            yield ("table", index, "source"), decision.source
        for number, row in enumerate(decision.rows):
            if row.source:
                yield ("table", index, "rows", number, "source"), row.source
    named: dict[str, Mapping[str, Sourced]] = {
        "data": file.data, "counts": file.counts, "derived": file.derived, "values": file.values,
        "urgencies": file.urgencies, "consent": file.consent,
    }  # fmt: skip
    for kind, entries in named.items():
        for name, entry in entries.items():
            yield (kind, name, "source"), entry.source


def _sources_of_lengths(file: PathwayFile) -> Iterator[tuple[Place, Source]]:
    """Of the lengths that stand beside that of a norm or control itself."""
    for index, norm in enumerate(file.norm):
        if norm.share:
            yield ("norm", index, "share", "source"), norm.share.source
    for place, clock in clocks(file):
        if clock.remind:
            yield (*place, "remind", "source"), clock.remind.source
        for number, later in enumerate(clock.then):
            yield (*place, "then", number, "source"), later.source


def _check_data(file: PathwayFile) -> Iterator[Finding]:
    for name, element in file.data.items():
        for place in element.places:
            if place not in PLACES:
                yield unknown(("data", name, "places"), "plaats", "place", place, PLACES)
        if (element.type == "code") != bool(element.codes):
            nl, en = (
                "codes horen bij type = ‘code’, en alleen daar.",
                "codes go with type = 'code', only there.",
            )
            yield Finding(("data", name, "codes"), nl, en)


def _check_rules(file: PathwayFile) -> Iterator[Finding]:
    if not file.alarm:
        nl, en = "geen alarmregel; elk zorgpad heeft er een.", "no alarm rule; every pathway has one."
        yield Finding(("alarm",), nl, en)
    for index, rule in enumerate(file.alarm):
        if CALL not in rule.say.lower():
            nl, en = "een alarmregel zegt ‘bel nu’.", "an alarm rule says 'bel nu'."
            yield Finding(("alarm", index, "say"), nl, en)
    answers: list[tuple[Place, dict[str, str]]] = [
        *((("alarm", index, "unless"), rule.unless) for index, rule in enumerate(file.alarm)),
        *((("condition", index, "unless"), rule.unless) for index, rule in enumerate(file.condition)),
        *((("advice", index, "when"), advice.when) for index, advice in enumerate(file.advice)),
    ]
    for place, wanted in answers:
        if not wanted:
            yield Finding(place, "noem minstens één antwoord.", "name at least one answer.")
        for name, answer in wanted.items():
            yield from _check_answer((*place, name), file.data, name, answer)


def _check_answer(place: Place, data: dict[str, DataElement], name: str, answer: str) -> Iterator[Finding]:
    element = data.get(name)
    if element is None:
        yield unknown(place, "vraag", "data element", name, data)
        return
    known = YES_NO if element.type == "ja-nee" else frozenset(element.codes)
    if answer not in known:
        yield unknown(place, "antwoord", "answer", answer, known)


def _check_needs(file: PathwayFile) -> Iterator[Finding]:
    for name, need in file.needs.items():
        for code in need.codes:
            if code not in file.codes:
                yield unknown(("needs", name, "codes"), "code", "code", code, file.codes)
        for code in need.capability:
            if code not in need.codes:
                yield unknown(("needs", name, "capability", code), "code", "code", code, need.codes)
        if need.goes_to in ("reden", "gebeurtenis") and not need.codes:
            # Reasons are coded, and the event log holds codes only, never what somebody typed about a person.
            nl = f"‘{need.goes_to}’ vraagt om codes; vrije tekst gaat naar ‘uitkomst’."
            yield Finding(("needs", name), nl, f"'{need.goes_to}' takes codes; free text goes to 'uitkomst'.")
    for place, move in happenings(file):
        for name in (*move.needs, *move.may):
            if name not in file.needs:
                yield unknown((*place, "needs"), "behoefte", "need", name, file.needs)
        if move.reason and move.reason not in file.codes:
            yield unknown((*place, "reason"), "code", "code", move.reason, file.codes)


def _check_steps(file: PathwayFile) -> Iterator[Finding]:
    if file.begins not in file.steps:
        yield unknown(("begins",), "stap", "step", file.begins, file.steps)
    for group, names in file.groups.items():
        if group in file.steps:
            yield Finding(("groups", group), "is ook een stap.", "is a step as well.")
        yield from unknown_steps(("groups", group), names, file.steps)
    lists = lists_of_steps(file)
    for index, shared in enumerate(file.shared):
        yield from unknown_steps(("shared", index, "steps"), shared.steps, lists)
    for place, move in moves(file):
        if move.to not in (STAY, BEGIN):
            yield from unknown_steps((*place, "to"), [move.to], file.steps)
        for name in [*move.when, *([move.count] if move.count else [])]:
            if name not in file.counts:
                yield unknown((*place, "count"), "teller", "count", name, file.counts)
    for name, step in file.steps.items():
        if step.ends is None and step.task is None:
            nl, en = "een stap die niet eindigt heeft een Task.status.", "a running step has a Task.status."
            yield Finding(("steps", name, "task"), nl, en)
    yield from _check_sides(file, lists)


def _check_sides(file: PathwayFile, lists: Iterable[str]) -> Iterator[Finding]:
    names = [side.name for side in file.side]
    for index, side in enumerate(file.side):
        yield from unknown_steps(("side", index, "over"), side.over, lists)
        for name in resolve(side.over, file):
            if file.steps[name].ends:
                nl, en = f"ligt over een einde, ‘{name}’.", f"lies over an end, '{name}'."
                yield Finding(("side", index, "over"), nl, en)
        if side.clock == "staat stil" and not any(side.enter.event in norm.from_ for norm in file.norm):
            nl = (
                f"de klok staat stil: geef een norm vanaf ‘{side.enter.event}’, zodat hij niet blijft liggen."
            )
            en = (
                f"the clock stands still: give a norm from '{side.enter.event}', so that it is not forgotten."
            )
            yield Finding(("side", index, "clock"), nl, en)
        if side.name in names[:index]:
            place: Place = ("side", index, "name")
            yield Finding(place, f"‘{side.name}’ staat er al.", f"'{side.name}' is there already.")


def _check_asides(file: PathwayFile) -> Iterator[Finding]:
    """What opens and closes a question beside the hand-over are events of this pathway."""
    for name, aside in file.asides.items():
        for element, event in (("asks", aside.asks), ("yes", aside.yes), ("no", aside.no)):
            yield from unknown_events(("asides", name, element), [event] if event else [], file)


def _check_shown(file: PathwayFile) -> Iterator[Finding]:
    """What is there for people: measures of the chain team, what is open, when it is looked at again."""
    for index, kpi in enumerate(file.kpi):
        yield from unknown_events(("kpi", index, "part"), kpi.part, file)
        yield from unknown_events(("kpi", index, "whole"), kpi.whole, file)
    for index, question in enumerate(file.open):
        for name in question.values:
            if name not in file.values:
                yield unknown(("open", index, "values"), "waarde", "value", name, file.values)
    if file.review:
        yield from length(("review", "every"), file.review.every)


def _check_variants(file: PathwayFile) -> Iterator[Finding]:
    norms = [norm.name for norm in file.norm]
    for index, variant in enumerate(file.variant):
        place: Place = ("variant", index)
        if not re.fullmatch(r"GM[0-9]{4}", variant.municipality):
            nl, en = "een gemeente is als GM0014.", "a municipality is like GM0014."
            yield Finding((*place, "municipality"), nl, en)
        tables: dict[str, tuple[Iterable[str], Iterable[str]]] = {
            "values": (variant.values, file.values), "norm": (variant.norm, norms),
            "limits": (variant.limits, file.counts), "kinds": (variant.kinds, file.roles),
        }  # fmt: skip
        for key, (names, known) in tables.items():
            for name in names:
                if name not in known:
                    yield unknown((*place, key, name), "naam", "name", name, known)
        for name, text in variant.norm.items():
            yield from length((*place, "norm", name), text)


def _check_exits(file: PathwayFile) -> Iterator[Finding]:
    """Every exit of the common machine is there, or the file says why it cannot happen."""
    there = {step.ends for step in file.steps.values() if step.ends}
    there |= {row.then.exit for table in file.table for row in table.rows if row.then.exit}
    for name in sorted(EXITS - there - set(file.no_exit)):
        nl = f"het einde ‘{name}’ ontbreekt; neem het op, of zeg in no_exit waarom het hier niet kan."
        yield Finding(("no_exit",), nl, f"the exit '{name}' is missing; add it, or say why in no_exit.")
    for name in file.no_exit:
        if name not in EXITS or name in there:
            yield unknown(("no_exit", name), "einde", "exit", name, EXITS - there)
