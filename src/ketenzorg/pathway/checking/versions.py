"""Proves that a new version of a pathway alarms wherever the version before it did.

Alarm rules are safety-locked: they may become stricter, never looser. They are compared by what they mean: every case
in which the old version alarms is looked at as check_tables does, in the pieces of both versions together, and in each
the new version must alarm too. What cannot be compared (another formula, another unit) is said, and refused.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec

from ketenzorg.pathway import cells
from ketenzorg.pathway.cells import Cell
from ketenzorg.pathway.checking.questions import Ground, grounds
from ketenzorg.pathway.checking.tables import Piece, pieces
from ketenzorg.pathway.columns import Column
from ketenzorg.pathway.deciding import numbers_of
from ketenzorg.pathway.definition import PathwayFile
from ketenzorg.pathway.findings import Finding, Place
from ketenzorg.pathway.functions.functions import FUNCTIONS


class Case(msgspec.Struct, frozen=True):
    """When an alarm goes off: all of these cells hold."""

    rule: str
    cells: dict[str, Cell]


def check_versions(old: PathwayFile, new: PathwayFile) -> Iterator[Finding]:
    """Every way in which the new version is looser than the old one."""
    before, after = _cases(old), _cases(new)
    yield from _other_meaning(old, new, _behind({name for case in before for name in case.cells}, old))
    known = grounds(new)
    for case in before:
        gone = [name for name in case.cells if name not in known]
        example = ", ".join(f"{name} {case.cells[name].text}" for name in gone) or _missed(case, after, known)
        if example:
            yield _looser(new, old, case.rule, example)


def _behind(names: set[str], file: PathwayFile) -> set[str]:
    """These names, and what their formulas are worked out from."""
    found, todo = set[str](), list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += file.derived[name].from_.values() if name in file.derived else []
    return found


def _looser(new: PathwayFile, old: PathwayFile, rule: str, example: str) -> Finding:
    return Finding(
        _place(new, rule),
        f"soepeler dan versie {old.version}: ‘{rule}’ gaf daar alarm bij {example}; nu niet.",
        f"looser than version {old.version}: '{rule}' alarmed there for {example}; now nothing does.",
    )


def _place(file: PathwayFile, rule: str) -> Place:
    for index, alarm in enumerate(file.alarm):
        if alarm.name == rule:
            return ("alarm", index)
    for index, table in enumerate(file.table):
        if table.name == rule:
            return ("table", index)
    return ("alarm",)


def _cases(file: PathwayFile) -> list[Case]:
    """Each answer other than the one that an alarm rule wants, and each row of a table that alarms."""
    numbers = numbers_of(file.values)
    known = grounds(file)
    found = []
    for rule in file.alarm:
        for name, answer in rule.unless.items():
            others = [code for code in sorted(known[name].codes) if code != answer] if name in known else []
            found.append(Case(rule.name, {name: cells.parse(" of ".join([*others, cells.UNKNOWN]))}))
    for table in file.table:
        for row in table.rows:
            if row.then.alarm:
                said = {name: cells.parse(text, numbers) for name, text in row.when.items()}
                found.append(Case(table.name, said))
    return found


def _missed(old: Case, new: list[Case], known: Mapping[str, Ground]) -> str:
    """A case of the old rule in which no new one alarms; empty when there is none."""
    names = [*old.cells, *dict.fromkeys(name for case in new for name in case.cells if name not in old.cells)]
    names = [name for name in names if name in known]
    cases = [case for case in new if all(name in known for name in case.cells)]
    columns = {
        name: Column([old.cells.get(name), *(case.cells.get(name) for case in cases)]) for name in names
    }
    # Bit 0 is the old rule itself. A case is done with once the last of its inputs has been looked at.
    last = [max((names.index(name) for name in case.cells), default=-1) for case in cases]
    done = [sum(2 << row for row, at in enumerate(last) if at < depth) for depth in range(len(names) + 1)]
    seen: set[tuple[int, int]] = set()

    def look(rows: int, path: tuple[Piece, ...]) -> tuple[Piece, ...] | None:
        depth = len(path)
        if not rows & 1 or rows & done[depth] or (depth, rows) in seen:
            return None
        seen.add((depth, rows))
        if rows == 1 or depth == len(names):
            return path
        name = names[depth]
        for piece in pieces(name, columns[name], known[name]):
            if (found := look(rows & piece.rows, (*path, piece))) is not None:
                return found
        return None

    example = look((1 << (len(cases) + 1)) - 1, ())
    return "" if example is None else ", ".join(piece.said for piece in example) or "elk antwoord"


def _other_meaning(old: PathwayFile, new: PathwayFile, names: set[str]) -> Iterator[Finding]:
    """What an alarm looks at must still mean the same, or what was moved must be moved to the safe side."""
    for name in sorted(names):
        if name in old.derived and name in new.derived:
            yield from _formula(old, new, name)
        elif name in old.data and name in new.data:
            was, now = old.data[name], new.data[name]
            if (was.type, was.measure, was.unit) != (now.type, now.measure, now.unit):
                yield _not_comparable(("data", name), name, old.version)
        elif (table := _table(old, name)) is not None and _table(new, name) != table:
            yield _not_comparable(_place(new, name), name, old.version)


def _table(file: PathwayFile, name: str) -> object:
    return next(
        ((each.hit, each.rows, each.otherwise, each.knowing) for each in file.table if each.name == name),
        None,
    )


def _formula(old: PathwayFile, new: PathwayFile, name: str) -> Iterator[Finding]:
    was, now = old.derived[name], new.derived[name]
    function = FUNCTIONS.get(now.function)
    if function is None or (was.function, was.from_) != (now.function, now.from_):
        yield _not_comparable(("derived", name), name, old.version)
        return
    for setting in function.settings:
        before, after = (each.settings.get(setting.name, setting.default) for each in (was, now))
        if before == after or _stricter(setting.only, before, after):
            continue
        place: Place = ("derived", name, "settings")
        nl = f"‘{setting.name}’ was {before} in versie {old.version} en hoort bij een alarm: {after} is soepeler."
        en = f"'{setting.name}' was {before} in version {old.version} and belongs to an alarm: {after} is looser."
        yield Finding(place, nl, en)


def _stricter(only: str, before: object, after: object) -> bool:
    if not isinstance(before, int | float | Decimal) or not isinstance(after, int | float | Decimal):
        return False
    was, now = Decimal(str(before)), Decimal(str(after))
    return now <= was if only == "lager" else now >= was if only == "hoger" else False


def _not_comparable(place: Place, name: str, version: str) -> Finding:
    nl = f"een alarm hangt af van ‘{name}’, en dat is anders dan in versie {version}: niet te vergelijken."
    en = f"an alarm hangs on '{name}', which is not what it was in version {version}: cannot be compared."
    return Finding(place, nl, en)
