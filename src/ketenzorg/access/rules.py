"""Who may do what: the table of rules.toml, ready to be asked. What no rule allows is refused."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from ketenzorg.access.tokens import Caller

Part = Literal["requester", "owner", "bystander", "left", "candidate", "withdrawn", "none"]
Phase = Literal["running", "ended"]
Shows = Literal["role", "candidate", "everything", "whole", "counts", "notice", "nothing"]
OPEN, SANDBOX = "open", "sandbox"  # of an address: no rule
ANY_KIND = ""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row: who may do this with these types, and how much of them it shows."""

    id: str  # as the audit line names it
    say: str
    does: tuple[str, ...]
    part: tuple[Part, ...]
    types: str
    shows: Shows
    phase: tuple[Phase, ...] = ("running", "ended")
    kinds: tuple[str, ...] = (ANY_KIND,)


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    types: dict[str, frozenset[str]]
    interactions: dict[str, Literal["c", "r", "u", "d", "s", ""]]
    rule: tuple[Rule, ...]
    routes: dict[str, tuple[str, ...]]
    candidate: dict[str, frozenset[str]]  # type -> elements
    not_chosen: dict[str, frozenset[str]]  # the same


TABLE = msgspec.toml.decode(Path(__file__).with_suffix(".toml").read_bytes(), type=Table)


def rule_for(
    does: str, kind: str, part: Part, *, phase: Phase = "running", of: str = ANY_KIND
) -> Rule | None:
    """The rule that lets a party with this part do this with a type of resource; None: it may not.

    `of`: the kind of the caller's organisation, where rules ask for it.
    """
    cells = _cells()
    return cells.get((does, kind, part, phase, ANY_KIND)) or cells.get((does, kind, part, phase, of))


def rule_id(does: str, kind: str, part: Part) -> str:
    """What the audit line names; empty where no rule allows it."""
    rule = rule_for(does, kind, part)
    return rule.id if rule else ""


@cache
def types_for(does: str) -> frozenset[str]:
    """The types with which anybody at all may do this."""
    return frozenset(kind for rule in TABLE.rule if does in rule.does for kind in TABLE.types[rule.types])


def may(caller: Caller, does: str, kind: str) -> bool:
    """Whether the token has the scope that this interaction needs."""
    return caller.may(kind, TABLE.interactions[does])


def permit(caller: Caller, does: str, kind: str) -> None:
    """Raise Forbidden when the token lacks the scope that this interaction needs."""
    caller.require(kind, TABLE.interactions[does])


@cache
def _cells() -> dict[tuple[str, str, Part, Phase, str], Rule]:
    return {cell: rule for rule in TABLE.rule for cell in cells_of(rule)}


def cells_of(rule: Rule) -> Iterator[tuple[str, str, Part, Phase, str]]:
    """Every single case that a rule is about; no two rules share one."""
    for does in rule.does:
        for kind in TABLE.types[rule.types]:
            for part in rule.part:
                for phase in rule.phase:
                    for of in rule.kinds:
                        yield does, kind, part, phase, of
