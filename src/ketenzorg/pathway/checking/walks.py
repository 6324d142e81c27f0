"""Checks on every walk through the flat steps: never stuck, never silent, Task.status legal, a norm runs."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from operator import attrgetter

from ketenzorg.pathway import handover
from ketenzorg.pathway.definition import STATUSES_WITH_REASON, Move, PathwayFile
from ketenzorg.pathway.findings import Finding, Place
from ketenzorg.pathway.flatten import Step
from ketenzorg.pathway.running import beginnings, norms_running

# Death, a mistake and the patient's own no: then the requester's word ends a Task that has started.
_FACTS = frozenset({"deceased", "entered_in_error", "declined_by_patient"})
_NOT_ACCEPTED = frozenset({"requested", "received"})
_NOT_STARTED = _NOT_ACCEPTED | {"accepted"}
_STARTED = frozenset({"in-progress"})
Steps = Mapping[str, Step]


def check_walks(file: PathwayFile, steps: Steps) -> list[Finding]:
    """Every mistake that only shows when the steps are walked; each is said once, at the step underneath."""
    found = [
        *_unreachable(file, steps),
        *_stuck(steps),
        *_left_waiting(steps),
        *_side_steps(file, steps),
        *_first_task(file, steps),
        *_tasks(file, steps),
        *_silent(file, steps),
        *_reasons(file, steps),
        *_ambiguous(file, steps),
        *_same_event(file, steps),
        *_emergencies(file, steps),
        *_norms(file, steps),
    ]
    return list(dict.fromkeys(found))


def _place(step: Step) -> Place:
    return ("steps", step.main)


def _unreachable(file: PathwayFile, steps: Steps) -> Iterator[Finding]:
    reached = _reached(beginnings(file), lambda name: [move.to for move in steps[name].moves])
    for step in steps.values():
        if step.name not in reached:
            yield Finding(
                _place(step), f"‘{step.name}’ wordt nooit bereikt.", f"'{step.name}' is never reached."
            )


def _reached(start: Iterable[str], following: Callable[[str], Iterable[str]]) -> set[str]:
    seen = set(start)
    todo = deque(seen)
    while todo:
        for node in following(todo.popleft()):
            if node not in seen:
                seen.add(node)
                todo.append(node)
    return seen


def _stuck(steps: Steps) -> Iterator[Finding]:
    """From every step that does not end, an end can be reached."""
    free = before({name for name, step in steps.items() if step.ends}, steps)
    for step in steps.values():
        if step.name not in free:
            nl, en = f"‘{step.name}’ heeft geen uitgang.", f"'{step.name}' has no way out."
            yield Finding(_place(step), nl, en)


def _left_waiting(steps: Steps) -> Iterator[Finding]:
    """When nobody answers, an end is still within reach of one party alone.

    Of the requester as long as the performer has not accepted; of the performer once the work is theirs.
    """
    ends = {name for name, step in steps.items() if step.ends}
    alone = {part: before(ends, steps, part) for part in ("requester", "owner")}
    for step in steps.values():
        waits_for = "requester" if step.task in _NOT_ACCEPTED else "owner"
        if not step.ends and step.name not in alone[waits_for]:
            role = step.requester if waits_for == "requester" else step.performer
            nl = f"uit ‘{step.name}’ komt {role} niet alleen: geef een uitgang voor als niemand antwoordt."
            en = f"{role} alone finds no way out of '{step.name}': give an exit for when nobody answers."
            yield Finding(_place(step), nl, en)


def _side_steps(file: PathwayFile, steps: Steps) -> Iterator[Finding]:
    """Work that is asked of another can be asked about, and can wait with a reason."""
    asked = {step.main for step in steps.values() if not step.ends and step.requester != step.performer}
    by_side: dict[str, set[str]] = {}
    for step in steps.values():
        by_side.setdefault(step.side, set()).add(step.main)
    questions = {side.name for side in file.side if side.keeps == "alles" and not side.enter.emergency}
    pauses = {side.name for side in file.side if side.clock == "staat stil" or side.task == "on-hold"}
    for names, tasks, nl, en in (
        (
            questions,
            _NOT_STARTED,
            "waarin de uitvoerder iets vraagt",
            "in which the performer asks something",
        ),
        (pauses, _STARTED, "waarin het werk wacht", "in which the work waits"),
    ):
        covered = set().union(*(by_side.get(name, set()) for name in names)) if names else set()
        wanting = [
            name for name in steps if name in asked and not steps[name].side and steps[name].task in tasks
        ]
        for name in wanting:
            if name not in covered:
                yield Finding(
                    ("steps", name),
                    f"over ‘{name}’ ligt geen zijstap {nl}.",
                    f"no side step {en} lies over '{name}'.",
                )


def before(wanted: set[str], steps: Steps, by: str = "") -> set[str]:
    """The steps from which one of these can be reached; with `by`, by the word of that part alone."""
    earlier: dict[str, list[str]] = {}
    for step in steps.values():
        roles = {"requester": step.requester, "owner": step.performer}
        for move in step.moves:
            if not by or roles[by] in move.by:
                earlier.setdefault(move.to, []).append(step.name)
    return _reached(wanted, lambda name: earlier.get(name, []))


def _first_task(file: PathwayFile, steps: Steps) -> Iterator[Finding]:
    for name in beginnings(file):
        one_house = steps[name].requester == steps[name].performer  # nobody has to accept its own work
        if steps[name].task not in (handover.OWN_FIRST if one_house else handover.FIRST_STATUSES):
            nl, en = (
                "de eerste stap heeft Task.status requested.",
                "the first step has Task.status requested.",
            )
            yield Finding((*_place(steps[name]), "task"), nl, en)


def _tasks(file: PathwayFile, steps: Steps) -> Iterator[Finding]:
    for step, move, after in _taken(steps):
        if not move.task:
            nl = f"‘{move.event}’ naar ‘{move.to}’: welke Task.status?"
            yield Finding(_place(step), nl, f"'{move.event}' to '{move.to}': which Task.status?")
        elif not after.ends and move.task != after.task:
            nl = f"‘{move.event}’ geeft {move.task}, maar ‘{move.to}’ heeft {after.task}."
            en = f"'{move.event}' gives {move.task}, but '{move.to}' has {after.task}."
            yield Finding(_place(step), nl, en)
        elif move.new_task:
            yield from _new_round(step, move, after)
        elif not after.ends and after.handover != step.handover:
            nl = f"‘{move.event}’ gaat naar een andere overdracht: new_task = true, en closes."
            yield Finding(
                _place(step), nl, f"'{move.event}' goes to another hand-over: new_task, and closes."
            )
        elif after.ends and move.task not in handover.FINAL_STATUSES:
            nl = f"‘{move.event}’ beëindigt het traject, maar Task.status {move.task} niet de taak."
            en = f"'{move.event}' ends the traject, but Task.status {move.task} does not end the Task."
            yield Finding(_place(step), nl, en)
        else:
            yield from _handed_over(step, move, after)


def _new_round(step: Step, move: Move, after: Step) -> Iterator[Finding]:
    """After an end, or from a running step with how its Task ends."""
    one_house = after.requester == after.performer
    first = handover.OWN_FIRST if one_house else handover.FIRST_STATUSES
    if move.task not in first or bool(step.ends) == bool(move.closes):
        nl = f"‘{move.event}’: een nieuwe taak begint met requested, na een einde of met closes."
        en = f"'{move.event}': a new Task begins as requested, after an end or with closes."
        yield Finding(_place(step), nl, en)
    elif move.closes and move.closes not in handover.FINAL_STATUSES:
        nl, en = (
            f"‘{move.event}’: {move.closes} beëindigt geen taak.",
            f"'{move.event}': {move.closes} ends no Task.",
        )
        yield Finding(_place(step), nl, en)
    elif move.closes:
        yield from _changed(step, move, move.closes)


def _handed_over(step: Step, move: Move, after: Step) -> Iterator[Finding]:
    # Whoever hears of a death, a mistake or an emergency says so.
    anybody = after.ends in _FACTS or (move.emergency and not after.ends)
    yield from _changed(step, move, move.task or "", anybody=anybody)


def _changed(step: Step, move: Move, status: str, *, anybody: bool = False) -> Iterator[Finding]:
    """The change of Task.status is legal, and up to whoever says so."""
    before = step.task
    if not handover.legal(before, status):
        nl = f"‘{move.event}’: Task.status gaat niet van {before} naar {status}."
        en = f"'{move.event}': Task.status does not go from {before} to {status}."
        yield Finding(_place(step), nl, en)
        return
    for role in [] if anybody else move.by:
        if not any(handover.may(before, status, part) for part in parts_of(step, role)):
            nl = f"‘{move.event}’: {role} mag Task.status niet van {before} naar {status} brengen."
            en = f"'{move.event}': {role} may not take Task.status from {before} to {status}."
            yield Finding(_place(step), nl, en)


def parts_of(step: Step, role: str) -> list[str]:
    """What a role is in the hand-over of a step; "" for who is neither."""
    parts = [
        part for part, name in (("requester", step.requester), ("owner", step.performer)) if name == role
    ]
    return parts or [""]


def _silent(file: PathwayFile, steps: Steps) -> Iterator[Finding]:
    """An end, and an emergency, is told to the requester and to the step's owner, by whoever says it."""
    first = steps[file.begins].requester
    for step, move, after in _taken(steps):
        held = {first, step.requester, steps[step.main].owner, *([file.regie] if file.regie else [])}
        untold = held - set(move.tell)
        quiet = any(untold - {role} for role in move.by)
        if quiet and (after.ends or move.emergency):
            nl = f"‘{move.event}’ eindigt stil: bericht ook {', '.join(sorted(untold))} (tell)."
            en = f"'{move.event}' ends silently: tell {', '.join(sorted(untold))} too."
            yield Finding(_place(step), nl, en)


