"""What the demo knows of one pathway, as data; each pathway that is played has a module that holds its Play."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from ketenzorg.cli.demo.cases import Case, Json
from ketenzorg.cli.demo.courses import Feedback, Manner, Way
from ketenzorg.cli.demo.words import Question


class Watch(NamedTuple):
    """What the chain team's figures are asked for in the summary."""

    waiting: str  # norm: which team has become slowest
    feedback: str  # norm: which municipality leaves practices waiting for word


class Play(NamedTuple):
    """Who asks what and how often, which ways referrals go, how each team works."""

    pathway: str
    share: float  # of all referrals of the demo, beside those of the other plays
    volume: Mapping[str, float]  # municipality (CBS) -> weight
    questions: Sequence[Question]
    words: Callable[[Question, Random], dict[str, str]]  # what the practice fills in of its own
    answers: Callable[[Case], dict[str, Json]]  # linkId -> answer of the questionnaire
    along: Callable[[Case, str], list[Json]]  # resources that come along, about this patient
    ways: Mapping[Way, float]  # share of the referrals
    ways_in: Mapping[str, Mapping[Way, float]]  # municipality -> its own shares
    lately: Mapping[
        str, Mapping[int, Way]
    ]  # municipality -> days ago -> what the newest of then waits for today
    certain: Mapping[int, Way]  # by number: what must be seen once, early enough to be over
    whole_way: Way  # of the referral that is told from beginning to end
    manners: Mapping[str, Manner]  # URA of the team -> how it works; who is not in it works as usual
    manners_in: Mapping[str, Manner]  # municipality -> how it works there, whichever team it is
    feedback: Feedback
    statuses: Mapping[str, str]  # event -> the Task.status that says the same
    watch: Watch

    def manner(self, team_ura: str, municipality: str) -> Manner:
        """How this team works here."""
        return self.manners_in.get(municipality) or self.manners.get(team_ura) or Manner()

    def waiting(self, cases: Sequence[Case], today: datetime) -> dict[int, Way]:
        """By number: the referrals that wait today for what somebody who looks must see once."""
        found: dict[int, Way] = {}
        for municipality, by_age in self.lately.items():
            there = [each for each in cases if each.practice.municipality == municipality]
            for days, way in by_age.items():
                before = today - timedelta(days=days)
                older = [each for each in there if each.at <= before and each.number not in found]
                found |= {older[-1].number: way} if older else {}
        return found

    def ways_at(self, municipality: str) -> Mapping[Way, float]:
        """The ways that referrals go here."""
        return self.ways_in.get(municipality, self.ways)
