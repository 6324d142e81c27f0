"""Welzijn op Recept in the demo: most runs well, one team drowns, and in one municipality no word comes back."""

from datetime import date
from random import Random

from ketenzorg.cli.demo.cases import Case, Json
from ketenzorg.cli.demo.courses import Course, Days, Feedback, Manner, Silence, Strain, Way
from ketenzorg.cli.demo.play import Play, Watch
from ketenzorg.cli.demo.words import LIMITATIONS, PREFERRED_TIMES, QUESTIONS, SAFETY_REMARKS, Question

PRACTICE = "verwijzer"
SOON: Days = (1, 2)
TAKEN_UP: Days = (1, 3)
CALLED: Days = (1, 4)
DAYS: Days = (1, 5)
WEEK: Days = (5, 9)
WEEKS: Days = (8, 16)
MONTHS_3: Days = (50, 60)
CONSENT_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"


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
    course.then(SOON, "niet bereikt")
    if course.pick("een", "twee") == "twee":
        course.then(SOON, "niet bereikt")
    course.then(CALLED, "eerste contact")
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
    course.then(CALLED, "eerste contact")
    _intake(course)
    _plan(course)
    course.then(WEEK, "activiteit gestart", activiteit=_sentence(course.activity))
    course.then(WEEKS, "afronden", terugkoppeling=_last(course))


def declined(course: Course) -> None:
    """The client thinks it over and does not want it, or not now."""
    course.then(TAKEN_UP, "aannemen")
    course.then(CALLED, "eerste contact")
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
    course.then(CALLED, "eerste contact")
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
    course.start_again()
    _until_the_plan(course)
    course.then(WEEK, "activiteit gestart", activiteit=_sentence(course.activity))
    course.then(WEEKS, "afronden", terugkoppeling=_last(course))


def just_in(_course: Course) -> None:
    """Nobody has looked at it yet."""


def asked_the_practice(course: Course) -> None:
    """A question to which the practice owes an answer."""
    course.then((1, 1), "ontvangst bevestigen")
    course.then((0, 0), "informatie vragen", vraag="Is er een tolk nodig, en welke taal spreekt de patiënt?")


def left_lying(course: Course) -> None:
    """Taken up, and then nobody called."""
    course.then(SOON, "aannemen")


def _until_the_plan(course: Course) -> None:
    _first_meeting(course)
    _plan(course)


def _first_meeting(course: Course) -> None:
    course.then(TAKEN_UP, "aannemen")
    course.then(CALLED, "eerste contact")
    _intake(course)


def _intake(course: Course) -> None:
    if course.pick(*["komt"] * 9, "komt niet") == "komt niet":
        course.then(DAYS, "niet verschenen")
        course.then(SOON, "eerste contact")
    course.then(DAYS, "kennismaking gehouden")
    course.beside(
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


def _words(question: Question, chance: Random) -> dict[str, str]:
    """What was filled in; practices are busy, so not everything always is."""
    offered = {
        "reden": (0.95, f"{chance.choice(question.why)} {chance.choice(question.wish)}"),
        "voorkeurstijd": (0.7, chance.choice(PREFERRED_TIMES)),
        "praktische-beperkingen": (0.6, chance.choice(LIMITATIONS)),
        "veiligheidsopmerking": (0.06, chance.choice(SAFETY_REMARKS)),
    }
    return {name: text for name, (share, text) in offered.items() if chance.random() < share}


def _answers(case: Case) -> dict[str, Json]:
    answers: dict[str, Json] = {"gevaar": {"valueBoolean": False}}
    if not case.own_task:  # otherwise a Consent says it
        answers |= {
            "toestemming": {"valueBoolean": True},
            "toestemming-datum": {"valueDate": case.at.date().isoformat()},
            "toestemming-reikwijdte": {"valueCoding": {"code": _scope(case)}},
        }
    answers |= {name: {"valueString": text} for name, text in case.answers.items()}
    if case.debts is not None:
        answers["schulden-wonen-veiligheid"] = {"valueBoolean": case.debts}
    return answers


def _along(case: Case, patient: str) -> list[Json]:
    if not case.own_task:
        return []
    opt_in = {"text": "Toestemming van de patiënt"}
    consent = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [opt_in],
        "patient": {"reference": patient},
        "dateTime": case.at.date().isoformat(),
        "policyRule": opt_in,
        "provision": {"type": "permit", "code": [{"coding": [{"code": _scope(case)}]}]},
    }
    return [consent]


def _scope(case: Case) -> str:
    return "contactgegevens" if case.only_contact_data else "contactgegevens-en-toelichting"


USUAL: dict[Way, float] = {
    all_the_way: 36,
    soon_done: 16,
    hard_to_reach: 12,
    never_reached: 4,
    the_letter_helps: 3.5,
    declined: 6,
    referred_on: 5,
    refused: 3,
    dropped_out: 4,
    on_hold: 2.5,
    a_question_first: 3.5,
    nothing_suitable: 2,
    withdrawn: 1.5,
    reopened: 0.7,
    crisis: 0.3,
}

# Where nobody tells the practice: referred on sooner, and people drop out of sight.
WITHOUT_A_WORD = USUAL | {referred_on: 19, dropped_out: 11, soon_done: 10, all_the_way: 24}

PLAY = Play(
    pathway="welzijn-op-recept",
    share=1.0,
    volume={  # not by inhabitants alone: practices differ in how often they think of it
        "GM0014": 340,
        "GM1979": 150,
        "GM1966": 140,
        "GM1952": 170,
        "GM1895": 130,
        "GM0765": 65,
        "GM0037": 125,
        "GM0047": 115,
        "GM1969": 170,
        "GM1950": 95,
    },
    questions=QUESTIONS,
    words=_words,
    answers=_answers,
    along=_along,
    ways=USUAL,
    ways_in={"GM1969": WITHOUT_A_WORD},
    lately={"GM0014": {0: just_in, 2: asked_the_practice, 12: left_lying, 17: left_lying}},
    certain={
        4: refused,
        5: reopened,
        6: crisis,
        7: never_reached,
        11: referred_on,
        13: dropped_out,
        15: soon_done,
    },
    whole_way=all_the_way,
    manners={
        "99990015": Manner(pace=1.0),  # Stadsbreed
        "99990016": Manner(pace=0.9),  # Wadkant
        "99990018": Manner(pace=1.1),  # Middelland
        "99990020": Manner(pace=0.85),  # Oosterrand
        # Veenstreek: two colleagues left at the end of the winter, and nobody took their place.
        "99990019": Manner(
            pace=1.0, strain=Strain(since=date(2026, 3, 2), each_month=7, most=45, slower=1.3)
        ),
    },
    manners_in={
        "GM1969": Manner(
            pace=1.0, silence=Silence(never=0.45, omits=0.75, later=(10, 30), closing=frozenset({"afronden"}))
        ),
    },
    feedback=Feedback(
        answer="terugkoppeling",
        may_bring=frozenset(
            {"afwijzen", "afhaken", "doorverwijzen", "overdragen na crisis", "ziet ervan af"}
        ),
        shut_by=frozenset(
            {
                "afronden",
                "afhaken",
                "doorverwijzen",
                "stoppen zonder activiteit",
                "in de wacht zetten",
                "crisis gemeld",
            }
        ),
    ),
    statuses={
        "aannemen": "accepted",
        "afwijzen": "rejected",
        "ziet ervan af": "failed",
        "afhaken": "failed",
        "afronden": "completed",
    },
    watch=Watch(waiting="eerste contact", feedback="terugkoppeling na kennismaking"),
)
