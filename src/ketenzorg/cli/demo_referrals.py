"""The referrals of the demo: who asks what, when, through which practice; and the bundle that its system posts."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import cycle
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from ketenzorg.access.personal_numbers import BSN_SYSTEMS
from ketenzorg.cli.demo_people import People, Person
from ketenzorg.cli.demo_words import LIMITATIONS, PREFERRED_TIMES, QUESTIONS, SAFETY_REMARKS, Question
from ketenzorg.pathway.calendar import AMSTERDAM, is_working_day
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region import Organisation, Region
from ketenzorg.pathway.region_file import URA

BSN = min(BSN_SYSTEMS)  # the system that nl-core names
ICPC = "http://hl7.org/fhir/sid/icpc-1-nl"
SEED = 1979
GROWTH = 0.8  # below 1: more referrals as the practices get used to it
Json = dict[str, Any]


class Period(NamedTuple):
    """The simulated time that the demo fills."""

    begins: datetime
    today: datetime


class Case(NamedTuple):
    """One referral: all that is made up about it."""

    number: int
    practice: Organisation
    person: Person
    question: Question
    at: datetime
    answers: dict[str, str]  # linkId -> text; what is not in it was not filled in
    only_contact_data: bool  # how far the consent goes
    debts: bool | None
    own_task: bool  # the practice's system sends a Consent, a PractitionerRole and a Task of its own

    @property
    def identifier(self) -> tuple[str, str]:
        """Under which the practice's system knows it."""
        return f"https://his.example/{self.practice.ura}/verwijzing", f"{self.at.year}-{self.number:05d}"


def make_cases(region: Region, pathway: Pathway, period: Period, count: int) -> list[Case]:
    """`count` referrals in the order of their dates; the same ones at every start."""
    chance = Random(SEED)  # noqa: S311  (a story, not a secret)
    people = People(chance)
    kinds = pathway.file.roles[pathway.role_of("requester")].kinds
    practices = [
        each for each in region.organisations if each.kind in kinds and pathway.name in each.pathways
    ]
    turns = cycle(chance.sample(practices, len(practices)))
    return [
        _case(place + 1, next(turns), at, region, people, chance)
        for place, at in enumerate(_moments(period, count, chance))
    ]


def bundle_of(case: Case, pathway: Pathway) -> Json:
    """The transaction Bundle that the practice's system posts."""
    patient, request, condition = (_urn(case, part) for part in (1, 2, 3))
    resources: list[tuple[str, Json]] = [
        (patient, _patient(case.person)),
        (request, _request(case, pathway, patient, condition)),
        (condition, _condition(case.question, patient)),
        (_urn(case, 4), _answers(case, pathway, patient)),
    ]
    if case.own_task:
        organisation, role = _urn(case, 5), _urn(case, 6)
        resources[1][1]["requester"] = {"reference": role}
        resources += [
            (organisation, {"resourceType": "Organization", **_known_as(case.practice)}),
            (role, {"resourceType": "PractitionerRole", "organization": {"reference": organisation}}),
            (_urn(case, 7), _consent(case, patient)),
            (_urn(case, 8), _task(case, request)),
        ]
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": urn,
                "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"]},
            }
            for urn, resource in resources
        ],
    }


def working_time(day: date, chance: Random) -> datetime:
    """A moment in office hours; the next working day when this one is none."""
    while not is_working_day(day):
        day += timedelta(days=1)
    return datetime.combine(day, time(chance.randint(8, 16), chance.randint(0, 59)), AMSTERDAM)


def _moments(period: Period, count: int, chance: Random) -> Sequence[datetime]:
    days = (period.today - period.begins).days
    moments: list[datetime] = []
    while len(moments) < count:
        after = timedelta(days=int(days * ((len(moments) + 0.5) / count) ** GROWTH))
        moment = working_time((period.begins + after).date(), chance)
        moments.append(min(moment, period.today - timedelta(minutes=count - len(moments))))
    return sorted(moments)


def _case(
    number: int, practice: Organisation, at: datetime, region: Region, people: People, chance: Random
) -> Case:
    municipality = practice.municipality
    fitting = [each for each in QUESTIONS if not each.municipalities or municipality in each.municipalities]
    question = chance.choice(fitting)
    only_contact_data = chance.random() < 0.08  # noqa: PLR2004
    return Case(
        number=number,
        practice=practice,
        person=people.somebody(municipality, region.municipalities[municipality], question, at.year),
        question=question,
        at=at,
        answers={} if only_contact_data else _words(question, chance),
        only_contact_data=only_contact_data,
        debts=question.debts if question.debts or chance.random() < 0.5 else None,  # noqa: PLR2004
        own_task=practice.id.int % 3 == 0,
    )