def _reasons(file: PathwayFile, steps: Steps) -> Iterator[Finding]:
    """Task.statusReason is coded where FHIR's neighbours require it, and absent elsewhere."""
    for step, move, _ in _taken(steps):
        given = bool(move.reason) + sum(file.needs[name].goes_to == "reden" for name in move.needs)
        status = move.closes or move.task
        wanted = status in STATUSES_WITH_REASON and status != step.task
        if given != wanted:
            nl = f"‘{move.event}’ naar {status}: {'precies één' if wanted else 'geen'} reden."
            en = f"'{move.event}' to {status}: {'exactly one' if wanted else 'no'} reason."
            yield Finding(_place(step), nl, en)


def _ambiguous(file: PathwayFile, steps: Steps) -> Iterator[Finding]:
    """Who only writes Task.status means one event, or there is one default."""
    for step in steps.values():
        for role in file.roles:
            for known, options in _open_to(role, step, partial(_meant_by_status, step)).items():
                if len(options) > 1 and sum(move.default for move in options) != 1:
                    events = ", ".join(move.event for move in options)
                    nl = f"Task.status {known} door {role} kan zijn: {events}; geef er één default = true."
                    en = f"Task.status {known} by {role} may be: {events}; give one default = true."
                    yield Finding(_place(step), nl, en)


