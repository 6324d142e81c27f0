"""Lays groups, shared transitions and side steps out into one flat list of steps, once, at load."""

import msgspec

from ketenzorg.pathway.definition import Enter, Handover, Move, PathwayFile, Side
from ketenzorg.pathway.words import EVERYBODY, PERFORMER, REQUESTER

EVERY = "alle"
STAY = "dezelfde stap"
BEGIN = "begin van de overdracht"  # its first step: where it stands again after it was sent on
_MEANT = frozenset({REQUESTER, PERFORMER, EVERYBODY})


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
    handover: str = ""  # of [handovers]
    requester: str = ""  # the roles of that hand-over
    performer: str = ""
    clock_stops: bool = False
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
        elif name in file.by_task:
            wanted = file.by_task[name]
            found += [step for step, table in file.steps.items() if table.task in wanted and not table.ends]
        else:
            found.append(name)
    return [step for step in dict.fromkeys(found) if step in file.steps]


def handover_of(step: str, file: PathwayFile) -> tuple[str, Handover]:
    """The hand-over that a step belongs to: the one that it names, else the first, else that of the parts."""
    named = file.steps[step].handover if step in file.steps else ""
    if named in file.handovers:
        return named, file.handovers[named]
    if file.handovers:
        return next(iter(file.handovers.items()))
    asking = next((name for name, role in file.roles.items() if role.part == "requester"), "")
    owner = file.steps[file.begins].owner if file.begins in file.steps else ""
    return "", Handover(title="", from_=asking, to=owner)


def role_names(names: list[str], asked: Handover, file: PathwayFile) -> list[str]:
    """The roles that are meant, with aanvrager, uitvoerder and iedereen written out."""
    if _MEANT.isdisjoint(names):
        return names
    meant: list[str] = []
    for name in names:
        if name == REQUESTER:
            meant.append(asked.from_)
        elif name == PERFORMER:
            meant.append(asked.to)
        elif name == EVERYBODY:
            meant += file.roles
        else:
            meant.append(name)
    return list(dict.fromkeys(meant))


def side_name(main: str, side: str) -> str:
    """How a side step over a main step is called: "plan (in de wacht)"."""
    return f"{main} ({side})"


def flatten(file: PathwayFile) -> dict[str, Step]:
    """Every step by its name: first those of the file, in their order, then the side steps over them."""
    shared = [(frozenset(resolve(table.steps, file)), table.next) for table in file.shared]
    own = {
        name: _own(name, [move for over, moves in shared if name in over for move in moves], file)
        for name in file.steps
    }
    sides = {side.name: _covered(side, file) for side in file.side}
    steps = [_main_step(name, own[name], sides, file) for name in file.steps]
    steps += [_side_step(main, side, own, sides, file) for side in file.side for main in sides[side.name]]
    tasks = {step.name: step.task for step in steps}
    return {step.name: _with_tasks(step, tasks) for step in steps}


def _covered(side: Side, file: PathwayFile) -> list[str]:
    """The steps that a side step lies over; in one house the performer has no question to the requester."""
    asks_requester = side.owner == REQUESTER and side.enter.by == [PERFORMER]
    return [
        name
        for name in resolve(side.over, file)
        if not (asks_requester and (asked := handover_of(name, file)[1]).from_ == asked.to)
    ]


def _own(name: str, shared: list[Move], file: PathwayFile) -> list[Move]:
    _, asked = handover_of(name, file)
    said = [*file.steps[name].next, *shared]
    if asked.from_ == asked.to:
        # In one house the requester's word is the performer's: where both have a way, that of the performer.
        done = {move.event for move in said if PERFORMER in move.by}
        said = [
            move for move in said if move.by != [REQUESTER] or not (move.event in done or move.to == STAY)
        ]
    begin = _begin_of(name, file)
    return [
        msgspec.structs.replace(move, to=begin) if move.to == BEGIN else move
        for move in (_staying(_named(move, asked, file), name) for move in said)
        if move.to != BEGIN or begin
    ]


