"""How referrals go on in the demo: what coaches and practices do, and when. Events are those of the pathway's file."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from ketenzorg.cli.demo_referrals import Case, working_time
from ketenzorg.pathway.calendar import AMSTERDAM, is_working_day

COACH, PRACTICE = "welzijnscoach", "verwijzer"
SOON, TAKEN_UP, DAYS, WEEK, WEEKS = (1, 2), (1, 6), (2, 6), (5, 9), (8, 16)  # working days
MONTHS_3 = (62, 70)
SHORTLY = timedelta(minutes=20)


class Act(NamedTuple):
    """Somebody says that something happened."""

    at: datetime
    by: str
    event: str
    given: dict[str, str]


class Course:
    """One referral's way, written down act after act."""

    def __init__(self, case: Case, chance: Random) -> None:
        self.acts: list[Act] = []
        self.goal = chance.choice(case.question.goals)
        self.activity = chance.choice(case.question.activities)
        self.who = case.person.title
        self.outcome = case.question.outcome
        self._chance = chance
        self._at = case.at

    def then(self, after: tuple[int, int], event: str, by: str = COACH, /, **given: str) -> None:
        """What happens next, this many working days later."""
        self._at = self._later(self._chance.randint(*after))
        answers = {name.replace("_", "-"): text for name, text in given.items()}
        self.acts.append(Act(self._at, by, event, answers))

    def pick(self, *choices: str) -> str:
        """One of these."""
        return self._chance.choice(choices)

    def _later(self, working_days: int) -> datetime:
        if not working_days:
            return self._at + SHORTLY
        day = self._at.astimezone(AMSTERDAM).date()
        while working_days:
            day += timedelta(days=1)
            working_days -= is_working_day(day)
        return working_time(day, self._chance)


Way = Callable[[Course], None]


def course_of(way: Way, case: Case, chance: Random) -> list[Act]:
    """Everything that will happen to this referral, also after today."""
    course = Course(case, chance)
    way(course)
    return course.acts


def all_the_way(course: Course) -> None:
    """From acceptance to the aftercare of six months."""
    _until_the_plan(course)
    course.then(WEEK, "activiteit gestart", activiteit=_sentence(course.activity))
    _aftercare(course)


def soon_done(course: Course) -> None:
    """The activity runs by itself, and that is enough."""
    _until_the_plan(course)
    course.then(DAYS, "activiteit gestart", activiteit=_sentence(course.activity))
    course.then(WEEKS, "afronden", terugkoppeling=_last(course))


def hard_to_reach(course: Course) -> None:
    """The second or third call is answered."""
    course.then(TAKEN_UP, "aannemen")
    course.then(DAYS, "niet bereikt")
    if course.pick("een", "twee") == "twee":
        course.then(SOON, "niet bereikt")
    course.then(DAYS, "eerste contact")
    _intake(course)
    _plan(course)
    course.then(WEEK, "activiteit gestart", activiteit=_sentence(course.activity))
    _aftercare(course)


def never_reached(course: Course) -> None:
    """Three calls on three days, a letter, no answer."""
    _three_calls_and_a_letter(course)
    course.then(WEEKS, "geen antwoord")


def the_letter_helps(course: Course) -> None:
    """Three calls, and the letter is answered."""
    _three_calls_and_a_letter(course)
    course.then(DAYS, "eerste contact")
    _intake(course)
    _plan(course)
    course.then(WEEK, "activiteit gestart", activiteit=_sentence(course.activity))
    course.then(WEEKS, "afronden", terugkoppeling=_last(course))


def declined(course: Course) -> None:
    """The client thinks it over and does not want it, or not now."""
    course.then(TAKEN_UP, "aannemen")
    course.then(DAYS, "eerste contact")
    reason = course.pick("wil-niet", "niet-meer-nodig", "andere-hulp-nodig")
    course.then(
        DAYS,
        "ziet ervan af",
        reden_van_afzien=reason,
        terugkoppeling=f"{course.who} dankt voor de moeite en ziet er nu van af. De deur blijft open.",
    )


def referred_on(course: Course) -> None:
    """Behind the question lies another one."""
    _first_meeting(course)
    where = course.pick("schuldhulp", "wmo", "ggz-via-huisarts")
    why = {
        "schuldhulp": "Er zijn schulden. Met toestemming aangemeld bij de gemeentelijke schuldhulp; "
        "wij gaan de eerste keer mee.",
        "wmo": "Er is hulp in huis nodig. Samen een melding gedaan bij het Wmo-loket.",
        "ggz-via-huisarts": "De somberheid vraagt meer dan wij kunnen. Graag uw oordeel over hulp van de ggz; "
        "wij houden contact tot die er is.",
    }[where]
    course.then(DAYS, "doorverwijzen", waarheen=where, terugkoppeling=why)


def refused(course: Course) -> None:
    """The coach's organisation does not take it, and says why and what then."""
    course.then(TAKEN_UP, "ontvangst bevestigen")
    course.then(
        SOON,
        "afwijzen",
        reden_van_afwijzen=course.pick("andere-hulp-nodig", "past-niet"),
        terugkoppeling="De vraag gaat vooral over behandeling. Wij denken dat de POH-GGZ hier eerst past; "
        "daarna graag opnieuw.",
    )


