"""The demo's referrals for the pathways beside Welzijn op Recept: of people it knows, and the bundle that is posted."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID, uuid5

from ketenzorg.cli.demo.cases import Case, Json, Period, office_hours
from ketenzorg.cli.demo.chain import THAT_DAY, Answer, Chain, Kind
from ketenzorg.cli.demo.people import Person
from ketenzorg.cli.demo.referrals import ICPC, SEED, patient_of, transaction
from ketenzorg.pathway.calendar import AMSTERDAM, is_working_day
from ketenzorg.pathway.loaded import Catalogue, Pathway
from ketenzorg.pathway.region import Organisation, Region
from ketenzorg.pathway.region_file import URA
from ketenzorg.pathway.systems import codings

LAST_DAYS = 150  # these pathways are new in the region
SHARE = 40 / 1500  # of the referrals of the demo, for each pathway
FEWEST = 6
APART = timedelta(days=91)  # between two measurements of a series
OURS = UUID("5b1d3f0e-8c57-4a53-9d0f-6f2f6f0c2f11")
UCUM = "http://unitsofmeasure.org"


class ChainCase(NamedTuple):
    """One referral."""

    key: str
    chain: Chain
    kind: Kind
    sender: Organisation
    practice: Organisation
    person: Person
    at: datetime


def make_chain_cases(
    chain: Chain, region: Region, catalogue: Catalogue, known: Sequence[Case], period: Period
) -> list[ChainCase]:
    """Referrals of older people whom the practices know, in the last months; the same ones at every start."""
    chance = Random(f"{SEED} {chain.pathway}")  # noqa: S311  (a story, not a secret)
    count = max(FEWEST, round(len(known) * SHARE))
    pool = list({case.person: case for case in known if _age(case, period) >= chain.youngest}.values())
    chosen = chance.sample(pool, min(count, len(pool)))
    kinds = _kinds(chain, len(chosen), chance)
    moments = sorted(chance.choices(list(_days(period)), k=len(chosen)))
    return [
        ChainCase(
            key=f"{chain.pathway}-{number}",
            chain=chain,
            kind=kind,
            sender=_sender(kind, case.practice, region, catalogue.current(chain.pathway)),
            practice=case.practice,
            person=case.person,
            at=office_hours(moment.date(), chance),
        )
        for number, (case, kind, moment) in enumerate(zip(chosen, kinds, moments, strict=True), 1)
    ]


def _kinds(chain: Chain, count: int, chance: Random) -> list[Kind]:
    """Each kind at least once where there is room, the rest by weight."""
    more = chance.choices(chain.kinds, [kind.weight for kind in chain.kinds], k=count)
    kinds = [*chain.kinds, *more][:count]
    chance.shuffle(kinds)
    return kinds


def _sender(kind: Kind, practice: Organisation, region: Region, pathway: Pathway) -> Organisation:
    if not kind.from_hospital:
        return practice
    able = region.candidates(pathway, kind.from_hospital, practice.municipality)
    return next(each for each in able if each.kind == "ziekenhuis")


def _age(case: Case, period: Period) -> int:
    return period.today.year - case.person.born.year


def _days(period: Period) -> Iterator[datetime]:
    for ago in range(LAST_DAYS, 2, -1):
        day = period.today - timedelta(days=ago)
        if is_working_day(day.date()):
            yield day


def chain_bundle(case: ChainCase, pathway: Pathway) -> Json:
    """The transaction Bundle that the sender's system posts."""
    patient, request, condition, response = (_urn(case, part) for part in ("p", "r", "c", "q"))
    about = {"subject": {"reference": patient}}
    resources: list[tuple[str, Json]] = [
        (patient, patient_of(case.person)),
        (request, {**_request(case, pathway, condition), **about}),
        (
            condition,
            {
                "resourceType": "Condition",
                "code": {"coding": [{"system": ICPC, "code": case.chain.icpc}], "text": case.chain.because},
                **about,
            },
        ),
        (response, {**_response(case, pathway), **about}),
        *(
            (_urn(case, f"{name} {place}"), {**_observation(name, value, place, case, pathway), **about})
            for name, values in case.kind.measured.items()
            for place, value in enumerate(values)
        ),
    ]
    return transaction(resources)


def _urn(case: ChainCase, part: str) -> str:
    return f"urn:uuid:{uuid5(OURS, f'{case.key} {part}')}"


def _request(case: ChainCase, pathway: Pathway, condition: str) -> Json:
    service = pathway.file.service[0]
    practice = [] if case.sender == case.practice else [_named(case.practice)]
    return {
        "resourceType": "ServiceRequest",
        "identifier": [{"system": f"https://his.example/{case.sender.ura}/verwijzing", "value": case.key}],
        "instantiatesCanonical": [pathway.url],
        "status": "active",
        "intent": "order",
        "code": {"coding": [{"system": service.system, "code": service.code}], "text": pathway.title},
        "authoredOn": case.at.isoformat(),
        "requester": _named(case.sender),
        **({"performer": practice} if practice else {}),
        "reasonReference": [{"reference": condition}],
    }


def _named(organisation: Organisation) -> Json:
    return {"identifier": {"system": URA, "value": organisation.ura}, "display": organisation.name}


def _response(case: ChainCase, pathway: Pathway) -> Json:
    said = {**_safe(pathway), **case.chain.every, **case.kind.answers}
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": pathway.questionnaire,
        "status": "completed",
        "authored": case.at.isoformat(),
        "item": [
            {"linkId": name, "answer": [_answer(name, value, case, pathway)]} for name, value in said.items()
        ],
    }


def _safe(pathway: Pathway) -> Mapping[str, Answer]:
    """No to every alarm question: otherwise there is no referral, but a telephone call."""
    return {name: False for rule in pathway.file.alarm for name, word in rule.unless.items() if word == "nee"}


def _answer(name: str, value: Answer, case: ChainCase, pathway: Pathway) -> Json:
    if isinstance(value, bool):
        return {"valueBoolean": value}
    element = pathway.file.data[name]
    if value == THAT_DAY:
        return {"valueDate": case.at.date().isoformat()}
    if isinstance(value, str):
        return {"valueCoding": {"code": value}} if element.type == "code" else {"valueString": value}
    return {"valueQuantity": {"value": value, "system": UCUM, "code": element.unit}}


def _observation(name: str, value: float, place: int, case: ChainCase, pathway: Pathway) -> Json:
    element = pathway.file.data[name]
    system, code = next(iter(codings(element.coded_as[0])))
    at = (case.at - timedelta(days=3) - place * APART).astimezone(AMSTERDAM)
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": system, "code": code}]},
        "effectiveDateTime": at.isoformat(),
        "valueQuantity": {"value": value, "unit": element.unit, "system": UCUM, "code": element.unit},
    }
