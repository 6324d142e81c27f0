"""A referral by form, for a practice without an integration: the alarm question first, and then the rest."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath

from ketenzorg.access.personal_numbers import holds_number, is_bsn
from ketenzorg.coordination.receiving.notice import cite_nl
from ketenzorg.coordination.receiving.referring import receive_referral
from ketenzorg.coordination.showing.story import story
from ketenzorg.errors import Conflict, Invalid, Issue, KetenzorgError, Malformed, NotFound
from ketenzorg.fhir import json
from ketenzorg.pages.forms import answers, check_seal, read_form
from ketenzorg.pages.practice import ROLE
from ketenzorg.pages.render import Page, go_to, page
from ketenzorg.pages.site import Http, world_of
from ketenzorg.pages.visitors import Visitor, visitor_of
from ketenzorg.pathway.answers import read_answers
from ketenzorg.pathway.calendar import AMSTERDAM
from ketenzorg.pathway.criteria import Screening, screen
from ketenzorg.pathway.definition import DataElement
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.referral.form import TYPES, Answer, Person, Sheet, bundle_of

REACHED = "Patient.telecom"  # the place that telephone and e-mail fill
OF_THE_PATIENT = frozenset({REACHED, "Patient.birthDate"})  # what the form asks of everybody
PATIENT = "patient-"  # fields about the patient; the others have the names of the pathway file
LONGEST = {"tekst": 4000, "naam": 200, "email": 200, "straat": 200, "plaats": 100}  # characters
FILL_IN = "Vul dit nog in."
PHONE = re.compile(r"\+?[0-9][0-9 ()/.-]{7,19}\Z")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
POSTCODE = re.compile(r"[1-9][0-9]{3} ?[A-Za-z]{2}\Z")
TYPED_DAY = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})\Z")  # where a browser has no date field
OLDEST = 120  # years
AHEAD = timedelta(days=366)  # for what is planned
LINKED = re.compile(r"linkId='([^']+)'")
ALREADY_SENT = (
    "Dit formulier is al eens verstuurd, met andere antwoorden. De eerste verwijzing staat nog. Wilt u iets "
    "veranderen? Trek die dan in bij ‘Wat wij verwezen’ en begin een nieuw formulier."
)


class Asked(NamedTuple):
    """The questions of a pathway as the form puts them: what stops the sending comes first."""

    alarm: dict[str, DataElement]
    consent: dict[str, DataElement]
    reached: str  # how to ask for telephone or e-mail
    rest: dict[str, DataElement]


@get("/verwijzen")
async def choose_pathway(request: Http) -> Page:
    """What is the question about? With one pathway there is nothing to choose."""
    pathways = _pathways(request, visitor_of(request, ROLE))
    if len(pathways) == 1:
        return go_to(request, _address(pathways[0]))
    return page(request, "refer_choose.html", pathways=pathways)


@get("/verwijzen/{zorgpad:str}")
async def show_form(request: Http, zorgpad: FromPath[str]) -> Page:
    """An empty form, with a number of its own."""
    visitor = visitor_of(request, ROLE)
    return _form(request, _pathway(zorgpad, request, visitor), str(world_of(request).new_id()))


@post("/verwijzen/{zorgpad:str}", status_code=200)
async def send_form(request: Http, zorgpad: FromPath[str]) -> Page:
    """Send it, or show it again with everything that was typed."""
    form = await read_form(request)
    visitor, world = visitor_of(request, ROLE), world_of(request)
    number = form.get("kenmerk", "")
    pathway, typed = _pathway(zorgpad, request, visitor), answers(form)
    check_seal(request, visitor.session, _subject(number, pathway), form)
    asked, now = _asked(pathway), world.now()
    sheet = _sheet(UUID(number), typed, pathway, visitor, now)
    wrong = _wrong(typed, asked, list(world.region.municipalities.values()), now)
    screening = _screened(sheet, pathway)
    alarms = [stop.say for stop in screening.blocked if stop.alarm]
    for stop in screening.blocked:
        for name in stop.elements:
            said = typed.get(name) or name not in (asked.consent | asked.rest)
            wrong.setdefault(name, stop.say if said else FILL_IN)
    if alarms:  # nothing else matters now
        return _form(request, pathway, number, typed=typed, alarms=alarms, status=422)
    if wrong:
        return _form(request, pathway, number, typed=typed, wrong=wrong, status=422)
    try:
        receipt = await receive_referral(bundle_of(sheet), visitor.visit, world)
    except (Invalid, Malformed, Conflict) as error:
        return _refused(request, pathway, number, typed, error)
    told = await story(UUID(receipt.task.partition("/")[2]), visitor.visit, world)
    return page(
        request,
        "refer_sent.html",
        story=told,
        new=receipt.new,
        second=[each.nl for each in receipt.notices if each.code == "duplicate"],
        urgency=screening.urgency,
        advice=[(each.text, cite_nl(each.source)) for each in screening.advice],
        missing=[each.ask for each in screening.missing if not each.why],
    )


def _refused(
    request: Http, pathway: Pathway, number: str, typed: dict[str, str], error: KetenzorgError
) -> Page:
    """What the service itself has against it, beside the question that it is about."""
    alarms = [issue.nl for issue in error.issues if issue.severity == "fatal"]
    wrong: dict[str, str] = {}
    other = [ALREADY_SENT] if isinstance(error, Conflict) else []
    for issue in () if isinstance(error, Conflict) else error.issues:
        names = [found for place in issue.expression for found in LINKED.findall(place)]
        wrong |= dict.fromkeys(names, issue.nl)
        other += [] if names else [issue.nl]
    return _form(
        request, pathway, number, typed=typed, wrong=wrong, alarms=alarms, other=other, status=error.status
    )


def _form(
    request: Http,
    pathway: Pathway,
    number: str,
    *,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    alarms: list[str] | None = None,
    other: list[str] | None = None,
    status: int = 200,
) -> Page:
    world = world_of(request)
    today = world.now().astimezone(AMSTERDAM).date()
    return page(
        request,
        "refer.html",
        status,
        pathway=pathway,
        asked=_asked(pathway),
        municipalities=sorted(world.region.municipalities.values()),
        number=number,
        subject=_subject(number, pathway),
        action=_address(pathway),
        typed=typed or {},
        wrong=wrong or {},
        alarms=alarms or [],
        other=other or [],
        today=today.isoformat(),
        ahead=(today + AHEAD).isoformat(),
        longest=LONGEST["tekst"],
    )


def _pathways(request: Http, visitor: Visitor) -> list[Pathway]:
    """Those in which an organisation of this kind refers. Raises NotFound when there are none."""
    catalogue, found = world_of(request).catalogue, []
    for name in catalogue.names:
        pathway = catalogue.current(name)
        refers = visitor.person.organisation.kind in pathway.file.roles[pathway.role_of("requester")].kinds
        wanted = [each for each in pathway.file.data.values() if each.need == "vereist"]
        if refers and all(each.type in TYPES for each in wanted):  # the form cannot ask for measurements
            found.append(pathway)
    if not found:
        raise NotFound(Issue(nl="U kunt op geen zorgpad verwijzen.", en="No pathway to refer to."))
    return found


def _pathway(name: str, request: Http, visitor: Visitor) -> Pathway:
    found = next((each for each in _pathways(request, visitor) if each.name == name), None)
    if found is None:
        raise NotFound(Issue(nl="Dit zorgpad is er niet.", en="No such pathway."))
    return found


def _asked(pathway: Pathway) -> Asked:
    """Only what stops the sending, and what the other side gets to see: nothing is asked for nobody."""
    file = pathway.file
    alarm = [name for rule in file.alarm for name in rule.unless]
    stops = [name for rule in file.condition for name in rule.unless]
    consents = {name for each in file.consent.values() for name in (each.given, each.on, each.scope)}
    reached = next((each.ask for each in file.data.values() if REACHED in each.places), "")
    consent, rest = {}, {}
    for name, element in file.data.items():
        if name in alarm or not OF_THE_PATIENT.isdisjoint(element.places) or element.type not in TYPES:
            continue
        if name in stops or name in consents:
            consent[name] = element
        elif element.for_:
            rest[name] = element
    return Asked({name: file.data[name] for name in alarm}, consent, reached, rest)


def _sheet(number: UUID, typed: dict[str, str], pathway: Pathway, visitor: Visitor, at: datetime) -> Sheet:
    asked, organisation = _asked(pathway), visitor.person.organisation
    questions = asked.alarm | asked.consent | asked.rest
    service = pathway.file.service[0]
    return Sheet(
        number=number,
        at=at,
        pathway=pathway.url,
        questionnaire=pathway.questionnaire,
        service={"system": service.system, "code": service.code, "display": service.display},
        requester=organisation.identifiers[0],
        requester_name=organisation.name,
        person=Person(
            name=typed.get("patient-naam", ""),
            birth_date=_day(typed.get("patient-geboortedatum", "")),
            municipality=typed.get("patient-gemeente", ""),
            bsn=_digits(typed.get("patient-bsn", "")),
            phone=typed.get("patient-telefoon", ""),
            email=typed.get("patient-email", ""),
            street=typed.get("patient-straat", ""),
            postcode=typed.get("patient-postcode", "").upper(),
            town=typed.get("patient-plaats", ""),
        ),
        answers=tuple(
            Answer(name, each.type, _day(typed[name]) if each.type == "datum" else typed[name])
            for name, each in questions.items()
            if name in typed
        ),
    )


def _screened(sheet: Sheet, pathway: Pathway) -> Screening:
    """The rules of the pathway on what was typed, before anything is sent."""
    entries = json.read(bundle_of(sheet))["entry"]
    return screen(pathway, read_answers(pathway, [entry["resource"] for entry in entries]), sheet.at)


def _wrong(typed: dict[str, str], asked: Asked, municipalities: list[str], now: datetime) -> dict[str, str]:
    """Field -> what is wrong with it."""
    today = now.astimezone(AMSTERDAM).date()
    wrong = _wrong_patient(typed, municipalities, today)
    for name, element in (asked.alarm | asked.consent | asked.rest).items():
        said = typed.get(name, "")
        if not said:
            continue
        if element.type == "datum" and not _is_day(said, _latest(element, today)):
            wrong[name] = (
                "Kies een datum, hoogstens een jaar vooruit."
                if element.ahead
                else "Kies een datum tot en met vandaag."
            )
        elif element.type == "tekst" and len(said) > LONGEST["tekst"]:
            wrong[name] = "Maak de tekst korter: hoogstens 4.000 tekens."
        elif element.type == "tekst" and holds_number(said):
            wrong[name] = "Hier staat een burgerservicenummer (BSN). Haal het uit de tekst."
    return wrong


def _wrong_patient(typed: dict[str, str], municipalities: list[str], today: date) -> dict[str, str]:
    said = {name.removeprefix(PATIENT): text for name, text in typed.items() if name.startswith(PATIENT)}
    checks = {
        "naam": ("naam" in said, FILL_IN),
        "geboortedatum": (
            _is_day(said.get("geboortedatum", ""), today),
            "Vul een datum in, zoals 17-05-1948.",
        ),
        "bsn": (
            "bsn" not in said or is_bsn(_digits(said["bsn"])),
            "Dit is geen BSN. Kijk het nummer na, of laat het leeg.",
        ),
        "telefoon": (
            bool(said.get("telefoon") or said.get("email")),
            "Vul een telefoonnummer of een e-mailadres in.",
        ),
        "gemeente": (said.get("gemeente") in municipalities, "Kies een gemeente."),
        "postcode": ("postcode" not in said or _fits(POSTCODE, said["postcode"]), "Zoals 9711 AA."),
        "email": ("email" not in said or _fits(EMAIL, said["email"]), "Dit is geen e-mailadres."),
    }
    if "telefoon" in said:
        checks["telefoon"] = (_fits(PHONE, said["telefoon"]), "Dit is geen telefoonnummer.")
    wrong = {name: text for name, (good, text) in checks.items() if not good}
    too_long = {name: "Dit is te lang." for name, most in LONGEST.items() if len(said.get(name, "")) > most}
    return {f"{PATIENT}{name}": text for name, text in (wrong | too_long).items()}


def _fits(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.match(text) is not None


def _latest(element: DataElement, today: date) -> date:
    return today + AHEAD if element.ahead else today


def _is_day(text: str, latest: date) -> bool:
    try:
        day = date.fromisoformat(_day(text))
    except ValueError:
        return False
    return day <= latest and day.year > latest.year - OLDEST


def _day(text: str) -> str:
    """17-5-1948 as 1948-05-17."""
    typed = TYPED_DAY.match(text)
    return f"{typed[3]}-{typed[2]:0>2}-{typed[1]:0>2}" if typed else text


def _digits(text: str) -> str:
    return re.sub(r"[ .-]", "", text)


def _subject(number: str, pathway: Pathway) -> str:
    return f"verwijzen:{pathway.name}:{number}"


def _address(pathway: Pathway) -> str:
    return f"/verwijzen/{pathway.name}"
