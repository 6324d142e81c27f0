"""The named answers of a referral, read from its resources: a questionnaire's items first, other places after.

An answer that is there but cannot be read as what was asked counts as no answer: it is asked for, never guessed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from ketenzorg.pathway import units
from ketenzorg.pathway.answered import Code, Day, Quantity, Readings, Text, Value, YesNo
from ketenzorg.pathway.definition import DataElement
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.systems import canonical, codings

Resource = Mapping[str, Any]

# http://snomed.info/sct 373066001 Yes, 373067005 No, 261665006 Unknown; v2-0136 and data-absent-reason beside them.
YES_NO_CODES: dict[str, Literal["ja", "nee", "onbekend"]] = {
    "ja": "ja", "nee": "nee", "onbekend": "onbekend", "Y": "ja", "N": "nee", "unknown": "onbekend",
    "asked-unknown": "onbekend", "373066001": "ja", "373067005": "nee", "261665006": "onbekend",
}  # fmt: skip


def read_answers(pathway: Pathway, resources: Iterable[Resource]) -> dict[str, Value]:
    """Answer by name; two different answers to one question are no answer."""
    resources = [each for each in resources if each.get("status") != "entered-in-error"]
    answers: dict[str, list[Resource]] = {}
    for each in resources:
        if _asks_for(pathway, each):
            _collect(each, answers)
    given: dict[str, Value] = {}
    for name, element in pathway.file.data.items():
        if element.type == "getal":
            given |= _measured(name, element, answers.get(name, ()), resources)
            continue
        found = list(dict.fromkeys(_read(answers.get(name, ()), element)))
        found = found or list(dict.fromkeys(_from_places(element, resources)))
        found = found or list(dict.fromkeys(_from_codes(element, resources)))
        if len(found) == 1:
            given[name] = found[0]
    return given


def _measured(
    name: str, element: DataElement, said: Iterable[Resource], resources: list[Resource]
) -> dict[str, Value]:
    """Every reading, with its code, its date and where it stood: which of them count is decided by the rules."""
    readings = [value for each in said if isinstance(value := _quantity(each, element), Quantity)]
    wanted = _codes_of(element)
    for resource in resources:
        if resource["resourceType"] == "Observation" and resource.get("status") != "cancelled":
            readings += _observed(resource, wanted)
    return {name: readings[0] if len(readings) == 1 else Readings(tuple(readings))} if readings else {}


@lru_cache(maxsize=1024)
def _codes_as(measure: str, coded_as: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    """The codes of the file, and those of the same measure in its other units (mass beside molar)."""
    named = {coding for one in coded_as for coding in codings(one)}
    return frozenset(named | set(units.MEASURES[measure].codes)) if named else frozenset()


def _codes_of(element: DataElement) -> frozenset[tuple[str, str]]:
    return _codes_as(element.measure, tuple(element.coded_as))


def _observed(observation: Resource, wanted: frozenset[tuple[str, str]]) -> Iterator[Quantity]:
    """The value of an Observation, and of its components (a blood pressure has two)."""
    at = observation.get("effectiveDateTime") or observation.get("effectiveInstant") or ""
    for part in (observation, *observation.get("component", ())):
        for coding in part.get("code", {}).get("coding", ()):
            code = (coding.get("system", ""), coding.get("code", ""))
            quantity = part.get("valueQuantity", {})
            if code in wanted and "value" in quantity:
                yield Quantity(
                    Decimal(str(quantity["value"])),
                    quantity.get("code") or quantity.get("unit", ""),
                    at,
                    (canonical(code[0]), code[1]),
                    f"Observation/{observation.get('id', '')}",
                )
                break


_CODED = {
    "Condition": "code",
    "MedicationStatement": "medicationCodeableConcept",
    "FamilyMemberHistory": "condition",
}


def _from_codes(element: DataElement, resources: list[Resource]) -> Iterator[Value]:
    """An active condition or medicine under one of the codes is a yes; that none is there is no answer."""
    if element.type != "ja-nee" or not element.coded_as:
        return
    wanted = {coding for named in element.coded_as for coding in codings(named)}
    for resource in resources:
        field = _CODED.get(resource["resourceType"])
        if field is None or not _holds_now(resource):
            continue
        concepts = resource.get(field, {})
        for concept in (
            [each.get("code", {}) for each in concepts] if isinstance(concepts, list) else [concepts]
        ):
            if any(
                (one.get("system", ""), one.get("code", "")) in wanted for one in concept.get("coding", ())
            ):
                yield YesNo("ja")


def _holds_now(resource: Resource) -> bool:
    """A condition that is over or was refuted, and a medicine that was stopped, do not count."""
    codes = {
        coding.get("code")
        for field in ("clinicalStatus", "verificationStatus")
        for coding in resource.get(field, {}).get("coding", ())
    }
    over = {"inactive", "remission", "resolved", "refuted", "entered-in-error"}
    return not codes & over and resource.get("status") not in ("stopped", "not-taken", "completed")


def _asks_for(pathway: Pathway, resource: Resource) -> bool:
    """Answers to this pathway's questionnaire, in any version, or to one that is not named."""
    if resource["resourceType"] != "QuestionnaireResponse":
        return False
    named: str = resource.get("questionnaire", pathway.questionnaire)
    return named.partition("|")[0] == pathway.questionnaire.partition("|")[0]