def _words(question: Question, chance: Random) -> dict[str, str]:
    """What was filled in; practices are busy, so not everything always is."""
    offered = {
        "reden": (0.95, f"{chance.choice(question.why)} {chance.choice(question.wish)}"),
        "voorkeurstijd": (0.7, chance.choice(PREFERRED_TIMES)),
        "praktische-beperkingen": (0.6, chance.choice(LIMITATIONS)),
        "veiligheidsopmerking": (0.06, chance.choice(SAFETY_REMARKS)),
    }
    return {name: text for name, (share, text) in offered.items() if chance.random() < share}


def _urn(case: Case, part: int) -> str:
    return f"urn:uuid:{UUID(int=case.number << 64 | 0x8000 << 48 | part, version=4)}"


def _patient(person: Person) -> Json:
    number = {"identifier": [{"system": BSN, "value": person.bsn}]} if person.bsn else {}
    return {
        "resourceType": "Patient",
        **number,
        "name": [
            {
                "use": "official",
                "text": f"{person.given} {person.family}",
                "family": person.family,
                "given": [person.given],
            }
        ],
        "telecom": [{"system": "phone", "value": person.telephone, "use": "home"}],
        "gender": person.gender,
        "birthDate": person.born.isoformat(),
        "address": [
            {
                "use": "home",
                "line": [person.street],
                "city": person.place,
                "district": person.municipality,
                "postalCode": person.postcode,
                "country": "NL",
            }
        ],
        "communication": [
            {
                "language": {"coding": [{"system": "urn:ietf:bcp:47", "code": person.language}]},
                "preferred": True,
            }
        ],
    }


def _request(case: Case, pathway: Pathway, patient: str, condition: str) -> Json:
    system, value = case.identifier
    service = pathway.file.service[0]
    return {
        "resourceType": "ServiceRequest",
        "identifier": [{"system": system, "value": value}],
        "instantiatesCanonical": [pathway.url],
        "status": "active",
        "intent": "order",
        "priority": "routine",
        "code": {"coding": [{"system": service.system, "code": service.code}], "text": pathway.title},
        "subject": {"reference": patient},
        "authoredOn": case.at.isoformat(),
        "requester": {
            "identifier": {"system": URA, "value": case.practice.ura},
            "display": case.practice.name,
        },
        "reasonReference": [{"reference": condition}],
    }


def _condition(question: Question, patient: str) -> Json:
    return {
        "resourceType": "Condition",
        "code": {"coding": [{"system": ICPC, "code": question.icpc}], "text": question.practice_says},
        "subject": {"reference": patient},
    }


def _answers(case: Case, pathway: Pathway, patient: str) -> Json:
    answers: dict[str, Json] = {"gevaar": {"valueBoolean": False}}
    if not case.own_task:
        answers |= {
            "toestemming": {"valueBoolean": True},
            "toestemming-datum": {"valueDate": case.at.date().isoformat()},
            "toestemming-reikwijdte": {"valueCoding": {"code": _scope(case)}},
        }
    answers |= {name: {"valueString": text} for name, text in case.answers.items()}
    if case.debts is not None:
        answers["schulden-wonen-veiligheid"] = {"valueBoolean": case.debts}
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": pathway.questionnaire,
        "status": "completed",
        "subject": {"reference": patient},
        "authored": case.at.isoformat(),
        "item": [{"linkId": name, "answer": [answer]} for name, answer in answers.items()],
    }


def _scope(case: Case) -> str:
    return "contactgegevens" if case.only_contact_data else "contactgegevens-en-toelichting"


def _known_as(organisation: Organisation) -> Json:
    return {"identifier": [{"system": URA, "value": organisation.ura}], "name": organisation.name}


def _consent(case: Case, patient: str) -> Json:
    scopes, opt_in = (
        "http://terminology.hl7.org/CodeSystem/consentscope",
        {"text": "Toestemming van de patiënt"},
    )
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": scopes, "code": "patient-privacy"}]},
        "category": [opt_in],
        "patient": {"reference": patient},
        "dateTime": case.at.date().isoformat(),
        "policyRule": opt_in,
        "provision": {"type": "permit", "code": [{"coding": [{"code": _scope(case)}]}]},
    }


def _task(case: Case, request: str) -> Json:
    return {
        "resourceType": "Task",
        "identifier": [
            {"system": f"https://his.example/{case.practice.ura}/taak", "value": f"T{case.number}"}
        ],
        "status": "requested",
        "intent": "order",
        "focus": {"reference": request},
    }
