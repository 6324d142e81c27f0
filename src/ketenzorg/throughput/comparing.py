"""Places beside each other: each municipality or team, all others together, and the same place before."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ketenzorg.pathway.definition import Norm
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.throughput.cells import Counts, Lengths
from ketenzorg.throughput.facts import CLOCK, Rules
from ketenzorg.throughput.figures import Compared, NormAt, PlaceFigures, Waiting
from ketenzorg.throughput.selection import Period
from ketenzorg.throughput.small_groups import HIDDEN, SMALLEST, Share, share, shown

REFUSED = "rejected_by_receiver"
# Exits after which the referrer may expect to hear what came of it.
FEEDBACK_EXPECTED = frozenset(
    {
        "completed",
        "dropped_out",
        "not_eligible",
        "referred_on",
        "emergency_upgrade",
        REFUSED,
        "returned_to_referrer",
    }
)


class Comparing:
    """What of a pathway is compared: the norm that counts most, and the norm of hearing back."""

    def __init__(self, pathway: Pathway) -> None:
        norms = pathway.file.norm
        # A norm with a national source before one that is a proposal; the file has the most urgent ones first.
        self.main = next((norm.name for norm in norms if norm.source.status == "national"), "") or next(
            (norm.name for norm in norms), ""
        )
        tells = Rules(pathway).always_feedback
        self.feedback = next((norm.name for norm in norms if tells.issuperset(norm.to)), "")
        self.norms = [norm for norm in norms if norm.name in (self.main, self.feedback)]

    def places(
        self,
        names: Mapping[str, str],
        counts: Mapping[Any, Counts],
        period: Period,
        norms: Sequence[Norm],
    ) -> list[PlaceFigures]:
        """The figures of each place, with these norms, in the order of the names."""
        whole = {norm.name: self._whole(norm, counts.values()) for norm in self.norms}
        told = {id_: Told.of(each, period) for id_, each in counts.items()}
        all_told = Told(*map(sum, zip(Told(), *told.values(), strict=True)))
        return [
            PlaceFigures(
                id=id_,
                name=name,
                inflow=here.came.shown(period),
                outflow=here.gone().shown(period),
                open_now=here.total_open(),
                late_now=here.total_late(),
                feedback=told.get(id_, Told()).share(),
                feedback_of_others=all_told.less(told.get(id_, Told())).share(),
                norms=[norm_at(norm, here.lengths[CLOCK, norm.name]) for norm in norms],
                compared=[self._compared(norm, here, whole[norm.name]) for norm in self.norms],
            )
            for id_, name in names.items()
            for here in (counts.get(id_, Counts()),)
        ]

    def with_earlier(self, whole: Counts) -> list[Compared]:
        """The norms of all places together, with nobody to compare with but themselves before."""
        return [self._compared(norm, whole, whole.lengths[CLOCK, norm.name]) for norm in self.norms]

    def _whole(self, norm: Norm, places: Iterable[Counts]) -> Lengths:
        whole = Lengths()
        for counts in places:
            whole.add_all(counts.lengths[CLOCK, norm.name])
        return whole

    def _compared(self, norm: Norm, counts: Counts, whole: Lengths) -> Compared:
        here, recent = counts.lengths[CLOCK, norm.name], counts.recent[norm.name]
        nothing = NormAt(norm.name, Waiting(None), HIDDEN, HIDDEN if norm.share else None)
        if here.trajecten() < SMALLEST:
            return Compared(norm.name, nothing, nothing, nothing, nothing, None, None)
        return Compared(
            norm.name,
            norm_at(norm, here),
            norm_at(norm, whole.less(here)),
            norm_at(norm, recent),
            norm_at(norm, here.less(recent)),
            shown(counts.waits_for_norm[norm.name]),
            shown(counts.late_of_norm[norm.name]),
        )


class Told(NamedTuple):
    """In how many trajecten the referrer may expect to hear what came of it, and did; and of how many people."""

    expected: int = 0
    told: int = 0
    trajecten: int = 0

    @classmethod
    def of(cls, counts: Counts, period: Period) -> "Told":
        """At one place."""
        expected = told = trajecten = 0
        for end, flow in counts.went.items():
            if end.exit in FEEDBACK_EXPECTED:
                n = flow.n(period.first, period.last)
                expected, told = expected + n, told + n * end.feedback
                trajecten += flow.trajecten(period.first, period.last)
        return cls(expected, told, trajecten)

    def less(self, other: "Told") -> "Told":
        """Without a place that is a part of this."""
        return Told(*(ours - theirs for ours, theirs in zip(self, other, strict=True)))

    def share(self) -> Share:
        """The part that heard."""
        return share(self.told, self.expected, self.trajecten)


def norm_at(norm: Norm, lengths: Lengths) -> NormAt:
    """A norm at one place, or in one part of time."""
    early = lengths.early() if norm.share else None
    return NormAt(norm.name, lengths.waiting(), lengths.within(), early)