def _begin_of(name: str, file: PathwayFile) -> str:
    """The first step of a hand-over to another house; empty where nobody else is asked."""
    handover, asked = handover_of(name, file)
    here = (step for step, table in file.steps.items() if table.task == "requested" and not table.ends)
    own_house = asked.from_ == asked.to
    return "" if own_house else next((step for step in here if handover_of(step, file)[0] == handover), "")


def _main_step(name: str, own: list[Move], sides: dict[str, list[str]], file: PathwayFile) -> Step:
    table = file.steps[name]
    handover, asked = handover_of(name, file)
    entries = [
        _move(side.enter, side_name(name, side.name), asked, file)
        for side in file.side
        if name in sides[side.name]
    ]
    return Step(
        name=name,
        main=name,
        title=table.title,
        owner=role_names([table.owner], asked, file)[0],
        handover=handover,
        requester=asked.from_,
        performer=asked.to,
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
    handover, asked = handover_of(main, file)
    over_everything = [other for other in file.side if other.name != side.name and EVERY in other.over]
    return Step(
        name=side_name(main, side.name),
        main=main,
        side=side.name,
        title=f"{table.title}, {side.name}",
        owner=role_names([side.owner], asked, file)[0],
        handover=handover,
        requester=asked.from_,
        performer=asked.to,
        clock_stops=side.clock == "staat stil",
        task=side.task or table.task or "",
        request=table.request,
        careplan=side.careplan or table.careplan,
        no_norm=table.no_norm,
        moves=(
            _move(side.leave, main, asked, file),
            *(_staying(_named(move, asked, file), side_name(main, side.name)) for move in side.next),
            *_kept(side, own[main], sides[side.name], file),
            *(_move(other.enter, side_name(main, other.name), asked, file) for other in over_everything),
        ),
    )


def _kept(side: Side, own: list[Move], over: list[str], file: PathwayFile) -> list[Move]:
    """A pause keeps the ways out; a question keeps all, and stays open where it covers the next step too."""
    if side.keeps == "uitgangen":
        return [move for move in own if (table := file.steps.get(move.to)) and table.ends]
    return [
        msgspec.structs.replace(move, to=side_name(move.to, side.name))
        if move.to in over and not move.new_task  # a question is about this hand-over, not about the next
        else move
        for move in own
    ]


def _staying(move: Move, here: str) -> Move:
    return msgspec.structs.replace(move, to=here) if move.to == STAY else move


def _named(move: Move, asked: Handover, file: PathwayFile) -> Move:
    by, tell = role_names(move.by, asked, file), role_names(move.tell, asked, file)
    return msgspec.structs.replace(move, by=by, tell=tell)


def _move(enter: Enter, to: str, asked: Handover, file: PathwayFile) -> Move:
    move = Move(
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
    return _named(move, asked, file)


def _with_tasks(step: Step, tasks: dict[str, str]) -> Step:
    """Writes the resulting Task.status on each transition, so that nobody has to look further."""
    moves = tuple(
        msgspec.structs.replace(move, task=move.task or tasks.get(move.to) or None) for move in step.moves
    )
    return msgspec.structs.replace(step, moves=moves)


def still_to_come(steps: dict[str, Step]) -> dict[str, frozenset[str]]:
    """For each step: the events that can still happen before an end. A norm that none of them meets has lapsed."""
    events = {
        name: {move.event for move in step.moves} if not step.ends else set() for name, step in steps.items()
    }
    before: dict[str, set[str]] = {name: set() for name in steps}
    for name, step in steps.items():
        for move in () if step.ends else step.moves:
            before[move.to].add(name)
    todo = list(steps)
    while todo:
        name = todo.pop()
        for earlier in before[name]:
            if not events[name] <= events[earlier]:
                events[earlier] |= events[name]
                todo.append(earlier)
    return {name: frozenset(known) for name, known in events.items()}


def sides_begun(file: PathwayFile) -> dict[str, str]:
    """Event that begins a side step -> that side step. A norm from there is about it, and runs nowhere else."""
    return {side.enter.event: side.name for side in file.side}
