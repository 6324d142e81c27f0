"""Checks of who is told of a norm or control that runs out: a reminder before its end, and who hears it later on."""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from ketenzorg.pathway.checking.norms import shorter
from ketenzorg.pathway.checking.questions import length
from ketenzorg.pathway.definition import Norm, PathwayFile, Watch
from ketenzorg.pathway.findings import Finding, Place
from ketenzorg.pathway.flatten import Step, handover_of, role_names
from ketenzorg.pathway.known_names import clocks
from ketenzorg.pathway.running import norms_running
from ketenzorg.pathway.taking_part import parts_in

Steps = Mapping[str, Step]


def check_lengths(file: PathwayFile) -> Iterator[Finding]:
    """Every length that is none, or that says nothing beside the others."""
    for place, clock in clocks(file):
        whole = clock.max if isinstance(clock, Norm) else clock.if_unknown or clock.every
        yield from _lengths(place, clock, whole)


def _lengths(place: Place, rule: Norm | Watch, whole: str) -> Iterator[Finding]:
    known = not [*length(place, whole)]  # what is wrong with that is said elsewhere
    if rule.remind:
        before = rule.remind.before
        wrong = [*length((*place, "remind", "before"), before)]
        yield from wrong
        if not wrong and known and not shorter(before, whole):
            nl, en = f"is niet korter dan {whole}.", f"is not shorter than {whole}."
            yield Finding((*place, "remind", "before"), nl, en)
    earlier = ""
    for number, step in enumerate(rule.then):
        at = (*place, "then", number)
        wrong = [*length((*at, "after"), step.after)]
        yield from wrong
        if not step.tell:
            yield Finding((*at, "tell"), "noem wie het dan hoort.", "name who hears it then.")
        if not wrong and earlier and not shorter(earlier, step.after):
            nl, en = f"komt niet na {earlier}.", f"does not come after {earlier}."
            yield Finding((*at, "after"), nl, en)
        earlier = earlier if wrong else step.after


def check_hearing(file: PathwayFile, steps: Steps) -> Iterator[Finding]:
    """Who is named takes part somewhere where the norm runs: to others nothing is said of the patient."""
    for_all = [replace(norm, urgency=[]) for norm in file.norm]  # also where it runs for some urgencies only
    running = norms_running(replace(file, norm=for_all), steps)
    for place, clock in clocks(file):
        here = [steps[name] for name, each in running.items() if clock.name in each.may]
        yield from _deaf((*place, "tell"), clock.tell, here, file, steps)
        for number, later in enumerate(clock.then):
            yield from _deaf((*place, "then", number, "tell"), later.tell, here, file, steps)


def _deaf(
    place: Place, tell: list[str], here: list[Step], file: PathwayFile, steps: Steps
) -> Iterator[Finding]:
    for name in tell:
        heard = any(
            role in parts_in(file, steps, step.name)
            for step in here
            for role in role_names([name], handover_of(step.main, file)[1], file)
        )
        if not heard:
            nl = f"‘{name}’ doet niet mee waar dit loopt, en hoort het dus nooit. Neem een rol die meedoet."
            en = (
                f"'{name}' takes no part where this runs, and so never hears it. Take a role that takes part."
            )
            yield Finding(place, nl, en)
