"""The referrals of the demo: who asks what, when, through which practice; and the bundle that its system posts."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from ketenzorg.access.personal_numbers import BSN_SYSTEMS
from ketenzorg.cli.demo.cases import AWAY, Case, Json, Period, is_holiday, office_hours
from ketenzorg.cli.demo.people import People, Person
from ketenzorg.cli.demo.play import Play
from ketenzorg.cli.demo.words import Question
from ketenzorg.pathway.calendar import is_working_day
from ketenzorg.pathway.loaded import Catalogue, Pathway
from ketenzorg.pathway.region import Organisation, Region
from ketenzorg.pathway.region_file import URA

BSN = min(BSN_SYSTEMS)  # the system that nl-core names
ICPC = "http://hl7.org/fhir/sid/icpc-1-nl"
SEED = 1979
GROWTH = 0.5  # so much more at the end than at the begin
SEASON = (1.1, 1.05, 1.1, 1.0, 0.95, 0.95, 0.85, 0.85, 1.1, 1.15, 1.15, 0.9)  # January first
AGAIN = 0.25  # share of referrals of somebody who was referred before, where there is one
LONG_AGO = timedelta(days=180)


def make_cases(
    region: Region, catalogue: Catalogue, plays: Sequence[Play], period: Period, count: int
) -> list[Case]:
    """`count` referrals in the order of their dates; the same ones at every start."""
    chance = Random(SEED)  # noqa: S311  (a story, not a secret)
    people = People(chance)
    before: dict[str, list[Case]] = defaultdict(list)  # by municipality
    turns = _turns(region, catalogue, plays)
    cases: list[Case] = []
    for place, at in enumerate(_moments(period, count, chance)):
        play, practice = next(turns)
        case = _case(place + 1, play, practice, at, before[practice.municipality], region, people, chance)
        before[practice.municipality].append(case)
        cases.append(case)
    return cases


def _turns(
    region: Region, catalogue: Catalogue, plays: Sequence[Play]
) -> Iterator[tuple[Play, Organisation]]:
    """Whose turn it is to refer: each practice as often as its weight says, evenly mixed."""
    weights = {
        (play.pathway, practice.ura): (play, practice, play.share * play.volume[code] / len(practices))
        for play in plays
        for code in play.volume
        for practices in [_practices(region, catalogue.current(play.pathway), code)]
        for practice in practices
    }
    total = sum(weight for _, _, weight in weights.values())
    credit = dict.fromkeys(weights, 0.0)
    while True:
        for key, (_, _, weight) in weights.items():
            credit[key] += weight
        first = max(credit, key=credit.__getitem__)
        credit[first] -= total
        yield weights[first][:2]


def _practices(region: Region, pathway: Pathway, municipality: str) -> list[Organisation]:
    return region.candidates(pathway, pathway.role_of("requester"), municipality)


def _moments(period: Period, count: int, chance: Random) -> list[datetime]:
    """More in autumn than in summer, and more as the practices get used to it; the last day is for looking."""
    length = (period.today - period.begins).days
    days = [
        day
        for after in range(length)
        if is_working_day(day := (period.begins + timedelta(days=after)).date())
    ]
    weights = [
        SEASON[day.month - 1] * (AWAY if is_holiday(day) else 1) * (1 + GROWTH * place / len(days))
        for place, day in enumerate(days)
    ]
    return sorted(office_hours(day, chance) for day in chance.choices(days, weights, k=count))


def _case(
    number: int,
    play: Play,
    practice: Organisation,
    at: datetime,
    before: list[Case],
    region: Region,
    people: People,
    chance: Random,
) -> Case:
    code = practice.municipality
    fitting = [each for each in play.questions if not each.municipalities or code in each.municipalities]
    question = chance.choice(fitting)
    again = _somebody_again(question, practice, at, before) if chance.random() < AGAIN else None
    only_contact_data = chance.random() < 0.08  # noqa: PLR2004
    return Case(
        number=number,
        pathway=play.pathway,
        practice=practice,
        person=again or people.somebody(code, region.municipalities[code], question, at.year),
        question=question,
        at=at,
        answers={} if only_contact_data else play.words(question, chance),
        only_contact_data=only_contact_data,
        debts=question.debts if question.debts or chance.random() < 0.5 else None,  # noqa: PLR2004
        own_task=practice.id.int % 3 == 0,
    )


def _somebody_again(
    question: Question, practice: Organisation, at: datetime, before: list[Case]
) -> Person | None:
    """Whom this practice referred long ago, and who now comes with another question."""
    last = {case.person: case for case in before}
    youngest, oldest = question.ages
    return next(
        (
            person
            for person, case in last.items()
            if case.practice == practice and case.question is not question and at - case.at > LONG_AGO
            if youngest <= at.year - person.born.year <= oldest
            if question.newcomers == (person.language != "nl")
        ),
        None,
    )


def bundle_of(case: Case, play: Play, pathway: Pathway) -> Json:
    """The transaction Bundle that the practice's system posts."""
    patient, request, condition = (_urn(case, part) for part in (1, 2, 3))
    resources: list[tuple[str, Json]] = [
        (patient, patient_of(case.person)),
        (request, _request(case, pathway, patient, condition)),
        (condition, _condition(case.question, patient)),
        (_urn(case, 4), _answers(case, play, pathway, patient)),
    ]
    if case.own_task:
        organisation, role = _urn(case, 5), _urn(case, 6)
        resources[1][1]["requester"] = {"reference": role}
        resources += [
            (organisation, {"resourceType": "Organization", **_known_as(case.practice)}),
            (role, {"resourceType": "PractitionerRole", "organization": {"reference": organisation}}),
            (_urn(case, 7), _task(case, request)),
        ]
    resources += [(_urn(case, 8 + place), each) for place, each in enumerate(play.along(case, patient))]
    return transaction(resources)


def transaction(resources: Sequence[tuple[str, Json]]) -> Json:
    """A Bundle that creates each resource under its urn."""
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


def _urn(case: Case, part: int) -> str:
    return f"urn:uuid:{UUID(int=case.number << 64 | 0x8000 << 48 | part, version=4)}"


def patient_of(person: Person) -> Json:
    """The Patient that a practice's system sends."""
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


def _answers(case: Case, play: Play, pathway: Pathway, patient: str) -> Json:
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": pathway.questionnaire,
        "status": "completed",
        "subject": {"reference": patient},
        "authored": case.at.isoformat(),
        "item": [{"linkId": name, "answer": [answer]} for name, answer in play.answers(case).items()],
    }


def _known_as(organisation: Organisation) -> Json:
    return {"identifier": [{"system": URA, "value": organisation.ura}], "name": organisation.name}


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
