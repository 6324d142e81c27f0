"""What stands out, in at most five plain sentences. What counts as standing out is said here and nowhere else.

Only figures that may be shown are compared, so a sentence never tells of fewer than ten trajecten. A place whose median
is not reached yet is named like any other: the part in time counts who still waits. All limits are a proposal, as the
bottlenecks that the pathway's owners agree on are not known yet.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from ketenzorg.pathway.calendar import week_in_words
from ketenzorg.throughput.figures import Compared, Measures, NormAt, PlaceFigures, Sentence
from ketenzorg.throughput.small_groups import Share

MOST = 5  # sentences
ENOUGH = 20  # trajecten, rounded, behind a place that is named
APART = 15  # percentage points between a place and all others together
CHANGED = 10  # percentage points between the last weeks and the weeks before
PILED_UP = 10  # trajecten that wait now and are past the maximum
GROWN = 1.25  # times as many open as one quarter of a year ago, and at least this many more:
GROWN_BY = 20

RULES = (
    f"We noemen alleen plaatsen met minstens {ENOUGH} trajecten (afgerond), en hoogstens {MOST} zinnen.",
    f"Een team kan de vraag niet bijhouden: de norm lukt minstens {APART} procentpunt minder vaak dan bij de andere "
    f"teams, in de laatste weken minstens {CHANGED} procentpunt minder vaak dan daarvoor, en minstens {PILED_UP} "
    "mensen wachten nu langer dan de norm.",
    f"Langer wachten, of minder of later terugkoppelen: minstens {APART} procentpunt verschil met alle andere samen. "
    "Per norm noemen we één team, of anders één gemeente; bij terugkoppeling andersom.",
    f"Er lopen meer trajecten: minstens {GROWN_BY} meer, en {round(100 * GROWN) - 100}% meer, dan een kwartaal terug.",
    f"Beter of slechter dan eerst: minstens {CHANGED} procentpunt verschil met de weken daarvoor.",
    "Dit zijn voorstellen van ketenzorg. Een verschil kan ook toeval zijn, of komen door andere mensen.",
)

TEAM, MUNICIPALITY, WHOLE = "organisation", "municipality", ""
ALL_OF_IT = "Alles samen"
_OTHERS = {TEAM: "Bij de andere teams", MUNICIPALITY: "In de andere gemeenten"}
_HEARS = {TEAM: "geeft", MUNICIPALITY: "krijgt"}
_ANCHORS = {TEAM: "teams", MUNICIPALITY: "gemeenten", WHOLE: "wachttijd"}


class _Place(NamedTuple):
    kind: str
    id: str
    name: str
    compared: Sequence[Compared]
    feedback: Share
    feedback_of_others: Share


class _Found(NamedTuple):
    gap: int  # percentage points: the place where it is largest is named
    sentence: Sentence


def standing_out(measures: Measures) -> list[Sentence]:
    """The sentences, the most urgent first; what got better keeps a place. None: nothing stands out."""
    return _Search(measures).sentences()


class _Search:
    def __init__(self, measures: Measures) -> None:
        self.m = measures
        self.max = {norm.norm: norm.max for norm in measures.norms}
        self.teams = [*_places(TEAM, measures.teams)]
        self.municipalities = [*_places(MUNICIPALITY, measures.municipalities)]
        unknown = Share(None, None)
        self.whole = [_Place(WHOLE, "", ALL_OF_IT, measures.compared, unknown, unknown)]

    def sentences(self) -> list[Sentence]:
        main, back = self.m.main_norm, self.m.feedback_norm
        slow = (
            _largest(self.teams, self._overloaded(main))
            or _largest(self.teams, self._slower(main))
            or _largest(self.municipalities, self._slower(main))
        )
        silent = _largest(self.municipalities, self._silent(back)) or _largest(self.teams, self._silent(back))
        worse = None if slow else _largest(self.whole, self._changed(main, better=False))
        better = next(
            (
                one
                for norm in (main, back)
                for places in (self.whole, [*self.teams, *self.municipalities])
                if (one := _largest(places, self._changed(norm, better=True)))
            ),
            None,
        )
        found = [each for each in (slow, silent, worse, self._grown()) if each is not None]
        return [*found[: MOST - 1], *([better] if better is not None else [])]

    def _overloaded(self, norm: str) -> "_Rule":
        def rule(place: _Place) -> _Found | None:
            at = _of(place, norm)
            if at is None or (at.late_now or 0) < PILED_UP:
                return None
            fell, behind = _points(at.recent, at.earlier), _points(at.here, at.others)
            if fell is None or behind is None or fell > -CHANGED or behind > -APART:
                return None
            text = (
                f"kan de vraag niet bijhouden. {self._lately(at)} {self._others(place, at)} "
                f"Nu wachten daar {at.late_now} mensen langer dan {self.max[norm]}."
            )
            return _Found(-behind, self._sentence("overbelast", place, text, ("within", "late_now")))

        return rule

    def _slower(self, norm: str) -> "_Rule":
        def rule(place: _Place) -> _Found | None:
            at = _of(place, norm)
            behind = _points(at.here, at.others) if at else None
            if at is None or behind is None or behind > -APART:
                return None
            text = f"laat mensen langer wachten. {self._lukte(at.here)} {self._others(place, at)}"
            return _Found(-behind, self._sentence("langer wachten", place, text, ("within",)))

        return rule

    def _silent(self, norm: str) -> "_Rule":
        """Fewer than elsewhere hear back at all, or in time."""

        def rule(place: _Place) -> _Found | None:
            at = _of(place, norm)
            late = _points(at.here, at.others) if at else None
            fewer = _difference(place.feedback, place.feedback_of_others)
            gap = min(each for each in (late, fewer, 0) if each is not None)
            if gap > -APART:
                return None
            if at is not None and late == gap:
                text = f"{_HEARS[place.kind]} laat terugkoppeling. {self._lukte(at.here)} {self._others(place, at)}"
                ids: tuple[str, ...] = ("within",)
            else:
                text = (
                    f"{_HEARS[place.kind]} weinig terugkoppeling. Van de beëindigde trajecten kreeg "
                    f"{place.feedback.percent}% die. {_OTHERS[place.kind]} is dat {place.feedback_of_others.percent}%."
                )
                ids = ("feedback",)
            return _Found(-gap, self._sentence("terugkoppeling", place, text, ids))

        return rule

    def _changed(self, norm: str, *, better: bool) -> "_Rule":
        def rule(place: _Place) -> _Found | None:
            at = _of(place, norm)
            change = _points(at.recent, at.earlier) if at else None
            if at is None or change is None or (change < CHANGED if better else change > -CHANGED):
                return None
            kind = "beter" if better else "slechter"
            text = f"{'doet het' if place.kind else 'gaat'} {kind} dan eerst. {self._lately(at)}"
            return _Found(abs(change), self._sentence(kind, place, text, ("within",)))

        return rule

    def _grown(self) -> Sentence | None:
        """More trajecten are open than a quarter of a year ago."""
        points = self.m.trend
        back = -(-self.m.recent_weeks // self.m.weeks_per_point)
        if not back or len(points) <= back:
            return None
        now, before = points[-1].open_at_end, points[-1 - back].open_at_end
        if now is None or before is None or now < before * GROWN or now - before < GROWN_BY:
            return None
        then = points[-1 - back].to_week
        text = f"groeit. Er lopen nu {now} trajecten; aan het eind van {week_in_words(then)} waren dat er {before}."
        place = self.whole[0]._replace(name="Het aantal lopende trajecten")
        return self._sentence("groei", place, text, ("open_at_end",), "verloop")

    def _lukte(self, at: NormAt) -> str:
        median = "nog niet bereikt" if at.access.median is None else f"{at.access.median} dagen"
        share = f"{at.within.percent}% binnen {self.max[at.norm]}"
        return f"‘{_begun(at.norm)}’ lukte bij {share} (mediaan: {median})."

    def _lately(self, at: Compared) -> str:
        return (
            f"‘{_begun(at.norm)}’ lukte de laatste {self.m.recent_weeks} weken bij {at.recent.within.percent}% "
            f"binnen {self.max[at.norm]}, daarvoor bij {at.earlier.within.percent}%."
        )

    def _others(self, place: _Place, at: Compared) -> str:
        return f"{_OTHERS[place.kind]} is dat {at.others.within.percent}%."

    def _sentence(
        self, kind: str, place: _Place, text: str, definitions: tuple[str, ...], anchor: str = ""
    ) -> Sentence:
        return Sentence(
            kind=kind,
            place=place.name,
            text=text,
            filter=place.kind,
            filter_value=place.id,
            anchor=anchor or _ANCHORS[place.kind],
            definitions=definitions,
        )


_Rule: TypeAlias = Callable[[_Place], _Found | None]


def _largest(places: Iterable[_Place], rule: _Rule) -> Sentence | None:
    """The place where it is largest; of two alike the first."""
    found = [each for each in map(rule, places) if each is not None]
    return max(found, key=lambda each: each.gap).sentence if found else None


def _places(kind: str, places: Iterable[PlaceFigures]) -> Iterator[_Place]:
    for each in places:
        yield _Place(kind, each.id, each.name, each.compared, each.feedback, each.feedback_of_others)


def _of(place: _Place, norm: str) -> Compared | None:
    """A norm at a place with enough people; none of the rules looks at others."""
    at = next((each for each in place.compared if each.norm == norm), None)
    return at if at and (at.here.access.n or 0) >= ENOUGH else None


def _begun(norm: str) -> str:
    """As a sentence begins; DOAC stays DOAC."""
    return norm[:1].upper() + norm[1:]


def _points(one: NormAt, other: NormAt) -> int | None:
    return _difference(one.within, other.within)


def _difference(one: Share, other: Share) -> int | None:
    """In percentage points; None where one of them is not known, or of too few."""
    if one.percent is None or other.percent is None or (one.n or 0) < ENOUGH or (other.n or 0) < ENOUGH:
        return None
    return one.percent - other.percent