def _collect(node: Resource, answers: dict[str, list[Resource]], authored: str = "") -> None:
    """The answers below a questionnaire or an item, by linkId, each with the day on which it was given."""
    authored = node.get("authored", authored)
    for item in node.get("item", ()):
        given = [{"authored": authored, **answer} for answer in item.get("answer", ())]
        answers.setdefault(item["linkId"], []).extend(given)
        _collect(item, answers, authored)


def _read(answers: Iterable[Resource], element: DataElement) -> Iterator[Value]:
    for answer in answers:
        value = _READERS[element.type](answer, element)
        if value is not None:
            yield value


def _yes_no(answer: Resource, _: DataElement) -> Value | None:
    if isinstance(answer.get("valueBoolean"), bool):
        return YesNo("ja" if answer["valueBoolean"] else "nee")
    said = answer.get("valueCoding", {}).get("code") or str(answer.get("valueString", "")).strip().lower()
    word = YES_NO_CODES.get(said)
    return YesNo(word) if word else None


def _quantity(answer: Resource, _: DataElement) -> Value | None:
    quantity = answer.get("valueQuantity")
    if quantity is None or "value" not in quantity:
        return None
    unit = quantity.get("code") or quantity.get("unit", "")
    return Quantity(Decimal(str(quantity["value"])), unit, answer.get("authored", ""))


def _code(answer: Resource, element: DataElement) -> Value | None:
    coding = answer.get("valueCoding") or {"code": answer.get("valueString")}
    return Code(coding["code"]) if coding.get("code") in element.codes else None


def _day(answer: Resource, _: DataElement) -> Value | None:
    return _as_day(answer.get("valueDate") or answer.get("valueDateTime") or "")


def _text(answer: Resource, _: DataElement) -> Value | None:
    words = answer.get("valueString") or answer.get("valueCoding", {}).get("display")
    return Text(words) if words else None


_READERS: dict[str, Callable[[Resource, DataElement], Value | None]] = {
    "ja-nee": _yes_no,
    "getal": _quantity,
    "code": _code,
    "datum": _day,
    "tekst": _text,
}


def _from_places(element: DataElement, resources: list[Resource]) -> Iterator[Value]:
    for place in element.places:
        kind = place.partition(".")[0]
        for resource in resources:
            if resource["resourceType"] == kind:
                value = _PLACES[place](resource, element)
                if value is not None:
                    yield value


def _consent(consent: Resource, element: DataElement) -> Value | None:
    """A Consent that is active and permits is a yes; its scope is the code of its provision."""
    provision = consent.get("provision", {})
    if element.type == "ja-nee":
        granted = consent.get("status") == "active" and provision.get("type") == "permit"
        return YesNo("ja" if granted else "nee")
    codings = (coding for concept in provision.get("code", ()) for coding in concept.get("coding", ()))
    return next((Code(coding["code"]) for coding in codings if coding.get("code") in element.codes), None)


def _consent_day(consent: Resource, _: DataElement) -> Value | None:
    return _as_day(consent.get("dateTime", ""))


def _telecom(patient: Resource, _: DataElement) -> Value | None:
    kinds = [each.get("system", "") for each in patient.get("telecom", ()) if each.get("value")]
    return Text(" ".join(kinds) or "telecom") if kinds else None


def _language(patient: Resource, _: DataElement) -> Value | None:
    for communication in patient.get("communication", ()):
        language = communication.get("language", {})
        for coding in language.get("coding", ()):
            if coding.get("code"):
                return Text(coding["code"])
        if language.get("text"):
            return Text(language["text"])
    return None


def _birth(patient: Resource, _: DataElement) -> Value | None:
    return _as_day(patient.get("birthDate", ""))


def _gender(patient: Resource, element: DataElement) -> Value | None:
    word = {"male": "man", "female": "vrouw"}.get(patient.get("gender", ""), "")
    return Code(word) if word in element.codes else None


_PLACES: dict[str, Callable[[Resource, DataElement], Value | None]] = {
    "Consent.provision": _consent,
    "Consent.dateTime": _consent_day,
    "Patient.birthDate": _birth,
    "Patient.gender": _gender,
    "Patient.telecom": _telecom,
    "Patient.communication": _language,
}


def _as_day(text: str) -> Value | None:
    try:
        return Day(date.fromisoformat(text[:10]))
    except ValueError:
        return None
