"""Lays the blocks that pathways share under a pathway file; what the file says itself always wins.

A version of the blocks never changes: a pathway names the one that it takes, so that it stays what it was.
"""

from collections.abc import Iterable, Mapping

import msgspec

from ketenzorg.pathway.definition import Block, CommonFile, Move, PathwayFile, Shared, Side, StepTable
from ketenzorg.pathway.findings import Finding, Place, unknown

_TABLES = ("urgencies", "by_task", "counts", "needs", "codes")


Origins = dict[
    Place, Place
]  # where something stands in the merged file -> where it stands in that of the blocks


def merge(file: PathwayFile, versions: Mapping[str, CommonFile]) -> tuple[PathwayFile, list[Finding]]:
    """The file with the blocks that it uses written out, and what is wrong in what it asks for."""
    if not (file.uses or file.common):
        return file, []
    common = versions.get(file.common)
    if common is None:
        return file, [unknown(("common",), "versie", "version", file.common, versions)]
    findings = [
        unknown(("uses", index), "blok", "block", name, common.blocks)
        for index, name in enumerate(file.uses)
        if name not in common.blocks
    ]
    blocks = [common.blocks[name] for name in file.uses if name in common.blocks]
    findings += _left_out(file, blocks)
    merged = msgspec.structs.replace(file, sources=common.sources | file.sources)
    for block in blocks:
        merged = _under(merged, block, frozenset(file.without))
    return merged, findings


def origins(file: PathwayFile, common: CommonFile) -> Origins:
    """Where everything that `merge` laid under this file comes from."""
    found: Origins = {}
    left_out = frozenset(file.without)
    shared, sides, norms = len(file.shared), len(file.side), len(file.norm)
    own = {"side": {side.name for side in file.side}, "norm": {norm.name for norm in file.norm}}
    for name, block in ((name, common.blocks[name]) for name in file.uses if name in common.blocks):
        for kind in (*_TABLES, "asides", "steps"):
            for key in getattr(block, kind).keys() - getattr(file, kind).keys():
                found.setdefault((kind, key), ("blocks", name, kind, key))
        for number, table in enumerate(block.shared):
            kept = [at for at, move in enumerate(table.next) if not {move.event, move.to} & left_out]
            if kept:
                place: Place = ("blocks", name, "shared", number)
                found[("shared", shared)] = place
                found |= {
                    ("shared", shared, "next", at): (*place, "next", was) for at, was in enumerate(kept)
                }
                shared += 1
        for number, side in enumerate(block.side):
            if side.name not in left_out | own["side"]:
                found[("side", sides)] = ("blocks", name, "side", number)
                own["side"].add(side.name)
                sides += 1
        for number, norm in enumerate(block.norm):
            if norm.name not in left_out | own["norm"]:
                found[("norm", norms)] = ("blocks", name, "norm", number)
                own["norm"].add(norm.name)
                norms += 1
    return found


def _left_out(file: PathwayFile, blocks: list[Block]) -> list[Finding]:
    """Everything that is left out is there to leave out."""
    known = {name for block in blocks for name in _names(block)}
    return [
        unknown(("without", index), "naam", "name", name, known)
        for index, name in enumerate(file.without)
        if name not in known
    ]


def _names(block: Block) -> Iterable[str]:
    yield from block.steps
    yield from (move.event for shared in block.shared for move in shared.next)
    yield from (side.name for side in block.side)
    yield from (norm.name for norm in block.norm)


def _under(file: PathwayFile, block: Block, left_out: frozenset[str]) -> PathwayFile:
    own_sides = {side.name for side in file.side}
    own_norms = {norm.name for norm in file.norm}
    shared = [_without(table, left_out) for table in block.shared]
    sides = [side for side in block.side if side.name not in left_out | own_sides]
    gone = left_out | {side.enter.event for side in block.side if side.name in left_out}
    asides = {name: aside for name, aside in block.asides.items() if aside.asks not in gone}
    merged = msgspec.structs.replace(
        file,
        **{name: getattr(block, name) | getattr(file, name) for name in _TABLES},
        asides=asides | file.asides,
        shared=[*file.shared, *(table for table in shared if table.next)],
        side=[*file.side, *sides],
        norm=[*file.norm, *(norm for norm in block.norm if norm.name not in left_out | own_norms)],
    )
    return msgspec.structs.replace(merged, steps=file.steps | _led_to(merged, block))


def _led_to(file: PathwayFile, block: Block) -> dict[str, StepTable]:
    """The steps of the block to which something leads; one that nothing leads to any more is not taken along."""
    todo, found = [move.to for move in _moves(file)], dict[str, StepTable]()
    while todo:
        name = todo.pop()
        if name in block.steps and name not in file.steps and name not in found:
            found[name] = block.steps[name]
            todo += [move.to for move in block.steps[name].next]
    return {name: step for name, step in block.steps.items() if name in found}


def _without(table: Shared, left_out: frozenset[str]) -> Shared:
    kept = [move for move in table.next if not {move.event, move.to} & left_out]
    return msgspec.structs.replace(table, next=kept)


def _moves(file: PathwayFile) -> Iterable[Move]:
    tables: list[StepTable | Shared | Side] = [*file.steps.values(), *file.shared, *file.side]
    return (move for table in tables for move in table.next)