def dropped_out(course: Course) -> None:
    """It began well and stopped."""
    _first_meeting(course)
    course.then(WEEK, "gesprek gehouden")
    course.then(
        WEEKS,
        "afhaken",
        reden_van_afhaken="afgehaakt",
        terugkoppeling=f"{course.who} kwam twee keer niet en reageert niet meer. Wij hebben een kaart gestuurd.",
    )


def on_hold(course: Course) -> None:
    """An admission lies between."""
    _until_the_plan(course)
    course.then(WEEK, "in de wacht zetten", reden_van_wachten=course.pick("opname", "wens-client"))
    course.then(WEEKS, "hervatten")
    course.then(WEEK, "activiteit gestart", activiteit=_sentence(course.activity))
    course.then(WEEKS, "afronden", terugkoppeling=_last(course))


def a_question_first(course: Course) -> None:
    """The coach asks the practice something before calling."""
    course.then(TAKEN_UP, "ontvangst bevestigen")
    course.then(
        SOON, "informatie vragen", vraag="Mogen wij ook de dochter bellen als wij geen gehoor krijgen?"
    )
    course.then(DAYS, "informatie gegeven", PRACTICE, antwoord="Ja, dat is besproken en mag.")
    course.then((0, 1), "aannemen")
    course.then(DAYS, "eerste contact")
    _intake(course)
    _plan(course)
    course.then(WEEK, "activiteit gestart", activiteit=_sentence(course.activity))
    _aftercare(course)


def nothing_suitable(course: Course) -> None:
    """What would help is not there in this municipality."""
    _until_the_plan(course)
    course.then(WEEK, "activiteit ontbreekt", ontbrekende_activiteit="Een groep voor mensen onder de 40")
    course.then(
        WEEKS,
        "stoppen zonder activiteit",
        terugkoppeling="Wat past is er in deze gemeente nog niet. Wij melden dit bij de gemeente.",
    )


def withdrawn(course: Course) -> None:
    """The practice takes the referral back."""
    course.then(DAYS, "intrekken", PRACTICE, reden_van_intrekken="niet-meer-nodig")


def crisis(course: Course) -> None:
    """During a visit it is not safe: the coach calls first, and writes down after."""
    _first_meeting(course)
    course.then(DAYS, "crisis gemeld", gebeld_met="crisisdienst")
    course.then(
        (0, 0),
        "overdragen na crisis",
        gebeld_met="huisarts",
        terugkoppeling="Tijdens het huisbezoek direct de crisisdienst gebeld en gebleven tot zij er waren. "
        "Daarna met u gebeld.",
    )


def reopened(course: Course) -> None:
    """Never reached; months later the patient asks the practice about it, and it is picked up again."""
    never_reached(course)
    course.then((20, 30), "heropenen", PRACTICE)
    _until_the_plan(course)
    course.then(WEEK, "activiteit gestart", activiteit=_sentence(course.activity))
    course.then(WEEKS, "afronden", terugkoppeling=_last(course))


SHARES: dict[Way, int] = {  # of a hundred
    all_the_way: 38,
    soon_done: 16,
    hard_to_reach: 12,
    never_reached: 4,
    the_letter_helps: 4,
    declined: 6,
    referred_on: 6,
    dropped_out: 3,
    on_hold: 3,
    a_question_first: 4,
    nothing_suitable: 2,
    withdrawn: 2,
}  # fmt: skip


def usual_ways(seed: int) -> Iterator[Way]:
    """The usual ways, of each hundred as many as there are; without end."""
    chance = Random(seed)  # noqa: S311  (a story, not a secret)
    while True:
        hundred = [way for way, share in SHARES.items() for _ in range(share)]
        chance.shuffle(hundred)
        yield from hundred


def _until_the_plan(course: Course) -> None:
    _first_meeting(course)
    _plan(course)


def _first_meeting(course: Course) -> None:
    course.then(TAKEN_UP, "aannemen")
    course.then(DAYS, "eerste contact")
    _intake(course)


def _intake(course: Course) -> None:
    if course.pick(*["komt"] * 9, "komt niet") == "komt niet":
        course.then(DAYS, "niet verschenen")
        course.then(SOON, "eerste contact")
    course.then(DAYS, "kennismaking gehouden")
    course.then(
        (1, 4),
        "terugkoppelen",
        terugkoppeling=f"{course.who} heeft bij de kennismaking verteld wat er speelt en wil graag verder. "
        f"Wij denken aan {course.activity}.",
    )


def _plan(course: Course) -> None:
    course.then(WEEK, "gesprek gehouden")
    course.then(WEEK, "plan gemaakt", doel=course.goal)


def _aftercare(course: Course) -> None:
    course.then(MONTHS_3, "nazorg na 3 maanden")
    course.then(MONTHS_3, "nazorg na 6 maanden")
    course.then(SOON, "afronden", terugkoppeling=_last(course))


def _three_calls_and_a_letter(course: Course) -> None:
    course.then(TAKEN_UP, "aannemen")
    for _ in range(3):
        course.then((1, 3), "niet bereikt")
    course.then(SOON, "brief verstuurd")


def _last(course: Course) -> str:
    return f"{course.who} {course.outcome} Wij ronden af; opnieuw verwijzen kan altijd."


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
