"""How a referral goes on in the demo: act after act, at the pace of the team that has it. No pathway is named here."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple

from ketenzorg.cli.demo.cases import Case, working_days_later
from ketenzorg.pathway.calendar import local_day

SHORTLY = timedelta(minutes=20)
MONTH_DAYS = 30.4
FORGETS = 0.04  # how often a word to the practice that may be left out is left out, anywhere
Days = tuple[int, int]  # working days: at least, at most


class Act(NamedTuple):
    """Somebody says that something happened."""

    at: datetime
    by: str
    event: str
    given: dict[str, str]


class Strain(NamedTuple):
    """A team that has had more work than hands since a day: what comes in waits longer every month, the rest too."""

    since: date
    each_month: float  # working days that who comes in waits longer
    most: float
    slower: float  # everything else, when it is at its worst

    def longer_for(self, day: date) -> float:
        """Working days that who comes in on this day waits longer."""
        months = max(0.0, (day - self.since).days / MONTH_DAYS)
        return min(self.most, self.each_month * months)


class Silence(NamedTuple):
    """Coaches who let the practice know late, or not at all."""

    never: float  # how often nothing is said
    omits: float  # how often an event goes without the word that may come with it
    later: Days  # and otherwise so much later
    closing: frozenset[str]  # events that end a traject with a word, and are put off too


class Manner(NamedTuple):
    """How a team works."""

    pace: float = 1.0  # above 1 is slower
    strain: Strain | None = None
    silence: Silence | None = None


class Feedback(NamedTuple):
    """Where the practice hears of it, in the words of a pathway."""

    answer: str  # what an event brings along
    may_bring: frozenset[str]  # events that can go without
    shut_by: frozenset[str]  # events after which there is no more word in between


class Course:
    """One referral's way, written down act after act."""

    def __init__(self, case: Case, by: str, manner: Manner, feedback: Feedback, chance: Random) -> None:
        self.acts: list[Act] = []
        self.goal = chance.choice(case.question.goals)
        self.activity = chance.choice(case.question.activities)
        self.who = case.person.title
        self.outcome = case.question.outcome
        self._beside: list[Act] = []
        self._by = by
        self._manner = manner
        self._feedback = feedback
        self._chance = chance
        self._at = case.at
        self._in_queue = True
        self._left = False  # nobody says any more what happens

    def then(self, after: Days, event: str, by: str = "", /, **given: str) -> None:
        """What happens next, this many working days later."""
        silence = self._manner.silence
        wait = self._wait(after) if not by else self._chance.randint(*after)
        if silence and event in silence.closing:
            self._left = self._left or self._chance.random() < silence.never
            wait += self._chance.randint(*silence.later)
        if self._left:
            return
        self._at = working_days_later(self._at, wait, self._chance) if wait else self._at + SHORTLY
        self._in_queue = self._in_queue and bool(by)
        self.acts.append(Act(self._at, by or self._by, event, self._words(event, given)))

    def beside(self, after: Days, event: str, /, **given: str) -> None:
        """What happens meanwhile; the rest does not wait for it."""
        silence, wait = self._manner.silence, self._wait(after)
        if silence:
            if self._chance.random() < silence.never:
                return
            wait += self._chance.randint(*silence.later)
        at = working_days_later(self._at, wait, self._chance)
        self._beside.append(Act(at, self._by, event, self._words(event, given)))

    def start_again(self) -> None:
        """It comes in anew, and waits until somebody has time."""
        self._in_queue = True

    def pick(self, *choices: str) -> str:
        """One of these."""
        return self._chance.choice(choices)

    def all_acts(self) -> list[Act]:
        """In the order of time. What would be said in between after it was shut is not said."""
        shut = [act.at for act in self.acts if act.event in self._feedback.shut_by]
        still = [act for act in self._beside if not shut or act.at < min(shut)]
        return sorted([*self.acts, *still], key=lambda act: act.at)

    def _wait(self, after: Days) -> int:
        wait = self._chance.randint(*after)
        pace, strain = self._manner.pace, self._manner.strain
        more = strain.longer_for(local_day(self._at)) if strain else 0.0
        if strain and not self._in_queue:
            pace *= 1 + (strain.slower - 1) * more / strain.most
        wait = max(min(wait, 1), round(wait * pace))
        return wait + round(more * self._chance.uniform(0.75, 1.25)) if self._in_queue else wait

    def _words(self, event: str, given: Mapping[str, str]) -> dict[str, str]:
        answers = {name.replace("_", "-"): text for name, text in given.items()}
        silence = self._manner.silence
        forgets = silence.omits if silence else FORGETS
        if event in self._feedback.may_bring and self._chance.random() < forgets:
            answers.pop(self._feedback.answer, None)
        return answers


Way = Callable[[Course], None]


def pick_way(shares: Mapping[Way, float], chance: Random) -> Way:
    """One of the ways, by their shares."""
    return chance.choices([*shares], [*shares.values()])[0]