def _same_event(file: PathwayFile, steps: Steps) -> Iterator[Finding]:
    """One event by one role leads one way, or the two ways part at one limit."""
    for step in steps.values():
        for role in file.roles:
            for event, options in _open_to(role, step, attrgetter("event")).items():
                if not _one_way(options):
                    nl = f"‘{event}’ door {role} wijst meer dan één weg, of niet altijd een."
                    en = f"'{event}' by {role} leads more than one way, or not always one."
                    yield Finding(_place(step), nl, en)


def _open_to(role: str, step: Step, said: Callable[[Move], str]) -> dict[str, list[Move]]:
    """What a role may do in a step, by what it says to do it; what it cannot say in this way is left out."""
    found: dict[str, list[Move]] = {}
    for move in step.moves:
        if role in move.by and (words := said(move)):
            found.setdefault(words, []).append(move)
    return found


def _meant_by_status(step: Step, move: Move) -> str:
    """The Task.status by which a party says this, if it can."""
    status = move.closes or move.task or ""
    meant = not (move.emergency or (move.new_task and not move.closes))
    return status if meant and status != step.task else ""


def _one_way(options: list[Move]) -> bool:
    if len(options) == 1:
        return not options[0].when
    sides = [dict(move.when) for move in options]
    names = {tuple(side) for side in sides}
    return (
        len(options) == 2  # noqa: PLR2004  below the limit and on it
        and len(names) == 1
        and len(sides[0]) == 1
        and {next(iter(side.values())) for side in sides} == {"onder grens", "op grens"}
        and len({move.count for move in options}) == 1
    )


def _emergencies(file: PathwayFile, steps: Steps) -> Iterator[Finding]:
    """From every running step an emergency can be recorded, and it asks who was phoned."""
    entered = {side.name for side in file.side if side.enter.emergency}
    for step in steps.values():
        urgent = [move for move in step.moves if move.emergency]
        if not (urgent or step.ends or step.side in entered):
            nl, en = f"geen noodgeval vanuit ‘{step.name}’.", f"no emergency from '{step.name}'."
            yield Finding(_place(step), nl, en)
        for move in urgent:
            if not move.needs:
                nl = f"‘{move.event}’: een mens belt; vraag met wie (needs)."
                yield Finding(_place(step), nl, f"'{move.event}': a person phones; ask with whom (needs).")


def _norms(file: PathwayFile, steps: Steps) -> Iterator[Finding]:
    running = norms_running(file, steps)
    for step in steps.values():
        if step.ends or step.name not in running:
            continue
        bare = running[step.name].none
        if bare and not step.no_norm:
            nl = f"in ‘{step.name}’ loopt niet altijd een norm; geef een norm, of no_norm met de reden."
            en = f"in '{step.name}' not always a norm runs; give a norm, or no_norm with the reason."
            yield Finding(_place(step), nl, en)
        if step.no_norm and not bare and not step.side:
            nl, en = "no_norm, maar er loopt hier altijd een norm.", "no_norm, but here a norm always runs."
            yield Finding((*_place(step), "no_norm"), nl, en)


def _taken(steps: Steps) -> Iterator[tuple[Step, Move, Step]]:
    for step in steps.values():
        for move in step.moves:
            yield step, move, steps[move.to]
