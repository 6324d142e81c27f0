"""The norms and controls of a version, taken apart once: what begins each, what meets it, in which steps it can run."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from ketenzorg.pathway.calendar import Amount, parse
from ketenzorg.pathway.definition import Norm, Watch
from ketenzorg.pathway.flatten import Step
from ketenzorg.pathway.words import Source

# How State.counts keeps what clocks hang on: "urgentie:spoed" = 1, "termijn:controle:maanden" = 3, and under
# "stil:eerste contact" the seconds for which the clock of that norm stood still.
URGENCY, LENGTH, STOOD = "urgentie", "termijn", "stil"


class Later(msgspec.Struct, frozen=True):
    """Who hears it too when a norm is past for this long."""

    after: Amount
    said: str  # the same as the file says it
    tell: tuple[str, ...]


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """One norm, or one control: what meets a control begins it again."""

    name: str
    from_: list[str]  # the events that begin it
    to: list[str]  # those that meet it
    amount: Amount
    source: str
    status: str
    stood: str  # its names in State.counts
    urgencies: frozenset[str] = frozenset()  # it runs with one of these there; empty: always
    length: str = ""  # how what a table or formula said of its length begins there
    side: str = ""  # the side step of which it is the limit: it runs there only; in a pause no other does
    over: frozenset[str] | None = None  # of a control: the steps in which it runs
    remind: Amount | None = None  # how long before its end who must act hears of it
    tell: tuple[str, ...] = ()  # the roles that hear that it is past, beside who must act
    then: tuple[Later, ...] = ()

    def runs_in(self, step: Step, to_come: frozenset[str]) -> bool:
        """Whether it can; a norm that no event can meet any more has lapsed."""
        if step.ends:
            return False
        if self.over is not None:
            return step.main in self.over and not step.clock_stops
        here = step.side == self.side if self.side else not step.clock_stops
        return here and not to_come.isdisjoint(self.to)

    def began(self, happened: Mapping[str, datetime]) -> datetime | None:
        """Since when it runs; none when it was not begun, or was met."""
        began, met = _latest(self.from_, happened), _latest(self.to, happened)
        if met is None or (began is not None and met < began):
            return began
        return None if self.over is None else met

    def long(self, counts: Mapping[str, int]) -> Amount:
        """How long it may take: fixed, or what was said for this patient."""
        if self.length:
            for name, number in counts.items():
                if name.startswith(self.length):
                    return parse(f"{number} {name.rpartition(':')[2]}")
        return self.amount


def clock_of_norm(norm: Norm, amount: Amount, side: str) -> Clock:
    """A norm, with the side step of which it is the limit."""
    return Clock(
        name=norm.name,
        from_=norm.from_,
        to=norm.to,
        amount=amount,
        source=_cite(norm.source),
        status=norm.source.status,
        stood=f"{STOOD}:{norm.name}",
        urgencies=frozenset(f"{URGENCY}:{name}" for name in norm.urgency),
        side=side,
        **_telling(norm),
    )


def clock_of_control(watch: Watch, over: frozenset[str]) -> Clock:
    """A control, with the steps in which it runs."""
    return Clock(
        name=watch.name,
        from_=watch.from_,
        to=watch.to,
        amount=parse(watch.if_unknown or watch.every),
        source=_cite(watch.source),
        status=watch.source.status,
        stood=f"{STOOD}:{watch.name}",
        length=f"{LENGTH}:{watch.every}:",
        over=over,
        **_telling(watch),
    )


def _telling(rule: Norm | Watch) -> dict[str, Any]:
    return {
        "remind": parse(rule.remind.before) if rule.remind else None,
        "tell": tuple(rule.tell),
        "then": tuple(Later(parse(each.after), each.after, tuple(each.tell)) for each in rule.then),
    }


def begun_by(clocks: Iterable[Clock]) -> dict[str, frozenset[str]]:
    """Event -> the clocks that it begins anew, by their `stood`."""
    found: dict[str, set[str]] = {}
    for clock in clocks:
        for event in clock.from_ if clock.over is None else (*clock.from_, *clock.to):
            found.setdefault(event, set()).add(clock.stood)
    return {event: frozenset(names) for event, names in found.items()}


def _latest(events: Iterable[str], happened: Mapping[str, datetime]) -> datetime | None:
    found: datetime | None = None
    for event in events:
        at = happened.get(event)
        if at is not None and (found is None or at > found):
            found = at
    return found


def _cite(source: Source) -> str:
    return source.key or source.note
