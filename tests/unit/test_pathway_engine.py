"""What advance, allowed, for_status and due say, above all when they refuse."""

from datetime import UTC, datetime, timedelta

import pytest

from content import CATALOGUE
from ketenzorg.errors import Invalid, TransitionNotAllowed
from ketenzorg.pathway import engine
from ketenzorg.pathway.loaded import Pathway

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
COACH, REFERRER = "welzijnscoach", "verwijzer"


@pytest.fixture(scope="module")
def welzijn() -> Pathway:
    return CATALOGUE.current("welzijn-op-recept")


def in_step(step: str, **counts: int) -> engine.State:
    return engine.State(step, counts, {"verwijzing ontvangen": AT})


def refusal(pathway: Pathway, step: str, event: str, by: str) -> tuple[str, str]:
    with pytest.raises(TransitionNotAllowed) as caught:
        engine.advance(pathway, in_step(step), event, by, AT, {})
    issue = caught.value.issues[0]
    return issue.nl, issue.en


def test_a_refusal_names_the_step_and_what_is_allowed_and_by_whom(welzijn: Pathway) -> None:
    nl, en = refusal(welzijn, "wachten op antwoord", "afronden", COACH)
    assert nl.startswith("‘afronden’ kan niet in deze stap. Stap: ‘wachten op antwoord’. Nu mogelijk: ")
    assert "geen antwoord (welzijnscoach)" in nl
    assert "crisis gemeld (welzijnscoach of verwijzer)" in nl
    assert "intrekken (verwijzer)" in en
    assert "Allowed now: " in en


def test_the_wrong_party_is_told_whose_it_is(welzijn: Pathway) -> None:
    nl, en = refusal(welzijn, "aangemeld", "aannemen", REFERRER)
    assert nl.startswith("‘aannemen’ is hier aan welzijnscoach, niet aan verwijzer.")
    assert en.startswith("Here 'aannemen' is up to welzijnscoach, not to verwijzer.")


def test_an_unknown_event_gets_the_nearest_one_and_is_not_repeated(welzijn: Pathway) -> None:
    nl, en = refusal(welzijn, "aangemeld", "aanneemen", COACH)
    assert nl.startswith("Dit zorgpad kent die gebeurtenis niet. Bedoelt u ‘aannemen’?")
    assert "aanneemen" not in nl + en


def test_an_ended_traject_says_so(welzijn: Pathway) -> None:
    assert (
        "Nu mogelijk: niets meer: het traject is beëindigd."
        in refusal(welzijn, "overleden", "aannemen", COACH)[0]
    )


@pytest.mark.parametrize(
    ("given", "place", "says"),
    [
        ({}, "reden-van-afwijzen", "nodig: Waarom neemt u de verwijzing niet aan?"),
        ({"reden-van-afwijzen": "  "}, "reden-van-afwijzen", "nodig"),
        ({"reden-van-afwijzen": "geen zin"}, "reden-van-afwijzen", "is een van: geen-plek, past-niet"),
        ({"reden-van-afwijzen": "past-niet", "bsn": "1"}, "given", "neemt alleen aan: reden-van-afwijzen"),
        (
            {"reden-van-afwijzen": "past-niet", "terugkoppeling": "x" * 4001},
            "terugkoppeling",
            "langer dan 4000",
        ),
    ],
)
def test_what_an_event_must_bring(welzijn: Pathway, given: dict[str, str], place: str, says: str) -> None:
    with pytest.raises(Invalid) as caught:
        engine.advance(welzijn, in_step("aangemeld"), "afwijzen", COACH, AT, given)
    assert [(issue.expression, says in issue.nl) for issue in caught.value.issues] == [((place,), True)]


def test_a_rejection_carries_its_reason_and_its_text_for_the_referrer(welzijn: Pathway) -> None:
    given = {"reden-van-afwijzen": "geen-plek", "terugkoppeling": "Volgende maand weer plek."}
    taken = engine.advance(welzijn, in_step("aangemeld"), "afwijzen", COACH, AT, given)
    assert taken.reason == engine.Reason("geen-plek", "Geen plek binnen de norm")
    assert (taken.task, taken.request, taken.careplan) == ("rejected", "active", "revoked")
    assert (taken.output, taken.tell, taken.ends) == (("terugkoppeling",), (REFERRER,), True)


def test_a_status_alone_means_the_default_event(welzijn: Pathway) -> None:
    assert engine.for_status(welzijn, in_step("aangemeld"), COACH, "accepted").event == "aannemen"
    assert engine.for_status(welzijn, in_step("plan"), COACH, "completed").event == "afronden"
    assert (
        engine.for_status(welzijn, in_step("plan (in de wacht)"), COACH, "in-progress").event == "hervatten"
    )


@pytest.mark.parametrize(
    ("step", "by", "status"),
    [
        ("aangemeld", REFERRER, "accepted"),  # not the referrer's
        ("aangemeld", COACH, "completed"),  # nothing gives that status here
        ("plan", COACH, "in-progress"),  # several things keep it where it is
        ("afgerond", REFERRER, "requested"),  # a new round needs its own word
    ],
)
def test_a_status_alone_that_means_no_one_event_is_refused(
    welzijn: Pathway, step: str, by: str, status: str
) -> None:
    with pytest.raises(TransitionNotAllowed, match="name the event"):
        engine.for_status(welzijn, in_step(step), by, status)


def test_allowed_shows_which_way_the_next_attempt_goes(welzijn: Pathway) -> None:
    def after_attempt(**counts: int) -> list[str]:
        options = engine.allowed(welzijn, in_step("contact zoeken", **counts), COACH)
        return [option.to_step for option in options if option.event == "niet bereikt"]

    assert (after_attempt(), after_attempt(pogingen=2)) == (["contact zoeken"], ["brief sturen"])


def test_a_new_round_forgets_attempts_and_norms_of_the_old_one(welzijn: Pathway) -> None:
    later = AT + timedelta(days=100)
    old = engine.State("niet bereikt", {"pogingen": 3}, {"verwijzing ontvangen": AT, "niet bereikt": AT})
    taken = engine.advance(welzijn, old, "heropenen", REFERRER, later, {})
    assert taken.new_task
    assert taken.state == engine.State("aangemeld", {}, {"heropenen": later})
    assert all(item.at > later for item in engine.due(welzijn, taken.state))


def test_every_norm_that_runs_carries_its_source(welzijn: Pathway) -> None:
    running = engine.due(welzijn, engine.start(welzijn, AT))
    contact = next(item for item in running if item.norm == "eerste contact")
    assert (contact.source, contact.status) == ("WOR-HOE", "national")
    assert running == sorted(running, key=lambda item: item.at)


def test_a_moment_without_a_zone_is_refused(welzijn: Pathway) -> None:
    with pytest.raises(ValueError, match="aware"):
        engine.start(welzijn, datetime(2026, 3, 2))
