"""Lays groups, shared transitions and side steps out into one flat list of steps, once, at load."""

import msgspec

from ketenzorg.pathway.definition import Enter, Move, PathwayFile, Side

EVERY = "alle"
STAY = "dezelfde stap"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A state that a traject can be in; `side` names what lies over the step underneath (`main`)."""

    name: str
    main: str
    title: str
    owner: str
    task: str  # empty in a final step: the transition says it
    request: str
    careplan: str
    side: str = ""
    ends: str = ""  # the exit reason; empty while the traject runs
    no_norm: str = ""
    moves: tuple[Move, ...] = ()


def resolve(names: list[str], file: PathwayFile) -> list[str]:
    """The steps meant, with groups and "alle" (all that do not end) written out; unknown names fall out."""
    found: list[str] = []
    for name in names:
        if name == EVERY:
            found += [step for step, table in file.steps.items() if not table.ends]
        elif name in file.groups:
            found += file.groups[name]
        else:
            found.append(name)
    return [step for step in dict.fromkeys(found) if step in file.steps]


def side_name(main: str, side: str) -> str:
    """How a side step over a main step is called: "plan (in de wacht)"."""
    return f"{main} ({side})"


def flatten(file: PathwayFile) -> dict[str, Step]:
    """Every step by its name: first those of the file, in their order, then the side steps over them."""
    own = {name: _own(name, file) for name in file.steps}
    sides = {side.name: resolve(side.over, file) for side in file.side}
    steps = [_main_step(name, own[name], sides, file) for name in file.steps]
    steps += [_side_step(main, side, own, sides, file) for side in file.side for main in sides[side.name]]
    tasks = {step.name: step.task for step in steps}
    return {step.name: _with_tasks(step, tasks) for step in steps}


def _own(name: str, file: PathwayFile) -> list[Move]:
    shared = [move for table in file.shared if name in resolve(table.steps, file) for move in table.next]
    return [
        msgspec.structs.replace(move, to=name) if move.to == STAY else move
        for move in (*file.steps[name].next, *shared)
    ]


def _main_step(name: str, own: list[Move], sides: dict[str, list[str]], file: PathwayFile) -> Step:
    table = file.steps[name]
    entries = [
        _move(side.enter, side_name(name, side.name)) for side in file.side if name in sides[side.name]
    ]
    return Step(
        name=name,
        main=name,
        title=table.title,
        owner=table.owner,
        task=table.task or "",
        request=table.request,
        careplan=table.careplan,
        ends=table.ends or "",
        no_norm=table.no_norm,
        moves=(*own, *entries),
    )


def _side_step(
    main: str, side: Side, own: dict[str, list[Move]], sides: dict[str, list[str]], file: PathwayFile
) -> Step:
    table = file.steps[main]
    over_everything = [other for other in file.side if other.name != side.name and EVERY in other.over]
    return Step(
        name=side_name(main, side.name),
        main=main,
        side=side.name,
        title=f"{table.title}, {side.name}",
        owner=side.owner,
        task=side.task or table.task or "",
        request=table.request,
        careplan=side.careplan or table.careplan,
        no_norm=table.no_norm,
        moves=(
            _move(side.leave, main),
            *side.next,
            *_kept(side, own[main], sides[side.name], file),
            *(_move(other.enter, side_name(main, other.name)) for other in over_everything),
        ),
    )


def _kept(side: Side, own: list[Move], over: list[str], file: PathwayFile) -> list[Move]:
    """A pause keeps the ways out; a question keeps all, and stays open where it covers the next step too."""
    if side.keeps == "uitgangen":
        return [move for move in own if (table := file.steps.get(move.to)) and table.ends]
    return [
        msgspec.structs.replace(move, to=side_name(move.to, side.name)) if move.to in over else move
        for move in own
    ]


def _move(enter: Enter, to: str) -> Move:
    return Move(
        event=enter.event,
        to=to,
        by=enter.by,
        needs=enter.needs,
        may=enter.may,
        reason=enter.reason,
        tell=enter.tell,
        emergency=enter.emergency,
        title=enter.title,
    )


def _with_tasks(step: Step, tasks: dict[str, str]) -> Step:
    """Writes the resulting Task.status on each transition, so that nobody has to look further."""
    moves = tuple(
        msgspec.structs.replace(move, task=move.task or tasks.get(move.to) or None) for move in step.moves
    )
    return msgspec.structs.replace(step, moves=moves)
