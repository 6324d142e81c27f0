"""What a token carries is what comes out of it again."""

from datetime import timedelta

from ketenzorg.access.tokens import EMERGENCY, TREATMENT, Caller
from ketenzorg.app import tokens_of
from services import REGION, SECRET, SETTINGS

PRACTICE = REGION.of_client("his-demo")


def of_the_practice(**person: str) -> Caller:
    return Caller("his", PRACTICE.id, PRACTICE.kind, frozenset({"system/Task.rs"}), REGION.code, **person)


def test_a_token_carries_who_acts_on_whose_responsibility_and_why() -> None:
    caller = of_the_practice(
        user="http://fhir.nl/fhir/NamingSystem/uzi-nr-pers#000012345",
        responsible="http://fhir.nl/fhir/NamingSystem/uzi-nr-pers#000054321",
        purpose=EMERGENCY,
    )
    tokens = tokens_of(SETTINGS, SECRET)
    assert tokens.verify(f"Bearer {tokens.issue(caller, timedelta(minutes=5))}") == caller


def test_a_system_by_itself_acts_for_treatment() -> None:
    tokens = tokens_of(SETTINGS, SECRET)
    caller = tokens.verify(f"Bearer {tokens.issue(of_the_practice(), timedelta(minutes=5))}")
    assert (caller.user, caller.responsible, caller.purpose) == ("", "", TREATMENT)
