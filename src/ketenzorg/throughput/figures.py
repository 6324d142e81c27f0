"""Everything that is told of the throughput of a pathway, typed: the JSON, the tables and the page are made of it.

A number that is None is of fewer than ten trajecten. All numbers of trajecten are rounded to fives.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from ketenzorg.throughput.definitions import Definition
from ketenzorg.throughput.small_groups import Share


class Waiting(msgspec.Struct, frozen=True):
    """Days; with `n` but without a percentile, that percentile is not reached yet."""

    n: int | None  # trajecten, those that still wait included
    median: int | None = None
    p80: int | None = None
    p90: int | None = None


class Chosen(msgspec.Struct, frozen=True):
    """A selection as it is written: weeks as 2026-W03."""

    from_week: str = msgspec.field(name="from")
    to_week: str = msgspec.field(name="to")
    municipality: str | None
    organisation: UUID | None


class StepFigures(msgspec.Struct, frozen=True):
    """One step of the pathway."""

    step: str
    title: str
    owner: str  # role
    open_now: int | None
    late_now: int | None
    dwell: Waiting
    days_percent: int | None  # of all days in steps that are shown


class ShareOfNorm(msgspec.Struct, frozen=True):
    """The part of all cases that must be in time earlier than the maximum, and the part that is."""

    wanted_percent: int
    within: str
    within_days: int | None  # as max_days
    source: str
    source_status: str
    reached: Share


class NormFigures(msgspec.Struct, frozen=True):
    """One norm: from one named event to another."""

    norm: str
    from_events: list[str]
    to_events: list[str]
    max: str
    max_days: int | None  # for a line in a chart; None: not in whole calendar days
    source: str
    source_status: str
    share: ShareOfNorm | None
    access: Waiting
    within: Share
    waiting_now: int | None
    late_now: int | None


class NormAt(msgspec.Struct, frozen=True):
    """A norm at one place or in one point of time."""

    norm: str
    access: Waiting
    within: Share
    early: Share | None = None  # within the time of the share, of a norm that has one


class Compared(msgspec.Struct, frozen=True):
    """A norm at one place beside all other places, and beside the same place before.

    All of it is empty for a place that is too small to show.
    """

    norm: str
    here: NormAt
    others: NormAt
    recent: NormAt  # who began to wait in the last weeks of the period
    earlier: NormAt  # who began before that
    waiting_now: int | None
    late_now: int | None


class Point(msgspec.Struct, frozen=True):
    """One point of the trend: one or more whole weeks."""

    from_week: str = msgspec.field(name="from")
    to_week: str = msgspec.field(name="to")
    inflow: int | None
    outflow: int | None
    open_at_end: int | None
    norms: list[NormAt]


class Exit(msgspec.Struct, frozen=True):
    """A way in which trajecten end, a reason for which they are refused, or what patients thought of it."""

    code: str
    title: str
    n: int | None


class PlaceFigures(msgspec.Struct, frozen=True):
    """A municipality, or an organisation that receives referrals."""

    id: str
    name: str
    inflow: int | None
    outflow: int | None
    open_now: int | None
    late_now: int | None
    feedback: Share
    feedback_of_others: Share
    norms: list[NormAt]
    compared: list[Compared]


class Sentence(msgspec.Struct, frozen=True):
    """Something that stands out: a place, what is the matter, and where on the page or with which filter to look."""

    kind: str
    place: str
    text: str  # goes on after the name of the place
    filter: str  # municipality, organisation, or empty: the whole choice
    filter_value: str
    anchor: str
    definitions: tuple[str, ...]  # ids


class Totals(msgspec.Struct, frozen=True):
    """The tiles."""

    open_now: int | None
    late_now: int | None
    inflow: int | None
    outflow: int | None
    feedback: Share


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer."""

    pathway: str
    title: str
    version: str
    adopted: bool
    now: datetime
    behind: int  # events that are not counted yet; 1000 stands for 1000 or more
    asked: Chosen
    used: Chosen
    widened: str  # why `used` is not `asked`, in Dutch; empty when it is
    recent_weeks: (
        int  # how many of the last weeks are "recent" where places are compared; 0: too short a period
    )
    main_norm: str  # the norm that tiles and comparisons are about
    feedback_norm: str  # the norm of hearing back; empty where the pathway has none
    totals: Totals
    compared: list[Compared]  # the whole choice, its last weeks beside those before
    standing_out: list[Sentence]
    steps: list[StepFigures]
    norms: list[NormFigures]
    weeks_per_point: int
    trend: list[Point]
    exits: list[Exit]
    refusals: list[Exit]
    experiences: list[Exit]
    municipalities: list[PlaceFigures]
    teams: list[PlaceFigures]  # only for who may see all organisations, and with no organisation chosen
    definitions: tuple[Definition, ...]
