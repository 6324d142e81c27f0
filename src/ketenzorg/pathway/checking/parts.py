"""Checks on what each role has to do with the steps: who may start, who holds regie, who can read what is told."""

from collections.abc import Iterator, Mapping

from ketenzorg.pathway.definition import Move, PathwayFile
from ketenzorg.pathway.findings import Finding
from ketenzorg.pathway.flatten import Step
from ketenzorg.pathway.running import beginnings
from ketenzorg.pathway.words import ALL_ELEMENTS, EVERYTHING

Steps = Mapping[str, Step]
_WRITTEN, _CODED = "output", "statusReason"  # the elements of Task for `uitkomst` and `reden`


def check_parts(file: PathwayFile, steps: Steps) -> list[Finding]:
    """Every mistake in who starts, who holds regie and what a party cannot read."""
    return [*_starts(file, steps), *_regie(file, steps), *_unread(file, steps)]


def _starts(file: PathwayFile, steps: Steps) -> Iterator[Finding]:
    """Whoever may refer may do so wherever the answers lead.

    Further on a traject may also begin with who is asked in the first step, when that too is one that refers.
    """
    first = steps[file.begins]
    kinds = {name: set(role.kinds) for name, role in file.roles.items()}
    may = {first.requester}
    if kinds[first.performer] <= kinds[first.requester]:
        may.add(first.performer)
    for name in beginnings(file):
        other = steps[name].requester
        if other not in may:
            nl = f"hier begint ook een traject, maar ‘{first.requester}’ verwijst en ‘{other}’ vraagt"
            en = f"a traject begins here too, but '{first.requester}' refers and '{other}' asks"
            write = f'from = "{first.requester}"'
            yield Finding(
                ("steps", name, "handover"),
                f"{nl}. Geef deze stap een overdracht met {write}.",
                f"{en}. Give this step a hand-over with {write}.",
            )


def _regie(file: PathwayFile, steps: Steps) -> Iterator[Finding]:
    """Who holds regie asks or performs somewhere; else there is none where the referral names nobody."""
    parties = {role for step in steps.values() for role in (step.requester, step.performer)}
    looks_on = bool(file.regie) and file.regie not in parties
    if looks_on and not file.no_regie:
        nl = f"‘{file.regie}’ vraagt en doet zelf niets, dus zonder naam in de verwijzing heeft niemand de regie"
        en = f"'{file.regie}' neither asks nor performs, so nobody holds regie when the referral does not name them"
        yield Finding(
            ("regie",),
            f"{nl}. Neem een rol die meedoet, of zeg in no_regie waarom dat mag.",
            f"{en}. Take a role that takes part, or say in no_regie why that may be.",
        )
    if file.no_regie and not looks_on:
        nl, en = (
            "no_regie, maar de regie ligt altijd bij iemand.",
            "no_regie, but somebody always holds regie.",
        )
        yield Finding(("no_regie",), f"{nl} Laat het weg.", f"{en} Leave it out.")


def _unread(file: PathwayFile, steps: Steps) -> Iterator[Finding]:
    """Who asks or performs can read what comes with an event of which they are told; each view is said once."""
    missing: dict[tuple[str, str], tuple[str, str]] = {}
    for step in steps.values():
        for move in step.moves:
            for role in _told(step, move):
                view = file.roles[role].sees
                for element in _hidden(view, file) & _comes_with(move, file):
                    missing.setdefault((view, element), (role, move.event))
    for (view, element), (role, event) in sorted(missing.items()):
        nl = f"‘{role}’ hoort van ‘{event}’, maar leest niet wat erbij staat: zet ‘{element}’ erbij."
        en = f"'{role}' is told of '{event}' but cannot read what comes with it: add '{element}'."
        yield Finding(("views", view, "shows", "Task"), nl, en)


def _told(step: Step, move: Move) -> list[str]:
    """The parties that hear of it from another; who looks on may know less."""
    return [role for role in (step.requester, step.performer) if role in move.tell and move.by != [role]]


def _hidden(view: str, file: PathwayFile) -> set[str]:
    """What a view leaves out of a Task, of the elements in which people write."""
    shown = {ALL_ELEMENTS} if view == EVERYTHING else set(file.views[view].shows.get("Task", []))
    return set() if ALL_ELEMENTS in shown else {_WRITTEN, _CODED} - shown


def _comes_with(move: Move, file: PathwayFile) -> set[str]:
    """The elements of the Task in which stands what an event brings."""
    kinds = {file.needs[name].goes_to for name in (*move.needs, *move.may)}
    written, coded = bool(kinds & {"uitkomst", "voorstel"}), "reden" in kinds or bool(move.reason)
    return ({_WRITTEN} if written else set()) | ({_CODED} if coded else set())
