"""Checks on a hand-over for which who performs it is chosen: its first step can be answered by a status alone."""

from collections.abc import Iterator, Mapping

from ketenzorg.pathway.definition import Move, PathwayFile
from ketenzorg.pathway.findings import Finding
from ketenzorg.pathway.flatten import Step
from ketenzorg.pathway.running import beginnings

Steps = Mapping[str, Step]


def check_choice(file: PathwayFile, steps: Steps) -> list[Finding]:
    """Every hand-over with a `choice` goes to another house, and its first step can be accepted and refused."""
    found = []
    for name, handover in file.handovers.items():
        if handover.choice is None:
            continue
        if handover.from_ == handover.to:
            nl, en = (
                "dit blijft in eigen huis: er is niemand te kiezen.",
                "this stays in one house: nobody to choose.",
            )
            found.append(Finding(("handovers", name, "choice"), nl, en))
        begun = [steps[each] for each in beginnings(file) if steps[each].handover == name]
        found += [finding for step in begun for finding in _answers(step)]
    return found


def _answers(step: Step) -> Iterator[Finding]:
    if step.task != "requested":
        nl = "hier wordt iemand gekozen, dus de stap begint met task = ‘requested’."
        en = "somebody is chosen here, so the step begins with task = 'requested'."
        yield Finding(("steps", step.name, "task"), nl, en)
    for status in ("accepted", "rejected"):
        moves = [move for move in step.moves if _meant_by(move, status, step)]
        chosen = moves if len(moves) == 1 else [move for move in moves if move.default]
        if len(chosen) != 1 or (status == "accepted" and chosen[0].needs):
            nl = f"wie gevraagd is, antwoordt met Task.status ‘{status}’: geef één gebeurtenis daarvoor `default`"
            en = f"who is asked answers with Task.status '{status}': give one event for that `default`"
            yield Finding(
                ("steps", step.name, "next"),
                f"{nl}{', zonder `needs`' if status == 'accepted' else ''}.",
                f"{en}{', without `needs`' if status == 'accepted' else ''}.",
            )


def _meant_by(move: Move, status: str, step: Step) -> bool:
    """Whether writing this status may mean this: the same as engine.by_status."""
    named = move.emergency or move.forward or (move.new_task and not move.closes)
    return step.performer in move.by and (move.closes or move.task) == status and not named
